//! Repositories of projects that are gone. The database writes down each project that goes, whatever took it along;
//! the folder goes after that has been committed.

use diesel::prelude::*;

use super::repository::Address;
use crate::app::App;
use crate::db::schema::removed_repositories as removed;
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

fn waiting(conn: &mut DbConnection, after: i64) -> Result<Vec<Address>, Error> {
    let rows: Vec<(i64, Timestamp)> = removed::table
        .filter(removed::project_id.gt(after))
        .order((removed::project_id.asc(), removed::created_at.asc()))
        .limit(AT_ONCE)
        .select((removed::project_id, removed::created_at))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(project_id, created_at)| Address {
            project_id,
            created_at: created_at.into(),
        })
        .collect())
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
