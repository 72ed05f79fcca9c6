//! The example of the documentation, and files that are none.

use serde_json::json;

use super::{acme, created, existing, import_text, refused};
use crate::on_both;
use crate::support::TestServer;

on_both![
    the_documented_example_can_be_imported,
    what_is_no_file_is_refused_with_its_place,
    many_entries_are_many_batches,
];

fn example() -> String {
    let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/import.md"));
    let start = page.split_once("<!-- example -->\n```json\n").unwrap().1;
    start
        .split_once("```\n<!-- end of example -->")
        .unwrap()
        .0
        .to_owned()
}

async fn the_documented_example_can_be_imported(server: TestServer) {
    let report = import_text(&server, example()).unwrap();
    assert_eq!(created(&report), [2, 2, 2, 2, 2, 4]);
    assert_eq!(report.without_owner, Vec::<String>::new());
    assert_eq!(report.administrators, ["ann"]);
    for (value, name) in [
        ("glpat-Zx8Yk2mVwQ4tRb7NcJ5h", "ci"),
        ("glpat-Cw6Hn3FxSa8QkLe2TyRv", "deploy"),
        ("glpat-Ua7Eb4RnYc9JtGs5PvDw", "laptop"),
    ] {
        let own = server
            .with_token(value)
            .get("/personal_access_tokens/self")
            .await;
        assert_eq!(own.expect(200).json()["name"], name);
    }
    let ended = server
        .with_token("glpat-Mq3Wp9LsTd6VyHf2KgXz")
        .get("/user")
        .await;
    ended.expect(401);
    assert_eq!(
        existing(&import_text(&server, example()).unwrap()),
        [2, 2, 2, 2, 2, 4]
    );
}

async fn what_is_no_file_is_refused_with_its_place(server: TestServer) {
    let whole = acme("value").to_string();
    let before = server.inventory();
    for end in [0, 1, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let refusal = import_text(&server, whole[..end].to_owned());
        assert!(refusal.is_err(), "cut at {end}");
    }
    assert!(import_text(&server, format!("{whole}{whole}")).is_err());
    assert!(import_text(&server, "[".repeat(100_000)).is_err());
    assert_eq!(server.inventory(), before);
    let mut twice = acme("value");
    let first = twice["tokens"][0].clone();
    twice["tokens"].as_array_mut().unwrap().push(first);
    assert_eq!(
        refused(&server, &twice),
        "tokens[2].digest: is in the file before"
    );
    let mut unknown = acme("value");
    unknown["users"][0]["colour"] = json!("green");
    let why = refused(&server, &unknown);
    assert!(why.starts_with("users[0].colour: unknown field"), "{why}");
    let mut no_digests = acme("value");
    no_digests.as_object_mut().unwrap().remove("digests");
    assert_eq!(
        refused(&server, &no_digests),
        "tokens[0]: there are no digests before it"
    );
}

async fn many_entries_are_many_batches(server: TestServer) {
    let mut many = acme("value");
    let count = 1_250;
    let bots = many["bots"].as_array_mut().unwrap();
    bots.extend((0..count).map(|number| {
        json!({ "username": format!("group_1_bot_{number}"), "name": "n", "group": "acme", "access_level": 20 })
    }));
    let digest = |number: usize| super::salted(&format!("value {number}"), super::SALT);
    let tokens = many["tokens"].as_array_mut().unwrap();
    tokens.extend((0..count).map(|number| {
        json!({ "user": format!("group_1_bot_{number}"), "name": "n", "scopes": ["api"], "digest": digest(number) })
    }));
    // A family across batches.
    for number in 0..3 {
        let previous = if number == 0 {
            count - 1
        } else {
            count + number - 1
        };
        tokens.push(json!({
            "user": format!("group_1_bot_{}", count - 1), "name": "n", "scopes": ["api"],
            "digest": digest(count + number), "previous_digest": digest(previous),
        }));
    }
    let report = import_text(&server, many.to_string()).unwrap();
    assert_eq!(report.bots.created, 1 + count as u64);
    assert_eq!(report.tokens.created, 2 + count as u64 + 3);
    assert_eq!(
        server.count("access_tokens", "previous_token_id IS NOT NULL"),
        3
    );
    assert_eq!(server.count("memberships", "bot"), 1 + count as i64);
    let last = server.with_token(&format!("value {}", count - 1));
    last.get("/groups/acme").await.expect(200);
}
