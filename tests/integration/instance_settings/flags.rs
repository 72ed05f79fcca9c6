//! Feature flags, and the one that a top-level group may decide for itself.

use super::{PATH, administrator};
use crate::on_both;
use crate::support::{TestResource, TestServer, Visitor};

on_both![
    each_flag_says_what_it_does_and_since_when,
    a_flag_is_switched_and_holds_at_once,
    the_permanent_one_cannot_be_switched,
    a_top_level_group_can_have_its_own_say_and_give_it_up,
    only_a_top_level_group_can,
    each_change_is_in_the_trail_once,
];

const RETAIN: &str = "retain_resource_access_token_user_after_revoke";
const BUFFERED: &str = "buffered_token_expiration_limit";

async fn switch(browser: &Visitor, fields: &[(&str, &str)]) -> crate::support::Answer {
    let mut all = vec![("update_section", "flags")];
    all.extend(fields);
    browser.post(PATH, &all).await
}

async fn each_flag_says_what_it_does_and_since_when(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let page = browser.open(&format!("{PATH}?section=flags")).await;
    let rows = page.rows("flags");
    let told: Vec<[&str; 3]> = rows
        .iter()
        .map(|row| {
            [
                row[0].split(' ').next().unwrap(),
                row[1].as_str(),
                row[2].as_str(),
            ]
        })
        .collect();
    assert_eq!(
        told,
        [
            ["buffered_token_expiration_limit", "17.6", "Off"],
            ["expiring_pats_30d_60d_notifications", "17.6", "Off"],
            [RETAIN, "17.3", "Off"],
            ["pat_expiry_inherited_members_notification", "17.7", "Off"],
            [
                "k8s_proxy_pat",
                "16.4, permanent since 16.5",
                "On Permanent"
            ],
        ]
    );
    assert!(
        rows.iter().all(|row| row[0].split(' ').count() > 3),
        "{rows:?}"
    );
}

async fn a_flag_is_switched_and_holds_at_once(server: TestServer) {
    let (root, browser) = administrator(&server).await;
    let acme = server.group("acme").owner(&root).create();
    let make = |days: i64| {
        let asked = serde_json::json!({ "name": "ci", "scopes": ["api"], "expires_at": server.days_ahead(days) });
        let path = format!("/groups/{}/access_tokens", acme.id);
        let api = root.api();
        async move { api.post(&path, asked).await.status }
    };
    assert_eq!(make(400).await, 400);
    let form = browser
        .open(PATH)
        .await
        .forms()
        .into_iter()
        .find(|form| form.value("flag") == Some(BUFFERED))
        .unwrap();
    assert_eq!(form.action, PATH);
    let answer = switch(&browser, &[("flag", BUFFERED), ("enabled", "true")]).await;
    assert_eq!(
        answer.expect(303).location(),
        format!("{PATH}?section=flags#js-flags-settings")
    );
    assert!(browser.open(PATH).await.says(&format!("{BUFFERED} is on.")));
    assert_eq!(make(400).await, 201);
    assert_eq!(make(401).await, 400);
    switch(&browser, &[("flag", BUFFERED), ("enabled", "false")])
        .await
        .expect(303);
    assert_eq!(make(400).await, 400);
}

async fn the_permanent_one_cannot_be_switched(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    for (flag, why) in [
        ("k8s_proxy_pat", "is permanent and can't be switched"),
        ("no_such_flag", "There is no flag no_such_flag"),
        ("", "There is no flag"),
    ] {
        let page = switch(&browser, &[("flag", flag), ("enabled", "false")])
            .await
            .expect(422)
            .page();
        assert!(page.says(why), "{flag}: {}", page.main());
    }
    switch(&browser, &[("flag", BUFFERED), ("enabled", "maybe")])
        .await
        .expect(404);
    assert_eq!(server.count("feature_flags", "1 = 1"), 0);
}

async fn a_top_level_group_can_have_its_own_say_and_give_it_up(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    let acme = server.group("acme").create();
    let say = |group, enabled| {
        let browser = &browser;
        async move { switch(browser, &[("group", group), ("enabled", enabled)]).await }
    };
    say("acme", "true").await.expect(303);
    let page = browser.open(PATH).await;
    assert_eq!(page.rows("retaining-groups")[0][..2], ["acme", "Kept"]);
    let kept = acme.token("kept").create();
    server
        .with_token(&kept.value)
        .delete("/personal_access_tokens/self")
        .await
        .expect(204);
    say("acme", "false").await.expect(303);
    assert_eq!(
        browser.open(PATH).await.rows("retaining-groups")[0][..2],
        ["acme", "Deleted"]
    );
    say("acme", "inherit").await.expect(303);
    assert!(!browser.open(PATH).await.has("retaining-groups"));
    assert_eq!(server.count("groups", "retain_bots IS NOT NULL"), 0);
}

async fn only_a_top_level_group_can(server: TestServer) {
    let (root, browser) = administrator(&server).await;
    server
        .group("acme")
        .owner(&root)
        .create()
        .subgroup("sub")
        .create();
    for group in ["acme/sub", "nowhere", "", "root"] {
        let page = switch(&browser, &[("group", group), ("enabled", "true")])
            .await
            .expect(422)
            .page();
        assert!(
            page.says(
                &format!("There is no top-level group {group}")
                    .trim()
                    .to_owned()
            )
        );
        assert!(
            page.html.contains(&format!("value=\"{group}\"")),
            "it is kept"
        );
    }
    assert_eq!(server.count("groups", "retain_bots IS NOT NULL"), 0);
}

async fn each_change_is_in_the_trail_once(server: TestServer) {
    let (_, browser) = administrator(&server).await;
    server.group("acme").create();
    for _ in 0..2 {
        switch(&browser, &[("flag", BUFFERED), ("enabled", "true")])
            .await
            .expect(303);
        switch(&browser, &[("group", "acme"), ("enabled", "true")])
            .await
            .expect(303);
    }
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'feature_flag_changed' AND target_kind = 'instance' AND actor_name = 'Root' \
             AND details = '{\"buffered_token_expiration_limit\":[false,true]}'"
        ),
        1
    );
    assert_eq!(
        server.count(
            "audit_events",
            "event = 'feature_flag_changed' AND target_kind = 'group' AND group_path = 'acme'"
        ),
        1
    );
}
