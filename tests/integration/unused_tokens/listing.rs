//! On the pages: a filter and a badge.

use chrono::TimeDelta;
use latchkey::access_tokens::{
    scope::Scope,
    unused::{Span, idleness, is_unused_since},
};

use super::{age, kinds, token};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    the_filter_finds_what_the_rule_says,
    the_page_marks_unused_tokens_and_no_others,
    a_filter_stays_in_the_addresses_and_can_be_reset,
];

async fn the_filter_finds_what_the_rule_says(server: TestServer) {
    let c = Company::on(&server);
    kinds(&server, &c.acme);
    for (name, imported, used) in [
        ("imported", 29, None),
        ("imported a month ago", 30, None),
        ("imported and used before", 30, Some(90)),
        ("imported and used since", 90, Some(30)),
    ] {
        let token = token(&server, &c.acme, name, 400, used);
        let at = server.now() - TimeDelta::days(imported);
        server.sql(&format!(
            "UPDATE access_tokens SET imported_at = '{}' WHERE id = {}",
            at.format("%Y-%m-%d %H:%M:%S"),
            token.id
        ));
    }
    let (now, acme) = (server.now(), c.acme.resource());
    let all = server.arrange(move |conn, ctx| {
        use latchkey::access_tokens::list::{Query, of_resource};
        use latchkey::db::PageRequest;
        let list = |conn: &mut _, unused_since| {
            let query = Query {
                unused_since,
                ..Query::default()
            };
            let page = PageRequest {
                page: 1,
                per_page: 100,
            };
            of_resource(conn, ctx, &acme, &query, page).map(|page| page.rows)
        };
        let all = list(conn, None)?;
        for seconds in [0, 1, -1] {
            for days in [0, 29, 30, 89, 90, 399, 400, 401] {
                let at = ctx.now - TimeDelta::days(days) + TimeDelta::seconds(seconds);
                let found = list(conn, Some(at))?;
                let found: Vec<i64> = found.iter().map(|listed| listed.token.id).collect();
                let wanted: Vec<i64> = all
                    .iter()
                    .filter(|listed| {
                        is_unused_since(listed.token.here_since(), listed.last_used_at, at)
                    })
                    .map(|listed| listed.token.id)
                    .collect();
                assert_eq!(found, wanted, "{days} days ago and {seconds} s");
            }
        }
        Ok(all)
    });
    let browser = c.alice.signs_in().await;
    for span in Span::ALL {
        let path = format!(
            "{}?unused={}&sort=name_asc",
            c.acme.page("settings/access_tokens"),
            span.days()
        );
        let page = browser.open(&path).await;
        let shown: Vec<String> = page
            .rows("active-tokens")
            .iter()
            .map(|row| row[0].split(" ID ").next().unwrap().trim().to_owned())
            .collect();
        let mut wanted: Vec<String> = all
            .iter()
            .filter(|listed| {
                idleness(listed.token.here_since(), listed.last_used_at, now) >= Some(span)
            })
            .map(|listed| listed.token.name.clone())
            .collect();
        wanted.sort();
        assert_eq!(shown.len(), wanted.len(), "{shown:?}");
        for (shown, wanted) in shown.iter().zip(&wanted) {
            assert!(shown.starts_with(wanted.as_str()), "{shown} {wanted}");
        }
    }
}

async fn the_page_marks_unused_tokens_and_no_others(server: TestServer) {
    let c = Company::on(&server);
    kinds(&server, &c.acme);
    let browser = c.alice.signs_in().await;
    let page = browser.open(&c.acme.page("settings/access_tokens")).await;
    let rows = page.rows("active-tokens");
    assert_eq!(rows.len(), 10);
    for row in rows {
        let (name, used) = (&row[0], &row[4]);
        let wanted = match name.split(" ID").next().unwrap().trim() {
            "month" | "older" | "used a month ago" | "used long ago" => "Unused for 30 days",
            "quarter" | "used a quarter ago" => "Unused for 90 days",
            _ => "",
        };
        assert_eq!(
            used.contains("Unused"),
            !wanted.is_empty(),
            "{name}: {used}"
        );
        assert!(used.contains(wanted), "{name}: {used}");
    }
    let personal = c.alice.personal_token([Scope::Api]);
    age(&server, &personal, 90, None);
    let path = "/-/user_settings/personal_access_tokens";
    assert!(browser.open(path).await.has("unused-badge"));
    token(&server, &c.p1, "idle", 45, None);
    let page = browser.open(&c.p1.page("settings/access_tokens")).await;
    assert_eq!(page.html.matches("Unused for 30 days").count(), 1);
}

async fn a_filter_stays_in_the_addresses_and_can_be_reset(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 45, None);
    let browser = c.alice.signs_in().await;
    let path = c.acme.page("settings/access_tokens");
    let page = browser.open(&format!("{path}?unused=30")).await;
    assert_eq!(page.rows("active-tokens").len(), 1);
    assert!(page.html.contains(r#"<option value="30" selected>"#));
    let sorts = page.links();
    assert!(
        sorts
            .iter()
            .any(|link| link.contains("unused=30&sort=name_asc"))
    );
    let page = browser.open(&format!("{path}?unused=90")).await;
    assert!(page.says("No tokens match.") && page.links_to(&path));
    for nonsense in ["31", "-30", "x", "", "30%00"] {
        let page = browser.open(&format!("{path}?unused={nonsense}")).await;
        assert_eq!(page.rows("active-tokens").len(), 1, "{nonsense}");
    }
}
