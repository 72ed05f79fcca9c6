//! What the operator has set.

use super::Finding;
use crate::config::Config;

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
