//! The instance as its administrators see it.

pub mod background_jobs;
pub mod settings;
mod store;

use actix_web::HttpResponse;

use crate::context::Context;
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::users::{UserKind, UserState};
use crate::web::lists::grouped;
use crate::web::page::PageCall;
use crate::web::views::admin::{AdminOverviewPage, Count, NotBillable, SystemFact};
use crate::web::views::components::{Moment, Tone};
use crate::web::views::shell::Crumb;
use crate::web::views::sidebar::{Place, Sidebar};
use store::{Accounts, count};

/// `GET /admin` (`Administer`): counts, who takes a seat, and how the system is.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub async fn overview(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let counts = call.read(count).await?;
    let shell = call.shell(
        "Admin overview",
        vec![Crumb::here("Admin")],
        Some(Sidebar::admin(Place::Overview)),
    );
    let plain = |label, value: i64| Count {
        label,
        value: grouped(value),
        note: String::new(),
        href: None,
    };
    let accounts: i64 = counts.accounts.iter().map(|(_, _, n)| n).sum();
    let people = how_many(&counts.accounts, |kind, _| kind == UserKind::Human);
    call.ok(&AdminOverviewPage {
        shell,
        counts: vec![
            plain("People", people),
            Count {
                href: Some("/explore/groups".into()),
                ..plain("Groups", counts.groups)
            },
            plain("Projects", counts.projects),
            plain("Active tokens", counts.active_tokens),
            Count {
                note: "Within 14 days".into(),
                ..plain("Expiring tokens", counts.expiring_tokens)
            },
        ],
        billable: grouped(billable(&counts.accounts)),
        accounts: grouped(accounts),
        not_billable: not_billable(&counts.accounts),
        system: system(&call.ctx, counts.database),
    })
}

/// Everybody but administrators finds nothing here.
pub(crate) fn administers(ctx: &Context) -> Result<(), Error> {
    if ctx.actor.may_on_instance(Right::Administer) {
        Ok(())
    } else {
        Err(Error::NotFound(What::Thing))
    }
}

fn how_many(accounts: &Accounts, which: impl Fn(UserKind, UserState) -> bool) -> i64 {
    accounts
        .iter()
        .filter(|(kind, state, _)| which(*kind, *state))
        .map(|(_, _, n)| n)
        .sum()
}

/// Active people.
fn billable(accounts: &Accounts) -> i64 {
    how_many(accounts, |kind, state| {
        kind == UserKind::Human && state == UserState::Active
    })
}

/// Everybody else, each once.
fn not_billable(accounts: &Accounts) -> Vec<NotBillable> {
    let people_in = |wanted| {
        how_many(accounts, move |kind, state| {
            kind == UserKind::Human && state == wanted
        })
    };
    let of_kind = |wanted| how_many(accounts, move |kind, _| kind == wanted);
    let row = |kind, n: i64, reason| NotBillable {
        kind,
        count: grouped(n),
        reason,
    };
    vec![
        row(
            "Bots of access tokens",
            of_kind(UserKind::ProjectBot),
            "Programs. Each belongs to a group or project access token and can't sign in.",
        ),
        row(
            "Blocked people",
            people_in(UserState::Blocked),
            "They can't sign in, and their tokens don't work.",
        ),
        row(
            "Deactivated people",
            people_in(UserState::Deactivated),
            "They are set aside until they come back.",
        ),
        row(
            "Ghost user",
            of_kind(UserKind::Ghost),
            "It stands for people who were deleted.",
        ),
    ]
}

fn system(ctx: &Context, database: &str) -> Vec<SystemFact> {
    let fact = |label, value: &str| SystemFact {
        label,
        value: value.into(),
        tone: Tone::Neutral,
    };
    vec![
        fact("Version", env!("CARGO_PKG_VERSION")),
        fact("Database", database),
        fact("Server time", &Moment::at(ctx.now, ctx.now).exact),
        fact("Address", &ctx.instance.external_url),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_is_a_seat_or_stands_with_the_reason_why_not() {
        let accounts = vec![
            (UserKind::Human, UserState::Active, 1200),
            (UserKind::Human, UserState::Blocked, 3),
            (UserKind::Human, UserState::Deactivated, 2),
            (UserKind::ProjectBot, UserState::Active, 40),
            (UserKind::ProjectBot, UserState::Blocked, 5),
            (UserKind::Ghost, UserState::Active, 1),
        ];
        assert_eq!(billable(&accounts), 1200);
        let rows = not_billable(&accounts);
        let counts: Vec<&str> = rows.iter().map(|row| row.count.as_str()).collect();
        assert_eq!(counts, ["45", "3", "2", "1"]);
        assert!(rows.iter().all(|row| !row.reason.is_empty()));
    }

    #[test]
    fn an_instance_without_bots_says_so() {
        let rows = not_billable(&vec![(UserKind::Human, UserState::Active, 1)]);
        assert!(rows.iter().all(|row| row.count == "0"));
    }
}
