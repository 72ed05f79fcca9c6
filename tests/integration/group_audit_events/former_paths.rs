//! What a path that a group had tells of names that were only given where the group lies now: nothing.

use serde_json::{Value, json};

use super::pages::{page_of, rows};
use crate::on_both;
use crate::support::{Company, Person, TestGroup, TestServer, Visitor};

on_both!(
    names_that_were_only_given_elsewhere_are_as_good_as_none,
    a_group_that_was_here_for_a_while_is_found_by_the_path_that_it_had_here,
);

pub(super) async fn rename(person: &Person, id: i64, path: &str) {
    let body = json!({ "path": path });
    let api = person.api();
    api.put(&format!("/groups/{id}"), body).await.expect(200);
}

pub(super) async fn moves(person: &Person, id: i64, to: &TestGroup) {
    let body = json!({ "group_id": to.id });
    let api = person.api();
    api.post(&format!("/groups/{id}/transfer"), body)
        .await
        .expect(201);
}

async fn makes(person: &Person, path: &str, body: Value) -> i64 {
    let made = person.api().post(path, body).await.expect(201);
    made.json()["id"].as_i64().unwrap()
}

async fn makes_token(person: &Person, id: i64, name: &str) {
    let body = json!({ "name": name, "scopes": ["api"] });
    makes(person, &format!("/groups/{id}/access_tokens"), body).await;
}

/// The page as it is where nothing of this name is or was.
async fn refused(browser: &Visitor, group: &TestGroup, name: &str) -> String {
    let path = format!("{}?group={name}", page_of(group));
    let answer = browser.get(&path).await;
    assert_eq!(answer.status, 422, "{name}");
    answer.page().main().replace(name, "…")
}

async fn names_that_were_only_given_elsewhere_are_as_good_as_none(server: TestServer) {
    let c = Company::on(&server);
    let home = server.group("home").owner(&c.alice).private().create();
    let vault = server.group("vault").owner(&c.oscar).private().create();
    let platform = home.subgroup("platform").private().create();
    let deep = platform.subgroup("deep").private().create();
    rename(&c.alice, deep.id, "inner").await;
    makes_token(&c.alice, deep.id, "early").await;
    moves(&c.root, platform.id, &vault).await;
    // There, one is made, and both are called otherwise.
    makes_token(&c.oscar, deep.id, "late").await;
    let new = json!({ "name": "L", "path": "layoffs", "parent_id": platform.id, "visibility": "private" });
    let layoffs = makes(&c.oscar, "/groups", new).await;
    makes_token(&c.oscar, layoffs, "made").await;
    let (alice, oscar) = (c.alice.signs_in().await, c.oscar.signs_in().await);
    let unknown = refused(&alice, &home, "home/platform/nothing").await;
    assert!(unknown.contains("is not one that there is or was"));
    let hidden = |names: &'static [&'static str]| {
        let (alice, home, unknown) = (&alice, &home, &unknown);
        async move {
            for name in names {
                assert_eq!(&refused(alice, home, name).await, unknown, "{name}");
            }
        }
    };
    hidden(&["home/platform/layoffs", "home/platform/layoffs/x"]).await;
    rename(&c.oscar, deep.id, "hidden").await;
    hidden(&["home/platform/hidden"]).await;
    rename(&c.oscar, deep.id, "shown").await;
    rename(&c.oscar, layoffs, "redundancies").await;
    hidden(&[
        "home/platform/hidden",
        "home/platform/shown",
        "home/platform/layoffs",
        "home/platform/redundancies",
        "vault/platform",
        "vault/platform/shown",
    ])
    .await;
    // What it was called here still leads to what happened here,
    for name in ["home/platform/inner", "home/platform/deep"] {
        let found = rows(&alice, &home, &format!("group={name}&target=early")).await;
        assert_eq!(found.len(), 1, "{name}");
        let found = rows(&alice, &home, &format!("group={name}&target=late")).await;
        assert!(found.is_empty(), "{name}");
    }
    // and what it was called there to what happened there.
    for name in [
        "vault/platform/inner",
        "vault/platform/hidden",
        "vault/platform/shown",
    ] {
        let found = rows(&oscar, &vault, &format!("group={name}&target=late")).await;
        assert_eq!(found.len(), 1, "{name}");
    }
    refused(&oscar, &vault, "vault/platform/deep").await;
    // Whoever sees all of it is led to where a group is that was never where the path says.
    let root = c.root.signs_in().await;
    let page = root
        .open("/admin/audit_logs?group=home/platform/redundancies&target=made")
        .await;
    assert_eq!(page.rows("events").len(), 1);
    let before = server.app.db.counters().queries();
    refused(&alice, &home, "home/platform/shown").await;
    let queries = server.app.db.counters().queries() - before;
    assert!(queries <= 4, "{queries} queries");
}

async fn a_group_that_was_here_for_a_while_is_found_by_the_path_that_it_had_here(
    server: TestServer,
) {
    let c = Company::on(&server);
    let home = server.group("home").owner(&c.alice).private().create();
    let vault = server.group("vault").owner(&c.oscar).private().create();
    let dept = vault.subgroup("dept").private().create();
    let kid = dept.subgroup("kid").private().create();
    moves(&c.root, dept.id, &home).await;
    makes_token(&c.alice, kid.id, "stays").await;
    moves(&c.root, dept.id, &vault).await;
    let alice = c.alice.signs_in().await;
    let found = rows(&alice, &home, "group=home/dept/kid&target=stays").await;
    assert_eq!(found.len(), 1);
    rename(&c.oscar, kid.id, "cradle").await;
    let found = rows(&alice, &home, "group=home/dept/kid&target=stays").await;
    assert_eq!(found.len(), 1, "whatever it is called elsewhere");
    refused(&alice, &home, "home/dept/cradle").await;
}
