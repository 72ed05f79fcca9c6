//! Lists come in pages, and the headers say which.

use latchkey::access_tokens::scope::Scope;

use crate::on_both;
use crate::support::{Answer, TestResource, TestServer};

on_both![
    a_list_comes_in_pages,
    wrong_page_numbers_are_refused,
    links_keep_the_query_and_no_secret
];

fn headers(answer: &Answer) -> [&str; 6] {
    [
        "x-page",
        "x-per-page",
        "x-total",
        "x-total-pages",
        "x-next-page",
        "x-prev-page",
    ]
    .map(|name| answer.header(name))
}

async fn a_list_comes_in_pages(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    for number in 0..45 {
        acme.token(&format!("token {number}")).create();
    }
    let api = alice.api();
    let path = format!("{}/access_tokens", acme.path());
    let base = format!("{}/api/v4{path}", server.url);
    let link = |page: u32, per_page: u32, relation: &str| {
        format!(r#"<{base}?page={page}&per_page={per_page}>; rel="{relation}""#)
    };
    let mut seen = Vec::new();
    for (page, rows, next, prev) in [(1, 20, "2", ""), (2, 20, "3", "1"), (3, 5, "", "2")] {
        let answer = api
            .get(&format!("{path}?page={page}&per_page=20"))
            .await
            .expect(200);
        let list = answer.json();
        assert_eq!(list.as_array().unwrap().len(), rows);
        seen.extend(
            list.as_array()
                .unwrap()
                .iter()
                .map(|token| token["id"].as_i64().unwrap()),
        );
        assert_eq!(
            headers(&answer),
            [&page.to_string(), "20", "45", "3", next, prev]
        );
        let mut links = Vec::new();
        if page > 1 {
            links.push(link(page - 1, 20, "prev"));
        }
        if page < 3 {
            links.push(link(page + 1, 20, "next"));
        }
        links.push(link(1, 20, "first"));
        links.push(link(3, 20, "last"));
        assert_eq!(answer.header("link"), links.join(", "));
    }
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted, seen, "every row once, by id");

    let by_default = api.get(&path).await.expect(200);
    assert_eq!(headers(&by_default), ["1", "20", "45", "3", "2", ""]);
    for per_page in ["500", "101", "1000000"] {
        let all = api
            .get(&format!("{path}?per_page={per_page}"))
            .await
            .expect(200);
        assert_eq!(all.json().as_array().unwrap().len(), 45);
        assert_eq!(headers(&all), ["1", "100", "45", "1", "", ""]);
    }
    for page in ["4", "1000000"] {
        let beyond = api.get(&format!("{path}?page={page}")).await.expect(200);
        assert_eq!(beyond.text(), "[]");
        assert_eq!(beyond.header("x-total"), "45");
    }
    let head = Answer::to(api.request(reqwest::Method::HEAD, &path))
        .await
        .expect(200);
    assert_eq!(head.header("x-total"), "45");
    assert!(head.body.is_empty());
}

async fn wrong_page_numbers_are_refused(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let api = alice.api();
    for list in ["access_tokens", "projects", "members"] {
        let path = format!("{}/{list}", acme.path());
        for name in ["page", "per_page"] {
            for (value, problem) in [
                ("0", "has a value not allowed"),
                ("-1", "has a value not allowed"),
                ("abc", "is invalid"),
                ("1.5", "is invalid"),
                ("1e1", "is invalid"),
            ] {
                let answer = api.get(&format!("{path}?{name}={value}")).await.expect(400);
                assert_eq!(
                    answer.error(),
                    format!("{name} {problem}"),
                    "{path}?{name}={value}"
                );
            }
            for value in [
                "9223372036854775808",
                "9223372036854775807",
                "99999999999999999999999",
            ] {
                let answer = api.get(&format!("{path}?{name}={value}")).await;
                assert!(
                    matches!(answer.status, 200 | 400),
                    "{path}?{name}={value}: {}",
                    answer.text()
                );
            }
        }
        let both = api
            .get(&format!("{path}?page=x&per_page=0"))
            .await
            .expect(400);
        let mut problems: Vec<String> = both.error().split(", ").map(str::to_owned).collect();
        problems.sort_unstable();
        assert_eq!(
            problems,
            ["page is invalid", "per_page has a value not allowed"]
        );
    }
}

async fn links_keep_the_query_and_no_secret(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    for number in 0..3 {
        acme.token(&format!("token {number}")).create();
    }
    let value = alice.personal_token([Scope::Api]).value;
    for secret in ["private_token", "access_token", "bearer_token"] {
        let path = format!(
            "{}/access_tokens?{secret}={value}&state=active&per_page=1&search=token",
            acme.path()
        );
        let link = server
            .anonymous()
            .get(&path)
            .await
            .expect(200)
            .header("link")
            .to_owned();
        assert!(
            link.contains("state=active") && link.contains("search=token"),
            "{link}"
        );
        assert!(link.contains("page=2&per_page=1"), "{link}");
        assert!(
            !link.contains(&format!("{secret}=")) && !link.contains(&value),
            "{link}"
        );
    }
}
