//! Where the database is.

use std::fmt;
use std::path::PathBuf;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// `sqlite://path/to/file` or `postgres://user:password@host/name`; anything else is refused.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A file on this machine.
    Sqlite(PathBuf),
    /// A server; the text is the whole URL, password included.
    Postgres(String),
}

/// Why a text isn't a database URL. Doesn't repeat the text: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must start with sqlite:// or postgres://")]
pub struct InvalidUrl;

impl DatabaseUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// For any scheme but the two, a bare path included.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            let path = path.trim();
            if path.is_empty() {
                return Err(InvalidUrl);
            }
            return Ok(DatabaseUrl::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(DatabaseUrl::Postgres(text.to_owned()));
        }
        Err(InvalidUrl)
    }

    /// With a bounded wait for the server, unless the URL sets its own.
    pub(super) fn for_connecting(&self) -> String {
        match self {
            DatabaseUrl::Sqlite(path) => path.to_string_lossy().into_owned(),
            DatabaseUrl::Postgres(url) => {
                let mut url = url.clone();
                for (key, value) in [("connect_timeout", "3"), ("tcp_user_timeout", "5000")] {
                    if !url.contains(key) {
                        url.push(if url.contains('?') { '&' } else { '?' });
                        url.push_str(&format!("{key}={value}"));
                    }
                }
                url
            }
        }
    }

    /// As [`DatabaseUrl::for_connecting`], with options for the session on a server, besides those that the URL has.
    pub(super) fn with_options(&self, options: &str) -> String {
        let url = self.for_connecting();
        let options = utf8_percent_encode(options, NON_ALPHANUMERIC);
        for start in ["?options=", "&options="] {
            if let Some((before, after)) = url.split_once(start) {
                return format!("{before}{start}{options}%20{after}");
            }
        }
        format!("{url}&options={options}")
    }

    /// Is this the embedded database?
    pub fn is_sqlite(&self) -> bool {
        matches!(self, DatabaseUrl::Sqlite(_))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without user name and password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            DatabaseUrl::Postgres(url) => {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
                write!(f, "postgres://{host}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_schemes_are_taken() {
        for text in [
            "latchkey.db",
            "/var/lib/x.db",
            "mysql://h/d",
            "",
            "sqlite:",
            "sqlite://",
            "file:x",
        ] {
            assert_eq!(DatabaseUrl::parse(text), Err(InvalidUrl), "{text}");
        }
        assert!(
            DatabaseUrl::parse("sqlite:///var/lib/latchkey.db")
                .unwrap()
                .is_sqlite()
        );
        assert!(!DatabaseUrl::parse("postgres://h/d").unwrap().is_sqlite());
        assert!(!DatabaseUrl::parse("postgresql://h/d").unwrap().is_sqlite());
    }

    #[test]
    fn options_join_those_that_are_there() {
        let with = |text: &str| DatabaseUrl::parse(text).unwrap().with_options("-c a.b=c");
        let plain = with("postgres://h/d");
        assert!(plain.ends_with("&options=%2Dc%20a%2Eb%3Dc"), "{plain}");
        let both = with("postgres://h/d?options=-c%20x%3Dy");
        assert!(
            both.contains("?options=%2Dc%20a%2Eb%3Dc%20-c%20x%3Dy&"),
            "{both}"
        );
    }

    #[test]
    fn the_password_is_never_printed() {
        let url =
            DatabaseUrl::parse("postgres://ann:s3cret@db:5432/latchkey?password=t0p").unwrap();
        assert_eq!(format!("{url}"), "postgres://db:5432/latchkey");
        assert_eq!(format!("{url:?}"), "postgres://db:5432/latchkey");
    }
}
