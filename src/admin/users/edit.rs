//! The form for a person: making one, and changing one.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{PATH, address, is_oneself, person, shell, shell_of};
use crate::admin::gate::administers;
use crate::error::{Error, FieldErrors};
use crate::users::create::{self as creating, NewPerson};
use crate::users::edit::{Edited, PersonChanges, edit_as_seen, fingerprint};
use crate::users::password::{Password, PasswordProblem};
use crate::users::{User, store};
use crate::web::form_errors::{Field, on_form};
use crate::web::page::{Form, PageCall};
use crate::web::views::admin::users::UserFormPage;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::Crumb;

/// The fields of the form.
const FIELDS: [Field; 4] = [
    Field::new("name", "name", "Name"),
    Field::new("username", "username", "Username"),
    Field::new("email", "email", "Email"),
    Field::new("password", "password", "Password"),
];

/// Why the last administrator stays one.
const LAST_ADMIN: &str = "The only active administrator stays one.";

/// What was typed and is kept; the password isn't.
#[derive(Clone, Default)]
struct Typed {
    name: String,
    username: String,
    email: String,
    admin: bool,
    external: bool,
}

impl Typed {
    fn read(form: &Form) -> Self {
        Typed {
            name: form.text("user[name]").trim().to_owned(),
            username: form.text("user[username]").trim().to_owned(),
            email: form.text("user[email]").trim().to_owned(),
            admin: form.is_ticked("user[admin]"),
            external: form.is_ticked("user[external]"),
        }
    }

    fn of(user: &User) -> Self {
        Typed {
            name: user.name.clone(),
            username: user.username.clone(),
            email: user.email.clone(),
            admin: user.admin,
            external: user.external,
        }
    }

    /// What is different now from what was typed, in the words of the form.
    fn compare(&self, now: &User) -> FormErrors {
        let mut news = FormErrors::about_form(
            "Somebody changed this person meanwhile. Nothing was saved, and what you typed is kept: \
             compare it with what is there now, then save again.",
        );
        let texts = [
            ("name", "Name", &self.name, &now.name),
            ("username", "Username", &self.username, &now.username),
            ("email", "Email", &self.email, &now.email),
        ];
        for (field, caption, typed, is) in texts {
            if typed != is {
                news.add(field, format!("{caption} is now “{is}”"));
            }
        }
        let boxes = [
            ("admin", "an administrator", self.admin, now.admin),
            ("external", "external", self.external, now.external),
        ];
        for (field, what, typed, is) in boxes {
            if typed != is {
                let not = if is { "" } else { "not " };
                news.add(field, format!("The person is now {not}{what}"));
            }
        }
        news
    }
}

/// `GET /admin/users/new` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
#[allow(clippy::unused_async, reason = "a handler")]
pub async fn new(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    new_form(&call, StatusCode::OK, Typed::default(), FormErrors::none())
}

/// `POST /admin/users` (`Administer`): makes a person.
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn create(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let typed = Typed::read(&call.form);
    let hashed = hash(&call, &typed).await?;
    let problem = hashed.as_ref().err().copied();
    let new = NewPerson {
        username: typed.username.clone(),
        name: typed.name.clone(),
        email: typed.email.clone(),
        password_hash: hashed.ok().flatten(),
        admin: typed.admin,
        external: typed.external,
    };
    let made = call
        .write(move |conn, ctx| told_with(problem, creating::create(conn, ctx, &new)))
        .await;
    match made {
        Ok(user) => {
            call.flash(Tone::Success, format!("{} was created.", user.name));
            Ok(call.redirect(&address(&user.username)))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            new_form(&call, StatusCode::UNPROCESSABLE_ENTITY, typed, errors)
        }
    }
}

/// `GET /admin/users/{username}/edit` (`Administer`).
pub(super) async fn edit(call: PageCall) -> Result<HttpResponse, Error> {
    let user = person(&call).await?;
    let typed = Typed::of(&user);
    edit_form(
        &call,
        &user,
        StatusCode::OK,
        typed,
        FormErrors::none(),
        None,
    )
    .await
}

/// `POST /admin/users/{username}/edit` (`Administer`).
pub(super) async fn update(call: PageCall) -> Result<HttpResponse, Error> {
    let user = person(&call).await?;
    let typed = Typed::read(&call.form);
    let hashed = hash(&call, &typed).await?;
    let problem = hashed.as_ref().err().copied();
    let changes = PersonChanges {
        name: Some(typed.name.clone()),
        username: Some(typed.username.clone()),
        email: Some(typed.email.clone()),
        admin: Some(typed.admin),
        external: Some(typed.external),
        password_hash: hashed.ok().flatten(),
    };
    let (id, seen) = (user.id, call.form.text("user[seen]").to_owned());
    let told = seen.clone();
    let edited = call
        .write(move |conn, ctx| told_with(problem, edit_as_seen(conn, ctx, id, &seen, &changes)))
        .await;
    match edited {
        Ok(Edited::Saved(user)) => {
            call.flash(Tone::Success, format!("{} was updated.", user.name));
            Ok(call.redirect(&address(&user.username)))
        }
        Ok(Edited::ChangedMeanwhile(now)) => {
            let errors = typed.compare(&now);
            edit_form(&call, &now, StatusCode::CONFLICT, typed, errors, None).await
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            // Still about the person as the form showed them.
            edit_form(&call, &user, status, typed, errors, Some(told)).await
        }
    }
}

/// The hash of the password that was typed, if one was.
async fn hash(
    call: &PageCall,
    typed: &Typed,
) -> Result<Result<Option<String>, PasswordProblem>, Error> {
    let password = call.form.text("user[password]");
    if password.is_empty() {
        return Ok(Ok(None));
    }
    let about = [&typed.username, &typed.email, &typed.name].map(String::clone);
    let hashed = call
        .app
        .hashing
        .hash(Password::new(password), about)
        .await?;
    Ok(hashed.map(Some))
}

/// With a bad password whatever was done is taken back, and only what else is wrong is told beside it.
fn told_with<T>(problem: Option<PasswordProblem>, done: Result<T, Error>) -> Result<T, Error> {
    let Some(problem) = problem else {
        return done;
    };
    let mut errors = match done {
        Ok(_) => FieldErrors::default(),
        Err(Error::Invalid(errors)) => errors,
        Err(other) => return Err(other),
    };
    errors.add("password", problem.message());
    Err(Error::Invalid(errors))
}

fn new_form(
    call: &PageCall,
    status: StatusCode,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let mut shell = shell(call, "New user");
    shell.breadcrumbs.insert(1, Crumb::link("Users", PATH));
    let page = UserFormPage {
        shell,
        action: PATH.into(),
        back: PATH.into(),
        of: None,
        seen: String::new(),
        name: typed.name,
        username: typed.username,
        email: typed.email,
        admin: typed.admin,
        admin_fixed: None,
        external: typed.external,
        errors,
    };
    call.render(status, &page)
}

/// The form about a person, as they are now or as they were `seen`.
async fn edit_form(
    call: &PageCall,
    user: &User,
    status: StatusCode,
    typed: Typed,
    errors: FormErrors,
    seen: Option<String>,
) -> Result<HttpResponse, Error> {
    let whom = user.clone();
    let (now, others) = call
        .read(move |conn, ctx| {
            let now = fingerprint(conn, ctx, &whom)?;
            Ok((now, store::other_admins(conn, whom.id)? > 0))
        })
        .await?;
    let path = address(&user.username);
    let last = is_oneself(call, user) && user.admin && !others;
    let page = UserFormPage {
        shell: shell_of(call, user, Some("Edit")),
        action: format!("{path}/edit"),
        back: path,
        of: Some(user.name.clone()),
        seen: seen.unwrap_or(now),
        name: typed.name,
        username: typed.username,
        email: typed.email,
        admin: typed.admin || last,
        admin_fixed: last.then_some(LAST_ADMIN),
        external: typed.external,
        errors,
    };
    call.render(status, &page)
}
