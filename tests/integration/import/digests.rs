//! Both kinds of digest let people in with the values that they have, and nothing else does.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey::access_tokens::secret::{DigestKey, fingerprint};
use latchkey::jobs::Job;
use serde_json::json;

use super::{SALT, acme, created, file, import, refused, salted};
use crate::on_both;
use crate::support::{
    Company, TestResource, TestServer,
    server::{SECRET, logged},
};

on_both![
    a_value_of_the_old_instance_lets_in,
    the_digest_itself_lets_nobody_in,
    a_wrong_salt_is_put_right_by_another_import,
    digests_of_this_secret_are_taken_as_they_are,
    digests_of_another_secret_are_refused,
    values_under_two_salts_work_side_by_side,
    the_salt_is_kept_encrypted_and_forgotten_with_the_last_token,
    an_imported_token_is_rotated_into_an_ordinary_one,
    an_old_value_that_comes_back_takes_its_family_along,
    looking_a_value_up_costs_one_query_with_or_without_salts,
    values_with_an_imported_prefix_stay_out_of_the_log,
];

const VALUE: &str = "old_AbCdEfGhIjKlMnOpQrSt";

async fn a_value_of_the_old_instance_lets_in(server: TestServer) {
    // The node has its settings in memory already, without a salt.
    server.with_token(VALUE).get("/user").await.expect(401);
    let report = import(&server, &acme(VALUE)).unwrap();
    assert_eq!(created(&report), [1, 1, 1, 1, 1, 2]);
    let own = server
        .with_token(VALUE)
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(own["name"], "ci");
    assert_eq!(own["expires_at"], "2027-01-01");
    server
        .with_token(VALUE)
        .get("/groups/acme")
        .await
        .expect(200);
    let ann = server
        .with_token("old_of_ann_herself_0000")
        .get("/user")
        .await;
    assert_eq!(ann.expect(200).json()["username"], "ann");
    server
        .with_token("old_AbCdEfGhIjKlMnOpQrSx")
        .get("/user")
        .await
        .expect(401);
}

async fn the_digest_itself_lets_nobody_in(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    let digest = salted(VALUE, SALT);
    for value in [
        digest.clone(),
        hex::encode(STANDARD.decode(&digest).unwrap()),
    ] {
        server.with_token(&value).get("/user").await.expect(401);
    }
    let stored = format!(
        "digest = {}",
        bytes(&server, &STANDARD.decode(digest).unwrap())
    );
    assert_eq!(server.count("access_tokens", &stored), 0);
    assert_eq!(server.count("access_tokens", "digest_version = 2"), 2);
}

fn bytes(server: &TestServer, bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    if server.is_on_postgres() {
        format!("'\\x{digits}'::bytea")
    } else {
        format!("x'{digits}'")
    }
}

async fn a_wrong_salt_is_put_right_by_another_import(server: TestServer) {
    let mut wrong = acme(VALUE);
    wrong["digests"]["salt"] = json!("another salt");
    import(&server, &wrong).unwrap();
    server.with_token(VALUE).get("/user").await.expect(401);
    let report = import(&server, &acme(VALUE)).unwrap();
    assert_eq!((created(&report), report.new_salts), ([0; 6], 1));
    server
        .with_token(VALUE)
        .get("/groups/acme")
        .await
        .expect(200);
    // Told once, in the trail, too.
    assert_eq!(import(&server, &acme(VALUE)).unwrap().new_salts, 0);
    let told = "event = 'system_imported' AND details LIKE '%\"new_salts\":1%'";
    assert_eq!(server.count("audit_events", told), 2);
}

async fn digests_of_this_secret_are_taken_as_they_are(server: TestServer) {
    let mut own = acme(VALUE);
    own["digests"] = json!({ "kind": "hmac-sha256", "secret_fingerprint": fingerprint(SECRET) });
    let digest = |value: &str| STANDARD.encode(DigestKey::derive(SECRET).digest(value).as_bytes());
    own["tokens"][0]["digest"] = json!(digest(VALUE));
    own["tokens"][1]["digest"] = json!(digest("of ann"));
    import(&server, &own).unwrap();
    server
        .with_token(VALUE)
        .get("/groups/acme")
        .await
        .expect(200);
    server.with_token("of ann").get("/user").await.expect(200);
    assert_eq!(server.count("access_tokens", "digest_version = 1"), 2);
    assert_eq!(server.count("imported_salts", ""), 0);
}

async fn digests_of_another_secret_are_refused(server: TestServer) {
    let mut foreign = acme(VALUE);
    foreign["digests"] =
        json!({ "kind": "hmac-sha256", "secret_fingerprint": fingerprint(&[7; 32]) });
    let why = refused(&server, &foreign);
    assert!(why.starts_with("digests.secret_fingerprint: "), "{why}");
}

async fn values_under_two_salts_work_side_by_side(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    let mut second = file(json!({
        "bots": [{ "username": "project_9_bot", "name": "deploy", "project": "acme/api", "access_level": 30 }],
        "tokens": [{ "user": "project_9_bot", "name": "deploy", "scopes": ["api"], "digest": salted("second", "other") }],
    }));
    second["digests"]["salt"] = json!("other");
    import(&server, &second).unwrap();
    assert_eq!(server.count("imported_salts", ""), 2);
    for value in [VALUE, "second", "old_of_ann_herself_0000"] {
        server
            .with_token(value)
            .get("/personal_access_tokens/self")
            .await
            .expect(200);
    }
    server.with_token("third").get("/user").await.expect(401);
}

async fn the_salt_is_kept_encrypted_and_forgotten_with_the_last_token(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    let plain = bytes(&server, SALT.as_bytes());
    let leaked = if server.is_on_postgres() {
        format!("position({plain} IN sealed) > 0")
    } else {
        format!("instr(sealed, {plain}) > 0")
    };
    assert_eq!(server.count("imported_salts", ""), 1);
    assert_eq!(server.count("imported_salts", &leaked), 0);
    assert_eq!(server.run_job(Job::CleanUp).await["imported_salts"], 0);
    server.with_token(VALUE).get("/user").await.expect(200);
    server.sql("DELETE FROM access_tokens WHERE digest_version = 2");
    assert_eq!(server.run_job(Job::CleanUp).await["imported_salts"], 1);
    assert_eq!(server.count("imported_salts", ""), 0);
    server.with_token(VALUE).get("/user").await.expect(401);
    assert!(server.app.policy_held().salts.is_empty());
}

async fn an_imported_token_is_rotated_into_an_ordinary_one(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    let old = server.with_token(VALUE);
    let new = old
        .post("/personal_access_tokens/self/rotate", json!({}))
        .await
        .expect(200)
        .json();
    old.get("/user").await.expect(401);
    let value = new["token"].as_str().unwrap();
    server
        .with_token(value)
        .get("/groups/acme")
        .await
        .expect(200);
    let id = format!("id = {} AND digest_version = 1", new["id"]);
    assert_eq!(server.count("access_tokens", &id), 1);
}

async fn an_old_value_that_comes_back_takes_its_family_along(server: TestServer) {
    let mut family = acme("third");
    let bot = "group_1_bot_0a1b";
    let token = |value: &str, previous: Option<&str>, revoked: bool| {
        let mut token = json!({
            "user": bot, "name": "ci", "scopes": ["api"], "digest": salted(value, SALT), "revoked": revoked,
        });
        if let Some(previous) = previous {
            token["previous_digest"] = json!(salted(previous, SALT));
        }
        token
    };
    family["tokens"] = json!([
        token("first", None, true),
        token("second", Some("first"), true),
        token("third", Some("second"), false),
    ]);
    import(&server, &family).unwrap();
    assert_eq!(
        server.count("access_tokens", "previous_token_id IS NOT NULL"),
        2
    );
    let self_rotate = "/personal_access_tokens/self/rotate";
    server.with_token("third").get("/user").await.expect(200);
    server.with_token("first").get("/user").await.expect(401);
    server.with_token("third").get("/user").await.expect(200);
    server
        .with_token("first")
        .post(self_rotate, json!({}))
        .await
        .expect(401);
    server.with_token("third").get("/user").await.expect(401);
}

async fn looking_a_value_up_costs_one_query_with_or_without_salts(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").create();
    let mut imported = acme(VALUE);
    imported["groups"][0]["path"] = json!("moved");
    imported["projects"][0]["path"] = json!("moved/api");
    imported["memberships"][0]["group"] = json!("moved");
    imported["bots"][0]["group"] = json!("moved");
    let own = "/personal_access_tokens/self";
    let mut costs = Vec::new();
    for round in 0..2 {
        if round == 1 {
            import(&server, &imported).unwrap();
            server.with_token(VALUE).get(own).await.expect(200);
        }
        for _ in 0..3 {
            token.get(own).await.expect(200);
        }
        let counters = server.app.db.counters();
        let (queries, prepared) = (counters.queries(), counters.prepared());
        token.get(own).await.expect(200);
        costs.push((counters.queries() - queries, counters.prepared() - prepared));
    }
    assert_eq!(costs[0], costs[1]);
    let counters = server.app.db.counters();
    let queries = counters.queries();
    server.with_token("unknown").get(own).await.expect(401);
    assert_eq!(counters.queries() - queries, 1);
}

async fn values_with_an_imported_prefix_stay_out_of_the_log(server: TestServer) {
    let mut imported = acme("zebra_AbCdEfGhIjKlMnOpQrSt");
    imported["prefixes"] = json!(["zebra_"]);
    import(&server, &imported).unwrap();
    // The first request after it reads the settings anew.
    server
        .with_token("zebra_AbCdEfGhIjKlMnOpQrSt")
        .get("/user")
        .await
        .expect(200);
    server
        .anonymous()
        .get("/groups/zebra_AbCdEfGhIjKlMnOpQrSt")
        .await;
    assert!(!logged().contains("zebra_AbCdEfGhIjKlMnOpQrSt"));
    assert_eq!(server.count("imported_prefixes", "prefix = 'zebra_'"), 1);
}
