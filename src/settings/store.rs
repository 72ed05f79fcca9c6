//! Settings and flags in the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Map, Value, json};

use super::lowering::Lowering;
use super::{Flags, Policy, Settings};
use crate::db::schema::{feature_flags, instance, settings};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// Reads everything that the database knows; the offering is the configuration's, and here as if nobody had said.
///
/// # Errors
/// When the database is away, or holds a value that this program can't read.
pub fn load(conn: &mut DbConnection) -> Result<Policy, Error> {
    let revision = instance::table
        .find(1)
        .select(instance::settings_revision)
        .get_result(conn)?;
    let stored: Vec<(String, String)> = settings::table
        .filter(settings::key.ne(BEFORE_LOWERING))
        .load(conn)?;
    let mut map = Map::new();
    for (key, value) in stored {
        map.insert(
            key,
            serde_json::from_str(&value).map_err(|error| Error::internal(error.into()))?,
        );
    }
    let settings: Settings = serde_json::from_value(Value::Object(map))
        .map_err(|error| Error::internal(error.into()))?;
    let mut flags = Flags::default();
    for (name, enabled) in feature_flags::table.load::<(String, bool)>(conn)? {
        flags.set(&name, enabled);
    }
    Ok(Policy {
        revision,
        settings,
        flags,
        ..Policy::default()
    })
}

/// Stores one setting; `None` goes back to the default.
pub(super) fn put(conn: &mut DbConnection, key: &str, value: Option<&Value>) -> QueryResult<()> {
    diesel::delete(settings::table.find(key)).execute(conn)?;
    if let Some(value) = value {
        diesel::insert_into(settings::table)
            .values((settings::key.eq(key), settings::value.eq(value.to_string())))
            .execute(conn)?;
    }
    bump(conn)
}

/// Stores one flag.
pub(super) fn put_flag(conn: &mut DbConnection, name: &str, enabled: bool) -> QueryResult<()> {
    diesel::delete(feature_flags::table.find(name)).execute(conn)?;
    diesel::insert_into(feature_flags::table)
        .values((
            feature_flags::name.eq(name),
            feature_flags::enabled.eq(enabled),
        ))
        .execute(conn)?;
    bump(conn)
}

/// Tells all nodes that what they hold is old.
pub(crate) fn bump(conn: &mut DbConnection) -> QueryResult<()> {
    diesel::update(instance::table.find(1))
        .set(instance::settings_revision.eq(instance::settings_revision + 1))
        .execute(conn)
        .map(|_| ())
}

/// No setting, but a note beside them: the longest lifetime before it was lowered, `null` for none.
pub(crate) const BEFORE_LOWERING: &str = "max_personal_access_token_lifetime.before";

/// The longest lifetime was lowered, and that is still to be enforced.
///
/// # Errors
/// When the database is away.
pub fn lowering(conn: &mut DbConnection) -> Result<Option<Lowering>, Error> {
    let at: Option<Timestamp> = instance::table
        .find(1)
        .select(instance::lifetime_enforcement_at)
        .get_result(conn)?;
    let Some(at) = at else {
        return Ok(None);
    };
    let before: Option<String> = settings::table
        .find(BEFORE_LOWERING)
        .select(settings::value)
        .get_result(conn)
        .optional()?;
    let before = before.as_deref().unwrap_or("null");
    Ok(Some(Lowering {
        at: at.into(),
        before: serde_json::from_str(before).map_err(|error| Error::internal(error.into()))?,
    }))
}

/// Notes that it was lowered.
pub(super) fn remember_lowering(conn: &mut DbConnection, pending: Lowering) -> Result<(), Error> {
    forget_lowering(conn)?;
    diesel::insert_into(settings::table)
        .values((
            settings::key.eq(BEFORE_LOWERING),
            settings::value.eq(json!(pending.before).to_string()),
        ))
        .execute(conn)?;
    set_enforcement(conn, Some(pending.at))
}

/// Gives what is pending the full time once more, and tells it.
///
/// # Errors
/// When the database is away.
pub(crate) fn postpone_lowering(
    conn: &mut DbConnection,
    now: DateTime<Utc>,
) -> Result<Option<Lowering>, Error> {
    let Some(pending) = lowering(conn)? else {
        return Ok(None);
    };
    let pending = pending.anew(now);
    remember_lowering(conn, pending)?;
    Ok(Some(pending))
}

/// Nothing is to be enforced any more.
pub(crate) fn forget_lowering(conn: &mut DbConnection) -> Result<(), Error> {
    diesel::delete(settings::table.find(BEFORE_LOWERING)).execute(conn)?;
    set_enforcement(conn, None)
}

fn set_enforcement(conn: &mut DbConnection, at: Option<DateTime<Utc>>) -> Result<(), Error> {
    diesel::update(instance::table.find(1))
        .set(instance::lifetime_enforcement_at.eq(at.map(Timestamp::from)))
        .execute(conn)?;
    Ok(())
}

/// The revision of the settings.
///
/// # Errors
/// When the database is away.
pub fn revision(conn: &mut DbConnection) -> Result<i64, Error> {
    Ok(instance::table
        .find(1)
        .select(instance::settings_revision)
        .get_result(conn)?)
}
