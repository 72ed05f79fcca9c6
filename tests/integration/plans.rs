//! How both databases go about the hot queries: no walk through a table that grows.
//!
//! The queries are those that the product really sends: a second instrumentation listens while its functions run.

use std::sync::{Arc, Mutex};

use diesel::{
    Connection, QueryableByName, RunQueryDsl,
    connection::{Instrumentation, InstrumentationEvent, SimpleConnection},
    sql_query,
    sql_types::Text,
};
use latchkey::{
    access_tokens::{
        TokenType, attention, authenticate, census, lifetime, list, scope::Scope, store as tokens,
        unused,
    },
    actor::{self, Actor, Credential, Declared, Origin},
    admin,
    audit::{
        self, Event, Target,
        list::{self as trail, Part},
    },
    bots::retention,
    context::Context,
    db::{DbConnection, PageRequest},
    error::Error,
    groups::store::{self as groups, GroupRef},
    jobs, mail,
    members::{self, AccessLevel},
    notices::check,
    projects::store::{self as projects, ProjectRef},
    sessions, settings, users, webhooks,
};
use regex::Regex;

use crate::{
    crowd::add_tokens,
    on_both,
    support::{Person, TestGroup, TestProject, TestResource, TestServer, TestToken},
};

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

struct Scene {
    server: TestServer,
    alice: Person,
    acme: TestGroup,
    deep: TestGroup,
    project: TestProject,
    token: TestToken,
}

impl Scene {
    fn on(server: &TestServer) -> Scene {
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
    fn queries<T>(
        &self,
        run: impl FnOnce(&mut DbConnection, &Context) -> Result<T, Error> + Send,
    ) -> Vec<String> {
        self.queries_by(None, run)
    }

    /// The same for somebody else than alice.
    fn queries_of<T>(
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
    fn plan(&self, query: &str) -> Vec<String> {
        let app = &self.server.app;
        std::thread::scope(|scope| {
            scope
                .spawn(|| explain(&mut app.db.connect().unwrap(), query))
                .join()
                .unwrap()
        })
    }

    fn assert_indexed<T>(
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

    fn assert_unsorted<T>(
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

/// Tables that have one row, or a handful that an operator put there, or one for each job; and the rows of a list that were counted, of
/// which there are 10,001 at most.
const SMALL: [&str; 5] = ["instance", "settings", "feature_flags", "counted", "jobs"];

/// The tables that are read from one end to the other.
fn walks(plan: &[String], postgres: bool) -> Vec<String> {
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

on_both!(
    authentication_and_look_ups_use_indexes,
    lists_of_tokens_stay_within_their_group,
    lists_of_members_stay_within_their_group,
    sign_in_uses_indexes,
    metrics_use_indexes,
    lists_of_administrators_use_indexes,
    the_expiry_check_goes_on_where_it_was,
    what_somebody_looks_after_is_found_from_their_memberships,
    what_a_setting_does_not_allow_is_looked_for_in_windows,
    the_trail_is_read_in_order_whatever_is_looked_for,
    an_export_of_a_group_goes_through_the_trail_in_windows,
    tokens_of_the_instance_are_found_through_indexes,
    what_the_overview_counts_has_an_end_or_an_index
);

async fn authentication_and_look_ups_use_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    let (app, token, group, project) = (&server.app, &scene.token, &scene.deep, &scene.project);
    let digest = app.instance.token_key.digest(&token.value);
    scene.assert_indexed("authentication", |conn, ctx| {
        authenticate::find(conn, &digest, ctx.today()).map(|found| assert!(found.1.is_some()))
    });
    scene.assert_indexed("the revision of the settings", |conn, _| {
        settings::store::revision(conn)
    });
    scene.assert_indexed("a group by id", |conn, ctx| {
        groups::find_visible(conn, ctx, &GroupRef::Id(group.id))
    });
    scene.assert_indexed("a group by path", |conn, ctx| {
        groups::find_visible(conn, ctx, &GroupRef::Path(group.full_path.clone()))
    });
    scene.assert_indexed("a group with its projects", |conn, ctx| {
        groups::find_visible_with_projects(conn, ctx, &GroupRef::Id(group.id))
    });
    scene.assert_indexed("a project by id", |conn, ctx| {
        projects::find_visible(conn, ctx, &ProjectRef::Id(project.id))
    });
    scene.assert_indexed("a project by path", |conn, ctx| {
        projects::find_visible(conn, ctx, &ProjectRef::Path(project.full_path.clone()))
    });
    scene.assert_indexed("an actor, read anew", |conn, ctx| ctx.refreshed(conn));
    scene.assert_indexed("a user by name", |conn, _| {
        users::store::find_by_username(conn, "alice")
    });
}

async fn lists_of_tokens_stay_within_their_group(server: TestServer) {
    let scene = Scene::on(&server);
    let resource = scene.acme.resource();
    let request = PageRequest {
        page: 1,
        per_page: 20,
    };
    let list = |query: list::Query| {
        let resource = resource.clone();
        move |conn: &mut DbConnection, ctx: &Context| {
            list::of_resource(conn, ctx, &resource, &query, request)
        }
    };
    for state in [None, Some(list::State::Active), Some(list::State::Inactive)] {
        let query = list::Query {
            state,
            members_only: true,
            ..list::Query::default()
        };
        scene.assert_indexed("a list of tokens", list(query.clone()));
        scene.assert_unsorted("a list of tokens", list(query.clone()));
        for sort in [
            list::Sort::Name,
            list::Sort::Expires,
            list::Sort::LastUsed,
            list::Sort::Role,
        ] {
            scene.assert_indexed(
                "a sorted list of tokens",
                list(list::Query {
                    sort,
                    ..query.clone()
                }),
            );
        }
        let search = Some("deploy".to_owned());
        scene.assert_indexed(
            "a searched list of tokens",
            list(list::Query { search, ..query }),
        );
    }
    scene.assert_indexed("one's own tokens", |conn, ctx| {
        list::personal(conn, ctx, &list::Query::default(), request)
    });
    scene.assert_indexed("one token", |conn, _| tokens::find(conn, scene.token.id));
}

async fn lists_of_members_stay_within_their_group(server: TestServer) {
    let scene = Scene::on(&server);
    for (resource, inherited) in [
        (scene.acme.resource(), false),
        (scene.deep.resource(), true),
        (scene.project.resource(), false),
        (scene.project.resource(), true),
    ] {
        let filter = members::list::Filter {
            inherited,
            ..members::list::Filter::default()
        };
        scene.assert_indexed(
            &format!("members, inherited ones: {inherited}"),
            |conn, ctx| members::list::list(conn, ctx, &resource, &filter, PageRequest::default()),
        );
    }
}

async fn sign_in_uses_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    scene.assert_indexed("a login", |conn, _| {
        users::store::find_by_login(conn, "alice@example.com")
    });
    // The session store works inside of requests only; this is what it asks, in its own words.
    let placeholder = if server.is_on_postgres() { "$1" } else { "?" };
    let session = format!(
        "SELECT sessions.state, users.username, instance.settings_revision, memberships.access_level FROM sessions
         INNER JOIN users ON users.id = sessions.user_id INNER JOIN instance ON instance.id = 1
         LEFT OUTER JOIN memberships ON memberships.user_id = users.id WHERE sessions.id_digest = {placeholder}"
    );
    for query in [
        session,
        format!("DELETE FROM sessions WHERE user_id = {placeholder}"),
        format!("DELETE FROM sessions WHERE id_digest = {placeholder}"),
        format!("SELECT digest FROM used_form_nonces WHERE digest = {placeholder}"),
    ] {
        let plan = scene.plan(&query);
        let walks = walks(&plan, server.is_on_postgres());
        assert!(
            walks.is_empty(),
            "walks through {walks:?}\n{query}\n{}",
            plan.join("\n")
        );
    }
}

async fn metrics_use_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    for (job, outcome) in [("clean-up", "done"), ("expiry-check", "failed")] {
        server.sql(&format!(
            "INSERT INTO job_runs (job, holder, cause, as_of, outcome, started_at, finished_at)
             SELECT '{job}', 'node', 'schedule', created_at, '{outcome}', created_at, created_at FROM users"
        ));
    }
    for (state, settled) in [("waiting", "NULL"), ("sent", "created_at")] {
        server.sql(&format!(
            "INSERT INTO emails (key, kind, user_id, state, due_at, created_at, settled_at)
             SELECT '{state}' || id, 'test', id, '{state}', created_at, created_at, {settled} FROM users"
        ));
    }
    let hook = scene.acme.webhook("pager", "https://hook.example.com/");
    for (state, settled) in [("waiting", "NULL"), ("delivered", "created_at")] {
        server.sql(&format!(
            "INSERT INTO webhook_deliveries (webhook_id, event, event_uuid, message_id, body, state, due_at, created_at, settled_at)
             SELECT {}, 'test', 'x', 'x', '', '{state}', created_at, created_at, {settled} FROM users",
            hook.id
        ));
    }
    server.sql("ANALYZE");
    scene.assert_indexed("tokens that end next", |conn, ctx| {
        census::next_to_end(conn, ctx.today(), 100)
    });
    scene.assert_unsorted("tokens that end next", |conn, ctx| {
        census::next_to_end(conn, ctx.today(), 100)
    });
    scene.assert_indexed("how the jobs are", |conn, ctx| {
        jobs::health::of_all(conn, ctx.now)
    });
    scene.assert_indexed("mails by state", |conn, _| mail::census::count_all(conn));
    // From the beginning of an index that has no others.
    for query in scene.queries(|conn, _| mail::outbox::unsent(conn, 50)) {
        let plan = scene.plan(&query).join("\n");
        assert!(plan.contains("emails_unsent"), "{query}\n{plan}");
    }
    scene.assert_unsorted("mails that were not sent", |conn, _| {
        mail::outbox::unsent(conn, 50)
    });
    scene.assert_indexed("mails that were refused", |conn, _| {
        mail::outbox::refused(conn, 5)
    });
    scene.assert_unsorted("mails that were refused", |conn, _| {
        mail::outbox::refused(conn, 5)
    });
    scene.assert_indexed("deliveries by state", |conn, _| {
        webhooks::census::count_all(conn)
    });
    scene.assert_indexed("tokens by kind and state", |conn, ctx| {
        census::count_all(conn, ctx.now)
    });
    // What is counted is read from the index, without a look at the rows.
    let queries = scene.queries(|conn, ctx| {
        mail::census::count_all(conn)?;
        webhooks::census::count_all(conn)?;
        census::count_all(conn, ctx.now)
    });
    assert_eq!(queries.len(), 15);
    for query in queries.iter().filter(|query| !query.contains("users")) {
        let plan = scene.plan(query).join("\n");
        let alone = plan.contains("COVERING INDEX") || plan.contains("Index Only Scan");
        assert!(alone, "{query}\n{plan}");
    }
}

async fn lists_of_administrators_use_indexes(server: TestServer) {
    use admin::users::store::{Query, Sort, Tab};
    use latchkey::{groups::list as all_groups, projects::list as all_projects};
    let scene = Scene::on(&server);
    let request = PageRequest {
        page: 1,
        per_page: 50,
    };
    for number in 0..50 {
        let name = format!("person{number}");
        let person = server.person(&name).create();
        scene.acme.member(&person, AccessLevel::Guest);
        match number {
            0..3 => person.block(),
            3..6 => server.sql(&format!(
                "UPDATE users SET admin = TRUE, external = TRUE WHERE id = {}",
                person.id
            )),
            _ => {}
        }
    }
    server.sql("ANALYZE");
    let query = |tab, sort, search: &str| Query {
        tab,
        search: search.into(),
        sort,
        descending: true,
    };
    for tab in [
        Tab::Active,
        Tab::Admins,
        Tab::Blocked,
        Tab::External,
        Tab::Bots,
    ] {
        for (sort, search) in [
            (Sort::Created, ""),
            (Sort::Name, ""),
            (Sort::LastSignIn, ""),
            (Sort::Created, "person"),
        ] {
            let query = query(tab, sort, search);
            scene.assert_indexed(&format!("users, {query:?}"), |conn, _| {
                admin::users::store::list(conn, &query, request)
            });
        }
    }
    for (tab, index) in [
        (Tab::Admins, "users_admin"),
        (Tab::External, "users_external"),
    ] {
        let query = query(tab, Sort::Created, "");
        for query in scene.queries(|conn, _| admin::users::store::list(conn, &query, request)) {
            let plan = scene.plan(&query).join("\n");
            assert!(plan.contains(index), "{query}\n{plan}");
        }
    }
    for tab in [Tab::Active, Tab::Bots] {
        let query = query(tab, Sort::Created, "");
        scene.assert_unsorted("users", |conn, _| {
            admin::users::store::list(conn, &query, request)
        });
    }
    let (alice, acme, project) = (scene.alice.id, scene.acme.id, scene.project.id);
    scene.assert_indexed("what a person has", |conn, ctx| {
        admin::users::store::roles(conn, alice, request)?;
        admin::users::store::count_roles(conn, &[alice], ctx.today())?;
        admin::users::store::count_active_tokens(conn, alice, ctx.today())?;
        admin::users::store::count_bots_made_by(conn, alice)?;
        users::holdings::left_without_owner(conn, alice, ctx.today())?;
        users::holdings::owned_alone(conn, alice, ctx.today())?;
        sessions::store::living_of(conn, alice, ctx.now, &ctx.policy.settings, 50)
    });
    let root = || {
        let root = server.person(&format!("root{}", server.next()));
        root.admin().create().actor()
    };
    let newest = |without_owner| all_groups::Filter {
        order: all_groups::Order::Id,
        descending: true,
        without_owner,
        ..all_groups::Filter::default()
    };
    scene.assert_indexed("what stands beside groups and projects", |conn, ctx| {
        admin::places::store::owners_of(conn, &[acme], ctx.today())?;
        admin::places::store::people_in(conn, &[acme])?;
        admin::places::store::active_tokens_of_groups(conn, &[acme], ctx.today())?;
        admin::places::store::active_tokens_of_projects(conn, &[project], ctx.today())
    });
    // All of them are all of them; but a page comes from one end of the table, unsorted, and what decides about a
    // row is found by an index.
    let projects = all_projects::Filter {
        order: all_projects::Order::Id,
        ..all_projects::Filter::default()
    };
    let queries = scene.queries_of(root(), |conn, ctx| {
        all_groups::list_visible(conn, ctx, &newest(false), request)?;
        all_groups::list_visible(conn, ctx, &newest(true), request)?;
        all_projects::list_visible(conn, ctx, &projects, request)
    });
    for query in queries.iter().filter(|query| query.contains("ORDER BY")) {
        let plan = scene.plan(query);
        let text = plan.join("\n");
        let sorts = text.contains("TEMP B-TREE") || text.contains("Sort");
        assert!(!sorts, "{query}\n{text}");
        let mut walks = walks(&plan, server.is_on_postgres());
        walks.retain(|table| table != "groups" && table != "projects");
        assert!(walks.is_empty(), "walks through {walks:?}\n{query}\n{text}");
    }
}

async fn the_expiry_check_goes_on_where_it_was(server: TestServer) {
    let scene = Scene::on(&server);
    // More than two batches that end on one day.
    server.sql("UPDATE access_tokens SET expires_at = '2026-11-25'");
    server.sql("ANALYZE");
    let queries = scene.queries(|conn, ctx| {
        let mut cursor = Some(check::Cursor::start());
        while let Some(at) = cursor {
            cursor = check::step(conn, ctx, ctx.now, at)?.next;
        }
        Ok(())
    });
    let looking: Vec<&String> = queries
        .iter()
        .filter(|query| query.starts_with("SELECT") && query.contains("ORDER BY"))
        .filter(|query| !query.contains("FROM `webhooks`") && !query.contains("FROM \"webhooks\""))
        .collect();
    assert!(looking.len() > 5, "{queries:#?}");
    for query in looking {
        let plan = scene.plan(query);
        let text = plan.join("\n");
        assert!(
            walks(&plan, server.is_on_postgres()).is_empty(),
            "{query}\n{text}"
        );
        assert!(
            !text.contains("TEMP B-TREE") && !text.contains("Sort"),
            "sorts what an index has in order\n{query}\n{text}"
        );
        let behind = ["`access_tokens`.`id` >", "\"access_tokens\".\"id\" >"];
        if behind.iter().any(|words| query.contains(words)) {
            let goes_on = text.contains("rowid>?") || text.contains("(id > $");
            assert!(goes_on, "begins at the beginning\n{query}\n{text}");
        }
    }
}

async fn what_somebody_looks_after_is_found_from_their_memberships(server: TestServer) {
    let scene = Scene::on(&server);
    let maintainer = server.person("maintainer").create();
    scene.project.member(&scene.alice, AccessLevel::Maintainer);
    scene.project.member(&maintainer, AccessLevel::Maintainer);
    let (alice, maintainer) = (scene.alice.id, maintainer.id);
    let queries = scene.queries(|conn, ctx| {
        attention::of_actor(conn, ctx)?;
        attention::unused_of(conn, ctx, alice, 51)?;
        attention::who_has_unused(conn, ctx, &[alice, maintainer])
    });
    let of_tokens: Vec<&String> = queries
        .iter()
        .filter(|query| query.contains("access_tokens"))
        .collect();
    assert!(of_tokens.len() >= 14, "{queries:#?}");
    for statistics in [true, false] {
        if !statistics && !server.is_on_postgres() {
            server.sql("DELETE FROM sqlite_stat1");
        }
        for query in &queries {
            let plan = scene.plan(query);
            let text = plan.join("\n");
            let mut walks = walks(&plan, server.is_on_postgres());
            // Of the eight projects that there are, PostgreSQL may look at all to find some by their ids.
            if query.contains("\"projects\".\"id\" = ANY") {
                walks.retain(|table| table != "projects");
            }
            assert!(walks.is_empty(), "walks through {walks:?}\n{query}\n{text}");
            if query.contains("access_tokens") {
                let has = |index: &str| text.contains(&format!("access_tokens_{index}"));
                assert!(
                    has("group") || has("project"),
                    "not from the place\n{query}\n{text}"
                );
                assert!(
                    !has("state") && !has("expires_at"),
                    "all active tokens\n{query}\n{text}"
                );
            }
        }
    }
}

async fn what_a_setting_does_not_allow_is_looked_for_in_windows(server: TestServer) {
    let scene = Scene::on(&server);
    server.set("revoke_unused_tokens_after_days", "60");
    server.set("max_personal_access_token_lifetime", "30");
    let queries = scene.queries_of(Actor::system(Origin::job()), |conn, ctx| {
        unused::find_unused(conn, ctx, 100, 50)?;
        lifetime::find_overlong(conn, ctx, 100, 50, true)?;
        retention::find_inactive(conn, ctx, 100, 50)
    });
    let ends = if server.is_on_postgres() {
        ["\"access_tokens\".\"id\" <=", "\"users\".\"id\" <="]
    } else {
        ["`access_tokens`.`id` <=", "`users`.`id` <="]
    };
    let windows: Vec<&String> = queries
        .iter()
        .filter(|query| ends.iter().any(|end| query.contains(end)))
        .collect();
    assert_eq!(windows.len(), 3, "{queries:#?}");
    for query in windows {
        let plan = scene.plan(query);
        let text = plan.join("\n");
        assert!(
            walks(&plan, server.is_on_postgres()).is_empty(),
            "{query}\n{text}"
        );
        let within = ["rowid>? AND rowid<?", "id>? AND id<?"];
        let within = within.iter().any(|range| text.contains(range))
            || Regex::new(r"\(id > \$\d+\) AND \(id <= \$\d+\)")
                .unwrap()
                .is_match(&text);
        assert!(within, "more than the window\n{query}\n{text}");
    }
}

async fn the_trail_is_read_in_order_whatever_is_looked_for(server: TestServer) {
    let scene = Scene::on(&server);
    let last = server.count("audit_events", "");
    let asked = |change: fn(&mut trail::Asked)| {
        let mut asked = trail::Asked::default();
        change(&mut asked);
        asked
    };
    let system = || Actor::system(Origin::console());
    for (what, asked, sorted) in [
        ("everything", asked(|_| ()), false),
        (
            "an event",
            asked(|a| a.event = "group_created".into()),
            false,
        ),
        ("somebody", asked(|a| a.actor = "7".into()), false),
        ("a name", asked(|a| a.actor = "Somebody".into()), false),
        ("a target", asked(|a| a.target = "7".into()), false),
        ("a target by name", asked(|a| a.target = "ci".into()), false),
        (
            "a kind of target",
            asked(|a| a.target_kind = "group".into()),
            false,
        ),
        ("a channel", asked(|a| a.channel = "page".into()), false),
        ("strangers", asked(|a| a.actor = "anonymous".into()), false),
        (
            "some days",
            asked(|a| (a.since, a.until) = ("2026-11-01".into(), "2026-11-20".into())),
            false,
        ),
        (
            "a group and what is below it",
            asked(|a| a.group = "acme".into()),
            true,
        ),
    ] {
        let queries = scene.queries_of(system(), |conn, ctx| {
            let filter = asked.resolve(conn)?;
            for part in [
                Part::Newest,
                Part::OlderThan(last),
                Part::NewerThan(last / 2),
            ] {
                trail::of_instance(conn, ctx, &filter, part, 50)?;
            }
            Ok(())
        });
        let reading: Vec<&String> = queries
            .iter()
            .filter(|query| query.contains("ORDER BY") && query.contains("audit_events"))
            .collect();
        assert_eq!(reading.len(), 3, "{what}: {queries:#?}");
        for query in reading {
            let plan = scene.plan(query);
            let text = plan.join("\n");
            let sorts = text.contains("TEMP B-TREE") || text.contains("Sort");
            assert!(sorted || !sorts, "{what} is sorted\n{query}\n{text}");
            // With few rows PostgreSQL may take them in order of time as well.
            let index = match what {
                _ if server.is_on_postgres() => "audit_events_",
                "a kind of target" => "audit_events_target_kind",
                "a channel" => "audit_events_channel",
                "strangers" => "audit_events_actor_name",
                _ => "audit_events_",
            };
            assert!(text.contains(index), "{what} has no index\n{query}\n{text}");
        }
    }
    for actor in [
        scene.alice.actor(),
        Actor::anonymous(Origin::console(), Declared::Everything),
    ] {
        let queries = scene.queries_of(actor, |conn, ctx| {
            audit::record_refusal(
                conn,
                ctx,
                Event::new("user_sign_in_failed", Target::Instance),
            )
        });
        for query in queries.iter().filter(|query| query.starts_with("SELECT")) {
            let plan = scene.plan(query);
            let text = plan.join("\n");
            let index = if query.contains("IS NOT NULL") {
                "audit_events_of_strangers"
            } else {
                "audit_events_refusal"
            };
            assert!(text.contains(index), "{query}\n{text}");
            assert!(
                walks(&plan, server.is_on_postgres()).is_empty(),
                "{query}\n{text}"
            );
        }
    }
}

async fn an_export_of_a_group_goes_through_the_trail_in_windows(server: TestServer) {
    let scene = Scene::on(&server);
    let at = "2026-11-01 10:00:00";
    server.sql(&format!(
        "INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, target_kind, target_name)
         SELECT '{at}', 'user_signed_in', 'human', 'Somebody', 'page', 'user', u.username
         FROM users u, (SELECT id FROM users ORDER BY id LIMIT 10) AS ten"
    ));
    server.sql(&format!(
        "INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, target_kind, target_name,
             group_traversal, group_path)
         SELECT '2026-10-01 10:00:00', 'group_created', 'human', 'Somebody', 'page', 'group', 'long ago',
             traversal, full_path FROM groups WHERE id = {}",
        scene.acme.id
    ));
    server.sql("ANALYZE");
    assert!(server.count("audit_events", "") > 45_000);
    let asked = trail::Asked {
        group: "acme".into(),
        ..trail::Asked::default()
    };
    let text = Mutex::new(String::new());
    let queries = scene.queries_of(Actor::system(Origin::console()), |conn, ctx| {
        let mut export = audit::export::begin(conn, ctx, &asked, audit::export::Format::JsonLines)?;
        while let Some(piece) = export.next(conn, ctx)? {
            text.lock()
                .unwrap()
                .push_str(&String::from_utf8(piece).unwrap());
        }
        Ok(())
    });
    let lines = text.lock().unwrap().lines().count();
    let there = server.count(
        "audit_events",
        "group_path = 'acme' OR group_path LIKE 'acme/%'",
    );
    assert_eq!(i64::try_from(lines).unwrap(), there);
    let reading: Vec<&String> = queries
        .iter()
        .filter(|query| query.contains("ORDER BY") && query.contains("group_traversal"))
        .collect();
    assert!(reading.len() >= 3, "{queries:#?}");
    // The last window ends where the trail does.
    for query in &reading[..reading.len() - 1] {
        assert!(
            query.contains("created_at` >=") || query.contains("created_at\" >="),
            "{query}"
        );
        let plan = scene.plan(query).join("\n");
        assert!(plan.contains("audit_events_time"), "{query}\n{plan}");
    }
}

async fn tokens_of_the_instance_are_found_through_indexes(server: TestServer) {
    let scene = Scene::on(&server);
    let request = PageRequest {
        page: 1,
        per_page: 100,
    };
    let (within, somebody) = (Some("1/".to_owned()), scene.alice.id);
    let day = "2026-12-01".parse().ok();
    let query = || list::Query {
        sort: list::Sort::Id,
        descending: true,
        ..list::Query::default()
    };
    let system = || Actor::system(Origin::console());
    for (what, user_id, query) in [
        ("of somebody", Some(somebody), query()),
        (
            "of groups below one",
            None,
            list::Query {
                token_type: Some(TokenType::Group),
                within: within.clone(),
                ..query()
            },
        ),
        (
            "of projects below one",
            None,
            list::Query {
                token_type: Some(TokenType::Project),
                within: within.clone(),
                ..query()
            },
        ),
        (
            "that end soon",
            None,
            list::Query {
                state: Some(list::State::Active),
                expires_before: day,
                ..query()
            },
        ),
    ] {
        // SQLite may rather walk the tokens, newest first, than sort those of many groups.
        if query.within.is_some() && !server.is_on_postgres() {
            continue;
        }
        let queries = scene.queries_of(system(), |conn, ctx| {
            list::of_instance(conn, ctx, user_id, &query, request)
        });
        for query in queries {
            let plan = scene.plan(&query);
            let walks = walks(&plan, server.is_on_postgres());
            assert!(
                walks.is_empty(),
                "{what} walks through {walks:?}\n{query}\n{}",
                plan.join("\n")
            );
        }
    }
    // All of them begin with the newest, which the table has in order.
    for query in scene.queries_of(system(), |conn, ctx| {
        list::of_instance(conn, ctx, None, &query(), request)
    }) {
        let text = scene.plan(&query).join("\n");
        assert!(
            !text.contains("TEMP B-TREE") && !text.contains("Sort"),
            "{query}\n{text}"
        );
    }
}

async fn what_the_overview_counts_has_an_end_or_an_index(server: TestServer) {
    let scene = Scene::on(&server);
    let queries = scene.queries(admin::store::count);
    assert!(queries.len() >= 7, "{queries:#?}");
    for query in queries {
        let plan = scene.plan(&query);
        let text = plan.join("\n");
        let bounded = query.contains("LIMIT");
        // PostgreSQL reads an index alone where a vacuum has been, which it hasn't in a test.
        if query.contains("GROUP BY") && server.is_on_postgres() {
            continue;
        }
        // Of an index that holds those who wait alone, all is to be read.
        let covered = [
            "COVERING INDEX",
            "Index Only Scan",
            "users_approval_requested_at",
        ]
        .iter()
        .any(|words| text.contains(words));
        let walks = walks(&plan, server.is_on_postgres());
        assert!(
            bounded || covered || walks.is_empty(),
            "walks through {walks:?}\n{query}\n{text}"
        );
        // Not from the accounts to the tokens.
        if query.contains("access_tokens") {
            assert!(!walks.contains(&"users".to_owned()), "{query}\n{text}");
        }
    }
}

on_both!(a_walk_is_recognised_as_one);

/// The test of the test: what has no index is told.
async fn a_walk_is_recognised_as_one(server: TestServer) {
    let scene = Scene::on(&server);
    let plan = scene.plan("SELECT id FROM users WHERE name = 'Alice'");
    assert_eq!(walks(&plan, server.is_on_postgres()), ["users"], "{plan:?}");
}
