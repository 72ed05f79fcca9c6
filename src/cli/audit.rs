//! `latchkey audit`

use clap::{Args, Subcommand, ValueEnum};

use super::Failure;
use super::acting::Acting;
use super::instance::Instance;
use super::output::Output;
use crate::audit::export::{Format, begin};
use crate::audit::list::Asked;
use crate::audit::scope::Scope;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Export(Export),
}

/// Write the audit trail to standard output, newest first
#[derive(Debug, Args)]
pub(super) struct Export {
    /// How; with --json, jsonl
    #[arg(long, value_enum, default_value = "csv")]
    format: Form,

    /// From this day
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "")]
    since: String,

    /// To this day
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "")]
    until: String,

    /// Only in this group and below it
    #[arg(long, value_name = "PATH", default_value = "")]
    group: String,

    /// Only events of this name
    #[arg(long, value_name = "NAME", default_value = "")]
    event: String,

    #[command(flatten)]
    acting: Acting,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// Comma-separated values
    Csv,
    /// A JSON object a line
    Jsonl,
}

impl Command {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        match self {
            Command::Export(export) => export.run(instance, out),
        }
    }
}

impl Export {
    fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let format = match self.format {
            Form::Csv if !out.is_json() => Format::Csv,
            _ => Format::JsonLines,
        };
        let asked = Asked {
            since: self.since,
            until: self.until,
            group: self.group,
            event: self.event,
            ..Asked::default()
        };
        let console = instance.open(&self.acting)?;
        let mut export =
            console.write(move |conn, ctx| begin(conn, ctx, &Scope::Instance, &asked, format))?;
        while let Some(piece) = console.read(|conn, ctx| {
            // A read may run again: it goes on from where it was.
            let mut next = export.clone();
            let piece = next.next(conn, ctx)?;
            Ok(piece.map(|piece| (piece, next)))
        })? {
            export = piece.1;
            if !out.bytes(&piece.0)? {
                break;
            }
        }
        Ok(())
    }
}
