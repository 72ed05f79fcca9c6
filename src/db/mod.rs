//! The database: two doors, [`Database::read`] and [`Database::write`], and no third.

mod connection;
mod counted;
mod in_use;
pub mod integrity;
mod joined;
mod last_page;
mod limited;
mod migrations;
mod optimize;
mod page;
mod pool;
pub mod schema;
mod server_clock;
#[cfg(test)]
mod tests;
mod timestamp;
mod turns;
mod unseen;
mod url;
pub mod violation;
mod way;
mod writer;

pub(crate) use connection::straight;
pub use connection::{Counters, DbConnection};
pub use counted::{Counted, CountedBeside, Measured, OfOuter};
pub use in_use::InUse;
pub use joined::{Firsts, InTurn, Nested, UnionAll};
pub use last_page::PageOrLast;
pub use limited::{Limits, Top};
pub use migrations::{
    SchemaState, applied_versions_state, drop_all_tables, migrate, migrate_and, others_connected,
    revert, schema_state,
};
pub use optimize::optimize;
pub use page::{COUNTED_AT_MOST, Page, PageRequest, Paging, Total};
pub use pool::Database;
pub use server_clock::ahead_of_server;
pub use timestamp::Timestamp;
pub use turns::in_turn;
pub use unseen::{Hidden, Unseen};
pub use url::{DatabaseUrl, InvalidUrl};
pub use way::is_pooled;

use diesel::expression::Expression;
use diesel::prelude::*;

/// What diesel calls the one backend that is either of two.
pub type Backend = <DbConnection as diesel::Connection>::Backend;

/// The columns of a model, for `returning` (whose usual spelling names one backend, and we have two).
pub fn columns<T, E>() -> E
where
    T: Selectable<Backend, SelectExpression = E>,
    E: Expression,
{
    T::construct_selection()
}

diesel::define_sql_function! {
    /// Lower case, of every script, in both databases.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

// A server's own order is a dictionary's, and not the same everywhere.
diesel::postfix_operator!(ByCharacter, " COLLATE \"C\"", diesel::sql_types::Text);

/// A text that is sorted and compared by the numbers of its characters, in both databases.
pub fn by_character<T>(text: T) -> ByCharacter<T> {
    ByCharacter::new(text)
}

diesel::define_sql_function! {
    /// A text from its character number `start` on, counted from 1.
    fn substr(text: diesel::sql_types::Text, start: diesel::sql_types::Integer) -> diesel::sql_types::Text;
}

diesel::define_sql_function! {
    /// The number of characters.
    fn length(text: diesel::sql_types::Text) -> diesel::sql_types::Integer;
}

diesel::define_sql_function! {
    /// The first value that isn't null.
    #[sql_name = "COALESCE"]
    fn coalesce_date(value: diesel::sql_types::Nullable<diesel::sql_types::Date>, other: diesel::sql_types::Date) -> diesel::sql_types::Date;
}

diesel::define_sql_function! {
    /// The first value that isn't null.
    #[sql_name = "COALESCE"]
    fn coalesce_timestamp(value: diesel::sql_types::Nullable<diesel::sql_types::Timestamp>, other: diesel::sql_types::Timestamp) -> diesel::sql_types::Timestamp;
}

diesel::define_sql_function! {
    /// The first value that isn't null.
    #[sql_name = "COALESCE"]
    fn coalesce_bool(value: diesel::sql_types::Nullable<diesel::sql_types::Bool>, other: diesel::sql_types::Bool) -> diesel::sql_types::Bool;
}

diesel::define_sql_function! {
    /// The first value that isn't null, if there is one.
    #[sql_name = "COALESCE"]
    fn coalesce_id(value: diesel::sql_types::Nullable<diesel::sql_types::BigInt>, other: diesel::sql_types::Nullable<diesel::sql_types::BigInt>) -> diesel::sql_types::Nullable<diesel::sql_types::BigInt>;
}

/// The end of the range of texts that start with `traversal` ('1/17/' ends before '1/170').
///
/// Every traversal ends with a slash, and '0' is the character after it.
pub fn after_subtree(traversal: &str) -> String {
    let mut end = traversal.trim_end_matches('/').to_owned();
    end.push('0');
    end
}

/// Takes the lock under which whatever changes who may do what below one top-level group takes turns,
/// until the transaction ends. SQLite has one writer, and needs none. [`in_turn`] also finds out whether it
/// is still the right one.
///
/// # Errors
/// When the lock isn't had within the lock time-out, or the database is away.
pub fn lock_root(conn: &mut DbConnection, root_id: i64) -> Result<(), diesel::result::Error> {
    lock(conn, root_id)
}

/// As [`lock_root`], for several roots, one after the other; in one order, so that nobody waits in a
/// circle.
///
/// # Errors
/// As [`lock_root`].
pub fn lock_roots(conn: &mut DbConnection, root_ids: &[i64]) -> Result<(), diesel::result::Error> {
    match conn {
        DbConnection::Sqlite(_) => Ok(()),
        DbConnection::Postgres(pg) => {
            use schema::groups;
            // The rows are sorted before the function is called for each.
            groups::table
                .filter(groups::id.eq_any(root_ids))
                .order(groups::id.asc())
                .select(pg_advisory_xact_lock(groups::id))
                .execute(pg)
                .map(|_| ())
        }
    }
}

/// As [`lock_root`], for changes to the instance as a whole (its administrators, its settings).
///
/// # Errors
/// As [`lock_root`].
pub fn lock_instance(conn: &mut DbConnection) -> Result<(), diesel::result::Error> {
    lock(conn, 0)
}

/// As [`lock_root`], for whatever is known by digests: those who count the same thing take turns.
///
/// # Errors
/// As [`lock_root`].
pub fn lock_digests(
    conn: &mut DbConnection,
    digests: &[&[u8]],
) -> Result<(), diesel::result::Error> {
    // Below zero, where no group's id is; in one order, so that nobody waits in a circle.
    let mut keys: Vec<i64> = digests
        .iter()
        .filter_map(|digest| digest.first_chunk::<8>())
        .map(|bytes| i64::from_be_bytes(*bytes) | i64::MIN)
        .collect();
    keys.sort_unstable();
    keys.into_iter().try_for_each(|key| lock(conn, key))
}

diesel::define_sql_function! {
    /// PostgreSQL's advisory lock of a transaction.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt);
}

fn lock(conn: &mut DbConnection, key: i64) -> Result<(), diesel::result::Error> {
    match conn {
        DbConnection::Sqlite(_) => Ok(()),
        DbConnection::Postgres(pg) => diesel::select(pg_advisory_xact_lock(key))
            .execute(pg)
            .map(|_| ()),
    }
}
