//! The audit trail: every event once, in the transaction of its change, for good; and the pages and files that show it.

use latchkey::actor::{Actor, Origin};
use latchkey::audit::list::{self, Asked, AuditEvent, Part};
use latchkey::db::DbConnection;

use crate::support::TestServer;

mod credentials;
mod events;
mod export;
mod pages;
mod refusals;
mod sealed;

impl TestServer {
    /// The events that a filter finds, newest first.
    pub(crate) fn trail(&self, asked: &Asked) -> Vec<AuditEvent> {
        let asked = asked.clone();
        self.arrange(move |conn, ctx| {
            let filter = asked.resolve(conn)?;
            Ok(list::of_instance(conn, ctx, &filter, Part::Newest, 1_000)?.events)
        })
    }

    /// The events of this name, newest first.
    pub(crate) fn events(&self, name: &str) -> Vec<AuditEvent> {
        self.trail(&Asked {
            event: name.to_owned(),
            ..Asked::default()
        })
    }

    /// The one event of this name.
    #[track_caller]
    pub(crate) fn the_event(&self, name: &str) -> AuditEvent {
        let mut events = self.events(name);
        assert_eq!(events.len(), 1, "{name}: {events:?}");
        events.remove(0)
    }

    /// What comes of a statement behind the product's back.
    pub(crate) fn try_sql(&self, statement: &str) -> Result<usize, String> {
        use diesel::{RunQueryDsl, sql_query};
        let statement = statement.to_owned();
        let outcome = self.attempt_as(Actor::system(Origin::console()), move |conn, _| {
            Ok(match conn {
                DbConnection::Sqlite(conn) => sql_query(&statement).execute(conn),
                DbConnection::Postgres(conn) => sql_query(&statement).execute(conn),
            }?)
        });
        outcome.map_err(|error| format!("{error:?}"))
    }
}
