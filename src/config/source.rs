//! Where a setting's value comes from: a flag, the environment, the TOML file.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fmt, fs,
    path::{Path, PathBuf},
};

/// Looks up an environment variable. The program hands in [`std::env::var_os`], a test a closure of its own.
pub type Environment<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// Why a configuration can't be used, in one line that names the setting and where its value came from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    message: String,
    usage: bool,
}

impl ConfigError {
    pub(super) fn new(message: impl Into<String>) -> ConfigError {
        ConfigError {
            message: message.into(),
            usage: false,
        }
    }

    /// Whether the mistake stands on the command line itself, so that the program ends with status 2 and not 1.
    pub fn is_usage(&self) -> bool {
        self.usage
    }
}

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    Environment,
    File(PathBuf),
}

/// A value and where it was found.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Found {
    key: &'static str,
    value: OsString,
    pub(super) origin: Origin,
}

impl Found {
    pub(super) fn flag(key: &'static str, value: impl AsRef<OsStr>) -> Found {
        Found {
            key,
            value: value.as_ref().to_owned(),
            origin: Origin::Flag,
        }
    }

    /// The value as it was given: paths and secrets need not be text.
    pub(super) fn raw(&self) -> &OsStr {
        &self.value
    }

    pub(super) fn text(&self) -> Result<&str, ConfigError> {
        self.value
            .to_str()
            .ok_or_else(|| self.refuse("is not valid UTF-8"))
    }

    /// Reads the value, or refuses it with the value in the message. Not for secrets.
    pub(super) fn parse<T>(
        &self,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let text = self.text()?;
        read(text).map_err(|reason| self.refuse(&format!("is {text:?}: {reason}")))
    }

    /// The error for this value; `reason` continues the sentence that the setting's name begins.
    pub(super) fn refuse(&self, reason: &str) -> ConfigError {
        ConfigError {
            message: format!("{self} {reason}"),
            usage: self.origin == Origin::Flag,
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Flag => f.write_str(&flag_name(self.key)),
            Origin::Environment => f.write_str(&variable_name(self.key)),
            Origin::File(path) => write!(f, "{} in {}", self.key, path.display()),
        }
    }
}

/// `data_dir` → `--data-dir`.
pub(super) fn flag_name(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// `data_dir` → `LATCHKEY_DATA_DIR`.
pub(super) fn variable_name(key: &str) -> String {
    format!("LATCHKEY_{}", key.to_ascii_uppercase())
}

/// Everything that was said about the settings, the strongest voice first.
pub(super) struct Sources<'a> {
    pub(super) flags: Vec<Found>,
    pub(super) environment: &'a Environment<'a>,
    pub(super) file: Option<SettingsFile>,
}

impl Sources<'_> {
    /// The value that counts: flag, then environment, then file.
    pub(super) fn find(&self, key: &'static str) -> Option<Found> {
        self.flag(key)
            .or_else(|| self.variable(key).filter(|found| !found.value.is_empty()))
            .or_else(|| self.file.as_ref()?.find(key))
    }

    /// The two ways to give one secret, from the strongest place that gives either; both in one place are refused.
    pub(super) fn find_either(
        &self,
        first: &'static str,
        second: &'static str,
    ) -> Result<(Option<Found>, Option<Found>), ConfigError> {
        let in_file = |key| self.file.as_ref().and_then(|file| file.find(key));
        let places = [
            (self.flag(first), self.flag(second)),
            (self.variable(first), self.variable(second)),
            (in_file(first), in_file(second)),
        ];
        for place in places {
            match &place {
                (None, None) => {}
                (Some(one), Some(other)) => {
                    return Err(ConfigError::new(format!(
                        "{one} and {other} are both set; keep one of them"
                    )));
                }
                _ => return Ok(place),
            }
        }
        Ok((None, None))
    }

    fn flag(&self, key: &str) -> Option<Found> {
        self.flags.iter().find(|found| found.key == key).cloned()
    }

    fn variable(&self, key: &'static str) -> Option<Found> {
        let value = (self.environment)(&variable_name(key))?;
        Some(Found {
            key,
            value,
            origin: Origin::Environment,
        })
    }
}

/// The optional TOML file: one flat table, whose keys are the settings' names.
pub(super) struct SettingsFile {
    path: PathBuf,
    values: BTreeMap<&'static str, String>,
}

impl SettingsFile {
    /// Reads the file that `location` names; any key outside of `known` is refused.
    pub(super) fn read(
        location: &Found,
        known: &[&'static str],
    ) -> Result<SettingsFile, ConfigError> {
        let path = PathBuf::from(location.raw());
        let text = fs::read_to_string(&path).map_err(|error| {
            location.refuse(&format!(
                "names {}, which can't be read: {error}",
                path.display()
            ))
        })?;
        SettingsFile::parse(path, &text, known)
    }

    pub(super) fn parse(
        path: PathBuf,
        text: &str,
        known: &[&'static str],
    ) -> Result<SettingsFile, ConfigError> {
        // Only the parser's own words: its full report quotes the line, and the line may hold a secret.
        let table: toml::Table = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let message = error.message().lines().collect::<Vec<_>>().join("; ");
            ConfigError::new(format!("{}, line {line}: {message}", path.display()))
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            let Some(key) = known.iter().copied().find(|key| *key == name) else {
                return Err(unknown_key(&path, &name, known));
            };
            let Some(value) = text_of(&value) else {
                return Err(ConfigError::new(format!(
                    "{key} in {} must be a text, a number or a list of texts",
                    path.display()
                )));
            };
            values.insert(key, value);
        }
        Ok(SettingsFile { path, values })
    }

    pub(super) fn find(&self, key: &'static str) -> Option<Found> {
        let value = self.values.get(key)?;
        Some(Found {
            key,
            value: value.into(),
            origin: Origin::File(self.path.clone()),
        })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

fn unknown_key(path: &Path, name: &str, known: &[&'static str]) -> ConfigError {
    ConfigError::new(format!(
        "{}: there is no setting {name:?}; the settings are {}",
        path.display(),
        known.join(", ")
    ))
}

/// A value as it would be written in the environment, so that each setting is parsed in one place only.
fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &[
        "listen",
        "secret",
        "secret_file",
        "workers",
        "trusted_proxies",
    ];

    fn file(text: &str) -> Result<SettingsFile, String> {
        SettingsFile::parse(PathBuf::from("latchkey.toml"), text, KNOWN)
            .map_err(|error| error.to_string())
    }

    fn value(file: &SettingsFile, key: &'static str) -> String {
        file.find(key).unwrap().text().unwrap().to_owned()
    }

    #[test]
    fn a_file_gives_texts_numbers_and_lists() {
        let file =
            file("listen = \"[::1]:1\"\nworkers = 3\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]")
                .unwrap();
        assert_eq!(value(&file, "listen"), "[::1]:1");
        assert_eq!(value(&file, "workers"), "3");
        assert_eq!(value(&file, "trusted_proxies"), "10.0.0.0/8,::1");
        assert!(file.find("secret").is_none());
    }

    #[test]
    fn a_file_with_an_unknown_key_is_refused_by_name() {
        let error = file("listn = \"127.0.0.1:1\"").err().unwrap();
        assert_eq!(
            error,
            "latchkey.toml: there is no setting \"listn\"; the settings are listen, secret, secret_file, workers, trusted_proxies"
        );
        assert!(file("[server]\nlisten = \"127.0.0.1:1\"").is_err());
    }

    #[test]
    fn a_file_with_a_value_of_the_wrong_kind_is_refused() {
        for text in [
            "workers = 1.5",
            "workers = true",
            "trusted_proxies = [1]",
            "listen = { port = 1 }",
        ] {
            let error = file(text).err().unwrap();
            assert!(
                error.ends_with("in latchkey.toml must be a text, a number or a list of texts"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_broken_file_is_refused_with_the_line_and_without_its_contents() {
        let error = file("workers = 1\nsecret = \"hunter2hunter2\" \"\n")
            .err()
            .unwrap();
        assert!(error.starts_with("latchkey.toml, line 2: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let environment =
            |name: &str| (name == "LATCHKEY_LISTEN").then(|| OsString::from("environment"));
        let mut sources = Sources {
            flags: vec![Found::flag("listen", "flag")],
            environment: &environment,
            file: Some(file("listen = \"file\"").unwrap()),
        };
        let listen = |sources: &Sources| sources.find("listen").unwrap().text().unwrap().to_owned();
        assert_eq!(listen(&sources), "flag");
        sources.flags.clear();
        assert_eq!(listen(&sources), "environment");
        sources.environment = &|_| None;
        assert_eq!(listen(&sources), "file");
        sources.file = None;
        assert!(sources.find("listen").is_none());
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let sources = Sources {
            flags: Vec::new(),
            environment: &|_| Some(OsString::new()),
            file: Some(file("listen = \"file\"").unwrap()),
        };
        assert_eq!(sources.find("listen").unwrap().text().unwrap(), "file");
    }

    #[test]
    fn an_error_names_the_place_and_a_mistake_in_a_flag_is_one_of_usage() {
        let flag = Found::flag("data_dir", "x").refuse("is bad");
        assert_eq!(
            (flag.to_string().as_str(), flag.is_usage()),
            ("--data-dir is bad", true)
        );

        let sources = Sources {
            flags: Vec::new(),
            environment: &|_| Some(OsString::from("x")),
            file: None,
        };
        let variable = sources.find("data_dir").unwrap().refuse("is bad");
        assert_eq!(
            (variable.to_string().as_str(), variable.is_usage()),
            ("LATCHKEY_DATA_DIR is bad", false)
        );

        let file = file("listen = \"x\"").unwrap();
        let in_file = file.find("listen").unwrap().refuse("is bad");
        assert_eq!(in_file.to_string(), "listen in latchkey.toml is bad");
    }
}
