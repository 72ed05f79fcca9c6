use super::{Console, listed, made};

#[test]
fn a_token_is_revoked_by_its_id_from_the_next_request_on_and_its_bot_stays_a_member() {
    for retain in ["enable", "disable"] {
        let console = Console::with_group();
        console.done(&format!(
            "flag {retain} retain_resource_access_token_user_after_revoke"
        ));
        let server = console.serve();
        let value = made(&console, "token create --group acme --name ci");
        assert_eq!(server.api("/groups/acme", &value).status, 200);
        let id = listed(&console, "--group acme", "ci")["id"].clone();
        let answer = console.json(&format!("token revoke {id}"));
        assert_eq!(
            (&answer["id"], &answer["revoked"], &answer["active"]),
            (&id, &true.into(), &false.into())
        );
        assert_eq!(server.api("/groups/acme", &value).status, 401);
        assert_eq!(console.count("access_tokens WHERE revoked"), 1);
        assert_eq!(console.count("memberships WHERE bot"), 1);
        assert_eq!(
            console.count(
                "users WHERE kind = 'project_bot' AND state = 'active' AND bot_gone_at IS NULL"
            ),
            1
        );
        assert_eq!(listed(&console, "--group acme", "ci")["access_level"], 40);
    }
}

#[test]
fn once_more_changes_nothing() {
    let console = Console::with_group();
    made(&console, "token create --group acme --name ci");
    assert!(console.done("token revoke 1").ends_with("is revoked"));
    assert!(
        console
            .done("token revoke 1")
            .ends_with("was revoked already")
    );
    assert_eq!(
        console.count("audit_events WHERE event = 'group_access_token_deleted'"),
        1
    );
}

#[test]
fn the_newest_token_of_a_bot_is_revoked_by_the_bots_name() {
    let console = Console::with_group();
    let server = console.serve();
    let old = console.json("token create --group acme --name ci");
    let bot = old["bot"].as_str().unwrap();
    let value = made(&console, &format!("token rotate {}", old["id"]));
    assert_eq!(server.api("/groups/acme", &value).status, 200);
    let revoked = console.json(&format!("token revoke --bot {bot}"));
    assert_ne!(revoked["id"], old["id"]);
    assert_eq!(revoked["bot"], bot);
    assert_eq!(server.api("/groups/acme", &value).status, 401);
    assert_eq!(console.count("memberships WHERE bot"), 1);
    assert_eq!(
        console.count("users WHERE kind = 'project_bot' AND bot_gone_at IS NULL"),
        1
    );
}

#[test]
fn a_persons_own_token_is_revoked_by_its_id() {
    let console = Console::with_administrator();
    let server = console.serve();
    let value = made(
        &console,
        "token create --user root --name laptop --scope api",
    );
    assert_eq!(server.api("/user", &value).status, 200);
    console.done("token revoke 1");
    assert_eq!(server.api("/user", &value).status, 401);
}

#[test]
fn what_is_not_there_is_named() {
    let console = Console::with_group();
    assert_eq!(console.refused("token revoke 99"), "there is no token 99");
    assert_eq!(
        console.refused("token revoke --bot group_1_bot_0"),
        "there is no bot group_1_bot_0"
    );
    assert_eq!(
        console.refused("token revoke --bot root"),
        "there is no bot root"
    );
}
