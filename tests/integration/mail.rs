//! Mail, from the outbox to whoever takes it.

mod delivery;
mod killed;
mod letters;
mod smtp;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use latchkey::{
    db::DbConnection,
    error::Error,
    mail::{
        Mailer, Message, Post,
        deliver::{Composed, Delivered, Delivery, deliver_due},
        outbox::{self, Email, NewEmail},
    },
};
use serde_json::{Value, json};

use crate::support::TestServer;

/// Emptying the outbox of a server with words of the test's own.
pub struct Postman {
    server: TestServer,
    mailer: Mailer,
    compose: Arc<latchkey::mail::deliver::Compose>,
    guard: Arc<latchkey::mail::deliver::Guard>,
}

impl Postman {
    /// Writes files.
    pub fn of(server: &TestServer) -> Postman {
        Postman::with(server, server.app.mailer.clone())
    }

    /// Sends to this address.
    pub fn to(server: &TestServer, url: &str) -> Postman {
        let post = Post {
            smtp: Some(latchkey::mail::SmtpUrl::parse(url).unwrap()),
            ..Post::to_folder(server.mail_folder())
        };
        Postman::by(server, &post)
    }

    /// Sends as configured.
    pub fn by(server: &TestServer, post: &Post) -> Postman {
        let mailer = Mailer::new(post, "tokens.example.com", [7; 32]).unwrap();
        Postman::with(server, mailer)
    }

    fn with(server: &TestServer, mailer: Mailer) -> Postman {
        Postman {
            server: server.clone(),
            mailer,
            compose: Arc::new(|_: &mut DbConnection, email: &Email| Ok(words(email))),
            guard: Arc::new(|_: &mut DbConnection| Ok(())),
        }
    }

    /// With other words.
    pub fn composing(
        mut self,
        compose: impl Fn(&mut DbConnection, &Email) -> Result<Composed, Error> + Send + Sync + 'static,
    ) -> Postman {
        self.compose = Arc::new(compose);
        self
    }

    /// While this is true.
    pub fn guarded(
        mut self,
        guard: impl Fn(&mut DbConnection) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Postman {
        self.guard = Arc::new(guard);
        self
    }

    /// One round that works.
    pub async fn round(&self) -> Delivered {
        self.attempt().await.unwrap()
    }

    /// One round.
    pub async fn attempt(&self) -> Result<Delivered, Error> {
        self.attempt_while(|| true).await
    }

    /// One round that ends when this is not true any more.
    pub async fn attempt_while(&self, go_on: impl Fn() -> bool + Sync) -> Result<Delivered, Error> {
        let delivery = Delivery {
            db: self.server.app.db.clone(),
            clock: self.server.clock.clone(),
            mailer: self.mailer.clone(),
            compose: Arc::clone(&self.compose),
            lost: Arc::new(|_, _, _| Ok(())),
            guard: Arc::clone(&self.guard),
        };
        deliver_due(&delivery, go_on).await
    }
}

/// The words of a mail, out of its data.
fn words(email: &Email) -> Composed {
    let of =
        |name: &str, otherwise: &str| email.data[name].as_str().unwrap_or(otherwise).to_owned();
    Composed::Send(Message {
        to_name: of("name", "Somebody"),
        to_address: of("to", "somebody@example.com"),
        subject: of("subject", "Hello"),
        text: of("text", "Hello"),
        html: of("html", "<p>Hello</p>"),
    })
}

/// Puts a mail into the outbox.
fn put(server: &TestServer, key: &str, data: Value, give_up_at: Option<DateTime<Utc>>) {
    put_all(server, vec![(key.to_owned(), data)], give_up_at);
}

/// Puts mails into the outbox, for the first user that there is.
fn put_all(server: &TestServer, mails: Vec<(String, Value)>, give_up_at: Option<DateTime<Utc>>) {
    if server.count("users", "username = 'reader'") == 0 {
        server.person("reader").create();
    }
    server.arrange(move |conn, ctx| {
        let reader = latchkey::users::store::find_by_username(conn, "reader")?.unwrap();
        let new: Vec<NewEmail> = mails
            .iter()
            .map(|(key, data)| NewEmail {
                key: key.clone(),
                kind: "test",
                user_id: reader.id,
                data: data.clone(),
                give_up_at,
            })
            .collect();
        outbox::enqueue(conn, &new, ctx.now)
    });
}

/// A mail to this address.
fn to(address: &str) -> Value {
    json!({ "to": address })
}

/// The only mail with this key, as the outbox has it.
fn mail(server: &TestServer, key: &'static str) -> Email {
    server.arrange(move |conn, _| {
        use diesel::prelude::*;
        use latchkey::db::schema::emails;
        let id: i64 = emails::table
            .filter(emails::key.eq(key))
            .select(emails::id)
            .get_result(conn)?;
        Ok(outbox::find(conn, id)?.unwrap())
    })
}

fn counted(sent: u64, retried: u64, refused: u64, dropped: u64) -> Delivered {
    Delivered {
        sent,
        retried,
        refused,
        dropped,
        stopped: None,
    }
}
