//! The file of the page's tokens.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer, Visitor};

on_both!(
    who_sees_the_page_has_its_tokens_as_a_file_and_nobody_else,
    the_file_has_what_the_filters_of_the_page_leave,
    ended_tokens_are_in_the_file_where_the_page_has_them,
    the_filters_choose_among_ended_tokens_too,
    a_long_list_is_sent_piece_by_piece_and_each_token_once,
);

const FILE: &str = "settings/access_tokens/export.csv";

/// The rows of a file, without its head.
async fn rows(browser: &Visitor, path: &str) -> Vec<Vec<String>> {
    let text = browser.get(path).await.expect(200).text();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let cells = |row: csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader.records().map(|row| cells(row.unwrap())).collect()
}

/// The names in a file.
async fn names(browser: &Visitor, path: &str) -> Vec<String> {
    let rows = rows(browser, path).await;
    rows.into_iter().map(|row| row[1].clone()).collect()
}

async fn who_sees_the_page_has_its_tokens_as_a_file_and_nobody_else(server: TestServer) {
    let company = Company::on(&server);
    let token = company
        .sub
        .token("=cmd|'/c calc'!A1")
        .scopes([Scope::ReadApi])
        .role(AccessLevel::Developer)
        .expires("2026-12-24")
        .create();
    company.deep.token("below").create();
    company.acme.token("above").create();
    company.p1.token("of a project").create();
    let (of_group, of_project) = (company.sub.page(FILE), company.p1.page(FILE));
    let alice = company.alice.signs_in().await;
    let list = company.sub.page("settings/access_tokens");
    let page = alice
        .open(&format!("{list}?search=cmd&page=2&sort=name_desc"))
        .await;
    assert!(
        page.links_to(&format!("{of_group}?search=cmd")),
        "{:?}",
        page.links()
    );
    let answer = alice.get(&of_group).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"tokens-acme-sub-2026-11-20.csv\""
    );
    assert!(!answer.text().contains(&token.value));
    let found = rows(&alice, &of_group).await;
    assert_eq!(found.len(), 1, "{found:?}");
    let id = token.id.to_string();
    assert_eq!(
        found[0][..7],
        [
            &id,
            "'=cmd|'/c calc'!A1",
            "",
            "group",
            "acme/sub",
            "Developer",
            "read_api"
        ]
    );
    assert_eq!(found[0][11..13], ["2026-12-24", "active"]);
    assert_eq!(names(&alice, &of_project).await, ["of a project"]);
    let personal = alice.open("/-/user_settings/personal_access_tokens").await;
    assert!(!personal.has("export-csv"));
    for (person, group, project) in [
        (&company.root, 200, 200),
        (&company.bob, 404, 200),
        (&company.erin, 404, 404),
        (&company.oscar, 404, 404),
        (&company.xenia, 404, 404),
    ] {
        let browser = person.signs_in().await;
        for (path, status) in [(&of_group, group), (&of_project, project)] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, status, "{path} for {}", person.username);
        }
    }
    let request = server.request(reqwest::Method::GET, &of_group);
    let from = request.header("sec-fetch-site", "cross-site");
    alice.send(from).await.expect(403);
}

async fn the_file_has_what_the_filters_of_the_page_leave(server: TestServer) {
    let company = Company::on(&server);
    company.acme.token("one").expires("2026-11-25").create();
    company
        .acme
        .token("two")
        .role(AccessLevel::Developer)
        .create();
    company
        .acme
        .token("three")
        .scopes([Scope::ReadRepository])
        .create();
    let alice = company.alice.signs_in().await;
    let file = company.acme.page(FILE);
    for (query, expected) in [
        ("", vec!["one", "two", "three"]),
        ("search=T", vec!["two", "three"]),
        ("role=30", vec!["two"]),
        ("scope=read_repository", vec!["three"]),
        ("expires_before=2026-11-26", vec!["one"]),
        ("page=99&sort=name_desc", vec!["one", "two", "three"]),
    ] {
        assert_eq!(
            names(&alice, &format!("{file}?{query}")).await,
            expected,
            "{query}"
        );
    }
}

async fn ended_tokens_are_in_the_file_where_the_page_has_them(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    let revoked = company.acme.token("revoked").create();
    revoked
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    company.acme.token("expired").expires("2026-11-21").create();
    company.acme.token("active").create();
    server.clock.advance(chrono::TimeDelta::days(1));
    let alice = company.alice.signs_in().await;
    let file = company.acme.page(FILE);
    assert_eq!(names(&alice, &file).await, ["active", "revoked", "expired"]);
    let states: Vec<String> = rows(&alice, &file)
        .await
        .into_iter()
        .map(|row| row[12].clone())
        .collect();
    assert_eq!(states, ["active", "revoked", "expired"]);
    let narrowed = format!("{file}?state=expired");
    assert_eq!(names(&alice, &narrowed).await, ["expired"]);
    server.retain_bots(false);
    assert_eq!(names(&alice, &file).await, ["active"]);
    assert_eq!(names(&alice, &narrowed).await, ["active"]);
}

async fn the_filters_choose_among_ended_tokens_too(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    for (name, role, scope, day) in [
        ("deploy", AccessLevel::Developer, Scope::Api, "2026-11-25"),
        ("deploy2", AccessLevel::Guest, Scope::Api, "2026-12-10"),
        (
            "other",
            AccessLevel::Developer,
            Scope::ReadApi,
            "2026-12-10",
        ),
    ] {
        let token = |state: &str, day: &str| {
            let token = company.acme.token(&format!("{name} {state}"));
            token.role(role).scopes([scope]).expires(day).create()
        };
        token("active", day);
        token("expired", "2026-11-21");
        let revoked = token("revoked", day);
        let gone = revoked.delete("/personal_access_tokens/self").await;
        gone.expect(204);
    }
    server.clock.advance(chrono::TimeDelta::days(1));
    let alice = company.alice.signs_in().await;
    let file = company.acme.page(FILE);
    let all = ["active", "expired", "revoked"];
    for (query, found, states) in [
        ("search=deploy&role=30", "deploy", &all[..]),
        ("search=deploy&role=10", "deploy2", &all),
        ("scope=read_api", "other", &all),
        ("role=30&scope=api&state=expired", "deploy", &all[1..2]),
        ("role=30&scope=api&state=revoked", "deploy", &all[2..]),
        (
            "expires_before=2026-11-26&search=y+revoked",
            "deploy",
            &all[2..],
        ),
    ] {
        let expected: Vec<String> = states.iter().map(|s| format!("{found} {s}")).collect();
        let mut told = names(&alice, &format!("{file}?{query}")).await;
        told.sort();
        assert_eq!(told, expected, "{query}");
    }
    let unused = names(&alice, &format!("{file}?unused=30")).await;
    assert!(unused.is_empty(), "made the day before: {unused:?}");
}

async fn a_long_list_is_sent_piece_by_piece_and_each_token_once(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    crate::crowd::add_tokens(&server, &company.acme, 2_500);
    server.sql("UPDATE access_tokens SET revoked = TRUE WHERE id % 7 = 0");
    let alice = company.alice.signs_in().await;
    let found = rows(&alice, &company.acme.page(FILE)).await;
    let ids: std::collections::BTreeSet<&String> = found.iter().map(|row| &row[0]).collect();
    assert_eq!((found.len(), ids.len()), (2_500, 2_500));
    let ended = found.iter().position(|row| row[12] == "revoked");
    let active = server.count("access_tokens", "NOT revoked");
    assert_eq!(
        ended.map(|at| at as i64),
        Some(active),
        "the active ones first"
    );
}
