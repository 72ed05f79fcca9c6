//! Every setting that is fixed at start: its flag, its environment variable, its key in the TOML file, its default.
//!
//! A flag wins over the environment, that over the file, and that over the default. What can be changed while the
//! server runs is in the database and not here.

mod external_url;
mod secret;
mod source;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use rand::CryptoRng;

use crate::db::DatabaseUrl;
use crate::groups::plan::Offering;
use crate::mail::{Post, SmtpUrl};

pub use external_url::ExternalUrl;
pub use secret::{InstanceSecret, MetricsToken, SecretSource};
pub use source::{ConfigError, Environment};

use source::{Found, SettingsFile, Sources};

/// The keys of the TOML file. `LATCHKEY_` and the key in capitals is the environment variable.
const KEYS: &[&str] = &[
    "listen",
    "external_url",
    "data_dir",
    "database_url",
    "secret",
    "secret_file",
    "trusted_proxies",
    "log",
    "log_format",
    "workers",
    "pool_size",
    "stop_delay",
    "metrics_allowed",
    "metrics_token",
    "offering",
    "smtp_url",
    "smtp_ca_file",
    "mail_from",
];

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const DEFAULT_DATA_DIR: &str = "./data";
const DEFAULT_LOG: &str = "info";

/// The options that every command takes: which instance it works on.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CommonOptions {
    /// A TOML file with settings [env: LATCHKEY_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The directory for the SQLite file and secret.key [env: LATCHKEY_DATA_DIR] [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// sqlite://FILE or postgres://… [env: LATCHKEY_DATABASE_URL] [default: sqlite://<data dir>/latchkey.db]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
}

/// The options of the server. Three settings have no flag, because other users of a machine can read command lines:
/// `LATCHKEY_SECRET`, `LATCHKEY_METRICS_TOKEN` and `LATCHKEY_SMTP_URL`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    after_help = "LATCHKEY_SECRET, LATCHKEY_METRICS_TOKEN and LATCHKEY_SMTP_URL have no flag, because other users of \
                        the machine can read command lines: set them in the environment or in the TOML file."
)]
pub struct ServeOptions {
    /// Address and port to listen on; port 0 takes a free one [env: LATCHKEY_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,

    /// Where people reach this instance: links and cookies are made from it
    /// [env: LATCHKEY_EXTERNAL_URL] [default: http:// and the listen address]
    #[arg(long, value_name = "URL")]
    pub external_url: Option<String>,

    /// A file with the instance secret, at least 32 bytes; PostgreSQL needs this or LATCHKEY_SECRET
    /// [env: LATCHKEY_SECRET_FILE] [default: secret.key in the data directory]
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// Reverse proxies whose forwarding headers are believed, separated by commas [env: LATCHKEY_TRUSTED_PROXIES]
    #[arg(long, value_name = "CIDRS")]
    pub trusted_proxies: Option<String>,

    /// What to log: off, error, warn, info, debug or trace, also by module as in info,latchkey::sessions=debug
    /// [env: LATCHKEY_LOG] [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// text or json [env: LATCHKEY_LOG_FORMAT] [default: text on a terminal, json elsewhere]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,

    /// Threads that answer requests [env: LATCHKEY_WORKERS] [default: the number of cores]
    #[arg(long, value_name = "NUMBER")]
    pub workers: Option<String>,

    /// Connections to the database [env: LATCHKEY_POOL_SIZE] [default: from the number of cores]
    #[arg(long, value_name = "NUMBER")]
    pub pool_size: Option<String>,

    /// Seconds to go on answering after SIGTERM, while /-/readiness says 503 already [env: LATCHKEY_STOP_DELAY] [default: 0]
    #[arg(long, value_name = "SECONDS")]
    pub stop_delay: Option<String>,

    /// Who may read /-/metrics besides this machine, separated by commas [env: LATCHKEY_METRICS_ALLOWED]
    #[arg(long, value_name = "CIDRS")]
    pub metrics_allowed: Option<String>,

    /// Who mails are from, as in "Latchkey <latchkey@example.com>"
    /// [env: LATCHKEY_MAIL_FROM] [default: Latchkey <latchkey@noreply.<host of the external URL>>]
    #[arg(long, value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// A PEM file with the authorities that the mail server's certificate must come from
    /// [env: LATCHKEY_SMTP_CA_FILE] [default: those that this machine trusts]
    #[arg(long, value_name = "FILE")]
    pub smtp_ca_file: Option<PathBuf>,

    /// self_managed, or hosted: creating group and project access tokens then takes a paid plan [env: LATCHKEY_OFFERING] [default: self_managed]
    #[arg(long, value_name = "OFFERING")]
    pub offering: Option<String>,
}

/// The settings that count, checked. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// What absolute URLs and cookies are made from.
    pub external_url: ExternalUrl,
    /// Where files are kept.
    pub data_dir: PathBuf,
    /// Which database.
    pub database_url: DatabaseUrl,
    /// Where the instance secret comes from.
    pub secret: SecretSource,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// What is logged, as `tracing_subscriber::EnvFilter` reads it.
    pub log: String,
    /// How it is logged; `None` is text on a terminal and JSON elsewhere.
    pub log_format: Option<LogFormat>,
    /// Threads that answer requests.
    pub workers: usize,
    /// Connections to the database.
    pub pool_size: u32,
    /// How long the server goes on answering when it was asked to stop.
    pub stop_delay: Duration,
    /// Who may read the metrics besides this machine.
    pub metrics_allowed: Vec<IpNet>,
    /// The bearer token that opens the metrics to everybody who has it.
    pub metrics_token: Option<MetricsToken>,
    /// Whether plans matter.
    pub offering: Offering,
    /// How mail leaves.
    pub post: Post,
    /// Nobody said what the external URL is, so that it follows where the server listens.
    external_url_follows: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

impl Config {
    /// Puts flags, environment, file and defaults together. `cores` is what the defaults for threads are made from.
    pub fn resolve(
        common: &CommonOptions,
        serve: &ServeOptions,
        environment: &Environment,
        cores: usize,
    ) -> Result<Config, ConfigError> {
        let mut sources = Sources {
            flags: flags(common, serve),
            environment,
            file: None,
        };
        if let Some(location) = sources.find("config") {
            sources.file = Some(SettingsFile::read(&location, KEYS)?);
        }
        Config::from_sources(&sources, cores.max(1))
    }

    fn from_sources(sources: &Sources, cores: usize) -> Result<Config, ConfigError> {
        let listen = parse(sources, "listen", address)?.unwrap_or(DEFAULT_LISTEN);
        let given_url = parse(sources, "external_url", ExternalUrl::from_str)?;
        let data_dir = match sources.find("data_dir") {
            Some(found) if found.raw().is_empty() => {
                return Err(found.refuse("is empty; it must name a directory"));
            }
            Some(found) => PathBuf::from(found.raw()),
            None => PathBuf::from(DEFAULT_DATA_DIR),
        };
        let database_url = match sources.find("database_url") {
            Some(found) => {
                // Without the value in the message: it may hold a password.
                database_url(found.text()?).map_err(|reason| found.refuse(&reason))?
            }
            None => DatabaseUrl::Sqlite(data_dir.join("latchkey.db")),
        };
        let default_pool = if database_url.is_sqlite() {
            cores + 1
        } else {
            cores * 2
        };
        Ok(Config {
            listen,
            external_url_follows: given_url.is_none(),
            external_url: given_url.unwrap_or_else(|| ExternalUrl::of_listener(listen)),
            secret: SecretSource::find(sources, &database_url)?,
            trusted_proxies: parse(sources, "trusted_proxies", networks)?.unwrap_or_default(),
            log: parse(sources, "log", log_filter)?.unwrap_or_else(|| DEFAULT_LOG.to_owned()),
            log_format: parse(sources, "log_format", LogFormat::from_str)?,
            workers: parse(sources, "workers", |text| number(text, 1024))?
                .map_or(cores, |count| count as usize),
            pool_size: parse(sources, "pool_size", |text| number(text, 1000))?
                .unwrap_or_else(|| u32::try_from(default_pool).unwrap_or(u32::MAX).min(1000)),
            stop_delay: parse(sources, "stop_delay", seconds)?.unwrap_or_default(),
            metrics_allowed: parse(sources, "metrics_allowed", networks)?.unwrap_or_default(),
            metrics_token: MetricsToken::find(sources)?,
            offering: parse(sources, "offering", Offering::from_str)?
                .unwrap_or(Offering::SelfManaged),
            post: post(sources, &data_dir)?,
            data_dir,
            database_url,
        })
    }

    /// Where the repositories of projects lie.
    pub fn repositories(&self) -> PathBuf {
        let folder = self.data_dir.join("repositories");
        // Git runs elsewhere, and is told where they are.
        std::path::absolute(&folder).unwrap_or(folder)
    }

    /// Makes the data directory if it isn't there, and reads the instance secret, which a new instance makes.
    pub fn load_secret(&self, rng: &mut impl CryptoRng) -> Result<InstanceSecret, ConfigError> {
        secret::make_data_dir(&self.data_dir)?;
        self.secret.load(&self.data_dir, &self.database_url, rng)
    }

    /// Reads the instance secret and makes nothing: there is none where `secret.key` has yet to be made.
    pub fn look_at_secret(&self) -> Result<Option<InstanceSecret>, ConfigError> {
        self.secret.look(&self.data_dir)
    }

    /// Says where the server really listens, once it does: port 0 has become a real one, and an external URL that
    /// nobody gave follows it.
    pub fn bound_to(&mut self, listen: SocketAddr) {
        self.listen = listen;
        if self.external_url_follows {
            self.external_url = ExternalUrl::of_listener(listen);
        }
    }

    /// What works but is probably not meant, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.external_url_follows && self.listen.ip().is_unspecified() {
            warnings.push(format!(
                "Listening on every address without LATCHKEY_EXTERNAL_URL: links will point to {}",
                self.external_url
            ));
        }
        if !self.external_url.is_https() && !self.external_url.is_loopback() {
            warnings.push(format!(
                "The external URL {} is not https: passwords, cookies and tokens cross the network in the clear",
                self.external_url
            ));
        }
        if let Some(url) = self.post.smtp.as_ref().filter(|url| url.exposes_password()) {
            warnings.push(format!(
                "The password for {url} may cross the network in the clear; ?tls=required or smtps:// prevents that"
            ));
        }
        warnings
    }
}

/// The flags that were given. Those of `serve` that are absent from another command are simply not there.
fn flags(common: &CommonOptions, serve: &ServeOptions) -> Vec<Found> {
    let paths = [
        ("config", &common.config),
        ("data_dir", &common.data_dir),
        ("secret_file", &serve.secret_file),
        ("smtp_ca_file", &serve.smtp_ca_file),
    ];
    let texts = [
        ("database_url", &common.database_url),
        ("listen", &serve.listen),
        ("external_url", &serve.external_url),
        ("trusted_proxies", &serve.trusted_proxies),
        ("log", &serve.log),
        ("log_format", &serve.log_format),
        ("workers", &serve.workers),
        ("pool_size", &serve.pool_size),
        ("stop_delay", &serve.stop_delay),
        ("metrics_allowed", &serve.metrics_allowed),
        ("offering", &serve.offering),
        ("mail_from", &serve.mail_from),
    ];
    let paths = paths
        .into_iter()
        .filter_map(|(key, value)| Some(Found::flag(key, value.as_ref()?)));
    let texts = texts
        .into_iter()
        .filter_map(|(key, value)| Some(Found::flag(key, value.as_ref()?)));
    paths.chain(texts).collect()
}

fn parse<T>(
    sources: &Sources,
    key: &'static str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, ConfigError> {
    sources.find(key).map(|found| found.parse(read)).transpose()
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "it must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned()
    })
}

fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let url = DatabaseUrl::parse(text).map_err(|error| error.to_string())?;
    // What SQLite would take for a database in memory, which every connection would have for itself, or for options.
    let file = text.strip_prefix("sqlite://");
    if file.is_some_and(|file| {
        file.starts_with([':', '?']) || file.starts_with("file:") || file.ends_with('/')
    }) {
        return Err(
            "must name a file after sqlite://, as in sqlite:///var/lib/latchkey/latchkey.db"
                .to_owned(),
        );
    }
    if file.is_none() && !text.starts_with("postgres://") {
        return Err("must start with sqlite:// or postgres://".to_owned());
    }
    Ok(url)
}

/// A mail server, if one is named; a folder in the data directory, if none is.
fn post(sources: &Sources, data_dir: &Path) -> Result<Post, ConfigError> {
    let smtp = match sources.find("smtp_url") {
        Some(found) => {
            // Without the value in the message: it may hold a password.
            Some(SmtpUrl::parse(found.text()?).map_err(|reason| found.refuse(&reason))?)
        }
        None => None,
    };
    let ca_file = match sources.find("smtp_ca_file") {
        Some(found) if found.raw().is_empty() => {
            return Err(found.refuse("is empty; it must name a file"));
        }
        found => found.map(|found| PathBuf::from(found.raw())),
    };
    let from = parse(sources, "mail_from", |text| {
        text.parse().map_err(|_| {
            "it must be an address, such as latchkey@example.com or Latchkey <latchkey@example.com>"
                .to_owned()
        })
    })?;
    Ok(Post {
        smtp,
        ca_file,
        from,
        folder: data_dir.join("mail"),
    })
}

/// A wait of at most five minutes.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 0..=300) => Ok(Duration::from_secs(seconds)),
        _ => Err("it must be a whole number of seconds from 0 to 300".to_owned()),
    }
}

fn number(text: &str, highest: u32) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=highest).contains(number))
        .ok_or_else(|| format!("it must be a whole number from 1 to {highest}"))
}

/// Networks and single addresses, separated by commas or spaces.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    text.split([',', ' '])
        .filter(|item| !item.is_empty())
        .map(|item| {
            item.parse::<IpNet>()
                .or_else(|_| item.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| {
                    format!("{item:?} is neither a network such as 10.0.0.0/8 nor an address")
                })
        })
        .collect()
}

fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    // The filter itself would take a misspelt level for the name of a module, and log nothing else.
    let bare = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.contains(['=', '[']));
    for item in bare {
        if !LEVELS.contains(&item.to_ascii_lowercase().as_str()) {
            return Err(format!("{item:?} is none of {}", LEVELS.join(", ")));
        }
    }
    tracing_subscriber::EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<LogFormat, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("it must be text or json".to_owned()),
        }
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
