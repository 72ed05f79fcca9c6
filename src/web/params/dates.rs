//! Dates and points in time, as clients write them.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::text::{calendar_date, digits};

/// Reads a date as clients send it: `YYYY-MM-DD`, or an ISO 8601 date-time of which the date counts
/// as it is written, whatever its zone.
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let (date, rest) = text.split_at_checked(10)?;
    if !rest.is_empty() {
        parse_date_time(text)?;
    }
    calendar_date(date)
}

/// Reads a point in time as clients send it: an ISO 8601 date-time, in UTC if it names no zone, or
/// a date, which means its midnight.
pub fn parse_date_time(text: &str) -> Option<DateTime<Utc>> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = calendar_date(date)?;
    let (time, offset) = if rest.is_empty() {
        (NaiveTime::MIN, TimeDelta::zero())
    } else {
        parse_time(rest.strip_prefix(['T', 't'])?)?
    };
    let moment = date.and_time(time).checked_sub_signed(offset)?;
    // Beyond four digits of a year no two databases agree.
    (0..=9999)
        .contains(&moment.year())
        .then(|| moment.and_utc())
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`, and the zone's distance from UTC.
fn parse_time(text: &str) -> Option<(NaiveTime, TimeDelta)> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone_at);
    let (clock, fraction) = match clock.split_once(['.', ',']) {
        Some((clock, fraction)) if clock.len() == 8 => (clock, Some(fraction)),
        Some(_) => return None,
        None => (clock, None),
    };
    let parts: Vec<u32> = clock
        .split(':')
        .map(|part| (part.len() == 2).then(|| digits(part)).flatten())
        .collect::<Option<_>>()?;
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let nanoseconds = match fraction {
        None => 0,
        Some(fraction) if fraction.len() <= 9 => {
            digits(&format!("{fraction:0<9}")).filter(|_| !fraction.is_empty())?
        }
        Some(_) => return None,
    };
    let time = NaiveTime::from_hms_nano_opt(hour, minute, second, nanoseconds)?;
    Some((time, parse_zone(zone)?))
}

/// Nothing, `Z`, `+HH`, `+HHMM` or `+HH:MM`.
fn parse_zone(text: &str) -> Option<TimeDelta> {
    if matches!(text, "" | "Z" | "z") {
        return Some(TimeDelta::zero());
    }
    let (sign, distance) = text.split_at_checked(1)?;
    let (hours, minutes) = match distance.len() {
        2 => (distance, "00"),
        4 => distance.split_at_checked(2)?,
        5 => distance
            .split_once(':')
            .filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let distance = TimeDelta::minutes(i64::from(hours * 60 + minutes));
    Some(if sign == "-" { -distance } else { distance })
}
