//! `/api/v4/user` and `/api/v4/users`.

mod objects;
mod parameters;

pub use objects::{BasicUser, UserObject};

use super::create::{self as creating, NewPerson};
use super::edit::{self as editing, PersonChanges};
use super::password::Password;
use super::store::UserRef;
use super::{User, delete as deleting, list as listing, state, store};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Denied, Error, FieldErrors, What};
use crate::permissions::Right;
use crate::web::api::{ApiCall, Listed, Made, NoContent, Shown};
use parameters::{Changes, Listing, NewUser};

/// `GET /user`: the caller, a person or a bot.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn show_self(call: ApiCall) -> Result<Shown<UserObject>, Error> {
    let unknown = Error::Unauthenticated(Denied::Unknown);
    let user = call.ctx.actor.user.as_ref().ok_or(unknown)?;
    Ok(Shown(UserObject::of(&call.ctx, user)))
}

/// `GET /users/:id`. Anybody with a credential.
pub async fn show(call: ApiCall) -> Result<Shown<UserObject>, Error> {
    let id = call.number("id");
    let user = call
        .read(move |conn, _| store::find(conn, id)?.ok_or(Error::NotFound(What::User)))
        .await?;
    Ok(Shown(UserObject::of(&call.ctx, &user)))
}

/// `GET /users`. Anybody with a credential.
pub async fn list(call: ApiCall, asked: Listing) -> Result<Listed<BasicUser>, Error> {
    let page = call
        .read(move |conn, ctx| listing::list(conn, ctx, &asked.filter, asked.request))
        .await?;
    Ok(Listed(page.map(|user| BasicUser::of(&call.ctx, &user))))
}

/// `POST /users`. Administrators.
pub async fn create(call: ApiCall, asked: NewUser) -> Result<Made<UserObject>, Error> {
    may_administer(&call.ctx)?;
    if asked.password.is_none() && !asked.without_password {
        let text =
            "password, force_random_password are missing, at least one parameter must be provided";
        return Err(Error::Parameter(text.into()));
    }
    let about = [&asked.username, &asked.email, &asked.name].map(String::clone);
    let password_hash = hashed(&call, asked.password, about).await?;
    let new = NewPerson {
        username: asked.username,
        name: asked.name,
        email: asked.email,
        password_hash,
        admin: asked.admin,
        external: asked.external,
    };
    let user = call
        .write(move |conn, ctx| creating::create(conn, ctx, &new))
        .await
        .map_err(taken)?;
    Ok(Made(UserObject::of(&call.ctx, &user)))
}

/// `PUT /users/:id`. Administrators.
pub async fn update(call: ApiCall, asked: Changes) -> Result<Shown<UserObject>, Error> {
    may_administer(&call.ctx)?;
    let id = call.number("id");
    let user = call
        .read(move |conn, _| store::find(conn, id)?.ok_or(Error::NotFound(What::User)))
        .await?;
    let about = [
        asked.username.as_ref().unwrap_or(&user.username),
        asked.email.as_ref().unwrap_or(&user.email),
        asked.name.as_ref().unwrap_or(&user.name),
    ]
    .map(String::clone);
    let password_hash = hashed(&call, asked.password, about).await?;
    let changes = PersonChanges {
        name: asked.name,
        username: asked.username,
        email: asked.email,
        admin: asked.admin,
        external: asked.external,
        password_hash,
    };
    let user = call
        .write(move |conn, ctx| editing::edit(conn, ctx, id, &changes))
        .await
        .map_err(taken)?;
    Ok(Shown(UserObject::of(&call.ctx, &user)))
}

/// Before anything is looked up or hashed: the verbs ask again.
fn may_administer(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::forbidden())
    }
}

/// The hash of a password, if one is set, that isn't too easy to guess for somebody who is called like this.
async fn hashed(
    call: &ApiCall,
    password: Option<Password>,
    about: [String; 3],
) -> Result<Option<String>, Error> {
    let Some(password) = password else {
        return Ok(None);
    };
    let hash = call.app.hashing.hash(password, about).await?;
    hash.map(Some)
        .map_err(|problem| Error::invalid("password", problem.message()))
}

/// A name or an address that somebody else has is a conflict, told in a sentence.
fn taken(error: Error) -> Error {
    let is_taken = |errors: &FieldErrors| {
        errors.iter().all(|(field, text)| {
            matches!(field, "username" | "email") && text == "has already been taken"
        })
    };
    match error {
        Error::Invalid(errors) if is_taken(&errors) => Error::Conflict(errors.to_string()),
        other => other,
    }
}

/// `POST /users/:id/block`. Administrators.
pub async fn block(call: ApiCall) -> Result<Made<bool>, Error> {
    change(&call, state::block).await
}

/// `POST /users/:id/unblock`. Administrators.
pub async fn unblock(call: ApiCall) -> Result<Made<bool>, Error> {
    change(&call, state::unblock).await
}

async fn change(
    call: &ApiCall,
    verb: fn(&mut DbConnection, &Context, &UserRef) -> Result<User, Error>,
) -> Result<Made<bool>, Error> {
    let whom = UserRef::Id(call.number("id"));
    call.write(move |conn, ctx| verb(conn, ctx, &whom).map(|_| ()))
        .await?;
    Ok(Made(true))
}

/// `DELETE /users/:id`. Administrators.
pub async fn delete(call: ApiCall) -> Result<NoContent, Error> {
    let id = call.number("id");
    call.write(move |conn, ctx| deleting::delete(conn, ctx, id))
        .await?;
    call.app.projects_gone.notify_one();
    Ok(NoContent)
}
