//! Two that want different things of one token, or the same thing twice.

use std::{sync::mpsc, thread, time::Duration};

use diesel::Connection;
use latchkey::db::{DbConnection, lock_root};
use serde_json::Value;

use crate::{
    on_both,
    support::{Answer, Company, TestResource, TestServer},
};

/// So often that both orders happen.
const ROUNDS: usize = 15;

on_both!(
    of_six_self_rotations_one_wins_and_its_value_works,
    a_revocation_beside_a_rotation_leaves_at_most_one_living_value,
    a_form_that_is_sent_twice_at_once_makes_one_token,
    a_role_that_is_taken_away_meanwhile_makes_no_token_afterwards,
);

/// Keeps all changes below a group waiting until `release` is called.
pub(crate) struct Hold {
    release: mpsc::Sender<()>,
    held: thread::JoinHandle<()>,
}

impl Hold {
    pub(crate) fn on(server: &TestServer, group_id: i64) -> Hold {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let (db, postgres) = (server.app.db.clone(), server.is_on_postgres());
        let held = thread::spawn(move || {
            if postgres {
                let mut conn: DbConnection = db.connect().unwrap();
                conn.transaction::<_, diesel::result::Error, _>(|conn| {
                    lock_root(conn, group_id)?;
                    begin.send(()).unwrap();
                    released.recv().unwrap();
                    Ok(())
                })
                .unwrap();
            } else {
                db.write_now(move |_| {
                    begin.send(()).unwrap();
                    released.recv().unwrap();
                    Ok(())
                })
                .unwrap();
            }
        });
        begun.recv().unwrap();
        Hold { release, held }
    }

    pub(crate) fn release(self) {
        self.release.send(()).unwrap();
        self.held.join().unwrap();
    }
}

async fn of_six_self_rotations_one_wins_and_its_value_works(server: TestServer) {
    let company = Company::on(&server);
    // On PostgreSQL every waiting rotation holds one of the pool's four connections.
    let rivals = if server.is_on_postgres() { 4 } else { 6 };
    for _ in 0..ROUNDS {
        let token = company.acme.token("ci").create();
        let before = server.app.db.counters().queries();
        let hold = Hold::on(&server, company.acme.id);
        let rotations: Vec<_> = (0..rivals)
            .map(|_| {
                let token = token.clone();
                tokio::spawn(async move {
                    token
                        .post("/personal_access_tokens/self/rotate", Value::Null)
                        .await
                })
            })
            .collect();
        // All have arrived, and were let in, before the first one is answered.
        let arrived = || {
            if server.is_on_postgres() {
                server.app.db.pool_use().0 == 4
            } else {
                server.app.db.counters().queries() >= before + rivals
            }
        };
        for _ in 0..400 {
            if arrived() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(arrived());
        hold.release();
        let mut answers = Vec::new();
        for rotation in rotations {
            answers.push(rotation.await.unwrap());
        }
        let (won, lost): (Vec<&Answer>, Vec<&Answer>) =
            answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(
            won.len(),
            1,
            "{:?}",
            answers
                .iter()
                .map(|answer| answer.status)
                .collect::<Vec<_>>()
        );
        assert!(lost.iter().all(|answer| answer.status == 401));
        // The others were on their way before the rotation was answered: late, but no thieves.
        let value = won[0].json()["token"].as_str().unwrap().to_owned();
        server
            .with_token(&value)
            .get("/personal_access_tokens/self")
            .await
            .expect(200);
        assert!(!token.works().await);
    }
}

async fn a_revocation_beside_a_rotation_leaves_at_most_one_living_value(server: TestServer) {
    let company = Company::on(&server);
    let script = company.alice.api();
    for round in 0..ROUNDS {
        server.retain_bots(round % 2 == 0);
        let token = company.acme.token("ci").create();
        let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
        let rotation = format!("{path}/rotate");
        let (revoked, rotated) =
            tokio::join!(script.delete(&path), script.post(&rotation, Value::Null));
        assert!(
            revoked.status < 500 && rotated.status < 500,
            "{} and {}",
            revoked.status,
            rotated.status
        );
        assert!(
            !token.works().await,
            "the old value is dead in either order"
        );
        if rotated.status == 200 {
            // The rotation came first; whether the revocation of the old one then found its bot decides about the new.
            let value = rotated.json()["token"].as_str().unwrap().to_owned();
            let status = server.with_token(&value).get("/user").await.status;
            assert!(
                status == 200 || (status == 401 && revoked.status == 204),
                "{status}"
            );
        } else {
            assert_eq!(revoked.status, 204, "one of the two happens");
            assert_eq!(
                server.count(
                    "access_tokens",
                    &format!("previous_token_id = {}", token.id)
                ),
                0
            );
        }
    }
}

async fn a_form_that_is_sent_twice_at_once_makes_one_token(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let page = company.acme.page("settings/access_tokens");
    for round in 1..=5 {
        let form = browser
            .open(&format!("{page}?new=1"))
            .await
            .form(&page)
            .fill("resource_access_token[name]", "double click")
            .tick("resource_access_token[scopes][]", "read_api");
        let answers =
            futures_util::future::join_all([browser.submit(&form), browser.submit(&form)]).await;
        let shown = answers
            .iter()
            .filter(|answer| answer.page().has("created-access-token-field"))
            .count();
        let explained = answers
            .iter()
            .filter(|answer| answer.page().has("replayed-message"))
            .count();
        assert_eq!(
            (shown, explained),
            (1, 1),
            "{:?}",
            answers
                .iter()
                .map(|answer| answer.status)
                .collect::<Vec<_>>()
        );
        assert_eq!(
            server.count("access_tokens", "name = 'double click'"),
            round
        );
    }
}

async fn a_role_that_is_taken_away_meanwhile_makes_no_token_afterwards(server: TestServer) {
    let company = Company::on(&server);
    for round in 0..ROUNDS {
        let owner = server.person(&format!("owner{round}")).create();
        company
            .acme
            .member(&owner, latchkey::members::AccessLevel::Owner);
        let script = owner.api();
        let path = format!("{}/access_tokens", company.acme.path());
        let body = serde_json::json!({ "name": format!("of round {round}"), "scopes": ["api"], "access_level": 50 });
        let browser = company.alice.signs_in().await;
        let demotion = format!("{}/{}", company.acme.page("group_members"), owner.id);
        let (made, demoted) = tokio::join!(
            script.post(&path, body.clone()),
            browser.post(&demotion, &[("member[access_level]", "10")])
        );
        demoted.expect(303);
        assert!(made.status == 201 || made.status == 400, "{}", made.status);
        script.post(&path, body).await.expect(400);
        let there = server.count("access_tokens", &format!("name = 'of round {round}'"));
        assert_eq!(there, i64::from(made.status == 201));
    }
}
