//! What people are told, word for word, and who is.

use std::sync::Arc;

use latchkey::{
    access_tokens::{
        create::{NewAccessToken, create_personal},
        revoke::revoke_from_console,
        scope::Scope,
        store,
    },
    context::{Context, Instance},
    jobs::Job,
    mail::{Message, deliver::Composed, outbox::Email},
    members::AccessLevel,
    notices::compose::compose,
};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Company, Person, TestResource, TestServer, TestToken},
};

on_both!(
    people_hear_of_what_happens_to_their_own_tokens,
    people_hear_who_did_it_if_it_was_not_them,
    tokens_of_groups_and_projects_tell_nobody_of_their_days,
    an_expired_token_of_ones_own_is_told_once,
    many_expired_tokens_are_all_told,
    an_alarm_reaches_those_who_look_after_the_token,
    an_alarm_about_ones_own_token_reaches_oneself,
    whoever_is_nobody_to_be_told_any_more_is_not_told,
    what_people_typed_is_text_in_every_mail,
    no_mail_knows_a_value,
);

/// The mails that wait, with their words.
fn letters(server: &TestServer) -> Vec<(Email, Composed)> {
    let here = &server.app.instance;
    let instance = Instance {
        token_key: here.token_key.clone(),
        lookup_key: here.lookup_key.clone(),
        webhook_key: here.webhook_key.clone(),
        host: "tokens.example.com".into(),
        external_url: "https://tokens.example.com".into(),
    };
    let instance = Arc::new(instance);
    server.arrange(move |conn, ctx| {
        use diesel::prelude::*;
        use latchkey::db::schema::emails;
        let ctx = Context {
            instance: Arc::clone(&instance),
            ..ctx.clone()
        };
        let ids: Vec<i64> = emails::table
            .filter(emails::settled_at.is_null())
            .order(emails::id.asc())
            .select(emails::id)
            .load(conn)?;
        ids.into_iter()
            .map(|id| {
                let email = latchkey::mail::outbox::find(conn, id)?.unwrap();
                let composed = compose(conn, &ctx, &email)?;
                Ok((email, composed))
            })
            .collect()
    })
}

/// The words of the mails that wait.
#[track_caller]
fn messages(server: &TestServer) -> Vec<Message> {
    letters(server)
        .into_iter()
        .map(|(_, composed)| match composed {
            Composed::Send(message) => message,
            Composed::Drop(why) => panic!("dropped: {why}"),
        })
        .collect()
}

/// Keys of the mails that wait, without numbers.
fn kinds(server: &TestServer) -> Vec<String> {
    letters(server)
        .into_iter()
        .map(|(email, _)| email.kind)
        .collect()
}

fn forget(server: &TestServer) {
    server.sql("DELETE FROM emails");
}

/// A picture of a mail that doesn't change from run to run.
fn assert_mail(name: &str, message: &Message) {
    let picture = format!(
        "To: {} <{}>\nSubject: {}\n\n{}\n{}\n{}",
        message.to_name,
        message.to_address,
        message.subject,
        message.text,
        "-".repeat(40),
        message.html
    );
    insta::with_settings!({ snapshot_path => "../snapshots/mail", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, picture);
    });
}

async fn people_hear_of_what_happens_to_their_own_tokens(server: TestServer) {
    let alice = server.person("alice").create();
    let api = alice.api();
    forget(&server);
    let visitor = alice.signs_in().await;
    let path = "/-/user_settings/personal_access_tokens";
    let form = visitor
        .open(path)
        .await
        .form(path)
        .fill("personal_access_token[name]", "nightly deploy")
        .tick("personal_access_token[scopes][]", "read_api");
    visitor.submit(&form).await.expect(200);
    let made = messages(&server);
    assert_eq!(made.len(), 1);
    assert_mail("personal_token_created", &made[0]);

    let id = newest_token(&server);
    forget(&server);
    let rotate = format!("/personal_access_tokens/{id}/rotate");
    api.post(&rotate, json!({ "expires_at": "2026-12-01" }))
        .await
        .expect(200);
    let rotated = messages(&server);
    assert_eq!(
        rotated.len(),
        1,
        "one mail, not one for each row: {rotated:?}"
    );
    assert_mail("personal_token_rotated", &rotated[0]);

    let id = newest_token(&server);
    forget(&server);
    let path = format!("/personal_access_tokens/{id}");
    api.delete(&path).await.expect(204);
    let revoked = messages(&server);
    assert_eq!(revoked.len(), 1);
    assert_mail("personal_token_revoked", &revoked[0]);
    api.delete(&path).await;
    assert_eq!(messages(&server).len(), 1, "revoking twice is told once");
}

fn newest_token(server: &TestServer) -> i64 {
    server.arrange(|conn, _| {
        use diesel::prelude::*;
        use latchkey::db::schema::access_tokens;
        let id: Option<i64> = access_tokens::table
            .select(diesel::dsl::max(access_tokens::id))
            .get_result(conn)?;
        Ok(id.unwrap())
    })
}

async fn people_hear_who_did_it_if_it_was_not_them(server: TestServer) {
    let alice = server.person("alice").create();
    let root = server.person("root").named("Root Admin").admin().create();
    let own = alice.personal_token([Scope::Api]);
    let other = alice.personal_token([Scope::Api]);
    let admin = root.api();
    forget(&server);
    let path = format!("/personal_access_tokens/{}", own.id);
    admin.delete(&path).await.expect(204);
    let (user, maker) = (alice.user.clone(), root.actor());
    server.arrange_as(maker, move |conn, ctx| {
        let new = NewAccessToken {
            name: "made for you".into(),
            description: None,
            scopes: vec![Scope::ReadApi],
            access_level: AccessLevel::Owner,
            expires_at: None,
        };
        create_personal(conn, ctx, &user, &new).map(|_| ())
    });
    let id = other.id;
    server.arrange(move |conn, ctx| {
        let listed = store::find(conn, id)?.unwrap();
        revoke_from_console(conn, ctx, &listed)
    });
    let told = messages(&server);
    assert_eq!(told.len(), 3);
    for message in &told {
        assert_eq!(message.to_address, "alice@example.com");
    }
    for (message, by) in told.iter().zip([
        "By: Root Admin (@root), an administrator, over the API, with a token\n  From: 127.0.0.1\n",
        "By: Root Admin (@root), an administrator, on the server's command line\n",
        "By: an administrator, on the server's command line\n",
    ]) {
        assert!(message.text.contains(by), "{by} in\n{}", message.text);
    }
}

async fn tokens_of_groups_and_projects_tell_nobody_of_their_days(server: TestServer) {
    let company = Company::on(&server);
    let owner = company.alice.api();
    forget(&server);
    for resource in [company.acme.path(), company.p1.path()] {
        let made = json!({ "name": "ci", "scopes": ["api"], "expires_at": "2026-11-21" });
        let path = format!("{resource}/access_tokens");
        let made = owner.post(&path, made).await.expect(201).json();
        let one = format!("{path}/{}", made["id"]);
        let rotated = owner
            .post(&format!("{one}/rotate"), Value::Null)
            .await
            .expect(200)
            .json();
        owner
            .delete(&format!("{path}/{}", rotated["id"]))
            .await
            .expect(204);
        owner
            .post(
                &path,
                json!({ "name": "ci", "scopes": ["api"], "expires_at": "2026-11-21" }),
            )
            .await
            .expect(201);
    }
    server.clock.advance(chrono::TimeDelta::days(2));
    server.run_job(Job::ExpiredMails).await;
    assert_eq!(kinds(&server), [""; 0]);
}

fn ends(server: &TestServer, token: &TestToken, date: &str) {
    let id = token.id;
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{date}' WHERE id = {id}"
    ));
}

async fn an_expired_token_of_ones_own_is_told_once(server: TestServer) {
    let alice = server.person("alice").create();
    let blocked = server.person("blocked").create();
    let token = |person: &Person, date: &str| {
        let token = person.personal_token([Scope::Api, Scope::ReadRepository]);
        ends(&server, &token, date);
        token
    };
    token(&alice, "2026-11-12");
    let first = token(&alice, "2026-11-13");
    let last = token(&alice, "2026-11-20");
    token(&alice, "2026-11-21");
    token(&blocked, "2026-11-20");
    let revoked = token(&alice, "2026-11-20");
    server.sql(&format!(
        "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
        revoked.id
    ));
    blocked.block();
    forget(&server);
    assert_eq!(server.run_job(Job::ExpiredMails).await["mails"], 2);
    let keys: Vec<String> = letters(&server)
        .into_iter()
        .map(|(email, _)| email.key)
        .collect();
    let expected = [&first, &last].map(|token| format!("personal_token_expired/{}", token.id));
    assert_eq!(keys, expected);
    assert_mail("personal_token_expired", &messages(&server)[1]);

    assert_eq!(
        server.run_job(Job::ExpiredMails).await["mails"],
        0,
        "a second run says nothing"
    );
    server.run_job(Job::DeliverMail).await;
    server.clock.advance(chrono::TimeDelta::days(1));
    assert_eq!(
        server.run_job(Job::ExpiredMails).await["mails"],
        1,
        "the one of the next day"
    );
    server.clock.advance(chrono::TimeDelta::days(20));
    assert_eq!(
        server.run_job(Job::ExpiredMails).await["mails"],
        0,
        "old news"
    );
}

async fn many_expired_tokens_are_all_told(server: TestServer) {
    let alice = server.person("alice").create();
    alice.personal_token([Scope::Api]);
    // What a year of scripts leaves behind.
    let digest = if server.is_on_postgres() {
        "decode(lpad(to_hex(n), 64, '0'), 'hex')"
    } else {
        "CAST(printf('%064x', n) AS BLOB)"
    };
    server.sql(&format!(
        "INSERT INTO access_tokens (user_id, name, scopes, digest, digest_version, hint, expires_at, created_at, updated_at)
         SELECT t.user_id, 'n' || n, t.scopes, {digest}, 1, 'abcd', '2026-11-19', t.created_at, t.updated_at
         FROM access_tokens t, (WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2001) SELECT n FROM numbers) AS many"
    ));
    forget(&server);
    assert_eq!(server.run_job(Job::ExpiredMails).await["mails"], 2_001);
    assert_eq!(server.run_job(Job::ExpiredMails).await["mails"], 0);
}

/// Rotates a token and shows the old value once more.
async fn ring(token: &TestToken) {
    let path = "/personal_access_tokens/self/rotate";
    token.post(path, Value::Null).await.expect(200);
    token.post(path, Value::Null).await.expect(401);
}

async fn an_alarm_reaches_those_who_look_after_the_token(server: TestServer) {
    let company = Company::on(&server);
    let second = server.person("second").create();
    company.acme.member(&second, AccessLevel::Owner);
    company.p1.member(&company.carol, AccessLevel::Maintainer);
    let of_group = company.acme.token("ci").create();
    let of_project = company.p1.token("deploy <b>").create();
    forget(&server);
    ring(&of_group).await;
    let told = messages(&server);
    let to: Vec<&str> = told
        .iter()
        .map(|message| message.to_address.as_str())
        .collect();
    assert_eq!(to, ["alice@example.com", "second@example.com"]);
    assert_mail("group_token_reuse_detected", &told[0]);
    of_group
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(401);
    assert_eq!(messages(&server).len(), 2, "once");

    forget(&server);
    ring(&of_project).await;
    let told = messages(&server);
    let to: Vec<&str> = told
        .iter()
        .map(|message| message.to_address.as_str())
        .collect();
    assert_eq!(to, ["carol@example.com"], "directly in the project");
    assert_mail("project_token_reuse_detected", &told[0]);

    // What was so when it happened need not be so when the mail is sent.
    server.sql(&format!(
        "DELETE FROM memberships WHERE user_id = {} AND project_id IS NOT NULL",
        company.carol.id
    ));
    assert!(matches!(letters(&server)[0].1, Composed::Drop(_)));
}

async fn an_alarm_about_ones_own_token_reaches_oneself(server: TestServer) {
    let alice = server.person("alice").create();
    let token = alice.personal_token([Scope::Api]);
    forget(&server);
    ring(&token).await;
    assert_eq!(
        kinds(&server),
        ["personal_token_rotated", "token_reuse_detected"]
    );
    assert_mail("personal_token_reuse_detected", &messages(&server)[1]);
}

async fn whoever_is_nobody_to_be_told_any_more_is_not_told(server: TestServer) {
    let alice = server.person("alice").create();
    let carol = server.person("carol").create();
    let bob = server.person("bob").create();
    for person in [&alice, &bob, &carol] {
        person.personal_token([Scope::Api]);
    }
    alice.block();
    server.sql("UPDATE users SET confirmed_at = NULL WHERE username = 'bob'");
    let counts = server.run_job(Job::DeliverMail).await;
    assert_eq!((counts["sent"], counts["dropped"]), (1, 2));
    assert_eq!(
        server.count(
            "emails",
            "state = 'dropped' AND last_error LIKE '%may not sign in%'"
        ),
        1
    );
    assert_eq!(
        server.count(
            "emails",
            "state = 'dropped' AND last_error LIKE '%confirmed%'"
        ),
        1
    );
}

async fn what_people_typed_is_text_in_every_mail(server: TestServer) {
    let nasty = "<script>alert(1)</script>\"'&{{7*7}}\u{202e}";
    let alice = server.person("alice").named(nasty).create();
    let user = alice.user.clone();
    server.arrange(move |conn, ctx| {
        let new = NewAccessToken {
            name: nasty.into(),
            description: None,
            scopes: vec![Scope::Api],
            access_level: AccessLevel::Owner,
            expires_at: None,
        };
        create_personal(conn, ctx, &user, &new).map(|_| ())
    });
    let told = messages(&server);
    let message = &told[0];
    assert!(!message.html.contains("<script"), "{}", message.html);
    assert!(message.html.contains("{{7*7}}") && message.text.contains("<script>alert(1)"));
    assert!(message.subject.contains("<script>alert(1)</script>"));
    assert!(!message.text.contains('\u{202e}') && !message.subject.contains('\u{202e}'));
}

async fn no_mail_knows_a_value(server: TestServer) {
    let alice = server.person("alice").create();
    let token = alice.personal_token([Scope::Api]);
    let rotated = token
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(200)
        .json();
    let values = [&token.value, rotated["token"].as_str().unwrap()];
    token
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(401);
    let letters = letters(&server);
    assert_eq!(letters.len(), 3);
    for (email, composed) in letters {
        let all = format!("{email:?}{composed:?}");
        for value in values {
            let secret = value.trim_start_matches("glpat-");
            assert!(!all.contains(&secret[..12]), "{}", email.kind);
        }
    }
}
