//! Guessing passwords is slow.

use chrono::TimeDelta;

use crate::on_both;
use crate::support::{Answer, PASSWORD, TestServer, Visitor};

on_both![
    the_sixth_attempt_waits_even_with_the_right_password,
    a_wait_concerns_one_account_only,
    headers_that_name_another_address_change_nothing,
    an_address_that_tries_many_names_waits,
    many_at_once_get_no_more_tries_than_one_after_the_other,
    the_limits_are_settings,
    name_and_address_are_one_account,
    nobody_learns_that_two_logins_are_one_account,
];

const WRONG: &str = "a horse that forgot its batteries";

async fn fail(server: &TestServer, login: &str, times: usize) {
    for time in 1..=times {
        let answer = server.visitor().sign_in(login, WRONG).await;
        assert_eq!(answer.status, 422, "attempt {time} of {login}");
    }
}

#[track_caller]
fn seconds_to_wait(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 429, "{}", answer.text());
    let seconds = answer
        .header("retry-after")
        .parse()
        .expect("Retry-After is in seconds");
    assert!((1..=600).contains(&seconds), "{seconds}");
    seconds
}

async fn the_sixth_attempt_waits_even_with_the_right_password(server: TestServer) {
    let alice = server.person("alice").create();
    let open = alice.signs_in().await;
    fail(&server, "alice", 5).await;

    let wrong = server.visitor().sign_in("alice", WRONG).await;
    let right = server.visitor().sign_in("alice", PASSWORD).await;
    let seconds = seconds_to_wait(&wrong);
    assert!(
        wrong
            .page()
            .says("Too many attempts. Try again in 10 minutes."),
        "{}",
        wrong.page().main()
    );
    assert_eq!(right.comparable(), wrong.comparable());
    assert!(
        open.is_signed_in().await,
        "an open session is not concerned"
    );
    let other_names = server.visitor().sign_in("ALICE", PASSWORD).await;
    seconds_to_wait(&other_names);

    server.clock.advance(TimeDelta::seconds(seconds - 1));
    seconds_to_wait(&server.visitor().sign_in("alice", PASSWORD).await);
    server.clock.advance(TimeDelta::seconds(601));
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);
}

async fn a_wait_concerns_one_account_only(server: TestServer) {
    server.person("alice").create();
    server.person("bob").create();
    fail(&server, "alice", 5).await;
    seconds_to_wait(&server.visitor().sign_in("alice", PASSWORD).await);
    server.visitor().sign_in("bob", PASSWORD).await.expect(303);

    // A name that nobody has waits like any other.
    fail(&server, "nobody", 5).await;
    seconds_to_wait(&server.visitor().sign_in("nobody", WRONG).await);
}

async fn headers_that_name_another_address_change_nothing(server: TestServer) {
    server.person("alice").create();
    let attempt = async |number: usize, password: &str| {
        let visitor: Visitor = server.visitor();
        let form = visitor.open("/users/sign_in").await.form("/users/sign_in");
        let form = form
            .fill("user[login]", "alice")
            .fill("user[password]", password);
        let address = format!("203.0.{number}.7");
        let forwarded = format!("for={address};proto=https");
        let headers = [
            ("X-Forwarded-For", address.as_str()),
            ("X-Real-IP", address.as_str()),
            ("Forwarded", forwarded.as_str()),
            ("True-Client-IP", address.as_str()),
        ];
        visitor.submit_with(&form, &headers).await
    };
    for number in 1..=5 {
        attempt(number, WRONG).await.expect(422);
    }
    seconds_to_wait(&attempt(6, PASSWORD).await);
    assert_eq!(server.count("audit_events", "ip LIKE '203.%'"), 0);
    assert!(
        server.count(
            "audit_events",
            "ip = '127.0.0.1' AND event = 'user_sign_in_failed'"
        ) > 0
    );
}

async fn an_address_that_tries_many_names_waits(server: TestServer) {
    server.person("alice").create();
    for number in 0..30 {
        fail(&server, &format!("person{number}"), 1).await;
    }
    seconds_to_wait(&server.visitor().sign_in("person30", WRONG).await);
    seconds_to_wait(&server.visitor().sign_in("alice", PASSWORD).await);
    server
        .clock
        .advance(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);
}

async fn many_at_once_get_no_more_tries_than_one_after_the_other(server: TestServer) {
    server.person("alice").create();
    let tries = (0..12).map(|_| {
        let server = server.clone();
        async move { server.visitor().sign_in("alice", WRONG).await.status }
    });
    let mut statuses = Vec::new();
    let mut running: tokio::task::JoinSet<u16> = tokio::task::JoinSet::new();
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            for one in tries {
                running.spawn_local(one);
            }
            while let Some(status) = running.join_next().await {
                statuses.push(status.unwrap());
            }
        })
        .await;
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [[422; 5].as_slice(), [429; 7].as_slice()].concat()
    );
}

async fn the_limits_are_settings(server: TestServer) {
    server.person("alice").create();
    server.set("sign_in_failures_per_account", "1");
    fail(&server, "alice", 1).await;
    seconds_to_wait(&server.visitor().sign_in("alice", PASSWORD).await);
    server.set("sign_in_failures_per_account", "0");
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);

    server.set("sign_in_failures_per_address", "2");
    fail(&server, "bob", 2).await;
    seconds_to_wait(&server.visitor().sign_in("alice", PASSWORD).await);
    server.set("sign_in_failures_per_address", "0");
    server
        .visitor()
        .sign_in("alice", PASSWORD)
        .await
        .expect(303);
}

async fn name_and_address_are_one_account(server: TestServer) {
    let alice = server.person("alice").create();
    fail(&server, "alice", 3).await;
    fail(&server, &alice.user.email, 2).await;
    for login in ["alice", &alice.user.email] {
        let answer = server.visitor().sign_in(login, PASSWORD).await;
        assert_eq!(answer.status, 422, "not even the right password");
    }
    let event = server.the_event("user_throttled");
    assert_eq!((event.target_id, event.occurrences), (Some(alice.id), 2));
    server
        .clock
        .advance(TimeDelta::minutes(10) + TimeDelta::seconds(1));
    for login in ["alice", &alice.user.email] {
        server.visitor().sign_in(login, PASSWORD).await.expect(303);
    }
}

async fn nobody_learns_that_two_logins_are_one_account(server: TestServer) {
    let alice = server.person("alice").create();
    fail(&server, "alice", 5).await;
    seconds_to_wait(&server.visitor().sign_in("alice", WRONG).await);
    let mut answers = Vec::new();
    for login in [alice.user.email.as_str(), "nobod@example.com"] {
        let mut told = Vec::new();
        for _ in 0..7 {
            let answer = server.visitor().sign_in(login, WRONG).await;
            let (status, headers, text) = answer.comparable();
            told.push((status, headers, text.replace(login, "{login}")));
        }
        answers.push(told);
    }
    assert!(answers[0] == answers[1], "not the same answers");
    let statuses: Vec<u16> = answers[0].iter().map(|answer| answer.0).collect();
    assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429]);
}
