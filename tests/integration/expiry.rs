//! A token ends at the start, in UTC, of the day that it names.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;

use crate::on_both;
use crate::support::{TestResource, TestServer};

on_both![a_token_stops_working_on_its_expiry_date];

async fn a_token_stops_working_on_its_expiry_date(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let token = acme
        .token("ci")
        .scopes([Scope::ReadApi])
        .expires("2026-11-30")
        .create();

    server.clock.advance(TimeDelta::days(9));
    token.get("/personal_access_tokens/self").await.expect(200);

    server.clock.advance(TimeDelta::days(1));
    token.get("/personal_access_tokens/self").await.expect(401);
}
