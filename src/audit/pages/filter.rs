//! The filter above the events.

use super::super::catalogue::{self, Area, Kind};
use super::super::list::{Asked, CHANNELS};
use super::super::record::TARGETS;
use super::rows::{channel, target_noun};
use crate::error::FieldErrors;
use crate::web::views::audit::{AuditFilter, EventGroup};
use crate::web::views::components::Choice;
use crate::web::views::forms::FormErrors;

/// What happens to the instance, and sometimes to one group.
const TO_GROUPS_TOO: [&str; 2] = ["audit_exported", "feature_flag_changed"];

fn happens_in_groups(kind: &Kind) -> bool {
    kind.area.lies_in_groups() || TO_GROUPS_TOO.contains(&kind.name)
}

pub(super) fn on_filter(errors: &FieldErrors) -> FormErrors {
    let mut told = FormErrors::none();
    for (field, message) in errors.iter() {
        let label = match field {
            "event" => "Event",
            "target_kind" => "Kind of target",
            "group" => "Group",
            "since" => "From",
            "until" => "To",
            _ => "Channel",
        };
        told.add(field, format!("{label} {message}"));
    }
    told
}

pub(super) fn filter(asked: &Asked, in_group: bool) -> AuditFilter {
    let any = |chosen: &str| std::iter::once(Choice::new("", "Any", chosen));
    let events = Area::ALL.into_iter().map(|area| EventGroup {
        heading: match area {
            Area::Instance if in_group => "Other",
            area => area.heading(),
        },
        events: catalogue::all()
            .filter(|kind| kind.area == area)
            .filter(|kind| !in_group || happens_in_groups(kind))
            .map(|kind| Choice::new(kind.name, kind.title, &asked.event))
            .collect(),
    });
    AuditFilter {
        events: events.filter(|some| !some.events.is_empty()).collect(),
        actor: asked.actor.clone(),
        target_kinds: any(&asked.target_kind)
            .chain(
                TARGETS
                    .into_iter()
                    .filter(|kind| !in_group || *kind != "instance")
                    .map(|kind| Choice::new(kind, target_noun(kind), &asked.target_kind)),
            )
            .collect(),
        target: asked.target.clone(),
        group: asked.group.clone(),
        since: asked.since.clone(),
        until: asked.until.clone(),
        channels: any(&asked.channel)
            .chain(CHANNELS.map(|name| Choice::new(name, channel(name), &asked.channel)))
            .collect(),
        narrows: !asked.is_everything(),
    }
}
