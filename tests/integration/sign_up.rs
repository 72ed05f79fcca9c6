//! Making an account for oneself: off, open, or with an administrator's approval.

use chrono::TimeDelta;
use latchkey::users::store::UserRef;

use crate::on_both;
use crate::support::{Answer, PASSWORD, TestServer, link_in};

on_both![
    while_it_is_off_there_is_nothing_to_be_found,
    open_it_makes_an_account_once_the_address_is_confirmed,
    with_approval_an_administrator_has_to_let_them_in,
    an_unconfirmed_account_can_do_nothing_and_gets_the_link_again,
    only_addresses_of_allowed_domains_may,
    mistakes_are_told_and_kept,
    a_known_address_gets_the_same_answer_and_a_mail,
    a_confirmation_is_good_for_three_days_and_once,
    opening_the_link_alone_confirms_nothing,
    one_network_makes_ten_accounts_an_hour,
    nobody_signs_up_as_an_administrator_or_external,
    blocked_and_pending_look_alike_to_who_does_not_know_the_password,
    the_trail_tells_it_all,
    whoever_is_signed_in_is_sent_home,
    what_is_wrong_is_told_the_same_whether_the_address_is_known,
    a_network_tries_thirty_times_an_hour_whatever_comes_of_it,
    who_waits_can_be_told_no,
    who_is_approved_before_they_confirmed_gets_the_link_again,
];

const PATH: &str = "/users/sign_up";

fn open(server: &TestServer, approval: bool) {
    server.set("signup_enabled", "true");
    server.set(
        "require_admin_approval_after_user_signup",
        if approval { "true" } else { "false" },
    );
}

async fn sign_up(server: &TestServer, username: &str, email: &str) -> Answer {
    let visitor = server.visitor();
    let form = visitor.open(PATH).await.form(PATH);
    let form = form
        .fill("user[username]", username)
        .fill("user[name]", "Eve Newcomer")
        .fill("user[email]", email)
        .fill("user[password]", PASSWORD);
    visitor.submit(&form).await
}

/// Follows the link of the newest mail, and types the password.
async fn confirm(server: &TestServer, email: &str) -> Answer {
    let mails = server.mails_to(email).await;
    let link = link_in(mails.last().expect("a mail"), "/users/confirmation");
    let visitor = server.visitor();
    let form = visitor.open(&link).await.form("/users/confirmation");
    visitor.submit(&form.fill("user[password]", PASSWORD)).await
}

async fn while_it_is_off_there_is_nothing_to_be_found(server: TestServer) {
    server.person("root").admin().create();
    assert!(
        !server
            .visitor()
            .open("/users/sign_in")
            .await
            .has("register-link")
    );
    server.visitor().get(PATH).await.expect(404);
    let forged = server
        .visitor()
        .post(
            PATH,
            &[
                ("user[username]", "eve"),
                ("user[email]", "eve@example.com"),
                ("user[password]", PASSWORD),
            ],
        )
        .await;
    assert_eq!(forged.status, 404);
    assert_eq!(server.count("users", "username = 'eve'"), 0);
}

async fn open_it_makes_an_account_once_the_address_is_confirmed(server: TestServer) {
    open(&server, false);
    assert!(
        server
            .visitor()
            .open("/users/sign_in")
            .await
            .has("register-link")
    );
    let page = sign_up(&server, "eve", "eve@example.com")
        .await
        .expect(200)
        .page();
    assert!(page.says("A mail is on its way to you."));
    server.visitor().sign_in("eve", PASSWORD).await.expect(422);
    let confirmed = confirm(&server, "eve@example.com").await.expect(200).page();
    assert!(confirmed.says("You can sign in now."));
    let visitor = server.visitor();
    visitor.sign_in("eve", PASSWORD).await.expect(303);
    visitor.get("/dashboard/groups").await.expect(200);
    assert_eq!(
        server.count("groups", "full_path = 'eve' AND owner_id IS NOT NULL"),
        1
    );
}

async fn with_approval_an_administrator_has_to_let_them_in(server: TestServer) {
    let root = server.person("root").admin().create();
    open(&server, true);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    let confirmed = confirm(&server, "eve@example.com").await.expect(200).page();
    assert!(confirmed.says("waits for an administrator's approval"));
    let refused = server
        .visitor()
        .sign_in("eve", PASSWORD)
        .await
        .expect(422)
        .page();
    assert!(refused.says("Your account waits for an administrator's approval."));
    let eve = root.api().get("/users?username=eve").await.json()[0].clone();
    assert_eq!(eve["state"], "blocked_pending_approval");
    // Billable are active people alone.
    assert_eq!(
        server.count("users", "username = 'eve' AND state = 'blocked'"),
        1
    );

    root.api()
        .post(
            &format!("/users/{}/unblock", eve["id"]),
            serde_json::Value::Null,
        )
        .await
        .expect(201);
    server.visitor().sign_in("eve", PASSWORD).await.expect(303);
    let mails = server.mails_to("eve@example.com").await;
    assert!(
        mails
            .last()
            .unwrap()
            .contains("An administrator approved your account.")
    );
    assert_eq!(
        root.api().get("/users?username=eve").await.json()[0]["state"],
        "active"
    );
    // Blocked later, they are blocked and wait for nothing.
    server.arrange(|conn, ctx| {
        latchkey::users::state::block(conn, ctx, &UserRef::Username("eve".into()))
    });
    assert_eq!(
        root.api().get("/users?username=eve").await.json()[0]["state"],
        "blocked"
    );
    let again = server.arrange(|conn, ctx| {
        Ok(latchkey::users::sign_up::approve(conn, ctx, &UserRef::Username("eve".into())).is_err())
    });
    assert!(again, "there is nothing to approve");
}

async fn an_unconfirmed_account_can_do_nothing_and_gets_the_link_again(server: TestServer) {
    open(&server, false);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    assert_eq!(server.mails_to("eve@example.com").await.len(), 1);
    server.clock.advance(TimeDelta::minutes(1));
    let page = server
        .visitor()
        .sign_in("eve", PASSWORD)
        .await
        .expect(422)
        .page();
    assert!(page.says("You have to confirm your email address before you can sign in."));
    assert_eq!(server.mails_to("eve@example.com").await.len(), 2);
    // Not to whoever doesn't know the password, and not without an end.
    let page = server
        .visitor()
        .sign_in("eve", "some other password")
        .await
        .expect(422)
        .page();
    assert!(page.says("Invalid login or password."));
    server.set("sign_in_failures_per_account", "0");
    for _ in 0..5 {
        server.visitor().sign_in("eve", PASSWORD).await.expect(422);
    }
    assert_eq!(server.mails_to("eve@example.com").await.len(), 3);
    confirm(&server, "eve@example.com").await.expect(200);
    server.visitor().sign_in("eve", PASSWORD).await.expect(303);
}

async fn only_addresses_of_allowed_domains_may(server: TestServer) {
    open(&server, false);
    server.set("domain_allowlist", "example.com, *.example.org");
    assert!(
        server
            .visitor()
            .open(PATH)
            .await
            .says("An address of example.com, *.example.org.")
    );
    for email in ["eve@evil.example", "eve@notexample.com", "eve@example.org"] {
        let page = sign_up(&server, "eve", email).await.expect(422).page();
        assert!(
            page.says("Email is not from a domain that may sign up"),
            "{email}"
        );
    }
    assert_eq!(server.count("users", "username = 'eve'"), 0);
    sign_up(&server, "eve", "eve@Example.com").await.expect(200);
    sign_up(&server, "adam", "adam@mail.example.org")
        .await
        .expect(200);
    // Administrators make whom they want.
    server.person("frank").create();
}

async fn mistakes_are_told_and_kept(server: TestServer) {
    open(&server, false);
    server.person("alice").create();
    server.group("acme").create();
    for (username, email, told) in [
        (
            "alice",
            "eve@example.com",
            "Username has already been taken",
        ),
        ("ACME", "eve@example.com", "Username has already been taken"),
        ("admin", "eve@example.com", "Username"),
        ("with space", "eve@example.com", "Username"),
        ("", "eve@example.com", "Username"),
        ("eve", "no address", "Email"),
        // Told just the same for an address that is known.
        (
            "alice",
            "alice@example.com",
            "Username has already been taken",
        ),
    ] {
        let page = sign_up(&server, username, email).await.expect(422).page();
        assert!(
            page.part("error-message").unwrap().says(told),
            "{username}: {}",
            page.main()
        );
        let form = page.form(PATH);
        assert_eq!(form.value("user[username]"), Some(username));
        assert_eq!(form.value("user[email]"), Some(email));
        assert_eq!(form.value("user[name]"), Some("Eve Newcomer"));
    }
    let visitor = server.visitor();
    let form = visitor.open(PATH).await.form(PATH);
    let form = form
        .fill("user[username]", "eve")
        .fill("user[name]", "Eve")
        .fill("user[email]", "nobody")
        .fill("user[password]", "short");
    let page = visitor.submit(&form).await.expect(422).page();
    let errors = page.part("error-message").unwrap().text();
    assert!(
        errors.contains("Email") && errors.contains("Password"),
        "{errors}"
    );
    assert_eq!(server.count("emails", ""), 0);
    assert_eq!(server.count("users", "username = 'eve'"), 0);
}

async fn a_known_address_gets_the_same_answer_and_a_mail(server: TestServer) {
    open(&server, false);
    server.person("alice").create();
    let fresh = sign_up(&server, "eve", "eve@example.com").await;
    let known = sign_up(&server, "mallory", "Alice@example.com").await;
    assert_eq!(known.comparable(), fresh.comparable());
    assert_eq!(server.count("users", "username = 'mallory'"), 0);
    assert_eq!(server.count("groups", "path = 'mallory'"), 0);
    sign_up(&server, "mallory", "alice@example.com")
        .await
        .expect(200);
    let mails = server.mails_to("alice@example.com").await;
    assert_eq!(mails.len(), 1, "once a day");
    assert!(mails[0].contains("You have one already."));
}

async fn a_confirmation_is_good_for_three_days_and_once(server: TestServer) {
    open(&server, false);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    let link = link_in(
        &server.mails_to("eve@example.com").await[0],
        "/users/confirmation",
    );
    server.clock.advance(TimeDelta::hours(71));
    server.visitor().get(&link).await.expect(200);
    server.clock.advance(TimeDelta::hours(1));
    let page = server.visitor().get(&link).await.expect(404).page();
    assert!(page.says("This link is no longer good"));
    server.visitor().sign_in("eve", PASSWORD).await.expect(422);
    confirm(&server, "eve@example.com").await.expect(200);
    let link = link_in(
        server.mails_to("eve@example.com").await.last().unwrap(),
        "/users/confirmation",
    );
    server.visitor().get(&link).await.expect(404);
}

async fn opening_the_link_alone_confirms_nothing(server: TestServer) {
    open(&server, false);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    let link = link_in(
        &server.mails_to("eve@example.com").await[0],
        "/users/confirmation",
    );
    server.visitor().get(&link).await.expect(200);
    assert_eq!(
        server.count("users", "username = 'eve' AND confirmed_at IS NULL"),
        1
    );
}

async fn one_network_makes_ten_accounts_an_hour(server: TestServer) {
    open(&server, false);
    for n in 0..10 {
        sign_up(&server, &format!("eve{n}"), &format!("eve{n}@example.com"))
            .await
            .expect(200);
    }
    let answer = sign_up(&server, "eve10", "eve10@example.com")
        .await
        .expect(429);
    assert_eq!(answer.header("retry-after"), "3600");
    assert_eq!(
        answer.page().form(PATH).value("user[username]"),
        Some("eve10")
    );
    assert_eq!(server.count("users", "username = 'eve10'"), 0);
    server.clock.advance(TimeDelta::minutes(61));
    sign_up(&server, "eve10", "eve10@example.com")
        .await
        .expect(200);
}

async fn nobody_signs_up_as_an_administrator_or_external(server: TestServer) {
    open(&server, false);
    let visitor = server.visitor();
    let form = visitor.open(PATH).await.form(PATH);
    let form = form
        .fill("user[username]", "eve")
        .fill("user[name]", "Eve")
        .fill("user[email]", "eve@example.com")
        .fill("user[password]", PASSWORD)
        .fill("user[admin]", "1")
        .fill("user[external]", "0");
    visitor.submit(&form).await.expect(200);
    assert_eq!(
        server.count("users", "username = 'eve' AND admin = FALSE"),
        1
    );
}

async fn blocked_and_pending_look_alike_to_who_does_not_know_the_password(server: TestServer) {
    open(&server, true);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    server.person("carol").create().block();
    let mut answers = Vec::new();
    for who in ["eve", "carol", "nobody"] {
        let page = server
            .visitor()
            .sign_in(who, "not the password")
            .await
            .expect(422)
            .page();
        answers.push(page.part("error-message").unwrap().text());
    }
    assert!(
        answers
            .iter()
            .all(|text| text == "Invalid login or password.")
    );
    // And who was blocked is told nothing, right password or not.
    let page = server
        .visitor()
        .sign_in("carol", PASSWORD)
        .await
        .expect(422)
        .page();
    assert!(page.says("Invalid login or password."));
}

async fn the_trail_tells_it_all(server: TestServer) {
    let root = server.person("root").admin().create();
    open(&server, true);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    confirm(&server, "eve@example.com").await.expect(200);
    server.arrange_as(root.actor(), |conn, ctx| {
        latchkey::users::sign_up::approve(conn, ctx, &UserRef::Username("eve".into()))
    });
    for (event, kind) in [
        ("user_created", "anonymous"),
        ("user_signed_up", "anonymous"),
        ("user_confirmed", "anonymous"),
        ("user_approved", "human"),
    ] {
        let condition =
            format!("event = '{event}' AND target_name = 'eve' AND actor_kind = '{kind}'");
        assert_eq!(server.count("audit_events", &condition), 1, "{event}");
    }
}

async fn whoever_is_signed_in_is_sent_home(server: TestServer) {
    open(&server, false);
    let browser = server.person("alice").create().signs_in().await;
    assert_eq!(browser.get(PATH).await.expect(303).location(), "/");
}

async fn what_is_wrong_is_told_the_same_whether_the_address_is_known(server: TestServer) {
    open(&server, false);
    server.person("alice").create();
    let long = "x".repeat(256);
    for (username, name, password) in [
        ("alice", long.as_str(), "short"),
        ("alice", "Eve", PASSWORD),
        ("admin", long.as_str(), PASSWORD),
        ("", "", ""),
        ("with space", "Eve", "short"),
    ] {
        let mut told = Vec::new();
        for email in ["alice@example.com", "nobody@example.com"] {
            let visitor = server.visitor();
            let form = visitor.open(PATH).await.form(PATH);
            let form = form
                .fill("user[username]", username)
                .fill("user[name]", name)
                .fill("user[email]", email)
                .fill("user[password]", password);
            let page = visitor.submit(&form).await.expect(422).page();
            told.push(page.part("error-message").unwrap().text());
        }
        assert_eq!(told[0], told[1], "{username}");
    }
    assert_eq!(server.count("emails", ""), 0);
}

async fn a_network_tries_thirty_times_an_hour_whatever_comes_of_it(server: TestServer) {
    open(&server, false);
    server.person("alice").create();
    for _ in 0..30 {
        sign_up(&server, "alice", "eve@example.com")
            .await
            .expect(422);
    }
    let answer = sign_up(&server, "eve", "eve@example.com").await.expect(429);
    assert_eq!(answer.header("retry-after"), "3600");
    server.clock.advance(TimeDelta::minutes(61));
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
}

async fn who_waits_can_be_told_no(server: TestServer) {
    server.person("root").admin().create();
    open(&server, true);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    server.arrange(|conn, ctx| {
        latchkey::users::state::block(conn, ctx, &UserRef::Username("eve".into()))
    });
    assert_eq!(
        server.count("users", "approval_requested_at IS NOT NULL"),
        0
    );
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'user_blocked' AND target_name = 'eve'"
        ),
        1
    );
}

async fn who_is_approved_before_they_confirmed_gets_the_link_again(server: TestServer) {
    open(&server, true);
    sign_up(&server, "eve", "eve@example.com").await.expect(200);
    assert_eq!(server.mails_to("eve@example.com").await.len(), 1);
    server.clock.advance(TimeDelta::minutes(1));
    server.arrange(|conn, ctx| {
        latchkey::users::sign_up::approve(conn, ctx, &UserRef::Username("eve".into()))
    });
    let mails = server.mails_to("eve@example.com").await;
    assert_eq!(mails.len(), 2);
    assert!(!mails[1].contains("An administrator approved your account."));
    let page = confirm(&server, "eve@example.com").await.expect(200).page();
    assert!(page.says("You can sign in now."));
    server.visitor().sign_in("eve", PASSWORD).await.expect(303);
}
