//! Settings > Access tokens of a group.

use chrono::TimeDelta;
use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use regex::Regex;
use serde_json::json;

use crate::on_both;
use crate::support::{Company, Form, Page, TestGroup, TestResource, TestServer, Visitor};

on_both![
    the_form_starts_with_the_documented_defaults,
    the_value_is_shown_once_in_the_answer_itself,
    a_replayed_form_makes_no_second_token,
    wrong_input_comes_back_with_everything_typed,
    only_owners_see_the_page,
    revoking_asks_first_and_looking_changes_nothing,
    rotating_keeps_the_lifetime,
    turned_off_creation_hides_the_form_and_refuses_a_forged_one,
    the_inactive_table_follows_its_five_rules,
    without_the_flag_there_is_no_inactive_table,
    a_token_whose_bot_lost_its_membership_is_told_so,
    the_page_is_searched_sorted_and_paged_by_the_server,
    user_text_is_only_text,
    the_form_can_be_prefilled_and_is_never_sent_by_itself,
    an_external_maker_gets_no_warning_about_internal_places,
    todays_date_is_too_early_for_a_page,
];

const PREFIX: &str = "resource_access_token";

fn tokens(group: &TestGroup) -> String {
    group.page("settings/access_tokens")
}

fn field(name: &str) -> String {
    format!("{PREFIX}[{name}]")
}

async fn form(browser: &Visitor, group: &TestGroup) -> Form {
    browser.open(&format!("{}?new=1", tokens(group))).await.form(&tokens(group))
}

fn filled(form: Form, name: &str, scopes: &[&str]) -> Form {
    let form = form.fill(&field("name"), name);
    scopes.iter().fold(form, |form, scope| form.tick(&format!("{PREFIX}[scopes][]"), scope))
}

/// The names in a table.
fn names(page: &Page, table: &str) -> Vec<String> {
    page.rows(table)
        .into_iter()
        .map(|cells| Regex::new(r" ID \d+.*$").unwrap().replace(&cells[0], "").into_owned())
        .collect()
}

fn shown_value(page: &Page) -> Option<String> {
    let tag = page.tag("created-access-token-field")?;
    tag.get("value")
}

async fn the_form_starts_with_the_documented_defaults(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let page = browser.open(&format!("{}?new=1", tokens(&company.acme))).await;
    assert!(page.title().contains("Access tokens"), "{}", page.title());
    for text in [
        "Add a group access token", "Token name", "Token description", "Expiration date", "Select a role",
        "Select scopes", "Create group access token", "Cancel", "internal",
    ] {
        assert!(page.says(text), "{text}");
    }
    let form = page.form(&tokens(&company.acme));
    assert_eq!(form.value(&field("name")), Some(""));
    assert_eq!(form.value(&field("expires_at")), Some("2026-12-20"), "30 days ahead");
    assert_eq!(form.value(&field("access_level")), Some("10"), "Guest");
    assert!(form.values(&format!("{PREFIX}[scopes][]")).is_empty());
    let offered: Vec<&str> = form
        .unticked
        .iter()
        .filter(|(name, _)| *name == format!("{PREFIX}[scopes][]"))
        .map(|(_, scope)| scope.as_str())
        .collect();
    assert_eq!(offered, crate::support::company::resource_scopes());
    let date = page.tag("expiry-date-field").unwrap();
    assert_eq!(date.get("min").as_deref(), Some("2026-11-21"), "tomorrow is the earliest");
    assert_eq!(date.get("max").as_deref(), Some("2027-11-20"));
    assert_eq!(date.get("placeholder").as_deref(), Some("YYYY-MM-DD"));

    server.set("max_personal_access_token_lifetime", "7");
    let page = browser.open(&format!("{}?new=1", tokens(&company.acme))).await;
    let form = page.form(&tokens(&company.acme));
    assert_eq!(form.value(&field("expires_at")), Some("2026-11-27"), "the default follows the maximum");
    assert_eq!(page.tag("expiry-date-field").unwrap().get("max").as_deref(), Some("2026-11-27"));
}

async fn the_value_is_shown_once_in_the_answer_itself(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let form = filled(form(&browser, &company.acme).await, "deploy", &["read_api"]);
    let answer = browser.submit(&form).await;
    assert!(matches!(answer.status, 200 | 201), "{}", answer.status);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("etag"), "");
    let page = answer.page();
    assert!(page.says("Your new group access token"));
    let value = shown_value(&page).expect("the value is in a field");
    assert_eq!(page.html.matches(&value).count(), 1);
    assert!(!page.title().contains(&value));
    for (name, header) in &answer.headers {
        assert!(!header.to_str().unwrap().contains(&value), "{name}");
    }
    let program = server.with_token(&value);
    let token = program.get("/personal_access_tokens/self").await.expect(200).json();
    assert_eq!(token["name"], "deploy");
    assert_eq!(token["expires_at"], "2026-12-20");
    let list = company.alice.api().get(&format!("{}/access_tokens", company.acme.path())).await.json();
    assert_eq!(list[0]["access_level"], 10);
    let row = names(&browser.open(&tokens(&company.acme)).await, "active-tokens");
    assert_eq!(row, ["deploy"]);

    for path in [tokens(&company.acme), format!("{}?new=1", tokens(&company.acme)), "/".into()] {
        assert!(!browser.get(&path).await.text().contains(&value), "{path}");
    }
}

async fn a_replayed_form_makes_no_second_token(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let form = filled(form(&browser, &company.acme).await, "deploy", &["read_api"]);
    let first = browser.submit(&form).await;
    let value = shown_value(&first.page()).unwrap();
    let before = server.inventory();
    server.clock.advance(TimeDelta::minutes(3));
    for _ in 0..2 {
        let again = browser.submit(&form).await;
        assert!(again.status < 500, "{}", again.status);
        assert!(!again.text().contains(&value));
        let page = again.page();
        assert!(shown_value(&page).is_none());
        assert!(page.says("This token was created at 10:00 UTC"), "{}", page.main());
        assert!(page.says("Its value was shown once"), "{}", page.main());
    }
    assert_eq!(server.inventory(), before);
    // Two at once are one, too.
    let form = filled(self::form(&browser, &company.acme).await, "double", &["read_api"]);
    let (one, two) = tokio::join!(browser.submit(&form), browser.submit(&form));
    let values = [one, two].iter().filter(|answer| shown_value(&answer.page()).is_some()).count();
    assert_eq!(values, 1);
    assert_eq!(server.count("access_tokens", "name = 'double'"), 1);
}

async fn wrong_input_comes_back_with_everything_typed(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let long = "x".repeat(300);
    let rows = [
        (field("name"), "", "Name can't be blank"),
        (field("name"), "   ", "Name can't be blank"),
        (field("name"), long.as_str(), "Name is too long (maximum is 255 characters)"),
        (field("name"), "a\u{0}b", "Name contains invalid characters"),
        (field("description"), long.as_str(), "Description is too long (maximum is 255 characters)"),
        (field("expires_at"), "2027-11-21", "Expiration date must be before 2027-11-20"),
        (field("expires_at"), "2027-02-29", "Expiration date"),
        (field("expires_at"), "2026-11-19", "cannot be a date in the past"),
        (field("access_level"), "17", "role"),
        (field("access_level"), "fifty", "role"),
        (format!("{PREFIX}[scopes][]"), "nonsense", "Scopes"),
    ];
    let before = server.inventory();
    for (name, value, message) in rows {
        let typed = filled(form(&browser, &company.acme).await, "typed name", &["read_api", "self_rotate"])
            .fill(&field("description"), "typed\ndescription")
            .fill(&field("expires_at"), "2027-01-31")
            .fill(&field("access_level"), "30");
        let sent = if name.contains("scopes") { typed.tick(&name, value) } else { typed.fill(&name, value) };
        let answer = browser.submit(&sent).await.expect(422);
        let page = answer.page();
        assert!(page.main().to_lowercase().contains(&message.to_lowercase()), "{name}={value:.20}: {}", page.main());
        assert!(page.html.contains(r#"role="alert""#), "{name}");
        let kept = page.form(&tokens(&company.acme));
        for (field_name, expected) in
            [("name", "typed name"), ("description", "typed\ndescription"), ("expires_at", "2027-01-31"), ("access_level", "30")]
        {
            if field(field_name) == name {
                continue;
            }
            assert_eq!(kept.value(&field(field_name)).map(|v| v.replace('\r', "")).as_deref(), Some(expected), "{name}: {field_name}");
        }
        let scopes = format!("{PREFIX}[scopes][]");
        assert_eq!(kept.values(&scopes), ["read_api", "self_rotate"], "{name}");
        assert_eq!(server.inventory(), before, "{name}");
    }
    let without = form(&browser, &company.acme).await.fill(&field("name"), "ci");
    let page = browser.submit(&without).await.expect(422).page();
    assert!(page.says("Scopes can't be blank"));
    let everything = form(&browser, &company.acme).await.fill(&field("expires_at"), "x");
    let page = browser.submit(&everything).await.expect(422).page();
    for message in ["Name can't be blank", "Scopes can't be blank"] {
        assert!(page.says(message), "{message}: {}", page.main());
    }
    // Nothing at all is a form, too.
    browser.post(&tokens(&company.acme), &[]).await.expect(422);
    assert_eq!(server.inventory(), before);
}

async fn only_owners_see_the_page(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let path = tokens(&company.acme);
    let paths = [
        path.clone(),
        format!("{path}?new=1"),
        format!("{path}/{}/revoke", token.id),
        format!("{path}/{}/rotate", token.id),
    ];
    for person in [&company.alice, &company.root] {
        let browser = person.signs_in().await;
        for path in &paths {
            browser.get(path).await.expect(200);
        }
        assert!(browser.open("/acme").await.links_to(&path), "{}", person.username);
    }
    let before = server.inventory();
    let people = [
        &company.bob, &company.carol, &company.dave, &company.paula, &company.erin, &company.frank, &company.xenia,
        &company.oscar,
    ];
    for person in people {
        let browser = person.signs_in().await;
        let missing = browser.get("/groups/nothing/-/settings/access_tokens").await.expect(404);
        for path in &paths {
            let answer = browser.get(path).await.expect(404);
            assert_eq!(answer.page().title(), missing.page().title());
        }
        let fields = [("resource_access_token[name]", "x"), ("resource_access_token[scopes][]", "api")];
        browser.post(&path, &fields).await.expect(404);
        for action in ["revoke", "rotate"] {
            let put = [("_method", "put")];
            browser.post(&format!("{path}/{}/{action}", token.id), &put).await.expect(404);
        }
        let home = browser.get("/acme").await;
        assert!(!home.text().contains("settings/access_tokens"), "{}", person.username);
    }
    let nobody = server.visitor();
    for path in &paths {
        assert!(nobody.get(path).await.expect(302).location().starts_with("/users/sign_in"));
    }
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);
    // A token of another group isn't found here, though its Owner looks.
    let elsewhere = company.other.token("elsewhere").create();
    let browser = company.alice.signs_in().await;
    for action in ["revoke", "rotate"] {
        browser.get(&format!("{path}/{}/{action}", elsewhere.id)).await.expect(404);
        browser.post(&format!("{path}/{}/{action}", elsewhere.id), &[("_method", "put")]).await.expect(404);
    }
    assert!(elsewhere.works().await);
}

async fn revoking_asks_first_and_looking_changes_nothing(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("deploy-bot").create();
    let browser = company.alice.signs_in().await;
    let action = format!("{}/{}/revoke", tokens(&company.acme), token.id);
    let page = browser.open(&tokens(&company.acme)).await;
    assert!(page.has("revoke-button") && page.has("rotate-button") && page.links_to(&action));

    let question = browser.open(&action).await;
    assert!(question.says("deploy-bot") && question.says("cannot be undone"));
    for path in [action.clone(), format!("{action}?_method=put")] {
        browser.get(&path).await;
        let head = server.request(reqwest::Method::HEAD, &path);
        browser.send(head).await;
    }
    // An override counts in the form's body only.
    browser.post(&format!("{action}?_method=put"), &[]).await;
    browser.post(&action, &[("_method", "get")]).await;
    assert!(token.works().await);

    let answer = browser.submit(&question.form(&action)).await.expect(303);
    let next = browser.open(answer.location()).await;
    assert!(next.says("Revoked access token deploy-bot."), "{}", next.main());
    assert!(!browser.open(&tokens(&company.acme)).await.says("Revoked access token"), "a flash is shown once");
    assert!(!token.works().await);
    assert!(names(&next, "active-tokens").is_empty());
    assert!(next.says("This group has no active access tokens."));
}

async fn rotating_keeps_the_lifetime(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("deploy-bot").expires("2027-02-18").create();
    let browser = company.alice.signs_in().await;
    server.clock.advance(TimeDelta::days(5));
    let action = format!("{}/{}/rotate", tokens(&company.acme), token.id);
    let question = browser.open(&action).await;
    let form = question.form(&action);
    assert_eq!(form.value(&field("expires_at")), Some("2027-02-23"), "90 days again");
    let wrong = browser.submit(&form.clone().fill(&field("expires_at"), "2027-11-30")).await.expect(422);
    assert!(wrong.page().says("Expiration date must be before 2027-11-25"), "{}", wrong.page().main());
    assert!(token.works().await);

    let form = wrong.page().form(&action).fill(&field("expires_at"), "2027-02-23");
    let answer = browser.submit(&form).await.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let page = answer.page();
    assert!(page.says("Your rotated group access token"), "{}", page.main());
    let value = shown_value(&page).unwrap();
    assert_ne!(value, token.value);
    assert!(!token.works().await);
    let new = server.with_token(&value).get("/personal_access_tokens/self").await.expect(200).json();
    assert_eq!(new["expires_at"], "2027-02-23");
    assert_eq!(new["user_id"], token.user_id);
    let again = browser.submit(&form).await;
    assert!(again.status < 500 && !again.text().contains(&value));
    server.with_token(&value).get("/user").await.expect(200);

    // What is proposed never exceeds the limits.
    server.set("max_personal_access_token_lifetime", "10");
    let action = format!("{}/{}/rotate", tokens(&company.acme), new["id"]);
    let form = browser.open(&action).await.form(&action);
    assert_eq!(form.value(&field("expires_at")), Some("2026-12-05"));
}

async fn turned_off_creation_hides_the_form_and_refuses_a_forged_one(server: TestServer) {
    let company = Company::on(&server);
    let token = company.sub.token("ci").create();
    company.sub.member(&company.bob, AccessLevel::Owner);
    let alice = company.alice.signs_in().await;
    let root = company.root.signs_in().await;
    let bob = company.bob.signs_in().await;
    let prepared = filled(form(&alice, &company.sub).await, "late", &["api"]);
    let rotate = format!("{}/{}/rotate", tokens(&company.sub), token.id);
    let rotation = alice.open(&rotate).await.form(&rotate);
    company.acme.allow_creation(false);
    let before = server.inventory();

    for browser in [&alice, &root, &bob] {
        let page = browser.open(&tokens(&company.sub)).await;
        assert!(page.says("Creating group access tokens is turned off"), "{}", page.main());
        assert!(page.says("Existing tokens keep working"));
        assert!(!page.has("add-new-token-button") && !page.has("rotate-button"));
        assert!(page.find_form(&tokens(&company.sub)).is_none());
        assert!(page.has("revoke-button"));
        assert_eq!(names(&page, "active-tokens"), ["ci"]);
    }
    let settings = company.acme.page("edit");
    let to_settings = |page: &Page| page.links().iter().any(|link| link.starts_with(&settings));
    assert!(to_settings(&alice.open(&tokens(&company.sub)).await));
    assert!(to_settings(&root.open(&tokens(&company.sub)).await));
    let page = bob.open(&tokens(&company.sub)).await;
    let main = page.html.split("<main").nth(1).unwrap();
    assert!(!main.contains(&settings), "who can't turn it on isn't sent there");

    let refused = alice.submit(&prepared).await.expect(422);
    assert!(
        refused.page().says("User does not have permission to create group access token")
            || refused.page().says("turned off"),
        "{}",
        refused.page().main()
    );
    alice.submit(&rotation).await.expect(422);
    let fields = [("resource_access_token[name]", "x"), ("resource_access_token[scopes][]", "api")];
    root.post(&tokens(&company.sub), &fields).await.expect(422);
    assert_eq!(server.inventory(), before);
    assert!(token.works().await);
    let revoke = format!("{}/{}/revoke", tokens(&company.sub), token.id);
    let question = alice.open(&revoke).await.form(&revoke);
    alice.submit(&question).await.expect(303);
    assert!(!token.works().await);
}

async fn the_inactive_table_follows_its_five_rules(server: TestServer) {
    let company = Company::on(&server);
    let api = company.alice.api();
    let revoke = async |id: i64| {
        api.delete(&format!("{}/access_tokens/{id}", company.acme.path())).await.expect(204);
    };
    let expired_before = company.acme.token("expired before").expires("2026-11-21").create();
    let revoked_before = company.acme.token("revoked before").expires("2026-12-10").create();
    revoke(revoked_before.id).await;
    server.rest().await;
    let old_revoked = company.acme.token("old, revoked after").expires("2026-12-10").create();
    company.acme.token("old, alive").expires("2026-12-20").create();
    server.clock.advance(TimeDelta::days(2));
    assert!(!expired_before.works().await);

    server.retain_bots(true);
    let new_revoked = company.acme.token("new, revoked").expires("2026-12-05").create();
    company.acme.token("new, expired").expires("2026-12-01").create();
    server.clock.advance(TimeDelta::minutes(1));
    revoke(old_revoked.id).await;
    server.clock.advance(TimeDelta::minutes(1));
    revoke(new_revoked.id).await;

    let browser = company.alice.signs_in().await;
    let page = browser.open(&tokens(&company.acme)).await;
    assert_eq!(names(&page, "active-tokens"), ["new, expired", "old, alive"], "by date");
    assert_eq!(names(&page, "inactive-access-tokens"), ["new, revoked", "old, revoked after"], "newest first");
    let inactive = page.part("inactive-access-tokens").unwrap();
    assert!(inactive.says("Revoked"));
    assert!(!inactive.has("revoke-button") && !inactive.has("rotate-button"));

    server.clock.set("2026-12-01T00:00:00Z".parse().unwrap());
    let browser = company.alice.signs_in().await;
    let page = browser.open(&tokens(&company.acme)).await;
    assert_eq!(names(&page, "active-tokens"), ["old, alive"]);
    let mut inactive = names(&page, "inactive-access-tokens");
    inactive.sort_unstable();
    assert_eq!(inactive, ["new, expired", "new, revoked", "old, revoked after"]);
    assert!(page.part("inactive-access-tokens").unwrap().says("Expired"));

    // An old one ends with its membership, on its date; a new one stays.
    server.clock.set("2026-12-10T00:00:00Z".parse().unwrap());
    let browser = company.alice.signs_in().await;
    let page = browser.open(&tokens(&company.acme)).await;
    let mut inactive = names(&page, "inactive-access-tokens");
    inactive.sort_unstable();
    assert_eq!(inactive, ["new, expired", "new, revoked"]);
}

async fn without_the_flag_there_is_no_inactive_table(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    token.delete("/personal_access_tokens/self").await.expect(204);
    let browser = company.alice.signs_in().await;
    let page = browser.open(&tokens(&company.acme)).await;
    assert!(!page.has("inactive-access-tokens") && !page.says("Inactive group access tokens"));
    server.retain_bots(true);
    let page = browser.open(&tokens(&company.acme)).await;
    assert_eq!(names(&page, "inactive-access-tokens"), ["ci"], "until its date");
    let empty = browser.open(&tokens(&company.sub)).await;
    assert!(empty.says("This group has no inactive access tokens."));
}

async fn a_token_whose_bot_lost_its_membership_is_told_so(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("stray").create();
    server.sql(&format!("DELETE FROM memberships WHERE user_id = {}", token.user_id));
    let browser = company.alice.signs_in().await;
    let page = browser.open(&tokens(&company.acme)).await;
    assert_eq!(names(&page, "active-tokens"), ["stray"]);
    assert!(page.part("active-tokens").unwrap().says("Not a member"));
    let revoke = format!("{}/{}/revoke", tokens(&company.acme), token.id);
    let question = browser.open(&revoke).await.form(&revoke);
    browser.submit(&question).await.expect(303);
    assert!(!token.works().await);
}

async fn the_page_is_searched_sorted_and_paged_by_the_server(server: TestServer) {
    let company = Company::on(&server);
    for number in 0..102 {
        company
            .acme
            .token(&format!("token {number:03}"))
            .expires(&server.days_ahead(1 + (number * 7) % 300))
            .role(if number == 50 { AccessLevel::Owner } else { AccessLevel::Guest })
            .scopes([Scope::ReadApi])
            .create();
    }
    let browser = company.alice.signs_in().await;
    let path = tokens(&company.acme);
    let first = browser.open(&path).await;
    assert_eq!(names(&first, "active-tokens").len(), 100);
    assert!(first.part("active-tokens-count").unwrap().says("102"));
    let second = browser.open(&format!("{path}?page=2")).await;
    assert_eq!(names(&second, "active-tokens").len(), 2);
    let by_name = browser.open(&format!("{path}?sort=name_desc")).await;
    assert_eq!(names(&by_name, "active-tokens")[0], "token 101");
    let by_default = names(&first, "active-tokens");
    assert_eq!(by_default[0], "token 000", "the first to expire");
    let found = browser.open(&format!("{path}?search=TOKEN%20042")).await;
    assert_eq!(names(&found, "active-tokens"), ["token 042"]);
    let nothing = browser.open(&format!("{path}?search=%25")).await;
    assert!(nothing.says("No tokens match."), "{}", nothing.main());
    for odd in ["?page=0", "?page=-1", "?page=abc", "?page=99999999999999999999", "?sort=nonsense", "?page[]=1", "?search=%00"] {
        assert!(browser.get(&format!("{path}{odd}")).await.status < 500, "{odd}");
    }
}

async fn user_text_is_only_text(server: TestServer) {
    let company = Company::on(&server);
    let names = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'-alert(1)-'", "{{7*7}}", "${7*7}",
        "</title><svg onload=alert(1)>", "שלום \u{202e}עולם",
    ];
    let made = names.map(|name| company.acme.token(name).described(name).create());
    let browser = company.alice.signs_in().await;
    let path = tokens(&company.acme);
    let mut pages = vec![path.clone(), company.acme.page("group_members")];
    pages.extend(made.iter().map(|token| format!("{path}/{}/revoke", token.id)));
    pages.extend(made.iter().map(|token| format!("{path}/{}/rotate", token.id)));
    for (index, path) in pages.iter().enumerate() {
        let page = browser.open(path).await;
        for markup in ["<script>alert", "<img src=x", "<svg onload", "onerror=alert(1)>"] {
            assert!(!page.html.contains(markup), "{path}: {markup}");
        }
        if index >= 2 {
            assert!(page.says(names[(index - 2) % names.len()]), "{path}: {}", page.main());
        }
    }
    let page = browser.open(&path).await;
    assert!(page.html.contains("<bdi>שלום \u{202e}עולם</bdi>"), "kept, and isolated");
    for query in ["search", "sort", "page", "name", "description", "scopes"] {
        let text = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
        let page = browser.get(&format!("{path}?new=1&{query}={text}")).await;
        assert!(page.status < 500 && !page.text().contains("<script>alert"), "{query}");
    }
}

async fn the_form_can_be_prefilled_and_is_never_sent_by_itself(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let before = server.inventory();
    let path = format!("{}?name=my+token&scopes=read_api,self_rotate,nonsense", tokens(&company.acme));
    let form = browser.open(&path).await.form(&tokens(&company.acme));
    assert_eq!(form.value(&field("name")), Some("my token"));
    assert_eq!(form.values(&format!("{PREFIX}[scopes][]")), ["read_api", "self_rotate"]);
    assert_eq!(server.inventory(), before);
}

async fn an_external_maker_gets_no_warning_about_internal_places(server: TestServer) {
    let company = Company::on(&server);
    company.acme.member(&company.xenia, AccessLevel::Owner);
    let warning = "every internal group and project";
    let path = format!("{}?new=1", tokens(&company.acme));
    assert!(company.alice.signs_in().await.open(&path).await.says(warning));
    assert!(!company.xenia.signs_in().await.open(&path).await.says(warning));
    server.set("bots_read_internal", "false");
    assert!(!company.alice.signs_in().await.open(&path).await.says(warning));
}

async fn todays_date_is_too_early_for_a_page(server: TestServer) {
    let company = Company::on(&server);
    let browser = company.alice.signs_in().await;
    let before = server.inventory();
    let form = filled(form(&browser, &company.acme).await, "ci", &["api"]).fill(&field("expires_at"), "2026-11-20");
    browser.submit(&form).await.expect(422);
    assert_eq!(server.inventory(), before);
    // The API takes it, and the token is inactive from its first moment.
    let path = format!("{}/access_tokens", company.acme.path());
    let body = json!({ "name": "ci", "scopes": ["api"], "expires_at": "2026-11-20" });
    let token = company.alice.api().post(&path, body).await.expect(201).json();
    assert_eq!(token["active"], false);
    server.with_token(token["token"].as_str().unwrap()).get("/user").await.expect(401);
    // A cleared date means the longest life.
    let form = filled(self::form(&browser, &company.acme).await, "cleared", &["api"]).fill(&field("expires_at"), "");
    browser.submit(&form).await;
    assert_eq!(server.count("access_tokens", "name = 'cleared' AND expires_at = '2027-11-20'"), 1);
}
