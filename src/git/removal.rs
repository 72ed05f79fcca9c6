//! Repositories of projects that are gone. The database writes down each project that goes, whatever took it along;
//! the folder goes after that has been committed.

use chrono::TimeDelta;
use diesel::prelude::*;

use super::quarantine;
use super::repository::Address;
use crate::app::App;
use crate::db::schema::{projects, removed_repositories as removed};
use crate::db::{DbConnection, Timestamp};
use crate::error::Error;

/// Folders that are removed between two looks at the database.
const AT_ONCE: i64 = 100;

/// Removes the repositories of projects that are gone. Returns how many. Safe to repeat, on several nodes, and to break
/// off.
///
/// # Errors
/// When the database is away. A folder that can't be removed stays for the next time.
pub async fn sweep(app: &App) -> Result<usize, Error> {
    let (mut swept, mut after) = (0, 0);
    loop {
        let waiting = app.db.read(move |conn| waiting(conn, after)).await?;
        let Some(last) = waiting.last() else {
            return Ok(swept);
        };
        after = last.project_id;
        let repositories = app.repositories.clone();
        let gone = actix_web::web::block(move || {
            waiting
                .into_iter()
                .filter(|address| match repositories.remove(*address) {
                    Ok(()) => true,
                    Err(error) => {
                        let project_id = address.project_id;
                        tracing::warn!(project_id, %error, "A repository could not be removed");
                        false
                    }
                })
                .collect::<Vec<Address>>()
        })
        .await
        .map_err(|error| Error::internal(error.into()))?;
        swept += gone.len();
        app.db.write(move |conn| forget(conn, &gone)).await?;
    }
}

/// What was begun so long ago and didn't come to its place never will.
const OLD: TimeDelta = TimeDelta::days(1);

/// Removes what was begun when a server was killed: drafts of repositories and of commits, gates of pushes.
///
/// # Errors
/// When the disk doesn't do it.
pub async fn sweep_drafts(app: &App) -> Result<(), Error> {
    let before = app.clock.now() - OLD;
    let repositories = app.repositories.clone();
    actix_web::web::block(move || repositories.remove_drafts(before))
        .await
        .map_err(|error| Error::internal(error.into()))?
        .map_err(|error| Error::unavailable(error.into()))
}

/// What lies in a repository longer than any run of Git may take, and so much, is nobody's any more. Runs of other nodes
/// are held to the same.
const MARGIN: TimeDelta = TimeDelta::hours(1);

/// Removes what runs of Git left in repositories because the server was killed, locks among it.
///
/// # Errors
/// When the disk can't be read. Where one repository can't be swept the others are.
pub async fn sweep_leftovers(app: &App) -> Result<(), Error> {
    let longest = TimeDelta::from_std(app.git_times.whole).unwrap_or(TimeDelta::MAX);
    let now = app.clock.now();
    let Some(before) = now.checked_sub_signed(longest).map(|long| long - MARGIN) else {
        return Ok(());
    };
    let repositories = app.repositories.clone();
    actix_web::web::block(move || {
        for address in repositories.all()? {
            if let Err(error) = quarantine::sweep(&repositories.path(address), before) {
                let project_id = address.project_id;
                tracing::warn!(project_id, %error, "What is left in a repository could not be removed");
            }
        }
        Ok::<_, std::io::Error>(())
    })
    .await
    .map_err(|error| Error::internal(error.into()))?
    .map_err(|error| Error::unavailable(error.into()))
}

/// Those of these that are of no project.
///
/// # Errors
/// When the database is away.
pub fn of_nobody(conn: &mut DbConnection, addresses: &[Address]) -> Result<Vec<Address>, Error> {
    let mut orphans = Vec::new();
    for some in addresses.chunks(1000) {
        let ids = some.iter().map(|address| address.project_id);
        let rows: Vec<(i64, Timestamp)> = projects::table
            .filter(projects::id.eq_any(ids.collect::<Vec<_>>()))
            .select((projects::id, projects::created_at))
            .load(conn)?;
        let there: Vec<Address> = rows.into_iter().map(address).collect();
        orphans.extend(some.iter().filter(|one| !there.contains(one)));
    }
    Ok(orphans)
}

fn address((project_id, created_at): (i64, Timestamp)) -> Address {
    Address {
        project_id,
        created_at: created_at.into(),
    }
}

fn waiting(conn: &mut DbConnection, after: i64) -> Result<Vec<Address>, Error> {
    let rows: Vec<(i64, Timestamp)> = removed::table
        .filter(removed::project_id.gt(after))
        .order((removed::project_id.asc(), removed::created_at.asc()))
        .limit(AT_ONCE)
        .select((removed::project_id, removed::created_at))
        .load(conn)?;
    Ok(rows.into_iter().map(address).collect())
}

fn forget(conn: &mut DbConnection, gone: &[Address]) -> Result<(), Error> {
    for address in gone {
        diesel::delete(
            removed::table
                .filter(removed::project_id.eq(address.project_id))
                .filter(removed::created_at.eq(Timestamp::from(address.created_at))),
        )
        .execute(conn)?;
    }
    Ok(())
}
