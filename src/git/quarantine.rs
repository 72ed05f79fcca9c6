//! Where Git holds back what a push brings, and that nothing of it stays. Git removes it itself when it comes to its
//! own end, and leaves it where it is when a signal ends it.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actix_web::web;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// What Git tells its own programs about the folder by.
const NAME: &str = "GIT_QUARANTINE_PATH";

/// How the names of such folders begin: now, and in older versions of Git.
const BEGINNINGS: [&str; 2] = ["tmp_objdir-", "incoming-"];

/// A program that was killed may still be about to write; so often it is tried again,
const TRIES: u32 = 10;

/// and so long waited between.
const BETWEEN: Duration = Duration::from_millis(50);

/// The environment in which Git writes down in this folder where it holds things back.
pub fn environment(folder: &Path) -> [(&'static str, OsString); 2] {
    [
        ("GIT_TRACE2_EVENT", notes(folder).into_os_string()),
        ("GIT_TRACE2_ENV_VARS", NAME.into()),
    ]
}

/// The folders that a run with this [`environment`] made in a repository.
pub fn made(folder: &Path, repository: &Path) -> Vec<PathBuf> {
    let text = fs::read(notes(folder)).unwrap_or_default();
    let mut found = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(note) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let Some(path) = note["value"].as_str().filter(|_| note["param"] == NAME) else {
            continue;
        };
        // By its name alone: what lies elsewhere isn't ours to remove.
        let name = Path::new(path).file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| is_quarantine(name)) {
            found.push(repository.join("objects").join(name));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Is a folder of this name, among the objects of a repository, one in which Git holds things back?
pub fn is_quarantine(name: &str) -> bool {
    BEGINNINGS
        .iter()
        .any(|beginning| name.starts_with(beginning))
}

/// Removes these folders, in which nobody works any more. Waits for programs that are about to be gone.
///
/// # Errors
/// When the disk doesn't do it.
pub async fn remove(folders: Vec<PathBuf>) -> io::Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        let folders = folders.clone();
        let removing = web::block(move || {
            let mut folders = folders.iter();
            folders.try_for_each(|folder| gone(fs::remove_dir_all(folder)))
        });
        match removing.await.map_err(io::Error::other)? {
            Err(_) if tries < TRIES => tokio::time::sleep(BETWEEN).await,
            removed => return removed,
        }
    }
}

/// Removes what a server that was killed left behind in a repository, if it was last changed before this moment: what
/// was held back, packs that were being written, and locks, for which every later change of the same reference waits in
/// vain.
///
/// # Errors
/// When the disk doesn't do it.
pub fn sweep(repository: &Path, moment: DateTime<Utc>) -> io::Result<()> {
    let objects = repository.join("objects");
    let mut left = entries(&objects, is_quarantine)?;
    left.extend(entries(&objects.join("pack"), |name| {
        name.starts_with("tmp_") || name.starts_with(".tmp-")
    })?);
    let is_lock = |name: &str| name.ends_with(".lock");
    left.extend(entries(repository, |name| {
        is_lock(name) || name == "packed-refs.new"
    })?);
    left.extend(entries(&objects.join("info"), is_lock)?);
    let mut folders = vec![repository.join("refs")];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder, |_| true)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "lock") {
                left.push(path);
            }
        }
    }
    for path in left {
        match fs::symlink_metadata(&path) {
            Ok(data) if DateTime::<Utc>::from(data.modified()?) >= moment => {}
            Ok(data) if data.is_dir() => gone(fs::remove_dir_all(&path))?,
            Ok(_) => gone(fs::remove_file(&path))?,
            Err(error) => gone(Err(error))?,
        }
    }
    Ok(())
}

/// What is in a folder under such names; nothing where there is no such folder.
fn entries(folder: &Path, such: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&such) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Somebody else may have been faster.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn notes(folder: &Path) -> PathBuf {
    folder.join("notes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_git_in_the_repository_itself_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let lines = [
            r#"{"event":"start","argv":["git","index-pack"]}"#,
            r#"{"event":"def_param","param":"GIT_QUARANTINE_PATH","value":"/r/./objects/tmp_objdir-incoming-a"}"#,
            r#"{"event":"def_param","param":"GIT_QUARANTINE_PATH","value":"/r/./objects/tmp_objdir-incoming-a"}"#,
            r#"{"event":"def_param","param":"GIT_QUARANTINE_PATH","value":"/r/objects/pack"}"#,
            r#"{"event":"def_param","param":"GIT_DIR","value":"/r/objects/incoming-b"}"#,
            r#"{"event":"def_param","param":"GIT_QUARAN"#,
        ];
        fs::write(notes(folder.path()), lines.join("\n")).unwrap();
        let found = made(folder.path(), Path::new("/r"));
        assert_eq!(found, [Path::new("/r/objects/tmp_objdir-incoming-a")]);
    }
}
