use std::{collections::HashMap, ffi::OsString, fs};

use clap::{CommandFactory, Parser};
use rand::{SeedableRng, rngs::StdRng};

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    common: CommonOptions,
    #[command(flatten)]
    serve: ServeOptions,
}

/// The configuration of a machine with four cores.
fn resolve(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let program = Program::parse_from(["latchkey"].iter().chain(arguments));
    let environment: HashMap<&str, OsString> = environment
        .iter()
        .map(|(name, value)| (*name, OsString::from(value)))
        .collect();
    Config::resolve(
        &program.common,
        &program.serve,
        &|name| environment.get(name).cloned(),
        4,
    )
}

fn error(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let error = resolve(arguments, environment).unwrap_err().to_string();
    assert!(!error.contains('\n'), "more than a line: {error}");
    error
}

#[test]
fn with_nothing_set_it_listens_on_loopback_and_keeps_everything_in_data() {
    let config = resolve(&[], &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.external_url.to_string(), "http://127.0.0.1:8080");
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(
        config.database_url.to_string(),
        "sqlite://./data/latchkey.db"
    );
    assert_eq!(config.secret, SecretSource::DataDirectory);
    assert_eq!(config.trusted_proxies, []);
    assert_eq!(config.log, "info");
    assert_eq!(config.log_format, None);
    assert_eq!((config.workers, config.pool_size), (4, 5));
    assert_eq!(config.metrics_allowed, []);
    assert_eq!(config.metrics_token, None);
    assert_eq!(config.offering, Offering::SelfManaged);
    assert_eq!(config.post.smtp, None);
    assert_eq!(config.post.folder, PathBuf::from("./data/mail"));
    assert_eq!(config.warnings(), Vec::<String>::new());
}

#[test]
fn a_mail_server_is_named_without_its_password() {
    let config = resolve(
        &[
            "--mail-from",
            "Tokens <tokens@example.com>",
            "--smtp-ca-file",
            "/etc/ca.pem",
        ],
        &[(
            "LATCHKEY_SMTP_URL",
            "smtp://ann:hunter2@mail.example.com?tls=required",
        )],
    )
    .unwrap();
    let post = &config.post;
    assert_eq!(
        post.smtp.as_ref().unwrap().to_string(),
        "smtp://mail.example.com:587"
    );
    assert_eq!(post.ca_file.as_deref(), Some("/etc/ca.pem".as_ref()));
    assert_eq!(
        post.from.as_ref().unwrap().to_string(),
        "Tokens <tokens@example.com>"
    );
    assert_eq!(config.warnings(), Vec::<String>::new());

    let open = [("LATCHKEY_SMTP_URL", "smtp://ann:hunter2@mail.example.com")];
    let warnings = resolve(&[], &open).unwrap().warnings();
    assert!(warnings[0].starts_with("The password for smtp://mail.example.com:25 may cross"));
    assert!(!warnings[0].contains("hunter2"));
}

#[test]
fn the_environment_sets_everything() {
    let config = resolve(
        &[],
        &[
            ("LATCHKEY_LISTEN", "[::]:9000"),
            ("LATCHKEY_EXTERNAL_URL", "https://tokens.example.com"),
            ("LATCHKEY_DATA_DIR", "/srv/latchkey"),
            (
                "LATCHKEY_DATABASE_URL",
                "postgres://latchkey@db.example/latchkey",
            ),
            ("LATCHKEY_SECRET", SECRET),
            (
                "LATCHKEY_TRUSTED_PROXIES",
                "10.0.0.0/8, 2001:db8::/32,127.0.0.1",
            ),
            ("LATCHKEY_LOG", "warn,latchkey::sessions=debug"),
            ("LATCHKEY_LOG_FORMAT", "json"),
            ("LATCHKEY_WORKERS", "2"),
            ("LATCHKEY_POOL_SIZE", "3"),
            ("LATCHKEY_METRICS_ALLOWED", "192.0.2.0/24"),
            ("LATCHKEY_METRICS_TOKEN", "a-token-for-metrics"),
            ("LATCHKEY_OFFERING", "hosted"),
        ],
    )
    .unwrap();
    assert_eq!(config.listen.to_string(), "[::]:9000");
    assert_eq!(
        config.external_url.to_string(),
        "https://tokens.example.com"
    );
    assert_eq!(config.data_dir, PathBuf::from("/srv/latchkey"));
    assert_eq!(
        config.database_url.to_string(),
        "postgres://db.example/latchkey"
    );
    assert_eq!(
        config.secret,
        SecretSource::Given(InstanceSecret::from_bytes(SECRET.into()).unwrap())
    );
    let proxies: Vec<String> = config
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(proxies, ["10.0.0.0/8", "2001:db8::/32", "127.0.0.1/32"]);
    assert_eq!(config.log, "warn,latchkey::sessions=debug");
    assert_eq!(config.log_format, Some(LogFormat::Json));
    assert_eq!((config.workers, config.pool_size), (2, 3));
    assert_eq!(config.metrics_allowed[0].to_string(), "192.0.2.0/24");
    assert_eq!(
        config.metrics_token.as_ref().unwrap().expose(),
        "a-token-for-metrics"
    );
    assert_eq!(config.offering, Offering::Hosted);
    assert_eq!(config.warnings(), Vec::<String>::new());
}

#[test]
fn every_setting_of_the_server_is_a_key_of_the_file_too() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("latchkey.toml");
    fs::write(
        &path,
        format!(
            r#"
            listen = "127.0.0.1:9000"
            external_url = "https://tokens.example.com"
            data_dir = "/srv/latchkey"
            database_url = "postgres://latchkey@db.example/latchkey"
            secret = "{SECRET}"
            trusted_proxies = ["10.0.0.0/8", "127.0.0.1"]
            log = "debug"
            log_format = "text"
            workers = 2
            pool_size = 3
            metrics_allowed = "192.0.2.0/24"
            metrics_token = "a-token-for-metrics"
            offering = "hosted"
            smtp_url = "smtps://ann:hunter2@mail.example.com"
            smtp_ca_file = "/etc/ca.pem"
            mail_from = "tokens@example.com"
            "#
        ),
    )
    .unwrap();
    let path = path.to_str().unwrap();
    for config in [
        resolve(&["--config", path], &[]),
        resolve(&[], &[("LATCHKEY_CONFIG", path)]),
    ] {
        let config = config.unwrap();
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(
            config.external_url.to_string(),
            "https://tokens.example.com"
        );
        assert_eq!(config.data_dir, PathBuf::from("/srv/latchkey"));
        assert!(!config.database_url.is_sqlite());
        assert!(matches!(config.secret, SecretSource::Given(_)));
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(
            (config.log.as_str(), config.log_format),
            ("debug", Some(LogFormat::Text))
        );
        assert_eq!((config.workers, config.pool_size), (2, 3));
        assert_eq!(config.metrics_allowed.len(), 1);
        assert!(config.metrics_token.is_some());
        assert!(config.post.smtp.is_some() && config.post.ca_file.is_some());
        assert!(config.post.from.is_some());
        assert_eq!(config.offering, Offering::Hosted);
    }
    let config = resolve(
        &["--config", path, "--listen", "127.0.0.1:1"],
        &[("LATCHKEY_LOG", "warn")],
    )
    .unwrap();
    assert_eq!((config.listen.port(), config.log.as_str()), (1, "warn"));
}

#[test]
fn the_list_of_keys_is_complete_and_help_names_each_variable_and_flag() {
    let help = Program::command().render_long_help().to_string();
    for key in KEYS {
        assert!(
            help.contains(&source::variable_name(key)),
            "help doesn't name {}",
            source::variable_name(key)
        );
        let flag = format!("{} <", source::flag_name(key));
        let flag = help
            .lines()
            .any(|line| line.trim_start().starts_with(&flag));
        // Secrets on a command line are seen by everybody on the machine.
        assert_eq!(
            flag,
            !["secret", "metrics_token", "smtp_url"].contains(key),
            "{}",
            source::flag_name(key)
        );
    }
    assert!(help.contains("LATCHKEY_CONFIG"));
}

#[test]
fn a_bad_value_is_one_line_with_the_settings_name() {
    for (variable, value, expected) in [
        (
            "LATCHKEY_LISTEN",
            "8080",
            "LATCHKEY_LISTEN is \"8080\": it must be an address and a port",
        ),
        ("LATCHKEY_LISTEN", "localhost:8080", "LATCHKEY_LISTEN is"),
        (
            "LATCHKEY_EXTERNAL_URL",
            "https://a.example/x",
            "LATCHKEY_EXTERNAL_URL is \"https://a.example/x\": it must be",
        ),
        (
            "LATCHKEY_DATABASE_URL",
            "latchkey.db",
            "LATCHKEY_DATABASE_URL must start with sqlite:// or postgres://",
        ),
        (
            "LATCHKEY_SECRET",
            "short",
            "LATCHKEY_SECRET holds 5 bytes; a secret has at least 32",
        ),
        ("LATCHKEY_SECRET", "", "LATCHKEY_SECRET holds 0 bytes"),
        ("LATCHKEY_SECRET_FILE", "", "LATCHKEY_SECRET_FILE is empty"),
        (
            "LATCHKEY_TRUSTED_PROXIES",
            "10.0.0.0/33",
            "LATCHKEY_TRUSTED_PROXIES is \"10.0.0.0/33\": \"10.0.0.0/33\" is neither",
        ),
        (
            "LATCHKEY_LOG",
            "verbose",
            "LATCHKEY_LOG is \"verbose\": \"verbose\" is none of off, error",
        ),
        (
            "LATCHKEY_LOG",
            "latchkey=loud",
            "LATCHKEY_LOG is \"latchkey=loud\": ",
        ),
        (
            "LATCHKEY_LOG_FORMAT",
            "xml",
            "LATCHKEY_LOG_FORMAT is \"xml\": it must be text or json",
        ),
        (
            "LATCHKEY_WORKERS",
            "0",
            "LATCHKEY_WORKERS is \"0\": it must be a whole number from 1 to 1024",
        ),
        (
            "LATCHKEY_WORKERS",
            "many",
            "LATCHKEY_WORKERS is \"many\": it must be a whole number",
        ),
        (
            "LATCHKEY_POOL_SIZE",
            "-1",
            "LATCHKEY_POOL_SIZE is \"-1\": it must be a whole number from 1 to 1000",
        ),
        (
            "LATCHKEY_METRICS_ALLOWED",
            "everybody",
            "LATCHKEY_METRICS_ALLOWED is \"everybody\": ",
        ),
        (
            "LATCHKEY_METRICS_TOKEN",
            "short",
            "LATCHKEY_METRICS_TOKEN must be at least 16",
        ),
        (
            "LATCHKEY_SMTP_URL",
            "mail.example.com",
            "LATCHKEY_SMTP_URL must begin with smtp:// or smtps://",
        ),
        (
            "LATCHKEY_SMTP_URL",
            "smtp://mail.example.com?tls=yes",
            "LATCHKEY_SMTP_URL may end in ?tls=required or ?tls=opportunistic, and nothing else",
        ),
        (
            "LATCHKEY_MAIL_FROM",
            "Latchkey",
            "LATCHKEY_MAIL_FROM is \"Latchkey\": it must be an address, such as",
        ),
        (
            "LATCHKEY_OFFERING",
            "free",
            "LATCHKEY_OFFERING is \"free\": it must be self_managed or hosted",
        ),
        (
            "LATCHKEY_CONFIG",
            "/nowhere/latchkey.toml",
            "LATCHKEY_CONFIG names /nowhere/latchkey.toml, which can't be read",
        ),
    ] {
        let error = error(&[], &[(variable, value)]);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_database_is_a_file_or_a_postgres_server() {
    for url in [
        "data/latchkey.db",
        "sqlite:data/latchkey.db",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite://file:x?mode=memory",
        "sqlite:///var/lib/",
        "postgresql://db.example/latchkey",
        "mysql://db.example/latchkey",
    ] {
        let error = error(&["--database-url", url], &[]);
        assert!(error.starts_with("--database-url must "), "{error}");
    }
    let config = resolve(&["--database-url", "sqlite:///var/lib/x.db"], &[]).unwrap();
    assert_eq!(
        config.database_url,
        DatabaseUrl::Sqlite("/var/lib/x.db".into())
    );
}

#[test]
fn an_error_never_repeats_a_secret() {
    for (variable, value) in [
        ("LATCHKEY_SECRET", "hunter2"),
        ("LATCHKEY_METRICS_TOKEN", "hunter2"),
        ("LATCHKEY_SMTP_URL", "smtp://ann:hunter2@mail.example.com:x"),
        (
            "LATCHKEY_DATABASE_URL",
            "postgresql://latchkey:hunter2@db.example/latchkey",
        ),
    ] {
        assert!(!error(&[], &[(variable, value)]).contains("hunter2"));
    }
}

#[test]
fn a_mistake_on_the_command_line_is_one_of_usage() {
    let flag = resolve(&["--workers", "x"], &[]).unwrap_err();
    assert_eq!(
        flag.to_string(),
        "--workers is \"x\": it must be a whole number from 1 to 1024"
    );
    assert!(flag.is_usage());
    assert!(
        !resolve(&[], &[("LATCHKEY_WORKERS", "x")])
            .unwrap_err()
            .is_usage()
    );
}

#[test]
fn a_data_directory_without_a_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("latchkey.toml");
    fs::write(&path, "data_dir = \"\"").unwrap();
    let error = error(&["--config", path.to_str().unwrap()], &[]);
    assert_eq!(
        error,
        format!(
            "data_dir in {} is empty; it must name a directory",
            path.display()
        )
    );
}

#[test]
fn postgres_needs_a_given_secret_and_has_a_pool_of_its_own_size() {
    let url = ("LATCHKEY_DATABASE_URL", "postgres://db.example/latchkey");
    assert!(error(&[], &[url]).contains("set LATCHKEY_SECRET or LATCHKEY_SECRET_FILE"));
    let config = resolve(&["--secret-file", "/run/secrets/latchkey"], &[url]).unwrap();
    assert_eq!(
        config.secret,
        SecretSource::File(PathBuf::from("/run/secrets/latchkey"))
    );
    assert_eq!(config.pool_size, 8);
}

#[test]
fn two_secrets_in_one_place_are_refused_and_the_stronger_place_wins() {
    let both = [
        ("LATCHKEY_SECRET", SECRET),
        ("LATCHKEY_SECRET_FILE", "/run/secret"),
    ];
    assert_eq!(
        error(&[], &both),
        "LATCHKEY_SECRET and LATCHKEY_SECRET_FILE are both set; keep one of them"
    );
    let config = resolve(&["--secret-file", "/flag"], &both[..1]).unwrap();
    assert_eq!(config.secret, SecretSource::File(PathBuf::from("/flag")));
}

#[test]
fn an_external_url_that_nobody_gave_follows_the_real_port() {
    let mut config = resolve(&["--listen", "127.0.0.1:0"], &[]).unwrap();
    config.bound_to("127.0.0.1:40123".parse().unwrap());
    assert_eq!(config.listen.port(), 40123);
    assert_eq!(config.external_url.to_string(), "http://127.0.0.1:40123");

    let mut config = resolve(
        &[
            "--listen",
            "127.0.0.1:0",
            "--external-url",
            "https://a.example",
        ],
        &[],
    )
    .unwrap();
    config.bound_to("127.0.0.1:40123".parse().unwrap());
    assert_eq!(config.external_url.to_string(), "https://a.example");
}

#[test]
fn what_is_probably_not_meant_is_warned_of() {
    let warnings = |arguments: &[&str]| resolve(arguments, &[]).unwrap().warnings().join("; ");
    assert!(warnings(&["--listen", "0.0.0.0:80"]).contains("links will point to http://localhost"));
    assert!(warnings(&["--listen", "192.0.2.1:80"]).contains("http://192.0.2.1 is not https"));
    assert!(
        warnings(&["--external-url", "http://a.example"]).contains("http://a.example is not https")
    );
    assert_eq!(
        warnings(&[
            "--listen",
            "0.0.0.0:80",
            "--external-url",
            "https://a.example"
        ]),
        ""
    );
    assert_eq!(warnings(&["--external-url", "http://localhost:8080"]), "");
}

#[test]
fn loading_the_secret_makes_the_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let config = resolve(&["--data-dir", data.to_str().unwrap()], &[]).unwrap();
    config.load_secret(&mut StdRng::seed_from_u64(1)).unwrap();
    assert!(data.join("secret.key").exists());

    let config = resolve(&["--data-dir", "/dev/null/data"], &[]).unwrap();
    let error = config
        .load_secret(&mut StdRng::seed_from_u64(1))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the data directory /dev/null/data can't be made: "),
        "{error}"
    );
}

#[test]
fn a_printed_configuration_shows_no_secret() {
    let config = resolve(
        &[],
        &[
            ("LATCHKEY_SECRET", "hunter2hunter2hunter2hunter2hunter2"),
            ("LATCHKEY_METRICS_TOKEN", "hunter2hunter2hunter2"),
            ("LATCHKEY_SMTP_URL", "smtps://ann:hunter2@mail.example.com"),
            (
                "LATCHKEY_DATABASE_URL",
                "postgres://latchkey:hunter2@db.example/latchkey",
            ),
        ],
    )
    .unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(shown.matches("[FILTERED]").count(), 2, "{shown}");
}
