//! Who may do what with the tokens of a group.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{group_missing, refused, unauthorized};
use crate::on_both;
use crate::support::{Api, Company, TestGroup, TestResource, TestServer};

on_both![
    owners_and_administrators_manage_tokens_and_nobody_else,
    an_inherited_owner_is_an_owner,
    an_owner_below_is_none_above,
    a_former_owner_manages_nothing,
    to_see_a_group_is_not_enough,
    a_bot_never_makes_a_token,
    a_bot_looks_after_its_own_group_only,
    a_scope_narrows_what_an_owner_may,
    switched_off_tokens_let_nobody_in,
    a_bot_is_external_if_its_maker_is,
    internal_places_are_open_to_bots_unless_they_are_kept_at_home,
    a_token_reaches_down_and_nowhere_else,
];

/// The statuses of list, get, create, rotate and revoke, on fresh tokens.
async fn statuses(api: &Api, group: &TestGroup) -> [u16; 5] {
    let path = format!("{}/access_tokens", group.path());
    let token = group.token("target").create();
    let victim = group.token("victim").create();
    [
        api.get(&path).await.status,
        api.get(&format!("{path}/{}", token.id)).await.status,
        api.post(
            &path,
            json!({ "name": "x", "scopes": ["read_api"], "access_level": 10 }),
        )
        .await
        .status,
        api.post(&format!("{path}/{}/rotate", token.id), json!({}))
            .await
            .status,
        api.delete(&format!("{path}/{}", victim.id)).await.status,
    ]
}

const ALL: [u16; 5] = [200, 200, 201, 200, 204];
const NONE: [u16; 5] = [401, 401, 400, 401, 400];
const HIDDEN: [u16; 5] = [404, 404, 404, 404, 404];
const SIGNED_OUT: [u16; 5] = [401, 401, 401, 401, 401];

async fn owners_and_administrators_manage_tokens_and_nobody_else(server: TestServer) {
    let company = Company::on(&server);
    let blocked = server.person("blocked").create();
    company.acme.member(&blocked, AccessLevel::Owner);
    let blocked_api = blocked.api();
    blocked.block();
    let rows = [
        ("administrator", company.root.api(), ALL),
        ("Owner", company.alice.api(), ALL),
        ("Maintainer", company.bob.api(), NONE),
        ("Developer", company.carol.api(), NONE),
        ("Reporter", company.dave.api(), NONE),
        ("Planner", company.paula.api(), NONE),
        ("Guest", company.erin.api(), NONE),
        ("outsider", company.frank.api(), HIDDEN),
        ("external outsider", company.xenia.api(), HIDDEN),
        ("nobody", server.anonymous(), SIGNED_OUT),
        ("blocked Owner", blocked_api, [403; 5]),
    ];
    for (who, api, expected) in rows {
        assert_eq!(statuses(&api, &company.acme).await, expected, "{who}");
    }
}

async fn an_inherited_owner_is_an_owner(server: TestServer) {
    let company = Company::on(&server);
    assert_eq!(statuses(&company.alice.api(), &company.deep).await, ALL);
    assert_eq!(statuses(&company.bob.api(), &company.deep).await, NONE);
    // The highest role counts, wherever it comes from.
    company.sub.member(&company.bob, AccessLevel::Owner);
    assert_eq!(statuses(&company.bob.api(), &company.deep).await, ALL);
    company.deep.member(&company.alice, AccessLevel::Guest);
    assert_eq!(statuses(&company.alice.api(), &company.deep).await, ALL);
}

async fn an_owner_below_is_none_above(server: TestServer) {
    let company = Company::on(&server);
    company.sub.member(&company.frank, AccessLevel::Owner);
    let frank = company.frank.api();
    assert_eq!(statuses(&frank, &company.sub).await, ALL);
    assert_eq!(statuses(&frank, &company.acme).await, HIDDEN);
    assert_eq!(statuses(&frank, &company.other).await, HIDDEN);
}

async fn a_former_owner_manages_nothing(server: TestServer) {
    let company = Company::on(&server);
    company
        .acme
        .member_until(&company.frank, AccessLevel::Owner, "2026-11-22");
    let frank = company.frank.api();
    server.clock.set("2026-11-21T23:59:59Z".parse().unwrap());
    assert_eq!(statuses(&frank, &company.acme).await, ALL);
    server.clock.set("2026-11-22T00:00:00Z".parse().unwrap());
    assert_eq!(statuses(&frank, &company.acme).await, HIDDEN);
}

async fn to_see_a_group_is_not_enough(server: TestServer) {
    let company = Company::on(&server);
    let open = server.group("open").public().create();
    let inside = server.group("inside").internal().create();
    assert_eq!(statuses(&company.frank.api(), &open).await, NONE);
    assert_eq!(statuses(&company.frank.api(), &inside).await, NONE);
    assert_eq!(statuses(&company.xenia.api(), &open).await, NONE);
    assert_eq!(statuses(&company.xenia.api(), &inside).await, HIDDEN);
    assert_eq!(statuses(&server.anonymous(), &open).await, SIGNED_OUT);

    let frank = company.frank.api();
    let path = format!("{}/access_tokens", open.path());
    let token = open.token("ci").create();
    assert_eq!(frank.get(&path).await.outcome(), unauthorized());
    let body = json!({ "name": "x", "scopes": ["api"] });
    assert_eq!(
        frank.post(&path, body).await.outcome(),
        refused("User does not have permission to create group access token")
    );
    let answer = frank.delete(&format!("{path}/{}", token.id)).await;
    assert_eq!(answer.outcome(), refused("Frank cannot delete ci"));
    frank.delete(&format!("{path}/99999")).await.expect(404);
    let hidden = format!("{}/access_tokens", company.acme.path());
    assert_eq!(frank.get(&hidden).await.outcome(), group_missing());
}

async fn a_bot_never_makes_a_token(server: TestServer) {
    let company = Company::on(&server);
    for level in AccessLevel::ALL {
        let bot = company.acme.token("bot").role(level).create();
        let target = company.acme.token("target").create();
        let below = company.sub.token("below").create();
        let before = server.inventory();
        for (group, token) in [(&company.acme, &target), (&company.sub, &below)] {
            let path = format!("{}/access_tokens", group.path());
            let body = json!({ "name": "x", "scopes": ["read_api"], "access_level": 10 });
            let no_permission =
                refused("User does not have permission to create group access token");
            assert_eq!(
                bot.post(&path, body).await.outcome(),
                no_permission,
                "{level}"
            );
            let answer = bot
                .post(&format!("{path}/{}/rotate", token.id), json!({}))
                .await;
            assert_eq!(answer.outcome(), unauthorized(), "{level}");
        }
        let by_its_id = format!("{}/access_tokens/{}/rotate", company.acme.path(), bot.id);
        assert_eq!(
            bot.post(&by_its_id, json!({})).await.outcome(),
            unauthorized(),
            "{level}"
        );
        for path in [
            "/user/personal_access_tokens",
            &format!("/users/{}/personal_access_tokens", bot.user_id),
        ] {
            let status = bot
                .post(path, json!({ "name": "x", "scopes": ["api"] }))
                .await
                .status;
            assert!((400..500).contains(&status), "{path}: {status}");
        }
        assert_eq!(server.inventory(), before, "{level}");
        assert!(target.works().await && below.works().await && bot.works().await);
    }
}

async fn a_bot_looks_after_its_own_group_only(server: TestServer) {
    let company = Company::on(&server);
    let rows = [
        (AccessLevel::Owner, Scope::Api, [200, 200, 400, 401, 204]),
        (
            AccessLevel::Owner,
            Scope::ReadApi,
            [200, 200, 403, 403, 403],
        ),
        (AccessLevel::Maintainer, Scope::Api, NONE),
        (AccessLevel::Developer, Scope::Api, NONE),
        (AccessLevel::Guest, Scope::Api, NONE),
        (AccessLevel::Owner, Scope::ReadRepository, [403; 5]),
        (AccessLevel::Owner, Scope::SelfRotate, [403; 5]),
    ];
    for (level, scope, expected) in rows {
        let bot = company
            .acme
            .token("bot")
            .role(level)
            .scopes([scope])
            .create();
        assert_eq!(
            statuses(&bot, &company.acme).await,
            expected,
            "{level} {}",
            scope.name()
        );
    }
    // Being an Owner of what lies below isn't enough: the bot was made for the group above.
    let bot = company.acme.token("bot").role(AccessLevel::Owner).create();
    assert_eq!(statuses(&bot, &company.sub).await, NONE);
    assert_eq!(statuses(&bot, &company.other).await, HIDDEN);
}

async fn a_scope_narrows_what_an_owner_may(server: TestServer) {
    let company = Company::on(&server);
    let reader = company.alice.personal_token([Scope::ReadApi]);
    assert_eq!(
        statuses(&reader, &company.acme).await,
        [200, 200, 403, 403, 403]
    );
    reader.get("/personal_access_tokens/self").await.expect(200);
    reader
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    for scope in [
        Scope::ReadUser,
        Scope::ReadRepository,
        Scope::SelfRotate,
        Scope::K8sProxy,
    ] {
        let token = company.alice.personal_token([scope]);
        assert_eq!(
            statuses(&token, &company.acme).await,
            [403; 5],
            "{}",
            scope.name()
        );
    }
    // On a public group a token still needs its scope: it is never taken for nobody.
    let open = server.group("open").public().create();
    let narrow = company.alice.personal_token([Scope::ReadRepository]);
    narrow.get(&open.path()).await.expect(403);
}

async fn switched_off_tokens_let_nobody_in(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let alice = company.alice.personal_token([Scope::Api]);
    server.set("disable_personal_access_tokens", "true");
    token.get("/user").await.expect(401);
    alice.get("/user").await.expect(401);
    let browser = company.alice.signs_in().await;
    let path = format!("/api/v4{}/access_tokens", company.acme.path());
    assert_eq!(browser.get(&path).await.status, 401);
    server.set("disable_personal_access_tokens", "false");
    assert!(token.works().await && alice.works().await);
}

async fn a_bot_is_external_if_its_maker_is(server: TestServer) {
    let company = Company::on(&server);
    let internal = server.group("inside").internal().create();
    let project = internal.project("plan").create();
    company.acme.member(&company.xenia, AccessLevel::Owner);

    let of_external = company
        .acme
        .token("external")
        .made_by(&company.xenia)
        .create();
    let of_normal = company
        .acme
        .token("normal")
        .made_by(&company.alice)
        .create();
    assert_eq!(
        of_external.get("/user").await.expect(200).json()["external"],
        true
    );
    assert_eq!(
        of_normal.get("/user").await.expect(200).json()["external"],
        false
    );
    for path in [internal.path(), project.path()] {
        of_external.get(&path).await.expect(404);
        of_normal.get(&path).await.expect(200);
    }
    for token in [of_external, of_normal] {
        token.get(&company.acme.path()).await.expect(200);
    }
}

async fn internal_places_are_open_to_bots_unless_they_are_kept_at_home(server: TestServer) {
    let company = Company::on(&server);
    let internal = server.group("inside").internal().create();
    let project = internal.project("plan").create();
    let open = server.group("open").public().create();
    let bot = company.acme.token("ci").role(AccessLevel::Guest).create();
    bot.get(&internal.path()).await.expect(200);
    bot.get(&project.path()).await.expect(200);
    server.set("bots_read_internal", "false");
    bot.get(&internal.path()).await.expect(404);
    bot.get(&project.path()).await.expect(404);
    bot.get(&open.path()).await.expect(200);
    company.frank.api().get(&internal.path()).await.expect(200);
}

async fn a_token_reaches_down_and_nowhere_else(server: TestServer) {
    let company = Company::on(&server);
    let bot = company.sub.token("ci").role(AccessLevel::Owner).create();
    for visible in [
        company.sub.path(),
        company.deep.path(),
        company.p2.path(),
        company.p3.path(),
    ] {
        bot.get(&visible).await.expect(200);
    }
    let hidden = [
        company.acme.path(),
        company.p1.path(),
        company.other.path(),
        company.p9.path(),
        "/groups/99999999".into(),
        "/projects/99999999".into(),
    ];
    for path in hidden {
        let answer = bot.get(&path).await.expect(404);
        let what = if path.starts_with("/groups") {
            "Group"
        } else {
            "Project"
        };
        assert_eq!(
            answer.json(),
            json!({ "message": format!("404 {what} Not Found") }),
            "{path}"
        );
    }
    let nothing: Value = bot.get("/groups/99999999").await.json();
    assert_eq!(bot.get(&company.other.path()).await.json(), nothing);
}
