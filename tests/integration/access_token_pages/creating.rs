//! Making a token with the form.

use latchkey::members::AccessLevel;
use serde_json::json;

use super::{SCOPES, blank, cell, field, filled, names, tokens_of, value_of};
use crate::on_both;
use crate::support::{TestGroup, TestResource, TestServer, Visitor, company::resource_scopes};

on_both![
    a_name_and_one_scope_are_enough,
    the_form_proposes_little,
    everything_that_is_typed_arrives,
    owners_of_any_kind_are_offered_every_role,
    a_cleared_date_means_a_year,
    a_cleared_date_means_the_maximum_of_the_instance,
    where_tokens_need_no_end_a_cleared_date_means_none,
    today_is_too_early_and_a_year_is_the_latest,
    four_hundred_days_with_the_flag,
    scopes_of_the_registry_are_offered_where_there_is_one,
    the_form_warns_about_internal_projects,
    an_address_fills_the_form_in_and_makes_nothing,
    no_more_than_the_limit,
    a_bot_takes_part_in_its_group_alone,
];

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

async fn a_name_and_one_scope_are_enough(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let people = server.inventory();
    let answer = browser
        .submit(&filled(&browser, &acme, "deploy").await)
        .await
        .expect(200);
    let value = value_of(&answer);
    assert!(
        regex::Regex::new("^glpat-[0-9A-Za-z_-]{20,}")
            .unwrap()
            .is_match(&value),
        "{}",
        value.len()
    );

    let page = answer.page();
    assert!(page.says("Your new group access token") && page.says("Save it now."));
    assert_eq!(names(&page, "active-tokens"), ["deploy"]);
    assert_eq!(page.part("active-tokens-count").unwrap().text(), "1");
    assert_eq!(cell(&page, "active-tokens", "deploy", "Role"), "Guest");
    assert!(cell(&page, "active-tokens", "deploy", "Expires").contains("20 Dec 2026"));
    // The form is closed and empty again.
    let again = page.form(&tokens_of(&acme));
    assert_eq!(again.value(&field("name")), Some(""));
    assert!(again.values(SCOPES).is_empty());
    assert_eq!(again.value(&field("expires_at")), Some("2026-12-20"));

    let token = server
        .with_token(&value)
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(token["name"], "deploy");
    assert_eq!(token["scopes"], json!(["api"]));
    assert_eq!(token["expires_at"], "2026-12-20");
    assert_eq!(token["description"], json!(null));
    let bot = server
        .with_token(&value)
        .get("/user")
        .await
        .expect(200)
        .json();
    let shape = format!("^group_{}_bot_[0-9a-f]{{32}}$", acme.id);
    let username = bot["username"].as_str().unwrap();
    assert!(
        regex::Regex::new(&shape).unwrap().is_match(username),
        "{username}"
    );
    assert_eq!(bot["name"], "deploy");
    assert_eq!(
        server.count("users", &format!("email = '{username}@noreply.127.0.0.1'")),
        1
    );

    let after = server.inventory();
    assert_eq!(
        (after.users, after.memberships, after.tokens),
        (people.users + 1, people.memberships + 1, people.tokens + 1)
    );
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'group_access_token_created' AND actor_name = 'Alice'"
        ),
        1
    );
}

async fn the_form_proposes_little(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let page = browser.open(&format!("{}?new=1", tokens_of(&acme))).await;
    let form = page.form(&tokens_of(&acme));
    assert_eq!(form.value(&field("name")), Some(""));
    assert_eq!(form.value(&field("description")), Some(""));
    assert_eq!(form.value(&field("access_level")), Some("10"));
    assert_eq!(form.value(&field("expires_at")), Some("2026-12-20"));
    assert!(form.values(SCOPES).is_empty(), "none preselected");
    let offered: Vec<&str> = form
        .unticked
        .iter()
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(offered, resource_scopes());
    let date = page.tag("expiry-date-field").unwrap();
    assert_eq!(date.get("min").unwrap(), "2026-11-21");
    assert_eq!(date.get("max").unwrap(), "2027-11-20");
    assert_eq!(date.get("placeholder").unwrap(), "YYYY-MM-DD");
    for testid in [
        "add-new-token-button",
        "access-token-section",
        "access-token-name-field",
        "access-token-description-field",
        "access-token-role-field",
        "api-checkbox",
        "self_rotate-checkbox",
        "create-token-button",
        "active-tokens",
        "active-tokens-count",
    ] {
        assert!(page.has(testid), "{testid}");
    }
    assert!(page.says("Add a group access token") && page.says("Create group access token"));
    assert_eq!(page.title(), "Access tokens · acme · Latchkey");
}

async fn everything_that_is_typed_arrives(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let form = blank(&browser, &acme)
        .await
        .fill(&field("name"), "  nightly \u{202e}run  ")
        .fill(&field("description"), "one\r\ntwo <b>")
        .fill(&field("expires_at"), "2027-03-01")
        .fill(&field("access_level"), "40")
        .tick(SCOPES, "write_repository")
        .tick(SCOPES, "read_api")
        .tick(SCOPES, "read_api");
    let answer = browser.submit(&form).await.expect(200);
    let page = answer.page();
    let shown = "nightly \u{202e}run";
    assert_eq!(
        cell(&page, "active-tokens", shown, "Description"),
        "one two <b>"
    );
    assert_eq!(cell(&page, "active-tokens", shown, "Role"), "Maintainer");
    assert!(cell(&page, "active-tokens", shown, "Expires").contains("1 Mar 2027"));
    assert_eq!(
        cell(&page, "active-tokens", shown, "Created"),
        "20 Nov 2026"
    );
    assert_eq!(cell(&page, "active-tokens", shown, "Last Used"), "Never");
    // What changes the direction of text stays inside of its cell.
    assert!(page.html.contains(&format!("<bdi>{shown}</bdi>")));

    let token = server
        .with_token(&value_of(&answer))
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    assert_eq!(token["name"], shown);
    assert_eq!(token["expires_at"], "2027-03-01");
    assert!(
        token["description"].as_str().unwrap().starts_with("one")
            && token["description"].as_str().unwrap().ends_with("two <b>")
    );
    let mut scopes: Vec<&str> = token["scopes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["read_api", "write_repository"]);
}

async fn owners_of_any_kind_are_offered_every_role(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let sub = acme.subgroup("sub").create();
    let olga = server.person("olga").create();
    sub.member(&olga, AccessLevel::Owner);
    let root = server.person("root").admin().create();
    for (person, group) in [
        (&alice, &acme),
        (&alice, &sub),
        (&olga, &sub),
        (&root, &acme),
        (&root, &sub),
    ] {
        let browser = person.signs_in().await;
        let page = browser.open(&tokens_of(group)).await;
        let select = page.part("access-token-role-field").unwrap();
        let option = regex::Regex::new(r#"<option value="(\d+)"( selected)?>([^<]*)"#).unwrap();
        let roles: Vec<(String, bool, String)> = option
            .captures_iter(&select.html)
            .map(|found| {
                (
                    found[1].to_owned(),
                    found.get(2).is_some(),
                    found[3].to_owned(),
                )
            })
            .collect();
        let expected = AccessLevel::ALL.map(|level| {
            (
                level.number().to_string(),
                level == AccessLevel::Guest,
                level.name().to_owned(),
            )
        });
        assert_eq!(
            roles, expected,
            "{} in {}",
            person.username, group.full_path
        );
        let form = filled(&browser, group, "strong")
            .await
            .fill(&field("access_level"), "50");
        let answer = browser.submit(&form).await.expect(200);
        assert_eq!(
            cell(&answer.page(), "active-tokens", "strong", "Role"),
            "Owner"
        );
    }
}

/// Makes a token with this date, and says which it got.
async fn expiry_for(browser: &Visitor, group: &TestGroup, typed: &str) -> Option<String> {
    let form = filled(browser, group, "dated")
        .await
        .fill(&field("expires_at"), typed);
    let answer = browser.submit(&form).await;
    assert!(
        matches!(answer.status, 200 | 422),
        "{typed:?}: {}",
        answer.status
    );
    if answer.status == 422 {
        let page = answer.page();
        assert!(super::value_in(&answer).is_none());
        assert_eq!(
            page.form(&tokens_of(group)).value(&field("expires_at")),
            Some(typed),
            "kept"
        );
        return None;
    }
    let api = browser.server.with_token(&value_of(&answer));
    let token = api
        .get("/personal_access_tokens/self")
        .await
        .expect(200)
        .json();
    Some(token["expires_at"].as_str().unwrap_or("never").to_owned())
}

async fn a_cleared_date_means_a_year(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let page = browser.open(&tokens_of(&acme)).await;
    assert!(page.says("today + 365 days"), "{}", page.main());
    assert!(
        page.says("At most 365 days: 20 Nov 2027"),
        "{}",
        page.main()
    );
    for cleared in ["", "   "] {
        assert_eq!(
            expiry_for(&browser, &acme, cleared).await.as_deref(),
            Some("2027-11-20")
        );
    }
    let form = filled(&browser, &acme, "left-out")
        .await
        .without(&field("expires_at"));
    let page = browser.submit(&form).await.expect(200).page();
    assert!(cell(&page, "active-tokens", "left-out", "Expires").contains("20 Nov 2027"));
}

async fn a_cleared_date_means_the_maximum_of_the_instance(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.set("max_personal_access_token_lifetime", "90");
    assert_eq!(
        blank(&browser, &acme).await.value(&field("expires_at")),
        Some("2026-12-20")
    );
    server.set("max_personal_access_token_lifetime", "20");
    let page = browser.open(&tokens_of(&acme)).await;
    assert_eq!(
        page.form(&tokens_of(&acme)).value(&field("expires_at")),
        Some("2026-12-10"),
        "proposed"
    );
    assert_eq!(
        page.tag("expiry-date-field").unwrap().get("max").unwrap(),
        "2026-12-10"
    );
    assert!(
        page.says("today + 20 days") && page.says("At most 20 days: 10 Dec 2026"),
        "{}",
        page.main()
    );
    assert_eq!(
        expiry_for(&browser, &acme, "").await.as_deref(),
        Some("2026-12-10")
    );
    assert_eq!(
        expiry_for(&browser, &acme, "2026-12-10").await.as_deref(),
        Some("2026-12-10")
    );
    assert_eq!(expiry_for(&browser, &acme, "2026-12-11").await, None);
    let form = filled(&browser, &acme, "x")
        .await
        .fill(&field("expires_at"), "2026-12-11");
    let complaints = browser
        .submit(&form)
        .await
        .expect(422)
        .page()
        .complaints()
        .join(" ");
    assert!(
        complaints.contains("Expiration date is invalid") && complaints.contains("2026-12-10"),
        "{complaints}"
    );
}

async fn where_tokens_need_no_end_a_cleared_date_means_none(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.set("require_personal_access_token_expiry", "false");
    assert!(
        !browser
            .open(&tokens_of(&acme))
            .await
            .says("today + 365 days")
    );
    assert_eq!(
        expiry_for(&browser, &acme, "").await.as_deref(),
        Some("never")
    );
    assert_eq!(
        expiry_for(&browser, &acme, "2036-11-20").await.as_deref(),
        Some("2036-11-20")
    );
    let page = browser.open(&tokens_of(&acme)).await;
    let shown: Vec<String> = page
        .rows("active-tokens")
        .into_iter()
        .map(|row| row[6].clone())
        .collect();
    assert_eq!(shown.len(), 2);
    assert!(shown[0].contains("2036"), "no end sorts last: {shown:?}");
    assert!(
        shown[1].contains("Never") && shown[1].to_lowercase().contains("valid until revoked"),
        "{shown:?}"
    );
}

async fn today_is_too_early_and_a_year_is_the_latest(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let before = server.inventory();
    for (typed, says) in [
        ("2026-11-20", ""),
        ("2026-11-19", "Expires at cannot be a date in the past"),
        ("1970-01-01", "Expires at cannot be a date in the past"),
        ("2027-11-21", "Expiration date must be before 2027-11-20"),
        ("2036-01-01", "Expiration date must be before 2027-11-20"),
        ("2027-02-29", ""),
        ("2027-13-01", ""),
        ("2027-00-10", ""),
        ("20270101x", ""),
        ("tomorrow", ""),
        ("1e9", ""),
        ("\u{ff12}\u{ff10}\u{ff12}\u{ff17}-01-01", ""),
        ("10000-01-01", ""),
        ("-2027-01-01", ""),
        ("99999999999999999999-01-01", ""),
    ] {
        let form = filled(&browser, &acme, "dated")
            .await
            .fill(&field("expires_at"), typed);
        let answer = browser.submit(&form).await;
        assert_eq!(answer.status, 422, "{typed}");
        let complaints = answer.page().complaints();
        assert_eq!(complaints.len(), 1, "{typed}: {complaints:?}");
        assert!(complaints[0].contains(says), "{typed}: {complaints:?}");
        let about_date =
            complaints[0].contains("Expiration date") || complaints[0].contains("Expires at");
        assert!(about_date, "names its field: {typed}: {complaints:?}");
        assert_eq!(
            answer
                .page()
                .form(&tokens_of(&acme))
                .value(&field("expires_at")),
            Some(typed),
            "kept"
        );
    }
    assert_eq!(server.inventory(), before);
    for typed in ["2026-11-21", "2027-11-20", " 2027-01-01 "] {
        assert_eq!(
            expiry_for(&browser, &acme, typed).await.as_deref(),
            Some(typed.trim())
        );
    }
}

async fn four_hundred_days_with_the_flag(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.flag("buffered_token_expiration_limit", true);
    let page = browser.open(&tokens_of(&acme)).await;
    assert_eq!(
        page.tag("expiry-date-field").unwrap().get("max").unwrap(),
        "2027-12-25"
    );
    assert_eq!(
        expiry_for(&browser, &acme, "2027-12-25").await.as_deref(),
        Some("2027-12-25")
    );
    assert_eq!(expiry_for(&browser, &acme, "2027-12-26").await, None);
    assert_eq!(
        expiry_for(&browser, &acme, "").await.as_deref(),
        Some("2027-11-20"),
        "the flag doesn't change it"
    );
}

async fn scopes_of_the_registry_are_offered_where_there_is_one(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let page = browser.open(&tokens_of(&acme)).await;
    assert!(page.has("read_registry-checkbox") && page.has("write_registry-checkbox"));
    server.set("registry_enabled", "false");
    let page = browser.open(&tokens_of(&acme)).await;
    assert!(!page.has("read_registry-checkbox") && !page.has("write_registry-checkbox"));
    let form = filled(&browser, &acme, "x")
        .await
        .tick(SCOPES, "read_registry");
    let complaints = browser.submit(&form).await.expect(422).page().complaints();
    assert_eq!(complaints, ["Scopes can only contain available scopes"]);
}

async fn the_form_warns_about_internal_projects(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let warns = async |browser: &Visitor| {
        let page = browser.open(&tokens_of(&acme)).await;
        let forms = regex::Regex::new(r"(?s)<form\b.*?</form>").unwrap();
        let html = forms
            .find_iter(&page.html)
            .find(|form| form.as_str().contains("create-token-button"))
            .expect("there is a form")
            .as_str();
        crate::support::page::readable(html)
            .to_lowercase()
            .contains("internal")
    };
    assert!(warns(&browser).await);

    // It doesn't where it isn't true: an external person's bots are external.
    let xenia = server.person("xenia").external().create();
    acme.member(&xenia, AccessLevel::Owner);
    let outside = xenia.signs_in().await;
    assert!(!warns(&outside).await);
    let hidden = server.group("hq").internal().create();
    let theirs = value_of(
        &outside
            .submit(&filled(&outside, &acme, "theirs").await)
            .await
            .expect(200),
    );
    let ours = value_of(
        &browser
            .submit(&filled(&browser, &acme, "ours").await)
            .await
            .expect(200),
    );
    server
        .with_token(&theirs)
        .get(&hidden.path())
        .await
        .expect(404);
    server
        .with_token(&ours)
        .get(&hidden.path())
        .await
        .expect(200);

    server.set("bots_read_internal", "false");
    assert!(!warns(&browser).await);
}

async fn an_address_fills_the_form_in_and_makes_nothing(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let before = server.inventory();
    let markup = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let address = format!(
        "{}?name=ci{markup}&description=for%20tests{markup}&scopes=read_api,bogus{markup},write_repository",
        tokens_of(&acme)
    );
    let page = browser.open(&address).await;
    assert!(!page.html.contains("<script>alert"), "escaped");
    let form = page.form(&tokens_of(&acme));
    assert_eq!(
        form.value(&field("name")),
        Some(r#"ci"><script>alert(1)</script>"#)
    );
    assert_eq!(
        form.value(&field("description")),
        Some(r#"for tests"><script>alert(1)</script>"#)
    );
    assert_eq!(form.values(SCOPES), ["read_api", "write_repository"]);
    assert!(
        !page.html.contains(r#"id="new-token" hidden"#),
        "the form is open"
    );
    assert_eq!(server.inventory(), before);
    let page = browser.submit(&form).await.expect(200).page();
    assert_eq!(
        names(&page, "active-tokens"),
        [r#"ci"><script>alert(1)</script>"#]
    );
    assert!(!page.html.contains("<script>alert"));
}

async fn no_more_than_the_limit(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.set("active_tokens_per_group", "2");
    let late = filled(&browser, &acme, "late").await;
    acme.token("one").create();
    acme.token("two").create();
    let before = server.inventory();
    let page = browser.open(&tokens_of(&acme)).await;
    assert!(!page.has("add-new-token-button"));
    assert!(
        page.says("Limit of 2 active tokens reached."),
        "{}",
        page.main()
    );
    let answer = browser.submit(&late).await.expect(422);
    assert!(
        answer.page().says("Access token limit reached")
            || answer.page().says("Limit of 2 active tokens reached.")
    );
    assert_eq!(server.inventory(), before);
    server.set("active_tokens_per_group", "3");
    value_of(&browser.submit(&late).await.expect(200));
}

async fn a_bot_takes_part_in_its_group_alone(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let sub = acme.subgroup("sub").create();
    let other = server.group("other").private().create();
    let form = filled(&browser, &sub, "ci")
        .await
        .fill(&field("access_level"), "30");
    let value = value_of(&browser.submit(&form).await.expect(200));
    let api = server.with_token(&value);
    api.get(&sub.path()).await.expect(200);
    api.get(&acme.path()).await.expect(404);
    api.get(&other.path()).await.expect(404);
    let bot = api.get("/user").await.expect(200).json()["id"]
        .as_i64()
        .unwrap();
    assert_eq!(server.count("memberships", &format!("user_id = {bot}")), 1);
    assert_eq!(
        server.count(
            "memberships",
            &format!("user_id = {bot} AND access_level = 30")
        ),
        1
    );
}
