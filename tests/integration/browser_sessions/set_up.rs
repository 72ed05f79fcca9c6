//! The first administrator is made once, with a link that nobody else has.

use chrono::TimeDelta;
use latchkey::users::create::new_setup_link;

use crate::on_both;
use crate::support::{Answer, Form, TestServer};

on_both![
    the_link_makes_one_administrator_and_is_dead_then,
    the_link_dies_when_there_is_an_administrator_from_elsewhere,
    the_link_is_good_for_a_day,
    only_the_link_opens_the_page,
    there_is_no_account_from_the_start,
    a_bad_form_makes_nobody_and_keeps_what_was_typed,
    passwords_that_others_would_guess_are_refused,
];

const GOOD: &str = "correct horse battery staple 7";

/// A link as it is printed when the server starts.
fn link(server: &TestServer) -> String {
    let value = server.arrange(|conn, ctx| {
        let key = ctx.instance.lookup_key.clone();
        new_setup_link(conn, |value| key.digest(value), ctx.now)
    });
    format!(
        "/setup?token={}",
        value.expect("there is no administrator yet").expose()
    )
}

fn filled(form: Form) -> Form {
    form.fill("user[username]", "root")
        .fill("user[name]", "Root of all")
        .fill("user[email]", "root@example.com")
        .fill("user[password]", GOOD)
}

async fn the_link_makes_one_administrator_and_is_dead_then(server: TestServer) {
    let link = link(&server);
    let visitor = server.visitor();
    let opened = visitor.get(&link).await.expect(200);
    assert_eq!(opened.header("cache-control"), "no-store");
    let before = visitor.session_cookie();
    let form = filled(opened.page().form("/setup"));
    let answer = visitor.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/");
    assert!(visitor.is_signed_in().await);
    assert_ne!(visitor.session_cookie(), before);
    assert_eq!(server.count("users", "username = 'root' AND admin"), 1);

    let people = server.count("users", "");
    visitor.get(&link).await.expect(404);
    server.visitor().get(&link).await.expect(404);
    let second = form
        .fill("user[username]", "root2")
        .fill("user[email]", "root2@example.com");
    let answer = visitor.submit(&second).await;
    assert!((400..500).contains(&answer.status), "{}", answer.status);
    let stranger = server.visitor();
    let token = stranger.authenticity_token().await;
    stranger
        .submit(&second.fill("authenticity_token", &token))
        .await
        .expect(404);
    assert_eq!(server.count("users", ""), people);

    server.visitor().sign_in("root", GOOD).await.expect(303);
}

async fn the_link_dies_when_there_is_an_administrator_from_elsewhere(server: TestServer) {
    let link = link(&server);
    let visitor = server.visitor();
    let form = filled(visitor.open(&link).await.form("/setup"));
    server.person("alice").create();
    visitor.get(&link).await.expect(200);
    server.person("boss").admin().create();
    visitor.get(&link).await.expect(404);
    visitor.submit(&form).await.expect(404);
    assert_eq!(server.count("users", "admin"), 1);
}

async fn the_link_is_good_for_a_day(server: TestServer) {
    let link = link(&server);
    let visitor = server.visitor();
    server
        .clock
        .advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    let form = filled(visitor.open(&link).await.form("/setup"));
    server.clock.advance(TimeDelta::seconds(1));
    visitor.get(&link).await.expect(404);
    visitor.submit(&form).await.expect(404);
    assert_eq!(server.count("users", "admin"), 0);
}

async fn only_the_link_opens_the_page(server: TestServer) {
    let link = link(&server);
    let visitor = server.visitor();
    let mut shorter = link.clone();
    shorter.pop();
    let twice = format!("{link}{}", link.trim_start_matches("/setup?token="));
    for path in [
        "/setup",
        "/setup?token=",
        "/setup?token=x",
        "/setup?token=%00",
        shorter.as_str(),
        twice.as_str(),
    ] {
        visitor.get(path).await.expect(404);
    }
    let token = link.split_once('=').unwrap().1;
    assert!(token.len() >= 43, "256 bits");
}

async fn there_is_no_account_from_the_start(server: TestServer) {
    assert_eq!(
        server.count("users", "password_hash IS NOT NULL OR admin"),
        0
    );
    for name in ["root", "admin", "latchkey", "ghost"] {
        server.visitor().sign_in(name, name).await.expect(422);
    }
    // Whoever comes too early is told what to do.
    assert!(
        server
            .visitor()
            .open("/users/sign_in")
            .await
            .says("This instance has no administrator yet.")
    );
    server.person("root").admin().create();
    assert!(
        !server
            .visitor()
            .open("/users/sign_in")
            .await
            .has("needs-setup")
    );
}

async fn a_bad_form_makes_nobody_and_keeps_what_was_typed(server: TestServer) {
    let link = link(&server);
    let visitor = server.visitor();
    let form = filled(visitor.open(&link).await.form("/setup"));
    let before = server.inventory();
    let long = "x".repeat(300);
    for (field, value, says) in [
        ("username", "", "Username"),
        ("username", long.as_str(), "Username"),
        ("username", "ro ot", "Username"),
        ("username", "admin", "Username"),
        ("username", "ro\0ot", "Username"),
        ("username", "root.git", "Username"),
        (
            "username",
            "group_1_bot_0123456789abcdef0123456789abcdef",
            "Username",
        ),
        (
            "name",
            long.as_str(),
            "Name is too long (maximum is 255 characters)",
        ),
        ("name", "ro\0ot", "Name contains invalid characters"),
        ("email", "", "Email"),
        ("email", "nobody", "Email"),
        ("email", "a\0b@example.com", "Email"),
        ("email", &format!("{long}@example.com"), "Email"),
        ("password", "", "Password"),
        ("password", "short", "Password"),
    ] {
        let sent = form.clone().fill(&format!("user[{field}]"), value);
        let answer: Answer = visitor.submit(&sent).await;
        assert_eq!(answer.status, 422, "{field} {value:?}: {}", answer.text());
        let page = answer.page();
        let complaints = page.complaints();
        assert!(
            complaints.iter().any(|text| text.contains(says)),
            "{field} {value:?}: {complaints:?}"
        );
        let again = page.form("/setup");
        for kept in ["username", "name", "email"] {
            let name = format!("user[{kept}]");
            // What a page can't hold is not expected back.
            if !value.contains('\0') || kept != field {
                assert_eq!(again.value(&name), sent.value(&name), "{field} {value:?}");
            }
        }
        assert_eq!(again.value("user[password]"), Some(""));
        assert_eq!(server.inventory(), before, "{field} {value:?}");
    }
    visitor.send_rubbish("/setup").await;
    visitor.submit(&form).await.expect(303);
}

async fn passwords_that_others_would_guess_are_refused(server: TestServer) {
    let link = link(&server);
    let visitor = server.visitor();
    let form = filled(visitor.open(&link).await.form("/setup"));
    let form = form
        .fill("user[username]", "administratrix")
        .fill("user[email]", "administratrix@example.com");
    let long = "x".repeat(1025);
    for password in [
        "password",
        "latchkey",
        "Latchkey",
        "latchkey123",
        "administratrix",
        "administratrix@example.com",
        "1234567",
        "12345678",
        long.as_str(),
    ] {
        let answer = visitor
            .submit(&form.clone().fill("user[password]", password))
            .await;
        assert_eq!(answer.status, 422, "{password:?}");
        assert!(
            answer.page().complaints()[0].contains("assword"),
            "{password:?}"
        );
    }
    assert_eq!(server.count("users", "admin"), 0);
    let fine = "  spaces, ünïcödé and 🐎 count, from the first to the last  ";
    visitor
        .submit(&form.fill("user[password]", fine))
        .await
        .expect(303);
    server
        .visitor()
        .sign_in("administratrix", fine.trim())
        .await
        .expect(422);
    server
        .visitor()
        .sign_in("administratrix", fine)
        .await
        .expect(303);
}
