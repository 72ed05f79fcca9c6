//! The folders in which code lies.

use super::{Finding, counted, database};
use crate::config::Config;
use crate::db::DbConnection;
use crate::git::program::Git;
use crate::git::{Repositories, removal};

/// Every repository belongs to a project. One that doesn't is left alone: whoever brought back an older backup may want
/// to bring back a newer one.
pub(super) fn orphans(conn: &mut DbConnection, config: &Config) -> Finding {
    const CHECK: &str = "repositories";
    let root = config.repositories();
    let repositories = Repositories::new(&root, Git::find());
    let all = match repositories.all() {
        Ok(all) => all,
        Err(error) => {
            return Finding::failed(
                CHECK,
                format!("{} can't be read: {error}", root.display()),
                "run this as the user that the server runs as",
            );
        }
    };
    let orphans = match removal::of_nobody(conn, &all) {
        Ok(orphans) => orphans,
        Err(error) => {
            return Finding::failed(
                CHECK,
                format!("could not be looked at: {}", database::cause(&error)),
                "look at the database's own log",
            );
        }
    };
    match orphans.first() {
        None => Finding::ok(CHECK, counted_repositories(all.len())),
        Some(first) => Finding::warning(
            CHECK,
            format!(
                "{} of {} without a project, such as {}",
                orphans.len(),
                counted_repositories(all.len()),
                repositories.path(*first).display()
            ),
            "remove them, unless a newer backup of the database is to be restored",
        ),
    }
}

fn counted_repositories(number: usize) -> String {
    counted(
        i64::try_from(number).unwrap_or(i64::MAX),
        "repository",
        "repositories",
    )
}
