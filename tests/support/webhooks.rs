//! Webhooks, and a program that they call.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use latchkey::{
    access_tokens::{Resource, store},
    actor::{Actor, Origin},
    db::Database,
    groups::Group,
    webhooks::{
        announce::announce_expiring,
        create::{self, Form},
        deliver::{Delivered, Sending, deliver_due},
        log,
        network::Network,
        send, store as store_of_webhooks,
    },
};
use serde_json::Value;

use super::{TestGroup, TestResource, TestServer, TestToken};

/// A webhook of a group.
#[derive(Clone)]
pub struct TestWebhook {
    /// Where it is.
    pub server: TestServer,
    /// Its id.
    pub id: i64,
    /// Its signing key, as people see it once.
    pub key: String,
    group: Group,
}

/// A program that webhooks call: it keeps what it is sent and answers as it was told.
#[derive(Clone)]
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    reply: Mutex<Reply>,
    /// Requests under way now, and at the most until now.
    under_way: Mutex<(usize, usize)>,
}

/// What a receiver does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answers with this status and body.
    Status(u16, String),
    /// Sends the caller elsewhere.
    Redirect(String),
    /// Answers so many bytes, or as many as the caller takes.
    Huge(usize),
    /// Takes the request and says nothing until the caller hangs up.
    Silent,
    /// Answers after so many milliseconds.
    After(u64),
}

impl Default for Reply {
    fn default() -> Self {
        Reply::Status(200, "thanks".into())
    }
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Received {
    /// `POST /path HTTP/1.1`
    pub line: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    /// As it was sent.
    pub body: String,
}

impl Received {
    /// A header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}

impl Receiver {
    /// Starts to listen on this machine.
    pub fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Receiver {
            address: listener.local_addr().unwrap(),
            inner: Arc::default(),
        };
        let serving = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(stream));
            }
        });
        receiver
    }

    /// Its URL, with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on it does this.
    pub fn replies(&self, reply: Reply) {
        *self.inner.reply.lock().unwrap() = reply;
    }

    /// What it was sent until now.
    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().unwrap().clone()
    }

    /// What it was sent since it was last asked.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut *self.inner.received.lock().unwrap())
    }

    /// How many requests it had at the same time, at the most.
    pub fn at_once(&self) -> usize {
        self.inner.under_way.lock().unwrap().1
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some(received) = read(&mut stream) else {
            return;
        };
        {
            let mut under_way = self.inner.under_way.lock().unwrap();
            under_way.0 += 1;
            under_way.1 = under_way.1.max(under_way.0);
        }
        self.answer(&mut stream, received);
        self.inner.under_way.lock().unwrap().0 -= 1;
    }

    fn answer(&self, stream: &mut TcpStream, received: Received) {
        let reply = self.inner.reply.lock().unwrap().clone();
        self.inner.received.lock().unwrap().push(received);
        let answer = |status: u16, headers: &str, body: &str| {
            format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}",
                body.len()
            )
        };
        let text = match reply {
            Reply::Status(status, body) => answer(status, "", &body),
            Reply::Redirect(to) => answer(302, &format!("location: {to}\r\n"), "elsewhere"),
            Reply::After(millis) => {
                // The receiver is what is slow here, by the clock on the wall.
                std::thread::park_timeout(Duration::from_millis(millis));
                answer(200, "", "late")
            }
            Reply::Silent => {
                let _ = stream.read(&mut [0; 1]);
                return;
            }
            Reply::Huge(size) => {
                let head = format!("HTTP/1.1 200 x\r\ncontent-length: {size}\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
                let block = [b'a'; 65_536];
                let mut sent = 0;
                while sent < size && stream.write_all(&block).is_ok() {
                    sent += block.len();
                }
                self.inner.received.lock().unwrap().push(Received {
                    line: format!("sent {sent}"),
                    headers: BTreeMap::new(),
                    body: String::new(),
                });
                return;
            }
        };
        let _ = stream.write_all(text.as_bytes());
    }
}

fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        let count = stream.read(&mut block).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&block[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers
            .get("content-length")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        if bytes.len() < end + 4 + length {
            continue;
        }
        let body = String::from_utf8(bytes[end + 4..].to_vec()).ok()?;
        return Some(Received {
            line,
            headers,
            body,
        });
    }
}

impl TestGroup {
    /// A webhook of this group.
    pub fn webhook(&self, name: &str, url: &str) -> TestWebhook {
        let Resource::Group(group) = self.resource() else {
            unreachable!("a group is one")
        };
        let form = Form {
            name: name.to_owned(),
            url: url.to_owned(),
        };
        let target = group.clone();
        let keyed = self
            .server
            .arrange(move |conn, ctx| create::create(conn, ctx, &target, &form));
        TestWebhook {
            server: self.server.clone(),
            id: keyed.webhook.id,
            key: keyed.key.expose().to_string(),
            group,
        }
    }
}

impl TestWebhook {
    /// Puts a test into the queue. Returns the id of the delivery.
    pub fn delivery(&self) -> i64 {
        let (group, id) = (self.group.clone(), self.id);
        self.server
            .arrange(move |conn, ctx| send::test(conn, ctx, &group, id).map(|_| ()));
        self.newest()
    }

    /// The id of its newest delivery.
    pub fn newest(&self) -> i64 {
        let (group, id) = (self.group.clone(), self.id);
        self.server.arrange(move |conn, _| {
            let webhook = store_of_webhooks::find_of(conn, &group, id)?;
            let newest = log::newest_of_each(conn, &[webhook])?;
            Ok(newest[0].id)
        })
    }
}

impl TestServer {
    /// Lets webhooks call this machine.
    pub fn allow_local_webhooks(&self) {
        self.set("allow_local_requests_from_web_hooks_and_services", "true");
    }

    /// Sends what is due, through the network of this machine.
    pub async fn deliver_webhooks(&self) -> Delivered {
        self.deliver_webhooks_through(&Network::system()).await
    }

    /// Sends what is due.
    pub async fn deliver_webhooks_through(&self, network: &Network) -> Delivered {
        self.deliver_webhooks_from(&self.app.db, network).await
    }

    /// Sends what is due, over connections of another node's.
    pub async fn deliver_webhooks_from(&self, db: &Database, network: &Network) -> Delivered {
        deliver_due(&self.sending(db, network), || true)
            .await
            .expect("the queue can be emptied")
    }

    /// What it takes to empty the queue.
    pub fn sending(&self, db: &Database, network: &Network) -> Sending {
        let app = self.app.clone();
        Sending {
            db: db.clone(),
            clock: self.clock.clone(),
            real_clock: self.clock.clone(),
            network: network.clone(),
            acting: Arc::new(move |conn| {
                let policy = app.policy_now(conn)?;
                Ok(app.context(Actor::system(Origin::job()), policy, app.clock.now()))
            }),
            guard: Arc::new(|_| Ok(())),
        }
    }

    /// Tells webhooks that these tokens end soon. Returns how many deliveries are new.
    pub fn announce(&self, tokens: &[(&TestToken, Resource)]) -> usize {
        let tokens: Vec<(i64, Resource)> = tokens
            .iter()
            .map(|(token, resource)| (token.id, resource.clone()))
            .collect();
        self.arrange(move |conn, ctx| {
            let mut found = Vec::new();
            for (id, resource) in &tokens {
                let listed = store::find(conn, *id)?.expect("the token is there");
                found.push((listed.token, resource.clone()));
            }
            announce_expiring(conn, ctx, &found, ctx.now)
        })
    }
}
