//! `latchkey demo`

use std::fs;

use serde_json::Value;

use super::{Console, Serving, ask, names};
use crate::support::{Answer, git::GitClient};

/// A demo on a free port, with its data in this folder; the line of `curl` that it prints.
fn start(console: &Console, options: &str) -> (Serving, String) {
    let line = format!("demo --dir demo --listen 127.0.0.1:0 {options}");
    let demo = Serving::start(console.command(&line), |line| {
        let url = line.trim();
        url.starts_with("http://").then(|| url.to_owned())
    });
    let curl = loop {
        let line = demo.line();
        if line.starts_with("curl ") {
            break line;
        }
    };
    (demo, curl)
}

/// What the line would fetch: its words, as a shell parts them, with nothing but a header and an address.
fn fetch(line: &str) -> Answer {
    let quoted: Vec<&str> = line.split('"').collect();
    let ["curl --header ", header, url] = quoted[..] else {
        panic!("{line}");
    };
    let (name, value) = header.split_once(": ").unwrap();
    let url = url.trim();
    assert!(
        url.starts_with("http://127.0.0.1:") && !url.contains(' '),
        "{line}"
    );
    assert!(
        !line.contains(['$', '`', '\\', '|', ';', '&', '<', '>']),
        "{line}"
    );
    ask(|http| http.get(url).header(name, value))
}

#[test]
fn it_answers_and_its_line_can_be_pasted() {
    let console = Console::new();
    let (mut demo, curl) = start(&console, "");
    let group = fetch(&curl).expect(200).json();
    assert_eq!(group["full_path"], "acme");
    assert_eq!(demo.page("/users/sign_in").status, 200);
    assert_eq!(demo.terminate(), Some(0));
    // The log would be in the way of somebody who reads this.
    let said: Vec<String> = demo.stderr.iter().collect();
    assert_eq!(said, Vec::<String>::new());
}

#[test]
fn whoever_it_names_can_sign_in() {
    let console = Console::new();
    let command = console.command("demo --dir demo --listen 127.0.0.1:0 --json");
    let mut demo = Serving::start(command, |line| {
        let told: Value = serde_json::from_str(line).ok()?;
        Some(told["url"].as_str()?.to_owned())
    });
    let told: Value = serde_json::from_str(&demo.before.pop().unwrap()).unwrap();
    assert_eq!(
        names(&told),
        ["url", "people", "token", "curl", "clone", "directory"]
    );
    let people = told["people"].as_array().unwrap();
    assert!(people.len() > 1);
    for person in people {
        let text = |name: &str| person[name].as_str().unwrap();
        let signed_in = demo.sign_in(text("username"), text("password"));
        assert!(signed_in.is_some(), "{person}");
    }
    let token = told["token"].as_str().unwrap();
    assert_eq!(demo.api("/groups/acme", token).status, 200);
    fetch(told["curl"].as_str().unwrap()).expect(200);
    let directory = console.folder.path().join("demo").canonicalize().unwrap();
    assert_eq!(told["directory"], directory.to_str().unwrap());
}

#[test]
fn its_repository_is_cloned_with_the_other_line() {
    let Some(git) = GitClient::new() else {
        return;
    };
    let console = Console::new();
    let (mut demo, _) = start(&console, "");
    let line = demo.line();
    let url = line.strip_prefix("git clone ").unwrap();
    let clone = git.clone(url, "api");
    assert!(clone.path.join("README.md").exists());
    let names = |arguments: [&str; 2]| git.run_in(&clone.path, arguments).stdout;
    assert!(names(["branch", "-r"]).contains("origin/feature/refunds"));
    assert_eq!(names(["tag", "--list"]), "v1.0\n");
    assert_eq!(demo.terminate(), Some(0));
    let said: Vec<String> = demo.stderr.iter().collect();
    assert_eq!(said, Vec::<String>::new());
}

#[test]
fn a_second_run_starts_anew_and_keep_goes_on() {
    let console = Console::new();
    let token_of = |line: &str| {
        let header = line.split('"').nth(1).unwrap();
        header.split_once(": ").unwrap().1.to_owned()
    };

    let (mut first, curl) = start(&console, "");
    fetch(&curl).expect(200);
    let old = token_of(&curl);
    assert_eq!(first.terminate(), Some(0));

    let (mut kept, curl) = start(&console, "--keep");
    assert_ne!(token_of(&curl), old);
    assert_eq!(
        kept.api("/groups/acme", &old).status,
        200,
        "it goes on with what was there"
    );
    fetch(&curl).expect(200);
    let younger = token_of(&curl);
    assert_eq!(kept.terminate(), Some(0));

    let (anew, curl) = start(&console, "");
    for gone in [&old, &younger] {
        assert_eq!(anew.api("/groups/acme", gone).status, 401, "it starts anew");
    }
    fetch(&curl).expect(200);
}

#[test]
fn only_this_machine_reaches_it() {
    let console = Console::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let why = console.refused(&format!("demo --dir demo --listen {address}"));
        assert!(why.contains("this machine only"), "{why}");
        assert!(!console.folder.path().join("demo").exists());
    }
    let console = console.with("LATCHKEY_LISTEN", "0.0.0.0:0");
    console.refused("demo --dir demo");
}

#[test]
fn a_folder_that_is_no_demos_is_left_as_it_is() {
    let console = Console::new();
    let folder = console.folder.path().join("demo");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("thesis.txt"), "years of work").unwrap();
    for options in ["", "--keep"] {
        let line = format!("demo --dir demo --listen 127.0.0.1:0 {options}");
        let why = console.refused(&line);
        assert!(why.contains("--dir"), "{why}");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    // A real instance is no demo's folder either.
    console.done("migrate");
    console.refused("demo --dir data --listen 127.0.0.1:0");
    console.done("migrate --check");
}

#[test]
fn settings_of_a_real_instance_do_not_count_and_its_options_are_not_taken() {
    let console = Console::new()
        .with("LATCHKEY_DATABASE_URL", "sqlite://real/latchkey.db")
        .with("LATCHKEY_DATA_DIR", "real")
        .with("LATCHKEY_EXTERNAL_URL", "https://tokens.example.com")
        .with("LATCHKEY_SECRET", "short");
    let (_demo, curl) = start(&console, "");
    fetch(&curl).expect(200);
    assert!(!console.folder.path().join("real").exists());
    for option in [
        "--data-dir other",
        "--database-url sqlite://other.db",
        "--config other.toml",
    ] {
        console.run(&format!("demo {option}")).not_understood();
    }
}

#[test]
fn two_at_once_have_a_folder_each() {
    let console = Console::new();
    let (_first, one) = start(&console, "");
    let (_second, other) = start(&console, "");
    fetch(&one).expect(200);
    fetch(&other).expect(200);
    let why = console.refused("demo --dir demo --listen 127.0.0.1:0 --keep");
    assert!(why.contains("in use"), "{why}");
}
