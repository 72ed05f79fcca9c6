//! All groups and all projects, in the admin area.

use latchkey::members::AccessLevel;

use crate::on_both;
use crate::support::{Company, Page, TestResource, TestServer};

on_both![
    all_groups_are_listed_with_their_owner_and_what_is_in_them,
    groups_are_narrowed_and_sorted_as_asked,
    groups_without_an_active_owner_are_marked_and_found,
    all_projects_are_listed_with_where_they_are,
    projects_are_narrowed_and_sorted_as_asked,
];

fn paths(page: &Page, table: &str) -> Vec<String> {
    page.rows(table)
        .iter()
        .map(|row| row[0].split_whitespace().last().unwrap().to_owned())
        .collect()
}

async fn all_groups_are_listed_with_their_owner_and_what_is_in_them(server: TestServer) {
    let c = Company::on(&server);
    c.acme.member(&c.frank, AccessLevel::Owner);
    for name in ["ci", "deploy"] {
        c.acme.token(name).create();
    }
    let ended = c.acme.token("ended").create();
    server.sql(&format!(
        "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
        ended.id
    ));
    let root = c.root.signs_in().await;
    let page = root.open("/admin/groups").await;
    assert_eq!(
        paths(&page, "groups"),
        ["other", "acme/sub/deep", "acme/sub", "acme"],
        "the newest first, private ones too, no namespaces of people"
    );
    assert_eq!(page.part("groups-count").unwrap().text(), "4");
    let rows = page.rows("groups");
    let acme = &rows[3];
    assert!(acme[0].contains("Private"), "{acme:?}");
    assert!(acme[1].contains("Alice") && acme[1].contains("and 1 more"));
    assert_eq!(acme[2..5], ["7", "1", "2"], "members, projects, tokens");
    assert_eq!(rows[2][1], "Inherited");
    assert_eq!(rows[2][2..5], ["0", "1", "0"]);
    for href in [
        "/acme",
        "/groups/acme/-/group_members",
        "/groups/acme/-/settings/access_tokens",
        "/admin/users/alice",
    ] {
        assert!(page.links_to(href), "{href}");
        root.open(href).await;
    }
    // An empty instance says so.
    let nothing = root.open("/admin/groups?search=nothing").await;
    assert!(nothing.says("No groups match.") && nothing.links_to("/admin/groups"));
}

async fn groups_are_narrowed_and_sorted_as_asked(server: TestServer) {
    let c = Company::on(&server);
    server.group("open").named("Zebra").public().create();
    let root = c.root.signs_in().await;
    for (query, expected) in [
        ("visibility=public", &["open"][..]),
        ("visibility=secret&search=zeb", &["open"]),
        ("search=ACME%2Fsub", &["acme/sub/deep", "acme/sub"]),
        ("search=sub", &["acme/sub/deep", "acme/sub"]),
        (
            "visibility=private&sort=name_asc",
            &["acme", "acme/sub/deep", "other", "acme/sub"],
        ),
        (
            "sort=created_at_asc&visibility=private&search=o",
            &["other"],
        ),
        ("search=%00%25", &[]),
    ] {
        let page = root.open(&format!("/admin/groups?{query}")).await;
        assert_eq!(paths(&page, "groups"), expected, "{query}");
    }
}

async fn groups_without_an_active_owner_are_marked_and_found(server: TestServer) {
    let c = Company::on(&server);
    let lonely = server.group("lonely").private().create();
    lonely.subgroup("below").create();
    lonely.member(&c.bob, AccessLevel::Maintainer);
    lonely.token("ci").role(AccessLevel::Owner).create();
    let root = c.root.signs_in().await;
    let all = root.open("/admin/groups").await;
    let row = all
        .rows("groups")
        .into_iter()
        .find(|row| row[0].ends_with("lonely"))
        .unwrap();
    assert!(row[1].contains("No owner"), "{row:?}");
    let page = root.open("/admin/groups?owner=none").await;
    assert_eq!(paths(&page, "groups"), ["lonely"]);
    c.oscar.block();
    let page = root.open("/admin/groups?owner=none").await;
    assert_eq!(paths(&page, "groups"), ["lonely", "other"]);
    lonely.member(&c.frank, AccessLevel::Owner);
    let page = root.open("/admin/groups?owner=none&search=e").await;
    assert_eq!(paths(&page, "groups"), ["other"]);
}

async fn all_projects_are_listed_with_where_they_are(server: TestServer) {
    let c = Company::on(&server);
    c.p1.token("ci").create();
    let body = serde_json::json!({ "name": "Diary", "path": "diary" });
    c.frank.api().post("/projects", body).await.expect(201);
    server.sql("UPDATE projects SET archived = TRUE WHERE path = 'p2'");
    let root = c.root.signs_in().await;
    let page = root.open("/admin/projects").await;
    assert_eq!(
        paths(&page, "projects"),
        [
            "frank/diary",
            "other/p9",
            "acme/sub/deep/p3",
            "acme/sub/p2",
            "acme/p1"
        ]
    );
    let rows = page.rows("projects");
    assert_eq!((rows[4][1].as_str(), rows[4][2].as_str()), ("acme", "1"));
    assert_eq!((rows[0][1].as_str(), rows[0][2].as_str()), ("frank", "0"));
    assert!(rows[3][0].contains("Archived") && !rows[4][0].contains("Archived"));
    for href in [
        "/acme/p1",
        "/acme/p1/-/settings/access_tokens",
        "/acme/p1/-/project_members",
        "/frank",
    ] {
        assert!(page.links_to(href), "{href}");
        root.open(href).await;
    }
}

async fn projects_are_narrowed_and_sorted_as_asked(server: TestServer) {
    let c = Company::on(&server);
    server.sql("UPDATE projects SET archived = TRUE WHERE path = 'p2'");
    server
        .group("open")
        .public()
        .create()
        .project("site")
        .public()
        .create();
    let root = c.root.signs_in().await;
    for (query, expected) in [
        ("archived=yes", &["acme/sub/p2"][..]),
        ("archived=no&search=acme", &["acme/sub/deep/p3", "acme/p1"]),
        ("visibility=public", &["open/site"]),
        ("search=SUB%2F", &["acme/sub/deep/p3", "acme/sub/p2"]),
        (
            "sort=name_asc&visibility=private",
            &["acme/p1", "acme/sub/p2", "acme/sub/deep/p3", "other/p9"],
        ),
        ("sort=last_activity_at_desc&search=site", &["open/site"]),
        ("search=nothing", &[]),
    ] {
        let page = root.open(&format!("/admin/projects?{query}")).await;
        assert_eq!(paths(&page, "projects"), expected, "{query}");
    }
}
