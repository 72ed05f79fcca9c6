//! `latchkey demo`

use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::instance::cores;
use super::output::Output;
use super::serve::{address_of, listen, open, serve};
use crate::access_tokens::secret::Plaintext;
use crate::config::{CommonOptions, Config, LogFormat, ServeOptions};
use crate::demo::{self, CODE, Folder, FolderError, GROUP, PASSWORD, PEOPLE};
use crate::logging;
use crate::server::run::Migrate;

/// Try it: a believable company on a throw-away database, for this machine only
///
/// Each start begins anew. Settings of a real instance (LATCHKEY_DATABASE_URL and the like) are not looked at.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Go on with what the last demo left
    #[arg(long)]
    keep: bool,

    /// The folder for its data, which it empties; it must be empty or an earlier demo's [default:
    /// latchkey-demo-<user id> where temporary files go]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Address and port to listen on; the address must be this machine's own [env: LATCHKEY_LISTEN] [default:
    /// 127.0.0.1:8080, or a free port]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,

    /// What to log, on standard error [env: LATCHKEY_LOG] [default: warn]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

/// The only variables that count for a demo; the others describe a real instance.
const VARIABLES: [&str; 5] = [
    "LATCHKEY_LISTEN",
    "LATCHKEY_LOG",
    "LATCHKEY_LOG_FORMAT",
    "LATCHKEY_WORKERS",
    "LATCHKEY_POOL_SIZE",
];

/// How long the server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

impl Demo {
    pub(super) fn run(self, common: &CommonOptions, out: &Output) -> Result<(), Failure> {
        if common.config.is_some() || common.data_dir.is_some() || common.database_url.is_some() {
            return Err(Failure::usage(
                "the demo has a database of its own; only --dir says where, and --config, --data-dir and --database-url are for other commands",
            ));
        }
        // Looked at before anything is emptied.
        let config = self.config(None)?;
        logging::init(
            &config.log,
            config.log_format.or(Some(LogFormat::Text)),
            logging::Target::Stderr,
        )
        .map_err(|error| Failure::new(format!("logging can't be started: {error}")))?;
        let listener = self.listen(config.listen)?;
        let folder = Folder::take(self.dir.as_deref(), self.keep)?;
        let mut config = self.config(Some(folder.path()))?;
        config.bound_to(address_of(&listener)?);
        let app = open(&config, Migrate::WithCopy)?;
        demo::fill(&app)?;
        // With --keep somebody may have turned the creation of tokens off; the demo works all the same.
        let token = match demo::first_token(&app) {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::warn!(%error, "No token could be made to begin with");
                None
            }
        };
        let welcome = Welcome {
            url: config.external_url.to_string(),
            token,
            git: app.repositories.git().version().is_ok(),
            folder: folder.path().to_owned(),
        };
        let (address, out) = (config.listen, *out);
        thread::spawn(move || greet(&welcome, address, &out));
        serve(&config, app, listener, || Ok(()))
    }

    fn config(&self, folder: Option<&Path>) -> Result<Config, Failure> {
        let environment = |name: &str| -> Option<OsString> {
            VARIABLES
                .contains(&name)
                .then(|| env::var_os(name))
                .flatten()
        };
        let common = CommonOptions {
            data_dir: folder.map(Path::to_owned),
            ..CommonOptions::default()
        };
        let quiet = env::var_os("LATCHKEY_LOG").is_none_or(|log| log.is_empty());
        let serve = ServeOptions {
            listen: self.listen.clone(),
            log: self
                .log
                .clone()
                .or_else(|| quiet.then(|| "warn".to_owned())),
            ..ServeOptions::default()
        };
        let config = Config::resolve(&common, &serve, &environment, cores())?;
        if !config.listen.ip().is_loopback() {
            return Err(Failure::new(format!(
                "everybody knows the demo's passwords, so it listens on this machine only (127.0.0.1 or [::1]), not on {}",
                config.listen
            )));
        }
        Ok(config)
    }

    /// A port that was asked for must be free; the usual one may be taken.
    fn listen(&self, address: SocketAddr) -> Result<TcpListener, Failure> {
        let asked_for = self.listen.is_some()
            || env::var_os("LATCHKEY_LISTEN").is_some_and(|value| !value.is_empty());
        match TcpListener::bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && !asked_for => {
                listen(SocketAddr::new(address.ip(), 0))
            }
            Ok(listener) => Ok(listener),
            // Once more, for the reason in words.
            Err(_) => listen(address),
        }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Failure::new(error.to_string())
    }
}

/// What a stranger has to know.
struct Welcome {
    url: String,
    token: Option<Plaintext>,
    /// Is Git installed?
    git: bool,
    folder: PathBuf,
}

impl Welcome {
    /// Complete as it is: it can be pasted into any shell, in any directory.
    fn curl(&self) -> Option<String> {
        let token = self.token.as_ref()?.expose();
        Some(format!(
            "curl --header \"PRIVATE-TOKEN: {token}\" {}/api/v4/groups/{GROUP}",
            self.url
        ))
    }

    /// A clone with the same token, where Git is installed; a user name has to be there, and may be any.
    fn clone_line(&self) -> Option<String> {
        let token = self.token.as_ref()?.expose();
        let address = self.url.strip_prefix("http://")?;
        self.git
            .then(|| format!("git clone http://demo:{token}@{address}/{CODE}.git"))
    }

    fn text(&self) -> String {
        let url = &self.url;
        let mut text = format!(
            "Latchkey demo: the tokens of a company called Acme\n\n  {url}\n\nSign in as   password         who they are\n"
        );
        for person in PEOPLE {
            // Writing to a string can't fail.
            let _ = writeln!(
                text,
                "  {:<10} {PASSWORD:<16} {}",
                person.username, person.about
            );
        }
        let _ = write!(
            text,
            "\nThe access tokens of {GROUP}, as alice:\n\n  {url}/groups/{GROUP}/-/settings/access_tokens\n"
        );
        if let Some(curl) = self.curl() {
            let _ = write!(
                text,
                "\nUse one of them, from another terminal:\n\n{curl}\n"
            );
        }
        if let Some(clone) = self.clone_line() {
            let _ = writeln!(text, "{clone}");
        }
        let _ = write!(
            text,
            "\nMails, such as that a token ends soon, are written to {}.\nThe data is in {}; the next demo starts anew, unless with --keep. Ctrl-C stops this one.\n",
            self.folder.join("mail").display(),
            self.folder.display()
        );
        text
    }

    fn object(&self) -> Value {
        let people: Vec<Value> = PEOPLE
            .iter()
            .map(|person| json!({ "username": person.username, "password": PASSWORD, "about": person.about }))
            .collect();
        json!({
            "url": self.url,
            "people": people,
            "token": self.token.as_ref().map(Plaintext::expose),
            "curl": self.curl(),
            "clone": self.clone_line(),
            "directory": self.folder.display().to_string(),
        })
    }
}

/// Waits until the server answers, then says how to use it.
fn greet(welcome: &Welcome, address: SocketAddr, out: &Output) {
    if let Err(error) = first_answer(address) {
        out.error(&format!("the server did not answer: {error}"));
        return;
    }
    if let Err(failure) = out.lines(&welcome.object(), &welcome.text()) {
        out.error(&failure.to_string());
    }
}

fn first_answer(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /-/liveness HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    if status.ends_with(b" 200") {
        Ok(())
    } else {
        Err(io::Error::other(
            String::from_utf8_lossy(&status).into_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcome() -> Welcome {
        Welcome {
            url: "http://127.0.0.1:8080".into(),
            token: Some(Plaintext::of_link([7; 32])),
            git: true,
            folder: "/tmp/latchkey-demo-1".into(),
        }
    }

    fn demo(listen: Option<&str>) -> Demo {
        Demo {
            keep: false,
            dir: None,
            listen: listen.map(str::to_owned),
            log: None,
        }
    }

    #[test]
    fn the_curl_line_is_one_line_by_itself() {
        let welcome = welcome();
        let curl = welcome.curl().unwrap();
        let token = welcome.token.as_ref().unwrap().expose();
        assert_eq!(
            curl,
            format!(
                "curl --header \"PRIVATE-TOKEN: {token}\" http://127.0.0.1:8080/api/v4/groups/acme"
            )
        );
        assert!(welcome.text().lines().any(|line| line == curl));
    }

    #[test]
    fn everybody_who_can_sign_in_is_named_with_the_password() {
        let text = welcome().text();
        for person in PEOPLE {
            let row = text
                .lines()
                .find(|line| line.trim_start().starts_with(person.username))
                .unwrap();
            assert!(row.contains(PASSWORD), "{row}");
        }
    }

    #[test]
    fn only_this_machine_can_reach_it() {
        for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
            assert!(demo(Some(listen)).config(None).is_err(), "{listen}");
        }
        assert!(demo(Some("[::1]:0")).config(None).is_ok());
    }

    #[test]
    fn a_port_that_was_asked_for_and_is_free_is_taken() {
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let listener = demo(Some(&free.to_string())).listen(free).unwrap();
        assert_eq!(listener.local_addr().unwrap(), free);
    }

    #[test]
    fn a_port_that_was_asked_for_and_is_taken_is_refused() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert!(demo(Some(&address.to_string())).listen(address).is_err());
        let other = demo(None).listen(address).unwrap().local_addr().unwrap();
        assert!(other.ip().is_loopback());
        assert_ne!(other.port(), address.port());
    }
}
