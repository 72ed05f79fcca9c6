//! Which events an address asks for.

use super::super::list::{Asked, Mark, Part};
use crate::web::lists::address;
use crate::web::page::Form;

/// Longer texts name nothing.
const LONGEST: usize = 512;

/// The filter that an address asks for.
pub(super) fn asked(query: &Form) -> Asked {
    let text = |name: &str| -> String {
        query
            .text(name)
            .trim()
            .chars()
            .filter(|c| !c.is_control())
            .take(LONGEST)
            .collect()
    };
    Asked {
        event: text("event"),
        actor: text("actor"),
        target_kind: text("target_kind"),
        target: text("target"),
        group: text("group"),
        since: text("since"),
        until: text("until"),
        channel: text("channel"),
    }
}

pub(super) fn part(query: &Form) -> Part {
    let mark = |name: &str| Mark::parse(query.text(name));
    match (mark("before"), mark("after")) {
        (Some(mark), _) => Part::OlderThan(mark),
        (None, Some(mark)) => Part::NewerThan(mark),
        (None, None) => Part::Newest,
    }
}

pub(super) fn href(path: &str, asked: &Asked, more: &[(&str, &str)]) -> String {
    let mut query = vec![
        ("event", asked.event.as_str()),
        ("actor", &asked.actor),
        ("target_kind", &asked.target_kind),
        ("target", &asked.target),
        ("group", &asked.group),
        ("since", &asked.since),
        ("until", &asked.until),
        ("channel", &asked.channel),
    ];
    query.extend_from_slice(more);
    address(path, &query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_everything_and_comes_back_the_same() {
        let text = "event=group_created&actor=ann&target_kind=group&target=a%26b&group=acme/sub\
                    &since=2026-11-01&until=2026-11-20&channel=api";
        let wanted = asked(&Form::parse(text.as_bytes()));
        assert_eq!(wanted.target, "a&b");
        let there = href("/x", &wanted, &[]);
        let query = there.strip_prefix("/x?").unwrap();
        assert_eq!(asked(&Form::parse(query.as_bytes())), wanted);
    }
}
