//! Another place: first where to, then what that means, then the move.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{Action, Kind, base, find, subject, words};
use crate::access_tokens::Resource;
use crate::advanced::holders::{self, Roles};
use crate::advanced::roles::Held;
use crate::advanced::store::{self, Destination};
use crate::context::Context;
use crate::db::{DbConnection, Page, PageRequest};
use crate::error::{Error, What};
use crate::groups::list::{Filter, list_visible};
use crate::groups::relocation::fits;
use crate::groups::store::{GroupRef, find_by_ref, find_personal};
use crate::groups::{self, Group};
use crate::members::AccessLevel;
use crate::permissions::Right;
use crate::projects;
use crate::web::form_errors::{Field, on_form};
use crate::web::page::PageCall;
use crate::web::views::advanced::{DestinationPage, TransferPage};
use crate::web::views::components::{Choice, Tone};
use crate::web::views::forms::FormErrors;

/// Places that the form offers at the most; beyond that they are searched for.
const OFFERED: i64 = 100;

/// The field that says where to, in the address and in the form.
const TO: &str = "group_id";

/// What it says for the top level.
const TOP: &str = "top";

/// What refuses a move, in words that need no field.
const FIELDS: [Field; 4] = [
    Field::new("group_id", "", "The new place"),
    Field::new("namespace", "", "The new place"),
    Field::new("path", "", "The address there"),
    Field::new("visibility", "", "Visibility"),
];

/// Where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Top,
    Group(i64),
}

impl To {
    /// Nothing if nothing was chosen.
    fn parse(text: &str) -> Result<Option<Self>, Error> {
        match text {
            "" => Ok(None),
            TOP => Ok(Some(To::Top)),
            id => id
                .parse()
                .map(|id| Some(To::Group(id)))
                .map_err(|_| Error::NotFound(What::Group)),
        }
    }

    fn value(self) -> String {
        match self {
            To::Top => TOP.to_owned(),
            To::Group(id) => id.to_string(),
        }
    }

    fn id(self) -> Option<i64> {
        match self {
            To::Top => None,
            To::Group(id) => Some(id),
        }
    }
}

/// `GET`: which place, or what a place means.
pub(super) async fn ask(call: &PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    match To::parse(call.query.text(TO))? {
        None => choose(call, kind, FormErrors::none(), StatusCode::OK).await,
        Some(to) => preview(call, kind, to, FormErrors::none()).await,
    }
}

/// `POST`: the move.
pub(super) async fn transfer(call: &PageCall, kind: Kind) -> Result<HttpResponse, Error> {
    let Some(to) = To::parse(call.form.text(TO))? else {
        let mut errors = FormErrors::none();
        errors.add(TO, "The new place can't be blank");
        return choose(call, kind, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let path = call.segment("full_path").to_owned();
    let moved = call
        .write(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path, Action::Transfer)?;
            let parent = match to {
                To::Top => None,
                To::Group(id) => find_by_ref(conn, &GroupRef::Id(id))?,
            };
            receives(ctx, kind, to, parent.as_ref())?;
            match (&resource, parent) {
                (Resource::Group(group), parent) => {
                    groups::transfer::transfer(conn, ctx, group, parent.as_ref())
                        .map(Resource::Group)
                }
                (Resource::Project(project), Some(parent)) => {
                    projects::transfer::transfer(conn, ctx, project, &parent).map(Resource::Project)
                }
                (Resource::Project(_), None) => Err(Error::NotFound(What::Namespace)),
            }
        })
        .await;
    match moved {
        Ok(resource) => {
            let text = match &resource {
                Resource::Group(group) if group.parent_id.is_none() => {
                    format!("Group '{}' is a top-level group now.", group.name)
                }
                Resource::Group(group) => format!(
                    "Group '{}' was transferred to {}.",
                    group.name,
                    above(&group.full_path)
                ),
                Resource::Project(project) => format!(
                    "Project '{}' was transferred to {}.",
                    project.name, project.namespace.full_path
                ),
            };
            call.flash(Tone::Success, text);
            Ok(call.redirect(&format!("/{}", resource.full_path())))
        }
        Err(error) => preview(call, kind, to, on_form(error, &FIELDS)?).await,
    }
}

fn above(full_path: &str) -> &str {
    full_path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// May the actor put something there? What they can't know of isn't there.
fn receives(ctx: &Context, kind: Kind, to: To, parent: Option<&Group>) -> Result<(), Error> {
    let allowed = match (kind, to, parent) {
        (Kind::Group, To::Top, _) => ctx.actor.may_on_instance(Right::CreateTopLevelGroup),
        (Kind::Group, To::Group(_), Some(parent)) => {
            ctx.actor
                .may(Right::ReceiveGroup, &parent.place(), &ctx.policy)
        }
        (Kind::Project, To::Group(_), Some(parent)) => {
            ctx.actor.sees(&parent.place(), &ctx.policy)
                && ctx
                    .actor
                    .may(Right::CreateProject, &parent.place(), &ctx.policy)
        }
        _ => false,
    };
    if allowed {
        Ok(())
    } else {
        Err(Error::NotFound(What::Group))
    }
}

/// The places on offer.
struct Places {
    resource: Resource,
    groups: Page<Group>,
    personal: Option<Group>,
}

fn places(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: Resource,
    search: &str,
) -> Result<Places, Error> {
    let everywhere = ctx.actor.is_admin();
    let at_least = match &resource {
        Resource::Group(_) => AccessLevel::Owner,
        Resource::Project(_) => AccessLevel::Developer,
    };
    let (outside, without) = match &resource {
        Resource::Group(group) => (Some(group.traversal.clone()), group.parent_id),
        Resource::Project(project) => (None, Some(project.group_id)),
    };
    let filter = Filter {
        search: (!search.is_empty()).then(|| search.to_owned()),
        search_full_path: true,
        membership: !everywhere,
        at_least: (!everywhere).then_some(at_least),
        outside,
        without: without.into_iter().collect(),
        uncounted: true,
        ..Filter::default()
    };
    let request = PageRequest {
        page: 1,
        per_page: OFFERED,
    };
    let groups = list_visible(conn, ctx, &filter, request)?;
    let personal = match &resource {
        Resource::Project(project) => find_personal(conn, ctx.actor.user_id().unwrap_or(0))?
            .filter(|personal| personal.id != project.group_id),
        Resource::Group(_) => None,
    };
    Ok(Places {
        resource,
        groups,
        personal,
    })
}

async fn choose(
    call: &PageCall,
    kind: Kind,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let search = call.query.text("search").trim().to_owned();
    let wanted = search.clone();
    let Places {
        resource,
        groups,
        personal,
    } = call
        .read(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path, Action::Transfer)?;
            places(conn, ctx, resource, &wanted)
        })
        .await?;
    let mut choices = Vec::new();
    if let Resource::Group(group) = &resource
        && group.parent_id.is_some()
        && call.ctx.actor.could_on_instance(Right::CreateTopLevelGroup)
    {
        choices.push(Choice::new(TOP, "Top level, in no group", ""));
    }
    if let Some(personal) = personal {
        let label = format!("{} (your own namespace)", personal.full_path);
        choices.push(Choice::new(personal.id.to_string(), label, ""));
    }
    choices.extend(
        groups
            .rows
            .iter()
            .map(|group| Choice::new(group.id.to_string(), &group.full_path, "")),
    );
    let title = format!("Transfer {}", resource.noun());
    let (shell, about) = subject(call, &resource, &title);
    let page = DestinationPage {
        shell,
        about,
        searchable: groups.has_next || !search.is_empty(),
        more: groups.has_next,
        search,
        choices,
        errors,
    };
    call.render(status, &page)
}

/// What a move to this place means. `errors` is what a move has just been refused with.
async fn preview(
    call: &PageCall,
    kind: Kind,
    to: To,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let (resource, destination, roles) = call
        .read(move |conn, ctx| {
            let resource = find(conn, ctx, kind, &path, Action::Transfer)?;
            let destination = store::destination(conn, &resource, to.id(), ctx.now)?
                .ok_or(Error::NotFound(What::Group))?;
            receives(ctx, kind, to, destination.parent.as_ref())?;
            let roles = holders::held(conn, ctx, &resource, &destination)?;
            Ok((resource, destination, roles))
        })
        .await?;
    let errors = if errors.is_empty() {
        refusal(&resource, &destination)?
    } else {
        errors
    };
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let (roles, becomes_owner) = with_new_owner(&call.ctx, &destination, roles);
    let place = match &destination.parent {
        Some(parent) => parent.full_path.clone(),
        None => "the top level".to_owned(),
    };
    let consequences = words::the_move(&call.ctx, &resource, &destination, &roles, becomes_owner);
    let title = format!("Transfer {}", resource.noun());
    let (shell, about) = subject(call, &resource, &title);
    let page = TransferPage {
        shell,
        about,
        before: call.ctx.url(&format!("/{}", resource.full_path())),
        after: call
            .ctx
            .url(&format!("/{}", address_there(&resource, &destination))),
        place,
        value: to.value(),
        another: format!("{}/transfer", base(&resource)),
        consequences,
        errors,
    };
    call.render(status, &page)
}

/// Why it can't lie there, as far as is known before it is tried.
fn refusal(resource: &Resource, destination: &Destination) -> Result<FormErrors, Error> {
    let checked = match (resource, &destination.parent) {
        (Resource::Group(group), parent) => {
            groups::transfer::check(group, parent.as_ref(), destination.levels_below)
        }
        (Resource::Project(project), Some(parent)) => projects::transfer::check(project, parent),
        (Resource::Project(_), None) => Err(Error::NotFound(What::Namespace)),
    };
    match checked.and_then(|()| fits_there(resource, destination)) {
        Err(error) => on_form(error, &FIELDS),
        Ok(()) if destination.taken => {
            let taken = Error::invalid("path", "has already been taken");
            on_form(taken, &FIELDS)
        }
        Ok(()) => Ok(FormErrors::none()),
    }
}

/// Its address there.
fn address_there(resource: &Resource, destination: &Destination) -> String {
    match &destination.parent {
        Some(parent) => format!("{}/{}", parent.full_path, resource.path()),
        None => resource.path().to_owned(),
    }
}

/// Are the addresses there, from this one down, as short as addresses have to be?
fn fits_there(resource: &Resource, destination: &Destination) -> Result<(), Error> {
    let (before, after) = (
        resource.full_path().len(),
        address_there(resource, destination).len(),
    );
    if after > before {
        fits(destination.longest + after - before)
    } else {
        Ok(())
    }
}

/// A group that comes to the top belongs to whoever moved it, if to nobody else: whether that is so, and with that.
fn with_new_owner(ctx: &Context, destination: &Destination, roles: Roles) -> (Vec<Held>, bool) {
    let mut held = roles.held;
    let user = ctx.actor.user.as_ref().filter(|user| user.is_human());
    let becomes_owner = destination.parent.is_none() && !roles.owned_for_good;
    if becomes_owner && let Some(user) = user {
        held.insert(
            0,
            Held {
                user_id: user.id,
                name: user.name.clone(),
                username: user.username.clone(),
                is_bot: false,
                level: AccessLevel::Owner,
                before: false,
                after: true,
                sees_anyway: user.admin,
                sees_all_below: user.admin,
                further_down: false,
            },
        );
    }
    (held, becomes_owner)
}
