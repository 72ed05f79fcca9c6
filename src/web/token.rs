//! From the value that a request carries to the token that it is, whichever way it came: the API, Git.

use actix_web::http::Method;
use actix_web::{HttpMessage as _, HttpRequest};
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;
use std::time::Instant;

use super::api::LogFacts;
use crate::access_tokens::authenticate::{self, Found};
use crate::access_tokens::secret::Candidate;
use crate::actor::{Actor, Credential, Declared, Origin};
use crate::app::App;
use crate::db::DbConnection;
use crate::error::{Denied, Error};
use crate::settings::{Policy, ReuseDetection};

/// A living token, and the rules of this moment.
pub struct Recognised {
    /// The token, and as whom it acts.
    pub found: Found,
    /// Settings and flags.
    pub policy: Arc<Policy>,
}

/// Recognises the token with this value. The log is told whose it is.
///
/// # Errors
/// [`Error::Unauthenticated`] for what is no living token, [`Error::TooManyRequests`] for an address that tried too many
/// of those, [`Error::Forbidden`] for a blocked account.
pub async fn recognise(
    app: &App,
    req: &HttpRequest,
    value: &str,
    origin: &Origin,
    now: DateTime<Utc>,
    arrived: Instant,
) -> Result<Recognised, Error> {
    let ip = origin.ip;
    let unknown = |policy: &Policy| {
        let limit = policy.settings.failing_credentials_per_minute;
        if app.failures.count(ip, limit, now) {
            Error::TooManyRequests(60)
        } else {
            Error::Unauthenticated(Denied::Unknown)
        }
    };
    let candidate = Candidate::parse(value).map_err(|_| unknown(&app.policy_held()))?;
    let (reader, today) = (app.clone(), now.date_naive());
    let (found, policy) = app
        .db
        .read(move |conn| look_up(conn, &reader, &candidate, today))
        .await?;
    let found = found.ok_or_else(|| unknown(&policy))?;
    req.extensions_mut().insert(LogFacts {
        user_id: Some(found.user.id),
        token_id: Some(found.token.id),
    });
    if policy.settings.disable_personal_access_tokens {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    if let Err(reason) = authenticate::verdict(&found, now) {
        if !app.rotations.overlapped(found.token.id, arrived) {
            watch_for_reuse(app, req, found, &policy, origin.clone(), now).await?;
        }
        return Err(reason);
    }
    Ok(Recognised { found, policy })
}

/// Is the token of this value still one that may act? Asked again while something long goes on; nothing is counted.
///
/// # Errors
/// As [`recognise`], and when the database is away.
pub fn still_there(
    conn: &mut DbConnection,
    app: &App,
    candidate: &Candidate,
    now: DateTime<Utc>,
) -> Result<Recognised, Error> {
    let (found, policy) = look_up(conn, app, candidate, now.date_naive())?;
    let found = found.ok_or(Error::Unauthenticated(Denied::Unknown))?;
    if policy.settings.disable_personal_access_tokens {
        return Err(Error::Unauthenticated(Denied::Unknown));
    }
    authenticate::verdict(&found, now)?;
    Ok(Recognised { found, policy })
}

/// The token of this value, and the rules as they are now.
fn look_up(
    conn: &mut DbConnection,
    app: &App,
    candidate: &Candidate,
    today: NaiveDate,
) -> Result<(Option<Found>, Arc<Policy>), Error> {
    let key = &app.instance.token_key;
    let held = app.policy_held();
    let digests = key.digests(candidate.expose(), &held.salts);
    let (revision, found) = authenticate::find(conn, digests, today)?;
    let policy = app.policy_at(conn, revision)?;
    if found.is_some() || policy.revision == held.revision || policy.salts.is_empty() {
        return Ok((found, policy));
    }
    // Tokens were imported, and this is the first that this node hears of it.
    let digests = key.digests(candidate.expose(), &policy.salts);
    let (_, found) = authenticate::find(conn, digests, today)?;
    Ok((found, policy))
}

/// A revoked value that asks to be rotated was rotated away before: two parties hold it.
async fn watch_for_reuse(
    app: &App,
    req: &HttpRequest,
    found: Found,
    policy: &Arc<Policy>,
    origin: Origin,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let alarming = policy.settings.reuse_detection == ReuseDetection::AnyUse
        || is_rotation(req.method(), req.uri().path());
    if !found.token.revoked || !alarming {
        return Ok(());
    }
    let actor = Actor {
        user: Some(found.user.clone()),
        credential: Credential::None,
        memberships: found.memberships.clone(),
        origin,
        declared: Declared::Only(&[]),
    };
    let ctx = app.context(actor, Arc::clone(policy), now);
    app.db
        .write(move |conn| authenticate::raise_alarm(conn, &ctx, &found))
        .await
}

/// `…access_tokens/<digits or self>/rotate`
fn is_rotation(method: &Method, path: &str) -> bool {
    let mut segments = path.rsplit('/');
    method == Method::POST
        && segments.next() == Some("rotate")
        && segments.next().is_some_and(|id| {
            id == "self" || (!id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
        })
        && segments
            .next()
            .is_some_and(|family| family.ends_with("access_tokens"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rotation_paths_can_set_off_the_alarm() {
        for path in [
            "/api/v4/groups/7/access_tokens/58/rotate",
            "/api/v4/projects/acme%2Fapi/access_tokens/self/rotate",
            "/api/v4/personal_access_tokens/self/rotate",
        ] {
            assert!(is_rotation(&Method::POST, path), "{path}");
            assert!(!is_rotation(&Method::GET, path), "{path}");
        }
        for path in [
            "/api/v4/user",
            "/api/v4/groups/7/access_tokens/x/rotate",
            "/rotate",
        ] {
            assert!(!is_rotation(&Method::POST, path), "{path}");
        }
    }
}
