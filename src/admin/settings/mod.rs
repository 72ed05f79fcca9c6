//! Settings, General of the instance: its settings, section by section, and its flags.

mod sections;

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;

use super::gate::administers;
use crate::access_tokens::lifetime;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::groups;
use crate::groups::path::RESERVED;
use crate::settings::advice;
use crate::settings::change::{self, Changes, Seen};
use crate::settings::lowering::{Lowering, is_lower};
use crate::settings::{FLAGS, LIFETIME, Policy, RETAIN, Section, Setting, Settings, store, switch};
use crate::web::form_errors::{Field, on_form};
use crate::web::lists::grouped;
use crate::web::page::PageCall;
use crate::web::views::admin::settings::{
    FlagRow, InstanceSettingsPage, LowerLifetimePage, OverlongToken, PendingLowering,
    RetainingGroup,
};
use crate::web::views::components::{Day, Moment, Tone};
use crate::web::views::forms::FormErrors;
use crate::web::views::shell::{Crumb, Shell};
use crate::web::views::sidebar::{Place, Sidebar};

/// The page's own address.
const PATH: &str = "/admin/application_settings/general";

/// Tokens that are named before the longest lifetime is lowered.
const NAMED: i64 = 20;

/// What was typed and is kept, by setting.
#[derive(Debug, Clone, Default)]
struct Typed {
    texts: BTreeMap<String, String>,
    /// Somebody else saved other things meanwhile.
    conflict: bool,
    /// A group with a say of its own.
    group: String,
}

/// `GET /admin/application_settings/general` (`Administer`).
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn show(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    let open = open_section(call.query.text("section"));
    page(
        &call,
        StatusCode::OK,
        open,
        Typed::default(),
        FormErrors::none(),
    )
    .await
}

/// `POST /admin/application_settings/general` (`Administer`): saves the section that `update_section` names, switches a
/// flag, or undoes a lowering.
///
/// # Errors
/// [`Error::NotFound`] for everybody but administrators.
pub async fn save(call: PageCall) -> Result<HttpResponse, Error> {
    administers(&call.ctx)?;
    if call.form.text("act") == "undo_lowering" {
        return undo_lowering(&call).await;
    }
    match call.form.text("update_section") {
        "flags" => switch_flag(&call).await,
        name => match Section::parse(name) {
            Some(section) => save_section(&call, section).await,
            None => Err(Error::NotFound(What::Thing)),
        },
    }
}

async fn save_section(call: &PageCall, section: Section) -> Result<HttpResponse, Error> {
    let mut typed = Typed::default();
    let mut changes = Changes::default();
    let mut errors = FormErrors::none();
    for setting in Setting::of(section) {
        let Some(text) = call.form.get(&field_name(setting)) else {
            continue;
        };
        typed.texts.insert(setting.key.into(), text.into());
        match setting.read(text) {
            Ok(value) => changes.set(setting, value),
            Err(why) => errors.add(setting.key, format!("{} {why}", setting.label)),
        }
    }
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if !errors.is_empty() {
        return page(call, unprocessable, section.name(), typed, errors).await;
    }
    let days = changes.get(LIFETIME).and_then(Value::as_u64);
    if let Some(days) = days.and_then(|days| u32::try_from(days).ok())
        && call.form.text("confirmed_lifetime") != days.to_string()
        && let Some(question) = ask_about_lowering(call, days).await?
    {
        return Ok(question);
    }
    let seen = call.form.get("stamp").map(|stamp| Seen {
        section,
        stamp: stamp.into(),
    });
    let saved = call
        .write(move |conn, ctx| change::save(conn, ctx, &changes, seen.as_ref()))
        .await;
    match saved {
        Ok(_) => {
            call.app.jobs_waiting.notify_one();
            call.flash(Tone::Success, "Application settings saved successfully.");
            Ok(call.redirect(&address_of(section.name())))
        }
        Err(error) => {
            typed.conflict = matches!(error, Error::Conflict(_));
            let status = if typed.conflict {
                StatusCode::CONFLICT
            } else {
                unprocessable
            };
            let fields: Vec<Field> = Setting::of(section)
                .map(|setting| Field::new(setting.key, setting.key, setting.label))
                .collect();
            let errors = on_form(error, &fields)?;
            page(call, status, section.name(), typed, errors).await
        }
    }
}

/// If active tokens live longer than would be allowed: the page that says so and asks.
async fn ask_about_lowering(call: &PageCall, days: u32) -> Result<Option<HttpResponse>, Error> {
    let found = call
        .read(move |conn, ctx| {
            let limits = store::load(conn)?;
            let before = limits.settings.max_personal_access_token_lifetime;
            if days > limits.limits().built_in() || !is_lower(Some(days), before) {
                return Ok(None);
            }
            lifetime::survey_overlong(conn, ctx, days, NAMED).map(Some)
        })
        .await?;
    let Some((count, tokens)) = found.filter(|(count, _)| *count > 0) else {
        return Ok(None);
    };
    let shown = i64::try_from(tokens.len()).unwrap_or(NAMED);
    let page = LowerLifetimePage {
        shell: shell(call, "Lower the maximum lifetime"),
        days: days_of(Some(days)),
        count: tokens_of(count),
        tokens: tokens
            .into_iter()
            .map(|token| OverlongToken {
                name: token.name,
                kind: match token.kind {
                    "group" => "Group",
                    "project" => "Project",
                    _ => "Personal",
                },
                holder: token.full_path,
                expires: token
                    .expires_at
                    .map_or_else(|| "Never".into(), |date| Day::on(date).text),
            })
            .collect(),
        more: Some(count - shown)
            .filter(|more| *more > 0)
            .map(grouped)
            .unwrap_or_default(),
        fields: call
            .form
            .iter()
            .filter(|(name, _)| *name != "authenticity_token" && *name != "confirmed_lifetime")
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain([("confirmed_lifetime".to_owned(), days.to_string())])
            .collect(),
    };
    call.ok(&page).map(Some)
}

async fn undo_lowering(call: &PageCall) -> Result<HttpResponse, Error> {
    match call.write(change::undo_lowering).await {
        Ok(_) => {
            call.flash(
                Tone::Success,
                "The maximum lifetime is what it was. No token will be revoked.",
            );
            Ok(call.redirect(&address_of(Section::Account.name())))
        }
        Err(error) => {
            let status = match error {
                Error::Conflict(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let errors = on_form(error, &[])?;
            let open = Section::Account.name();
            page(call, status, open, Typed::default(), errors).await
        }
    }
}

/// Switches a flag for the instance, or has a top-level group have its own say, or none any more.
async fn switch_flag(call: &PageCall) -> Result<HttpResponse, Error> {
    let flag = call.form.text("flag").to_owned();
    let group = call.form.get("group").map(|path| path.trim().to_owned());
    let enabled = match call.form.text("enabled") {
        "true" => Some(true),
        "false" => Some(false),
        "inherit" if group.is_some() => None,
        _ => return Err(Error::NotFound(What::Thing)),
    };
    let typed = Typed {
        group: group.clone().unwrap_or_default(),
        ..Typed::default()
    };
    let said = match (&group, enabled) {
        (Some(path), Some(true)) => format!("Bots of revoked tokens are kept in {path}."),
        (Some(path), Some(false)) => format!("Bots of revoked tokens are deleted in {path}."),
        (Some(path), None) => format!("{path} does as the instance does."),
        (None, on) => format!("{flag} is {}.", if on == Some(true) { "on" } else { "off" }),
    };
    let switched = call
        .write(move |conn, ctx| match (&group, enabled) {
            (Some(path), enabled) => {
                switch::switch_for_group(conn, ctx, RETAIN, enabled, path).map(|_| ())
            }
            (None, enabled) => switch::switch(conn, ctx, &flag, enabled.unwrap_or(false)),
        })
        .await;
    match switched {
        Ok(()) => {
            call.flash(Tone::Success, said);
            Ok(call.redirect(&address_of("flags")))
        }
        Err(error) => {
            let errors = on_form(error, &[])?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            page(call, status, "flags", typed, errors).await
        }
    }
}

fn address_of(section: &str) -> String {
    format!("{PATH}?section={section}#js-{section}-settings")
}

fn field_name(setting: &Setting) -> String {
    format!("application_setting[{}]", setting.key)
}

/// The section that is open; the first, if none is asked for.
fn open_section(name: &str) -> &'static str {
    match Section::parse(name) {
        Some(section) => section.name(),
        None if name == "flags" => "flags",
        None => Section::Account.name(),
    }
}

fn shell(call: &PageCall, title: &str) -> Shell {
    call.shell(
        title,
        vec![
            Crumb::link("Admin", "/admin"),
            Crumb::link("Settings", PATH),
            Crumb::here("General"),
        ],
        Some(Sidebar::admin(Place::General)),
    )
}

/// What the page reads.
struct Found {
    policy: Policy,
    pending: Option<(Lowering, i64)>,
    retaining: Vec<(String, bool)>,
}

fn find(conn: &mut DbConnection, ctx: &Context) -> Result<Found, Error> {
    let policy = store::load(conn)?;
    let pending = match (store::lowering(conn)?, lifetime_of(&policy.settings)) {
        (Some(pending), Some(days)) => {
            let (count, _) = lifetime::survey_overlong(conn, ctx, days, 0)?;
            Some((pending, count))
        }
        _ => None,
    };
    Ok(Found {
        pending,
        retaining: groups::store::with_own_retention(conn)?,
        policy,
    })
}

fn lifetime_of(settings: &Settings) -> Option<u32> {
    settings.max_personal_access_token_lifetime
}

async fn page(
    call: &PageCall,
    status: StatusCode,
    open: &'static str,
    typed: Typed,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let found = call.read(find).await?;
    let now = call.ctx.now;
    let mut shell = shell(call, "General settings");
    let saved = shell.take_success();
    let days = lifetime_of(&found.policy.settings);
    let mut forms = Vec::new();
    for section in Section::ALL {
        let mut form = sections::form(section, &found.policy, &typed)?;
        form.facts = facts(call, section);
        if section == Section::Access {
            form.advice = advice::about(&found.policy.settings, call.ctx.policy.offering);
        }
        forms.push(form);
    }
    call.render(
        status,
        &InstanceSettingsPage {
            shell,
            open,
            saved,
            sections: forms,
            pending: found.pending.map(|(pending, count)| PendingLowering {
                before: days_of(pending.before),
                now: days_of(days),
                count: tokens_of(count),
                at: Moment::at(pending.at, now),
            }),
            flags: FLAGS
                .iter()
                .map(|flag| FlagRow {
                    name: flag.name,
                    effect: flag.effect,
                    since: flag.since,
                    enabled: found.policy.flags.get(flag.name).unwrap_or(false),
                    permanent: flag.permanent,
                })
                .collect(),
            retaining: found
                .retaining
                .into_iter()
                .map(|(path, enabled)| RetainingGroup { path, enabled })
                .collect(),
            retaining_typed: typed.group,
            errors,
        },
    )
}

/// What a section tells beside what can be set.
fn facts(call: &PageCall, section: Section) -> Vec<(&'static str, String)> {
    let mailer = &call.app.mailer;
    match section {
        Section::Mail => vec![
            ("Mails are from", mailer.sender()),
            (
                "They go out through",
                if mailer.reaches_people() {
                    mailer.destination()
                } else {
                    format!("{}: files that reach nobody", mailer.destination())
                },
            ),
        ],
        Section::Access => vec![(
            "Names that no user and no top-level group can have",
            RESERVED.join(", "),
        )],
        Section::Account | Section::Code | Section::Network => Vec::new(),
    }
}

fn days_of(days: Option<u32>) -> String {
    match days {
        None => "no limit of its own".into(),
        Some(1) => "1 day".into(),
        Some(days) => format!("{days} days"),
    }
}

fn tokens_of(count: i64) -> String {
    match count {
        1 => "1 token".into(),
        count => format!("{} tokens", grouped(count)),
    }
}
