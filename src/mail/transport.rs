//! The ways out: a mail server, or a folder of files.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use lettre::message::Mailbox;

use super::message::{Letter, Letterhead, Message, Unsendable};
use super::smtp::{self, Relay};
use super::smtp_url::SmtpUrl;

/// Why a mail didn't get out, and so what is to become of it. The words are for administrators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// This mail will never be taken, whoever asks and when.
    #[error("{0}")]
    Refused(String),
    /// This mail may be taken later; others may be taken now.
    #[error("{0}")]
    Later(String),
    /// As `then`; and the connection is of no use any more.
    #[error("{then}")]
    Broken {
        /// What becomes of the mail.
        then: Box<Failure>,
        /// Certainly nothing of it was taken: another connection may be tried at once.
        again: bool,
    },
    /// No mail gets out for now.
    #[error("{0}")]
    Down(String),
}

/// How mail leaves an instance, as its operator configured it.
#[derive(Debug, Clone)]
pub struct Post {
    /// The mail server; nothing writes files into `folder`.
    pub smtp: Option<SmtpUrl>,
    /// The authorities, in PEM, that the server's certificate must come from; those of the machine if there is none.
    pub ca_file: Option<PathBuf>,
    /// Who writes; nothing is Latchkey, at an address of its own.
    pub from: Option<Mailbox>,
    /// Where mails are written to if there is no server.
    pub folder: PathBuf,
}

impl Post {
    /// Writes files into this folder.
    pub fn to_folder(folder: impl Into<PathBuf>) -> Self {
        Post {
            smtp: None,
            ca_file: None,
            from: None,
            folder: folder.into(),
        }
    }
}

/// Sends mails: cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    letterhead: Arc<Letterhead>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Smtp(Arc<Relay>),
    Folder(PathBuf),
}

impl Mailer {
    /// Of the instance under this host name; `key` is what it makes the ids of mails with. Connects to nobody.
    ///
    /// # Errors
    /// When the file of authorities can't be used; a sentence.
    pub fn new(post: &Post, host: &str, key: [u8; 32]) -> Result<Self, String> {
        let way = match &post.smtp {
            Some(url) => {
                let relay = Relay::new(url.clone(), post.ca_file.as_deref(), host)?;
                Way::Smtp(Arc::new(relay))
            }
            None => Way::Folder(post.folder.clone()),
        };
        Ok(Mailer {
            letterhead: Arc::new(Letterhead::new(host, post.from.clone(), key)),
            way,
        })
    }

    /// Where mails go, for the pages of administrators: without user and password.
    pub fn destination(&self) -> String {
        match &self.way {
            Way::Smtp(relay) => relay.url().to_string(),
            Way::Folder(folder) => folder.display().to_string(),
        }
    }

    /// Who mails are from.
    pub fn sender(&self) -> String {
        self.letterhead.sender()
    }

    /// Is there a mail server, or does nobody get what is sent?
    pub fn reaches_people(&self) -> bool {
        matches!(self.way, Way::Smtp(_))
    }

    /// Puts a message on paper; `key` is its own in the outbox.
    ///
    /// # Errors
    /// When its address is none.
    pub fn write(
        &self,
        key: &str,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Result<Letter, Unsendable> {
        self.letterhead.write(key, message, now)
    }

    /// Connects.
    ///
    /// # Errors
    /// [`Failure::Down`].
    pub(super) async fn open(&self) -> Result<Session, Failure> {
        Ok(match &self.way {
            Way::Smtp(relay) => Session::Smtp(Box::new(relay.connect().await?)),
            Way::Folder(folder) => Session::Folder(folder.clone()),
        })
    }

    /// Sends one mail by itself.
    ///
    /// # Errors
    /// Why it didn't get out.
    pub async fn send(&self, letter: &Letter) -> Result<(), Failure> {
        let mut session = self.open().await?;
        let sent = session.send(letter).await;
        session.close().await;
        sent
    }
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mailer({})", self.destination())
    }
}

/// A way that is open; one mail after the other.
pub(super) enum Session {
    Smtp(Box<smtp::Session>),
    Folder(PathBuf),
}

impl Session {
    pub(super) async fn send(&mut self, letter: &Letter) -> Result<(), Failure> {
        match self {
            Session::Smtp(session) => session.send(letter).await,
            Session::Folder(folder) => {
                let (folder, letter) = (folder.clone(), letter.clone());
                let path = folder.clone();
                tokio::task::spawn_blocking(move || drop_into(&folder, &letter))
                    .await
                    .unwrap_or_else(|panic| Err(io::Error::other(panic)))
                    .map_err(|error| {
                        let path = path.display();
                        Failure::Down(format!("mails can't be written to {path}: {error}"))
                    })
            }
        }
    }

    pub(super) async fn close(self) {
        if let Session::Smtp(session) = self {
            session.quit().await;
        }
    }
}

/// Writes a file of its own for a mail, whole or not at all; again for the same mail changes nothing.
fn drop_into(folder: &Path, letter: &Letter) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let draft = folder.join(format!(".{}.new", letter.id));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| {
            file.write_all(&letter.bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&draft, folder.join(format!("{}.eml", letter.id))));
    if written.is_err() {
        // What is half there is of no use; if it can't be removed either, the first error says why.
        let _ = fs::remove_file(&draft);
    }
    written?;
    // The name is durable only once its directory is.
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mailer(folder: &Path) -> Mailer {
        Mailer::new(&Post::to_folder(folder), "tokens.example.com", [7; 32]).unwrap()
    }

    fn letter(mailer: &Mailer, key: &str) -> Letter {
        let message = Message {
            to_name: "Alice".into(),
            to_address: "alice@example.com".into(),
            subject: "Hello".into(),
            text: "Hello".into(),
            html: "<p>Hello</p>".into(),
        };
        let now = DateTime::from_timestamp(1_795_168_800, 0).unwrap();
        mailer.write(key, &message, now).unwrap()
    }

    #[tokio::test]
    async fn a_mail_becomes_one_file_that_only_its_owner_reads() {
        let dir = tempfile::TempDir::new().unwrap();
        let folder = dir.path().join("mail");
        let mailer = mailer(&folder);
        let letter = letter(&mailer, "token_created/1");
        mailer.send(&letter).await.unwrap();
        mailer.send(&letter).await.unwrap();
        let names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, [format!("{}.eml", letter.id)]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(&names[0])), 0o600);
        assert_eq!(fs::read(folder.join(&names[0])).unwrap(), letter.bytes);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_stops_all_mail_for_now() {
        let dir = tempfile::TempDir::new().unwrap();
        let folder = dir.path().join("mail");
        fs::write(&folder, "a file").unwrap();
        let mailer = mailer(&folder);
        let failure = mailer.send(&letter(&mailer, "x")).await.unwrap_err();
        assert!(matches!(failure, Failure::Down(_)), "{failure:?}");
    }
}
