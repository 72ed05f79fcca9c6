//! What becomes of mails that are due.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use latchkey::{
    error::Error,
    mail::{census, deliver::Composed, outbox},
};
use serde_json::json;

use super::{Postman, counted, mail, put, put_all, to, words};
use crate::{
    on_both,
    support::{TestServer, mail_server::closed_port},
};

on_both!(
    what_is_due_is_sent_once,
    the_longest_due_are_sent_first_in_batches,
    pauses_grow_while_no_server_answers,
    a_server_that_is_away_is_asked_once_for_many_mails,
    a_mail_is_given_up_when_it_is_of_no_use_any_more,
    nothing_to_say_any_more_drops_a_mail_and_no_other,
    one_mail_without_words_does_not_hold_up_the_others,
    one_mail_whose_words_take_too_long_does_not_hold_up_the_others,
    a_database_that_is_away_stops_the_round,
    an_address_that_is_none_is_refused_at_once,
    what_a_killed_process_left_behind_is_sent_under_the_same_id,
    whoever_lost_the_lease_changes_nothing,
    settled_mails_are_forgotten_after_thirty_days,
    a_round_that_has_to_end_leaves_the_rest_as_it_was,
    a_clock_that_is_set_back_makes_nothing_due_again,
);

fn files(server: &TestServer) -> usize {
    std::fs::read_dir(server.mail_folder()).map_or(0, Iterator::count)
}

async fn what_is_due_is_sent_once(server: TestServer) {
    put(&server, "a", to("a@example.com"), None);
    let postman = Postman::of(&server);
    assert_eq!(postman.round().await, counted(1, 0, 0, 0));
    assert_eq!(postman.round().await, counted(0, 0, 0, 0));
    let mail = mail(&server, "a");
    assert_eq!((mail.state.as_str(), mail.attempts), ("sent", 1));
    assert_eq!(mail.settled_at, Some(server.now()));
    assert_eq!(mail.last_error, None);
    assert_eq!(files(&server), 1);
}

async fn the_longest_due_are_sent_first_in_batches(server: TestServer) {
    let mails = |range: std::ops::Range<u32>| {
        range
            .map(|n| (format!("m{n}"), to("a@example.com")))
            .collect::<Vec<_>>()
    };
    server.clock.advance(TimeDelta::hours(1));
    put_all(&server, mails(0..30), None);
    server.clock.advance(TimeDelta::hours(-1));
    put_all(&server, mails(30..60), None);
    server.clock.advance(TimeDelta::hours(1));
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let postman = Postman::of(&server).composing(move |_, email| {
        seen.lock().unwrap().push(email.key.clone());
        Ok(words(email))
    });
    assert_eq!(postman.round().await, counted(60, 0, 0, 0));
    let expected: Vec<String> = (30..60).chain(0..30).map(|n| format!("m{n}")).collect();
    assert_eq!(*order.lock().unwrap(), expected);
    assert_eq!(files(&server), 60);
}

async fn pauses_grow_while_no_server_answers(server: TestServer) {
    put(&server, "a", to("a@example.com"), None);
    let url = format!("smtp://ann:s3cret@127.0.0.1:{}", closed_port());
    let postman = Postman::to(&server, &url);
    for (attempt, minutes) in [1, 5, 30, 120, 360, 360].into_iter().enumerate() {
        let round = postman.round().await;
        assert_eq!((round.sent, round.retried), (0, 1), "{round:?}");
        let reason = round.stopped.unwrap();
        assert!(
            reason.contains("refused") && !reason.contains("s3cret"),
            "{reason}"
        );
        let mail = mail(&server, "a");
        assert_eq!(mail.state, "waiting");
        assert_eq!(mail.attempts, attempt as i64 + 1);
        assert_eq!(mail.due_at, server.now() + TimeDelta::minutes(minutes));
        assert_eq!(mail.last_error, Some(reason));
        server
            .clock
            .advance(TimeDelta::minutes(minutes) - TimeDelta::seconds(1));
        assert_eq!(
            postman.round().await,
            counted(0, 0, 0, 0),
            "not before its time"
        );
        server.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(Postman::of(&server).round().await, counted(1, 0, 0, 0));
}

async fn a_server_that_is_away_is_asked_once_for_many_mails(server: TestServer) {
    let mails = (0..2_345)
        .map(|n| (format!("m{n}"), to("a@example.com")))
        .collect();
    put_all(&server, mails, None);
    server.sql("UPDATE emails SET attempts = 3 WHERE key = 'm7'");
    let composed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&composed);
    let url = format!("smtp://127.0.0.1:{}", closed_port());
    let postman = Postman::to(&server, &url).composing(move |_, email| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(words(email))
    });
    let round = postman.round().await;
    assert_eq!((round.sent, round.retried), (0, 2_345));
    assert!(composed.load(Ordering::SeqCst) <= 20, "one batch is enough");
    assert_eq!(server.count("emails", "state = 'waiting'"), 2_345);
    assert_eq!(server.count("emails", "attempts = 1"), 2_344);
    let later = mail(&server, "m7");
    assert_eq!(
        later.due_at,
        server.now() + TimeDelta::hours(2),
        "each its own pause"
    );
}

async fn a_mail_is_given_up_when_it_is_of_no_use_any_more(server: TestServer) {
    let end = server.now() + TimeDelta::minutes(3);
    put(&server, "a", to("a@example.com"), Some(end));
    let url = format!("smtp://127.0.0.1:{}", closed_port());
    let postman = Postman::to(&server, &url);
    assert_eq!(postman.round().await.retried, 1);
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(postman.round().await.retried, 1);
    assert_eq!(mail(&server, "a").due_at, end, "not put off beyond its end");
    server.clock.set(end);
    assert_eq!(postman.round().await, counted(0, 0, 0, 1));
    let mail = mail(&server, "a");
    assert_eq!(mail.state, "dropped");
    assert!(
        mail.last_error.unwrap().contains("refused"),
        "the last reason is kept"
    );
}

async fn nothing_to_say_any_more_drops_a_mail_and_no_other(server: TestServer) {
    put(&server, "a", json!({}), None);
    put(&server, "b", json!({}), None);
    let postman = Postman::of(&server).composing(|_, email| {
        Ok(match email.key.as_str() {
            "a" => Composed::Drop("The person was blocked".into()),
            _ => words(email),
        })
    });
    assert_eq!(postman.round().await, counted(1, 0, 0, 1));
    let dropped = mail(&server, "a");
    assert_eq!(dropped.state, "dropped");
    assert_eq!(
        dropped.last_error.as_deref(),
        Some("The person was blocked")
    );
    assert_eq!(mail(&server, "b").state, "sent");
}

async fn one_mail_without_words_does_not_hold_up_the_others(server: TestServer) {
    for key in ["a", "b", "c"] {
        put(&server, key, json!({}), None);
    }
    let postman = Postman::of(&server).composing(|conn, email| {
        if email.key == "b" {
            // What a bug would do: a query that can't work takes a transaction on PostgreSQL along.
            use diesel::prelude::*;
            use latchkey::db::schema::emails;
            diesel::update(emails::table.find(email.id))
                .set(emails::state.eq("nonsense"))
                .execute(conn)?;
        }
        Ok(words(email))
    });
    assert_eq!(postman.round().await, counted(2, 1, 0, 0));
    let left = mail(&server, "b");
    assert_eq!((left.state.as_str(), left.attempts), ("waiting", 1));
    assert_eq!(left.due_at, server.now() + TimeDelta::minutes(1));
}

async fn one_mail_whose_words_take_too_long_does_not_hold_up_the_others(server: TestServer) {
    // The other database ends no statement.
    if !server.is_on_postgres() {
        return;
    }
    for key in ["a", "b", "c"] {
        put(&server, key, json!({}), None);
    }
    let postman = Postman::of(&server).composing(|conn, email| {
        if email.key == "a" {
            use diesel::connection::SimpleConnection;
            conn.batch_execute("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)")?;
        }
        Ok(words(email))
    });
    assert_eq!(postman.round().await, counted(2, 1, 0, 0));
    let slow = mail(&server, "a");
    assert_eq!((slow.state.as_str(), slow.attempts), ("waiting", 1));
    assert_eq!(slow.due_at, server.now() + TimeDelta::minutes(1));
    assert_eq!(files(&server), 2);
}

async fn a_database_that_is_away_stops_the_round(server: TestServer) {
    for key in ["a", "b"] {
        put(&server, key, json!({}), None);
    }
    let postman = Postman::of(&server).composing(|_, _| {
        let gone = "server closed the connection unexpectedly".to_owned();
        let gone = diesel::result::Error::DatabaseError(
            diesel::result::DatabaseErrorKind::ClosedConnection,
            Box::new(gone),
        );
        Err(gone.into())
    });
    let outcome = postman.attempt().await;
    assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
    for key in ["a", "b"] {
        let mail = mail(&server, key);
        assert_eq!(
            (mail.state.as_str(), mail.attempts),
            ("waiting", 0),
            "{key}"
        );
    }
}

async fn an_address_that_is_none_is_refused_at_once(server: TestServer) {
    put(&server, "a", to("a b@example.com"), None);
    put(&server, "b", to("b@example.com"), None);
    assert_eq!(Postman::of(&server).round().await, counted(1, 0, 1, 0));
    let refused = mail(&server, "a");
    assert_eq!(refused.state, "refused");
    assert!(!refused.last_error.unwrap().contains('@'));
}

async fn what_a_killed_process_left_behind_is_sent_under_the_same_id(server: TestServer) {
    put(&server, "a", to("a@example.com"), None);
    let postman = Postman::of(&server);
    postman.round().await;
    // As if the process had ended between the file and the commit.
    server.sql("UPDATE emails SET state = 'sending', settled_at = NULL");
    assert_eq!(postman.round().await, counted(1, 0, 0, 0));
    assert_eq!(files(&server), 1, "the same id is the same file");
    assert_eq!(mail(&server, "a").attempts, 2);
}

async fn whoever_lost_the_lease_changes_nothing(server: TestServer) {
    put(&server, "a", to("a@example.com"), None);
    let lost = || Error::Conflict("The lease is somebody else's".into());
    let postman = Postman::of(&server).guarded(move |_| Err(lost()));
    assert!(matches!(postman.attempt().await, Err(Error::Conflict(_))));
    assert_eq!(mail(&server, "a").attempts, 0);
    assert_eq!(files(&server), 0);

    // Lost after the mail was claimed: the other node sends it again, under the same id.
    let held = AtomicBool::new(true);
    let postman = Postman::of(&server).guarded(move |_| {
        if held.swap(false, Ordering::SeqCst) {
            Ok(())
        } else {
            Err(lost())
        }
    });
    assert!(matches!(postman.attempt().await, Err(Error::Conflict(_))));
    assert_eq!(mail(&server, "a").state, "sending");
    assert_eq!(Postman::of(&server).round().await, counted(1, 0, 0, 0));
    assert_eq!(files(&server), 1);
}

async fn settled_mails_are_forgotten_after_thirty_days(server: TestServer) {
    let mails = (0..1_001)
        .map(|n| (format!("m{n}"), to("a@example.com")))
        .collect();
    put_all(&server, mails, None);
    server.sql("UPDATE emails SET state = 'sent', settled_at = created_at WHERE key <> 'm5'");
    let purge = |server: &TestServer| server.arrange(|conn, ctx| outbox::purge(conn, ctx.now));
    server.clock.advance(TimeDelta::days(30));
    assert_eq!(purge(&server), 0);
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(purge(&server), 1_000);
    assert_eq!(
        server.count("emails", "TRUE"),
        1,
        "what waits isn't forgotten"
    );
    let left = server.arrange(|conn, _| census::count_all(conn));
    assert_eq!(left.counts.waiting, 1);
    assert_eq!(
        left.oldest_waiting,
        Some(server.now() - TimeDelta::days(30) - TimeDelta::seconds(1))
    );
}

async fn a_round_that_has_to_end_leaves_the_rest_as_it_was(server: TestServer) {
    let mails = (0..30)
        .map(|n| (format!("m{n}"), to("a@example.com")))
        .collect();
    put_all(&server, mails, None);
    let asked = AtomicUsize::new(0);
    let postman = Postman::of(&server);
    let round = postman
        .attempt_while(|| asked.fetch_add(1, Ordering::SeqCst) < 6)
        .await
        .unwrap();
    assert_eq!(
        round,
        counted(5, 0, 0, 0),
        "it is asked before the batch and before each mail"
    );
    assert_eq!(
        server.count("emails", "state = 'waiting' AND attempts = 0"),
        25
    );
    assert_eq!(postman.round().await, counted(25, 0, 0, 0));
    assert_eq!(files(&server), 30);
}

async fn a_clock_that_is_set_back_makes_nothing_due_again(server: TestServer) {
    put(&server, "a", json!({}), None);
    let began = server.now();
    let postman = Postman::of(&server)
        .composing(|_, _| Err(Error::internal(diesel::result::Error::NotFound.into())));
    let clock = server.clock.clone();
    let asked = AtomicBool::new(false);
    let round = postman
        .attempt_while(|| {
            if !asked.swap(true, Ordering::SeqCst) {
                clock.advance(TimeDelta::hours(-1));
            }
            true
        })
        .await
        .unwrap();
    assert_eq!(round, counted(0, 1, 0, 0), "once, not again and again");
    let mail = mail(&server, "a");
    assert_eq!(mail.attempts, 1);
    assert_eq!(mail.due_at, began + TimeDelta::minutes(1));
}
