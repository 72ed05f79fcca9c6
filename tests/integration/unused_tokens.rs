//! Tokens that nobody uses: on the pages, once a week by mail, and taken away.

use chrono::TimeDelta;
use latchkey::access_tokens::{
    by_policy::Swept,
    scope::Scope,
    unused::{Span, find_unused, idleness, is_unused_since, revoke_unused, tell_unused},
};
use latchkey::actor::{Actor, Origin};
use latchkey::error::Error;
use latchkey::mail::{Message, deliver::Composed};
use latchkey::members::AccessLevel;
use latchkey::notices::{
    compose::compose as find_words,
    unused::{enqueue_hints, whom_to_hint},
};

use crate::on_both;
use crate::support::{Company, Person, TestGroup, TestResource, TestServer, TestToken};

on_both![
    the_filter_finds_what_the_rule_says,
    the_page_marks_unused_tokens_and_no_others,
    a_filter_stays_in_the_addresses_and_can_be_reset,
    a_person_who_asks_is_told_once_a_week,
    nobody_else_is_told,
    whoever_looks_after_an_unused_token_is_found_as_on_home,
    the_mail_lists_what_is_so_when_it_is_sent,
    a_hint_costs_the_writers_two_queries_however_many_people,
    nothing_is_revoked_until_somebody_says_after_how_long,
    unused_tokens_are_revoked_with_their_bots,
    kept_bots_stay,
    a_young_or_used_token_is_never_revoked,
    a_dry_run_tells_and_changes_nothing,
    batches_of_revocations_go_on_where_the_last_one_ended,
    what_was_found_is_looked_at_again_before_it_is_revoked,
    a_number_of_days_out_of_range_is_refused,
    only_administrators_revoke_unused_tokens,
];

const AFTER: &str = "revoke_unused_tokens_after_days";

/// A token made so many days ago and last used so many days ago, to the second.
fn token(
    server: &TestServer,
    place: &impl TestResource,
    name: &str,
    made: i64,
    used: Option<i64>,
) -> TestToken {
    let made_token = place.token(name).create();
    age(server, &made_token, made, used);
    made_token
}

fn age(server: &TestServer, token: &TestToken, made: i64, used: Option<i64>) {
    let at = |days: i64| {
        let at = server.now() - TimeDelta::days(days);
        at.format("%Y-%m-%d %H:%M:%S").to_string()
    };
    server.sql(&format!(
        "UPDATE access_tokens SET created_at = '{}' WHERE id = {}",
        at(made),
        token.id
    ));
    server.sql(&format!(
        "DELETE FROM access_token_uses WHERE token_id = {}",
        token.id
    ));
    if let Some(days) = used {
        server.sql(&format!(
            "INSERT INTO access_token_uses (token_id, last_used_at, ips) VALUES ({}, '{}', '')",
            token.id,
            at(days)
        ));
    }
}

/// One of each kind, by days since it was made and used.
fn kinds(server: &TestServer, group: &TestGroup) {
    for (name, made, used) in [
        ("new", 0, None),
        ("young", 29, None),
        ("month", 30, None),
        ("older", 89, None),
        ("quarter", 90, None),
        ("used today", 400, Some(0)),
        ("used lately", 400, Some(29)),
        ("used a month ago", 400, Some(30)),
        ("used long ago", 400, Some(89)),
        ("used a quarter ago", 400, Some(90)),
    ] {
        token(server, group, name, made, used);
    }
}

async fn the_filter_finds_what_the_rule_says(server: TestServer) {
    let c = Company::on(&server);
    kinds(&server, &c.acme);
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
                        is_unused_since(listed.token.created_at, listed.last_used_at, at)
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
                idleness(listed.token.created_at, listed.last_used_at, now) >= Some(span)
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

fn asks(server: &TestServer, person: &Person) {
    server.sql(&format!(
        "UPDATE users SET unused_token_mails = TRUE WHERE id = {}",
        person.id
    ));
}

fn hints(server: &TestServer, after: i64, limit: i64) -> (usize, Option<i64>) {
    let now = server.now();
    server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
        let (people, next) = whom_to_hint(conn, ctx, after, limit)?;
        Ok((enqueue_hints(conn, ctx, now, &people)?, next))
    })
}

async fn a_person_who_asks_is_told_once_a_week(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 45, None);
    asks(&server, &c.alice);
    assert_eq!(hints(&server, 0, 100), (1, None));
    assert_eq!(
        hints(&server, 0, 100),
        (0, None),
        "a second run sends nothing"
    );
    let mail = format!(
        "key = 'unused_tokens/{}/2026-W47' AND kind = 'unused_tokens' AND user_id = {}
         AND state = 'waiting' AND give_up_at IS NOT NULL",
        c.alice.id, c.alice.id
    );
    assert_eq!(server.count("emails", &mail), 1);
    server.clock.advance(TimeDelta::days(2));
    assert_eq!(hints(&server, 0, 100), (0, None), "Sunday");
    server.clock.advance(TimeDelta::days(1));
    assert_eq!(hints(&server, 0, 100), (1, None), "Monday");
    assert_eq!(server.count("emails", "key LIKE '%/2026-W48'"), 1);
}

async fn nobody_else_is_told(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 45, None);
    assert_eq!(hints(&server, 0, 100), (0, None), "nobody asked");
    let blocked = server.person("blocked").create();
    c.acme.member(&blocked, AccessLevel::Owner);
    for person in [&c.bob, &c.carol, &c.frank, &c.oscar, &c.root, &blocked] {
        asks(&server, person);
    }
    blocked.block();
    assert_eq!(hints(&server, 0, 100), (0, None));
    asks(&server, &c.alice);
    server.set("disable_personal_access_tokens", "true");
    assert_eq!(
        hints(&server, 0, 100),
        (0, None),
        "they can't be looked after"
    );
    let refused = server.attempt_as(c.alice.actor(), |conn, ctx| whom_to_hint(conn, ctx, 0, 100));
    assert!(matches!(refused, Err(Error::Forbidden(_))));
    let id = c.alice.id;
    let refused = server.attempt_as(c.alice.actor(), move |conn, ctx| {
        enqueue_hints(conn, ctx, ctx.now, &[id])
    });
    assert!(matches!(refused, Err(Error::Forbidden(_))));
}

async fn whoever_looks_after_an_unused_token_is_found_as_on_home(server: TestServer) {
    let c = Company::on(&server);
    let olga = server.person("olga").create();
    c.sub.member(&olga, AccessLevel::Owner);
    let mia = server.person("mia").create();
    c.p3.member(&mia, AccessLevel::Maintainer);
    let late = server.person("late").create();
    c.acme.member(&late, AccessLevel::Owner);
    server.sql(&format!(
        "UPDATE memberships SET expires_at = '{}' WHERE user_id = {}",
        server.days_ahead(0),
        late.id
    ));
    let own = server.arrange_as(c.frank.actor(), |conn, ctx| {
        let id = ctx.actor.user_id().unwrap();
        let space = latchkey::groups::store::find_personal(conn, id)?.unwrap();
        let form = latchkey::projects::create::NewProjectForm {
            name: Some("own".into()),
            path: Some("own".into()),
            description: String::new(),
            visibility: None,
        };
        latchkey::projects::create::create(conn, ctx, &space, &form)
    });
    let people = [
        &c.alice, &c.bob, &c.carol, &c.frank, &c.oscar, &c.root, &olga, &mia, &late,
    ];
    for person in people {
        asks(&server, person);
    }
    let frank = c.frank.api();
    let mut tokens = vec![
        token(&server, &c.acme, "group", 45, None),
        token(&server, &c.sub, "subgroup", 45, Some(31)),
        token(&server, &c.p3, "deep", 31, None),
        token(&server, &c.other, "in use", 45, Some(3)),
    ];
    let made = frank
        .post(
            &format!("/projects/{}/access_tokens", own.row.id),
            serde_json::json!({ "name": "personal", "scopes": ["api"], "access_level": 40 }),
        )
        .await
        .expect(201)
        .json();
    let id = made["id"].as_i64().unwrap();
    server.sql(&format!(
        "UPDATE access_tokens SET created_at = '2026-01-01 00:00:00' WHERE id = {id}"
    ));
    // Revoked one after the other, and asked each time.
    loop {
        server.sql("DELETE FROM emails");
        let (count, _) = hints(&server, 0, 100);
        let mut told = 0;
        for person in people {
            let id = person.id;
            let mail = server.count("emails", &format!("user_id = {id}")) == 1;
            let home = person.signs_in().await.open("/").await;
            assert_eq!(
                mail,
                home.says("Unused for 30 days"),
                "{} with {} tokens",
                person.username,
                tokens.len()
            );
            let composed = compose(&server, id).is_some();
            assert_eq!(mail, composed, "{}", person.username);
            told += usize::from(mail);
        }
        assert_eq!(count, told);
        assert!(tokens.len() < 4 || told == 5, "{told}");
        let Some(token) = tokens.pop() else {
            assert_eq!(told, 1, "frank's own project is left");
            return;
        };
        server.sql(&format!(
            "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
            token.id
        ));
    }
}

fn compose(server: &TestServer, user_id: i64) -> Option<Message> {
    let number = server.next();
    server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
        let hint = latchkey::mail::outbox::NewEmail {
            key: format!("unused_tokens/{user_id}/{number}"),
            kind: "unused_tokens",
            user_id,
            data: serde_json::json!({}),
            give_up_at: None,
        };
        latchkey::mail::outbox::enqueue(conn, std::slice::from_ref(&hint), ctx.now)?;
        let mails = latchkey::mail::outbox::unsent(conn, 1_000)?;
        let mail = mails.into_iter().find(|mail| mail.key == hint.key);
        Ok(
            match find_words(conn, ctx, &mail.expect("it was put there"))? {
                Composed::Send(message) => Some(message),
                Composed::Drop(_) => None,
            },
        )
    })
}

async fn the_mail_lists_what_is_so_when_it_is_sent(server: TestServer) {
    let c = Company::on(&server);
    let first = token(&server, &c.acme, "<b>deploy</b> & run", 45, None);
    token(&server, &c.p2, "nightly", 100, Some(60));
    let mail = compose(&server, c.alice.id).unwrap();
    assert_eq!(mail.subject, "2 access tokens are not used");
    let at = |path: &str| format!("{}{path}", server.url);
    for (part, name) in [
        (&mail.text, "<b>deploy</b> & run"),
        (&mail.html, "&#60;b&#62;deploy&#60;/b&#62; &#38; run"),
    ] {
        for said in [
            "Hello",
            "Alice",
            name,
            "acme/sub/p2",
            "never used",
            "last used 21 Sep 2026",
            &at("/groups/acme/-/settings/access_tokens"),
            &at("/acme/sub/p2/-/settings/access_tokens"),
            &at("/-/profile/notifications"),
        ] {
            assert!(part.contains(said), "{said} in {part}");
        }
        assert!(!part.contains(&first.value[..12]) && !part.contains("There are more"));
    }
    assert!(
        mail.text.find("deploy").unwrap() < mail.text.find("nightly").unwrap(),
        "never used comes first"
    );
    server.sql(&format!(
        "UPDATE access_tokens SET revoked = TRUE WHERE id = {}",
        first.id
    ));
    let mail = compose(&server, c.alice.id).unwrap();
    assert_eq!(mail.subject, "1 access token is not used");
    for number in 0..60 {
        token(&server, &c.acme, &format!("n{number}"), 45, None);
    }
    server.clock.advance(TimeDelta::days(1));
    let mail = compose(&server, c.alice.id).unwrap();
    assert_eq!(mail.subject, "More than 50 access tokens are not used");
    assert_eq!(mail.html.matches("<a href").count(), 50);
    assert_eq!(mail.text.matches("\n    http").count(), 50);
    assert!(mail.text.contains("There are more") && mail.html.contains("There are more"));
    assert_eq!(compose(&server, c.oscar.id), None);
    c.alice.block();
    assert_eq!(compose(&server, c.alice.id), None);
}

async fn a_hint_costs_the_writers_two_queries_however_many_people(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 45, None);
    for number in 0..12 {
        let person = server.person(&format!("owner{number}")).create();
        c.acme.member(&person, AccessLevel::Owner);
    }
    server.sql(
        "UPDATE users SET unused_token_mails = TRUE WHERE username = 'alice' OR username LIKE 'owner%'",
    );
    let now = server.now();
    let db = server.app.db.clone();
    let costs = server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
        let begin = db.counters().queries();
        let (people, next) = whom_to_hint(conn, ctx, 0, 1_000)?;
        assert_eq!((people.len(), next), (13, None));
        let looked = db.counters().queries();
        assert_eq!(enqueue_hints(conn, ctx, now, &people)?, 13);
        let written = db.counters().queries();
        // Whoever was told is not looked at again.
        assert_eq!(whom_to_hint(conn, ctx, 0, 1_000)?, (Vec::new(), None));
        let again = db.counters().queries();
        Ok((looked - begin, written - looked, again - written))
    });
    let (looking, writing, again) = costs;
    assert!(
        looking <= 4 + 13,
        "{looking} queries: the first hit is enough"
    );
    assert!(writing <= 2, "{writing} queries while others wait");
    assert!(again <= 4, "{again} queries");
    // The same in pieces, each behind the one before.
    server.sql("DELETE FROM emails");
    let (mut after, mut told) = (0, 0);
    loop {
        let (count, next) = hints(&server, after, 5);
        assert!(count <= 5);
        told += count;
        match next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(told, 13);
}

/// What came of one window of tokens.
#[derive(Debug, Default, PartialEq)]
struct Sweep {
    tokens: Vec<Swept>,
    next: Option<i64>,
}

fn revoke(server: &TestServer, after_id: i64, window: i64, dry_run: bool) -> Sweep {
    server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
        let Some(found) = find_unused(conn, ctx, after_id, window)? else {
            return Ok(Sweep::default());
        };
        let tokens = if dry_run {
            tell_unused(conn, ctx, &found.ids)?
        } else {
            revoke_unused(conn, ctx, &found.ids, ctx.now)?
        };
        Ok(Sweep {
            tokens,
            next: found.next,
        })
    })
}

fn names(sweep: &Sweep) -> Vec<&str> {
    sweep
        .tokens
        .iter()
        .map(|token| token.name.as_str())
        .collect()
}

async fn nothing_is_revoked_until_somebody_says_after_how_long(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 4_000, None);
    for dry_run in [true, false] {
        assert_eq!(revoke(&server, 0, 1_000, dry_run), Sweep::default());
    }
    server.set(AFTER, "90");
    server.set(AFTER, "");
    assert_eq!(revoke(&server, 0, 1_000, false), Sweep::default());
    assert_eq!(server.count("access_tokens", "revoked"), 0);
}

async fn unused_tokens_are_revoked_with_their_bots(server: TestServer) {
    let c = Company::on(&server);
    kinds(&server, &c.acme);
    let project = token(&server, &c.p3, "project", 91, None);
    let personal = c.alice.personal_token([Scope::Api]);
    age(&server, &personal, 400, None);
    server.set(AFTER, "90");
    let swept = revoke(&server, 0, 1_000, false);
    assert_eq!(
        names(&swept),
        ["quarter", "used a quarter ago", "project"],
        "and no personal one"
    );
    let told = swept.tokens.last().unwrap();
    assert_eq!(
        (
            told.id,
            told.kind,
            told.full_path.as_str(),
            told.last_used_at
        ),
        (project.id, "project", "acme/sub/deep/p3", None)
    );
    let used = server.now() - TimeDelta::days(90);
    assert_eq!(swept.tokens[1].last_used_at, Some(used));
    assert!(!project.works().await && personal.works().await);
    assert_eq!(server.count("users", "bot_gone_at IS NOT NULL"), 3);
    for (kind, count) in [("group", 2), ("project", 1), ("personal", 0)] {
        let condition = format!(
            r#"event = '{kind}_access_token_revoked_by_policy' AND actor_name = 'system' AND channel = 'job'
               AND details LIKE '%"{AFTER}":90%' AND group_path <> ''"#
        );
        assert_eq!(server.count("audit_events", &condition), count, "{kind}");
    }
    assert_eq!(revoke(&server, 0, 1_000, false), Sweep::default());
}

async fn kept_bots_stay(server: TestServer) {
    let c = Company::on(&server);
    server.retain_bots(true);
    let idle = token(&server, &c.acme, "idle", 90, None);
    server.set(AFTER, "60");
    assert_eq!(names(&revoke(&server, 0, 1_000, false)), ["idle"]);
    assert!(!idle.works().await);
    assert_eq!(server.count("users", "bot_gone_at IS NOT NULL"), 0);
    let page = c.alice.signs_in().await;
    let page = page.open(&c.acme.page("settings/access_tokens")).await;
    assert_eq!(page.rows("inactive-access-tokens").len(), 1);
}

async fn a_young_or_used_token_is_never_revoked(server: TestServer) {
    let c = Company::on(&server);
    server.set(AFTER, "30");
    let young = token(&server, &c.acme, "young", 29, None);
    let used = token(&server, &c.acme, "used", 400, Some(29));
    let ended = token(&server, &c.acme, "ended", 400, None);
    server.sql(&format!(
        "UPDATE access_tokens SET expires_at = '{}' WHERE id = {}",
        server.days_ahead(0),
        ended.id
    ));
    for dry_run in [true, false] {
        assert_eq!(revoke(&server, 0, 1_000, dry_run), Sweep::default());
    }
    server
        .clock
        .advance(TimeDelta::days(1) - TimeDelta::seconds(1));
    assert_eq!(revoke(&server, 0, 1_000, false), Sweep::default());
    assert!(young.works().await && used.works().await);
    server.rest().await;
    server.clock.advance(TimeDelta::days(2));
    assert_eq!(
        revoke(&server, 0, 1_000, false),
        Sweep::default(),
        "now they are in use"
    );
}

async fn a_dry_run_tells_and_changes_nothing(server: TestServer) {
    let c = Company::on(&server);
    let idle = token(&server, &c.acme, "idle", 90, Some(80));
    server.set(AFTER, "60");
    let before = server.count("audit_events", "id > 0");
    let told = revoke(&server, 0, 1_000, true);
    assert_eq!(told, revoke(&server, 0, 1_000, true));
    assert_eq!(names(&told), ["idle"]);
    assert_eq!(server.count("audit_events", "id > 0"), before);
    assert!(idle.works().await);
    age(&server, &idle, 90, Some(80));
    assert_eq!(told, revoke(&server, 0, 1_000, false), "as it was told");
}

async fn batches_of_revocations_go_on_where_the_last_one_ended(server: TestServer) {
    let c = Company::on(&server);
    for number in 0..5 {
        token(&server, &c.acme, &format!("a{number}"), 90, None);
        token(&server, &c.other, &format!("o{number}"), 90, None);
    }
    server.set(AFTER, "60");
    let (mut after, mut all) = (0, Vec::new());
    for _ in 0..4 {
        let swept = revoke(&server, after, 3, false);
        all.extend(swept.tokens.iter().map(|token| token.id));
        assert_eq!(swept.next.is_none(), all.len() == 10);
        after = swept.next.unwrap_or(after);
    }
    assert!(all.is_sorted() && all.len() == 10);
    assert_eq!(server.count("access_tokens", "NOT revoked"), 0);
}

async fn what_was_found_is_looked_at_again_before_it_is_revoked(server: TestServer) {
    let c = Company::on(&server);
    let used = token(&server, &c.acme, "used", 90, None);
    let idle = token(&server, &c.acme, "idle", 90, None);
    server.set(AFTER, "60");
    let found = server.arrange(|conn, ctx| find_unused(conn, ctx, 0, 1_000));
    assert_eq!(found.unwrap().ids, [used.id, idle.id]);
    age(&server, &used, 90, Some(0));
    let take = |ids: [i64; 2]| {
        server.arrange_as(Actor::system(Origin::job()), move |conn, ctx| {
            revoke_unused(conn, ctx, &ids, ctx.now).map(|swept| swept.len())
        })
    };
    server.set(AFTER, "");
    assert_eq!(take([used.id, idle.id]), 0, "blanked meanwhile");
    server.set(AFTER, "60");
    assert_eq!(take([used.id, idle.id]), 1);
    assert!(used.works().await && !idle.works().await);
}

async fn a_number_of_days_out_of_range_is_refused(server: TestServer) {
    for days in [
        "0",
        "29",
        "3651",
        "-30",
        "30.5",
        "soon",
        "true",
        "99999999999",
    ] {
        let refused = server.attempt_as(Actor::system(Origin::console()), move |conn, ctx| {
            latchkey::settings::change::set(conn, ctx, AFTER, days)
        });
        let Err(Error::Refused(reason)) = refused else {
            panic!("{days}");
        };
        assert!(
            reason.contains(AFTER) && reason.contains("30 to 3650"),
            "{reason}"
        );
    }
    for days in ["30", "3650", "null"] {
        server.set(AFTER, days);
    }
}

async fn only_administrators_revoke_unused_tokens(server: TestServer) {
    let c = Company::on(&server);
    token(&server, &c.acme, "idle", 90, None);
    server.set(AFTER, "60");
    let id = server.arrange(|conn, ctx| Ok(find_unused(conn, ctx, 0, 1_000)?.unwrap().ids[0]));
    for refused in [
        server.attempt_as(c.alice.actor(), |conn, ctx| {
            find_unused(conn, ctx, 0, 1_000).map(|_| ())
        }),
        server.attempt_as(c.alice.actor(), move |conn, ctx| {
            tell_unused(conn, ctx, &[id]).map(|_| ())
        }),
        server.attempt_as(c.alice.actor(), move |conn, ctx| {
            revoke_unused(conn, ctx, &[id], ctx.now).map(|_| ())
        }),
    ] {
        assert!(matches!(refused, Err(Error::Forbidden(_))));
    }
    assert_eq!(server.count("access_tokens", "revoked"), 0);
}
