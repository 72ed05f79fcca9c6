//! A company with enough of everything, and the plans of the queries that the product sends there.

use std::sync::Arc;
use std::sync::Mutex;

use diesel::{
    Connection, QueryableByName, RunQueryDsl,
    connection::{Instrumentation, InstrumentationEvent, SimpleConnection},
    sql_query,
    sql_types::Text,
};
use latchkey::access_tokens::scope::Scope;
use latchkey::actor;
use latchkey::actor::Actor;
use latchkey::actor::Credential;
use latchkey::actor::Declared;
use latchkey::actor::Origin;
use latchkey::context::Context;
use latchkey::db::DbConnection;
use latchkey::error::Error;
use regex::Regex;

use crate::crowd::add_tokens;
use crate::on_both;
use crate::support::{Person, TestGroup, TestProject, TestResource, TestServer, TestToken};

/// Writes down every query of a connection.
struct Listener(Arc<Mutex<Vec<String>>>);

impl Instrumentation for Listener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let text = text
                .split(" -- binds:")
                .next()
                .unwrap_or_default()
                .to_owned();
            if !["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"]
                .iter()
                .any(|word| text.starts_with(word))
            {
                self.0.lock().unwrap().push(text);
            }
        }
    }
}

pub(super) struct Scene {
    pub(super) server: TestServer,
    pub(super) alice: Person,
    pub(super) acme: TestGroup,
    pub(super) deep: TestGroup,
    pub(super) project: TestProject,
    pub(super) token: TestToken,
}

impl Scene {
    pub(super) fn on(server: &TestServer) -> Scene {
        let alice = server.person("alice").create();
        let acme = server.group("acme").owner(&alice).private().create();
        let deep = acme.subgroup("sub").create().subgroup("deep").create();
        let project = deep.project("api").create();
        let token = acme.token("ci").create();
        // Enough of everything that no single value makes up most of a column.
        for number in 0..25 {
            let other = server.group(&format!("other{number}")).private().create();
            let inside = other.project("p").create();
            inside.token("of a project").create();
            alice.personal_token([Scope::Api]);
            add_tokens(server, &other, 200);
        }
        add_tokens(server, &acme, 200);
        let (digest, now) = if server.is_on_postgres() {
            (
                "decode(md5(username), 'hex')",
                "TIMESTAMP '2026-11-19 10:00:00'",
            )
        } else {
            ("randomblob(32)", "'2026-11-19 10:00:00'")
        };
        server.sql(&format!(
            "INSERT INTO sessions (id_digest, user_id, state, created_at, last_seen_at, expires_at)
             SELECT {digest}, id, '{{}}', {now}, {now}, {now} FROM users"
        ));
        server.sql(&format!(
            "INSERT INTO used_form_nonces (digest, created_at) SELECT {digest}, {now} FROM users"
        ));
        server.sql("ANALYZE");
        Scene {
            server: server.clone(),
            alice,
            acme,
            deep,
            project,
            token,
        }
    }

    /// The queries that a piece of the product sends.
    pub(super) fn queries<T>(
        &self,
        run: impl FnOnce(&mut DbConnection, &Context) -> Result<T, Error> + Send,
    ) -> Vec<String> {
        self.queries_by(None, run)
    }

    /// The same for somebody else than alice.
    pub(super) fn queries_of<T>(
        &self,
        actor: Actor,
        run: impl FnOnce(&mut DbConnection, &Context) -> Result<T, Error> + Send,
    ) -> Vec<String> {
        self.queries_by(Some(actor), run)
    }

    fn queries_by<T>(
        &self,
        other: Option<Actor>,
        run: impl FnOnce(&mut DbConnection, &Context) -> Result<T, Error> + Send,
    ) -> Vec<String> {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let app = &self.server.app;
        std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let conn = &mut app.db.connect().unwrap();
                let now = app.clock.now();
                let (user, memberships) =
                    actor::store::load_user(conn, self.alice.id, now.date_naive())
                        .unwrap()
                        .unwrap();
                let actor = Actor {
                    user: Some(user),
                    credential: Credential::Session,
                    memberships,
                    origin: Origin::console(),
                    declared: Declared::Everything,
                };
                let policy = app.policy_now(conn).unwrap();
                let ctx = app.context(other.unwrap_or(actor), policy, now);
                conn.set_instrumentation(Listener(Arc::clone(&heard)));
                if let Err(error) = run(conn, &ctx) {
                    panic!("{error:?}");
                }
            });
            work.join().unwrap();
        });
        let queries = heard.lock().unwrap().clone();
        assert!(!queries.is_empty());
        queries
    }

    /// How the database would go about a query.
    pub(super) fn plan(&self, query: &str) -> Vec<String> {
        let app = &self.server.app;
        std::thread::scope(|scope| {
            scope
                .spawn(|| explain(&mut app.db.connect().unwrap(), query))
                .join()
                .unwrap()
        })
    }

    pub(super) fn assert_indexed<T>(
        &self,
        what: &str,
        run: impl FnOnce(&mut DbConnection, &Context) -> Result<T, Error> + Send,
    ) {
        for query in self.queries(run) {
            let plan = self.plan(&query);
            let walks = walks(&plan, self.server.is_on_postgres());
            assert!(
                walks.is_empty(),
                "{what} walks through {walks:?}\n{query}\n{}",
                plan.join("\n")
            );
        }
    }

    pub(super) fn assert_unsorted<T>(
        &self,
        what: &str,
        run: impl FnOnce(&mut DbConnection, &Context) -> Result<T, Error> + Send,
    ) {
        for query in self.queries(run) {
            let plan = self.plan(&query);
            let sorts: Vec<&String> = plan
                .iter()
                .filter(|step| {
                    step.contains("TEMP B-TREE")
                        || step.trim().trim_start_matches("-> ").starts_with("Sort")
                })
                .collect();
            assert!(
                sorts.is_empty(),
                "{what} sorts what an index has in order\n{query}\n{}",
                plan.join("\n")
            );
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn explain(conn: &mut DbConnection, query: &str) -> Vec<String> {
    let steps: Vec<Step> = match conn {
        DbConnection::Sqlite(conn) => sql_query(format!("EXPLAIN QUERY PLAN {query}"))
            .load(conn)
            .unwrap(),
        DbConnection::Postgres(conn) => {
            let count = Regex::new(r"\$(\d+)")
                .unwrap()
                .captures_iter(query)
                .filter_map(|found| found[1].parse().ok())
                .max();
            let nulls = vec!["NULL"; count.unwrap_or(0)].join(", ");
            let arguments = if nulls.is_empty() {
                String::new()
            } else {
                format!("({nulls})")
            };
            // Small tables are read whole by right; here the question is whether an index could serve.
            conn.batch_execute(&format!(
                "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
                 SET random_page_cost = 1.1; SET plan_cache_mode = force_generic_plan;
                 CREATE FUNCTION pg_temp.plan(command text) RETURNS SETOF text LANGUAGE plpgsql
                     AS $$ BEGIN RETURN QUERY EXECUTE command; END $$;
                 PREPARE hot AS {query};"
            ))
            .unwrap();
            sql_query(format!(
                "SELECT detail FROM pg_temp.plan('EXPLAIN EXECUTE hot{arguments}') AS detail"
            ))
            .load(conn)
            .unwrap()
        }
    };
    steps.into_iter().map(|step| step.detail).collect()
}

/// Tables that have one row, or a handful that an operator put there, or one for each job; the rows of a list that were counted, of
/// which there are 10,001 at most; the old values of one token that still work; and the rows of a query within another one, which
/// has a plan of its own.
const SMALL: [&str; 7] = [
    "instance",
    "settings",
    "feature_flags",
    "counted",
    "nested",
    "jobs",
    "working",
];

/// The tables that are read from one end to the other.
pub(super) fn walks(plan: &[String], postgres: bool) -> Vec<String> {
    let scan = Regex::new(if postgres {
        r"(?:Seq Scan|Index Scan using \S+|Index Only Scan using \S+|Bitmap Index Scan) on (\S+)"
    } else {
        r"^SCAN (\S+)"
    })
    .unwrap();
    plan.iter()
        .enumerate()
        .filter_map(|(at, step)| {
            let table = scan.captures(step)?[1].to_owned();
            let conditioned = plan[at + 1..]
                .iter()
                .take_while(|step| !step.contains("->"))
                .any(|step| step.contains("Index Cond:"));
            let walked = step.contains("Seq Scan") || !postgres || !conditioned;
            (walked && !SMALL.contains(&table.as_str()) && !step.contains("CONSTANT ROW"))
                .then_some(table)
        })
        .collect()
}

on_both!(a_walk_is_recognised_as_one);

/// The test of the test: what has no index is told.
async fn a_walk_is_recognised_as_one(server: TestServer) {
    let scene = Scene::on(&server);
    let plan = scene.plan("SELECT id FROM users WHERE name = 'Alice'");
    assert_eq!(walks(&plan, server.is_on_postgres()), ["users"], "{plan:?}");
}
