//! A user as others see it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{OptionalMoment, User, UserKind, UserState};
use crate::db::schema::users;

/// Who a user is, and whether it may act. Lists read these few columns with each of their rows, and not a whole [`User`].
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Identity {
    /// Unique among all users.
    pub id: i64,
    /// Unique whatever the case.
    pub username: String,
    /// As shown.
    pub name: String,
    /// Person, bot or ghost.
    #[diesel(deserialize_as = String)]
    pub kind: UserKind,
    /// Active, blocked or deactivated.
    #[diesel(deserialize_as = String)]
    pub state: UserState,
    /// Since when this bot counts as absent.
    #[diesel(deserialize_as = OptionalMoment)]
    pub bot_gone_at: Option<DateTime<Utc>>,
}

impl Identity {
    /// Is this the bot of a group or project access token?
    pub fn is_bot(&self) -> bool {
        self.kind == UserKind::ProjectBot
    }

    /// A person?
    pub fn is_human(&self) -> bool {
        self.kind == UserKind::Human
    }

    /// May act at all: active, and not a bot whose token is gone.
    pub fn is_active(&self) -> bool {
        self.state.lets_act(self.bot_gone_at)
    }
}

impl From<&User> for Identity {
    fn from(user: &User) -> Self {
        Identity {
            id: user.id,
            username: user.username.clone(),
            name: user.name.clone(),
            kind: user.kind,
            state: user.state,
            bot_gone_at: user.bot_gone_at,
        }
    }
}
