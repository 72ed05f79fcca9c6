//! Each event, written once by what it tells of, with what the catalogue promises.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::audit::catalogue;
use latchkey::jobs::Job;
use latchkey::members::AccessLevel;
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Company, PASSWORD, TestResource, TestServer, server::moment},
};

on_both!(
    a_token_tells_its_life_from_its_making_to_its_end,
    a_token_that_expires_is_written_down_once,
    a_bot_that_goes_with_its_membership_has_left_its_tokens_end_in_the_trail,
    new_addresses_are_written_once_each_and_a_few_a_day,
    what_is_refused_is_written_whichever_way_it_was_asked,
    groups_and_projects_that_get_another_path_say_so,
    whoever_tries_too_often_to_sign_in_is_told_once,
    a_notice_of_an_end_is_one_line_for_all_who_get_it,
    a_notice_that_never_got_out_is_told,
    no_value_of_a_token_is_in_the_trail,
);

fn details(event: &latchkey::audit::list::AuditEvent) -> Value {
    serde_json::from_str(&event.details).unwrap()
}

async fn a_token_tells_its_life_from_its_making_to_its_end(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let path = format!("/groups/{}/access_tokens", company.acme.id);
    let body = json!({ "name": "ci", "scopes": ["read_api"], "access_level": 30, "expires_at": "2026-12-24" });
    let made = alice.post(&path, body).await.expect(201).json();
    let event = server.the_event("group_access_token_created");
    assert_eq!(event.target_id, made["id"].as_i64());
    assert_eq!(
        (event.target_kind.as_str(), event.target_name.as_str()),
        ("access_token", "ci")
    );
    assert_eq!(
        (
            event.actor_kind.as_str(),
            event.actor_id,
            event.actor_name.as_str()
        ),
        ("human", Some(company.alice.id), "Alice")
    );
    assert_eq!(
        (
            event.channel.as_str(),
            event.ip.as_str(),
            event.group_path.as_str()
        ),
        ("api", "127.0.0.1", "acme")
    );
    assert_eq!(event.request_id.len(), 32);
    assert_eq!(event.created_at, server.now());
    let told = details(&event);
    assert_eq!(told["scopes"], json!(["read_api"]));
    assert_eq!(
        (told["access_level"].as_i64(), told["expires_at"].as_str()),
        (Some(30), Some("2026-12-24"))
    );
    let bot = server.the_event("bot_created");
    assert_eq!(bot.target_id, told["user_id"].as_i64());
    assert_eq!(details(&bot)["source"], "acme");

    server.clock.advance(TimeDelta::hours(1));
    let value = made["token"].as_str().unwrap();
    server.with_token(value).get("/user").await.expect(200);
    server.rest().await;
    let first = server.the_event("group_access_token_first_used");
    assert_eq!(
        (first.actor_kind.as_str(), first.actor_id),
        ("bot", told["user_id"].as_i64())
    );
    assert_eq!(
        (
            first.ip.as_str(),
            first.channel.as_str(),
            first.group_path.as_str()
        ),
        ("127.0.0.1", "api", "acme")
    );
    assert_eq!(first.created_at, server.now());

    let rotated = alice
        .post(&format!("{path}/{}/rotate", made["id"]), Value::Null)
        .await
        .expect(200)
        .json();
    let event = server.the_event("group_access_token_rotated");
    assert_eq!(event.target_id, rotated["id"].as_i64());
    let told = details(&event);
    assert_eq!(told["previous_token_id"], made["id"]);
    assert_eq!(
        (&told["scopes"], told["access_level"].as_i64()),
        (&json!(["read_api"]), Some(30))
    );
    assert_eq!(told["expires_at"][0], "2026-12-24");

    alice
        .delete(&format!("{path}/{}", rotated["id"]))
        .await
        .expect(204);
    assert_eq!(
        server.the_event("group_access_token_deleted").target_id,
        rotated["id"].as_i64()
    );
    let gone = server.the_event("bot_deleted");
    assert_eq!(details(&gone)["reason"], "token revoked");
    server.rest().await;
    server.rest().await;
    assert_eq!(
        server.events("bot_deleted").len(),
        1,
        "once, not again when its rows go"
    );
    assert_eq!(server.events("group_access_token_first_used").len(), 1);
}

async fn a_token_that_expires_is_written_down_once(server: TestServer) {
    server.retain_bots(true);
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let p1 = acme.project("p1").create();
    let of_group = acme.token("ci").expires("2026-11-25").create();
    let of_project = p1.token("ci").expires("2026-11-25").create();
    let revoked = acme.token("revoked").expires("2026-11-25").create();
    let later = acme.token("later").expires("2026-11-27").create();
    let root = server.person("root").admin().create();
    root.api()
        .delete(&format!("/groups/{}/access_tokens/{}", acme.id, revoked.id))
        .await
        .expect(204);
    server.clock.set(moment("2026-11-24T23:59:59Z"));
    server.run_job(Job::ExpiredMemberships).await;
    assert!(server.events("group_access_token_expired").is_empty());
    server.clock.set(moment("2026-11-25T00:10:00Z"));
    for found in [2, 0] {
        let counts = server.run_job(Job::ExpiredMemberships).await;
        assert_eq!(counts["expired_tokens"], found);
    }
    let event = server.the_event("group_access_token_expired");
    assert_eq!(
        (event.target_id, event.group_path.as_str()),
        (Some(of_group.id), "acme")
    );
    assert_eq!(
        (event.actor_kind.as_str(), event.channel.as_str()),
        ("system", "job")
    );
    assert_eq!(details(&event)["expires_at"], "2026-11-25");
    assert_eq!(
        server.the_event("project_access_token_expired").target_id,
        Some(of_project.id)
    );
    // Who was away for weeks writes it late, and still once.
    server.clock.set(moment("2026-12-20T00:10:00Z"));
    server.run_job(Job::ExpiredMemberships).await;
    let late = server.events("group_access_token_expired");
    assert_eq!(late.len(), 2);
    assert_eq!(late[0].target_id, Some(later.id));
}

async fn a_bot_that_goes_with_its_membership_has_left_its_tokens_end_in_the_trail(
    server: TestServer,
) {
    let acme = server.group("acme").create();
    let token = acme.token("ci").expires("2026-11-25").create();
    server.clock.set(moment("2026-11-25T00:10:00Z"));
    let counts = server.run_job(Job::ExpiredMemberships).await;
    assert_eq!((counts["expired_tokens"], counts["bots"]), (1, 1));
    assert_eq!(
        server.the_event("group_access_token_expired").target_id,
        Some(token.id)
    );
    let bot = server.the_event("bot_deleted");
    assert_eq!(
        (bot.target_id, bot.group_path.as_str()),
        (Some(token.user_id), "acme")
    );
    assert_eq!(details(&bot)["reason"], "membership ended");
}

async fn new_addresses_are_written_once_each_and_a_few_a_day(server: TestServer) {
    let acme = server.group("acme").create();
    let token = acme.token("ci").create();
    let used = |last: u8| {
        let ip = std::net::IpAddr::from([10, 0, 0, last]);
        server.clock.advance(TimeDelta::minutes(11));
        server.app.uses.note(token.id, Some(ip), server.now());
        server.rest()
    };
    used(1).await;
    used(1).await;
    used(2).await;
    used(1).await;
    used(2).await;
    let event = server.the_event("group_access_token_used_from_new_ip");
    assert_eq!(
        (event.ip.as_str(), event.actor_kind.as_str()),
        ("10.0.0.2", "bot")
    );
    assert_eq!(details(&event)["known"], json!(["10.0.0.1"]));
    assert_eq!(
        server.the_event("group_access_token_first_used").ip,
        "10.0.0.1"
    );
    // Only five addresses are remembered; one that was forgotten is no news all the same.
    for last in 3..=8 {
        used(last).await;
    }
    used(2).await;
    let known = server.events("group_access_token_used_from_new_ip");
    assert_eq!(known.len(), 7);
    // A flood of them is counted.
    for last in 20..30 {
        used(last).await;
    }
    let known = server.events("group_access_token_used_from_new_ip");
    assert_eq!(known.len(), 10);
    assert_eq!(known.iter().map(|event| event.occurrences).sum::<i64>(), 17);
    server.clock.advance(TimeDelta::days(1));
    used(40).await;
    assert_eq!(
        server.events("group_access_token_used_from_new_ip").len(),
        11
    );
}

async fn what_is_refused_is_written_whichever_way_it_was_asked(server: TestServer) {
    let company = Company::on(&server);
    let (acme, p1) = (&company.acme, &company.p1);
    let token = acme.token("ci").role(AccessLevel::Owner).create();
    let of_project = p1.token("ci").role(AccessLevel::Owner).create();
    let bob = company.bob.api();
    let groups = format!("/groups/{}/access_tokens", acme.id);
    let projects = format!("/projects/{}/access_tokens", p1.id);
    let new = json!({ "name": "n", "scopes": ["api"], "access_level": 50 });
    for _ in 0..2 {
        assert!(bob.post(&groups, new.clone()).await.status >= 400);
        assert!(bob.post(&projects, new.clone()).await.status >= 400);
        assert!(bob.delete(&format!("{groups}/{}", token.id)).await.status >= 400);
        assert!(
            bob.post(&format!("{groups}/{}/rotate", token.id), Value::Null)
                .await
                .status
                >= 400
        );
        assert!(
            bob.post(&format!("{projects}/{}/rotate", of_project.id), Value::Null)
                .await
                .status
                >= 400
        );
    }
    for (name, target) in [
        ("group_access_token_creation_failed", acme.id),
        ("group_access_token_deletion_failed", acme.id),
        ("group_access_token_rotation_failed", acme.id),
        ("project_access_token_creation_failed", p1.id),
        ("project_access_token_rotation_failed", p1.id),
    ] {
        let event = server.the_event(name);
        assert_eq!(
            (event.occurrences, event.target_id),
            (2, Some(target)),
            "{name}"
        );
        assert_eq!(
            (event.actor_id, event.group_path.as_str()),
            (Some(company.bob.id), "acme"),
            "{name}"
        );
        assert!(
            !details(&event)["reason"].as_str().unwrap().is_empty(),
            "{name}"
        );
    }
    // A person's own.
    let spare = company.frank.personal_token([Scope::Api]);
    assert!(
        bob.delete(&format!("/personal_access_tokens/{}", spare.id))
            .await
            .status
            >= 400
    );
    assert!(
        bob.post(
            &format!("/personal_access_tokens/{}/rotate", spare.id),
            Value::Null
        )
        .await
        .status
            >= 400
    );
    let wrong = json!({ "name": "n", "scopes": ["k8s_proxy"], "expires_at": "2026-11-01" });
    assert!(bob.post("/user/personal_access_tokens", wrong).await.status >= 400);
    for name in ["deletion", "rotation", "creation"] {
        let event = server.the_event(&format!("personal_access_token_{name}_failed"));
        assert_eq!(event.target_id, Some(company.bob.id), "{name}");
    }
    // By a page: the switch is thrown while the form is open.
    let browser = company.alice.signs_in().await;
    let page = acme.page("settings/access_tokens");
    let path = format!("{page}/{}/rotate", token.id);
    let form = browser.open(&path).await.form(&path);
    server.clock.advance(TimeDelta::minutes(11));
    server.set("max_personal_access_token_lifetime", "10");
    let far = server.days_ahead(300);
    let form = form.fill("resource_access_token[expires_at]", &far);
    assert_eq!(browser.submit(&form).await.status, 422);
}

async fn groups_and_projects_that_get_another_path_say_so(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    alice
        .put(
            &format!("/groups/{}", company.sub.id),
            json!({ "path": "below" }),
        )
        .await
        .expect(200);
    alice
        .put(
            &format!("/projects/{}", company.p1.id),
            json!({ "path": "app" }),
        )
        .await
        .expect(200);
    alice
        .put(
            &format!("/projects/{}", company.p1.id),
            json!({ "name": "App" }),
        )
        .await
        .expect(200);
    let group = server.the_event("group_renamed");
    assert_eq!(
        details(&group)["full_path"],
        json!(["acme/sub", "acme/below"])
    );
    let project = server.the_event("project_renamed");
    assert_eq!(
        details(&project)["full_path"],
        json!(["acme/p1", "acme/app"])
    );
    assert_eq!(
        (project.target_id, project.group_path.as_str()),
        (Some(company.p1.id), "acme")
    );
}

async fn whoever_tries_too_often_to_sign_in_is_told_once(server: TestServer) {
    let ann = server.person("ann").create();
    let visitor = server.visitor();
    for _ in 0..5 {
        visitor.sign_in("ann", "not this one").await.expect(422);
    }
    for _ in 0..3 {
        visitor.sign_in("ann", PASSWORD).await.expect(429);
    }
    let event = server.the_event("user_throttled");
    assert_eq!((event.occurrences, event.target_id), (3, Some(ann.id)));
    assert_eq!(
        (event.actor_kind.as_str(), event.ip.as_str()),
        ("anonymous", "127.0.0.1")
    );
    assert!(details(&event)["retry_after"].as_i64().unwrap() > 0);
}

async fn a_notice_of_an_end_is_one_line_for_all_who_get_it(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let token = company.acme.token("ci").expires("2026-11-25").create();
    company.acme.token("later").expires("2027-02-01").create();
    server.run_job(Job::ExpiryCheck).await;
    server.run_job(Job::ExpiryCheck).await;
    let event = server.the_event("expiry_notice_sent");
    assert_eq!(
        (event.target_id, event.group_path.as_str()),
        (Some(token.id), "acme")
    );
    assert_eq!(
        details(&event),
        json!({
            "user_id": token.user_id,
            "username": token.username,
            "interval_days": 7,
            "recipients": 2
        })
    );
}

async fn a_notice_that_never_got_out_is_told(server: TestServer) {
    let company = Company::on(&server);
    company.acme.token("ci").expires("2026-11-25").create();
    server.run_job(Job::ExpiryCheck).await;
    // Nobody sent it in time.
    server.clock.set(moment("2026-11-27T10:00:00Z"));
    latchkey::jobs::run::by_hand(&server.app, Job::DeliverMail, None, Duration::ZERO)
        .await
        .unwrap();
    let event = server.the_event("expiry_notice_failed");
    assert_eq!(
        (event.target_kind.as_str(), event.target_id),
        ("user", Some(company.alice.id))
    );
    let told = details(&event);
    assert!(
        told["mail"]
            .as_str()
            .unwrap()
            .starts_with("token_expiring/"),
        "{told}"
    );
    assert_eq!(told["reason"], "It came too late");
}

async fn no_value_of_a_token_is_in_the_trail(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.api();
    let token = company.acme.token("ci").create();
    let of_project = company.p1.token("ci").create();
    let own = company.frank.personal_token([Scope::Api]);
    let mut values = vec![
        token.value.clone(),
        of_project.value.clone(),
        own.value.clone(),
    ];
    token.works().await;
    of_project.works().await;
    server.rest().await;
    let rotated = token
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(200)
        .json();
    values.push(rotated["token"].as_str().unwrap().to_owned());
    // A value where a name or an id belongs.
    let misplaced = json!({ "name": own.value, "scopes": ["api"], "access_level": 60 });
    root.post(
        &format!("/groups/{}/access_tokens", company.acme.id),
        misplaced,
    )
    .await;
    token
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(401);
    root.delete(&format!(
        "/projects/{}/access_tokens/{}",
        company.p1.id, of_project.id
    ))
    .await
    .expect(204);
    server.set("personal_access_token_prefix", "acme-");
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);
    server
        .visitor()
        .sign_in(&own.value, &token.value)
        .await
        .expect(422);
    let everything = server.trail(&latchkey::audit::list::Asked::default());
    assert!(everything.len() > 30);
    let digests: Vec<String> = values
        .iter()
        .map(|value| hex(server.app.instance.token_key.digest(value).as_bytes()))
        .collect();
    for event in &everything {
        let text = format!("{event:?}").to_lowercase();
        for secret in values.iter().chain(&digests) {
            assert!(
                !text.contains(&secret.to_lowercase()),
                "{} has {secret}",
                event.event
            );
        }
        assert!(!text.contains("argon2"), "{}", event.event);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names in the sources: those that are written, of all three kinds where the kind is put in.
fn written() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let plain = Regex::new(
        r#"(?s)(?:\bEvent::new\(|\bevent\(|\bnote\([^;]{0,120}?)\s*"([a-z]+(?:_[a-z]+)+)""#,
    )
    .unwrap();
    let by_kind = Regex::new(r#""\{\w*\}_access_token_([a-z_]+)""#).unwrap();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.ends_with("catalogue.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                found.extend(plain.captures_iter(&text).map(|name| name[1].to_owned()));
                for name in by_kind.captures_iter(&text) {
                    for kind in ["group", "project", "personal"] {
                        found.insert(format!("{kind}_access_token_{}", &name[1]));
                    }
                }
            }
        }
    }
    found
}

#[test]
fn every_name_that_is_written_is_in_the_catalogue() {
    let found = written();
    assert!(found.len() > 40, "{found:?}");
    let unknown: Vec<&String> = found
        .iter()
        .filter(|name| catalogue::find(name).is_none())
        .collect();
    assert!(
        unknown.is_empty(),
        "add to src/audit/catalogue.rs: {unknown:?}"
    );
}

#[test]
fn the_guide_names_every_event_of_the_catalogue() {
    let guide =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit.md")).unwrap();
    let missing: Vec<String> = catalogue::all()
        .map(|kind| format!("| `{}` | {} | {} |", kind.name, kind.title, kind.details))
        .filter(|row| !guide.contains(row.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/audit.md lacks\n{}",
        missing.join("\n")
    );
}
