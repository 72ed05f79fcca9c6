//! The URL that a webhook calls.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use url::Url;

use super::address::is_public;

/// The longest URL, in characters.
pub const MAX_LENGTH: usize = 2048;

/// A URL that webhooks may have: `http` or `https`, without a user name or password.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

/// Where a URL leads, before anybody has asked a name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// To this address, however it was spelt.
    Address(IpAddr),
    /// To whatever addresses this name has.
    Name(String),
}

/// Why a URL can't be a webhook's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetProblem {
    /// Nothing was given.
    #[error("can't be blank")]
    Blank,
    /// Too long.
    #[error("is too long (maximum is {MAX_LENGTH} characters)")]
    TooLong,
    /// Not a URL, or not one for HTTP.
    #[error("must start with http:// or https:// and name a host")]
    NotHttp,
    /// White space or control characters in it.
    #[error("contains invalid characters")]
    Characters,
    /// A user name or password in it.
    #[error("must not contain a user name or password")]
    UserInfo,
    /// A part that no server ever sees.
    #[error("must not contain a fragment (#)")]
    Fragment,
    /// It leads into a network of our own.
    #[error("must lead to a public address; requests to the local network are not allowed")]
    Local,
}

impl Target {
    /// Reads a URL. Hosts come out in one spelling: `http://0x7f.1` and `http://2130706433` both name `127.0.0.1`.
    ///
    /// # Errors
    /// The first thing that is wrong with it. Unless `allow_local`, that it plainly leads to this machine or its
    /// network; whether a name does is seen when it is called.
    pub fn parse(text: &str, allow_local: bool) -> Result<Self, TargetProblem> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TargetProblem::Blank);
        }
        if text.chars().count() > MAX_LENGTH {
            return Err(TargetProblem::TooLong);
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(TargetProblem::Characters);
        }
        let target = Target(Url::parse(text).map_err(|_| TargetProblem::NotHttp)?);
        let url = &target.0;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(TargetProblem::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetProblem::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(TargetProblem::Fragment);
        }
        // What is not ASCII grows when it is written out.
        if url.as_str().len() > MAX_LENGTH {
            return Err(TargetProblem::TooLong);
        }
        if !allow_local && target.is_plainly_local() {
            return Err(TargetProblem::Local);
        }
        Ok(target)
    }

    /// Where it leads.
    pub fn host(&self) -> Host {
        match self.0.host() {
            Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
            Some(url::Host::Ipv6(address)) => Host::Address(address.into()),
            Some(url::Host::Domain(name)) => Host::Name(name.to_owned()),
            // Never parsed so; an address that leads nowhere.
            None => Host::Address(Ipv6Addr::UNSPECIFIED.into()),
        }
    }

    /// Does it say so itself that it leads to this machine or its network?
    pub fn is_plainly_local(&self) -> bool {
        match self.host() {
            Host::Address(address) => !is_public(address),
            Host::Name(name) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    /// The URL, as it is called.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port: what may be told of it where everybody reads. Paths of receivers are often secrets.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

/// The origin alone.
impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<TargetProblem> {
        Target::parse(text, false).err()
    }

    #[test]
    fn a_webhook_calls_http_and_https_on_any_port() {
        for (text, url) in [
            ("https://hooks.example.com", "https://hooks.example.com/"),
            (
                " http://hooks.example.com:8080/a?b=c ",
                "http://hooks.example.com:8080/a?b=c",
            ),
            ("HTTPS://Hooks.Example.COM/A", "https://hooks.example.com/A"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://8.8.8.8/x", "https://8.8.8.8/x"),
            (
                "https://[2606:4700:4700::1111]:444/",
                "https://[2606:4700:4700::1111]:444/",
            ),
        ] {
            assert_eq!(Target::parse(text, false).unwrap().as_str(), url, "{text}");
        }
        for (text, expected) in [
            ("", TargetProblem::Blank),
            ("  ", TargetProblem::Blank),
            ("hooks.example.com", TargetProblem::NotHttp),
            ("//hooks.example.com", TargetProblem::NotHttp),
            ("ftp://hooks.example.com", TargetProblem::NotHttp),
            ("javascript:alert(1)", TargetProblem::NotHttp),
            ("file:///etc/passwd", TargetProblem::NotHttp),
            ("gopher://8.8.8.8:25/x", TargetProblem::NotHttp),
            ("http://", TargetProblem::NotHttp),
            ("http://a b.example", TargetProblem::Characters),
            ("http://a.example/\r\nX: y", TargetProblem::Characters),
            ("ht\ttp://a.example", TargetProblem::Characters),
            ("http://user@a.example", TargetProblem::UserInfo),
            ("http://:pass@a.example", TargetProblem::UserInfo),
            ("http://a.example#x", TargetProblem::Fragment),
            ("http://a.example#", TargetProblem::Fragment),
        ] {
            assert_eq!(problem(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_url_is_at_most_2048_characters_long_also_when_it_is_written_out() {
        let path =
            |letter: &str, count: usize| format!("http://a.example/{}", letter.repeat(count));
        assert_eq!(problem(&path("a", 2048 - 17)), None);
        assert_eq!(problem(&path("a", 2048 - 16)), Some(TargetProblem::TooLong));
        assert_eq!(problem(&path("é", 400)), Some(TargetProblem::TooLong));
    }

    #[test]
    fn every_spelling_of_an_address_at_home_is_recognised() {
        for text in [
            "http://127.0.0.1",
            "http://127.0.0.1:9000/x",
            "http://127.1",
            "http://127.0.0.1.",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.1",
            "http://0177.0.0.1",
            "http://017700000001",
            "http://127.0.0.0x1",
            "http://１２７.０.０.１",
            "http://127。0。0。1",
            "http://%31%32%37.0.0.1",
            "http://0",
            "http://0.0.0.0",
            "http://[::]",
            "http://[::1]",
            "http://[0:0:0:0:0:0:0:1]",
            "http://[::ffff:127.0.0.1]",
            "http://[::ffff:7f00:1]",
            "http://[64:ff9b::10.0.0.1]",
            "http://[2002:7f00:1::]",
            "http://[fe80::1]",
            "http://[fd00::1]",
            "http://169.254.169.254/latest/meta-data",
            "http://10.0.0.1",
            "http://192.168.1.1",
            "http://172.20.0.1",
            "http://100.100.100.200",
            "http://255.255.255.255",
            "http://localhost",
            "http://LOCALHOST:8080",
            "http://localhost.",
            "http://a.localhost",
            "http://ｌocalhost",
        ] {
            assert_eq!(problem(text), Some(TargetProblem::Local), "{text}");
            assert!(Target::parse(text, true).is_ok(), "{text}");
        }
        // Not an address, and no name either.
        for text in [
            "http://256.1.1.1",
            "http://127.0.0.1.1",
            "http://[::1%25lo]",
        ] {
            assert_eq!(problem(text), Some(TargetProblem::NotHttp), "{text}");
        }
    }

    #[test]
    fn the_path_is_not_told_where_everybody_reads() {
        let target = Target::parse("https://a.example:444/services/T0/B0?key=x", false).unwrap();
        assert_eq!(target.origin(), "https://a.example:444");
        assert_eq!(format!("{target:?}"), "https://a.example:444");
    }
}
