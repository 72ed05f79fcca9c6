//! Mail and jobs.

use askama::Template;

use super::super::components::{Badge, Moment};
use super::super::shell::Shell;

/// What runs by itself, what came of it, and the mails that have not got out.
#[derive(Template)]
#[template(path = "admin/background_jobs.html", whitespace = "minimize")]
pub struct BackgroundJobsPage {
    /// The frame.
    pub shell: Shell,
    /// Every job.
    pub jobs: Vec<JobRow>,
    /// The history, newest first.
    pub runs: Vec<RunRow>,
    /// The newest runs, if these are older ones.
    pub newest: Option<String>,
    /// Older runs.
    pub older: Option<String>,
    /// Where mail goes: a server or a folder.
    pub mail_goes_to: String,
    /// Does it get out of this machine?
    pub mail_reaches_people: bool,
    /// Mails by state.
    pub mail_counts: Vec<MailCount>,
    /// Mails that wait or did not get out.
    pub mails: Vec<MailRow>,
}

/// A job.
pub struct JobRow {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// `daily at 01:00 UTC`.
    pub schedule: String,
    /// The last run, if there was one.
    pub last: Option<RunRow>,
    /// The next one.
    pub next: NextRun,
}

/// When a job runs next.
pub enum NextRun {
    /// At this moment.
    At(Moment),
    /// Somebody asked for it.
    Soon,
    /// Whenever there is something to do.
    OnDemand,
}

/// One run.
pub struct RunRow {
    /// Which job.
    pub job: String,
    /// What came of it.
    pub outcome: Badge,
    /// `By schedule`.
    pub cause: &'static str,
    /// When it began.
    pub started: Moment,
    /// The moment that it was told to take for the present, if it wasn't.
    pub as_of: Option<String>,
    /// How long it took; nothing while it runs.
    pub took: Option<String>,
    /// `12 tokens, 24 mails`; empty for nothing.
    pub counts: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// How many mails are in a state.
pub struct MailCount {
    /// `Waiting`.
    pub label: &'static str,
    /// How many, ready to print.
    pub value: String,
}

/// A mail that waits or did not get out. Nothing of its content.
pub struct MailRow {
    /// Its number.
    pub id: i64,
    /// `token expiring`.
    pub kind: String,
    /// Whom it is for.
    pub to: String,
    /// What became of it so far.
    pub state: Badge,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was put into the outbox.
    pub made: Moment,
    /// When it is tried next.
    pub due: Option<Moment>,
    /// What the server said.
    pub error: Option<String>,
    /// Does it still wait?
    pub can_drop: bool,
}
