//! What a list of groups or projects shows, as its address says.

use crate::groups::Visibility;
use crate::web::lists;
use crate::web::page::Form;
use crate::web::params::LONGEST_SEARCH;
use crate::web::views::components::Choice;

/// The order if nobody asks for another one.
const NEWEST_FIRST: &str = "created_at_desc";

/// What the list shows.
pub(super) struct Asked {
    path: &'static str,
    /// What name or path contain.
    pub(super) search: String,
    /// Only these.
    pub(super) visibility: Option<Visibility>,
    /// The one filter that groups or projects have of their own: name and value, empty for any.
    pub(super) own: (&'static str, &'static str),
    /// The order, as the address has it.
    pub(super) sort: String,
    /// The column to sort by, if not by the moment.
    pub(super) by: &'static str,
    /// Largest first?
    pub(super) descending: bool,
    /// Which page, from 1.
    pub(super) page: i64,
}

impl Asked {
    /// Reads the address of the list at `path`, which is sorted by one of these keys and has a filter of
    /// its own with these values.
    pub(super) fn read(
        form: &Form,
        path: &'static str,
        keys: &[&'static str],
        (own, values): (&'static str, &[&'static str]),
    ) -> Self {
        let sort = form.text("sort");
        let order = keys.iter().find_map(|key| match sort.strip_prefix(key) {
            Some("_asc") => Some((*key, false)),
            Some("_desc") => Some((*key, true)),
            _ => None,
        });
        let (by, descending) = order.unwrap_or(("created_at", true));
        let asked = form.text(own);
        let search = form.text("search").trim();
        Asked {
            path,
            search: search.chars().take(LONGEST_SEARCH).collect(),
            visibility: Visibility::parse(form.text("visibility")),
            own: (
                own,
                values
                    .iter()
                    .copied()
                    .find(|value| *value == asked)
                    .unwrap_or_default(),
            ),
            sort: order.map_or(NEWEST_FIRST, |_| sort).to_owned(),
            by,
            descending,
            page: form.page("page"),
        }
    }

    /// Does it narrow the list?
    pub(super) fn narrows(&self) -> bool {
        !self.search.is_empty() || self.visibility.is_some() || !self.own.1.is_empty()
    }

    /// The search, if there is one.
    pub(super) fn searched(&self) -> Option<String> {
        (!self.search.is_empty()).then(|| self.search.clone())
    }

    /// The visibilities to choose from.
    pub(super) fn visibilities(&self) -> Vec<Choice> {
        let current = self.visibility.map_or("", Visibility::name);
        let all = Visibility::ALL.map(|level| Choice::new(level.name(), level.label(), current));
        std::iter::once(Choice::new("", "Any", current))
            .chain(all)
            .collect()
    }

    /// The address of the same list in another order, on another page.
    pub(super) fn href(&self, sort: &str, page: u64) -> String {
        let page = if page > 1 {
            page.to_string()
        } else {
            String::new()
        };
        let sort = if sort == NEWEST_FIRST { "" } else { sort };
        let query = [
            ("search", self.search.as_str()),
            ("visibility", self.visibility.map_or("", Visibility::name)),
            self.own,
            ("sort", sort),
            ("page", &page),
        ];
        lists::address(self.path, &query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        let form = Form::parse(query.as_bytes());
        let own = ("owner", ["none"].as_slice());
        Asked::read(&form, "/admin/groups", &["name", "created_at"], own)
    }

    #[test]
    fn an_address_narrows_and_orders_the_list() {
        let asked = asked("search=+ac+&visibility=private&owner=none&sort=name_asc&page=2");
        assert_eq!(asked.searched().as_deref(), Some("ac"));
        assert_eq!(asked.visibility, Some(Visibility::Private));
        assert_eq!(asked.own.1, "none");
        assert_eq!((asked.by, asked.descending), ("name", false));
        assert!(asked.narrows());
        assert_eq!(
            asked.href("name_desc", 3),
            "/admin/groups?search=ac&visibility=private&owner=none&sort=name_desc&page=3"
        );
    }

    #[test]
    fn rubbish_in_an_address_means_all_of_them_and_the_newest_first() {
        let asked = asked("visibility=secret&owner=me&sort=size_asc&page=0");
        assert!(!asked.narrows());
        assert_eq!((asked.by, asked.descending), ("created_at", true));
        assert_eq!(asked.href(NEWEST_FIRST, 1), "/admin/groups");
    }
}
