//! What the list of users shows, as its address says.

use super::PATH;
use super::store::{Query, Sort, Tab};
use crate::web::lists;
use crate::web::page::Form;
use crate::web::params::LONGEST_SEARCH;

/// The tabs in their order: value, label.
pub(super) const TABS: [(Tab, &str, &str); 6] = [
    (Tab::Active, "", "Active"),
    (Tab::Admins, "admins", "Admins"),
    (Tab::Blocked, "blocked", "Blocked"),
    (Tab::External, "external", "External"),
    (Tab::Bots, "bots", "Bots"),
    (Tab::Pending, "pending", "Pending"),
];

/// Orders of the list.
const ORDERS: [(&str, Sort); 3] = [
    ("name", Sort::Name),
    ("created_at", Sort::Created),
    ("last_sign_in_at", Sort::LastSignIn),
];

/// The order if nobody asks for another one.
const NEWEST_FIRST: &str = "created_at_desc";

/// What the list shows.
pub(super) struct Asked {
    pub(super) query: Query,
    pub(super) sort: String,
    pub(super) page: i64,
}

impl Asked {
    pub(super) fn read(form: &Form) -> Self {
        let tab = form.text("tab");
        let tab = TABS.into_iter().find(|(_, value, _)| *value == tab);
        let sort = form.text("sort");
        let order = ORDERS
            .into_iter()
            .find_map(|(key, by)| match sort.strip_prefix(key) {
                Some("_asc") => Some((by, false)),
                Some("_desc") => Some((by, true)),
                _ => None,
            });
        let (by, descending) = order.unwrap_or((Sort::Created, true));
        Asked {
            query: Query {
                tab: tab.map(|(tab, _, _)| tab).unwrap_or_default(),
                search: form
                    .text("search")
                    .trim()
                    .chars()
                    .take(LONGEST_SEARCH)
                    .collect(),
                sort: by,
                descending,
            },
            sort: order.map_or(NEWEST_FIRST, |_| sort).to_owned(),
            page: form.page("page"),
        }
    }

    /// The tab's value in the address.
    pub(super) fn tab(&self) -> &'static str {
        TABS.into_iter()
            .find(|(tab, _, _)| *tab == self.query.tab)
            .map_or("", |(_, value, _)| value)
    }

    /// The address of the same list on another tab, in another order, on another page.
    pub(super) fn href(&self, tab: &str, sort: &str, page: u64) -> String {
        let page = if page > 1 {
            page.to_string()
        } else {
            String::new()
        };
        let sort = if sort == NEWEST_FIRST { "" } else { sort };
        let query = [
            ("tab", tab),
            ("search", self.query.search.as_str()),
            ("sort", sort),
            ("page", &page),
        ];
        lists::address(PATH, &query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::read(&Form::parse(query.as_bytes()))
    }

    #[test]
    fn an_address_chooses_tab_search_order_and_page() {
        let asked = asked("tab=blocked&search=+bo+&sort=name_asc&page=3");
        assert_eq!(asked.query.tab, Tab::Blocked);
        assert_eq!(asked.query.search, "bo");
        assert_eq!(
            (asked.query.sort, asked.query.descending),
            (Sort::Name, false)
        );
        assert_eq!(asked.page, 3);
        assert_eq!(
            asked.href(asked.tab(), "name_desc", 2),
            "/admin/users?tab=blocked&search=bo&sort=name_desc&page=2"
        );
        assert_eq!(asked.href("", NEWEST_FIRST, 1), "/admin/users?search=bo");
    }

    #[test]
    fn rubbish_in_an_address_means_the_newest_active_people() {
        let asked = asked("tab=cats&sort=name_sideways&page=-1");
        assert_eq!(asked.query.tab, Tab::Active);
        assert_eq!(
            (asked.query.sort, asked.query.descending),
            (Sort::Created, true)
        );
        assert_eq!((asked.tab(), asked.page), ("", 1));
    }
}
