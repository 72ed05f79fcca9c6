//! People.

use std::{ops::Deref, sync::OnceLock};

use latchkey::{
    access_tokens::{
        create::{NewAccessToken, create_personal},
        scope::Scope,
    },
    actor::{Actor, Credential, Declared, Origin},
    members::{AccessLevel, Memberships},
    users::{
        self, User,
        create::NewPerson,
        password::{Password, hash},
        store::UserRef,
    },
};

use super::{Api, TestServer, TestToken, Visitor};

/// Everybody's password.
pub const PASSWORD: &str = "a horse that staples batteries";

/// A person to be.
pub struct PersonBuilder {
    server: TestServer,
    new: NewPerson,
}

/// A person.
#[derive(Clone)]
pub struct Person {
    /// Where they are known.
    pub server: TestServer,
    /// Who they are.
    pub user: User,
}

impl TestServer {
    /// A person of this user name.
    pub fn person(&self, username: &str) -> PersonBuilder {
        PersonBuilder {
            server: self.clone(),
            new: NewPerson {
                username: username.to_owned(),
                name: capitalised(username),
                email: format!("{username}@example.com"),
                password_hash: Some(password_hash().to_owned()),
                admin: false,
                external: false,
            },
        }
    }
}

impl PersonBuilder {
    /// An administrator.
    pub fn admin(mut self) -> Self {
        self.new.admin = true;
        self
    }

    /// From outside of the company.
    pub fn external(mut self) -> Self {
        self.new.external = true;
        self
    }

    /// Shown under this name.
    pub fn named(mut self, name: &str) -> Self {
        self.new.name = name.to_owned();
        self
    }

    /// Makes the person.
    pub fn create(self) -> Person {
        let new = self.new;
        let user = self
            .server
            .arrange(move |conn, ctx| users::create::create(conn, ctx, &new));
        Person {
            server: self.server,
            user,
        }
    }
}

impl Deref for Person {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

impl Person {
    /// A personal access token, through which the person calls the API.
    pub fn personal_token(&self, scopes: impl IntoIterator<Item = Scope>) -> TestToken {
        let user = self.user.clone();
        let new = NewAccessToken {
            name: format!("{}'s script", self.username),
            description: None,
            scopes: scopes.into_iter().collect(),
            access_level: AccessLevel::Owner,
            expires_at: None,
        };
        let created = self
            .server
            .arrange(move |conn, ctx| create_personal(conn, ctx, &user, &new));
        TestToken::new(&self.server, &created)
    }

    /// The API as this person, with a new token of scope `api`.
    pub fn api(&self) -> Api {
        self.personal_token([Scope::Api]).api()
    }

    /// Signs in, in a new browser.
    pub async fn signs_in(&self) -> Visitor {
        let visitor = self.server.visitor();
        visitor.sign_in(&self.username, PASSWORD).await.expect(303);
        visitor
    }

    /// The person as somebody who acts in the product, for arranging what only people can.
    pub fn actor(&self) -> Actor {
        Actor {
            user: Some(self.user.clone()),
            credential: Credential::Session,
            memberships: Memberships::default(),
            origin: Origin::console(),
            declared: Declared::Everything,
        }
    }

    /// Takes all rights away, until further notice.
    pub fn block(&self) {
        let whom = UserRef::Id(self.id);
        self.server
            .arrange(move |conn, ctx| users::state::block(conn, ctx, &whom));
    }
}

fn capitalised(word: &str) -> String {
    let mut text = word.to_owned();
    text[..1].make_ascii_uppercase();
    text
}

/// Hashing is slow on purpose: once is enough.
fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash(&Password::new(PASSWORD), &mut rand::rng()).unwrap())
}
