//! The active table: what it shows, and how it is searched, filtered, sorted and paged by the server.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;

use super::{cell, headings, names, tokens_of};
use crate::on_both;
use crate::support::{Page, TestGroup, TestResource, TestServer, Visitor, query};

const ACTIVE: &str = "active-tokens";

on_both![
    an_empty_list_says_so,
    the_table_tells_what_an_owner_wants_to_know,
    what_ends_soon_stands_out,
    only_tokens_of_this_group_are_listed,
    names_and_descriptions_are_searched_literally,
    roles_and_scopes_filter,
    every_column_but_two_sorts,
    a_hundred_rows_make_a_page,
    addresses_that_make_no_sense_show_the_list,
    a_page_of_a_hundred_rows_is_small,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

async fn list(browser: &Visitor, group: &TestGroup, fields: &[(&str, &str)]) -> Page {
    browser
        .open(&format!("{}?{}", tokens_of(group), query(fields)))
        .await
}

async fn listed(browser: &Visitor, group: &TestGroup, fields: &[(&str, &str)]) -> Vec<String> {
    names(&list(browser, group, fields).await, ACTIVE)
}

async fn an_empty_list_says_so(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let page = list(&browser, &acme, &[]).await;
    assert!(page.says("This group has no active access tokens."));
    assert_eq!(page.part("active-tokens-count").unwrap().text(), "0");
    assert!(page.has("add-new-token-button"));
    assert!(
        !page.has("inactive-access-tokens"),
        "revoked tokens are not kept here"
    );
}

async fn the_table_tells_what_an_owner_wants_to_know(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let token = acme
        .token("renovate")
        .role(AccessLevel::Developer)
        .scopes([Scope::ReadApi, Scope::ReadRepository])
        .expires("2027-03-01")
        .create();
    let page = list(&browser, &acme, &[]).await;
    assert_eq!(
        headings(&page, ACTIVE),
        [
            "Token name",
            "Description",
            "Scopes",
            "Created",
            "Last Used",
            "Last Used IPs",
            "Expires",
            "Role",
            "Action"
        ]
    );
    let of = |page: &Page, heading: &str| cell(page, ACTIVE, "renovate", heading);
    let name = page.rows(ACTIVE)[0][0].clone();
    let hint = &token.value[token.value.len() - 4..];
    assert!(
        name.contains(&format!("ID {}", token.id)) && name.ends_with(hint),
        "{name}"
    );
    assert_eq!(of(&page, "Description"), "-");
    assert_eq!(of(&page, "Scopes"), "read_api, read_repository");
    assert_eq!(of(&page, "Created"), "20 Nov 2026");
    assert_eq!(of(&page, "Last Used"), "Never");
    assert_eq!(of(&page, "Last Used IPs"), "-");
    assert!(of(&page, "Expires").contains("1 Mar 2027"));
    assert_eq!(of(&page, "Role"), "Developer");
    assert!(page.has("rotate-button") && page.has("revoke-button"));
    assert_eq!(
        page.tag("rotate-button")
            .unwrap()
            .get("aria-label")
            .unwrap(),
        "Rotate renovate"
    );
    assert_eq!(
        page.tag("revoke-button")
            .unwrap()
            .get("aria-label")
            .unwrap(),
        "Revoke renovate"
    );
    assert!(!page.html.contains(&token.value));

    token.get("/personal_access_tokens/self").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::hours(2));
    let page = list(&browser, &acme, &[]).await;
    assert_eq!(of(&page, "Last Used"), "2 hours ago");
    assert_eq!(of(&page, "Last Used IPs"), "127.0.0.1");
    assert!(
        page.html.contains(r#"datetime="2026-11-20T10:00:00Z""#),
        "the exact time is there too"
    );
}

async fn what_ends_soon_stands_out(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for (name, date) in [
        ("tomorrow", "2026-11-21"),
        ("week", "2026-11-27"),
        ("later", "2026-11-28"),
        ("year", "2027-11-20"),
    ] {
        acme.token(name).expires(date).create();
    }
    let page = list(&browser, &acme, &[]).await;
    assert_eq!(
        names(&page, ACTIVE),
        ["tomorrow", "week", "later", "year"],
        "the soonest first"
    );
    let expires = |name: &str| cell(&page, ACTIVE, name, "Expires");
    assert!(expires("tomorrow").contains("Expiring") && expires("week").contains("Expiring"));
    assert!(expires("week").contains("in 7 days") && expires("week").contains("27 Nov 2026"));
    assert!(!expires("later").contains("Expiring") && !expires("year").contains("Expiring"));

    server
        .clock
        .set(crate::support::server::moment("2026-11-20T23:59:59Z"));
    assert_eq!(listed(&browser, &acme, &[]).await.len(), 4);
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(
        listed(&browser, &acme, &[]).await,
        ["week", "later", "year"]
    );
    assert_eq!(
        list(&browser, &acme, &[])
            .await
            .part("active-tokens-count")
            .unwrap()
            .text(),
        "3"
    );
}

async fn only_tokens_of_this_group_are_listed(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let sub = acme.subgroup("sub").create();
    acme.token("ours").create();
    sub.token("below").create();
    acme.project("p1").create().token("of-project").create();
    server.group("other").create().token("theirs").create();
    browser
        .server
        .person("bob")
        .create()
        .personal_token([Scope::Api]);
    assert_eq!(listed(&browser, &acme, &[]).await, ["ours"]);
    assert_eq!(listed(&browser, &sub, &[]).await, ["below"]);
    // However it is searched.
    assert!(listed(&browser, &acme, &[("search", "e")]).await.is_empty());
    assert_eq!(
        listed(&browser, &acme, &[("sort", "name_desc")]).await,
        ["ours"]
    );
}

async fn names_and_descriptions_are_searched_literally(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for name in ["a%b", "a_b", "axb", r"a\b", "a'b", "Großbuchstaben", "50%"] {
        acme.token(name).expires("2027-01-01").create();
    }
    acme.token("plain")
        .described("reads the mail of bob_the_builder")
        .expires("2027-01-02")
        .create();
    for (search, found) in [
        ("a%b", &["a%b"][..]),
        ("a_b", &["a_b"]),
        (r"\", &[r"a\b"]),
        (r"a\b", &[r"a\b"]),
        ("'", &["a'b"]),
        ("%", &["a%b", "50%"]),
        ("_", &["a_b", "plain"]),
        ("AXB", &["axb"]),
        ("buchstaben", &["Großbuchstaben"]),
        ("THE MAIL", &["plain"]),
        ("bob_the", &["plain"]),
        ("bobxthe", &[]),
        ("' OR '1'='1", &[]),
        ("\";--", &[]),
        ("nothing like it", &[]),
        ("\u{202e}", &[]),
    ] {
        let mut names = listed(&browser, &acme, &[("search", search)]).await;
        let mut found: Vec<String> = found.iter().map(|name| (*name).to_owned()).collect();
        names.sort_unstable();
        found.sort_unstable();
        assert_eq!(names, found, "{search:?}");
    }
    assert_eq!(listed(&browser, &acme, &[("search", "")]).await.len(), 8);
    assert_eq!(
        listed(&browser, &acme, &[("search", "  a%b ")]).await,
        ["a%b"]
    );

    let page = list(&browser, &acme, &[("search", "nothing like <it>\"")]).await;
    assert!(page.says("No tokens match.") && page.says("Reset filters"));
    assert!(
        page.html.contains("nothing like &"),
        "what was searched for is kept, escaped"
    );
    assert!(page.has("add-new-token-button"));

    let mut long = vec![("search", "%".repeat(8000))];
    long.push(("search", "x\0y".to_owned()));
    for (name, value) in long {
        let answer = browser
            .get(&format!(
                "{}?{}",
                tokens_of(&acme),
                query(&[(name, value.as_str())])
            ))
            .await;
        assert!(
            answer.status == 200 || answer.status == 414,
            "{}",
            answer.status
        );
    }
}

async fn roles_and_scopes_filter(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let make = |name: &str, role: AccessLevel, scopes: &[Scope], date: &str| {
        acme.token(name)
            .role(role)
            .scopes(scopes.iter().copied())
            .expires(date)
            .create();
    };
    make("guest-api", AccessLevel::Guest, &[Scope::Api], "2027-01-01");
    make(
        "guest-read",
        AccessLevel::Guest,
        &[Scope::ReadApi, Scope::ReadRegistry],
        "2027-01-02",
    );
    make(
        "owner-api",
        AccessLevel::Owner,
        &[Scope::Api, Scope::ReadApi],
        "2027-01-03",
    );
    for (wanted, found) in [
        (&[("role", "10")][..], &["guest-api", "guest-read"][..]),
        (&[("role", "50")], &["owner-api"]),
        (&[("role", "40")], &[]),
        (&[("scope", "api")], &["guest-api", "owner-api"]),
        (&[("scope", "read_api")], &["guest-read", "owner-api"]),
        (&[("scope", "read_registry")], &["guest-read"]),
        (&[("scope", "k8s_proxy")], &[]),
        (&[("role", "10"), ("scope", "api")], &["guest-api"]),
        (&[("role", "10"), ("search", "read")], &["guest-read"]),
        (
            &[("role", ""), ("scope", ""), ("search", "")],
            &["guest-api", "guest-read", "owner-api"],
        ),
    ] {
        let page = list(&browser, &acme, wanted).await;
        assert_eq!(names(&page, ACTIVE), found, "{wanted:?}");
        if found.is_empty() {
            assert!(page.says("No tokens match."), "{wanted:?}");
        }
    }
    // The filter shows what it filters by.
    let page = list(
        &browser,
        &acme,
        &[("role", "50"), ("scope", "read_api"), ("search", "own")],
    )
    .await;
    for chosen in [
        r#"<option value="50" selected>"#,
        r#"<option value="read_api" selected>"#,
        r#"value="own""#,
    ] {
        assert!(page.html.contains(chosen), "{chosen}");
    }
}

async fn every_column_but_two_sorts(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    acme.token("b")
        .described("third")
        .role(AccessLevel::Owner)
        .scopes([Scope::ReadApi])
        .expires("2027-03-01")
        .create();
    server.clock.advance(TimeDelta::days(1));
    let c = acme
        .token("c")
        .described("first")
        .role(AccessLevel::Guest)
        .scopes([Scope::WriteRepository])
        .expires("2027-01-01")
        .create();
    server.clock.advance(TimeDelta::days(1));
    let a = acme
        .token("a")
        .described("second")
        .role(AccessLevel::Developer)
        .scopes([Scope::Api])
        .expires("2027-02-01")
        .create();
    c.get("/personal_access_tokens/self").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::hours(1));
    a.get("/personal_access_tokens/self").await.expect(200);
    server.rest().await;

    for (key, heading, ascending) in [
        ("name", "Token name", ["a", "b", "c"]),
        ("description", "Description", ["c", "a", "b"]),
        ("scopes", "Scopes", ["a", "b", "c"]),
        ("created_at", "Created", ["b", "c", "a"]),
        // Never used counts as the oldest.
        ("last_used_at", "Last Used", ["b", "c", "a"]),
        ("expires_at", "Expires", ["c", "a", "b"]),
        ("access_level", "Role", ["c", "a", "b"]),
    ] {
        for (direction, word) in [("asc", "ascending"), ("desc", "descending")] {
            let sort = format!("{key}_{direction}");
            let page = list(&browser, &acme, &[("sort", &sort)]).await;
            let mut expected = ascending.map(str::to_owned).to_vec();
            if direction == "desc" {
                expected.reverse();
            }
            assert_eq!(names(&page, ACTIVE), expected, "{sort}");
            let sorted = format!(r#"aria-sort="{word}""#);
            let head = regex::Regex::new(r#"<th scope="col"([^>]*)>(?:<a[^>]*>)?([^<]*)"#).unwrap();
            let marked: Vec<String> = head
                .captures_iter(&page.part(ACTIVE).unwrap().html)
                .filter(|found| found[1].contains(&sorted))
                .map(|found| found[2].to_owned())
                .collect();
            assert_eq!(marked, [heading], "{sort}");
        }
    }
    assert_eq!(
        listed(&browser, &acme, &[]).await,
        ["c", "a", "b"],
        "the soonest end first"
    );
    // Heads are links, and clicking on the one that sorts turns it round.
    let page = list(&browser, &acme, &[("sort", "name_asc"), ("search", "i")]).await;
    let turned = page
        .links()
        .into_iter()
        .find(|link| link.contains("sort=name_desc"))
        .expect("a link turns it round");
    assert!(
        turned.contains("search=i"),
        "and keeps the filter: {turned}"
    );
    assert_eq!(
        names(&browser.open(&turned).await, ACTIVE)
            .first()
            .map(String::as_str),
        Some("c")
    );
    assert!(
        !page
            .links()
            .iter()
            .any(|link| link.contains("sort=last_used_ips") || link.contains("sort=action"))
    );
}

async fn a_hundred_rows_make_a_page(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for number in 0..103 {
        acme.token(&format!("t{number:03}"))
            .role(AccessLevel::Guest)
            .expires("2027-01-01")
            .create();
    }
    let page = list(&browser, &acme, &[("sort", "name_asc")]).await;
    let first = names(&page, ACTIVE);
    assert_eq!(
        (first.len(), first[0].as_str(), first[99].as_str()),
        (100, "t000", "t099")
    );
    assert_eq!(page.part("active-tokens-count").unwrap().text(), "103");
    assert!(page.says("1–100 of 103"), "{}", page.main());
    let next = page
        .links()
        .into_iter()
        .find(|link| link.contains("page=2"))
        .expect("a link to the next page");
    assert!(next.contains("sort=name_asc"), "{next}");
    let page = browser.open(&next).await;
    assert_eq!(names(&page, ACTIVE), ["t100", "t101", "t102"]);
    assert!(page.says("101–103 of 103"), "{}", page.main());

    // Search looks at all of them, not at the page that is open.
    let found = list(&browser, &acme, &[("search", "t10"), ("page", "1")]).await;
    assert_eq!(found.rows(ACTIVE).len(), 3);
    // Rows with the same value keep their place from page to page.
    let mut all = listed(&browser, &acme, &[("sort", "access_level_desc")]).await;
    all.extend(
        listed(
            &browser,
            &acme,
            &[("sort", "access_level_desc"), ("page", "2")],
        )
        .await,
    );
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 103);
}

async fn addresses_that_make_no_sense_show_the_list(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    acme.token("ci").create();
    let markup = "\"><script>alert(1)</script>";
    let long = "9".repeat(400);
    for (name, value) in [
        ("page", "0"),
        ("page", "-1"),
        ("page", "abc"),
        ("page", "1.5"),
        ("page", "99999999999999999999"),
        ("page", "1000000"),
        ("page", long.as_str()),
        ("inactive_page", "abc"),
        ("sort", "nonsense"),
        ("sort", "name_sideways"),
        ("sort", "token_digest_asc"),
        ("sort", "name_asc; DROP TABLE users"),
        ("role", "17"),
        ("role", "fifty"),
        ("scope", "nonsense"),
        ("state", "nonsense"),
        ("search[]", "x"),
        ("page[]", "2"),
        ("page", markup),
        ("sort", markup),
        ("role", markup),
        ("scope", markup),
        ("unknown", markup),
        ("new", markup),
    ] {
        let page = list(&browser, &acme, &[(name, value)]).await;
        assert_eq!(names(&page, ACTIVE), ["ci"], "{name}={value}");
        assert!(!page.html.contains("<script>alert"), "{name}={value}");
    }
}

async fn a_page_of_a_hundred_rows_is_small(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for number in 0..100 {
        acme.token(&format!("a token with a name of ordinary length {number}"))
            .described("what it is for, in a sentence that people would write")
            .scopes([
                Scope::ReadApi,
                Scope::ReadRepository,
                Scope::WriteRepository,
            ])
            .create();
    }
    let answer = browser.get(&tokens_of(&acme)).await.expect(200);
    assert_eq!(answer.page().rows(ACTIVE).len(), 100);
    assert!(
        answer.body.len() <= 120 * 1024,
        "{} bytes",
        answer.body.len()
    );
}
