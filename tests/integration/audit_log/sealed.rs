//! What was written stays, and what can't be written down isn't done.

use latchkey::access_tokens::scope::Scope;
use latchkey::jobs::Job;
use latchkey::members::AccessLevel;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Company, PASSWORD, TestResource, TestServer},
};

on_both!(
    no_event_is_taken_out_or_changed,
    counting_a_refusal_again_is_the_only_change,
    an_event_outlives_what_it_speaks_of,
    what_cannot_be_written_down_is_not_done,
    a_job_that_cannot_write_it_down_changes_nothing,
);

async fn no_event_is_taken_out_or_changed(server: TestServer) {
    server.group("acme").create();
    let before = server.count("audit_events", "");
    assert!(before > 0);
    let mut statements = vec![
        "DELETE FROM audit_events".to_owned(),
        "UPDATE audit_events SET occurrences = 0".to_owned(),
        "UPDATE audit_events SET occurrences = occurrences".to_owned(),
        "UPDATE audit_events SET id = id + 1000".to_owned(),
        "UPDATE audit_events SET created_at = '2020-01-01 00:00:00', occurrences = 2".to_owned(),
        "UPDATE audit_events SET actor_id = 77, occurrences = 2".to_owned(),
        "UPDATE audit_events SET target_id = NULL, occurrences = 2".to_owned(),
    ];
    for column in [
        "event",
        "actor_name",
        "channel",
        "ip",
        "user_agent",
        "request_id",
        "target_kind",
        "target_name",
        "group_traversal",
        "group_path",
        "details",
        "refusal_key",
    ] {
        statements.push(format!(
            "UPDATE audit_events SET {column} = 'x', occurrences = occurrences + 1"
        ));
    }
    if server.is_on_postgres() {
        statements.push("TRUNCATE audit_events".into());
    }
    for statement in statements {
        let refused = server.try_sql(&statement).unwrap_err();
        assert!(refused.contains("audit events"), "{statement}: {refused}");
    }
    assert_eq!(server.count("audit_events", ""), before);
    assert_eq!(server.count("audit_events", "occurrences = 1"), before);
}

async fn counting_a_refusal_again_is_the_only_change(server: TestServer) {
    let visitor = server.visitor();
    for _ in 0..3 {
        visitor.sign_in("nobody", "not this one").await.expect(422);
    }
    assert_eq!(server.the_event("user_sign_in_failed").occurrences, 3);
    server.clock.advance(chrono::TimeDelta::minutes(11));
    visitor.sign_in("nobody", "not this one").await.expect(422);
    let found = server.events("user_sign_in_failed");
    let counted: Vec<i64> = found.iter().map(|event| event.occurrences).collect();
    assert_eq!(counted, [1, 3]);
}

async fn an_event_outlives_what_it_speaks_of(server: TestServer) {
    let company = Company::on(&server);
    company.acme.token("ci").create();
    let before = server.count("audit_events", "");
    let root = company.root.api();
    root.delete(&format!("/groups/{}", company.acme.id))
        .await
        .expect(202);
    root.delete(&format!("/users/{}", company.bob.id))
        .await
        .expect(204);
    server.rest().await;
    assert!(server.count("audit_events", "") > before);
    assert_eq!(server.the_event("user_deleted").target_name, "bob");
    let gone = server.the_event("group_deleted");
    assert!(gone.details.contains("\"bots\":1"), "{}", gone.details);
    assert_eq!(
        server.count(
            "audit_events",
            "target_name = 'bob' AND event = 'user_created'"
        ),
        1
    );
}

/// From now on nothing can be written to the trail.
fn jam(server: &TestServer) {
    if server.is_on_postgres() {
        server.sql(
            "CREATE FUNCTION jam() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the trail is jammed'; END $$",
        );
        server.sql(
            "CREATE TRIGGER jam BEFORE INSERT OR UPDATE ON audit_events
             FOR EACH ROW EXECUTE FUNCTION jam()",
        );
    } else {
        for what in ["INSERT", "UPDATE"] {
            server.sql(&format!(
                "CREATE TRIGGER jam_{what} BEFORE {what} ON audit_events
                 BEGIN SELECT RAISE(ABORT, 'the trail is jammed'); END"
            ));
        }
    }
}

/// Everything that people can change, as one text.
fn state(server: &TestServer) -> String {
    use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        row: String,
    }
    let tables: [(&str, &str); 12] = [
        (
            "users",
            "id, username, name, email, state, admin, external, password_hash, bot_gone_at",
        ),
        (
            "groups",
            "id, name, path, visibility, traversal, resource_access_token_creation_allowed",
        ),
        ("projects", "id, name, path, visibility, group_id, archived"),
        ("memberships", "id, access_level, expires_at"),
        ("access_tokens", "id, name, revoked, previous_token_id"),
        ("settings", "key, value"),
        ("feature_flags", "name, enabled"),
        ("webhooks", "id, name, url"),
        ("emails", "id, state"),
        ("jobs", "name, requested"),
        ("access_token_uses", "token_id, ips"),
        ("audit_events", "id, event, occurrences"),
    ];
    let mut all = String::new();
    for (table, columns) in tables {
        let texts: Vec<String> = columns
            .split(", ")
            .map(|column| format!("coalesce(CAST({column} AS text), '-')"))
            .collect();
        let query = format!(
            "SELECT {} AS \"row\" FROM {table} ORDER BY 1",
            texts.join(" || '|' || ")
        );
        let rows: Vec<Row> = server.arrange(move |conn, _| {
            let rows = match conn {
                latchkey::db::DbConnection::Sqlite(conn) => sql_query(&query).load(conn),
                latchkey::db::DbConnection::Postgres(conn) => sql_query(&query).load(conn),
            };
            Ok(rows.unwrap_or_else(|error| panic!("{query}: {error}")))
        });
        all.push_str(&format!("== {table}\n"));
        for row in rows {
            all.push_str(&row.row);
            all.push('\n');
        }
    }
    all
}

async fn what_cannot_be_written_down_is_not_done(server: TestServer) {
    let company = Company::on(&server);
    let (acme, p1) = (&company.acme, &company.p1);
    let token = acme.token("ci").create();
    let of_project = p1.token("ci").create();
    let hook = acme.webhook("pager", "https://hooks.example.com/a");
    let own = company.root.personal_token([Scope::Api]);
    let root = own.api();
    let browser = company.root.signs_in().await;
    let own_id = own.id;
    let member = company.bob.id;
    let spare = company.frank.personal_token([Scope::Api]);
    // The session's page before the jam, so that its form is at hand.
    let form = browser.authenticity_token().await;
    jam(&server);
    let before = state(&server);

    let day = server.days_ahead(20);
    let group = format!("/groups/{}", acme.id);
    let sub = format!("/groups/{}", company.sub.id);
    let project = format!("/projects/{}", p1.id);
    let new =
        || json!({ "name": "n", "scopes": ["read_api"], "access_level": 10, "expires_at": day });
    let calls: Vec<(Method, String, Value)> = vec![
        (
            Method::POST,
            "/groups".into(),
            json!({ "name": "g", "path": "g" }),
        ),
        (Method::PUT, group.clone(), json!({ "name": "changed" })),
        (Method::PUT, group.clone(), json!({ "path": "elsewhere" })),
        (
            Method::PUT,
            group.clone(),
            json!({ "resource_access_token_creation_allowed": false }),
        ),
        (Method::POST, format!("{sub}/transfer"), Value::Null),
        (Method::DELETE, sub.clone(), Value::Null),
        (
            Method::POST,
            "/projects".into(),
            json!({ "name": "p", "namespace_id": acme.id }),
        ),
        (Method::PUT, project.clone(), json!({ "name": "changed" })),
        (Method::PUT, project.clone(), json!({ "path": "elsewhere" })),
        (
            Method::PUT,
            format!("{project}/transfer"),
            json!({ "namespace": company.other.id }),
        ),
        (Method::DELETE, project.clone(), Value::Null),
        (
            Method::POST,
            format!("{group}/members"),
            json!({ "user_id": company.frank.id, "access_level": 30 }),
        ),
        (
            Method::PUT,
            format!("{group}/members/{member}"),
            json!({ "access_level": 20 }),
        ),
        (
            Method::PUT,
            format!("{group}/members/{member}"),
            json!({ "access_level": 40, "expires_at": day }),
        ),
        (
            Method::DELETE,
            format!("{group}/members/{member}"),
            Value::Null,
        ),
        (Method::POST, format!("{group}/access_tokens"), new()),
        (
            Method::POST,
            format!("{group}/access_tokens"),
            json!({ "name": "n", "scopes": ["nonsense_x"], "access_level": 10 }),
        ),
        (Method::POST, format!("{project}/access_tokens"), new()),
        (
            Method::POST,
            format!("{group}/access_tokens/{}/rotate", token.id),
            Value::Null,
        ),
        (
            Method::POST,
            format!("{project}/access_tokens/{}/rotate", of_project.id),
            Value::Null,
        ),
        (
            Method::DELETE,
            format!("{group}/access_tokens/{}", token.id),
            Value::Null,
        ),
        (
            Method::DELETE,
            format!("{project}/access_tokens/{}", of_project.id),
            Value::Null,
        ),
        (
            Method::DELETE,
            format!("/personal_access_tokens/{}", spare.id),
            Value::Null,
        ),
        (
            Method::POST,
            format!("/personal_access_tokens/{}/rotate", spare.id),
            Value::Null,
        ),
        (
            Method::POST,
            "/personal_access_tokens/self/rotate".into(),
            Value::Null,
        ),
        (
            Method::DELETE,
            "/personal_access_tokens/self".into(),
            Value::Null,
        ),
        (
            Method::POST,
            format!("/users/{}/personal_access_tokens", company.frank.id),
            json!({ "name": "n", "scopes": ["api"] }),
        ),
        (
            Method::POST,
            "/user/personal_access_tokens".into(),
            json!({ "name": "n", "scopes": ["k8s_proxy"] }),
        ),
        (
            Method::POST,
            "/users".into(),
            json!({ "username": "new", "email": "new@example.com", "name": "New", "password": PASSWORD }),
        ),
        (
            Method::PUT,
            format!("/users/{}", company.frank.id),
            json!({ "name": "Other" }),
        ),
        (
            Method::PUT,
            format!("/users/{}", company.frank.id),
            json!({ "username": "other2" }),
        ),
        (
            Method::PUT,
            format!("/users/{}", company.frank.id),
            json!({ "admin": true }),
        ),
        (
            Method::POST,
            format!("/users/{}/block", company.frank.id),
            Value::Null,
        ),
        (
            Method::DELETE,
            format!("/users/{}", company.frank.id),
            Value::Null,
        ),
    ];
    for (method, path, body) in calls {
        let answer = root.send(method.clone(), &path, body.clone()).await;
        // What is wrong in itself is refused before anything has to be written down.
        let refused = body["scopes"] == json!(["nonsense_x"]) && answer.status == 400;
        assert!(
            refused || answer.status == 500,
            "{method} {path} {body}: {}",
            answer.status
        );
        assert_eq!(state(&server), before, "{method} {path} {body}");
    }

    let tokens = format!("{}/{}", acme.page("settings/access_tokens"), token.id);
    let posts: Vec<(String, Vec<(&str, String)>)> = vec![
        (format!("{tokens}/revoke"), vec![("_method", "put".into())]),
        (
            "/admin/credentials/revoke".into(),
            vec![("ids", token.id.to_string()), ("ids", spare.id.to_string())],
        ),
        (
            "/admin/background_jobs".into(),
            vec![("act", "run".into()), ("job", "clean-up".into())],
        ),
        (format!("{}/{}/delete", acme.page("hooks"), hook.id), vec![]),
        (
            format!("{}/{member}", acme.page("group_members")),
            vec![("member[access_level]", "20".into())],
        ),
        (
            format!("{}/{member}/remove", acme.page("group_members")),
            vec![],
        ),
        ("/users/sign_out".into(), vec![]),
    ];
    for (path, fields) in posts {
        let mut all = vec![("authenticity_token", form.as_str())];
        all.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = browser.post_without_token(&path, &all).await;
        assert_eq!(answer.status, 500, "{path}: {}", answer.page().main());
        assert_eq!(state(&server), before, "{path}");
    }
    // Nor is anybody let in, or a file handed out, of which nothing would be known.
    let visitor = server.visitor();
    assert_eq!(visitor.sign_in("frank", PASSWORD).await.status, 500);
    assert_eq!(browser.get("/admin/audit_logs.csv").await.status, 500);
    let settings = server.attempt_as(company.root.actor(), |conn, ctx| {
        latchkey::settings::change::set(conn, ctx, "session_idle_days", "3").map(|_| ())
    });
    assert!(settings.is_err());
    let flag = server.attempt_as(company.root.actor(), |conn, ctx| {
        latchkey::settings::switch::switch(
            conn,
            ctx,
            "retain_resource_access_token_user_after_revoke",
            true,
        )
    });
    assert!(flag.is_err());
    assert_eq!(state(&server), before);
    // What changes nothing goes on.
    root.get(&group).await.expect(200);
    browser.open("/admin/audit_logs").await;
    root.get(&format!("/personal_access_tokens/{own_id}"))
        .await
        .expect(200);
}

async fn a_job_that_cannot_write_it_down_changes_nothing(server: TestServer) {
    let acme = server.group("acme").create();
    let ann = server.person("ann").create();
    // The jobs have their rows from the first run of any.
    server.run_job(Job::CleanUp).await;
    acme.member_until(&ann, AccessLevel::Developer, "2026-11-25");
    acme.token("ci").expires("2026-11-25").create();
    server
        .clock
        .set(crate::support::server::moment("2026-11-25T00:10:00Z"));
    jam(&server);
    let before = state(&server);
    let failed = latchkey::jobs::run::by_hand(
        &server.app,
        Job::ExpiredMemberships,
        None,
        std::time::Duration::ZERO,
    )
    .await;
    assert!(failed.is_err());
    assert_eq!(state(&server), before);
}
