//! What arrives: real mails at a real mail server, from the check to the person.

use super::*;
use crate::support::{
    MailServer, Storage,
    mail_server::{Arrived, closed_port},
};
use latchkey::mail::{Post, SmtpUrl};

/// Runs a test on both databases, each with a mail server; skipped, and said so, where one of them is missing.
macro_rules! with_mail {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                #[test]
                fn sqlite() {
                    super::posted(Some(crate::support::Storage::sqlite()), super::$name);
                }

                #[test]
                fn postgres() {
                    super::posted(crate::support::Storage::postgres(), super::$name);
                }
            }
        )+
    };
}

with_mail!(
    a_groups_owner_reads_which_token_of_which_group_ends_and_where_to_go,
    a_projects_maintainer_reads_it_of_the_project,
    the_subject_says_the_interval,
    a_digest_lists_everything_the_most_urgent_first,
    own_tokens_are_listed_up_to_a_hundred_and_the_rest_is_counted,
    who_lost_the_role_or_the_account_meanwhile_is_told_nothing,
    what_was_revoked_meanwhile_is_not_told,
    what_has_ended_meanwhile_is_not_told,
    names_that_people_typed_stay_text,
);

fn posted<F: Future<Output = ()>>(storage: Option<Storage>, test: fn(TestServer, MailServer) -> F) {
    let (Some(storage), Some(mail)) = (storage, MailServer::start()) else {
        return;
    };
    let url = SmtpUrl::parse(&mail.url()).unwrap();
    let server =
        TestServer::with_post(storage, Some("https://tokens.example.com"), |folder| Post {
            smtp: Some(url),
            ..Post::to_folder(folder)
        });
    crate::support::server::runtime().block_on(test(server, mail));
}

async fn told(server: &TestServer, mail: &MailServer, number: usize) -> Vec<Arrived> {
    server.run_job(Job::ExpiryCheck).await;
    server.run_job(Job::DeliverMail).await;
    let mut mails = mail.mails(number);
    mails.sort_by_key(|mail| mail.header("To").to_owned());
    mails
}

async fn a_groups_owner_reads_which_token_of_which_group_ends_and_where_to_go(
    server: TestServer,
    mail: MailServer,
) {
    let (acme, _) = acme(&server);
    let platform = acme.subgroup("platform").create();
    platform.member(&server.person("bo").create(), AccessLevel::Owner);
    platform.token("deploy").expires("2026-11-25").create();
    let mails = told(&server, &mail, 1).await;
    let it = &mails[0];
    assert_eq!(it.recipients(), ["bo@example.com"]);
    assert_eq!(
        it.header("Subject"),
        "Your resource access tokens will expire in 7 days or less"
    );
    for body in [it.text(), it.html()] {
        for part in [
            "Bo",
            "deploy",
            "acme/platform",
            "expires in 7 days or less",
            "25 Nov 2026",
            "https://tokens.example.com/groups/acme/platform/-/settings/access_tokens",
            "because you are an Owner of the group",
        ] {
            assert!(body.contains(part), "{part}: {body}");
        }
        assert!(!body.contains("127.0.0.1"), "{body}");
    }
    insta::assert_snapshot!("group_token_expiring_text", it.text().replace("\r\n", "\n"));
}

async fn a_projects_maintainer_reads_it_of_the_project(server: TestServer, mail: MailServer) {
    let (acme, _) = acme(&server);
    let api = acme.project("api").create();
    api.member(&server.person("bo").create(), AccessLevel::Maintainer);
    api.token("deploy").expires("2026-11-25").create();
    let mails = told(&server, &mail, 1).await;
    for body in [mails[0].text(), mails[0].html()] {
        for part in [
            "Project access token named deploy",
            "acme/api",
            "https://tokens.example.com/acme/api/-/settings/access_tokens",
            "because you are an Owner or Maintainer of the project",
        ] {
            assert!(body.contains(part), "{part}: {body}");
        }
    }
}

async fn the_subject_says_the_interval(server: TestServer, mail: MailServer) {
    let (acme, _) = acme(&server);
    server.flag(FLAG, true);
    server.tokens_with(&acme, [5, 20, 50]);
    let mails = told(&server, &mail, 3).await;
    let subjects: BTreeSet<String> = mails
        .iter()
        .map(|mail| mail.header("Subject").to_owned())
        .collect();
    assert_eq!(
        subjects,
        set([
            "Your resource access tokens will expire in 30 days or less",
            "Your resource access tokens will expire in 60 days or less",
            "Your resource access tokens will expire in 7 days or less",
        ])
    );
    let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 3);
}

async fn a_digest_lists_everything_the_most_urgent_first(server: TestServer, mail: MailServer) {
    let (acme, alice) = acme(&server);
    let api = acme.project("api").create();
    api.member(&alice, AccessLevel::Maintainer);
    server.sql("UPDATE users SET expiry_mails = 'digest'");
    server.flag(FLAG, true);
    server.tokens_with(&acme, [40, 2]);
    api.token("middle").expires(&server.days_ahead(20)).create();
    let mails = told(&server, &mail, 1).await;
    let it = &mails[0];
    assert_eq!(it.header("Subject"), "3 access tokens expire soon");
    let at = |text: &str| {
        it.text()
            .find(text)
            .unwrap_or_else(|| panic!("{}", it.text()))
    };
    assert!(at("22 Nov 2026") < at("middle") && at("middle") < at("30 Dec 2026"));
    for place in ["Group: acme\r\n", "Project: acme/api"] {
        assert!(it.text().contains(place.trim_end()), "{}", it.text());
    }
    insta::assert_snapshot!("digest_text", it.text().replace("\r\n", "\n"));
}

async fn own_tokens_are_listed_up_to_a_hundred_and_the_rest_is_counted(
    server: TestServer,
    mail: MailServer,
) {
    let (_, alice) = acme(&server);
    for _ in 0..103 {
        alice.personal_token([latchkey::access_tokens::scope::Scope::Api]);
    }
    server.sql("DELETE FROM emails");
    let ends = server.days_ahead(5);
    server.sql(&format!("UPDATE access_tokens SET expires_at = '{ends}'"));
    let mails = told(&server, &mail, 1).await;
    let it = &mails[0];
    assert_eq!(
        it.header("Subject"),
        "Your personal access tokens will expire in 7 days or less"
    );
    assert_eq!(it.text().matches("alice's script").count(), 100);
    assert!(it.text().contains("And 3 more."), "{}", it.text());
    assert!(it.html().contains("And 3 more."));
}

async fn who_lost_the_role_or_the_account_meanwhile_is_told_nothing(
    server: TestServer,
    mail: MailServer,
) {
    let (acme, _) = acme(&server);
    let people = ["demoted", "gone", "blocked"].map(|name| server.person(name).create());
    for person in &people {
        acme.member(person, AccessLevel::Owner);
    }
    server.tokens_with(&acme, [5]);
    server.run_job(Job::ExpiryCheck).await;
    server.sql(&format!(
        "UPDATE memberships SET access_level = 40 WHERE user_id = {}",
        people[0].id
    ));
    server.sql(&format!(
        "DELETE FROM memberships WHERE user_id = {}",
        people[1].id
    ));
    people[2].block();
    let counts = server.run_job(Job::DeliverMail).await;
    assert_eq!((counts["sent"], counts["dropped"]), (1, 3));
    assert_eq!(mail.mails(1)[0].recipients(), ["alice@example.com"]);
}

async fn what_was_revoked_meanwhile_is_not_told(server: TestServer, mail: MailServer) {
    let (acme, alice) = acme(&server);
    server.retain_bots(true);
    let token = acme.token("ci").expires(&server.days_ahead(5)).create();
    server.tokens_with(&acme, [6]);
    server.run_job(Job::ExpiryCheck).await;
    let path = format!("{}/access_tokens/{}", acme.path(), token.id);
    alice.api().delete(&path).await.expect(204);
    server.sql("DELETE FROM emails WHERE kind = 'personal_token_created'");
    let counts = server.run_job(Job::DeliverMail).await;
    assert_eq!((counts["sent"], counts["dropped"]), (1, 1));
    assert!(mail.mails(1)[0].text().contains("named 6 of"));
}

async fn what_has_ended_meanwhile_is_not_told(server: TestServer, mail: MailServer) {
    let (acme, _) = acme(&server);
    server.tokens_with(&acme, [0, 2]);
    server.run_job(Job::ExpiryCheck).await;
    server.clock.advance(TimeDelta::hours(23));
    let counts = server.run_job(Job::DeliverMail).await;
    assert_eq!((counts["sent"], counts["dropped"]), (1, 1));
    assert!(mail.mails(1)[0].text().contains("named 2 of"));
}

async fn names_that_people_typed_stay_text(server: TestServer, mail: MailServer) {
    let (acme, _) = acme(&server);
    acme.token("<img src=x onerror=alert(1)>")
        .expires("2026-11-25")
        .create();
    let mails = told(&server, &mail, 1).await;
    assert!(!mails[0].html().contains("<img"), "{}", mails[0].html());
    assert!(mails[0].text().contains("<img src=x onerror=alert(1)>"));
}

#[test]
fn an_hour_without_a_mail_server_delays_and_neither_loses_nor_repeats_sqlite() {
    silence(Some(Storage::sqlite()));
}

#[test]
fn an_hour_without_a_mail_server_delays_and_neither_loses_nor_repeats_postgres() {
    silence(Storage::postgres());
}

fn silence(storage: Option<Storage>) {
    let Some(storage) = storage else { return };
    let port = closed_port();
    let url = SmtpUrl::parse(&format!("smtp://127.0.0.1:{port}")).unwrap();
    let server = TestServer::with_post(storage, None, |folder| Post {
        smtp: Some(url),
        ..Post::to_folder(folder)
    });
    crate::support::server::runtime().block_on(async {
        let (acme, _) = acme(&server);
        acme.member(&server.person("bo").create(), AccessLevel::Owner);
        server.tokens_with(&acme, [3, 4, 5]);
        server.run_job(Job::ExpiryCheck).await;
        for _ in 0..60 {
            server.run_due_jobs().await;
            server.clock.advance(TimeDelta::minutes(1));
        }
        assert_eq!(
            server.count("emails", "state = 'waiting' AND attempts = 4"),
            6
        );
        assert_eq!(server.count("emails", "state <> 'waiting'"), 0);
        let Some(mail) = MailServer::that(serde_json::json!({ "port": port })) else {
            return;
        };
        for _ in 0..360 {
            server.run_due_jobs().await;
            server.clock.advance(TimeDelta::minutes(1));
        }
        let mails = mail.mails(6);
        let told: BTreeSet<(String, String)> = mails
            .iter()
            .map(|mail| {
                let name = mail.text().split("named ").nth(1).unwrap();
                let name = name.split_whitespace().next().unwrap().to_owned();
                (name, mail.recipients()[0].to_owned())
            })
            .collect();
        assert_eq!(
            told.len(),
            6,
            "each of the two is told of each of the three"
        );
        assert_eq!(server.count("emails", "state = 'sent'"), 6);
    });
}
