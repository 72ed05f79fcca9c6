//! `GET` and `PUT /application/settings`.

use latchkey::access_tokens::scope::Scope;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![
    administrators_read_all_settings,
    what_is_sent_is_changed_and_the_rest_is_not,
    null_and_an_empty_text_take_away_what_may_be_absent,
    mistakes_are_told_by_setting_and_change_nothing,
    what_is_of_another_type_is_told_all_at_once,
    unknown_parameters_are_left_alone,
    a_list_of_domains_comes_as_a_list_or_a_text,
    nobody_else_reads_or_changes_them,
    lowering_over_the_api_revokes_three_hours_later,
];

const SETTINGS: &str = "/application/settings";

async fn administrators_read_all_settings(server: TestServer) {
    let root = server.person("root").admin().create();
    let settings = root.api().get(SETTINGS).await.expect(200).json();
    for (key, value) in [
        ("personal_access_token_prefix", json!("glpat-")),
        ("max_personal_access_token_lifetime", Value::Null),
        ("require_personal_access_token_expiry", json!(true)),
        (
            "inactive_resource_access_tokens_delete_after_days",
            json!(30),
        ),
        ("resource_access_token_notify_inherited", json!(false)),
        ("lock_resource_access_token_notify_inherited", json!(false)),
        ("signup_enabled", json!(false)),
        ("require_admin_approval_after_user_signup", json!(true)),
        ("domain_allowlist", json!([])),
        ("default_group_visibility", json!("private")),
        ("default_project_visibility", json!("private")),
        ("token_shape", json!("checked")),
    ] {
        assert_eq!(settings[key], value, "{key}");
    }
    assert_eq!(
        settings.as_object().unwrap().len(),
        latchkey::settings::SETTINGS.len()
    );
    // With read access alone, they can be read and not changed.
    let reader = server.with_token(&root.personal_token([Scope::ReadApi]).value);
    reader.get(SETTINGS).await.expect(200);
    reader
        .put(SETTINGS, json!({ "session_idle_days": 1 }))
        .await
        .expect(403);
}

async fn what_is_sent_is_changed_and_the_rest_is_not(server: TestServer) {
    let root = server.person("root").admin().create();
    let asked = json!({
        "personal_access_token_prefix": "acme_",
        "max_personal_access_token_lifetime": 90,
        "require_personal_access_token_expiry": "false",
        "default_group_visibility": "internal",
        "active_tokens_per_group": "12",
    });
    let after = root.api().put(SETTINGS, asked).await.expect(200).json();
    assert_eq!(after["personal_access_token_prefix"], "acme_");
    assert_eq!(after["max_personal_access_token_lifetime"], 90);
    assert_eq!(after["require_personal_access_token_expiry"], false);
    assert_eq!(after["default_group_visibility"], "internal");
    assert_eq!(after["active_tokens_per_group"], 12);
    assert_eq!(after["token_shape"], "checked");
    assert_eq!(root.api().get(SETTINGS).await.json(), after);
    assert_eq!(server.count("settings", "key NOT LIKE '%.before'"), 5);
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'application_setting_changed' AND channel = 'api' AND actor_name = 'Root'"
        ),
        1,
        "one request, one event"
    );
}

async fn null_and_an_empty_text_take_away_what_may_be_absent(server: TestServer) {
    let root = server.person("root").admin().create();
    for blank in [Value::Null, json!("")] {
        let set = json!({
            "max_personal_access_token_lifetime": 90,
            "inactive_resource_access_tokens_delete_after_days": 9,
            "personal_access_token_prefix": "acme_",
            "domain_allowlist": ["example.com"],
        });
        root.api().put(SETTINGS, set.clone()).await.expect(200);
        let names: Vec<String> = set.as_object().unwrap().keys().cloned().collect();
        let cleared: Value = names
            .iter()
            .map(|key| (key.clone(), blank.clone()))
            .collect();
        let after = root.api().put(SETTINGS, cleared).await.expect(200).json();
        assert_eq!(after["max_personal_access_token_lifetime"], Value::Null);
        assert_eq!(
            after["inactive_resource_access_tokens_delete_after_days"],
            Value::Null
        );
        assert_eq!(after["personal_access_token_prefix"], "");
        assert_eq!(after["domain_allowlist"], json!([]));

        // As the page and the console refuse it.
        for (key, why) in [
            ("session_idle_days", "can't be blank"),
            ("active_tokens_per_group", "can't be blank"),
            ("token_shape", "can't be blank"),
            (
                "require_personal_access_token_expiry",
                "must be true or false",
            ),
        ] {
            let asked = json!({ key: blank, "personal_access_token_prefix": "never_" });
            let refused = root.api().put(SETTINGS, asked).await.expect(400);
            assert_eq!(refused.json()["message"][key], json!([why]), "{key}");
        }
        assert_eq!(root.api().get(SETTINGS).await.json(), after);
    }
}

async fn mistakes_are_told_by_setting_and_change_nothing(server: TestServer) {
    let root = server.person("root").admin().create();
    let asked = json!({
        "personal_access_token_prefix": "no spaces here, and far too long",
        "max_personal_access_token_lifetime": 500,
        "session_idle_days": 0,
        "token_shape": "classic",
    });
    let refused = root.api().put(SETTINGS, asked).await.expect(400);
    let message = &refused.json()["message"];
    assert_eq!(
        message["personal_access_token_prefix"],
        json!([
            "can contain only letters of the Base64 alphabet (RFC4648) with the addition of '@', ':' and '.', is too long (maximum is 20 characters)"
        ])
    );
    assert_eq!(
        message["max_personal_access_token_lifetime"],
        json!(["must be between 1 and 400"])
    );
    assert_eq!(
        message["session_idle_days"],
        json!(["must be between 1 and 365"])
    );
    assert_eq!(message["token_shape"], Value::Null);
    // Within its range, but not without the flag.
    let refused = root
        .api()
        .put(
            SETTINGS,
            json!({ "max_personal_access_token_lifetime": 400 }),
        )
        .await
        .expect(400);
    assert_eq!(
        refused.json(),
        json!({ "message": { "max_personal_access_token_lifetime": ["must be between 1 and 365"] } })
    );
    assert_eq!(server.count("settings", "1 = 1"), 0);
    server.flag("buffered_token_expiration_limit", true);
    root.api()
        .put(
            SETTINGS,
            json!({ "max_personal_access_token_lifetime": 400 }),
        )
        .await
        .expect(200);
}

async fn what_is_of_another_type_is_told_all_at_once(server: TestServer) {
    let root = server.person("root").admin().create();
    let asked = json!({
        "session_idle_days": "soon",
        "signup_enabled": "perhaps",
        "token_shape": "round",
        "domain_allowlist": [1],
    });
    let refused = root.api().put(SETTINGS, asked).await.expect(400);
    assert_eq!(
        refused.error(),
        "token_shape does not have a valid value, session_idle_days is invalid, signup_enabled is invalid, domain_allowlist is invalid"
    );
}

async fn unknown_parameters_are_left_alone(server: TestServer) {
    let root = server.person("root").admin().create();
    root.api()
        .put(SETTINGS, json!({ "gravatar_enabled": false }))
        .await
        .expect(200);
    root.api().put(SETTINGS, json!({})).await.expect(200);
    assert_eq!(
        server.count("audit_events", "event = 'application_setting_changed'"),
        0
    );
}

async fn a_list_of_domains_comes_as_a_list_or_a_text(server: TestServer) {
    let root = server.person("root").admin().create();
    for (sent, kept) in [
        (
            json!(["Example.com", "*.example.org"]),
            json!(["example.com", "*.example.org"]),
        ),
        (json!("example.com"), json!(["example.com"])),
    ] {
        let after = root
            .api()
            .put(SETTINGS, json!({ "domain_allowlist": sent }))
            .await
            .expect(200)
            .json();
        assert_eq!(after["domain_allowlist"], kept);
    }
    let refused = root
        .api()
        .put(
            SETTINGS,
            json!({ "domain_allowlist": ["example.com", "nonsense"] }),
        )
        .await
        .expect(400);
    assert_eq!(
        refused.json()["message"]["domain_allowlist"],
        json!(["has an entry that is no domain: nonsense"])
    );
}

async fn nobody_else_reads_or_changes_them(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let bot = acme.token("ci").create();
    for caller in [alice.api(), bot.api()] {
        caller.get(SETTINGS).await.expect(403);
        caller
            .put(SETTINGS, json!({ "session_idle_days": 1 }))
            .await
            .expect(403);
    }
    server.anonymous().get(SETTINGS).await.expect(401);
    server
        .anonymous()
        .put(SETTINGS, json!({}))
        .await
        .expect(401);
    assert_eq!(server.count("settings", "1 = 1"), 0);
}

async fn lowering_over_the_api_revokes_three_hours_later(server: TestServer) {
    let root = server.person("root").admin().create();
    let long = server
        .group("acme")
        .create()
        .token("long")
        .expires(&server.days_ahead(200))
        .create();
    root.api()
        .put(
            SETTINGS,
            json!({ "max_personal_access_token_lifetime": 30 }),
        )
        .await
        .expect(200);
    server.clock.advance(chrono::TimeDelta::hours(3));
    server
        .run_job(latchkey::jobs::Job::LifetimeEnforcement)
        .await;
    assert!(!long.works().await);
}
