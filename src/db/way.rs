//! What lies between us and a PostgreSQL server: nothing, or a pooler such as PgBouncer, which gives each transaction
//! whichever of its own connections is free. Nobody has to say so: we find out, because what is said to a session is
//! said to nobody in particular then.

use diesel::connection::{CacheSize, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::DatabaseUrl;

/// The way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A session of our own.
    Straight,
    /// A pooler's connections, one for each transaction.
    Pooled,
}

impl Way {
    /// The statement with which a transaction begins on PostgreSQL.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Way::Straight => "BEGIN",
            Way::Pooled => BEGIN_POOLED,
        }
    }
}

const SETTINGS: &str = "
    SET TIME ZONE 'UTC';
    SET synchronous_commit = on;
    SET statement_timeout = '30s';
    SET lock_timeout = '5s';
    SET idle_in_transaction_session_timeout = '60s';
";

/// [`SETTINGS`] for one transaction, in one message.
const BEGIN_POOLED: &str = "BEGIN; \
    SET LOCAL TIME ZONE 'UTC'; \
    SET LOCAL synchronous_commit = on; \
    SET LOCAL statement_timeout = '30s'; \
    SET LOCAL lock_timeout = '5s'; \
    SET LOCAL idle_in_transaction_session_timeout = '60s'";

/// A server takes this along when we connect to it. Poolers refuse it or leave it out.
const MARK: &str = "-c latchkey.straight=yes";

/// How PgBouncer refuses it.
const REFUSED: &str = "unsupported startup parameter";

/// Connects to a PostgreSQL server, and sets the connection up as its way allows.
pub(super) fn establish(url: &DatabaseUrl) -> Result<(PgConnection, Way), ConnectionError> {
    let inherited = std::env::var("PGOPTIONS").unwrap_or_default();
    let marked = url.with_options(format!("{inherited} {MARK}").trim());
    let mut conn = match PgConnection::establish(&marked) {
        Err(ConnectionError::BadConnection(why)) if why.contains(REFUSED) => {
            PgConnection::establish(&url.for_connecting())?
        }
        established => established?,
    };
    let failed = ConnectionError::CouldntSetupConfiguration;
    // No statement is kept before it is known whether that is possible.
    conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    let straight = is_marked(&mut conn).map_err(failed)?;
    conn.set_prepared_statement_cache_size(CacheSize::Unbounded);
    if straight {
        conn.batch_execute(SETTINGS).map_err(failed)?;
        return Ok((conn, Way::Straight));
    }
    if !keeps_statements(&mut conn) {
        conn.set_prepared_statement_cache_size(CacheSize::Disabled);
    }
    Ok((conn, Way::Pooled))
}

/// Is there a pooler on the way to this database?
///
/// # Errors
/// When the server can't be reached.
pub fn is_pooled(url: &DatabaseUrl) -> Result<bool, ConnectionError> {
    if url.is_sqlite() {
        return Ok(false);
    }
    establish(url).map(|(_, way)| way == Way::Pooled)
}

diesel::define_sql_function! {
    /// A setting of the session; null where there is none of this name and that is no error.
    fn current_setting(name: Text, missing_ok: Bool) -> diesel::sql_types::Nullable<Text>;
}

fn is_marked(conn: &mut PgConnection) -> QueryResult<bool> {
    let mark: Option<String> =
        diesel::select(current_setting("latchkey.straight", true)).get_result(conn)?;
    Ok(mark.as_deref() == Some("yes"))
}

diesel::table! {
    pg_catalog.pg_prepared_statements (name) {
        name -> Text,
    }
}

/// Does the pooler see to it that a prepared statement is there on each of its connections? Then it gives them names of its
/// own. One that doesn't passes our names on, and they would be unknown, or somebody else's, in the next transaction.
fn keeps_statements(conn: &mut PgConnection) -> bool {
    use pg_prepared_statements as statements;
    let ours = conn.transaction(|conn| {
        statements::table
            .filter(statements::name.like(r"\_\_diesel\_stmt%"))
            .count()
            .get_result::<i64>(conn)
    });
    ours == Ok(0)
}
