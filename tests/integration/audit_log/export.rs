//! The trail for other programs.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::{
    on_both,
    support::{Company, TestServer, Visitor},
};

on_both!(
    an_export_is_what_the_page_lists_and_is_written_down_itself,
    an_export_of_many_events_has_each_once,
    an_export_that_breaks_in_the_middle_cannot_be_taken_for_a_whole_one,
    an_administrator_who_is_none_any_more_gets_no_further,
    a_group_with_few_events_among_many_is_exported_to_the_end,
    nobody_takes_more_than_sixty_exports_a_minute,
    a_link_on_another_site_takes_no_export,
);

async fn administrator(server: &TestServer) -> Visitor {
    server.person("root").admin().create().signs_in().await
}

/// So many more events, of a made-up actor.
fn pad(server: &TestServer, number: usize) {
    let series = if server.is_on_postgres() {
        format!("generate_series(1, {number}) AS series(n)")
    } else {
        format!(
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {number}) SELECT n FROM s)"
        )
    };
    let at = if server.is_on_postgres() {
        "TIMESTAMP '2026-11-01 10:00:00'"
    } else {
        "'2026-11-01 10:00:00'"
    };
    server.sql(&format!(
        "INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, target_kind, target_name)
         SELECT {at}, 'user_signed_in', 'human', '=cmd|''/c calc''!A1', 'page', 'user', 'somebody' || n FROM {series}"
    ));
}

async fn an_export_is_what_the_page_lists_and_is_written_down_itself(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.root.signs_in().await;
    pad(&server, 3);
    let answer = browser
        .get("/admin/audit_logs.csv?event=user_signed_in")
        .await
        .expect(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"audit-2026-11-20.csv\""
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let text = answer.text();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 1 + 4 + 1, "{text}");
    assert!(lines[0].starts_with("id,time,event,actor_kind"));
    assert!(lines[2].contains(",'=cmd|'/c calc'!A1,"), "{}", lines[2]);

    let answer = browser
        .get("/admin/audit_logs.jsonl?group=acme/sub&since=2026-11-20&until=2026-11-20")
        .await
        .expect(200);
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let objects: Vec<Value> = answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(objects.len() >= 3);
    for object in &objects {
        assert!(
            object["group"].as_str().unwrap().starts_with("acme/sub"),
            "{object}"
        );
    }

    let exported = server.events("audit_exported");
    assert_eq!(exported.len(), 2);
    let told: Value = serde_json::from_str(&exported[1].details).unwrap();
    assert_eq!(
        told,
        serde_json::json!({ "format": "csv", "filter": { "event": "user_signed_in" } })
    );
    assert_eq!(exported[0].actor_id, Some(company.root.id));

    // What can't be read is not as good as no filter.
    for query in [
        "since=yesterday",
        "group=nowhere",
        "event=group_exploded",
        "channel=fax",
        "since=2026-11-02&until=2026-11-01",
    ] {
        let refused = browser.get(&format!("/admin/audit_logs.csv?{query}")).await;
        assert_eq!(refused.status, 422, "{query}");
        assert!(refused.page().has("error-message"), "{query}");
    }
    assert_eq!(server.events("audit_exported").len(), 2);
    browser.get("/admin/audit_logs.xml").await.expect(404);
    let alice = company.alice.signs_in().await;
    for path in [
        "/admin/audit_logs.csv",
        "/admin/audit_logs.jsonl",
        "/admin/audit_logs",
    ] {
        alice.get(path).await.expect(404);
    }
}

async fn an_export_of_many_events_has_each_once(server: TestServer) {
    let browser = administrator(&server).await;
    // All at one moment, several batches of them.
    pad(&server, 3_500);
    let text = browser
        .get("/admin/audit_logs.jsonl")
        .await
        .expect(200)
        .text();
    let ids: Vec<i64> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["id"]
                .as_i64()
                .unwrap()
        })
        .collect();
    let unique: BTreeSet<i64> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len());
    assert_eq!(
        i64::try_from(ids.len()).unwrap(),
        server.count("audit_events", "")
    );
    // Newest first, and among equals the one written last.
    let padded: Vec<i64> = ids[ids.len() - 3_500..].to_vec();
    assert!(padded.is_sorted_by(|a, b| a > b));
    let csv = browser
        .get("/admin/audit_logs.csv?event=user_signed_in")
        .await
        .expect(200)
        .text();
    assert_eq!(csv.matches("\r\n").count(), 1 + 3_501);
    assert_eq!(csv.matches("id,time,event").count(), 1);
}

/// Begins an export by hand and reads the first bytes of it; the rest waits in the server.
fn begin(server: &TestServer, browser: &Visitor) -> (TcpStream, Vec<u8>) {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let cookies: Vec<String> = browser
        .cookies()
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    write!(
        stream,
        "GET /admin/audit_logs.jsonl HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\n\r\n",
        cookies.join("; ")
    )
    .unwrap();
    let mut bytes = vec![0; 4096];
    let read = stream.read(&mut bytes).unwrap();
    bytes.truncate(read);
    assert!(
        bytes.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
    (stream, bytes)
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\r\n0\r\n\r\n")
}

async fn an_export_that_breaks_in_the_middle_cannot_be_taken_for_a_whole_one(server: TestServer) {
    let browser = administrator(&server).await;
    pad(&server, 60_000);
    let (mut stream, mut bytes) = begin(&server, &browser);
    // More waits than fits between the two; then there is nothing left to read from.
    server.sql("ALTER TABLE audit_events RENAME TO audit_events_away");
    let end = stream.read_to_end(&mut bytes);
    assert!(!is_whole(&bytes), "it ends as if it were all: {end:?}");
    assert!(bytes.len() < 60_000 * 300);
    server.sql("ALTER TABLE audit_events_away RENAME TO audit_events");
    // The test of the test.
    let (mut stream, mut bytes) = begin(&server, &browser);
    stream
        .set_read_timeout(Some(std::time::Duration::from_secs(20)))
        .unwrap();
    let mut piece = vec![0; 1 << 16];
    while !is_whole(&bytes) {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0);
        bytes.extend_from_slice(&piece[..read]);
    }
    assert!(bytes.len() > 60_000 * 100);
}

async fn an_administrator_who_is_none_any_more_gets_no_further(server: TestServer) {
    let root = server.person("root").admin().create();
    server.person("other").admin().create();
    let browser = root.signs_in().await;
    pad(&server, 60_000);
    let (mut stream, mut bytes) = begin(&server, &browser);
    root.block();
    let _ = stream.read_to_end(&mut bytes);
    assert!(!is_whole(&bytes));
    assert_eq!(server.events("audit_exported").len(), 1);
}

async fn a_group_with_few_events_among_many_is_exported_to_the_end(server: TestServer) {
    let browser = administrator(&server).await;
    server.group("acme").create();
    pad(&server, 60_000);
    server.sql(
        "INSERT INTO audit_events (created_at, event, actor_kind, actor_name, channel, target_kind, target_name,
             group_traversal, group_path)
         SELECT '2026-10-01 10:00:00', 'group_created', 'human', 'Somebody', 'page', 'group', 'long ago',
             traversal, full_path FROM groups WHERE path = 'acme'",
    );
    for format in ["csv", "jsonl"] {
        let path = format!("/admin/audit_logs.{format}?group=acme");
        let text = browser.get(&path).await.expect(200).text();
        assert_eq!(text.matches("group_created").count(), 2, "{text}");
        assert!(text.contains("long ago"), "{text}");
    }
}

async fn nobody_takes_more_than_sixty_exports_a_minute(server: TestServer) {
    let browser = administrator(&server).await;
    let other = server.person("other").admin().create().signs_in().await;
    for _ in 0..30 {
        browser.get("/admin/audit_logs.csv").await.expect(200);
        browser.get("/admin/audit_logs.jsonl").await.expect(200);
    }
    let refused = browser.get("/admin/audit_logs.csv").await.expect(429);
    let seconds: i64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(server.events("audit_exported").len(), 60);
    browser.get("/admin/audit_logs").await.expect(200);
    other.get("/admin/audit_logs.csv").await.expect(200);
    server.clock.advance(chrono::TimeDelta::seconds(seconds));
    browser.get("/admin/audit_logs.csv").await.expect(200);
}

async fn a_link_on_another_site_takes_no_export(server: TestServer) {
    let browser = administrator(&server).await;
    let from = async |site: &str| {
        let request = server.request(reqwest::Method::GET, "/admin/audit_logs.csv");
        browser.send(request.header("sec-fetch-site", site)).await
    };
    from("cross-site").await.expect(403);
    assert_eq!(server.events("audit_exported").len(), 0);
    for site in ["same-origin", "none"] {
        from(site).await.expect(200);
    }
    assert_eq!(server.events("audit_exported").len(), 2);
}
