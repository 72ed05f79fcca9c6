//! Changing settings: one from its text, or several as one.

use serde_json::{Map, Value};

use super::catalogue::out_of_range;
use super::lowering::after_change;
use super::{LIFETIME, Policy, SETTINGS, Section, Setting, Settings, store};
use crate::access_tokens::imported;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::{DbConnection, lock_instance};
use crate::error::Error;
use crate::permissions::Right;

/// Values to be, each checked by its own setting.
#[derive(Debug, Clone, Default)]
pub struct Changes(Vec<(&'static Setting, Value)>);

impl Changes {
    /// Adds a value.
    pub fn set(&mut self, setting: &'static Setting, value: Value) {
        self.0.push((setting, value));
    }

    /// The value that a setting would have.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let mut of_key = self
            .0
            .iter()
            .rev()
            .filter(|(setting, _)| setting.key == key);
        of_key.next().map(|(_, value)| value)
    }
}

/// A section of a form as it was when it was opened: [`Policy::stamp`] of that moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which.
    pub section: Section,
    /// Its stamp.
    pub stamp: String,
}

/// Changes settings, all or none. Administrators only. What is as it was isn't changed; if nothing is left, nothing
/// happens.
///
/// # Errors
/// [`Error::Invalid`] by setting; [`Error::Conflict`] when somebody else changed what was seen, and this would take it
/// back.
pub fn save(
    conn: &mut DbConnection,
    ctx: &Context,
    changes: &Changes,
    seen: Option<&Seen>,
) -> Result<Policy, Error> {
    lock_instance(conn)?;
    let ctx = ctx.refreshed(conn)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let before = store::load(conn)?;
    let internal = |error: serde_json::Error| Error::internal(error.into());
    let mut all = before.values().map_err(internal)?;
    let mut details = Map::new();
    for (setting, value) in &changes.0 {
        let old = all
            .insert(setting.key.into(), value.clone())
            .unwrap_or(Value::Null);
        if old != *value {
            details.insert(setting.key.into(), Value::Array(vec![old, value.clone()]));
        }
    }
    if details.is_empty() {
        return Ok(before);
    }
    if let Some(seen) = seen
        && before.stamp(seen.section).map_err(internal)? != seen.stamp
    {
        return Err(Error::Conflict(
            "Somebody else saved these settings meanwhile. Where theirs differ from yours, theirs are shown below. Save again to put yours in their place.".into(),
        ));
    }
    let after: Settings = serde_json::from_value(Value::Object(all)).map_err(internal)?;
    if details.contains_key(LIFETIME) {
        check_lifetime(&after, &before)?;
    }
    for key in details.keys() {
        let changed = changes
            .0
            .iter()
            .rev()
            .find(|(setting, _)| setting.key == key);
        if let Some((setting, value)) = changed {
            store::put(conn, setting.key, Some(value))?;
        }
    }
    if details.contains_key(PREFIX) {
        // Values that begin with the old one stay valid, so they stay secrets.
        imported::keep_prefix(conn, &before.settings.personal_access_token_prefix)?;
    }
    note_lowering(conn, &ctx, &before.settings, &after)?;
    audit::record(
        conn,
        &ctx,
        Event::new("application_setting_changed", Target::Instance).with(Value::Object(details)),
    )?;
    store::load(conn)
}

/// Sets one setting from its text; a blank text or `null` blanks it. Administrators only.
///
/// # Errors
/// [`Error::Refused`] that names what is allowed, for an unknown key or a value that doesn't fit.
pub fn set(conn: &mut DbConnection, ctx: &Context, key: &str, text: &str) -> Result<Policy, Error> {
    let Some(setting) = Setting::find(key) else {
        let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.key).collect();
        return Err(Error::refused(format!(
            "There is no setting {key}. The settings are: {}",
            names.join(", ")
        )));
    };
    let refused =
        |why: String| Error::refused(format!("{key} {why}. It takes {}.", setting.takes()));
    let text = if text == "null" { "" } else { text };
    let mut changes = Changes::default();
    changes.set(setting, setting.read(text).map_err(refused)?);
    match save(conn, ctx, &changes, None) {
        Err(Error::Invalid(errors)) => {
            let why: Vec<&str> = errors.iter().map(|(_, message)| message).collect();
            Err(refused(why.join(", ")))
        }
        saved => saved,
    }
}

/// Takes a lowering of the longest lifetime back before it is enforced. Administrators only.
///
/// # Errors
/// [`Error::Conflict`] when there is none any more.
pub fn undo_lowering(conn: &mut DbConnection, ctx: &Context) -> Result<Policy, Error> {
    lock_instance(conn)?;
    let (Some(pending), Some(setting)) = (store::lowering(conn)?, Setting::find(LIFETIME)) else {
        return Err(Error::Conflict("There is nothing to undo any more".into()));
    };
    // A flag may have been switched off since; then as far up as it goes.
    let longest = store::load(conn)?.limits().built_in();
    let before = pending.before.map(|days| days.min(longest));
    let mut changes = Changes::default();
    changes.set(setting, serde_json::json!(before));
    let policy = save(conn, ctx, &changes, None)?;
    store::forget_lowering(conn)?;
    Ok(policy)
}

const PREFIX: &str = "personal_access_token_prefix";

/// How long tokens may live at the most depends on a flag.
fn check_lifetime(new: &Settings, before: &Policy) -> Result<(), Error> {
    let longest = before.limits().built_in();
    match new.max_personal_access_token_lifetime {
        Some(days) if days > longest => Err(Error::invalid(LIFETIME, out_of_range(1, longest))),
        _ => Ok(()),
    }
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
