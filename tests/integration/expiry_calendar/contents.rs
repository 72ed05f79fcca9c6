//! What a calendar tells.

use chrono::{Days, NaiveDate};
use latchkey::{
    access_tokens::{
        create::{NewAccessToken, create_personal},
        scope::Scope,
    },
    members::AccessLevel,
};
use serde_json::json;

use super::{PERSONAL, events, feed_of, names, subscribed};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer, clients::Clients};

on_both![
    a_person_reads_of_their_own_tokens_and_those_of_groups_that_they_own,
    a_person_reads_of_the_projects_that_they_maintain,
    a_calendar_costs_no_more_than_four_queries,
    only_active_tokens_that_end_are_told,
    each_event_says_what_the_token_is_and_nothing_of_its_value,
    another_date_is_another_event,
    names_can_not_break_out_of_their_line,
    the_thousand_nearest_are_told,
    it_is_answered_as_a_calendar,
    a_calendar_program_understands_it,
];

async fn a_person_reads_of_their_own_tokens_and_those_of_groups_that_they_own(server: TestServer) {
    let c = Company::on(&server);
    let day = |number: u32| format!("2026-12-{number:02}");
    c.acme.token("of acme").expires(&day(3)).create();
    c.deep.token("of deep").expires(&day(2)).create();
    c.p2.token("of p2").expires(&day(1)).create();
    c.other.token("of other").create();
    c.p9.token("of p9").create();
    let own = c.alice.personal_token([Scope::Api]);
    c.bob.personal_token([Scope::Api]);
    let id = own.id;
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{}' WHERE id = {id}",
        day(4)
    ));
    let answer = subscribed(&server, PERSONAL, &feed_of(&c.alice).await)
        .await
        .expect(200);
    assert_eq!(
        events(&answer),
        [
            ("Token of p2 expires".to_owned(), "20261201".to_owned()),
            ("Token of deep expires".to_owned(), "20261202".to_owned()),
            ("Token of acme expires".to_owned(), "20261203".to_owned()),
            (
                "Token alice's script expires".to_owned(),
                "20261204".to_owned()
            ),
        ]
    );
    // An Owner of a group below has what is below.
    c.sub.member(&c.carol, AccessLevel::Owner);
    c.deep.member(&c.carol, AccessLevel::Owner);
    let answer = subscribed(&server, PERSONAL, &feed_of(&c.carol).await)
        .await
        .expect(200);
    assert_eq!(names(&answer), ["of p2", "of deep"], "each of them once");
    // Not a list of everything, whoever administers the instance.
    let answer = subscribed(&server, PERSONAL, &feed_of(&c.root).await).await;
    assert!(events(&answer.expect(200)).is_empty());
}

async fn a_person_reads_of_the_projects_that_they_maintain(server: TestServer) {
    let c = Company::on(&server);
    let day = |number: u32| format!("2026-12-{number:02}");
    c.p1.token("of p1").expires(&day(1)).create();
    c.p2.token("of p2").expires(&day(2)).create();
    c.p3.token("of p3").expires(&day(3)).create();
    c.p9.token("of p9").expires(&day(4)).create();
    c.sub.token("of sub").expires(&day(5)).create();
    c.other.token("of other").expires(&day(6)).create();
    let read = async |person: &crate::support::Person| {
        let answer = subscribed(&server, PERSONAL, &feed_of(person).await).await;
        let told = names(&answer.expect(200));
        // Signed in, one reads the same.
        let answer = person.signs_in().await.get(PERSONAL).await.expect(200);
        assert_eq!(names(&answer), told);
        told
    };
    // In a group that one maintains its projects, and none of its own tokens.
    let dave = server.person("dave2").create();
    assert!(read(&dave).await.is_empty());
    c.sub.member(&dave, AccessLevel::Maintainer);
    assert_eq!(read(&dave).await, ["of p2", "of p3"]);
    // By itself, whatever is above it, and once.
    c.p9.member(&dave, AccessLevel::Maintainer);
    c.p2.member(&dave, AccessLevel::Maintainer);
    assert_eq!(read(&dave).await, ["of p2", "of p3", "of p9"]);
    // A Developer looks after none.
    c.p1.member(&dave, AccessLevel::Developer);
    assert_eq!(read(&dave).await, ["of p2", "of p3", "of p9"]);
    c.deep.member(&dave, AccessLevel::Owner);
    c.deep.token("of deep").expires(&day(7)).create();
    assert_eq!(read(&dave).await, ["of p2", "of p3", "of p9", "of deep"]);
    server.sql("UPDATE memberships SET expires_at = '2026-11-20' WHERE NOT bot");
    assert!(read(&dave).await.is_empty(), "a role that has ended");
}

async fn a_calendar_costs_no_more_than_four_queries(server: TestServer) {
    let c = Company::on(&server);
    c.p9.member(&c.alice, AccessLevel::Maintainer);
    c.other.member(&c.alice, AccessLevel::Maintainer);
    c.p9.token("of p9").expires("2026-12-01").create();
    c.acme.token("of acme").expires("2026-12-02").create();
    let feed_token = feed_of(&c.alice).await;
    let browser = c.alice.signs_in().await;
    browser.get(PERSONAL).await.expect(200);
    let queries = || server.app.db.counters().queries();
    let before = queries();
    subscribed(&server, PERSONAL, &feed_token).await.expect(200);
    assert!(queries() - before <= 4);
    let before = queries();
    browser.get(PERSONAL).await.expect(200);
    assert!(queries() - before <= 4);
}

async fn only_active_tokens_that_end_are_told(server: TestServer) {
    let c = Company::on(&server);
    server.retain_bots(true);
    c.acme.token("active").expires("2026-11-21").create();
    c.acme.token("expired").expires("2026-11-20").create();
    let revoked = c.acme.token("revoked").create();
    let endless = c.acme.token("endless").create();
    let (revoked, endless) = (revoked.id, endless.id);
    server.sql(&format!(
        "UPDATE access_tokens SET revoked = TRUE WHERE id = {revoked}"
    ));
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = NULL WHERE id = {endless}"
    ));
    let feed_token = feed_of(&c.alice).await;
    for path in [PERSONAL, &c.acme.page("settings/access_tokens.ics")] {
        let answer = subscribed(&server, path, &feed_token).await.expect(200);
        assert_eq!(names(&answer), ["active"]);
    }
    server.clock.advance(chrono::TimeDelta::hours(14));
    let answer = subscribed(&server, PERSONAL, &feed_token).await.expect(200);
    assert!(events(&answer).is_empty(), "the day has come");
}

async fn each_event_says_what_the_token_is_and_nothing_of_its_value(server: TestServer) {
    let c = Company::on(&server);
    let group = c
        .sub
        .token("deploy-bot")
        .role(AccessLevel::Maintainer)
        .create();
    let project =
        c.p1.token("ci")
            .role(AccessLevel::Developer)
            .scopes([Scope::ReadApi, Scope::ReadRepository])
            .create();
    let own = c.alice.personal_token([Scope::Api]);
    let answer = subscribed(&server, PERSONAL, &feed_of(&c.alice).await)
        .await
        .expect(200);
    let text = answer.text().replace("\r\n ", "");
    let url = &server.url;
    for line in [
        format!(
            r"DESCRIPTION:Group: acme/sub\nRole: Maintainer\nScopes: api\nIt stops working at 00:00 UTC on this day.\n{url}/groups/acme/sub/-/settings/access_tokens"
        ),
        format!(
            r"DESCRIPTION:Project: acme/p1\nRole: Developer\nScopes: read_api\, read_repository\nIt stops working at 00:00 UTC on this day.\n{url}/acme/p1/-/settings/access_tokens"
        ),
        format!(
            r"DESCRIPTION:Your personal access token\nScopes: api\nIt stops working at 00:00 UTC on this day.\n{url}/-/user_settings/personal_access_tokens"
        ),
        format!("URL:{url}/groups/acme/sub/-/settings/access_tokens"),
        "X-WR-CALNAME:Access tokens of Alice".to_owned(),
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
    }
    for token in [&group, &project, &own] {
        let hint = &token.value[token.value.len() - 4..];
        assert!(
            !text.contains(&token.value) && !text.contains(hint),
            "{hint}"
        );
    }
    assert!(!text.contains("lkft") && !text.contains("group_"), "{text}");
}

async fn another_date_is_another_event(server: TestServer) {
    let c = Company::on(&server);
    let token = c.acme.token("ci").expires("2026-12-01").create();
    let feed_token = feed_of(&c.alice).await;
    let uid = async || {
        let answer = subscribed(&server, PERSONAL, &feed_token).await.expect(200);
        let text = answer.text();
        let line = text.lines().find(|line| line.starts_with("UID:")).unwrap();
        line.to_owned()
    };
    let first = uid().await;
    server.clock.advance(chrono::TimeDelta::hours(5));
    assert_eq!(uid().await, first, "it stays the same");
    let id = token.id;
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '2026-12-02' WHERE id = {id}"
    ));
    assert_ne!(uid().await, first);
    assert!(
        first.contains(&format!("-{id}-20261201@127.0.0.1")),
        "{first}"
    );
}

async fn names_can_not_break_out_of_their_line(server: TestServer) {
    let c = Company::on(&server);
    let long = format!("long,{}", "🔑ß".repeat(120));
    for name in [r"a;b,c\n:\", "END:VEVENT", "x\u{2028}y", long.as_str()] {
        c.acme.token(name).create();
    }
    let answer = subscribed(&server, PERSONAL, &feed_of(&c.alice).await)
        .await
        .expect(200);
    let text = answer.text();
    assert_eq!(text.matches("\r\nEND:VEVENT\r\n").count(), 4);
    assert!(text.contains(r"SUMMARY:Token a\;b\,c\\n:\\ expires"));
    assert!(
        text.split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains('\n'))
    );
}

async fn the_thousand_nearest_are_told(server: TestServer) {
    let c = Company::on(&server);
    let user = c.alice.user.clone();
    server.arrange(move |conn, ctx| {
        for number in 0..1_005_u64 {
            let day: NaiveDate = ctx.today() + Days::new(360 - number % 300);
            let new = NewAccessToken {
                name: format!("n{number}"),
                description: None,
                scopes: [Scope::ReadApi].into_iter().collect(),
                access_level: AccessLevel::Guest,
                expires_at: Some(day),
            };
            create_personal(conn, ctx, &user, &new)?;
        }
        Ok(())
    });
    c.acme.token("nearest").expires("2026-11-21").create();
    let answer = subscribed(&server, PERSONAL, &feed_of(&c.alice).await)
        .await
        .expect(200);
    let events = events(&answer);
    assert_eq!(events.len(), 1_000);
    assert_eq!(events[0].0, "Token nearest expires");
    let days: Vec<&String> = events.iter().map(|(_, day)| day).collect();
    assert!(days.is_sorted());
}

async fn it_is_answered_as_a_calendar(server: TestServer) {
    let alice = server.person("alice").create();
    let feed_token = feed_of(&alice).await;
    let answer = subscribed(&server, PERSONAL, &feed_token).await.expect(200);
    for (name, value) in [
        ("content-type", "text/calendar; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        (
            "content-disposition",
            "inline; filename=\"access-tokens.ics\"",
        ),
    ] {
        assert_eq!(answer.header(name), value);
    }
    assert!(answer.header("set-cookie").is_empty());
    let path = format!("{PERSONAL}?feed_token={feed_token}");
    let head = server
        .request(reqwest::Method::HEAD, &path)
        .send()
        .await
        .unwrap();
    assert_eq!(head.status(), 200);
}

async fn a_calendar_program_understands_it(server: TestServer) {
    let Some(clients) = Clients::installed() else {
        return;
    };
    let c = Company::on(&server);
    let odd = r#"a;b,c\n:"x" 🔑 and long enough to be folded, more than once if need be, äöü"#;
    c.acme.token(odd).expires("2026-12-24").create();
    c.acme.token("ci").expires("2026-12-31").create();
    let expected = json!([
        { "summary": format!("Token {odd} expires"), "day": "2026-12-24" },
        { "summary": "Token ci expires", "day": "2026-12-31" },
    ]);
    let feed_token = feed_of(&c.alice).await;
    for (path, name) in [
        (PERSONAL.to_owned(), "Access tokens of Alice"),
        (
            c.acme.page("settings/access_tokens.ics"),
            "Access tokens of acme",
        ),
    ] {
        let path = format!("{path}?feed_token={feed_token}");
        clients
            .calendar("read.py")
            .args([path.as_str(), name, &expected.to_string()])
            .against(&server)
            .await;
    }
    let bob = format!("{PERSONAL}?feed_token={}", feed_of(&c.bob).await);
    let empty = clients.calendar("read.py");
    empty
        .args([bob.as_str(), "Access tokens of Bob", "[]"])
        .against(&server)
        .await;
}
