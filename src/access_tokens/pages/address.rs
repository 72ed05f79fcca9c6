//! What part of the lists an address asks for, and the addresses of the other parts.

use chrono::{DateTime, NaiveDate, Utc};

use super::super::list::{Query, Sort, State};
use super::super::scope::Scope;
use super::super::unused::Span;
use crate::db::PageRequest;
use crate::members::AccessLevel;
use crate::web::lists::address;
use crate::web::page::Form;
use crate::web::params::parse_date;

/// Rows of a page.
const PER_PAGE: i64 = 100;

/// What can be sorted by, as addresses say it.
const KEYS: [(&str, Sort); 7] = [
    ("name", Sort::Name),
    ("description", Sort::Description),
    ("scopes", Sort::Scopes),
    ("created_at", Sort::Created),
    ("last_used_at", Sort::LastUsed),
    ("expires_at", Sort::Expires),
    ("access_level", Sort::Role),
];

/// The order of the active table if nobody asks for another.
pub(super) const SOONEST_FIRST: &str = "expires_at_asc";

/// Filter, order and place in both lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    pub search: String,
    pub role: Option<AccessLevel>,
    pub scope: Option<Scope>,
    /// Not used for so long.
    pub unused: Option<Span>,
    /// With an end before this day.
    pub expires_before: Option<NaiveDate>,
    /// `{key}_asc` or `{key}_desc`; empty for the default.
    pub sort: String,
    pub page: i64,
    /// Of the inactive ones only those that ended like this.
    pub ended: Option<EndedBy>,
    pub inactive_sort: String,
    pub inactive_page: i64,
}

/// How a token ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndedBy {
    /// Its date came.
    Date,
    /// It was revoked, or rotated away.
    Revocation,
}

impl EndedBy {
    fn parse(text: &str) -> Option<Self> {
        [EndedBy::Date, EndedBy::Revocation]
            .into_iter()
            .find(|ended| ended.word() == text)
    }

    /// As addresses say it.
    pub(super) fn word(self) -> &'static str {
        match self {
            EndedBy::Date => "expired",
            EndedBy::Revocation => "revoked",
        }
    }
}

impl Default for Listing {
    fn default() -> Self {
        Listing {
            search: String::new(),
            role: None,
            scope: None,
            unused: None,
            expires_before: None,
            sort: String::new(),
            page: 1,
            ended: None,
            inactive_sort: String::new(),
            inactive_page: 1,
        }
    }
}

impl Listing {
    /// As the address asks; what can't be read is as if it weren't there. Where the address fills in a
    /// form, its role is the form's.
    pub(super) fn parse(query: &Form, has_role: bool, fills_form: bool) -> Self {
        let sort = |name: &str| {
            let text = query.text(name);
            order(text, has_role)
                .map(|_| text.to_owned())
                .unwrap_or_default()
        };
        Listing {
            // No database holds a control character in a name, and PostgreSQL refuses to look for some.
            search: query
                .text("search")
                .trim()
                .chars()
                .filter(|c| !c.is_control())
                .collect(),
            role: AccessLevel::parse(query.text("role")).filter(|_| has_role && !fills_form),
            scope: Scope::parse(query.text("scope")),
            unused: Span::parse(query.text("unused")),
            expires_before: parse_date(query.text("expires_before")),
            sort: Some(sort("sort"))
                .filter(|text| text != SOONEST_FIRST)
                .unwrap_or_default(),
            page: query.page("page"),
            ended: EndedBy::parse(query.text("state")),
            inactive_sort: sort("inactive_sort"),
            inactive_page: query.page("inactive_page"),
        }
    }

    /// Does it leave active tokens out?
    pub(super) fn narrows(&self) -> bool {
        !self.search.is_empty()
            || self.role.is_some()
            || self.scope.is_some()
            || self.unused.is_some()
            || self.expires_before.is_some()
    }

    /// For the active table, at this moment.
    pub(super) fn active(&self, now: DateTime<Utc>) -> (Query, PageRequest) {
        let (sort, descending) = order(self.sort(), true).unwrap_or((Sort::Expires, false));
        let query = Query {
            state: Some(State::Active),
            sort,
            descending,
            or_last_page: true,
            ..self.narrowed(now, Query::default())
        };
        (
            query,
            PageRequest {
                page: self.page,
                per_page: PER_PAGE,
            },
        )
    }

    /// For the inactive table. A bot whose membership has ended is no bot of the group any more, and
    /// its tokens are gone from the page; people stay members of themselves.
    pub(super) fn inactive(&self, today: Option<NaiveDate>) -> (Query, PageRequest) {
        let (sort, descending) = order(&self.inactive_sort, true).unwrap_or((Sort::Updated, true));
        let query = Query {
            state: Some(State::Inactive),
            revoked: self.ended.map(|ended| ended == EndedBy::Revocation),
            living_members_on: today,
            sort,
            descending,
            or_last_page: true,
            ..Query::default()
        };
        (
            query,
            PageRequest {
                page: self.inactive_page,
                per_page: PER_PAGE,
            },
        )
    }

    /// For the file: every list that it has, all of them with what narrows the active table on the page.
    pub(super) fn file(&self, now: DateTime<Utc>, has_ended: bool) -> Vec<Query> {
        let mut lists = Vec::new();
        if self.ended.is_none() || !has_ended {
            lists.push(self.active(now).0);
        }
        if has_ended {
            let (ended, _) = self.inactive(Some(now.date_naive()));
            lists.push(self.narrowed(now, ended));
        }
        lists
    }

    /// Only what the filter above the active table leaves.
    fn narrowed(&self, now: DateTime<Utc>, query: Query) -> Query {
        Query {
            search: Some(self.search.clone()).filter(|text| !text.is_empty()),
            access_level: self.role,
            scope: self.scope,
            unused_since: self.unused.map(|span| span.since(now)),
            expires_before: self.expires_before,
            ..query
        }
    }

    /// The order of the active table, as addresses say it.
    pub(super) fn sort(&self) -> &str {
        if self.sort.is_empty() {
            SOONEST_FIRST
        } else {
            &self.sort
        }
    }

    /// The address of the lists with something changed.
    pub(super) fn href(&self, path: &str, change: impl FnOnce(&mut Listing)) -> String {
        let mut there = self.clone();
        change(&mut there);
        let page = |number: i64| Some(number).filter(|n| *n > 1).map(|n| n.to_string());
        let role = there
            .role
            .map(|level| level.number().to_string())
            .unwrap_or_default();
        let unused = there
            .unused
            .map(|span| span.days().to_string())
            .unwrap_or_default();
        let before = there
            .expires_before
            .map(|date| date.to_string())
            .unwrap_or_default();
        address(
            path,
            &[
                ("search", &there.search),
                ("role", &role),
                ("scope", there.scope.map(Scope::name).unwrap_or_default()),
                ("unused", &unused),
                ("expires_before", &before),
                ("sort", &there.sort),
                ("page", &page(there.page).unwrap_or_default()),
                ("state", there.ended.map(EndedBy::word).unwrap_or_default()),
                ("inactive_sort", &there.inactive_sort),
                (
                    "inactive_page",
                    &page(there.inactive_page).unwrap_or_default(),
                ),
            ],
        )
    }
}

/// The order that a text like `name_desc` stands for.
fn order(text: &str, has_role: bool) -> Option<(Sort, bool)> {
    let (key, descending) = match text.strip_suffix("_asc") {
        Some(key) => (key, false),
        None => (text.strip_suffix("_desc")?, true),
    };
    KEYS.into_iter()
        .find(|(name, sort)| *name == key && (has_role || *sort != Sort::Role))
        .map(|(_, sort)| (sort, descending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(query: &str) -> Listing {
        Listing::parse(&Form::parse(query.as_bytes()), true, false)
    }

    #[test]
    fn an_address_says_everything_and_comes_back_the_same() {
        let text = "search=a%26b+%C3%A9&role=Maintainer&scope=read_api&unused=90&sort=name_desc&page=3\
                    &expires_before=2026-12-04&state=expired&inactive_sort=created_at_asc&inactive_page=2";
        let asked = listing(text);
        assert_eq!(asked.search, "a&b é");
        assert_eq!(asked.role, Some(AccessLevel::Maintainer));
        let href = asked.href("/tokens", |_| ());
        assert_eq!(listing(href.strip_prefix("/tokens?").unwrap()), asked);
        assert_eq!(Listing::default().href("/tokens", |_| ()), "/tokens");
        assert_eq!(
            asked.href("/tokens", |there| *there = Listing::default()),
            "/tokens"
        );
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_were_not_there() {
        for text in [
            "",
            "role=17&unused=31&scope=API&sort=name&page=0&inactive_page=x&state=active&expires_before=soon",
            "sort=id_asc&inactive_sort=updated_at_desc&page=-1&page=99999999999999999999",
            "search=%00%07+&role=&scope=",
        ] {
            assert_eq!(listing(text), Listing::default(), "{text}");
        }
    }

    #[test]
    fn the_role_of_an_address_that_fills_in_a_form_does_not_narrow_the_list() {
        let query = Form::parse(b"role=40&search=ci");
        assert!(Listing::parse(&query, true, true).role.is_none());
        assert!(Listing::parse(&query, false, false).role.is_none());
        let personal = Form::parse(b"sort=access_level_asc");
        assert_eq!(Listing::parse(&personal, false, false), Listing::default());
    }

    #[test]
    fn soonest_first_is_the_default_and_the_inactive_table_begins_with_the_latest_change() {
        for text in ["", "sort=expires_at_asc"] {
            let (query, request) = listing(text).active(DateTime::UNIX_EPOCH);
            assert_eq!((query.sort, query.descending), (Sort::Expires, false));
            assert_eq!((request.page, request.per_page), (1, 100));
            assert!(listing(text).sort.is_empty());
        }
        let (query, _) = listing("sort=access_level_desc").active(DateTime::UNIX_EPOCH);
        assert_eq!((query.sort, query.descending), (Sort::Role, true));
        let (query, _) = listing("sort=name_asc&search=x&role=50&scope=api").inactive(None);
        assert_eq!((query.sort, query.descending), (Sort::Updated, true));
        assert!(query.search.is_none() && query.access_level.is_none() && query.scope.is_none());
    }
}
