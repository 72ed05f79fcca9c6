//! Queries are counted, not timed: a new one for each row is a failing test.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};

use crate::on_both;
use crate::support::{Company, TestGroup, TestResource, TestServer};

on_both![
    a_group_costs_two_queries_at_any_depth,
    the_tokens_page_costs_four_queries_and_little_room,
    settings_and_what_asks_first_cost_four_queries_whatever_there_is,
    a_list_costs_the_same_however_long_it_is,
    a_page_beyond_the_end_is_the_last_one_and_costs_four_queries,
    lists_of_administrators_cost_the_same_however_long_they_are,
    what_owners_look_at_costs_four_queries_however_much_it_is,
    what_ran_before_is_not_prepared_again,
    an_unknown_token_costs_one_query,
];

/// Runs a request and says how many queries and preparations it cost.
async fn cost<F: Future>(server: &TestServer, request: F) -> (u64, u64, F::Output) {
    let counters = server.app.db.counters();
    let (queries, prepared) = (counters.queries(), counters.prepared());
    let output = request.await;
    (
        counters.queries() - queries,
        counters.prepared() - prepared,
        output,
    )
}

async fn a_group_costs_two_queries_at_any_depth(server: TestServer) {
    let top = server.group("acme").private().create();
    let mut groups: Vec<TestGroup> = vec![top.clone()];
    for depth in 1..20 {
        let next = groups
            .last()
            .unwrap()
            .subgroup(&format!("level{depth}"))
            .create();
        groups.push(next);
    }
    let token = top.token("ci").scopes([Scope::ReadApi]).create();
    let deepest = groups.last().unwrap();
    token.get(&top.path()).await.expect(200);
    let mut costs = Vec::new();
    for group in [&top, deepest] {
        for path in [
            format!("{}?with_projects=false", group.path()),
            format!("/groups/{}?with_projects=false", group.encoded_path()),
            group.path(),
        ] {
            let (queries, _, answer) = cost(&server, token.get(&path)).await;
            answer.expect(200);
            assert!(queries <= 2, "{path} costs {queries} queries");
            costs.push(queries);
        }
    }
    assert_eq!(costs[..3], costs[3..], "the depth costs nothing");
}

async fn the_tokens_page_costs_four_queries_and_little_room(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let make = |count: usize| {
        for number in 0..count {
            company
                .acme
                .token(&format!("deploy to production {number}"))
                .described("used by the nightly deployment of the shop")
                .scopes([Scope::ReadApi, Scope::ReadRepository])
                .role(AccessLevel::Developer)
                .create();
        }
    };
    let browser = company.alice.signs_in().await;
    let path = company.acme.page("settings/access_tokens");
    make(3);
    browser.get(&path).await.expect(200);
    let (few, _, _) = cost(&server, browser.get(&path)).await;
    make(97);
    let (many, _, answer) = cost(&server, browser.get(&path)).await;
    let answer = answer.expect(200);
    assert_eq!(answer.page().rows("active-tokens").len(), 100);
    assert!(many <= 4, "{many} queries");
    assert_eq!(few, many);
    let kilobytes = answer.body.len().div_ceil(1000);
    assert!(kilobytes <= 130, "{kilobytes} KB");
}

async fn settings_and_what_asks_first_cost_four_queries_whatever_there_is(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    server.flag("pat_expiry_inherited_members_notification", true);
    let browser = c.alice.signs_in().await;
    let (group, project) = (c.sub.page("transfer"), c.p2.page("transfer"));
    let paths = [
        c.acme.page("edit"),
        c.deep.page("edit"),
        c.sub.page("path"),
        c.sub.page("delete"),
        group.clone(),
        format!("{group}?search=o"),
        format!("{group}?group_id=top"),
        format!("{group}?group_id={}", c.other.id),
        format!("{group}?group_id={}", c.deep.id),
        c.p2.page("edit"),
        c.p2.page("path"),
        c.p2.page("delete"),
        project.clone(),
        format!("{project}?group_id={}", c.other.id),
    ];
    let mut costs = Vec::new();
    for round in 0..2 {
        for path in &paths {
            browser.get(path).await;
            let (queries, _, answer) = cost(&server, browser.get(path)).await;
            assert!(
                matches!(answer.status, 200 | 422),
                "{path}: {}",
                answer.status
            );
            assert!(queries <= 4, "{path} costs {queries} queries");
            costs.push(queries);
        }
        for number in 0..9 {
            let inside = c.sub.subgroup(&format!("g{round}-{number}")).create();
            let person = server.person(&format!("p{round}-{number}")).create();
            inside.token("ci").create();
            inside.member(&person, AccessLevel::Developer);
            c.acme.member(&person, AccessLevel::Reporter);
            let project = inside.project("p").create();
            project.token("ci").create();
            project.member(&person, AccessLevel::Maintainer);
            c.p2.token("ci").create();
        }
    }
    assert_eq!(costs[..paths.len()], costs[paths.len()..]);
}

async fn a_list_costs_the_same_however_long_it_is(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let paths = [
        "access_tokens?per_page=100",
        "members?per_page=100",
        "projects?per_page=100",
    ]
    .map(|list| format!("{}/{list}", company.acme.path()));
    let mut costs = Vec::new();
    for round in 0..2 {
        for path in &paths {
            alice.get(path).await.expect(200);
            let (queries, _, answer) = cost(&server, alice.get(path)).await;
            answer.expect(200);
            assert!(queries <= 4, "{path} costs {queries} queries");
            costs.push(queries);
        }
        for number in 0..30 {
            company
                .acme
                .token(&format!("round {round}, {number}"))
                .create();
            company
                .acme
                .project(&format!("project-{round}-{number}"))
                .create();
        }
    }
    assert_eq!(costs[..3], costs[3..]);
}

async fn a_page_beyond_the_end_is_the_last_one_and_costs_four_queries(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let list = company.acme.page("settings/access_tokens");
    let beyond = format!("{list}?page=99&inactive_page=7");
    browser.get(&beyond).await.expect(200);
    let (queries, _, _) = cost(&server, browser.get(&beyond)).await;
    assert!(queries <= 4, "{queries} without any");
    crate::crowd::add_tokens(&server, &company.acme, 205);
    let last = browser.open(&format!("{list}?page=3")).await;
    assert_eq!(last.rows("active-tokens").len(), 5);
    for page in ["4", "99", "10000"] {
        let beyond = format!("{list}?page={page}&inactive_page={page}");
        let shown = browser.open(&beyond).await;
        assert_eq!(
            shown.rows("active-tokens"),
            last.rows("active-tokens"),
            "{page}"
        );
        assert!(shown.says("201–205 of 205"), "{}", shown.text());
    }
    for page in ["2", "4", "99"] {
        let beyond = format!("{list}?page={page}&inactive_page={page}");
        browser.get(&beyond).await.expect(200);
        let (queries, _, _) = cost(&server, browser.get(&beyond)).await;
        assert!(queries <= 4, "{page} costs {queries} queries");
    }
    server.sql("UPDATE access_tokens SET revoked = TRUE WHERE id % 2 = 0");
    let beyond = format!("{list}?page=99&inactive_page=99");
    let (queries, _, _) = cost(&server, browser.get(&beyond)).await;
    assert!(queries <= 4, "{queries} for two lists");
    let shown = browser.open(&beyond).await;
    assert!(shown.says("101–1"), "both at their ends: {}", shown.text());
    // The API has nothing there.
    let api = company.alice.api();
    let path = format!("{}/access_tokens?page=99", company.acme.path());
    assert_eq!(api.get(&path).await.expect(200).text(), "[]");
}

async fn lists_of_administrators_cost_the_same_however_long_they_are(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.root.signs_in().await;
    company.acme.token("ci").create();
    company.p1.token("ci").create();
    company.p1.member(&company.bob, AccessLevel::Guest);
    company.bob.personal_token([Scope::Api]);
    company.bob.signs_in().await;
    let paths = [
        "/admin/users",
        "/admin/users?tab=bots",
        "/admin/groups",
        "/admin/projects",
        "/admin/users/bob",
        "/admin/users/bob/delete",
    ];
    let mut costs = Vec::new();
    for round in 0..2 {
        for number in 0..12 {
            let name = format!("n{round}-{number}");
            let person = server.person(&name).create();
            let group = server.group(&format!("g-{name}")).owner(&person).create();
            let project = group.project("p").create();
            group.token("ci").create();
            group.member(&company.bob, AccessLevel::Developer);
            project.member(&company.bob, AccessLevel::Maintainer);
            project.token("ci").made_by(&company.bob).create();
            company.bob.personal_token([Scope::Api]);
        }
        for path in paths {
            browser.get(path).await.expect(200);
            let (queries, _, answer) = cost(&server, browser.get(path)).await;
            answer.expect(200);
            assert!(queries <= 12, "{path} costs {queries} queries");
            costs.push(queries);
        }
    }
    assert_eq!(costs[..paths.len()], costs[paths.len()..]);
}

async fn what_owners_look_at_costs_four_queries_however_much_it_is(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let token = company.acme.token("ci").create();
    let inventory = company.acme.page("token_inventory");
    let events = company.acme.page("audit_events");
    let of_token = format!("target_kind=access_token&target={}", token.id);
    let paths = [
        inventory.clone(),
        format!("{inventory}?sort=expires_at_desc"),
        format!("{inventory}?after=2026-11-21.0"),
        format!("{inventory}?state=all"),
        format!("{inventory}?state=inactive"),
        format!("{inventory}?search=deploy&role=30&scope=api&kind=group&unused=30"),
        format!("{inventory}/revoke?ids={}", token.id),
        events.clone(),
        format!("{events}?{of_token}"),
        format!("{events}?group=acme/sub&actor=alice&event=group_created&channel=page"),
        format!("{events}?before={}.7", server.now().timestamp_millis()),
        company.deep.page("audit_events"),
        "/".into(),
        "/dashboard/groups".into(),
        "/dashboard/groups?sort=created_desc".into(),
        "/dashboard/projects".into(),
        "/explore/groups".into(),
        "/search?search=o".into(),
        "/acme".into(),
        "/acme?subgroups_page=99&projects_page=99".into(),
        "/dashboard/groups?page=99".into(),
        "/dashboard/projects?page=99".into(),
    ];
    let mut costs = Vec::new();
    for round in 0..2 {
        for path in &paths {
            browser.get(path).await.expect(200);
            let (queries, _, answer) = cost(&server, browser.get(path)).await;
            answer.expect(200);
            assert!(queries <= 4, "{path} costs {queries} queries");
            costs.push(queries);
        }
        crate::crowd::add_tokens(&server, &company.deep, 150);
        for number in 0..30 {
            let project = company.sub.project(&format!("p-{round}-{number}")).create();
            project.token("ci").create();
            let top = server.group(&format!("top-{round}-{number}")).create();
            top.member(&company.alice, AccessLevel::Owner);
            top.token("ci").create();
            company
                .acme
                .subgroup(&format!("g-{round}-{number}"))
                .create();
            company
                .acme
                .project(&format!("p-{round}-{number}"))
                .create();
        }
    }
    let (few, many) = costs.split_at(paths.len());
    for ((few, many), path) in few.iter().zip(many).zip(&paths) {
        assert!(many <= few, "{path}: {few}, then {many}");
    }
}

async fn what_ran_before_is_not_prepared_again(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    let api = [
        company.acme.path(),
        "/user".into(),
        format!("{}/access_tokens", company.acme.path()),
        format!("{}/members", company.acme.path()),
        company.p1.path(),
    ];
    let page = company.acme.page("settings/access_tokens");
    // Each connection of the pool learns for itself; one after the other they are all the same one.
    for _ in 0..2 {
        for path in &api {
            token.get(path).await;
        }
        browser.get(&page).await;
    }
    for path in &api {
        let (_, prepared, _) = cost(&server, token.get(path)).await;
        assert_eq!(prepared, 0, "{path}");
    }
    let (_, prepared, _) = cost(&server, browser.get(&page)).await;
    assert_eq!(prepared, 0, "{page}");
}

async fn an_unknown_token_costs_one_query(server: TestServer) {
    let unknown = server.with_token("glpat-AAAAAAAAAAAAAAAAAAAA");
    unknown.get("/user").await.expect(401);
    let (queries, _, answer) = cost(&server, unknown.get("/user")).await;
    answer.expect(401);
    assert!(queries <= 1, "{queries}");
    for impossible in ["x".repeat(513), "with space".into()] {
        let (queries, _, answer) = cost(&server, server.with_token(&impossible).get("/user")).await;
        answer.expect(401);
        assert!(queries <= 1, "{queries}");
    }
}
