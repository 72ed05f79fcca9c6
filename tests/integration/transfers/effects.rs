//! What is otherwise after a group moved.

use latchkey::{groups, members::AccessLevel};
use serde_json::json;

use super::{all_in_step, now, then, transfer};
use crate::on_both;
use crate::support::{Api, Company, Person, TestGroup, TestResource, TestServer};

on_both![
    everything_below_moves_along_and_nothing_beside,
    names_move_as_they_are_written,
    the_old_addresses_are_free,
    tokens_bots_and_members_come_along,
    inherited_access_ends_and_begins_with_the_move,
    the_switch_of_the_new_root_governs,
    a_group_that_comes_to_the_top_keeps_what_held_for_it,
    a_group_that_comes_to_the_top_has_a_lasting_owner,
    nobody_becomes_owner_where_there_is_one,
    without_a_person_no_group_comes_to_the_top,
    the_trail_of_both_places_tells_both_addresses,
    what_was_or_comes_to_the_top_has_one_place_to_tell,
    a_large_tree_costs_as_many_statements_as_a_small_one,
];

async fn full_path(api: &Api, group: &TestGroup) -> serde_json::Value {
    api.get(&group.path()).await.expect(200).json()["full_path"].take()
}

async fn everything_below_moves_along_and_nothing_beside(server: TestServer) {
    let company = Company::on(&server);
    let subway = company.acme.subgroup("subway").create();
    let beside = subway.project("p2").create();
    let above = company.acme.subgroup("su").create();
    let deepest = company.deep.subgroup("deepest").create();
    let p4 = deepest.project("p4").create();
    company.other.member(&company.alice, AccessLevel::Owner);
    let alice = company.alice.api();
    let known = async |path: &str| {
        alice
            .get(&path.replacen("acme/", "acme%2F", 1))
            .await
            .status
    };
    for path in [
        "/groups/acme%2Fsub%2Fdeep",
        "/projects/acme%2Fsub%2Fdeep%2Fdeepest%2Fp4",
    ] {
        assert_eq!(known(path).await, 200, "{path}");
    }
    let moved = transfer(&company.sub, company.alice.actor(), Some(&company.other)).unwrap();
    assert_eq!(
        (moved.full_path.as_str(), moved.full_name.as_str()),
        ("other/sub", "other / sub")
    );
    assert_eq!(
        (moved.root_id, moved.parent_id),
        (company.other.id, Some(company.other.id))
    );
    for (group, path) in [
        (&company.sub, "other/sub"),
        (&company.deep, "other/sub/deep"),
        (&deepest, "other/sub/deep/deepest"),
        (&subway, "acme/subway"),
        (&above, "acme/su"),
        (&company.acme, "acme"),
    ] {
        assert_eq!(full_path(&alice, group).await, path);
        let found = alice
            .get(&format!("/groups/{}", path.replace('/', "%2F")))
            .await;
        assert_eq!(found.expect(200).json()["id"], group.id, "{path}");
    }
    for (project, path) in [
        (&company.p1, "acme/p1"),
        (&company.p2, "other/sub/p2"),
        (&company.p3, "other/sub/deep/p3"),
        (&p4, "other/sub/deep/deepest/p4"),
        (&beside, "acme/subway/p2"),
    ] {
        let found = alice
            .get(&format!("/projects/{}", path.replace('/', "%2F")))
            .await;
        let found = found.expect(200).json();
        assert_eq!(found["id"], project.id, "{path}");
        assert_eq!(found["path_with_namespace"], path);
    }
    for gone in [
        "/groups/acme%2Fsub",
        "/groups/acme%2Fsub%2Fdeep",
        "/groups/acme%2Fsub%2Fdeep%2Fdeepest",
        "/projects/acme%2Fsub%2Fp2",
        "/projects/acme%2Fsub%2Fdeep%2Fp3",
        "/projects/acme%2Fsub%2Fdeep%2Fdeepest%2Fp4",
    ] {
        assert_eq!(known(gone).await, 404, "{gone}");
    }
    all_in_step(&server);
    transfer(&company.deep, company.alice.actor(), None).unwrap();
    assert_eq!(full_path(&alice, &deepest).await, "deep/deepest");
    assert_eq!(known("/projects/deep%2Fdeepest%2Fp4").await, 200);
    all_in_step(&server);
    transfer(&company.other, company.root.actor(), Some(&deepest)).unwrap();
    assert_eq!(now(&company.sub).full_path, "deep/deepest/other/sub");
    all_in_step(&server);
}

async fn names_move_as_they_are_written(server: TestServer) {
    let root = server.person("root").admin().create();
    let odd = server
        .group("Odd_Group")
        .named("100 % _of_ Ünïcödé 🗝")
        .create();
    let inside = odd.subgroup("In_Side").named("%").create();
    let project = inside.project("Pro_Ject.io").named("_%_").create();
    // The same address, if `_` stood for any character.
    let decoy = server.group("OddxGroup").create();
    let decoys = decoy.subgroup("InxSide").create();
    let target = server.group("Target").named("Größe \\ 100%").create();
    transfer(&odd, root.actor(), Some(&target)).unwrap();
    let moved = now(&inside);
    assert_eq!(moved.full_path, "Target/Odd_Group/In_Side");
    assert_eq!(moved.full_name, "Größe \\ 100% / 100 % _of_ Ünïcödé 🗝 / %");
    let api = root.api();
    for path in [
        "Target%2FOdd_Group%2FIn_Side%2FPro_Ject.io",
        "target%2fodd_group%2fin_side%2fpro_ject.io",
    ] {
        let found = api
            .get(&format!("/projects/{path}"))
            .await
            .expect(200)
            .json();
        assert_eq!(found["id"], project.id);
        assert_eq!(
            found["path_with_namespace"],
            "Target/Odd_Group/In_Side/Pro_Ject.io"
        );
    }
    assert_eq!(now(&decoys).full_path, "OddxGroup/InxSide");
    all_in_step(&server);
}

async fn the_old_addresses_are_free(server: TestServer) {
    let company = Company::on(&server);
    company.other.member(&company.alice, AccessLevel::Owner);
    let token = company.sub.token("ci").create();
    transfer(&company.sub, company.alice.actor(), Some(&company.other)).unwrap();
    let again = company.acme.subgroup("sub").create();
    again.project("p2").create();
    let found = company
        .alice
        .api()
        .get("/groups/acme%2Fsub")
        .await
        .expect(200);
    assert_eq!(found.json()["id"], again.id);
    // The token of the group that was there before has nothing to do with the new one.
    token.get("/groups/acme%2Fsub").await.expect(404);
    token.get("/groups/other%2Fsub").await.expect(200);
    all_in_step(&server);
}

async fn tokens_bots_and_members_come_along(server: TestServer) {
    let company = Company::on(&server);
    company.other.member(&company.alice, AccessLevel::Owner);
    company.sub.member(&company.frank, AccessLevel::Developer);
    let tokens = [
        company.sub.token("of the group").create(),
        company.deep.token("of a group below").create(),
        company.p3.token("of a project below").create(),
    ];
    let before = server.inventory();
    transfer(&company.sub, company.alice.actor(), Some(&company.other)).unwrap();
    assert_eq!(server.inventory(), before);
    for token in &tokens {
        assert!(token.works().await);
    }
    tokens[0].get("/groups/other%2Fsub").await.expect(200);
    tokens[0]
        .get("/projects/other%2Fsub%2Fdeep%2Fp3")
        .await
        .expect(200);
    tokens[1]
        .get("/groups/other%2Fsub%2Fdeep")
        .await
        .expect(200);
    tokens[1].get("/groups/other%2Fsub").await.expect(404);
    tokens[2]
        .get("/projects/other%2Fsub%2Fdeep%2Fp3")
        .await
        .expect(200);
    company
        .frank
        .api()
        .get("/groups/other%2Fsub")
        .await
        .expect(200);
    let listed = company.oscar.api();
    let listed = listed
        .get(&format!("{}/access_tokens", company.sub.path()))
        .await;
    assert_eq!(listed.expect(200).json()[0]["id"], tokens[0].id);
    let made = json!({ "path": "made", "namespace_id": company.sub.id });
    let made = tokens[0].post("/projects", made).await.expect(201).json();
    assert_eq!(made["path_with_namespace"], "other/sub/made");
}

async fn inherited_access_ends_and_begins_with_the_move(server: TestServer) {
    let company = Company::on(&server);
    company.other.member(&company.alice, AccessLevel::Owner);
    let (from, to) = (
        company.acme.token("from").role(AccessLevel::Owner).create(),
        company.other.token("to").role(AccessLevel::Owner).create(),
    );
    let (bob, oscar) = (company.bob.api(), company.oscar.api());
    let paths = [
        company.sub.path(),
        company.deep.path(),
        company.p2.path(),
        company.p3.path(),
    ];
    let statuses = async |api: &Api| {
        let mut statuses = Vec::new();
        for path in &paths {
            statuses.push(api.get(path).await.status);
        }
        statuses
    };
    for api in [&from, &bob] {
        assert_eq!(statuses(api).await, [200; 4]);
    }
    for api in [&to, &oscar] {
        assert_eq!(statuses(api).await, [404; 4]);
    }
    transfer(&company.sub, company.alice.actor(), Some(&company.other)).unwrap();
    for api in [&from, &bob] {
        assert_eq!(statuses(api).await, [404; 4]);
    }
    for api in [&to, &oscar] {
        assert_eq!(statuses(api).await, [200; 4]);
    }
    from.delete(&company.p2.path()).await.expect(404);
    to.delete(&company.p2.path()).await.expect(202);
}

/// Whether somebody can make a token in the group: the switch that governs it.
async fn can_make_a_token(group: &TestGroup, person: &Person) -> bool {
    let body = json!({ "name": "ci", "scopes": ["api"] });
    let answer = person
        .api()
        .post(&format!("{}/access_tokens", group.path()), body)
        .await;
    assert!(matches!(answer.status, 201 | 400), "{}", answer.text());
    answer.status == 201
}

async fn the_switch_of_the_new_root_governs(server: TestServer) {
    let root = server.person("root").admin().create();
    let (on, off) = (server.group("on").create(), server.group("off").create());
    off.allow_creation(false);
    let moving = on.subgroup("moving").create();
    let inside = moving.subgroup("inside").create();
    assert!(can_make_a_token(&inside, &root).await);
    transfer(&moving, root.actor(), Some(&off)).unwrap();
    assert!(!can_make_a_token(&inside, &root).await);
    transfer(&moving, root.actor(), Some(&on)).unwrap();
    assert!(can_make_a_token(&inside, &root).await);
    // A root group with the switch off becomes a subgroup: its own switch is gone.
    let below = off.subgroup("below").create();
    transfer(&off, root.actor(), Some(&on)).unwrap();
    assert!(can_make_a_token(&off, &root).await);
    assert!(can_make_a_token(&below, &root).await);
    on.allow_creation(false);
    assert!(!can_make_a_token(&below, &root).await);
}

async fn a_group_that_comes_to_the_top_keeps_what_held_for_it(server: TestServer) {
    let root = server.person("root").admin().create();
    for (number, (allowed, retain)) in [(true, None), (false, Some(true)), (true, Some(false))]
        .into_iter()
        .enumerate()
    {
        let top = server.group(&format!("top{number}")).create();
        let moving = top
            .subgroup("between")
            .create()
            .subgroup(&format!("moving{number}"))
            .create();
        let inside = moving.subgroup("inside").create();
        top.allow_creation(allowed);
        let (id, now_) = (top.id, server.now());
        server.arrange(move |conn, _| groups::store::set_retain_bots(conn, id, retain, now_));
        transfer(&moving, root.actor(), None).unwrap();
        for group in [&moving, &inside] {
            assert_eq!(
                (now(group).creation_allowed, now(group).retain_bots),
                (allowed, retain)
            );
            assert_eq!(can_make_a_token(group, &root).await, allowed);
        }
        assert_eq!(now(&top).creation_allowed, allowed);
        // What it brought to the top stays there when it goes below another one again.
        let fresh = server.group(&format!("fresh{number}")).create();
        transfer(&moving, root.actor(), Some(&fresh)).unwrap();
        assert_eq!(
            (now(&inside).creation_allowed, now(&inside).retain_bots),
            (true, None)
        );
        assert_eq!(
            server.count(
                "groups",
                &format!("id = {} AND retain_bots IS NULL", moving.id)
            ),
            1
        );
    }
}

fn lasting_owners(group: &TestGroup) -> i64 {
    group.server.count(
        "memberships m JOIN users u ON u.id = m.user_id",
        &format!(
            "m.group_id = {} AND m.access_level = 50 AND m.expires_at IS NULL
             AND u.kind = 'human' AND u.state = 'active'",
            group.id
        ),
    )
}

fn is_lasting_owner(group: &TestGroup, person: &Person) -> bool {
    let row = format!(
        "group_id = {} AND user_id = {} AND access_level = 50 AND expires_at IS NULL",
        group.id, person.id
    );
    group.server.count("memberships", &row) == 1
}

async fn a_group_that_comes_to_the_top_has_a_lasting_owner(server: TestServer) {
    let olga = server.person("olga").create();
    let acme = server.group("acme").owner(&olga).create();
    let later = server.days_ahead(5);
    let present = |group: &TestGroup, kind: usize| match kind {
        // Nobody; a bot; a lesser role; a role that ends; somebody blocked; somebody whose role ends.
        0 => {}
        1 => drop(group.token("ci").role(AccessLevel::Owner).create()),
        2 => group.member(&olga, AccessLevel::Guest),
        3 => group.member_until(&olga, AccessLevel::Owner, &later),
        4 => {
            let blocked = server.person("blocked").create();
            group.member(&blocked, AccessLevel::Owner);
            blocked.block();
        }
        _ => {
            let guest = server.person("brief").create();
            group.member_until(&guest, AccessLevel::Owner, &later);
        }
    };
    for kind in 0..6 {
        let moving = acme.subgroup(&format!("moving{kind}")).create();
        present(&moving, kind);
        transfer(&moving, olga.actor(), None).unwrap();
        assert!(is_lasting_owner(&moving, &olga), "{kind}");
        assert_eq!(lasting_owners(&moving), 1, "{kind}");
        let event = if matches!(kind, 2 | 3) {
            "member_level_changed"
        } else {
            "member_created"
        };
        let told = format!(
            "event = '{event}' AND group_path = 'moving{kind}' AND actor_id = {}",
            olga.id
        );
        assert_eq!(server.count("audit_events", &told), 1, "{kind}");
    }
}

async fn nobody_becomes_owner_where_there_is_one(server: TestServer) {
    let (olga, otto) = (
        server.person("olga").create(),
        server.person("otto").create(),
    );
    let root = server.person("root").admin().create();
    let acme = server.group("acme").owner(&olga).create();
    let moving = acme.subgroup("moving").create();
    moving.member(&otto, AccessLevel::Owner);
    transfer(&moving, olga.actor(), None).unwrap();
    assert!(is_lasting_owner(&moving, &otto));
    assert_eq!(lasting_owners(&moving), 1);
    olga.api().get(&moving.path()).await.expect(404);
    // Nor does anybody when a group goes below another one.
    let inner = acme.subgroup("inner").create();
    let before = server.inventory();
    transfer(&inner, root.actor(), Some(&moving)).unwrap();
    assert_eq!(server.inventory(), before);
}

async fn without_a_person_no_group_comes_to_the_top(server: TestServer) {
    let acme = server.group("acme").create();
    let moving = acme.subgroup("moving").create();
    let (group, before) = (then(&moving), super::addresses(&server));
    let outcome = server.attempt_as(
        latchkey::actor::Actor::system(latchkey::actor::Origin::job()),
        move |conn, ctx| groups::transfer::transfer(conn, ctx, &group, None),
    );
    super::is_forbidden(outcome);
    assert_eq!(super::addresses(&server), before);
}

async fn the_trail_of_both_places_tells_both_addresses(server: TestServer) {
    let company = Company::on(&server);
    company.other.member(&company.alice, AccessLevel::Owner);
    transfer(&company.sub, company.alice.actor(), Some(&company.other)).unwrap();
    for (direction, group) in [("out", "acme"), ("in", "other/sub")] {
        let told = format!(
            "event = 'group_transferred' AND target_id = {} AND group_path = '{group}' AND actor_id = {}
             AND details = '{{\"full_path\":[\"acme/sub\",\"other/sub\"],\"direction\":\"{direction}\"}}'",
            company.sub.id, company.alice.id
        );
        assert_eq!(server.count("audit_events", &told), 1, "{direction}");
    }
    assert_eq!(
        server.count("audit_events", "event = 'group_transferred'"),
        2
    );
}

async fn what_was_or_comes_to_the_top_has_one_place_to_tell(server: TestServer) {
    let company = Company::on(&server);
    let told = |direction: &str, path: &str| {
        let told = format!(
            "event = 'group_transferred' AND group_path = '{path}'
             AND details LIKE '%\"direction\":\"{direction}\"%'"
        );
        server.count("audit_events", &told)
    };
    let root = company.root.actor();
    transfer(&company.sub, root.clone(), None).unwrap();
    assert_eq!((told("out", "acme"), told("in", "sub")), (1, 1));
    transfer(&company.sub, root, Some(&company.other)).unwrap();
    assert_eq!((told("out", "sub"), told("in", "other/sub")), (0, 1));
    let all = server.count("audit_events", "event = 'group_transferred'");
    assert_eq!(all, 3);
}

async fn a_large_tree_costs_as_many_statements_as_a_small_one(server: TestServer) {
    let root = server.person("root").admin().create();
    let (one, other) = (server.group("one").create(), server.group("other").create());
    let moving = one.subgroup("moving").create();
    let cost = || {
        let before = server.app.db.counters().queries();
        transfer(&moving, root.actor(), Some(&other)).unwrap();
        server.app.db.counters().queries() - before
    };
    let small = cost();
    transfer(&moving, root.actor(), Some(&one)).unwrap();
    for number in 0..20 {
        let inside = moving.subgroup(&format!("g{number}")).create();
        inside.subgroup("deeper").create().project("p").create();
        inside.token("ci").create();
    }
    let large = cost();
    assert_eq!(small, large);
    all_in_step(&server);
}
