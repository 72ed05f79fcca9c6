//! A forgotten password: a mail with a link that is good once.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;

use crate::on_both;
use crate::support::{PASSWORD, TestResource, TestServer, link_in};

on_both![
    a_link_sets_a_new_password_once,
    a_new_password_ends_all_sessions_and_is_told,
    a_link_is_good_for_two_hours,
    the_answer_is_the_same_for_every_address,
    whoever_is_blocked_gets_none_and_whoever_is_unconfirmed_one_that_confirms,
    bots_get_none,
    a_newer_link_leaves_the_older_one_good_until_one_is_used,
    an_account_gets_three_links_an_hour_and_a_network_ten,
    links_that_were_used_count_too,
    a_bad_password_changes_nothing_and_leaves_the_link,
    whoever_is_blocked_meanwhile_can_not_use_the_link,
    neither_database_nor_log_knows_the_link,
    a_link_of_another_kind_opens_nothing,
    a_new_address_or_password_from_an_administrator_ends_the_links,
];

const NEW: &str = "a much better battery staple";
const EDIT: &str = "/users/password/edit";

async fn ask(server: &TestServer, email: &str) -> crate::support::Answer {
    let visitor = server.visitor();
    let form = visitor
        .open("/users/password/new")
        .await
        .form("/users/password");
    visitor.submit(&form.fill("user[email]", email)).await
}

async fn link(server: &TestServer, email: &str) -> String {
    ask(server, email).await.expect(200);
    let mails = server.mails_to(email).await;
    // Others may have been sent at the same moment.
    let mail = mails.iter().rfind(|mail| mail.contains(EDIT));
    link_in(mail.expect("a mail"), EDIT)
}

async fn change(server: &TestServer, link: &str, password: &str) -> crate::support::Answer {
    let visitor = server.visitor();
    let form = visitor.open(link).await.form(EDIT);
    let form = form
        .fill("user[password]", password)
        .fill("user[password_confirmation]", password);
    visitor.submit(&form).await
}

async fn a_link_sets_a_new_password_once(server: TestServer) {
    server.person("alice").create();
    assert!(
        server
            .visitor()
            .open("/users/sign_in")
            .await
            .links_to("/users/password/new")
    );
    let link = link(&server, "alice@example.com").await;
    let page = change(&server, &link, NEW).await.expect(200).page();
    assert!(page.says("Your password was changed"));
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(422);
    server.visitor().sign_in("alice", NEW).await.expect(303);
    let again = server.visitor().get(&link).await.expect(404).page();
    assert!(again.says("This link is no longer good") && again.links_to("/users/password/new"));
    server.clock.advance(TimeDelta::hours(1));
    server.run_job(latchkey::jobs::Job::CleanUp).await;
    assert_eq!(server.count("account_links", ""), 0);
    for (event, times) in [
        ("user_password_reset_requested", 1),
        ("user_password_changed", 1),
    ] {
        let condition =
            format!("event = '{event}' AND target_name = 'alice' AND actor_kind = 'anonymous'");
        assert_eq!(server.count("audit_events", &condition), times, "{event}");
    }
}

async fn a_new_password_ends_all_sessions_and_is_told(server: TestServer) {
    let alice = server.person("alice").create();
    let (one, two) = (alice.signs_in().await, alice.signs_in().await);
    let bob = server.person("bob").create().signs_in().await;
    let token = alice.personal_token([Scope::Api]);
    let link = link(&server, "alice@example.com").await;
    change(&server, &link, NEW).await.expect(200);
    for browser in [one, two] {
        browser.get("/dashboard/groups").await.expect(302);
    }
    bob.get("/dashboard/groups").await.expect(200);
    assert!(
        token.works().await,
        "tokens have nothing to do with the password"
    );
    let mails = server.mails_to("alice@example.com").await;
    assert!(
        mails
            .iter()
            .any(|mail| mail.contains("Subject: Your password for"))
    );
}

async fn a_link_is_good_for_two_hours(server: TestServer) {
    server.person("alice").create();
    let link = link(&server, "alice@example.com").await;
    server.clock.advance(TimeDelta::minutes(119));
    server.visitor().get(&link).await.expect(200);
    server.clock.advance(TimeDelta::minutes(1));
    server.visitor().get(&link).await.expect(404);
    let token = link.split('=').next_back().unwrap();
    let late = server
        .visitor()
        .post(
            EDIT,
            &[
                ("reset_password_token", token),
                ("user[password]", NEW),
                ("user[password_confirmation]", NEW),
            ],
        )
        .await;
    assert_eq!(late.status, 404);
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);
}

async fn the_answer_is_the_same_for_every_address(server: TestServer) {
    server.person("alice").create();
    server.person("carol").create().block();
    let known = ask(&server, "alice@example.com").await.expect(200);
    for email in [
        "nobody@example.com",
        "carol@example.com",
        "",
        "no address",
        "ghost",
        "a\0b@example.com",
    ] {
        let answer = ask(&server, email).await;
        assert_eq!(answer.comparable(), known.comparable(), "{email:?}");
    }
    assert_eq!(server.count("emails", ""), 1);
}

async fn whoever_is_blocked_gets_none_and_whoever_is_unconfirmed_one_that_confirms(
    server: TestServer,
) {
    server.person("carol").create().block();
    ask(&server, "carol@example.com").await.expect(200);
    assert!(server.mails_to("carol@example.com").await.is_empty());
    server.person("dave").create();
    server.sql("UPDATE users SET confirmed_at = NULL WHERE username = 'dave'");
    let to_dave = link(&server, "dave@example.com").await;
    change(&server, &to_dave, NEW).await.expect(200);
    server.visitor().sign_in("dave", NEW).await.expect(303);
    assert_eq!(server.count("audit_events", "event = 'user_confirmed'"), 1);
    // Whatever the case of the address.
    server.person("alice").create();
    ask(&server, " ALICE@example.com ").await.expect(200);
    assert_eq!(server.mails_to("alice@example.com").await.len(), 1);
}

async fn bots_get_none(server: TestServer) {
    let bot = server.group("acme").create().token("ci").create();
    ask(&server, &format!("{}@noreply.127.0.0.1", bot.username))
        .await
        .expect(200);
    assert_eq!(server.count("emails", ""), 0);
    assert_eq!(server.count("account_links", ""), 0);
}

async fn a_newer_link_leaves_the_older_one_good_until_one_is_used(server: TestServer) {
    server.person("alice").create();
    let one = link(&server, "alice@example.com").await;
    server.clock.advance(TimeDelta::minutes(5));
    let two = link(&server, "alice@example.com").await;
    assert_ne!(one, two);
    change(&server, &one, NEW).await.expect(200);
    server.visitor().get(&two).await.expect(404);
}

async fn an_account_gets_three_links_an_hour_and_a_network_ten(server: TestServer) {
    server.person("alice").create();
    for _ in 0..5 {
        ask(&server, "alice@example.com").await.expect(200);
    }
    assert_eq!(server.mails_to("alice@example.com").await.len(), 3);
    for n in 0..7 {
        server.person(&format!("person{n}")).create();
        ask(&server, &format!("person{n}@example.com"))
            .await
            .expect(200);
    }
    assert_eq!(
        server.count("account_links", ""),
        3 + 5,
        "ten of the network in all"
    );
    server.clock.advance(TimeDelta::minutes(61));
    ask(&server, "person6@example.com").await.expect(200);
    assert_eq!(server.mails_to("person6@example.com").await.len(), 1);
    // Nobody is kept from signing in by that.
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);
}

async fn links_that_were_used_count_too(server: TestServer) {
    server.person("alice").create();
    for _ in 0..3 {
        let link = link(&server, "alice@example.com").await;
        change(&server, &link, NEW).await.expect(200);
        server.clock.advance(TimeDelta::minutes(15));
        server.run_job(latchkey::jobs::Job::CleanUp).await;
    }
    let links = async || {
        let mails = server.mails_to("alice@example.com").await;
        mails.iter().filter(|mail| mail.contains(EDIT)).count()
    };
    ask(&server, "alice@example.com").await.expect(200);
    assert_eq!(links().await, 3);
    server.clock.advance(TimeDelta::minutes(16));
    ask(&server, "alice@example.com").await.expect(200);
    assert_eq!(links().await, 4);
}

async fn a_bad_password_changes_nothing_and_leaves_the_link(server: TestServer) {
    server.person("alice").create();
    let link = link(&server, "alice@example.com").await;
    for (password, told) in [
        ("short", "too short"),
        ("alice@example.com", "password"),
        ("", "too short"),
    ] {
        let page = change(&server, &link, password).await.expect(422).page();
        assert!(page.main().contains(told), "{password}: {}", page.main());
    }
    let visitor = server.visitor();
    let form = visitor.open(&link).await.form(EDIT);
    let form = form
        .fill("user[password]", NEW)
        .fill("user[password_confirmation]", "something else entirely");
    let page = visitor.submit(&form).await.expect(422).page();
    assert!(page.says("Once more is not the same password") && !page.html.contains(NEW));
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);
    change(&server, &link, NEW).await.expect(200);
}

async fn whoever_is_blocked_meanwhile_can_not_use_the_link(server: TestServer) {
    let alice = server.person("alice").create();
    let link = link(&server, "alice@example.com").await;
    alice.block();
    let token = link.split('=').next_back().unwrap();
    let visitor = server.visitor();
    let answer = visitor
        .post(
            EDIT,
            &[
                ("reset_password_token", token),
                ("user[password]", NEW),
                ("user[password_confirmation]", NEW),
            ],
        )
        .await;
    assert_eq!(answer.status, 404);
    assert_eq!(
        server.count("audit_events", "event = 'user_password_changed'"),
        0
    );
}

async fn neither_database_nor_log_knows_the_link(server: TestServer) {
    server.person("alice").create();
    let link = link(&server, "alice@example.com").await;
    let value = link.split('=').next_back().unwrap().to_owned();
    assert_eq!(value.len(), 43);
    server.visitor().get(&link).await.expect(200);
    for column in ["data", "key"] {
        assert_eq!(
            server.count("emails", &format!("{column} LIKE '%{value}%'")),
            0
        );
    }
    assert!(!crate::support::server::logged().contains(&value));
    let page = server.visitor().get(&link).await;
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(
        page.header("referrer-policy").contains("no-referrer")
            || page.header("referrer-policy").contains("same-origin")
    );
}

async fn a_link_of_another_kind_opens_nothing(server: TestServer) {
    server.person("alice").create();
    let link = link(&server, "alice@example.com").await;
    let value = link.split('=').next_back().unwrap();
    server
        .visitor()
        .get(&format!("/users/confirmation?confirmation_token={value}"))
        .await
        .expect(404);
    for guess in ["", "x", &"A".repeat(43), &"x".repeat(5_000), "a%00b"] {
        server
            .visitor()
            .get(&format!("{EDIT}?reset_password_token={guess}"))
            .await
            .expect(404);
    }
}

async fn a_new_address_or_password_from_an_administrator_ends_the_links(server: TestServer) {
    use latchkey::users::edit::{PersonChanges, edit};
    let alice = server.person("alice").create();
    let id = alice.id;
    let change = |changes: PersonChanges| {
        server.arrange(move |conn, ctx| edit(conn, ctx, id, &changes));
    };
    let first = link(&server, "alice@example.com").await;
    change(PersonChanges {
        name: Some("Alice A.".into()),
        ..PersonChanges::default()
    });
    server.visitor().get(&first).await.expect(200);
    change(PersonChanges {
        email: Some("new@example.com".into()),
        ..PersonChanges::default()
    });
    server.visitor().get(&first).await.expect(404);
    let second = link(&server, "new@example.com").await;
    let hash = server.arrange(move |conn, _| {
        use diesel::prelude::*;
        use latchkey::db::schema::users;
        Ok(users::table
            .find(id)
            .select(users::password_hash)
            .get_result::<Option<String>>(conn)?)
    });
    change(PersonChanges {
        password_hash: hash,
        ..PersonChanges::default()
    });
    server.visitor().get(&second).await.expect(404);
    let mails = server.mails_to("new@example.com").await;
    assert!(
        mails
            .iter()
            .any(|mail| mail.contains("Subject: Your password for")),
        "the person is told of a password that somebody else set"
    );
}
