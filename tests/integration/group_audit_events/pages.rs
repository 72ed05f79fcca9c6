//! Who sees the page, what is on it, and what its filters and its file tell.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::json;

use super::former_paths::{moves, rename};
use crate::on_both;
use crate::support::{Company, TestGroup, TestResource, TestServer, Visitor};

on_both!(
    owners_here_and_above_and_administrators_see_them_and_nobody_else,
    a_group_shows_what_happened_below_it_and_nothing_else,
    a_filter_tells_nothing_about_what_lies_elsewhere,
    a_group_is_found_by_each_path_that_it_had,
    a_group_is_found_by_the_paths_that_groups_above_it_had,
    a_link_from_a_token_leads_to_its_events,
    what_was_moved_left_its_past_behind,
    both_places_tell_of_a_move,
    the_pages_follow_each_other_without_a_gap,
    the_file_has_what_the_page_has_and_is_an_event_of_the_group,
    an_owner_who_is_none_any_more_gets_no_file,
    an_owner_takes_sixty_files_a_minute_and_none_from_another_site,
    nothing_found_and_long_names_leave_the_page_whole,
);

pub(super) fn page_of(group: &TestGroup) -> String {
    group.page("audit_events")
}

pub(super) async fn rows(browser: &Visitor, group: &TestGroup, query: &str) -> Vec<Vec<String>> {
    let path = format!("{}?{query}", page_of(group));
    browser.open(&path).await.rows("events")
}

async fn owners_here_and_above_and_administrators_see_them_and_nobody_else(server: TestServer) {
    let company = Company::on(&server);
    company.sub.member(&company.frank, AccessLevel::Owner);
    let groups = [&company.acme, &company.sub, &company.deep];
    for (person, seen) in [
        (&company.root, [true, true, true]),
        (&company.alice, [true, true, true]),
        (&company.frank, [false, true, true]),
        (&company.bob, [false; 3]),
        (&company.carol, [false; 3]),
        (&company.erin, [false; 3]),
        (&company.oscar, [false; 3]),
        (&company.xenia, [false; 3]),
    ] {
        let browser = person.signs_in().await;
        for (group, seen) in groups.into_iter().zip(seen) {
            let status = if seen { 200 } else { 404 };
            for file in ["", ".csv", ".jsonl"] {
                browser
                    .get(&format!("{}{file}", page_of(group)))
                    .await
                    .expect(status);
            }
            let entry = page_of(group);
            let overview = browser.get(&format!("/{}", group.full_path)).await;
            assert_eq!(
                overview.status == 200 && overview.page().links_to(&entry),
                seen,
                "{}",
                person.username
            );
        }
        // Nobody's own place has such a page, nor has a project.
        browser
            .get(&format!("/groups/{}/-/audit_events", person.username))
            .await
            .expect(404);
    }
    let alice = company.alice.signs_in().await;
    let of_project = format!("/{}/-/audit_events", company.p1.full_path);
    alice.get(&of_project).await.expect(404);
    alice
        .get(&format!("{}.xml", page_of(&company.acme)))
        .await
        .expect(404);
}

async fn a_group_shows_what_happened_below_it_and_nothing_else(server: TestServer) {
    let company = Company::on(&server);
    company.p3.token("below").create();
    company.acme.token("above").create();
    company.other.token("elsewhere").create();
    let alice = company.alice.signs_in().await;
    let page = alice.open(&page_of(&company.sub)).await;
    assert_eq!(page.title(), "Audit events · acme/sub · Latchkey");
    assert!(page.says("Who did what, and when, in this group, its subgroups and projects."));
    let text = page.main();
    assert!(text.contains("below") && !text.contains("above") && !text.contains("elsewhere"));
    let text = alice.open(&page_of(&company.acme)).await.main();
    assert!(text.contains("below") && text.contains("above") && !text.contains("elsewhere"));
    // Of what happens to people and to the instance nothing is offered.
    let html = alice.open(&page_of(&company.acme)).await.html;
    assert!(html.contains(r#"value="group_access_token_created""#));
    assert!(html.contains(r#"value="audit_exported""#));
    assert!(
        !html.contains(r#"value="user_signed_in""#) && !html.contains(r#"value="system_backup""#)
    );
}

async fn a_filter_tells_nothing_about_what_lies_elsewhere(server: TestServer) {
    let company = Company::on(&server);
    let secret = company.other.token("elsewhere").create();
    let alice = company.alice.signs_in().await;
    let acme = &company.acme;
    // The same answer, whether there is such a group or not.
    let mut told = Vec::new();
    for name in ["other", "nosuc", "alice"] {
        let path = format!("{}?group={name}", page_of(acme));
        let page = alice.get(&path).await.expect(422).page();
        assert!(page.says("Group is not one that there is or was"));
        told.push(page.main());
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(!rows(&alice, acme, "group=acme/sub").await.is_empty());
    let of_sub = alice
        .get(&format!("{}?group=acme", page_of(&company.sub)))
        .await;
    assert_eq!(of_sub.status, 422, "what lies above is elsewhere");
    for query in [
        format!("target_kind=access_token&target={}", secret.id),
        "target=elsewhere".into(),
        format!("actor={}", company.oscar.id),
        "actor=oscar".into(),
        "actor=nobody-at-all".into(),
        format!("actor={}", secret.username),
    ] {
        assert!(rows(&alice, acme, &query).await.is_empty(), "{query}");
    }
    // A place in the list is no event that is looked for: an event of another group is as good as none.
    let event = server.the_event("group_access_token_created");
    let first = rows(&alice, acme, "").await;
    for id in [event.id, 999_999] {
        assert_eq!(rows(&alice, acme, &format!("before={id}")).await, first);
    }
    // By whom is found by the user name and by the name of that time.
    company
        .alice
        .api()
        .put(
            &format!("/groups/{}", company.sub.id),
            json!({ "name": "S" }),
        )
        .await
        .expect(200);
    for actor in ["alice", "@Alice", "Alice", &company.alice.id.to_string()] {
        let found = rows(&alice, acme, &format!("event=group_updated&actor={actor}")).await;
        assert_eq!(found.len(), 1, "{actor}");
    }
    assert!(rows(&alice, acme, "actor=system").await.len() > 3);
}

async fn a_group_is_found_by_each_path_that_it_had(server: TestServer) {
    let company = Company::on(&server);
    let api = company.alice.api();
    company.sub.token("early").create();
    let path = format!("/groups/{}", company.sub.id);
    api.put(&path, json!({ "path": "below" })).await.expect(200);
    let alice = company.alice.signs_in().await;
    for name in ["acme/sub", "acme/below"] {
        let found = rows(&alice, &company.acme, &format!("group={name}&target=early")).await;
        assert_eq!(found.len(), 1, "{name}");
    }
    api.delete(&path).await.expect(202);
    for name in ["acme/sub", "acme/below"] {
        let found = rows(&alice, &company.acme, &format!("group={name}&target=early")).await;
        assert_eq!(found.len(), 2, "{name}: made, and ended with the group");
    }
}

async fn a_group_is_found_by_the_paths_that_groups_above_it_had(server: TestServer) {
    let c = Company::on(&server);
    c.other.member(&c.alice, AccessLevel::Owner);
    // The parent has three paths, its child another one below the second, and a child that is made below the third.
    rename(&c.alice, c.sub.id, "second").await;
    rename(&c.alice, c.deep.id, "deeper").await;
    c.deep.token("early").create();
    rename(&c.alice, c.sub.id, "third").await;
    let late = c.deep.subgroup("late").create();
    late.token("early").create();
    let alice = c.alice.signs_in().await;
    let oscar = c.oscar.signs_in().await;
    let root = c.root.signs_in().await;
    let of_acme = |name: &str| format!("group={name}&target=early");
    for (name, number) in [
        ("acme/third/deeper", 2),
        ("acme/second/deeper", 2),
        ("acme/second/deeper/late", 1),
        ("acme/sub/deeper", 2),
        ("acme/sub/deep", 2),
        ("acme/second/deep", 2),
        ("acme/third/deep", 2),
    ] {
        let found = rows(&alice, &c.acme, &of_acme(name)).await;
        assert_eq!(found.len(), number, "{name}");
    }
    for name in [
        "acme/fourth/deeper",
        "acme/second/nothing",
        "second/deeper",
        "acme/secon/deeper",
    ] {
        let path = format!("{}?group={name}", page_of(&c.acme));
        alice.get(&path).await.expect(422);
    }
    // Moved elsewhere, what happened stays where it was; those who have it now find it where it is.
    moves(&c.alice, c.sub.id, &c.other).await;
    c.deep.token("early").create();
    for name in ["acme/third/deeper", "acme/second/deeper"] {
        assert_eq!(
            rows(&alice, &c.acme, &of_acme(name)).await.len(),
            2,
            "{name}"
        );
        assert_eq!(
            rows(&oscar, &c.other, &of_acme(name)).await.len(),
            1,
            "{name}"
        );
        let path = format!("/admin/audit_logs?{}", of_acme(name));
        assert!(root.open(&path).await.says("early"), "{name}");
    }
    rename(&c.alice, c.sub.id, "hidden").await;
    for name in ["other/third/deeper", "other/hidden/deeper", "other/hidden"] {
        let path = format!("{}?group={name}", page_of(&c.acme));
        alice.get(&path).await.expect(422);
    }
    // Nobody else learns of a path.
    let elsewhere = server.group("elsewhere").owner(&c.carol).create();
    let carol = c.carol.signs_in().await;
    for name in ["acme/second/deeper", "acme/nothing/deeper"] {
        let path = format!("{}?group={name}", page_of(&elsewhere));
        carol.get(&path).await.expect(422);
    }
    let before = server.app.db.counters().queries();
    alice
        .open(&format!(
            "{}?{}",
            page_of(&c.acme),
            of_acme("acme/second/deep")
        ))
        .await;
    let queries = server.app.db.counters().queries() - before;
    assert!(queries <= 4, "{queries} queries");
}

async fn a_link_from_a_token_leads_to_its_events(server: TestServer) {
    let company = Company::on(&server);
    let (one, other) = (
        company.p2.token("ci").create(),
        company.acme.token("ci").create(),
    );
    let alice = company.alice.signs_in().await;
    for token in [one, other] {
        let query = format!("target_kind=access_token&target={}", token.id);
        let found = rows(&alice, &company.acme, &query).await;
        let [row] = &found[..] else {
            panic!("{found:?}")
        };
        assert!(
            row[1].contains(&format!("Access token {}", token.id)),
            "{row:?}"
        );
        assert!(row[0].contains(&token.username), "{row:?}");
    }
}

async fn what_was_moved_left_its_past_behind(server: TestServer) {
    let company = Company::on(&server);
    company.sub.token("before").create();
    let (source, target) = (company.sub.id, company.other.id);
    company.other.member(&company.alice, AccessLevel::Owner);
    company
        .alice
        .api()
        .post(
            &format!("/groups/{source}/transfer"),
            json!({ "group_id": target }),
        )
        .await
        .expect(201);
    let moved =
        server.arrange(move |conn, _| Ok(latchkey::groups::store::find(conn, source)?.unwrap()));
    assert_eq!(moved.full_path, "other/sub");
    company.p2.token("after").create();
    let (alice, oscar) = (
        company.alice.signs_in().await,
        company.oscar.signs_in().await,
    );
    let there = |name: &'static str| format!("target={name}");
    assert_eq!(rows(&alice, &company.acme, &there("before")).await.len(), 1);
    assert_eq!(rows(&alice, &company.acme, &there("after")).await.len(), 0);
    assert_eq!(
        rows(&oscar, &company.other, &there("before")).await.len(),
        0
    );
    assert_eq!(rows(&oscar, &company.other, &there("after")).await.len(), 1);
    let own = oscar.open("/groups/other/sub/-/audit_events").await;
    assert!(own.says("Group moved") && own.says("after") && !own.says("before"));
}

async fn both_places_tell_of_a_move(server: TestServer) {
    let company = Company::on(&server);
    let home = crate::transfers::namespace(&company.alice);
    crate::transfers::transfer(&company.sub, company.root.actor(), Some(&company.other)).unwrap();
    crate::transfers::transfer_project(&company.p1, company.alice.actor(), &home).unwrap();
    let alice = company.alice.signs_in().await;
    let oscar = company.oscar.signs_in().await;
    for (browser, group, event, says) in [
        (&alice, &company.acme, "group_transferred", "direction: out"),
        (&oscar, &company.other, "group_transferred", "direction: in"),
        (
            &alice,
            &company.acme,
            "project_transferred",
            "direction: out",
        ),
    ] {
        let rows = rows(browser, group, &format!("event={event}")).await;
        assert_eq!(rows.len(), 1, "{says}: {rows:?}");
        assert!(rows[0][0].contains(says), "{says}: {rows:?}");
    }
}

async fn the_pages_follow_each_other_without_a_gap(server: TestServer) {
    let company = Company::on(&server);
    for number in 0..30 {
        company.p2.token(&format!("t{number}")).create();
        company.p9.token(&format!("x{number}")).create();
    }
    let alice = company.alice.signs_in().await;
    for group in [&company.acme, &company.sub] {
        let numbers = |page: &crate::support::Page| -> Vec<i64> {
            let number = |row: &Vec<String>| {
                let text = row[0].split("Event ").nth(1)?;
                text.split(' ').next()?.parse().ok()
            };
            page.rows("events").iter().filter_map(number).collect()
        };
        let link = |page: &crate::support::Page, which: &str| {
            let mark = format!("{which}=");
            page.links().into_iter().find(|link| link.contains(&mark))
        };
        let mut page = alice.open(&page_of(group)).await;
        assert_eq!(numbers(&page).len(), 50);
        assert!(link(&page, "after").is_none());
        let first = numbers(&page);
        let mut all = first.clone();
        while let Some(older) = link(&page, "before") {
            page = alice.open(&older).await;
            all.extend(numbers(&page));
        }
        let mut sorted = all.clone();
        sorted.sort_by(|a, b| b.cmp(a));
        assert_eq!(all, sorted);
        let there = format!(
            "group_path = '{0}' OR group_path LIKE '{0}/%'",
            group.full_path
        );
        let count = server.count("audit_events", &there);
        assert_eq!(i64::try_from(all.len()).unwrap(), count);
        let back = alice.open(&link(&page, "after").unwrap()).await;
        assert!(numbers(&back).iter().all(|id| all.contains(id)));
    }
}

async fn the_file_has_what_the_page_has_and_is_an_event_of_the_group(server: TestServer) {
    let company = Company::on(&server);
    company.p3.token("=cmd|'/c calc'!A1").create();
    company.other.token("elsewhere").create();
    let alice = company.alice.signs_in().await;
    let path = page_of(&company.sub);
    let query = "event=project_access_token_created&since=2026-11-20";
    let page = alice.open(&format!("{path}?{query}")).await;
    assert!(page.links_to(&format!("{path}.csv?{query}")));
    let answer = alice.get(&format!("{path}.csv?{query}")).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"audit-acme-sub-2026-11-20.csv\""
    );
    let text = answer.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains(",'=cmd|'/c calc'!A1,"), "{text}");
    let all = alice.get(&format!("{path}.csv")).await.expect(200).text();
    assert!(
        !all.contains("elsewhere") && all.lines().count() > 5,
        "{all}"
    );
    let event = &server.events("audit_exported")[1];
    assert_eq!(
        (
            event.target_kind.as_str(),
            event.target_id,
            event.group_path.as_str(),
            event.actor_id
        ),
        (
            "group",
            Some(company.sub.id),
            "acme/sub",
            Some(company.alice.id)
        )
    );
    assert!(event.details.contains("project_access_token_created"));
    assert_eq!(
        rows(&alice, &company.acme, "event=audit_exported")
            .await
            .len(),
        2
    );
    let refused = alice.get(&format!("{path}.csv?group=other")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.page().has("error-message"));
    assert_eq!(server.events("audit_exported").len(), 2);
}

async fn an_owner_who_is_none_any_more_gets_no_file(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.frank, AccessLevel::Owner);
    let frank = company.frank.signs_in().await;
    let path = format!("{}.csv", page_of(&company.acme));
    frank.get(&path).await.expect(200);
    company
        .alice
        .api()
        .put(
            &format!("/groups/{}/members/{}", company.acme.id, company.frank.id),
            json!({ "access_level": 40 }),
        )
        .await
        .expect(200);
    frank.get(&path).await.expect(404);
    // In the middle of one, too.
    use latchkey::audit::export::{Format, begin};
    use latchkey::audit::list::Asked;
    use latchkey::audit::scope::Scope;
    let actor = company.frank.actor();
    let outcome = server.attempt_as(actor, |conn, ctx| {
        let group = latchkey::groups::store::find_by_path(conn, "acme")?.unwrap();
        let scope = Scope::Group(Box::new(group));
        begin(conn, ctx, &scope, &Asked::default(), Format::Csv).map(|_| ())
    });
    assert!(outcome.is_err());
}

async fn an_owner_takes_sixty_files_a_minute_and_none_from_another_site(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let path = format!("{}.csv", page_of(&company.acme));
    let request = server.request(reqwest::Method::GET, &path);
    let from = request.header("sec-fetch-site", "cross-site");
    alice.send(from).await.expect(403);
    assert!(server.events("audit_exported").is_empty());
    for _ in 0..60 {
        alice.get(&path).await.expect(200);
    }
    alice.get(&path).await.expect(429);
    // Of what one may not see nothing is told, that one asks too often included.
    alice
        .get(&format!("{}.csv", page_of(&company.other)))
        .await
        .expect(404);
    server.clock.advance(TimeDelta::minutes(1));
    alice.get(&path).await.expect(200);
}

async fn nothing_found_and_long_names_leave_the_page_whole(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.signs_in().await;
    let path = format!("{}?until=2020-01-01", page_of(&company.acme));
    assert!(alice.open(&path).await.says("No events in this range."));
    company.acme.token(&"w".repeat(255)).create();
    company.acme.token("<script>alert(1)</script>").create();
    company.alice.personal_token([Scope::Api]);
    let page = alice.open(&page_of(&company.acme)).await;
    assert!(page.says("<script>alert(1)</script>") && !page.html.contains("<script>alert"));
    assert!(page.html.len() <= 150_000, "{}", page.html.len());
    assert!(!page.says("Personal access token created"));
}
