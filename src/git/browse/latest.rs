//! Which commit changed what in a folder last.

use std::collections::{HashMap, HashSet};
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

/// The last commits that changed a folder and what lies in it, as far as they were found.
#[derive(Debug, Default)]
pub struct LatestChanges {
    newest: Option<String>,
    by_name: HashMap<String, String>,
    commits: HashMap<String, Commit>,
}

impl LatestChanges {
    /// The last one that changed anything in the folder.
    pub fn newest(&self) -> Option<&Commit> {
        self.commits.get(self.newest.as_ref()?)
    }

    /// The last one that changed this, or something below it.
    pub fn of(&self, name: &str) -> Option<&Commit> {
        self.commits.get(self.by_name.get(name)?)
    }
}

impl Opened {
    /// The last changes of these names in a folder (empty: the top), as far as the last 500 commits of the folder tell
    /// and two seconds suffice.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Git can't be run.
    pub async fn latest_changes(
        &self,
        commit: &str,
        folder: &str,
        names: &HashSet<&str>,
    ) -> Result<LatestChanges, Error> {
        let mut command = self.command("log");
        command
            .args(["-z", "--name-only", "--no-renames", "--no-show-signature"])
            .args([COMMITS, "--format=tformat:%x00%H"])
            .args(["--end-of-options", commit, "--"]);
        if !folder.is_empty() {
            command.arg(folder);
        }
        let looked = tokio::time::timeout(PATIENCE, async {
            let read = beginning(command, READ).await?;
            let mut changes = read_changes(&read.output, folder, names);
            let mut ids: Vec<String> = changes.by_name.values().cloned().collect();
            ids.extend(changes.newest.clone());
            ids.sort();
            ids.dedup();
            changes.commits = self.commits(&ids).await?;
            Ok(changes)
        });
        looked
            .await
            .unwrap_or_else(|_| Ok(LatestChanges::default()))
    }
}

/// Ids and the paths that each commit changed, the newest first. An empty record, which no path is, stands before an id.
fn read_changes(output: &[u8], folder: &str, names: &HashSet<&str>) -> LatestChanges {
    let above = match folder {
        "" => String::new(),
        folder => format!("{folder}/"),
    };
    let mut changes = LatestChanges::default();
    let (mut id, mut announced, mut first) = (String::new(), false, false);
    for record in output.split(|byte| *byte == 0) {
        let text = String::from_utf8_lossy(record);
        if text.is_empty() {
            announced = true;
        } else if announced {
            (announced, first) = (false, true);
            if name::is_id(&text) {
                id = text.into_owned();
                changes.newest.get_or_insert_with(|| id.clone());
            }
        } else {
            // Between an id and the first path there is the end of a line.
            let path = match text.strip_prefix('\n') {
                Some(path) if first => path,
                _ => &text,
            };
            first = false;
            let below = path.strip_prefix(&above).unwrap_or_default();
            let entry = below.split('/').next().unwrap_or_default();
            if names.contains(entry) && !changes.by_name.contains_key(entry) {
                changes.by_name.insert(entry.to_owned(), id.clone());
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_commit_that_names_an_entry_counts() {
        let (new, old) = ("a".repeat(40), "b".repeat(40));
        let odd = format!("\x01{}", "0".repeat(40));
        let output = format!(
            "\0{new}\0\nsrc/a.rs\0src/x/y.rs\0src/{odd}\0\0{old}\0\nsrc/a.rs\0src/b.rs\0README\0\nsrc\0"
        );
        let names = HashSet::from(["a.rs", "x", "b.rs", "README", "\nsrc", odd.as_str()]);
        let told = |folder: &str| {
            let changes = read_changes(output.as_bytes(), folder, &names);
            assert_eq!(changes.newest.as_ref(), Some(&new));
            changes.by_name
        };
        let expected = [("a.rs", &new), ("x", &new), (&odd, &new), ("b.rs", &old)]
            .map(|(entry, id)| (entry.to_owned(), id.clone()));
        assert_eq!(told("src"), HashMap::from(expected));
        let expected =
            [("README", &old), ("\nsrc", &old)].map(|(entry, id)| (entry.to_owned(), id.clone()));
        assert_eq!(told(""), HashMap::from(expected));
    }
}
