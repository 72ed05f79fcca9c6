//! What requests about tokens ask for.

use crate::access_tokens::create::NewAccessToken;
use crate::access_tokens::grace::{self, Grace};
use crate::access_tokens::list::{Query, Sort, State};
use crate::access_tokens::rotate::{self, NewExpiry};
use crate::access_tokens::scope::Scope;
use crate::db::PageRequest;
use crate::members::AccessLevel;
use crate::settings::Policy;
use crate::web::params::{Checked, Parameters, Reader};

/// Which tokens, in which order, which page of them.
pub struct Listing {
    pub(super) query: Query,
    pub(super) request: PageRequest,
}

impl Parameters for Listing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let states = [("active", State::Active), ("inactive", State::Inactive)];
        let state = params.choice("state", &states);
        let revoked = params.boolean("revoked");
        let created_before = params.date_time("created_before");
        let created_after = params.date_time("created_after");
        let last_used_before = params.date_time("last_used_before");
        let last_used_after = params.date_time("last_used_after");
        let expires_before = params.date("expires_before");
        let expires_after = params.date("expires_after");
        let search = params.search("search");
        let sort = params.text("sort");
        let request = params.paging();
        let (sort, descending) = order(sort?.as_deref());
        Ok(Listing {
            query: Query {
                state: state?,
                words: search?
                    .unwrap_or_default()
                    .split_whitespace()
                    .map(str::to_owned)
                    .collect(),
                with_old_values: true,
                revoked: revoked?,
                created_before: created_before?,
                created_after: created_after?,
                last_used_before: last_used_before?,
                last_used_after: last_used_after?,
                expires_before: expires_before?,
                expires_after: expires_after?,
                sort,
                descending,
                newest_among_equals: true,
                ..Query::default()
            },
            request: request?,
        })
    }
}

/// `created_asc` and its kin; other words, and none, are the order of the ids.
fn order(sort: Option<&str>) -> (Sort, bool) {
    let Some((key, direction)) = sort.and_then(|sort| sort.rsplit_once('_')) else {
        return (Sort::Id, false);
    };
    let key = match key {
        "created" => Sort::Created,
        "expires" => Sort::Expires,
        "last_used" => Sort::LastUsed,
        "name" => Sort::Name,
        _ => return (Sort::Id, false),
    };
    match direction {
        "asc" => (key, false),
        "desc" => (key, true),
        _ => (Sort::Id, false),
    }
}

/// As [`Listing`], of one user, or of everybody.
pub struct ListingOfUser {
    pub(super) user_id: Option<i64>,
    pub(super) listing: Listing,
}

impl Parameters for ListingOfUser {
    fn read(params: &mut Reader<'_>, policy: &Policy) -> Checked<Self> {
        let (user_id, listing) = (params.integer("user_id"), Listing::read(params, policy));
        Ok(ListingOfUser {
            user_id: user_id?,
            listing: listing?,
        })
    }
}

/// A group or project access token to be.
pub struct NewResourceToken(pub(super) NewAccessToken);

impl Parameters for NewResourceToken {
    fn read(params: &mut Reader<'_>, policy: &Policy) -> Checked<Self> {
        let registry = policy.settings.registry_enabled;
        let name = params.required_text("name");
        let offered = Scope::offered_to_resource_tokens(registry);
        let scopes = params.required_choices("scopes", &named(offered));
        let access_level = params.number_choice("access_level", &AccessLevel::numbered());
        let expires_at = params.date("expires_at");
        let description = params.text("description");
        Ok(NewResourceToken(NewAccessToken {
            name: name?,
            scopes: scopes?,
            access_level: access_level?.unwrap_or(AccessLevel::Maintainer),
            expires_at: expires_at?,
            description: description?,
        }))
    }
}

/// A person's token to be. Which scopes it may have depends on whose it is.
pub struct NewPersonalToken(pub(super) NewAccessToken);

impl Parameters for NewPersonalToken {
    fn read(params: &mut Reader<'_>, policy: &Policy) -> Checked<Self> {
        let offered = Scope::offered_to_people(true, policy.settings.registry_enabled);
        personal(params, offered).map(NewPersonalToken)
    }
}

/// A token that a person makes with a token: of narrow scopes only.
pub struct NewNarrowToken(pub(super) NewAccessToken);

impl Parameters for NewNarrowToken {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        personal(params, vec![Scope::K8sProxy, Scope::SelfRotate]).map(NewNarrowToken)
    }
}

fn personal(params: &mut Reader<'_>, offered: Vec<Scope>) -> Checked<NewAccessToken> {
    let name = params.required_text("name");
    let scopes = params.required_choices("scopes", &named(offered));
    let expires_at = params.date("expires_at");
    let description = params.text("description");
    Ok(NewAccessToken {
        name: name?,
        scopes: scopes?,
        // A person's token has the person's own roles.
        access_level: AccessLevel::Owner,
        expires_at: expires_at?,
        description: description?,
    })
}

fn named(scopes: Vec<Scope>) -> Vec<(&'static str, Scope)> {
    scopes
        .into_iter()
        .map(|scope| (scope.name(), scope))
        .collect()
}

/// The date of the new value, and how long the old one goes on working.
pub struct Rotation(pub(super) rotate::Rotation);

impl Parameters for Rotation {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let date = params.date("expires_at");
        let grace = params.integer_within("grace_period", (0, grace::LONGEST));
        Ok(Rotation(rotate::Rotation {
            expiry: date?.map_or(NewExpiry::ApiDefault, NewExpiry::On),
            grace: grace?.and_then(Grace::seconds).unwrap_or_default(),
        }))
    }
}

/// Where somebody has a role, which page of it.
pub struct Associations {
    pub(super) at_least: AccessLevel,
    pub(super) request: PageRequest,
}

impl Parameters for Associations {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let at_least = params.number_choice("min_access_level", &AccessLevel::numbered());
        let request = params.paging();
        Ok(Associations {
            at_least: at_least?.unwrap_or(AccessLevel::Guest),
            request: request?,
        })
    }
}
