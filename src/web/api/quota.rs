//! How many calls a token, or a caller of something costly, may make in a minute. Counted per node, in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};

/// The calls of this minute, by the id of who calls.
#[derive(Debug, Default)]
pub struct Quotas {
    seen: Mutex<(i64, HashMap<i64, u32>)>,
}

/// How a token stands after one more call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Calls that it may make in a minute.
    pub limit: u32,
    /// Calls that it has made, this one included.
    pub observed: u32,
    /// Seconds since 1970 at which it begins anew.
    pub reset: i64,
}

impl Quotas {
    /// Counts a call. Nothing where there is no limit (0).
    pub fn count(&self, token_id: i64, limit: u32, now: DateTime<Utc>) -> Option<Standing> {
        if limit == 0 {
            return None;
        }
        let minute = now.timestamp().div_euclid(60);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != minute {
            *seen = (minute, HashMap::new());
        }
        let observed = seen.1.entry(token_id).or_default();
        *observed = observed.saturating_add(1);
        Some(Standing {
            limit,
            observed: *observed,
            reset: (minute + 1) * 60,
        })
    }
}

impl Standing {
    /// Is this call one too many?
    pub fn is_over(self) -> bool {
        self.observed > self.limit
    }

    /// Until it may call again, in seconds, at least one.
    pub fn wait(self, now: DateTime<Utc>) -> u64 {
        u64::try_from(self.reset - now.timestamp())
            .unwrap_or(0)
            .max(1)
    }
}

/// Tells in the headers of the answer how the token stands, if there is a limit.
pub(super) fn tell(req: &HttpRequest, res: &mut HttpResponse) {
    let Some(standing) = req.extensions().get::<Standing>().copied() else {
        return;
    };
    let remaining = standing.limit.saturating_sub(standing.observed);
    for (name, value) in [
        ("ratelimit-limit", i64::from(standing.limit)),
        ("ratelimit-observed", i64::from(standing.observed)),
        ("ratelimit-remaining", i64::from(remaining)),
        ("ratelimit-reset", standing.reset),
    ] {
        res.headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    #[test]
    fn each_token_has_its_calls_of_each_minute() {
        let quotas = Quotas::default();
        let observed = |token, second| {
            let standing = quotas.count(token, 2, at(second)).unwrap();
            (standing.observed, standing.is_over())
        };
        assert_eq!(observed(1, 0), (1, false));
        assert_eq!(observed(1, 59), (2, false));
        assert_eq!(observed(2, 59), (1, false));
        assert_eq!(observed(1, 59), (3, true));
        assert_eq!(observed(1, 60), (1, false));
        assert_eq!(quotas.count(1, 0, at(60)), None);
    }

    #[test]
    fn the_wait_ends_with_the_minute() {
        let standing = Quotas::default().count(1, 1, at(15)).unwrap();
        assert_eq!(standing.reset, at(60).timestamp());
        assert_eq!(standing.wait(at(15)), 45);
        assert_eq!(standing.wait(at(60)), 1);
    }
}
