//! Which tokens of the instance an address asks for.

use chrono::{DateTime, Utc};

use crate::access_tokens::list::{Query, Sort, State};
use crate::access_tokens::unused::days_before;
use crate::access_tokens::{TokenType, scope::Scope};
use crate::db::{DbConnection, PageRequest};
use crate::error::{Error, FieldErrors};
use crate::groups;
use crate::text::calendar_date;
use crate::users::store::{self as users, UserRef};
use crate::web::lists::address;
use crate::web::page::Form;

/// Rows of a page.
const PER_PAGE: i64 = 100;

/// What can be sorted by, as addresses say it.
const KEYS: [(&str, Sort); 4] = [
    ("name", Sort::Name),
    ("created_at", Sort::Created),
    ("last_used_at", Sort::LastUsed),
    ("expires_at", Sort::Expires),
];

/// The longest time that can be asked for, in days.
const LONGEST: u32 = 3_650;

/// Filter, order and place, as somebody typed them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub search: String,
    pub token_type: Option<TokenType>,
    /// The path of a group.
    pub group: String,
    /// `active` or `inactive`.
    pub state: String,
    /// A date.
    pub expires_before: String,
    /// A number of days.
    pub unused: String,
    /// A user name or an id.
    pub user: String,
    pub scope: Option<Scope>,
    /// `{key}_asc` or `{key}_desc`; empty for the newest first.
    pub sort: String,
    pub page: i64,
    /// Are all rows of the page ticked?
    pub all: bool,
}

/// What the database is asked.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub user_id: Option<i64>,
    pub query: Query,
    pub request: PageRequest,
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
            token_type: TokenType::parse(query.text("type")),
            group: text("group"),
            state: Some(text("state"))
                .filter(|state| matches!(state.as_str(), "active" | "inactive"))
                .unwrap_or_default(),
            expires_before: text("expires_before"),
            unused: text("unused"),
            user: text("user"),
            scope: Scope::parse(query.text("scope")),
            sort: Some(text("sort"))
                .filter(|sort| order(sort).is_some())
                .unwrap_or_default(),
            page: query.page("page"),
            all: query.text("select") == "all",
        }
    }

    /// Does it leave tokens out?
    pub(super) fn narrows(&self) -> bool {
        Listing {
            sort: String::new(),
            page: 0,
            all: false,
            ..self.clone()
        } != Listing::default()
    }

    /// Looks up who and what is meant.
    ///
    /// # Errors
    /// [`Error::Invalid`] by field: a filter that can't be read is not as good as none.
    pub(super) fn resolve(
        &self,
        conn: &mut DbConnection,
        now: DateTime<Utc>,
    ) -> Result<Wanted, Error> {
        let mut errors = FieldErrors::default();
        let expires_before = match calendar_date(&self.expires_before) {
            _ if self.expires_before.is_empty() => None,
            Some(date) => Some(date),
            None => {
                errors.add("expires_before", "is not a date such as 2026-11-20");
                None
            }
        };
        let unused = match self.unused.parse::<u32>() {
            _ if self.unused.is_empty() => None,
            Ok(days @ 1..=LONGEST) => Some(days),
            _ => {
                errors.add("unused", format!("is not a number from 1 to {LONGEST}"));
                None
            }
        };
        let mut within = None;
        if !self.group.is_empty() {
            let path = self.group.trim_matches('/');
            match groups::store::find_by_path(conn, path)? {
                Some(group) => within = Some(group.traversal),
                None => errors.add("group", "is not one that there is"),
            }
        }
        let mut user_id = None;
        if !self.user.is_empty() {
            let name = self.user.trim_start_matches('@');
            let whom = name
                .parse()
                .map_or_else(|_| UserRef::Username(name.to_owned()), UserRef::Id);
            match users::find_by_ref(conn, &whom)? {
                Some(user) => user_id = Some(user.id),
                None => errors.add("user", "is not one that there is"),
            }
        }
        errors.check()?;
        let (sort, descending) = order(&self.sort).unwrap_or((Sort::Id, true));
        Ok(Wanted {
            user_id,
            query: Query {
                state: match self.state.as_str() {
                    "active" => Some(State::Active),
                    "inactive" => Some(State::Inactive),
                    _ => None,
                },
                token_type: self.token_type,
                within,
                search: Some(self.search.clone()).filter(|text| !text.is_empty()),
                scope: self.scope,
                expires_before,
                unused_since: unused.map(|days| days_before(now, days)),
                sort,
                descending,
                or_last_page: true,
                ..Query::default()
            },
            request: PageRequest {
                page: self.page,
                per_page: PER_PAGE,
            },
        })
    }

    /// The address of the list with something changed.
    pub(super) fn href(&self, path: &str, change: impl FnOnce(&mut Listing)) -> String {
        let mut there = self.clone();
        change(&mut there);
        let page = Some(there.page)
            .filter(|number| *number > 1)
            .map(|number| number.to_string())
            .unwrap_or_default();
        address(
            path,
            &[
                ("search", &there.search),
                ("type", there.token_type.map_or("", TokenType::name)),
                ("group", &there.group),
                ("state", &there.state),
                ("expires_before", &there.expires_before),
                ("unused", &there.unused),
                ("user", &there.user),
                ("scope", there.scope.map_or("", Scope::name)),
                ("sort", &there.sort),
                ("page", &page),
                ("select", if there.all { "all" } else { "" }),
            ],
        )
    }
}

/// The order that a text like `name_desc` stands for.
fn order(text: &str) -> Option<(Sort, bool)> {
    let (key, descending) = match text.strip_suffix("_asc") {
        Some(key) => (key, false),
        None => (text.strip_suffix("_desc")?, true),
    };
    KEYS.into_iter()
        .find(|(name, _)| *name == key)
        .map(|(_, sort)| (sort, descending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_everything_and_comes_back_the_same() {
        let text = "search=a%26b&type=project&group=acme/sub&state=active&expires_before=2026-12-01&unused=30\
                    &user=ann&scope=read_api&sort=name_desc&page=3&select=all";
        let asked = Listing::parse(&Form::parse(text.as_bytes()));
        assert!(asked.narrows() && asked.all && asked.search == "a&b");
        let href = asked.href("/x", |_| ());
        let query = href.strip_prefix("/x?").unwrap();
        assert_eq!(Listing::parse(&Form::parse(query.as_bytes())), asked);
    }

    #[test]
    fn order_and_place_leave_nothing_out() {
        let asked = Listing::parse(&Form::parse(
            b"sort=name_asc&page=2&select=all&state=x&type=y",
        ));
        assert!(!asked.narrows());
        assert_eq!((asked.page, asked.sort.as_str()), (2, "name_asc"));
        assert_eq!(order("id_asc"), None);
    }
}
