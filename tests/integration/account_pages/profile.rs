//! Account, Profile.

use super::PROFILE as PATH;
use crate::on_both;
use crate::support::{Answer, Company, TestServer, Visitor};

on_both![
    it_shows_who_one_is_here,
    a_new_name_is_read_everywhere_and_told,
    a_name_that_is_none_is_refused_and_kept_in_the_form,
    nothing_else_can_be_changed_this_way,
    the_same_name_is_no_change,
];

async fn call_me(browser: &Visitor, name: &str) -> Answer {
    let form = browser.open(PATH).await.form(PATH);
    browser.submit(&form.fill("user[name]", name)).await
}

async fn it_shows_who_one_is_here(server: TestServer) {
    let c = Company::on(&server);
    let page = c.xenia.signs_in().await.open(PATH).await;
    let text = page.main();
    assert!(text.contains("@xenia External"), "{text}");
    assert!(text.contains("xenia@example.com Confirmed"), "{text}");
    assert!(text.contains("20 Nov 2026") && page.links_to("/xenia"));
    assert_eq!(page.form(PATH).value("user[name]"), Some("Xenia"));
    server.sql("UPDATE users SET admin = TRUE WHERE username = 'alice'");
    let text = c.alice.signs_in().await.open(PATH).await.main();
    assert!(text.contains("@alice Administrator"), "{text}");
}

async fn a_new_name_is_read_everywhere_and_told(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let name = "  Alice <b>Döe</b>  ";
    call_me(&browser, name).await.expect(303);
    let page = browser.open(PATH).await;
    assert!(page.says("Profile saved.") && page.says("Alice <b>Döe</b>"));
    assert!(!page.html.contains("<b>Döe</b>"));
    let kept = "name = 'Alice <b>Döe</b>'";
    assert_eq!(server.count("users", kept), 1);
    assert_eq!(server.count("groups", kept), 1, "the namespace, too");
    let members = browser.open("/groups/acme/-/group_members").await;
    assert!(members.says("Alice <b>Döe</b>"));
    assert_eq!(
        server.count("audit_events", "event = 'user_name_changed'"),
        1
    );
}

async fn a_name_that_is_none_is_refused_and_kept_in_the_form(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let long = "x".repeat(256);
    for name in ["", "   ", "a\nb", "a\0b", long.as_str()] {
        let page = call_me(&browser, name).await.expect(422).page();
        let complaint = &page.complaints()[0];
        assert!(complaint.starts_with("Name "), "{complaint}");
    }
    let page = call_me(&browser, &long).await.page();
    assert_eq!(page.form(PATH).value("user[name]"), Some(long.as_str()));
    assert_eq!(server.count("users", "name = 'Alice'"), 1);
    call_me(&browser, &long[..255]).await.expect(303);
}

async fn nothing_else_can_be_changed_this_way(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.xenia.signs_in().await;
    let id = c.bob.id.to_string();
    let fields = [
        ("user[name]", "Zed"),
        ("user[username]", "zed"),
        ("user[email]", "zed@example.com"),
        ("user[admin]", "1"),
        ("user[external]", "0"),
        ("user[state]", "active"),
        ("user[id]", &id),
    ];
    browser.post(PATH, &fields).await.expect(303);
    let same = "username = 'xenia' AND email = 'xenia@example.com' AND external AND NOT admin AND name = 'Zed'";
    assert_eq!(server.count("users", same), 1);
    assert_eq!(server.count("users", "name = 'Zed'"), 1);
}

async fn the_same_name_is_no_change(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    call_me(&browser, "Alice").await.expect(303);
    assert_eq!(
        server.count("audit_events", "event = 'user_name_changed'"),
        0
    );
}
