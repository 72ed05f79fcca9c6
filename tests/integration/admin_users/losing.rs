//! Blocking and deleting people, and what it leaves behind.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use super::{find, is_in, told};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    a_blocked_person_is_out_and_comes_back,
    blocking_always_works_and_names_the_groups_that_lose_their_owner,
    an_owner_whose_role_ends_later_is_still_one,
    deleting_says_what_goes_and_wants_the_name_typed,
    whoever_alone_owns_a_group_can_not_be_deleted,
    nobody_locks_themselves_out,
];

async fn a_blocked_person_is_out_and_comes_back(server: TestServer) {
    let c = Company::on(&server);
    let (root, bob) = (c.root.signs_in().await, c.bob.signs_in().await);
    let path = "/admin/users/bob/block";
    let page = root.open(path).await;
    assert!(page.says("Block Bob") && !page.has("without-owner"));
    let answer = root.submit(&page.form(path)).await.expect(303);
    assert_eq!(answer.location(), "/admin/users/bob");
    assert!(!is_in(&bob).await);
    let page = root.open("/admin/users/bob").await;
    assert!(page.says("Bob was blocked.") && page.says("Takes no seat while blocked"));
    assert_eq!(told(&server, "user_blocked", c.bob.id), 1);
    let unblock = page.form("/admin/users/bob/unblock");
    root.submit(&unblock).await.expect(303);
    assert!(
        root.open("/admin/users/bob")
            .await
            .says("Bob was unblocked.")
    );
    assert!(find(&server, c.bob.id).unwrap().is_active());
    // The list has both buttons, too.
    let list = root.open("/admin/users").await;
    assert!(list.links_to(path));
    c.bob.block();
    let list = root.open("/admin/users?tab=blocked").await;
    root.submit(&list.form("/admin/users/bob/unblock"))
        .await
        .expect(303);
    assert!(find(&server, c.bob.id).unwrap().is_active());
}

async fn blocking_always_works_and_names_the_groups_that_lose_their_owner(server: TestServer) {
    let c = Company::on(&server);
    let shared = server.group("shared").owner(&c.alice).create();
    shared.member(&c.bob, AccessLevel::Owner);
    // Who is blocked already, and a bot, own nothing that counts.
    c.acme.member(&c.frank, AccessLevel::Owner);
    c.frank.block();
    c.acme.token("ci").role(AccessLevel::Owner).create();
    let root = c.root.signs_in().await;
    let path = "/admin/users/alice/block";
    let page = root.open(path).await;
    let warning = page.part("without-owner").unwrap();
    assert!(warning.says("acme") && !warning.says("shared"));
    assert!(warning.links_to("/groups/acme/-/group_members"));
    root.submit(&page.form(path)).await.expect(303);
    let page = root.open("/admin/users/alice").await;
    assert!(page.says("Alice was blocked. acme has no active Owner now"));
    assert!(!find(&server, c.alice.id).unwrap().is_active());
    // The administrator finds the group and gives it an Owner.
    let without = "/admin/groups?owner=none";
    let groups = root.open(without).await;
    assert_eq!(groups.rows("groups").len(), 1);
    assert!(groups.says("No owner"));
    assert!(groups.links_to("/groups/acme/-/group_members?new=1#new-member"));
    let members = "/groups/acme/-/group_members";
    let form = root.open(members).await.form(members);
    let add = form
        .fill("member[user]", "xenia")
        .fill("member[access_level]", "50");
    root.submit(&add).await.expect(303);
    assert_eq!(root.open(without).await.rows("groups").len(), 0);
}

async fn an_owner_whose_role_ends_later_is_still_one(server: TestServer) {
    let c = Company::on(&server);
    c.acme.member(&c.frank, AccessLevel::Owner);
    let frank = c.frank.id;
    let ends = server.now().date_naive() + chrono::Days::new(2);
    server.sql(&format!(
        "UPDATE memberships SET expires_at = '{ends}' WHERE user_id = {frank} AND group_id = {}",
        c.acme.id
    ));
    let root = c.root.signs_in().await;
    let block = "/admin/users/alice/block";
    assert!(!root.open(block).await.has("without-owner"));
    c.alice.block();
    let without = "/admin/groups?owner=none";
    assert_eq!(root.open(without).await.rows("groups").len(), 0);
    server.clock.advance(chrono::TimeDelta::days(3));
    let root = c.root.signs_in().await;
    assert_eq!(root.open(without).await.rows("groups").len(), 1);
}

async fn deleting_says_what_goes_and_wants_the_name_typed(server: TestServer) {
    let c = Company::on(&server);
    let own = c.bob.personal_token([Scope::Api]);
    let made = c.p1.token("made by bob").made_by(&c.bob).create();
    let bob = c.bob.api();
    bob.post(
        "/projects",
        serde_json::json!({ "name": "Diary", "path": "diary" }),
    )
    .await
    .expect(201);
    let root = c.root.signs_in().await;
    let path = "/admin/users/bob/delete";
    let page = root.open(path).await;
    for text in [
        "Delete Bob",
        "Personal access tokens that stop working: 2.",
        "Roles in groups and projects that end: 1.",
        "bob/diary",
        "Access tokens that they made in groups and projects go on: 1.",
        "Ghost User",
    ] {
        assert!(page.says(text), "{text}: {}", page.main());
    }
    for typed in ["", "alice", "bob bob"] {
        let form = page.form(path).fill("user[confirm]", typed);
        let refused = root.submit(&form).await.expect(422).page();
        assert!(refused.says("Nothing was deleted."));
        assert!(find(&server, c.bob.id).is_some());
    }
    let form = page.form(path).fill("user[confirm]", "bob");
    let answer = root.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/admin/users");
    assert!(root.open("/admin/users").await.says("Bob was deleted."));
    root.get("/admin/users/bob").await.expect(404);
    assert!(!own.works().await && made.works().await);
    assert_eq!(told(&server, "user_deleted", c.bob.id), 1);
    root.submit(&form).await.expect(404);
}

async fn whoever_alone_owns_a_group_can_not_be_deleted(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.signs_in().await;
    let path = "/admin/users/alice/delete";
    let page = root.open(path).await;
    assert!(page.part("owned-alone").unwrap().says("acme"));
    assert!(root.open("/admin/users/alice").await.has("owned-alone"));
    let answer = root.post(path, &[("user[confirm]", "alice")]).await;
    let page = answer.expect(422).page();
    assert!(page.says("User cannot be removed: the last Owner of acme"));
    assert!(find(&server, c.alice.id).is_some());
    c.acme.member(&c.frank, AccessLevel::Owner);
    assert!(!root.open(path).await.has("owned-alone"));
    root.post(path, &[("user[confirm]", "alice")])
        .await
        .expect(303);
    assert!(find(&server, c.alice.id).is_none());
}

async fn nobody_locks_themselves_out(server: TestServer) {
    let c = Company::on(&server);
    server.person("ada").admin().create();
    let root = c.root.signs_in().await;
    let page = root.open("/admin/users/root").await;
    assert!(page.says("You can't block yourself. You can't delete yourself."));
    for action in ["block", "delete"] {
        let path = format!("/admin/users/root/{action}");
        assert!(!page.links_to(&path), "{action}");
        assert!(
            root.open(&path)
                .await
                .says(&format!("You can't {action} yourself."))
        );
        let answer = root.post(&path, &[("user[confirm]", "root")]).await;
        let page = answer.expect(422).page();
        assert!(page.says(&format!("You can't {action} yourself")));
    }
    assert!(find(&server, c.root.id).unwrap().is_active());
    assert!(
        root.open("/admin/users")
            .await
            .says("You can't block yourself.")
    );
}
