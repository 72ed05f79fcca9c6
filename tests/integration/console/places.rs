//! `latchkey group`, `latchkey project` and `latchkey member`

use serde_json::{Value, json};

use super::{Console, names};

/// The direct members of a group, as the API tells them.
fn members(console: &Console, path: &str) -> Vec<(String, i64, Value)> {
    let server = console.serve();
    let token = console.done("token create --user root --name looks --scope read_api");
    let answer = server.api(&format!("{path}/members"), &token).expect(200);
    let json = answer.json();
    let mut members: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|member| {
            (
                member["username"].as_str().unwrap().to_owned(),
                member["access_level"].as_i64().unwrap(),
                member["expires_at"].clone(),
            )
        })
        .collect();
    members.sort_by(|one, other| one.0.cmp(&other.0));
    members
}

#[test]
fn a_group_belongs_to_whom_it_is_given_and_else_to_the_acting_administrator() {
    let console = Console::with_administrator();
    console.person("ann", "");
    let acme = console
        .json("group create --path acme --visibility Internal --name Acme --description Anvils");
    assert_eq!(
        names(&acme),
        [
            "id",
            "name",
            "path",
            "full_name",
            "full_path",
            "description",
            "visibility",
            "parent_id",
            "created_at",
            "resource_access_token_creation_allowed",
            "plan",
            "trial"
        ]
    );
    assert_eq!(acme["name"], "Acme");
    assert_eq!(acme["description"], "Anvils");
    assert_eq!(acme["visibility"], "internal");
    assert_eq!(acme["parent_id"], Value::Null);
    assert_eq!(acme["resource_access_token_creation_allowed"], true);
    assert_eq!(
        members(&console, "/groups/acme"),
        [("root".into(), 50, Value::Null)]
    );

    let anns = console.json("group create --path anns --owner ann");
    assert_eq!(
        (&anns["name"], &anns["visibility"]),
        (&json!("anns"), &json!("private"))
    );
    assert_eq!(
        members(&console, "/groups/anns"),
        [("ann".into(), 50, Value::Null)]
    );

    let sub = console.json("group create --path /acme/platform/ --visibility internal");
    assert_eq!(sub["full_path"], "acme/platform");
    assert_eq!(sub["full_name"], "Acme / platform");
    assert_eq!(sub["parent_id"], acme["id"]);
    assert_eq!(members(&console, "/groups/acme%2Fplatform"), []);
    console.done("group create --path acme/tools --owner ann");
    assert_eq!(
        members(&console, "/groups/acme%2Ftools"),
        [("ann".into(), 50, Value::Null)]
    );
    // The same under the id.
    let path = format!("{}/deep", sub["id"]);
    assert_eq!(
        console.json(&format!("group create --path {path}"))["full_path"],
        "acme/platform/deep"
    );
}

#[test]
fn a_group_that_can_not_be_is_refused() {
    let console = Console::new();
    let why = console.refused("group create --path acme");
    assert!(
        why.contains("--owner") && why.contains("user create --admin"),
        "{why}"
    );
    console.person("root", "--admin");
    console.done("group create --path acme");
    for (line, word) in [
        ("group create --path acme", "taken"),
        ("group create --path ACME", "taken"),
        ("group create --path root", "taken"),
        (
            "group create --path nothing/sub",
            "there is no group nothing",
        ),
        ("group create --path root/sub", "there is no group root"),
        (
            "group create --path acme/wide --visibility public",
            "public",
        ),
        (
            "group create --path acme/sub --owner nobody",
            "there is no user nobody",
        ),
        ("group create --path=-bad-", "ath"),
        ("group create --path admin", "ath"),
    ] {
        let why = console.refused(line);
        assert!(why.contains(word), "{line}: {why}");
    }
    assert_eq!(console.json("group list").as_array().unwrap().len(), 1);
}

#[test]
fn every_group_is_listed_and_no_personal_namespace() {
    let console = Console::with_administrator();
    console.person("ann", "");
    console.done("group create --path acme --owner ann");
    console.done("group create --path acme/platform");
    console.allow_creation("acme", false);
    let list = console.json("group list");
    let mut groups: Vec<(&str, bool)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let allowed = &group["resource_access_token_creation_allowed"];
            (
                group["full_path"].as_str().unwrap(),
                allowed.as_bool().unwrap(),
            )
        })
        .collect();
    groups.sort_unstable();
    assert_eq!(groups, [("acme", false), ("acme/platform", false)]);
    let table = console.done("group list");
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(
        table.lines().skip(1).all(|line| line.ends_with("off")),
        "{table}"
    );
}

#[test]
fn a_list_goes_on_beyond_one_page() {
    let console = Console::with_group();
    for number in 0..=100 {
        let insert = format!(
            "INSERT INTO projects (group_id, name, path, visibility, last_activity_at, created_at, updated_at) \
             SELECT id, 'p{number}', 'p{number}', 'private', created_at, created_at, created_at \
             FROM groups WHERE full_path = 'acme'"
        );
        diesel::RunQueryDsl::execute(diesel::sql_query(insert), &mut console.database()).unwrap();
    }
    assert_eq!(console.json("project list").as_array().unwrap().len(), 101);
}

#[test]
fn a_project_lies_in_a_group_or_with_a_person() {
    let console = Console::with_group();
    let api = console.json("project create --path acme/api --name API --visibility internal");
    assert_eq!(
        names(&api),
        [
            "id",
            "name",
            "path",
            "name_with_namespace",
            "path_with_namespace",
            "description",
            "visibility",
            "archived",
            "created_at"
        ]
    );
    assert_eq!(api["path_with_namespace"], "acme/api");
    assert_eq!(api["name_with_namespace"], "acme / API");
    assert_eq!(
        (&api["visibility"], &api["archived"]),
        (&json!("internal"), &json!(false))
    );
    let own = console.json("project create --path root/notes");
    assert_eq!(own["path_with_namespace"], "root/notes");
    assert_eq!(own["visibility"], "private");

    for (line, word) in [
        ("project create --path acme/api", "taken"),
        (
            "project create --path acme/wide --visibility public",
            "public",
        ),
        (
            "project create --path nothing/api",
            "group create --path nothing",
        ),
    ] {
        let why = console.refused(line);
        assert!(why.contains(word), "{line}: {why}");
    }
    let list = console.json("project list");
    let paths: Vec<&Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|project| &project["path_with_namespace"])
        .collect();
    assert_eq!(paths, ["acme/api", "root/notes"]);
    assert_eq!(console.done("project list").lines().count(), 3);
}

#[test]
fn members_are_added_by_name_or_number_of_the_role_with_or_without_an_end() {
    let console = Console::with_group();
    console.done("project create --path acme/api");
    for name in ["ann", "bea", "cid"] {
        console.person(name, "");
    }
    let added =
        console.json("member add --group acme --user ann --role Developer --expires-at 2999-12-31");
    assert_eq!(
        added,
        json!({
            "id": 2, "username": "ann", "source": "group", "full_path": "acme",
            "access_level": 30, "expires_at": "2999-12-31"
        })
    );
    assert_eq!(
        names(&added),
        [
            "id",
            "username",
            "source",
            "full_path",
            "access_level",
            "expires_at"
        ]
    );
    let said = console.done("member add --group acme --user bea --role 15");
    assert_eq!(said, "bea is now Planner of acme");
    let added = console.json("member add --project acme/api --user cid --role maintainer");
    assert_eq!(
        (&added["source"], &added["access_level"]),
        (&json!("project"), &json!(40))
    );
    assert_eq!(
        members(&console, "/groups/acme"),
        [
            ("ann".into(), 30, json!("2999-12-31")),
            ("bea".into(), 15, Value::Null),
            ("root".into(), 50, Value::Null),
        ]
    );
    let query = "memberships JOIN users ON users.id = user_id \
                 WHERE project_id = 1 AND username = 'cid' AND access_level = 40 AND expires_at IS NULL";
    assert_eq!(console.count(query), 1);
}

#[test]
fn a_member_that_can_not_be_is_refused() {
    let console = Console::with_group();
    console.person("ann", "");
    let bot = console.json("token create --group acme --name ci")["bot"]
        .as_str()
        .unwrap()
        .to_owned();
    console.done("group create --path other");
    let before = console.count("memberships");
    for (line, word) in [
        (
            "member add --group acme --user root --role guest".to_owned(),
            "is a member of acme already",
        ),
        (
            "member add --group acme --user nobody --role guest".to_owned(),
            "there is no user nobody",
        ),
        (
            "member add --group nothing --user ann --role guest".to_owned(),
            "there is no group nothing",
        ),
        (
            "member add --group ann --user root --role guest".to_owned(),
            "there is no group ann",
        ),
        (
            "member add --project acme/x --user ann --role guest".to_owned(),
            "there is no project acme/x",
        ),
        (
            "member add --group acme --user ann --role guest --expires-at 2001-01-01".to_owned(),
            "past",
        ),
        (
            format!("member add --group other --user {bot} --role guest"),
            "is the bot of an access token",
        ),
    ] {
        let why = console.refused(&line);
        assert!(why.contains(word), "{line}: {why}");
    }
    assert_eq!(console.count("memberships"), before);
}
