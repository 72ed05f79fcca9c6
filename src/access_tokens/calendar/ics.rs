//! A calendar as programs read it: RFC 5545.

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::Ending;
use crate::context::Instance;

/// A line is not longer than so many octets, the end of the line not counted.
const LINE: usize = 75;

/// A calendar.
#[derive(Debug, Clone)]
pub struct Calendar {
    name: String,
    host: String,
    events: Vec<Event>,
}

/// A day on which a token ends.
#[derive(Debug, Clone)]
struct Event {
    token_id: i64,
    on: NaiveDate,
    changed: DateTime<Utc>,
    summary: String,
    description: String,
    url: String,
}

impl Calendar {
    /// The ends of these tokens. Nothing is told by which a value could be recognised.
    pub(super) fn new(name: String, instance: &Instance, endings: Vec<Ending>) -> Self {
        Calendar {
            name,
            host: instance.host.clone(),
            events: endings
                .into_iter()
                .filter_map(|ending| event(instance, ending))
                .collect(),
        }
    }

    /// The text, each line ended as the standard says.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Latchkey//Access tokens//EN",
            "CALSCALE:GREGORIAN",
            "METHOD:PUBLISH",
            "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
            "X-PUBLISHED-TTL:PT6H",
        ] {
            put(&mut out, line);
        }
        put(&mut out, &format!("X-WR-CALNAME:{}", escaped(&self.name)));
        for event in &self.events {
            self.put_event(&mut out, event);
        }
        put(&mut out, "END:VCALENDAR");
        out
    }

    fn put_event(&self, out: &mut String, event: &Event) {
        let day = |date: NaiveDate| date.format("%Y%m%d").to_string();
        let next = event.on.checked_add_days(Days::new(1)).unwrap_or(event.on);
        let summary = escaped(&event.summary);
        for line in [
            "BEGIN:VEVENT".to_owned(),
            // Another date is another event: programs forget the old one with the calendar that had it.
            format!(
                "UID:access-token-{}-{}@{}",
                event.token_id,
                day(event.on),
                self.host
            ),
            format!("DTSTAMP:{}", event.changed.format("%Y%m%dT%H%M%SZ")),
            format!("DTSTART;VALUE=DATE:{}", day(event.on)),
            format!("DTEND;VALUE=DATE:{}", day(next)),
            format!("SUMMARY:{summary}"),
            format!("DESCRIPTION:{}", escaped(&event.description)),
            format!("URL:{}", event.url),
            "TRANSP:TRANSPARENT".to_owned(),
            "BEGIN:VALARM".to_owned(),
            "ACTION:DISPLAY".to_owned(),
            format!("DESCRIPTION:{summary}"),
            "TRIGGER:-P7D".to_owned(),
            "END:VALARM".to_owned(),
            "END:VEVENT".to_owned(),
        ] {
            put(out, &line);
        }
    }
}

/// Nothing for a token that doesn't end.
fn event(instance: &Instance, Ending { token, place, role }: Ending) -> Option<Event> {
    let on = token.expires_at?;
    let page = match &place {
        Some(path) if token.group_id.is_some() => {
            format!("/groups/{path}/-/settings/access_tokens")
        }
        Some(path) => format!("/{path}/-/settings/access_tokens"),
        None => "/-/user_settings/personal_access_tokens".to_owned(),
    };
    let url = instance.url(&page);
    let mut description = vec![match &place {
        Some(path) if token.group_id.is_some() => format!("Group: {path}"),
        Some(path) => format!("Project: {path}"),
        None => "Your personal access token".to_owned(),
    }];
    description.extend(role.map(|role| format!("Role: {role}")));
    description.push(format!("Scopes: {}", token.scopes.names().join(", ")));
    description.push("It stops working at 00:00 UTC on this day.".to_owned());
    description.push(url.clone());
    Some(Event {
        token_id: token.id,
        on,
        changed: token.updated_at,
        summary: format!("Token {} expires", token.name),
        description: description.join("\n"),
        url,
    })
}

/// A text as a property's value.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            control if control.is_control() => {}
            other => out.push(other),
        }
    }
    out
}

/// Adds a line, folded where it is too long; never within a character.
fn put(out: &mut String, line: &str) {
    let mut length = 0;
    for letter in line.chars() {
        if length + letter.len_utf8() > LINE {
            out.push_str("\r\n ");
            length = 1;
        }
        out.push(letter);
        length += letter.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_calendar_is_escaped_and_nothing_else() {
        for (text, written) in [
            ("deploy-bot", "deploy-bot"),
            (r"a\b;c,d:e", r"a\\b\;c\,d:e"),
            ("one\ntwo\r\nthree", r"one\ntwo\nthree"),
            ("a\u{0}b\u{7}c\u{85}d\te", "abcde"),
            ("Ünï \u{202e}cödé 🔑", "Ünï \u{202e}cödé 🔑"),
        ] {
            assert_eq!(escaped(text), written);
        }
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        for text in [
            "x".repeat(75),
            "x".repeat(76),
            "ä".repeat(200),
            "🔑".repeat(300),
            "x🔑".repeat(80),
        ] {
            let mut out = String::new();
            put(&mut out, &text);
            assert!(out.ends_with("\r\n"));
            let lines: Vec<&str> = out.trim_end().split("\r\n").collect();
            assert!(lines.iter().all(|line| line.len() <= LINE), "{out}");
            assert_eq!(lines.len() == 1, text.len() <= LINE);
            assert!(lines[1..].iter().all(|line| line.starts_with(' ')));
            assert_eq!(out.replace("\r\n ", "").trim_end(), text);
        }
    }

    #[test]
    fn without_tokens_it_is_a_calendar_all_the_same() {
        let empty = Calendar {
            name: "Access tokens of a,b".into(),
            host: "example.com".into(),
            events: Vec::new(),
        };
        let text = empty.text();
        assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"));
        assert!(text.ends_with("X-WR-CALNAME:Access tokens of a\\,b\r\nEND:VCALENDAR\r\n"));
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }
}
