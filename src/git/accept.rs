//! What a push leaves behind in the database: written before Git changes anything, so that no push goes unseen.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};

use super::Service;
use super::access::authorize;
use super::push::Command;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::schema::projects;
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;
use crate::projects::Project;
use crate::projects::store::ProjectRef;

/// References that one event names.
const NAMED: usize = 20;

/// Takes a push whose objects are all there: looks once more whether whoever pushes still may, notes that something
/// happened in the project, and writes it into the trail.
///
/// # Errors
/// As [`authorize`], for the roles and the token of this moment.
pub fn accept(
    conn: &mut DbConnection,
    ctx: &Context,
    project_id: i64,
    commands: &[Command],
) -> Result<(), Error> {
    let ctx = ctx.refreshed(conn)?;
    let granted = authorize(
        conn,
        &ctx,
        &ProjectRef::Id(project_id),
        Service::ReceivePack,
    )?;
    let protected = protected_branch(&granted.project);
    if !granted.maintains && commands.iter().any(|command| command.name == protected) {
        return Err(Error::Forbidden(Some(
            Service::ReceivePack.not_allowed().into(),
        )));
    }
    if commands.is_empty() {
        return Ok(());
    }
    touch(conn, project_id, ctx.now)?;
    record(conn, &ctx, &granted.project, "repository_pushed", commands)
}

/// Notes which of the references of an accepted push Git did not change after all.
///
/// # Errors
/// When the database can't take the row.
pub fn note_unchanged(
    conn: &mut DbConnection,
    ctx: &Context,
    project: &Project,
    commands: &[Command],
) -> Result<(), Error> {
    record(conn, ctx, project, "repository_push_rejected", commands)
}

/// Notes that a push was refused because it brought along tokens that work.
///
/// # Errors
/// When the database can't take the row.
pub fn note_leak(
    conn: &mut DbConnection,
    ctx: &Context,
    project: &Project,
    token_ids: &[i64],
) -> Result<(), Error> {
    let details = json!({ "reason": "a token that works", "token_ids": token_ids });
    audit::record(
        conn,
        ctx,
        Event::new("repository_push_refused", Target::Project(project)).with(details),
    )
}

/// The full name of the branch of a project that is protected: the default one.
pub fn protected_branch(project: &Project) -> String {
    format!("refs/heads/{}", project.default_branch)
}

fn touch(conn: &mut DbConnection, project_id: i64, now: DateTime<Utc>) -> Result<(), Error> {
    diesel::update(projects::table.find(project_id))
        .set(projects::last_activity_at.eq(Timestamp::from(now)))
        .execute(conn)?;
    Ok(())
}

fn record(
    conn: &mut DbConnection,
    ctx: &Context,
    project: &Project,
    event: &'static str,
    commands: &[Command],
) -> Result<(), Error> {
    let refs: Vec<Value> = commands
        .iter()
        .take(NAMED)
        .map(|command| json!({ "name": command.name, "from": command.old, "to": command.new }))
        .collect();
    let details = json!({ "refs": refs, "refs_in_all": commands.len() });
    audit::record(
        conn,
        ctx,
        Event::new(event, Target::Project(project)).with(details),
    )
}
