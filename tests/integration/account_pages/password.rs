//! Account, Password.

use chrono::TimeDelta;

use super::PASSWORD as PATH;
use crate::on_both;
use crate::support::{Answer, PASSWORD, Person, TestServer, Visitor};

on_both![
    the_new_password_opens_the_account_and_the_old_one_does_not,
    every_other_session_ends_and_this_one_goes_on_under_a_new_id,
    a_session_that_outlives_the_browser_goes_on_doing_so,
    the_change_is_in_the_trail_and_told_by_mail,
    open_links_to_a_new_password_are_good_no_longer,
    a_wrong_present_password_changes_nothing,
    a_session_that_guesses_is_ended_and_the_account_waits,
    failures_elsewhere_make_the_owner_wait_but_end_no_session,
    a_password_that_anybody_would_try_is_refused,
    what_is_wrong_is_told_without_showing_what_was_typed,
    without_a_password_there_is_a_link_to_ask_for_one,
    a_form_of_another_site_changes_nothing,
    many_changes_at_once_end_in_one_password,
];

const NEW: &str = "a much better battery staple";
const WRONG: &str = "a horse that forgot its batteries";

async fn change(browser: &Visitor, current: &str, new: &str, again: &str) -> Answer {
    let form = browser.open(PATH).await.form(PATH);
    let form = form
        .fill("user[current_password]", current)
        .fill("user[password]", new)
        .fill("user[password_confirmation]", again);
    browser.submit(&form).await
}

async fn still_has(person: &Person, password: &str) -> bool {
    let visitor = person.server.visitor();
    visitor.sign_in(&person.username, password).await.status == 303
}

async fn the_new_password_opens_the_account_and_the_old_one_does_not(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let answer = change(&browser, PASSWORD, NEW, NEW).await.expect(303);
    assert_eq!(answer.location(), PATH);
    assert!(browser.open(PATH).await.says("Your password was changed."));
    assert!(still_has(&alice, NEW).await);
    assert!(!still_has(&alice, PASSWORD).await);
}

async fn every_other_session_ends_and_this_one_goes_on_under_a_new_id(server: TestServer) {
    let (alice, bob) = (
        server.person("alice").create(),
        server.person("bob").create(),
    );
    let browser = alice.signs_in().await;
    let (phone, others) = (alice.signs_in().await, bob.signs_in().await);
    let copied = browser.copied();
    let before = browser.session_cookie();
    change(&browser, PASSWORD, NEW, NEW).await.expect(303);
    assert_ne!(browser.session_cookie(), before);
    assert!(browser.is_signed_in().await && others.is_signed_in().await);
    assert!(!phone.is_signed_in().await);
    assert!(!copied.is_signed_in().await, "the old id is gone, too");
    let id = alice.id;
    assert_eq!(server.count("sessions", &format!("user_id = {id}")), 1);
}

async fn a_session_that_outlives_the_browser_goes_on_doing_so(server: TestServer) {
    server.person("alice").create();
    for remember in [true, false] {
        let browser = server.visitor();
        let form = browser.open("/users/sign_in").await.form("/users/sign_in");
        let (old, new) = if remember {
            (PASSWORD, NEW)
        } else {
            (NEW, PASSWORD)
        };
        let form = form
            .fill("user[login]", "alice")
            .fill("user[password]", old);
        let form = if remember {
            form.tick("user[remember_me]", "1")
        } else {
            form
        };
        browser.submit(&form).await.expect(303);
        let answer = change(&browser, old, new, new).await.expect(303);
        let cookie = answer.all("set-cookie").join("; ").to_lowercase();
        assert_eq!(cookie.contains("max-age=2592000"), remember, "{cookie}");
    }
}

async fn the_change_is_in_the_trail_and_told_by_mail(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    change(&browser, PASSWORD, NEW, NEW).await.expect(303);
    let id = alice.id;
    let condition = format!("event = 'user_password_changed' AND actor_id = {id}");
    assert_eq!(server.count("audit_events", &condition), 1);
    let mails = server.mails_to(&alice.email).await;
    let told = |mail: &&String| mail.contains("Your password was changed");
    assert_eq!(mails.iter().filter(told).count(), 1);
    assert!(mails.iter().all(|mail| !mail.contains(NEW)));
}

async fn open_links_to_a_new_password_are_good_no_longer(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let asked = server.visitor();
    let form = asked
        .open("/users/password/new")
        .await
        .form("/users/password");
    asked
        .submit(&form.fill("user[email]", &alice.email))
        .await
        .expect(200);
    let links = "purpose = 'password_reset'";
    assert_eq!(server.count("account_links", links), 1);
    let mail = server.mails_to(&alice.email).await.pop().unwrap();
    let link = crate::support::link_in(&mail, "/users/password/edit");
    asked.get(&link).await.expect(200);
    change(&browser, PASSWORD, NEW, NEW).await.expect(303);
    asked.get(&link).await.expect(404);
}

async fn a_wrong_present_password_changes_nothing(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let phone = alice.signs_in().await;
    for wrong in [WRONG, "", "\0", &"x".repeat(2_000)] {
        let page = change(&browser, wrong, NEW, NEW).await.expect(422).page();
        assert_eq!(
            page.complaints(),
            ["Current password is not the one of this account"]
        );
    }
    assert!(still_has(&alice, PASSWORD).await && phone.is_signed_in().await);
    assert_eq!(
        server.count("audit_events", "event = 'user_sign_in_failed'"),
        1,
        "a line for ten minutes of it"
    );
    assert_eq!(
        server.count("audit_events", "event = 'user_password_changed'"),
        0
    );
}

async fn a_session_that_guesses_is_ended_and_the_account_waits(server: TestServer) {
    let alice = server.person("alice").create();
    let (stolen, own) = (alice.signs_in().await, alice.signs_in().await);
    for _ in 0..4 {
        change(&stolen, WRONG, NEW, NEW).await.expect(422);
    }
    let answer = change(&stolen, WRONG, NEW, NEW).await.expect(429);
    assert!(answer.page().says("You were signed out"));
    assert_eq!(answer.header("retry-after"), "600");
    assert!(!stolen.is_signed_in().await);
    assert!(own.is_signed_in().await, "the others go on");
    let ended = "event = 'user_session_revoked'";
    assert_eq!(server.count("audit_events", ended), 1);
    // They count as failed sign-ins, too.
    let late = server.visitor().sign_in("alice", PASSWORD).await;
    assert_eq!(late.status, 429);
    server.clock.advance(TimeDelta::minutes(11));
    assert!(still_has(&alice, PASSWORD).await);
}

async fn failures_elsewhere_make_the_owner_wait_but_end_no_session(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    for _ in 0..5 {
        server.visitor().sign_in("alice", WRONG).await.expect(422);
    }
    for _ in 0..6 {
        let answer = change(&browser, PASSWORD, NEW, NEW).await.expect(429);
        assert!(
            answer
                .page()
                .says("Too many attempts. Try again in 10 minutes.")
        );
        assert!(!answer.header("retry-after").is_empty());
    }
    assert!(browser.is_signed_in().await);
    server.clock.advance(TimeDelta::minutes(11));
    change(&browser, PASSWORD, NEW, NEW).await.expect(303);
}

async fn a_password_that_anybody_would_try_is_refused(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let too_long = "x".repeat(1_025);
    for (new, why) in [
        (
            "short",
            "New password is too short (minimum is 8 characters)",
        ),
        (
            too_long.as_str(),
            "New password is too long (maximum is 1024 bytes)",
        ),
        ("password", "New password is too common"),
        (
            "alice2026",
            "New password must not be your user name, your mail address, your name or Latchkey",
        ),
        (PASSWORD, "New password is the one that you have"),
    ] {
        let page = change(&browser, PASSWORD, new, new)
            .await
            .expect(422)
            .page();
        assert_eq!(page.complaints(), [why]);
    }
    let page = change(&browser, PASSWORD, NEW, "another one of mine").await;
    let page = page.expect(422).page();
    assert_eq!(page.complaints(), ["Once more is not the same password"]);
    assert!(still_has(&alice, PASSWORD).await);
    let spaced = "  spaces are  kept  ";
    change(&browser, PASSWORD, spaced, spaced).await.expect(303);
    assert!(still_has(&alice, spaced).await);
    assert!(!still_has(&alice, spaced.trim()).await);
}

async fn what_is_wrong_is_told_without_showing_what_was_typed(server: TestServer) {
    let browser = server.person("alice").create().signs_in().await;
    let page = change(&browser, WRONG, NEW, "a third one").await;
    let page = page.expect(422).page();
    assert_eq!(
        page.complaints(),
        [
            "Once more is not the same password",
            "Current password is not the one of this account"
        ]
    );
    for typed in [WRONG, NEW, "a third one"] {
        assert!(!page.html.contains(typed));
    }
}

async fn without_a_password_there_is_a_link_to_ask_for_one(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let form = browser.open(PATH).await.form(PATH);
    server.sql("UPDATE users SET password_hash = NULL WHERE username = 'alice'");
    let page = browser.open(PATH).await;
    assert!(page.has("no-password") && page.find_form(PATH).is_none());
    assert!(page.links_to("/users/password/new"));
    let form = form
        .fill("user[current_password]", "")
        .fill("user[password]", NEW)
        .fill("user[password_confirmation]", NEW);
    let page = browser.submit(&form).await.expect(422).page();
    assert!(page.has("no-password"));
    assert_eq!(server.count("users", "password_hash IS NOT NULL"), 0);
}

async fn a_form_of_another_site_changes_nothing(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let fields = [
        ("user[current_password]", PASSWORD),
        ("user[password]", NEW),
        ("user[password_confirmation]", NEW),
    ];
    browser.post_without_token(PATH, &fields).await.expect(403);
    let query = format!("{PATH}?user[current_password]={PASSWORD}&user[password]={NEW}");
    browser.get(&query.replace(' ', "+")).await.expect(200);
    assert!(still_has(&alice, PASSWORD).await);
}

async fn many_changes_at_once_end_in_one_password(server: TestServer) {
    let alice = server.person("alice").create();
    let browsers = [alice.signs_in().await, alice.signs_in().await];
    let (one, two) = ("the first of two passwords", "the second of two passwords");
    let [first, second] = &browsers;
    let (a, b) = futures_util::future::join(
        change(first, PASSWORD, one, one),
        change(second, PASSWORD, two, two),
    )
    .await;
    let done = |answer: &Answer| answer.status == 303 && answer.location() == PATH;
    assert_ne!(done(&a), done(&b), "{} {}", a.status, b.status);
    let winner = if done(&a) { one } else { two };
    assert!(still_has(&alice, winner).await);
    assert_eq!(
        server.count("audit_events", "event = 'user_password_changed'"),
        1
    );
}
