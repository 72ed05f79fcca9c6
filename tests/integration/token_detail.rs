//! The page of one token, and its name and description.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use serde_json::{Value, json};

use crate::on_both;
use crate::support::{Company, Page, TestResource, TestServer, TestToken, Visitor};

on_both![
    the_page_tells_what_a_token_is,
    its_use_is_told_by_address_and_by_day,
    requests_are_counted_for_thirty_days,
    its_reach_counts_what_lies_below,
    a_family_is_told_from_every_member,
    its_audit_events_stand_below_and_nobody_elses,
    addresses_of_others_are_for_who_may_see_the_audit_events,
    whoever_had_the_bot_made_made_its_first_token_alone,
    the_name_names_the_bot_too,
    a_name_that_cannot_be_is_refused_and_kept_in_the_form,
    saving_what_is_there_already_leaves_no_event,
    a_revoked_token_keeps_its_page_and_offers_a_replacement,
    a_replacement_is_filled_in_and_never_sent_by_itself,
    a_token_of_another_place_is_not_found,
    a_persons_own_token_has_a_page_of_its_own,
    each_page_costs_four_queries,
];

fn list(company: &Company) -> String {
    company.acme.page("settings/access_tokens")
}

async fn page_of(browser: &Visitor, company: &Company, token: &TestToken) -> Page {
    browser
        .open(&format!("{}/{}", list(company), token.id))
        .await
}

async fn the_page_tells_what_a_token_is(server: TestServer) {
    let company = Company::on(&server);
    let token = company
        .acme
        .token("deploy")
        .described("puts the shop into production")
        .role(AccessLevel::Developer)
        .scopes([Scope::ReadApi, Scope::WriteRepository])
        .expires("2026-11-25")
        .made_by(&company.alice)
        .create();
    let browser = company.alice.signs_in().await;
    assert!(browser.open(&list(&company)).await.links_to(&format!(
        "{}/{}",
        list(&company),
        token.id
    )));
    let page = page_of(&browser, &company, &token).await;
    for words in [
        "Active expires in 5 days on 25 Nov 2026 , 00:00 UTC",
        "puts the shop into production",
        "Developer",
        "read_api , write_repository",
        &format!("@{}", token.username),
        &format!("{} …{}", token.id, &token.value[token.value.len() - 4..]),
        "@alice",
        "Never",
    ] {
        assert!(page.says(words), "{words:?} in {}", page.main());
    }
    assert!(page.has("rotate-button") && page.has("revoke-button"));
    assert!(!page.has("create-replacement"));
}

async fn its_use_is_told_by_address_and_by_day(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").expires("2027-05-01").create();
    for requests in [3, 5] {
        for _ in 0..requests {
            token.get("/user").await.expect(200);
        }
        server.rest().await;
        server.clock.advance(TimeDelta::days(1));
    }
    // Wrong answers are no use.
    token.get("/groups/nowhere").await.expect(404);
    server.with_token("nonsense").get("/user").await.expect(401);
    server.rest().await;
    let browser = company.alice.signs_in().await;
    let page = page_of(&browser, &company, &token).await;
    let usage = page.part("token-use").unwrap();
    assert!(usage.says("127.0.0.1"), "{}", usage.text());
    assert!(usage.says("9 in 30 days"), "{}", usage.text());
    let days = "22 Nov 2026 1 21 Nov 2026 5 20 Nov 2026 3";
    assert!(usage.says(days), "{}", usage.text());
    let address = format!("{}/{}", list(&company), token.id);
    let html = browser.get(&address).await.text();
    assert!(html.contains("Requests of each of the last 30 days, 5 at most"));
    assert_eq!(html.matches("<rect").count(), 3);
}

async fn requests_are_counted_for_thirty_days(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").expires("2027-05-01").create();
    token.get("/user").await.expect(200);
    server.rest().await;
    server.clock.advance(TimeDelta::days(29));
    token.get("/user").await.expect(200);
    server.rest().await;
    let browser = company.alice.signs_in().await;
    let page = page_of(&browser, &company, &token).await;
    assert!(page.says("2 in 30 days"), "{}", page.main());
    server.clock.advance(TimeDelta::days(1));
    let browser = company.alice.signs_in().await;
    let page = page_of(&browser, &company, &token).await;
    assert!(page.says("1 in 30 days"), "{}", page.main());
    assert_eq!(server.count("access_token_days", ""), 2);
    let swept = server.run_job(latchkey::jobs::Job::CleanUp).await;
    assert_eq!(swept["request_counts"], 1);
    assert_eq!(server.count("access_token_days", ""), 1);
}

async fn its_reach_counts_what_lies_below(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let other = server.group("acme2").owner(&alice).create();
    other.project("x").create();
    let token = acme.token("ci").create();
    let browser = alice.signs_in().await;
    let address = format!("{}/{}", acme.page("settings/access_tokens"), token.id);
    let page = browser.open(&address).await;
    assert!(
        page.says("Maintainer in acme, 0 subgroups and 0 projects below."),
        "{}",
        page.main()
    );
    let sub = acme.subgroup("platform").create();
    sub.project("api").create();
    acme.project("web").create();
    let page = browser.open(&address).await;
    assert!(
        page.says("Maintainer in acme, 1 subgroup and 2 projects below."),
        "{}",
        page.main()
    );
}

async fn a_family_is_told_from_every_member(server: TestServer) {
    let company = Company::on(&server);
    let first = company.acme.token("ci").create();
    let stranger = company.acme.token("other").create();
    let alice = company.alice.api();
    let mut ids = vec![first.id];
    for _ in 0..2 {
        let last = ids.last().unwrap();
        let path = format!("{}/access_tokens/{last}/rotate", company.acme.path());
        let new = alice.post(&path, Value::Null).await.expect(200).json();
        ids.push(new["id"].as_i64().unwrap());
    }
    let browser = company.alice.signs_in().await;
    for id in &ids {
        let page = browser.open(&format!("{}/{id}", list(&company))).await;
        let family = page.part("token-family").unwrap();
        let at = |id: &i64| family.text().find(&format!("#{id}"));
        assert!(at(&ids[2]) < at(&ids[1]) && at(&ids[1]) < at(&ids[0]));
        assert!(ids.iter().all(|id| at(id).is_some()), "{}", family.text());
        assert!(at(&stranger.id).is_none());
        for other in ids.iter().filter(|other| *other != id) {
            assert!(page.links_to(&format!("{}/{other}", list(&company))));
        }
    }
}

async fn its_audit_events_stand_below_and_nobody_elses(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").made_by(&company.alice).create();
    company.acme.token("other").made_by(&company.alice).create();
    token.get("/user").await.expect(200);
    server.rest().await;
    let browser = company.alice.signs_in().await;
    let page = page_of(&browser, &company, &token).await;
    let events = page.part("token-events").unwrap().text();
    assert!(events.contains("Group access token created"), "{events}");
    assert!(events.contains("Group access token used for the first time"));
    assert_eq!(events.matches("access token created").count(), 1);
}

async fn addresses_of_others_are_for_who_may_see_the_audit_events(server: TestServer) {
    let company = Company::on(&server);
    let token = company.p1.token("ci").create();
    let alice = company.alice.api();
    let rotate = format!("{}/access_tokens/{}/rotate", company.p1.path(), token.id);
    alice.post(&rotate, Value::Null).await.expect(200);
    let path = company.p1.page("settings/access_tokens");
    let id = server.the_event("project_access_token_rotated").target_id;
    let address = format!("{path}/{}", id.unwrap());
    for (who, sees) in [(&company.alice, true), (&company.bob, false)] {
        let browser = who.signs_in().await;
        let events = browser.open(&address).await.part("token-events").unwrap();
        assert!(events.says("Project access token rotated") && events.says("Alice"));
        assert_eq!(events.says("127.0.0.1"), sees, "{}", events.text());
    }
}

async fn whoever_had_the_bot_made_made_its_first_token_alone(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").made_by(&company.alice).create();
    let new = token
        .post("/personal_access_tokens/self/rotate", Value::Null)
        .await
        .expect(200)
        .json();
    let browser = company.alice.signs_in().await;
    for (id, by_alice) in [(token.id, true), (new["id"].as_i64().unwrap(), false)] {
        let page = browser.open(&format!("{}/{id}", list(&company))).await;
        assert_eq!(page.says("by Alice @alice"), by_alice, "{}", page.main());
    }
}

fn edit_form(page: &Page, address: &str, name: &str, description: &str) -> crate::support::Form {
    page.form(address)
        .fill("resource_access_token[name]", name)
        .fill("resource_access_token[description]", description)
}

async fn the_name_names_the_bot_too(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").described("old").create();
    let browser = company.alice.signs_in().await;
    let address = format!("{}/{}", list(&company), token.id);
    let page = browser.open(&address).await;
    let answer = browser
        .submit(&edit_form(&page, &address, "  deploy  ", ""))
        .await
        .expect(303);
    assert_eq!(answer.location(), address);
    let page = browser.open(&address).await;
    assert!(page.says("Updated access token deploy."), "{}", page.text());
    let told = token.get("/personal_access_tokens/self").await.json();
    assert_eq!(told["name"], "deploy");
    assert_eq!(told["description"], Value::Null);
    assert_eq!(token.get("/user").await.json()["name"], "deploy");
    let event = server.the_event("group_access_token_edited");
    let details: Value = serde_json::from_str(&event.details).unwrap();
    assert_eq!(details["name"], json!(["ci", "deploy"]));
    assert_eq!(details["description"], json!(["old", null]));
    assert_eq!(event.target_id, Some(token.id));
    assert_eq!(event.group_path, "acme");
    // With creation turned off, what exists can still be looked after.
    company.acme.allow_creation(false);
    let page = browser.open(&address).await;
    browser
        .submit(&edit_form(&page, &address, "again", "new"))
        .await
        .expect(303);
}

async fn a_name_that_cannot_be_is_refused_and_kept_in_the_form(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    let address = format!("{}/{}", list(&company), token.id);
    let page = browser.open(&address).await;
    let long = "d".repeat(256);
    for (name, description, said) in [
        ("", "x", "Token name can't be blank"),
        (&*"n".repeat(256), "x", "Token name is too long"),
        ("a\u{7}b", "x", "Token name contains invalid characters"),
        ("ci", &*long, "Token description is too long"),
    ] {
        let form = edit_form(&page, &address, name, description);
        let answer = browser.submit(&form).await.expect(422);
        let page = answer.page();
        assert!(page.says(said), "{said}: {}", page.main());
        let kept = page.form(&address);
        assert_eq!(kept.value("resource_access_token[name]"), Some(name));
        assert_eq!(
            kept.value("resource_access_token[description]"),
            Some(description)
        );
    }
    let told = token.get("/personal_access_tokens/self").await.json();
    assert_eq!(
        (&told["name"], &told["description"]),
        (&json!("ci"), &Value::Null)
    );
}

async fn saving_what_is_there_already_leaves_no_event(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").described("x").create();
    let browser = company.alice.signs_in().await;
    let address = format!("{}/{}", list(&company), token.id);
    let page = browser.open(&address).await;
    browser.submit(&page.form(&address)).await.expect(303);
    assert!(server.events("group_access_token_edited").is_empty());
}

async fn a_revoked_token_keeps_its_page_and_offers_a_replacement(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let browser = company.alice.signs_in().await;
    let address = format!("{}/{}", list(&company), token.id);
    let before = browser.open(&address).await;
    let alice = company.alice.api();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    alice.delete(&path).await.expect(204);
    let page = browser.open(&address).await;
    assert!(page.part("token-state").unwrap().says("Revoked just now"));
    assert!(page.has("create-replacement"));
    assert!(!page.has("edit-token") && !page.has("rotate-button") && !page.has("revoke-button"));
    // Whoever had the form open is told why it can't be saved.
    let answer = browser
        .submit(&edit_form(&before, &address, "new", ""))
        .await
        .expect(303);
    let told = browser.open(answer.location()).await;
    assert!(told.says("Token already revoked."), "{}", told.text());
    company.acme.allow_creation(false);
    assert!(!browser.open(&address).await.has("create-replacement"));
}

async fn a_replacement_is_filled_in_and_never_sent_by_itself(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let token = company
        .acme
        .token("a & b")
        .described("for the build")
        .role(AccessLevel::Developer)
        .scopes([Scope::ReadApi, Scope::ReadRepository])
        .create();
    let alice = company.alice.api();
    let path = format!("{}/access_tokens/{}", company.acme.path(), token.id);
    alice.delete(&path).await.expect(204);
    let browser = company.alice.signs_in().await;
    let page = browser.open(&list(&company)).await;
    let link = page
        .links()
        .into_iter()
        .find(|link| link.contains("new=1&name=") || link.contains("name=a"))
        .expect("a link to the form");
    let before = server.inventory();
    let filled = browser.open(link.split('#').next().unwrap()).await;
    assert_eq!(server.inventory(), before);
    let form = filled.form(&list(&company));
    let field = |name: &str| form.value(&format!("resource_access_token[{name}]"));
    assert_eq!(field("name"), Some("a & b"));
    assert_eq!(field("description"), Some("for the build"));
    assert_eq!(field("access_level"), Some("30"));
    assert_eq!(
        form.values("resource_access_token[scopes][]"),
        ["read_api", "read_repository"]
    );
}

async fn a_token_of_another_place_is_not_found(server: TestServer) {
    let company = Company::on(&server);
    let (acme, p1) = (
        company.acme.token("a").create(),
        company.p1.token("b").create(),
    );
    let root = company.root.signs_in().await;
    let project = company.p1.page("settings/access_tokens");
    let personal = "/-/user_settings/personal_access_tokens";
    for (list, id, status) in [
        (list(&company), acme.id, 200),
        (list(&company), p1.id, 404),
        (project.clone(), p1.id, 200),
        (project, acme.id, 404),
        (personal.to_owned(), acme.id, 404),
        (list(&company), 99_999, 404),
    ] {
        root.get(&format!("{list}/{id}")).await.expect(status);
        let fields = [("resource_access_token[name]", "x")];
        let answer = root.post(&format!("{list}/{id}"), &fields).await;
        assert_eq!(answer.status, if status == 404 { 404 } else { 303 }, "{id}");
    }
    for end in ["x", "99999999999999999999", "-1"] {
        root.get(&format!("{}/{end}", list(&company)))
            .await
            .expect(404);
    }
}

async fn a_persons_own_token_has_a_page_of_its_own(server: TestServer) {
    let company = Company::on(&server);
    let token = company.bob.personal_token([Scope::ReadApi]);
    let browser = company.bob.signs_in().await;
    let address = format!("/-/user_settings/personal_access_tokens/{}", token.id);
    let page = browser.open(&address).await;
    assert!(page.says("As you in all your groups and projects."));
    assert!(!page.says("Role"));
    let form = page
        .form(&address)
        .fill("personal_access_token[name]", "laptop");
    browser.submit(&form).await.expect(303);
    let told = token.get("/personal_access_tokens/self").await.json();
    assert_eq!(told["name"], "laptop");
    let person = token.get("/user").await.json();
    assert_eq!(person["name"], "Bob", "the person keeps theirs");
    let other = company.alice.signs_in().await;
    other.get(&address).await.expect(404);
}

async fn each_page_costs_four_queries(server: TestServer) {
    server.retain_bots(true);
    let company = Company::on(&server);
    let token = company.acme.token("ci").made_by(&company.alice).create();
    let project = company.p1.token("ci").create();
    let own = company.alice.personal_token([Scope::ReadApi]);
    let alice = company.alice.api();
    let mut newest = token.id;
    for _ in 0..5 {
        let path = format!("{}/access_tokens/{newest}/rotate", company.acme.path());
        let body = json!({ "grace_period": 60 });
        newest = alice.post(&path, body).await.expect(200).json()["id"]
            .as_i64()
            .unwrap();
    }
    let browser = company.alice.signs_in().await;
    let root = company.root.signs_in().await;
    let addresses = [
        (&browser, format!("{}/{newest}", list(&company))),
        (
            &root,
            format!(
                "{}/{}",
                company.p1.page("settings/access_tokens"),
                project.id
            ),
        ),
        (
            &browser,
            format!("/-/user_settings/personal_access_tokens/{}", own.id),
        ),
        (&browser, list(&company)),
        (&browser, format!("{}?search=nothing", list(&company))),
        (&root, company.p1.page("settings/access_tokens")),
        (&browser, "/-/user_settings/personal_access_tokens".into()),
    ];
    for (who, address) in addresses {
        who.get(&address).await.expect(200);
        let before = server.app.db.counters().queries();
        who.get(&address).await.expect(200);
        let queries = server.app.db.counters().queries() - before;
        assert!(queries <= 4, "{address} costs {queries} queries");
    }
}
