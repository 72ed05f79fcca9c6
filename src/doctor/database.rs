//! The database as a whole.

use chrono::{DateTime, TimeDelta, Utc};

use super::Finding;
use crate::access_tokens::secret::fingerprint;
use crate::backup;
use crate::config::Config;
use crate::db::integrity::{Look, damages, dangling};
use crate::db::{DatabaseUrl, DbConnection, SchemaState, ahead_of_server, schema_state};
use crate::error::Error;

const DATABASE: &str = "database";

/// Clocks may be this far apart; as for the server.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(5);

/// Opens it to look.
pub(super) fn open(config: &Config) -> Result<DbConnection, Finding> {
    let url = &config.database_url;
    if let DatabaseUrl::Sqlite(path) = url
        && !path.exists()
    {
        return Err(Finding::warning(
            DATABASE,
            format!("{url} isn't there"),
            "nothing to do on a new instance: whichever command comes first makes it; on any other, restore a backup",
        ));
    }
    DbConnection::look(url).map_err(|error| {
        let error = error.to_string();
        if matches!(url, DatabaseUrl::Sqlite(_)) && is_damage(&error) {
            return Finding::failed(INTEGRITY, format!("the file is damaged: {error}"), DAMAGED);
        }
        Finding::failed(
            DATABASE,
            format!("{url} can't be opened: {error}"),
            "start the database, or correct LATCHKEY_DATABASE_URL",
        )
    })
}

const INTEGRITY: &str = "integrity";

/// What to do about a file that isn't whole.
const DAMAGED: &str = "stop the server, keep a copy of the file, and restore the last backup";

/// In SQLite's words: the file is there and can be read, and isn't what it should be.
fn is_damage(error: &str) -> bool {
    ["malformed", "not a database"]
        .iter()
        .any(|word| error.contains(word))
}

/// Is it what this program wants?
pub(super) fn schema(conn: &mut DbConnection) -> (Option<SchemaState>, Finding) {
    const CHECK: &str = "schema";
    let state = match schema_state(conn) {
        Ok(state) => state,
        Err(error) => {
            let finding = Finding::failed(
                CHECK,
                format!("it can't be read: {error}"),
                "restore a backup, unless the database is only busy",
            );
            return (None, finding);
        }
    };
    let finding = match &state {
        SchemaState::Current => Finding::ok(CHECK, "it is current"),
        SchemaState::Empty => Finding::warning(
            CHECK,
            "the database is empty",
            "nothing to do on a new instance: whichever command comes first makes its tables",
        ),
        SchemaState::Older(missing) => Finding::failed(
            CHECK,
            format!("migrations are missing: {missing}"),
            "make a backup, stop all nodes, run latchkey migrate",
        ),
        SchemaState::Newer(version) => Finding::failed(
            CHECK,
            format!("it was made by a newer Latchkey ({version})"),
            "use that program again, or restore a backup from before the upgrade",
        ),
        SchemaState::Foreign => Finding::failed(
            CHECK,
            "the database holds tables that are not Latchkey's",
            "give Latchkey a database of its own, with LATCHKEY_DATABASE_URL",
        ),
    };
    (Some(state), finding)
}

/// Is the file whole?
pub(super) fn integrity(conn: &mut DbConnection) -> Option<Finding> {
    if matches!(conn, DbConnection::Postgres(_)) {
        return None;
    }
    Some(match damages(conn, Look::Quick) {
        Ok(damages) => match damages.first() {
            None => Finding::ok(INTEGRITY, "the file is whole"),
            Some(first) => {
                Finding::failed(INTEGRITY, format!("the file is damaged: {first}"), DAMAGED)
            }
        },
        Err(error) if is_damage(&error.to_string()) => {
            Finding::failed(INTEGRITY, format!("the file is damaged: {error}"), DAMAGED)
        }
        Err(error) => Finding::failed(
            INTEGRITY,
            format!("the file can't be read: {error}"),
            DAMAGED,
        ),
    })
}

/// Does each row point at one that is there?
pub(super) fn foreign_keys(conn: &mut DbConnection, _: DateTime<Utc>) -> Result<Finding, Error> {
    const CHECK: &str = "foreign keys";
    let dangling = dangling(conn)?;
    Ok(match dangling.first() {
        None => Finding::ok(CHECK, "each row points at rows that are there"),
        Some((child, parent)) => Finding::failed(
            CHECK,
            format!(
                "rows that point at nothing: {}, the first one from {child} to {parent}",
                dangling.len()
            ),
            "something else than Latchkey has written here; restore a backup",
        ),
    })
}

/// Do the machine and the database server agree what time it is?
pub(super) fn clock(conn: &mut DbConnection, now: DateTime<Utc>) -> Finding {
    const CHECK: &str = "clock";
    match ahead_of_server(conn, now) {
        Ok(None) => Finding::ok(CHECK, "there is one alone, this machine's"),
        Ok(Some(ahead)) => apart(ahead),
        Err(error) => Finding::failed(
            CHECK,
            format!("the database server doesn't tell the time: {error}"),
            "look at its log",
        ),
    }
}

fn apart(ahead: TimeDelta) -> Finding {
    const CHECK: &str = "clock";
    let seconds = ahead.num_milliseconds().abs() as f64 / 1000.0;
    let message = format!("this machine and the database server are {seconds:.1} s apart");
    if ahead.abs() > CLOCKS_APART {
        Finding::failed(
            CHECK,
            message,
            "let both keep time with NTP: until then this node runs no job and is not ready",
        )
    } else {
        Finding::ok(CHECK, message)
    }
}

/// Is the secret the one that the tokens are bound to?
pub(super) fn secret(conn: &mut DbConnection, config: &Config) -> Finding {
    const CHECK: &str = "instance secret";
    let advice =
        "put the secret back that this database was used with; there must be a copy away from here";
    let ours = match config.look_at_secret() {
        Ok(ours) => ours.map(|secret| fingerprint(secret.expose())),
        Err(error) => return Finding::failed(CHECK, error.to_string(), advice),
    };
    if let Ok(false) = backup::is_finished(conn) {
        return Finding::failed(
            CHECK,
            "the database was not restored to the end",
            "drop it, and restore the backup into a new one",
        );
    }
    match (backup::known_fingerprint(conn), ours) {
        (Err(error), _) => Finding::failed(CHECK, cause(&error), "look at the database"),
        (Ok(None), _) => Finding::ok(CHECK, "the database has not been used with any yet"),
        (Ok(Some(_)), None) => {
            Finding::failed(CHECK, "it is missing, and the database isn't new", advice)
        }
        (Ok(Some(known)), Some(ours)) if known == ours => {
            Finding::ok(CHECK, "it is the one that the database was used with")
        }
        _ => Finding::failed(
            CHECK,
            "it is not the one that the database was used with: no token would be found",
            advice,
        ),
    }
}

/// An error with what is behind it: the operator is told.
pub(super) fn cause(error: &Error) -> String {
    match error {
        Error::Unavailable(cause) | Error::Internal(cause) => format!("{cause:#}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn clocks_that_are_more_than_five_seconds_apart_are_a_failure() {
        assert_eq!(apart(TimeDelta::seconds(-5)).status, Status::Ok);
        assert_eq!(apart(TimeDelta::milliseconds(5_001)).status, Status::Failed);
        assert_eq!(
            apart(TimeDelta::milliseconds(-5_001)).status,
            Status::Failed
        );
    }
}
