//! Tokens, and what their values open.

use std::ops::Deref;

use latchkey::{
    access_tokens::{
        Resource,
        create::{Created, NewAccessToken, create},
        scope::Scope,
    },
    actor::Actor,
    members::AccessLevel,
};

use super::{Api, Person, TestServer};

/// A group or project access token to be: Maintainer with scope `api`, unless told otherwise.
pub struct TokenBuilder {
    server: TestServer,
    resource: Resource,
    new: NewAccessToken,
    maker: Option<Actor>,
}

/// A token, and its value.
#[derive(Clone)]
pub struct TestToken {
    /// Its id.
    pub id: i64,
    /// Its value.
    pub value: String,
    /// The bot or the person that it acts as.
    pub user_id: i64,
    /// The name of that user.
    pub username: String,
    api: Api,
}

impl TokenBuilder {
    pub(super) fn new(server: &TestServer, resource: Resource, name: &str) -> Self {
        TokenBuilder {
            server: server.clone(),
            resource,
            new: NewAccessToken {
                name: name.to_owned(),
                description: None,
                scopes: vec![Scope::Api],
                access_level: AccessLevel::Maintainer,
                expires_at: None,
            },
            maker: None,
        }
    }

    /// The bot's role.
    pub fn role(mut self, level: AccessLevel) -> Self {
        self.new.access_level = level;
        self
    }

    /// What it may open.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.new.scopes = scopes.into_iter().collect();
        self
    }

    /// The day at whose start it ends.
    pub fn expires(mut self, date: &str) -> Self {
        self.new.expires_at = Some(date.parse().expect("a date such as 2026-11-30"));
        self
    }

    /// What it is for.
    pub fn described(mut self, description: &str) -> Self {
        self.new.description = Some(description.to_owned());
        self
    }

    /// Made by this person instead of the system.
    pub fn made_by(mut self, person: &Person) -> Self {
        self.maker = Some(person.actor());
        self
    }

    /// Makes the token.
    pub fn create(self) -> TestToken {
        let (resource, new) = (self.resource, self.new);
        let change = move |conn: &mut latchkey::db::DbConnection,
                           ctx: &latchkey::context::Context| {
            create(conn, ctx, &resource, &new)?
        };
        let created = match self.maker {
            Some(maker) => self.server.arrange_as(maker, change),
            None => self.server.arrange(change),
        };
        TestToken::new(&self.server, &created)
    }
}

impl TestToken {
    pub(super) fn new(server: &TestServer, created: &Created) -> TestToken {
        TestToken {
            id: created.listed.token.id,
            value: created.plaintext.expose().to_owned(),
            user_id: created.listed.user.id,
            username: created.listed.user.username.clone(),
            api: Api::new(server, Some(created.plaintext.expose())),
        }
    }

    /// The API, called with this token.
    pub fn api(&self) -> Api {
        self.api.clone()
    }

    /// Does it still let anybody in?
    pub async fn works(&self) -> bool {
        self.api.get("/personal_access_tokens/self").await.status == 200
    }
}

/// The API, called with this token.
impl Deref for TestToken {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}
