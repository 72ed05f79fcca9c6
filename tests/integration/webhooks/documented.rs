//! The examples of `docs/webhooks.md`, run as they stand there.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use super::Stage;
use crate::support::server::run_on_sqlite;
use crate::support::webhooks::Received;

/// The first example in this language.
fn example(language: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/webhooks.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Is this program here? Its absence is said aloud, and a failure with `LATCHKEY_REQUIRE_CLIENTS=1`.
fn is_installed(program: &str) -> bool {
    let found = Command::new(program)
        .arg("version")
        .stdin(Stdio::null())
        .output();
    if found.is_ok() {
        return true;
    }
    let required = env::var("LATCHKEY_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    assert!(
        !required,
        "{program} is not installed, and LATCHKEY_REQUIRE_CLIENTS=1"
    );
    let _ = writeln!(io::stderr(), "SKIPPED: {program} is not installed");
    false
}

fn printed(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    format!("{}{errors}", String::from_utf8_lossy(&output.stdout))
        .trim()
        .to_owned()
}

/// A request, and the key that signed it.
fn sent(check: impl FnOnce(&str, &Received)) {
    run_on_sqlite(|server| async move {
        let stage = Stage::on(&server);
        stage.announces();
        server.deliver_webhooks().await;
        check(&stage.hook.key, &stage.receiver.received()[0]);
    });
}

#[test]
fn the_python_example_tells_a_genuine_request() {
    if !is_installed("python3") {
        return;
    }
    sent(|key, request| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("receiver.py"), example("python")).unwrap();
        let said = |key: &str, body: &str, now: i64| {
            let headers = serde_json::to_string(&request.headers).unwrap();
            let script = "import json, sys, time, receiver\n\
                          key, headers, body, now = sys.argv[1:]\n\
                          time.time = lambda: int(now)\n\
                          print(receiver.is_genuine(key, json.loads(headers), body.encode()))";
            let output = Command::new("python3")
                .args(["-B", "-c", script, key, &headers, body, &now.to_string()])
                .current_dir(folder.path())
                .env("PYTHONPATH", folder.path())
                .output()
                .unwrap();
            printed(&output)
        };
        let now: i64 = request.header("webhook-timestamp").parse().unwrap();
        assert_eq!(said(key, &request.body, now), "True");
        assert_eq!(said(key, &request.body, now + 301), "False", "too old");
        assert_eq!(said(key, &format!("{} ", request.body), now), "False");
        let other = format!("whsec_{}", "A".repeat(43) + "=");
        assert_eq!(said(&other, &request.body, now), "False");
    });
}

#[test]
fn the_shell_example_tells_a_genuine_request() {
    if !is_installed("openssl") {
        return;
    }
    sent(|key, request| {
        let folder = tempfile::tempdir().unwrap();
        let said = |body: &str| {
            fs::write(folder.path().join("body.json"), body).unwrap();
            let output = Command::new("sh")
                .args(["-c", &example("sh")])
                .current_dir(folder.path())
                .env("KEY", key)
                .env("ID", request.header("webhook-id"))
                .env("TIMESTAMP", request.header("webhook-timestamp"))
                .env("SIGNATURE", request.header("webhook-signature"))
                .output()
                .unwrap();
            printed(&output)
        };
        assert_eq!(said(&request.body), "genuine");
        assert_eq!(said(&format!("{}\n", request.body)), "");
    });
}
