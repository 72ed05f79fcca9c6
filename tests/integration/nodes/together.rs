//! What all nodes write, and what only one of them may do.

use latchkey::{jobs::Job, server::background};

use super::three;
use crate::on_postgres;
use crate::support::{Company, TestResource, TestServer, server::moment};

on_postgres![
    last_uses_and_numbers_of_requests_add_up_over_all_nodes,
    what_is_due_on_all_nodes_at_once_runs_on_one,
    a_mail_before_the_end_is_written_once_however_many_nodes_check,
];

async fn last_uses_and_numbers_of_requests_add_up_over_all_nodes(server: TestServer) {
    let nodes = three(&server);
    let company = Company::on(&server);
    let tokens: Vec<_> = (0..12)
        .map(|number| company.acme.token(&format!("ci{number}")).create())
        .collect();
    for _ in 0..8 {
        for node in &nodes {
            for token in &tokens {
                let api = node.with_token(&token.value);
                api.get("/personal_access_tokens/self").await.expect(200);
            }
        }
        // All write the same rows at the same moment.
        let [a, b, c] = &nodes;
        tokio::join!(
            background::flush_uses(&a.app),
            background::flush_uses(&b.app),
            background::flush_uses(&c.app),
            background::flush_days(&a.app),
            background::flush_days(&b.app),
            background::flush_days(&c.app),
        );
        for node in &nodes {
            assert!(node.app.uses.take().is_empty(), "nothing was put back");
            assert!(node.app.uses.days.take().is_empty(), "nothing was put back");
        }
        server.clock.advance(chrono::TimeDelta::minutes(11));
    }
    assert_eq!(server.count("access_token_days", "requests = 24"), 12);
    let last = "last_used_at >= '2026-11-20 11:17:00'";
    assert_eq!(server.count("access_token_uses", last), 12);
}

async fn what_is_due_on_all_nodes_at_once_runs_on_one(server: TestServer) {
    let [a, b, c] = three(&server);
    Company::on(&server);
    for _ in 0..3 {
        server.clock.advance(chrono::TimeDelta::days(1));
        tokio::join!(a.run_due_jobs(), b.run_due_jobs(), c.run_due_jobs());
    }
    let twice = "(SELECT job, as_of FROM job_runs GROUP BY job, as_of HAVING count(*) > 1) twice";
    assert_eq!(server.count(twice, ""), 0);
    assert!(server.count("job_runs", "outcome = 'done'") >= 3);
}

async fn a_mail_before_the_end_is_written_once_however_many_nodes_check(server: TestServer) {
    let [a, b, c] = three(&server);
    let company = Company::on(&server);
    for number in 0..20 {
        let token = company.acme.token(&format!("ci{number}"));
        token.expires(&server.days_ahead(5)).create();
    }
    server.run_due_jobs().await;
    server.clock.set(moment("2026-11-21T01:00:00Z"));
    tokio::join!(a.run_due_jobs(), b.run_due_jobs(), c.run_due_jobs());
    let told = |server: &TestServer| server.count("emails", "kind = 'token_expiring'");
    let once = told(&server);
    assert!(once > 0 && once % 20 == 0, "{once}");
    for node in [&a, &b, &c] {
        node.run_job(Job::ExpiryCheck).await;
    }
    assert_eq!(told(&server), once);
}
