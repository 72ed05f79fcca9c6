//! Mail over SMTP, to a server that others wrote.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use latchkey::mail::{Post, SmtpUrl};
use serde_json::json;

use super::{Postman, counted, mail, put, put_all, to};
use crate::{
    on_both, on_sqlite,
    support::{MailServer, TestServer, mail_server::Authority},
};

on_both!(
    a_mail_arrives_as_it_was_meant,
    what_people_typed_stays_where_it_belongs,
    a_connection_carries_many_mails_and_more_are_opened_for_more,
    a_server_that_ends_long_conversations_gets_every_mail_once,
    a_refused_recipient_stops_nobody_else,
    a_recipient_who_is_refused_for_now_is_asked_again,
    a_recipient_who_is_refused_while_the_clock_is_set_back_is_asked_once,
    mails_that_break_connections_go_behind_those_that_were_never_tried,
    a_sender_who_is_refused_is_the_operators_mistake,
    whoever_signs_in_may_send,
    a_wrong_password_settles_nothing,
);

on_sqlite!(
    starttls_is_demanded_where_it_is_required,
    starttls_is_taken_where_it_is_offered,
    tls_from_the_first_byte,
    a_certificate_of_somebody_else_stops_the_mail,
    a_server_that_says_nothing_is_waited_for_ten_seconds,
    an_address_outside_of_ascii_is_refused_where_the_server_knows_ascii_only,
);

async fn a_mail_arrives_as_it_was_meant(server: TestServer) {
    let Some(smtp) = MailServer::start() else {
        return;
    };
    let text = "Hello Zoë,\n\nhttps://tokens.example.com/a?b=c&d=e\n.\n..\nFrom here\n";
    put(
        &server,
        "a",
        json!({ "to": "zoe@example.com", "name": "Zoë Ünal, Ltd.", "subject": "Ein Schlüssel – 鍵", "text": text, "html": "<p>Hello Zoë</p>" }),
        None,
    );
    assert_eq!(
        Postman::to(&server, &smtp.url()).round().await,
        counted(1, 0, 0, 0)
    );
    let mails = smtp.mails(1);
    let mail = &mails[0];
    assert_eq!(mail.noted("sender"), "latchkey@noreply.tokens.example.com");
    assert_eq!(mail.noted("hello"), "tokens.example.com");
    assert_eq!(mail.recipients(), ["zoe@example.com"]);
    assert_eq!(
        mail.header("From"),
        "Latchkey <latchkey@noreply.tokens.example.com>"
    );
    assert_eq!(mail.header("To"), "\"Zoë Ünal, Ltd.\" <zoe@example.com>");
    assert_eq!(mail.header("Subject"), "Ein Schlüssel – 鍵");
    assert_eq!(mail.header("Date"), "Fri, 20 Nov 2026 10:00:00 +0000");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("Message-ID").ends_with("@tokens.example.com>"));
    assert_eq!(mail.noted("type"), "multipart/alternative");
    assert_eq!(mail.text().trim_end(), text.trim_end());
    assert_eq!(mail.html().trim_end(), "<p>Hello Zoë</p>");
}

async fn what_people_typed_stays_where_it_belongs(server: TestServer) {
    let Some(smtp) = MailServer::start() else {
        return;
    };
    let typed = "x\r\nBcc: eve@example.com\r\n\r\n.\r\nMAIL FROM:<eve@example.com>";
    let long = "日本 ".repeat(2_000);
    for (key, text) in [("a", typed), ("b", &long), ("c", "\"<eve@example.com>\", ")] {
        let data = json!({ "name": text, "subject": text, "text": text, "html": text });
        put(&server, key, data, None);
    }
    assert_eq!(
        Postman::to(&server, &smtp.url()).round().await,
        counted(3, 0, 0, 0)
    );
    for mail in smtp.mails(3) {
        assert_eq!(mail.recipients(), ["somebody@example.com"]);
        let expected = [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        ];
        assert_eq!(mail.headers(), expected);
        assert!(mail.header("To").ends_with("<somebody@example.com>"));
    }
}

async fn a_connection_carries_many_mails_and_more_are_opened_for_more(server: TestServer) {
    let Some(smtp) = MailServer::start() else {
        return;
    };
    put(&server, "one", to("a@example.com"), None);
    put(&server, "two", to("b@example.com"), None);
    let postman = Postman::to(&server, &smtp.url());
    postman.round().await;
    assert!(smtp.connections() <= 2);
    let mails = (0..50)
        .map(|n| (format!("m{n}"), to("a@example.com")))
        .collect();
    put_all(&server, mails, None);
    assert_eq!(postman.round().await, counted(50, 0, 0, 0));
    smtp.mails(52);
    assert!(
        smtp.connections() <= 6,
        "{} connections",
        smtp.connections()
    );
}

async fn a_server_that_ends_long_conversations_gets_every_mail_once(server: TestServer) {
    let Some(smtp) = MailServer::that(json!({ "per_connection": 3 })) else {
        return;
    };
    let mails = (0..40)
        .map(|n| (format!("m{n}"), to("a@example.com")))
        .collect();
    put_all(&server, mails, None);
    assert_eq!(
        Postman::to(&server, &smtp.url()).round().await,
        counted(40, 0, 0, 0)
    );
    smtp.mails(40);
}

async fn a_refused_recipient_stops_nobody_else(server: TestServer) {
    let answers = json!({ "answers": {
        "rcpt:bob@example.com": "550 5.1.1 <bob@example.com> no such user, ask eve@example.com",
        "data:dave@example.com": "554 5.7.1 Not in this house",
    }});
    let Some(smtp) = MailServer::that(answers) else {
        return;
    };
    for key in ["alice", "bob", "carol", "dave"] {
        put(&server, key, to(&format!("{key}@example.com")), None);
    }
    let postman = Postman::to(&server, &smtp.url());
    assert_eq!(postman.round().await, counted(2, 0, 2, 0));
    let refused = mail(&server, "bob");
    assert_eq!(refused.state, "refused");
    assert_eq!(
        refused.last_error.as_deref(),
        Some("550 5.1.1 [address] no such user, ask [address]")
    );
    assert_eq!(
        mail(&server, "dave").last_error.as_deref(),
        Some("554 5.7.1 Not in this house")
    );
    smtp.mails(2);
    server.clock.advance(TimeDelta::days(2));
    assert_eq!(
        postman.round().await,
        counted(0, 0, 0, 0),
        "refused is refused"
    );
}

async fn a_recipient_who_is_refused_for_now_is_asked_again(server: TestServer) {
    let wishes = json!({ "answers": { "rcpt:bob@example.com": "451 4.7.1 Greylisted", "data:carol@example.com": "452 4.2.2 Full" }});
    let Some(smtp) = MailServer::that(wishes) else {
        return;
    };
    for key in ["alice", "bob", "carol"] {
        put(&server, key, to(&format!("{key}@example.com")), None);
    }
    let postman = Postman::to(&server, &smtp.url());
    assert_eq!(postman.round().await, counted(1, 2, 0, 0));
    let waiting = mail(&server, "bob");
    assert_eq!(waiting.last_error.as_deref(), Some("451 4.7.1 Greylisted"));
    assert_eq!(waiting.due_at, server.now() + TimeDelta::minutes(1));
    let port = smtp.stop();
    let Some(smtp) = MailServer::that(json!({ "port": port })) else {
        return;
    };
    assert_eq!(postman.round().await, counted(0, 0, 0, 0));
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(postman.round().await, counted(2, 0, 0, 0));
    smtp.mails(2);
}

async fn a_recipient_who_is_refused_while_the_clock_is_set_back_is_asked_once(server: TestServer) {
    let wishes = json!({ "answers": { "rcpt:bob@example.com": "450 4.2.1 Later" } });
    let Some(smtp) = MailServer::that(wishes) else {
        return;
    };
    put(&server, "a", to("bob@example.com"), None);
    let began = server.now();
    let asked = AtomicBool::new(false);
    let round = Postman::to(&server, &smtp.url())
        .attempt_while(|| {
            if !asked.swap(true, Ordering::SeqCst) {
                server.clock.advance(TimeDelta::hours(-1));
            }
            true
        })
        .await
        .unwrap();
    assert_eq!(round, counted(0, 1, 0, 0));
    let mail = mail(&server, "a");
    assert_eq!(mail.attempts, 1);
    assert_eq!(mail.due_at, began + TimeDelta::minutes(1));
}

async fn mails_that_break_connections_go_behind_those_that_were_never_tried(server: TestServer) {
    let Some(smtp) = MailServer::that(json!({ "drops": ["poison@example.com"] })) else {
        return;
    };
    let mails = |name: &str, number: u32| {
        (0..number)
            .map(|n| (format!("{name}{n}"), to(&format!("{name}@example.com"))))
            .collect::<Vec<_>>()
    };
    put_all(&server, mails("poison", 12), None);
    put_all(&server, mails("good", 30), None);
    let postman = Postman::to(&server, &smtp.url());
    let first = postman.round().await;
    assert!(first.stopped.is_some(), "{first:?}");
    assert!((3..12).contains(&first.retried), "{first:?}");
    let untried = 42 - i64::try_from(first.retried + first.sent).unwrap();
    assert_eq!(
        server.count("emails", "state = 'waiting' AND attempts = 0"),
        untried,
        "they have failed at nothing"
    );
    // Each round gets further, although the clock stands still: what was put off isn't due.
    for _ in 0..5 {
        postman.round().await;
    }
    assert_eq!(server.count("emails", "state = 'sent'"), 30);
    assert_eq!(
        server.count("emails", "state = 'waiting' AND attempts = 1"),
        12,
        "nothing was tried twice before everything was tried once"
    );
    smtp.mails(30);
}

async fn a_sender_who_is_refused_is_the_operators_mistake(server: TestServer) {
    let wishes = json!({ "answers": { "mail:*": "553 5.7.1 Sender not allowed" } });
    let Some(smtp) = MailServer::that(wishes) else {
        return;
    };
    for key in ["a", "b"] {
        put(&server, key, to("a@example.com"), None);
    }
    let round = Postman::to(&server, &smtp.url()).round().await;
    assert_eq!((round.retried, round.refused), (2, 0), "{round:?}");
    assert_eq!(
        round.stopped.as_deref(),
        Some("553 5.7.1 Sender not allowed")
    );
}

fn with_login(smtp: &MailServer, login: &str) -> String {
    format!("smtp://{login}@127.0.0.1:{}", smtp.port)
}

async fn whoever_signs_in_may_send(server: TestServer) {
    let wishes = json!({ "user": "ann@example.com", "password": "p@ss:w/örd" });
    let Some(smtp) = MailServer::that(wishes) else {
        return;
    };
    put(&server, "a", to("a@example.com"), None);
    let postman = Postman::to(
        &server,
        &with_login(&smtp, "ann%40example.com:p%40ss%3Aw%2F%C3%B6rd"),
    );
    assert_eq!(postman.round().await, counted(1, 0, 0, 0));
    assert!(smtp.mails(1)[0].is("signed_in"));
}

async fn a_wrong_password_settles_nothing(server: TestServer) {
    let wishes = json!({ "user": "ann", "password": "right" });
    let Some(smtp) = MailServer::that(wishes) else {
        return;
    };
    put(&server, "a", to("a@example.com"), None);
    for login in ["ann:s3cret-wrong@", ""] {
        let postman = Postman::to(&server, &format!("smtp://{login}127.0.0.1:{}", smtp.port));
        let round = postman.round().await;
        assert_eq!((round.retried, round.refused), (1, 0), "{round:?}");
        let reason = mail(&server, "a").last_error.unwrap();
        assert!(
            !reason.contains("s3cret") && !reason.contains("ann"),
            "{reason}"
        );
        assert!(reason.contains("53"), "the server's code: {reason}");
        server.clock.advance(TimeDelta::hours(1));
    }
    let postman = Postman::to(&server, &with_login(&smtp, "ann:right"));
    assert_eq!(postman.round().await, counted(1, 0, 0, 0));
}

/// Sends over TLS, trusting this authority.
fn trusting(server: &TestServer, url: &str, authority: Option<&Authority>) -> Postman {
    let folder = server.mail_folder().parent().unwrap().to_owned();
    Postman::by(
        server,
        &Post {
            smtp: Some(SmtpUrl::parse(url).unwrap()),
            ca_file: authority.map(|authority| authority.write_to(&folder)),
            ..Post::to_folder(server.mail_folder())
        },
    )
}

async fn starttls_is_demanded_where_it_is_required(server: TestServer) {
    let authority = Authority::new();
    let wishes = json!({ "tls": "starttls" });
    let Some(smtp) = MailServer::certified(wishes, &authority, "127.0.0.1") else {
        return;
    };
    put(&server, "a", to("a@example.com"), None);
    let url = format!("{}?tls=required", smtp.url());
    assert_eq!(
        trusting(&server, &url, Some(&authority)).round().await,
        counted(1, 0, 0, 0)
    );
    assert!(smtp.mails(1)[0].is("tls"));

    let Some(plain) = MailServer::start() else {
        return;
    };
    put(&server, "b", to("a@example.com"), None);
    let url = format!("{}?tls=required", plain.url());
    let round = trusting(&server, &url, Some(&authority)).round().await;
    assert_eq!((round.sent, round.retried), (0, 1));
    assert!(round.stopped.unwrap().contains("offers no STARTTLS"));
    plain.mails(0);
}

async fn starttls_is_taken_where_it_is_offered(server: TestServer) {
    let authority = Authority::new();
    let wishes = json!({ "tls": "starttls" });
    let Some(smtp) = MailServer::certified(wishes, &authority, "127.0.0.1") else {
        return;
    };
    let Some(plain) = MailServer::start() else {
        return;
    };
    for (key, target, encrypted) in [("a", &smtp, true), ("b", &plain, false)] {
        put(&server, key, to("a@example.com"), None);
        let url = format!("{}?tls=opportunistic", target.url());
        let postman = trusting(&server, &url, Some(&authority));
        assert_eq!(postman.round().await, counted(1, 0, 0, 0));
        assert_eq!(target.mails(1)[0].is("tls"), encrypted);
    }
}

async fn tls_from_the_first_byte(server: TestServer) {
    let authority = Authority::new();
    let wishes = json!({ "tls": "implicit", "user": "ann", "password": "right" });
    let Some(smtp) = MailServer::certified(wishes, &authority, "127.0.0.1") else {
        return;
    };
    put(&server, "a", to("a@example.com"), None);
    let url = format!("smtps://ann:right@127.0.0.1:{}", smtp.port);
    assert_eq!(
        trusting(&server, &url, Some(&authority)).round().await,
        counted(1, 0, 0, 0)
    );
    assert!(smtp.mails(1)[0].is("tls"));
}

async fn a_certificate_of_somebody_else_stops_the_mail(server: TestServer) {
    let authority = Authority::new();
    let stranger = Authority::new();
    put(&server, "a", to("a@example.com"), None);
    for (tls, scheme, end) in [
        ("implicit", "smtps", ""),
        ("starttls", "smtp", "?tls=required"),
    ] {
        for (name, trusted, what) in [
            (
                "127.0.0.1",
                Some(&stranger),
                "an authority that isn't trusted",
            ),
            (
                "127.0.0.1",
                None,
                "an authority that the machine doesn't know",
            ),
            ("mail.example.com", Some(&authority), "another name"),
        ] {
            let wishes = json!({ "tls": tls });
            let Some(smtp) = MailServer::certified(wishes, &authority, name) else {
                return;
            };
            let url = format!("{scheme}://127.0.0.1:{}{end}", smtp.port);
            let round = trusting(&server, &url, trusted).round().await;
            assert_eq!(
                (round.sent, round.retried, round.refused),
                (0, 1, 0),
                "{tls}: {what}"
            );
            assert!(
                round.stopped.unwrap().contains("certificate"),
                "{tls}: {what}"
            );
            smtp.mails(0);
            assert_eq!(smtp.complaints(), "", "{tls}: {what}");
            server.clock.advance(TimeDelta::hours(6));
        }
    }
}

async fn a_server_that_says_nothing_is_waited_for_ten_seconds(server: TestServer) {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    put(&server, "a", to("a@example.com"), None);
    let url = format!("smtp://{}", silent.local_addr().unwrap());
    let began = Instant::now();
    let round = Postman::to(&server, &url).round().await;
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(round.retried, 1);
    assert!(round.stopped.unwrap().contains("didn't answer within 10 s"));
}

async fn an_address_outside_of_ascii_is_refused_where_the_server_knows_ascii_only(
    server: TestServer,
) {
    let Some(ascii) = MailServer::that(json!({ "utf8": false })) else {
        return;
    };
    let Some(utf8) = MailServer::start() else {
        return;
    };
    put(&server, "a", to("zoë@exämple.com"), None);
    put(&server, "b", to("zoe@exämple.com"), None);
    assert_eq!(
        Postman::to(&server, &ascii.url()).round().await,
        counted(1, 0, 1, 0)
    );
    assert_eq!(ascii.mails(1)[0].recipients(), ["zoe@xn--exmple-cua.com"]);
    put(&server, "c", to("zoë@exämple.com"), None);
    assert_eq!(
        Postman::to(&server, &utf8.url()).round().await,
        counted(1, 0, 0, 0)
    );
    assert_eq!(utf8.mails(1)[0].recipients(), ["zoë@xn--exmple-cua.com"]);
}
