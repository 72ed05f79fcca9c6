//! One conversation with a mail server, and what its answers mean for the mail at hand.

use std::future::Future;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;

use super::message::Letter;
use super::smtp_url::{SmtpUrl, Tls};
use super::transport::Failure;

type SmtpError = lettre::transport::smtp::Error;

/// How long a server may take to be reached, and to answer each command.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may look at a whole mail before it says yes: giving up earlier would send the mail a second time.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(30);

/// A mail server and all that it takes to talk to it.
pub(super) struct Relay {
    url: SmtpUrl,
    /// The authorities that its certificate must come from; those of this machine if there are none here.
    authorities: Option<Certificate>,
    hello: ClientId,
    tls: OnceLock<TlsParameters>,
}

impl Relay {
    /// Reads the file of authorities, if there is one; connects to nobody.
    pub(super) fn new(url: SmtpUrl, ca_file: Option<&Path>, host: &str) -> Result<Self, String> {
        let authorities = ca_file.map(read_authorities).transpose()?;
        let hello = match host.parse() {
            Ok(std::net::IpAddr::V4(ip)) => ClientId::Ipv4(ip),
            Ok(std::net::IpAddr::V6(ip)) => ClientId::Ipv6(ip),
            Err(_) => {
                ClientId::Domain(idna::domain_to_ascii(host).unwrap_or_else(|_| "localhost".into()))
            }
        };
        Ok(Relay {
            url,
            authorities,
            hello,
            tls: OnceLock::new(),
        })
    }

    pub(super) fn url(&self) -> &SmtpUrl {
        &self.url
    }

    /// Reading all authorities of a machine takes a while; commands that send nothing are spared it.
    fn tls(&self) -> Result<TlsParameters, Failure> {
        if let Some(ready) = self.tls.get() {
            return Ok(ready.clone());
        }
        let mut builder = TlsParameters::builder(self.url.host.clone());
        if let Some(authorities) = &self.authorities {
            builder = builder
                .certificate_store(CertificateStore::None)
                .add_root_certificate(authorities.clone());
        }
        let made = builder
            .build_rustls()
            .map_err(|error| self.unreachable("TLS can't be set up", &error))?;
        Ok(self.tls.get_or_init(|| made).clone())
    }

    /// Connects, encrypts and signs in, as far as the URL says so.
    pub(super) async fn connect(&self) -> Result<Session, Failure> {
        let implicit = match self.url.tls {
            Tls::Implicit => Some(self.tls()?),
            _ => None,
        };
        let server = (self.url.host.as_str(), self.url.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(PATIENCE),
            &self.hello,
            implicit,
            None,
        );
        let mut connection = self.step("can't be reached", connecting).await?;
        match self.url.tls {
            Tls::None | Tls::Implicit => {}
            Tls::Opportunistic if !connection.can_starttls() => {}
            Tls::Opportunistic | Tls::Required => {
                if !connection.can_starttls() {
                    close(connection).await;
                    return Err(Failure::Down(format!(
                        "{} offers no STARTTLS, which is required",
                        self.url
                    )));
                }
                let upgrading = connection.starttls(self.tls()?, &self.hello);
                self.step("can't be encrypted with", upgrading).await?;
            }
        }
        if let Some((user, password)) = &self.url.login {
            let credentials = Credentials::new(user.clone(), password.to_string());
            let signing_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
            match tokio::time::timeout(PATIENCE, signing_in).await {
                Ok(Ok(_)) => {}
                // Nothing of what was said: some servers repeat what they were sent.
                Ok(Err(error)) => {
                    let code = error
                        .status()
                        .map_or_else(String::new, |code| format!(" ({code})"));
                    close(connection).await;
                    return Err(Failure::Down(format!(
                        "{} doesn't take the user name and password{code}",
                        self.url
                    )));
                }
                Err(_) => return Err(Failure::Down(self.silent())),
            }
        }
        Ok(Session { connection })
    }

    async fn step<T>(
        &self,
        what: &str,
        doing: impl Future<Output = Result<T, SmtpError>>,
    ) -> Result<T, Failure> {
        match tokio::time::timeout(PATIENCE, doing).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.unreachable(what, &error)),
            Err(_) => Err(Failure::Down(self.silent())),
        }
    }

    fn unreachable(&self, what: &str, error: &SmtpError) -> Failure {
        Failure::Down(format!("{} {what}: {}", self.url, words(error)))
    }

    fn silent(&self) -> String {
        format!("{} didn't answer within {} s", self.url, PATIENCE.as_secs())
    }
}

fn read_authorities(path: &Path) -> Result<Certificate, String> {
    let pem = std::fs::read(path)
        .map_err(|error| format!("{} can't be read: {error}", path.display()))?;
    let none = || format!("{} holds no certificates in PEM", path.display());
    if !pem
        .windows(27)
        .any(|part| part == b"-----BEGIN CERTIFICATE-----")
    {
        return Err(none());
    }
    Certificate::from_pem(&pem).map_err(|_| none())
}

/// Says goodbye, but not for long: nothing depends on the answer.
async fn close(mut connection: AsyncSmtpConnection) {
    let _ = tokio::time::timeout(Duration::from_secs(1), connection.command(Quit)).await;
}

/// An open conversation; one mail after the other.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
}

/// How far a mail got, which tells what a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Sender,
    Recipient,
    Data,
    End,
}

impl Session {
    /// Hands over one mail; after [`Failure::Refused`] and [`Failure::Later`] the conversation can go on.
    pub(super) async fn send(&mut self, letter: &Letter) -> Result<(), Failure> {
        match self.hand_over(letter).await {
            Err(failure @ (Failure::Refused(_) | Failure::Later(_))) => {
                // The next mail begins with a clean sheet, or on another connection.
                match answered(self.connection.command(Rset)).await {
                    Ok(()) => Err(failure),
                    Err(_) => Err(Failure::Broken {
                        then: Box::new(failure),
                        again: false,
                    }),
                }
            }
            outcome => outcome,
        }
    }

    async fn hand_over(&mut self, letter: &Letter) -> Result<(), Failure> {
        let envelope = &letter.envelope;
        let mut parameters = Vec::new();
        let mut everybody = envelope.to().iter().chain(envelope.from());
        if !everybody.all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
            let info = self.connection.server_info();
            if !info.supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure::Refused(
                    "the mail server takes no addresses outside of ASCII".into(),
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let connection = &mut self.connection;
        let sender = Mail::new(envelope.from().cloned(), parameters);
        answered(connection.command(sender))
            .await
            .map_err(|problem| problem.at(Stage::Sender))?;
        for to in envelope.to() {
            answered(connection.command(Rcpt::new(to.clone(), Vec::new())))
                .await
                .map_err(|problem| problem.at(Stage::Recipient))?;
        }
        answered(connection.command(Data))
            .await
            .map_err(|problem| problem.at(Stage::Data))?;
        answered_within(PATIENCE_AT_THE_END, connection.message(&letter.bytes))
            .await
            .map_err(|problem| problem.at(Stage::End))
    }

    pub(super) async fn quit(self) {
        close(self.connection).await;
    }
}

/// What was answered instead of yes.
enum Problem {
    /// A code and what the server said.
    Code(u16, String),
    /// The connection is gone, or nobody understands what comes over it.
    Lost(String),
}

async fn answered(
    asking: impl Future<Output = Result<Response, SmtpError>>,
) -> Result<(), Problem> {
    answered_within(PATIENCE, asking).await
}

async fn answered_within(
    patience: Duration,
    asking: impl Future<Output = Result<Response, SmtpError>>,
) -> Result<(), Problem> {
    match tokio::time::timeout(patience, asking).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(match error.status() {
            Some(code) => Problem::Code(code.into(), words(&error)),
            None => Problem::Lost(words(&error)),
        }),
        Err(_) => Err(Problem::Lost(format!(
            "the mail server didn't answer within {} s",
            patience.as_secs()
        ))),
    }
}

impl Problem {
    fn at(self, stage: Stage) -> Failure {
        match self {
            // It closes the connection.
            Problem::Code(421, said) => lost(said, true),
            // Who we are or how we signed in is an operator's matter, and the same for every mail.
            Problem::Code(530 | 534 | 535 | 538, said) => Failure::Down(said),
            Problem::Code(500..=599, said) if stage == Stage::Sender => Failure::Down(said),
            Problem::Code(500..=599, said) => Failure::Refused(said),
            Problem::Code(_, said) => Failure::Later(said),
            // After its last line nobody knows what the server did with it.
            Problem::Lost(said) => lost(said, stage != Stage::End),
        }
    }
}

fn lost(said: String, again: bool) -> Failure {
    Failure::Broken {
        then: Box::new(Failure::Later(said)),
        again,
    }
}

/// What went wrong, on one line: the server's code and words, or the machine's.
fn words(error: &SmtpError) -> String {
    use std::error::Error as _;
    let cause = error.source().map(ToString::to_string);
    let cause = super::message::one_line(&cause.unwrap_or_default());
    match error.status() {
        Some(code) => format!("{code} {cause}").trim_end().to_owned(),
        None if cause.is_empty() => error.to_string(),
        None => cause,
    }
}
