//! `latchkey serve`, as far as it has to do with the other commands.

use serde_json::{Value, json};

use super::{Console, PASSWORD, Serving};

/// The path and query of the set-up link that a start printed.
fn link(server: &Serving) -> String {
    let said = server.complaint();
    assert!(said.contains("administrator"), "{said}");
    let line = server.complaint();
    let link = line.trim().strip_prefix(&server.url);
    link.unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn a_link_to_set_it_up_is_offered_at_each_start_while_there_is_no_administrator() {
    let console = Console::new();
    let mut server = console.serve();
    let first = link(&server);
    assert!(
        first.starts_with("/setup?token=") && first.len() > 43,
        "{first}"
    );
    assert_eq!(server.page(&first).status, 200);
    assert_eq!(server.terminate(), Some(0));

    // Somebody who is no administrator changes nothing.
    console.person("bo", "");
    let mut server = console.serve();
    let second = link(&server);
    assert_ne!(first, second);
    assert_eq!(server.page(&second).status, 200);
    assert_eq!(server.page(&first).status, 404);

    console.person("root", "--admin");
    assert_eq!(server.page(&second).status, 404, "one exists now");
    assert_eq!(server.terminate(), Some(0));
    let said: Vec<String> = server
        .before
        .drain(..)
        .chain(server.stdout.iter())
        .collect();
    for link in [&first, &second] {
        let value = link.split_once('=').unwrap().1;
        assert!(!said.iter().any(|line| line.contains(value)), "{said:?}");
    }

    let mut server = console.serve();
    assert_eq!(server.terminate(), Some(0));
    let said: Vec<String> = server.stderr.iter().collect();
    assert!(!said.iter().any(|line| line.contains("/setup")), "{said:?}");
}

#[test]
fn the_link_is_not_kept_as_it_is() {
    let console = Console::new();
    let server = console.serve();
    let link = link(&server);
    let value = link.strip_prefix("/setup?token=").unwrap();
    let bytes = console.bytes_on_disk();
    assert!(
        !bytes
            .windows(value.len())
            .any(|window| window == value.as_bytes())
    );
}

#[test]
fn it_ends_with_0_when_it_is_asked_to_and_everything_is_there_at_the_next_start() {
    let console = Console::with_group();
    let token = console.done("token create --group acme --name ci");
    let mut server = console.serve();
    assert_eq!(server.api("/groups/acme", &token).status, 200);
    assert_eq!(server.terminate(), Some(0));
    // Its last use was written down on the way out.
    let used = &console.json("token list --group acme")[0]["last_used_at"];
    assert!(used.is_string(), "{used}");
    let server = console.serve();
    assert_eq!(server.api("/groups/acme", &token).status, 200);
    assert!(server.sign_in("root", PASSWORD).is_some());
}

#[test]
fn what_the_server_logs_tells_neither_tokens_nor_passwords() {
    let console = Console::with_group().with("LATCHKEY_LOG", "debug");
    let token = console.done("token create --group acme --name ci");
    let mut server = console.serve();
    server.api("/groups/acme", &token).expect(200);
    server
        .page(&format!("/api/v4/groups/acme?private_token={token}"))
        .expect(200);
    server.sign_in("root", PASSWORD).unwrap();
    server.terminate();
    let mut said: Vec<String> = server
        .before
        .drain(..)
        .chain(server.stdout.iter())
        .collect();
    said.extend(server.stderr.iter());
    assert!(
        said.iter().any(|line| line.contains("/api/v4/groups")),
        "{said:?}"
    );
    for line in said {
        assert!(!line.contains(&token) && !line.contains(PASSWORD), "{line}");
    }
}

#[test]
fn where_it_listens_is_an_object_for_programs() {
    let console = Console::with_administrator();
    let command = console.command("serve --listen 127.0.0.1:0 --json");
    let mut server = Serving::start(command, |line| {
        let told: Value = serde_json::from_str(line).ok()?;
        Some(told["listening"].as_str()?.to_owned())
    });
    assert_eq!(server.page("/-/liveness").status, 200);
    let told: Value = serde_json::from_str(&server.before.pop().unwrap()).unwrap();
    assert_eq!(told, json!({ "listening": server.url }));
}
