//! Whoever may not sign in learns nothing from the answer.

use latchkey::access_tokens::scope::Scope;

use crate::on_both;
use crate::support::{Answer, PASSWORD, TestResource, TestServer};

on_both![
    everybody_who_may_not_sign_in_reads_the_same,
    a_bot_signs_in_with_nothing,
    whatever_is_typed_is_refused_politely,
    the_password_is_never_sent_back,
];

const WRONG: &str = "a horse that forgot its batteries";

/// Sends the form, and takes what was typed as the login out of the answer.
async fn attempt(server: &TestServer, login: &str, password: &str) -> Answer {
    let mut answer = server.visitor().sign_in(login, password).await;
    let kept = format!(r#"name="user[login]" value="{login}""#);
    let text = answer.text();
    assert!(
        login.is_empty() || text.contains(&kept),
        "the login is kept"
    );
    answer.body = text
        .replace(&kept, r#"name="user[login]" value="""#)
        .into_bytes();
    answer.headers.remove("content-length");
    answer
}

async fn everybody_who_may_not_sign_in_reads_the_same(server: TestServer) {
    server.person("alice").create();
    server.person("carol").create().block();
    let acme = server.group("acme").create();
    let bot = acme.token("ci").create();
    let bot_address = format!("{}@noreply.127.0.0.1", bot.username);
    // No test of the throttle: it has its own.
    server.set("sign_in_failures_per_address", "0");

    let unknown = attempt(&server, "nobody", PASSWORD).await.expect(422);
    assert_eq!(
        unknown.page().part("error-message").unwrap().text(),
        "Invalid login or password."
    );
    for (who, login, password) in [
        ("the wrong password", "alice", WRONG),
        ("no password", "alice", ""),
        (
            "a blocked person with the right password",
            "carol",
            PASSWORD,
        ),
        ("a blocked person with the wrong password", "carol", WRONG),
        ("a bot", bot.username.as_str(), PASSWORD),
        (
            "a bot with the value of its token",
            bot.username.as_str(),
            bot.value.as_str(),
        ),
        ("a bot's address", bot_address.as_str(), PASSWORD),
        ("the ghost", "ghost", ""),
        ("an unknown address", "nobody@example.com", PASSWORD),
        ("the name of a group", "acme", PASSWORD),
        ("nothing at all", "", ""),
    ] {
        let answer = attempt(&server, login, password).await;
        assert_eq!(answer.comparable(), unknown.comparable(), "{who}");
    }
    assert_eq!(server.count("sessions", ""), 0);
}

async fn a_bot_signs_in_with_nothing(server: TestServer) {
    let acme = server.group("acme").create();
    let bot = acme.token("ci").scopes([Scope::Api]).create();
    for password in ["", "x", PASSWORD, bot.value.as_str()] {
        let visitor = server.visitor();
        visitor.sign_in(&bot.username, password).await.expect(422);
        assert!(!visitor.is_signed_in().await);
    }
}

async fn whatever_is_typed_is_refused_politely(server: TestServer) {
    server.person("alice").create();
    server.set("sign_in_failures_per_address", "0");
    let long = "x".repeat(300);
    let endless = "x".repeat(100_000);
    for (login, password) in [
        (long.as_str(), PASSWORD),
        ("ali\0ce", PASSWORD),
        ("alice\0", PASSWORD),
        ("\0", "\0"),
        ("alice", long.as_str()),
        ("alice", endless.as_str()),
        (endless.as_str(), PASSWORD),
        ("alice", "\0"),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("%", PASSWORD),
        ("a_ice", PASSWORD),
        ("\u{202e}alice", PASSWORD),
        ("alice\r\nSet-Cookie: x=1", PASSWORD),
    ] {
        let answer = server.visitor().sign_in(login, password).await;
        let shown: String = login.chars().take(20).collect();
        assert_eq!(answer.status, 422, "{shown:?}");
        assert!(
            answer.page().says("Invalid login or password."),
            "{shown:?}"
        );
    }
    let visitor = server.visitor();
    visitor.send_rubbish("/users/sign_in").await;
    assert!(!visitor.is_signed_in().await);
    assert_eq!(server.count("sessions", ""), 0);
}

async fn the_password_is_never_sent_back(server: TestServer) {
    server.person("alice").create();
    let answer = server
        .visitor()
        .sign_in("alice", "the-wrong-one-1234")
        .await
        .expect(422);
    assert!(!answer.text().contains("the-wrong-one-1234"));
    assert_eq!(
        answer.page().form("/users/sign_in").value("user[password]"),
        Some("")
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}
