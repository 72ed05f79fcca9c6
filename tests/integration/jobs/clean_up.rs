//! `clean-up`: what is past its time goes, in batches, and nothing else.

use super::*;
use crate::on_sqlite;

on_both!(
    what_is_past_its_time_goes_and_the_rest_stays,
    a_thousand_and_more_go_in_one_run,
);

on_sqlite!(sqlite_learns_how_its_tables_are_filled);

impl TestServer {
    fn old_sessions(&self, number: usize) {
        let blob = |index: usize| {
            if self.is_on_postgres() {
                format!("decode('{index:08x}', 'hex')")
            } else {
                format!("x'{index:08x}'")
            }
        };
        let rows: Vec<String> = (0..number)
            .map(|index| {
                format!(
                    "({}, '{{}}', '2026-10-01 10:00:00', '2026-10-01 10:00:00', '2026-10-31 10:00:00')",
                    blob(index)
                )
            })
            .collect();
        self.sql(&format!(
            "INSERT INTO sessions (id_digest, state, created_at, last_seen_at, expires_at) VALUES {}",
            rows.join(", ")
        ));
    }
}

async fn what_is_past_its_time_goes_and_the_rest_stays(server: TestServer) {
    let owner = server.person("alice").create();
    owner.signs_in().await;
    let living = server.count("sessions", "");
    assert!(living >= 1);
    server.old_sessions(3);
    server.run_job(Job::CleanUp).await;
    assert_eq!(server.count("sessions", ""), living);
    server.run_job(Job::ExpiryCheck).await;
    server.clock.advance(TimeDelta::days(6));
    server.run_job(Job::CleanUp).await;
    assert_eq!(server.count("sessions", ""), living, "seen within a week");
    server.clock.advance(TimeDelta::days(2));
    assert_eq!(server.run_job(Job::CleanUp).await["sessions"], living);
    assert_eq!(server.history(Job::ExpiryCheck).len(), 1);
    server.clock.advance(TimeDelta::days(25));
    server.run_job(Job::CleanUp).await;
    assert!(server.history(Job::ExpiryCheck).is_empty(), "a month later");
    assert!(!server.history(Job::CleanUp).is_empty());
}

async fn a_thousand_and_more_go_in_one_run(server: TestServer) {
    server.old_sessions(2_500);
    assert_eq!(server.run_job(Job::CleanUp).await["sessions"], 2_500);
    assert_eq!(server.count("sessions", ""), 0);
}

async fn sqlite_learns_how_its_tables_are_filled(server: TestServer) {
    server.person("alice").create();
    let table = "name = 'sqlite_stat1'";
    assert_eq!(server.count("sqlite_schema", table), 0);
    server.run_job(Job::CleanUp).await;
    assert!(server.count("sqlite_stat1", "tbl = 'users'") > 0);
}
