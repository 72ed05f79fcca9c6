//! `/api/v4/groups/:id/members` and `/api/v4/projects/:id/members`.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::change::{Ends, change, remove as removing};
use super::list::{Filter, Member, list as listing, users_by_id};
use super::{AccessLevel, add as adding};
use crate::access_tokens::Resource;
use crate::access_tokens::resource::Kind;
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::{Error, What};
use crate::permissions::Right;
use crate::settings::Policy;
use crate::users::api::BasicUser;
use crate::users::{self, User};
use crate::web::api::{ApiCall, Listed, Made, Moment, NoContent, Shown};
use crate::web::params::{Checked, Parameters, Reader};

/// A member; the id is the user's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberObject {
    #[serde(flatten)]
    user: BasicUser,
    /// The role.
    #[schema(value_type = i32)]
    access_level: AccessLevel,
    /// Since when.
    created_at: Moment,
    /// The first day on which the membership no longer counts.
    expires_at: Option<NaiveDate>,
    /// Who added them.
    created_by: Option<BasicUser>,
    membership_state: &'static str,
}

impl MemberObject {
    fn of(ctx: &Context, member: &Member, adders: &HashMap<i64, User>) -> Self {
        let adder = member.created_by_id.and_then(|id| adders.get(&id));
        MemberObject {
            user: BasicUser::of(ctx, &member.user),
            access_level: member.access_level,
            created_at: Moment(member.created_at),
            expires_at: member.expires_at,
            created_by: adder.map(|user| BasicUser::of(ctx, user)),
            membership_state: "active",
        }
    }
}

/// Which members, which page of them.
pub struct Listing {
    filter: Filter,
    request: PageRequest,
}

impl Parameters for Listing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (query, user_ids) = (params.search("query"), params.integers("user_ids"));
        let request = params.paging();
        Ok(Listing {
            filter: Filter {
                search: query?,
                user_ids: user_ids?.unwrap_or_default(),
                ..Filter::default()
            },
            request: request?,
        })
    }
}

/// `GET /:id/members`: direct ones. Whoever may see the group or project.
pub async fn list<K: Kind>(call: ApiCall, asked: Listing) -> Result<Listed<MemberObject>, Error> {
    listed::<K>(&call, asked).await.map(Listed)
}

/// `GET /:id/members/all`: those of groups above too, each with the highest role. Whoever may see the group
/// or project.
pub async fn list_all<K: Kind>(
    call: ApiCall,
    mut asked: Listing,
) -> Result<Listed<MemberObject>, Error> {
    asked.filter.inherited = true;
    listed::<K>(&call, asked).await.map(Listed)
}

/// `GET /:id/members/:user_id`: a direct one. Whoever may see the group or project.
pub async fn show<K: Kind>(call: ApiCall) -> Result<Shown<MemberObject>, Error> {
    one::<K>(&call, false).await.map(Shown)
}

/// `GET /:id/members/all/:user_id`: maybe of a group above. Whoever may see the group or project.
pub async fn show_any<K: Kind>(call: ApiCall) -> Result<Shown<MemberObject>, Error> {
    one::<K>(&call, true).await.map(Shown)
}

async fn one<K: Kind>(call: &ApiCall, inherited: bool) -> Result<MemberObject, Error> {
    let (id, user_id) = (call.segment("id"), call.number("user_id"));
    call.read(move |conn, ctx| {
        let resource = K::find_visible(conn, ctx, &id)?;
        find(conn, ctx, &resource, user_id, inherited)
    })
    .await
}

/// One member, directly, or maybe of a group above.
fn find(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    user_id: i64,
    inherited: bool,
) -> Result<MemberObject, Error> {
    let filter = Filter {
        inherited,
        user_ids: vec![user_id],
        ..Filter::default()
    };
    let page = load(conn, ctx, resource, &filter, PageRequest::default())?;
    page.rows
        .into_iter()
        .next()
        .ok_or(Error::NotFound(What::Entry))
}

async fn listed<K: Kind>(call: &ApiCall, asked: Listing) -> Result<Page<MemberObject>, Error> {
    let id = call.segment("id");
    call.read(move |conn, ctx| {
        let resource = K::find_visible(conn, ctx, &id)?;
        load(conn, ctx, &resource, &asked.filter, asked.request)
    })
    .await
}

fn load(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    filter: &Filter,
    request: PageRequest,
) -> Result<Page<MemberObject>, Error> {
    let page = listing(conn, ctx, resource, filter, request)?;
    let adders: Vec<i64> = page
        .rows
        .iter()
        .filter_map(|member| member.created_by_id)
        .collect();
    let adders = users_by_id(conn, &adders)?
        .into_iter()
        .map(|user| (user.id, user))
        .collect();
    Ok(page.map(|member| MemberObject::of(ctx, &member, &adders)))
}

/// A member to be.
pub struct NewMember {
    user_id: Option<i64>,
    username: Option<String>,
    access_level: AccessLevel,
    expires_at: Option<NaiveDate>,
}

impl Parameters for NewMember {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (user_id, username) = (params.integer("user_id"), params.text("username"));
        let level = params.required_number_choice("access_level", &AccessLevel::numbered());
        let expires_at = params.date("expires_at");
        Ok(NewMember {
            user_id: user_id?,
            username: username?,
            access_level: level?,
            expires_at: expires_at?,
        })
    }
}

impl NewMember {
    fn find(&self, conn: &mut DbConnection) -> Result<User, Error> {
        let found = match (self.user_id, &self.username) {
            (Some(id), _) => users::store::find(conn, id)?,
            (None, Some(name)) => users::store::find_by_username(conn, name)?,
            (None, None) => None,
        };
        found.ok_or(Error::NotFound(What::User))
    }
}

/// `POST /:id/members`. Owners; of projects, Maintainers.
pub async fn add<K: Kind>(call: ApiCall, new: NewMember) -> Result<Made<MemberObject>, Error> {
    if new.user_id.is_none() && new.username.is_none() {
        let text = "user_id, username are missing, at least one parameter must be provided";
        return Err(Error::Parameter(text.into()));
    }
    let id = call.segment("id");
    call.write(move |conn, ctx| {
        let resource = K::find_visible(conn, ctx, &id)?;
        // Who there is, is none of the business of whoever may not add anybody.
        if !ctx
            .actor
            .may(Right::ManageMembers, &resource.place(), &ctx.policy)
        {
            return Err(Error::forbidden());
        }
        let user = new.find(conn)?;
        adding::add(
            conn,
            ctx,
            &resource,
            &user,
            new.access_level,
            new.expires_at,
        )?;
        find(conn, ctx, &resource, user.id, false)
    })
    .await
    .map(Made)
}

/// What of a membership changes.
pub struct Changes {
    access_level: AccessLevel,
    ends: Ends,
}

impl Parameters for Changes {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let level = params.required_number_choice("access_level", &AccessLevel::numbered());
        // Nothing at all leaves the end as it is; an empty text takes it away.
        let endless = params.is_emptied("expires_at");
        let expires_at = params.date("expires_at");
        Ok(Changes {
            access_level: level?,
            ends: match expires_at? {
                Some(date) => Ends::On(date),
                None if endless => Ends::Never,
                None => Ends::AsBefore,
            },
        })
    }
}

/// `PUT /:id/members/:user_id`. Owners; of projects, Maintainers.
pub async fn update<K: Kind>(
    call: ApiCall,
    changes: Changes,
) -> Result<Shown<MemberObject>, Error> {
    let (id, user_id) = (call.segment("id"), call.number("user_id"));
    call.write(move |conn, ctx| {
        let resource = K::find_visible(conn, ctx, &id)?;
        let (level, ends) = (changes.access_level, changes.ends);
        change(conn, ctx, &resource, user_id, level, ends)?;
        find(conn, ctx, &resource, user_id, false)
    })
    .await
    .map(Shown)
}

/// `DELETE /:id/members/:user_id`. Owners; of projects, Maintainers; people, themselves.
pub async fn remove<K: Kind>(call: ApiCall) -> Result<NoContent, Error> {
    let (id, user_id) = (call.segment("id"), call.number("user_id"));
    call.write(move |conn, ctx| {
        let resource = K::find_visible(conn, ctx, &id)?;
        removing(conn, ctx, &resource, user_id).map(|_| ())
    })
    .await?;
    Ok(NoContent)
}
