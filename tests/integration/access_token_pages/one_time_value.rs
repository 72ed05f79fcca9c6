//! The value is in one answer, and nowhere else.

use super::{field, filled, tokens_of, value_in, value_of};
use crate::on_both;
use crate::support::{Answer, Form, TestGroup, TestResource, TestServer, Visitor, server::logged};

on_both![
    the_value_is_in_the_answer_to_the_form_and_in_no_other,
    sending_the_form_again_makes_nothing_and_says_so,
    a_double_click_makes_one_token,
    each_form_makes_a_token_of_its_own,
    a_form_that_was_refused_can_be_corrected,
    a_form_without_its_mark_makes_nothing,
    a_used_form_is_used_whoever_and_wherever_sends_it,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

async fn the_value_is_in_the_answer_to_the_form_and_in_no_other(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let path = tokens_of(&acme);
    let answer = browser
        .submit(&filled(&browser, &acme, "ci").await)
        .await
        .expect(200);
    let value = value_of(&answer);
    assert_eq!(answer.header("cache-control"), "no-store");
    for absent in ["etag", "location", "last-modified", "content-encoding"] {
        assert_eq!(answer.header(absent), "", "{absent}");
    }
    assert!(
        answer
            .headers
            .values()
            .all(|header| !String::from_utf8_lossy(header.as_bytes()).contains(&value))
    );
    let page = answer.page();
    assert!(!page.title().contains(&value));
    assert!(page.links().iter().all(|link| !link.contains(&value)));
    assert_eq!(page.html.matches(&value).count(), 1, "once, in the field");

    let second_tab = browser.copied();
    for (visitor, path) in [
        (&browser, path.clone()),
        (&second_tab, path.clone()),
        (&browser, format!("{path}?new=1")),
        (&browser, "/".to_owned()),
        (&browser, acme.page("group_members")),
    ] {
        let seen = visitor.get(&path).await;
        assert!(!seen.text().contains(&value), "{path}");
        assert!(value_in(&seen).is_none());
    }
    let api = server.with_token(&value);
    for path in [
        "/personal_access_tokens/self".to_owned(),
        format!("{}/access_tokens", acme.path()),
    ] {
        assert!(!api.get(&path).await.text().contains(&value), "{path}");
    }
    assert!(!logged().contains(&value));
    browser.sign_out().await.expect(303);
    assert!(!browser.follow(&path).await.text().contains(&value));
}

#[track_caller]
fn is_replay(answer: &Answer, value: &str) {
    assert!((200..500).contains(&answer.status), "{}", answer.status);
    let page = answer.page();
    assert!(
        page.says("This token was created at 10:00 UTC"),
        "{}",
        page.main()
    );
    assert!(
        page.says("Its value was shown once; if you did not save it, rotate or revoke it."),
        "{}",
        page.main()
    );
    assert!(!answer.text().contains(value));
    assert!(value_in(answer).is_none());
}

async fn sending_the_form_again_makes_nothing_and_says_so(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let form = filled(&browser, &acme, "ci").await;
    let value = value_of(&browser.submit(&form).await.expect(200));
    let before = server.inventory();
    is_replay(&browser.submit(&form).await, &value);
    is_replay(&browser.copied().submit(&form).await, &value);
    // Also with other words in it, or with mistakes.
    is_replay(
        &browser
            .submit(&form.clone().fill(&field("name"), "another"))
            .await,
        &value,
    );
    is_replay(
        &browser.submit(&form.clone().fill(&field("name"), "")).await,
        &value,
    );
    // And after everything that could make the server forget.
    server.clock.advance(chrono::TimeDelta::hours(5));
    is_replay(&browser.submit(&form).await, &value);
    assert_eq!(server.inventory(), before);
    assert!(
        server
            .with_token(&value)
            .get("/personal_access_tokens/self")
            .await
            .status
            == 200
    );
}

/// Sends the same form many times at once.
pub(super) async fn at_once(browser: &Visitor, form: &Form, times: usize) -> Vec<Answer> {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let mut running = tokio::task::JoinSet::new();
            for _ in 0..times {
                let (browser, form) = (browser.copied(), form.clone());
                running.spawn_local(async move { browser.submit(&form).await });
            }
            running.join_all().await
        })
        .await
}

async fn a_double_click_makes_one_token(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for round in 1..=5 {
        let form = filled(&browser, &acme, &format!("ci{round}")).await;
        let answers = at_once(&browser, &form, 6).await;
        let values: Vec<String> = answers.iter().filter_map(value_in).collect();
        assert_eq!(values.len(), 1, "one answer has the value");
        for answer in &answers {
            assert!(answer.status < 500, "{}", answer.text());
            if value_in(answer).is_none() {
                is_replay(answer, &values[0]);
            }
        }
        assert_eq!(server.count("access_tokens", ""), round);
        assert_eq!(server.count("users", "username LIKE 'group%bot%'"), round);
    }
}

async fn each_form_makes_a_token_of_its_own(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let (one, two) = (
        filled(&browser, &acme, "ci").await,
        filled(&browser, &acme, "ci").await,
    );
    assert_ne!(one.value("form_nonce"), two.value("form_nonce"));
    let first = browser.submit(&one).await.expect(200);
    let second = browser.submit(&two).await.expect(200);
    assert_ne!(value_of(&first), value_of(&second));
    // The answer itself carries a fresh form.
    let third = second.page().form(&tokens_of(&acme));
    let third = third.fill(&field("name"), "ci").tick(super::SCOPES, "api");
    value_of(&browser.submit(&third).await.expect(200));
    assert_eq!(server.count("access_tokens", "name = 'ci'"), 3);
}

async fn a_form_that_was_refused_can_be_corrected(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let form = filled(&browser, &acme, "").await;
    let again = browser
        .submit(&form)
        .await
        .expect(422)
        .page()
        .form(&tokens_of(&acme));
    value_of(
        &browser
            .submit(&again.fill(&field("name"), "ci"))
            .await
            .expect(200),
    );
    // The first form made nothing: corrected with Back it would make its own.
    assert_eq!(server.count("access_tokens", ""), 1);
}

async fn a_form_without_its_mark_makes_nothing(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let before = server.inventory();
    let form = filled(&browser, &acme, "ci").await;
    for form in [
        form.clone().without("form_nonce"),
        form.clone().fill("form_nonce", ""),
    ] {
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 422);
        assert!(value_in(&answer).is_none());
    }
    assert_eq!(server.inventory(), before);
}

async fn a_used_form_is_used_whoever_and_wherever_sends_it(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let form = filled(&browser, &acme, "ci").await;
    let value = value_of(&browser.submit(&form).await.expect(200));

    // Somebody else's form has somebody else's mark: a copied one neither shows a value nor breaks theirs.
    let olga = server.person("olga").create();
    acme.member(&olga, latchkey::members::AccessLevel::Owner);
    let theirs = olga.signs_in().await;
    let mine = filled(&theirs, &acme, "hers").await;
    let copied = mine
        .clone()
        .fill("form_nonce", form.value("form_nonce").unwrap());
    let answer = theirs.submit(&copied).await;
    assert!(answer.status < 500, "{}", answer.text());
    assert!(!answer.text().contains(&value));
    value_of(&theirs.submit(&mine).await.expect(200));
}
