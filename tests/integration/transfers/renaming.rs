//! Groups and people that are called otherwise.

use latchkey::{
    actor::Actor,
    error::Error,
    groups::{
        self, Group,
        plan::{Plan, Tier},
        subscribe::subscribe,
        update::{GroupChanges, update},
    },
    members::AccessLevel,
};

use super::{addresses, all_in_step, is_forbidden, namespace, now, project, then, transfer, wrong};
use crate::on_both;
use crate::support::{Company, Person, TestGroup, TestResource, TestServer};

on_both![
    everything_below_a_renamed_group_has_a_new_address,
    a_renamed_group_keeps_its_plan_and_its_choices,
    a_renamed_group_may_change_its_name_in_the_same_breath,
    only_the_case_may_change,
    a_new_path_follows_the_rules_of_a_new_group,
    a_path_that_could_not_be_given_any_more_may_stay,
    owners_rename_a_group_and_nobody_else,
    the_trail_tells_a_new_address,
    a_namespace_follows_its_person,
    a_namespace_takes_no_address_of_somebody_else,
];

fn rename(group: &TestGroup, actor: Actor, path: &str) -> Result<Group, Error> {
    let changes = GroupChanges {
        path: Some(path.to_owned()),
        ..GroupChanges::default()
    };
    change(group, actor, changes)
}

fn change(group: &TestGroup, actor: Actor, changes: GroupChanges) -> Result<Group, Error> {
    let stale = then(group);
    group
        .server
        .attempt_as(actor, move |conn, ctx| update(conn, ctx, &stale, &changes))
}

async fn everything_below_a_renamed_group_has_a_new_address(server: TestServer) {
    let company = Company::on(&server);
    let subway = company.acme.subgroup("subway").create();
    let token = company.deep.token("ci").create();
    let renamed = rename(&company.sub, company.alice.actor(), "Sub.way2").unwrap();
    assert_eq!(
        (renamed.path.as_str(), renamed.full_path.as_str()),
        ("Sub.way2", "acme/Sub.way2")
    );
    assert_eq!(
        renamed.full_name, "acme / sub",
        "the name is another matter"
    );
    token
        .get("/groups/acme%2FSub.way2%2Fdeep")
        .await
        .expect(200);
    token
        .get("/projects/acme%2Fsub.way2%2Fdeep%2Fp3")
        .await
        .expect(200);
    for gone in [
        "/groups/acme%2Fsub",
        "/groups/acme%2Fsub%2Fdeep",
        "/projects/acme%2Fsub%2Fp2",
    ] {
        company.alice.api().get(gone).await.expect(404);
    }
    assert_eq!(now(&subway).full_path, "acme/subway");
    all_in_step(&server);
    rename(&company.acme, company.alice.actor(), "umbrella").unwrap();
    token
        .get("/projects/umbrella%2Fsub.way2%2Fdeep%2Fp3")
        .await
        .expect(200);
    company.alice.api().get("/groups/acme").await.expect(404);
    all_in_step(&server);
}

async fn a_renamed_group_keeps_its_plan_and_its_choices(server: TestServer) {
    let company = Company::on(&server);
    let premium = Plan {
        tier: Tier::Premium,
        trial: true,
    };
    let acme = then(&company.acme);
    server.arrange(move |conn, ctx| subscribe(conn, ctx, &acme, premium));
    company.acme.allow_creation(false);
    server.retain_bots_of("acme", Some(true));
    rename(&company.acme, company.alice.actor(), "umbrella").unwrap();
    rename(&company.sub, company.alice.actor(), "below").unwrap();
    for group in [&company.acme, &company.deep] {
        let group = now(group);
        assert_eq!(group.plan, premium, "{}", group.full_path);
        assert!(!group.creation_allowed);
        assert_eq!(group.retain_bots, Some(true));
    }
    // Whoever is below another root says nothing of the kind any more.
    transfer(&company.acme, company.root.actor(), Some(&company.other)).unwrap();
    let kept = "(plan <> 'free' OR trial OR retain_bots IS NOT NULL
                 OR NOT resource_access_token_creation_allowed)";
    assert_eq!(server.count("groups", kept), 0);
    all_in_step(&server);
}

async fn a_renamed_group_may_change_its_name_in_the_same_breath(server: TestServer) {
    let company = Company::on(&server);
    let changes = GroupChanges {
        name: Some("100 % Ünder".into()),
        path: Some("under_ground".into()),
        ..GroupChanges::default()
    };
    let changed = change(&company.sub, company.alice.actor(), changes).unwrap();
    assert_eq!(changed.full_name, "acme / 100 % Ünder");
    let deep = now(&company.deep);
    assert_eq!(
        (deep.full_path.as_str(), deep.full_name.as_str()),
        ("acme/under_ground/deep", "acme / 100 % Ünder / deep")
    );
    all_in_step(&server);
}

async fn only_the_case_may_change(server: TestServer) {
    let company = Company::on(&server);
    let renamed = rename(&company.sub, company.alice.actor(), "SUB").unwrap();
    assert_eq!(renamed.full_path, "acme/SUB");
    assert_eq!(now(&company.deep).full_path, "acme/SUB/deep");
    let found = company
        .alice
        .api()
        .get("/groups/acme%2Fsub")
        .await
        .expect(200);
    assert_eq!(found.json()["full_path"], "acme/SUB");
    all_in_step(&server);
}

async fn a_new_path_follows_the_rules_of_a_new_group(server: TestServer) {
    let company = Company::on(&server);
    company.acme.subgroup("Taken").create();
    let taken = "has already been taken";
    let before = addresses(&server);
    for (group, path, message) in [
        (&company.sub, "taken", taken),
        (&company.sub, "p1", taken),
        (&company.acme, "OTHER", taken),
        (&company.acme, "frank", taken),
        (&company.sub, "", "can't be blank"),
        (
            &company.sub,
            "a b",
            "can contain only letters, digits, '_', '-' and '.'",
        ),
        (
            &company.sub,
            "a/b",
            "can contain only letters, digits, '_', '-' and '.'",
        ),
        (&company.sub, "x.git", "may not end in .git"),
        (&company.acme, "admin", "is reserved"),
        (&company.acme, "x.json", "may not end in .json"),
    ] {
        let about = wrong(rename(group, company.alice.actor(), path));
        assert_eq!(about, [("path".to_owned(), message.to_owned())], "{path}");
    }
    assert_eq!(addresses(&server), before);
    // Reserved words are for the first segment only.
    rename(&company.sub, company.alice.actor(), "admin").unwrap();
}

async fn a_path_that_could_not_be_given_any_more_may_stay(server: TestServer) {
    let company = Company::on(&server);
    server.sql(&format!(
        "UPDATE groups SET path = 'v2', full_path = 'v2' WHERE id = {}",
        company.other.id
    ));
    rename(&company.other, company.oscar.actor(), "v2").unwrap();
    let described = GroupChanges {
        description: Some("as ever".into()),
        ..GroupChanges::default()
    };
    change(&company.other, company.oscar.actor(), described).unwrap();
}

async fn owners_rename_a_group_and_nobody_else(server: TestServer) {
    let company = Company::on(&server);
    for person in [
        &company.bob,
        &company.carol,
        &company.dave,
        &company.paula,
        &company.erin,
        &company.frank,
        &company.oscar,
    ] {
        is_forbidden(rename(&company.sub, person.actor(), "mine"));
    }
    rename(&company.sub, company.alice.actor(), "hers").unwrap();
    rename(&company.sub, company.root.actor(), "anybodys").unwrap();
    let token = company.acme.token("ci").role(AccessLevel::Owner).create();
    rename(&company.sub, super::bot(&server, &token), "its").unwrap();
}

async fn the_trail_tells_a_new_address(server: TestServer) {
    let company = Company::on(&server);
    let renamings = |details: &str| {
        let told = format!(
            "event = 'group_renamed' AND target_id = {} AND {details}",
            company.sub.id
        );
        server.count("audit_events", &told)
    };
    let unchanged = GroupChanges {
        name: Some("Sub".into()),
        path: Some("sub".into()),
        ..GroupChanges::default()
    };
    change(&company.sub, company.alice.actor(), unchanged).unwrap();
    assert_eq!(renamings("TRUE"), 0);
    rename(&company.sub, company.alice.actor(), "new").unwrap();
    assert_eq!(
        renamings("details = '{\"full_path\":[\"acme/sub\",\"acme/new\"]}'"),
        1
    );
    assert_eq!(renamings("TRUE"), 1);
}

fn rename_person(person: &Person, username: &str, name: &str) -> Result<Group, Error> {
    let (id, at) = (person.id, person.server.now());
    let (username, name) = (username.to_owned(), name.to_owned());
    person.server.attempt_as(person.actor(), move |conn, _| {
        groups::rename::rename_personal(conn, id, &username, &name, at)
    })
}

/// A project in the person's own namespace.
async fn own_project(person: &Person, path: &str) -> String {
    let body = serde_json::json!({ "path": path });
    let made = person
        .api()
        .post("/projects", body)
        .await
        .expect(201)
        .json();
    format!("/projects/{}", made["id"])
}

async fn a_namespace_follows_its_person(server: TestServer) {
    let (al, alice) = (
        server.person("al").create(),
        server.person("alice").create(),
    );
    let (of_al, of_alice) = (
        own_project(&al, "one").await,
        own_project(&alice, "one").await,
    );
    let renamed = rename_person(&al, "Albert_2", "Albert % Ü").unwrap();
    assert_eq!(
        (
            renamed.path.as_str(),
            renamed.full_path.as_str(),
            renamed.name.as_str(),
            renamed.full_name.as_str()
        ),
        ("Albert_2", "Albert_2", "Albert % Ü", "Albert % Ü")
    );
    assert_eq!(renamed.owner_id, Some(al.id));
    let api = al.api();
    let shown = api.get("/projects/albert_2%2Fone").await.expect(200).json();
    assert_eq!(shown["path_with_namespace"], "Albert_2/one");
    assert_eq!(format!("/projects/{}", shown["id"]), of_al);
    api.get("/projects/al%2Fone").await.expect(404);
    alice.api().get("/projects/alice%2Fone").await.expect(200);
    alice.api().get(&of_alice).await.expect(200);
    all_in_step(&server);
    // The old name is free, and the same name again is no change.
    server.group("al").create();
    rename_person(&al, "Albert_2", "Albert").unwrap();
    assert_eq!(namespace(&al).full_name, "Albert");
    all_in_step(&server);
}

async fn a_namespace_takes_no_address_of_somebody_else(server: TestServer) {
    let company = Company::on(&server);
    let before = addresses(&server);
    for (username, message) in [
        ("ACME", "has already been taken"),
        ("bob", "has already been taken"),
        ("admin", "is reserved"),
        ("a b", "can contain only letters, digits, '_', '-' and '.'"),
    ] {
        let about = wrong(rename_person(&company.alice, username, "Alice"));
        assert_eq!(
            about,
            [("username".to_owned(), message.to_owned())],
            "{username}"
        );
    }
    assert_eq!(addresses(&server), before);
    assert_eq!(project(&company.p1).namespace.full_path, "acme");
}
