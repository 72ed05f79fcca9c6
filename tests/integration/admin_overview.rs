//! What administrators see first.

use chrono::TimeDelta;
use latchkey::jobs::Job;

use crate::crowd::add_tokens;
use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![
    who_waits_for_approval_is_counted_and_takes_no_seat,
    open_sign_up_comes_with_advice,
    what_failed_is_listed_until_it_is_put_right,
    mails_that_wait_do_not_hide_those_that_were_refused,
    many_tokens_are_not_counted_to_the_end,
    it_tells_how_the_system_is,
    everybody_else_finds_nothing,
];

async fn who_waits_for_approval_is_counted_and_takes_no_seat(server: TestServer) {
    let browser = server.person("root").admin().create().signs_in().await;
    server.person("carol").create().block();
    assert!(!browser.open("/admin").await.has("pending-people"));
    for who in ["eve", "adam"] {
        server.person(who).create();
        server.sql(&format!(
            "UPDATE users SET state = 'blocked', approval_requested_at = created_at WHERE username = '{who}'"
        ));
    }
    let page = browser.open("/admin").await;
    assert!(
        page.part("pending-people")
            .unwrap()
            .says("2 people signed up and wait for approval.")
    );
    assert_eq!(page.part("billable-users").unwrap().text(), "1");
    assert!(page.says("Blocked people 1") && page.says("People who wait for approval 2"));
}

async fn open_sign_up_comes_with_advice(server: TestServer) {
    let root = server.person("root").admin().create();
    let browser = root.signs_in().await;
    server.group("acme").owner(&root).create();
    server.set("signup_enabled", "true");
    assert!(!browser.open("/admin").await.has("advice"));
    server.set("require_admin_approval_after_user_signup", "false");
    assert!(browser.open("/admin").await.has("advice"));
}

async fn what_failed_is_listed_until_it_is_put_right(server: TestServer) {
    let browser = server.person("root").admin().create().signs_in().await;
    assert!(browser.open("/admin").await.says("Nothing has failed."));
    server.run_job(Job::CleanUp).await;
    server.sql("UPDATE job_runs SET outcome = 'failed', error = 'the disk is full'");
    let page = browser.open("/admin").await;
    let rows = page.rows("failures");
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0][0].as_str(), rows[0][2].as_str()),
        ("Job clean-up", "the disk is full")
    );
    assert!(page.says("Failed: clean-up"));
    server.clock.advance(TimeDelta::minutes(1));
    server.run_job(Job::CleanUp).await;
    let page = browser.open("/admin").await;
    assert!(page.says("Nothing has failed.") && page.says("The last run of each went well"));
}

async fn mails_that_wait_do_not_hide_those_that_were_refused(server: TestServer) {
    let root = server.person("root").admin().create();
    let browser = root.signs_in().await;
    let put = |key: &str, state: &str, settled: &str| {
        server.sql(&format!(
            "INSERT INTO emails (key, kind, user_id, state, due_at, created_at, settled_at, last_error)
             SELECT '{key}', 'token_created', id, '{state}', created_at, created_at, {settled}, 'no such mailbox'
             FROM users WHERE id = {}",
            root.id
        ));
    };
    put("first", "refused", "created_at");
    for number in 0..60 {
        put(&format!("later{number}"), "waiting", "NULL");
    }
    let page = browser.open("/admin").await;
    let rows = page.rows("failures");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(
        (rows[0][0].as_str(), rows[0][2].as_str()),
        ("Mail: token created", "no such mailbox")
    );
}

async fn many_tokens_are_not_counted_to_the_end(server: TestServer) {
    let browser = server.person("root").admin().create().signs_in().await;
    let acme = server.group("acme").create();
    add_tokens(&server, &acme, 10_000);
    assert!(browser.open("/admin").await.says("Active tokens 10,000"));
    add_tokens(&server, &acme, 1);
    assert!(browser.open("/admin").await.says("Active tokens 10,000+"));
    // Accounts are, for seats go by them; bots that are gone don't count.
    server.sql("UPDATE users SET bot_gone_at = created_at WHERE username LIKE 'crowd%x1'");
    let page = browser.open("/admin").await;
    assert!(page.says("Bots of access tokens 9,999"), "{}", page.main());
}

async fn it_tells_how_the_system_is(server: TestServer) {
    let browser = server.person("root").admin().create().signs_in().await;
    let page = browser.open("/admin").await;
    assert!(page.says("Offering self-managed") && page.says("None has run yet"));
    assert!(page.says("0 waiting, 0 refused"));
    let database = if server.is_on_postgres() {
        "PostgreSQL"
    } else {
        "SQLite"
    };
    assert!(page.says(&format!("Database {database}")));
    server.group("acme").create().token("ci").create();
    assert!(browser.open("/admin").await.says("Active tokens 1"));
}

async fn everybody_else_finds_nothing(server: TestServer) {
    let alice = server.person("alice").create().signs_in().await;
    alice.get("/admin").await.expect(404);
    server.visitor().get("/admin").await.expect(302);
}
