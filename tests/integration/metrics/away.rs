//! A database that doesn't answer. One that is away altogether is in `unhealthy.rs`.

use super::Scrape;
use crate::{on_both, support::TestServer};

on_both!(what_the_database_does_not_tell_is_left_out_and_the_rest_is_told);

async fn what_the_database_does_not_tell_is_left_out_and_the_rest_is_told(server: TestServer) {
    let told = Scrape::of(&server).await;
    assert_eq!(told.value("latchkey_database_up"), 1.0);
    server.sql("ALTER TABLE job_runs RENAME TO job_runs_elsewhere");
    let told = Scrape::later(&server).await;
    assert_eq!(told.value("latchkey_database_up"), 0.0);
    assert!(told.value("latchkey_database_queries_total") > 0.0);
    assert!(!told.all("latchkey_http_requests_total").is_empty());
    for missing in [
        "latchkey_tokens",
        "latchkey_mails",
        "latchkey_token_",
        "latchkey_job_",
    ] {
        assert!(!told.text.contains(missing), "{missing} in\n{}", told.text);
    }
    server.sql("ALTER TABLE job_runs_elsewhere RENAME TO job_runs");
    let told = Scrape::of(&server).await;
    assert_eq!(told.value("latchkey_database_up"), 1.0);
    assert_eq!(told.all("latchkey_tokens").len(), 12);

    // Numbers that can't be counted anew are the old ones, and how old they are is told.
    server.sql("ALTER TABLE emails RENAME TO emails_elsewhere");
    let told = Scrape::later(&server).await;
    assert_eq!(told.value("latchkey_database_up"), 1.0);
    assert_eq!(told.all("latchkey_tokens").len(), 12);
    assert_eq!(told.value("latchkey_count_age_seconds"), 600.0);
}
