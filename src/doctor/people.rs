//! People without whom nobody could do anything.

use chrono::{DateTime, Utc};

use super::{Finding, counted, store};
use crate::db::DbConnection;
use crate::error::Error;
use crate::users::store as users;

/// Can anybody administer the instance?
pub(super) fn administrators(conn: &mut DbConnection, _: DateTime<Utc>) -> Result<Finding, Error> {
    const CHECK: &str = "administrators";
    Ok(match users::count_admins(conn)? {
        0 => Finding::failed(
            CHECK,
            "nobody who may sign in is an administrator",
            "latchkey user create --admin … makes one, latchkey user unblock lets one in again",
        ),
        number => Finding::ok(
            CHECK,
            format!(
                "{} may sign in",
                counted(number, "administrator", "administrators")
            ),
        ),
    })
}

/// Does each top-level group have an Owner who can act?
pub(super) fn owners(conn: &mut DbConnection, now: DateTime<Utc>) -> Result<Finding, Error> {
    const CHECK: &str = "owners";
    let without = store::groups_without_owner(conn, now.date_naive())?;
    Ok(if without.is_empty() {
        Finding::ok(CHECK, "each top-level group has an Owner who may act")
    } else {
        Finding::warning(
            CHECK,
            format!(
                "{} without an Owner who may act: {}",
                counted(without.len() as i64, "top-level group", "top-level groups"),
                some(&without)
            ),
            "latchkey member add --group GROUP --user USER --role owner",
        )
    })
}

/// The first few of many.
fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = if names.len() > shown.len() {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}
