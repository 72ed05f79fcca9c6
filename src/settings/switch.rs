//! Switching feature flags.

use serde_json::json;

use super::{FLAGS, FlagInfo, RETAIN, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::groups::{self, Group};
use crate::permissions::Right;

/// Switches a flag for the whole instance. Administrators only.
///
/// # Errors
/// [`Error::Refused`] that names what is allowed, for an unknown or permanent flag.
pub fn switch(
    conn: &mut DbConnection,
    ctx: &Context,
    name: &str,
    enabled: bool,
) -> Result<(), Error> {
    let (ctx, flag) = begin(conn, ctx, name)?;
    let before = store::load(conn)?.flags.get(flag.name).unwrap_or(false);
    if before == enabled {
        return Ok(());
    }
    store::put_flag(conn, flag.name, enabled)?;
    let changed = json!({ flag.name: [before, enabled] });
    let event = Event::new("feature_flag_changed", Target::Instance).with(changed);
    audit::record(conn, &ctx, event)
}

/// Switches the flag that keeps bots for one top-level group, or has the group do as the instance does. Administrators
/// only.
///
/// # Errors
/// [`Error::Refused`] that names what is allowed, for another flag or a group that isn't at the top.
pub fn switch_for_group(
    conn: &mut DbConnection,
    ctx: &Context,
    name: &str,
    enabled: Option<bool>,
    group_path: &str,
) -> Result<Group, Error> {
    let (ctx, flag) = begin(conn, ctx, name)?;
    if flag.name != RETAIN {
        return Err(Error::refused(format!(
            "{name} holds for the whole instance; only {RETAIN} can be set for a group"
        )));
    }
    let group = groups::store::find_by_path(conn, group_path)?
        .filter(|group| group.parent_id.is_none() && group.owner_id.is_none())
        .ok_or_else(|| Error::refused(format!("There is no top-level group {group_path}")))?;
    if group.retain_bots != enabled {
        groups::store::set_retain_bots(conn, group.id, enabled, ctx.now)?;
        let changed = json!({ flag.name: [group.retain_bots, enabled] });
        let event = Event::new("feature_flag_changed", Target::Group(&group)).with(changed);
        audit::record(conn, &ctx, event)?;
    }
    Ok(group)
}

/// Takes the turn, and finds a flag that can be switched.
fn begin(
    conn: &mut DbConnection,
    ctx: &Context,
    name: &str,
) -> Result<(Context, &'static FlagInfo), Error> {
    lock_instance(conn)?;
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let Some(flag) = FLAGS.iter().find(|flag| flag.name == name) else {
        let names: Vec<&str> = FLAGS.iter().map(|flag| flag.name).collect();
        return Err(Error::refused(format!(
            "There is no flag {name}. The flags are: {}",
            names.join(", ")
        )));
    };
    if flag.permanent {
        return Err(Error::refused(format!(
            "{name} is permanent and can't be switched"
        )));
    }
    Ok((ctx, flag))
}
