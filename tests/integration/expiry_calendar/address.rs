//! The address: made when it is asked for, shown again, taken back; and good for calendars alone.

use reqwest::Method;

use super::{
    NOTIFICATIONS, PERSONAL, RESET, feed_of, new_feed_token, shown_feed_token, subscribed,
};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer, server::logged};

on_both![
    there_is_no_address_until_one_is_asked_for,
    the_same_address_is_shown_again,
    a_reset_takes_the_old_address_back,
    each_address_is_in_the_trail,
    neither_database_nor_log_knows_it,
    it_opens_calendars_and_nothing_else,
    it_is_nobody_else_s,
    a_form_of_another_site_takes_nothing_back,
    a_new_password_leaves_it_and_a_block_ends_it,
];

async fn there_is_no_address_until_one_is_asked_for(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let page = browser.open(NOTIFICATIONS).await;
    assert!(!page.has("calendar-address") && page.says("Make an address"));
    browser.get(RESET).await.expect(405);
    assert_eq!(server.count("users", "calendar_salt IS NOT NULL"), 0);
    let feed_token = new_feed_token(&browser).await;
    assert!(browser.open(NOTIFICATIONS).await.says("Reset"));
    let start = format!("lkft-{}-", alice.id);
    let digits = feed_token.strip_prefix(&start).unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    subscribed(&server, PERSONAL, &feed_token).await.expect(200);
}

async fn the_same_address_is_shown_again(server: TestServer) {
    let alice = server.person("alice").create();
    let feed_token = feed_of(&alice).await;
    let later = alice.signs_in().await;
    assert_eq!(shown_feed_token(&later).await, Some(feed_token));
}

async fn a_reset_takes_the_old_address_back(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    let group = c.acme.page("settings/access_tokens.ics");
    let old = new_feed_token(&browser).await;
    assert!(
        browser
            .open("/-/profile/notifications")
            .await
            .has("calendar-address")
    );
    subscribed(&server, &group, &old).await.expect(200);
    let new = new_feed_token(&browser).await;
    assert_ne!(old, new);
    for path in [PERSONAL, &group] {
        subscribed(&server, path, &old).await.expect(404);
        subscribed(&server, path, &new).await.expect(200);
    }
}

async fn each_address_is_in_the_trail(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let told = |details: &str| {
        let id = alice.id;
        let condition = format!(
            "event = 'user_calendar_feed_reset' AND actor_id = {id} AND details LIKE '%\"first\":{details}%'"
        );
        server.count("audit_events", &condition)
    };
    new_feed_token(&browser).await;
    assert_eq!((told("true"), told("false")), (1, 0));
    new_feed_token(&browser).await;
    assert_eq!((told("true"), told("false")), (1, 1));
}

async fn neither_database_nor_log_knows_it(server: TestServer) {
    let alice = server.person("alice").create();
    let feed_token = feed_of(&alice).await;
    let digits = feed_token.rsplit('-').next().unwrap();
    subscribed(&server, PERSONAL, &feed_token).await.expect(200);
    let odd = format!("{PERSONAL}?x={feed_token}&%66eed_token={feed_token}");
    server.get(&odd).await.expect(200);
    server.get(&format!("/{feed_token}")).await;
    let log = logged();
    assert!(!log.contains(digits), "the log");
    assert!(log.contains("feed_token=[FILTERED]"));
    let hex = if server.is_on_postgres() {
        "encode(calendar_salt, 'hex')"
    } else {
        "lower(hex(calendar_salt))"
    };
    assert_eq!(server.count("users", &format!("{hex} = '{digits}'")), 0);
    assert_eq!(server.count("users", &format!("length({hex}) = 64")), 1);
}

async fn it_opens_calendars_and_nothing_else(server: TestServer) {
    let c = Company::on(&server);
    let feed_token = feed_of(&c.alice).await;
    let with = server.with_token(&feed_token);
    for path in [
        "/user",
        "/groups",
        &c.acme.path(),
        "/personal_access_tokens/self",
    ] {
        with.get(path).await.expect(401);
    }
    for carrier in ["private_token", "access_token", "feed_token"] {
        let path = format!("/api/v4/user?{carrier}={feed_token}");
        assert_eq!(server.get(&path).await.status, 401, "{carrier}");
        let path = format!("/api/v4{}?{carrier}={feed_token}", c.acme.path());
        assert_ne!(server.get(&path).await.status, 200, "{carrier}");
    }
    let bearer = server
        .request(Method::GET, "/api/v4/user")
        .bearer_auth(&feed_token);
    assert_eq!(bearer.send().await.unwrap().status(), 401);
    let clone = format!("/{}.git/info/refs?service=git-upload-pack", c.p1.full_path);
    for (name, password) in [("alice", feed_token.as_str()), (feed_token.as_str(), "x")] {
        let git = server
            .request(Method::GET, &clone)
            .basic_auth(name, Some(password));
        assert_eq!(git.send().await.unwrap().status(), 401);
    }
    for page in [
        "/".to_owned(),
        NOTIFICATIONS.to_owned(),
        super::super::account_pages::SESSIONS.to_owned(),
        c.acme.page("settings/access_tokens"),
        format!("/{}", c.p1.full_path),
    ] {
        let answer = subscribed(&server, &page, &feed_token).await;
        assert!(
            answer.location().contains("/users/sign_in"),
            "{page}: {}",
            answer.status
        );
        assert!(!answer.location().contains("lkft"), "{}", answer.location());
    }
    let answer = server.visitor().sign_in("alice", &feed_token).await;
    assert_eq!(answer.status, 422);
    // In a header it is nothing at all.
    for header in ["PRIVATE-TOKEN", "Authorization", "X-Feed-Token"] {
        let request = server
            .request(Method::GET, PERSONAL)
            .header(header, &feed_token);
        assert_eq!(request.send().await.unwrap().status(), 404, "{header}");
    }
}

async fn it_is_nobody_else_s(server: TestServer) {
    let c = Company::on(&server);
    let (alice, oscar) = (feed_of(&c.alice).await, feed_of(&c.oscar).await);
    let digits = |token: &str| token.rsplit('-').next().unwrap().to_owned();
    let upper = alice.to_uppercase();
    for wrong in [
        format!("lkft-{}-{}", c.oscar.id, digits(&alice)),
        format!("lkft-{}-{}", c.bob.id, digits(&alice)),
        format!("lkft-0{}-{}", c.alice.id, digits(&alice)),
        format!("lkft-999999-{}", digits(&alice)),
        alice[..alice.len() - 1].to_owned(),
        format!("{alice}0"),
        format!("{alice}%00"),
        upper,
        String::new(),
        "x".repeat(5_000),
        "lkft--".to_owned(),
    ] {
        subscribed(&server, PERSONAL, &wrong).await.expect(404);
    }
    let group = c.acme.page("settings/access_tokens.ics");
    subscribed(&server, &group, &oscar).await.expect(404);
    // Whatever else the browser could open: what the address says counts.
    let browser = c.alice.signs_in().await;
    let path = format!("{group}?feed_token={oscar}");
    browser.get(&path).await.expect(404);
}

async fn a_form_of_another_site_takes_nothing_back(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let feed_token = new_feed_token(&browser).await;
    browser.post_without_token(RESET, &[]).await.expect(403);
    server.visitor().post(RESET, &[]).await.expect(302);
    subscribed(&server, PERSONAL, &feed_token).await.expect(200);
}

async fn a_new_password_leaves_it_and_a_block_ends_it(server: TestServer) {
    let c = Company::on(&server);
    let feed_token = feed_of(&c.alice).await;
    let group = c.acme.page("settings/access_tokens.ics");
    server.sql("UPDATE users SET password_hash = NULL WHERE username = 'alice'");
    subscribed(&server, PERSONAL, &feed_token).await.expect(200);
    c.alice.block();
    for path in [PERSONAL, &group] {
        subscribed(&server, path, &feed_token).await.expect(404);
    }
}
