//! `/groups/:id/members`

use latchkey::members::AccessLevel;
use serde_json::json;

use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    direct_members_are_listed_bots_included,
    the_members_of_a_hidden_group_are_hidden
];

async fn direct_members_are_listed_bots_included(server: TestServer) {
    let company = Company::on(&server);
    let bot = company
        .sub
        .token("ci")
        .role(AccessLevel::Developer)
        .made_by(&company.alice)
        .create();
    company
        .sub
        .member_until(&company.frank, AccessLevel::Guest, "2026-12-24");
    let list = company
        .erin
        .api()
        .get(&format!("{}/members", company.sub.path()))
        .await
        .expect(200)
        .json();
    let members = list.as_array().unwrap();
    assert_eq!(
        members.len(),
        2,
        "inherited ones are not in this list: {list}"
    );
    let find = |id: i64| members.iter().find(|member| member["id"] == id).unwrap();
    let frank = find(company.frank.id);
    for (key, value) in [
        ("username", json!("frank")),
        ("name", json!("Frank")),
        ("state", json!("active")),
        ("access_level", json!(10)),
        ("expires_at", json!("2026-12-24")),
        ("web_url", json!(format!("{}/frank", server.url))),
        ("membership_state", json!("active")),
    ] {
        assert_eq!(frank[key], value, "{key}");
    }
    let token = find(bot.user_id);
    assert_eq!(token["access_level"], 30);
    assert_eq!(token["username"], bot.username);
    assert_eq!(token["created_by"]["username"], "alice");

    let found = company
        .erin
        .api()
        .get(&format!("{}/members?query=FRA", company.sub.path()))
        .await
        .json();
    assert_eq!(found.as_array().unwrap().len(), 1);
    server.clock.set("2026-12-24T00:00:00Z".parse().unwrap());
    let later = company
        .erin
        .api()
        .get(&format!("{}/members", company.sub.path()))
        .await
        .expect(200)
        .text();
    assert!(
        !later.contains("frank"),
        "a membership ends at the start of its day"
    );
}

async fn the_members_of_a_hidden_group_are_hidden(server: TestServer) {
    let company = Company::on(&server);
    company
        .frank
        .api()
        .get(&format!("{}/members", company.acme.path()))
        .await
        .expect(404);
    server
        .anonymous()
        .get(&format!("{}/members", company.acme.path()))
        .await
        .expect(404);
    let open = server.group("open").owner(&company.oscar).public().create();
    let list = server
        .anonymous()
        .get(&format!("{}/members", open.path()))
        .await
        .expect(200)
        .json();
    assert_eq!(list[0]["username"], "oscar");
    assert!(
        !list.to_string().contains('@'),
        "addresses are not for everybody: {list}"
    );
}
