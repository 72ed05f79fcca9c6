//! Once a week by mail, to who asked for it.

use chrono::TimeDelta;
use latchkey::actor::{Actor, Origin};
use latchkey::error::Error;
use latchkey::mail::{Message, deliver::Composed};
use latchkey::members::AccessLevel;
use latchkey::notices::{
    compose::compose as find_words,
    unused::{enqueue_hints, whom_to_hint},
};

use super::token;
use crate::on_both;
use crate::support::{Company, Person, TestResource, TestServer};

on_both![
    a_person_who_asks_is_told_once_a_week,
    nobody_else_is_told,
    whoever_looks_after_an_unused_token_is_found_as_on_home,
    the_mail_lists_what_is_so_when_it_is_sent,
    a_hint_costs_the_writers_two_queries_however_many_people,
];

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
