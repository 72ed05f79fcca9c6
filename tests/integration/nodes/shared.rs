//! What somebody does on one node, the others know.

use latchkey::access_tokens::scope::Scope;
use reqwest::Method;
use serde_json::json;

use super::three;
use crate::on_postgres;
use crate::support::{Answer, Company, PASSWORD, TestResource, TestServer};

on_postgres![
    a_token_is_made_used_rotated_and_revoked_whichever_node_is_asked,
    a_form_is_taken_once_whichever_node_gets_it,
    what_a_page_says_once_is_said_by_the_node_that_shows_the_next,
    who_signs_in_on_one_node_is_signed_in_on_all_and_signs_out_of_all,
    failed_sign_ins_are_counted_over_all_nodes,
    what_is_set_on_one_node_holds_on_the_others_from_the_next_request,
    calls_in_a_minute_are_counted_by_each_node_for_itself,
    an_idempotency_key_makes_one_token_whichever_nodes_get_it,
    a_new_address_of_a_calendar_ends_the_old_one_on_all_nodes,
];

const NAME: &str = "resource_access_token[name]";
const SCOPES: &str = "resource_access_token[scopes][]";

async fn a_token_is_made_used_rotated_and_revoked_whichever_node_is_asked(server: TestServer) {
    let [a, b, c] = three(&server);
    let company = Company::on(&a);
    let path = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let form = browser.at(&b).open(&path).await.form(&path);
    let form = form.fill(NAME, "ci").tick(SCOPES, "api");
    let made = browser.at(&c).submit(&form).await.expect(200).page();
    let value = made.tag("created-access-token-field").unwrap().get("value");
    let value = value.unwrap();
    let alice = company.alice.personal_token([Scope::Api]).value;
    let (own, list) = (
        "/personal_access_tokens/self",
        format!("{}/access_tokens", company.acme.path()),
    );
    for node in [&a, &b, &c] {
        node.with_token(&value).get(own).await.expect(200);
        let listed = node.with_token(&alice).get(&list).await.expect(200);
        assert_eq!(listed.json()[0]["name"], "ci");
        assert!(browser.at(node).open(&path).await.says("ci"));
        assert!(!browser.at(node).get(&path).await.text().contains(&value));
    }
    let rotated = b
        .with_token(&value)
        .post(&format!("{own}/rotate"), json!({}))
        .await;
    let rotated = rotated.expect(200).json();
    let (new, id) = (rotated["token"].as_str().unwrap(), &rotated["id"]);
    for node in [&a, &b, &c] {
        node.with_token(&value).get(own).await.expect(401);
        node.with_token(new).get(own).await.expect(200);
    }
    let revoked = company.alice.api().delete(&format!("{list}/{id}")).await;
    revoked.expect(204);
    for node in [&c, &b, &a] {
        node.with_token(new).get(own).await.expect(401);
    }
}

async fn a_form_is_taken_once_whichever_node_gets_it(server: TestServer) {
    let [a, b, c] = three(&server);
    let company = Company::on(&a);
    let path = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let form = browser.open(&path).await.form(&path);
    let form = form.fill(NAME, "ci").tick(SCOPES, "api");
    let (on_b, on_c) = (browser.at(&b), browser.at(&c));
    let (one, other) = tokio::join!(on_b.submit(&form), on_c.submit(&form));
    let shown = [one, other].map(|answer| answer.page().has("created-access-token-field"));
    assert_ne!(shown[0], shown[1], "one of them shows a value");
    assert_eq!(server.count("access_tokens", "name = 'ci'"), 1);
}

async fn what_a_page_says_once_is_said_by_the_node_that_shows_the_next(server: TestServer) {
    let [a, b, c] = three(&server);
    let company = Company::on(&a);
    let token = company.acme.token("ci").create();
    let path = company.acme.page("settings/access_tokens");
    let browser = company.alice.signs_in().await;
    let page = browser.at(&a).open(&path).await;
    let question = page.tag("revoke-button").unwrap().get("href").unwrap();
    let form = browser.at(&a).open(&question).await.form(&question);
    let answer = browser.at(&b).submit(&form).await.expect(303);
    assert!(!token.works().await);
    let next = browser.at(&c).open(answer.location()).await;
    assert!(
        next.flash().contains("Revoked access token ci"),
        "{}",
        next.flash()
    );
    assert_eq!(browser.at(&a).open(&path).await.flash(), "");
}

async fn who_signs_in_on_one_node_is_signed_in_on_all_and_signs_out_of_all(server: TestServer) {
    let [a, b, c] = three(&server);
    server.person("alice").create();
    let browser = a.visitor();
    // The page from one node, its form to another.
    let form = browser.open("/users/sign_in").await.form("/users/sign_in");
    let form = form
        .fill("user[login]", "alice")
        .fill("user[password]", PASSWORD);
    browser.at(&b).submit(&form).await.expect(303);
    for node in [&a, &b, &c] {
        assert!(browser.at(node).is_signed_in().await);
    }
    let copied = browser.copied();
    browser.at(&c).sign_out().await.expect(303);
    for node in [&a, &b, &c] {
        assert!(!copied.at(node).is_signed_in().await);
    }
}

async fn failed_sign_ins_are_counted_over_all_nodes(server: TestServer) {
    let nodes = three(&server);
    server.person("alice").create();
    for attempt in 0..5 {
        let visitor = nodes[attempt % 3].visitor();
        visitor
            .sign_in("alice", "a horse without a stable")
            .await
            .expect(422);
    }
    for node in &nodes {
        let answer = node.visitor().sign_in("alice", PASSWORD).await;
        answer.expect(429);
    }
}

async fn what_is_set_on_one_node_holds_on_the_others_from_the_next_request(server: TestServer) {
    let [a, b, c] = three(&server);
    let company = Company::on(&a);
    let root = company.root.api();
    let alice = company.alice.personal_token([Scope::Api]).value;
    let alice_on = |node: &TestServer| node.with_token(&alice);
    let tokens = format!("{}/access_tokens", company.acme.path());
    let settings = "/application/settings";
    for round in 0..20 {
        let prefix = format!("round{round}-");
        let change = json!({ "personal_access_token_prefix": prefix });
        root.put(settings, change).await.expect(200);
        for node in [&b, &c] {
            let body = json!({ "name": "n", "scopes": ["api"] });
            let made = alice_on(node).post(&tokens, body).await.expect(201).json();
            assert!(
                made["token"].as_str().unwrap().starts_with(&prefix),
                "{made}"
            );
        }
    }
    let lasting = async |node: &TestServer, days: i64| {
        let end = server.days_ahead(days);
        let body = json!({ "name": "n", "scopes": ["api"], "expires_at": end });
        alice_on(node).post(&tokens, body).await.status
    };
    assert_eq!([lasting(&b, 390).await, lasting(&c, 390).await], [400, 400]);
    a.flag("buffered_token_expiration_limit", true);
    assert_eq!([lasting(&b, 390).await, lasting(&c, 390).await], [201, 201]);
    let shorter = json!({ "max_personal_access_token_lifetime": 10 });
    root.put(settings, shorter).await.expect(200);
    assert_eq!([lasting(&b, 20).await, lasting(&c, 20).await], [400, 400]);
    c.set("disable_personal_access_tokens", "true");
    for node in [&a, &b] {
        alice_on(node)
            .get("/personal_access_tokens/self")
            .await
            .expect(401);
    }
}

async fn calls_in_a_minute_are_counted_by_each_node_for_itself(server: TestServer) {
    let nodes = three(&server);
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    server.set("api_requests_per_minute", "2");
    for node in &nodes {
        let api = node.with_token(&token.value);
        for status in [200, 200, 429] {
            api.get("/personal_access_tokens/self").await.expect(status);
        }
    }
}

async fn an_idempotency_key_makes_one_token_whichever_nodes_get_it(server: TestServer) {
    let [a, b, c] = three(&server);
    let company = Company::on(&a);
    let value = company.alice.personal_token([Scope::Api]).value;
    let tokens = format!("{}/access_tokens", company.acme.path());
    for round in 0..10 {
        let (name, key) = (format!("ci{round}"), format!("key{round}"));
        let ask = async |node: &TestServer| {
            let request = node.with_token(&value).request(Method::POST, &tokens);
            let body = json!({ "name": name, "scopes": ["api"] });
            Answer::to(request.header("Idempotency-Key", &key).json(&body)).await
        };
        let (one, other) = tokio::join!(ask(&b), ask(&c));
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert!(matches!(statuses, [200, 201] | [201, 409]), "{statuses:?}");
        assert_eq!(
            server.count("access_tokens", &format!("name = '{name}'")),
            1
        );
        let again = ask(&a).await.expect(200);
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
}

async fn a_new_address_of_a_calendar_ends_the_old_one_on_all_nodes(server: TestServer) {
    const PAGE: &str = "/-/profile/notifications";
    const RESET: &str = "/-/profile/reset_feed_token";
    let [a, b, c] = three(&server);
    let alice = server.person("alice").create();
    alice.personal_token([Scope::Api]);
    let browser = alice.signs_in().await;
    let mut addresses = Vec::new();
    for node in [&b, &c] {
        let form = browser.at(node).open(PAGE).await.form(RESET);
        browser.at(node).submit(&form).await.expect(303);
        let shown = browser
            .at(&a)
            .open(PAGE)
            .await
            .tag("calendar-address")
            .unwrap();
        let address = shown.get("value").unwrap();
        addresses.push(address.strip_prefix(&a.url).unwrap().to_owned());
    }
    for node in [&a, &b, &c] {
        assert!(matches!(node.get(&addresses[0]).await.status, 401 | 404));
        node.get(&addresses[1]).await.expect(200);
    }
}
