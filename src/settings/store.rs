//! Settings and flags in the database.

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::{Flags, Policy, Settings};
use crate::db::DbConnection;
use crate::db::schema::{feature_flags, instance, settings};
use crate::error::Error;

/// Reads everything.
///
/// # Errors
/// When the database is away, or holds a value that this program can't read.
pub fn load(conn: &mut DbConnection) -> Result<Policy, Error> {
    let revision = instance::table
        .find(1)
        .select(instance::settings_revision)
        .get_result(conn)?;
    let stored: Vec<(String, String)> = settings::table.load(conn)?;
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
fn bump(conn: &mut DbConnection) -> QueryResult<()> {
    diesel::update(instance::table.find(1))
        .set(instance::settings_revision.eq(instance::settings_revision + 1))
        .execute(conn)
        .map(|_| ())
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
