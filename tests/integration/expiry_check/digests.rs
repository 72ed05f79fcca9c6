//! One mail a day for those who want it so.

use super::*;

on_both!(
    who_wants_a_digest_gets_one_mail_of_the_day_whatever_ends,
    what_comes_after_todays_digest_waits_for_tomorrows,
    own_tokens_are_told_in_one_mail_for_each_interval,
    what_was_put_down_for_a_digest_is_told_after_the_digest_was_given_up,
    a_digest_of_very_many_tokens_is_gathered_and_told,
);

impl TestServer {
    fn wants_digest(&self, person: &Person) {
        self.sql(&format!(
            "UPDATE users SET expiry_mails = 'digest' WHERE id = {}",
            person.id
        ));
    }
}

async fn who_wants_a_digest_gets_one_mail_of_the_day_whatever_ends(server: TestServer) {
    let (acme, alice) = acme(&server);
    let bo = server.person("bo").create();
    acme.member(&bo, AccessLevel::Owner);
    server.wants_digest(&alice);
    server.flag(FLAG, true);
    server.tokens_with(&acme, [3, 20, 50]);
    let counts = server.run_job(Job::ExpiryCheck).await;
    assert_eq!((counts["notices"], counts["mails"]), (6, 4));
    let of = |person: &Person, kind: &str| {
        server.count(
            "emails",
            &format!("user_id = {} AND kind = '{kind}'", person.id),
        )
    };
    assert_eq!(
        (of(&alice, "expiry_digest"), of(&alice, "token_expiring")),
        (1, 0)
    );
    assert_eq!(
        (of(&bo, "expiry_digest"), of(&bo, "token_expiring")),
        (0, 3)
    );
    assert_eq!(server.count("expiry_notices", "email_key IS NULL"), 0);
}

async fn what_comes_after_todays_digest_waits_for_tomorrows(server: TestServer) {
    let (acme, alice) = acme(&server);
    server.wants_digest(&alice);
    server.tokens_with(&acme, [3]);
    server.run_job(Job::ExpiryCheck).await;
    server.tokens_with(&acme, [4]);
    assert_eq!(server.run_job(Job::ExpiryCheck).await["mails"], 0);
    server.clock.advance(TimeDelta::days(1));
    assert_eq!(server.run_job(Job::ExpiryCheck).await["mails"], 1);
    assert_eq!(server.count("emails", "kind = 'expiry_digest'"), 2);
    assert_eq!(server.count("expiry_notices", ""), 2);
}

async fn own_tokens_are_told_in_one_mail_for_each_interval(server: TestServer) {
    let (_, alice) = acme(&server);
    server.flag(FLAG, true);
    for days in [2, 3, 40] {
        let token = alice.personal_token([latchkey::access_tokens::scope::Scope::Api]);
        let ends = server.days_ahead(days);
        server.sql(&format!(
            "UPDATE access_tokens SET expires_at = '{ends}' WHERE id = {}",
            token.id
        ));
    }
    let counts = server.run_job(Job::ExpiryCheck).await;
    assert_eq!((counts["notices"], counts["mails"]), (3, 2));
}

async fn what_was_put_down_for_a_digest_is_told_after_the_digest_was_given_up(server: TestServer) {
    use latchkey::notices::{check, gather};
    let (acme, alice) = acme(&server);
    server.wants_digest(&alice);
    server.tokens_with(&acme, [3]);
    server.arrange(|conn, ctx| check::step(conn, ctx, ctx.now, check::Cursor::start()));
    server.sql("UPDATE users SET expiry_mails = 'single'");
    server.arrange(|conn, ctx| gather::step(conn, ctx, ctx.now, 0));
    assert_eq!(server.count("emails", "kind = 'expiry_digest'"), 1);
    assert_eq!(server.run_job(Job::DeliverMail).await["sent"], 1);
}

async fn a_digest_of_very_many_tokens_is_gathered_and_told(server: TestServer) {
    let (acme, alice) = acme(&server);
    server.wants_digest(&alice);
    acme.token("first").expires(&server.days_ahead(3)).create();
    server.copies(40_000);
    assert_eq!(server.run_job(Job::ExpiryCheck).await["mails"], 1);
    assert_eq!(server.count("expiry_notices", "email_key IS NULL"), 0);
    assert_eq!(server.run_job(Job::DeliverMail).await["sent"], 1);
    let mails: Vec<_> = std::fs::read_dir(server.mail_folder()).unwrap().collect();
    let text = std::fs::read_to_string(mails[0].as_ref().unwrap().path()).unwrap();
    assert!(text.contains("40001 access tokens expire soon"), "{text}");
    assert!(text.contains("And 39901 more."));
}
