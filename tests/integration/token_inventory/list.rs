//! Who sees the list, what is in it, its filters and its file.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use super::{PATH, found, names};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both!(
    owners_of_the_top_level_group_and_administrators_see_it_and_nobody_else,
    tokens_of_all_places_below_are_listed_and_no_value_is,
    each_filter_of_the_inventory_narrows_it,
    ended_tokens_are_there_where_they_are_kept_and_nowhere_else,
    the_file_has_every_token_of_the_list_and_no_value,
    an_empty_inventory_and_long_names_leave_the_page_whole,
);

async fn owners_of_the_top_level_group_and_administrators_see_it_and_nobody_else(
    server: TestServer,
) {
    let company = Company::on(&server);
    company.sub.member(&company.frank, AccessLevel::Owner);
    let token = company.acme.token("ci").create();
    let pages = [
        PATH.to_owned(),
        format!("{PATH}.csv"),
        format!("{PATH}/revoke?ids={}", token.id),
    ];
    for (person, status) in [
        (&company.root, 200),
        (&company.alice, 200),
        (&company.bob, 404),
        (&company.erin, 404),
        (&company.frank, 404),
        (&company.oscar, 404),
        (&company.xenia, 404),
    ] {
        let browser = person.signs_in().await;
        for page in &pages {
            browser.get(page).await.expect(status);
        }
        let overview = browser.get("/acme").await;
        let offered = overview.status == 200 && overview.page().links_to(PATH);
        assert_eq!(offered, status == 200, "{}", person.username);
        if status == 404 {
            let ids = token.id.to_string();
            let fields = [("ids", ids.as_str())];
            let path = format!("{PATH}/revoke");
            browser.post(&path, &fields).await.expect(404);
        }
        // A group below another one has none, nor has a person's own place.
        for other in ["acme/sub", "acme/sub/deep", &person.username] {
            for page in ["", ".csv", "/revoke?ids=1"] {
                let path = format!("/groups/{other}/-/token_inventory{page}");
                browser.get(&path).await.expect(404);
            }
        }
    }
    let frank = company.frank.signs_in().await;
    let sub = frank.open("/acme/sub").await;
    assert!(sub.links_to("/groups/acme/sub/-/audit_events"));
    assert!(!sub.links().iter().any(|link| link.contains("inventory")));
    assert!(token.works().await);
}

async fn tokens_of_all_places_below_are_listed_and_no_value_is(server: TestServer) {
    let company = Company::on(&server);
    let tokens = [
        company
            .acme
            .token("of the top")
            .scopes([Scope::ReadApi])
            .expires("2026-11-24")
            .create(),
        company
            .p3
            .token("of a project")
            .role(AccessLevel::Developer)
            .expires("2026-12-24")
            .create(),
        company.deep.token("of a subgroup").create(),
    ];
    company.other.token("elsewhere").create();
    company.p9.token("elsewhere too").create();
    company.alice.personal_token([Scope::Api]);
    tokens[0].works().await;
    server.rest().await;
    let alice = company.alice.signs_in().await;
    let page = alice.open(PATH).await;
    assert_eq!(page.title(), "Token inventory · acme · Latchkey");
    assert_eq!(page.part("inventory-count").unwrap().text(), "3");
    assert_eq!(
        names(&page),
        ["of the top", "of a project", "of a subgroup"]
    );
    let rows = page.rows("inventory");
    for text in [
        "acme",
        "Group · Maintainer",
        "read_api",
        "just now",
        "in 4 days",
        "Active",
    ] {
        assert!(rows[0].join(" ").contains(text), "{text} in {:?}", rows[0]);
    }
    for text in ["acme/sub/deep/p3", "Project · Developer", "Never"] {
        assert!(rows[1].join(" ").contains(text), "{text} in {:?}", rows[1]);
    }
    assert!(!page.says("elsewhere") && !page.main().contains("script"));
    let lists = [
        "/groups/acme/-/settings/access_tokens",
        "/acme/sub/deep/p3/-/settings/access_tokens",
        "/groups/acme/sub/deep/-/settings/access_tokens",
    ];
    for (token, list) in tokens.iter().zip(lists) {
        assert!(page.links_to(list) && page.links_to(&format!("{list}/{}", token.id)));
        assert!(!page.html.contains(&token.value));
        let asked = alice.open(&format!("{PATH}/revoke?ids={}", token.id)).await;
        assert!(!asked.html.contains(&token.value));
    }
}

async fn each_filter_of_the_inventory_narrows_it(server: TestServer) {
    let company = Company::on(&server);
    company.acme.token("g").expires("2026-11-25").create();
    let used = company
        .sub
        .token("s")
        .role(AccessLevel::Owner)
        .expires("2027-06-25")
        .create();
    company
        .p2
        .token("p")
        .scopes([Scope::ReadRepository])
        .described("for the nightly run")
        .expires("2027-06-26")
        .create();
    server.set("require_personal_access_token_expiry", "false");
    company.p1.token("never").create();
    let alice = company.alice.signs_in().await;
    assert_eq!(found(&alice, "").await, ["g", "never", "p", "s"]);
    assert_eq!(found(&alice, "kind=group").await, ["g", "s"]);
    assert_eq!(found(&alice, "kind=project").await, ["never", "p"]);
    assert_eq!(found(&alice, "role=50").await, ["s"]);
    assert_eq!(found(&alice, "scope=read_repository").await, ["p"]);
    assert_eq!(found(&alice, "search=NIGHTLY").await, ["p"]);
    assert_eq!(found(&alice, "search=%25").await, [""; 0]);
    assert_eq!(found(&alice, "expires_before=2027-06-26").await, ["g", "s"]);
    assert_eq!(
        found(&alice, "expires_before=2027-06-26&kind=group&role=50").await,
        ["s"]
    );
    let page = alice.open(&format!("{PATH}?kind=group")).await;
    assert_eq!(page.part("inventory-count").unwrap().text(), "2");
    server.clock.advance(TimeDelta::days(31));
    let alice = company.alice.signs_in().await;
    used.works().await;
    server.rest().await;
    assert_eq!(found(&alice, "unused=30").await, ["never", "p"]);
    assert_eq!(found(&alice, "unused=90").await, [""; 0]);
    assert!(
        alice
            .open(&format!("{PATH}?search=nothing-like-it"))
            .await
            .says("No tokens match.")
    );
    for file in ["", ".csv"] {
        let answer = alice
            .get(&format!("{PATH}{file}?expires_before=soon&search=kept"))
            .await;
        assert_eq!(answer.status, 422);
        let page = answer.page();
        assert!(page.says("Expires before is not a date such as 2026-11-20"));
        assert!(page.html.contains(r#"value="soon""#) && page.html.contains(r#"value="kept""#));
    }
    // What can't be read otherwise is no condition.
    assert_eq!(
        found(&alice, "kind=x&role=7&scope=y&unused=1&after=x&before=1.2")
            .await
            .len(),
        3
    );
}

async fn ended_tokens_are_there_where_they_are_kept_and_nowhere_else(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.api();
    let revoke = async |name: &str| {
        let token = company.sub.token(name).create();
        let path = format!("/groups/{}/access_tokens/{}", company.sub.id, token.id);
        alice.delete(&path).await.expect(204);
    };
    revoke("gone").await;
    server.retain_bots(true);
    revoke("kept").await;
    company.p1.token("expired").expires("2026-11-25").create();
    company.p1.token("alive").expires("2027-06-25").create();
    server.clock.advance(TimeDelta::days(5));
    let browser = company.alice.signs_in().await;
    assert_eq!(found(&browser, "").await, ["alive"]);
    assert_eq!(found(&browser, "state=inactive").await, ["expired", "kept"]);
    assert_eq!(
        found(&browser, "state=all").await,
        ["alive", "expired", "kept"]
    );
    assert_eq!(found(&browser, "state=inactive&kind=group").await, ["kept"]);
    let page = browser.open(&format!("{PATH}?state=all")).await;
    assert_eq!(page.part("inventory-count").unwrap().text(), "3");
    let states: Vec<String> = page
        .rows("inventory")
        .iter()
        .map(|row| row[7].clone())
        .collect();
    assert_eq!(states, ["Active", "Expired", "Revoked"], "the newest first");
    // Where they aren't kept, the pages of groups and projects have none either.
    server.retain_bots(false);
    for state in ["inactive", "all"] {
        assert_eq!(found(&browser, &format!("state={state}")).await, ["alive"]);
        let file = browser.get(&format!("{PATH}.csv?state={state}")).await;
        assert_eq!(file.text().lines().count(), 2, "{state}");
    }
    let page = browser.open(PATH).await;
    assert!(!page.html.contains(r#"name="state""#));
    server.retain_bots_of("acme", Some(true));
    assert_eq!(found(&browser, "state=inactive").await, ["expired", "kept"]);
}

async fn the_file_has_every_token_of_the_list_and_no_value(server: TestServer) {
    let company = Company::on(&server);
    let token = company
        .p3
        .token("=cmd|'/c calc'!A1")
        .scopes([Scope::ReadApi, Scope::ReadRepository])
        .expires("2026-12-24")
        .create();
    company.other.token("elsewhere").create();
    token.works().await;
    server.rest().await;
    let alice = company.alice.signs_in().await;
    let page = alice.open(&format!("{PATH}?kind=project")).await;
    let file = format!("{PATH}.csv?kind=project");
    assert!(page.links_to(&file));
    let answer = alice.get(&file).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"tokens-acme-2026-11-20.csv\""
    );
    let text = answer.text();
    assert!(!text.contains(&token.value));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1, "{text}");
    let cells: Vec<&str> = rows[0].iter().collect();
    let (id, user) = (token.id.to_string(), token.user_id.to_string());
    assert_eq!(
        cells[..13],
        [
            id.as_str(),
            "'=cmd|'/c calc'!A1",
            "",
            "project",
            "acme/sub/deep/p3",
            "Maintainer",
            "read_api read_repository",
            &user,
            &token.username,
            "2026-11-20T10:00:00Z",
            "2026-11-20T10:00:00Z",
            "2026-12-24",
            "active",
        ]
    );
    // More than one piece, each token once, and those without an end last.
    crate::crowd::add_tokens(&server, &company.deep, 2_500);
    server.sql("UPDATE access_tokens SET expires_at = NULL WHERE name LIKE 'deploy %7'");
    for state in ["", "all"] {
        let text = alice.get(&format!("{PATH}.csv?state={state}")).await.text();
        let ids: std::collections::BTreeSet<&str> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap())
            .collect();
        assert_eq!(ids.len(), 2_501, "{state}");
        assert_eq!(text.lines().count(), 2_502, "{state}");
    }
    let request = server.request(reqwest::Method::GET, &file);
    let from = request.header("sec-fetch-site", "cross-site");
    alice.send(from).await.expect(403);
}

async fn an_empty_inventory_and_long_names_leave_the_page_whole(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let page = alice.open(PATH).await;
    assert!(page.says("No active access tokens.") && !page.has("revoke-selected"));
    for number in 0..100 {
        let name = format!("{number:03}{}", "w".repeat(252));
        company.p3.token(&name).create();
    }
    company.acme.token("<script>alert(1)</script>").create();
    let page = alice
        .open(&format!("{PATH}?sort=expires_at_desc&select=all"))
        .await;
    assert!(page.says("<script>alert(1)</script>") && !page.html.contains("<script>alert"));
    assert_eq!(page.html.matches(" checked").count(), 50);
    assert!(page.html.len() <= 150_000, "{}", page.html.len());
}
