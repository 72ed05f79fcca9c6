//! Account: what people see and change of themselves.

mod password;
mod preferences;
mod profile;
mod sessions;

use crate::on_both;
use crate::support::{Company, TestServer};

on_both![
    each_page_costs_four_queries_at_most,
    the_sidebar_and_the_menu_lead_to_each_page,
    strangers_are_asked_to_sign_in,
];

const PROFILE: &str = "/-/user_settings/profile";
const PASSWORD: &str = "/-/user_settings/password/edit";
pub const SESSIONS: &str = "/-/user_settings/active_sessions";
const TOKENS: &str = "/-/user_settings/personal_access_tokens";
const NOTIFICATIONS: &str = "/-/profile/notifications";
const PREFERENCES: &str = "/-/profile/preferences";

const ALL: [(&str, &str); 6] = [
    ("Profile", PROFILE),
    ("Password", PASSWORD),
    ("Active sessions", SESSIONS),
    ("Personal access tokens", TOKENS),
    ("Notifications", NOTIFICATIONS),
    ("Preferences", PREFERENCES),
];

async fn each_page_costs_four_queries_at_most(server: TestServer) {
    let c = Company::on(&server);
    let browser = c.alice.signs_in().await;
    for _ in 0..3 {
        c.alice.signs_in().await;
    }
    for (name, path) in ALL {
        browser.get(path).await.expect(200);
        let before = server.app.db.counters().queries();
        let answer = browser.get(path).await.expect(200);
        let queries = server.app.db.counters().queries() - before;
        assert!(queries <= 4, "{name}: {queries} queries");
        assert!(answer.body.len() < 150_000, "{name}");
    }
}

async fn the_sidebar_and_the_menu_lead_to_each_page(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let home = browser.open("/").await;
    for (name, path) in ALL {
        assert!(home.links_to(path), "the menu leads to {name}");
        let page = browser.open(path).await;
        let here = format!(r#"<a href="{path}" aria-current="page">"#);
        assert!(page.html.contains(&here), "{name} is marked");
        assert!(page.title().starts_with(name), "{}", page.title());
        for (_, other) in ALL {
            let times = page.links().iter().filter(|link| *link == other).count();
            assert!(times >= 2, "{other} from {name}: the menu and the sidebar");
        }
    }
}

async fn strangers_are_asked_to_sign_in(server: TestServer) {
    let stranger = server.visitor();
    for (name, path) in ALL {
        let answer = stranger.get(path).await.expect(302);
        assert!(answer.location().contains("/users/sign_in"), "{name}");
    }
}
