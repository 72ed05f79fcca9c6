//! Which constraint a failed statement hit, told the same way for both databases.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Does this failure mean that a unique value is taken?
///
/// `table` and `column` name the index: SQLite tells the columns, PostgreSQL the index's name,
/// which therefore starts with the table and contains the column.
pub fn is_unique(error: &DieselError, table: &str, column: &str) -> bool {
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
        return false;
    };
    match info.constraint_name() {
        Some(name) => name.starts_with(table) && (name.contains(column) || name.ends_with("_pkey")),
        None => info.message().contains(&format!("{table}.{column}")),
    }
}

/// Was the statement refused because of what other transactions did, so that trying again may work?
pub fn is_transient(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::SerializationFailure
            // What the row was to point at went in between; looking again says so.
            | DatabaseErrorKind::ForeignKeyViolation,
            _,
        ) => true,
        DieselError::DatabaseError(_, info) => info.message().contains("deadlock detected"),
        _ => false,
    }
}

/// Has the database gone, or can't it take work at the moment? Then nobody's request was wrong.
pub fn is_outage(error: &DieselError) -> bool {
    const SIGNS: [&str; 17] = [
        "database is locked",
        "database table is locked",
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
        "unable to open database file",
        "server closed the connection",
        "connection to server",
        "no connection to the server",
        "terminating connection",
        "the database system is",
        "could not connect",
        "could not extend file",
        "canceling statement due to",
        "too many clients",
        "remaining connection slots",
        "could not receive data from server",
    ];
    if is_transient(error) {
        return true;
    }
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand
            | DatabaseErrorKind::ReadOnlyTransaction,
            _,
        ) => true,
        DieselError::DatabaseError(_, info) => {
            SIGNS.iter().any(|sign| info.message().contains(sign))
        }
        DieselError::BrokenTransactionManager => true,
        _ => false,
    }
}

/// Was this one statement ended because it took too long, or waited too long for others? The database is there all the
/// same, and in a savepoint that was taken back the transaction can go on.
pub fn is_timeout(error: &DieselError) -> bool {
    const SIGNS: [&str; 3] = [
        "canceling statement due to statement timeout",
        "canceling statement due to lock timeout",
        "canceling statement due to user request",
    ];
    match error {
        DieselError::DatabaseError(_, info) => {
            SIGNS.iter().any(|sign| info.message().contains(sign))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(kind: DatabaseErrorKind, message: &str) -> DieselError {
        DieselError::DatabaseError(kind, Box::new(message.to_owned()))
    }

    #[test]
    fn what_may_work_the_next_time_is_nobodys_fault() {
        for (kind, message) in [
            (
                DatabaseErrorKind::SerializationFailure,
                "could not serialize access due to concurrent update",
            ),
            (DatabaseErrorKind::Unknown, "deadlock detected"),
            (
                DatabaseErrorKind::ForeignKeyViolation,
                "insert or update on table \"projects\" violates foreign key constraint",
            ),
        ] {
            let error = failed(kind, message);
            assert!(is_transient(&error) && is_outage(&error), "{message}");
        }
        let gone = failed(
            DatabaseErrorKind::Unknown,
            "server closed the connection unexpectedly",
        );
        assert!(is_outage(&gone) && !is_transient(&gone));
        let taken = failed(DatabaseErrorKind::UniqueViolation, "duplicate key value");
        assert!(!is_outage(&taken) && !is_transient(&taken));
        assert!(!is_outage(&DieselError::NotFound));
    }

    #[test]
    fn a_statement_that_took_too_long_is_not_a_database_that_is_gone() {
        let slow = "canceling statement due to statement timeout";
        assert!(is_timeout(&failed(DatabaseErrorKind::Unknown, slow)));
        for gone in [
            "server closed the connection unexpectedly",
            "terminating connection due to administrator command",
            "deadlock detected",
        ] {
            assert!(
                !is_timeout(&failed(DatabaseErrorKind::Unknown, gone)),
                "{gone}"
            );
        }
    }
}
