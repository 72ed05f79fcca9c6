//! Files and folders: who may read them, whose they are, and whether there is room for more.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::Finding;
use crate::backup::beside;
use crate::config::Config;
use crate::db::DatabaseUrl;

/// Less than this is a matter of hours.
const LITTLE: u64 = 256 * 1024 * 1024;

/// Less than this, and the next request may fail.
const NOTHING: u64 = 16 * 1024 * 1024;

/// The data directory is its owner's alone.
pub(super) fn data_directory(config: &Config) -> Finding {
    const CHECK: &str = "data directory";
    let path = &config.data_dir;
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => private(CHECK, path, &found, 0o700, None),
        Ok(_) => Finding::failed(
            CHECK,
            format!("{} is no directory", path.display()),
            "name another one with LATCHKEY_DATA_DIR",
        ),
        Err(error) => absent(CHECK, path, &error),
    }
}

/// The secret is its owner's alone.
pub(super) fn secret_file(config: &Config) -> Finding {
    const CHECK: &str = "secret file";
    let Some(path) = config.secret.file(&config.data_dir) else {
        return Finding::ok(CHECK, "none: the secret is given by LATCHKEY_SECRET");
    };
    match fs::metadata(&path) {
        Ok(found) => match config.look_at_secret() {
            Ok(_) => private(CHECK, &path, &found, 0o600, owner(&config.data_dir)),
            Err(error) => Finding::failed(
                CHECK,
                error.to_string(),
                "put the right file in its place; there must be a copy away from here",
            ),
        },
        Err(error) => absent(CHECK, &path, &error),
    }
}

/// SQLite's file, what belongs to it, and what a killed restore may have left.
pub(super) fn database_file(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "database file";
    let DatabaseUrl::Sqlite(path) = &config.database_url else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for file in ["", "-wal", "-shm"].map(|suffix| beside(path, suffix)) {
        match fs::metadata(&file) {
            Ok(found) => findings.push(private(
                CHECK,
                &file,
                &found,
                0o600,
                owner(&config.data_dir),
            )),
            Err(error) if file == *path => findings.push(absent(CHECK, &file, &error)),
            Err(_) => {}
        }
    }
    let left = beside(path, ".restoring");
    if left.exists() {
        findings.push(Finding::warning(
            CHECK,
            format!(
                "{} was left by a restore that was interrupted",
                left.display()
            ),
            "remove it, unless a restore is running",
        ));
    }
    findings
}

/// Is there room?
pub(super) fn disk_space(config: &Config) -> Finding {
    const CHECK: &str = "disk space";
    let folder = match &config.database_url {
        DatabaseUrl::Sqlite(path) => match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        },
        DatabaseUrl::Postgres(_) => config.data_dir.clone(),
    };
    let free = match free_bytes(&folder) {
        Ok(free) => free,
        Err(error) => return absent(CHECK, &folder, &error),
    };
    let size = match &config.database_url {
        DatabaseUrl::Sqlite(path) => fs::metadata(path).map_or(0, |found| found.len()),
        DatabaseUrl::Postgres(_) => 0,
    };
    room(&folder, free, size)
}

/// Bytes that are free where this folder is, for us.
///
/// # Errors
/// When it can't be looked at.
pub(crate) fn free_bytes(folder: &Path) -> std::io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

fn room(folder: &Path, free: u64, database: u64) -> Finding {
    const CHECK: &str = "disk space";
    let message = format!(
        "{} MiB are free in {}",
        free / 1024 / 1024,
        folder.display()
    );
    let advice = "make room before it is full: then nothing can be changed any more";
    if free < NOTHING {
        Finding::failed(CHECK, message, advice)
    } else if free < LITTLE.max(database) {
        Finding::warning(CHECK, message, advice)
    } else {
        Finding::ok(CHECK, message)
    }
}

fn owner(folder: &Path) -> Option<u32> {
    fs::metadata(folder).ok().map(|found| found.uid())
}

fn absent(check: &'static str, path: &Path, error: &io::Error) -> Finding {
    if error.kind() == io::ErrorKind::NotFound {
        Finding::warning(
            check,
            format!("{} isn't there", path.display()),
            "nothing to do on a new instance: whichever command comes first makes it; on any other, put it back",
        )
    } else {
        Finding::failed(
            check,
            format!("{}: {error}", path.display()),
            "run this as the user that the server runs as",
        )
    }
}

/// At most `wanted`, and the same owner as the data directory's.
fn private(
    check: &'static str,
    path: &Path,
    found: &Metadata,
    wanted: u32,
    owner: Option<u32>,
) -> Finding {
    let (mode, uid) = (found.permissions().mode() & 0o777, found.uid());
    let shown = path.display();
    let message = format!("{shown} has the mode {mode:04o} and belongs to user {uid}");
    if let Some(owner) = owner.filter(|owner| *owner != uid) {
        return Finding::failed(
            check,
            format!("{message}, but the data directory to user {owner}"),
            format!("chown {owner} {shown}"),
        );
    }
    match mode & !wanted & 0o077 {
        0 => Finding::ok(check, message),
        open if open & 0o007 != 0 => Finding::failed(
            check,
            format!("{message}: everybody on this machine gets at it"),
            format!("chmod {wanted:04o} {shown}"),
        ),
        _ => Finding::warning(
            check,
            format!("{message}: its group gets at it"),
            format!("chmod {wanted:04o} {shown}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn room_is_little_before_it_is_none() {
        let status = |free, database| room(Path::new("/x"), free, database).status;
        let gib = 1024 * 1024 * 1024;
        assert_eq!(status(10 * gib, gib), Status::Ok);
        assert_eq!(
            status(2 * gib, 3 * gib),
            Status::Warning,
            "no room for a copy"
        );
        assert_eq!(status(LITTLE - 1, 0), Status::Warning);
        assert_eq!(status(NOTHING - 1, 0), Status::Failed);
    }
}
