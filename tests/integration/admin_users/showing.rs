//! A person's page, and their sessions.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use super::{find, is_in, told};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_persons_page_shows_all_that_is_theirs_and_no_value,
    a_person_is_found_in_any_case_and_whatever_they_are_called,
    older_events_are_in_the_audit_log,
    one_session_is_ended_and_the_others_go_on,
    all_sessions_are_ended_at_once,
    an_ended_session_is_not_shown,
];

async fn a_persons_page_shows_all_that_is_theirs_and_no_value(server: TestServer) {
    let c = Company::on(&server);
    c.p9.member(&c.bob, AccessLevel::Reporter);
    let token = c.bob.personal_token([Scope::ReadApi]);
    c.bob.signs_in().await;
    let browser = c.root.signs_in().await;
    let page = browser.open("/admin/users/bob").await;
    for text in ["Bob", "@bob", "bob@example.com", "Takes a seat"] {
        assert!(page.says(text), "{text}");
    }
    let roles = page.rows("roles");
    assert_eq!(roles.len(), 2);
    assert!(roles[0][0].contains("other/p9") && roles[0][1] == "Reporter");
    assert!(roles[1][0].contains("acme") && roles[1][1] == "Maintainer");
    assert!(page.links_to("/groups/acme/-/group_members"));
    assert!(page.links_to("/other/p9/-/project_members"));
    let tokens = page.rows("tokens");
    assert_eq!(tokens.len(), 1);
    assert!(tokens[0][0].contains("bob's script") && tokens[0][1] == "read_api");
    assert!(tokens[0][2].contains("Active"));
    assert!(!page.html.contains(&token.value), "a value is shown once");
    assert!(!page.html.contains("$argon2"));
    let sessions = page.part("sessions").unwrap().text();
    assert!(sessions.contains("127.0.0.1"), "{sessions}");
    let events: Vec<String> = page
        .rows("events")
        .into_iter()
        .map(|mut row| row.remove(0))
        .collect();
    assert!(events.contains(&"Signed in".into()), "{events:?}");
    assert!(events.contains(&"Account created".into()), "{events:?}");
    // About somebody without anything it says so.
    let frank = browser.open("/admin/users/frank").await;
    assert!(frank.says("No role in any group or project."));
    assert!(frank.says("No personal access tokens.") && frank.says("Not signed in anywhere."));
}

async fn a_person_is_found_in_any_case_and_whatever_they_are_called(server: TestServer) {
    let root = server.person("root").admin().create();
    for name in ["new", "2026", "a.b-c_d"] {
        server.person(name).create();
    }
    let browser = root.signs_in().await;
    let list = browser.open("/admin/users").await;
    for (name, path) in [
        ("new", "/admin/users/NEW"),
        ("2026", "/admin/users/2026"),
        ("a.b-c_d", "/admin/users/a.b-c_d"),
    ] {
        assert!(list.links_to(path), "{:?}", list.links());
        let page = browser.open(path).await;
        assert!(page.says(&format!("@{name}")), "{path}");
        browser.open(&format!("{path}/edit")).await;
    }
    assert!(browser.open("/admin/users/new").await.says("New user"));
    for nobody in ["nobody", "%00", "%0a", "%ff", "1"] {
        browser
            .get(&format!("/admin/users/{nobody}"))
            .await
            .expect(404);
    }
    browser.get("/admin/users/root/promote").await.expect(404);
}

async fn older_events_are_in_the_audit_log(server: TestServer) {
    let root = server.person("root").admin().create();
    let ann = server.person("ann").create();
    for _ in 0..12 {
        ann.block();
        let whom = latchkey::users::store::UserRef::Id(ann.id);
        server.arrange(move |conn, ctx| latchkey::users::state::unblock(conn, ctx, &whom));
    }
    let browser = root.signs_in().await;
    let page = browser.open("/admin/users/ann").await;
    assert_eq!(page.rows("events").len(), 20);
    for (link, events) in [
        (
            format!("/admin/audit_logs?target_kind=user&target={}", ann.id),
            25,
        ),
        (format!("/admin/audit_logs?actor={}", ann.id), 0),
    ] {
        assert!(page.links_to(&link), "{link}");
        assert_eq!(
            browser.open(&link).await.rows("events").len(),
            events,
            "{link}"
        );
    }
}

async fn one_session_is_ended_and_the_others_go_on(server: TestServer) {
    let c = Company::on(&server);
    let (laptop, other) = (c.bob.signs_in().await, c.alice.signs_in().await);
    server.clock.advance(chrono::TimeDelta::minutes(10));
    let phone = c.bob.signs_in().await;
    let browser = c.root.signs_in().await;
    let page = browser.open("/admin/users/bob").await;
    let sessions: Vec<String> = session_ids(&page.html);
    assert_eq!(sessions.len(), 2);
    // The last used one is on top.
    let path = "/admin/users/bob/sessions";
    browser
        .post(path, &[("session", &sessions[0])])
        .await
        .expect(303);
    assert!(!is_in(&phone).await);
    assert!(is_in(&laptop).await && is_in(&other).await);
    assert_eq!(told(&server, "user_session_revoked", c.bob.id), 1);
    // Again, or one of somebody else: nothing to end, nothing to tell.
    browser
        .post(path, &[("session", &sessions[0])])
        .await
        .expect(303);
    let page = browser.open("/admin/users/bob").await;
    assert!(page.says("That session had ended already."));
    let of_alice = session_ids(&browser.open("/admin/users/alice").await.html);
    browser
        .post(path, &[("session", &of_alice[0])])
        .await
        .expect(303);
    assert!(is_in(&other).await);
    assert_eq!(told(&server, "user_session_revoked", c.bob.id), 1);
    for rubbish in ["", "zz", "00"] {
        let answer = browser.post(path, &[("session", rubbish)]).await;
        assert!(answer.status < 500, "{rubbish}");
    }
    assert!(is_in(&laptop).await);
}

/// What the buttons that end a session send.
fn session_ids(html: &str) -> Vec<String> {
    html.split(r#"name="session" value=""#)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

async fn all_sessions_are_ended_at_once(server: TestServer) {
    let c = Company::on(&server);
    let browsers = [c.bob.signs_in().await, c.bob.signs_in().await];
    let root = c.root.signs_in().await;
    let path = "/admin/users/bob/sessions";
    root.post(path, &[("all", "1")]).await.expect(303);
    assert!(
        root.open("/admin/users/bob")
            .await
            .says("2 sessions of Bob were ended.")
    );
    for browser in &browsers {
        assert!(!is_in(browser).await);
    }
    assert_eq!(told(&server, "user_session_revoked", c.bob.id), 1);
    root.post(path, &[("all", "1")]).await.expect(303);
    assert_eq!(told(&server, "user_session_revoked", c.bob.id), 1);
    assert!(find(&server, c.bob.id).unwrap().is_active());
    assert!(is_in(&c.bob.signs_in().await).await, "they may come back");
}

async fn an_ended_session_is_not_shown(server: TestServer) {
    let c = Company::on(&server);
    c.bob.signs_in().await;
    server.clock.advance(chrono::TimeDelta::days(8));
    let root = c.root.signs_in().await;
    let page = root.open("/admin/users/bob").await;
    assert!(page.says("Not signed in anywhere."), "idle for too long");
    c.bob.signs_in().await;
    let page = root.open("/admin/users/bob").await;
    assert_eq!(session_ids(&page.html).len(), 1);
}
