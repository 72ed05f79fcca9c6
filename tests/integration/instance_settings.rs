//! The instance's own rules: what administrators set and switch, on the page and over the API.

mod api;
mod flags;
mod lowering;

use chrono::TimeDelta;

use crate::on_both;
use crate::support::{Answer, Form, Page, Person, TestResource, TestServer, Visitor};

on_both![
    what_is_saved_is_shown_and_holds_at_once,
    every_setting_is_on_the_page_once,
    a_mistake_is_told_at_its_field_and_what_was_typed_is_kept,
    nothing_of_a_form_with_a_mistake_is_saved,
    of_two_administrators_the_second_is_told_and_can_save_again,
    another_section_saved_meanwhile_is_no_conflict,
    who_changes_nothing_leaves_no_trace,
    a_prefix_is_for_new_tokens_of_every_kind_and_old_ones_keep_working,
    both_shapes_can_be_chosen,
    a_group_has_no_more_active_tokens_than_allowed,
    what_has_ended_makes_room_and_what_never_ends_takes_it,
    without_the_duty_to_expire_a_token_may_live_forever,
    the_emergency_brake_stops_every_token,
    everybody_else_finds_nothing,
    open_sign_up_comes_with_advice,
    a_token_has_so_many_calls_in_a_minute_where_that_is_limited,
];

/// Where it is all set.
pub(super) const PATH: &str = "/admin/application_settings/general";

/// An administrator, in a browser.
async fn administrator(server: &TestServer) -> (Person, Visitor) {
    let root = server.person("root").admin().create();
    let browser = root.signs_in().await;
    (root, browser)
}

/// The form of a section.
#[track_caller]
fn section(page: &Page, name: &str) -> Form {
    let mut forms = page.forms().into_iter();
    let form = forms
        .find(|form| form.value("update_section") == Some(name) && form.value("stamp").is_some());
    form.unwrap_or_else(|| panic!("no section {name} in {}", page.main()))
}

fn field(key: &str) -> String {
    format!("application_setting[{key}]")
}

/// Opens the page, fills fields of a section in, and sends them.
async fn save(browser: &Visitor, name: &str, fields: &[(&str, &str)]) -> Answer {
    let mut form = section(&browser.open(PATH).await, name);
    for (key, value) in fields {
        form = form.fill(&field(key), value);
    }
    browser.submit(&form).await
}

async fn what_is_saved_is_shown_and_holds_at_once(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let answer = save(
        &browser,
        "account",
        &[
            ("personal_access_token_prefix", "acme_"),
            ("session_idle_days", "3"),
        ],
    )
    .await
    .expect(303);
    assert_eq!(
        answer.location(),
        format!("{PATH}?section=account#js-account-settings")
    );
    let page = browser.open(&format!("{PATH}?section=account")).await;
    assert!(page.says("Application settings saved successfully."));
    let form = section(&page, "account");
    assert_eq!(
        form.value(&field("personal_access_token_prefix")),
        Some("acme_")
    );
    assert_eq!(form.value(&field("session_idle_days")), Some("3"));
    // What wasn't touched is as it was, the switches that are off and on alike.
    assert_eq!(form.value(&field("token_shape")), Some("checked"));
    let switch = |key| form.values(&field(key)).last().copied();
    assert_eq!(switch("bots_read_internal"), Some("true"));
    assert_eq!(switch("disable_personal_access_tokens"), Some("false"));
    let token = server.group("acme").create().token("ci").create();
    assert!(token.value.starts_with("acme_"), "{}", token.value);
    let trail = "event = 'application_setting_changed' AND actor_name = 'Root' AND channel = 'page' \
                 AND details LIKE '%[\"glpat-\",\"acme_\"]%' AND details LIKE '%\"session_idle_days\":[7,3]%' \
                 AND details NOT LIKE '%token_shape%'";
    assert_eq!(server.count("audit_events", trail), 1);
}

async fn every_setting_is_on_the_page_once(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let page = browser.open(PATH).await;
    let mut found = 0;
    for setting in &latchkey::settings::SETTINGS {
        let form = section(&page, setting.section.name());
        assert!(form.has(&field(setting.key)), "{}", setting.key);
        assert!(
            page.says(setting.label) && page.says(setting.help),
            "{}",
            setting.key
        );
        found += 1;
    }
    assert_eq!(found, 27);
}

async fn a_mistake_is_told_at_its_field_and_what_was_typed_is_kept(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    for (name, key, typed, told) in [
        (
            "account",
            "personal_access_token_prefix",
            "no spaces",
            "can contain only letters of the Base64 alphabet (RFC4648) with the addition of '@', ':' and '.'",
        ),
        (
            "account",
            "personal_access_token_prefix",
            "a-prefix-that-is-too-long",
            "is too long (maximum is 20 characters)",
        ),
        (
            "account",
            "max_personal_access_token_lifetime",
            "366",
            "must be between 1 and 365",
        ),
        (
            "account",
            "max_personal_access_token_lifetime",
            "0",
            "must be between 1 and 400",
        ),
        (
            "account",
            "max_personal_access_token_lifetime",
            "ninety",
            "is not a whole number",
        ),
        (
            "account",
            "active_tokens_per_group",
            "-1",
            "must be between 0 and 1000000",
        ),
        ("account", "active_tokens_per_group", "", "can't be blank"),
        (
            "account",
            "session_absolute_days",
            "1000",
            "must be between 1 and 365",
        ),
        (
            "account",
            "revoke_unused_tokens_after_days",
            "29",
            "must be between 30 and 3650",
        ),
        (
            "access",
            "domain_allowlist",
            "example",
            "has an entry that is no domain: example",
        ),
        (
            "network",
            "sign_in_failures_per_account",
            "1e3",
            "is not a whole number",
        ),
    ] {
        let page = save(&browser, name, &[(key, typed)])
            .await
            .expect(422)
            .page();
        let label = latchkey::settings::Setting::find(key).unwrap().label;
        assert!(
            page.says(&format!("{label} {told}")),
            "{key} {typed}: {}",
            page.main()
        );
        assert_eq!(section(&page, name).value(&field(key)), Some(typed));
        assert!(
            page.html
                .contains(&format!("id=\"application_setting_{key}_error\""))
        );
    }
    let odd = browser
        .post(
            PATH,
            &[
                ("update_section", "account"),
                (&field("token_shape"), "round"),
            ],
        )
        .await
        .expect(422);
    assert!(odd.page().says("must be checked or classic"));
    browser
        .post(PATH, &[("update_section", "nothing")])
        .await
        .expect(404);
    assert_eq!(server.count("settings", "1 = 1"), 0);
}

async fn nothing_of_a_form_with_a_mistake_is_saved(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    save(
        &browser,
        "account",
        &[
            ("personal_access_token_prefix", "acme_"),
            ("session_idle_days", "0"),
        ],
    )
    .await
    .expect(422);
    // Each is fine by itself, but a flag says no to one of them.
    save(
        &browser,
        "account",
        &[
            ("personal_access_token_prefix", "acme_"),
            ("max_personal_access_token_lifetime", "399"),
        ],
    )
    .await
    .expect(422);
    assert_eq!(server.count("settings", "1 = 1"), 0);
    assert_eq!(
        server.count("audit_events", "event = 'application_setting_changed'"),
        0
    );
}

async fn of_two_administrators_the_second_is_told_and_can_save_again(server: TestServer) {
    let (_, first) = administrator(&server).await;
    let second = server.person("rita").admin().create().signs_in().await;
    let opened = section(&second.open(PATH).await, "account");
    save(
        &first,
        "account",
        &[("personal_access_token_prefix", "first_")],
    )
    .await
    .expect(303);

    let mine = opened
        .fill(&field("personal_access_token_prefix"), "second_")
        .fill(&field("session_idle_days"), "5");
    let page = second.submit(&mine).await.expect(409).page();
    assert!(page.says("Somebody else saved these settings meanwhile."));
    assert!(page.says("Saved meanwhile by somebody else: first_"));
    assert!(page.says("Saved meanwhile by somebody else: 7"));
    let again = section(&page, "account");
    assert_eq!(
        again.value(&field("personal_access_token_prefix")),
        Some("second_")
    );
    assert_eq!(
        server.count(
            "settings",
            "key = 'personal_access_token_prefix' AND value = '\"first_\"'"
        ),
        1
    );
    // Told, they may insist.
    second.submit(&again).await.expect(303);
    assert_eq!(
        server.count(
            "settings",
            "key = 'personal_access_token_prefix' AND value = '\"second_\"'"
        ),
        1
    );
}

async fn another_section_saved_meanwhile_is_no_conflict(server: TestServer) {
    let (_, first) = administrator(&server).await;
    let second = server.person("rita").admin().create().signs_in().await;
    let opened = section(&second.open(PATH).await, "account");
    save(
        &first,
        "mail",
        &[("resource_access_token_notify_inherited", "true")],
    )
    .await
    .expect(303);
    let mine = opened.fill(&field("session_idle_days"), "5");
    second.submit(&mine).await.expect(303);
    assert_eq!(server.count("settings", "1 = 1"), 2);

    // Nor is one who saves what somebody else has saved already.
    let opened =
        section(&second.open(PATH).await, "account").fill(&field("session_idle_days"), "9");
    save(&first, "account", &[("session_idle_days", "9")])
        .await
        .expect(303);
    second.submit(&opened).await.expect(303);
}

async fn who_changes_nothing_leaves_no_trace(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    save(&browser, "account", &[]).await.expect(303);
    assert_eq!(server.count("settings", "1 = 1"), 0);
    assert_eq!(
        server.count("audit_events", "event = 'application_setting_changed'"),
        0
    );
}

async fn a_prefix_is_for_new_tokens_of_every_kind_and_old_ones_keep_working(server: TestServer) {
    let (root, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    let old = acme.token("old").create();
    save(
        &browser,
        "account",
        &[("personal_access_token_prefix", "acme_")],
    )
    .await
    .expect(303);
    let new = [
        acme.token("new").create().value,
        acme.project("api").create().token("new").create().value,
        root.personal_token([latchkey::access_tokens::scope::Scope::Api])
            .value,
    ];
    for value in &new {
        assert!(value.starts_with("acme_"), "{value}");
    }
    assert!(old.value.starts_with("glpat-") && old.works().await);
    save(&browser, "account", &[("personal_access_token_prefix", "")])
        .await
        .expect(303);
    for value in &new {
        let answer = server
            .with_token(value)
            .get("/personal_access_tokens/self")
            .await;
        answer.expect(200);
    }
    let bare = acme.token("bare").create();
    assert!(!bare.value.contains("acme_") && bare.works().await);
}

async fn both_shapes_can_be_chosen(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    let checked = acme.token("checked").create();
    assert!(checked.value.contains(".01."));
    save(&browser, "account", &[("token_shape", "classic")])
        .await
        .expect(303);
    let classic = acme.token("classic").create();
    assert_eq!(classic.value.len(), "glpat-".len() + 20);
    assert!(checked.works().await && classic.works().await);
}

async fn a_group_has_no_more_active_tokens_than_allowed(server: TestServer) {
    let (root, browser) = administrator(&server).await;
    let acme = server.group("acme").owner(&root).create();
    acme.token("one").create();
    save(&browser, "account", &[("active_tokens_per_group", "1")])
        .await
        .expect(303);
    let asked =
        serde_json::json!({ "name": "two", "scopes": ["api"], "expires_at": server.days_ahead(9) });
    let refused = root
        .api()
        .post(&format!("/groups/{}/access_tokens", acme.id), asked.clone())
        .await
        .expect(400);
    assert!(
        refused.message().contains("limit reached"),
        "{}",
        refused.text()
    );
    save(&browser, "account", &[("active_tokens_per_group", "2")])
        .await
        .expect(303);
    root.api()
        .post(&format!("/groups/{}/access_tokens", acme.id), asked)
        .await
        .expect(201);
}

async fn what_has_ended_makes_room_and_what_never_ends_takes_it(server: TestServer) {
    let (root, _) = administrator(&server).await;
    server.set("require_personal_access_token_expiry", "false");
    server.set("active_tokens_per_group", "1");
    let acme = server.group("acme").owner(&root).create();
    acme.token("soon").expires(&server.days_ahead(1)).create();
    let make = |name: &'static str, status| {
        let asked = serde_json::json!({ "name": name, "scopes": ["api"], "expires_at": null });
        let path = format!("/groups/{}/access_tokens", acme.id);
        let api = root.api();
        async move { api.post(&path, asked).await.expect(status) }
    };
    make("too early", 400).await;
    server.clock.advance(TimeDelta::days(1));
    let endless = make("endless", 201).await;
    assert!(endless.json()["expires_at"].is_null());
    make("too many", 400).await;
}

async fn without_the_duty_to_expire_a_token_may_live_forever(server: TestServer) {
    let (root, browser) = administrator(&server).await;
    let acme = server.group("acme").owner(&root).create();
    let make = || async {
        let asked = serde_json::json!({ "name": "ci", "scopes": ["api"] });
        let made = root
            .api()
            .post(&format!("/groups/{}/access_tokens", acme.id), asked)
            .await
            .expect(201);
        made.json()["expires_at"].clone()
    };
    assert_eq!(make().await, server.days_ahead(365));
    save(
        &browser,
        "account",
        &[("require_personal_access_token_expiry", "false")],
    )
    .await
    .expect(303);
    assert!(make().await.is_null());
}

async fn the_emergency_brake_stops_every_token(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    let token = acme.token("ci").create();
    assert!(token.works().await);
    save(
        &browser,
        "account",
        &[("disable_personal_access_tokens", "true")],
    )
    .await
    .expect(303);
    assert!(!token.works().await);
    // The page that takes it back needs no token.
    save(
        &browser,
        "account",
        &[("disable_personal_access_tokens", "false")],
    )
    .await
    .expect(303);
    assert!(token.works().await);
}

async fn everybody_else_finds_nothing(server: TestServer) {
    let alice = server.person("alice").create();
    server.group("acme").owner(&alice).create();
    let browser = alice.signs_in().await;
    browser.get(PATH).await.expect(404);
    for fields in [
        [
            ("update_section", "account"),
            ("application_setting[session_idle_days]", "1"),
        ],
        [
            ("update_section", "flags"),
            ("flag", "buffered_token_expiration_limit"),
        ],
        [("update_section", "account"), ("act", "undo_lowering")],
    ] {
        browser.post(PATH, &fields).await.expect(404);
    }
    server.visitor().get(PATH).await.expect(302);
    assert_eq!(server.count("settings", "1 = 1"), 0);
}

async fn open_sign_up_comes_with_advice(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let advised = || async { browser.open(PATH).await.has("advice") };
    assert!(!advised().await);
    server.set("signup_enabled", "true");
    assert!(!advised().await, "an administrator has to approve");
    server.set("require_admin_approval_after_user_signup", "false");
    assert!(advised().await);
    // Where newcomers can make no token there is nothing to think about.
    let hosted = server.hosted().visitor();
    hosted
        .sign_in("root", crate::support::PASSWORD)
        .await
        .expect(303);
    assert!(!hosted.open(PATH).await.has("advice"));
}

async fn a_token_has_so_many_calls_in_a_minute_where_that_is_limited(server: TestServer) {
    let acme = server.group("acme").create();
    let (one, two) = (acme.token("one").create(), acme.token("two").create());
    let call = |token: &crate::support::TestToken| {
        let api = token.api();
        async move { api.get("/personal_access_tokens/self").await }
    };
    assert_eq!(call(&one).await.expect(200).header("ratelimit-limit"), "");
    server.set("api_requests_per_minute", "3");
    for (observed, remaining) in [("1", "2"), ("2", "1"), ("3", "0")] {
        let answer = call(&one).await.expect(200);
        assert_eq!(answer.header("ratelimit-limit"), "3");
        assert_eq!(answer.header("ratelimit-observed"), observed);
        assert_eq!(answer.header("ratelimit-remaining"), remaining);
    }
    let over = call(&one).await.expect(429);
    assert_eq!(over.header("retry-after"), "60");
    assert_eq!(over.header("ratelimit-remaining"), "0");
    assert_eq!(over.message(), "429 Too Many Requests");
    // Refused by its scope or not, a call is a call; and other tokens have their own.
    call(&two).await.expect(200);
    server.clock.advance(chrono::TimeDelta::seconds(60));
    call(&one).await.expect(200);
    server.set("api_requests_per_minute", "0");
    for _ in 0..5 {
        call(&one).await.expect(200);
    }
}
