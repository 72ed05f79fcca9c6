//! What requests about groups ask for.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::db::Paging;
use crate::groups::Visibility;
use crate::groups::create::NewGroupForm;
use crate::groups::list::{Filter, Order};
use crate::groups::notify_inherited;
use crate::groups::update::GroupChanges;
use crate::members::AccessLevel;
use crate::settings::Policy;
use crate::web::params::{Checked, DIRECTIONS, ParamProblem, Parameters, Reader};

/// Which groups, in which order, which page of them.
pub struct Listing {
    pub(super) filter: Filter,
    pub(super) paging: Paging,
}

impl Parameters for Listing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let search = params.search("search");
        let owned = params.boolean("owned");
        let at_least = params.number_choice("min_access_level", &AccessLevel::numbered());
        let top_level_only = params.boolean("top_level_only");
        let all_available = params.boolean("all_available");
        let without = params.integers("skip_groups");
        let visibility = params.choice("visibility", &Visibility::named());
        let orders = [
            ("name", Order::Name),
            ("path", Order::Path),
            ("id", Order::Id),
        ];
        let order = params.choice("order_by", &orders);
        let descending = params.choice("sort", &DIRECTIONS);
        let paging = params.either_paging();
        let (id_after, id_before) = (params.integer("id_after"), params.integer("id_before"));
        let cursor = params.text("cursor");
        let paging = paging?;
        let after = match cursor?.filter(|_| paging.keyset) {
            None => None,
            Some(text) => match read_cursor(&text) {
                None => return params.reject("cursor", ParamProblem::Invalid),
                after => after,
            },
        };
        let owner = owned?.unwrap_or(false).then_some(AccessLevel::Owner);
        Ok(Listing {
            filter: Filter {
                search: search?,
                visibility: visibility?,
                at_least: at_least?.max(owner),
                without: without?.unwrap_or_default(),
                top_level_only: top_level_only?.unwrap_or(false),
                membership: all_available? == Some(false),
                order: order?.unwrap_or(Order::Name),
                descending: descending?.unwrap_or(false),
                id_after: id_after?,
                id_before: id_before?,
                after,
                uncounted: paging.keyset,
                ..Filter::default()
            },
            paging,
        })
    }
}

/// Where a page in the order of the names ended.
pub(super) fn write_cursor(name: &str, id: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{id} {name}"))
}

fn read_cursor(text: &str) -> Option<(String, i64)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, name) = text.split_once(' ')?;
    // PostgreSQL takes no NUL, and no name has one.
    Some((name.replace('\0', ""), id.parse().ok()?))
}

/// With its projects?
pub struct Showing {
    pub(super) with_projects: bool,
}

impl Parameters for Showing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let with_projects = params.boolean("with_projects");
        Ok(Showing {
            with_projects: with_projects?.unwrap_or(true),
        })
    }
}

/// A group to be.
pub struct NewGroup {
    pub(super) parent_id: Option<i64>,
    pub(super) form: NewGroupForm,
}

impl Parameters for NewGroup {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (name, path) = (params.required_text("name"), params.required_text("path"));
        let parent_id = params.integer("parent_id");
        let visibility = params.choice("visibility", &Visibility::named());
        let description = params.text("description");
        Ok(NewGroup {
            parent_id: parent_id?,
            form: NewGroupForm {
                name: name?,
                path: path?,
                description: description?.unwrap_or_default(),
                visibility: visibility?,
            },
        })
    }
}

/// What of a group changes.
pub struct Changes {
    pub(super) changes: GroupChanges,
    /// May tokens be made here and below?
    pub(super) creation_allowed: Option<bool>,
    /// Who gets mails before tokens end?
    pub(super) notify_inherited: notify_inherited::change::Changes,
}

impl Parameters for Changes {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (name, path) = (params.text("name"), params.text("path"));
        let description = params.text_or_empty("description");
        let visibility = params.choice("visibility", &Visibility::named());
        let allowed = params.boolean("resource_access_token_creation_allowed");
        let as_above = params.is_emptied(notify_inherited::VALUE);
        let value = params.boolean(notify_inherited::VALUE);
        let locked = params.boolean(notify_inherited::LOCK);
        Ok(Changes {
            changes: GroupChanges {
                name: name?,
                path: path?,
                description: description?,
                visibility: visibility?,
            },
            creation_allowed: allowed?,
            notify_inherited: notify_inherited::change::Changes {
                value: value?.map(Some).or(as_above.then_some(None)),
                locked: locked?,
            },
        })
    }
}

/// Where a group moves to.
pub struct Transfer {
    /// Nothing: to the top.
    pub(super) group_id: Option<i64>,
}

impl Parameters for Transfer {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let group_id = params.integer("group_id");
        Ok(Transfer {
            group_id: group_id?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_the_same() {
        for name in ["acme", "Ünï / cödé", " spaces ", ""] {
            let cursor = write_cursor(name, 42);
            assert_eq!(read_cursor(&cursor), Some((name.to_owned(), 42)));
        }
        for text in ["", "x", "!!!", "AAAA", "NDI"] {
            assert_eq!(read_cursor(text), None, "{text}");
        }
    }
}
