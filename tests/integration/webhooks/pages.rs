//! Webhooks in the browser.

use chrono::TimeDelta;

use crate::on_both;
use crate::support::webhooks::Reply;
use crate::support::{Receiver, TestGroup, TestResource, TestServer, Visitor};

on_both![
    an_owner_makes_a_webhook_and_sees_it_in_the_list,
    what_is_wrong_stands_at_its_field,
    an_address_at_home_is_refused_on_the_form_unless_it_is_allowed,
    a_name_is_taken_once_in_a_group,
    a_group_has_a_hundred_webhooks_at_the_most,
    name_and_url_can_be_changed,
    a_webhook_is_deleted_after_asking,
    a_test_shows_in_the_log_what_came_of_it,
    the_log_is_paged_newest_first,
    a_delivery_tells_everything_but_the_signature,
    a_delivery_is_sent_again_at_the_press_of_a_button,
    a_disabled_webhook_says_why_and_can_be_enabled,
    text_of_people_and_receivers_is_only_text,
];

const URL: &str = "https://hooks.example.com/a";

async fn owner_of_acme(server: &TestServer) -> (TestGroup, Visitor) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    (acme, alice.signs_in().await)
}

async fn send(
    browser: &Visitor,
    group: &TestGroup,
    name: &str,
    url: &str,
) -> crate::support::Answer {
    let fields = [("webhook[name]", name), ("webhook[url]", url)];
    browser.post(&group.page("hooks"), &fields).await
}

async fn an_owner_makes_a_webhook_and_sees_it_in_the_list(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let path = acme.page("hooks");
    let empty = browser.open(&path).await;
    assert!(empty.says("This group has no webhooks."));
    assert_eq!(empty.title(), "Webhooks · acme · Latchkey");
    let made = send(&browser, &acme, " pager ", URL)
        .await
        .expect(200)
        .page();
    assert!(made.says("Your signing key") && made.says("Added just now by Alice"));
    assert!(made.links_to(&acme.page("hooks/1")));
    let list = browser.open(&path).await;
    let row = list.part("webhook-row").unwrap().text();
    assert_eq!(
        row,
        "pager https://hooks.example.com Enabled None yet Delete"
    );
    assert!(
        !list.html.contains("hooks.example.com/a"),
        "the path is told to who asks"
    );
    let audited = "event = 'webhook_created' AND target_name = 'pager' AND actor_name = 'Alice' \
                   AND group_path = 'acme' AND channel = 'page'";
    assert_eq!(server.count("audit_events", audited), 1);
}

async fn what_is_wrong_stands_at_its_field(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let long = format!("https://hooks.example.com/{}", "a".repeat(2048));
    let name = "n".repeat(256);
    for (name, url, complaint) in [
        ("", URL, "Name can't be blank"),
        (" ", URL, "Name can't be blank"),
        (
            name.as_str(),
            URL,
            "Name is too long (maximum is 255 characters)",
        ),
        ("a\u{7}b", URL, "Name contains invalid characters"),
        ("a\0b", URL, "Name contains invalid characters"),
        ("a", "", "URL can't be blank"),
        (
            "a",
            "hooks.example.com",
            "URL must start with http:// or https:// and name a host",
        ),
        (
            "a",
            "ftp://hooks.example.com",
            "URL must start with http:// or https:// and name a host",
        ),
        (
            "a",
            "http://u:p@hooks.example.com",
            "URL must not contain a user name or password",
        ),
        (
            "a",
            "https://hooks.example.com/#x",
            "URL must not contain a fragment (#)",
        ),
        (
            "a",
            "https://hooks.example.com/\0",
            "URL contains invalid characters",
        ),
        ("a", &long, "URL is too long (maximum is 2048 characters)"),
    ] {
        let page = send(&browser, &acme, name, url).await.expect(422).page();
        assert_eq!(page.complaints(), [complaint]);
        let form = page.form(&acme.page("hooks"));
        if !name.contains('\0') && !url.contains('\0') {
            assert_eq!(
                form.value("webhook[name]"),
                Some(name),
                "what was typed is kept"
            );
            assert_eq!(form.value("webhook[url]"), Some(url));
        }
    }
    let both = send(&browser, &acme, "", "").await.expect(422).page();
    assert_eq!(
        both.complaints(),
        ["Name can't be blank", "URL can't be blank"]
    );
    let nothing = browser
        .post(&acme.page("hooks"), &[])
        .await
        .expect(422)
        .page();
    assert_eq!(nothing.complaints().len(), 2);
    assert_eq!(server.count("webhooks", ""), 0);
}

async fn an_address_at_home_is_refused_on_the_form_unless_it_is_allowed(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let urls = [
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://2130706433",
        "http://0x7f.1",
        "http://[::1]:9000",
        "http://[::ffff:127.0.0.1]",
        "http://169.254.169.254/latest",
        "http://10.0.0.1",
    ];
    let sentence =
        "URL must lead to a public address; requests to the local network are not allowed";
    for url in urls {
        let page = send(&browser, &acme, "a", url).await.expect(422).page();
        assert_eq!(page.complaints(), [sentence], "{url}");
    }
    let hook = acme.webhook("pager", URL);
    let fields = [
        ("hook_action", "update"),
        ("webhook[name]", "pager"),
        ("webhook[url]", "http://127.0.0.1"),
    ];
    let path = acme.page(&format!("hooks/{}", hook.id));
    let page = browser.post(&path, &fields).await.expect(422).page();
    assert_eq!(
        page.complaints(),
        [sentence],
        "a change is no way around it"
    );
    server.allow_local_webhooks();
    for (number, url) in urls.into_iter().enumerate() {
        let name = format!("hook {number}");
        send(&browser, &acme, &name, url).await.expect(200);
    }
}

async fn a_name_is_taken_once_in_a_group(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    send(&browser, &acme, "pager", URL).await.expect(200);
    let page = send(&browser, &acme, "pager", URL).await.expect(422).page();
    assert_eq!(page.complaints(), ["Name has already been taken"]);
    let other = acme.webhook("Pager", URL);
    let platform = acme.subgroup("platform").create();
    send(&browser, &platform, "pager", URL).await.expect(200);
    let path = acme.page(&format!("hooks/{}", other.id));
    let fields = [
        ("hook_action", "update"),
        ("webhook[name]", "pager"),
        ("webhook[url]", URL),
    ];
    let page = browser.post(&path, &fields).await;
    assert_eq!(page.status, 422);
    assert_eq!(page.page().complaints(), ["Name has already been taken"]);
}

async fn a_group_has_a_hundred_webhooks_at_the_most(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    for number in 0..100 {
        acme.webhook(&format!("hook {number}"), URL);
    }
    let list = browser.open(&acme.page("hooks")).await;
    assert!(list.says("Limit of 100 webhooks reached."));
    assert!(list.find_form(&acme.page("hooks")).is_none());
    let refused = send(&browser, &acme, "one more", URL)
        .await
        .expect(422)
        .page();
    assert_eq!(
        refused.complaints(),
        ["A group can have 100 webhooks at the most"]
    );
    assert_eq!(server.count("webhooks", ""), 100);
}

async fn name_and_url_can_be_changed(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let hook = acme.webhook("pager", URL);
    let path = acme.page(&format!("hooks/{}", hook.id));
    let fields = |name, url| {
        [
            ("hook_action", "update"),
            ("webhook[name]", name),
            ("webhook[url]", url),
        ]
    };
    for (name, url) in [("pager", URL), ("bell", "https://other.example:444/secret")] {
        let answer = browser.post(&path, &fields(name, url)).await.expect(303);
        assert_eq!(answer.location(), path);
        let page = browser.open(&path).await;
        assert!(page.says("The webhook was updated."));
        assert!(page.html.contains(&format!(r#"value="{url}""#)));
    }
    let audited = r#"event = 'webhook_updated' AND details = '{"name":["pager","bell"],"origin":["https://hooks.example.com","https://other.example:444"]}'"#;
    assert_eq!(server.count("audit_events", audited), 1);
    let all = "event = 'webhook_updated'";
    assert_eq!(
        server.count("audit_events", all),
        1,
        "the same again is no change"
    );
}

async fn a_webhook_is_deleted_after_asking(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let hook = acme.webhook("pager", URL);
    let path = acme.page(&format!("hooks/{}/delete", hook.id));
    let question = browser.open(&path).await;
    assert!(question.says("Delete webhook “ pager ”?"));
    assert_eq!(server.count("webhooks", ""), 1);
    let answer = browser.submit(&question.form(&path)).await.expect(303);
    assert_eq!(answer.location(), acme.page("hooks"));
    assert!(
        browser
            .open(&acme.page("hooks"))
            .await
            .says("Deleted webhook pager.")
    );
    assert_eq!(server.count("webhooks", ""), 0);
    browser.get(&path).await.expect(404);
    browser.post(&path, &[]).await.expect(404);
}

async fn a_test_shows_in_the_log_what_came_of_it(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.allow_local_webhooks();
    let receiver = Receiver::start();
    let hook = acme.webhook("pager", &receiver.url("/"));
    let path = acme.page(&format!("hooks/{}", hook.id));
    let row = || async {
        let page = browser.open(&path).await;
        page.part("delivery-row")
            .map(|row| row.text())
            .unwrap_or_default()
    };
    assert_eq!(row().await, "");
    let form = browser.open(&path).await.form(&path);
    assert_eq!(form.value("hook_action"), Some("test"));
    browser.submit(&form).await.expect(303);
    let waiting = row().await;
    assert!(
        waiting.contains("Test Waiting 0 of 1 - Details"),
        "{waiting}"
    );
    server.deliver_webhooks().await;
    let delivered = row().await;
    assert!(delivered.contains("Test Delivered 1 of 1"), "{delivered}");
    receiver.replies(Reply::Status(500, String::new()));
    browser.submit(&form).await.expect(303);
    server.deliver_webhooks().await;
    let failed = row().await;
    assert!(
        failed.contains("Test Failed Answered 500 1 of 1"),
        "{failed}"
    );
    let list = browser.open(&acme.page("hooks")).await;
    let row = list.part("webhook-row").unwrap().text();
    assert!(row.contains("Enabled Failed just now"), "{row}");
}

async fn the_log_is_paged_newest_first(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    let hook = acme.webhook("pager", URL);
    for _ in 0..101 {
        hook.delivery();
        server.sql("UPDATE webhook_deliveries SET state = 'failed', settled_at = created_at");
    }
    let path = acme.page(&format!("hooks/{}", hook.id));
    let newest = hook.newest();
    for (query, first, rows) in [
        ("", 0, 50),
        ("?page=2", 50, 50),
        ("?page=3", 100, 1),
        ("?page=9", 100, 1),
    ] {
        let page = browser.open(&format!("{path}{query}")).await;
        assert_eq!(
            page.html.matches(r#"data-testid="delivery-row""#).count(),
            rows
        );
        let row = page.part("delivery-row").unwrap();
        assert!(
            row.says(&format!("ID {}", newest - first)),
            "{query}: {}",
            row.text()
        );
        assert!(page.says("of 101"));
    }
}

async fn a_delivery_tells_everything_but_the_signature(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.allow_local_webhooks();
    let receiver = Receiver::start();
    let hook = acme.webhook("pager", &receiver.url("/hook?a=b"));
    receiver.replies(Reply::Status(500, "no disk left".into()));
    let token = acme.token("deploy").expires(&server.days_ahead(7)).create();
    server.announce(&[(&token, acme.resource())]);
    server.deliver_webhooks().await;
    let path = acme.page(&format!("hooks/{}/deliveries/{}", hook.id, hook.newest()));
    let page = browser.open(&path).await;
    let sent = receiver.received().remove(0);
    for told in [
        "Retrying".to_owned(),
        "1 of 8".into(),
        "Answered 500".into(),
        "no disk left".into(),
        "20 Nov 2026, 10:01:00 UTC".into(),
        format!("POST {}", receiver.url("/hook?a=b")),
        "X-Gitlab-Event: Resource Access Token Hook".into(),
        format!("webhook-id: {}", sent.header("webhook-id")),
        format!("webhook-timestamp: {}", sent.header("webhook-timestamp")),
        format!(
            "X-Gitlab-Webhook-UUID: {}",
            sent.header("x-gitlab-webhook-uuid")
        ),
        "webhook-signature: v1,…".into(),
        r#""event_name": "expiring_access_token""#.into(),
    ] {
        assert!(page.says(&told), "{told} in {}", page.main());
    }
    let signature = sent.header("webhook-signature").trim_start_matches("v1,");
    assert!(!page.text().contains(signature));
    assert!(page.find_form(&path).is_none(), "it is on its way");
}

async fn a_delivery_is_sent_again_at_the_press_of_a_button(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.allow_local_webhooks();
    let receiver = Receiver::start();
    let hook = acme.webhook("pager", &receiver.url("/"));
    let old = hook.delivery();
    server.deliver_webhooks().await;
    let hook_path = acme.page(&format!("hooks/{}", hook.id));
    let path = format!("{hook_path}/deliveries/{old}");
    let form = browser.open(&path).await.form(&path);
    let answer = browser.submit(&form).await.expect(303);
    assert_eq!(answer.location(), hook_path);
    server.deliver_webhooks().await;
    let log = browser.open(&hook_path).await;
    let row = log.part("delivery-row").unwrap().text();
    assert!(row.contains("Test Again Delivered 1 of 1"), "{row}");
    let again = browser
        .open(&format!("{hook_path}/deliveries/{}", hook.newest()))
        .await;
    assert!(again.links_to(&path) && again.says(&format!("Delivery {old}")));
    assert_eq!(receiver.received().len(), 2);
    server.sql("UPDATE webhook_deliveries SET state = 'sending', settled_at = NULL");
    browser.submit(&form).await.expect(303);
    assert!(
        browser
            .open(&hook_path)
            .await
            .says("It is on its way already.")
    );
}

async fn a_disabled_webhook_says_why_and_can_be_enabled(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.allow_local_webhooks();
    let receiver = Receiver::start();
    receiver.replies(Reply::Status(410, String::new()));
    let hook = acme.webhook("pager", &receiver.url("/"));
    hook.delivery();
    server.deliver_webhooks().await;
    server.clock.advance(TimeDelta::hours(2));
    let path = acme.page(&format!("hooks/{}", hook.id));
    let page = browser.open(&path).await;
    let told = page.part("webhook-disabled").unwrap();
    assert!(
        told.says("This webhook was disabled 2 hours ago ."),
        "{}",
        told.text()
    );
    assert!(
        told.says("The receiver answered 410 Gone."),
        "{}",
        told.text()
    );
    let refused = browser
        .post(&path, &[("hook_action", "test")])
        .await
        .expect(422);
    assert_eq!(
        refused.page().complaints(),
        ["The webhook is disabled; enable it first"]
    );
    let form = page.form(&path);
    assert_eq!(form.value("hook_action"), Some("enable"));
    browser.submit(&form).await.expect(303);
    let page = browser.open(&path).await;
    assert!(page.says("It is called again, from the next event on."));
    assert!(page.part("webhook-disabled").is_none());
}

async fn text_of_people_and_receivers_is_only_text(server: TestServer) {
    let (acme, browser) = owner_of_acme(&server).await;
    server.allow_local_webhooks();
    let evil = r#""><script>alert(1)</script><img src=x onerror=alert(2)>"#;
    let receiver = Receiver::start();
    receiver.replies(Reply::Status(500, evil.into()));
    let url = receiver.url("/%22%3E%3Cscript%3E?q='><b>");
    let made = send(&browser, &acme, evil, &url).await.expect(200);
    let token = acme.token(evil).expires(&server.days_ahead(7)).create();
    server.announce(&[(&token, acme.resource())]);
    server.deliver_webhooks().await;
    let mut pages = vec![made.text()];
    for path in [
        "hooks",
        "hooks/1",
        "hooks/1/delete",
        "hooks/1/reset_key",
        "hooks/1/deliveries/1",
    ] {
        pages.push(browser.get(&acme.page(path)).await.expect(200).text());
    }
    for page in &pages {
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(!page.contains("<img src=x"), "{page}");
        assert!(!page.contains("<b>"), "{page}");
    }
    assert!(crate::support::Page::new(pages[5].clone()).says(evil));
    let body = receiver.received()[0].json();
    assert_eq!(
        body["object_attributes"]["name"], evil,
        "the receiver gets it as it is"
    );
}
