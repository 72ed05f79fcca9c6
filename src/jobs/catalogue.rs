//! The jobs that there are.

use super::schedule::Schedule;

/// A job, by what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Takes out memberships whose last day is over.
    ExpiredMemberships,
    /// Finds the tokens that end soon, and puts notices into the outbox.
    ExpiryCheck,
    /// Tells people that their own tokens have ended.
    ExpiredMails,
    /// Deletes bots whose tokens have all been inactive for the retention period.
    InactiveBots,
    /// Deletes bots whose tokens were revoked and are not kept.
    BotDeletion,
    /// Revokes tokens that the instance's own rules do not allow any more.
    LifetimeEnforcement,
    /// Sends what waits in the outbox.
    DeliverMail,
    /// Sweeps out what is past its time.
    CleanUp,
}

impl Job {
    /// Every job, in the order in which they are listed.
    pub const ALL: [Job; 8] = [
        Job::ExpiredMemberships,
        Job::ExpiryCheck,
        Job::ExpiredMails,
        Job::InactiveBots,
        Job::BotDeletion,
        Job::LifetimeEnforcement,
        Job::DeliverMail,
        Job::CleanUp,
    ];

    /// Its name on the command line, in the database and in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Job::ExpiredMemberships => "expired-memberships",
            Job::ExpiryCheck => "expiry-check",
            Job::ExpiredMails => "expired-mails",
            Job::InactiveBots => "inactive-bots",
            Job::BotDeletion => "bot-deletion",
            Job::LifetimeEnforcement => "lifetime-enforcement",
            Job::DeliverMail => "deliver-mail",
            Job::CleanUp => "clean-up",
        }
    }

    /// The job of this name.
    pub fn parse(name: &str) -> Option<Job> {
        Job::ALL.into_iter().find(|job| job.name() == name)
    }

    /// What it does, in a sentence.
    pub fn summary(self) -> &'static str {
        match self {
            Job::ExpiredMemberships => {
                "Removes memberships whose expiry date has come, and the bots that lose theirs"
            }
            Job::ExpiryCheck => "Tells those who look after tokens which ones end soon",
            Job::ExpiredMails => "Tells people that a personal access token of theirs has expired",
            Job::InactiveBots => {
                "Deletes kept bots whose tokens were all inactive for the retention period"
            }
            Job::BotDeletion => "Deletes the bots of revoked tokens, where they are not kept",
            Job::LifetimeEnforcement => {
                "Revokes tokens beyond a lowered maximum lifetime, and unused ones where that is asked for"
            }
            Job::DeliverMail => "Sends the mails and webhook calls that wait in the outbox",
            Job::CleanUp => {
                "Sweeps out ended sessions, sent mails, old idempotency keys and job history"
            }
        }
    }

    /// When it runs by itself.
    pub fn schedule(self) -> Schedule {
        match self {
            Job::ExpiredMemberships => Schedule::Daily(0, 10),
            Job::ExpiryCheck => Schedule::Daily(1, 0),
            Job::ExpiredMails => Schedule::Daily(2, 0),
            Job::InactiveBots => Schedule::Daily(3, 0),
            Job::BotDeletion => Schedule::Every(10),
            Job::LifetimeEnforcement => Schedule::Every(60),
            Job::DeliverMail => Schedule::Every(5),
            Job::CleanUp => Schedule::Every(3600),
        }
    }

    /// Does it look first whether there is anything to do, and leave no trace if there isn't? The frequent ones do.
    pub fn looks_first(self) -> bool {
        matches!(
            self,
            Job::BotDeletion | Job::LifetimeEnforcement | Job::DeliverMail
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_known_by_its_name() {
        for job in Job::ALL {
            assert_eq!(Job::parse(job.name()), Some(job));
        }
        assert_eq!(Job::parse("Expiry-Check"), None);
    }

    #[test]
    fn what_runs_more_often_than_hourly_looks_first() {
        for job in Job::ALL {
            let often = matches!(job.schedule(), Schedule::Every(seconds) if seconds < 3600);
            assert_eq!(job.looks_first(), often, "{}", job.name());
        }
    }
}
