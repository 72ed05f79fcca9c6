//! `latchkey import`

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use serde_json::{Value, json};

use super::Failure;
use super::acting::Acting;
use super::instance::Instance;
use super::output::Output;
use crate::error::Error;
use crate::exchange::{self, Report};

/// Entries between two lines of progress.
const BETWEEN_LINES: u64 = 20_000;

/// Names that a sentence lists.
const LISTED: usize = 10;

/// Import people, groups, projects, bots and digests of tokens from a file
///
/// What isn't here yet is made, all of it or nothing; what is here stays as it is, so that a second run changes nothing.
/// docs/import.md describes the file.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file, in the format latchkey-import
    file: PathBuf,

    /// Do everything, tell what came of it, and take it back
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    acting: Acting,
}

impl Import {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        let unreadable =
            |error: std::io::Error| Failure::new(format!("{name} can't be read: {error}"));
        let mut file = File::open(&self.file).map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(Failure::new(format!(
                "{name} is no file: it is read twice, so it can't be a pipe or a directory"
            )));
        }
        let console = instance.open(&self.acting)?;
        let app = console.app();
        let fingerprint = app.secret_fingerprint().to_owned();
        // Whatever is wrong with the file itself is found before anybody waits for us.
        let entries = exchange::check(&file, &fingerprint, app.clock.now())?;
        if entries >= BETWEEN_LINES {
            out.note(&format!("Checked {entries} entries"));
        }
        let dry_run = self.dry_run;
        let done: Arc<Mutex<Option<Report>>> = Arc::default();
        let (kept, output) = (Arc::clone(&done), *out);
        let outcome = console.write(move |conn, ctx| {
            file.seek(SeekFrom::Start(0))
                .map_err(|error| Error::internal(error.into()))?;
            let mut progress = |entry: u64| {
                if entry.is_multiple_of(BETWEEN_LINES) {
                    output.note(&format!("{entry} of {entries} entries"));
                }
            };
            let report = exchange::import(conn, ctx, &fingerprint, &file, &mut progress)?;
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
            if dry_run {
                // Nothing is wrong; an error is what takes a transaction back.
                return Err(Error::refused("a dry run"));
            }
            Ok(())
        });
        let report = done.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (outcome, report) {
            (Ok(()), Some(report)) => tell(&report, false, out),
            (Err(_), Some(report)) if dry_run => tell(&report, true, out),
            (Err(failure), _) => Err(failure),
            (Ok(()), None) => Err(Failure::new("the import ended without a result")),
        }
    }
}

fn tell(report: &Report, dry_run: bool, out: &Output) -> Result<(), Failure> {
    let mut object = json!(report);
    if let Value::Object(fields) = &mut object {
        fields.insert("dry_run".into(), dry_run.into());
    }
    let mut lines = Vec::new();
    for (list, counts) in report.lists() {
        lines.push(format!(
            "{list:<12} {} {}, {} here already",
            counts.created,
            if dry_run { "to be made" } else { "made" },
            counts.existing
        ));
    }
    lines.extend(remarks(report));
    lines.push(
        match (report.changes(), dry_run) {
            (0, _) => "Nothing to do: everything is here already",
            (_, true) => "Nothing was changed: this was a dry run",
            (_, false) => "Imported",
        }
        .to_owned(),
    );
    out.lines(&object, &lines.join("\n"))
}

/// What the operator should look at.
fn remarks(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |count: u64, text: &str| {
        if count > 0 {
            lines.push(format!("Note: {count} {text}"));
        }
    };
    say(
        report.without_password,
        "of these people have no password; latchkey user password gives them one",
    );
    say(
        report.tokens_without_expiry,
        "of these tokens have no expiry date; latchkey token apply-expiry gives them one",
    );
    say(
        report.tokens_beyond_limit,
        "of these tokens live longer than new ones may",
    );
    say(
        report.tokens_taken_away,
        "tokens were here before and have been taken away since; they don't come back",
    );
    say(
        report.taken_away,
        "tokens were taken away where the file comes from; no other file brings them back",
    );
    say(
        report.bots_without_token,
        "bots were left out, because none of their tokens was made",
    );
    if report.tokens.created == 0 {
        say(
            report.new_salts,
            "salt is new here; the tokens that are here already are looked for with it, too",
        );
    }
    say(
        report.administrators.len() as u64,
        &format!(
            "of these people are administrators: {}",
            listed(&report.administrators)
        ),
    );
    say(
        report.without_owner.len() as u64,
        &format!(
            "of these top-level groups have no owner; only administrators manage them: {}",
            listed(&report.without_owner)
        ),
    );
    lines
}

fn listed(names: &[String]) -> String {
    let mut text = names
        .iter()
        .take(LISTED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > LISTED {
        text.push_str(", …");
    }
    text
}
