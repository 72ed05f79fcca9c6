//! What must not cost more when there is more of it: 100 and 3,000 tokens, 10 and 500 members.

use latchkey::access_tokens::scope::Scope;

use crate::{
    crowd::add_tokens,
    on_both,
    support::{Answer, TestResource, TestServer},
};

/// The queries of one request, once the connections of the pool know their statements.
async fn queries(server: &TestServer, request: impl AsyncFn() -> Answer) -> u64 {
    for _ in 0..5 {
        request().await.expect(200);
    }
    let before = server.app.db.counters().queries();
    request().await.expect(200);
    server.app.db.counters().queries() - before
}

on_both!(
    lists_over_the_api_cost_the_same_with_a_hundred_and_with_three_thousand_tokens,
    the_page_of_tokens_stays_small_with_three_thousand_tokens,
    the_page_of_members_costs_the_same_with_ten_and_with_five_hundred,
    a_project_costs_two_queries,
    a_value_that_cannot_be_ours_costs_none,
    reading_pages_writes_nothing,
);

async fn lists_over_the_api_cost_the_same_with_a_hundred_and_with_three_thousand_tokens(
    server: TestServer,
) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    let token = alice.personal_token([Scope::Api]);
    let lists = [
        "access_tokens",
        "access_tokens?state=active&per_page=50",
        "access_tokens?sort=name_asc&page=2",
        "members",
        "projects",
    ];
    let mut costs = Vec::new();
    for more in [100, 2_900] {
        add_tokens(&server, &acme, more);
        for list in lists {
            let path = format!("{}/{list}", acme.path());
            costs.push(queries(&server, async || token.get(&path).await).await);
        }
    }
    let (few, many) = costs.split_at(lists.len());
    assert_eq!(few, many, "{lists:?}");
    let total = token
        .get(&format!("{}/access_tokens", acme.path()))
        .await
        .expect(200)
        .header("x-total")
        .to_owned();
    assert_eq!(total, "3000");
}

async fn the_page_of_tokens_stays_small_with_three_thousand_tokens(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    server.retain_bots(true);
    let script = alice.api();
    for number in 0..3 {
        let token = acme.token(&format!("old {number}")).create();
        script
            .delete(&format!("{}/access_tokens/{}", acme.path(), token.id))
            .await
            .expect(204);
    }
    let browser = alice.signs_in().await;
    let page = acme.page("settings/access_tokens");
    for (more, limit) in [(100, 4), (2_900, 4)] {
        add_tokens(&server, &acme, more);
        let cost = queries(&server, async || browser.get(&page).await).await;
        assert!(cost <= limit, "{cost} queries after {more} more tokens");
        let shown = browser.open(&page).await;
        assert_eq!(shown.rows("active-tokens").len(), 100);
        assert_eq!(shown.rows("inactive-access-tokens").len(), 3);
        assert!(
            shown.html.len() <= 120 * 1024,
            "{} bytes of HTML",
            shown.html.len()
        );
    }
}

async fn the_page_of_members_costs_the_same_with_ten_and_with_five_hundred(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    let deep = acme.subgroup("sub").create().subgroup("deep").create();
    let browser = alice.signs_in().await;
    let mut costs = Vec::new();
    for more in [10, 490] {
        add_tokens(&server, &acme, more);
        for page in [acme.page("group_members"), deep.page("group_members")] {
            costs.push(queries(&server, async || browser.get(&page).await).await);
        }
    }
    assert_eq!(costs[..2], costs[2..]);
}

async fn a_project_costs_two_queries(server: TestServer) {
    let acme = server.group("acme").private().create();
    let project = acme.subgroup("sub").create().project("api").create();
    let token = acme.token("reader").create();
    for path in [
        project.path(),
        format!("/projects/{}", project.encoded_path()),
    ] {
        let cost = queries(&server, async || token.get(&path).await).await;
        assert!(cost <= 2, "{path} costs {cost} queries");
    }
}

async fn a_value_that_cannot_be_ours_costs_none(server: TestServer) {
    server.set("token_shape", "checked");
    let acme = server.group("acme").private().create();
    let mut damaged = acme.token("ci").create().value;
    let last = damaged.pop().unwrap();
    damaged.push(if last == '0' { '1' } else { '0' });
    for value in [damaged, "x".repeat(513)] {
        let before = server.app.db.counters().queries();
        server.with_token(&value).get("/user").await.expect(401);
        assert_eq!(
            server.app.db.counters().queries(),
            before,
            "{value} is looked for"
        );
    }
}

async fn reading_pages_writes_nothing(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    let browser = alice.signs_in().await;
    let tables = [
        "sessions",
        "audit_events",
        "used_form_nonces",
        "access_tokens",
    ];
    let before = tables.map(|table| server.count(table, ""));
    for page in [
        "/".to_owned(),
        format!("/{}", acme.full_path),
        acme.page("settings/access_tokens"),
        "/help".to_owned(),
    ] {
        browser.get(&page).await.expect(200);
        server.get(&page).await;
    }
    assert_eq!(
        tables.map(|table| server.count(table, "")),
        before,
        "{tables:?}"
    );
}

on_both!(a_hundred_of_a_hundred_thousand_tokens_cost_as_many_queries_as_of_a_hundred);

/// Sorted and filtered, by every key that a list can be sorted by.
async fn a_hundred_of_a_hundred_thousand_tokens_cost_as_many_queries_as_of_a_hundred(
    server: TestServer,
) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).private().create();
    let token = alice.personal_token([Scope::ReadApi]);
    let lists = [
        "sort=expires_desc&state=active&search=deploy",
        "sort=name_asc&revoked=false&created_after=2026-01-01&expires_after=2026-12-01",
        "sort=last_used_desc&last_used_after=2026-11-01T00:00:00Z&page=7",
        "sort=created_desc&created_before=2026-11-20T09:00:00Z&page=900",
    ];
    let mut costs = Vec::new();
    for more in [100, 99_900] {
        add_tokens(&server, &acme, more);
        for list in lists {
            let path = format!("{}/access_tokens?per_page=100&{list}", acme.path());
            costs.push(queries(&server, async || token.get(&path).await).await);
        }
    }
    let (few, many) = costs.split_at(lists.len());
    // A page beyond the end asks once more how many there are; there is one only among the few.
    for (few, many) in few.iter().zip(many) {
        assert!(many <= few && *many <= 3, "{few:?} and then {many:?}");
    }
    let path = format!("{}/access_tokens?per_page=100&{}", acme.path(), lists[0]);
    let answer = token.get(&path).await.expect(200);
    assert_eq!(answer.json().as_array().map(Vec::len), Some(100));
    assert_eq!(answer.header("x-total"), "", "nobody counts so many");
    assert_eq!(answer.header("x-next-page"), "2");
}
