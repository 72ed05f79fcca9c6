//! What an instance has goes into a file, and another instance with the same secret takes it from there.

use latchkey::access_tokens::scope::Scope;
use latchkey::access_tokens::secret::fingerprint;
use latchkey::actor::{Actor, Origin};
use latchkey::error::Error;
use latchkey::exchange;
use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Company, Storage, TestResource, TestServer, server::SECRET};

on_both![
    everybody_goes_on_elsewhere,
    tokens_that_were_imported_move_on,
    no_older_file_brings_a_token_back,
    a_token_that_was_just_revoked_is_told_as_taken_away,
    a_former_prefix_moves_on,
    only_administrators_export,
];

fn attempt(server: &TestServer, actor: &Actor) -> Result<Vec<u8>, Error> {
    let app = &server.app;
    app.db.read_now(|conn| {
        let policy = app.policy_now(conn)?;
        let ctx = app.context(actor.clone(), policy, app.clock.now());
        let mut file = Vec::new();
        exchange::export(conn, &ctx, &fingerprint(SECRET), &mut file)?;
        Ok(file)
    })
}

fn exported(server: &TestServer) -> Vec<u8> {
    attempt(server, &Actor::system(Origin::console())).unwrap()
}

fn import(server: &TestServer, file: &[u8]) {
    let file = file.to_vec();
    server.arrange(move |conn, ctx| {
        exchange::import(
            conn,
            ctx,
            &fingerprint(SECRET),
            file.as_slice(),
            &mut |_| (),
        )
        .map(|_| ())
    });
}

fn object(file: &[u8]) -> Value {
    serde_json::from_slice(file).unwrap()
}

async fn everybody_goes_on_elsewhere(server: TestServer) {
    let c = Company::on(&server);
    let group = c.acme.token("of a group").create();
    let project =
        c.p2.token("of a project")
            .role(AccessLevel::Developer)
            .create();
    let personal = c.frank.personal_token([Scope::Api]);
    let admin = c.root.personal_token([Scope::Api]);
    // Of somebody who isn't an administrator any more.
    let past = server.person("past").admin().create();
    past.personal_token([Scope::Sudo, Scope::AdminMode]);
    server.sql("UPDATE users SET admin = FALSE WHERE username = 'past'");
    let gone = c.sub.token("gone").create();
    c.alice
        .api()
        .delete(&format!("{}/access_tokens/{}", c.sub.path(), gone.id))
        .await
        .expect(204);
    let rotated = project
        .post("/personal_access_tokens/self/rotate", json!({}))
        .await
        .expect(200)
        .json();
    server.person("judy").create();
    server.sql("UPDATE users SET confirmed_at = NULL, state = 'blocked', approval_requested_at = '2026-11-01 10:00:00' WHERE username = 'judy'");
    server.sql("UPDATE groups SET plan = 'premium', trial = TRUE, retain_bots = TRUE WHERE full_path = 'acme'");
    server.sql("UPDATE projects SET default_branch = 'trunk'");
    c.erin.block();
    c.acme.allow_creation(false);
    server.rest().await;
    let file = exported(&server);

    // The other instance is on SQLite, whatever this one is on.
    let other = TestServer::on(Storage::sqlite());
    import(&other, &file);
    assert_eq!(object(&exported(&other)), object(&file));
    for (table, condition) in [
        (
            "users",
            "confirmed_at IS NULL AND state = 'blocked' AND approval_requested_at = '2026-11-01 10:00:00'",
        ),
        ("groups", "plan = 'premium' AND trial AND retain_bots"),
        ("projects", "default_branch = 'trunk'"),
    ] {
        let here = server.count(table, condition);
        assert!(here > 0, "{condition}");
        assert_eq!(other.count(table, condition), here, "{condition}");
    }
    for value in [
        &group.value,
        &personal.value,
        rotated["token"].as_str().unwrap(),
    ] {
        let here = server
            .with_token(value)
            .get("/personal_access_tokens/self")
            .await
            .expect(200)
            .json();
        let there = other
            .with_token(value)
            .get("/personal_access_tokens/self")
            .await
            .expect(200)
            .json();
        for field in ["name", "scopes", "expires_at", "created_at", "active"] {
            assert_eq!(here[field], there[field], "{field}");
        }
    }
    for value in [&project.value, &gone.value] {
        other.with_token(value).get("/user").await.expect(401);
    }
    let path = format!("/groups/{}/access_tokens", c.acme.encoded_path());
    let names = |list: Value| {
        let list = list.as_array().unwrap().clone();
        list.into_iter()
            .map(|token| token["name"].clone())
            .collect::<Vec<_>>()
    };
    let here = c.root.api().get(&path).await.expect(200).json();
    let there = other
        .with_token(&admin.value)
        .get(&path)
        .await
        .expect(200)
        .json();
    assert_eq!(names(there), names(here));
}

async fn tokens_that_were_imported_move_on(server: TestServer) {
    let salt = "the salt of an older instance";
    let digest = |value: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let salt = latchkey::access_tokens::imported::Salt::parse(salt).unwrap();
        STANDARD.encode(salt.hash(value))
    };
    let older = json!({
        "format": "latchkey-import", "version": 1, "prefixes": ["older_"],
        "digests": { "kind": "sha256", "salt": salt },
        "users": [{ "username": "ann", "name": "Ann", "email": "ann@example.com" }],
        "tokens": [{ "user": "ann", "name": "laptop", "scopes": ["api"], "digest": digest("older_value") }],
    });
    import(&server, older.to_string().as_bytes());
    let file = exported(&server);
    assert!(!String::from_utf8_lossy(&file).contains(salt));
    let other = TestServer::on(Storage::sqlite());
    import(&other, &file);
    other
        .with_token("older_value")
        .get("/user")
        .await
        .expect(200);
    assert_eq!(other.count("imported_prefixes", "prefix = 'older_'"), 1);
    assert_eq!(object(&exported(&other))["tokens"], object(&file)["tokens"]);
}

/// By whatever way a token has gone: an export from before has it, and it stays gone; also where a later export went.
async fn no_older_file_brings_a_token_back(server: TestServer) {
    let c = Company::on(&server);
    let revoked = c.acme.token("revoked").create();
    let inside = c.p2.token("inside").create();
    let below = c.sub.token("below").create();
    let personal = c.frank.personal_token([Scope::Api]);
    let kept = c.acme.token("kept").create();
    let before = exported(&server);
    for path in [
        format!("{}/access_tokens/{}", c.acme.path(), revoked.id),
        c.p2.path(),
        c.sub.path(),
        format!("/users/{}", c.frank.user.id),
    ] {
        let answer = c.root.api().delete(&path).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
    }
    server.rest().await;
    let after = exported(&server);
    let other = TestServer::on(Storage::sqlite());
    import(&other, &after);
    for server in [&server, &other] {
        import(server, &before);
        for token in [&revoked.value, &inside.value, &below.value, &personal.value] {
            server.with_token(token).get("/user").await.expect(401);
        }
        server
            .with_token(&kept.value)
            .get("/personal_access_tokens/self")
            .await
            .expect(200);
    }
    assert_eq!(object(&after)["taken_away"].as_array().unwrap().len(), 4);
}

/// Its rows are still here, until the job that deletes bots comes by.
async fn a_token_that_was_just_revoked_is_told_as_taken_away(server: TestServer) {
    let c = Company::on(&server);
    let own = c.acme.token("own").create();
    let personal = c.frank.personal_token([Scope::Api]);
    let kept = c.acme.token("kept").create();
    let before = exported(&server);
    // One of the two was imported, so that its digest is known already.
    let elsewhere = TestServer::on(Storage::sqlite());
    import(&elsewhere, &before);
    for server in [&server, &elsewhere] {
        for token in [&own, &personal] {
            let path = "/personal_access_tokens/self";
            server
                .with_token(&token.value)
                .delete(path)
                .await
                .expect(204);
        }
        let id = server
            .with_token(&kept.value)
            .get("/personal_access_tokens/self")
            .await
            .json()["id"]
            .clone();
        // The Revoke button of a group takes the bot along.
        server.arrange(move |conn, ctx| {
            use latchkey::access_tokens::{revoke, store};
            let id = id.as_i64().unwrap();
            let listed = store::find(conn, id)?.unwrap();
            let resource = store::resources_of(conn, std::iter::once(&listed.token))?;
            revoke::revoke(conn, ctx, &resource[&id], id, false).map(|_| ())
        });
        assert_eq!(server.count("users", "bot_gone_at IS NOT NULL"), 1);
        let after = exported(server);
        let told = object(&after)["taken_away"].clone();
        assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
        let other = TestServer::on(Storage::sqlite());
        import(&other, &after);
        import(&other, &before);
        for token in [&own, &personal, &kept] {
            other
                .with_token(&token.value)
                .get("/user")
                .await
                .expect(401);
        }
    }
}

async fn a_former_prefix_moves_on(server: TestServer) {
    Company::on(&server);
    for prefix in ["first_", "second_", "third_", "second_", ""] {
        server.set("personal_access_token_prefix", prefix);
    }
    let file = exported(&server);
    assert_eq!(
        object(&file)["prefixes"],
        json!(["first_", "glpat-", "second_", "third_"])
    );
}

async fn only_administrators_export(server: TestServer) {
    let c = Company::on(&server);
    let refused = attempt(&server, &c.alice.actor());
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert!(attempt(&server, &c.root.actor()).is_ok());
}
