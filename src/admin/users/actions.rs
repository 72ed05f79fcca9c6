//! What is done to a person, and the pages that ask first.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::rows::OWN_BLOCK;
use super::show::OWN_DELETION;
use super::{PATH, address, edit, is_oneself, person, shell_of, store};
use crate::admin::gate::administers;
use crate::error::{Error, What};
use crate::users::store::UserRef;
use crate::users::{User, UserState, delete, end_sessions, holdings, state};
use crate::web::form_errors::on_form;
use crate::web::lists::grouped;
use crate::web::page::PageCall;
use crate::web::views::admin::users::{ConfirmPage, Question};
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;

/// Groups that one sentence names.
const NAMED: usize = 5;

/// `GET /admin/users/{username}/{action}` (`Administer`): the form, or the page that asks first.
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators, and for bots.
pub async fn ask(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    match call.segment("action") {
        "edit" => edit::edit(call).await,
        "sessions" => {
            let user = person(&call).await?;
            Ok(call.redirect(&format!("{}#sessions", address(&user.username))))
        }
        action => {
            let action = Action::parse(action)?;
            let user = person(&call).await?;
            confirm(&call, &user, action, StatusCode::OK, FormErrors::none()).await
        }
    }
}

/// `POST /admin/users/{username}/{action}` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators, and for bots.
pub async fn act(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    match call.segment("action") {
        "edit" => edit::update(call).await,
        "sessions" => end(&call).await,
        action => {
            let action = Action::parse(action)?;
            let user = person(&call).await?;
            let done = match action {
                Action::Block => block(&call, &user).await,
                Action::Unblock => unblock(&call, &user).await,
                Action::Delete => remove(&call, &user).await,
            };
            match done {
                Ok(res) => Ok(res),
                Err(error) => {
                    let errors = on_form(error, &[])?;
                    let status = StatusCode::UNPROCESSABLE_ENTITY;
                    confirm(&call, &user, action, status, errors).await
                }
            }
        }
    }
}

/// What is asked about first.
#[derive(Debug, Clone, Copy)]
enum Action {
    Block,
    Unblock,
    Delete,
}

impl Action {
    fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "block" => Ok(Action::Block),
            "unblock" => Ok(Action::Unblock),
            "delete" => Ok(Action::Delete),
            _ => Err(Error::NotFound(What::Thing)),
        }
    }
}

async fn block(call: &PageCall, user: &User) -> Result<HttpResponse, Error> {
    let id = user.id;
    let without_owner = call
        .write(move |conn, ctx| {
            let left = holdings::left_without_owner(conn, id, ctx.today())?;
            state::block(conn, ctx, &UserRef::Id(id))?;
            Ok(left)
        })
        .await?;
    if without_owner.is_empty() {
        call.flash(Tone::Success, format!("{} was blocked.", user.name));
    } else {
        call.flash(
            Tone::Warning,
            format!(
                "{} was blocked. {} no active Owner now: give somebody the role on the members page.",
                user.name,
                have(&without_owner)
            ),
        );
    }
    Ok(call.redirect(&address(&user.username)))
}

/// `acme has`, `acme and other have`, `a, b, c, d, e and 7 more groups have`.
fn have(groups: &[String]) -> String {
    match groups {
        [one] => format!("{one} has"),
        [all @ .., last] if groups.len() <= NAMED => format!("{} and {last} have", all.join(", ")),
        _ => {
            let (named, more) = groups.split_at(NAMED.min(groups.len()));
            format!("{} and {} more groups have", named.join(", "), more.len())
        }
    }
}

async fn unblock(call: &PageCall, user: &User) -> Result<HttpResponse, Error> {
    let id = user.id;
    call.write(move |conn, ctx| state::unblock(conn, ctx, &UserRef::Id(id)))
        .await?;
    let done = if call.form.is_ticked("approve") {
        "approved"
    } else {
        "unblocked"
    };
    call.flash(Tone::Success, format!("{} was {done}.", user.name));
    Ok(call.redirect(&address(&user.username)))
}

async fn remove(call: &PageCall, user: &User) -> Result<HttpResponse, Error> {
    if call.form.text("user[confirm]").trim() != user.username {
        let text = "The username that you typed isn't that of this person. Nothing was deleted.";
        return Err(Error::refused(text));
    }
    let id = user.id;
    call.write(move |conn, ctx| delete::delete(conn, ctx, id))
        .await?;
    call.app.projects_gone.notify_one();
    call.flash(Tone::Success, format!("{} was deleted.", user.name));
    Ok(call.redirect(PATH))
}

/// Ends one session, or all.
async fn end(call: &PageCall) -> Result<HttpResponse, Error> {
    let user = person(call).await?;
    let id = user.id;
    let said = if call.form.is_ticked("all") {
        let ended = call
            .write(move |conn, ctx| end_sessions::end_all(conn, ctx, id))
            .await?;
        match ended {
            0 => format!("{} was not signed in anywhere.", user.name),
            1 => format!("One session of {} was ended.", user.name),
            n => format!("{n} sessions of {} were ended.", user.name),
        }
    } else {
        let session = call.form.text("session").to_owned();
        let ended = call
            .write(move |conn, ctx| end_sessions::end_one(conn, ctx, id, &session))
            .await?;
        if ended {
            format!("The session of {} was ended.", user.name)
        } else {
            "That session had ended already.".to_owned()
        }
    };
    call.flash(Tone::Success, said);
    Ok(call.redirect(&format!("{}#sessions", address(&user.username))))
}

async fn confirm(
    call: &PageCall,
    user: &User,
    action: Action,
    status: StatusCode,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let (id, oneself) = (user.id, is_oneself(call, user));
    let question = match action {
        Action::Block => {
            let active = user.state == UserState::Active;
            Question::Block {
                kept: oneself.then_some(OWN_BLOCK),
                without_owner: call
                    .read(move |conn, ctx| {
                        if active {
                            holdings::left_without_owner(conn, id, ctx.today())
                        } else {
                            Ok(Vec::new())
                        }
                    })
                    .await?,
            }
        }
        Action::Unblock => Question::Unblock,
        Action::Delete => {
            call.read(move |conn, ctx| {
                let today = ctx.today();
                let roles = store::count_roles(conn, &[id], today)?;
                Ok(Question::Delete {
                    kept: oneself.then_some(OWN_DELETION),
                    owned_alone: holdings::owned_alone(conn, id, today)?,
                    roles: grouped(roles.get(&id).copied().unwrap_or_default()),
                    tokens: grouped(store::count_active_tokens(conn, id, today)?),
                    bots: grouped(store::count_bots_made_by(conn, id)?),
                    projects: holdings::personal_projects(conn, id)?,
                })
            })
            .await?
        }
    };
    let step = match action {
        Action::Block => "Block",
        Action::Unblock => "Unblock",
        Action::Delete => "Delete",
    };
    let page = ConfirmPage {
        shell: shell_of(call, user, Some(step)),
        path: address(&user.username),
        name: user.name.clone(),
        username: user.username.clone(),
        question,
        errors,
    };
    call.render(status, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_some_groups_and_counts_the_others() {
        let groups = |n: u32| -> Vec<String> { (1..=n).map(|n| format!("g{n}")).collect() };
        assert_eq!(have(&groups(1)), "g1 has");
        assert_eq!(have(&groups(3)), "g1, g2 and g3 have");
        assert_eq!(
            have(&groups(12)),
            "g1, g2, g3, g4, g5 and 7 more groups have"
        );
    }
}
