//! A moment as both databases keep it: UTC, whole milliseconds.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types;
use diesel::sqlite::Sqlite;

/// The column type of every moment. What is written is what is read again, in both databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql_types::Timestamp)]
pub struct Timestamp(NaiveDateTime);

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Timestamp(at.naive_utc())
    }
}

impl From<Timestamp> for DateTime<Utc> {
    fn from(at: Timestamp) -> Self {
        at.0.and_utc()
    }
}

impl FromSql<sql_types::Timestamp, Sqlite> for Timestamp {
    fn from_sql(bytes: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<sql_types::Text, Sqlite>>::from_sql(bytes)?;
        match read(text.as_bytes()) {
            Some(at) => Ok(Timestamp(at)),
            None => Ok(Timestamp(NaiveDateTime::parse_from_str(&text, WRITTEN)?)),
        }
    }
}

impl FromSql<sql_types::Timestamp, Pg> for Timestamp {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDateTime as FromSql<sql_types::Timestamp, Pg>>::from_sql(bytes).map(Timestamp)
    }
}

impl FromSql<sql_types::Timestamp, super::Backend> for Timestamp {
    fn from_sql(bytes: <super::Backend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        bytes.from_sql::<Timestamp, sql_types::Timestamp>()
    }
}

/// How a moment is written down in SQLite; without the milliseconds if there are none.
const WRITTEN: &str = "%F %T%.f";

/// `2026-11-26 07:04:05.678`, or without the milliseconds; nothing of another form. A list has five of these in each row,
/// and reading one by the rules of a pattern takes as long as SQLite takes to find it.
fn read(text: &[u8]) -> Option<NaiveDateTime> {
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum: u32, digit| {
            let digit = digit.is_ascii_digit().then(|| u32::from(digit - b'0'))?;
            Some(sum * 10 + digit)
        })
    };
    let (whole, milliseconds) = match text {
        [whole @ .., b'.', a, b, c] if whole.len() == 19 => (whole, number(&[*a, *b, *c])?),
        whole => (whole, 0),
    };
    #[rustfmt::skip]
    let [y @ .., b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', n1, n2, b':', s1, s2] = whole else {
        return None;
    };
    let year = (y.len() == 4).then(|| number(y))??;
    let two = |tens: &u8, ones: &u8| number(&[*tens, *ones]);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, two(m1, m2)?, two(d1, d2)?)?
        .and_hms_milli_opt(two(h1, h2)?, two(n1, n2)?, two(s1, s2)?, milliseconds)
}

impl<DB: Backend> ToSql<sql_types::Timestamp, DB> for Timestamp
where
    NaiveDateTime: ToSql<sql_types::Timestamp, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        self.0.to_sql(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What diesel reads.
    fn parsed(text: &str) -> Option<NaiveDateTime> {
        NaiveDateTime::parse_from_str(text, WRITTEN).ok()
    }

    #[test]
    fn what_is_written_is_read_as_by_the_pattern() {
        let first = DateTime::UNIX_EPOCH;
        for step in 0..5_000_i64 {
            let at = first + chrono::TimeDelta::milliseconds(step * 991_700_411 * 7);
            let text = at.naive_utc().format(WRITTEN).to_string();
            assert_eq!(read(text.as_bytes()), parsed(&text), "{text}");
            assert_eq!(read(text.as_bytes()), Some(at.naive_utc()), "{text}");
        }
        for text in ["2024-02-29 23:59:59", "0001-01-01 00:00:00.001"] {
            assert_eq!(read(text.as_bytes()), parsed(text), "{text}");
            assert!(parsed(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_has_another_form_is_left_to_the_pattern() {
        for text in [
            "",
            "2026-11-26",
            "2026-11-26T07:04:05",
            "2026-11-26 07:04:05Z",
            "2026-11-26 07:04:05.6789",
            "2026-11-26 07:04:05.6",
            "12026-11-26 07:04:05",
            "2026-13-26 07:04:05",
            "2026-02-30 07:04:05",
            "2026-11-26 24:04:05",
            "2026-11-26 07:0x:05",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
