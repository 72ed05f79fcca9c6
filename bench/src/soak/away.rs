//! How requests are to be answered while the database is away, and how soon afterwards all is well.

use std::time::{Duration, Instant};

use super::crowd::{Exchange, How};

/// All is well again so soon after the database takes connections.
pub(crate) const RECOVERY: Duration = Duration::from_secs(10);

/// A request waits four seconds for its turn and four for a connection, at the most; one that had its turn to be let in
/// before the database went may wait four more. Then it is answered.
pub(crate) const ANSWERED: Duration = Duration::from_secs(15);

/// An outage, as it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outage {
    /// The database is told to stop.
    pub(crate) stopping: Instant,
    /// It has stopped.
    pub(crate) stopped: Instant,
    /// It is told to start.
    pub(crate) starting: Instant,
    /// It takes connections.
    pub(crate) accepting: Instant,
}

/// What requests noticed of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Noticed {
    /// Requests that were sent and answered while it was away.
    pub(crate) away: usize,
    /// All that were answered with 503.
    pub(crate) unavailable: usize,
    /// The longest that any of these took.
    pub(crate) longest: Duration,
    /// From when it took connections to the last 503.
    pub(crate) recovery: Duration,
}

impl Outage {
    /// What requests noticed of it, from a while before it until before the next one.
    pub(crate) fn notice(&self, all: &[Exchange], complaints: &mut Vec<String>) -> Noticed {
        let mut noticed = Noticed::default();
        for exchange in all {
            if let Some(complaint) = self.complaint(exchange) {
                complaints.push(format!("{:?} {complaint}", exchange.what));
            }
            let took = exchange.ended - exchange.sent;
            if took > ANSWERED {
                complaints.push(format!("{:?} was answered after {took:?}", exchange.what));
            }
            if self.is_amid(exchange) {
                noticed.away += 1;
            }
            if exchange.how == How::Away {
                noticed.unavailable += 1;
                noticed.longest = noticed.longest.max(took);
                let late = exchange.ended.saturating_duration_since(self.accepting);
                noticed.recovery = noticed.recovery.max(late);
            }
        }
        noticed
    }

    fn complaint(&self, exchange: &Exchange) -> Option<&'static str> {
        match exchange.how {
            How::Broken => Some("lost its connection, and it was PostgreSQL that stopped"),
            How::Proper if self.is_amid(exchange) => Some("was answered without a database"),
            How::Away if exchange.ended < self.stopping => {
                Some("was answered with 503 before the outage")
            }
            How::Away if exchange.ended > self.accepting + RECOVERY => {
                Some("was answered with 503 when PostgreSQL had been back for 10 s")
            }
            _ => None,
        }
    }

    fn is_amid(&self, exchange: &Exchange) -> bool {
        exchange.sent >= self.stopped && exchange.ended <= self.starting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::soak::mix::What;

    /// Stops from 10 to 11, starts from 20 to 21.
    fn outage(at: Instant) -> Outage {
        let [stopping, stopped, starting, accepting] =
            [10, 11, 20, 21].map(|seconds| at + Duration::from_secs(seconds));
        Outage {
            stopping,
            stopped,
            starting,
            accepting,
        }
    }

    fn judged(how: How, sent: u64, ended: u64) -> (Noticed, Vec<String>) {
        let at = Instant::now();
        let exchange = Exchange {
            what: What::Group,
            sent: at + Duration::from_secs(sent),
            ended: at + Duration::from_secs(ended),
            how,
        };
        let mut complaints = Vec::new();
        (outage(at).notice(&[exchange], &mut complaints), complaints)
    }

    fn complains(how: How, sent: u64, ended: u64) -> bool {
        !judged(how, sent, ended).1.is_empty()
    }

    #[test]
    fn without_a_database_the_answer_is_503_and_with_one_it_is_not() {
        assert!(!complains(How::Proper, 5, 6));
        assert!(complains(How::Away, 5, 6));
        assert!(complains(How::Proper, 12, 13));
        assert!(!complains(How::Away, 12, 13));
        assert!(!complains(How::Proper, 32, 33));
        assert!(complains(How::Away, 32, 33));
    }

    #[test]
    fn on_the_way_out_and_back_either_answer_is_right() {
        for (sent, ended) in [(9, 10), (10, 11), (10, 19), (19, 22), (22, 31)] {
            assert!(!complains(How::Away, sent, ended), "{sent} to {ended}");
        }
        for (sent, ended) in [(9, 12), (10, 19), (19, 21), (22, 31)] {
            assert!(!complains(How::Proper, sent, ended), "{sent} to {ended}");
        }
    }

    #[test]
    fn connections_stay_and_nobody_waits_for_longer_than_fifteen_seconds() {
        assert!(complains(How::Broken, 12, 13));
        assert!(!complains(How::Away, 12, 27));
        assert!(complains(How::Away, 12, 28));
        assert!(complains(How::Proper, 30, 46));
    }

    #[test]
    fn the_recovery_ends_with_the_last_answer_that_was_503() {
        assert_eq!(judged(How::Away, 20, 24).0.recovery, Duration::from_secs(3));
        assert_eq!(judged(How::Away, 12, 13).0.recovery, Duration::ZERO);
        assert_eq!(judged(How::Away, 12, 13).0.away, 1);
        assert_eq!(judged(How::Proper, 22, 24).0.recovery, Duration::ZERO);
    }
}
