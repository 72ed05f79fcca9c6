//! `/groups/:id` and what it is told to whom.

use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Answer, Company, TestResource, TestServer};

on_both![
    a_group_is_shown_as_clients_know_it,
    a_group_is_found_by_its_path_as_well,
    only_one_segment_names_a_group,
    what_may_not_be_seen_looks_like_what_is_not_there,
    visibility_decides_who_sees_a_group,
    the_projects_of_a_group_are_listed,
    absolute_addresses_never_come_from_the_client,
];

async fn a_group_is_shown_as_clients_know_it(server: TestServer) {
    let company = Company::on(&server);
    let url = &server.url;
    let sub = company
        .alice
        .api()
        .get(&company.sub.path())
        .await
        .expect(200)
        .json();
    for (key, value) in [
        ("id", json!(company.sub.id)),
        ("web_url", json!(format!("{url}/groups/acme/sub"))),
        ("name", json!("sub")),
        ("path", json!("sub")),
        ("description", json!("")),
        ("visibility", json!("private")),
        ("avatar_url", json!(null)),
        ("full_name", json!("acme / sub")),
        ("full_path", json!("acme/sub")),
        ("created_at", json!("2026-11-20T10:00:00.000Z")),
        ("parent_id", json!(company.acme.id)),
        ("share_with_group_lock", json!(false)),
        ("project_creation_level", json!("developer")),
        ("lfs_enabled", json!(true)),
    ] {
        assert_eq!(sub[key], value, "{key}");
    }
    assert_eq!(sub["projects"].as_array().unwrap().len(), 1);
    assert_eq!(sub["projects"][0]["path_with_namespace"], "acme/sub/p2");
    assert_eq!(sub["shared_projects"], json!([]));
    let without = company
        .alice
        .api()
        .get(&format!("{}?with_projects=false", company.sub.path()))
        .await;
    let without = without.expect(200).json();
    assert!(without.get("projects").is_none() && without.get("shared_projects").is_none());
    let top = company
        .alice
        .api()
        .get(&company.acme.path())
        .await
        .expect(200)
        .json();
    assert_eq!(top["parent_id"], Value::Null);
}

async fn a_group_is_found_by_its_path_as_well(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    for path in ["acme%2Fsub", "acme%2fsub", "ACME%2FSub"] {
        let group = alice
            .get(&format!("/groups/{path}"))
            .await
            .expect(200)
            .json();
        assert_eq!(group["id"], company.sub.id, "{path}");
    }
    let dotted = company.acme.project("site.io").create();
    let project = alice
        .get("/projects/acme%2Fsite.io")
        .await
        .expect(200)
        .json();
    assert_eq!(project["id"], dotted.id);
    alice.get("/projects/p1").await.expect(404);
}

async fn only_one_segment_names_a_group(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").role(AccessLevel::Owner).create();
    let names = [
        "acme%2F..%2Fother",
        "..%2Fother",
        "acme%252Fsub",
        "acme%2Fsub%2F",
        "acme%00",
        "acme%5Csub",
        "%2e%2e",
        "acme/sub",
        "./acme",
        "%2Facme",
        "acme%2F%2Fsub",
        "acme%0d%0aSet-Cookie:x=1",
        "%FF%FE",
    ];
    for name in names {
        let answer = server
            .raw(&format!(
                "GET /api/v4/groups/{name} HTTP/1.1\r\nHost: {{host}}\r\nPRIVATE-TOKEN: {}\r\nConnection: close\r\n\r\n",
                token.value
            ))
            .await;
        assert!(
            matches!(answer.status, 400 | 404),
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
        assert!(answer.header("set-cookie").is_empty(), "{name}");
        assert!(
            !answer.text().contains("oscar") && !answer.text().contains("\"full_path\""),
            "{name}"
        );
    }
}

async fn what_may_not_be_seen_looks_like_what_is_not_there(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").role(AccessLevel::Owner).create();
    let shape = |answer: &Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort_unstable();
        (answer.status, answer.body.clone(), names)
    };
    for caller in [token.api(), company.frank.api(), server.anonymous()] {
        let hidden = shape(&caller.get("/groups/other").await);
        let missing = shape(&caller.get("/groups/nothing").await);
        assert_eq!(hidden, missing);
        assert_eq!(hidden.0, 404);
        let hidden = shape(&caller.get(&format!("/projects/{}", company.p9.id)).await);
        assert_eq!(hidden, shape(&caller.get("/projects/99999999").await));
        for below in ["projects", "members"] {
            let hidden = shape(&caller.get(&format!("/groups/other/{below}")).await);
            assert_eq!(
                hidden,
                shape(&caller.get(&format!("/groups/nothing/{below}")).await)
            );
        }
    }
    // A person's own namespace is no group.
    company.alice.api().get("/groups/alice").await.expect(404);
}

async fn visibility_decides_who_sees_a_group(server: TestServer) {
    let company = Company::on(&server);
    let groups = [
        server.group("private").private().create(),
        server.group("internal").internal().create(),
        server.group("public").public().create(),
    ];
    let bot = company.acme.token("ci").create();
    let rows = [
        ("nobody", server.anonymous(), [404, 404, 200]),
        ("outsider", company.frank.api(), [404, 200, 200]),
        ("external", company.xenia.api(), [404, 404, 200]),
        ("bot", bot.api(), [404, 200, 200]),
        ("administrator", company.root.api(), [200, 200, 200]),
    ];
    for (who, api, expected) in rows {
        for (group, status) in groups.iter().zip(expected) {
            let project = group.project(&format!("p{}", server.next())).create();
            for path in [
                group.path(),
                format!("{}/projects", group.path()),
                format!("{}/members", group.path()),
                project.path(),
            ] {
                assert_eq!(
                    api.get(&path).await.status,
                    status,
                    "{who} {path} of {}",
                    group.full_path
                );
            }
        }
    }
    // A private project in a public group is seen by its members only.
    let secret = groups[2].project("secret").private().create();
    secret.member(&company.erin, AccessLevel::Guest);
    company.erin.api().get(&secret.path()).await.expect(200);
    company.frank.api().get(&secret.path()).await.expect(404);
    let listed = company
        .frank
        .api()
        .get(&format!("{}/projects?per_page=100", groups[2].path()))
        .await;
    assert!(!listed.text().contains("secret"));
    let shown = company.frank.api().get(&groups[2].path()).await;
    assert!(!shown.text().contains("secret"));
}

async fn the_projects_of_a_group_are_listed(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let names = |query: &str| {
        let (alice, path) = (
            alice.clone(),
            format!("{}/projects?{query}", company.acme.path()),
        );
        async move {
            let list = alice.get(&path).await.expect(200).json();
            let list = list.as_array().unwrap().clone();
            list.iter()
                .map(|project| project["path"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        }
    };
    server.clock.advance(chrono::TimeDelta::hours(1));
    company.acme.project("a-second").create();
    assert_eq!(names("").await, ["a-second", "p1"], "the newest first");
    assert_eq!(
        names("order_by=created_at&sort=asc").await,
        ["p1", "a-second"]
    );
    assert_eq!(names("order_by=name&sort=asc").await, ["a-second", "p1"]);
    let mut all = names("include_subgroups=true").await;
    all.sort_unstable();
    assert_eq!(all, ["a-second", "p1", "p2", "p3"]);
    assert_eq!(names("search=SECOND").await, ["a-second"]);
    assert_eq!(names("search=%25").await, Vec::<String>::new());
    assert_eq!(names("visibility=public").await, Vec::<String>::new());
    let simple = alice
        .get(&format!("{}/projects?simple=true", company.acme.path()))
        .await
        .json();
    assert!(simple[0].get("permissions").is_none());
    assert_eq!(simple[0]["namespace"]["full_path"], "acme");
}

async fn absolute_addresses_never_come_from_the_client(server: TestServer) {
    let company = Company::on(&server);
    let value = company.acme.token("ci").create().value;
    for path in ["/groups/acme", "/groups/acme/projects?per_page=1", "/user"] {
        let answer = server
            .raw(&format!(
                "GET /api/v4{path} HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\n\
                 Forwarded: host=evil.example\r\nPRIVATE-TOKEN: {value}\r\nConnection: close\r\n\r\n"
            ))
            .await
            .expect(200);
        assert!(!answer.text().contains("evil.example"), "{path}");
        assert!(
            !format!("{:?}", answer.headers).contains("evil.example"),
            "{path}"
        );
        assert!(answer.text().contains(&server.url), "{path}");
    }
}
