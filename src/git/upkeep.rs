//! Repositories are kept quick to read: each push brings a pack of its own, and now and then all become one.

use std::fs;
use std::io;
use std::path::Path;

use actix_web::web;

use super::program::Git;
use super::repository::Address;
use crate::app::App;

/// With so many packs a repository is packed anew.
const MANY: usize = 50;

/// Packs the repository anew if pushes left many packs behind. One repository at a time on each node, and each on one node:
/// whoever comes meanwhile leaves it to the next push.
pub async fn after_push(app: &App, address: Address) {
    let Ok(_alone) = app.git_upkeep.try_acquire() else {
        return;
    };
    let repositories = app.repositories.clone();
    let packed = web::block(move || {
        let path = repositories.path(address);
        pack_together(repositories.git(), &path, MANY)
    })
    .await;
    match packed {
        Ok(Ok(false)) => {}
        Ok(Ok(true)) => {
            tracing::info!(
                project_id = address.project_id,
                "A repository was packed anew"
            );
        }
        Ok(Err(error)) => tracing::warn!(%error, "A repository could not be packed anew"),
        Err(error) => tracing::warn!(%error, "A repository could not be packed anew"),
    }
}

/// Makes one pack of all if there are at least `many`. Pushes that go on meanwhile keep theirs. Tells whether it did.
///
/// # Errors
/// When the disk can't be read, or Git doesn't do it.
fn pack_together(git: &Git, repository: &Path, many: usize) -> io::Result<bool> {
    if packs(repository)? < many {
        return Ok(false);
    }
    // Another node may be at it. The lock goes with whoever has it, be they killed.
    let turn = fs::File::create(repository.join("upkeep"))?;
    match turn.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(false),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // What nothing leads to stays for two weeks: a push that waits at the gate may build on it.
    for arguments in [
        &[
            "repack",
            "-A",
            "-d",
            "-q",
            "--unpack-unreachable=2.weeks.ago",
        ][..],
        &["prune", "--expire=2.weeks.ago"],
        &["pack-refs", "--all"],
    ] {
        let output = git.command(repository).args(arguments).output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(why.trim().to_owned()));
        }
    }
    Ok(true)
}

fn packs(repository: &Path) -> io::Result<usize> {
    let folder = match fs::read_dir(repository.join("objects/pack")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        folder => folder?,
    };
    let mut packs = 0;
    for entry in folder {
        let name = entry?.file_name();
        packs += usize::from(
            Path::new(&name)
                .extension()
                .is_some_and(|end| end == "pack"),
        );
    }
    Ok(packs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(path: &Path, arguments: &[&str]) -> String {
        let output = Git::find()
            .command(path)
            .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn many_packs_become_one_with_all_that_was_in_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.git");
        Git::find().init(&path, "main").unwrap();
        let tree = git(&path, &["hash-object", "-t", "tree", "-w", "/dev/null"]);
        for number in 0..3 {
            assert!(!pack_together(&Git::find(), &path, 3).unwrap());
            let message = format!("number {number}");
            let mut arguments = vec!["commit-tree", &tree, "-m", &message];
            let parent = (number > 0).then(|| git(&path, &["rev-parse", "main"]));
            if let Some(parent) = &parent {
                arguments.extend(["-p", parent]);
            }
            let commit = git(&path, &arguments);
            git(&path, &["update-ref", "refs/heads/main", &commit]);
            git(&path, &["repack", "-d", "-q"]);
        }
        assert_eq!(packs(&path).unwrap(), 3);
        let other_node = fs::File::create(path.join("upkeep")).unwrap();
        other_node.lock().unwrap();
        assert!(!pack_together(&Git::find(), &path, 3).unwrap());
        other_node.unlock().unwrap();
        assert!(pack_together(&Git::find(), &path, 3).unwrap());
        assert_eq!(packs(&path).unwrap(), 1);
        assert_eq!(git(&path, &["rev-list", "--count", "main"]), "3");
    }
}
