//! A mail on paper: who it is to, what it says, and the headers that every mail of an instance has.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What one person is told. Names and subjects may be whatever people typed: they become one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What the person is called.
    pub to_name: String,
    /// Where it goes.
    pub to_address: String,
    /// One line; cut where it is too long for a list of mails.
    pub subject: String,
    /// For those who read text.
    pub text: String,
    /// The same for those who read HTML.
    pub html: String,
}

/// Characters of a subject, and of a name, that are worth sending.
const LONGEST: usize = 200;

/// Why a mail can't be put on paper; it says nothing of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// No mail server would understand it.
    #[error("the person's address is none that mail can be sent to")]
    Address,
    /// Something else about it.
    #[error("the mail could not be put together")]
    Parts,
}

/// A mail as it is sent.
#[derive(Debug, Clone)]
pub struct Letter {
    /// What is in its `Message-ID`, without the brackets; also a file name.
    pub id: String,
    /// From whom and to whom, for the server.
    pub(super) envelope: Envelope,
    /// Headers and body.
    pub(super) bytes: Vec<u8>,
}

/// What all mails of an instance have in common.
pub struct Letterhead {
    from: Mailbox,
    host: String,
    key: Zeroizing<[u8; 32]>,
}

impl Letterhead {
    /// Who mails are from.
    pub fn sender(&self) -> String {
        self.from.to_string()
    }

    /// Of the instance under this host name. `from` is who writes; `key` makes ids, and differs between instances.
    pub fn new(host: &str, from: Option<Mailbox>, key: [u8; 32]) -> Self {
        let host = mail_domain(host);
        let noreply = || Address::new("latchkey", format!("noreply.{host}"));
        let from = from
            .or_else(|| Some(Mailbox::new(Some("Latchkey".into()), noreply().ok()?)))
            .unwrap_or_else(|| {
                let address = Address::new_dangerous("latchkey", "localhost");
                Mailbox::new(Some("Latchkey".into()), address)
            });
        Letterhead {
            from,
            host,
            key: Zeroizing::new(key),
        }
    }

    /// The id of the mail with this key: the same one each time.
    pub fn message_id(&self, key: &str) -> String {
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&*self.key);
        // A whole block is a key that nothing can be wrong with.
        let mut mac = Hmac::<Sha256>::new(&(*block).into());
        mac.update(key.as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        format!("{}@{}", hex::encode(&digest[..20]), self.host)
    }

    /// Puts a message on paper.
    ///
    /// # Errors
    /// When the address is none.
    pub fn write(
        &self,
        key: &str,
        message: &Message,
        now: DateTime<Utc>,
    ) -> Result<Letter, Unsendable> {
        let id = self.message_id(key);
        let to = address(&message.to_address)?;
        let name = one_line(&message.to_name);
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new((!name.is_empty()).then_some(name), to))
            .subject(one_line(&message.subject))
            .date(moment(now))
            .message_id(Some(format!("<{id}>")))
            .header(AutoSubmitted)
            .multipart(alternatives(message))
            .map_err(|_| Unsendable::Parts)?;
        Ok(Letter {
            id,
            envelope: mail.envelope().clone(),
            bytes: mail.formatted(),
        })
    }
}

impl std::fmt::Debug for Letterhead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letterhead({})", self.from)
    }
}

fn alternatives(message: &Message) -> MultiPart {
    use lettre::message::SinglePart;
    let part = |kind, text: &str| {
        SinglePart::builder()
            .header(kind)
            .body(text.replace("\r\n", "\n").replace('\n', "\r\n"))
    };
    MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &message.text))
        .singlepart(part(ContentType::TEXT_HTML, &message.html))
}

/// The part after the at sign of our own addresses and ids. An address of a machine is none.
fn mail_domain(host: &str) -> String {
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    match idna::domain_to_ascii(host) {
        Ok(ascii) if !is_address && !ascii.is_empty() => ascii,
        _ => "localhost".to_owned(),
    }
}

/// An address whose domain every server understands, whatever script it is written in.
fn address(text: &str) -> Result<Address, Unsendable> {
    let (user, domain) = text.rsplit_once('@').ok_or(Unsendable::Address)?;
    let domain = if domain.is_ascii() {
        domain.to_owned()
    } else {
        idna::domain_to_ascii(domain).map_err(|_| Unsendable::Address)?
    };
    Address::new(user, domain).map_err(|_| Unsendable::Address)
}

/// Text that people typed, on one line: breaks and tabs are spaces, what can't be seen and might act is left out.
pub fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|character| if breaks(character) { ' ' } else { character })
        .filter(|character| !character.is_control() && !turns(*character))
        .collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    shortened(&words.join(" "), LONGEST)
}

/// The beginning of a text that is longer than so many characters.
pub fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let cut: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

fn breaks(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{b}' | '\u{c}' | '\u{85}')
}

/// Would make the rest of the line read the other way round.
fn turns(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn moment(at: DateTime<Utc>) -> SystemTime {
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A program wrote this: no machine should answer.
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(AutoSubmitted)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letterhead() -> Letterhead {
        Letterhead::new("tokens.example.com", None, [7; 32])
    }

    fn message(name: &str, subject: &str) -> Message {
        Message {
            to_name: name.into(),
            to_address: "alice@example.com".into(),
            subject: subject.into(),
            text: "Hello\nthere".into(),
            html: "<p>Hello</p>".into(),
        }
    }

    fn written(message: &Message) -> String {
        let now = DateTime::from_timestamp(1_795_168_800, 0).unwrap();
        let letter = letterhead().write("token_created/1", message, now).unwrap();
        String::from_utf8(letter.bytes).unwrap()
    }

    fn headers(mail: &str) -> Vec<&str> {
        let head = mail.split("\r\n\r\n").next().unwrap();
        head.split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap())
            .collect()
    }

    const HEADERS: [&str; 8] = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ];

    #[test]
    fn a_mail_has_the_headers_of_a_mail_that_a_program_wrote() {
        let mail = written(&message("Alice Owner", "A token was created"));
        assert_eq!(headers(&mail), HEADERS);
        for line in [
            "From: Latchkey <latchkey@noreply.tokens.example.com>\r\n",
            "To: \"Alice Owner\" <alice@example.com>\r\n",
            "Subject: A token was created\r\n",
            "Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
        ] {
            assert!(mail.contains(line), "{line} in\n{mail}");
        }
        assert!(mail.contains("multipart/alternative"));
    }

    #[test]
    fn the_same_mail_has_the_same_id_each_time_and_another_one_another() {
        let letterhead = letterhead();
        let id = letterhead.message_id("token_created/1");
        assert_eq!(id, letterhead.message_id("token_created/1"));
        assert_ne!(id, letterhead.message_id("token_created/2"));
        let elsewhere = Letterhead::new("tokens.example.com", None, [8; 32]);
        assert_ne!(id, elsewhere.message_id("token_created/1"));
        let (hex, host) = id.split_once('@').unwrap();
        assert!(hex.len() == 40 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(host, "tokens.example.com");
        assert!(written(&message("A", "B")).contains(&format!("Message-ID: <{id}>\r\n")));
    }

    #[test]
    fn a_host_that_is_no_name_writes_from_this_machine() {
        for host in ["127.0.0.1", "::1", ""] {
            let letterhead = Letterhead::new(host, None, [7; 32]);
            assert!(letterhead.message_id("x").ends_with("@localhost"), "{host}");
            assert_eq!(
                letterhead.from.to_string(),
                "Latchkey <latchkey@noreply.localhost>"
            );
        }
    }

    #[test]
    fn nobody_adds_a_header_through_a_name_or_a_subject() {
        for text in [
            "x\r\nBcc: eve@example.com",
            "x\nBcc: eve@example.com",
            "x\rBcc: eve@example.com",
            "x\u{85}Bcc: eve@example.com",
            "x\u{2028}Bcc: eve@example.com",
            "\"><eve@example.com>, \"",
            "x\r\n\r\nbody",
            "naïve 名前 \u{202e}gnp.exe\r\nBcc: eve@example.com",
        ] {
            let mail = written(&message(text, text));
            assert_eq!(headers(&mail), HEADERS, "{text:?}");
            let now = DateTime::from_timestamp(1_795_168_800, 0).unwrap();
            let letter = letterhead().write("k", &message(text, text), now).unwrap();
            let to: Vec<String> = letter
                .envelope
                .to()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(to, ["alice@example.com"]);
        }
    }

    #[test]
    fn a_very_long_subject_is_cut_and_its_line_folded() {
        let mail = written(&message(&"é".repeat(400), &"word ".repeat(1_000)));
        assert_eq!(headers(&mail), HEADERS);
        assert!(mail.split("\r\n").all(|line| line.len() <= 998));
        let subject = one_line(&"word ".repeat(1_000));
        assert!(subject.chars().count() <= LONGEST && subject.ends_with('…'));
    }

    #[test]
    fn a_domain_in_any_script_is_spelt_as_servers_know_it() {
        assert_eq!(
            address("ana@exämple.com").unwrap().to_string(),
            "ana@xn--exmple-cua.com"
        );
        for wrong in ["ana", "ana@", "@example.com", "a b@example.com", "a@b c"] {
            assert_eq!(address(wrong), Err(Unsendable::Address), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_was_typed_is_one_line_without_control_characters(text in "(?s).{0,300}") {
            let line = one_line(&text);
            prop_assert!(!line.chars().any(|c| c.is_control() || (c != ' ' && c.is_whitespace())));
            prop_assert!(line.chars().count() <= LONGEST);
            prop_assert_eq!(one_line(&line), line);
        }

        #[test]
        fn no_subject_makes_a_header(text in "(?s).{0,80}") {
            let mail = written(&message(&text, &text));
            let found = headers(&mail);
            prop_assert_eq!(found, HEADERS.to_vec());
        }
    }
}
