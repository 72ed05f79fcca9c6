//! Account, Active sessions.

use chrono::TimeDelta;

use super::SESSIONS as PATH;
use crate::on_both;
use crate::support::{Company, PASSWORD, Person, TestServer, Visitor};

on_both![
    the_list_says_which_browser_from_where_and_since_when,
    another_session_is_revoked_and_told,
    the_session_that_asks_is_not_revoked_this_way,
    all_others_are_revoked_at_once,
    nobody_revokes_a_session_of_somebody_else,
    an_address_that_was_made_up_revokes_nothing,
    the_page_tells_nothing_by_which_a_session_could_be_found,
    a_session_that_has_ended_is_not_shown,
];

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0";

async fn signs_in_with(person: &Person, user_agent: &str) -> Visitor {
    let visitor = person.server.visitor();
    let form = visitor.open("/users/sign_in").await.form("/users/sign_in");
    let form = form
        .fill("user[login]", &person.username)
        .fill("user[password]", PASSWORD);
    let request = person
        .server
        .request(reqwest::Method::POST, "/users/sign_in")
        .header("User-Agent", user_agent)
        .form(&form.fields);
    visitor.send(request).await.expect(303);
    visitor
}

/// Where the buttons lead that revoke one session each.
async fn revocable(browser: &Visitor) -> Vec<String> {
    let forms = browser.open(PATH).await.forms();
    forms
        .into_iter()
        .map(|form| form.action)
        .filter(|action| action.starts_with(&format!("{PATH}/")))
        .collect()
}

fn revocations(server: &TestServer, person: &Person) -> i64 {
    let id = person.id;
    server.count(
        "audit_events",
        &format!("event = 'user_session_revoked' AND actor_id = {id} AND target_id = {id}"),
    )
}

async fn the_list_says_which_browser_from_where_and_since_when(server: TestServer) {
    let alice = server.person("alice").create();
    signs_in_with(&alice, FIREFOX).await;
    server.clock.advance(TimeDelta::hours(3));
    let browser = signs_in_with(&alice, "curl/8.5.0 <b>").await;
    let page = browser.open(PATH).await;
    let list = page.part("sessions").unwrap().text();
    let (this, other) = (
        list.find("curl/8.5.0 <b> This session").unwrap(),
        list.find("Firefox on Linux from 127.0.0.1 Last seen 3 hours ago · Signed in 3 hours ago")
            .unwrap(),
    );
    assert!(this < other, "this one is on top: {list}");
    assert!(!list[this..other].contains("Revoke"), "{list}");
    assert_eq!(page.part("sessions-count").unwrap().text(), "2");
}

async fn another_session_is_revoked_and_told(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let phone = alice.signs_in().await;
    let [action] = &revocable(&browser).await[..] else {
        panic!("one other session");
    };
    let form = browser.open(PATH).await.form(action);
    assert_eq!(browser.submit(&form).await.expect(303).location(), PATH);
    assert!(browser.open(PATH).await.says("The session was revoked."));
    assert!(!phone.is_signed_in().await && browser.is_signed_in().await);
    assert_eq!(revocations(&server, &alice), 1);
    browser.submit(&form).await.expect(303);
    assert!(
        browser
            .open(PATH)
            .await
            .says("That session had ended already.")
    );
    assert_eq!(revocations(&server, &alice), 1);
}

async fn the_session_that_asks_is_not_revoked_this_way(server: TestServer) {
    let alice = server.person("alice").create();
    let (browser, other) = (alice.signs_in().await, alice.signs_in().await);
    let own = revocable(&other).await;
    browser.post(&own[0], &[]).await.expect(303);
    let page = browser.open(PATH).await;
    assert!(page.says("This is the session that you are using. Sign out to end it."));
    assert_eq!(revocations(&server, &alice), 0);
}

async fn all_others_are_revoked_at_once(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    assert!(browser.open(PATH).await.find_form(PATH).is_none(), "none");
    let others = [c.alice.signs_in().await, c.alice.signs_in().await];
    let bob = c.bob.signs_in().await;
    let form = browser.open(PATH).await.form(PATH);
    browser.submit(&form).await.expect(303);
    assert!(
        browser
            .open(PATH)
            .await
            .says("2 other sessions were revoked.")
    );
    for other in &others {
        assert!(!other.is_signed_in().await);
    }
    assert!(bob.is_signed_in().await);
    assert_eq!(revocations(&server, &c.alice), 1);
    browser.submit(&form).await.expect(303);
    assert!(browser.open(PATH).await.says("There was no other session."));
    assert_eq!(revocations(&server, &c.alice), 1);
}

async fn nobody_revokes_a_session_of_somebody_else(server: TestServer) {
    let c = Company::on(&server);
    let (browser, phone) = (c.alice.signs_in().await, c.alice.signs_in().await);
    let of_alice = revocable(&browser).await;
    for other in [&c.bob, &c.root] {
        let browser = other.signs_in().await;
        browser.post(&of_alice[0], &[]).await.expect(303);
        assert!(
            browser
                .open(PATH)
                .await
                .says("That session had ended already.")
        );
    }
    server.visitor().post(&of_alice[0], &[]).await.expect(302);
    browser
        .post_without_token(&of_alice[0], &[])
        .await
        .expect(403);
    let answer = browser.get(&of_alice[0]).await;
    assert_eq!(answer.status, 405, "reading changes nothing");
    assert!(phone.is_signed_in().await);
    assert_eq!(
        server.count("audit_events", "event = 'user_session_revoked'"),
        0
    );
}

async fn an_address_that_was_made_up_revokes_nothing(server: TestServer) {
    let alice = server.person("alice").create();
    let (browser, phone) = (alice.signs_in().await, alice.signs_in().await);
    for id in ["0", "-1", "%00", "zz", "0000000000000000", "all", "%2e%2e"] {
        let answer = browser.post(&format!("{PATH}/{id}"), &[]).await;
        assert!(answer.status < 500, "{id}: {}", answer.status);
    }
    assert!(phone.is_signed_in().await && browser.is_signed_in().await);
}

async fn the_page_tells_nothing_by_which_a_session_could_be_found(server: TestServer) {
    let c = Company::on(&server);
    let (browser, phone) = (c.alice.signs_in().await, c.alice.signs_in().await);
    let admin = c.root.signs_in().await;
    let id = c.alice.id;
    let digests = server.arrange(move |conn, _| latchkey::sessions::store::digests_of(conn, id));
    assert_eq!(digests.len(), 2);
    for page in [
        browser.open(PATH).await,
        admin.open("/admin/users/alice").await,
    ] {
        for digest in &digests {
            assert!(!page.html.contains(&hex::encode(digest)[..16]));
        }
        for cookie in [browser.session_cookie(), phone.session_cookie()] {
            assert!(!page.html.contains(&cookie.unwrap()));
        }
    }
}

async fn a_session_that_has_ended_is_not_shown(server: TestServer) {
    let alice = server.person("alice").create();
    alice.signs_in().await;
    server.clock.advance(TimeDelta::days(8));
    let browser = alice.signs_in().await;
    assert!(revocable(&browser).await.is_empty(), "idle for too long");
}
