//! `GET /projects` and `GET /groups/:id/projects`

use chrono::TimeDelta;
use latchkey::members::AccessLevel;
use serde_json::json;

use super::{invalid, paths};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer, query};

on_both![
    everybody_lists_what_they_may_see,
    membership_and_role_narrow_the_list,
    filters_narrow_the_list,
    a_search_is_taken_literally,
    lists_are_sorted_as_asked,
    a_simple_object_stops_after_the_namespace,
    a_filter_that_makes_no_sense_is_refused,
    the_projects_of_a_group_take_the_same_filters,
];

async fn everybody_lists_what_they_may_see(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").public().create();
    open.project("seen").create();
    open.project("inside").internal().create();
    open.project("kept").private().create();
    let bot = c.sub.token("ci").role(AccessLevel::Guest).create();
    let project_bot = c.p1.token("ci").create();
    for (who, api, expected) in [
        ("nobody", server.anonymous(), vec!["open/seen"]),
        ("external", c.xenia.api(), vec!["open/seen"]),
        ("outsider", c.frank.api(), vec!["open/inside", "open/seen"]),
        (
            "guest",
            c.erin.api(),
            vec![
                "acme/p1",
                "acme/sub/deep/p3",
                "acme/sub/p2",
                "open/inside",
                "open/seen",
            ],
        ),
        (
            "a group's bot",
            bot.api(),
            vec![
                "acme/sub/deep/p3",
                "acme/sub/p2",
                "open/inside",
                "open/seen",
            ],
        ),
        (
            "a project's bot",
            project_bot.api(),
            vec!["acme/p1", "open/inside", "open/seen"],
        ),
        (
            "administrator",
            c.root.api(),
            vec![
                "acme/p1",
                "acme/sub/deep/p3",
                "acme/sub/p2",
                "open/inside",
                "open/kept",
                "open/seen",
                "other/p9",
            ],
        ),
    ] {
        let total = api.get("/projects").await.header("x-total").to_owned();
        assert_eq!(total, expected.len().to_string(), "{who}");
        let mut seen = paths(&api, "/projects").await;
        seen.sort_unstable();
        assert_eq!(seen, expected, "{who}");
    }
}

async fn membership_and_role_narrow_the_list(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").public().create();
    let joined = open.project("joined").create();
    open.project("beside").create();
    joined.member(&c.bob, AccessLevel::Developer);
    let bob = c.bob.api();
    let notes = json!({ "path": "notes" });
    bob.post("/projects", notes).await.expect(201);
    for (query, has, lacks) in [
        (
            "membership=true",
            &["acme/p1", "open/joined", "bob/notes"][..],
            &["open/beside"][..],
        ),
        ("owned=true", &["bob/notes"], &["acme/p1", "open/joined"]),
        (
            "min_access_level=50",
            &["bob/notes"],
            &["acme/p1", "open/joined"],
        ),
        (
            "min_access_level=40",
            &["bob/notes", "acme/p1", "acme/sub/deep/p3"],
            &["open/joined", "open/beside"],
        ),
        (
            "min_access_level=30&visibility=public",
            &["open/joined"],
            &["acme/p1", "open/beside", "bob/notes"],
        ),
    ] {
        let path = format!("/projects?{query}");
        let found = paths(&bob, &path).await;
        for project in has {
            assert!(found.contains(&(*project).to_owned()), "{query}: {found:?}");
        }
        for project in lacks {
            assert!(
                !found.contains(&(*project).to_owned()),
                "{query}: {found:?}"
            );
        }
        let total = bob.get(&path).await.header("x-total").to_owned();
        assert_eq!(total, found.len().to_string(), "{query}");
    }
    for query in ["membership=true", "owned=true", "min_access_level=10"] {
        let path = format!("/projects?{query}");
        let found = paths(&c.frank.api(), &path).await;
        assert!(found.is_empty(), "{query}: {found:?}");
    }
}

async fn filters_narrow_the_list(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    let open = server.group("open").public().create();
    open.project("seen").named("Big Shop").create();
    open.project("inside").internal().create();
    for (query, expected) in [
        ("visibility=public", vec!["open/seen"]),
        ("visibility=internal", vec!["open/inside"]),
        ("search=SHOP", vec!["open/seen"]),
        ("search=see", vec!["open/seen"]),
        ("search=deep", vec![]),
        (
            "search=deep&search_namespaces=true",
            vec!["acme/sub/deep/p3"],
        ),
        ("search=deep&search_namespaces=false", vec![]),
        ("archived=true", vec![]),
        (
            "search=s&archived=false&visibility=public",
            vec!["open/seen"],
        ),
    ] {
        let path = format!("/projects?{query}");
        assert_eq!(paths(&root, &path).await, expected, "{query}");
        let total = root.get(&path).await.header("x-total").to_owned();
        assert_eq!(total, expected.len().to_string(), "{query}");
    }
    let empty = "/projects?search=&visibility=&owned=&membership=&archived=&min_access_level=";
    assert_eq!(paths(&root, empty).await.len(), 6);
}

async fn a_search_is_taken_literally(server: TestServer) {
    let c = Company::on(&server);
    let root = c.root.api();
    for (number, name) in ["a%b", "a_b", "axb", r"a\b", "a'b"].iter().enumerate() {
        c.other.project(&format!("g{number}")).named(name).create();
    }
    let many = "%".repeat(255);
    for (search, expected) in [
        ("%", vec!["other/g0"]),
        ("_", vec!["other/g1"]),
        ("a%b", vec!["other/g0"]),
        ("a_b", vec!["other/g1"]),
        (r"\", vec!["other/g3"]),
        ("'", vec!["other/g4"]),
        ("' OR '1'='1", vec![]),
        ("\";--", vec![]),
        (&many, vec![]),
    ] {
        let fields = query(&[("search", search)]);
        let path = format!("/projects?{fields}");
        assert_eq!(paths(&root, &path).await, expected, "{search}");
        let path = format!("{}/projects?{fields}", c.other.path());
        assert_eq!(paths(&root, &path).await, expected, "{search}");
    }
}

async fn lists_are_sorted_as_asked(server: TestServer) {
    let root = server.person("root").admin().create().api();
    let acme = server.group("acme").create();
    for (path, name) in [("zeta", "Alpha"), ("beta", "middle"), ("alpha", "Zulu")] {
        acme.project(path).named(name).create();
        server.clock.advance(TimeDelta::hours(1));
    }
    let (zeta, beta, alpha) = ("acme/zeta", "acme/beta", "acme/alpha");
    for (query, expected) in [
        ("", [alpha, beta, zeta]),
        ("sort=asc", [zeta, beta, alpha]),
        ("order_by=created_at&sort=desc", [alpha, beta, zeta]),
        ("order_by=id&sort=asc", [zeta, beta, alpha]),
        ("order_by=id", [alpha, beta, zeta]),
        ("order_by=name&sort=asc", [zeta, beta, alpha]),
        ("order_by=name&sort=desc", [alpha, beta, zeta]),
        ("order_by=path&sort=asc", [alpha, beta, zeta]),
    ] {
        let path = format!("/projects?{query}");
        assert_eq!(paths(&root, &path).await, expected, "{query}");
    }
    let second = paths(&root, "/projects?order_by=id&sort=asc&per_page=1&page=2").await;
    assert_eq!(second, [beta]);
}

async fn a_simple_object_stops_after_the_namespace(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    let full = alice.get("/projects?search=p1").await.expect(200).json();
    assert_eq!(full[0]["permissions"]["group_access"]["access_level"], 50);
    assert_eq!(full[0]["visibility"], "private");
    let simple = alice.get("/projects?search=p1&simple=true").await;
    let simple = simple.expect(200).json();
    for key in [
        "id",
        "description",
        "name",
        "name_with_namespace",
        "path",
        "path_with_namespace",
        "created_at",
        "default_branch",
        "tag_list",
        "topics",
        "ssh_url_to_repo",
        "http_url_to_repo",
        "web_url",
        "readme_url",
        "forks_count",
        "avatar_url",
        "star_count",
        "last_activity_at",
        "namespace",
    ] {
        assert_eq!(simple[0][key], full[0][key], "{key}");
        assert!(simple[0].get(key).is_some(), "{key}");
    }
    for key in ["permissions", "archived", "empty_repo", "creator_id"] {
        assert!(full[0].get(key).is_some(), "{key}");
        assert!(simple[0].get(key).is_none(), "{key}");
    }
    // Without a credential nobody has permissions.
    server
        .group("open")
        .public()
        .create()
        .project("seen")
        .create();
    let seen = server.anonymous().get("/projects").await.expect(200).json();
    assert_eq!(seen[0]["path"], "seen");
    assert!(seen[0].get("permissions").is_none());
}

async fn a_filter_that_makes_no_sense_is_refused(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for list in ["/projects", "/groups/acme/projects"] {
        for (query, problem) in [
            ("order_by=colour", "order_by does not have a valid value"),
            ("sort=up", "sort does not have a valid value"),
            (
                "visibility=secret",
                "visibility does not have a valid value",
            ),
            (
                "min_access_level=17",
                "min_access_level does not have a valid value",
            ),
            ("owned=perhaps", "owned is invalid"),
            ("simple=2", "simple is invalid"),
            ("archived=x", "archived is invalid"),
            ("page=0", "page has a value not allowed"),
            ("per_page=0", "per_page has a value not allowed"),
        ] {
            let path = format!("{list}?{query}");
            let answer = alice.get(&path).await;
            assert_eq!(answer.outcome(), invalid(problem), "{path}");
        }
    }
    for (query, problem) in [
        ("membership=x", "membership is invalid"),
        ("search_namespaces=x", "search_namespaces is invalid"),
    ] {
        let answer = alice.get(&format!("/projects?{query}")).await;
        assert_eq!(answer.outcome(), invalid(problem), "{query}");
    }
    let answer = alice.get("/groups/acme/projects?include_subgroups=x").await;
    assert_eq!(answer.outcome(), invalid("include_subgroups is invalid"));
}

async fn the_projects_of_a_group_take_the_same_filters(server: TestServer) {
    let c = Company::on(&server);
    c.acme.project("second").create();
    c.p3.member(&c.erin, AccessLevel::Owner);
    let erin = c.erin.api();
    for (query, expected) in [
        ("order_by=id&sort=asc", vec!["acme/p1", "acme/second"]),
        ("search=econ", vec!["acme/second"]),
        (
            "include_subgroups=true&order_by=id&sort=asc",
            vec!["acme/p1", "acme/sub/p2", "acme/sub/deep/p3", "acme/second"],
        ),
        (
            "include_subgroups=true&owned=true",
            vec!["acme/sub/deep/p3"],
        ),
        ("owned=true", vec![]),
        (
            "include_subgroups=true&min_access_level=50",
            vec!["acme/sub/deep/p3"],
        ),
        ("archived=true", vec![]),
        ("visibility=public", vec![]),
    ] {
        let path = format!("{}/projects?{query}", c.acme.path());
        assert_eq!(paths(&erin, &path).await, expected, "{query}");
        let total = erin.get(&path).await.header("x-total").to_owned();
        assert_eq!(total, expected.len().to_string(), "{query}");
    }
}
