//! People's own tokens.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::json;

use super::{cell, headings, names, one_time_value::at_once, value_in, value_of};
use crate::on_both;
use crate::support::{Form, Person, TestResource, TestServer, Visitor, company::resource_scopes};

const PATH: &str = "/-/user_settings/personal_access_tokens";
const ACTIVE: &str = "active-tokens";
const SCOPES: &str = "personal_access_token[scopes][]";

on_both![
    a_personal_token_acts_as_its_owner,
    the_form_asks_for_no_role,
    what_only_administrators_may_ask_for,
    the_value_is_shown_once,
    everybody_sees_their_own,
    revoking_and_rotating,
    a_group_does_not_decide_about_personal_tokens,
    dates_keep_to_the_limits,
    mistakes_are_told_and_nothing_is_made,
    strangers_are_asked_to_sign_in,
];

fn field(name: &str) -> String {
    format!("personal_access_token[{name}]")
}

async fn filled(browser: &Visitor, name: &str, scope: &str) -> Form {
    browser
        .open(PATH)
        .await
        .form(PATH)
        .fill(&field("name"), name)
        .tick(SCOPES, scope)
}

async fn alice(server: &TestServer) -> (Person, Visitor) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    (alice, browser)
}

async fn a_personal_token_acts_as_its_owner(server: TestServer) {
    let (alice, browser) = alice(&server).await;
    let acme = server.group("acme").owner(&alice).private().create();
    let people = server.inventory().users;
    let form = filled(&browser, "script", "api")
        .await
        .fill(&field("description"), "at home");
    let answer = browser.submit(&form).await.expect(200);
    let page = answer.page();
    assert!(page.says("Your new personal access token"));
    assert_eq!(names(&page, ACTIVE), ["script"]);
    assert!(cell(&page, ACTIVE, "script", "Expires").contains("20 Dec 2026"));
    assert_eq!(cell(&page, ACTIVE, "script", "Description"), "at home");
    assert!(!headings(&page, ACTIVE).contains(&"Role".to_owned()));
    let api = server.with_token(&value_of(&answer));
    assert_eq!(
        api.get("/user").await.expect(200).json()["username"],
        "alice"
    );
    api.get(&acme.path()).await.expect(200);
    let made = api
        .post(
            &format!("{}/access_tokens", acme.path()),
            json!({ "name": "ci", "scopes": ["api"] }),
        )
        .await;
    made.expect(201);
    let token = api
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(token["user_id"], alice.id);
    assert_eq!(token["description"], "at home");
    assert_eq!(
        server.inventory().users,
        people + 1,
        "only the group's token has a bot"
    );
    assert_eq!(
        server.count("audit_events", "event = 'personal_access_token_created'"),
        1
    );
}

async fn the_form_asks_for_no_role(server: TestServer) {
    let (_, browser) = alice(&server).await;
    let page = browser.open(&format!("{PATH}?new=1")).await;
    let form = page.form(PATH);
    assert!(!form.has(&field("access_level")) && !page.has("access-token-role-field"));
    assert_eq!(form.value(&field("expires_at")), Some("2026-12-20"));
    assert!(page.says("You have no active access tokens."));
    assert!(page.says("Add a personal access token") && page.says("Create personal access token"));
    assert!(form.values(SCOPES).is_empty());
    // A role that is sent all the same means nothing.
    let form = filled(&browser, "x", "api")
        .await
        .fill(&field("access_level"), "fifty");
    value_of(&browser.submit(&form).await.expect(200));
}

async fn what_only_administrators_may_ask_for(server: TestServer) {
    let (_, browser) = alice(&server).await;
    let root = server.person("root").admin().create().signs_in().await;
    let offered = async |visitor: &Visitor| -> Vec<String> {
        let form = visitor.open(PATH).await.form(PATH);
        let mut scopes: Vec<String> = form.unticked.into_iter().map(|(_, value)| value).collect();
        scopes.sort_unstable();
        scopes
    };
    let mut people: Vec<String> = resource_scopes().into_iter().map(str::to_owned).collect();
    people.push("read_user".into());
    people.sort_unstable();
    assert_eq!(offered(&browser).await, people);
    people.extend(["sudo".to_owned(), "admin_mode".to_owned()]);
    people.sort_unstable();
    assert_eq!(offered(&root).await, people);

    let before = server.inventory();
    for scope in ["sudo", "admin_mode", "read_service_ping", "bogus"] {
        let answer = browser
            .submit(&filled(&browser, "forged", scope).await)
            .await;
        assert_eq!(answer.status, 422, "{scope}");
        assert!(
            answer.page().complaints()[0].starts_with("Scopes"),
            "{:?}",
            answer.page().complaints()
        );
    }
    assert_eq!(server.inventory(), before);
    let value = value_of(
        &root
            .submit(&filled(&root, "mighty", "sudo").await)
            .await
            .expect(200),
    );
    server.with_token(&value).get("/user").await.expect(403);
}

async fn the_value_is_shown_once(server: TestServer) {
    let (_, browser) = alice(&server).await;
    let form = filled(&browser, "script", "read_user").await;
    let answers = at_once(&browser, &form, 4).await;
    let values: Vec<String> = answers.iter().filter_map(value_in).collect();
    assert_eq!(values.len(), 1);
    let shown = answers
        .iter()
        .find(|answer| value_in(answer).is_some())
        .unwrap();
    assert_eq!(shown.header("cache-control"), "no-store");
    assert_eq!(shown.header("etag"), "");
    let again = browser.submit(&form).await;
    assert!(
        again.page().says("This token was created at 10:00 UTC"),
        "{}",
        again.page().main()
    );
    assert!(!again.text().contains(&values[0]));
    assert!(!browser.get(PATH).await.text().contains(&values[0]));
    assert_eq!(server.count("access_tokens", ""), 1);
}

async fn everybody_sees_their_own(server: TestServer) {
    let (alice, browser) = alice(&server).await;
    let root = server.person("root").admin().create();
    let acme = server.group("acme").owner(&alice).create();
    let mine = alice.personal_token([Scope::Api]);
    let theirs = root.personal_token([Scope::Api]);
    let bots = acme.token("ci").role(AccessLevel::Owner).create();
    assert_eq!(names(&browser.open(PATH).await, ACTIVE), ["alice's script"]);
    let admin = root.signs_in().await;
    assert_eq!(names(&admin.open(PATH).await, ACTIVE), ["root's script"]);
    for (visitor, token) in [(&browser, &theirs), (&browser, &bots), (&admin, &mine)] {
        for action in ["revoke", "rotate"] {
            let path = format!("{PATH}/{}/{action}", token.id);
            visitor.get(&path).await.expect(404);
            visitor
                .post(&path, &[("_method", "put"), ("form_nonce", "n")])
                .await
                .expect(404);
        }
        assert!(token.works().await);
    }
    // Searched and sorted like the others.
    let page = browser
        .open(&format!("{PATH}?search=root&sort=name_desc"))
        .await;
    assert!(page.says("No tokens match."));
}

async fn revoking_and_rotating(server: TestServer) {
    let (alice, browser) = alice(&server).await;
    let token = alice.personal_token([Scope::ReadApi]);
    let question = format!("{PATH}/{}/rotate", token.id);
    let form = browser.open(&question).await.form(&question);
    assert!(token.works().await);
    let form = form.fill(&field("expires_at"), "2027-01-01");
    let answer = browser.submit(&form).await.expect(200);
    assert!(
        answer.page().says("Your rotated personal access token"),
        "{}",
        answer.page().main()
    );
    let new = server.with_token(&value_of(&answer));
    assert!(!token.works().await);
    let shown = new
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&shown["expires_at"], &shown["scopes"]),
        (&json!("2027-01-01"), &json!(["read_api"]))
    );
    assert!(browser.submit(&form).await.page().says("10:00 UTC"));

    let question = format!("{PATH}/{}/revoke", shown["id"]);
    let form = browser.open(&question).await.form(&question);
    let answer = browser.submit(&form).await.expect(303);
    assert_eq!(answer.location(), PATH);
    assert!(
        browser
            .open(PATH)
            .await
            .flash()
            .contains("Revoked access token alice's script.")
    );
    new.get("/user").await.expect(401);
    // The person stays, of course.
    server.rest().await;
    assert!(browser.is_signed_in().await);
}

async fn a_group_does_not_decide_about_personal_tokens(server: TestServer) {
    let (alice, browser) = alice(&server).await;
    server
        .group("acme")
        .owner(&alice)
        .create()
        .allow_creation(false);
    value_of(
        &browser
            .submit(&filled(&browser, "script", "api").await)
            .await
            .expect(200),
    );
}

async fn dates_keep_to_the_limits(server: TestServer) {
    let (_, browser) = alice(&server).await;
    for (typed, status) in [
        ("2026-11-20", 422),
        ("2026-11-19", 422),
        ("2027-11-21", 422),
        ("2027-02-29", 422),
        ("2027-11-20", 200),
        ("", 200),
    ] {
        let form = filled(&browser, &format!("dated {typed}"), "api")
            .await
            .fill(&field("expires_at"), typed);
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, status, "{typed}");
        if status == 200 {
            let api = server.with_token(&value_of(&answer));
            let token = api
                .get("/personal_access_tokens/self")
                .await
                .expect(200)
                .json();
            assert_eq!(token["expires_at"], "2027-11-20", "{typed}");
        }
    }
    server.set("max_personal_access_token_lifetime", "7");
    let page = browser.open(PATH).await;
    assert_eq!(
        page.form(PATH).value(&field("expires_at")),
        Some("2026-11-27")
    );
    assert!(page.says("today + 7 days"));
}

async fn mistakes_are_told_and_nothing_is_made(server: TestServer) {
    let (_, browser) = alice(&server).await;
    let before = server.inventory();
    let long = "x".repeat(300);
    for (name, says) in [
        ("", "Name can't be blank"),
        (
            long.as_str(),
            "Name is too long (maximum is 255 characters)",
        ),
        ("x\0y", "Name contains invalid characters"),
    ] {
        let answer = browser
            .submit(&filled(&browser, name, "read_user").await)
            .await
            .expect(422);
        assert_eq!(answer.page().complaints(), [says]);
        assert_eq!(
            answer.page().form(PATH).values(SCOPES),
            ["read_user"],
            "kept"
        );
    }
    let form = browser
        .open(PATH)
        .await
        .form(PATH)
        .fill(&field("name"), "x");
    assert_eq!(
        browser.submit(&form).await.expect(422).page().complaints(),
        ["Scopes can't be blank"]
    );
    browser.send_rubbish(PATH).await;
    assert_eq!(server.inventory(), before);
}

async fn strangers_are_asked_to_sign_in(server: TestServer) {
    let answer = server.visitor().get(PATH).await.expect(302);
    assert_eq!(
        answer.location(),
        format!("/users/sign_in?redirect_to={PATH}")
    );
    // A token of the API opens no page.
    let root = server.person("root").admin().create();
    let token = root.personal_token([Scope::Api]);
    let with_token = server
        .request(reqwest::Method::GET, PATH)
        .header("PRIVATE-TOKEN", &token.value);
    assert_eq!(crate::support::Answer::to(with_token).await.status, 302);
}
