//! Settings, General of a group.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::FIELDS;
use crate::access_tokens::Resource;
use crate::advanced::pages::section as section_advanced;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups::form::{levels, typed_level};
use crate::groups::notify_inherited::{
    self,
    change::{Changes, Decider},
};
use crate::groups::store::{self, GroupRef, find_visible};
use crate::groups::update::{self as updating, GroupChanges};
use crate::groups::{Group, GroupRow, Visibility, frame};
use crate::permissions::{Place as Spot, Right};
use crate::web::form_errors::on_form;
use crate::web::page::{Form, PageCall};
use crate::web::views::components::Tone;
use crate::web::views::forms::FormErrors;
use crate::web::views::groups::{
    ExpiryMails, GroupSettingsPage, OpenSection, Settled, SettledBy, TokenCreationSwitch,
};
use crate::web::views::sidebar::Place;

/// What the settings page needs to know besides what was typed.
struct Settings {
    group: Group,
    /// The group above.
    parent: Option<GroupRow>,
    /// The widest visibility of what lies in it.
    inside: Option<Visibility>,
    /// Who gets mails before tokens end.
    expiry_mails: Option<ExpiryMails>,
}

/// What is in the forms of the settings page; nothing: as it is.
#[derive(Debug, Clone, Default)]
struct TypedSettings {
    name: Option<String>,
    description: Option<String>,
    visibility: Option<Visibility>,
    creation_allowed: Option<bool>,
    notify_inherited: Changes,
}

/// `GET /groups/{full_path}/-/edit` (`EditGroup`, `SeeGroup`): Settings, General.
///
/// # Errors
/// [`Error::NotFound`] for everybody but its Owners.
pub async fn edit(call: PageCall) -> Result<HttpResponse, Error> {
    let open = section(call.query.text("section"));
    edit_page(
        &call,
        open,
        TypedSettings::default(),
        FormErrors::none(),
        StatusCode::OK,
    )
    .await
}

/// `POST /groups/{full_path}/-/edit` (`EditGroup`, `ChangeCreationSwitch`, `SeeGroup`): saves the
/// section that `update_section` names, `general` or `permissions`.
///
/// # Errors
/// [`Error::NotFound`] for everybody but its Owners.
pub async fn update(call: PageCall) -> Result<HttpResponse, Error> {
    let form = &call.form;
    // What is under Advanced has pages of its own.
    let open = match section(form.text("update_section")) {
        OpenSection::Advanced => OpenSection::General,
        open => open,
    };
    let given = |field: &str| form.get(field).map(str::to_owned);
    let mut errors = FormErrors::none();
    let switch = "group[resource_access_token_creation_allowed]";
    let typed = match open {
        OpenSection::General | OpenSection::Advanced => TypedSettings {
            name: given("group[name]"),
            description: given("group[description]"),
            visibility: typed_level(form, "group[visibility_level]", &mut errors),
            ..TypedSettings::default()
        },
        OpenSection::Permissions => TypedSettings {
            creation_allowed: form.get(switch).map(|_| form.is_ticked(switch)),
            notify_inherited: typed_notify(form, &mut errors),
            ..TypedSettings::default()
        },
    };
    if !errors.is_empty() {
        return edit_page(&call, open, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let path = call.segment("full_path").to_owned();
    let wanted = typed.clone();
    let saved = call
        .write(move |conn, ctx| {
            let group = find_editable(conn, ctx, &path)?;
            match open {
                OpenSection::Permissions => save_permissions(conn, ctx, group, &wanted),
                OpenSection::General | OpenSection::Advanced => {
                    let changes = GroupChanges {
                        name: wanted.name.clone(),
                        path: None,
                        description: wanted.description.clone(),
                        visibility: wanted.visibility,
                    };
                    updating::update(conn, ctx, &group, &changes)
                }
            }
        })
        .await;
    match saved {
        Ok(group) => {
            call.flash(
                Tone::Success,
                format!("Group '{}' was successfully updated.", group.name),
            );
            let name = open.name();
            Ok(call.redirect(&format!(
                "/groups/{}/-/edit?section={name}#js-{name}-settings",
                group.full_path
            )))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            edit_page(&call, open, typed, errors, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

fn save_permissions(
    conn: &mut DbConnection,
    ctx: &Context,
    group: Group,
    wanted: &TypedSettings,
) -> Result<Group, Error> {
    let group = match wanted.creation_allowed {
        Some(allowed) => updating::allow_token_creation(conn, ctx, &group, allowed)?,
        None => group,
    };
    if wanted.notify_inherited.is_empty() {
        return Ok(group);
    }
    notify_inherited::change::change(conn, ctx, &group, wanted.notify_inherited)
}

/// Who gets mails before tokens end, as the form has it; nothing where it doesn't ask.
fn typed_notify(form: &Form, errors: &mut FormErrors) -> Changes {
    let lock = "group[lock_resource_access_token_notify_inherited]";
    let value = match form.get("group[resource_access_token_notify_inherited]") {
        None => None,
        Some("") => Some(None),
        Some("1") => Some(Some(true)),
        Some("0") => Some(Some(false)),
        Some(_) => {
            errors.add(
                notify_inherited::VALUE,
                "Recipients of expiry mails does not have a valid value",
            );
            None
        }
    };
    Changes {
        value,
        locked: form.get(lock).map(|_| form.is_ticked(lock)),
    }
}

/// The question who gets mails, with what was typed; left out while the instance asks nobody.
fn expiry_mails(
    ctx: &Context,
    group: &Group,
    ancestry: &[GroupRow],
    typed: Changes,
) -> Option<ExpiryMails> {
    if !ctx.policy.flags.pat_expiry_inherited_members_notification {
        return None;
    }
    let said = ancestry.iter().map(GroupRow::notify_inherited);
    let above = notify_inherited::from_above(ctx.policy.notify_inherited(), said);
    let by = match notify_inherited::change::decider(ctx, ancestry, above.source) {
        None => None,
        Some(Decider::Group(path)) => Some(SettledBy::Group(path)),
        Some(Decider::Hidden) => Some(SettledBy::Hidden),
        Some(Decider::Instance) => Some(SettledBy::Instance),
    };
    let own = group.notify_inherited;
    Some(ExpiryMails {
        chosen: typed.value.unwrap_or(own.value),
        above: above.inherited,
        has_parent: group.parent_id.is_some(),
        enforced: typed.locked.unwrap_or(own.locked),
        settled: by.map(|by| Settled {
            by,
            locked: above.source.is_lock(),
        }),
    })
}

fn section(name: &str) -> OpenSection {
    OpenSection::ALL
        .into_iter()
        .find(|section| section.name() == name)
        .unwrap_or(OpenSection::General)
}

/// The group, if the actor may change it.
fn find_editable(conn: &mut DbConnection, ctx: &Context, path: &str) -> Result<Group, Error> {
    let group = find_visible(conn, ctx, &GroupRef::Path(path.to_owned()))?;
    if ctx.actor.may(Right::EditGroup, &group.place(), &ctx.policy) {
        Ok(group)
    } else {
        Err(Error::NotFound(What::Group))
    }
}

async fn edit_page(
    call: &PageCall,
    open: OpenSection,
    typed: TypedSettings,
    errors: FormErrors,
    status: StatusCode,
) -> Result<HttpResponse, Error> {
    let path = call.segment("full_path").to_owned();
    let asked = typed.notify_inherited;
    let Settings {
        group,
        parent,
        inside,
        expiry_mails,
    } = call
        .read(move |conn, ctx| {
            let group = find_editable(conn, ctx, &path)?;
            let ancestry = store::ancestry(conn, &group)?;
            let inside = store::widest_inside(conn, group.id)?;
            let expiry_mails = expiry_mails(ctx, &group, &ancestry, asked);
            let parent = ancestry.into_iter().rev().nth(1);
            Ok(Settings {
                group,
                parent,
                inside,
                expiry_mails,
            })
        })
        .await?;
    let mut shell = frame::shell(call, &group, "General settings", Place::General);
    let saved = shell.take_success();
    let ceiling = parent
        .as_ref()
        .map(|parent| (parent.full_path.as_str(), parent.visibility));
    let (saved, moved) = match open {
        OpenSection::Advanced => (None, saved),
        _ => (saved, None),
    };
    let resource = Resource::Group(group.clone());
    let advanced = section_advanced(&call.ctx, &resource, open == OpenSection::Advanced, moved);
    let floor = inside.map(|widest| ("Something in it", widest));
    let chosen = typed.visibility.unwrap_or(group.visibility);
    let page = GroupSettingsPage {
        token_creation: token_creation(&call.ctx, &group, typed.creation_allowed),
        shell,
        id: group.id,
        open,
        saved,
        advanced,
        name: typed.name.unwrap_or(group.name),
        description: typed.description.unwrap_or(group.description),
        visibility: levels(chosen, ceiling, floor),
        expiry_mails,
        full_path: group.full_path,
        errors,
    };
    call.render(status, &page)
}

/// The switch of a top-level group; elsewhere what it is set to, and the way to it for those who may go.
fn token_creation(ctx: &Context, group: &Group, typed: Option<bool>) -> TokenCreationSwitch {
    if !group.plan.allows_creation(ctx.policy.offering) {
        return TokenCreationSwitch::NotInPlan;
    }
    if group.parent_id.is_none() {
        return TokenCreationSwitch::Here {
            allowed: typed.unwrap_or(group.creation_allowed),
        };
    }
    let traversal = format!("{}/", group.root_id);
    let root = Spot {
        group_id: group.root_id,
        traversal: &traversal,
        is_top_level: true,
        ..group.place()
    };
    let root_path = group.root_path();
    TokenCreationSwitch::Inherited {
        allowed: group.creation_allowed,
        root: ctx
            .actor
            .sees(&root, &ctx.policy)
            .then(|| root_path.to_owned()),
        settings_href: ctx
            .actor
            .could(Right::ChangeCreationSwitch, &root, &ctx.policy)
            .then(|| {
                format!("/groups/{root_path}/-/edit?section=permissions#js-permissions-settings")
            }),
    }
}
