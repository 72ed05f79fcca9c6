//! Webhooks and deliveries in words.

use chrono::{DateTime, Utc};

use super::super::target::Target;
use super::super::{Delivery, DeliveryState, EventKind, State, Webhook, retry};
use crate::web::views::components::{Badge, Moment, Tone};
use crate::web::views::webhooks::{DeliveryRow, WebhookRow};

/// A webhook in the list, with its newest delivery.
pub(super) fn webhook(webhook: Webhook, last: Option<&Delivery>, now: DateTime<Utc>) -> WebhookRow {
    WebhookRow {
        id: webhook.id,
        origin: Target::parse(&webhook.url, true)
            .map_or_else(|_| String::new(), |target| target.origin()),
        state: state(webhook.state),
        last: last.map(|delivery| (badge(delivery), Moment::at(delivery.created_at, now))),
        name: webhook.name,
    }
}

pub(super) fn state(state: State) -> Badge {
    match state {
        State::Enabled => Badge::new("Enabled", Tone::Success),
        State::Disabled => Badge::new("Disabled", Tone::Warning),
    }
}

/// A delivery in the log.
pub(super) fn delivery(delivery: &Delivery, now: DateTime<Utc>) -> DeliveryRow {
    let allowed = match delivery.event {
        EventKind::ExpiringAccessToken => retry::ATTEMPTS,
        EventKind::Test => 1,
    };
    DeliveryRow {
        id: delivery.id,
        queued: Moment::at(delivery.created_at, now),
        event: match delivery.event {
            EventKind::ExpiringAccessToken => "Access token expiring",
            EventKind::Test => "Test",
        },
        redelivery: delivery.redelivery_of.is_some(),
        state: badge(delivery),
        note: note(delivery),
        attempts: format!("{} of {allowed}", delivery.attempts),
        duration: delivery.duration_ms.map(duration).unwrap_or_default(),
    }
}

fn badge(delivery: &Delivery) -> Badge {
    match delivery.state {
        DeliveryState::Waiting if delivery.attempts > 0 => Badge::new("Retrying", Tone::Warning),
        DeliveryState::Waiting => Badge::new("Waiting", Tone::Info),
        DeliveryState::Sending => Badge::new("Sending", Tone::Info),
        DeliveryState::Delivered => Badge::new("Delivered", Tone::Success),
        DeliveryState::Failed => Badge::new("Failed", Tone::Danger),
    }
}

fn note(delivery: &Delivery) -> String {
    let mut parts: Vec<String> = Vec::new();
    if delivery.state != DeliveryState::Delivered {
        parts.extend(delivery.error.clone());
    }
    if delivery.state == DeliveryState::Waiting && delivery.attempts > 0 {
        parts.push(format!("again at {}", delivery.due_at.format("%H:%M UTC")));
    }
    parts.join(", ")
}

/// `20 Nov 2026, 10:05:00 UTC`
pub(super) fn exact(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M:%S UTC").to_string()
}

/// `120 ms`, `2.5 s`
fn duration(millis: i64) -> String {
    if millis < 1000 {
        format!("{millis} ms")
    } else {
        format!("{}.{} s", millis / 1000, millis % 1000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        for (millis, text) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (10_049, "10.0 s"),
        ] {
            assert_eq!(duration(millis), text);
        }
    }
}
