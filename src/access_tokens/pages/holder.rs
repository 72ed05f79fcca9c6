//! What holds the tokens of a page: a group, a project or a person.

use super::super::calendar;
use super::super::create::{self, Created, NewAccessToken};
use super::super::list::{self, Query};
use super::super::refusals::Whose;
use super::super::rotate::{self, Rotation};
use super::super::scope::Scope;
use super::super::statistics::{self, Statistics};
use super::super::{AccessToken, ListedToken, Resource, revoke, store};
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::{Error, What};
use crate::groups::store::GroupRef;
use crate::members::AccessLevel;
use crate::permissions::{Barrier, Place, Right};
use crate::projects::store::ProjectRef;
use crate::users::User;
use crate::web::page::PageCall;
use crate::web::views::access_tokens::TokenKind;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{self, Sidebar};
use crate::{groups, projects};

/// Whose tokens the address asks for.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    /// The group with this full path.
    Group(String),
    /// The project with this full path.
    Project(String),
    /// Whoever is signed in.
    Person,
}

impl Asked {
    /// The group that the address names.
    pub(crate) fn group(call: &PageCall) -> Self {
        Asked::Group(call.segment("full_path").to_owned())
    }

    /// The project that the address names.
    pub(crate) fn project(call: &PageCall) -> Self {
        Asked::Project(call.segment("full_path").to_owned())
    }

    /// The holder, if its tokens may be seen; for everybody else there is no such page.
    pub(crate) fn find(&self, conn: &mut DbConnection, ctx: &Context) -> Result<Holder, Error> {
        match self {
            Asked::Group(path) => {
                let name = GroupRef::Path(path.clone());
                let group = groups::store::find_visible(conn, ctx, &name)?;
                Holder::of_resource(ctx, Resource::Group(group))
            }
            Asked::Project(path) => {
                let name = ProjectRef::Path(path.clone());
                let project = projects::store::find_visible(conn, ctx, &name)?;
                Holder::of_resource(ctx, Resource::Project(project))
            }
            Asked::Person => {
                let person = ctx.actor.user.clone();
                person
                    .filter(|_| ctx.actor.may_on_instance(Right::OwnPersonalTokens))
                    .map(Holder::Person)
                    .ok_or(Error::NotFound(What::Thing))
            }
        }
    }

    /// As [`Asked::find`], with how many tokens there are; at no more queries than it takes for a group or project.
    pub(crate) fn find_with_statistics(
        &self,
        conn: &mut DbConnection,
        ctx: &Context,
    ) -> Result<(Holder, Statistics), Error> {
        let (resource, numbers) = match self {
            Asked::Group(path) => statistics::of_group(conn, ctx, path)?,
            Asked::Project(path) => statistics::of_project(conn, ctx, path)?,
            Asked::Person => {
                let holder = self.find(conn, ctx)?;
                let id = ctx.actor.user_id().unwrap_or(0);
                return Ok((holder, statistics::of_person(conn, ctx, id)?));
            }
        };
        Ok((Holder::of_resource(ctx, resource)?, numbers))
    }
}

/// What holds the tokens.
#[derive(Debug, Clone)]
pub(crate) enum Holder {
    /// A group or project.
    Resource(Resource),
    /// A person.
    Person(User),
}

impl Holder {
    /// A group or project whose tokens the actor may see; for everybody else it has no such pages.
    pub(crate) fn of_resource(ctx: &Context, resource: Resource) -> Result<Self, Error> {
        if ctx
            .actor
            .may(Right::SeeTokens, &resource.place(), &ctx.policy)
        {
            Ok(Holder::Resource(resource))
        } else {
            Err(resource.missing())
        }
    }

    pub(crate) fn kind(&self) -> TokenKind {
        match self {
            Holder::Resource(Resource::Group(_)) => TokenKind::Group,
            Holder::Resource(Resource::Project(_)) => TokenKind::Project,
            Holder::Person(_) => TokenKind::Personal,
        }
    }

    /// Where the list is.
    pub(crate) fn path(&self) -> String {
        match self {
            Holder::Resource(Resource::Group(group)) => {
                format!("/groups/{}/-/settings/access_tokens", group.full_path)
            }
            Holder::Resource(Resource::Project(project)) => {
                format!("/{}/-/settings/access_tokens", project.full_path())
            }
            Holder::Person(_) => "/-/user_settings/personal_access_tokens".into(),
        }
    }

    /// The frame of the list and of everything that belongs to it. Its own forms lead back to the list.
    pub(crate) fn shell(&self, call: &PageCall) -> Shell {
        const TITLE: &str = "Access tokens";
        let place = sidebar::Place::AccessTokens;
        let mut shell = match self {
            Holder::Resource(Resource::Group(group)) => {
                groups::frame::shell(call, group, TITLE, place)
            }
            Holder::Resource(Resource::Project(project)) => {
                projects::frame::shell(call, project, TITLE, place)
            }
            Holder::Person(_) => {
                let title = TokenKind::Personal.plural();
                call.shell(
                    title,
                    vec![Crumb::here(title)],
                    Some(Sidebar::account(place)),
                )
            }
        };
        if *call.req().method() != actix_web::http::Method::GET {
            shell.return_to = self.path();
        }
        shell
    }

    /// The frame of a page that belongs to the list: its last step leads back to it, and the page's own follows.
    pub(crate) fn shell_of(&self, call: &PageCall, title: &str) -> Shell {
        let mut shell = self.shell(call);
        if let Some(list) = shell.breadcrumbs.last_mut() {
            list.href = Some(self.path());
        }
        shell.breadcrumbs.push(Crumb::here(title));
        shell.title = format!("{title} · {}", shell.title);
        shell
    }

    /// What a token opens, in words.
    pub(crate) fn reach(&self) -> String {
        match self {
            Holder::Resource(Resource::Group(group)) => {
                format!("{}, its subgroups and projects", group.full_path)
            }
            Holder::Resource(Resource::Project(project)) => project.full_path(),
            Holder::Person(_) => "all your groups and projects".into(),
        }
    }

    /// The scopes on offer.
    pub(crate) fn scopes(&self, ctx: &Context) -> Vec<Scope> {
        let registry = ctx.policy.settings.registry_enabled;
        match self {
            Holder::Resource(_) => Scope::offered_to_resource_tokens(registry),
            Holder::Person(user) => Scope::offered_to_people(user.admin, registry),
        }
    }

    /// The highest role that the actor may give to a token; tokens of people have none.
    pub(crate) fn ceiling(&self, ctx: &Context) -> Option<AccessLevel> {
        match self {
            Holder::Resource(resource) => ctx.actor.level(&resource.place()),
            Holder::Person(_) => None,
        }
    }

    /// Would the actor be allowed to, as far as the holder decides it?
    pub(crate) fn allows(&self, right: Right, ctx: &Context) -> bool {
        match self {
            Holder::Resource(resource) => ctx.actor.could(right, &resource.place(), &ctx.policy),
            Holder::Person(_) => {
                right != Right::CreateToken && right != Right::RotateToken
                    || !ctx.policy.settings.disable_personal_access_tokens
            }
        }
    }

    /// Does the top-level group, its switch or its plan, stand in the way of new values?
    pub(crate) fn is_switched_off(&self, ctx: &Context) -> bool {
        self.barrier(ctx).is_some()
    }

    /// Does the top-level group's plan?
    pub(crate) fn lacks_plan(&self, ctx: &Context) -> bool {
        self.barrier(ctx) == Some(Barrier::Plan)
    }

    fn barrier(&self, ctx: &Context) -> Option<Barrier> {
        match self {
            Holder::Resource(resource) => resource.place().barrier(&ctx.policy),
            Holder::Person(_) => None,
        }
    }

    /// The general settings of the top-level group, for those who may turn creation on again.
    pub(crate) fn switch_href(&self, ctx: &Context) -> Option<String> {
        let Holder::Resource(resource) = self else {
            return None;
        };
        let group = resource.group();
        let traversal = format!("{}/", group.root_id);
        let root = Place {
            group_id: group.root_id,
            project_id: None,
            traversal: &traversal,
            is_top_level: true,
            ..group.place()
        };
        let path = group.root_path();
        ctx.actor
            .could(Right::ChangeCreationSwitch, &root, &ctx.policy)
            .then(|| format!("/groups/{path}/-/edit#js-permissions-settings"))
    }

    /// What lies in a group.
    pub(crate) fn overview(&self) -> Option<String> {
        match self {
            Holder::Resource(Resource::Group(group)) => Some(format!("/{}", group.full_path)),
            _ => None,
        }
    }

    /// The calendar of a group's tokens.
    pub(crate) fn calendar_href(&self) -> Option<String> {
        match self {
            Holder::Resource(Resource::Group(group)) => {
                Some(calendar::address_of_group(&group.full_path))
            }
            _ => None,
        }
    }

    /// The list of all tokens below a top-level group, for those who may see it.
    pub(crate) fn inventory_href(&self, ctx: &Context) -> Option<String> {
        let Holder::Resource(Resource::Group(group)) = self else {
            return None;
        };
        let sees = ctx
            .actor
            .could(Right::SeeTokens, &group.place(), &ctx.policy);
        (group.parent_id.is_none() && sees)
            .then(|| format!("/groups/{}/-/token_inventory", group.full_path))
    }

    /// Are ended tokens shown? Those of people always stay; those of bots, if the bots do.
    pub(crate) fn keeps_ended(&self, ctx: &Context) -> bool {
        match self {
            Holder::Resource(resource) => ctx.policy.retains_bots(resource.group().retain_bots),
            Holder::Person(_) => true,
        }
    }

    /// Whose tokens these are, for the trail.
    pub(crate) fn whose(&self) -> Whose<'_> {
        match self {
            Holder::Resource(resource) => Whose::Resource(resource),
            Holder::Person(person) => Whose::Person(person),
        }
    }

    /// Is it the holder of this token?
    pub(crate) fn holds(&self, token: &AccessToken) -> bool {
        match self {
            Holder::Resource(resource) => resource.owns(token),
            Holder::Person(person) => token.kind() == "personal" && token.user_id == person.id,
        }
    }

    /// A path that a program with such a token may ask for.
    pub(crate) fn example(&self) -> String {
        match self {
            Holder::Resource(Resource::Group(group)) => format!("/api/v4/groups/{}", group.id),
            Holder::Resource(Resource::Project(project)) => {
                format!("/api/v4/projects/{}", project.id)
            }
            Holder::Person(_) => "/api/v4/user".into(),
        }
    }

    /// One page of its tokens.
    pub(crate) fn list(
        &self,
        conn: &mut DbConnection,
        ctx: &Context,
        query: &Query,
        request: PageRequest,
    ) -> Result<Page<ListedToken>, Error> {
        match self {
            Holder::Resource(resource) => list::of_resource(conn, ctx, resource, query, request),
            Holder::Person(_) => list::personal(conn, ctx, query, request),
        }
    }

    /// One of its tokens.
    pub(crate) fn token(
        &self,
        conn: &mut DbConnection,
        ctx: &Context,
        id: i64,
    ) -> Result<ListedToken, Error> {
        match self {
            Holder::Resource(resource) => {
                store::find_of(conn, resource, id)?.ok_or(Error::NotFound(What::Thing))
            }
            Holder::Person(_) => revoke::find_personal(conn, ctx, id),
        }
    }

    /// Makes a token. The inner error is a refusal that has left its line in the audit trail.
    pub(crate) fn create(
        &self,
        conn: &mut DbConnection,
        ctx: &Context,
        new: &NewAccessToken,
    ) -> Result<Result<Created, Error>, Error> {
        match self {
            Holder::Resource(resource) => create::create(conn, ctx, resource, new),
            Holder::Person(user) => create::create_personal(conn, ctx, user, new).map(Ok),
        }
    }

    pub(crate) fn rotate(
        &self,
        conn: &mut DbConnection,
        ctx: &Context,
        id: i64,
        rotation: Rotation,
    ) -> Result<Created, Error> {
        match self {
            Holder::Resource(resource) => rotate::rotate(conn, ctx, resource, id, rotation),
            Holder::Person(_) => rotate::rotate_personal(conn, ctx, id, rotation),
        }
    }

    pub(crate) fn revoke(
        &self,
        conn: &mut DbConnection,
        ctx: &Context,
        id: i64,
    ) -> Result<ListedToken, Error> {
        match self {
            Holder::Resource(resource) => revoke::revoke(conn, ctx, resource, id, true),
            Holder::Person(_) => revoke::revoke_personal(conn, ctx, id),
        }
    }
}
