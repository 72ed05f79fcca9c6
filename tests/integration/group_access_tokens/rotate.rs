//! `POST /groups/:id/access_tokens/:token_id/rotate`

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{assert_is_token_object, group_missing, invalid, refused, unauthorized};
use crate::on_both;
use crate::support::{Api, Company, TestResource, TestServer};

on_both![
    a_new_value_for_the_same_bot,
    each_refusal_has_its_words_and_the_old_value_works_on,
    the_new_date_is_a_week_ahead_or_as_given,
    an_expired_token_may_be_rotated_by_an_owner,
    rotating_follows_the_membership_of_the_bot,
    nobody_learns_which_ids_there_are,
];

fn path(company: &Company, id: i64) -> String {
    format!("{}/access_tokens/{id}/rotate", company.acme.path())
}

async fn a_new_value_for_the_same_bot(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let old = company
        .acme
        .token("ci")
        .described("for the build")
        .role(AccessLevel::Developer)
        .scopes([Scope::ReadApi, Scope::WriteRepository])
        .expires("2027-05-01")
        .create();
    let before = server.inventory();
    old.get("/user").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::hours(5));

    let answer = alice
        .post(&path(&company, old.id), Value::Null)
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let new = answer.json();
    assert_is_token_object(&new, true);
    assert_ne!(new["id"], old.id);
    assert_ne!(new["token"], old.value);
    for (key, value) in [
        ("user_id", json!(old.user_id)),
        ("name", json!("ci")),
        ("description", json!("for the build")),
        ("scopes", json!(["read_api", "write_repository"])),
        ("access_level", json!(30)),
        ("expires_at", json!(server.days_ahead(7))),
        ("last_used_at", Value::Null),
        ("created_at", json!("2026-11-20T15:00:00.000Z")),
        ("active", json!(true)),
        ("revoked", json!(false)),
    ] {
        assert_eq!(new[key], value, "{key}");
    }
    assert_eq!(
        old.get("/user").await.expect(401).json()["error"],
        "invalid_token"
    );
    let program = server.with_token(new["token"].as_str().unwrap());
    assert_eq!(
        program.get("/user").await.expect(200).json()["id"],
        old.user_id
    );

    let after = server.inventory();
    assert_eq!(after.users, before.users, "no second bot");
    assert_eq!(after.memberships, before.memberships);
    assert_eq!(
        (after.tokens, after.living),
        (before.tokens + 1, before.living)
    );
    // The old row stays, and the list tells it whatever the flag says.
    let list = alice
        .get(&format!(
            "{}/access_tokens?state=inactive",
            company.acme.path()
        ))
        .await
        .json();
    assert_eq!(
        (&list[0]["id"], &list[0]["revoked"]),
        (&json!(old.id), &json!(true))
    );
}

async fn each_refusal_has_its_words_and_the_old_value_works_on(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let dead = company.acme.token("dead").create();
    dead.delete("/personal_access_tokens/self")
        .await
        .expect(204);
    let alice = company.alice.api();
    let root = company.root.api();
    let past = "Could not provision maintainer access to the access token. \
                ERROR: Expires at cannot be a date in the past";
    let none = json!({});
    let not_found = (404, json!({ "message": "404 Not Found" }));
    type Row<'a> = (&'a str, &'a Api, i64, Value, (u16, Value));
    let rows: Vec<Row<'_>> = vec![
        ("unknown", &alice, 99_999, none.clone(), unauthorized()),
        (
            "unknown, administrator",
            &root,
            99_999,
            none.clone(),
            not_found,
        ),
        (
            "revoked",
            &alice,
            dead.id,
            none.clone(),
            refused("token already revoked"),
        ),
        (
            "revoked, administrator",
            &root,
            dead.id,
            none.clone(),
            refused("token already revoked"),
        ),
        (
            "garbage",
            &alice,
            token.id,
            json!({ "expires_at": "x" }),
            invalid("expires_at is invalid"),
        ),
        (
            "too late",
            &alice,
            token.id,
            json!({ "expires_at": "2027-11-21" }),
            refused("Expiration date must be before 2027-11-20"),
        ),
        (
            "yesterday",
            &alice,
            token.id,
            json!({ "expires_at": "2026-11-19" }),
            refused(past),
        ),
    ];
    let before = server.inventory();
    for (case, caller, id, body, expected) in rows {
        assert_eq!(
            caller.post(&path(&company, id), body).await.outcome(),
            expected,
            "{case}"
        );
    }
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);
}

async fn the_new_date_is_a_week_ahead_or_as_given(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let mut id = company.acme.token("ci").create().id;
    let rotations = [
        (json!({}), server.days_ahead(7)),
        (json!({ "expires_at": null }), server.days_ahead(7)),
        (json!({ "expires_at": "2026-12-24" }), "2026-12-24".into()),
        (
            json!({ "expires_at": server.days_ahead(365) }),
            server.days_ahead(365),
        ),
    ];
    for (body, expected) in rotations {
        let token = alice
            .post(&path(&company, id), body.clone())
            .await
            .expect(200)
            .json();
        assert_eq!(token["expires_at"], expected, "{body}");
        id = token["id"].as_i64().unwrap();
    }
    server.set("max_personal_access_token_lifetime", "3");
    let token = alice
        .post(&path(&company, id), json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(token["expires_at"], server.days_ahead(3));
    id = token["id"].as_i64().unwrap();
    let answer = alice
        .post(
            &path(&company, id),
            json!({ "expires_at": server.days_ahead(4) }),
        )
        .await;
    assert_eq!(answer.outcome(), refused("Expiration date is invalid"));

    server.set("require_personal_access_token_expiry", "false");
    let token = alice
        .post(&path(&company, id), json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(token["expires_at"], Value::Null);
}

async fn an_expired_token_may_be_rotated_by_an_owner(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    let token = company.acme.token("ci").expires("2026-11-21").create();
    server.clock.advance(TimeDelta::days(2));
    let new = company
        .alice
        .api()
        .post(&path(&company, token.id), json!({}))
        .await
        .expect(200)
        .json();
    server
        .with_token(new["token"].as_str().unwrap())
        .get("/user")
        .await
        .expect(200);
}

async fn rotating_follows_the_membership_of_the_bot(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let token = company.acme.token("ci").expires("2026-12-24").create();
    let membership_ends = |date: &str| {
        let condition = if date.is_empty() {
            "IS NULL".into()
        } else {
            format!("= '{date}'")
        };
        server.count(
            "memberships",
            &format!("user_id = {} AND expires_at {condition}", token.user_id),
        ) == 1
    };
    assert!(membership_ends("2026-12-24"));
    let new = alice
        .post(
            &path(&company, token.id),
            json!({ "expires_at": "2027-01-31" }),
        )
        .await
        .expect(200)
        .json();
    assert!(membership_ends("2027-01-31"));
    server.retain_bots(true);
    alice
        .post(&path(&company, new["id"].as_i64().unwrap()), json!({}))
        .await
        .expect(200);
    assert!(
        membership_ends(""),
        "with the flag on the membership has no end"
    );
}

async fn nobody_learns_which_ids_there_are(server: TestServer) {
    let company = Company::on(&server);
    let here = company.acme.token("here").create();
    let elsewhere = company.other.token("elsewhere").create();
    for caller in [&company.bob, &company.carol, &company.erin] {
        let api = caller.api();
        for id in [here.id, elsewhere.id, 99_999] {
            assert_eq!(
                api.post(&path(&company, id), json!({})).await.outcome(),
                unauthorized()
            );
        }
    }
    for id in [here.id, elsewhere.id, 99_999] {
        let answer = company
            .frank
            .api()
            .post(&path(&company, id), json!({}))
            .await;
        assert_eq!(answer.outcome(), group_missing());
    }
    let answer = company
        .alice
        .api()
        .post(&path(&company, elsewhere.id), json!({}))
        .await;
    assert_eq!(answer.outcome(), unauthorized());
    assert!(here.works().await && elsewhere.works().await);
}
