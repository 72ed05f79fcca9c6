//! The address under which people and programs reach this instance.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

/// What links, clone URLs, mails and cookies are made from: a scheme, a host and a port, never a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl {
    https: bool,
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl ExternalUrl {
    /// The address of a server that nobody has given another one; a server that listens everywhere is `localhost`.
    pub fn of_listener(listen: SocketAddr) -> ExternalUrl {
        let host = match listen.ip() {
            ip if ip.is_unspecified() => Host::Name("localhost".to_owned()),
            IpAddr::V4(ip) => Host::V4(ip),
            IpAddr::V6(ip) => Host::V6(ip),
        };
        ExternalUrl {
            https: false,
            host,
            port: listen.port(),
        }
    }

    /// The same scheme and host on another port.
    #[must_use]
    pub fn with_port(&self, port: u16) -> ExternalUrl {
        ExternalUrl {
            port,
            ..self.clone()
        }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// Whether browsers reach this instance over TLS, so that cookies may demand it.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host without a port; an IPv6 address without its brackets.
    pub fn host(&self) -> String {
        match &self.host {
            Host::Name(name) => name.clone(),
            Host::V4(ip) => ip.to_string(),
            Host::V6(ip) => ip.to_string(),
        }
    }

    /// The port, also where it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether only this very machine can follow the links.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::V4(ip) => ip.is_loopback(),
            Host::V6(ip) => ip.is_loopback(),
        }
    }

    /// Whether a browser that sends this `Origin` speaks for one of our own pages.
    ///
    /// On loopback the three names of one's own machine are one origin: people open `localhost` where the server
    /// printed `127.0.0.1`, and nobody else can.
    pub fn is_own_origin(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        if origin == self.to_string() {
            return true;
        }
        let names = [
            Host::Name("localhost".to_owned()),
            Host::V4(Ipv4Addr::LOCALHOST),
            Host::V6(Ipv6Addr::LOCALHOST),
        ];
        self.is_loopback()
            && names.into_iter().any(|host| {
                origin
                    == ExternalUrl {
                        host,
                        ..self.clone()
                    }
                    .to_string()
            })
    }

    /// The absolute URL of a path, which begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    fn default_port(https: bool) -> u16 {
        if https { 443 } else { 80 }
    }
}

/// As an origin: no slash at the end, and the port only where it isn't the scheme's own.
impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme())?;
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::V4(ip) => write!(f, "{ip}")?,
            Host::V6(ip) => write!(f, "[{ip}]")?,
        }
        if self.port != ExternalUrl::default_port(self.https) {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

impl FromStr for ExternalUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<ExternalUrl, String> {
        let (https, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return Err("it must begin with http:// or https://".to_owned()),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '\\']) {
            return Err("it must be a scheme, a host and a port, without a path".to_owned());
        }
        if authority.contains('@') {
            return Err("it must not carry a user name or a password".to_owned());
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None => ExternalUrl::default_port(https),
            Some(port) => parse_port(port)?,
        };
        Ok(ExternalUrl {
            https,
            host: host.parse()?,
            port,
        })
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    // Digits alone: the number's own parser takes a sign too.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|port| digits && *port != 0)
        .ok_or_else(|| format!("{text:?} is not a port from 1 to 65535"))
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), String> {
    if authority.starts_with('[') {
        let end = authority
            .find(']')
            .ok_or("the bracket of its IPv6 address is not closed")?;
        let (host, rest) = authority.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(format!("{rest:?} after the IPv6 address is not a port")),
        };
    }
    match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            Err("an IPv6 address needs brackets, as in http://[::1]".to_owned())
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Host, String> {
        if let Some(inner) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            return inner
                .parse()
                .map(Host::V6)
                .map_err(|_| format!("{inner:?} is not an IPv6 address"));
        }
        if let Ok(ip) = text.parse() {
            return Ok(Host::V4(ip));
        }
        if !text.is_ascii() {
            return Err("write the host in its ASCII form (xn--…)".to_owned());
        }
        let name = text.to_ascii_lowercase();
        let valid_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        // A last label of digits alone is how browsers tell an IPv4 address, and this isn't a valid one.
        let numeric = name
            .rsplit('.')
            .next()
            .is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
        if name.len() > 253 || numeric || !name.split('.').all(valid_label) {
            return Err(format!("{text:?} is not a host name"));
        }
        Ok(Host::Name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ExternalUrl {
        text.parse().unwrap()
    }

    #[test]
    fn it_is_a_scheme_a_host_and_a_port() {
        let url = url("https://Tokens.Example.com:8443/");
        assert_eq!(
            (url.scheme(), url.host().as_str(), url.port()),
            ("https", "tokens.example.com", 8443)
        );
        assert_eq!(url.to_string(), "https://tokens.example.com:8443");
        assert_eq!(
            url.join("/groups/acme"),
            "https://tokens.example.com:8443/groups/acme"
        );
    }

    #[test]
    fn the_schemes_own_port_is_not_shown() {
        assert_eq!(
            url("https://a.example:443").to_string(),
            "https://a.example"
        );
        assert_eq!(url("http://a.example:80").to_string(), "http://a.example");
        assert_eq!(
            url("http://a.example:443").to_string(),
            "http://a.example:443"
        );
        assert_eq!(url("https://a.example").port(), 443);
        assert_eq!(url("HTTP://[::1]:8080").to_string(), "http://[::1]:8080");
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "tokens.example.com",
            "ftp://a.example",
            "http://",
            "http:///",
            "http://a.example/latchkey",
            "http://a.example//",
            "http://a.example?x=1",
            "http://a.example#x",
            "http://a.example\\x",
            "http://root:secret@a.example",
            "http://a.example:",
            "http://a.example:http",
            "http://a.example:+80",
            "http://a.example:65536",
            "http://a.example:0",
            "http://::1",
            "http://[::1",
            "http://[::1]x",
            "http://[zz]",
            "http://a b.example",
            "http://a..example",
            "http://-a.example",
            "http://300.1.1.1",
            "http://töken.example",
        ] {
            assert!(
                text.parse::<ExternalUrl>().is_err(),
                "{text:?} was accepted"
            );
        }
    }

    #[test]
    fn a_listener_without_one_is_reached_where_it_listens() {
        let of = |listen: &str| ExternalUrl::of_listener(listen.parse().unwrap()).to_string();
        assert_eq!(of("127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(of("[::1]:8080"), "http://[::1]:8080");
        assert_eq!(of("192.0.2.7:80"), "http://192.0.2.7");
        assert_eq!(of("0.0.0.0:8080"), "http://localhost:8080");
        assert_eq!(of("[::]:8080"), "http://localhost:8080");
    }

    #[test]
    fn only_ones_own_machine_is_loopback() {
        for text in [
            "http://localhost",
            "http://127.0.0.1",
            "http://127.9.9.9",
            "http://[::1]",
            "http://x.localhost",
        ] {
            assert!(url(text).is_loopback(), "{text}");
        }
        for text in [
            "http://192.0.2.7",
            "http://localhost.example",
            "http://[2001:db8::1]",
        ] {
            assert!(!url(text).is_loopback(), "{text}");
        }
    }

    #[test]
    fn an_origin_is_ones_own_when_it_is_the_same() {
        let own = url("https://tokens.example.com");
        assert!(own.is_own_origin("https://tokens.example.com"));
        for other in [
            "null",
            "",
            "http://tokens.example.com",
            "https://tokens.example.com:8443",
            "https://tokens.example.com.evil.example",
            "https://tokens.example.com/",
            "https://localhost",
        ] {
            assert!(!own.is_own_origin(other), "{other:?}");
        }
    }

    #[test]
    fn the_names_of_ones_own_machine_are_one_origin_on_one_port() {
        let own = url("http://127.0.0.1:8080");
        for same in [
            "http://localhost:8080",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert!(own.is_own_origin(same), "{same}");
        }
        for other in [
            "http://localhost",
            "http://localhost:8081",
            "https://localhost:8080",
            "http://127.0.0.2:8080",
        ] {
            assert!(!own.is_own_origin(other), "{other}");
        }
    }
}
