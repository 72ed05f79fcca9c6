//! Writing what an instance has into a file that [`import`](super::import) reads.

use std::io::Write;
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use serde::Serialize;
use serde_json::json;

use super::format::{DigestKind, DigestsEntry, FORMAT, Section, VERSION};
use super::list;
use crate::access_tokens::imported;
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::permissions::Right;

/// How many entries of each list were written.
pub type Written = [(&'static str, u64); 7];

/// Writes all people, groups, projects, roles, bots and tokens, as they are at one moment, and the digests of tokens that are
/// no more. Digests stay what they are: only an instance with the same secret can use them. Administrators and the system only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database is away or the file can't be written.
pub fn export(
    conn: &mut DbConnection,
    ctx: &Context,
    fingerprint: &str,
    out: &mut dyn Write,
) -> Result<Written, Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    // One moment for all statements. SQLite gives that to every transaction.
    conn.transaction(|conn| {
        if let DbConnection::Postgres(pg) = conn {
            pg.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        }
        write(conn, ctx, fingerprint, out)
    })
}

/// Notes in the trail that an export goes into this file; first, so that none goes unnoticed. Administrators and the system
/// only.
///
/// # Errors
/// [`Error::Forbidden`] without the right; when the database can't take the row.
pub fn announce(conn: &mut DbConnection, ctx: &Context, file: &Path) -> Result<(), Error> {
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    let event = Event::new("system_exported", Target::Instance)
        .with(json!({ "file": file.display().to_string() }));
    audit::record(conn, ctx, event)
}

fn write(
    conn: &mut DbConnection,
    ctx: &Context,
    fingerprint: &str,
    out: &mut dyn Write,
) -> Result<Written, Error> {
    let mut prefixes = imported::prefixes(conn)?;
    prefixes.push(ctx.policy.settings.personal_access_token_prefix.clone());
    prefixes.retain(|prefix| !prefix.is_empty());
    prefixes.sort();
    prefixes.dedup();
    let digests = DigestsEntry {
        kind: DigestKind::Hmac,
        secret_fingerprint: Some(fingerprint.to_owned()),
        salt: None,
        sealed_salts: imported::sealed_salts(conn)?
            .iter()
            .map(|sealed| STANDARD.encode(sealed))
            .collect(),
    };
    let mut file = File { out };
    file.raw("{\n")?;
    file.key("format", &FORMAT)?;
    file.key("version", &VERSION)?;
    file.key("source", &ctx.instance.host)?;
    file.key("prefixes", &prefixes)?;
    file.key("digests", &digests)?;
    let mut written = [("", 0); 7];
    for (section, count) in Section::ALL.into_iter().zip(&mut written) {
        let number = match section {
            Section::Users => file.list(section, |after| list::users(conn, after))?,
            Section::Groups => file.list(section, |after: &String| list::groups(conn, after))?,
            Section::Projects => file.list(section, |after| list::projects(conn, after))?,
            Section::Memberships => file.list(section, |after| list::memberships(conn, after))?,
            Section::Bots => file.list(section, |after| list::bots(conn, after))?,
            Section::Tokens => file.list(section, |after| list::tokens(conn, after))?,
            Section::TakenAway => file.list(section, |after| list::taken_away(conn, after))?,
        };
        *count = (section.key(), number);
    }
    file.raw("}\n")?;
    file.out.flush().map_err(|error| unwritable(&error))?;
    Ok(written)
}

struct File<'a> {
    out: &'a mut dyn Write,
}

impl File<'_> {
    fn raw(&mut self, text: &str) -> Result<(), Error> {
        let written = self.out.write_all(text.as_bytes());
        written.map_err(|error| unwritable(&error))
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(value).map_err(|error| Error::internal(error.into()))?;
        self.raw(&text)
    }

    fn key(&mut self, key: &str, value: &impl Serialize) -> Result<(), Error> {
        self.raw(&format!("\"{key}\": "))?;
        self.value(value)?;
        self.raw(",\n")
    }

    /// A list, read page by page: each page says after what the next one begins.
    fn list<T: Serialize, K: Default>(
        &mut self,
        section: Section,
        mut page: impl FnMut(&K) -> Result<Vec<(K, T)>, Error>,
    ) -> Result<u64, Error> {
        self.raw(&format!("\"{}\": [", section.key()))?;
        let mut count = 0;
        let mut after = K::default();
        loop {
            let entries = page(&after)?;
            if entries.is_empty() {
                break;
            }
            for (key, entry) in entries {
                self.raw(if count == 0 { "\n" } else { ",\n" })?;
                self.value(&entry)?;
                count += 1;
                after = key;
            }
        }
        let last = section == Section::TakenAway;
        self.raw(if last { "]\n" } else { "],\n" })?;
        Ok(count)
    }
}

fn unwritable(error: &std::io::Error) -> Error {
    Error::refused(format!("the file can't be written: {error}"))
}
