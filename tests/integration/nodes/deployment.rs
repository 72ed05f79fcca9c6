//! What operators copy: the files in `deploy/`. No container is built here; what can be known without that is.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, Write},
    path::Path,
    process::Command,
};

use regex::Regex;

use crate::support::{front::shipped, storage::folder};

fn top(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The instructions of the Dockerfile, each in one line.
fn instructions() -> Vec<String> {
    let text = shipped("Dockerfile").replace("\\\n", " ");
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

fn of_kind(kind: &str) -> Vec<String> {
    let start = format!("{kind} ");
    let lines = instructions();
    let found = lines.iter().filter_map(|line| line.strip_prefix(&start));
    found.map(str::to_owned).collect()
}

#[test]
fn all_that_the_image_is_built_from_is_there_and_let_through() {
    let let_through: BTreeSet<String> = shipped("Dockerfile.dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix('!').map(str::to_owned))
        .collect();
    let mut copied = BTreeSet::new();
    for line in of_kind("COPY")
        .iter()
        .filter(|line| !line.starts_with("--from"))
    {
        let mut words: Vec<_> = line.split_whitespace().collect();
        words.pop();
        copied.extend(words.into_iter().map(str::to_owned));
    }
    assert_eq!(copied, let_through);
    for path in &copied {
        assert!(top(path).exists(), "{path} is copied and isn't there");
    }
    // How it is built, and what the sources embed from outside of their folder.
    for embedded in [
        ".cargo",
        "migrations",
        "static",
        "templates",
        "src",
        "build.rs",
        "Cargo.lock",
    ] {
        assert!(copied.contains(embedded), "{embedded} is not copied");
    }
    let manifest = fs::read_to_string(top("Cargo.toml")).unwrap();
    let members = Regex::new(r#"(?m)^members = \["(.*)"\]$"#).unwrap();
    for member in members.captures(&manifest).unwrap()[1].split("\", \"") {
        assert!(
            copied.contains(member),
            "{member} is a package of the workspace"
        );
    }
    assert!(manifest.contains("[profile.dist]") && manifest.contains("postgres-tls ="));
    let wanted = Regex::new(r#"(?m)^rust-version = "(.*)"$"#).unwrap();
    let image = format!(
        "rust:{}-bookworm AS build",
        &wanted.captures(&manifest).unwrap()[1]
    );
    assert!(of_kind("FROM").contains(&image), "{image}");
}

#[test]
fn the_image_runs_as_nobody_in_particular_and_asks_the_program_for_its_health() {
    assert_eq!(of_kind("FROM").len(), 2, "what builds it is not in it");
    assert_eq!(of_kind("USER"), ["10001:10001"]);
    let json = |line: &str| -> Vec<String> { serde_json::from_str(line).unwrap() };
    let program = json(&of_kind("ENTRYPOINT")[0]);
    let installed = of_kind("COPY")
        .iter()
        .any(|line| line.ends_with(&program[0]));
    assert!(installed, "{program:?}");
    let check = of_kind("HEALTHCHECK").remove(0);
    let check = json(check.split_once("CMD ").unwrap().1);
    assert_eq!(check[0], program[0]);
    for arguments in [&check[1..], &json(&of_kind("CMD")[0])[..]] {
        let known = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(arguments)
            .arg("--help")
            .output()
            .unwrap();
        assert!(known.status.success(), "{arguments:?}");
    }
    settings_exist(&of_kind("ENV").join(" "));
}

/// Every variable of Latchkey's that a file names is one.
#[track_caller]
fn settings_exist(text: &str) {
    let settings = fs::read_to_string(top("docs/settings.md")).unwrap();
    let variable = Regex::new("LATCHKEY_[A-Z_]*[A-Z]").unwrap();
    for found in variable.find_iter(text) {
        let row = format!("| `{}` |", found.as_str());
        assert!(settings.contains(&row), "{} is no setting", found.as_str());
    }
}

#[test]
fn the_files_say_the_same_to_nginx_and_pgbouncer_and_name_settings_that_exist() {
    let compose = shipped("compose.yaml");
    for name in ["compose.yaml", "latchkey.service", "nginx.conf"] {
        settings_exist(&shipped(name));
    }
    let pooler = shipped("pgbouncer.ini");
    for key in [
        "pool_mode",
        "max_prepared_statements",
        "ignore_startup_parameters",
        "query_wait_timeout",
        "server_login_retry",
    ] {
        let line = pooler
            .lines()
            .find(|line| line.starts_with(&format!("{key} =")))
            .unwrap();
        assert!(compose.contains(line), "{line}");
    }
    let front = shipped("nginx.conf");
    for line in [
        "client_max_body_size 0;",
        "proxy_connect_timeout 2s;",
        "location = /-/metrics { return 404; }",
    ] {
        assert!(front.contains(line) && compose.contains(line), "{line}");
    }
    for anchor in Regex::new(r"\*([a-z]+)").unwrap().captures_iter(&compose) {
        assert!(
            compose.contains(&format!("&{}", &anchor[1])),
            "{}",
            &anchor[0]
        );
    }
    assert!(!compose.contains('\t'));
}

#[test]
fn the_unit_is_one_that_systemd_takes_and_finds_little_to_worry_about() {
    let analyze = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).output();
    if analyze(&["--version"]).is_err() {
        let complaint = "systemd-analyze is not installed (Debian: systemd)";
        let required = env::var("LATCHKEY_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
        assert!(!required, "{complaint}, and LATCHKEY_REQUIRE_CLIENTS=1");
        // Straight to the stream: the test harness would keep what `eprintln!` says to itself.
        let _ = writeln!(io::stderr(), "SKIPPED: {complaint}");
        return;
    }
    let home = folder();
    let file = home.path().join("latchkey.service");
    // The program is where this test finds it, and the user is one that is there.
    let unit = shipped("latchkey.service")
        .replace("/usr/local/bin/latchkey", env!("CARGO_BIN_EXE_latchkey"))
        .replace("User=latchkey", "User=daemon")
        .replace("Group=latchkey", "Group=daemon");
    fs::write(&file, unit).unwrap();
    let path = file.to_str().unwrap();
    let output = analyze(&["verify", "--man=no", path]).unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let about_us: Vec<_> = said
        .lines()
        .filter(|line| line.contains("latchkey.service"))
        .collect();
    assert!(about_us.is_empty(), "{said}");
    let output = analyze(&["security", "--offline=true", "--threshold=25", path]);
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
}
