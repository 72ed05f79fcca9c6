//! The order of the list, page by page.

use super::{PATH, names};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer, Visitor};

on_both!(
    the_soonest_end_comes_first_and_none_comes_last_page_by_page,
    all_and_ended_tokens_come_newest_first_page_by_page,
);

/// Follows the links of this kind to the end.
async fn walk(browser: &Visitor, start: &str, rel: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = Some(start.to_owned());
    while let Some(path) = next {
        let page = browser.open(&path).await;
        if rel == "next" {
            all.extend(names(&page));
        } else {
            let mut before = names(&page);
            before.append(&mut all);
            all = before;
        }
        let link = regex::Regex::new(&format!(r#"<a href="([^"]+)" rel="{rel}""#)).unwrap();
        next = link
            .captures(&page.html)
            .map(|found| crate::support::page::unescaped(&found[1]));
    }
    all
}

/// 250 tokens of three places: some with the same end, some without one.
fn many(server: &TestServer, company: &Company) {
    server.set("require_personal_access_token_expiry", "false");
    for number in 0..250 {
        let name = format!("t{number:03}");
        let token = match number % 3 {
            0 => company.acme.token(&name),
            1 => company.deep.token(&name),
            _ => company.p2.token(&name),
        };
        match number % 5 {
            0 => token.create(),
            // The later the number, the sooner; ten of a day.
            _ => token
                .expires(&server.days_ahead(200 - i64::from(number) / 10))
                .create(),
        };
    }
}

async fn the_soonest_end_comes_first_and_none_comes_last_page_by_page(server: TestServer) {
    let company = Company::on(&server);
    many(&server, &company);
    let browser = company.alice.signs_in().await;
    let day = |number: i32| 200 - number / 10;
    let mut expected: Vec<i32> = (0..250).filter(|number| number % 5 != 0).collect();
    expected.sort_by_key(|number| (day(*number), *number));
    expected.extend((0..250).filter(|number| number % 5 == 0));
    let expected: Vec<String> = expected.iter().map(|n| format!("t{n:03}")).collect();
    let all = walk(&browser, PATH, "next").await;
    assert_eq!(all, expected);
    let backwards: Vec<String> = expected.iter().rev().cloned().collect();
    let descending = format!("{PATH}?sort=expires_at_desc");
    assert_eq!(walk(&browser, &descending, "next").await, backwards);
    // The way back leads through the same.
    let first = browser.open(PATH).await;
    assert_eq!(names(&first).len(), 50);
    assert_eq!(first.part("inventory-count").unwrap().text(), "250");
    let last = format!("{PATH}?after=never.{}", i64::MAX);
    assert!(names(&browser.open(&last).await).is_empty());
    for (start, whole) in [
        (format!("{PATH}?before=never.{}", i64::MAX), &expected),
        (format!("{descending}&before=2026-11-21.0"), &backwards),
    ] {
        assert_eq!(&walk(&browser, &start, "prev").await, whole);
    }
    let sorted = browser.open(&descending).await;
    assert!(sorted.html.contains(r#"aria-sort="descending""#));
    assert!(first.html.contains(r#"aria-sort="ascending""#) && first.links_to(&descending));
}

async fn all_and_ended_tokens_come_newest_first_page_by_page(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    many(&server, &company);
    server.sql("UPDATE access_tokens SET revoked = TRUE WHERE name LIKE 't0%'");
    let browser = company.alice.signs_in().await;
    let numbered = |range: std::ops::Range<i32>| -> Vec<String> {
        range.rev().map(|n| format!("t{n:03}")).collect()
    };
    for (state, expected) in [("all", numbered(0..250)), ("inactive", numbered(0..100))] {
        let start = format!("{PATH}?state={state}");
        assert_eq!(walk(&browser, &start, "next").await, expected, "{state}");
        let end = format!("{start}&before=0");
        assert_eq!(walk(&browser, &end, "prev").await, expected, "{state}");
    }
}
