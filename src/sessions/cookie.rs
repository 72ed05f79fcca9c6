//! What actix-session keeps in our database, and what the cookie carries.
//!
//! A session begins at sign-in. Before that, a form needs a secret all the same: such a pre-session is
//! in the cookie alone, and costs no row.

use std::collections::HashMap;
use std::sync::Arc;

use actix_session::Session;
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_web::cookie::time::Duration;
use actix_web::{HttpMessage as _, HttpRequest};
use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;

use super::person::{Admitted, Loaded, SignedIn, password_digest, put};
use super::store::{self, LoadedRow, NewSession};
use crate::access_tokens::secret::{Digest, DigestKey};
use crate::actor::Origin;
use crate::app::App;
use crate::error::Error;
use crate::members::Memberships;
use crate::settings::Settings;
use crate::users;
use crate::web::csrf;

/// Entries of a session's state.
pub mod entry {
    /// The person's id.
    pub const USER_ID: &str = "user_id";
    /// The secret that forms carry.
    pub const CSRF: &str = "csrf";
    /// What the next page says once.
    pub const FLASH: &str = "flash";
    /// The address at sign-in.
    pub const IP: &str = "ip";
    /// The browser at sign-in.
    pub const USER_AGENT: &str = "user_agent";
    /// The random part of a pre-session.
    pub const PRE: &str = "pre";
    /// Shall the session outlive the browser's run?
    pub const REMEMBER: &str = "remember";
    /// Which password it was that opens the session; not kept.
    pub const PASSWORD: &str = "password";
}

/// Marks the id of a pre-session, which no row stands behind.
const PRE_MARK: char = 'p';

/// A session's last use is written at most this often.
const BETWEEN_TOUCHES: TimeDelta = TimeDelta::minutes(5);

/// The store that actix-session asks.
#[derive(Clone)]
pub struct DatabaseSessions {
    app: App,
}

type State = HashMap<String, String>;

impl DatabaseSessions {
    /// Sessions of this application.
    pub fn new(app: App) -> Self {
        DatabaseSessions { app }
    }

    fn digest(&self, id: &str) -> Digest {
        session_digest(&self.app.instance.lookup_key, id)
    }

    async fn find(&self, id: &str) -> Result<Option<(State, SignedIn)>, Error> {
        let now = self.app.clock.now();
        let (app, digest) = (self.app.clone(), self.digest(id));
        let loaded = self
            .app
            .db
            .read(move |conn| {
                let mut rows: Vec<LoadedRow> = store::find(conn, &digest)?;
                let Some((row, user, revision, first)) = (!rows.is_empty()).then(|| rows.remove(0))
                else {
                    return Ok(None);
                };
                let memberships = first
                    .into_iter()
                    .chain(rows.into_iter().filter_map(|row| row.3))
                    .collect();
                let policy = app.policy_at(conn, revision)?;
                Ok(Some((
                    row,
                    user,
                    Memberships::living(memberships, now.date_naive()),
                    policy,
                )))
            })
            .await?;
        let Some((row, user, memberships, policy)) = loaded else {
            return Ok(None);
        };
        if row.is_over(&policy.settings, now) || !user.is_active() || !user.is_human() {
            return Ok(None);
        }
        if now - row.last_seen_at >= BETWEEN_TOUCHES {
            let digest = self.digest(id);
            // A database that can't be written doesn't sign anybody out.
            let _ = self
                .app
                .db
                .write(move |conn| store::touch(conn, &digest, now))
                .await;
        }
        let state: State =
            serde_json::from_str(&row.state).map_err(|error| Error::internal(error.into()))?;
        let csrf_secret = text(&state, entry::CSRF);
        Ok(Some((
            state,
            SignedIn {
                user,
                memberships,
                policy,
                csrf_secret,
                session: self.digest(id),
            },
        )))
    }

    /// Writes a new session down; nothing, if the person may not sign in any more, or not with the password that they
    /// showed a moment ago.
    async fn insert(&self, state: &State) -> Result<Option<String>, Error> {
        let random: [u8; 32] = rand::rng().random();
        let id = hex::encode(random);
        let now = self.app.clock.now();
        let user_id: i64 = state
            .get(entry::USER_ID)
            .and_then(|id| id.parse().ok())
            .unwrap_or(0);
        let shown = text(state, entry::PASSWORD);
        let mut state = state.clone();
        state.remove(entry::PASSWORD);
        let state = &state;
        let (ip, user_agent) = (text(state, entry::IP), text(state, entry::USER_AGENT));
        let days = self.app.policy_held().settings.session_absolute_days;
        let expires_at: DateTime<Utc> = now + TimeDelta::days(i64::from(days));
        let json = serde_json::to_string(state).map_err(|error| Error::internal(error.into()))?;
        let digest = self.digest(&id);
        let instance = Arc::clone(&self.app.instance);
        let began = self
            .app
            .db
            .write(move |conn| {
                // Locked, so that a new password either is seen here or ends this session.
                users::store::lock_row(conn, user_id)?;
                let hash = users::store::password_hash(conn, user_id)?;
                let same =
                    hash.is_some_and(|hash| password_digest(&instance.lookup_key, &hash) == shown);
                if !same
                    || !users::store::find(conn, user_id)?.is_some_and(|user| user.may_sign_in())
                {
                    return Ok(false);
                }
                store::insert(
                    conn,
                    &NewSession {
                        id: &digest,
                        user_id,
                        state: &json,
                        ip: &ip,
                        user_agent: &user_agent,
                        now,
                        expires_at,
                    },
                )?;
                Ok(true)
            })
            .await?;
        Ok(began.then_some(id))
    }
}

/// What the database knows a session by: its cookie opens nothing that is read from there.
fn session_digest(key: &DigestKey, id: &str) -> Digest {
    key.digest(&format!("session {id}"))
}

/// The secret of a pre-session follows from its random part, so that nothing has to be stored.
pub fn pre_session_secret(key: &DigestKey, random: &str) -> String {
    hex::encode(key.digest(&format!("pre-session {random}")).as_bytes())
}

/// A text entry of a state, which holds JSON.
fn text(state: &State, name: &str) -> String {
    state
        .get(name)
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

fn key_of(id: String) -> Result<SessionKey, anyhow::Error> {
    SessionKey::try_from(id).map_err(|error| anyhow::anyhow!("{error}"))
}

fn outage(error: &Error) -> anyhow::Error {
    use std::error::Error as _;
    let cause = error
        .source()
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    let reason = format!("{error}{cause}");
    put(Loaded::Outage(reason.clone()));
    anyhow::anyhow!(reason)
}

impl SessionStore for DatabaseSessions {
    async fn load(&self, key: &SessionKey) -> Result<Option<State>, LoadError> {
        let id = key.as_ref();
        if let Some(random) = id.strip_prefix(PRE_MARK) {
            let json = serde_json::json!(random).to_string();
            return Ok(Some(State::from([(entry::PRE.to_owned(), json)])));
        }
        match self.find(id).await {
            Ok(Some((state, person))) => {
                put(Loaded::Person(Box::new(person)));
                Ok(Some(state))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                // Not "no session": the cookie stays, and the page says that we are away.
                outage(&error);
                Ok(Some(State::new()))
            }
        }
    }

    async fn save(&self, state: State, _: &Duration) -> Result<SessionKey, SaveError> {
        if !state.contains_key(entry::USER_ID) {
            let random = text(&state, entry::PRE);
            return key_of(format!("{PRE_MARK}{random}")).map_err(SaveError::Other);
        }
        let id = self
            .insert(&state)
            .await
            .map_err(|error| SaveError::Other(outage(&error)))?;
        // Whoever isn't let in after all has what everybody has who isn't signed in.
        let id = id.unwrap_or_else(|| format!("{PRE_MARK}{}", csrf::new_secret()));
        key_of(id).map_err(SaveError::Other)
    }

    async fn update(
        &self,
        key: SessionKey,
        state: State,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        if key.as_ref().starts_with(PRE_MARK) {
            return Ok(key);
        }
        let json = serde_json::to_string(&state)
            .map_err(|error| UpdateError::Serialization(error.into()))?;
        let digest = self.digest(key.as_ref());
        self.app
            .db
            .write(move |conn| store::update_state(conn, &digest, &json))
            .await
            .map_err(|error| UpdateError::Other(outage(&error)))?;
        Ok(key)
    }

    async fn update_ttl(&self, _: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> Result<(), anyhow::Error> {
        if key.as_ref().starts_with(PRE_MARK) {
            return Ok(());
        }
        let digest = self.digest(key.as_ref());
        let ended = self
            .app
            .db
            .write(move |conn| store::delete(conn, &digest))
            .await;
        ended.map_err(|error| outage(&error))
    }
}

/// Makes the browser's session that of this person: under a new id, and with nothing left in it of what
/// was there before.
///
/// # Errors
/// When the session can't take an entry.
pub fn begin(session: &Session, admitted: &Admitted, origin: &Origin) -> Result<(), Error> {
    session.clear();
    session.renew();
    let ip = origin.ip.map(|ip| ip.to_string()).unwrap_or_default();
    session
        .insert(entry::USER_ID, admitted.user.id)
        .and_then(|()| session.insert(entry::PASSWORD, &admitted.password))
        .and_then(|()| session.insert(entry::CSRF, csrf::new_secret()))
        .and_then(|()| session.insert(entry::IP, ip))
        .and_then(|()| session.insert(entry::USER_AGENT, &origin.user_agent))
        .map_err(|error| Error::internal(error.into()))
}

/// Lets a session that just began outlive the browser's run: its cookie gets the age that sessions may have.
///
/// # Errors
/// When the session can't take an entry.
pub fn remember(session: &Session, req: &HttpRequest, settings: &Settings) -> Result<(), Error> {
    const SECONDS_IN_A_DAY: i64 = 86_400;
    session
        .insert(entry::REMEMBER, true)
        .map_err(|error| Error::internal(error.into()))?;
    let days = i64::from(settings.session_absolute_days);
    req.extensions_mut()
        .insert(RememberMe(days * SECONDS_IN_A_DAY));
    Ok(())
}

/// Did whoever began this session want it to outlive the browser's run?
pub fn is_remembered(session: &Session) -> bool {
    matches!(session.get::<bool>(entry::REMEMBER), Ok(Some(true)))
}

/// The key that signs cookies.
pub fn cookie_key(app: &App) -> actix_web::cookie::Key {
    let half = |n: u8| {
        *app.instance
            .lookup_key
            .digest(&format!("cookie key {n}"))
            .as_bytes()
    };
    actix_web::cookie::Key::from(&[half(1), half(2)].concat())
}

/// The name of the cookie; browsers hold the first to `Secure`, this host and the root path.
pub fn cookie_name(app: &App) -> &'static str {
    if app.external_url.is_https() {
        "__Host-latchkey_session"
    } else {
        "latchkey_session"
    }
}

/// Left in a request by a sign-in that shall outlive the browser's run: the age of the cookie, in seconds.
#[derive(Debug, Clone, Copy)]
pub struct RememberMe(pub i64);
