//! Actor: who is doing this, with which credential, from where. Everything that decides asks it.

pub mod store;

use std::net::IpAddr;

use ipnet::IpNet;

use crate::access_tokens::scope::Scopes;
use crate::members::Memberships;
use crate::permissions::Right;
use crate::users::User;

/// Who is asking, and what one query told us about them.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Nobody for anonymous callers and for the system itself.
    pub user: Option<User>,
    /// What let them in.
    pub credential: Credential,
    /// The living memberships of the user.
    pub memberships: Memberships,
    /// Where the request came from, for the audit trail.
    pub origin: Origin,
    /// The rights that this route or command has declared; all others are refused.
    pub declared: Declared,
}

/// What a caller showed to be let in.
#[derive(Debug, Clone)]
pub enum Credential {
    /// Nothing.
    None,
    /// A signed-in browser.
    Session,
    /// An access token.
    Token(TokenCredential),
    /// The address of a person's calendar, which opens calendars and nothing else.
    Feed,
    /// The operator's command line.
    Console,
    /// A job of the server itself.
    System,
}

/// The token that a request carried.
#[derive(Debug, Clone)]
pub struct TokenCredential {
    /// Its id.
    pub id: i64,
    /// What it may open.
    pub scopes: Scopes,
}

/// The rights that can be exercised on the way that the request took.
#[derive(Debug, Clone, Copy)]
pub enum Declared {
    /// The console and jobs: no route narrows them.
    Everything,
    /// What the route says; an empty list refuses everybody.
    Only(&'static [Right]),
}

impl Declared {
    /// Is this right among the declared ones?
    pub fn contains(self, right: Right) -> bool {
        match self {
            Declared::Everything => true,
            Declared::Only(rights) => rights.contains(&right),
        }
    }
}

/// By which door the request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A page in a browser.
    Page,
    /// The REST API.
    Api,
    /// A program of Git.
    Git,
    /// The command line.
    Console,
    /// A job.
    Job,
}

impl Channel {
    /// As the audit trail has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Page => "page",
            Channel::Api => "api",
            Channel::Git => "git",
            Channel::Console => "console",
            Channel::Job => "job",
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The door.
    pub channel: Channel,
    /// The client's address, if there is a network in between.
    pub ip: Option<IpAddr>,
    /// Shortened.
    pub user_agent: String,
    /// Also in the answer's `X-Request-Id` and in the log.
    pub request_id: String,
}

impl Origin {
    /// The command line of this machine.
    pub fn console() -> Self {
        Origin {
            channel: Channel::Console,
            ip: None,
            user_agent: String::new(),
            request_id: String::new(),
        }
    }

    /// The server's own jobs.
    pub fn job() -> Self {
        Origin {
            channel: Channel::Job,
            ..Origin::console()
        }
    }
}

/// The network that an address is counted under: /24 or /64.
pub fn address_prefix(ip: IpAddr) -> String {
    let bits = if ip.is_ipv4() { 24 } else { 64 };
    match IpNet::new(ip, bits) {
        Ok(net) => net.trunc().to_string(),
        Err(_) => ip.to_string(),
    }
}

impl Actor {
    /// Somebody without a credential.
    pub fn anonymous(origin: Origin, declared: Declared) -> Self {
        Actor {
            user: None,
            credential: Credential::None,
            memberships: Memberships::default(),
            origin,
            declared,
        }
    }

    /// The server itself, or the console before there is an administrator.
    pub fn system(origin: Origin) -> Self {
        Actor {
            user: None,
            credential: Credential::System,
            memberships: Memberships::default(),
            origin,
            declared: Declared::Everything,
        }
    }

    /// The user's id.
    pub fn user_id(&self) -> Option<i64> {
        self.user.as_ref().map(|user| user.id)
    }

    /// The token that the request carried.
    pub fn token(&self) -> Option<&TokenCredential> {
        match &self.credential {
            Credential::Token(token) => Some(token),
            _ => None,
        }
    }

    /// An active user with a credential.
    pub fn is_signed_in(&self) -> bool {
        self.user.as_ref().is_some_and(User::is_active)
    }

    /// An active administrator, or the server itself. The address of a calendar administers nothing, whosever it is.
    pub fn is_admin(&self) -> bool {
        match (&self.credential, &self.user) {
            (Credential::System, _) => true,
            (Credential::Feed, _) => false,
            (_, Some(user)) => user.admin && user.is_active(),
            (_, None) => false,
        }
    }

    /// The bot of a group or project access token.
    pub fn is_bot(&self) -> bool {
        self.user.as_ref().is_some_and(User::is_bot)
    }

    /// Did they choose to read moments as they are, and not as `3 days ago`?
    pub fn wants_exact_times(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.exact_times)
    }

    /// A name for sentences and the audit trail.
    pub fn name(&self) -> &str {
        match (&self.user, &self.credential) {
            (Some(user), _) => &user.name,
            (None, Credential::System | Credential::Console) => "system",
            (None, _) => "anonymous",
        }
    }
}
