//! `POST /groups/:id/access_tokens`

use chrono::{NaiveDate, TimeDelta};
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};

use super::{assert_is_token_object, invalid, refused};
use crate::on_both;
use crate::support::{
    Answer, Api, Company, TestResource, TestServer, company::resource_scopes, query,
};

on_both![
    a_token_comes_with_a_bot_of_its_own,
    what_is_left_out_has_its_default,
    the_token_calls_the_api_at_once,
    each_refusal_has_its_words_and_leaves_nothing_behind,
    every_role_and_every_scope_can_be_given,
    access_levels_are_numbers_however_they_are_sent,
    dates_are_dates_however_they_are_sent,
    the_longest_life_is_a_year,
    a_flag_stretches_the_longest_life_to_400_days,
    the_maximum_of_the_instance_shortens_it,
    without_required_expiry_any_future_date_passes,
    names_are_kept_as_they_are_or_refused,
    descriptions_have_255_characters,
    scopes_match_exactly,
    a_form_says_the_same_as_json,
    a_group_holds_so_many_active_tokens,
    the_prefix_holds_for_new_tokens_only,
    both_shapes_of_values_are_as_documented,
    the_answer_is_not_stored_anywhere_on_its_way,
];

struct Owner {
    api: Api,
    path: String,
}

impl Owner {
    fn of_acme(server: &TestServer) -> Owner {
        let alice = server.person("alice").create();
        let acme = server.group("acme").owner(&alice).create();
        let path = format!("{}/access_tokens", acme.path());
        Owner {
            api: alice.api(),
            path,
        }
    }

    async fn create(&self, body: Value) -> Answer {
        self.api.post(&self.path, body).await
    }

    /// With a name and a scope besides what is given.
    async fn create_with(&self, fields: Value) -> Answer {
        let mut body = json!({ "name": "ci", "scopes": ["api"] });
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        self.create(body).await
    }
}

async fn a_token_comes_with_a_bot_of_its_own(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let answer = owner
        .create(json!({
            "name": "deploy", "description": "used by the nightly deploy",
            "scopes": ["read_repository", "api"], "access_level": 30, "expires_at": "2027-01-31",
        }))
        .await
        .expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "");
    let token = answer.json();
    assert_is_token_object(&token, true);
    assert_eq!(token["name"], "deploy");
    assert_eq!(token["description"], "used by the nightly deploy");
    let mut scopes: Vec<&str> = token["scopes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scope| scope.as_str().unwrap())
        .collect();
    assert_eq!(
        scopes,
        ["read_repository", "api"],
        "in the order in which they were given"
    );
    scopes.sort_unstable();
    assert_eq!(token["access_level"], 30);
    assert_eq!(token["expires_at"], "2027-01-31");
    assert_eq!(token["created_at"], "2026-11-20T10:00:00.000Z");
    assert_eq!(token["revoked"], false);
    assert_eq!(token["active"], true);
    assert_eq!(token["last_used_at"], Value::Null);

    let bot = server
        .with_token(token["token"].as_str().unwrap())
        .get("/user")
        .await
        .expect(200)
        .json();
    assert_eq!(bot["id"], token["user_id"]);
    assert_eq!(bot["bot"], true);
    assert_eq!(bot["name"], "deploy");
    let username = bot["username"].as_str().unwrap();
    assert!(
        Regex::new(r"^group_\d+_bot_[0-9a-f]{32}$")
            .unwrap()
            .is_match(username),
        "{username}"
    );
    assert!(
        owner
            .path
            .starts_with(&format!("/groups/{}/", username.split('_').nth(1).unwrap()))
    );
    assert_eq!(bot["email"], format!("{username}@noreply.127.0.0.1"));

    let members = owner
        .api
        .get(&owner.path.replace("access_tokens", "members"))
        .await
        .expect(200)
        .json();
    let member = members
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["id"] == bot["id"])
        .unwrap();
    assert_eq!(member["access_level"], 30);
    assert_eq!(
        member["expires_at"], "2027-01-31",
        "the membership ends with the token"
    );

    // The next one gets a bot of its own, though it has the same name.
    let second = owner
        .create_with(json!({ "name": "deploy" }))
        .await
        .expect(201)
        .json();
    assert_ne!(second["user_id"], token["user_id"]);
}

async fn what_is_left_out_has_its_default(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let left_out = owner
        .create(json!({ "name": "ci", "scopes": ["read_api"] }))
        .await
        .expect(201)
        .json();
    let empty = owner
        .create_with(
            json!({ "access_level": null, "expires_at": "", "description": "", "unheard": 1 }),
        )
        .await
        .expect(201)
        .json();
    for token in [left_out, empty] {
        assert_eq!(token["access_level"], 40);
        assert_eq!(token["expires_at"], "2027-11-20");
        assert_eq!(token["description"], Value::Null);
    }
}

async fn the_token_calls_the_api_at_once(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let token = owner.create_with(json!({})).await.expect(201).json();
    let program = server.with_token(token["token"].as_str().unwrap());
    program.get("/groups/acme").await.expect(200);
    program
        .post("/projects", json!({ "name": "made", "namespace_id": 0 }))
        .await
        .expect(404);
}

async fn each_refusal_has_its_words_and_leaves_nothing_behind(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let long = "x".repeat(256);
    let past = "Could not provision maintainer access to the access token. \
                ERROR: Expires at cannot be a date in the past";
    let rows: Vec<(Value, (u16, Value))> = vec![
        (json!({ "scopes": ["api"] }), invalid("name is missing")),
        (json!({ "name": "ci" }), invalid("scopes is missing")),
        (json!({}), invalid("name is missing, scopes is missing")),
        (
            json!({ "name": "ci", "scopes": ["nonsense"] }),
            invalid("scopes does not have a valid value"),
        ),
        (
            json!({ "name": "ci", "scopes": ["api", "sudo"] }),
            invalid("scopes does not have a valid value"),
        ),
        (
            json!({ "name": "ci", "scopes": ["read_user"] }),
            invalid("scopes does not have a valid value"),
        ),
        (
            json!({ "name": "ci", "scopes": ["admin_mode"] }),
            invalid("scopes does not have a valid value"),
        ),
        (
            with("access_level", json!(17)),
            invalid("access_level does not have a valid value"),
        ),
        (
            with("access_level", json!(0)),
            invalid("access_level does not have a valid value"),
        ),
        (
            with("access_level", json!(60)),
            invalid("access_level does not have a valid value"),
        ),
        (
            with("access_level", json!("fifty")),
            invalid("access_level is invalid"),
        ),
        (
            with("expires_at", json!("2027-02-29")),
            invalid("expires_at is invalid"),
        ),
        (
            with("expires_at", json!("tomorrow")),
            invalid("expires_at is invalid"),
        ),
        (with("name", json!("")), refused("Name can't be blank")),
        (with("name", json!("   ")), refused("Name can't be blank")),
        (
            with("name", json!(long)),
            refused("Name is too long (maximum is 255 characters)"),
        ),
        (
            with("name", json!("a\u{0}b")),
            refused("Name contains invalid characters"),
        ),
        (with("scopes", json!([])), refused("Scopes can't be blank")),
        (
            with("description", json!(long)),
            refused("Description is too long (maximum is 255 characters)"),
        ),
        (
            with("expires_at", json!("2027-11-21")),
            refused("Expiration date must be before 2027-11-20"),
        ),
        (with("expires_at", json!("2026-11-19")), refused(past)),
        (with("expires_at", json!("1970-01-01")), refused(past)),
    ];
    let before = server.inventory();
    for (body, expected) in rows {
        let answer = owner.create(body.clone()).await;
        assert_eq!(answer.outcome(), expected, "{body}");
        assert_eq!(server.inventory(), before, "{body}");
    }

    let with_role =
        json!({ "name": "ci", "scopes": ["api"], "access_level": 20, "expires_at": "2026-11-19" });
    let reporter = past.replace("maintainer", "reporter");
    assert_eq!(owner.create(with_role).await.outcome(), refused(&reporter));
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({ "name": "ci", "scopes": ["api"] });
    body[field] = value;
    body
}

async fn every_role_and_every_scope_can_be_given(server: TestServer) {
    let owner = Owner::of_acme(&server);
    for level in AccessLevel::ALL {
        let token = owner
            .create_with(json!({ "access_level": level }))
            .await
            .expect(201)
            .json();
        assert_eq!(token["access_level"], level.number());
    }
    let all = resource_scopes();
    assert_eq!(all.len(), 11);
    for scope in &all {
        let token = owner
            .create_with(json!({ "scopes": [scope] }))
            .await
            .expect(201)
            .json();
        assert_eq!(token["scopes"], json!([scope]));
    }
    let token = owner
        .create_with(json!({ "scopes": all }))
        .await
        .expect(201)
        .json();
    assert_eq!(token["scopes"], json!(all));
    let twice = owner
        .create_with(json!({ "scopes": ["api", "read_api", "api"] }))
        .await
        .expect(201)
        .json();
    assert_eq!(twice["scopes"], json!(["api", "read_api"]));
    let alone = owner
        .create_with(json!({ "scopes": "read_api" }))
        .await
        .expect(201)
        .json();
    assert_eq!(alone["scopes"], json!(["read_api"]));

    server.set("registry_enabled", "false");
    let answer = owner
        .create_with(json!({ "scopes": ["read_registry"] }))
        .await;
    assert_eq!(
        answer.outcome(),
        invalid("scopes does not have a valid value")
    );
}

async fn access_levels_are_numbers_however_they_are_sent(server: TestServer) {
    let owner = Owner::of_acme(&server);
    for good in [json!(50), json!("50")] {
        let token = owner
            .create_with(json!({ "access_level": good }))
            .await
            .expect(201)
            .json();
        assert_eq!(token["access_level"], 50);
    }
    let before = server.inventory();
    let bad = [
        json!(50.5),
        json!("50.0"),
        json!("5e1"),
        json!([50]),
        json!({ "a": 50 }),
        json!(true),
        json!(-1),
        json!(2_147_483_648_i64),
        json!(u64::MAX),
        json!("５０"),
        json!("0x32"),
    ];
    for level in bad {
        let answer = owner.create_with(json!({ "access_level": level })).await;
        assert_eq!(answer.status, 400, "{level}");
        assert!(
            answer.error().starts_with("access_level "),
            "{level}: {}",
            answer.text()
        );
    }
    // serde_json would print 5e1 as 50.0: sent by hand.
    for level in ["50.0", "5e1"] {
        let request = owner
            .api
            .request(Method::POST, &owner.path)
            .header("Content-Type", "application/json")
            .body(format!(
                r#"{{"name":"ci","scopes":["api"],"access_level":{level}}}"#
            ));
        let answer = Answer::to(request).await;
        assert_eq!(
            answer.outcome(),
            invalid("access_level is invalid"),
            "{level}"
        );
    }
    assert_eq!(server.inventory(), before);
}

async fn dates_are_dates_however_they_are_sent(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let good = [
        ("2027-01-31", "2027-01-31"),
        ("2027-01-01T00:00:00+14:00", "2027-01-01"),
        ("2027-01-01T23:59:59Z", "2027-01-01"),
        ("2027-01-01T10:00:00.123", "2027-01-01"),
    ];
    for (sent, stored) in good {
        let token = owner
            .create_with(json!({ "expires_at": sent }))
            .await
            .expect(201)
            .json();
        assert_eq!(token["expires_at"], stored, "{sent}");
    }
    let before = server.inventory();
    let five_kilobytes = "2".repeat(5_000);
    let bad = [
        json!("2027-02-29"),
        json!("2027-13-01"),
        json!("2027-00-10"),
        json!("tomorrow"),
        json!(1e9),
        json!(0),
        json!(true),
        json!({}),
        json!(["2027-01-01"]),
        json!("２０２７-01-01"),
        json!("-2027-01-01"),
        json!(five_kilobytes),
        json!("2027-01-01T25:00:00Z"),
        json!("2027-01-01 or later"),
    ];
    for date in bad {
        let answer = owner.create_with(json!({ "expires_at": date })).await;
        assert_eq!(answer.outcome(), invalid("expires_at is invalid"), "{date}");
    }
    for date in ["10000-01-01", "9999-12-31", "2028-02-29"] {
        owner
            .create_with(json!({ "expires_at": date }))
            .await
            .expect(400);
    }
    assert_eq!(server.inventory(), before);
}

async fn the_longest_life_is_a_year(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let token = owner
        .create_with(json!({ "expires_at": server.days_ahead(365) }))
        .await
        .expect(201)
        .json();
    assert_eq!(token["expires_at"], "2027-11-20");
    let answer = owner
        .create_with(json!({ "expires_at": server.days_ahead(366) }))
        .await;
    assert_eq!(
        answer.outcome(),
        refused("Expiration date must be before 2027-11-20")
    );

    // The same in a year with a leap day ahead: the date is counted in days.
    server.clock.set("2027-11-20T23:59:59Z".parse().unwrap());
    let alice = owner.api.get("/personal_access_tokens/self").await;
    assert_eq!(
        alice.status, 401,
        "the Owner's own token has come to its date"
    );
    let owner = Owner {
        api: server.person("second").admin().create().api(),
        ..owner
    };
    let token = owner.create_with(json!({})).await.expect(201).json();
    assert_eq!(token["expires_at"], "2028-11-19");
}

async fn a_flag_stretches_the_longest_life_to_400_days(server: TestServer) {
    let owner = Owner::of_acme(&server);
    server.flag("buffered_token_expiration_limit", true);
    owner
        .create_with(json!({ "expires_at": server.days_ahead(366) }))
        .await
        .expect(201);
    owner
        .create_with(json!({ "expires_at": server.days_ahead(400) }))
        .await
        .expect(201);
    let answer = owner
        .create_with(json!({ "expires_at": server.days_ahead(401) }))
        .await;
    let limit = server.days_ahead(400);
    assert_eq!(
        answer.outcome(),
        refused(&format!("Expiration date must be before {limit}"))
    );
    let token = owner.create_with(json!({})).await.expect(201).json();
    assert_eq!(
        token["expires_at"],
        server.days_ahead(365),
        "the default stays as it is"
    );
}

async fn the_maximum_of_the_instance_shortens_it(server: TestServer) {
    let owner = Owner::of_acme(&server);
    server.set("max_personal_access_token_lifetime", "30");
    owner
        .create_with(json!({ "expires_at": server.days_ahead(30) }))
        .await
        .expect(201);
    let answer = owner
        .create_with(json!({ "expires_at": server.days_ahead(31) }))
        .await;
    assert_eq!(answer.outcome(), refused("Expiration date is invalid"));
    let token = owner.create_with(json!({})).await.expect(201).json();
    assert_eq!(token["expires_at"], server.days_ahead(30));
}

async fn without_required_expiry_any_future_date_passes(server: TestServer) {
    let owner = Owner::of_acme(&server);
    server.set("require_personal_access_token_expiry", "false");
    let token = owner.create_with(json!({})).await.expect(201).json();
    assert_eq!(token["expires_at"], Value::Null);
    assert_eq!(token["active"], true);
    let token = owner
        .create_with(json!({ "expires_at": "2099-12-31" }))
        .await
        .expect(201)
        .json();
    assert_eq!(token["expires_at"], "2099-12-31");
    owner
        .create_with(json!({ "expires_at": "2026-11-19" }))
        .await
        .expect(400);

    let value = token["token"].as_str().unwrap().to_owned();
    server.clock.advance(TimeDelta::days(10_000));
    server
        .with_token(&value)
        .get("/personal_access_tokens/self")
        .await
        .expect(200);
}

async fn names_are_kept_as_they_are_or_refused(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let longest = "x".repeat(255);
    let emoji = "😀".repeat(255);
    let kept = [
        "a",
        "two words",
        "👩‍👩‍👧‍👦",
        "שלום \u{202e}עולם\u{200f}",
        "<b>&amp;</b>",
        "O'Reilly; DROP TABLE users",
        "{{7*7}} ${7*7}",
        longest.as_str(),
        emoji.as_str(),
    ];
    for name in kept {
        let token = owner
            .create_with(json!({ "name": name }))
            .await
            .expect(201)
            .json();
        assert_eq!(token["name"], name);
        let id = token["id"].as_i64().unwrap();
        let shown = owner
            .api
            .get(&format!("{}/{id}", owner.path))
            .await
            .expect(200)
            .json();
        assert_eq!(shown["name"], name);
    }
    let trimmed = owner
        .create_with(json!({ "name": "  ci \t" }))
        .await
        .expect(201)
        .json();
    assert_eq!(trimmed["name"], "ci");

    let before = server.inventory();
    let too_long = "x".repeat(256);
    let three_hundred = "😀".repeat(300);
    for name in [
        "",
        " ",
        "\u{a0}\u{2003}",
        "a\nb",
        "a\u{7}b",
        "a\u{0}b",
        "\u{7f}",
        &too_long,
        &three_hundred,
    ] {
        let answer = owner.create_with(json!({ "name": name })).await.expect(400);
        assert!(
            answer.message().starts_with("400 Bad request - Name "),
            "{name:?}: {}",
            answer.text()
        );
    }
    for name in [json!(["x"]), json!({ "a": "x" })] {
        let answer = owner.create_with(json!({ "name": name })).await;
        assert_eq!(answer.outcome(), invalid("name is invalid"), "{name}");
    }
    assert_eq!(server.inventory(), before);
}

async fn descriptions_have_255_characters(server: TestServer) {
    let owner = Owner::of_acme(&server);
    for description in ["first\nsecond", &"ü".repeat(255)] {
        let token = owner
            .create_with(json!({ "description": description }))
            .await
            .expect(201)
            .json();
        assert_eq!(token["description"], description);
    }
    let answer = owner
        .create_with(json!({ "description": "ü".repeat(256) }))
        .await;
    assert_eq!(
        answer.outcome(),
        refused("Description is too long (maximum is 255 characters)")
    );
}

async fn scopes_match_exactly(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let before = server.inventory();
    let bad = [
        json!([""]),
        json!(["API"]),
        json!([" api"]),
        json!(["api "]),
        json!(["api,read_api"]),
        json!("api,read_api"),
        json!([null]),
        json!([["api"]]),
        json!([1]),
        json!({ "api": true }),
        json!(["api", "bogus"]),
    ];
    for scopes in bad {
        let answer = owner.create_with(json!({ "scopes": scopes })).await;
        assert_eq!(answer.status, 400, "{scopes}");
        assert!(
            answer.text().to_lowercase().contains("scopes"),
            "{scopes}: {}",
            answer.text()
        );
    }
    let many: Vec<String> = (0..33).map(|number| format!("scope_{number}")).collect();
    owner
        .create_with(json!({ "scopes": many }))
        .await
        .expect(400);
    assert_eq!(server.inventory(), before);
}

async fn a_form_says_the_same_as_json(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let form = [
        ("name", "ci"),
        ("scopes[]", "api"),
        ("scopes[]", "read_repository"),
        ("access_level", "30"),
        ("expires_at", "2027-01-31"),
    ];
    let expected = json!({
        "name": "ci", "scopes": ["api", "read_repository"], "access_level": 30, "expires_at": "2027-01-31",
    });
    let post = || owner.api.request(Method::POST, &owner.path);
    let in_query = |fields: &[(&str, &str)]| {
        owner
            .api
            .request(Method::POST, &format!("{}?{}", owner.path, query(fields)))
    };
    let multipart = form
        .iter()
        .map(|(name, value)| {
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect::<String>()
        + "--edge--\r\n";
    let requests = [
        ("form", post().form(&form)),
        ("query", in_query(&form)),
        ("JSON", post().json(&expected)),
        (
            "multipart",
            post()
                .header("Content-Type", "multipart/form-data; boundary=edge")
                .body(multipart),
        ),
        (
            "JSON before query",
            in_query(&[("name", "no"), ("access_level", "10")]).json(&expected),
        ),
    ];
    for (way, request) in requests {
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 201, "{way}: {}", answer.text());
        let token = answer.json();
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(token[key], *value, "{way}: {key}");
        }
    }
}

async fn a_group_holds_so_many_active_tokens(server: TestServer) {
    let owner = Owner::of_acme(&server);
    server.set("active_tokens_per_group", "2");
    owner
        .create_with(json!({ "expires_at": "2026-12-01" }))
        .await
        .expect(201);
    let second = owner.create_with(json!({})).await.expect(201).json();
    assert_eq!(
        owner.create_with(json!({})).await.outcome(),
        refused("Access token limit reached")
    );

    let id = second["id"].as_i64().unwrap();
    owner
        .api
        .delete(&format!("{}/{id}", owner.path))
        .await
        .expect(204);
    owner.create_with(json!({})).await.expect(201);
    server.clock.set("2026-12-01T00:00:00Z".parse().unwrap());
    owner.create_with(json!({})).await.expect(201);
    owner.create_with(json!({})).await.expect(400);

    server.set("active_tokens_per_group", "0");
    owner.create_with(json!({})).await.expect(201);
}

async fn the_prefix_holds_for_new_tokens_only(server: TestServer) {
    let owner = Owner::of_acme(&server);
    let old = owner.create_with(json!({})).await.expect(201).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(old.starts_with("glpat-"), "{old}");
    server.set("personal_access_token_prefix", "acme_");
    let new = owner.create_with(json!({})).await.expect(201).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(new.starts_with("acme_"), "{new}");
    server.set("personal_access_token_prefix", "");
    let bare = owner.create_with(json!({})).await.expect(201).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    for value in [&old, &new, &bare] {
        server.with_token(value).get("/user").await.expect(200);
    }
}

async fn both_shapes_of_values_are_as_documented(server: TestServer) {
    let owner = Owner::of_acme(&server);
    server.set("token_shape", "classic");
    let classic = owner.create_with(json!({})).await.expect(201).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        Regex::new(r"^glpat-[0-9A-Za-z_-]{20}$")
            .unwrap()
            .is_match(&classic),
        "{classic}"
    );
    assert!(!classic[6..].contains(['l', 'I', 'O', '0']), "{classic}");
    server.set("token_shape", "checked");
    let checked = owner.create_with(json!({})).await.expect(201).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let shape = Regex::new(r"^glpat-[0-9A-Za-z_-]{32}\.01\.0w[0-9a-z]{7}$").unwrap();
    assert!(shape.is_match(&checked), "{checked}");
    for value in [&classic, &checked] {
        server.with_token(value).get("/user").await.expect(200);
    }

    // Noise of the checked shape is refused without a look into the database.
    let mut noise = checked.clone();
    noise.replace_range(8..9, if &checked[8..9] == "A" { "B" } else { "A" });
    let queries = server.app.db.counters().queries();
    server.with_token(&noise).get("/user").await.expect(401);
    assert_eq!(server.app.db.counters().queries(), queries);
}

async fn the_answer_is_not_stored_anywhere_on_its_way(server: TestServer) {
    let company = Company::on(&server);
    let alice = company.alice.personal_token([Scope::Api]);
    let path = format!("{}/access_tokens", company.acme.path());
    let answer = alice
        .post(&path, json!({ "name": "ci", "scopes": ["api"] }))
        .await
        .expect(201);
    let value = answer.json()["token"].as_str().unwrap().to_owned();
    for (name, header) in &answer.headers {
        assert!(!header.to_str().unwrap().contains(&value), "{name}");
    }
    let list = alice.get(&path).await.expect(200);
    assert!(!list.text().contains(&value));
    let date: NaiveDate = list.json()[0]["expires_at"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(date, server.now().date_naive() + TimeDelta::days(365));
}
