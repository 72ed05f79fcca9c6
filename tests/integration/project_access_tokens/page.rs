//! Settings, Access tokens of a project.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use regex::Regex;
use serde_json::json;

use crate::on_both;
use crate::support::{
    Answer, Company, Form, Page, Person, TestProject, TestResource, TestServer, Visitor,
    company::resource_scopes,
};

on_both![
    maintainers_owners_and_administrators_see_the_page,
    for_everybody_else_it_is_not_there,
    a_maintainer_is_offered_roles_up_to_their_own,
    a_value_is_shown_once_and_works,
    revoking_asks_and_takes_effect_at_once,
    rotating_shows_a_new_value_for_the_same_bot,
    only_tokens_of_this_project_are_managed_here,
    the_switch_of_the_top_level_group_closes_the_form,
];

const SCOPES: &str = "resource_access_token[scopes][]";

fn field(name: &str) -> String {
    format!("resource_access_token[{name}]")
}

fn page_of(project: &TestProject) -> String {
    project.page("settings/access_tokens")
}

async fn filled(browser: &Visitor, project: &TestProject, name: &str) -> Form {
    let path = page_of(project);
    let form = browser.open(&path).await.form(&path);
    form.fill(&field("name"), name).tick(SCOPES, "api")
}

#[track_caller]
fn value_of(answer: &Answer) -> String {
    answer
        .page()
        .tag("created-access-token-field")
        .and_then(|tag| tag.get("value"))
        .unwrap_or_else(|| panic!("no value in {} {}", answer.status, answer.page().main()))
}

fn names(page: &Page) -> Vec<String> {
    page.rows("active-tokens")
        .iter()
        .map(|row| row[0].split(" ID ").next().unwrap().to_owned())
        .collect()
}

async fn maintainers_owners_and_administrators_see_the_page(server: TestServer) {
    let c = Company::on(&server);
    let max = server.person("max").create();
    c.p1.member(&max, AccessLevel::Maintainer);
    c.p1.token("of p1").create();
    c.p2.token("of p2").create();
    c.acme.token("of acme").create();
    for (person, projects) in [
        (&c.bob, &[&c.p1, &c.p2][..]),
        (&c.alice, &[&c.p1, &c.p2]),
        (&c.root, &[&c.p1, &c.p2]),
        (&max, &[&c.p1]),
    ] {
        let browser = person.signs_in().await;
        for project in projects {
            let page = browser.open(&page_of(project)).await;
            let who = format!("{} in {}", person.username, project.full_path);
            assert!(page.has("add-new-token-button"), "{who}");
            let name = project.full_path.rsplit('/').next().unwrap();
            assert_eq!(names(&page), [format!("of {name}")], "{who}");
        }
    }
    let form = c.bob.signs_in().await.open(&page_of(&c.p1)).await;
    let form = form.form(&page_of(&c.p1));
    let offered: Vec<&str> = form
        .unticked
        .iter()
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(offered, resource_scopes());
    assert_eq!(form.value(&field("access_level")), Some("10"));
    assert_eq!(form.value(&field("expires_at")), Some("2026-12-20"));
}

async fn for_everybody_else_it_is_not_there(server: TestServer) {
    let c = Company::on(&server);
    let token = c.p1.token("ci").create();
    let max = server.person("max").create();
    c.p2.member(&max, AccessLevel::Maintainer);
    let path = page_of(&c.p1);
    let before = server.inventory();
    for person in [
        &c.carol, &c.dave, &c.paula, &c.erin, &c.frank, &c.xenia, &c.oscar, &max,
    ] {
        let browser = person.signs_in().await;
        let who = &person.username;
        for path in [
            path.clone(),
            format!("{path}/{}/revoke", token.id),
            format!("{path}/{}/rotate", token.id),
        ] {
            let answer = browser.get(&path).await;
            assert_eq!(answer.status, 404, "{who}: {path}");
            assert!(answer.page().says("Page not found"), "{who}: {path}");
        }
        let name = field("name");
        let fields = [("form_nonce", "n"), (name.as_str(), "x"), (SCOPES, "api")];
        let answer = browser.post(&path, &fields).await;
        assert_eq!(answer.status, 404, "{who} creates");
        for action in ["revoke", "rotate"] {
            let sent = [("_method", "put"), ("form_nonce", "n")];
            let path = format!("{path}/{}/{action}", token.id);
            assert_eq!(browser.post(&path, &sent).await.status, 404, "{who}");
        }
    }
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);
    let visitor = server.visitor();
    let answer = visitor.get(&path).await.expect(302);
    assert!(answer.location().starts_with("/users/sign_in"));
}

async fn offered_roles(person: &Person, project: &TestProject) -> Vec<String> {
    let page = person.signs_in().await.open(&page_of(project)).await;
    let select = page.part("access-token-role-field").unwrap();
    let option = Regex::new(r#"<option value="(\d+)""#).unwrap();
    option
        .captures_iter(&select.html)
        .map(|found| found[1].to_owned())
        .collect()
}

async fn a_maintainer_is_offered_roles_up_to_their_own(server: TestServer) {
    let c = Company::on(&server);
    let most = ["10", "15", "20", "30", "40"];
    assert_eq!(offered_roles(&c.bob, &c.p1).await, most);
    let all = ["10", "15", "20", "30", "40", "50"];
    assert_eq!(offered_roles(&c.alice, &c.p1).await, all);
    assert_eq!(offered_roles(&c.root, &c.p1).await, all);

    // What isn't offered is refused as well.
    let browser = c.bob.signs_in().await;
    let before = server.inventory();
    let form = filled(&browser, &c.p1, "strong").await;
    let answer = browser
        .submit(&form.fill(&field("access_level"), "50"))
        .await
        .expect(422);
    let text = "Could not provision owner access to project access token";
    assert!(answer.page().says(text), "{}", answer.page().main());
    assert_eq!(server.inventory(), before);
    let form = filled(&browser, &c.p1, "as strong").await;
    let form = form.fill(&field("access_level"), "40");
    value_of(&browser.submit(&form).await.expect(200));
}

async fn a_value_is_shown_once_and_works(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.bob.signs_in().await;
    let form = filled(&browser, &c.p1, "deploy").await;
    let answer = browser.submit(&form).await.expect(200);
    let value = value_of(&answer);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.page().says("Your new project access token"));
    assert_eq!(answer.text().matches(&value).count(), 1);
    assert_eq!(names(&answer.page()), ["deploy"]);

    let api = server.with_token(&value);
    let token = api.get("/personal_access_tokens/self").await.expect(200);
    let token = token.json();
    assert_eq!(token["name"], "deploy");
    assert_eq!(token["scopes"], json!(["api"]));
    assert_eq!(token["expires_at"], "2026-12-20");
    let bot = api.get("/user").await.expect(200).json();
    let shape = format!("^project_{}_bot_[0-9a-f]{{32}}$", c.p1.id);
    let username = bot["username"].as_str().unwrap();
    assert!(Regex::new(&shape).unwrap().is_match(username), "{username}");

    for path in [
        page_of(&c.p1),
        format!("{}?new=1", page_of(&c.p1)),
        c.p1.page("project_members"),
        "/".to_owned(),
    ] {
        let seen = browser.get(&path).await.expect(200);
        assert!(!seen.text().contains(&value), "{path}");
    }
    // The same form again makes nothing and shows nothing.
    let before = server.inventory();
    let again = browser.submit(&form).await;
    assert!(!again.text().contains(&value));
    assert!(again.page().tag("created-access-token-field").is_none());
    assert_eq!(server.inventory(), before);
}

async fn revoking_asks_and_takes_effect_at_once(server: TestServer) {
    let c = Company::on(&server);
    let token = c.p1.token("doomed").role(AccessLevel::Owner).create();
    c.p1.token("stays").create();
    let browser = c.bob.signs_in().await;
    let question = format!("{}/{}/revoke", page_of(&c.p1), token.id);
    let page = browser.open(&question).await;
    assert!(page.says("doomed") && page.says("This cannot be undone."));
    assert!(token.works().await, "asking changes nothing");
    let answer = browser.submit(&page.form(&question)).await.expect(303);
    assert_eq!(answer.location(), page_of(&c.p1));
    assert!(!token.works().await);
    let page = browser.open(&page_of(&c.p1)).await;
    assert!(page.flash().contains("Revoked access token doomed."));
    assert_eq!(names(&page), ["stays"]);
}

async fn rotating_shows_a_new_value_for_the_same_bot(server: TestServer) {
    let c = Company::on(&server);
    let token = c.p1.token("deploy").scopes([Scope::ReadApi]).create();
    let browser = c.bob.signs_in().await;
    let question = format!("{}/{}/rotate", page_of(&c.p1), token.id);
    let form = browser.open(&question).await.form(&question);
    assert!(token.works().await, "asking changes nothing");
    let answer = browser.submit(&form).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let value = value_of(&answer);
    assert!(!token.works().await);
    let user = server.with_token(&value).get("/user").await.expect(200);
    assert_eq!(user.json()["username"], json!(token.username));
    let seen = browser.get(&page_of(&c.p1)).await.expect(200);
    assert!(!seen.text().contains(&value));

    // An Owner's token is more than a Maintainer may rotate, whatever form they send.
    let strong = c.p1.token("strong").role(AccessLevel::Owner).create();
    let weak = c.p1.token("weak").create();
    let question = |id: i64| format!("{}/{id}/rotate", page_of(&c.p1));
    let page = browser.open(&question(weak.id)).await;
    let mut form = page.form(&question(weak.id));
    form.action = question(strong.id);
    let answer = browser.submit(&form).await.expect(422);
    let text = "Not eligible to rotate token with access level higher than the user";
    assert!(answer.page().says(text), "{}", answer.page().main());
    assert!(strong.works().await && weak.works().await);
}

async fn only_tokens_of_this_project_are_managed_here(server: TestServer) {
    let c = Company::on(&server);
    let tokens = [
        c.acme.token("of the group").create(),
        c.p2.token("beside").create(),
        c.bob.personal_token([Scope::Api]),
    ];
    let browser = c.bob.signs_in().await;
    for token in &tokens {
        for action in ["revoke", "rotate"] {
            let path = format!("{}/{}/{action}", page_of(&c.p1), token.id);
            assert_eq!(browser.get(&path).await.status, 404, "{path}");
            let sent = [("_method", "put"), ("form_nonce", "n")];
            assert_eq!(browser.post(&path, &sent).await.status, 404, "{path}");
        }
        assert!(token.works().await);
    }
}

async fn the_switch_of_the_top_level_group_closes_the_form(server: TestServer) {
    let c = Company::on(&server);
    let token = c.p3.token("ci").create();
    let browser = c.bob.signs_in().await;
    let form = filled(&browser, &c.p3, "late").await;
    c.acme.allow_creation(false);
    let before = server.inventory();
    browser.submit(&form).await.expect(422);
    assert_eq!(server.inventory(), before);
    let page = browser.open(&format!("{}?new=1", page_of(&c.p3))).await;
    assert!(page.find_form(&page_of(&c.p3)).is_none());
    assert!(!page.has("rotate-button") && page.has("revoke-button"));
    assert!(page.says("Existing tokens keep working and can still be managed."));
    let question = format!("{}/{}/revoke", page_of(&c.p3), token.id);
    let form = browser.open(&question).await.form(&question);
    browser.submit(&form).await.expect(303);
    assert!(!token.works().await);
}
