//! Tokens that were ticked in a list of many places: the page that asks, and what is said afterwards.

use std::collections::BTreeSet;

use actix_web::HttpResponse;

use super::super::ListedToken;
use super::super::revoke::Together;
use super::rows;
use crate::error::Error;
use crate::web::page::{Form, PageCall, same_origin_path};
use crate::web::views::components::Tone;
use crate::web::views::shell::Shell;
use crate::web::views::token_lists::{ChosenToken, RevokeSelectedPage};

/// Tokens that one form revokes, at the most.
const AT_ONCE: usize = 100;

/// What was ticked, each once. An id that is none names no token.
///
/// # Errors
/// Says why these can't be revoked together.
pub(super) fn chosen(form: &Form) -> Result<Vec<i64>, &'static str> {
    let ids: BTreeSet<i64> = form
        .all("ids")
        .into_iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    match ids.len() {
        0 => Err("No token was selected."),
        1..=AT_ONCE => Ok(ids.into_iter().collect()),
        _ => Err("At most 100 tokens can be revoked at a time."),
    }
}

/// The list at `path` that somebody came from, as it was filtered.
pub(super) fn back(form: &Form, path: &str) -> String {
    let from = same_origin_path(form.text("back"));
    if from == path || from.starts_with(&format!("{path}?")) {
        from
    } else {
        path.to_owned()
    }
}

/// Back to the list, with what is wrong.
pub(super) fn refused(call: &PageCall, back: &str, problem: &str) -> HttpResponse {
    call.flash(Tone::Danger, problem);
    call.redirect(back)
}

/// Asks about these tokens, each with the place that it is for.
///
/// # Errors
/// When the page can't be drawn.
pub(super) fn ask(
    call: &PageCall,
    shell: impl FnOnce() -> Shell,
    path: &str,
    back: String,
    mut tokens: Vec<(ListedToken, String)>,
) -> Result<HttpResponse, Error> {
    let now = call.ctx.now;
    if tokens.is_empty() {
        call.flash(Tone::Warning, NOT_HERE);
        return Ok(call.redirect(&back));
    }
    tokens.retain(|(listed, _)| !listed.token.is_revoked(now));
    if tokens.is_empty() {
        return Ok(refused(call, &back, "These tokens are revoked already."));
    }
    call.ok(&RevokeSelectedPage {
        shell: shell(),
        path: path.to_owned(),
        used_lately: tokens
            .iter()
            .any(|(listed, _)| rows::is_used_lately(listed, now)),
        tokens: tokens
            .into_iter()
            .map(|(listed, holder)| ChosenToken {
                id: listed.token.id,
                summary: rows::summary(&listed, now, call.ctx.actor.wants_exact_times()),
                name: listed.token.name,
                holder,
            })
            .collect(),
        back,
    })
}

/// Back to the list, with how many were revoked and what became of the others.
pub(super) fn done(call: &PageCall, back: &str, together: &Together, asked: usize) -> HttpResponse {
    call.app.jobs_waiting.notify_one();
    let (tone, said) = said(together, asked);
    call.flash(tone, said);
    call.redirect(back)
}

/// None of those that were chosen can be found.
const NOT_HERE: &str = "These tokens are not here, or not any more. Nothing was done to them.";

/// `Revoked 2 access tokens.`, and what became of the others.
fn said(together: &Together, asked: usize) -> (Tone, String) {
    let (revoked, already) = (together.revoked.len(), together.already);
    let absent = asked.saturating_sub(revoked + already);
    let mut said = Vec::new();
    match together.revoked.as_slice() {
        [] if already == 0 => return (Tone::Warning, NOT_HERE.to_owned()),
        [] if absent == 0 => {
            return (Tone::Info, "These tokens were revoked already.".to_owned());
        }
        [] => said.push("No token was revoked.".to_owned()),
        [one] => said.push(format!("Revoked access token {}.", one.token.name)),
        many => said.push(format!("Revoked {} access tokens.", many.len())),
    }
    match already {
        0 => {}
        1 => said.push("1 was revoked already.".to_owned()),
        others => said.push(format!("{others} were revoked already.")),
    }
    match absent {
        0 => return (Tone::Success, said.join(" ")),
        1 => said.push("1 is not here, or not any more: nothing was done to it.".to_owned()),
        others => said.push(format!(
            "{others} are not here, or not any more: nothing was done to them."
        )),
    }
    (Tone::Warning, said.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/admin/credentials";

    #[test]
    fn a_hundred_can_be_chosen_and_none_cannot() {
        let form = |number: usize| {
            let text: Vec<String> = (1..=number).map(|id| format!("ids={id}")).collect();
            Form::parse(text.join("&").as_bytes())
        };
        assert!(chosen(&form(0)).is_err());
        assert_eq!(chosen(&form(100)).map(|ids| ids.len()), Ok(100));
        assert!(chosen(&form(101)).is_err());
        assert_eq!(chosen(&Form::parse(b"ids=3&ids=x&ids=3")), Ok(vec![3]));
    }

    #[test]
    fn one_comes_back_to_the_list_and_nowhere_else() {
        let from = |text: &str| back(&Form::parse(format!("back={text}").as_bytes()), PATH);
        assert_eq!(
            from("/admin/credentials?page=2"),
            "/admin/credentials?page=2"
        );
        for elsewhere in [
            "",
            "/admin",
            "//evil.example",
            "https://evil.example",
            "/admin/credentialsx",
        ] {
            assert_eq!(from(elsewhere), PATH);
        }
    }
}
