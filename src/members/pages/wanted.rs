//! What the list of members shows, as its address says.

use crate::members::AccessLevel;
use crate::members::list::{Filter, Sort};
use crate::users::UserKind;
use crate::web::lists;
use crate::web::page::Form;

/// Orders of the list.
const ORDERS: [(&str, Sort); 4] = [
    ("name", Sort::Name),
    ("access_level", Sort::AccessLevel),
    ("expires_at", Sort::ExpiresAt),
    ("created_at", Sort::CreatedAt),
];

/// What the list shows, as its address says.
pub(super) struct Wanted {
    pub(super) search: String,
    pub(super) role: Option<AccessLevel>,
    pub(super) kind: &'static str,
    pub(super) sort: String,
    pub(super) by: Sort,
    pub(super) descending: bool,
    pub(super) page: i64,
}

impl Wanted {
    pub(super) fn read(query: &Form) -> Self {
        let asked = query.text("sort");
        let order = ORDERS
            .into_iter()
            .find_map(|(key, by)| match asked.strip_prefix(key) {
                Some("_asc") => Some((by, false)),
                Some("_desc") => Some((by, true)),
                _ => None,
            });
        let (by, descending) = order.unwrap_or((Sort::Name, false));
        let kind = query.text("kind");
        Wanted {
            search: query.text("search").trim().to_owned(),
            role: query
                .text("role")
                .parse()
                .ok()
                .and_then(AccessLevel::from_number),
            kind: ["people", "bots"]
                .into_iter()
                .find(|name| *name == kind)
                .unwrap_or_default(),
            sort: if order.is_some() {
                asked.to_owned()
            } else {
                "name_asc".into()
            },
            by,
            descending,
            page: query.page("page"),
        }
    }

    pub(super) fn filter(&self) -> Filter {
        Filter {
            search: (!self.search.is_empty()).then(|| self.search.clone()),
            inherited: true,
            kind: match self.kind {
                "people" => Some(UserKind::Human),
                "bots" => Some(UserKind::ProjectBot),
                _ => None,
            },
            access_level: self.role,
            sort: self.by,
            descending: self.descending,
            ..Filter::default()
        }
    }

    pub(super) fn narrows(&self) -> bool {
        !self.search.is_empty() || self.role.is_some() || !self.kind.is_empty()
    }

    pub(super) fn role_value(&self) -> String {
        self.role
            .map(|role| role.number().to_string())
            .unwrap_or_default()
    }

    pub(super) fn href(&self, path: &str, sort: &str, page: u64) -> String {
        let (role, page) = (
            self.role_value(),
            if page > 1 {
                page.to_string()
            } else {
                String::new()
            },
        );
        let sort = if sort == "name_asc" { "" } else { sort };
        let query = [
            ("search", self.search.as_str()),
            ("role", &role),
            ("kind", self.kind),
            ("sort", sort),
            ("page", &page),
        ];
        lists::address(path, &query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(query: &str) -> Wanted {
        Wanted::read(&Form::parse(query.as_bytes()))
    }

    #[test]
    fn what_an_address_says_narrows_and_orders_the_list() {
        let asked = wanted("search=+bo+&role=40&kind=bots&sort=expires_at_desc&page=3");
        let filter = asked.filter();
        assert_eq!(filter.search.as_deref(), Some("bo"));
        assert_eq!(filter.access_level, Some(AccessLevel::Maintainer));
        assert_eq!(filter.kind, Some(UserKind::ProjectBot));
        assert_eq!((filter.sort, filter.descending), (Sort::ExpiresAt, true));
        assert!(filter.inherited && asked.narrows());
        assert_eq!(
            asked.href("/m", "name_desc", 2),
            "/m?search=bo&role=40&kind=bots&sort=name_desc&page=2"
        );
    }

    #[test]
    fn rubbish_in_an_address_means_nothing() {
        let asked = wanted("role=17&kind=cats&sort=name_sideways&page=-1");
        let filter = asked.filter();
        assert_eq!((filter.access_level, filter.kind), (None, None));
        assert_eq!((filter.sort, filter.descending), (Sort::Name, false));
        assert!(!asked.narrows());
        assert_eq!(asked.page, 1);
        assert_eq!(asked.href("/m", "name_asc", 1), "/m");
    }
}
