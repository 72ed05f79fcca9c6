//! Webhooks are for the Owners of their group, and for people alone.

use latchkey::access_tokens::scope::Scope;
use latchkey::actor::{Actor, Credential};
use latchkey::error::Error;
use latchkey::members::AccessLevel;
use latchkey::webhooks::create::Form;
use latchkey::webhooks::{change, create, send};

use crate::on_both;
use crate::support::{TestGroup, TestResource, TestServer, TestWebhook, Visitor};

on_both![
    everybody_but_an_owner_finds_nothing,
    owners_from_above_and_administrators_may,
    a_bot_may_nothing_whatever_its_role,
    a_webhook_is_found_in_its_own_group_alone,
    there_are_none_in_a_personal_namespace,
    only_those_who_may_are_shown_the_way,
    a_deleted_group_takes_its_webhooks_with_it,
];

const URL: &str = "https://hooks.example.com/a";

/// Every way to look at a webhook or to change it, with the status that each gets.
async fn tried(
    browser: &Visitor,
    group: &TestGroup,
    hook: &TestWebhook,
    delivery: i64,
) -> Vec<u16> {
    let hooks = group.page("hooks");
    let one = format!("{hooks}/{}", hook.id);
    let mut found = Vec::new();
    for path in [
        hooks.clone(),
        one.clone(),
        format!("{one}/delete"),
        format!("{one}/reset_key"),
        format!("{one}/deliveries/{delivery}"),
    ] {
        found.push(browser.get(&path).await.status);
    }
    let new = [("webhook[name]", "mine"), ("webhook[url]", URL)];
    let update = [
        ("hook_action", "update"),
        ("webhook[name]", "mine"),
        ("webhook[url]", URL),
    ];
    found.push(browser.post(&hooks, &new).await.status);
    found.push(browser.post(&one, &update).await.status);
    for (path, action) in [
        (one.clone(), "test"),
        (one.clone(), "enable"),
        (format!("{one}/deliveries/{delivery}"), ""),
        (format!("{one}/reset_key"), ""),
        (format!("{one}/delete"), ""),
    ] {
        found.push(browser.post(&path, &[("hook_action", action)]).await.status);
    }
    found
}

async fn everybody_but_an_owner_finds_nothing(server: TestServer) {
    let acme = server.group("acme").public().create();
    let hook = acme.webhook("pager", URL);
    let delivery = hook.delivery();
    for level in [
        None,
        Some(AccessLevel::Guest),
        Some(AccessLevel::Reporter),
        Some(AccessLevel::Developer),
        Some(AccessLevel::Maintainer),
    ] {
        let person = server.person(&format!("p{}", server.next())).create();
        if let Some(level) = level {
            acme.member(&person, level);
        }
        let browser = person.signs_in().await;
        let found = tried(&browser, &acme, &hook, delivery).await;
        assert_eq!(found, [404; 12], "{level:?}");
    }
    // As if there were no such webhook.
    let person = server.person("zoe").create();
    let browser = person.signs_in().await;
    let there = browser.get(&acme.page("hooks/1")).await;
    let nowhere = browser.get(&acme.page("hooks/9")).await;
    assert_eq!(there.comparable(), nowhere.comparable());
    assert_eq!(server.count("webhooks", "name = 'pager'"), 1);
    assert_eq!(server.count("webhook_deliveries", ""), 1);
}

async fn owners_from_above_and_administrators_may(server: TestServer) {
    let alice = server.person("alice").create();
    let root = server.person("root").admin().create();
    let acme = server.group("acme").owner(&alice).create();
    let platform = acme.subgroup("platform").create();
    for person in [&alice, &root] {
        let hook = platform.webhook("pager", URL);
        let delivery = hook.delivery();
        let browser = person.signs_in().await;
        let found = tried(&browser, &platform, &hook, delivery).await;
        assert_eq!(
            found,
            [200, 200, 200, 200, 200, 200, 422, 303, 303, 303, 200, 303],
            "{}",
            person.username
        );
        server.sql("DELETE FROM webhooks");
    }
}

async fn a_bot_may_nothing_whatever_its_role(server: TestServer) {
    let acme = server.group("acme").create();
    let hook = acme.webhook("pager", URL);
    let delivery = hook.delivery();
    let token = acme
        .token("robot")
        .role(AccessLevel::Owner)
        .scopes([Scope::Api])
        .create();
    let page = server
        .request(reqwest::Method::GET, &acme.page("hooks"))
        .header("private-token", &token.value);
    assert_eq!(server.visitor().send(page).await.status, 302);

    let (id, resource, bot_id) = (hook.id, acme.resource(), token.user_id);
    let bot = server.arrange(move |conn, ctx| {
        let user = latchkey::users::store::find(conn, bot_id)?.unwrap();
        let actor = Actor {
            user: Some(user),
            credential: Credential::Session,
            ..Actor::system(ctx.actor.origin.clone())
        };
        latchkey::actor::store::refresh(conn, &actor, ctx.today())
    });
    let form = Form {
        name: "mine".into(),
        url: URL.into(),
    };
    type Verb = Box<
        dyn FnMut(&mut latchkey::db::DbConnection, &latchkey::context::Context) -> Result<(), Error>
            + Send,
    >;
    let group = || resource.group().clone();
    let (a, b, c, d, e, f, g) = (
        group(),
        group(),
        group(),
        group(),
        group(),
        group(),
        group(),
    );
    let (new, changed) = (form.clone(), form);
    let verbs: [Verb; 7] = [
        Box::new(move |conn, ctx| create::create(conn, ctx, &a, &new).map(|_| ())),
        Box::new(move |conn, ctx| change::update(conn, ctx, &b, id, &changed).map(|_| ())),
        Box::new(move |conn, ctx| change::enable(conn, ctx, &c, id).map(|_| ())),
        Box::new(move |conn, ctx| change::reset_key(conn, ctx, &d, id).map(|_| ())),
        Box::new(move |conn, ctx| change::delete(conn, ctx, &e, id).map(|_| ())),
        Box::new(move |conn, ctx| send::test(conn, ctx, &f, id).map(|_| ())),
        Box::new(move |conn, ctx| send::redeliver(conn, ctx, &g, id, delivery).map(|_| ())),
    ];
    for (number, verb) in verbs.into_iter().enumerate() {
        let refused = server.attempt_as(bot.clone(), verb);
        assert!(
            matches!(refused, Err(Error::Forbidden(None))),
            "{number}: {refused:?}"
        );
    }
    assert_eq!(server.count("webhooks", ""), 1);
}

async fn a_webhook_is_found_in_its_own_group_alone(server: TestServer) {
    let alice = server.person("alice").create();
    let acme = server.group("acme").owner(&alice).create();
    let platform = acme.subgroup("platform").create();
    let other = server.group("other").create();
    let browser = alice.signs_in().await;
    for group in [&platform, &other] {
        let hook = group.webhook("pager", URL);
        let delivery = hook.delivery();
        let mut found = tried(&browser, &acme, &hook, delivery).await;
        // The list, and making one, have nothing to do with that webhook.
        found.remove(5);
        found.remove(0);
        assert_eq!(found, [404; 10], "{}", group.full_path);
        server.sql("DELETE FROM webhooks WHERE name = 'mine'");
    }
    // A delivery of another webhook of the same group isn't this one's.
    let (one, other) = (acme.webhook("one", URL), acme.webhook("other", URL));
    let delivery = other.delivery();
    let path = acme.page(&format!("hooks/{}/deliveries/{delivery}", one.id));
    assert_eq!(browser.get(&path).await.status, 404);
    assert_eq!(browser.post(&path, &[]).await.status, 404);
    for nonsense in [
        "hooks/x",
        "hooks/0",
        "hooks/99999999999999999999",
        "hooks/1/rename",
    ] {
        assert_eq!(
            browser.get(&acme.page(nonsense)).await.status,
            404,
            "{nonsense}"
        );
    }
}

async fn there_are_none_in_a_personal_namespace(server: TestServer) {
    let alice = server.person("alice").create();
    let browser = alice.signs_in().await;
    let path = "/groups/alice/-/hooks";
    assert_eq!(browser.get(path).await.status, 404);
    let new = [("webhook[name]", "mine"), ("webhook[url]", URL)];
    assert_eq!(browser.post(path, &new).await.status, 404);
}

async fn only_those_who_may_are_shown_the_way(server: TestServer) {
    let (alice, bob) = (
        server.person("alice").create(),
        server.person("bob").create(),
    );
    let acme = server.group("acme").owner(&alice).create();
    acme.member(&bob, AccessLevel::Maintainer);
    for (person, shown) in [(&alice, true), (&bob, false)] {
        let browser = person.signs_in().await;
        let page = browser.open("/acme").await;
        assert_eq!(page.links_to(&acme.page("hooks")), shown);
    }
}

async fn a_deleted_group_takes_its_webhooks_with_it(server: TestServer) {
    let acme = server.group("acme").create();
    let platform = acme.subgroup("platform").create();
    let hook = platform.webhook("pager", URL);
    hook.delivery();
    let resource = acme.resource();
    server.arrange(move |conn, ctx| latchkey::groups::delete::delete(conn, ctx, resource.group()));
    assert_eq!(server.count("webhooks", ""), 0);
    assert_eq!(server.count("webhook_deliveries", ""), 0);
}
