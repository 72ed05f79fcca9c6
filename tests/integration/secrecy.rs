//! After a tour of the product, no secret that was used on it can be found anywhere but in the one answer that
//! showed it.

use std::fs;

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{Answer, Company, PASSWORD, TestResource, TestServer, Visitor, server::logged},
};

/// Everything that may not be found again, and every text that it could be found in.
#[derive(Default)]
struct Hunt {
    secrets: Vec<(String, String)>,
    places: Vec<(String, String)>,
}

impl Hunt {
    fn secret(&mut self, what: &str, value: &str) {
        assert!(
            value.len() >= 8,
            "{what} is too short to be looked for: {value}"
        );
        self.secrets.push((what.to_owned(), value.to_owned()));
    }

    fn place(&mut self, what: &str, text: impl Into<String>) {
        self.places.push((what.to_owned(), text.into()));
    }

    /// An answer, with its headers; `shown` is what it may contain.
    fn answer(&mut self, what: &str, answer: &Answer, shown: Option<&str>) {
        let headers = format!("{:?}", answer.headers);
        // The browser's own cookie goes back to the browser, and nowhere else.
        let cookie = Regex::new("latchkey_session=[^;\"]*").unwrap();
        let mut text = format!("{}\n{}", cookie.replace_all(&headers, ""), answer.text());
        if let Some(shown) = shown {
            assert!(answer.text().contains(shown), "{what} shows the value");
            assert_eq!(answer.header("cache-control"), "no-store", "{what}");
            assert!(answer.header("etag").is_empty() && answer.location().is_empty());
            text = text.replace(shown, "");
        }
        self.place(what, text);
    }

    fn check(&self) {
        let mut found = Vec::new();
        for (place, text) in &self.places {
            for (what, value) in &self.secrets {
                if let Some(at) = text.find(value.as_str()) {
                    let from = text.floor_char_boundary(at.saturating_sub(60));
                    found.push(format!("{what} is in {place}: …{}", &text[from..at]));
                }
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

fn cookie_secret(browser: &Visitor) -> String {
    browser.session_cookie().expect("a session has a cookie")
}

on_both!(nothing_secret_is_kept_logged_or_shown_twice);

async fn nothing_secret_is_kept_logged_or_shown_twice(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    let mut hunt = Hunt::default();
    hunt.secret("the password", PASSWORD);

    // Signing in, wrongly and rightly.
    let stranger = server.visitor();
    let wrong = "a wrong passphrase that somebody typed";
    hunt.secret("a wrong password", wrong);
    hunt.answer(
        "the refused sign-in",
        &stranger.sign_in("alice", wrong).await,
        None,
    );
    let browser = company.alice.signs_in().await;
    hunt.secret("the session's cookie", &cookie_secret(&browser));

    // Over the API: made, used through every carrier, rotated, revoked.
    let script = company.alice.personal_token([Scope::Api]);
    hunt.secret("a personal token", &script.value);
    let path = format!("{}/access_tokens", company.acme.path());
    let body = json!({ "name": "ci", "description": "of the tour", "scopes": ["api"], "access_level": 50 });
    let made = script.post(&path, body).await.expect(201);
    let value = made.json()["token"].as_str().unwrap().to_owned();
    let id = made.json()["id"].as_i64().unwrap();
    hunt.secret("a token made over the API", &value);
    hunt.answer("the answer that made a token", &made, Some(&value));
    for carrier in ["private_token", "access_token", "bearer_token"] {
        let query = format!("{}?{carrier}={value}&per_page=1", path);
        hunt.answer(
            carrier,
            &server.anonymous().get(&query).await.expect(200),
            None,
        );
    }
    let rotated = script
        .post(&format!("{path}/{id}/rotate"), Value::Null)
        .await
        .expect(200);
    let next = rotated.json()["token"].as_str().unwrap().to_owned();
    hunt.secret("a rotated token", &next);
    hunt.answer("the answer that rotated a token", &rotated, Some(&next));
    hunt.answer(
        "a dead token's refusal",
        &server.with_token(&value).get("/user").await.expect(401),
        None,
    );
    let again = server
        .with_token(&value)
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(401);
    hunt.answer("the alarm about a reused token", &again, None);
    let unknown = "glpat-ThisOneWasNeverMade0";
    hunt.secret("an unknown token", unknown);
    hunt.answer(
        "an unknown token's refusal",
        &server.with_token(unknown).get(&path).await.expect(401),
        None,
    );
    for misplaced in ["/nothing", "/help", "/search"] {
        let address = format!("{misplaced}?private_token={unknown}");
        hunt.answer(
            &format!("the answer to a token in the address of {misplaced}"),
            &server.get(&address).await,
            None,
        );
    }

    // In the browser: made, sent twice, rotated, revoked.
    let page = company.acme.page("settings/access_tokens");
    let form = browser.open(&format!("{page}?new=1")).await.form(&page);
    let form = form
        .fill("resource_access_token[name]", "of the tour")
        .tick("resource_access_token[scopes][]", "read_api");
    let created = browser.submit(&form).await.expect(200);
    let shown = created
        .page()
        .tag("created-access-token-field")
        .and_then(|tag| tag.get("value"))
        .expect("the value is shown");
    hunt.secret("a token made on a page", &shown);
    hunt.answer("the page that made a token", &created, Some(&shown));
    hunt.answer("the form sent again", &browser.submit(&form).await, None);
    let token = company
        .acme
        .token("to be rotated")
        .role(AccessLevel::Guest)
        .create();
    hunt.secret("a token to be rotated on a page", &token.value);
    let rotation = format!("{page}/{}/rotate", token.id);
    let rotated = browser
        .submit(&browser.open(&rotation).await.form(&rotation))
        .await
        .expect(200);
    let shown = rotated
        .page()
        .tag("created-access-token-field")
        .and_then(|tag| tag.get("value"))
        .expect("the value is shown");
    hunt.secret("a token rotated on a page", &shown);
    hunt.answer("the page that rotated a token", &rotated, Some(&shown));
    let revocation = format!(
        "{page}/{}/revoke",
        company.acme.token("to be revoked").create().id
    );
    hunt.answer(
        "a revocation",
        &browser
            .submit(&browser.open(&revocation).await.form(&revocation))
            .await
            .expect(303),
        None,
    );

    // Every page afterwards, the list and the metrics.
    let own = "/-/user_settings/personal_access_tokens";
    for path in [
        "/",
        "/help",
        "/search?search=tour",
        own,
        &page,
        &company.acme.page("group_members"),
        &company.acme.page("edit"),
        &format!("/{}", company.acme.full_path),
    ] {
        hunt.answer(path, &browser.get(path).await.expect(200), None);
    }
    let root = company.root.signs_in().await;
    hunt.answer("/admin", &root.get("/admin").await.expect(200), None);
    for list in [
        path.clone(),
        format!("{path}/{id}"),
        "/personal_access_tokens/self".into(),
        format!("{}/members", company.acme.path()),
    ] {
        hunt.answer(&list, &script.get(&list).await, None);
    }
    hunt.answer(
        "the metrics",
        &server.get("/-/metrics").await.expect(200),
        None,
    );
    let sign_out = browser.sign_out().await;
    hunt.place("the sign-out", sign_out.text());
    server.rest().await;

    hunt.place("the log", logged());
    for (place, text) in stored(&server) {
        hunt.place(&place, text);
    }
    hunt.check();
    // The test of the test: it has looked where something would be.
    assert!(
        hunt.places
            .iter()
            .any(|(place, text)| place == "the log" && text.contains("[FILTERED]"))
    );
    assert!(
        hunt.places
            .iter()
            .any(|(_, text)| text.contains("group_access_token_created")),
        "the audit rows were read"
    );
}

/// Everything that the database holds, as text.
fn stored(server: &TestServer) -> Vec<(String, String)> {
    if let Some(file) = server.storage.file() {
        return ["", "-wal", "-shm"]
            .iter()
            .filter_map(|end| {
                let path = format!("{}{end}", file.display());
                let bytes = fs::read(&path).ok()?;
                Some((
                    format!("the database file{end}"),
                    String::from_utf8_lossy(&bytes).into_owned(),
                ))
            })
            .collect();
    }
    use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        text: String,
    }
    [
        "users",
        "access_tokens",
        "access_token_uses",
        "memberships",
        "sessions",
        "used_form_nonces",
        "sign_in_failures",
        "audit_events",
        "instance",
        "settings",
    ]
    .into_iter()
    .map(|table| {
        let rows = server.arrange(move |conn, _| match conn {
            latchkey::db::DbConnection::Postgres(conn) => {
                // Bytes as the text that they would be, besides as hexadecimal digits.
                let query = format!(
                    "SELECT t::text || encode(t::text::bytea, 'escape') AS text FROM {table} t"
                );
                Ok(sql_query(query).load::<Row>(conn)?)
            }
            latchkey::db::DbConnection::Sqlite(_) => unreachable!("files are read as they are"),
        });
        (
            format!("the table {table}"),
            rows.into_iter()
                .map(|row| row.text)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    })
    .collect()
}
