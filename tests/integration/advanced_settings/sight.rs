//! Who sees less after a move: whoever a namespace belongs to, and whoever saw what is narrower below.

use latchkey::members::AccessLevel;

use super::{own_project, told};
use crate::on_both;
use crate::support::{Company, Person, TestGroup, TestResource, TestServer};

on_both![
    the_owner_of_a_namespace_is_told_what_becomes_of_their_sight,
    what_is_narrower_below_is_told_to_be_out_of_sight,
];

/// What a move of this person's own project to a group would mean, to an administrator.
async fn out_of_namespace(c: &Company, of: &Person, to: &TestGroup) -> String {
    let root = c.root.signs_in().await;
    let page = format!("/{}/own/-/transfer?group_id={}", of.username, to.id);
    told(&root.open(&page).await)
}

async fn the_owner_of_a_namespace_is_told_what_becomes_of_their_sight(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").owner(&c.alice).internal().create();
    let closed = server.group("closed").owner(&c.alice).private().create();
    let (ursula, ben) = (
        server.person("ursula").create(),
        server.person("ben").create(),
    );
    let mut ids = Vec::new();
    for person in [&ursula, &ben, &c.carol, &c.root] {
        ids.push(own_project(&server, person, "own").await);
    }
    server.sql(&format!(
        "UPDATE users SET external = TRUE WHERE id = {}",
        ursula.id
    ));
    server.sql(&format!(
        "UPDATE projects SET visibility = 'internal' WHERE id IN ({}, {})",
        ids[0], ids[2]
    ));
    let said = out_of_namespace(&c, &ursula, &open).await;
    let part = "1 person loses access: Ursula (@ursula, Owner).";
    assert!(said.contains(part), "{said}");
    let said = out_of_namespace(&c, &c.carol, &open).await;
    let part = "1 person loses the role in it: Carol (@carol, Owner).";
    assert!(said.contains(part), "{said}");
    let said = out_of_namespace(&c, &c.root, &closed).await;
    let part = "1 person loses the role in it: Root (@root, Owner).";
    assert!(said.contains(part), "{said}");
    assert!(!said.contains("loses access"), "{said}");
    let said = out_of_namespace(&c, &ben, &closed).await;
    let part = "1 person loses access: Ben (@ben, Owner).";
    assert!(said.contains(part), "{said}");
    ben.block();
    let said = out_of_namespace(&c, &ben, &closed).await;
    assert!(!said.contains("Ben"), "{said}");
    // It is as it was said.
    let root = c.root.signs_in().await;
    for (person, to) in [(&ursula, &open), (&c.carol, &open), (&c.root, &closed)] {
        let page = format!("/{}/own/-/transfer", person.username);
        let form = root.open(&format!("{page}?group_id={}", to.id)).await;
        root.submit(&form.form(&page)).await.expect(303);
        if to.id == open.id {
            // One address at a time.
            let rename = "/open/own/-/path";
            let fields = [("project[path]", person.username.as_str())];
            root.post(rename, &fields).await.expect(303);
        }
    }
    for (person, id, status) in [
        (&ursula, ids[0], 404),
        (&c.carol, ids[2], 200),
        (&c.root, ids[3], 200),
    ] {
        let answer = person.api().get(&format!("/projects/{id}")).await;
        assert_eq!(answer.status, status, "{}", person.username);
    }
}

async fn what_is_narrower_below_is_told_to_be_out_of_sight(server: TestServer) {
    let c = Company::on(&server);
    let base = server.group("base").owner(&c.alice).public().create();
    let place = server.group("place").owner(&c.alice).public().create();
    let tools = base.subgroup("tools").public().create();
    base.project("beside").private().create();
    base.member(&c.bob, AccessLevel::Maintainer);
    base.member(&c.root, AccessLevel::Developer);
    base.member(&c.xenia, AccessLevel::Developer);
    let alice = c.alice.signs_in().await;
    let there = format!("{}?group_id={}", tools.page("transfer"), place.id);
    let said = told(&alice.open(&there).await);
    assert!(said.contains("3 people lose their roles in it: "), "{said}");
    // What is internal is out of sight for people from outside,
    tools.project("inside").internal().create();
    let said = told(&alice.open(&there).await);
    for part in [
        "1 person loses the role in it and no longer sees what is internal in it: Xenia (@xenia, Developer).",
        "2 people lose their roles in it: Bob (@bob, Maintainer), Root (@root, Developer).",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // what is private for everybody but administrators, be it a group or a project, and however deep.
    let hidden = tools.subgroup("hidden").private().create();
    let parts = [
        "2 people lose their roles in it and no longer see what is private in it: Bob (@bob, Maintainer), Xenia (@xenia, Developer).",
        "1 person loses the role in it: Root (@root, Developer).",
    ];
    let said = told(&alice.open(&there).await);
    for part in parts {
        assert!(said.contains(part), "{part} in {said}");
    }
    c.alice.api().delete(&hidden.path()).await.expect(202);
    let said = told(&alice.open(&there).await);
    assert!(!said.contains("private in it"), "{said}");
    let team = tools.subgroup("team").public().create();
    let secret = team.project("secret").private().create();
    let page = alice.open(&there).await;
    let said = told(&page);
    for part in parts {
        assert!(said.contains(part), "{part} in {said}");
    }
    // It is as it was said.
    c.bob.api().get(&secret.path()).await.expect(200);
    let form = page.form(&tools.page("transfer"));
    alice.submit(&form).await.expect(303);
    for (person, status) in [(&c.bob, 404), (&c.xenia, 404), (&c.root, 200)] {
        person.api().get(&tools.path()).await.expect(200);
        let answer = person.api().get(&secret.path()).await;
        assert_eq!(answer.status, status, "{}", person.username);
    }
}
