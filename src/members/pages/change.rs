//! Adding members and changing them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::NaiveDate;

use super::{Kind, Told, address, find_manageable, list_page, may_manage, sentence, user_id};
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::members::change::Ends;
use crate::members::{AccessLevel, add as adding, change as changing};
use crate::users::{self, User};
use crate::web::form_errors::{Field, on_form};
use crate::web::page::{Form, PageCall};
use crate::web::params::parse_date;
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;

/// The fields of the forms of members.
const FIELDS: [Field; 3] = [
    Field::new("user_id", "user", "Username or email"),
    Field::new("access_level", "access_level", "Role"),
    Field::new("expires_at", "expires_at", "Access expiration date"),
];

/// What was typed into a form of a member.
#[derive(Debug, Clone, Default)]
pub(super) struct Typed {
    pub(super) user: String,
    pub(super) access_level: Option<AccessLevel>,
    pub(super) expires_at: String,
}

impl Typed {
    fn read(form: &Form) -> Self {
        Typed {
            user: form.text("member[user]").trim().to_owned(),
            access_level: form
                .text("member[access_level]")
                .parse()
                .ok()
                .and_then(AccessLevel::from_number),
            expires_at: form.text("member[expires_at]").trim().to_owned(),
        }
    }

    /// Role and end, or what is wrong with them.
    fn check(&self, errors: &mut FormErrors) -> Option<(AccessLevel, Option<NaiveDate>)> {
        if self.access_level.is_none() {
            errors.add("access_level", "Role must be one of the list");
        }
        let date = parse_date(&self.expires_at);
        if date.is_none() && !self.expires_at.is_empty() {
            errors.add(
                "expires_at",
                "Access expiration date must be a date like 2027-01-31",
            );
        }
        errors.is_empty().then_some(())?;
        Some((self.access_level?, date))
    }
}

pub(super) async fn add(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let typed = Typed::read(&call.form);
    let path = call.segment("full_path").to_owned();
    let mut errors = FormErrors::none();
    if typed.user.is_empty() {
        errors.add("user", "Username or email can't be blank");
    }
    let Some((level, date)) = typed.check(&mut errors) else {
        may_manage(&call, kind).await?;
        return add_again(&call, kind, typed, errors).await;
    };
    let login = typed.user.clone();
    let added = call
        .write(move |conn, ctx| {
            let resource = find_manageable(conn, ctx, kind, &path)?;
            let user = find_person(conn, &login)?;
            adding::add(conn, ctx, &resource, &user, level, date).map_err(|error| match error {
                Error::Conflict(_) => {
                    Error::invalid("user", format!("{} is a member here already", user.name))
                }
                other => other,
            })?;
            Ok((resource, user))
        })
        .await;
    match added {
        Ok((resource, user)) => {
            call.flash(
                Tone::Success,
                format!("{} was added as {level}.", user.name),
            );
            Ok(call.redirect(&address(&resource)))
        }
        Err(Error::Invalid(invalid)) if invalid.iter().any(|(field, _)| field == "user") => {
            for (_, sentence) in invalid.iter() {
                errors.add("user", sentence);
            }
            add_again(&call, kind, typed, errors).await
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            add_again(&call, kind, typed, errors).await
        }
    }
}

async fn add_again(
    call: &PageCall,
    kind: Kind,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let told = Told {
        add: Some((typed, errors)),
        change: None,
    };
    list_page(call, kind, told, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// The person with this user name or address, to be added.
fn find_person(conn: &mut DbConnection, login: &str) -> Result<User, Error> {
    // No account has such characters, and PostgreSQL takes no NUL.
    let found = if login.chars().any(char::is_control) {
        None
    } else {
        users::store::find_by_login(conn, login)?
    };
    match found {
        None => Err(Error::invalid(
            "user",
            format!("Nobody has the username or email {login}"),
        )),
        Some(user) if !user.is_human() => Err(Error::invalid(
            "user",
            "The bot of an access token can't be added: it stays where its token was made",
        )),
        Some(user) => Ok(user),
    }
}

pub(super) async fn change(call: PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let (path, id) = (call.segment("full_path").to_owned(), user_id(&call)?);
    let typed = Typed::read(&call.form);
    let mut errors = FormErrors::none();
    let Some((level, date)) = typed.check(&mut errors) else {
        may_manage(&call, kind).await?;
        return change_again(&call, kind, id, typed, errors).await;
    };
    let changed = call
        .write(move |conn, ctx| {
            let resource = find_manageable(conn, ctx, kind, &path)?;
            let ends = date.map_or(Ends::Never, Ends::On);
            changing::change(conn, ctx, &resource, id, level, ends)?;
            let user = users::store::find(conn, id)?.ok_or(Error::NotFound(What::User))?;
            Ok((resource, user))
        })
        .await;
    match changed {
        Ok((resource, user)) => {
            call.flash(
                Tone::Success,
                format!("The membership of {} was updated.", user.name),
            );
            Ok(call.redirect(&address(&resource)))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            change_again(&call, kind, id, typed, errors).await
        }
    }
}

async fn change_again(
    call: &PageCall,
    kind: Kind,
    id: i64,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let texts: Vec<String> = errors
        .messages
        .into_iter()
        .map(|error| error.text)
        .collect();
    let told = Told {
        add: None,
        change: Some((id, Some(typed), sentence(&texts.join(". ")))),
    };
    list_page(call, kind, told, StatusCode::UNPROCESSABLE_ENTITY).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &str) -> (Option<(AccessLevel, Option<NaiveDate>)>, Vec<String>) {
        let mut errors = FormErrors::none();
        let checked = Typed::read(&Form::parse(form.as_bytes())).check(&mut errors);
        (
            checked,
            errors
                .messages
                .into_iter()
                .map(|error| error.field)
                .collect(),
        )
    }

    #[test]
    fn a_role_is_one_of_the_list_and_an_end_is_a_date() {
        let date = NaiveDate::from_ymd_opt(2027, 1, 31);
        let good = "member[access_level]=30&member[expires_at]=2027-01-31";
        assert_eq!(check(good), (Some((AccessLevel::Developer, date)), vec![]));
        assert_eq!(
            check("member[access_level]=50"),
            (Some((AccessLevel::Owner, None)), vec![])
        );
        for (form, field) in [
            ("member[access_level]=17", "access_level"),
            ("member[access_level]=fifty", "access_level"),
            ("", "access_level"),
            (
                "member[access_level]=30&member[expires_at]=2027-02-29",
                "expires_at",
            ),
            (
                "member[access_level]=30&member[expires_at]=soon",
                "expires_at",
            ),
        ] {
            assert_eq!(check(form), (None, vec![field.to_owned()]), "{form}");
        }
    }
}
