//! Tokens as the API shows them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::super::ListedToken;
use super::super::create::Created;
use super::super::secret::Plaintext;
use crate::members::AccessLevel;
use crate::web::api::Moment;

/// An access token.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessToken {
    /// Unique among tokens of all kinds.
    id: i64,
    /// What it is called.
    name: String,
    /// Taken away; for good.
    revoked: bool,
    /// When it was made.
    created_at: Moment,
    /// What it is for.
    description: Option<String>,
    /// What it may be used for.
    scopes: Vec<&'static str>,
    /// The bot or the person that it acts as.
    user_id: i64,
    /// The last time it was used, within ten minutes.
    last_used_at: Option<Moment>,
    /// Neither revoked nor expired.
    active: bool,
    /// The day at whose start, in UTC, it stops working.
    expires_at: Option<NaiveDate>,
    /// The newest addresses that used it, at most five.
    last_used_ips: Vec<String>,
}

/// A group or project access token.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResourceAccessToken {
    #[serde(flatten)]
    token: AccessToken,
    /// The role of its bot; nothing when its membership is gone.
    #[schema(value_type = Option<i32>)]
    access_level: Option<AccessLevel>,
    /// `group` or `project`.
    resource_type: &'static str,
    /// The id of the group or project.
    resource_id: i64,
}

/// A token with its value: in the answer that made it, and nowhere else.
#[derive(Serialize, ToSchema)]
pub struct WithValue<T> {
    #[serde(flatten)]
    shown: T,
    /// The value; it can't be seen again.
    #[serde(serialize_with = "expose")]
    #[schema(value_type = String)]
    token: Plaintext,
}

fn expose<S: Serializer>(value: &Plaintext, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(value.expose())
}

/// A kind of token object.
pub trait Shape: Serialize + ToSchema {
    /// What it shows of a token at this moment.
    fn of(listed: ListedToken, now: DateTime<Utc>) -> Self;
}

impl Shape for AccessToken {
    fn of(listed: ListedToken, now: DateTime<Utc>) -> Self {
        let (active, revoked) = (listed.token.is_active(now), listed.token.is_revoked(now));
        AccessToken {
            id: listed.token.id,
            name: listed.token.name,
            revoked,
            created_at: Moment(listed.token.created_at),
            description: listed.token.description,
            scopes: listed.token.scopes.names(),
            user_id: listed.token.user_id,
            last_used_at: listed.last_used_at.map(Moment),
            active,
            expires_at: listed.token.expires_at,
            last_used_ips: listed.last_used_ips,
        }
    }
}

impl Shape for ResourceAccessToken {
    fn of(listed: ListedToken, now: DateTime<Utc>) -> Self {
        ResourceAccessToken {
            access_level: listed.access_level,
            resource_type: listed.token.kind(),
            resource_id: listed
                .token
                .group_id
                .or(listed.token.project_id)
                .unwrap_or(0),
            token: AccessToken::of(listed, now),
        }
    }
}

impl<T: Shape> WithValue<T> {
    /// A token that was just made or rotated.
    pub(super) fn of(created: Created, now: DateTime<Utc>) -> Self {
        WithValue {
            shown: T::of(created.listed, now),
            token: created.plaintext,
        }
    }
}
