//! What a token is for: a group or a project.

use super::AccessToken;
use super::scope::TokenKind;
use crate::context::Context;
use crate::db::{DbConnection, in_turn};
use crate::error::{Error, What};
use crate::groups::store::GroupRef;
use crate::groups::{self, Group};
use crate::permissions::Place;
use crate::projects::store::ProjectRef;
use crate::projects::{self, Project};

/// The group or project that a token belongs to.
#[derive(Debug, Clone)]
pub enum Resource {
    /// A group.
    Group(Group),
    /// A project.
    Project(Project),
}

impl Resource {
    /// Its id, among groups or among projects.
    pub fn id(&self) -> i64 {
        match self {
            Resource::Group(group) => group.id,
            Resource::Project(project) => project.id,
        }
    }

    /// `group` or `project`.
    pub fn noun(&self) -> &'static str {
        match self {
            Resource::Group(_) => "group",
            Resource::Project(_) => "project",
        }
    }

    /// Is this one of its tokens?
    pub fn owns(&self, token: &AccessToken) -> bool {
        match self {
            Resource::Group(group) => token.group_id == Some(group.id),
            Resource::Project(project) => token.project_id == Some(project.id),
        }
    }

    /// For the descriptions of scopes.
    pub fn token_kind(&self) -> TokenKind {
        match self {
            Resource::Group(_) => TokenKind::Group,
            Resource::Project(_) => TokenKind::Project,
        }
    }

    /// As shown.
    pub fn name(&self) -> &str {
        match self {
            Resource::Group(group) => &group.name,
            Resource::Project(project) => &project.name,
        }
    }

    /// The last part of its address.
    pub fn path(&self) -> &str {
        match self {
            Resource::Group(group) => &group.path,
            Resource::Project(project) => &project.path,
        }
    }

    /// Its address.
    pub fn full_path(&self) -> String {
        match self {
            Resource::Group(group) => group.full_path.clone(),
            Resource::Project(project) => project.full_path(),
        }
    }

    /// The group itself, or the namespace of the project.
    pub fn group(&self) -> &Group {
        match self {
            Resource::Group(group) => group,
            Resource::Project(project) => &project.namespace,
        }
    }

    /// Where it lies, for decisions.
    pub fn place(&self) -> Place<'_> {
        match self {
            Resource::Group(group) => group.place(),
            Resource::Project(project) => project.place(),
        }
    }

    /// How answers say that it isn't there.
    pub fn missing(&self) -> Error {
        Error::NotFound(match self {
            Resource::Group(_) => What::Group,
            Resource::Project(_) => What::Project,
        })
    }

    /// Takes turns with whatever else changes who may do what below the same root, and reads the
    /// resource and the actor anew: from here to the commit nobody pulls the rug.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the resource is gone, [`Error::Unauthenticated`] when the actor is.
    pub fn locked(
        &self,
        conn: &mut DbConnection,
        ctx: &Context,
    ) -> Result<(Resource, Context), Error> {
        let fresh = self.in_turn(conn)?;
        Ok((fresh, ctx.refreshed(conn)?))
    }

    /// As [`Resource::locked`], for who needs no actor.
    pub(super) fn in_turn(&self, conn: &mut DbConnection) -> Result<Resource, Error> {
        in_turn(
            conn,
            self,
            |resource| vec![resource.group().root_id],
            |conn, resource| resource.reread(conn),
        )
    }

    fn reread(&self, conn: &mut DbConnection) -> Result<Resource, Error> {
        let fresh = match self {
            Resource::Group(group) => groups::store::find(conn, group.id)?.map(Resource::Group),
            Resource::Project(project) => {
                projects::store::find(conn, project.id)?.map(Resource::Project)
            }
        };
        fresh.ok_or_else(|| self.missing())
    }
}

/// A kind of resource, for what serves both with one implementation.
pub trait Kind: 'static {
    /// `group` or `project`.
    const NOUN: &'static str;

    /// The one that a program names, by id or full path, if the actor may know of it.
    ///
    /// # Errors
    /// [`Error::NotFound`], the same for a hidden one and for one that doesn't exist.
    fn find_visible(conn: &mut DbConnection, ctx: &Context, name: &str) -> Result<Resource, Error>;
}

/// Of groups.
#[derive(Debug, Clone, Copy)]
pub struct OfGroup;

/// Of projects.
#[derive(Debug, Clone, Copy)]
pub struct OfProject;

impl Kind for OfGroup {
    const NOUN: &'static str = "group";

    fn find_visible(conn: &mut DbConnection, ctx: &Context, name: &str) -> Result<Resource, Error> {
        groups::store::find_visible(conn, ctx, &GroupRef::parse(name)).map(Resource::Group)
    }
}

impl Kind for OfProject {
    const NOUN: &'static str = "project";

    fn find_visible(conn: &mut DbConnection, ctx: &Context, name: &str) -> Result<Resource, Error> {
        projects::store::find_visible(conn, ctx, &ProjectRef::parse(name)).map(Resource::Project)
    }
}
