//! The old value goes on working for a while after a rotation.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer, TestToken, Visitor};

on_both![
    the_old_value_works_until_the_end_of_its_grace_and_not_a_moment_longer,
    within_its_grace_a_value_does_everything_but_rotate,
    after_its_grace_a_value_that_asks_to_rotate_ends_the_family,
    without_a_grace_the_old_value_ends_at_once,
    a_grace_is_a_number_of_seconds_up_to_a_week,
    revoking_the_new_value_ends_both,
    revoking_the_old_value_ends_the_old_one_alone,
    no_value_outlives_a_newer_one,
    the_reuse_alarm_ends_values_in_their_grace_too,
    lists_tell_a_value_in_its_grace_as_active,
    a_person_may_rotate_their_own_with_a_grace,
    the_pages_offer_a_grace_and_show_it_on_the_row,
    the_old_value_can_be_ended_from_its_row,
    a_grace_that_is_not_on_offer_rotates_nothing,
    an_audit_event_tells_until_when_the_old_value_works,
];

/// A token of a group and the one that it was rotated into.
struct Family {
    company: Company,
    old: TestToken,
    new: Api,
    new_id: i64,
}

fn path(company: &Company, id: i64, end: &str) -> String {
    format!("{}/access_tokens/{id}{end}", company.acme.path())
}

/// A token that alice rotates with this grace.
async fn rotated(server: &TestServer, seconds: i64) -> Family {
    let company = Company::on(server);
    let old = company.acme.token("ci").expires("2027-05-01").create();
    let body = json!({ "grace_period": seconds, "expires_at": "2027-06-01" });
    let answer = company
        .alice
        .api()
        .post(&path(&company, old.id, "/rotate"), body)
        .await
        .expect(200)
        .json();
    let new = server.with_token(answer["token"].as_str().unwrap());
    let new_id = answer["id"].as_i64().unwrap();
    Family {
        company,
        old,
        new,
        new_id,
    }
}

async fn works(api: &Api) -> bool {
    api.get("/user").await.status == 200
}

async fn the_old_value_works_until_the_end_of_its_grace_and_not_a_moment_longer(
    server: TestServer,
) {
    let family = rotated(&server, 3_600).await;
    server.clock.advance(TimeDelta::seconds(3_599));
    assert!(family.old.works().await);
    assert!(works(&family.new).await);
    server.clock.advance(TimeDelta::seconds(1));
    let answer = family.old.get("/user").await.expect(401);
    assert_eq!(answer.json()["error"], "invalid_token");
    assert!(works(&family.new).await);
}

async fn within_its_grace_a_value_does_everything_but_rotate(server: TestServer) {
    let family = rotated(&server, 86_400).await;
    let old = &family.old;
    let own = old.get("/personal_access_tokens/self").await.expect(200);
    let own = own.json();
    assert_eq!(
        (&own["id"], &own["active"], &own["revoked"]),
        (&json!(old.id), &json!(true), &json!(false))
    );
    old.get(&family.company.acme.path()).await.expect(200);
    for end in ["/personal_access_tokens/self/rotate".to_owned(), {
        path(&family.company, old.id, "/rotate")
    }] {
        let by = if end.starts_with("/groups") {
            family.company.alice.api()
        } else {
            old.api()
        };
        let answer = by.post(&end, Value::Null).await.expect(400);
        assert!(
            answer.text().contains("token already rotated"),
            "{}",
            answer.text()
        );
    }
    assert!(old.works().await && works(&family.new).await);
}

async fn after_its_grace_a_value_that_asks_to_rotate_ends_the_family(server: TestServer) {
    let family = rotated(&server, 60).await;
    server.clock.advance(TimeDelta::seconds(61));
    family
        .old
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(401);
    assert!(!works(&family.new).await, "somebody else holds the old one");
}

async fn without_a_grace_the_old_value_ends_at_once(server: TestServer) {
    let family = rotated(&server, 0).await;
    assert!(!family.old.works().await);
    let again = family
        .company
        .alice
        .api()
        .post(
            &path(&family.company, family.old.id, "/rotate"),
            Value::Null,
        )
        .await;
    assert!(again.expect(400).text().contains("token already revoked"));
}

async fn a_grace_is_a_number_of_seconds_up_to_a_week(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let alice = company.alice.api();
    let rotate = path(&company, token.id, "/rotate");
    for (sent, error) in [
        (json!(-1), "grace_period does not have a valid value"),
        (json!(604_801), "grace_period does not have a valid value"),
        (json!("soon"), "grace_period is invalid"),
        (json!(1.5), "grace_period is invalid"),
    ] {
        let body = json!({ "grace_period": sent });
        let answer = alice.post(&rotate, body).await.expect(400);
        assert_eq!(answer.json(), json!({ "error": error }), "{sent}");
    }
    assert!(token.works().await);
    let body = json!({ "grace_period": 604_800 });
    alice.post(&rotate, body).await.expect(200);
    assert!(token.works().await);
}

async fn revoking_the_new_value_ends_both(server: TestServer) {
    server.retain_bots(true);
    let family = rotated(&server, 86_400).await;
    let alice = family.company.alice.api();
    alice
        .delete(&path(&family.company, family.new_id, ""))
        .await
        .expect(204);
    assert!(!family.old.works().await);
    assert!(!works(&family.new).await);
}

async fn revoking_the_old_value_ends_the_old_one_alone(server: TestServer) {
    server.retain_bots(false);
    let family = rotated(&server, 86_400).await;
    let alice = family.company.alice.api();
    alice
        .delete(&path(&family.company, family.old.id, ""))
        .await
        .expect(204);
    server.rest().await;
    assert!(!family.old.works().await);
    assert!(works(&family.new).await, "the bot stays for the new one");
    let members = alice
        .get(&format!("{}/members", family.company.acme.path()))
        .await
        .text();
    assert!(members.contains(&family.old.username));
}

async fn no_value_outlives_a_newer_one(server: TestServer) {
    let family = rotated(&server, 604_800).await;
    let body = json!({ "grace_period": 3_600 });
    let third = family
        .new
        .post("/personal_access_tokens/self/rotate", body)
        .await
        .expect(200)
        .json();
    let third = server.with_token(third["token"].as_str().unwrap());
    assert!(family.old.works().await && works(&family.new).await && works(&third).await);
    server.clock.advance(TimeDelta::hours(1));
    assert!(!family.old.works().await, "no longer than the second");
    assert!(!works(&family.new).await);
    // And a rotation without a grace ends all that came before.
    let body = json!({ "grace_period": 3_600 });
    let fourth = third
        .post("/personal_access_tokens/self/rotate", body)
        .await
        .expect(200)
        .json();
    let fourth = server.with_token(fourth["token"].as_str().unwrap());
    fourth
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(200);
    assert!(!works(&third).await && !works(&fourth).await);
}

async fn the_reuse_alarm_ends_values_in_their_grace_too(server: TestServer) {
    let family = rotated(&server, 0).await;
    let body = json!({ "grace_period": 86_400 });
    let third = family
        .new
        .post("/personal_access_tokens/self/rotate", body)
        .await
        .expect(200)
        .json();
    let third = server.with_token(third["token"].as_str().unwrap());
    assert!(works(&family.new).await && works(&third).await);
    family
        .old
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(401);
    assert!(!works(&family.new).await && !works(&third).await);
}

async fn lists_tell_a_value_in_its_grace_as_active(server: TestServer) {
    let family = rotated(&server, 3_600).await;
    let alice = family.company.alice.api();
    let list = format!("{}/access_tokens", family.company.acme.path());
    let ids = |state: &'static str| {
        let (alice, path) = (alice.clone(), format!("{list}?{state}"));
        async move {
            let list = alice.get(&path).await.expect(200).json();
            let mut ids: Vec<i64> = list
                .as_array()
                .unwrap()
                .iter()
                .map(|token| token["id"].as_i64().unwrap())
                .collect();
            ids.sort_unstable();
            ids
        }
    };
    let both = vec![family.old.id, family.new_id];
    assert_eq!(ids("state=active").await, both);
    assert_eq!(ids("revoked=false").await, both);
    assert!(ids("state=inactive").await.is_empty());
    assert!(ids("revoked=true").await.is_empty());
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(ids("state=active").await, [family.new_id]);
    assert_eq!(ids("state=inactive").await, [family.old.id]);
    assert_eq!(ids("revoked=true").await, [family.old.id]);
}

async fn a_person_may_rotate_their_own_with_a_grace(server: TestServer) {
    let company = Company::on(&server);
    let old = company.bob.personal_token([Scope::Api]);
    let body = json!({ "grace_period": 60 });
    let new = old
        .post("/personal_access_tokens/self/rotate", body)
        .await
        .expect(200)
        .json();
    let new = server.with_token(new["token"].as_str().unwrap());
    assert!(old.works().await && works(&new).await);
    new.delete("/personal_access_tokens/self").await.expect(204);
    assert!(!old.works().await, "the old one ends with the new one");
}

/// The token that was made last.
fn newest(server: &TestServer) -> i64 {
    server.arrange(|conn, _| {
        use diesel::{QueryDsl, RunQueryDsl, dsl::max};
        use latchkey::db::schema::access_tokens;
        let newest: Option<i64> = access_tokens::table
            .select(max(access_tokens::id))
            .get_result(conn)?;
        Ok(newest.unwrap())
    })
}

/// Rotates a token by the form of its page.
async fn by_page(company: &Company, browser: &Visitor, id: i64, seconds: &str) -> u16 {
    let list = company.acme.page("settings/access_tokens");
    let asked = browser.open(&format!("{list}/{id}/rotate")).await;
    let form = asked
        .form(&format!("{list}/{id}/rotate"))
        .fill("grace_period", seconds);
    browser.submit(&form).await.status
}

async fn the_pages_offer_a_grace_and_show_it_on_the_row(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    let list = company.acme.page("settings/access_tokens");
    let asked = browser.open(&format!("{list}/{}/rotate", token.id)).await;
    for words in [
        "stops working now",
        "works for 1 hour more",
        "works for 24 hours more",
        "works for 7 days more",
    ] {
        assert!(asked.says(words), "{words}");
    }
    assert_eq!(by_page(&company, &browser, token.id, "3600").await, 200);
    assert!(token.works().await);
    let page = browser.open(&list).await;
    assert_eq!(page.rows("active-tokens").len(), 1, "one row for both");
    // The clock of the tests stands at 10:00 on 20 Nov 2026.
    assert!(
        page.says("Old value valid until 11:00 UTC"),
        "{}",
        page.text()
    );
    server.clock.advance(TimeDelta::hours(1));
    assert!(!browser.open(&list).await.has("old-value"));
    assert!(!token.works().await);
}

async fn the_old_value_can_be_ended_from_its_row(server: TestServer) {
    server.retain_bots(false);
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    by_page(&company, &browser, token.id, "604800").await;
    let list = company.acme.page("settings/access_tokens");
    let address = format!("{list}/{}/revoke", token.id);
    assert!(browser.open(&list).await.links_to(&address));
    let asked = browser.open(&address).await;
    assert!(asked.says("The new value goes on working."));
    browser.submit(&asked.form(&address)).await.expect(303);
    assert!(!token.works().await);
    let page = browser.open(&list).await;
    assert_eq!(page.rows("active-tokens").len(), 1);
    assert!(!page.has("old-value"));
    assert!(page.says("Revoked the old value of access token ci."));
    // What revoking the new one does to the old is told before.
    let new_id = newest(&server);
    by_page(&company, &browser, new_id, "604800").await;
    let newest = newest(&server);
    let asked = browser.open(&format!("{list}/{newest}/revoke")).await;
    assert!(asked.says("ends with it"), "{}", asked.text());
}

async fn a_grace_that_is_not_on_offer_rotates_nothing(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    for seconds in ["-1", "604801", "soon", "99999999999999999999"] {
        let before = server.inventory();
        assert_eq!(
            by_page(&company, &browser, token.id, seconds).await,
            422,
            "{seconds}"
        );
        assert_eq!(server.inventory(), before);
    }
    assert!(token.works().await);
}

async fn an_audit_event_tells_until_when_the_old_value_works(server: TestServer) {
    let family = rotated(&server, 3_600).await;
    let event = server.the_event("group_access_token_rotated");
    let details: Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(details["ended_sooner"], Value::Null);
    let alice = family.company.alice.api();
    alice
        .delete(&path(&family.company, family.new_id, ""))
        .await
        .expect(204);
    let end = server.the_event("group_access_token_deleted");
    let end: Value = serde_json::from_str(&end.details).unwrap();
    assert_eq!(end["ended_sooner"], json!([family.old.id]));
    assert_eq!(details["grace_until"], "2026-11-20T11:00:00Z");
    assert_eq!(details["previous_token_id"], family.old.id);
}
