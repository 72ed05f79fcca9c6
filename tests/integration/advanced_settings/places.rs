//! Another place.

use latchkey::members::AccessLevel;
use regex::Regex;

use super::{own_project, told};
use crate::on_both;
use crate::support::page::unescaped;
use crate::support::{Company, Page, TestGroup, TestResource, TestServer};
use crate::transfers::{all_in_step, namespace, now};

on_both![
    the_groups_that_one_owns_are_on_offer,
    a_group_is_transferred_after_saying_what_that_means,
    who_loses_and_who_gains_is_named,
    whoever_keeps_a_role_further_down_is_not_said_to_lose_access,
    people_from_outside_lose_sight_of_what_is_internal_and_others_do_not,
    what_a_top_level_group_decides_is_told_where_another_one_does,
    a_group_comes_to_the_top_and_belongs_to_somebody,
    the_switch_of_the_new_place_is_told_and_governs,
    what_cannot_be_is_refused_before_and_when_it_is_tried,
    many_places_are_searched_for,
    a_project_is_transferred_into_a_group_and_home,
];

/// The places on offer: what the form sends, and what is read.
fn offered(page: &Page) -> Vec<(String, String)> {
    let Some(select) = page.part("new-place") else {
        return Vec::new();
    };
    let option = Regex::new(r#"<option value="([^"]+)"[^>]*>([^<]*)"#).unwrap();
    option
        .captures_iter(&select.html)
        .map(|found| (unescaped(&found[1]), unescaped(&found[2])))
        .collect()
}

fn labels(page: &Page) -> Vec<String> {
    offered(page).into_iter().map(|(_, label)| label).collect()
}

fn asking(group: &TestGroup, to: &str) -> String {
    format!("{}?group_id={to}", group.page("transfer"))
}

async fn the_groups_that_one_owns_are_on_offer(server: TestServer) {
    let c = Company::on(&server);
    let beside = c.acme.subgroup("beside").create();
    beside.subgroup("within").create();
    c.other.member(&c.bob, AccessLevel::Owner);
    c.other.member(&c.alice, AccessLevel::Maintainer);
    server.group("mine").owner(&c.alice).create();
    let alice = c.alice.signs_in().await;
    let page = alice.open(&c.sub.page("transfer")).await;
    assert_eq!(
        labels(&page),
        [
            "Top level, in no group",
            "acme/beside",
            "acme/beside/within",
            "mine"
        ],
        "not itself, what is below it, or where it lies"
    );
    // A top-level group is at the top already.
    let page = alice.open(&c.acme.page("transfer")).await;
    assert_eq!(labels(&page), ["mine"]);
    // People from outside make nothing at the top, administrators go everywhere.
    c.sub.member(&c.xenia, AccessLevel::Owner);
    let page = c.xenia.signs_in().await.open(&c.sub.page("transfer")).await;
    assert!(offered(&page).is_empty());
    assert!(page.says("There is no other place where you may put this group."));
    let page = c.root.signs_in().await.open(&c.sub.page("transfer")).await;
    assert_eq!(labels(&page).len(), 5, "{:?}", labels(&page));
}

async fn a_group_is_transferred_after_saying_what_that_means(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    let tokens = [c.sub.token("ci").create(), c.p3.token("ci").create()];
    let above = c.acme.token("above").create();
    let alice = c.alice.signs_in().await;
    let form = alice.open(&c.sub.page("transfer")).await;
    assert!(offered(&form).contains(&(c.other.id.to_string(), "other".into())));
    let page = alice.open(&asking(&c.sub, &c.other.id.to_string())).await;
    assert!(page.says("Transfer “ sub ” to other ?"), "{}", page.main());
    let url = &server.app.external_url;
    assert!(page.says(&format!("Now {url}/acme/sub Then {url}/other/sub")));
    let said = told(&page);
    for part in [
        "The addresses of 1 subgroup and 2 projects change with it.",
        "2 active access tokens go on working",
        "1 access token of a group above no longer reaches it.",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(!said.contains("turned off"));
    let form = page.form(&c.sub.page("transfer"));
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/other/sub");
    let page = alice.open("/other/sub").await;
    assert_eq!(page.flash(), "Done: Group 'sub' was transferred to other.");
    all_in_step(&server);
    assert_eq!(now(&c.sub).root_id, c.other.id);
    for token in &tokens {
        token.get("/groups/other%2Fsub").await;
        assert!(token.works().await);
    }
    above.get("/groups/other%2Fsub").await.expect(404);
    let event = "event = 'group_transferred' AND actor_name = 'Alice'";
    assert_eq!(server.count("audit_events", event), 2);
    // The old page is gone with the address.
    alice.submit(&form).await.expect(404);
}

async fn who_loses_and_who_gains_is_named(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    // Bob has a lower role in sub itself; Carol goes on from other, higher.
    c.sub.member(&c.bob, AccessLevel::Guest);
    c.other.member(&c.carol, AccessLevel::Maintainer);
    c.other.token("reaches").create();
    let blocked = server.person("blocked").create();
    c.acme.member(&blocked, AccessLevel::Owner);
    blocked.block();
    let alice = c.alice.signs_in().await;
    let page = alice.open(&asking(&c.sub, &c.other.id.to_string())).await;
    let said = told(&page);
    for part in [
        "3 people lose access: Dave (@dave, Reporter), Paula (@paula, Planner), Erin (@erin, Guest).",
        "1 person gets a lower role: Bob (@bob, Guest instead of Maintainer).",
        "1 person gains access: Oscar (@oscar, Owner).",
        "1 person gets a higher role: Carol (@carol, Maintainer instead of Developer).",
        "1 access token of a group above the new place reaches it.",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    for name in ["Alice", "blocked"] {
        assert!(!said.contains(name), "{name} in {said}");
    }
    // It is as it was said.
    let form = page.form(&c.sub.page("transfer"));
    alice.submit(&form).await.expect(303);
    for (person, status) in [
        (&c.dave, 404),
        (&c.erin, 404),
        (&c.bob, 200),
        (&c.oscar, 200),
    ] {
        person.api().get(&c.sub.path()).await.expect(status);
    }
}

async fn whoever_keeps_a_role_further_down_is_not_said_to_lose_access(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    // Erin in a group, Dave in a project, Paula in none any more; Carol in what stays behind.
    c.deep.member(&c.erin, AccessLevel::Guest);
    c.p3.member(&c.dave, AccessLevel::Reporter);
    c.deep.member(&c.paula, AccessLevel::Guest);
    server.sql(&format!(
        "UPDATE memberships SET expires_at = '2026-11-20' WHERE user_id = {} AND group_id = {}",
        c.paula.id, c.deep.id
    ));
    c.p1.member(&c.carol, AccessLevel::Developer);
    let alice = c.alice.signs_in().await;
    let there = asking(&c.sub, &c.other.id.to_string());
    let page = alice.open(&there).await;
    let said = told(&page);
    for part in [
        "3 people lose access: Bob (@bob, Maintainer), Carol (@carol, Developer), Paula (@paula, Planner).",
        "2 people lose their roles in it and keep one further down: Dave (@dave, Reporter), Erin (@erin, Guest).",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // Of a project nothing lies further down.
    let said = told(
        &alice
            .open(&format!(
                "{}?group_id={}",
                c.p3.page("transfer"),
                c.other.id
            ))
            .await,
    );
    assert!(said.contains("4 people lose access: Bob"), "{said}");
    assert!(!said.contains("further down"), "{said}");
    // It is as it was said.
    alice
        .submit(&page.form(&c.sub.page("transfer")))
        .await
        .expect(303);
    for (person, group, below) in [
        (&c.erin, 404, 200),
        (&c.dave, 404, 404),
        (&c.paula, 404, 404),
        (&c.carol, 404, 404),
    ] {
        person.api().get(&c.sub.path()).await.expect(group);
        person.api().get(&c.deep.path()).await.expect(below);
    }
    c.dave.api().get(&c.p3.path()).await.expect(200);
}

async fn people_from_outside_lose_sight_of_what_is_internal_and_others_do_not(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").owner(&c.alice).internal().create();
    let team = open.subgroup("team").internal().create();
    let place = server.group("place").owner(&c.alice).internal().create();
    let ursula = server.person("ursula").external().create();
    for person in [&c.bob, &c.xenia, &c.root] {
        open.member(person, AccessLevel::Developer);
    }
    place.member(&ursula, AccessLevel::Developer);
    place.member(&c.carol, AccessLevel::Developer);
    open.token("above").create();
    let alice = c.alice.signs_in().await;
    let there = asking(&team, &place.id.to_string());
    let page = alice.open(&there).await;
    let said = told(&page);
    for part in [
        "1 person loses access: Xenia (@xenia, Developer).",
        "2 people lose their roles in it: Root (@root, Developer), Bob (@bob, Developer).",
        "1 person gains access: Ursula (@ursula, Developer).",
        "1 person gets a role in it: Carol (@carol, Developer).",
        "1 access token of a group above has no role in it any more, and only reads what is open to all.",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    server.set("bots_read_internal", "false");
    let said = told(&alice.open(&there).await);
    assert!(
        said.contains("1 access token of a group above no longer reaches it."),
        "{said}"
    );
    alice
        .submit(&page.form(&team.page("transfer")))
        .await
        .expect(303);
    for (person, status) in [(&c.xenia, 404), (&c.bob, 200), (&ursula, 200)] {
        person.api().get(&team.path()).await.expect(status);
    }
}

async fn what_a_top_level_group_decides_is_told_where_another_one_does(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    let mine = server.group("mine").owner(&c.alice).create();
    mine.token("ci").create();
    server.sql(&format!(
        "UPDATE groups SET retain_bots = TRUE WHERE id = {}",
        c.acme.id
    ));
    c.sub.token("one").create();
    c.p3.token("two").create();
    let alice = c.alice.signs_in().await;
    let (acme, other) = (c.acme.id.to_string(), c.other.id.to_string());
    // It becomes one,
    let page = alice.open(&asking(&c.sub, "top")).await;
    let part = "At first both stay as acme has them: creating is turned on, and bots are kept when their token is revoked. That holds for 2 active access tokens in it.";
    let said = told(&page);
    assert!(
        said.contains("It becomes a top-level group") && said.contains(part),
        "{said}"
    );
    // stops being one,
    mine.allow_creation(false);
    let said = told(&alice.open(&asking(&mine, &acme)).await);
    let part = "its switch for creating access tokens, which is off, and its say about bots are given up. acme decides from then on: creating is turned on, and bots are kept when their token is revoked. That holds for 1 active access token in it.";
    assert!(said.contains(part), "{said}");
    assert!(
        said.contains("Access tokens can be created in it again"),
        "{said}"
    );
    // or goes below another one.
    let said = told(&alice.open(&asking(&c.sub, &other)).await);
    let part = "Bots are removed when their token is revoked, as other has it; so far they are kept. That holds for 2 active access tokens in it.";
    assert!(said.contains(part), "{said}");
    let said = told(
        &alice
            .open(&format!("{}?group_id={other}", c.p1.page("transfer")))
            .await,
    );
    assert!(
        said.contains("so far they are kept. It holds no active access token so far."),
        "{said}"
    );
    // Within one top-level group nothing of this changes.
    let said = told(&alice.open(&asking(&c.deep, &acme)).await);
    assert!(!said.contains("ots are"), "{said}");
    // It is as it was said.
    alice
        .submit(&page.form(&c.sub.page("transfer")))
        .await
        .expect(303);
    let kept = format!(
        "id = {} AND retain_bots = TRUE AND parent_id IS NULL",
        c.sub.id
    );
    assert_eq!(server.count("groups", &kept), 1);
}

async fn a_group_comes_to_the_top_and_belongs_to_somebody(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.signs_in().await;
    let page = alice.open(&asking(&c.sub, "top")).await;
    assert!(page.says("Transfer “ sub ” to the top level ?"));
    let said = told(&page);
    assert!(said.contains("You become its Owner"), "{said}");
    assert!(said.contains("5 people lose access: Bob"), "{said}");
    assert!(!said.contains("Alice"), "{said}");
    let form = page.form(&c.sub.page("transfer"));
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/sub");
    assert_eq!(
        alice.open("/sub").await.flash(),
        "Done: Group 'sub' is a top-level group now."
    );
    let owner = format!("group_id = {} AND access_level = 50", c.sub.id);
    assert_eq!(server.count("memberships", &owner), 1);
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'member_created' AND group_path = 'sub'"
        ),
        1
    );
    // Who owns it for good already stays the only one.
    c.deep.member(&c.frank, AccessLevel::Owner);
    let there = "/groups/sub/deep/-/transfer?group_id=top";
    let said = told(&alice.open(there).await);
    assert!(!said.contains("You become its Owner"), "{said}");
    assert!(said.contains("1 person loses access: Alice"), "{said}");
    all_in_step(&server);
}

async fn the_switch_of_the_new_place_is_told_and_governs(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    c.other.allow_creation(false);
    let token = c.sub.token("ci").create();
    let alice = c.alice.signs_in().await;
    let there = asking(&c.sub, &c.other.id.to_string());
    let said = told(&alice.open(&there).await);
    assert!(
        said.contains("Creating access tokens is turned off in other"),
        "{said}"
    );
    let form = alice.open(&there).await.form(&c.sub.page("transfer"));
    alice.submit(&form).await.expect(303);
    let path = format!("{}/access_tokens", c.sub.path());
    let body = serde_json::json!({ "name": "x", "scopes": ["api"] });
    let refused = c.alice.api().post(&path, body.clone()).await;
    assert!((400..500).contains(&refused.status));
    assert!(token.works().await);
    // On the way back it is allowed again.
    let back = format!("/groups/other/sub/-/transfer?group_id={}", c.acme.id);
    let page = alice.open(&back).await;
    let said = told(&page);
    assert!(
        said.contains("Access tokens can be created in it again: acme allows it."),
        "{said}"
    );
    let form = page.form("/groups/other/sub/-/transfer");
    alice.submit(&form).await.expect(303);
    c.alice.api().post(&path, body).await.expect(201);
}

async fn what_cannot_be_is_refused_before_and_when_it_is_tried(server: TestServer) {
    let c = Company::on(&server);
    let mine = server.group("mine").owner(&c.alice).private().create();
    mine.subgroup("sub").create();
    let open = c.acme.subgroup("open").create();
    let elsewhere = server.group("elsewhere").owner(&c.alice).private().create();
    let public = server.group("public").owner(&c.alice).public().create();
    let personal = namespace(&c.alice);
    let alice = c.alice.signs_in().await;
    let page = c.sub.page("transfer");
    let before = (server.inventory(), server.count("audit_events", ""));
    let id = |group: &TestGroup| group.id.to_string();
    for (to, status, says) in [
        (id(&c.sub), 422, "can't be the group itself or one below it"),
        (
            id(&c.deep),
            422,
            "can't be the group itself or one below it",
        ),
        (id(&c.acme), 422, "is where the group lies already"),
        (id(&mine), 422, "The address there has already been taken"),
        (id(&c.other), 404, ""),
        (personal.id.to_string(), 404, ""),
        ("0".into(), 404, ""),
        ("-1".into(), 404, ""),
        ("1e3".into(), 404, ""),
        ("99999999999999999999".into(), 404, ""),
        ("Top".into(), 404, ""),
    ] {
        let asked = alice.get(&asking(&c.sub, &to)).await;
        assert_eq!(asked.status, status, "{to}");
        let sent = alice.post(&page, &[("group_id", &to)]).await;
        assert_eq!(sent.status, status, "{to}");
        for answer in [asked, sent] {
            if status == 422 {
                let complaints = answer.page().complaints();
                assert!(complaints[0].contains(says), "{to}: {complaints:?}");
                assert!(answer.page().part("consequences").is_none());
            }
        }
    }
    // Nothing chosen: the form again.
    let sent = alice.post(&page, &[("group_id", "")]).await;
    assert_eq!(sent.status, 422);
    assert!(sent.page().complaints()[0].contains("can't be blank"));
    // What is wider than the place.
    let wide = alice.get(&asking(&public, &id(&elsewhere))).await;
    assert_eq!(wide.status, 422);
    assert!(wide.page().complaints()[0].contains("since the parent group has private visibility"));
    // Too deep, with what lies below it.
    let mut deepest = open;
    for level in 0..17 {
        deepest = deepest.subgroup(&format!("l{level}")).create();
    }
    // Too long, with what lies below it.
    let mut longest = mine;
    for letter in ["x", "y", "z"] {
        longest = longest.subgroup(&letter.repeat(240)).create();
    }
    let of_all = c.deep.subgroup(&"w".repeat(250)).create();
    of_all.project(&"v".repeat(20)).create();
    let before = (server.inventory(), before.1);
    for (to, says) in [
        (id(&deepest), "nested too deep"),
        (id(&longest), "The address there is too long"),
    ] {
        let asked = alice.get(&asking(&c.sub, &to)).await;
        let sent = alice.post(&page, &[("group_id", &to)]).await;
        for answer in [asked, sent] {
            assert_eq!(answer.status, 422, "{says}");
            let complaints = answer.page().complaints();
            assert!(complaints[0].contains(says), "{complaints:?}");
            assert!(answer.page().part("consequences").is_none());
        }
    }
    // To the letter: what lies below counts, and there is room for less.
    alice.get(&asking(&of_all, &id(&longest))).await.expect(200);
    alice
        .get(&format!(
            "{}?group_id={}",
            c.p2.page("transfer"),
            longest.id
        ))
        .await
        .expect(200);
    assert_eq!(server.inventory(), before.0);
    assert_eq!(server.count("groups", "full_path = 'acme/sub'"), 1);
    all_in_step(&server);
}

async fn many_places_are_searched_for(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.signs_in().await;
    let page = alice.open(&c.sub.page("transfer")).await;
    assert!(!page.says("Search groups"), "as long as there are few");
    for number in 0..101 {
        c.acme.subgroup(&format!("team{number:03}")).create();
    }
    let page = alice.open(&c.sub.page("transfer")).await;
    assert!(page.says("There are more groups than can be listed"));
    assert_eq!(offered(&page).len(), 101, "a hundred, and the top level");
    let page = alice
        .open(&format!("{}?search=TEAM1", c.sub.page("transfer")))
        .await;
    assert_eq!(labels(&page)[1..], ["acme/team100"]);
    assert!(!page.says("There are more groups"));
    assert!(
        page.html.contains(r#"value="TEAM1""#),
        "it stays in its field"
    );
    let page = alice
        .open(&format!("{}?search=%3Cb%3E%25", c.deep.page("transfer")))
        .await;
    assert_eq!(labels(&page), ["Top level, in no group"]);
}

async fn a_project_is_transferred_into_a_group_and_home(server: TestServer) {
    let c = Company::on(&server);
    let own = own_project(&server, &c.alice, "own").await;
    c.other.member(&c.alice, AccessLevel::Developer);
    let alice = c.alice.signs_in().await;
    let page = alice.open("/alice/own/-/transfer").await;
    assert_eq!(
        labels(&page),
        ["acme", "acme/sub", "acme/sub/deep", "other"],
        "where one may make projects"
    );
    let page = alice
        .open(&format!("/alice/own/-/transfer?group_id={}", c.sub.id))
        .await;
    let said = told(&page);
    assert!(said.contains("another clone address"), "{said}");
    assert!(said.contains("5 people gain access: Bob"), "{said}");
    let form = page.form("/alice/own/-/transfer");
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/acme/sub/own");
    let page = alice.open("/acme/sub/own").await;
    assert_eq!(
        page.flash(),
        "Done: Project 'own' was transferred to acme/sub."
    );
    // And home again.
    let page = alice.open("/acme/sub/own/-/transfer").await;
    let home = namespace(&c.alice);
    assert_eq!(labels(&page)[0], "alice (your own namespace)");
    let page = alice
        .open(&format!("/acme/sub/own/-/transfer?group_id={}", home.id))
        .await;
    assert!(told(&page).contains("5 people lose access: Bob"));
    let form = page.form("/acme/sub/own/-/transfer");
    let answer = alice.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/alice/own");
    let back = format!("id = {own} AND group_id = {}", home.id);
    assert_eq!(server.count("projects", &back), 1);
    let event = "event = 'project_transferred' AND actor_name = 'Alice'";
    assert_eq!(server.count("audit_events", event), 4);
    // Not into somebody else's, a hidden group, the top, or where it is.
    let others = namespace(&c.bob).id.to_string();
    for (to, status) in [(&*others, 404), ("top", 404), (&*home.id.to_string(), 422)] {
        let sent = alice
            .post("/alice/own/-/transfer", &[("group_id", to)])
            .await;
        assert_eq!(sent.status, status, "{to}");
        let asked = alice
            .get(&format!("/alice/own/-/transfer?group_id={to}"))
            .await;
        assert_eq!(asked.status, status, "{to}");
    }
    all_in_step(&server);
}
