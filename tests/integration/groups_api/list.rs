//! `GET /groups`, and the lists of what is below a group.

use latchkey::members::AccessLevel;
use serde_json::json;

use super::{group_missing, invalid, paths};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer, query};

on_both![
    everybody_lists_what_they_may_see,
    filters_narrow_the_list,
    membership_and_role_narrow_the_list,
    a_search_is_taken_literally,
    lists_are_sorted_as_asked,
    children_are_not_descendants,
    a_filter_that_makes_no_sense_is_refused,
    a_list_comes_in_pages,
];

async fn everybody_lists_what_they_may_see(server: TestServer) {
    let c = Company::on(&server);
    server.group("inside").internal().create();
    server.group("open").public().create();
    let bot = c.sub.token("ci").role(AccessLevel::Guest).create();
    let project_bot = c.p1.token("ci").create();
    for (who, api, expected) in [
        ("nobody", server.anonymous(), vec!["open"]),
        ("external", c.xenia.api(), vec!["open"]),
        ("outsider", c.frank.api(), vec!["inside", "open"]),
        (
            "guest",
            c.erin.api(),
            vec!["acme", "acme/sub", "acme/sub/deep", "inside", "open"],
        ),
        (
            "a group's bot",
            bot.api(),
            vec!["acme/sub", "acme/sub/deep", "inside", "open"],
        ),
        ("a project's bot", project_bot.api(), vec!["inside", "open"]),
        (
            "administrator",
            c.root.api(),
            vec![
                "acme",
                "acme/sub",
                "acme/sub/deep",
                "inside",
                "open",
                "other",
            ],
        ),
    ] {
        let answer = api.get("/groups?order_by=path").await.expect(200);
        assert_eq!(
            answer.header("x-total"),
            expected.len().to_string(),
            "{who}"
        );
        let mut seen = paths(&api, "/groups").await;
        seen.sort_unstable();
        assert_eq!(seen, expected, "{who}");
    }
    // A person's own namespace is no group.
    let all = c.root.api().get("/groups?per_page=100").await.text();
    assert!(!all.contains("\"alice\""), "{all}");
}

async fn filters_narrow_the_list(server: TestServer) {
    let c = Company::on(&server);
    server.group("inside").internal().create();
    server.group("open").public().create();
    let root = c.root.api();
    let skip = format!(
        "/groups?skip_groups[]={}&skip_groups[]={}",
        c.acme.id, c.deep.id
    );
    for (path, expected) in [
        (
            "/groups?top_level_only=true",
            vec!["acme", "inside", "open", "other"],
        ),
        (
            "/groups?top_level_only=1&visibility=private",
            vec!["acme", "other"],
        ),
        ("/groups?visibility=public", vec!["open"]),
        ("/groups?visibility=internal", vec!["inside"]),
        (&skip, vec!["inside", "open", "other", "acme/sub"]),
        ("/groups?search=SUB", vec!["acme/sub"]),
        ("/groups?search=nothing", vec![]),
        ("/groups?search=o&visibility=public", vec!["open"]),
    ] {
        let found = paths(&root, path).await;
        let total = root.get(path).await.header("x-total").to_owned();
        assert_eq!(found, expected, "{path}");
        assert_eq!(total, expected.len().to_string(), "{path}");
    }
    // What is empty counts as left out.
    let all = paths(&root, "/groups").await;
    let empty = "/groups?search=&visibility=&owned=&top_level_only=&min_access_level=";
    assert_eq!(paths(&root, empty).await, all);
    assert_eq!(all.len(), 6);
}

async fn membership_and_role_narrow_the_list(server: TestServer) {
    let c = Company::on(&server);
    let open = server.group("open").public().create();
    let mine = server.group("mine").owner(&c.bob).create();
    open.member(&c.bob, AccessLevel::Developer);
    server.group("beside").public().create();
    let bob = c.bob.api();
    let seen = paths(&bob, "/groups?order_by=id").await;
    assert_eq!(
        seen,
        [
            "acme",
            "acme/sub",
            "acme/sub/deep",
            "open",
            "mine",
            "beside"
        ]
    );
    for (query, has, lacks) in [
        (
            "all_available=false",
            &["acme", "open", "mine"][..],
            &["beside"][..],
        ),
        (
            "owned=true",
            &["mine"],
            &["acme", "acme/sub", "open", "beside"],
        ),
        (
            "min_access_level=50",
            &["mine"],
            &["acme", "open", "beside"],
        ),
        (
            "min_access_level=40",
            &["mine", "acme"],
            &["open", "beside"],
        ),
        (
            "min_access_level=30",
            &["mine", "acme", "open"],
            &["beside"],
        ),
        (
            "min_access_level=30&visibility=public",
            &["open"],
            &["mine", "acme", "beside"],
        ),
    ] {
        let path = format!("/groups?{query}");
        let found = paths(&bob, &path).await;
        for group in has {
            assert!(found.contains(&(*group).to_owned()), "{query}: {found:?}");
        }
        for group in lacks {
            assert!(!found.contains(&(*group).to_owned()), "{query}: {found:?}");
        }
        let total = bob.get(&path).await.header("x-total").to_owned();
        assert_eq!(total, found.len().to_string(), "{query}");
    }
    assert!(paths(&c.frank.api(), "/groups?owned=true").await.is_empty());
    assert_eq!(mine.full_path, "mine");
}

async fn a_search_is_taken_literally(server: TestServer) {
    let root = server.person("root").admin().create().api();
    for (number, name) in ["a%b", "a_b", "axb", r"a\b", "a'b"].iter().enumerate() {
        server.group(&format!("g{number}")).named(name).create();
    }
    let many = "%".repeat(255);
    for (search, expected) in [
        ("%", vec!["g0"]),
        ("_", vec!["g1"]),
        ("a%b", vec!["g0"]),
        ("a_b", vec!["g1"]),
        (r"\", vec!["g3"]),
        (r"a\b", vec!["g3"]),
        ("'", vec!["g4"]),
        ("' OR '1'='1", vec![]),
        ("\";--", vec![]),
        (r"\%", vec![]),
        (&many, vec![]),
        ("AXB", vec!["g2"]),
    ] {
        let path = format!("/groups?{}", query(&[("search", search)]));
        assert_eq!(paths(&root, &path).await, expected, "{search}");
    }
}

async fn lists_are_sorted_as_asked(server: TestServer) {
    let root = server.person("root").admin().create().api();
    for (path, name) in [("zeta", "Alpha"), ("beta", "middle"), ("alpha", "Zulu")] {
        server.group(path).named(name).create();
    }
    for (query, expected) in [
        ("", ["zeta", "beta", "alpha"]),
        ("order_by=name", ["zeta", "beta", "alpha"]),
        ("order_by=name&sort=desc", ["alpha", "beta", "zeta"]),
        ("order_by=path", ["alpha", "beta", "zeta"]),
        ("order_by=path&sort=desc", ["zeta", "beta", "alpha"]),
        ("order_by=id", ["zeta", "beta", "alpha"]),
        ("order_by=id&sort=asc", ["zeta", "beta", "alpha"]),
        ("order_by=id&sort=desc", ["alpha", "beta", "zeta"]),
        ("sort=desc", ["alpha", "beta", "zeta"]),
    ] {
        let path = format!("/groups?{query}");
        assert_eq!(paths(&root, &path).await, expected, "{query}");
    }
}

async fn children_are_not_descendants(server: TestServer) {
    let c = Company::on(&server);
    let secret = c.acme.subgroup("secret").create();
    let alice = c.alice.api();
    let (children, all) = (
        format!("{}/subgroups", c.acme.path()),
        format!("{}/descendant_groups", c.acme.path()),
    );
    assert_eq!(paths(&alice, &children).await, ["acme/secret", "acme/sub"]);
    assert_eq!(
        paths(&alice, &all).await,
        ["acme/sub/deep", "acme/secret", "acme/sub"]
    );
    assert_eq!(
        paths(&alice, &format!("{all}?search=dee")).await,
        ["acme/sub/deep"]
    );
    assert_eq!(
        paths(&alice, &format!("{children}?order_by=id&sort=desc")).await,
        ["acme/secret", "acme/sub"]
    );
    let skip = format!("{children}?skip_groups[]={}", secret.id);
    assert_eq!(paths(&alice, &skip).await, ["acme/sub"]);
    let none = format!("{}/subgroups", c.deep.path());
    let empty = alice.get(&none).await.expect(200);
    assert_eq!((empty.json(), empty.header("x-total")), (json!([]), "0"));

    // A member of a subgroup alone sees neither what is above nor what is beside.
    c.sub.member(&c.frank, AccessLevel::Guest);
    let frank = c.frank.api();
    let answer = frank.get(&children).await;
    assert_eq!(answer.outcome(), group_missing());
    let below = format!("{}/descendant_groups", c.sub.path());
    assert_eq!(paths(&frank, &below).await, ["acme/sub/deep"]);
    // Of a public group's children only the public ones are for everybody.
    let open = server.group("open").public().create();
    open.subgroup("shown").create();
    open.subgroup("kept").private().create();
    let listed = format!("{}/subgroups", open.path());
    let anonymous = server.anonymous();
    assert_eq!(paths(&anonymous, &listed).await, ["open/shown"]);
    assert_eq!(anonymous.get(&listed).await.header("x-total"), "1");
}

async fn a_filter_that_makes_no_sense_is_refused(server: TestServer) {
    let c = Company::on(&server);
    let alice = c.alice.api();
    for list in ["", "/acme/subgroups", "/acme/descendant_groups"] {
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
            ("min_access_level=high", "min_access_level is invalid"),
            ("owned=perhaps", "owned is invalid"),
            ("top_level_only=2", "top_level_only is invalid"),
            ("all_available=maybe", "all_available is invalid"),
            ("skip_groups[]=x", "skip_groups is invalid"),
            ("page=0", "page has a value not allowed"),
            ("per_page=0", "per_page has a value not allowed"),
        ] {
            let path = format!("/groups{list}?{query}");
            let answer = alice.get(&path).await;
            assert_eq!(answer.outcome(), invalid(problem), "{path}");
        }
    }
}

async fn a_list_comes_in_pages(server: TestServer) {
    let root = server.person("root").admin().create().api();
    for number in 0..5 {
        server.group(&format!("g{number}")).create();
    }
    let answer = root.get("/groups?page=2&per_page=2").await.expect(200);
    assert_eq!(
        paths(&root, "/groups?page=2&per_page=2").await,
        ["g2", "g3"]
    );
    for (header, value) in [
        ("x-page", "2"),
        ("x-per-page", "2"),
        ("x-total", "5"),
        ("x-total-pages", "3"),
        ("x-next-page", "3"),
        ("x-prev-page", "1"),
    ] {
        assert_eq!(answer.header(header), value, "{header}");
    }
    let next = format!(
        r#"<{}/api/v4/groups?page=3&per_page=2>; rel="next""#,
        server.url
    );
    assert!(
        answer.header("link").contains(&next),
        "{}",
        answer.header("link")
    );
    let past = root.get("/groups?page=9&per_page=2").await.expect(200);
    assert_eq!((past.json(), past.header("x-total")), (json!([]), "5"));
}
