//! Where the mail server is, and how to talk to it: `smtp://user:password@host:port?tls=required`.

use std::fmt;

use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

/// When the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// Never.
    None,
    /// If the server offers it.
    Opportunistic,
    /// With STARTTLS, or not at all.
    Required,
    /// From the first byte.
    Implicit,
}

/// A mail server. Prints without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) login: Option<(String, Zeroizing<String>)>,
}

impl SmtpUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, as the rest of a sentence; never the text itself, which may hold a password.
    pub fn parse(text: &str) -> Result<SmtpUrl, String> {
        let (implicit, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("smtp") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("smtps") => (true, rest),
            _ => return Err("must begin with smtp:// or smtps://".into()),
        };
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let tls = match (implicit, query) {
            (true, None) => Tls::Implicit,
            (false, None) => Tls::None,
            (false, Some("tls=required")) => Tls::Required,
            (false, Some("tls=opportunistic")) => Tls::Opportunistic,
            (true, Some(_)) => {
                return Err(
                    "must not have anything after the host: smtps:// is always encrypted".into(),
                );
            }
            (false, Some(_)) => {
                return Err(
                    "may end in ?tls=required or ?tls=opportunistic, and nothing else".into(),
                );
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(read_login(login)?), place),
            None => (None, rest),
        };
        let (host, port) = read_place(place)?;
        let port = port.unwrap_or(match tls {
            Tls::Implicit => 465,
            Tls::Required => 587,
            Tls::None | Tls::Opportunistic => 25,
        });
        Ok(SmtpUrl {
            host,
            port,
            tls,
            login,
        })
    }

    /// Would a password cross a network in the clear, or might it?
    pub fn exposes_password(&self) -> bool {
        let loopback = self.host == "localhost"
            || self
                .host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        self.login.is_some() && !loopback && matches!(self.tls, Tls::None | Tls::Opportunistic)
    }
}

fn read_login(text: &str) -> Result<(String, Zeroizing<String>), String> {
    let (user, password) = text
        .split_once(':')
        .ok_or("must have a password after the user: user:password@host")?;
    let decoded = |text: &str| {
        percent_decode_str(text)
            .decode_utf8()
            .map(|text| text.into_owned())
            .map_err(|_| {
                "has a user or password that isn't UTF-8 when its % signs are read".to_owned()
            })
    };
    let (user, password) = (decoded(user)?, Zeroizing::new(decoded(password)?));
    if user.is_empty() || user.contains('\0') || password.contains('\0') {
        return Err("has a user or password that can't be one".into());
    }
    Ok((user, password))
}

fn read_place(place: &str) -> Result<(String, Option<u16>), String> {
    let no_host = || "must name a host, as in smtp://mail.example.com:587".to_owned();
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or_else(no_host)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| no_host())?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(no_host()),
        }
    } else {
        place
            .split_once(':')
            .map_or((place, None), |(host, port)| (host, Some(port)))
    };
    let ordinary =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    if host.is_empty() || !host.bytes().all(ordinary) {
        return Err(no_host());
    }
    let port = match port {
        Some(port) => Some(
            port.parse()
                .ok()
                .filter(|number| *number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or("must have a port from 1 to 65535 after the host, or none")?,
        ),
        None => None,
    };
    Ok((host.to_owned(), port))
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls == Tls::Implicit {
            "smtps"
        } else {
            "smtp"
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_to_write_a_mail_server() {
        for (text, host, port, tls) in [
            ("smtp://mail.example.com", "mail.example.com", 25, Tls::None),
            ("SMTP://localhost:1025/", "localhost", 1025, Tls::None),
            ("smtp://m?tls=required", "m", 587, Tls::Required),
            ("smtp://m:25?tls=opportunistic", "m", 25, Tls::Opportunistic),
            ("smtps://m", "m", 465, Tls::Implicit),
            ("smtps://[::1]:2465", "::1", 2465, Tls::Implicit),
        ] {
            let url = SmtpUrl::parse(text).unwrap();
            assert_eq!(
                (url.host.as_str(), url.port, url.tls),
                (host, port, tls),
                "{text}"
            );
            assert_eq!(url.login, None);
        }
    }

    #[test]
    fn user_and_password_are_percent_decoded_and_never_printed() {
        let url = SmtpUrl::parse("smtps://ann%40example.com:p%40ss%3Aw%2Ford%C3%A9@m").unwrap();
        let (user, password) = url.login.clone().unwrap();
        assert_eq!(user, "ann@example.com");
        assert_eq!(password.as_str(), "p@ss:w/ordé");
        for printed in [format!("{url}"), format!("{url:?}")] {
            assert_eq!(printed, "smtps://m:465");
        }
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_its_value() {
        for text in [
            "",
            "mail.example.com",
            "http://s3cret@m",
            "smtp://",
            "smtp://:25",
            "smtp://s3cret@m",
            "smtp://ann:s3cret@",
            "smtp://ann:s3cret@m:0",
            "smtp://ann:s3cret@m:70000",
            "smtp://ann:s3cret@m:smtp",
            "smtp://ann:s3cret@m/path",
            "smtp://ann:s3cret@m?tls=maybe",
            "smtp://ann:s3cret@m?starttls",
            "smtps://ann:s3cret@m?tls=required",
            "smtp://ann:s3cret%FF@m",
            "smtp://:s3cret@m",
            "smtp://ann:s3cret@[::1",
            "smtp://ann:s3cret@[m]:25",
            "smtp://ann:s3cret@m m",
        ] {
            let reason = SmtpUrl::parse(text).unwrap_err();
            assert!(
                !reason.contains("s3cret") && !reason.contains('\n'),
                "{reason}"
            );
        }
    }

    #[test]
    fn a_password_in_the_clear_is_noticed() {
        for (text, exposed) in [
            ("smtp://a:b@m", true),
            ("smtp://a:b@m?tls=opportunistic", true),
            ("smtp://a:b@m?tls=required", false),
            ("smtps://a:b@m", false),
            ("smtp://m", false),
            ("smtp://a:b@localhost", false),
            ("smtp://a:b@127.0.0.1", false),
        ] {
            assert_eq!(
                SmtpUrl::parse(text).unwrap().exposes_password(),
                exposed,
                "{text}"
            );
        }
    }
}
