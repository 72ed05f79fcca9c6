//! Groups and projects that move, and groups that are called otherwise. Routes and pages call these verbs.

use latchkey::{
    access_tokens::{Resource, scope::Scopes},
    actor::{Actor, Credential, TokenCredential},
    error::Error,
    groups::{self, Group},
    projects::{self, Project},
};

use crate::support::{Person, TestGroup, TestProject, TestResource, TestServer, TestToken};

mod at_once;
mod effects;
mod moving_projects;
mod refusals;
mod renaming;
mod who_may;

/// The group as it is now.
pub(crate) fn now(group: &TestGroup) -> Group {
    let id = group.id;
    group
        .server
        .arrange(move |conn, _| Ok(groups::store::find(conn, id)?.expect("the group is there")))
}

/// The group as it was when it was made, as somebody holds it who read it long ago.
pub(crate) fn then(group: &TestGroup) -> Group {
    match group.resource() {
        Resource::Group(group) => group,
        Resource::Project(_) => unreachable!("a group is no project"),
    }
}

pub(crate) fn project(project: &TestProject) -> Project {
    match project.resource() {
        Resource::Project(project) => project,
        Resource::Group(_) => unreachable!("a project is no group"),
    }
}

/// The person's own namespace.
pub(crate) fn namespace(person: &Person) -> Group {
    let id = person.id;
    person.server.arrange(move |conn, _| {
        Ok(groups::store::find_personal(conn, id)?.expect("everybody has one"))
    })
}

/// The bot behind a token, as somebody who acts.
pub(crate) fn bot(server: &TestServer, token: &TestToken) -> Actor {
    let (id, user_id) = (token.id, token.user_id);
    server.arrange(move |conn, ctx| {
        let user = latchkey::users::store::find(conn, user_id)?;
        Ok(Actor {
            user: Some(user.expect("the bot is there")),
            credential: Credential::Token(TokenCredential {
                id,
                scopes: Scopes::new([latchkey::access_tokens::scope::Scope::Api]).unwrap(),
            }),
            ..(*ctx.actor).clone()
        })
    })
}

pub(crate) fn transfer(
    group: &TestGroup,
    actor: Actor,
    parent: Option<&TestGroup>,
) -> Result<Group, Error> {
    let (group_then, parent) = (then(group), parent.map(then));
    group.server.attempt_as(actor, move |conn, ctx| {
        groups::transfer::transfer(conn, ctx, &group_then, parent.as_ref())
    })
}

pub(crate) fn transfer_project(
    moving: &TestProject,
    actor: Actor,
    to: &Group,
) -> Result<Project, Error> {
    let (moving_then, to) = (project(moving), to.clone());
    moving.server.attempt_as(actor, move |conn, ctx| {
        projects::transfer::transfer(conn, ctx, &moving_then, &to)
    })
}

/// The fields that are wrong, with what is said about them.
#[track_caller]
pub(crate) fn wrong<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Vec<(String, String)> {
    match outcome {
        Err(Error::Invalid(errors)) => errors
            .iter()
            .map(|(field, message)| (field.to_owned(), message.to_owned()))
            .collect(),
        other => panic!("not refused by field: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn is_forbidden<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(matches!(outcome, Err(Error::Forbidden(_))), "{outcome:?}");
}

/// Whatever is derived from where things lie says where they lie: nothing was moved by half.
#[track_caller]
pub(crate) fn all_in_step(server: &TestServer) {
    let below = "groups g JOIN groups p ON p.id = g.parent_id";
    let derived = "g.full_path = p.full_path || '/' || g.path
                   AND g.full_name = p.full_name || ' / ' || g.name
                   AND g.traversal = p.traversal || g.id || '/' AND g.root_id = p.root_id";
    assert_eq!(server.count(below, &format!("NOT ({derived})")), 0);
    let at_the_top =
        "full_path = path AND full_name = name AND traversal = id || '/' AND root_id = id";
    assert_eq!(
        server.count(
            "groups",
            &format!("parent_id IS NULL AND NOT ({at_the_top})")
        ),
        0
    );
    assert_eq!(
        server.count(
            "routes r JOIN groups g ON g.id = r.group_id",
            "r.path_key <> lower(g.full_path)"
        ),
        0
    );
    assert_eq!(
        server.count(
            "routes r JOIN projects p ON p.id = r.project_id JOIN groups g ON g.id = p.group_id",
            "r.path_key <> lower(g.full_path || '/' || p.path)"
        ),
        0
    );
    crate::token_roots::are_in_step(server);
    let addresses = server.count("routes", "");
    assert_eq!(
        addresses,
        server.count("groups", "") + server.count("projects", "")
    );
}

/// Every group and project with all that a move may change, to see that one that is refused changes nothing.
pub(crate) fn addresses(server: &TestServer) -> Vec<String> {
    server.arrange(|conn, _| {
        use diesel::prelude::*;
        use latchkey::db::schema::{groups, memberships, routes};
        let routes: Vec<(String, Option<i64>, Option<i64>)> = routes::table
            .order(routes::path_key)
            .select((routes::path_key, routes::group_id, routes::project_id))
            .load(conn)?;
        type Row = (i64, String, String, Option<i64>, bool, Option<bool>);
        let groups: Vec<Row> = groups::table
            .order(groups::id)
            .select((
                groups::id,
                groups::full_path,
                groups::traversal,
                groups::parent_id,
                groups::resource_access_token_creation_allowed,
                groups::retain_bots,
            ))
            .load(conn)?;
        let members: Vec<(i64, i32)> = memberships::table
            .order(memberships::id)
            .select((memberships::id, memberships::access_level))
            .load(conn)?;
        let routes = routes.iter().map(|row| format!("{row:?}"));
        let groups = groups.iter().map(|row| format!("{row:?}"));
        let members = members.iter().map(|row| format!("{row:?}"));
        Ok(routes.chain(groups).chain(members).collect())
    })
}
