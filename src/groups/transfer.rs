//! Moving a group into another one, or to the top.

use chrono::NaiveDate;
use serde_json::json;

use super::create::wider_than_parent;
use super::path::{MAX_NESTING, PathSegment, Place as Segment};
use super::relocation::{levels_below, relocate};
use super::turn::reread;
use super::{Group, store};
use crate::access_tokens::Resource;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, in_turn};
use crate::error::{Error, FieldErrors, What};
use crate::members::{AccessLevel, store as memberships};
use crate::permissions::Right;

/// Moves a group, with everything below it, into `new_parent`, or to the top level. It takes an Owner of
/// both, or of the group and the right to make top-level groups. Members, bots and tokens come along; the
/// switch of the new root group is theirs from then on. The old addresses are free.
///
/// A group that comes to the top keeps the switch as it was, and has a lasting Owner afterwards: whoever
/// moved it, if there is nobody else.
///
/// # Errors
/// [`Error::Forbidden`] without the right, [`Error::Invalid`] by field, [`Error::NotFound`] for personal
/// namespaces.
pub fn transfer(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    new_parent: Option<&Group>,
) -> Result<Group, Error> {
    let (group, parent) = in_turn(
        conn,
        &(group.clone(), new_parent.cloned()),
        |(group, parent)| {
            let parents = parent.iter().map(|parent| parent.root_id);
            parents.chain([group.root_id]).collect()
        },
        |conn, (group, parent)| {
            let parent = match parent {
                Some(parent) => Some(reread(conn, parent)?),
                None => None,
            };
            Ok((reread(conn, group)?, parent))
        },
    )?;
    let ctx = ctx.refreshed(conn)?;
    may_move(&ctx, &group, parent.as_ref())?;
    let levels = levels_below(conn, &group)?;
    check(&group, parent.as_ref(), levels)?;
    relocate(conn, &group, parent.as_ref(), &group.path, ctx.now)?;
    let moved = reread(conn, &group)?;
    tell(conn, &ctx, &group, &moved)?;
    if moved.parent_id.is_none() {
        give_a_lasting_owner(conn, &ctx, &moved)?;
    }
    Ok(moved)
}

/// A line for those who look after the place that it left, and one for those where it is now. At the top, nobody does.
fn tell(conn: &mut DbConnection, ctx: &Context, group: &Group, moved: &Group) -> Result<(), Error> {
    let left = match group.parent_id {
        Some(id) => store::find(conn, id)?,
        None => None,
    };
    let details = |direction: &str| json!({ "full_path": [group.full_path, moved.full_path], "direction": direction });
    let event = || Event::new("group_transferred", Target::Group(moved));
    let out = left
        .iter()
        .map(|left| event().in_group(left).with(details("out")));
    let events: Vec<Event<'_>> = out.chain([event().with(details("in"))]).collect();
    audit::record_all(conn, ctx, &events)
}

fn may_move(ctx: &Context, group: &Group, parent: Option<&Group>) -> Result<(), Error> {
    if group.is_personal() || parent.is_some_and(Group::is_personal) {
        return Err(Error::NotFound(What::Group));
    }
    let receives = match parent {
        Some(parent) => ctx
            .actor
            .may(Right::ReceiveGroup, &parent.place(), &ctx.policy),
        None => ctx.actor.may_on_instance(Right::CreateTopLevelGroup),
    };
    if receives
        && ctx
            .actor
            .may(Right::TransferGroup, &group.place(), &ctx.policy)
    {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}

/// Whether the group can stand there with so many levels of groups below it, its address aside.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub(crate) fn check(
    group: &Group,
    parent: Option<&Group>,
    levels_below: usize,
) -> Result<(), Error> {
    if parent.is_some_and(|parent| parent.traversal.starts_with(&group.traversal)) {
        return Err(Error::invalid(
            "group_id",
            "can't be the group itself or one below it",
        ));
    }
    if group.parent_id == parent.map(|parent| parent.id) {
        return Err(Error::invalid(
            "group_id",
            "is where the group lies already",
        ));
    }
    let mut errors = FieldErrors::default();
    let segment = if parent.is_some() {
        Segment::Below
    } else {
        Segment::TopLevel
    };
    if let Err(problem) = PathSegment::parse(&group.path, segment) {
        errors.add("path", problem.to_string());
    }
    if let Some(parent) = parent {
        // The levels down to the parent, the group's own, and those below it.
        if parent.depth() + 2 + levels_below > MAX_NESTING {
            errors.add(
                "group_id",
                format!("is nested too deep (maximum is {MAX_NESTING} levels)"),
            );
        }
        if !group.visibility.within(parent.visibility) {
            errors.add(
                "visibility",
                wider_than_parent(group.visibility, parent.visibility),
            );
        }
    }
    errors.check()
}

/// A top-level group has at least one active person who owns it without an end. Those of the groups above
/// it stayed behind.
fn give_a_lasting_owner(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
) -> Result<(), Error> {
    if !memberships::lasting_owners(conn, group.id)?.is_empty() {
        return Ok(());
    }
    let Some(person) = ctx.actor.user.as_ref().filter(|user| user.is_human()) else {
        return Err(Error::Forbidden(Some(
            "A group must have at least one Owner who is a person".into(),
        )));
    };
    let present = memberships::find(conn, &Resource::Group(group.clone()), person.id)?;
    let owner = AccessLevel::Owner;
    let event = |name: &'static str| Event::new(name, Target::User(person)).in_group(group);
    match present {
        Some(present) => {
            memberships::update(conn, present.id, owner, None)?;
            let details = json!({
                "source": group.full_path,
                "access_level": [present.access_level.number(), owner.number()],
                "expires_at": [present.expires_at, None::<NaiveDate>],
            });
            audit::record(conn, ctx, event("member_level_changed").with(details))
        }
        None => {
            memberships::insert(
                conn,
                &memberships::NewMembership {
                    user_id: person.id,
                    group_id: Some(group.id),
                    project_id: None,
                    access_level: owner,
                    expires_at: None,
                    bot: false,
                    created_by_id: Some(person.id),
                    now: ctx.now,
                },
            )?;
            let details = json!({
                "source": group.full_path,
                "access_level": owner.number(),
                "expires_at": null,
            });
            audit::record(conn, ctx, event("member_created").with(details))
        }
    }
}
