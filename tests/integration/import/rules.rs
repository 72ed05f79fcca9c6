//! What is imported keeps to the rules, and nothing is half made.

use chrono::TimeDelta;
use latchkey::access_tokens::secret::fingerprint;
use latchkey::access_tokens::unused::{find_unused, revoke_unused};
use latchkey::actor::{Actor, Origin};
use latchkey::error::Error;
use latchkey::exchange;
use serde_json::{Value, json};

use super::{SALT, acme, created, existing, file, import, refused, salted};
use crate::on_both;
use crate::support::{Company, TestServer, server::SECRET};

on_both![
    a_second_run_changes_nothing,
    what_is_here_already_stays_as_it_is,
    what_was_taken_away_here_does_not_come_back,
    the_last_wrong_entry_takes_everything_back,
    children_are_not_wider_than_their_parents,
    somebody_else_of_the_same_name_is_not_taken_for_the_same,
    every_entry_names_what_is_there,
    a_bot_belongs_to_one_place_and_has_a_token,
    states_dates_and_last_uses_are_kept,
    no_token_counts_as_unused_for_a_time_before_its_import,
    the_operator_hears_what_to_look_at,
    everything_made_has_its_line_in_the_trail,
    only_administrators_import,
];

const VALUE: &str = "old_AbCdEfGhIjKlMnOpQrSt";

fn with(mut file: Value, path: &str, value: Value) -> Value {
    *file.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
    file
}

fn also(mut file: Value, list: &str, entry: Value) -> Value {
    file[list].as_array_mut().unwrap().push(entry);
    file
}

async fn a_second_run_changes_nothing(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    let before = server.inventory();
    let lines = server.count("audit_events", "");
    let again = import(&server, &acme(VALUE)).unwrap();
    assert_eq!(created(&again), [0; 6]);
    assert_eq!(existing(&again), [1, 1, 1, 1, 1, 2]);
    assert_eq!(server.inventory(), before);
    assert_eq!(server.count("audit_events", ""), lines);
}

async fn what_is_here_already_stays_as_it_is(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    let other = with(acme(VALUE), "/groups/0/name", json!("Another name"));
    let other = with(other, "/memberships/0/access_level", json!(10));
    let other = with(other, "/tokens/0/expires_at", json!("2030-01-01"));
    assert_eq!(created(&import(&server, &other).unwrap()), [0; 6]);
    assert_eq!(server.count("groups", "name = 'Acme'"), 1);
    assert_eq!(server.count("memberships", "access_level = 50"), 1);
    assert_eq!(
        server.count("access_tokens", "expires_at = '2027-01-01'"),
        1
    );
    let more = also(
        acme(VALUE),
        "groups",
        json!({ "path": "acme/more", "name": "More" }),
    );
    let report = import(&server, &more).unwrap();
    assert_eq!(created(&report), [0, 1, 0, 0, 0, 0]);
}

async fn what_was_taken_away_here_does_not_come_back(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    let id = server
        .with_token(VALUE)
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json()["id"]
        .clone();
    let admin = server.person("root").admin().create();
    let group = server
        .with_token(VALUE)
        .get("/groups/acme")
        .await
        .expect(200)
        .json()["id"]
        .clone();
    admin
        .api()
        .delete(&format!("/groups/{group}/access_tokens/{id}"))
        .await
        .expect(204);
    server.rest().await;
    assert_eq!(server.count("users", "kind = 'project_bot'"), 0);
    let again = import(&server, &acme(VALUE)).unwrap();
    assert_eq!(created(&again), [0; 6]);
    assert_eq!((again.tokens_taken_away, again.bots_without_token), (1, 1));
    server.with_token(VALUE).get("/user").await.expect(401);
    assert_eq!(server.count("users", "kind = 'project_bot'"), 0);
}

async fn the_last_wrong_entry_takes_everything_back(server: TestServer) {
    let wrong = also(
        acme(VALUE),
        "tokens",
        json!({ "user": "nobody", "name": "x", "scopes": ["api"], "digest": salted("x", SALT) }),
    );
    assert_eq!(
        refused(&server, &wrong),
        "tokens[2].user: there is no user nobody"
    );
    assert_eq!(server.count("audit_events", ""), 0);
    assert_eq!(server.count("imported_salts", ""), 0);
}

async fn children_are_not_wider_than_their_parents(server: TestServer) {
    let wide = with(
        acme(VALUE),
        "/projects/0",
        json!({ "path": "acme/api", "name": "Api", "visibility": "public" }),
    );
    let why = refused(&server, &wide);
    assert!(
        why.starts_with("projects[0].visibility: public is not allowed"),
        "{why}"
    );
    let wide = also(
        acme(VALUE),
        "groups",
        json!({ "path": "acme/x", "name": "X", "visibility": "internal" }),
    );
    let why = refused(&server, &wide);
    assert!(why.starts_with("groups[1].visibility: "), "{why}");
}

async fn somebody_else_of_the_same_name_is_not_taken_for_the_same(server: TestServer) {
    let ann = server.person("ann").create();
    import(&server, &acme(VALUE)).unwrap();
    let other = with(acme(VALUE), "/users/0/email", json!("other@example.com"));
    assert!(refused(&server, &other).starts_with("users[0].email: "));
    let taken = also(
        acme(VALUE),
        "users",
        json!({ "username": "anna", "name": "Anna", "email": "ANN@example.com" }),
    );
    assert_eq!(
        refused(&server, &taken),
        "users[1].email: is in the file before"
    );
    let taken = with(
        taken,
        "/users/0",
        json!({ "username": "zoe", "name": "Zoe", "email": "zoe@example.com" }),
    );
    assert_eq!(
        refused(&server, &taken),
        "users[1].email: has already been taken"
    );
    let path = with(
        acme(VALUE),
        "/users/0",
        json!({ "username": "acme2", "name": "A", "email": "a@example.com" }),
    );
    let path = also(path, "groups", json!({ "path": "acme2", "name": "B" }));
    assert_eq!(
        refused(&server, &path),
        "groups[1].path: is in the file before"
    );
    // A token of somebody else.
    let stolen = with(acme(VALUE), "/tokens/0/user", json!("ann"));
    assert_eq!(
        refused(&server, &stolen),
        "tokens[0].user: is not whose token this is here"
    );
    assert_eq!(
        server.count("memberships", &format!("user_id = {}", ann.user.id)),
        1
    );
}

async fn every_entry_names_what_is_there(server: TestServer) {
    for (path, value, why) in [
        (
            "/groups/0/path",
            json!("none/acme"),
            "groups[0].path: there is no group none",
        ),
        (
            "/groups/0/path",
            json!("ann/acme"),
            "groups[0].path: lies in a person's namespace",
        ),
        (
            "/projects/0/path",
            json!("none/api"),
            "projects[0].path: there is no group none",
        ),
        (
            "/memberships/0/user",
            json!("none"),
            "memberships[0].user: there is no person none",
        ),
        (
            "/memberships/0/group",
            json!("none"),
            "memberships[0].group: there is no group none",
        ),
        (
            "/bots/0/group",
            json!("none"),
            "bots[0].group: there is no group none",
        ),
        (
            "/tokens/0/user",
            json!("none"),
            "tokens[0].user: there is no user none",
        ),
        (
            "/tokens/0/scopes",
            json!(["api", "sudo"]),
            "tokens[0].scopes[1]: can't be had",
        ),
    ] {
        let found = refused(&server, &with(acme(VALUE), path, value));
        assert!(found.starts_with(why), "{path}: {found}");
    }
    for branch in ["no branch", "--bare", "HEAD", "a..b", ""] {
        let mut odd = acme(VALUE);
        odd["projects"][0]["default_branch"] = json!(branch);
        assert_eq!(
            refused(&server, &odd),
            "projects[0].default_branch: is no name that Git takes for a branch",
            "{branch:?}"
        );
    }
    let mut orphan = acme(VALUE);
    orphan["tokens"][1]["previous_digest"] = json!(salted("nowhere", SALT));
    assert_eq!(
        refused(&server, &orphan),
        "tokens[1].previous_digest: is of no token that comes before"
    );
    orphan["tokens"][1]["previous_digest"] = orphan["tokens"][0]["digest"].clone();
    assert_eq!(
        refused(&server, &orphan),
        "tokens[1].previous_digest: is of a token of another user"
    );
    // A bot is no member like people.
    let member = also(
        acme(VALUE),
        "memberships",
        json!({ "user": "group_1_bot_0a1b", "project": "acme/api", "access_level": 30 }),
    );
    import(&server, &acme(VALUE)).unwrap();
    assert!(refused(&server, &member).starts_with("memberships[1].user: there is no person"));
}

async fn a_bot_belongs_to_one_place_and_has_a_token(server: TestServer) {
    let idle = also(
        acme(VALUE),
        "bots",
        json!({ "username": "group_1_bot_idle", "name": "idle", "group": "acme", "access_level": 10 }),
    );
    let report = import(&server, &idle).unwrap();
    assert_eq!((report.bots.created, report.bots_without_token), (1, 1));
    assert_eq!(server.count("memberships", "bot"), 1);
    let mut moved = acme(VALUE);
    moved["bots"][0] = json!({ "username": "group_1_bot_0a1b", "name": "ci", "project": "acme/api", "access_level": 40 });
    let why = refused(&server, &moved);
    assert!(
        why.starts_with("bots[0].project: is here as the bot of another"),
        "{why}"
    );
}

async fn states_dates_and_last_uses_are_kept(server: TestServer) {
    let mut kept = acme(VALUE);
    kept["users"][0]["state"] = json!("blocked");
    kept["users"][0]["created_at"] = json!("2020-02-02T02:02:02Z");
    kept["bots"][0]["external"] = json!(true);
    kept["bots"][0]["expires_at"] = json!("2027-01-01");
    kept["bots"][0]["created_by"] = json!("ann");
    kept["tokens"][0]["last_used_at"] = json!("2026-11-01T01:02:03Z");
    kept["tokens"][0]["description"] = json!("What for");
    kept["tokens"][0]["hint"] = json!("QrSt");
    kept["tokens"][1]["revoked"] = json!(true);
    import(&server, &kept).unwrap();
    for (table, condition) in [
        (
            "users",
            "username = 'ann' AND state = 'blocked' AND created_at = '2020-02-02 02:02:02'",
        ),
        (
            "users",
            "kind = 'project_bot' AND external AND created_by_id IS NOT NULL AND password_hash IS NULL",
        ),
        (
            "memberships",
            "bot AND access_level = 40 AND expires_at = '2027-01-01'",
        ),
        (
            "access_tokens",
            "name = 'ci' AND NOT revoked AND description = 'What for' AND hint = 'QrSt'",
        ),
        ("access_tokens", "name = 'laptop' AND revoked"),
        ("access_token_uses", "last_used_at = '2026-11-01 01:02:03'"),
    ] {
        assert_eq!(server.count(table, condition), 1, "{table}: {condition}");
    }
    server
        .with_token("old_of_ann_herself_0000")
        .get("/user")
        .await
        .expect(401);
    let own = server
        .with_token(VALUE)
        .get("/personal_access_tokens/self")
        .await
        .expect(200);
    assert_eq!(own.json()["last_used_at"], "2026-11-01T01:02:03.000Z");
}

async fn no_token_counts_as_unused_for_a_time_before_its_import(server: TestServer) {
    server.set("revoke_unused_tokens_after_days", "30");
    for (value, last_used_at) in [
        ("old_never_used", None),
        ("old_used", Some("2021-02-03T04:05:06Z")),
    ] {
        let mut found = acme(value);
        let bot = format!("group_1_bot_{}", value.len());
        found["bots"][0]["username"] = json!(bot);
        found["tokens"].as_array_mut().unwrap().truncate(1);
        found["tokens"][0]["user"] = json!(bot);
        found["tokens"][0]["created_at"] = json!("2021-01-02T03:04:05Z");
        if let Some(at) = last_used_at {
            found["tokens"][0]["last_used_at"] = json!(at);
        }
        import(&server, &found).unwrap();
    }
    let revoke = || {
        server.arrange_as(Actor::system(Origin::job()), |conn, ctx| {
            let found = find_unused(conn, ctx, 0, 1_000)?.unwrap_or_default();
            revoke_unused(conn, ctx, &found.ids, ctx.now)
        })
    };
    assert_eq!(revoke(), []);
    assert_eq!(
        server.count("access_tokens", "created_at = '2021-01-02 03:04:05'"),
        2,
        "when it was made is shown as it is in the file"
    );
    server
        .clock
        .advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(revoke(), []);
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(revoke().len(), 2);
}

async fn the_operator_hears_what_to_look_at(server: TestServer) {
    let mut found = acme(VALUE);
    found["users"][0]["admin"] = json!(true);
    found["groups"] = json!([{ "path": "acme", "name": "Acme" }, { "path": "alone", "name": "Alone" }, { "path": "alone/too", "name": "T" }]);
    found["tokens"][0]["expires_at"] = json!("2030-01-01");
    let report = import(&server, &found).unwrap();
    assert_eq!(report.administrators, ["ann"]);
    assert_eq!(report.without_owner, ["alone"]);
    assert_eq!(report.without_password, 1);
    assert_eq!(report.tokens_without_expiry, 1);
    assert_eq!(report.tokens_beyond_limit, 1);
}

async fn everything_made_has_its_line_in_the_trail(server: TestServer) {
    import(&server, &acme(VALUE)).unwrap();
    for (event, count) in [
        ("user_imported", 1),
        ("group_imported", 1),
        ("project_imported", 1),
        ("member_imported", 1),
        ("group_access_token_imported", 1),
        ("personal_access_token_imported", 1),
        ("system_imported", 1),
    ] {
        assert_eq!(
            server.count("audit_events", &format!("event = '{event}'")),
            count,
            "{event}"
        );
    }
    let in_group = "event = 'group_access_token_imported' AND group_path = 'acme'";
    assert_eq!(server.count("audit_events", in_group), 1);
    assert_eq!(
        server.count("audit_events", &format!("details LIKE '%{SALT}%'")),
        0
    );
}

async fn only_administrators_import(server: TestServer) {
    let c = Company::on(&server);
    let text = file(json!({ "groups": [{ "path": "new", "name": "New" }] })).to_string();
    let attempt = |actor: Actor| {
        let text = text.clone();
        server.attempt_as(actor, move |conn, ctx| {
            exchange::import(
                conn,
                ctx,
                &fingerprint(SECRET),
                text.as_bytes(),
                &mut |_| (),
            )
        })
    };
    let refused = attempt(c.alice.actor());
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert_eq!(server.count("groups", "path = 'new'"), 0);
    attempt(c.root.actor()).unwrap();
    assert!(attempt(Actor::system(Origin::console())).is_ok());
}
