//! Lists of groups and projects whose pages begin after a row rather than at a number.

use latchkey::access_tokens::scope::Scope;
use serde_json::json;

use crate::on_both;
use crate::support::{Answer, Api, TestServer};

on_both![
    groups_by_id_come_once_each,
    groups_by_name_come_once_each_whatever_they_are_called,
    projects_by_id_come_once_each,
    there_is_nothing_but_the_link,
    rows_that_come_and_go_meanwhile_disturb_no_others,
    other_orders_are_not_offered,
    a_place_that_is_none_is_refused,
    links_keep_the_query_and_no_secret,
];

/// The address behind `rel="next"`, below `/api/v4`.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link");
    if link.is_empty() {
        return None;
    }
    let (address, relation) = link.split_once(">; ").unwrap();
    assert_eq!(relation, r#"rel="next""#, "{link}");
    let (_, path) = address.split_once("/api/v4").unwrap();
    assert!(address.starts_with("<http://"), "{link}");
    Some(path.to_owned())
}

fn ids(answer: &Answer) -> Vec<i64> {
    let list = answer.json();
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_i64().unwrap()).collect()
}

/// Follows the links to the end: all ids, page by page.
async fn walk(api: &Api, first: &str) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(here) = path {
        let answer = api.get(&here).await.expect(200);
        pages.push(ids(&answer));
        path = next(&answer);
        assert!(pages.len() < 100, "the links don't end: {here}");
    }
    pages
}

async fn groups_by_id_come_once_each(server: TestServer) {
    let api = server.person("root").admin().create().api();
    let mut all: Vec<i64> = (0..7)
        .map(|number| server.group(&format!("g{number}")).create().id)
        .collect();
    for (sort, per_page, pages) in [("asc", 2, 4), ("desc", 3, 3), ("asc", 7, 1), ("asc", 1, 7)] {
        let path = format!("/groups?pagination=keyset&order_by=id&sort={sort}&per_page={per_page}");
        let seen = walk(&api, &path).await;
        all.sort_unstable();
        if sort == "desc" {
            all.reverse();
        }
        assert_eq!(seen.concat(), all, "{path}");
        let filled = seen.iter().filter(|page| !page.is_empty()).count();
        assert_eq!(filled, pages, "{path}");
    }
    let path = "/groups?pagination=keyset&order_by=id&sort=asc&per_page=2";
    all.sort_unstable();
    let link = api.get(path).await.header("link").to_owned();
    assert!(link.contains(&format!("id_after={}", all[1])), "{link}");
    let after = format!("{path}&id_after={}", all[4]);
    assert_eq!(walk(&api, &after).await.concat(), all[5..]);
}

async fn groups_by_name_come_once_each_whatever_they_are_called(server: TestServer) {
    let api = server.person("root").admin().create().api();
    for (number, name) in [
        "same", "Same", "SAME", "same", "b", "B", "a", "Ärger", "zz & <b>", "100%", "_", "same",
        "a b+c=d", "日本",
    ]
    .iter()
    .enumerate()
    {
        server.group(&format!("g{number}")).named(name).create();
    }
    for sort in ["asc", "desc"] {
        let listed = format!("/groups?order_by=name&sort={sort}&per_page=100");
        let expected = ids(&api.get(&listed).await.expect(200));
        assert_eq!(expected.len(), 14);
        for per_page in [1, 2, 3, 5, 14] {
            let path =
                format!("/groups?pagination=keyset&order_by=name&sort={sort}&per_page={per_page}");
            let seen = walk(&api, &path).await.concat();
            assert_eq!(seen, expected, "{path}");
        }
    }
    // The name is the order that groups have, unless told otherwise.
    let path = "/groups?pagination=keyset&per_page=2";
    let link = api.get(path).await.expect(200).header("link").to_owned();
    assert!(link.contains("cursor="), "{link}");
}

async fn projects_by_id_come_once_each(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    let mut all: Vec<i64> = (0..5)
        .map(|number| acme.project(&format!("p{number}")).create().id)
        .collect();
    let hidden = server.group("hidden").private().create();
    hidden.project("not-hers").create();
    for sort in ["asc", "desc"] {
        all.sort_unstable();
        if sort == "desc" {
            all.reverse();
        }
        for per_page in [1, 2, 5] {
            let path =
                format!("/projects?pagination=keyset&order_by=id&sort={sort}&per_page={per_page}");
            assert_eq!(walk(&alice.api(), &path).await.concat(), all, "{path}");
        }
    }
    let path = "/projects?pagination=keyset&order_by=id&search=p3&per_page=1";
    assert_eq!(walk(&alice.api(), path).await.concat().len(), 1);
}

async fn there_is_nothing_but_the_link(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    for number in 0..3 {
        acme.subgroup(&format!("g{number}")).create();
        acme.project(&format!("p{number}")).create();
    }
    for list in ["groups", "projects"] {
        let path = format!("/{list}?pagination=keyset&order_by=id&sort=asc&per_page=2");
        let first = alice.api().get(&path).await.expect(200);
        let link = first.header("link");
        assert!(link.ends_with(r#"rel="next""#), "{link}");
        assert!(link.starts_with(&format!("<{}/api/v4/{list}?", server.url)));
        assert!(!link.contains("rel=\"first\"") && !link.contains("rel=\"last\""));
        for answer in [
            &first,
            &alice.api().get(&next(&first).unwrap()).await.expect(200),
        ] {
            for name in [
                "x-page",
                "x-per-page",
                "x-total",
                "x-total-pages",
                "x-next-page",
                "x-prev-page",
            ] {
                assert!(!answer.headers.contains_key(name), "{list}: {name}");
            }
        }
        let path = format!("/{list}?pagination=keyset&order_by=id&sort=asc&per_page=100");
        let whole = alice.api().get(&path).await.expect(200);
        assert!(!whole.headers.contains_key("link"), "{list}");
        let nothing = format!("{path}&search=nothing-is-called-so");
        let nothing = alice.api().get(&nothing).await.expect(200);
        assert_eq!(nothing.json(), json!([]));
        assert!(!nothing.headers.contains_key("link"), "{list}");
        // Pages by number are as ever.
        let numbered = alice.api().get(&format!("/{list}?per_page=2")).await;
        assert_eq!(numbered.header("x-page"), "1");
    }
}

async fn rows_that_come_and_go_meanwhile_disturb_no_others(server: TestServer) {
    let root = server.person("root").admin().create();
    let api = root.api();
    for order in ["id", "name"] {
        for sort in ["asc", "desc"] {
            let groups: Vec<_> = (0..9)
                .map(|number| server.group(&format!("{order}-{sort}-{number}")).create())
                .collect();
            let search = format!("search={order}-{sort}-");
            let mut path = Some(format!(
                "/groups?pagination=keyset&order_by={order}&sort={sort}&per_page=2&{search}"
            ));
            let mut seen = Vec::new();
            let mut page = 0;
            while let Some(here) = path {
                let answer = api.get(&here).await.expect(200);
                let rows = ids(&answer);
                path = next(&answer);
                if page < 3 {
                    // The last row that was shown goes, on which the next page stands; and new ones come.
                    let last = rows.last().unwrap();
                    api.delete(&format!("/groups/{last}")).await.expect(202);
                    server.group(&format!("{order}-{sort}-0new{page}")).create();
                    server.group(&format!("{order}-{sort}-znew{page}")).create();
                }
                seen.extend(rows);
                page += 1;
                assert!(page < 50, "the links don't end");
            }
            let mut once = seen.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), seen.len(), "{order} {sort}: a row came twice");
            for group in groups {
                assert!(
                    seen.contains(&group.id),
                    "{order} {sort}: {}",
                    group.full_path
                );
            }
        }
    }
}

async fn other_orders_are_not_offered(server: TestServer) {
    let api = server.person("root").admin().create().api();
    let refusal = json!({
        "error": "Keyset pagination is not yet available for this type of request",
    });
    for path in [
        "/groups?pagination=keyset&order_by=path",
        "/groups?order_by=path&pagination=keyset&sort=asc",
        "/projects?pagination=keyset&order_by=name",
        "/projects?pagination=keyset&order_by=created_at&sort=asc",
        "/projects?pagination=keyset&order_by=path",
    ] {
        let answer = api.get(path).await;
        assert_eq!(answer.outcome(), (405, refusal.clone()), "{path}");
    }
    // Other words for the kind of pages are unknown parameters' values.
    api.get("/groups?pagination=offset&order_by=path")
        .await
        .expect(200);
}

async fn a_place_that_is_none_is_refused(server: TestServer) {
    let api = server.person("root").admin().create().api();
    server.group("acme").create();
    let long = "A".repeat(2_000);
    for cursor in [
        "x",
        "!!!",
        "%00",
        "%FF",
        "AAAA",
        "'%20OR%201=1",
        "-1",
        &long,
    ] {
        let path = format!("/groups?pagination=keyset&order_by=name&cursor={cursor}");
        let answer = api.get(&path).await;
        assert_eq!(answer.status, 400, "{cursor}: {}", answer.text());
        assert_eq!(answer.error(), "cursor is invalid", "{cursor}");
    }
    for list in ["groups", "projects"] {
        for place in ["x", "1.5", "1e3", "%00", "1%20OR%201=1"] {
            let path = format!("/{list}?pagination=keyset&order_by=id&sort=asc&id_after={place}");
            let answer = api.get(&path).await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
            assert_eq!(answer.error(), "id_after is invalid", "{path}");
        }
        for place in ["9223372036854775807", "99999999999999999999"] {
            let path = format!("/{list}?pagination=keyset&order_by=id&sort=asc&id_after={place}");
            let answer = api.get(&path).await;
            assert!(
                matches!(answer.status, 200 | 400),
                "{path}: {}",
                answer.status
            );
        }
    }
}

async fn links_keep_the_query_and_no_secret(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    for number in 0..3 {
        acme.subgroup(&format!("g{number}")).create();
        acme.project(&format!("p{number}")).create();
    }
    let value = alice.personal_token([Scope::Api]).value;
    for secret in ["private_token", "access_token", "bearer_token"] {
        for (list, order) in [("groups", "id"), ("groups", "name"), ("projects", "id")] {
            let path = format!(
                "/{list}?{secret}={value}&pagination=keyset&order_by={order}&sort=asc&per_page=1&visibility=private"
            );
            let answer = server.anonymous().get(&path).await.expect(200);
            let link = answer.header("link");
            for kept in [
                "pagination=keyset",
                &format!("order_by={order}"),
                "sort=asc",
                "per_page=1",
                "visibility=private",
            ] {
                assert!(link.contains(kept), "{kept}: {link}");
            }
            assert!(!link.contains(&value) && !link.contains(secret), "{link}");
            let second = alice.api().get(&next(&answer).unwrap()).await.expect(200);
            assert_ne!(ids(&second), ids(&answer));
        }
    }
}
