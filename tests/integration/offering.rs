//! Offered to others as a service: making tokens takes a paid plan; using, listing and revoking them never does.

use latchkey::access_tokens::Resource;
use latchkey::access_tokens::create::{NewAccessToken, create};
use latchkey::access_tokens::scope::Scope;
use latchkey::groups::plan::{Plan, Tier};
use latchkey::groups::subscribe::subscribe;
use latchkey::groups::{self};
use latchkey::members::AccessLevel;
use serde_json::json;

use crate::on_both;
use crate::support::{Answer, Person, TestGroup, TestResource, TestServer};

on_both![
    on_ones_own_instance_plans_do_not_matter,
    a_hosted_group_makes_tokens_with_a_paid_plan_alone,
    the_plan_of_the_top_level_group_counts_below_it,
    nothing_can_be_made_for_projects_of_people_either,
    without_a_plan_tokens_work_are_listed_and_revoked,
    without_a_plan_only_the_token_rotates_itself,
    the_page_says_that_it_is_the_plan,
    the_switch_is_tied_to_the_plan,
    administrators_need_the_plan_too_and_the_console_does_not,
    personal_tokens_never_depend_on_it,
    only_administrators_give_plans_and_only_to_top_level_groups,
    a_group_that_comes_to_the_top_begins_without_a_plan,
];

fn give(server: &TestServer, group: &TestGroup, tier: Tier, trial: bool) {
    let id = group.id;
    server.arrange(move |conn, ctx| {
        let group = groups::store::find(conn, id)?.unwrap();
        subscribe(conn, ctx, &group, Plan { tier, trial })
    });
}

async fn make(server: &TestServer, person: &Person, path: &str) -> Answer {
    let token = person.personal_token([Scope::Api]);
    let asked = json!({ "name": "ci", "scopes": ["read_api"], "access_level": 20, "expires_at": server.days_ahead(9) });
    server
        .with_token(&token.value)
        .post(&format!("{path}/access_tokens"), asked)
        .await
}

const PLANS: [(Tier, bool, bool); 6] = [
    (Tier::Free, false, false),
    (Tier::Free, true, false),
    (Tier::Premium, true, false),
    (Tier::Ultimate, true, false),
    (Tier::Premium, false, true),
    (Tier::Ultimate, false, true),
];

async fn on_ones_own_instance_plans_do_not_matter(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    for (tier, trial, _) in PLANS {
        give(&server, &acme, tier, trial);
        make(&server, &alice, &acme.path()).await.expect(201);
    }
}

async fn a_hosted_group_makes_tokens_with_a_paid_plan_alone(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let api = acme.project("api").create();
    let hosted = server.hosted();
    for (tier, trial, allowed) in PLANS {
        give(&server, &acme, tier, trial);
        for (path, kind) in [(acme.path(), "group"), (api.path(), "project")] {
            let answer = make(&hosted, &alice, &path).await;
            if allowed {
                answer.expect(201);
            } else {
                assert_eq!(
                    answer.expect(400).message(),
                    format!(
                        "400 Bad request - User does not have permission to create {kind} access token"
                    ),
                    "{tier:?} {trial}"
                );
            }
        }
    }
}

async fn the_plan_of_the_top_level_group_counts_below_it(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let deep = acme.subgroup("sub").create().subgroup("deep").create();
    let other = server.group("other").owner(&alice).create();
    let hosted = server.hosted();
    give(&server, &acme, Tier::Premium, false);
    make(&hosted, &alice, &deep.path()).await.expect(201);
    make(&hosted, &alice, &deep.project("api").create().path())
        .await
        .expect(201);
    make(&hosted, &alice, &other.path()).await.expect(400);
}

async fn nothing_can_be_made_for_projects_of_people_either(server: TestServer) {
    let alice = server.person("alice").create();
    let made = alice
        .api()
        .post("/projects", json!({ "name": "own" }))
        .await
        .expect(201);
    let path = format!("/projects/{}", made.json()["id"]);
    make(&server, &alice, &path).await.expect(201);
    make(&server.hosted(), &alice, &path).await.expect(400);
}

async fn without_a_plan_tokens_work_are_listed_and_revoked(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let (one, two) = (acme.token("one").create(), acme.token("two").create());
    let hosted = server.hosted();
    hosted
        .with_token(&one.value)
        .get(&acme.path())
        .await
        .expect(200);
    let owner = hosted.with_token(&alice.personal_token([Scope::Api]).value);
    let list = owner
        .get(&format!("{}/access_tokens", acme.path()))
        .await
        .expect(200);
    assert_eq!(list.json().as_array().unwrap().len(), 2);
    owner
        .delete(&format!("{}/access_tokens/{}", acme.path(), one.id))
        .await
        .expect(204);
    hosted
        .with_token(&two.value)
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    assert!(!one.works().await && !two.works().await);
}

async fn without_a_plan_only_the_token_rotates_itself(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("ci").create();
    let hosted = server.hosted();
    let owner = hosted.with_token(&alice.personal_token([Scope::Api]).value);
    let by_id = format!("{}/access_tokens/{}/rotate", acme.path(), token.id);
    let refused = owner.post(&by_id, json!({})).await;
    assert!((400..500).contains(&refused.status), "{}", refused.text());
    assert!(token.works().await);
    hosted
        .with_token(&token.value)
        .post("/personal_access_tokens/self/rotate", json!({}))
        .await
        .expect(200);
}

async fn the_page_says_that_it_is_the_plan(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme.token("ci").create();
    let hosted = server.hosted();
    let browser = hosted.visitor();
    browser
        .sign_in("alice", crate::support::PASSWORD)
        .await
        .expect(303);
    let path = acme.page("settings/access_tokens");
    let page = browser.open(&path).await;
    assert!(page.says("The plan of the top-level group doesn't include new tokens."));
    assert!(!page.has("create-token-button") && page.says("ci"));
    let ask = browser.get(&format!("{path}/{}/rotate", token.id)).await;
    assert!(
        ask.expect(422)
            .page()
            .says("The plan of the top-level group")
    );
    let forged = browser
        .post(
            &path,
            &[
                ("resource_access_token[name]", "forged"),
                ("resource_access_token[scopes][]", "api"),
                ("resource_access_token[access_level]", "30"),
            ],
        )
        .await;
    assert_eq!(forged.status, 422);
    assert_eq!(server.count("access_tokens", "name = 'forged'"), 0);
    give(&server, &acme, Tier::Premium, false);
    assert!(browser.open(&path).await.has("create-token-button"));
}

async fn the_switch_is_tied_to_the_plan(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let hosted = server.hosted();
    let browser = hosted.visitor();
    browser
        .sign_in("alice", crate::support::PASSWORD)
        .await
        .expect(303);
    let path = acme.page("edit");
    let page = browser.open(&path).await;
    assert!(page.has("not-in-plan") && !page.has("token-creation-switch"));
    let owner = hosted.with_token(&alice.personal_token([Scope::Api]).value);
    let off = json!({ "resource_access_token_creation_allowed": false });
    owner.put(&acme.path(), off.clone()).await.expect(403);
    assert_eq!(
        server.count("groups", "resource_access_token_creation_allowed = FALSE"),
        0
    );
    give(&server, &acme, Tier::Ultimate, false);
    assert!(browser.open(&path).await.has("token-creation-switch"));
    owner.put(&acme.path(), off).await.expect(200);
}

async fn administrators_need_the_plan_too_and_the_console_does_not(server: TestServer) {
    let root = server.person("root").admin().create();
    let acme = server.group("acme").create();
    let hosted = server.hosted();
    make(&hosted, &root, &acme.path()).await.expect(400);
    // Arranged as the console does it.
    let id = acme.id;
    let made = hosted.arrange(move |conn, ctx| {
        let group = groups::store::find(conn, id)?.unwrap();
        let new = NewAccessToken {
            name: "console".into(),
            description: None,
            scopes: vec![Scope::Api],
            access_level: AccessLevel::Reporter,
            expires_at: None,
        };
        create(conn, ctx, &Resource::Group(group), &new)
    });
    assert!(made.is_ok());
    assert_eq!(server.count("access_tokens", "name = 'console'"), 1);
}

async fn personal_tokens_never_depend_on_it(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    let hosted = server.hosted();
    let admin = hosted.with_token(&root.personal_token([Scope::Api]).value);
    admin
        .post(
            &format!("/users/{}/personal_access_tokens", alice.id),
            json!({ "name": "own", "scopes": ["api"], "expires_at": server.days_ahead(9) }),
        )
        .await
        .expect(201);
}

async fn only_administrators_give_plans_and_only_to_top_level_groups(server: TestServer) {
    let root = server.person("root").admin().create();
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let sub = acme.subgroup("sub").create();
    let plan = Plan {
        tier: Tier::Premium,
        trial: false,
    };
    for (actor, id, refused) in [
        (alice.actor(), acme.id, "forbidden"),
        (
            root.actor(),
            sub.id,
            "can only be changed on a top-level group",
        ),
    ] {
        let told = server.attempt_as(actor, move |conn, ctx| {
            let group = groups::store::find(conn, id)?.unwrap();
            subscribe(conn, ctx, &group, plan)
        });
        let told = told.unwrap_err().to_string();
        assert!(told.contains(refused), "{told}");
    }
    assert_eq!(server.count("groups", "plan <> 'free'"), 0);
    give(&server, &acme, Tier::Premium, false);
    give(&server, &acme, Tier::Premium, false);
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'group_plan_changed' AND group_path = 'acme'"
        ),
        1
    );
}

async fn a_group_that_comes_to_the_top_begins_without_a_plan(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let sub = acme.subgroup("sub").create();
    give(&server, &acme, Tier::Premium, false);
    let hosted = server.hosted();
    make(&hosted, &alice, &sub.path()).await.expect(201);
    let owner = hosted.with_token(&alice.personal_token([Scope::Api]).value);
    owner
        .post(&format!("{}/transfer", sub.path()), json!({}))
        .await
        .expect(201);
    make(&hosted, &alice, &sub.path()).await.expect(400);
    make(&hosted, &alice, &acme.path()).await.expect(201);
}
