//! What a project's token may do with the tokens of its project.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::json;

use super::{missing, refused, tokens_of, unauthorized};
use crate::on_both;
use crate::support::{Company, TestResource, TestServer};

on_both![
    from_maintainer_up_a_bot_reads_and_revokes_and_makes_nothing,
    below_maintainer_a_bot_may_nothing,
    a_bot_makes_no_token_anywhere,
    a_bot_revokes_itself,
];

const CANNOT_CREATE: &str = "User does not have permission to create project access token";

async fn from_maintainer_up_a_bot_reads_and_revokes_and_makes_nothing(server: TestServer) {
    let company = Company::on(&server);
    let tokens = tokens_of(&company.p1);
    for level in [AccessLevel::Maintainer, AccessLevel::Owner] {
        let bot = company.p1.token("bot").role(level).create();
        let sibling = company
            .p1
            .token("sibling")
            .role(AccessLevel::Guest)
            .create();
        let one = format!("{tokens}/{}", sibling.id);
        bot.get(&tokens).await.expect(200);
        bot.get(&one).await.expect(200);
        let body = json!({ "name": "x", "scopes": ["api"], "access_level": 10 });
        assert_eq!(
            bot.post(&tokens, body).await.outcome(),
            refused(CANNOT_CREATE),
            "{level}"
        );
        for id in [sibling.id, bot.id] {
            let rotate = format!("{tokens}/{id}/rotate");
            let answer = bot.post(&rotate, json!({})).await;
            assert_eq!(answer.outcome(), unauthorized(), "{level}");
        }
        assert!(sibling.works().await && bot.works().await);
        bot.delete(&one).await.expect(204);
        assert!(!sibling.works().await);
        let beside = company.p2.token("beside").create();
        bot.delete(&format!("{tokens}/{}", beside.id))
            .await
            .expect(404);
        let there = format!("{}/{}", tokens_of(&company.p2), beside.id);
        bot.delete(&there).await.expect(404);
        assert!(beside.works().await);
    }
}

async fn below_maintainer_a_bot_may_nothing(server: TestServer) {
    let company = Company::on(&server);
    let tokens = tokens_of(&company.p1);
    let target = company.p1.token("ci").role(AccessLevel::Guest).create();
    let one = format!("{tokens}/{}", target.id);
    for level in [
        AccessLevel::Guest,
        AccessLevel::Planner,
        AccessLevel::Reporter,
        AccessLevel::Developer,
    ] {
        let bot = company.p1.token("bot").role(level).create();
        assert_eq!(bot.get(&tokens).await.outcome(), unauthorized(), "{level}");
        assert_eq!(bot.get(&one).await.outcome(), unauthorized(), "{level}");
        let body = json!({ "name": "x", "scopes": ["api"], "access_level": 10 });
        let answer = bot.post(&tokens, body).await;
        assert_eq!(answer.outcome(), refused(CANNOT_CREATE), "{level}");
        let answer = bot.post(&format!("{one}/rotate"), json!({})).await;
        assert_eq!(answer.outcome(), unauthorized(), "{level}");
        let answer = bot.delete(&one).await;
        assert_eq!(answer.outcome(), refused("bot cannot delete ci"), "{level}");
        let answer = bot.delete(&format!("{tokens}/99999999")).await;
        assert_eq!(answer.outcome(), missing("99999999"), "{level}");
    }
    assert!(target.works().await);
}

async fn a_bot_makes_no_token_anywhere(server: TestServer) {
    let company = Company::on(&server);
    let wide = server.group("wide").public().create();
    let seen = wide.project("seen").create();
    let body = json!({ "name": "x", "scopes": ["api"], "access_level": 10 });
    for bot in [
        company.p1.token("bot").role(AccessLevel::Owner).create(),
        company.acme.token("bot").role(AccessLevel::Owner).create(),
    ] {
        let before = server.inventory();
        for (path, text) in [
            (tokens_of(&company.p1), CANNOT_CREATE),
            (tokens_of(&seen), CANNOT_CREATE),
            (
                format!("{}/access_tokens", wide.path()),
                "User does not have permission to create group access token",
            ),
        ] {
            let answer = bot.post(&path, body.clone()).await;
            assert_eq!(answer.outcome(), refused(text), "{path}");
        }
        let personal = json!({ "name": "x", "scopes": ["k8s_proxy"] });
        for path in [
            "/user/personal_access_tokens".to_owned(),
            format!("/users/{}/personal_access_tokens", bot.user_id),
            format!("/users/{}/personal_access_tokens", company.alice.id),
        ] {
            bot.post(&path, personal.clone()).await.expect(403);
        }
        assert_eq!(server.inventory(), before);
    }
}

async fn a_bot_revokes_itself(server: TestServer) {
    let company = Company::on(&server);
    let tokens = tokens_of(&company.p1);
    let bot = company
        .p1
        .token("bot")
        .role(AccessLevel::Guest)
        .scopes([Scope::ReadRepository])
        .create();
    bot.delete("/personal_access_tokens/self").await.expect(204);
    assert!(!bot.works().await);
    // The row stays, whatever the flag says: the bot was kept.
    let bob = company.bob.api();
    for (query, expected) in [("", 1), ("?state=inactive", 1), ("?state=active", 0)] {
        let list = bob.get(&format!("{tokens}{query}")).await.expect(200);
        let list = list.json();
        assert_eq!(list.as_array().unwrap().len(), expected, "{query}");
    }
    let shown = bob.get(&format!("{tokens}/{}", bot.id)).await.expect(200);
    assert_eq!(shown.json()["revoked"], true);
    // By id it takes the role of somebody who may revoke.
    let strong = company.p1.token("strong").create();
    strong
        .delete(&format!("{tokens}/{}", strong.id))
        .await
        .expect(204);
    assert!(!strong.works().await);
}
