//! Each thing that can be done below a group, done once, and found on the page of the top-level group: also when what it
//! was done to is gone.

use std::net::IpAddr;
use std::time::Duration;

use chrono::TimeDelta;
use latchkey::access_tokens::{legacy, unused};
use latchkey::groups::plan::{Plan, Tier};
use latchkey::groups::{self, subscribe::subscribe};
use latchkey::jobs::Job;
use latchkey::members::AccessLevel;
use latchkey::webhooks::change;
use latchkey::webhooks::create::Form;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::server::moment;
use crate::support::{Api, Company, TestResource, TestServer, Visitor};

on_both!(
    whatever_is_done_to_tokens_below_is_told_with_token_and_bot_and_stays,
    whatever_is_done_to_members_groups_projects_and_webhooks_below_is_told_and_stays,
    a_bot_that_was_kept_too_long_is_told_in_its_group,
);

/// What a line about a token says: number, name, bot.
struct Line {
    event: String,
    id: i64,
    name: &'static str,
    bot: String,
}

async fn rows(browser: &Visitor, event: &str) -> Vec<Vec<String>> {
    let path = format!("/groups/acme/-/audit_events?event={event}");
    browser.open(&path).await.rows("events")
}

/// Makes a token. Its id, value and bot.
async fn make(api: &Api, path: &str, name: &str, expires_at: &str) -> (i64, String, i64) {
    let body =
        json!({ "name": name, "scopes": ["api"], "access_level": 50, "expires_at": expires_at });
    let made = api
        .post(&format!("{path}/access_tokens"), body)
        .await
        .expect(201)
        .json();
    (
        made["id"].as_i64().unwrap(),
        made["token"].as_str().unwrap().to_owned(),
        made["user_id"].as_i64().unwrap(),
    )
}

async fn whatever_is_done_to_tokens_below_is_told_with_token_and_bot_and_stays(server: TestServer) {
    let company = Company::on(&server);
    let (alice, bob, carol) = (company.alice.api(), company.bob.api(), company.carol.api());
    let mut lines: Vec<Line> = Vec::new();
    let username = |id: i64| -> String {
        server.arrange(move |conn, _| Ok(latchkey::users::store::find(conn, id)?.unwrap().username))
    };
    // Whoever is told of an end looks after the place itself.
    company.deep.member(&company.alice, AccessLevel::Owner);
    company.p3.member(&company.alice, AccessLevel::Owner);
    let mut ending = Vec::new();
    for (kind, place) in [
        ("group", company.deep.path()),
        ("project", company.p3.path()),
    ] {
        let mut tell = |event: &str, id: i64, name: &'static str, bot: &str| {
            lines.push(Line {
                event: format!("{kind}_access_token_{event}"),
                id,
                name,
                bot: bot.to_owned(),
            });
        };
        let tokens = format!("{place}/access_tokens");
        let (id, value, bot) = make(&alice, &place, "rotated-one", "2026-12-24").await;
        let bot = username(bot);
        tell("created", id, "rotated-one", &bot);
        server.with_token(&value).get("/user").await.expect(200);
        server.rest().await;
        tell("first_used", id, "rotated-one", &bot);
        server.clock.advance(TimeDelta::minutes(11));
        let elsewhere = IpAddr::from([10, 0, 0, 9]);
        server.app.uses.note(id, Some(elsewhere), server.now());
        server.rest().await;
        tell("used_from_new_ip", id, "rotated-one", &bot);
        // What is refused happens to the group or project, and tells of which token.
        let wanted = json!({ "name": "n", "scopes": ["api"], "access_level": 50 });
        assert!(bob.post(&tokens, wanted).await.status >= 400);
        let rotate = format!("{tokens}/{id}/rotate");
        assert!(bob.post(&rotate, Value::Null).await.status >= 400);
        assert!(carol.delete(&format!("{tokens}/{id}")).await.status >= 400);
        let new = alice.post(&rotate, Value::Null).await.expect(200).json();
        let new = new["id"].as_i64().unwrap();
        tell("rotated", new, "rotated-one", &bot);
        server
            .with_token(&value)
            .post("/personal_access_tokens/self/rotate", Value::Null)
            .await
            .expect(401);
        tell("reuse_detected", id, "rotated-one", &bot);
        let (id, _, bot) = make(&alice, &place, "revoked-one", "2026-12-24").await;
        tell("deleted", id, "revoked-one", &username(bot));
        alice.delete(&format!("{tokens}/{id}")).await.expect(204);
        let (id, _, bot) = make(&alice, &place, "idle-one", "2027-06-30").await;
        tell("revoked_by_policy", id, "idle-one", &username(bot));
        server.sql(&format!(
            "UPDATE access_tokens SET created_at = '2026-01-01 10:00:00' WHERE id = {id}"
        ));
        server.set("revoke_unused_tokens_after_days", "90");
        let now = server.now();
        let swept = server.arrange(move |conn, ctx| unused::revoke_unused(conn, ctx, &[id], now));
        assert_eq!(swept.len(), 1);
        server.set("require_personal_access_token_expiry", "false");
        let endless = if kind == "group" {
            company.deep.token("endless-one").create()
        } else {
            company.p3.token("endless-one").create()
        };
        server.set("require_personal_access_token_expiry", "true");
        tell("updated", endless.id, "endless-one", &endless.username);
        let id = endless.id;
        let date = "2027-06-30".parse().unwrap();
        server.arrange(move |conn, ctx| legacy::apply(conn, ctx, &[id], date, "a test"));
        let (id, _, bot) = make(&alice, &place, "ending-one", "2026-11-25").await;
        tell("expired", id, "ending-one", &username(bot));
        ending.push((id, username(bot)));
    }
    server.run_job(Job::ExpiryCheck).await;
    for (id, bot) in &ending {
        lines.push(Line {
            event: "expiry_notice_sent".into(),
            id: *id,
            name: "ending-one",
            bot: bot.clone(),
        });
    }
    server.clock.set(moment("2026-11-27T10:00:00Z"));
    latchkey::jobs::run::by_hand(&server.app, Job::DeliverMail, None, Duration::ZERO)
        .await
        .unwrap();
    server.run_job(Job::ExpiredMemberships).await;

    let mut before = Vec::new();
    for round in 0..2 {
        if round == 1 {
            // All of it goes; what happened stays.
            alice
                .delete(&format!("/groups/{}", company.sub.id))
                .await
                .expect(202);
            server.rest().await;
        }
        let browser = company.alice.signs_in().await;
        for line in &lines {
            let found = rows(&browser, &line.event).await;
            let target = format!("{} Access token {}", line.name, line.id);
            assert!(
                found
                    .iter()
                    .any(|row| row[1] == target && row[0].contains(&line.bot)),
                "{}: {target}, {} in {found:?}",
                line.event,
                line.bot
            );
        }
        for (event, parts) in [
            ("group_access_token_creation_failed", vec!["token name: n"]),
            (
                "project_access_token_creation_failed",
                vec!["token name: n"],
            ),
            (
                "group_access_token_rotation_failed",
                vec!["token name: rotated-one", &lines[0].bot, "token id: "],
            ),
            (
                "project_access_token_rotation_failed",
                vec!["token name: rotated-one", "token id: "],
            ),
            (
                "group_access_token_deletion_failed",
                vec!["token name: rotated-one", &lines[0].bot, "token id: "],
            ),
            (
                "project_access_token_deletion_failed",
                vec!["token name: rotated-one", "token id: "],
            ),
            (
                "expiry_notice_failed",
                vec!["token name: ending-one", &ending[0].1],
            ),
        ] {
            let found = rows(&browser, event).await;
            assert!(
                found
                    .iter()
                    .any(|row| parts.iter().all(|part| row[0].contains(part))),
                "{event}: {parts:?} in {found:?}"
            );
        }
        for (event, name) in [
            ("bot_created", "rotated-one"),
            ("bot_deleted", "revoked-one"),
        ] {
            let found = rows(&browser, event).await;
            assert!(
                found
                    .iter()
                    .any(|row| row[0].contains(name) && row[1].contains("_bot_")),
                "{event}: {found:?}"
            );
        }
        let all = server.count("audit_events", "group_path LIKE 'acme/sub%'");
        before.push(all);
    }
    // The deletion itself, and perhaps ends of what went with it.
    assert!(before[1] > before[0], "{before:?}");
}

async fn whatever_is_done_to_members_groups_projects_and_webhooks_below_is_told_and_stays(
    server: TestServer,
) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let (deep, frank) = (&company.deep, company.frank.id);
    for place in [deep.path(), company.p3.path()] {
        let members = format!("{place}/members");
        let one = format!("{members}/{frank}");
        let new = json!({ "user_id": frank, "access_level": 20 });
        alice.post(&members, new.clone()).await.expect(201);
        alice
            .put(&one, json!({ "access_level": 30 }))
            .await
            .expect(200);
        let dated = json!({ "access_level": 30, "expires_at": "2026-12-01" });
        alice.put(&one, dated).await.expect(200);
        alice.delete(&one).await.expect(204);
        let mut new = new;
        new["expires_at"] = json!("2026-11-22");
        alice.post(&members, new).await.expect(201);
    }
    let group = json!({ "name": "New", "path": "new", "parent_id": company.sub.id });
    let group = alice.post("/groups", group).await.expect(201).json();
    let path = format!("/groups/{}", group["id"]);
    alice
        .put(&path, json!({ "name": "Newer" }))
        .await
        .expect(200);
    alice
        .put(&path, json!({ "path": "newer" }))
        .await
        .expect(200);
    let into = json!({ "group_id": deep.id });
    alice
        .post(&format!("{path}/transfer"), into)
        .await
        .expect(201);
    let inherits = json!({ "resource_access_token_notify_inherited": true });
    alice.put(&path, inherits).await.expect(200);
    alice.delete(&path).await.expect(202);
    let project = json!({ "name": "New", "path": "new", "namespace_id": deep.id });
    let project = alice.post("/projects", project).await.expect(201).json();
    let path = format!("/projects/{}", project["id"]);
    alice
        .put(&path, json!({ "name": "Newer" }))
        .await
        .expect(200);
    alice
        .put(&path, json!({ "path": "newer" }))
        .await
        .expect(200);
    alice
        .put(
            &format!("{path}/transfer"),
            json!({ "namespace": company.sub.id }),
        )
        .await
        .expect(200);
    alice.delete(&path).await.expect(202);
    let acme = company.acme.id;
    server.arrange(move |conn, ctx| {
        let group = groups::store::find(conn, acme)?.unwrap();
        let plan = Plan {
            tier: Tier::Premium,
            trial: false,
        };
        subscribe(conn, ctx, &group, plan)
    });
    company.acme.allow_creation(false);
    server.retain_bots_of("acme", Some(true));
    let (hook, below) = (deep.webhook("pager", "https://hook.example.com/"), deep.id);
    server.arrange_as(company.alice.actor(), move |conn, ctx| {
        let group = groups::store::find(conn, below)?.unwrap();
        let form = Form {
            name: "beeper".into(),
            url: "https://hook.example.com/".into(),
        };
        change::update(conn, ctx, &group, hook.id, &form)?;
        change::delete(conn, ctx, &group, hook.id)
    });
    server.clock.set(moment("2026-11-22T00:10:00Z"));
    server.run_job(Job::ExpiredMemberships).await;

    let names = [
        "member_created",
        "member_level_changed",
        "member_expiry_changed",
        "member_deleted",
        "member_expired",
        "group_created",
        "group_updated",
        "group_renamed",
        "group_transferred",
        "group_deleted",
        "group_plan_changed",
        "resource_access_token_creation_allowed_changed",
        "resource_access_token_notify_inherited_changed",
        "project_created",
        "project_updated",
        "project_renamed",
        "project_transferred",
        "project_deleted",
        "feature_flag_changed",
        "webhook_created",
        "webhook_updated",
        "webhook_deleted",
    ];
    let mut counts: Vec<Vec<usize>> = Vec::new();
    for round in 0..2 {
        if round == 1 {
            let path = format!("/groups/{}", company.sub.id);
            alice.delete(&path).await.expect(202);
        }
        let browser = company.alice.signs_in().await;
        let mut found = Vec::new();
        for name in names {
            let rows = rows(&browser, name).await;
            assert!(!rows.is_empty(), "{name}");
            found.push(rows.len());
        }
        counts.push(found);
    }
    // Twice each, once for the group and once for the project.
    assert_eq!(counts[0][1..5], [2; 4]);
    for (before, after) in counts[0].iter().zip(&counts[1]) {
        assert!(after >= before, "{counts:?}");
    }
}

async fn a_bot_that_was_kept_too_long_is_told_in_its_group(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    server.set("inactive_resource_access_tokens_delete_after_days", "30");
    let tokens = [
        company.deep.token("one").create(),
        company.p3.token("two").create(),
    ];
    for token in &tokens {
        let path = "/personal_access_tokens/self";
        token.delete(path).await.expect(204);
    }
    server.clock.advance(TimeDelta::days(31));
    server.run_job(Job::InactiveBots).await;
    let browser = company.alice.signs_in().await;
    let found = rows(&browser, "bot_deleted").await;
    assert_eq!(found.len(), 2, "{found:?}");
    for token in &tokens {
        assert!(found.iter().any(|row| row[0].contains(&token.username)));
    }
}
