//! The signing key is in one answer, and nowhere else.

use super::Stage;
use crate::on_both;
use crate::support::{
    Answer, TestGroup, TestResource, TestServer, Visitor, page::unescaped, server::logged,
};

on_both![
    the_key_is_in_the_answer_that_made_it_and_in_no_other,
    a_reset_shows_another_key_once,
    the_database_keeps_neither_the_key_nor_what_makes_it_alone,
    nothing_secret_is_logged_or_audited,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    server.allow_local_webhooks();
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

/// The key that an answer shows, if it does.
fn shown(answer: &Answer) -> Option<String> {
    let field = answer.page().tag("signing-key-field")?;
    field.get("value").map(|value| unescaped(&value))
}

async fn made(browser: &Visitor, acme: &TestGroup) -> Answer {
    let form = browser
        .open(&acme.page("hooks?new=1"))
        .await
        .form(&acme.page("hooks"))
        .fill("webhook[name]", "pager")
        .fill("webhook[url]", "https://hooks.example.com/services/T0/B0");
    browser.submit(&form).await.expect(200)
}

async fn the_key_is_in_the_answer_that_made_it_and_in_no_other(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let answer = made(&browser, &acme).await;
    let key = shown(&answer).expect("the key is shown");
    assert!(key.starts_with("whsec_") && key.len() == 50, "{key}");
    assert_eq!(answer.header("cache-control"), "no-store");
    for absent in ["etag", "location", "last-modified", "set-cookie"] {
        assert_eq!(answer.header(absent), "", "{absent}");
    }
    let page = answer.page();
    assert_eq!(page.html.matches(&key).count(), 1, "once, in the field");
    assert!(!page.title().contains(&key));
    assert!(page.links().iter().all(|link| !link.contains(&key)));

    let hook = acme.page("hooks/1");
    for path in [
        acme.page("hooks"),
        hook.clone(),
        format!("{hook}/reset_key"),
        format!("{hook}/delete"),
        "/".into(),
    ] {
        let seen = browser.get(&path).await.expect(200);
        assert!(!seen.text().contains("whsec_"), "{path}");
    }
    // The form once more: the name is taken, and nothing is shown.
    let fields = [
        ("webhook[name]", "pager"),
        ("webhook[url]", "https://hooks.example.com/services/T0/B0"),
    ];
    let again = browser.post(&acme.page("hooks"), &fields).await.expect(422);
    assert!(!again.text().contains(&key) && shown(&again).is_none());
    assert_eq!(server.count("webhooks", ""), 1);
}

async fn a_reset_shows_another_key_once(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let first = shown(&made(&browser, &acme).await).unwrap();
    let path = acme.page("hooks/1/reset_key");
    let question = browser.open(&path).await;
    assert!(question.says("Reset the signing key of “ pager ”?"));
    let answer = browser.submit(&question.form(&path)).await.expect(200);
    let second = shown(&answer).expect("the key is shown");
    assert_ne!(first, second);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.text().contains(&first));
    let seen = browser.get(&acme.page("hooks/1")).await.expect(200);
    assert!(!seen.text().contains("whsec_"));
    let audited = "event = 'webhook_updated' AND details LIKE '%signing_key_reset%'";
    assert_eq!(server.count("audit_events", audited), 1);
}

async fn the_database_keeps_neither_the_key_nor_what_makes_it_alone(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let key = shown(&made(&browser, &acme).await).unwrap();
    let secret = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        key.strip_prefix("whsec_").unwrap(),
    )
    .unwrap();
    let digits = hex::encode(&secret);
    let salt = if server.is_on_postgres() {
        format!("encode(salt, 'hex') = '{digits}'")
    } else {
        format!("lower(hex(salt)) = '{digits}'")
    };
    assert_eq!(server.count("webhooks", &salt), 0);
    for (table, columns) in [
        ("webhooks", "name || url || coalesce(disabled_reason, '')"),
        ("audit_events", "details || target_name"),
        ("sessions", "state"),
    ] {
        for secret in [key.as_str(), &key[6..], &digits] {
            let held = server.count(table, &format!("{columns} LIKE '%{secret}%'"));
            assert_eq!(held, 0, "{table}");
        }
    }
}

async fn nothing_secret_is_logged_or_audited(server: TestServer) {
    let stage = Stage::on(&server);
    let path = format!("/a-secret-path-{}", server.url.len() + stage.hook.key.len());
    let path = format!("{path}-{}", stage.receiver.address.port());
    let url = stage.receiver.url(&path);
    let hook = stage.group.webhook("second", &url);
    hook.delivery();
    server.deliver_webhooks().await;
    assert_eq!(
        stage.receiver.received()[0].line,
        format!("POST {path} HTTP/1.1")
    );
    let log = logged();
    assert!(!log.contains(&path), "paths of receivers are secrets");
    assert!(!log.contains(&hook.key));
    assert_eq!(
        server.count("audit_events", &format!("details LIKE '%{path}%'")),
        0
    );
    let told = format!("%http://{}%", stage.receiver.address);
    assert_eq!(
        server.count("audit_events", &format!("details LIKE '{told}'")),
        2,
        "where it goes is told all the same"
    );
}
