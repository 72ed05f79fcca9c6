//! The people of the instance, and the bots of its access tokens, as administrators see them.

mod actions;
mod asked;
mod edit;
mod index;
mod rows;
mod show;
pub mod store;

pub use actions::{act, ask};
pub use edit::{create, new};
pub use index::index;
pub use show::show;

use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::users::{self, User};
use crate::web::page::PageCall;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Sidebar};

/// The list's own address.
const PATH: &str = "/admin/users";

/// Where a person's page is.
pub(super) fn address(username: &str) -> String {
    // Names are found in any case, and the form for a new person has the other spelling.
    let segment = if username == "new" { "NEW" } else { username };
    format!("{PATH}/{segment}")
}

/// The person that the path names. Bots are looked after with their tokens, and the ghost by nobody.
fn find(conn: &mut DbConnection, username: &str) -> Result<User, Error> {
    // No name has such characters, and PostgreSQL takes no NUL.
    if username.chars().any(char::is_control) {
        return Err(Error::NotFound(What::User));
    }
    users::store::find_by_username(conn, username)?
        .filter(User::is_human)
        .ok_or(Error::NotFound(What::User))
}

/// The person that the path of this request names.
async fn person(call: &PageCall) -> Result<User, Error> {
    let username = call.segment("username").to_owned();
    call.read(move |conn, _| find(conn, &username)).await
}

/// The frame of a page about the list.
fn shell(call: &PageCall, title: &str) -> Shell {
    let crumbs = vec![Crumb::link("Admin", "/admin"), Crumb::here(title)];
    call.shell(title, crumbs, Some(Sidebar::admin(Place::Users)))
}

/// The frame of a page about a person; `step` is what comes after them, if anything.
fn shell_of(call: &PageCall, user: &User, step: Option<&str>) -> Shell {
    let mut crumbs = vec![Crumb::link("Admin", "/admin"), Crumb::link("Users", PATH)];
    match step {
        None => crumbs.push(Crumb::here(&user.name)),
        Some(step) => {
            crumbs.push(Crumb::link(&user.name, address(&user.username)));
            crumbs.push(Crumb::here(step));
        }
    }
    let title = match step {
        None => format!("{} · Users", user.name),
        Some(step) => format!("{step} · {}", user.name),
    };
    call.shell(title, crumbs, Some(Sidebar::admin(Place::Users)))
}

/// Are they the actor?
fn is_oneself(call: &PageCall, user: &User) -> bool {
    call.ctx.actor.user_id() == Some(user.id)
}
