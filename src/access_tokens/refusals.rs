//! What was refused about a token leaves a line in the trail too.

use serde_json::{Value, json};

use super::{Resource, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::users::User;

/// What somebody wanted to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Make a token.
    Creation,
    /// Give one a new value.
    Rotation,
    /// Revoke one.
    Deletion,
}

/// Whose tokens it was about.
#[derive(Debug, Clone, Copy)]
pub enum Whose<'a> {
    /// Those of a group or project.
    Resource(&'a Resource),
    /// A person's own.
    Person(&'a User),
}

impl Attempt {
    fn name(self) -> &'static str {
        match self {
            Attempt::Creation => "creation",
            Attempt::Rotation => "rotation",
            Attempt::Deletion => "deletion",
        }
    }
}

/// What a refused attempt at a token that is there tells.
pub fn of_token(token_id: i64, reason: &str) -> Value {
    json!({ "token_id": token_id, "reason": reason })
}

/// Writes a refusal; again within ten minutes it is only counted. In a transaction of its own, because the refused one
/// was taken back.
///
/// # Errors
/// When the database can't take the row.
pub fn note(
    conn: &mut DbConnection,
    ctx: &Context,
    whose: Whose<'_>,
    attempt: Attempt,
    details: Value,
) -> Result<(), Error> {
    let (kind, target) = match whose {
        Whose::Resource(resource @ Resource::Group(group)) => {
            (resource.noun(), Target::Group(group))
        }
        Whose::Resource(resource @ Resource::Project(project)) => {
            (resource.noun(), Target::Project(project))
        }
        Whose::Person(user) => ("personal", Target::User(user)),
    };
    let name = format!("{kind}_access_token_{}_failed", attempt.name());
    let details = with_names(conn, whose, details)?;
    audit::record_refusal(conn, ctx, Event::new(name, target).with(details))
}

/// Beside the id of a token, which may be gone when somebody reads this, what it and its user are called. Of a token that
/// isn't theirs nothing is told.
fn with_names(
    conn: &mut DbConnection,
    whose: Whose<'_>,
    mut details: Value,
) -> Result<Value, Error> {
    let Some(id) = details["token_id"].as_i64() else {
        return Ok(details);
    };
    let listed = match whose {
        Whose::Resource(resource) => store::find_of(conn, resource, id)?,
        Whose::Person(user) => {
            store::find(conn, id)?.filter(|listed| listed.token.user_id == user.id)
        }
    };
    if let Some(listed) = listed {
        details["token_name"] = json!(listed.token.name);
        details["username"] = json!(listed.user.username);
    }
    Ok(details)
}
