//! What the operator has set.

use super::Finding;
use crate::config::Config;
use crate::git::program::{self, Git, OLDEST};

/// Do people reach the instance over TLS?
pub(super) fn external_url(config: &Config) -> Finding {
    const CHECK: &str = "external URL";
    let url = &config.external_url;
    if url.is_https() {
        Finding::ok(CHECK, format!("{url}"))
    } else if url.is_loopback() {
        Finding::warning(
            CHECK,
            format!("{url} is reached from this machine alone"),
            "set LATCHKEY_EXTERNAL_URL to what people type, unless this is a trial",
        )
    } else {
        Finding::warning(
            CHECK,
            format!(
                "{url} is not https: passwords, cookies and tokens cross the network in the clear"
            ),
            "put a proxy with TLS in front and set LATCHKEY_EXTERNAL_URL",
        )
    }
}

/// Can code be cloned and pushed?
pub(super) fn git(git: &Git) -> Finding {
    const CHECK: &str = "git";
    match git.version() {
        Ok(version) if program::serves(&version) => Finding::ok(CHECK, version),
        Ok(version) => Finding::failed(
            CHECK,
            format!("{version} is too old to serve"),
            format!("install {}.{} or newer", OLDEST.0, OLDEST.1),
        ),
        Err(error) => Finding::warning(
            CHECK,
            format!("there is none, so nothing can be cloned or pushed: {error}"),
            "install git, and restart the server",
        ),
    }
}

/// Do mails reach anybody?
pub(super) fn mail_server(config: &Config) -> Finding {
    const CHECK: &str = "mail server";
    match &config.post.smtp {
        Some(url) => Finding::ok(CHECK, format!("{url}")),
        None => Finding::warning(
            CHECK,
            "there is none: mails become files, and nobody is told that tokens end",
            "set LATCHKEY_SMTP_URL",
        ),
    }
}
