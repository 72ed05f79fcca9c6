//! Who is told, of what, in which words, and that nobody is told twice.

use chrono::TimeDelta;
use serde_json::json;

use super::{Stage, count};
use crate::on_both;
use crate::support::{Receiver, TestResource, TestServer};

on_both![
    the_payload_of_a_group_token_is_gitlabs,
    the_payload_of_a_project_token_is_gitlabs,
    the_webhooks_of_all_groups_above_are_told_and_no_others,
    a_project_in_a_personal_namespace_tells_nobody,
    a_second_announcement_queues_nothing,
    a_disabled_webhook_is_not_told,
    a_failed_transaction_tells_nobody,
    a_thousand_tokens_take_as_many_queries_as_ten,
];

async fn the_payload_of_a_group_token_is_gitlabs(server: TestServer) {
    let stage = Stage::on(&server);
    assert_eq!(stage.announces(), 1);
    server.deliver_webhooks().await;
    let received = stage.receiver.received();
    let expected = json!({
        "object_kind": "access_token",
        "group": {
            "group_name": "acme",
            "group_path": "acme",
            "full_path": "acme",
            "group_id": stage.group.id,
        },
        "object_attributes": {
            "user_id": stage.token.user_id,
            "created_at": "2026-11-20 10:00:00 UTC",
            "id": stage.token.id,
            "name": "deploy",
            "expires_at": "2026-11-27",
        },
        "event_name": "expiring_access_token",
    });
    assert_eq!(received[0].body, expected.to_string(), "the order, too");
}

async fn the_payload_of_a_project_token_is_gitlabs(server: TestServer) {
    server.allow_local_webhooks();
    let acme = server.group("acme").public().create();
    let receiver = Receiver::start();
    acme.webhook("pager", &receiver.url("/hook"));
    let platform = acme.subgroup("platform").internal().create();
    let project = platform.project("api").named("The API").internal().create();
    let token = project.token("ci").expires("2026-11-27").create();
    server.announce(&[(&token, project.resource())]);
    server.deliver_webhooks().await;
    let page = format!("{}/acme/platform/api", server.url);
    let host = "127.0.0.1";
    let ssh = format!("git@{host}:acme/platform/api.git");
    let expected = json!({
        "object_kind": "access_token",
        "project": {
            "id": project.id,
            "name": "The API",
            "description": "",
            "web_url": page,
            "avatar_url": null,
            "git_ssh_url": ssh,
            "git_http_url": format!("{page}.git"),
            "namespace": "platform",
            "visibility_level": 10,
            "path_with_namespace": "acme/platform/api",
            "default_branch": "main",
            "ci_config_path": null,
            "homepage": page,
            "url": ssh,
            "ssh_url": ssh,
            "http_url": format!("{page}.git"),
        },
        "object_attributes": {
            "user_id": token.user_id,
            "created_at": "2026-11-20 10:00:00 UTC",
            "id": token.id,
            "name": "ci",
            "expires_at": "2026-11-27",
        },
        "event_name": "expiring_access_token",
    });
    assert_eq!(receiver.received()[0].body, expected.to_string());
}

async fn the_webhooks_of_all_groups_above_are_told_and_no_others(server: TestServer) {
    server.allow_local_webhooks();
    let receiver = Receiver::start();
    let acme = server.group("acme").create();
    let platform = acme.subgroup("platform").create();
    let services = platform.subgroup("services").create();
    let beside = acme.subgroup("beside").create();
    let other = server.group("other").create();
    for group in [&acme, &platform, &services, &beside, &other] {
        group.webhook("pager", &receiver.url(&format!("/{}", group.id)));
    }
    platform.webhook("second", &receiver.url("/second"));
    let project = platform.project("api").create();
    let ends = server.days_ahead(7);
    let of_project = project.token("a").expires(&ends).create();
    let of_group = services.token("b").expires(&ends).create();
    let told = |path: String| format!("POST {path} HTTP/1.1");
    let mut lines = Vec::new();
    for (token, resource, groups) in [
        (&of_project, project.resource(), vec![&acme, &platform]),
        (
            &of_group,
            services.resource(),
            vec![&acme, &platform, &services],
        ),
    ] {
        assert_eq!(server.announce(&[(token, resource)]), groups.len() + 1);
        server.deliver_webhooks().await;
        let received = receiver.take();
        let mut expected: Vec<String> = groups
            .iter()
            .map(|group| told(format!("/{}", group.id)))
            .collect();
        expected.push(told("/second".into()));
        expected.sort();
        let mut found: Vec<String> = received.iter().map(|one| one.line.clone()).collect();
        found.sort();
        assert_eq!(found, expected);
        let events: Vec<&str> = received
            .iter()
            .map(|one| one.header("x-gitlab-event-uuid"))
            .collect();
        assert!(events.iter().all(|id| *id == events[0]), "{events:?}");
        let mut messages: Vec<&str> = received
            .iter()
            .map(|one| one.header("webhook-id"))
            .collect();
        messages.sort_unstable();
        messages.dedup();
        assert_eq!(messages.len(), received.len(), "each hook has its own");
        lines.push(events[0].to_owned());
    }
    assert_ne!(lines[0], lines[1]);
}

async fn a_project_in_a_personal_namespace_tells_nobody(server: TestServer) {
    let stage = Stage::on(&server);
    let alice = server.person("alice").create();
    let id = alice.id;
    let project = server.arrange(move |conn, ctx| {
        let home = latchkey::groups::store::find_personal(conn, id)?.unwrap();
        let form = latchkey::projects::create::NewProjectForm {
            name: Some("mine".into()),
            path: Some("mine".into()),
            description: String::new(),
            visibility: None,
        };
        latchkey::projects::create::create(conn, ctx, &home, &form)
    });
    let resource = latchkey::access_tokens::Resource::Project(project);
    assert_eq!(server.announce(&[(&stage.token, resource)]), 0);
}

async fn a_second_announcement_queues_nothing(server: TestServer) {
    let stage = Stage::on(&server);
    assert_eq!(stage.announces(), 1);
    assert_eq!(stage.announces(), 0);
    server.deliver_webhooks().await;
    server.clock.advance(TimeDelta::hours(1));
    assert_eq!(stage.announces(), 0, "also when it was delivered");
    server.deliver_webhooks().await;
    assert_eq!(stage.receiver.received().len(), 1);
    let both = [
        (&stage.token, stage.resource()),
        (&stage.another("second"), stage.resource()),
    ];
    assert_eq!(server.announce(&both), 1, "what is new beside it is told");
}

async fn a_disabled_webhook_is_not_told(server: TestServer) {
    let stage = Stage::on(&server);
    server.sql(
        "UPDATE webhooks SET state = 'disabled', disabled_at = created_at, disabled_reason = 'x'",
    );
    assert_eq!(stage.announces(), 0);
}

async fn a_failed_transaction_tells_nobody(server: TestServer) {
    let stage = Stage::on(&server);
    let (id, resource) = (stage.token.id, stage.resource());
    let actor = latchkey::actor::Actor::system(latchkey::actor::Origin::job());
    let failed: Result<(), _> = server.attempt_as(actor, move |conn, ctx| {
        let token = latchkey::access_tokens::store::find(conn, id)?
            .unwrap()
            .token;
        let told = [(token, resource.clone())];
        let queued = latchkey::webhooks::announce::announce_expiring(conn, ctx, &told, ctx.now)?;
        assert_eq!(queued, 1);
        Err(latchkey::error::Error::BadRequest)
    });
    assert!(failed.is_err());
    assert_eq!(count(&server, "waiting"), 0);
}

async fn a_thousand_tokens_take_as_many_queries_as_ten(server: TestServer) {
    let stage = Stage::on(&server);
    let (id, resource) = (stage.token.id, stage.resource());
    let mut queries = Vec::new();
    for (first, number) in [(10_000, 10), (20_000, 400), (30_000, 1_000)] {
        let resource = resource.clone();
        let counted = server.app.db.clone();
        queries.push(server.arrange(move |conn, ctx| {
            let token = latchkey::access_tokens::store::find(conn, id)?
                .unwrap()
                .token;
            let tokens: Vec<_> = (first..first + number)
                .map(|id| {
                    let token = latchkey::access_tokens::AccessToken {
                        id,
                        ..token.clone()
                    };
                    (token, resource.clone())
                })
                .collect();
            let before = counted.counters().queries();
            latchkey::webhooks::announce::announce_expiring(conn, ctx, &tokens, ctx.now)?;
            Ok(counted.counters().queries() - before)
        }));
    }
    // One for the webhooks, one for each five hundred deliveries.
    assert_eq!(queries, [2, 2, 3]);
    assert_eq!(count(&server, "waiting"), 1_410);
}
