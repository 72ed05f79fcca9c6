//! Finding what a command names; whoever isn't there is named in the refusal.

use clap::Args;

use crate::access_tokens::Resource;
use crate::db::DbConnection;
use crate::error::Error;
use crate::groups::store::GroupRef;
use crate::groups::{self, Group};
use crate::projects::store::ProjectRef;
use crate::projects::{self, Project};
use crate::users::{self, User};

/// A group or a project, one of them.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Place {
    /// The group, by full path or id
    #[arg(long, value_name = "PATH|ID")]
    group: Option<String>,

    /// The project, by full path or id
    #[arg(long, value_name = "PATH|ID")]
    project: Option<String>,
}

impl Place {
    pub(super) fn find(&self, conn: &mut DbConnection) -> Result<Resource, Error> {
        match (&self.group, &self.project) {
            (Some(name), _) => group(conn, name).map(Resource::Group),
            (_, Some(name)) => project(conn, name).map(Resource::Project),
            (None, None) => Err(Error::refused("say which with --group or --project")),
        }
    }
}

/// Whose tokens: a group's, a project's or a person's own.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Holder {
    /// The group, by full path or id
    #[arg(long, value_name = "PATH|ID")]
    pub(super) group: Option<String>,

    /// The project, by full path or id
    #[arg(long, value_name = "PATH|ID")]
    pub(super) project: Option<String>,

    /// The person, for their personal access tokens
    #[arg(long, value_name = "USERNAME")]
    pub(super) user: Option<String>,
}

/// What a [`Holder`] names.
pub(super) enum Held {
    By(Resource),
    Personally(User),
}

impl Holder {
    pub(super) fn find(&self, conn: &mut DbConnection) -> Result<Held, Error> {
        if let Some(name) = &self.user {
            return person(conn, name).map(Held::Personally);
        }
        let place = Place {
            group: self.group.clone(),
            project: self.project.clone(),
        };
        place.find(conn).map(Held::By)
    }
}

/// A group; a person's own namespace is none.
pub(super) fn group(conn: &mut DbConnection, name: &str) -> Result<Group, Error> {
    groups::store::find_by_ref(conn, &GroupRef::parse(name.trim_matches('/')))?
        .filter(|group| !group.is_personal())
        .ok_or_else(|| Error::refused(format!("there is no group {name}")))
}

/// A group or a person's own namespace: where projects lie.
pub(super) fn namespace(conn: &mut DbConnection, path: &str) -> Result<Group, Error> {
    groups::store::find_by_path(conn, path)?.ok_or_else(|| {
        Error::refused(format!(
            "there is no group {path}; make it first with latchkey group create --path {path}"
        ))
    })
}

/// A project.
pub(super) fn project(conn: &mut DbConnection, name: &str) -> Result<Project, Error> {
    projects::store::find_by_ref(conn, &ProjectRef::parse(name.trim_matches('/')))?
        .ok_or_else(|| Error::refused(format!("there is no project {name}")))
}

/// A person; bots are managed through their tokens.
pub(super) fn person(conn: &mut DbConnection, username: &str) -> Result<User, Error> {
    match users::store::find_by_username(conn, username)? {
        Some(user) if user.is_human() => Ok(user),
        Some(user) if user.is_bot() => Err(Error::refused(format!(
            "{username} is the bot of an access token; its token can be revoked with latchkey token revoke --bot {username}"
        ))),
        _ => Err(Error::refused(format!("there is no user {username}"))),
    }
}

/// `acme/platform/api` as the path of what is above and the last segment.
pub(super) fn split(path: &str) -> (Option<&str>, &str) {
    match path.trim_matches('/').rsplit_once('/') {
        Some((above, last)) => (Some(above), last),
        None => (None, path.trim_matches('/')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_split_before_its_last_segment() {
        assert_eq!(split("acme"), (None, "acme"));
        assert_eq!(split("/acme/"), (None, "acme"));
        assert_eq!(split("acme/platform/api"), (Some("acme/platform"), "api"));
    }
}
