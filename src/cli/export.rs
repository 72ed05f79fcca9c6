//! `latchkey export`

use std::fs::{self, OpenOptions};
use std::io::{BufWriter, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::Failure;
use super::acting::Acting;
use super::instance::Instance;
use super::output::Output;
use crate::error::Error;
use crate::exchange;

/// Export people, groups, projects, bots and digests of tokens to a file that import reads
///
/// An instance with the same secret can import it, on SQLite or PostgreSQL. Settings, flags, webhooks, mails and the
/// audit trail aren't in it. The file is a secret: it has the hashes of passwords.
#[derive(Debug, Args)]
pub(super) struct Export {
    /// The file; it must not be there yet
    file: PathBuf,

    #[command(flatten)]
    acting: Acting,
}

impl Export {
    pub(super) fn run(self, instance: &Instance, out: &Output) -> Result<(), Failure> {
        let console = instance.open(&self.acting)?;
        let fingerprint = console.app().secret_fingerprint().to_owned();
        let name = self.file.display().to_string();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .map_err(|error| Failure::new(format!("{name} can't be made: {error}")))?;
        let into = self.file.clone();
        let announced = console.write(move |conn, ctx| exchange::announce(conn, ctx, &into));
        let outcome = announced.and_then(|()| {
            console.read(|conn, ctx| {
                // Read anew after a lost connection, it begins anew.
                (&file)
                    .rewind()
                    .and_then(|()| file.set_len(0))
                    .map_err(|error| Error::internal(error.into()))?;
                let mut writer = BufWriter::new(&file);
                exchange::export(conn, ctx, &fingerprint, &mut writer)
            })
        });
        let synced = outcome.and_then(|written| {
            let synced = file.sync_all();
            synced.map_err(|error| Failure::new(format!("{name} can't be written: {error}")))?;
            Ok(written)
        });
        let written = synced.inspect_err(|_| {
            // Half a file is of no use to anybody.
            let _ = fs::remove_file(&self.file);
        })?;
        let object: Map<String, Value> = written
            .iter()
            .map(|(list, count)| ((*list).to_owned(), Value::from(*count)))
            .collect();
        let counts: Vec<String> = written
            .iter()
            .map(|(list, count)| match *list {
                "taken_away" => format!("{count} digests of tokens that are no more"),
                list => format!("{count} {list}"),
            })
            .collect();
        out.result(
            &Value::Object(object),
            &format!("Exported {} to {name}", counts.join(", ")),
        )
    }
}
