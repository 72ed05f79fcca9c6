//! Which tokens of the inventory an address asks for.

use chrono::{DateTime, NaiveDate, Utc};

use crate::access_tokens::TokenType;
use crate::access_tokens::inventory::{Cursor, Part};
use crate::access_tokens::query::{Query, State};
use crate::access_tokens::scope::Scope;
use crate::access_tokens::unused::Span;
use crate::error::FieldErrors;
use crate::members::AccessLevel;
use crate::text::calendar_date;
use crate::web::lists::address;
use crate::web::page::Form;

/// The order of active tokens if nobody asks for another.
pub(super) const SOONEST_FIRST: &str = "expires_at_asc";

/// The other one.
const LATEST_FIRST: &str = "expires_at_desc";

/// Filter, order and place, as somebody typed them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub search: String,
    /// Of groups or of projects.
    pub kind: Option<TokenType>,
    pub role: Option<AccessLevel>,
    pub scope: Option<Scope>,
    /// Empty for active ones; `inactive` or `all`.
    pub state: String,
    /// A date.
    pub expires_before: String,
    pub unused: Option<Span>,
    /// Empty for the usual one.
    pub sort: String,
    /// Behind this place.
    pub after: String,
    /// Before this place.
    pub before: String,
    /// Are all rows of the page ticked?
    pub all: bool,
}

impl Listing {
    pub(super) fn parse(query: &Form) -> Self {
        // No database holds a control character in a name, and PostgreSQL refuses to look for some.
        let text = |name: &str| -> String {
            query
                .text(name)
                .trim()
                .chars()
                .filter(|c| !c.is_control())
                .take(512)
                .collect()
        };
        Listing {
            search: text("search"),
            kind: TokenType::parse(query.text("kind")).filter(|kind| *kind != TokenType::Personal),
            role: AccessLevel::parse(query.text("role")),
            scope: Scope::parse(query.text("scope")),
            state: Some(text("state"))
                .filter(|state| matches!(state.as_str(), "inactive" | "all"))
                .unwrap_or_default(),
            expires_before: text("expires_before"),
            unused: Span::parse(query.text("unused")),
            sort: Some(text("sort"))
                .filter(|sort| sort == LATEST_FIRST)
                .unwrap_or_default(),
            after: text("after"),
            before: text("before"),
            all: query.text("select") == "all",
        }
    }

    /// As it is where ended tokens are kept, or aren't: there are only active ones then.
    pub(super) fn where_kept(mut self, keeps_ended: bool) -> Self {
        if !keeps_ended {
            self.state.clear();
        }
        self
    }

    /// Does it leave tokens out that the plain address has?
    pub(super) fn narrows(&self) -> bool {
        Listing {
            sort: String::new(),
            after: String::new(),
            before: String::new(),
            all: false,
            ..self.clone()
        } != Listing::default()
    }

    /// Are the tokens in the order of their ends? Only active ones are.
    pub(super) fn is_by_end(&self) -> bool {
        self.state.is_empty()
    }

    /// The order, as addresses say it.
    pub(super) fn sort(&self) -> &str {
        match (self.is_by_end(), self.sort.as_str()) {
            (false, _) => "",
            (true, "") => SOONEST_FIRST,
            (true, sort) => sort,
        }
    }

    /// What the database is asked.
    ///
    /// # Errors
    /// By field: a filter that can't be read is not as good as none.
    pub(super) fn query(&self, now: DateTime<Utc>) -> Result<Query, FieldErrors> {
        let expires_before: Option<NaiveDate> = match calendar_date(&self.expires_before) {
            _ if self.expires_before.is_empty() => None,
            Some(date) => Some(date),
            None => {
                let mut errors = FieldErrors::default();
                errors.add("expires_before", "is not a date such as 2026-11-20");
                return Err(errors);
            }
        };
        Ok(Query {
            state: match self.state.as_str() {
                "" => Some(State::Active),
                "inactive" => Some(State::Inactive),
                _ => None,
            },
            token_type: self.kind,
            search: Some(self.search.clone()).filter(|text| !text.is_empty()),
            access_level: self.role,
            scope: self.scope,
            expires_before,
            unused_since: self.unused.map(|span| span.since(now)),
            descending: self.sort == LATEST_FIRST,
            ..Query::default()
        })
    }

    /// The part of the list; its beginning, if the place can't be read.
    pub(super) fn part(&self) -> Part {
        let place = |text: &str| Cursor::parse(text, self.is_by_end());
        match (place(&self.after), place(&self.before)) {
            (Some(place), _) => Part::After(place),
            (None, Some(place)) => Part::Before(place),
            (None, None) => Part::First,
        }
    }

    /// The address of the list with something changed.
    pub(super) fn href(&self, path: &str, change: impl FnOnce(&mut Listing)) -> String {
        let mut there = self.clone();
        change(&mut there);
        let role = there.role.map(|role| role.number().to_string());
        let unused = there.unused.map(|span| span.days().to_string());
        address(
            path,
            &[
                ("search", &there.search),
                ("kind", there.kind.map_or("", TokenType::name)),
                ("role", role.as_deref().unwrap_or_default()),
                ("scope", there.scope.map_or("", Scope::name)),
                ("state", &there.state),
                ("expires_before", &there.expires_before),
                ("unused", unused.as_deref().unwrap_or_default()),
                ("sort", &there.sort),
                ("after", &there.after),
                ("before", &there.before),
                ("select", if there.all { "all" } else { "" }),
            ],
        )
    }

    /// The address of another part of the list.
    pub(super) fn turned(
        &self,
        path: &str,
        after: Option<Cursor>,
        before: Option<Cursor>,
    ) -> String {
        let text = |cursor: Option<Cursor>| cursor.map(|cursor| cursor.to_string());
        self.href(path, |there| {
            there.after = text(after).unwrap_or_default();
            there.before = text(before).unwrap_or_default();
            there.all = false;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_everything_and_comes_back_the_same() {
        for text in [
            "search=a%26b&kind=project&role=40&scope=read_api&expires_before=2026-12-01&unused=30\
             &sort=expires_at_desc&after=2026-12-01.7&select=all",
            "state=all&before=7",
        ] {
            let asked = Listing::parse(&Form::parse(text.as_bytes()));
            assert!(asked.narrows() && asked.part() != Part::First, "{asked:?}");
            let href = asked.href("/x", |_| ());
            let query = href.strip_prefix("/x?").unwrap();
            assert_eq!(Listing::parse(&Form::parse(query.as_bytes())), asked);
        }
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_were_not_there_but_for_the_date() {
        let asked = Listing::parse(&Form::parse(
            b"kind=personal&role=7&scope=x&state=active&unused=31&sort=name_asc&after=7&before=x",
        ));
        assert!(!asked.narrows() && asked.part() == Part::First && asked.sort() == SOONEST_FIRST);
        let asked = Listing::parse(&Form::parse(b"expires_before=soon"));
        assert!(asked.query(DateTime::UNIX_EPOCH).is_err());
    }
}
