//! A mail server of somebody else's making, and the outbox of a server under test.

// A test may fail loudly, and each test program uses its own part of this.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::clients::Clients;

/// A running mail server; stopped when dropped.
pub struct MailServer {
    child: Child,
    folder: TempDir,
    complaints: Option<JoinHandle<String>>,
    /// Where it listens, on this machine.
    pub port: u16,
    events: Arc<(Mutex<Vec<Value>>, Condvar)>,
}

/// A mail that arrived.
#[derive(Debug, Clone)]
pub struct Arrived(Value);

/// A certificate for tests, with the authority that it comes from.
pub struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    /// A new one, that nobody knows.
    pub fn new() -> Authority {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "An authority for tests");
        let certificate = parameters.self_signed(&key).unwrap();
        Authority {
            certificate,
            issuer: rcgen::Issuer::new(parameters, key),
        }
    }

    /// Writes what those need who trust it.
    pub fn write_to(&self, folder: &Path) -> PathBuf {
        let path = folder.join("authority.pem");
        std::fs::write(&path, self.certificate.pem()).unwrap();
        path
    }

    /// Key and certificate of a server under this name.
    fn certify(&self, name: &str) -> String {
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        format!("{}{}", key.serialize_pem(), certificate.pem())
    }
}

impl MailServer {
    /// A server that takes everything, or `None` where there is none to be had, which is said aloud.
    pub fn start() -> Option<MailServer> {
        MailServer::that(json!({}))
    }

    /// A server that does as `wishes` say; `tests/clients/smtp/server.py` lists them.
    pub fn that(wishes: Value) -> Option<MailServer> {
        let clients = Clients::installed()?;
        let folder = tempfile::tempdir().unwrap();
        Some(MailServer::run(&clients, folder, wishes))
    }

    /// As [`MailServer::that`], with a certificate of this authority for `name`.
    pub fn certified(mut wishes: Value, authority: &Authority, name: &str) -> Option<MailServer> {
        let clients = Clients::installed()?;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.pem");
        std::fs::write(&path, authority.certify(name)).unwrap();
        wishes["certificate"] = json!(path);
        Some(MailServer::run(&clients, folder, wishes))
    }

    fn run(clients: &Clients, folder: TempDir, wishes: Value) -> MailServer {
        let mut child = clients
            .mail_server()
            .arg(wishes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the mail server starts");
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let complaints = std::thread::spawn(move || {
            let mut all = String::new();
            for line in errors.map_while(Result::ok) {
                // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
                let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{line}\n"));
                all = format!("{all}{line}\n");
            }
            all
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        let events = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let heard = Arc::clone(&events);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("an event a line");
                heard.0.lock().unwrap().push(event);
                heard.1.notify_all();
            }
        });
        MailServer {
            child,
            folder,
            complaints: Some(complaints),
            port: u16::try_from(first["port"].as_u64().unwrap()).unwrap(),
            events,
        }
    }

    /// Its address, without anybody's password.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What happened, in order, once `enough` is true of it; fails after a while.
    pub fn events(&self, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let (events, more) = &*self.events;
        let patience = Duration::from_secs(10);
        let (events, waited) = more
            .wait_timeout_while(events.lock().unwrap(), patience, |events| !enough(events))
            .unwrap();
        assert!(!waited.timed_out(), "not enough happened: {events:#?}");
        events.clone()
    }

    /// So many mails, which arrived, and no more.
    pub fn mails(&self, number: usize) -> Vec<Arrived> {
        let is_mail = |event: &&Value| event["event"] == "mail";
        let events = self.events(|events| events.iter().filter(is_mail).count() >= number);
        let mails: Vec<_> = events
            .iter()
            .filter(is_mail)
            .cloned()
            .map(Arrived)
            .collect();
        assert_eq!(mails.len(), number, "{mails:#?}");
        mails
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        let events = self.events.0.lock().unwrap();
        events
            .iter()
            .filter(|event| event["event"] == "connected")
            .count()
    }

    /// Lets it come to its end. What it had to complain about, which everybody has seen.
    pub fn complaints(mut self) -> String {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        self.complaints.take().unwrap().join().unwrap()
    }

    /// Stops it; its port refuses whoever comes.
    pub fn stop(mut self) -> u16 {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.port
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Arrived {
    /// A header, decoded.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.0["headers"][name]
            .as_str()
            .unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// All headers.
    pub fn headers(&self) -> Vec<&str> {
        let headers = self.0["headers"].as_object().unwrap();
        headers.keys().map(String::as_str).collect()
    }

    /// What is for those who read text.
    pub fn text(&self) -> &str {
        self.0["text"].as_str().unwrap()
    }

    /// What is for those who read HTML.
    pub fn html(&self) -> &str {
        self.0["html"].as_str().unwrap()
    }

    /// What the server noted about how it came.
    pub fn is(&self, what: &str) -> bool {
        self.0[what].as_bool().unwrap()
    }

    /// What the server noted about how it came.
    pub fn noted(&self, what: &str) -> &Value {
        &self.0[what]
    }

    /// To whom, as the server was told.
    pub fn recipients(&self) -> Vec<&str> {
        let recipients = self.0["recipients"].as_array().unwrap();
        recipients.iter().map(|to| to.as_str().unwrap()).collect()
    }
}

/// A port of this machine where nobody listens.
pub fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Clients {
    /// The mail server's script, to be given its wishes.
    fn mail_server(&self) -> Command {
        let mut command = Command::new(self.path("python/bin/python3"));
        command
            .arg("-B")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/smtp/server.py"));
        command
    }
}
