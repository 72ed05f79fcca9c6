//! What would become of a request, and which rules say so. Each rule is asked of what decides real requests: the verdict
//! on a token, the scope that its endpoint declares, who sees a place, and what a role allows there.

use super::request::{ApiRequest, Named, Request, Unread};
use super::target::{self, Target};
use crate::access_tokens::Resource;
use crate::access_tokens::authenticate::{Found, verdict};
use crate::access_tokens::decisions::{Refusal, replaceable};
use crate::actor::{Actor, Declared};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Denied, Error};
use crate::git::Service;
use crate::groups::store::GroupRef;
use crate::members::AccessLevel;
use crate::permissions::{Barrier, Place, Right};
use crate::projects::store::ProjectRef;
use crate::{groups, projects};

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Yes,
    No,
    /// That depends on more than method and path.
    Depends,
}

/// A rule that had a say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub name: &'static str,
    pub says: Says,
    pub text: String,
}

/// All rules that had a say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ruling(pub Vec<Rule>);

impl Ruling {
    /// Does none of them say no?
    pub(super) fn allows(&self) -> bool {
        self.0.iter().all(|rule| rule.says != Says::No)
    }

    /// Is there one that can't be answered from method and path?
    pub(super) fn depends(&self) -> bool {
        self.0.iter().any(|rule| rule.says == Says::Depends)
    }

    pub(super) fn add(&mut self, name: &'static str, says: Says, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Rule { name, says, text });
    }

    pub(super) fn tell(&mut self, name: &'static str, met: bool, text: impl Into<String>) -> bool {
        self.add(name, if met { Says::Yes } else { Says::No }, text);
        met
    }
}

/// Whose request it would be: a token that is there, or one to be.
pub(super) struct Subject {
    /// The token, if it is there.
    pub found: Option<Found>,
    /// As whom it would act.
    pub actor: Actor,
    /// The token in the path of the request.
    pub target: Option<Target>,
}

/// Asks all rules about a request of this subject, for a viewer who is told no more than they may know.
///
/// # Errors
/// When the database is away.
pub(super) fn ask(
    conn: &mut DbConnection,
    viewer: &Context,
    subject: &Subject,
    request: &Result<Request, Unread>,
) -> Result<Ruling, Error> {
    let mut ruling = Ruling::default();
    token(&mut ruling, viewer, subject);
    match request {
        Err(Unread::Elsewhere(host)) => {
            let url = &viewer.instance.external_url;
            ruling.tell(
                "Address",
                false,
                format!("That is an address of another server, {host}. This one is {url}."),
            );
        }
        Err(Unread::Nothing) => {
            ruling.tell(
                "Endpoint",
                false,
                "Nothing answers this method and path. Full paths in it are written with %2F for each slash.",
            );
        }
        Ok(Request::Api(api)) => ask_api(conn, &mut ruling, viewer, subject, api)?,
        Ok(Request::Git(service, path)) => {
            ask_git(conn, &mut ruling, viewer, subject, *service, path)?;
        }
    }
    Ok(ruling)
}

fn token(ruling: &mut Ruling, viewer: &Context, subject: &Subject) {
    if viewer.policy.settings.disable_personal_access_tokens {
        ruling.tell(
            "Instance",
            false,
            "Access tokens are turned off on this instance.",
        );
    }
    let Some(found) = &subject.found else {
        return;
    };
    let (works, text) = match verdict(found, viewer.now) {
        Ok(()) => (true, "The token works.".into()),
        Err(Error::Unauthenticated(Denied::Expired)) => (false, "The token has expired.".into()),
        Err(Error::Unauthenticated(_)) => (false, "The token was revoked.".into()),
        Err(Error::Forbidden(Some(reason))) => (false, reason),
        Err(_) => (false, "The token doesn't work.".into()),
    };
    ruling.tell("Token", works, text);
}

/// Scopes as a sentence names them: `api or read_api`.
fn either(names: &[&str]) -> String {
    names.join(" or ")
}

fn scope(ruling: &mut Ruling, subject: &Subject, enough: &[crate::access_tokens::scope::Scope]) {
    let Some(token) = subject.actor.token() else {
        return;
    };
    let met = enough.is_empty() || token.scopes.contains_any(enough);
    let names: Vec<&str> = enough.iter().map(|scope| scope.name()).collect();
    let has = match token.scopes.names().as_slice() {
        [] => "no scope".to_owned(),
        names => names.join(", "),
    };
    let text = if enough.is_empty() {
        "Any scope will do.".to_owned()
    } else {
        format!("It takes {}; the token has {has}.", either(&names))
    };
    ruling.tell("Scope", met, text);
}

fn ask_api(
    conn: &mut DbConnection,
    ruling: &mut Ruling,
    viewer: &Context,
    subject: &Subject,
    api: &ApiRequest,
) -> Result<(), Error> {
    scope(ruling, subject, api.scope.enough());
    let actor = Actor {
        declared: Declared::Only(api.rights),
        ..subject.actor.clone()
    };
    of_accounts(ruling, &actor, api);
    let Some(named) = &api.place else {
        if api.rotates_itself {
            replaced(ruling, viewer, subject);
        }
        if api.token_id.is_some() {
            target::of_no_place(conn, ruling, viewer, &actor, subject.target.as_ref(), api)?;
        }
        of_no_place(ruling, &actor, api.rights);
        return Ok(());
    };
    let Some(resource) = find(conn, viewer, &actor, named)? else {
        ruling.tell("Reach", false, "The token can't see it, or it isn't there.");
        return Ok(());
    };
    reach(ruling, &actor, &resource);
    if api.rotates_itself {
        itself(ruling, viewer, subject, &resource);
    }
    of_place(ruling, viewer, &actor, &resource, api);
    if let Some(id) = api.token_id {
        let target = subject.target.as_ref();
        target::of_place(ruling, viewer, &actor, &resource, target, (id, api));
    }
    archived(ruling, &resource, api.rights);
    Ok(())
}

/// What stands in the way of a token that would replace itself.
fn itself(ruling: &mut Ruling, viewer: &Context, subject: &Subject, resource: &Resource) {
    let at_home = subject.actor.is_bot_of(&resource.place());
    let noun = resource.noun();
    ruling.tell(
        "Token",
        at_home,
        format!("Here a token of this very {noun} may replace itself, and no other."),
    );
    replaced(ruling, viewer, subject);
}

/// A value that was rotated away does everything but rotate.
fn replaced(ruling: &mut Ruling, viewer: &Context, subject: &Subject) {
    let found = subject.found.as_ref();
    if found.map(|found| replaceable(&found.token, viewer.now)) == Some(Err(Refusal::Rotated)) {
        ruling.tell("Token", false, "The token was rotated already.");
    }
}

/// Nothing is pushed to a project that is archived.
fn archived(ruling: &mut Ruling, resource: &Resource, rights: &[Right]) {
    if let Resource::Project(project) = resource
        && project.archived
        && rights.contains(&Right::PushCode)
    {
        ruling.tell(
            "Project",
            false,
            "The project is archived: nothing can be pushed to it.",
        );
    }
}

/// The group or project, if both may know of it: the token and whoever asks about it.
pub(super) fn find(
    conn: &mut DbConnection,
    viewer: &Context,
    actor: &Actor,
    named: &Named,
) -> Result<Option<Resource>, Error> {
    let found = match named {
        Named::Group(name) => groups::store::find_by_ref(conn, &GroupRef::parse(name))?
            .filter(|group| !group.is_personal())
            .map(Resource::Group),
        Named::Project(name) => {
            projects::store::find_by_ref(conn, &ProjectRef::parse(name))?.map(Resource::Project)
        }
    };
    Ok(found.filter(|resource| {
        let place = resource.place();
        actor.sees(&place, &viewer.policy) && viewer.actor.sees(&place, &viewer.policy)
    }))
}

fn reach(ruling: &mut Ruling, actor: &Actor, resource: &Resource) {
    let path = resource.full_path();
    let text = match actor.level(&resource.place()) {
        Some(level) => format!("The token has the role {} in {path}.", level.name()),
        None => format!("The token sees {path} without being a member, because it is not private."),
    };
    ruling.tell("Reach", true, text);
}

/// Rights that have nothing to do with a place.
fn of_accounts(ruling: &mut Ruling, actor: &Actor, api: &ApiRequest) {
    let has = |right| api.rights.contains(&right);
    if has(Right::Administer) && !has(Right::OwnAccount) {
        let met = actor.may_on_instance(Right::Administer);
        ruling.tell("Account", met, "It takes an administrator.");
    }
    if has(Right::OwnPersonalTokens) {
        let met = actor.may_on_instance(Right::OwnPersonalTokens);
        ruling.tell(
            "Account",
            met,
            "It takes a person; bots of tokens make no tokens.",
        );
    }
    if has(Right::Administer) && has(Right::OwnAccount) && api.token_id.is_none() {
        if actor.may_on_instance(Right::Administer) {
            ruling.tell("Account", true, "It may do that.");
        } else {
            ruling.add(
                "Account",
                Says::Depends,
                "What belongs to somebody else takes an administrator.",
            );
        }
    }
    if has(Right::CreateTopLevelGroup) && api.place.is_none() && actor.is_bot() {
        ruling.add(
            "Account",
            Says::Depends,
            "A bot of a token makes no group at the top level.",
        );
    }
}

fn of_no_place(ruling: &mut Ruling, actor: &Actor, rights: &[Right]) {
    if rights.contains(&Right::CreateProject) && actor.is_bot() {
        ruling.add(
            "Account",
            Says::Depends,
            "A bot of a token has no namespace of its own: the request has to name a group.",
        );
    }
    for (right, text) in [
        (
            Right::CreateSubgroup,
            "In a group it takes at least the role Maintainer there; at the top level a person who isn't external.",
        ),
        (
            Right::CreateProject,
            "It takes at least the role Developer in the group that the request names.",
        ),
    ] {
        if rights.contains(&right) {
            ruling.add("Role", Says::Depends, text);
        }
    }
}

/// What a right is about beyond the place in the path, so that it can't be answered from the path alone.
fn depends(right: Right) -> Option<&'static str> {
    Some(match right {
        Right::ChangeCreationSwitch => {
            "To turn the creation of tokens on or off it takes an Owner of the top-level group."
        }
        Right::ReceiveGroup => "It takes an Owner of the group that it goes to, too.",
        Right::PushToProtectedBranch => {
            "On protected branches, such as the default branch, it takes the role Maintainer."
        }
        _ => return None,
    })
}

/// Rights at the place that the path names. Those that are about another place, or about what the body says, are told as
/// what they are.
fn of_place(
    ruling: &mut Ruling,
    viewer: &Context,
    actor: &Actor,
    resource: &Resource,
    api: &ApiRequest,
) {
    let place = resource.place();
    let on_project = matches!(resource, Resource::Project(_));
    let may = |right| actor.may(right, &place, &viewer.policy);
    let leaves = api.rights.contains(&Right::LeaveMembership)
        && api.user_id.is_some_and(|id| id != 0)
        && api.user_id == actor.user_id();
    for &right in api.rights {
        if let Some(text) = depends(right) {
            if right != Right::PushToProtectedBranch || !may(right) {
                ruling.add("Role", Says::Depends, text);
            }
            continue;
        }
        let elsewhere = match right {
            // Seeing is what the reach has told.
            Right::SeeGroup | Right::SeeProject => true,
            // The group that a project goes to.
            Right::CreateProject => on_project,
            // Leaving is one's own affair, and nobody else's.
            Right::LeaveMembership => !leaves,
            Right::ManageMembers => leaves,
            _ => false,
        };
        let Some(needed) = right.level_on(on_project).filter(|_| !elsewhere) else {
            continue;
        };
        let met = may(right);
        let own = actor.level(&place);
        ruling.tell(
            "Role",
            met,
            why(right, needed, own, met, actor, viewer, resource),
        );
    }
}

/// Why nobody makes or rotates a token in this place, if so.
pub(super) fn off(place: &Place<'_>, viewer: &Context) -> Option<&'static str> {
    Some(match place.barrier(&viewer.policy)? {
        Barrier::Plan => {
            "The plan of the top-level group doesn't include making and rotating tokens."
        }
        Barrier::Switch => "Making and rotating tokens is turned off by the top-level group.",
    })
}

/// A sentence about the role, or about what a role alone doesn't give.
fn why(
    right: Right,
    needed: AccessLevel,
    own: Option<AccessLevel>,
    met: bool,
    actor: &Actor,
    viewer: &Context,
    resource: &Resource,
) -> String {
    let place = resource.place();
    let enough = own >= Some(needed);
    if met || !enough {
        let has = own.map_or("no role", AccessLevel::name);
        return format!(
            "{} takes the role {} in {}; the token has {has}.",
            right.act(),
            needed.name(),
            resource.full_path()
        );
    }
    if matches!(right, Right::CreateToken | Right::RotateToken)
        && !actor.is_bot()
        && let Some(text) = off(&place, viewer)
    {
        return text.into();
    }
    if matches!(right, Right::SeeTokens | Right::RevokeToken) {
        return "A bot looks after the tokens of the one group or project that it was made for."
            .into();
    }
    format!(
        "{} is for people; a bot of a token may not do it here.",
        right.act()
    )
}

fn ask_git(
    conn: &mut DbConnection,
    ruling: &mut Ruling,
    viewer: &Context,
    subject: &Subject,
    service: Service,
    path: &str,
) -> Result<(), Error> {
    scope(ruling, subject, service.scopes());
    let right = service.right();
    let rights: &'static [Right] = &[
        Right::SeeProject,
        Right::ReadCode,
        Right::PushCode,
        Right::PushToProtectedBranch,
    ];
    let actor = Actor {
        declared: Declared::Only(rights),
        ..subject.actor.clone()
    };
    let Some(resource) = find(conn, viewer, &actor, &Named::Project(path.to_owned()))? else {
        ruling.tell("Reach", false, "The token can't see it, or it isn't there.");
        return Ok(());
    };
    reach(ruling, &actor, &resource);
    let place = resource.place();
    let met = actor.may(right, &place, &viewer.policy);
    let needed = right.level_on(true).unwrap_or(AccessLevel::Owner);
    let own = actor.level(&place);
    let text = if met && own < Some(needed) {
        "The code is open to everybody who sees the project.".to_owned()
    } else {
        why(right, needed, own, met, &actor, viewer, &resource)
    };
    ruling.tell("Role", met, text);
    if service == Service::ReceivePack {
        archived(ruling, &resource, &[Right::PushCode]);
        if !actor.may(Right::PushToProtectedBranch, &place, &viewer.policy) {
            let text = depends(Right::PushToProtectedBranch).unwrap_or_default();
            ruling.add("Role", Says::Depends, text);
        }
    }
    Ok(())
}
