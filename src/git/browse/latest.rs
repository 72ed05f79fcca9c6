//! Which commit changed what in a folder last.

use std::collections::HashMap;
use std::time::Duration;

use super::log::Commit;
use super::run::beginning;
use super::{Opened, name};
use crate::error::Error;

/// How far back it is looked: the rest of a long history is left to the page of its commits.
const COMMITS: &str = "--max-count=500";

/// What is read of it, in bytes.
const READ: usize = 4 * 1024 * 1024;

/// How long it may take. A page that can't tell in this time goes without.
const PATIENCE: Duration = Duration::from_secs(2);

impl Opened {
    /// For each name in a folder (empty: the top) the last commit that changed it or something below it, as far as the
    /// last 500 commits of the folder tell and two seconds suffice.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn latest_changes(
        &self,
        commit: &str,
        folder: &str,
    ) -> Result<HashMap<String, Commit>, Error> {
        let mut command = self.command("log");
        command
            .args(["-z", "--name-only", "--no-renames", "--no-show-signature"])
            .args([COMMITS, "--format=tformat:%x01%H"])
            .args(["--end-of-options", commit, "--"]);
        if !folder.is_empty() {
            command.arg(folder);
        }
        let Ok(read) = tokio::time::timeout(PATIENCE, beginning(command, READ)).await else {
            return Ok(HashMap::new());
        };
        let changed = read_changes(&read?.output, folder);
        let mut ids: Vec<String> = changed.values().cloned().collect();
        ids.sort();
        ids.dedup();
        let commits = self.commits(&ids).await?;
        Ok(changed
            .into_iter()
            .filter_map(|(name, id)| Some((name, commits.get(&id)?.clone())))
            .collect())
    }
}

/// Ids, each marked and followed by the paths that the commit changed; the newest first.
fn read_changes(output: &[u8], folder: &str) -> HashMap<String, String> {
    let above = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let mut changed = HashMap::new();
    let mut id = String::new();
    for record in output.split(|byte| *byte == 0) {
        let text = String::from_utf8_lossy(record);
        let text = text.trim_start_matches('\n');
        if let Some(next) = text.strip_prefix('\x01').filter(|next| name::is_id(next)) {
            next.clone_into(&mut id);
        } else if let Some(below) = text.strip_prefix(&above) {
            let entry = below.split('/').next().unwrap_or_default();
            if !entry.is_empty() && !changed.contains_key(entry) {
                changed.insert(entry.to_owned(), id.clone());
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_commit_that_names_an_entry_counts() {
        let (new, old) = ("a".repeat(40), "b".repeat(40));
        let output =
            format!("\x01{new}\0\nsrc/a.rs\0src/x/y.rs\0\x01{old}\0\nsrc/a.rs\0src/b.rs\0README\0");
        let changed = read_changes(output.as_bytes(), "src");
        let expected = [("a.rs", &new), ("x", &new), ("b.rs", &old)]
            .map(|(entry, id)| (entry.to_owned(), id.clone()));
        assert_eq!(changed, HashMap::from(expected));
        assert_eq!(read_changes(output.as_bytes(), "").len(), 2);
    }
}
