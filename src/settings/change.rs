//! Changing a setting or a flag.

use serde_json::{Value, json};

use super::lowering::after_change;
use super::{FLAGS, KEYS, Policy, Settings, store};
use crate::access_tokens::secret::Prefix;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::groups;
use crate::permissions::Right;

/// Sets one setting from its text; a blank text or `null` blanks it. Administrators only.
///
/// # Errors
/// [`Error::Refused`] that names what is allowed, for an unknown key or a value that doesn't fit.
pub fn set(conn: &mut DbConnection, ctx: &Context, key: &str, text: &str) -> Result<Policy, Error> {
    lock_instance(conn)?;
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let Some((key, allowed)) = KEYS.iter().find(|(name, _)| *name == key) else {
        let names: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
        return Err(Error::refused(format!(
            "There is no setting {key}. The settings are: {}",
            names.join(", ")
        )));
    };
    let before = store::load(conn)?;
    let refused = |why: &str| Error::refused(format!("{key} {why}. It takes {allowed}."));
    let mut all =
        serde_json::to_value(&before.settings).map_err(|error| Error::internal(error.into()))?;
    let old = all.get(*key).cloned().unwrap_or(Value::Null);
    let value = read_value(&old, key, text);
    if let Some(slot) = all.get_mut(*key) {
        *slot = value.clone();
    }
    let after: Settings =
        serde_json::from_value(all).map_err(|_| refused("does not have a valid value"))?;
    validate(&after, &before).map_err(|why| refused(&why))?;
    if value != old {
        store::put(conn, key, Some(&value))?;
        note_lowering(conn, &ctx, &before.settings, &after)?;
        audit::record(
            conn,
            &ctx,
            Event::new("application_setting_changed", Target::Instance)
                .with(json!({ *key: [old, value] })),
        )?;
    }
    store::load(conn)
}

/// A longest lifetime that was lowered concerns the tokens that are there, three hours from now.
fn note_lowering(
    conn: &mut DbConnection,
    ctx: &Context,
    before: &Settings,
    after: &Settings,
) -> Result<(), Error> {
    let (old, new) = (
        before.max_personal_access_token_lifetime,
        after.max_personal_access_token_lifetime,
    );
    if old == new {
        return Ok(());
    }
    let pending = store::lowering(conn)?;
    match after_change(pending, old, new, ctx.now) {
        Some(pending) => store::remember_lowering(conn, pending),
        None => store::forget_lowering(conn),
    }
}

/// A number stays a number and a word a word; a text setting keeps its text, whatever it looks like.
fn read_value(old: &Value, key: &str, text: &str) -> Value {
    let is_text = key == "personal_access_token_prefix";
    if text.is_empty() || text == "null" {
        return if is_text { json!("") } else { Value::Null };
    }
    if is_text || old.is_string() {
        return json!(text);
    }
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// Rules between a value and the rest.
fn validate(new: &Settings, before: &Policy) -> Result<(), String> {
    Prefix::parse(&new.personal_access_token_prefix).map_err(|problems| {
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    })?;
    if let Some(days) = new.max_personal_access_token_lifetime {
        let longest = if before.flags.buffered_token_expiration_limit {
            400
        } else {
            365
        };
        if !(1..=longest).contains(&days) {
            return Err(format!("must be between 1 and {longest}"));
        }
    }
    let retention = new.inactive_resource_access_tokens_delete_after_days;
    if retention.is_some_and(|days| !(1..=3650).contains(&days)) {
        return Err("must be between 1 and 3650".into());
    }
    if let Some(days) = new.revoke_unused_tokens_after_days
        && !(30..=3650).contains(&days)
    {
        return Err("must be between 30 and 3650".into());
    }
    for days in [new.session_idle_days, new.session_absolute_days] {
        if !(1..=365).contains(&days) {
            return Err("must be between 1 and 365".into());
        }
    }
    Ok(())
}

/// Switches a flag for the instance, or (only the one that keeps bots) for one top-level group.
/// Administrators only.
///
/// # Errors
/// [`Error::Refused`] that names what is allowed, for an unknown or permanent flag, or a wrong group.
pub fn switch_flag(
    conn: &mut DbConnection,
    ctx: &Context,
    name: &str,
    enabled: bool,
    group_path: Option<&str>,
) -> Result<(), Error> {
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
    if let Some(path) = group_path {
        if name != "retain_resource_access_token_user_after_revoke" {
            return Err(Error::refused(format!(
                "{name} holds for the whole instance; only retain_resource_access_token_user_after_revoke can be set for a group"
            )));
        }
        let group = groups::store::find_by_path(conn, path)?
            .filter(|group| group.parent_id.is_none() && group.owner_id.is_none())
            .ok_or_else(|| Error::refused(format!("There is no top-level group {path}")))?;
        groups::store::set_retain_bots(conn, group.id, Some(enabled), ctx.now)?;
        return audit::record(
            conn,
            &ctx,
            Event::new("feature_flag_changed", Target::Group(&group))
                .with(json!({ name: [group.retain_bots, enabled] })),
        );
    }
    let before = store::load(conn)?.flags.get(name).unwrap_or(false);
    if before != enabled {
        store::put_flag(conn, name, enabled)?;
        audit::record(
            conn,
            &ctx,
            Event::new("feature_flag_changed", Target::Instance)
                .with(json!({ name: [before, enabled] })),
        )?;
    }
    Ok(())
}
