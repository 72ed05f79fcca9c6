//! One call of a webhook, outside of any transaction.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Instant;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use super::address::is_public;
use super::network::{Checked, Network, NotPublic, Unresolved};
use super::target::{Host, Target};
use super::{Delivery, Webhook, payload};
use crate::context::Instance;

/// As much of an answer is read and kept, in bytes.
const ANSWER: usize = 4096;

/// Who we say that we are.
pub const USER_AGENT: &str = concat!("Latchkey/", env!("CARGO_PKG_VERSION"));

/// What a call brought.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// The receiver's answer, if there was one.
    pub status: Option<u16>,
    /// Its beginning.
    pub body: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Why it doesn't count as delivered.
    pub error: Option<String>,
}

impl Answered {
    /// There was no call, and this is why.
    pub(super) fn none(why: String) -> Self {
        Answered {
            status: None,
            body: None,
            duration_ms: 0,
            error: Some(why),
        }
    }
}

/// Everything that is needed for one call.
#[derive(Debug)]
pub(super) struct Call {
    url: String,
    allow_local: bool,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// The headers of a delivery but the signature, as they are sent and as people see them. `sent_at` is the time of the
/// attempt, in seconds since 1970.
pub fn headers(
    instance: &Instance,
    webhook: &Webhook,
    delivery: &Delivery,
    sent_at: i64,
) -> Vec<(&'static str, String)> {
    let webhook_uuid = instance
        .webhook_key
        .uuid(&format!("webhook/{}", webhook.id));
    vec![
        ("Content-Type", "application/json".into()),
        ("User-Agent", USER_AGENT.into()),
        ("X-Gitlab-Event", payload::EVENT_HEADER.into()),
        ("X-Gitlab-Instance", instance.external_url.clone()),
        ("X-Gitlab-Webhook-UUID", webhook_uuid),
        ("X-Gitlab-Event-UUID", delivery.event_uuid.clone()),
        ("Idempotency-Key", delivery.message_id.clone()),
        ("webhook-id", delivery.message_id.clone()),
        ("webhook-timestamp", sent_at.to_string()),
    ]
}

impl Call {
    /// Puts a call together and signs it.
    pub(super) fn new(
        instance: &Instance,
        webhook: &Webhook,
        delivery: &Delivery,
        sent_at: i64,
        allow_local: bool,
    ) -> Self {
        let key = instance.webhook_key.signing_key(&webhook.salt);
        let signature = key.sign(&delivery.message_id, sent_at, &delivery.body);
        let mut headers = headers(instance, webhook, delivery, sent_at);
        headers.push(("webhook-signature", signature));
        Call {
            url: webhook.url.clone(),
            allow_local,
            headers,
            body: delivery.body.clone(),
        }
    }

    /// Makes the call.
    pub(super) async fn make(self, client: Client) -> Answered {
        let began = Instant::now();
        let answered = self.send(&client).await;
        let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        match answered {
            Ok((status, body)) => Answered {
                status: Some(status.as_u16()),
                body: Some(body),
                duration_ms,
                error: problem(status),
            },
            Err(error) => Answered {
                status: None,
                body: None,
                duration_ms,
                error: Some(error),
            },
        }
    }

    async fn send(self, client: &Client) -> Result<(StatusCode, String), String> {
        let target = Target::parse(&self.url, true).map_err(|problem| format!("URL {problem}"))?;
        // Names are looked at when they are resolved; an address never is.
        if let Host::Address(address) = target.host()
            && !self.allow_local
            && !is_public(address)
        {
            return Err(NotPublic.to_string());
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
            headers.insert(name, value);
        }
        let request = client
            .post(target.as_str())
            .headers(headers)
            .body(self.body);
        let mut answer = request.send().await.map_err(|error| reason(&error))?;
        let mut body = Vec::new();
        while body.len() < ANSWER {
            match answer.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                // The receiver has answered; how it goes on changes nothing.
                Err(_) => break,
            }
        }
        body.truncate(ANSWER);
        Ok((answer.status(), readable(&body)))
    }
}

/// Makes what calls are made with. Nothing is shared between calls: each one makes a connection of its own, to an
/// address that was looked at.
///
/// # Errors
/// A sentence for the log of deliveries, such as when this machine has no certificates of authorities.
pub(super) fn client(network: &Network, allow_local: bool) -> Result<Client, String> {
    crate::tls::provide();
    Client::builder()
        .dns_resolver(Arc::new(Checked::new(network, allow_local)))
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .pool_max_idle_per_host(0)
        .timeout(network.patience())
        .build()
        .map_err(|error| told("Calls can't be made from here", innermost(&error)))
}

/// Why an answer isn't taken for a yes.
fn problem(status: StatusCode) -> Option<String> {
    if status.is_success() {
        None
    } else if status.is_redirection() {
        Some(format!(
            "Answered {}: redirects are not followed",
            status.as_u16()
        ))
    } else {
        Some(format!("Answered {}", status.as_u16()))
    }
}

/// Why there was no answer, without the URL.
fn reason(error: &reqwest::Error) -> String {
    let causes = || std::iter::successors(error.source(), |cause| (*cause).source());
    if let Some(ours) = causes().find(|error| error.is::<NotPublic>() || error.is::<Unresolved>()) {
        return ours.to_string();
    }
    if error.is_timeout() {
        return "No answer in time".to_owned();
    }
    let what = if error.is_connect() {
        "No connection"
    } else {
        "No answer"
    };
    told(what, innermost(error))
}

/// What is behind all other causes.
fn innermost(error: &reqwest::Error) -> Option<String> {
    std::iter::successors(error.source(), |cause| (*cause).source())
        .last()
        .map(ToString::to_string)
}

/// What went wrong, with its innermost cause.
fn told(what: &str, innermost: Option<String>) -> String {
    match innermost {
        Some(why) => readable(format!("{what}: {why}").as_bytes())
            .chars()
            .take(500)
            .collect(),
        None => what.to_owned(),
    }
}

/// Text that both databases take.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => c,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_from_200_to_299_are_a_yes_and_nothing_else_is() {
        for (status, expected) in [
            (200, None),
            (204, None),
            (299, None),
            (300, Some("Answered 300: redirects are not followed")),
            (307, Some("Answered 307: redirects are not followed")),
            (400, Some("Answered 400")),
            (410, Some("Answered 410")),
            (503, Some("Answered 503")),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(problem(status).as_deref(), expected, "{status}");
        }
    }

    #[test]
    fn an_answer_becomes_text_that_databases_take() {
        assert_eq!(
            readable(b"a\0b\xff\n\x1b[0m"),
            "a\u{fffd}b\u{fffd}\n\u{fffd}[0m"
        );
    }
}
