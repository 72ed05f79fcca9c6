//! The page: newest first, filters, and parts of the list.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::audit::list::Asked;
use serde_json::json;

use crate::{
    on_both,
    support::{Company, Page, TestResource, TestServer, Visitor},
};

on_both!(
    administrators_read_the_newest_events_first,
    each_filter_narrows_the_list,
    after_the_last_day_of_all_there_is_nothing,
    a_deleted_group_can_still_be_looked_for,
    the_list_is_read_in_parts_without_a_gap,
    an_instance_with_nothing_in_that_range_says_so,
    what_others_chose_is_text,
);

fn titles(page: &Page) -> Vec<String> {
    page.rows("events")
        .into_iter()
        .map(|row| row[0].clone())
        .collect()
}

async fn found(browser: &Visitor, query: &str) -> Vec<String> {
    titles(&browser.open(&format!("/admin/audit_logs?{query}")).await)
}

async fn administrators_read_the_newest_events_first(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.signs_in().await;
    server.clock.advance(TimeDelta::hours(2));
    company
        .alice
        .api()
        .put(
            &format!("/groups/{}", company.acme.id),
            json!({ "name": "Acme Corp" }),
        )
        .await
        .expect(200);
    let page = root.open("/admin/audit_logs").await;
    assert_eq!(page.title(), "Audit log · Latchkey");
    let rows = page.rows("events");
    let [what, target, by, group, at] = &rows[0][..] else {
        panic!("{rows:?}")
    };
    for text in [
        "Group changed Event ",
        "event: group_updated",
        "name: acme → Acme Corp",
        "request id: ",
    ] {
        assert!(what.contains(text), "{what}");
    }
    assert!(at.contains("just now") && at.contains("20 Nov 2026, 12:00:00 UTC"));
    assert!(by.contains("Alice") && by.contains("API · 127.0.0.1"));
    assert!(target.contains("acme") && group == "acme");
    assert!(page.links_to("/admin/audit_logs.csv") && page.links_to("/admin/audit_logs.jsonl"));
    let of_alice = format!("/admin/audit_logs?actor={}", company.alice.id);
    assert!(page.links_to(&of_alice));
    assert!(root.open("/admin").await.links_to("/admin/audit_logs"));
}

async fn each_filter_narrows_the_list(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.signs_in().await;
    let alice = company.alice.api();
    server.clock.advance(TimeDelta::days(1));
    let renamed = json!({ "name": "Sub" });
    alice
        .put(&format!("/groups/{}", company.sub.id), renamed.clone())
        .await
        .expect(200);
    company
        .oscar
        .api()
        .put(
            &format!("/groups/{}", company.other.id),
            json!({ "name": "O" }),
        )
        .await
        .expect(200);
    let token = company.acme.token("ci").create();

    assert_eq!(found(&root, "event=group_updated").await.len(), 2);
    assert_eq!(
        found(&root, "event=group_updated&actor=alice").await.len(),
        1
    );
    assert_eq!(
        found(&root, "event=group_updated&actor=@Oscar").await.len(),
        1
    );
    assert_eq!(
        found(
            &root,
            &format!("event=group_updated&actor={}", company.oscar.id)
        )
        .await
        .len(),
        1
    );
    assert_eq!(
        found(&root, "event=group_updated&actor=system").await.len(),
        0
    );
    assert!(found(&root, "actor=system").await.len() > 10);
    assert_eq!(
        found(&root, "event=group_updated&group=acme").await.len(),
        1
    );
    assert_eq!(
        found(&root, "event=group_updated&group=acme/sub/")
            .await
            .len(),
        1
    );
    assert_eq!(
        found(&root, "event=group_updated&group=acme/sub/deep")
            .await
            .len(),
        0
    );
    assert_eq!(
        found(
            &root,
            "event=group_updated&since=2026-11-21&until=2026-11-21"
        )
        .await
        .len(),
        2
    );
    assert_eq!(
        found(&root, "event=group_updated&until=2026-11-20")
            .await
            .len(),
        0
    );
    assert_eq!(
        found(&root, "event=group_updated&since=2026-11-22")
            .await
            .len(),
        0
    );
    assert_eq!(
        found(&root, "event=group_updated&channel=page").await.len(),
        0
    );
    assert_eq!(
        found(&root, "event=group_updated&channel=api").await.len(),
        2
    );
    assert_eq!(
        found(
            &root,
            &format!("target_kind=access_token&target={}", token.id)
        )
        .await
        .len(),
        1
    );
    assert_eq!(
        found(&root, "target_kind=access_token&target=ci")
            .await
            .len(),
        1
    );
    assert_eq!(found(&root, "target_kind=webhook&target=ci").await.len(), 0);
    assert!(found(&root, "target=alice").await[0].starts_with("Account created"));

    for (query, said) in [
        ("group=nowhere", "Group is not one that there is or was"),
        ("since=soon", "From is not a date such as 2026-11-20"),
        ("since=-200000-01-01", "From is not a date such as"),
        ("until=%2B12345-01-01", "To is not a date such as"),
        (
            "since=2026-11-21&until=2026-11-20",
            "To is before the first day",
        ),
    ] {
        let answer = root
            .get(&format!("/admin/audit_logs?{query}"))
            .await
            .expect(422);
        assert!(answer.page().says(said), "{}", answer.page().main());
    }
    let kept = root
        .get("/admin/audit_logs?since=soon&actor=alice")
        .await
        .page();
    assert!(kept.html.contains(r#"value="soon""#) && kept.html.contains(r#"value="alice""#));
}

async fn after_the_last_day_of_all_there_is_nothing(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.signs_in().await;
    let all = found(&root, "event=user_created").await;
    assert!(all.len() > 5);
    for until in ["9999-12-31", "9999-12-30"] {
        let query = format!("event=user_created&until={until}");
        assert_eq!(found(&root, &query).await, all, "{until}");
    }
    let none = found(&root, "event=user_created&since=9999-12-31").await;
    assert!(none.is_empty());
}

async fn a_deleted_group_can_still_be_looked_for(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.signs_in().await;
    company
        .alice
        .api()
        .delete(&format!("/groups/{}", company.sub.id))
        .await
        .expect(202);
    let rows = found(&root, "group=acme/sub").await;
    assert!(rows[0].starts_with("Group deleted, with everything in it"));
    assert!(rows.len() >= 4, "{rows:?}");
}

async fn the_list_is_read_in_parts_without_a_gap(server: TestServer) {
    let root = server.person("root").admin().create().signs_in().await;
    let ann = server.person("ann").create();
    // All at one moment, so that only their numbers tell them apart.
    for _ in 0..60 {
        ann.personal_token([Scope::Api]);
    }
    let query = "event=personal_access_token_created";
    let first = root.open(&format!("/admin/audit_logs?{query}")).await;
    let link = |page: &Page, which: &str| {
        page.links()
            .into_iter()
            .find(|link| link.contains(&format!("&{which}=")))
    };
    assert!(link(&first, "after").is_none());
    let older = link(&first, "before").unwrap();
    let second = root.open(&older).await;
    assert!(link(&second, "before").is_none());
    let numbers = |page: &Page| -> Vec<i64> {
        page.rows("events")
            .iter()
            .filter_map(|row| {
                row[0]
                    .split("Event ")
                    .nth(1)?
                    .split(' ')
                    .next()?
                    .parse()
                    .ok()
            })
            .collect()
    };
    let mut all = numbers(&first);
    all.extend(numbers(&second));
    let expected: Vec<i64> = server
        .trail(&Asked {
            event: "personal_access_token_created".into(),
            ..Asked::default()
        })
        .iter()
        .map(|event| event.id)
        .collect();
    assert_eq!(all, expected);
    assert_eq!((numbers(&first).len(), numbers(&second).len()), (50, 10));
    let back = root.open(&link(&second, "after").unwrap()).await;
    assert_eq!(numbers(&back), numbers(&first));
    // An event that isn't there is no place.
    let lost = root
        .open(&format!("/admin/audit_logs?{query}&before=999999"))
        .await;
    assert_eq!(numbers(&lost), numbers(&first));
}

async fn an_instance_with_nothing_in_that_range_says_so(server: TestServer) {
    let root = server.person("root").admin().create().signs_in().await;
    let page = root.open("/admin/audit_logs?until=2020-01-01").await;
    assert!(page.says("No events in this range."));
}

async fn what_others_chose_is_text(server: TestServer) {
    let root = server.person("root").admin().create().signs_in().await;
    let acme = server.group("acme").create();
    acme.token("<script>alert(1)</script>").create();
    let page = root.open("/admin/audit_logs").await;
    assert!(page.says("<script>alert(1)</script>") && !page.html.contains("<script>alert"));
    let page = root
        .get("/admin/audit_logs?group=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .expect(422)
        .page();
    assert!(!page.html.contains("<script>alert"));
}
