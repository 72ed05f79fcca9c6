//! A session begins under a new id, and has more than one end.

use std::collections::HashMap;

use actix_session::SessionExt as _;
use actix_session::storage::SessionStore as _;
use actix_web::test::TestRequest;
use chrono::TimeDelta;
use latchkey::actor::Origin;
use latchkey::sessions::cookie::{DatabaseSessions, begin};
use latchkey::sessions::person::Admitted;
use latchkey::sessions::sign_in::sign_in;
use latchkey::users;
use latchkey::users::edit::PersonChanges;
use latchkey::users::password::{Password, hash};

use crate::on_both;
use crate::support::{PASSWORD, TestServer, Visitor, storage::Storage};

on_both![
    signing_in_begins_a_session_under_a_new_id,
    an_id_that_somebody_planted_is_not_taken_over,
    people_are_known_by_name_and_address_in_any_case,
    a_password_counts_to_the_last_blank,
    signing_out_ends_the_session_for_every_copy_of_its_cookie,
    a_link_does_not_sign_anybody_out,
    a_session_ends_after_a_week_without_a_request,
    a_session_ends_after_a_month_whatever_happens,
    how_long_a_session_lasts_is_a_setting_that_holds_at_once,
    a_shorter_life_holds_for_sessions_that_there_are,
    remembering_is_a_matter_of_the_cookie_alone,
    a_blocked_person_is_signed_out_and_not_told_why,
    a_new_password_ends_every_session,
    a_session_does_not_begin_with_a_password_of_before,
    the_cookie_tells_nothing_and_stays_at_home,
];

const COOKIE: &str = "latchkey_session";

async fn signing_in_begins_a_session_under_a_new_id(server: TestServer) {
    server.person("alice").create();
    let visitor = server.visitor();
    visitor.open("/users/sign_in").await;
    let before = visitor
        .session_cookie()
        .expect("the form has a secret of its own");

    let answer = visitor.sign_in("alice", PASSWORD).await.expect(303);
    assert_eq!(answer.location(), "/");
    assert_eq!(answer.header("cache-control"), "no-store");
    let after = visitor.session_cookie().unwrap();
    assert_ne!(after, before);
    assert!(visitor.is_signed_in().await);
    assert!(
        !Visitor::with_cookie(&server, COOKIE, &before)
            .is_signed_in()
            .await
    );

    // Each sign-in is a session of its own.
    let elsewhere = server.visitor();
    elsewhere.sign_in("alice", PASSWORD).await.expect(303);
    assert_ne!(elsewhere.session_cookie().unwrap(), after);
}

async fn an_id_that_somebody_planted_is_not_taken_over(server: TestServer) {
    server.person("alice").create();
    let planted = "a".repeat(64);
    let victim = Visitor::with_cookie(&server, COOKIE, &planted);
    victim.sign_in("alice", PASSWORD).await.expect(303);
    assert_ne!(victim.session_cookie().unwrap(), planted);
    assert!(
        !Visitor::with_cookie(&server, COOKIE, &planted)
            .is_signed_in()
            .await
    );

    // An attacker's own pre-session, put into the victim's browser, does not become the victim's session.
    let attacker = server.visitor();
    attacker.open("/users/sign_in").await;
    let lent = attacker.session_cookie().unwrap();
    let victim = Visitor::with_cookie(&server, COOKIE, &lent);
    victim.sign_in("alice", PASSWORD).await.expect(303);
    assert!(!attacker.is_signed_in().await);
}

async fn people_are_known_by_name_and_address_in_any_case(server: TestServer) {
    server.person("alice").create();
    for login in ["alice", "ALICE", "alice@example.com", "Alice@Example.COM"] {
        let visitor = server.visitor();
        visitor.sign_in(login, PASSWORD).await.expect(303);
        assert!(
            visitor
                .get("/dashboard/groups")
                .await
                .expect(200)
                .page()
                .says("@alice"),
            "{login}"
        );
    }
}

async fn a_password_counts_to_the_last_blank(server: TestServer) {
    server.person("alice").create();
    let spaced = format!("  {PASSWORD} ");
    set_password(&server, "alice", &spaced);
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(422);
    server
        .visitor()
        .sign_in("alice", spaced.trim_end())
        .await
        .expect(422);
    server.visitor().sign_in("alice", &spaced).await.expect(303);
}

async fn signing_out_ends_the_session_for_every_copy_of_its_cookie(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let elsewhere = alice.signs_in().await;
    let thief = browser.copied();
    assert!(thief.is_signed_in().await);

    let answer = browser.sign_out().await.expect(303);
    assert_eq!(answer.header("clear-site-data"), r#""cache", "storage""#);
    let answer = thief.get("/dashboard/groups").await.expect(302);
    assert_eq!(
        answer.location(),
        "/users/sign_in?redirect_to=/dashboard/groups"
    );
    assert!(!browser.is_signed_in().await);
    assert!(elsewhere.is_signed_in().await, "another browser goes on");
    assert_eq!(server.count("sessions", ""), 1);
}

async fn a_link_does_not_sign_anybody_out(server: TestServer) {
    let browser = server.person("alice").create().signs_in().await;
    for path in [
        "/users/sign_out",
        "/users/sign_out?_method=post",
        "/users/sign_out?_method=delete",
    ] {
        let answer = browser.get(path).await;
        assert!(
            matches!(answer.status, 404 | 405),
            "{path}: {}",
            answer.status
        );
        assert!(browser.is_signed_in().await, "{path}");
    }
}

async fn a_session_ends_after_a_week_without_a_request(server: TestServer) {
    let browser = server.person("alice").create().signs_in().await;
    let nearly = TimeDelta::days(7) - TimeDelta::minutes(1);
    server.clock.advance(nearly);
    assert!(browser.is_signed_in().await);
    server.clock.advance(nearly);
    assert!(browser.is_signed_in().await, "each request counts");
    server.clock.advance(TimeDelta::days(7));
    browser.get("/dashboard/groups").await.expect(302);
    assert!(!browser.is_signed_in().await);
}

async fn a_session_ends_after_a_month_whatever_happens(server: TestServer) {
    let browser = server.person("alice").create().signs_in().await;
    for _ in 0..5 {
        server
            .clock
            .advance(TimeDelta::days(6) - TimeDelta::seconds(1));
        assert!(browser.is_signed_in().await);
    }
    server.clock.advance(TimeDelta::seconds(5));
    assert!(!browser.is_signed_in().await);

    // A clock that is put back doesn't wake it.
    let browser = server.person("bob").create().signs_in().await;
    for _ in 0..5 {
        server.clock.advance(TimeDelta::days(6));
        browser.get("/dashboard/groups").await;
    }
    assert!(!browser.is_signed_in().await);
}

async fn how_long_a_session_lasts_is_a_setting_that_holds_at_once(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    server.clock.advance(TimeDelta::days(2));
    assert!(browser.is_signed_in().await);
    server.clock.advance(TimeDelta::days(2));
    server.set("session_idle_days", "1");
    assert!(!browser.is_signed_in().await);

    server.set("session_idle_days", "7");
    server.set("session_absolute_days", "3");
    let browser = alice.signs_in().await;
    server.clock.advance(TimeDelta::days(2));
    assert!(browser.is_signed_in().await);
    server.clock.advance(TimeDelta::days(1));
    assert!(!browser.is_signed_in().await);
}

async fn a_shorter_life_holds_for_sessions_that_there_are(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    for _ in 0..2 {
        server.clock.advance(TimeDelta::days(5));
        assert!(browser.is_signed_in().await);
    }
    server.set("session_absolute_days", "7");
    assert!(!browser.is_signed_in().await);
    let id = alice.id;
    let living = server.arrange(move |conn, ctx| {
        let settings = &ctx.policy.settings;
        latchkey::sessions::store::living_of(conn, id, ctx.now, settings, 50)
    });
    assert!(living.is_empty());
    // A longer one gives none of them more time than they were told.
    server.set("session_absolute_days", "60");
    assert!(browser.is_signed_in().await);
    server.set("session_absolute_days", "7");
    server.run_job(latchkey::jobs::Job::CleanUp).await;
    assert_eq!(server.count("sessions", ""), 0);
}

async fn remembering_is_a_matter_of_the_cookie_alone(server: TestServer) {
    server.person("alice").create();
    let cookie_after = async |remember: bool| {
        let visitor = server.visitor();
        let form = visitor.open("/users/sign_in").await.form("/users/sign_in");
        assert!(
            form.unticked
                .iter()
                .any(|(name, _)| name == "user[remember_me]"),
            "not ticked beforehand"
        );
        let form = form
            .fill("user[login]", "alice")
            .fill("user[password]", PASSWORD);
        let form = if remember {
            form.tick("user[remember_me]", "1")
        } else {
            form
        };
        let answer = visitor.submit(&form).await.expect(303);
        let cookies = answer.all("set-cookie").join("\n").to_ascii_lowercase();
        (visitor, cookies)
    };

    let (_, forgotten) = cookie_after(false).await;
    assert!(
        !forgotten.contains("max-age") && !forgotten.contains("expires"),
        "{forgotten}"
    );
    let (browser, remembered) = cookie_after(true).await;
    assert!(
        remembered.contains("max-age=2592000"),
        "30 days: {remembered}"
    );

    // A cookie that is kept keeps no session alive.
    server.clock.advance(TimeDelta::days(7));
    assert!(!browser.is_signed_in().await);
}

async fn a_blocked_person_is_signed_out_and_not_told_why(server: TestServer) {
    let carol = server.person("carol").create();
    let browser = carol.signs_in().await;
    carol.block();
    let answer = browser.get("/dashboard/groups").await.expect(302);
    assert!(
        answer.location().starts_with("/users/sign_in"),
        "{}",
        answer.location()
    );
    let page = browser.follow("/dashboard/groups").await.expect(200).page();
    assert!(
        !page.text().to_lowercase().contains("block"),
        "{}",
        page.text()
    );
    // Not even a form that was open before does anything.
    browser
        .post_without_token("/groups", &[("group[name]", "x"), ("group[path]", "x")])
        .await;
    assert_eq!(server.count("groups", "path = 'x'"), 0);
}

async fn a_new_password_ends_every_session(server: TestServer) {
    let alice = server.person("alice").create();
    let (one, two) = (alice.signs_in().await, alice.signs_in().await);
    set_password(&server, "alice", "another horse that eats batteries");
    assert!(!one.is_signed_in().await);
    assert!(!two.is_signed_in().await);
}

async fn the_cookie_tells_nothing_and_stays_at_home(server: TestServer) {
    let url = "https://latchkey.example";
    for (external_url, name, secure) in [
        (None, COOKIE, false),
        (Some(url), "__Host-latchkey_session", true),
    ] {
        let storage = if server.is_on_postgres() {
            Storage::postgres().unwrap()
        } else {
            Storage::sqlite()
        };
        let server = TestServer::under(storage, external_url);
        server.person("alice").create();
        let visitor = server.visitor();
        let before = visitor.get("/users/sign_in").await.expect(200);
        let form = before.page().form("/users/sign_in");
        let form = form
            .fill("user[login]", "alice")
            .fill("user[password]", PASSWORD);
        let after = visitor.submit(&form).await.expect(303);
        for (when, answer) in [("before", before), ("after", after)] {
            let line = answer
                .all("set-cookie")
                .into_iter()
                .find(|line| line.starts_with(&format!("{name}=")));
            let line = line
                .unwrap_or_else(|| panic!("{when} signing in there is no {name}"))
                .to_owned();
            let (value, attributes) = line.split_once('=').unwrap().1.split_once(';').unwrap();
            let attributes: Vec<String> = attributes
                .split(';')
                .map(|part| part.trim().to_ascii_lowercase())
                .collect();
            for attribute in ["httponly", "samesite=lax", "path=/"] {
                assert!(
                    attributes.iter().any(|part| part == attribute),
                    "{when}: {attribute} in {line}"
                );
            }
            assert_eq!(
                attributes.iter().any(|part| part == "secure"),
                secure,
                "{when}: {line}"
            );
            assert!(
                !attributes.iter().any(|part| part.starts_with("domain")),
                "{when}: {line}"
            );
            assert!(line.len() < 4096, "{when}");
            // 128 random bits take 22 characters of Base64; ours take more.
            assert!(value.len() >= 22, "{when}: {value}");
            assert!(!line.to_lowercase().contains("alice"), "{when}: {line}");
        }
    }
}

fn set_password(server: &TestServer, username: &'static str, password: &str) {
    let changes = PersonChanges {
        password_hash: Some(hash(&Password::new(password), &mut rand::rng()).unwrap()),
        ..PersonChanges::default()
    };
    server.arrange(move |conn, ctx| {
        let user = users::store::find_by_username(conn, username)?.unwrap();
        users::edit::edit(conn, ctx, user.id, &changes).map(|_| ())
    });
}

/// What the library does at the end of a request that has signed somebody in.
async fn keep(server: &TestServer, admitted: &Admitted) -> String {
    let session = TestRequest::default().to_srv_request().get_session();
    begin(&session, admitted, &Origin::console()).unwrap();
    let state: HashMap<String, String> = session.entries().clone().into_iter().collect();
    let sessions = DatabaseSessions::new(server.app.clone());
    let age = actix_web::cookie::time::Duration::days(1);
    let key = sessions.save(state, &age).await.unwrap();
    key.as_ref().to_owned()
}

async fn a_session_does_not_begin_with_a_password_of_before(server: TestServer) {
    server.person("alice").create();
    let ctx = server.arrange(|_, ctx| Ok(ctx.clone()));
    let admit = async |password: &str| {
        let password = Password::new(password);
        sign_in(&server.app, &ctx, "alice", password).await.unwrap()
    };
    let admitted = admit(PASSWORD).await;
    keep(&server, &admitted).await;
    assert_eq!(server.count("sessions", ""), 1);
    assert_eq!(server.count("sessions", "state LIKE '%password%'"), 0);
    // Between the password's check and the session's beginning it becomes another one.
    set_password(&server, "alice", "another horse of another colour");
    assert_eq!(server.count("sessions", ""), 0);
    let key = keep(&server, &admitted).await;
    assert!(key.starts_with('p'), "a session of nobody: {key}");
    assert_eq!(server.count("sessions", ""), 0);

    let admitted = admit("another horse of another colour").await;
    server.sql("UPDATE users SET state = 'blocked' WHERE username = 'alice'");
    keep(&server, &admitted).await;
    assert_eq!(server.count("sessions", ""), 0);
    server.sql("UPDATE users SET state = 'active' WHERE username = 'alice'");
    keep(&server, &admitted).await;
    assert_eq!(server.count("sessions", ""), 1);
}
