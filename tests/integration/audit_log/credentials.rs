//! All tokens of the instance, and the end of some of them.

use chrono::TimeDelta;
use latchkey::access_tokens::scope::Scope;

use crate::{
    on_both,
    support::{Company, Page, TestResource, TestServer, Visitor},
};

on_both!(
    tokens_of_all_kinds_are_listed_and_no_value_is,
    each_filter_of_the_tokens_narrows_the_list,
    what_was_selected_is_asked_about_and_then_revoked,
    a_token_that_was_revoked_meanwhile_is_no_error,
    nothing_else_can_be_selected,
    nobody_else_sees_or_revokes_them,
);

const PATH: &str = "/admin/credentials";

fn names(page: &Page) -> Vec<String> {
    let mut names: Vec<String> = page
        .rows("credentials")
        .into_iter()
        .map(|row| row[1].split(" ID ").next().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

async fn found(browser: &Visitor, query: &str) -> Vec<String> {
    names(&browser.open(&format!("{PATH}?{query}")).await)
}

async fn tokens_of_all_kinds_are_listed_and_no_value_is(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.signs_in().await;
    let group = company
        .acme
        .token("of a group")
        .scopes([Scope::ReadApi])
        .expires("2026-11-25")
        .create();
    let project = company.p2.token("of a project").create();
    let personal = company.frank.personal_token([Scope::Api]);
    group.works().await;
    server.rest().await;
    let page = root.open(PATH).await;
    assert_eq!(page.title(), "Credentials · Latchkey");
    let rows = page.rows("credentials");
    assert_eq!(rows.len(), 3);
    // The newest first.
    assert!(
        rows[0][1].starts_with("frank's script") && rows[0][2].contains("@frank Personal"),
        "{:?}",
        rows[0]
    );
    assert!(
        rows[1][2].contains("acme/sub/p2 Project · Maintainer"),
        "{:?}",
        rows[1]
    );
    assert!(
        rows[2][2].contains("acme Group · Maintainer") && rows[2][3] == "read_api",
        "{:?}",
        rows[2]
    );
    assert!(
        rows[2][5].contains("just now")
            && rows[2][6].contains("25 Nov 2026")
            && rows[2][7] == "Active",
        "{:?}",
        rows[2]
    );
    for token in [&group, &project, &personal] {
        assert!(!page.html.contains(&token.value));
        let asked = root.open(&format!("{PATH}/revoke?ids={}", token.id)).await;
        assert!(!asked.html.contains(&token.value));
    }
    assert!(root.open("/admin").await.links_to(PATH));
}

async fn each_filter_of_the_tokens_narrows_the_list(server: TestServer) {
    let company = Company::on(&server);
    server.retain_bots(true);
    let root = company.root.signs_in().await;
    company.acme.token("g").expires("2026-11-25").create();
    let sub = company.sub.token("s").expires("2026-12-25").create();
    company
        .p2
        .token("p")
        .scopes([Scope::ReadRepository])
        .create();
    company.other.token("o").create();
    company.frank.personal_token([Scope::Api]);
    let dead = company.acme.token("dead").create();
    company
        .alice
        .api()
        .delete(&format!(
            "/groups/{}/access_tokens/{}",
            company.acme.id, dead.id
        ))
        .await
        .expect(204);
    let made_by_alice = "alice's script";

    assert_eq!(found(&root, "").await.len(), 7);
    assert_eq!(found(&root, "type=group").await, ["dead", "g", "o", "s"]);
    assert_eq!(found(&root, "type=project").await, ["p"]);
    assert_eq!(
        found(&root, "type=personal").await,
        [made_by_alice, "frank's script"]
    );
    assert_eq!(found(&root, "group=acme").await, ["dead", "g", "p", "s"]);
    assert_eq!(found(&root, "group=acme/sub").await, ["p", "s"]);
    assert_eq!(
        found(&root, "group=acme&type=group").await,
        ["dead", "g", "s"]
    );
    assert_eq!(found(&root, "group=acme&type=project").await, ["p"]);
    assert_eq!(found(&root, "group=acme&type=personal").await, [""; 0]);
    assert_eq!(found(&root, "state=inactive").await, ["dead"]);
    assert_eq!(
        found(&root, "state=active&type=group").await,
        ["g", "o", "s"]
    );
    assert_eq!(found(&root, "expires_before=2026-12-25").await, ["g"]);
    assert_eq!(
        found(&root, "expires_before=2026-12-26&state=active").await,
        ["g", "s"]
    );
    assert_eq!(found(&root, "user=frank").await, ["frank's script"]);
    assert_eq!(found(&root, &format!("user={}", sub.user_id)).await, ["s"]);
    assert_eq!(found(&root, "scope=read_repository").await, ["p"]);
    assert_eq!(found(&root, "search=FRANK").await, ["frank's script"]);
    server.clock.advance(TimeDelta::days(10));
    // A session that nobody used for a week has ended.
    let root = company.root.signs_in().await;
    sub.works().await;
    server.rest().await;
    assert_eq!(
        found(&root, "unused=10&type=group&state=active").await,
        ["o"]
    );
    assert_eq!(found(&root, "unused=11&type=group").await, [""; 0]);
    let page = root.open(&format!("{PATH}?sort=name_asc")).await;
    let first = page.rows("credentials")[0][1].clone();
    assert!(first.starts_with("alice"), "{first}");
    for (query, said) in [
        ("group=nowhere", "Group is not one that there is"),
        ("user=nobody", "User is not one that there is"),
        (
            "expires_before=soon",
            "Expires before is not a date such as 2026-11-20",
        ),
        (
            "expires_before=-200000-01-01",
            "Expires before is not a date such as",
        ),
        ("unused=long", "Unused for is not a number from 1 to 3650"),
    ] {
        let page = root
            .get(&format!("{PATH}?{query}"))
            .await
            .expect(422)
            .page();
        assert!(page.says(said), "{}", page.main());
    }
    let all = root.open(&format!("{PATH}?state=active&select=all")).await;
    let boxes = all.html.matches(" checked").count();
    assert_eq!(boxes, all.rows("credentials").len());
    assert!(
        root.open(&format!("{PATH}?search=nothing-like-it"))
            .await
            .says("No tokens match.")
    );
}

async fn what_was_selected_is_asked_about_and_then_revoked(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.signs_in().await;
    let group = company.acme.token("of a group").create();
    let project = company.p9.token("of a project").create();
    let personal = company.frank.personal_token([Scope::Api]);
    let spared = company.acme.token("spared").create();
    let address = format!(
        "{PATH}/revoke?ids={}&ids={}&ids={}&back=%2Fadmin%2Fcredentials%3Fsearch%3Dof",
        group.id, project.id, personal.id
    );
    let page = root.open(&address).await;
    assert!(page.says("Revoke 3 access tokens?"));
    for text in [
        "of a group acme",
        "of a project other/p9",
        "frank's script @frank",
    ] {
        assert!(page.says(text), "{}", page.main());
    }
    assert!(group.works().await, "asking changes nothing");
    server.clock.advance(TimeDelta::seconds(1));
    let form = page.form(&format!("{PATH}/revoke"));
    let answer = root.submit(&form).await.expect(303);
    assert_eq!(answer.location(), "/admin/credentials?search=of");
    assert!(root.open(PATH).await.says("Revoked 3 access tokens."));
    for (token, works) in [
        (&group, false),
        (&project, false),
        (&personal, false),
        (&spared, true),
    ] {
        assert_eq!(token.works().await, works);
    }
    for kind in ["group", "project", "personal"] {
        let event = server.the_event(&format!("{kind}_access_token_deleted"));
        assert_eq!(
            (event.actor_id, event.channel.as_str()),
            (Some(company.root.id), "page"),
            "{kind}"
        );
    }
    // As on their own pages: the bots go, and people are told.
    assert_eq!(server.events("bot_deleted").len(), 2);
    let told = format!(
        "kind = 'personal_token_revoked' AND user_id = {}",
        company.frank.id
    );
    assert_eq!(server.count("emails", &told), 1);
    // The same form once more.
    root.submit(&form).await.expect(303);
    assert!(
        root.open(PATH)
            .await
            .says("These tokens were revoked already.")
    );
    assert_eq!(server.events("group_access_token_deleted").len(), 1);
    let path = format!("{PATH}/revoke");
    root.post(&path, &[("ids", "4711")]).await.expect(303);
    let page = root.open(PATH).await;
    assert!(page.says("These tokens are not here, or not any more."));
}

async fn a_token_that_was_revoked_meanwhile_is_no_error(server: TestServer) {
    let company = Company::on(&server);
    let root = company.root.signs_in().await;
    let (one, two) = (
        company.acme.token("one").create(),
        company.acme.token("two").create(),
    );
    let page = root
        .open(&format!("{PATH}/revoke?ids={}&ids={}", one.id, two.id))
        .await;
    let form = page.form(&format!("{PATH}/revoke"));
    company
        .alice
        .api()
        .delete(&format!(
            "/groups/{}/access_tokens/{}",
            company.acme.id, one.id
        ))
        .await
        .expect(204);
    root.submit(&form).await.expect(303);
    assert!(
        root.open(PATH)
            .await
            .says("Revoked access token two. 1 was revoked already.")
    );
    assert!(!two.works().await);
    let asked = root
        .get(&format!("{PATH}/revoke?ids={}", two.id))
        .await
        .expect(303);
    assert_eq!(asked.location(), PATH);
}

async fn nothing_else_can_be_selected(server: TestServer) {
    let root = server.person("root").admin().create().signs_in().await;
    for (query, said) in [
        (String::new(), "No token was selected."),
        ("?ids=x&ids=-".into(), "No token was selected."),
        (
            "?ids=4711".into(),
            "These tokens are not here, or not any more.",
        ),
        (
            format!(
                "?ids={}",
                (1..=101)
                    .map(|id| id.to_string())
                    .collect::<Vec<_>>()
                    .join("&ids=")
            ),
            "At most 100 tokens can be revoked at a time.",
        ),
    ] {
        root.get(&format!("{PATH}/revoke{query}")).await.expect(303);
        assert!(root.open(PATH).await.says(said), "{query}");
    }
    root.get(&format!("{PATH}/revoke?ids=1&back=//evil.example"))
        .await
        .expect(303);
    root.post_without_token(&format!("{PATH}/revoke"), &[("ids", "1")])
        .await
        .expect(403);
}

async fn nobody_else_sees_or_revokes_them(server: TestServer) {
    let company = Company::on(&server);
    let token = company.acme.token("ci").create();
    let alice = company.alice.signs_in().await;
    alice.get(PATH).await.expect(404);
    alice
        .get(&format!("{PATH}/revoke?ids={}", token.id))
        .await
        .expect(404);
    let ids = token.id.to_string();
    alice
        .post(&format!("{PATH}/revoke"), &[("ids", &ids)])
        .await
        .expect(404);
    assert!(token.works().await);
}
