//! What each scope of a personal token opens, and what a refusal names.

use latchkey::access_tokens::scope::Scope;
use reqwest::Method;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Answer, Api, Company, TestResource, TestServer};

on_both![
    read_user_opens_users_and_nothing_else,
    self_rotate_opens_itself_and_its_own_rotation,
    sudo_and_admin_mode_alone_open_only_themselves,
    read_api_reads_everything_and_changes_nothing_but_itself,
    an_administrators_token_needs_no_other_scope_than_api,
    a_refusal_names_the_scopes_that_would_do,
    the_scope_is_checked_before_everything_but_the_credential,
    scopes_add_up,
];

/// Every route that isn't about the token itself, with its method.
fn routes(c: &Company) -> Vec<(Method, String)> {
    let mut all = vec![
        (Method::GET, "/groups".to_owned()),
        (Method::POST, "/groups".to_owned()),
        (Method::GET, "/projects".to_owned()),
        (Method::POST, "/projects".to_owned()),
        (Method::GET, "/version".to_owned()),
        (Method::GET, "/metadata".to_owned()),
        (Method::GET, "/application/settings".to_owned()),
        (Method::PUT, "/application/settings".to_owned()),
        (Method::GET, "/user".to_owned()),
        (Method::GET, "/users".to_owned()),
        (Method::GET, format!("/users/{}", c.bob.id)),
        (Method::POST, "/users".to_owned()),
        (Method::PUT, format!("/users/{}", c.bob.id)),
        (Method::DELETE, format!("/users/{}", c.bob.id)),
        (Method::POST, format!("/users/{}/block", c.bob.id)),
        (Method::POST, format!("/users/{}/unblock", c.bob.id)),
        (
            Method::POST,
            format!("/users/{}/personal_access_tokens", c.bob.id),
        ),
        (Method::POST, "/user/personal_access_tokens".to_owned()),
        (Method::GET, "/personal_access_tokens".to_owned()),
        (Method::GET, "/personal_access_tokens/1".to_owned()),
        (Method::DELETE, "/personal_access_tokens/1".to_owned()),
        (Method::POST, "/personal_access_tokens/1/rotate".to_owned()),
    ];
    for place in [c.acme.path(), c.p1.path()] {
        for (method, below) in [
            (Method::GET, ""),
            (Method::PUT, ""),
            (Method::DELETE, ""),
            (Method::GET, "/members"),
            (Method::POST, "/members"),
            (Method::GET, "/members/all"),
            (Method::GET, "/members/1"),
            (Method::GET, "/members/all/1"),
            (Method::PUT, "/members/1"),
            (Method::DELETE, "/members/1"),
            (Method::GET, "/access_tokens"),
            (Method::POST, "/access_tokens"),
            (Method::GET, "/access_tokens/1"),
            (Method::DELETE, "/access_tokens/1"),
            (Method::POST, "/access_tokens/1/rotate"),
        ] {
            all.push((method, format!("{place}{below}")));
        }
    }
    let group = c.acme.path();
    all.extend([
        (Method::GET, format!("{group}/subgroups")),
        (Method::GET, format!("{group}/descendant_groups")),
        (Method::GET, format!("{group}/projects")),
        (Method::POST, format!("{group}/transfer")),
        (Method::PUT, format!("{}/transfer", c.p1.path())),
    ]);
    all
}

#[track_caller]
fn is_too_small(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text());
    assert_eq!(answer.error(), "insufficient_scope", "{what}");
    let text = "The request requires higher privileges than provided by the access token.";
    assert_eq!(answer.json()["error_description"], text, "{what}");
}

async fn opens_nothing(c: &Company, api: &Api, but: &[&str]) {
    for (method, path) in routes(c) {
        let users = path == "/user" || path.starts_with("/users");
        if but.contains(&"users") && method == Method::GET && users {
            continue;
        }
        let answer = api.send(method.clone(), &path, Value::Null).await;
        is_too_small(&answer, &format!("{method} {path}"));
    }
}

async fn read_user_opens_users_and_nothing_else(server: TestServer) {
    let c = Company::on(&server);
    let before = server.inventory();
    for person in [&c.alice, &c.root] {
        let token = person.personal_token([Scope::ReadUser]);
        for path in [
            "/user".to_owned(),
            "/users".to_owned(),
            format!("/users/{}", c.bob.id),
            "/personal_access_tokens/self".to_owned(),
            "/personal_access_tokens/self/associations".to_owned(),
        ] {
            token.get(&path).await.expect(200);
            Answer::to(token.request(Method::HEAD, &path))
                .await
                .expect(200);
        }
        opens_nothing(&c, &token, &["users"]).await;
        let answer = token
            .post("/personal_access_tokens/self/rotate", json!({}))
            .await;
        is_too_small(&answer, "rotates itself");
        token
            .delete("/personal_access_tokens/self")
            .await
            .expect(204);
    }
    assert_eq!(server.inventory().users, before.users);
}

async fn self_rotate_opens_itself_and_its_own_rotation(server: TestServer) {
    let c = Company::on(&server);
    let own = "/personal_access_tokens/self";
    let token = c.root.personal_token([Scope::SelfRotate]);
    opens_nothing(&c, &token, &[]).await;
    token.get(own).await.expect(200);
    let answer = token.post(&format!("{own}/rotate"), json!({})).await;
    let new = answer.expect(200).json();
    assert_eq!(new["scopes"], json!(["self_rotate"]));
    let next = server.with_token(new["token"].as_str().unwrap());
    next.delete(own).await.expect(204);
    // A group's or a project's token with this scope, too, and no other of its group.
    for place in [&c.acme as &dyn TestResource, &c.p1] {
        let token = place.token("ci").scopes([Scope::SelfRotate]).create();
        opens_nothing(&c, &token, &[]).await;
        let by_id = format!("{}/access_tokens/{}/rotate", place.path(), token.id);
        is_too_small(&token.post(&by_id, json!({})).await, "by its id");
        let path = format!("{}/access_tokens/self/rotate", place.path());
        token.post(&path, json!({})).await.expect(200);
    }
}

async fn sudo_and_admin_mode_alone_open_only_themselves(server: TestServer) {
    let c = Company::on(&server);
    let own = "/personal_access_tokens/self";
    for scopes in [
        vec![Scope::Sudo],
        vec![Scope::AdminMode],
        vec![Scope::Sudo, Scope::AdminMode],
    ] {
        let token = c.root.personal_token(scopes);
        token.get(own).await.expect(200);
        opens_nothing(&c, &token, &[]).await;
        let answer = token.post(&format!("{own}/rotate"), json!({})).await;
        is_too_small(&answer, "rotates itself");
        // Neither a header nor a parameter makes it somebody else.
        let request = token.request(Method::GET, "/user").header("Sudo", "alice");
        is_too_small(&Answer::to(request).await, "sudo");
        token.delete(own).await.expect(204);
    }
    let token = c.root.personal_token([Scope::Api, Scope::Sudo]);
    let request = token.request(Method::GET, "/user?sudo=alice");
    let answer = Answer::to(request.header("Sudo", "alice"))
        .await
        .expect(200);
    assert_eq!(answer.json()["username"], "root");
}

async fn read_api_reads_everything_and_changes_nothing_but_itself(server: TestServer) {
    let c = Company::on(&server);
    let token = c.root.personal_token([Scope::ReadApi]);
    let before = server.inventory();
    for (method, path) in routes(&c) {
        let answer = token.send(method.clone(), &path, Value::Null).await;
        let what = format!("{method} {path}");
        if method == Method::GET {
            // There may be no token or member 1; to look for it is allowed.
            assert!(
                matches!(answer.status, 200 | 404),
                "{what}: {}",
                answer.status
            );
        } else {
            is_too_small(&answer, &what);
        }
    }
    assert_eq!(server.inventory(), before);
    token
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
}

async fn an_administrators_token_needs_no_other_scope_than_api(server: TestServer) {
    let c = Company::on(&server);
    let token = c.root.personal_token([Scope::Api]);
    token.get(&c.other.path()).await.expect(200);
    let block = format!("/users/{}/block", c.frank.id);
    token.post(&block, Value::Null).await.expect(201);
    // Once an administrator no more, the same token is like anybody's.
    let second = server.person("second").admin().create();
    let own = second.personal_token([Scope::Api]);
    own.get(&c.other.path()).await.expect(200);
    let demoted = json!({ "admin": false });
    let path = format!("/users/{}", second.id);
    token.put(&path, demoted).await.expect(200);
    own.get(&c.other.path()).await.expect(404);
    let unblock = format!("/users/{}/unblock", c.frank.id);
    own.post(&unblock, Value::Null).await.expect(403);
}

async fn a_refusal_names_the_scopes_that_would_do(server: TestServer) {
    let c = Company::on(&server);
    let token = c.root.personal_token([Scope::ReadRepository]);
    for (method, path) in routes(&c) {
        let answer = token.send(method.clone(), &path, Value::Null).await;
        let named = answer.expect(403).json();
        let mut named: Vec<&str> = named["scope"].as_str().unwrap().split(' ').collect();
        named.sort_unstable();
        let users = path == "/user" || path == "/users" || path == format!("/users/{}", c.bob.id);
        let expected: &[&str] = if users && method == Method::GET {
            &["api", "read_api", "read_user"]
        } else {
            &["api", "read_api"]
        };
        if users && method != Method::GET {
            // One address, several methods: those of reading may be named with the others.
            assert!(named.contains(&"api"), "{method} {path}: {named:?}");
        } else {
            assert_eq!(named, expected, "{method} {path}");
        }
    }
    for path in [
        "/personal_access_tokens/self/rotate".to_owned(),
        format!("{}/access_tokens/self/rotate", c.acme.path()),
        format!("{}/access_tokens/self/rotate", c.p1.path()),
    ] {
        let answer = token.post(&path, json!({})).await.expect(403);
        assert_eq!(answer.json()["scope"], "api self_rotate", "{path}");
        let header = answer.header("www-authenticate");
        assert!(header.starts_with(r#"Bearer realm="The API""#), "{header}");
        assert!(header.contains(r#"error="insufficient_scope""#), "{header}");
    }
}

async fn the_scope_is_checked_before_everything_but_the_credential(server: TestServer) {
    let c = Company::on(&server);
    let narrow = c.frank.personal_token([Scope::ReadRepository]);
    for (method, path, body) in [
        (Method::GET, "/groups/99999999".to_owned(), Value::Null),
        (Method::GET, c.acme.path(), Value::Null),
        (Method::GET, "/groups?per_page=0".to_owned(), Value::Null),
        (
            Method::POST,
            format!("{}/access_tokens", c.acme.path()),
            json!({ "scopes": ["nonsense"] }),
        ),
        (Method::POST, "/groups".to_owned(), json!({})),
    ] {
        let answer = narrow.send(method.clone(), &path, body.clone()).await;
        is_too_small(&answer, &format!("{method} {path}"));
        let unknown = server.with_token("glpat-AAAAAAAAAAAAAAAAAAAA");
        unknown.send(method, &path, body).await.expect(401);
    }
    c.frank.block();
    let answer = narrow.get("/groups").await.expect(403);
    assert_eq!(
        answer.message(),
        "403 Forbidden - Your account has been blocked."
    );
}

async fn scopes_add_up(server: TestServer) {
    let c = Company::on(&server);
    let token = c
        .alice
        .personal_token([Scope::ReadUser, Scope::SelfRotate, Scope::ReadApi]);
    token.get("/user").await.expect(200);
    token.get("/groups").await.expect(200);
    let group = json!({ "name": "x", "path": "x" });
    is_too_small(&token.post("/groups", group).await, "makes a group");
    token
        .post("/personal_access_tokens/self/rotate", json!({}))
        .await
        .expect(200);
}
