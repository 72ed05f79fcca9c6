//! Groups that are deleted, with everything in them.

use latchkey::{
    actor::{Actor, Declared},
    error::{Error, What},
    groups,
    members::AccessLevel,
    permissions::Right,
};
use serde_json::json;

use crate::crowd::add_tokens;
use crate::on_both;
use crate::support::{Company, Person, TestGroup, TestResource, TestServer};
use crate::transfers::{all_in_step, bot, is_forbidden, namespace, then, transfer};

on_both![
    owners_delete_a_group_and_nobody_else,
    an_inherited_owner_and_an_administrator_delete_too,
    a_bot_that_owns_the_group_deletes_it,
    what_the_route_did_not_declare_is_refused,
    a_persons_own_namespace_is_not_deleted_so,
    everything_below_goes_and_nothing_beside,
    nothing_of_a_deleted_group_is_left,
    its_tokens_never_work_again_even_when_its_path_is_used_again,
    what_its_bots_made_elsewhere_belongs_to_the_ghost,
    a_large_group_costs_as_many_statements_as_a_small_one,
    more_bots_than_a_statement_takes_ids_go_at_once,
    the_trail_tells_of_the_deletion_once,
    the_trail_tells_of_each_active_token_that_ends,
    whatever_happens_beside_a_deletion_comes_before_or_after_it,
];

fn delete(group: &TestGroup, actor: Actor) -> Result<(), Error> {
    let stale = then(group);
    group.server.attempt_as(actor, move |conn, ctx| {
        groups::delete::delete(conn, ctx, &stale)
    })
}

#[track_caller]
fn is_not_found<T: std::fmt::Debug>(outcome: Result<T, Error>) {
    assert!(
        matches!(outcome, Err(Error::NotFound(What::Group))),
        "{outcome:?}"
    );
}

async fn owners_delete_a_group_and_nobody_else(server: TestServer) {
    let acme = server.group("acme").create();
    for level in AccessLevel::ALL {
        let person = server.person(level.lower_name()).create();
        let group = acme
            .subgroup(&format!("of-{}", level.lower_name()))
            .create();
        group.member(&person, level);
        let before = server.inventory();
        let outcome = delete(&group, person.actor());
        if level == AccessLevel::Owner {
            outcome.unwrap();
            assert_eq!(server.inventory().groups, before.groups - 1);
        } else {
            is_forbidden(outcome);
            assert_eq!(server.inventory(), before);
        }
    }
    let stranger = server.person("stranger").create();
    is_forbidden(delete(&acme, stranger.actor()));
}

async fn an_inherited_owner_and_an_administrator_delete_too(server: TestServer) {
    let company = Company::on(&server);
    is_forbidden(delete(&company.deep, company.oscar.actor()));
    delete(&company.deep, company.alice.actor()).unwrap();
    delete(&company.other, company.root.actor()).unwrap();
    is_not_found(delete(&company.other, company.root.actor()));
}

async fn a_bot_that_owns_the_group_deletes_it(server: TestServer) {
    let company = Company::on(&server);
    let maintainer = company.acme.token("maintainer").create();
    let of_sub = company
        .sub
        .token("of sub")
        .role(AccessLevel::Owner)
        .create();
    let of_deep = company
        .deep
        .token("of deep")
        .role(AccessLevel::Owner)
        .create();
    is_forbidden(delete(&company.sub, bot(&server, &maintainer)));
    is_forbidden(delete(&company.sub, bot(&server, &of_deep)));
    is_forbidden(delete(&company.acme, bot(&server, &of_sub)));
    // It goes with the group.
    delete(&company.sub, bot(&server, &of_sub)).unwrap();
    assert!(!of_sub.works().await && !of_deep.works().await);
    assert!(maintainer.works().await);
}

async fn what_the_route_did_not_declare_is_refused(server: TestServer) {
    let root = server.person("root").admin().create();
    let acme = server.group("acme").create();
    let declaring = |rights: &'static [Right]| Actor {
        declared: Declared::Only(rights),
        ..root.actor()
    };
    is_forbidden(delete(
        &acme,
        declaring(&[Right::EditGroup, Right::SeeGroup]),
    ));
    delete(&acme, declaring(&[Right::DeleteGroup])).unwrap();
}

async fn a_persons_own_namespace_is_not_deleted_so(server: TestServer) {
    let root = server.person("root").admin().create();
    let own = namespace(&root);
    let outcome = server.attempt_as(root.actor(), move |conn, ctx| {
        groups::delete::delete(conn, ctx, &own)
    });
    is_not_found(outcome);
    assert_eq!(namespace(&root).full_path, "root");
}

async fn everything_below_goes_and_nothing_beside(server: TestServer) {
    let company = Company::on(&server);
    let subway = company.acme.subgroup("subway").create();
    let beside = subway.project("p2").create();
    let tokens = [
        company.acme.token("above").create(),
        subway.token("beside").create(),
        beside.token("of a project beside").create(),
        company.p1.token("of a project above").create(),
    ];
    // Ids that sort before and after those that go, as numbers and as texts.
    for number in 0..12 {
        company.acme.subgroup(&format!("sub{number}")).create();
    }
    let before = server.inventory();
    let alice = company.alice.api();
    delete(&company.sub, company.alice.actor()).unwrap();
    let after = server.inventory();
    assert_eq!(
        (
            before.groups - after.groups,
            before.projects - after.projects
        ),
        (2, 2)
    );
    for gone in [
        company.sub.path(),
        company.deep.path(),
        company.p2.path(),
        company.p3.path(),
        "/groups/acme%2Fsub".into(),
        "/groups/acme%2Fsub%2Fdeep".into(),
        "/projects/acme%2Fsub%2Fp2".into(),
        "/projects/acme%2Fsub%2Fdeep%2Fp3".into(),
    ] {
        alice.get(&gone).await.expect(404);
    }
    for there in [
        company.acme.path(),
        company.p1.path(),
        subway.path(),
        beside.path(),
        "/projects/acme%2Fsubway%2Fp2".into(),
    ] {
        alice.get(&there).await.expect(200);
    }
    for token in &tokens {
        assert!(token.works().await);
    }
    assert_eq!(server.count("users", "kind = 'human'"), 10);
    all_in_step(&server);
}

/// The rows of every table that a group leaves traces in, the trail aside.
fn everything(server: &TestServer) -> Vec<(&'static str, i64)> {
    [
        "users",
        "groups",
        "projects",
        "routes",
        "memberships",
        "access_tokens",
        "access_token_uses",
        "sessions",
    ]
    .into_iter()
    .map(|table| (table, server.count(table, "")))
    .collect()
}

async fn nothing_of_a_deleted_group_is_left(server: TestServer) {
    let company = Company::on(&server);
    // The ghost is made when the first bot goes.
    let first = company.other.subgroup("first").create();
    first.token("ci").create();
    delete(&first, company.root.actor()).unwrap();
    let before = everything(&server);
    let doomed = server.group("doomed").owner(&company.frank).create();
    let inside = doomed.subgroup("in").create().subgroup("inside").create();
    let projects = [doomed.project("p").create(), inside.project("p").create()];
    inside.member(&company.carol, AccessLevel::Developer);
    projects[1].member(&company.dave, AccessLevel::Reporter);
    server.retain_bots(true);
    let mut tokens = vec![doomed.token("ci").create(), inside.token("ci").create()];
    tokens.extend(projects.iter().map(|project| project.token("ci").create()));
    for token in &tokens {
        assert!(token.works().await);
    }
    // A family of two, and a bot that is kept after its revocation.
    let successor = tokens[0]
        .post("/personal_access_tokens/self/rotate", json!(null))
        .await
        .expect(200)
        .json();
    let kept = inside.token("kept").create();
    kept.delete("/personal_access_tokens/self")
        .await
        .expect(204);
    server.retain_bots(false);
    // One that is marked as gone and waits for the background.
    let gone = inside.token("gone").create();
    gone.delete("/personal_access_tokens/self")
        .await
        .expect(204);
    server.rest().await;
    let waiting = projects[1].token("waiting").create();
    waiting
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    delete(&doomed, company.frank.actor()).unwrap();
    server.rest().await;
    assert_eq!(everything(&server), before);
    let value = successor["token"].as_str().unwrap();
    server.with_token(value).get("/user").await.expect(401);
    for token in &tokens {
        assert!(!token.works().await);
    }
    all_in_step(&server);
}

async fn its_tokens_never_work_again_even_when_its_path_is_used_again(server: TestServer) {
    let company = Company::on(&server);
    let tokens = [
        company.acme.token("ci").role(AccessLevel::Owner).create(),
        company.deep.token("ci").create(),
        company.p3.token("ci").create(),
    ];
    delete(&company.acme, company.alice.actor()).unwrap();
    let acme = server.group("acme").owner(&company.alice).create();
    let sub = acme.subgroup("sub").create();
    let deep = sub.subgroup("deep").create();
    let p3 = deep.project("p3").create();
    assert!(![company.acme.id, company.sub.id, company.deep.id].contains(&deep.id));
    assert_ne!(p3.id, company.p3.id);
    for token in &tokens {
        for path in [
            "/user",
            "/groups/acme",
            "/personal_access_tokens/self",
            "/projects/acme%2Fsub%2Fdeep%2Fp3",
        ] {
            token.get(path).await.expect(401);
        }
    }
    // Nor after a while, when the background has tidied up.
    server.rest().await;
    for token in &tokens {
        assert!(!token.works().await);
    }
    // Members of the old group are strangers to the new one.
    company.bob.api().get("/groups/acme").await.expect(404);
}

async fn what_its_bots_made_elsewhere_belongs_to_the_ghost(server: TestServer) {
    let company = Company::on(&server);
    let bot = company.acme.token("ci").role(AccessLevel::Owner).create();
    let body = json!({ "path": "made", "namespace_id": company.sub.id });
    let made = bot.post("/projects", body).await.expect(201).json();
    assert_eq!(made["creator_id"], bot.user_id);
    let id = made["id"].as_i64().unwrap();
    server.sql(&format!(
        "UPDATE memberships SET created_by_id = {} WHERE user_id = {}",
        bot.user_id, company.oscar.id
    ));
    // The group where it was made is elsewhere by now.
    transfer(&company.sub, company.root.actor(), Some(&company.other)).unwrap();
    delete(&company.acme, company.alice.actor()).unwrap();
    let ghosts = "(SELECT id FROM users WHERE kind = 'ghost')";
    assert_eq!(
        server.count("projects", &format!("id = {id} AND creator_id = {ghosts}")),
        1
    );
    let given = format!(
        "user_id = {} AND created_by_id = {ghosts}",
        company.oscar.id
    );
    assert_eq!(server.count("memberships", &given), 1);
    let shown = company
        .oscar
        .api()
        .get("/projects/other%2Fsub%2Fmade")
        .await;
    shown.expect(200);
    // What people made stays theirs.
    assert_eq!(server.count("users", "kind = 'ghost'"), 1);
}

async fn a_large_group_costs_as_many_statements_as_a_small_one(server: TestServer) {
    let root = server.person("root").admin().create();
    let group = |name: &str, size: u32| {
        let group = server.group(name).create();
        for number in 0..size {
            let inside = group.subgroup(&format!("g{number}")).create();
            let project = inside.subgroup("deeper").create().project("p").create();
            inside.token("ci").create();
            project.token("ci").create();
        }
        group
    };
    let groups = [group("first", 1), group("small", 1), group("large", 12)];
    let costs: Vec<u64> = groups
        .iter()
        .map(|group| {
            let before = server.app.db.counters().queries();
            delete(group, root.actor()).unwrap();
            server.app.db.counters().queries() - before
        })
        .collect();
    assert_eq!(costs[1], costs[2], "{costs:?}");
    all_in_step(&server);
}

async fn more_bots_than_a_statement_takes_ids_go_at_once(server: TestServer) {
    let root = server.person("root").admin().create();
    let acme = server.group("acme").create();
    add_tokens(&server, &acme.subgroup("sub").create(), 40_000);
    delete(&acme, root.actor()).unwrap();
    assert_eq!(server.count("users", "kind = 'project_bot'"), 0);
    assert_eq!(server.count("access_tokens", ""), 0);
}

async fn the_trail_tells_of_the_deletion_once(server: TestServer) {
    let company = Company::on(&server);
    company.deep.token("ci").create();
    delete(&company.sub, company.alice.actor()).unwrap();
    let told = format!(
        "event = 'group_deleted' AND target_id = {} AND group_path = 'acme/sub' AND actor_id = {}
         AND details = '{{\"full_path\":\"acme/sub\",\"bots\":1}}'",
        company.sub.id, company.alice.id
    );
    assert_eq!(server.count("audit_events", &told), 1);
    assert_eq!(server.count("audit_events", "event = 'group_deleted'"), 1);
}

async fn the_trail_tells_of_each_active_token_that_ends(server: TestServer) {
    let company = Company::on(&server);
    let of_group = company.deep.token("of deep").create();
    let of_project = company.p2.token("of p2").create();
    let beside = company.p1.token("beside").create();
    let revoked = company.sub.token("revoked").create();
    let revoke = "/personal_access_tokens/self";
    revoked.delete(revoke).await.expect(204);
    let expired = company.sub.token("expired").create();
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '2026-11-20' WHERE id = {}",
        expired.id
    ));
    let ended = |reason: &str| {
        let told = format!("event LIKE '%_token_deleted' AND details LIKE '%{reason} deleted%'");
        server.count("audit_events", &told)
    };
    delete(&company.sub, company.alice.actor()).unwrap();
    assert_eq!(ended("group"), 2);
    let project = crate::transfers::project(&company.p1);
    server
        .attempt_as(company.alice.actor(), move |conn, ctx| {
            latchkey::projects::delete::delete(conn, ctx, &project)
        })
        .unwrap();
    assert_eq!((ended("group"), ended("project")), (2, 1));
    for (token, kind, reason, path) in [
        (&of_group, "group", "group", "acme/sub/deep"),
        (&of_project, "project", "group", "acme/sub"),
        (&beside, "project", "project", "acme"),
    ] {
        let events = server.events(&format!("{kind}_access_token_deleted"));
        let event = events
            .iter()
            .find(|event| event.target_id == Some(token.id));
        let event = event.expect("a line of its own");
        let told: serde_json::Value = serde_json::from_str(&event.details).unwrap();
        assert_eq!(told["user_id"], token.user_id);
        assert_eq!(told["username"], token.username);
        assert_eq!(told["reason"], format!("{reason} deleted"));
        assert_eq!(event.actor_id, Some(company.alice.id));
        assert_eq!(event.group_path, path);
    }
}

/// A new subgroup, project, member or token, as somebody makes it who read the group before.
async fn add(group: &TestGroup, alice: &Person, what: usize) -> u16 {
    let api = alice.api();
    let answer = match what % 2 {
        0 => {
            let body = json!({ "path": "new", "namespace_id": group.id });
            api.post("/projects", body).await
        }
        _ => {
            let body = json!({ "name": "new", "scopes": ["api"] });
            api.post(&format!("{}/access_tokens", group.path()), body)
                .await
        }
    };
    answer.status
}

async fn whatever_happens_beside_a_deletion_comes_before_or_after_it(server: TestServer) {
    let company = Company::on(&server);
    let other = &company.other;
    for round in 0..12 {
        let doomed = company.acme.subgroup(&format!("doomed{round}")).create();
        let stale = then(&doomed);
        let (app, actor) = (server.app.clone(), company.root.actor());
        let db = server.app.db.clone();
        let deletion = db.write(move |conn| {
            let policy = app.policy_now(conn)?;
            let ctx = app.context(actor.clone(), policy, app.clock.now());
            groups::delete::delete(conn, &ctx, &stale)
        });
        if round % 3 < 2 {
            let (deleted, status) = tokio::join!(deletion, add(&doomed, &company.alice, round % 3));
            deleted.unwrap();
            assert!(matches!(status, 201 | 404 | 400 | 401), "{status}");
        } else {
            let (app, actor) = (server.app.clone(), company.root.actor());
            let (stale, to) = (then(&doomed), then(other));
            let db = server.app.db.clone();
            let moving = db.write(move |conn| {
                let policy = app.policy_now(conn)?;
                let ctx = app.context(actor.clone(), policy, app.clock.now());
                groups::transfer::transfer(conn, &ctx, &stale, Some(&to))
            });
            let (deleted, moved) = tokio::join!(deletion, moving);
            deleted.unwrap();
            if moved.is_err() {
                is_not_found(moved);
            }
        }
        company.root.api().get(&doomed.path()).await.expect(404);
        let left = format!("bot_group_id = {}", doomed.id);
        assert_eq!(server.count("users", &left), 0);
        all_in_step(&server);
    }
}
