//! Places in the inventory, as addresses write them down.

use std::fmt;

use chrono::NaiveDate;

use crate::text::calendar_date;

/// A token's place in the order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// By its end, and by its id among those of the same day.
    Dated(NaiveDate, i64),
    /// By its id, among those without an end.
    Undated(i64),
    /// By its id alone.
    Numbered(i64),
}

/// Which part of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its beginning.
    First,
    /// What comes after this place.
    After(Cursor),
    /// What comes right before this place.
    Before(Cursor),
}

impl Cursor {
    /// What [`Cursor::to_string`] wrote down. `by_end` says how the list is ordered; a place of the other order is none.
    pub fn parse(text: &str, by_end: bool) -> Option<Self> {
        match text.split_once('.') {
            None if !by_end => text.parse().ok().map(Cursor::Numbered),
            Some(("never", id)) if by_end => id.parse().ok().map(Cursor::Undated),
            Some((date, id)) if by_end => {
                Some(Cursor::Dated(calendar_date(date)?, id.parse().ok()?))
            }
            _ => None,
        }
    }

    /// The place of a token with this end and id.
    pub fn of(expires_at: Option<NaiveDate>, id: i64, by_end: bool) -> Self {
        match expires_at {
            _ if !by_end => Cursor::Numbered(id),
            Some(date) => Cursor::Dated(date, id),
            None => Cursor::Undated(id),
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cursor::Dated(date, id) => write!(f, "{date}.{id}"),
            Cursor::Undated(id) => write!(f, "never.{id}"),
            Cursor::Numbered(id) => write!(f, "{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_down_and_read_again() {
        let date = NaiveDate::from_ymd_opt(2026, 12, 1);
        for (cursor, by_end) in [
            (Cursor::of(date, 7, true), true),
            (Cursor::of(None, 7, true), true),
            (Cursor::of(date, 7, false), false),
        ] {
            assert_eq!(Cursor::parse(&cursor.to_string(), by_end), Some(cursor));
            assert_eq!(Cursor::parse(&cursor.to_string(), !by_end), None);
        }
        for text in ["", ".", "x", "2026-13-01.7", "never.x", "2026-12-01."] {
            assert_eq!(Cursor::parse(text, true), None, "{text}");
        }
    }
}
