//! Values that were rotated away and still work are found wherever their token is, beside it.

use chrono::TimeDelta;
use latchkey::access_tokens::{census, legacy, list, scope::Scope};
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Company, TestResource, TestServer, TestToken, Visitor};

on_both![
    the_row_tells_every_old_value_that_works_and_each_can_be_ended,
    old_values_cost_no_query_more,
    the_inventory_counts_old_values_with_their_successor,
    credentials_count_old_values_with_their_successor,
    old_values_are_counted_as_what_they_are,
    a_nearer_end_is_that_of_the_old_values_too,
    an_end_in_the_past_changes_no_value_that_had_ended,
];

const WEEK: i64 = 604_800;

/// Rotates a value by itself, with this grace.
async fn rotated(
    server: &TestServer,
    by: &crate::support::Api,
    seconds: i64,
) -> (i64, crate::support::Api) {
    let body = json!({ "grace_period": seconds, "expires_at": "2027-06-01" });
    let answer = by.post("/personal_access_tokens/self/rotate", body).await;
    let answer = answer.expect(200).json();
    let value = answer["token"].as_str().unwrap();
    (answer["id"].as_i64().unwrap(), server.with_token(value))
}

/// The first value of a token, and the ids of the second and the third; all of them work for an hour at least.
async fn thrice(server: &TestServer, first: &TestToken) -> (i64, i64) {
    let (second, value) = rotated(server, &first.api(), WEEK).await;
    server.clock.advance(TimeDelta::hours(1));
    let (third, _) = rotated(server, &value, WEEK).await;
    (second, third)
}

async fn queries(server: &TestServer, browser: &Visitor, path: &str) -> u64 {
    browser.get(path).await.expect(200);
    let before = server.app.db.counters().queries();
    browser.get(path).await.expect(200);
    server.app.db.counters().queries() - before
}

async fn the_row_tells_every_old_value_that_works_and_each_can_be_ended(server: TestServer) {
    let company = Company::on(&server);
    let first = company.acme.token("ci").expires("2027-06-01").create();
    // Of the same person, and of another family.
    let own = company.bob.personal_token([Scope::Api]);
    let other = company.bob.personal_token([Scope::Api]);
    rotated(&server, &other.api(), WEEK).await;
    let (second, third) = thrice(&server, &first).await;
    thrice(&server, &own).await;
    let browser = company.alice.signs_in().await;
    let list = company.acme.page("settings/access_tokens");
    let page = browser.open(&list).await;
    assert_eq!(page.rows("active-tokens").len(), 1);
    let told = page.part("old-value").unwrap().text();
    assert_eq!(
        told,
        "2 old values, the last valid until 11:00 UTC on 27 Nov 2026"
    );
    assert!(page.links_to(&format!("{list}/{third}#old-values")));
    let detail = browser.open(&format!("{list}/{third}")).await;
    assert!(detail.says("2 old values still work."), "{}", detail.text());
    for (id, until) in [
        (second, "11:00 UTC on 27 Nov 2026"),
        (first.id, "10:00 UTC on 27 Nov 2026"),
    ] {
        assert!(detail.links_to(&format!("{list}/{id}/revoke")), "{id}");
        assert!(detail.says(until), "{until} in {}", detail.text());
    }
    // The page of an old value tells of those before it.
    let detail = browser.open(&format!("{list}/{second}")).await;
    assert!(detail.says("The old value is valid until 10:00 UTC on 27 Nov 2026."));
    let bob = company.bob.signs_in().await;
    let personal = bob.open("/-/user_settings/personal_access_tokens").await;
    let rows = personal.rows("active-tokens");
    assert_eq!(rows.len(), 2);
    let of_two = rows
        .iter()
        .filter(|row| row.join(" ").contains("2 old values"));
    assert_eq!(of_two.count(), 1, "each family for itself: {rows:?}");

    let address = format!("{list}/{}/revoke", first.id);
    let asked = browser.open(&address).await;
    browser.submit(&asked.form(&address)).await.expect(303);
    assert!(!first.works().await);
    let page = browser.open(&list).await;
    let told = page.part("old-value").unwrap().text();
    assert_eq!(told, "Old value valid until 11:00 UTC on 27 Nov 2026");
    assert!(page.links_to(&format!("{list}/{second}/revoke")));
    server.clock.advance(TimeDelta::days(7));
    let browser = company.alice.signs_in().await;
    assert!(!browser.open(&list).await.has("old-value"));
}

async fn old_values_cost_no_query_more(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    for name in ["one", "two", "three"] {
        let token = company.acme.token(name).expires("2027-06-01").create();
        thrice(&server, &token).await;
    }
    let browser = company.alice.signs_in().await;
    let list = company.acme.page("settings/access_tokens");
    assert!(queries(&server, &browser, &list).await <= 4);
    let inventory = company.acme.page("token_inventory");
    assert!(queries(&server, &browser, &inventory).await <= 4);
}

async fn the_inventory_counts_old_values_with_their_successor(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let first = company.p1.token("ci").expires("2027-06-01").create();
    let (second, third) = thrice(&server, &first).await;
    let browser = company.alice.signs_in().await;
    let inventory = company.acme.page("token_inventory");
    for state in ["", "all"] {
        let path = format!("{inventory}?state={state}");
        let page = browser.open(&path).await;
        assert_eq!(page.rows("inventory").len(), 1, "{state}");
        assert_eq!(page.part("inventory-count").unwrap().text(), "1", "{state}");
        assert!(page.says("2 old values, the last valid until 11:00 UTC on 27 Nov 2026"));
        let answer = browser.get(&format!("{inventory}.csv?state={state}")).await;
        let text = answer.expect(200).text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains(&format!("\r\n{third},ci,")), "{text}");
        assert!(text.ends_with(",2026-11-27T11:00:00Z\r\n"), "{text}");
    }
    let page = browser.open(&format!("{inventory}?state=inactive")).await;
    assert_eq!(page.rows("inventory").len(), 0);
    // From the row they are ended together.
    let ends = format!("{inventory}/revoke?ids={second}&ids={}", first.id);
    let page = browser.open(&inventory).await;
    let link = page
        .links()
        .into_iter()
        .find(|link| link.starts_with(&ends));
    let asked = browser.open(&link.expect("a way to end them")).await;
    let form = asked.form(&format!("{inventory}/revoke"));
    browser.submit(&form).await.expect(303);
    assert!(!first.works().await);
    let page = browser.open(&format!("{inventory}?state=all")).await;
    assert!(!page.has("old-value"));
    assert_eq!(
        page.rows("inventory").len(),
        3,
        "what has ended is there again"
    );
}

async fn credentials_count_old_values_with_their_successor(server: TestServer) {
    let company = Company::on(&server);
    let first = company.bob.personal_token([Scope::Api]);
    let (second, _) = thrice(&server, &first).await;
    let browser = company.root.signs_in().await;
    for state in ["", "active"] {
        let page = browser
            .open(&format!("/admin/credentials?user=bob&state={state}"))
            .await;
        assert_eq!(page.rows("credentials").len(), 1, "{state}");
        assert!(page.says("2 old values, the last valid until 11:00 UTC on 27 Nov 2026"));
    }
    let page = browser
        .open("/admin/credentials?user=bob&state=inactive")
        .await;
    assert_eq!(page.rows("credentials").len(), 0);
    let page = browser.open("/admin/credentials?user=bob").await;
    let ends = format!("/admin/credentials/revoke?ids={second}&ids={}", first.id);
    let link = page
        .links()
        .into_iter()
        .find(|link| link.starts_with(&ends));
    let asked = browser.open(&link.expect("a way to end them")).await;
    browser
        .submit(&asked.form("/admin/credentials/revoke"))
        .await
        .expect(303);
    assert!(!first.works().await);
    let page = browser.open("/admin/credentials?user=bob").await;
    assert_eq!(page.rows("credentials").len(), 3);
    // Who asks the API and the command line is told of each.
    let tokens = server.arrange(|conn, ctx| {
        let query = list::Query {
            with_old_values: true,
            ..list::Query::default()
        };
        list::of_instance(
            conn,
            ctx,
            None,
            &query,
            latchkey::db::PageRequest::default(),
        )
    });
    assert_eq!(tokens.rows.len(), 3);
}

async fn old_values_are_counted_as_what_they_are(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let first = company.acme.token("ci").expires("2027-06-01").create();
    thrice(&server, &first).await;
    let own = company.bob.personal_token([Scope::Api]);
    thrice(&server, &own).await;
    let revoked = company.p1.token("revoked").create();
    revoked
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    let count = || server.arrange(|conn, ctx| census::count_all(conn, ctx.now));
    let found = count();
    assert_eq!((found.active.group, found.old_values.group), (1, 2));
    assert_eq!((found.active.personal, found.old_values.personal), (1, 2));
    assert_eq!((found.revoked.project, found.old_values.project), (1, 0));
    assert_eq!((found.revoked.group, found.revoked.personal), (0, 0));
    server.clock.advance(TimeDelta::days(7));
    let found = count();
    assert_eq!((found.old_values.group, found.revoked.group), (0, 2));
}

async fn a_nearer_end_is_that_of_the_old_values_too(server: TestServer) {
    let company = Company::on(&server);
    let first = company.acme.token("ci").expires("2027-06-01").create();
    let (second, third) = thrice(&server, &first).await;
    server.arrange(move |conn, ctx| {
        let listed = latchkey::access_tokens::store::find(conn, third)?.unwrap();
        let day = "2026-11-22".parse().unwrap();
        legacy::bring_forward(conn, ctx, &listed, day, "a test asked for it")
    });
    let event = server.the_event("group_access_token_updated");
    let details: Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(details["ended_sooner"], json!([second, first.id]));
    assert!(first.works().await);
    server
        .clock
        .set(crate::support::server::moment("2026-11-22T00:00:00Z"));
    assert!(!first.works().await, "no value outlives a newer one");

    // As where a date is given to a token that had none.
    server.set("require_personal_access_token_expiry", "false");
    let own = company.bob.personal_token([Scope::Api]);
    let body = json!({ "grace_period": WEEK });
    let new = own
        .post("/personal_access_tokens/self/rotate", body)
        .await
        .expect(200)
        .json();
    let id = new["id"].as_i64().unwrap();
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = NULL WHERE id = {id}"
    ));
    server.arrange(move |conn, ctx| {
        let day = "2026-11-24".parse().unwrap();
        legacy::apply(conn, ctx, &[id], day, "a test asked for it")
    });
    assert!(own.works().await);
    server
        .clock
        .set(crate::support::server::moment("2026-11-24T00:00:00Z"));
    assert!(!own.works().await);
}

async fn an_end_in_the_past_changes_no_value_that_had_ended(server: TestServer) {
    let company = Company::on(&server);
    let first = company.acme.token("ci").expires("2027-06-01").create();
    let (second, value) = rotated(&server, &first.api(), 3_600).await;
    server.clock.advance(TimeDelta::hours(2));
    let (third, _) = rotated(&server, &value, WEEK).await;
    server.clock.advance(TimeDelta::hours(1));
    let before = server.arrange({
        let id = first.id;
        move |conn, _| {
            Ok(latchkey::access_tokens::store::find(conn, id)?
                .unwrap()
                .token)
        }
    });
    server.arrange(move |conn, ctx| {
        let listed = latchkey::access_tokens::store::find(conn, third)?.unwrap();
        legacy::bring_forward(conn, ctx, &listed, ctx.today(), "a test asked for it")
    });
    let event = server.the_event("group_access_token_updated");
    let details: Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(details["ended_sooner"], json!([second]));
    let after = server.arrange({
        let id = first.id;
        move |conn, _| {
            Ok(latchkey::access_tokens::store::find(conn, id)?
                .unwrap()
                .token)
        }
    });
    assert_eq!(
        (before.updated_at, before.grace_until),
        (after.updated_at, after.grace_until)
    );
}
