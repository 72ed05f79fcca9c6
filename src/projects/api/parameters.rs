//! What requests about projects ask for.

use crate::db::Paging;
use crate::groups::Visibility;
use crate::members::AccessLevel;
use crate::projects::create::NewProjectForm;
use crate::projects::list::{Filter, Order};
use crate::projects::update::ProjectChanges;
use crate::settings::Policy;
use crate::web::params::{Checked, DIRECTIONS, Parameters, Reader};

/// Which projects, in which order, which page of them.
pub struct Listing {
    pub(super) filter: Filter,
    pub(super) simple: bool,
    pub(super) paging: Paging,
}

impl Parameters for Listing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let search = params.search("search");
        let search_namespaces = params.boolean("search_namespaces");
        let membership = params.boolean("membership");
        let owned = params.boolean("owned");
        let at_least = params.number_choice("min_access_level", &AccessLevel::numbered());
        let visibility = params.choice("visibility", &Visibility::named());
        let archived = params.boolean("archived");
        let simple = params.boolean("simple");
        let orders = [
            ("created_at", Order::CreatedAt),
            ("id", Order::Id),
            ("name", Order::Name),
            ("path", Order::Path),
            ("last_activity_at", Order::LastActivityAt),
            ("updated_at", Order::LastActivityAt),
        ];
        let order = params.choice("order_by", &orders);
        let descending = params.choice("sort", &DIRECTIONS);
        let (id_after, id_before) = (params.integer("id_after"), params.integer("id_before"));
        let paging = params.either_paging();
        let owner = owned?.unwrap_or(false).then_some(AccessLevel::Owner);
        let paging = paging?;
        Ok(Listing {
            filter: Filter {
                search: search?,
                search_namespaces: search_namespaces?.unwrap_or(false),
                membership: membership?.unwrap_or(false),
                at_least: at_least?.max(owner),
                visibility: visibility?,
                archived: archived?,
                order: order?.unwrap_or_default(),
                ascending: !descending?.unwrap_or(true),
                id_after: id_after?,
                id_before: id_before?,
                uncounted: paging.keyset,
                ..Filter::default()
            },
            simple: simple?.unwrap_or(false),
            paging,
        })
    }
}

/// As [`Listing`], of a group.
pub struct ListingOfGroup {
    pub(super) include_subgroups: bool,
    pub(super) listing: Listing,
}

impl Parameters for ListingOfGroup {
    fn read(params: &mut Reader<'_>, policy: &Policy) -> Checked<Self> {
        let include_subgroups = params.boolean("include_subgroups");
        let listing = Listing::read(params, policy);
        Ok(ListingOfGroup {
            include_subgroups: include_subgroups?.unwrap_or(false),
            listing: listing?,
        })
    }
}

/// A project to be.
pub struct NewProject {
    pub(super) namespace_id: Option<i64>,
    pub(super) form: NewProjectForm,
}

impl Parameters for NewProject {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (name, path) = (params.text("name"), params.text("path"));
        let namespace_id = params.integer("namespace_id");
        let visibility = params.choice("visibility", &Visibility::named());
        let description = params.text("description");
        Ok(NewProject {
            namespace_id: namespace_id?,
            form: NewProjectForm {
                name: name?,
                path: path?,
                description: description?.unwrap_or_default(),
                visibility: visibility?,
            },
        })
    }
}

/// What of a project changes.
pub struct Changes(pub(super) ProjectChanges);

impl Parameters for Changes {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (name, path) = (params.text("name"), params.text("path"));
        let description = params.text_or_empty("description");
        let visibility = params.choice("visibility", &Visibility::named());
        Ok(Changes(ProjectChanges {
            name: name?,
            path: path?,
            description: description?,
            visibility: visibility?,
            archived: None,
        }))
    }
}

/// Where a project moves to.
pub struct Transfer {
    /// An id or a full path.
    pub(super) namespace: String,
}

impl Parameters for Transfer {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let namespace = params.required_id_or_path("namespace");
        Ok(Transfer {
            namespace: namespace?,
        })
    }
}
