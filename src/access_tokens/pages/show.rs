//! The page of one token, and the form for its name and description.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use chrono::{Days, NaiveDate};

use super::super::detail::{self, Detail};
use super::super::edit::{self, Texts};
use super::super::reach::{self, Reach};
use super::super::unused::idleness;
use super::super::{ListedToken, Resource, days};
use super::confirm::{sentence, token_id};
use super::form::replacement;
use super::holder::{Asked, Holder};
use super::index::NOT_TAKEN;
use super::rows::{self, Offers};
use crate::audit::list::{AuditEvent, of_token};
use crate::audit::{catalogue, pages::channel};
use crate::context::Context;
use crate::db::{DbConnection, Total};
use crate::error::Error;
use crate::permissions::Right;
use crate::web::form_errors::{Field, on_form};
use crate::web::lists::{address, grouped, total};
use crate::web::page::PageCall;
use crate::web::views::access_token::{
    BAR, EditForm, Kin, ReachCard, TokenDetailPage, TokenEvent, Usage, UseDay, WorkingValue,
};
use crate::web::views::components::{Day, Expiry, Moment, Tone};
use crate::web::views::dates::clock;
use crate::web::views::forms::FormErrors;

/// Events on the page.
const EVENTS: i64 = 20;

/// From the beginning of one bar to that of the next.
const STEP: u32 = 10;

/// How the rules call the fields of the form.
const FIELDS: [Field; 2] = [
    Field::new("name", "name", "Token name"),
    Field::new("description", "description", "Token description"),
];

/// All that the page shows.
struct Scene {
    holder: Holder,
    reach: Option<Reach>,
    detail: Detail,
    events: Vec<AuditEvent>,
}

impl Scene {
    fn load(conn: &mut DbConnection, ctx: &Context, asked: &Asked, id: i64) -> Result<Self, Error> {
        let (holder, reach) = match asked {
            Asked::Group(path) => {
                let (resource, reach) = reach::of_group(conn, ctx, path)?;
                (Holder::of_resource(ctx, resource)?, Some(reach))
            }
            _ => (asked.find(conn, ctx)?, None),
        };
        let detail = match &holder {
            Holder::Resource(resource) => detail::of_resource(conn, ctx, resource, id)?,
            Holder::Person(_) => detail::personal(conn, ctx, id)?,
        };
        Ok(Scene {
            events: of_token(conn, id, EVENTS)?,
            holder,
            reach,
            detail,
        })
    }
}

/// Shows a token, whatever its state.
pub(super) async fn show(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    answer(call, asked, StatusCode::OK, None, FormErrors::none()).await
}

/// Saves name and description.
pub(super) async fn update(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let id = token_id(call)?;
    let looked_for = asked.clone();
    let holder = call
        .read(move |conn, ctx| looked_for.find(conn, ctx))
        .await?;
    let field = |name: &str| {
        let text = call.form.text(&format!("{}[{name}]", holder.kind().form()));
        text.replace("\r\n", "\n")
    };
    let texts = Texts {
        name: field("name"),
        description: field("description"),
    };
    let (target, wanted) = (holder.clone(), texts.clone());
    let saved = call
        .write(move |conn, ctx| match &target {
            Holder::Resource(resource) => edit::edit(conn, ctx, resource, id, &wanted),
            Holder::Person(_) => edit::edit_personal(conn, ctx, id, &wanted),
        })
        .await;
    match saved {
        Ok(listed) => {
            let name = listed.token.name;
            call.flash(Tone::Success, format!("Updated access token {name}."));
            Ok(call.redirect(&format!("{}/{id}", holder.path())))
        }
        // Revoked meanwhile: there is no form any more to tell it on.
        Err(Error::Refused(reason)) => {
            call.flash(Tone::Danger, format!("{}.", sentence(&reason)));
            Ok(call.redirect(&format!("{}/{id}", holder.path())))
        }
        Err(error) => {
            let errors = on_form(error, &FIELDS)?;
            answer(call, asked, NOT_TAKEN, Some(texts), errors).await
        }
    }
}

async fn answer(
    call: &PageCall,
    asked: Asked,
    status: StatusCode,
    typed: Option<Texts>,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let id = token_id(call)?;
    let scene = call
        .read(move |conn, ctx| Scene::load(conn, ctx, &asked, id))
        .await?;
    call.render(status, &page(call, scene, typed, errors))
}

fn page(
    call: &PageCall,
    scene: Scene,
    typed: Option<Texts>,
    errors: FormErrors,
) -> TokenDetailPage {
    let ctx = &call.ctx;
    let (now, today) = (ctx.now, ctx.today());
    let Scene {
        holder,
        reach,
        detail,
        events,
    } = scene;
    let path = holder.path();
    let listed = &detail.listed;
    let token = &listed.token;
    let (revoked, expired) = (token.is_revoked(now), token.is_expired(today));
    let offers = Offers::of(&holder, ctx);
    let can_edit = !token.revoked && holder.allows(Right::EditToken, ctx);
    let events_href = events_href(&holder, ctx, token.id);
    let sees_events = events_href.is_some();
    let makes_new = holder.allows(Right::CreateToken, ctx) && !holder.is_switched_off(ctx);
    TokenDetailPage {
        shell: holder.shell_of(call, &token.name),
        kind: holder.kind(),
        id: token.id,
        name: token.name.clone(),
        description: token.description.clone().unwrap_or_default(),
        hint: token.hint.clone(),
        state: rows::state(listed, now),
        expires: token.expires_at.map(|date| Expiry::on(date, today)),
        is_over: expired,
        revoked_at: revoked.then(|| Moment::at(rows::ended_at(listed), now)),
        works_until: token
            .grace_until
            .filter(|_| token.is_in_grace(now) && !expired)
            .map(|until| clock(until, now)),
        old_values: detail
            .old_values(now)
            .filter_map(|old| {
                Some(WorkingValue {
                    id: old.token.id,
                    hint: old.token.hint.clone(),
                    until: clock(old.token.grace_until?, now),
                })
            })
            .collect(),
        role: rows::role(listed, today),
        scopes: token.scopes.names(),
        created: Moment::at(token.created_at, now),
        // Whoever had the bot made has made its first token, and no later one.
        maker: detail
            .maker
            .clone()
            .filter(|_| listed.user.is_bot() && token.previous_token_id.is_none()),
        bot: Some(listed.user.username.clone()).filter(|_| listed.user.is_bot()),
        usage: usage(&detail, ctx),
        reach: ReachCard {
            sentence: reach_of(&holder, reach),
            href: holder.overview(),
            check_href: (!revoked && !expired).then(|| {
                address(
                    &format!("{path}/check"),
                    &[
                        ("token", &token.id.to_string()),
                        ("path", &holder.example()),
                    ],
                )
            }),
        },
        family: detail
            .family
            .iter()
            .map(|kin| Kin {
                id: kin.token.id,
                state: rows::state(kin, now),
                created: Moment::at(kin.token.created_at, now),
                current: kin.token.id == token.id,
            })
            .collect(),
        events: events
            .iter()
            .map(|event| told(event, ctx, sees_events, listed.user.id))
            .collect(),
        events_href,
        can_rotate: !token.revoked && offers.rotates(listed, today),
        can_revoke: !revoked && holder.allows(Right::RevokeToken, ctx),
        edit: can_edit.then(|| {
            let (open, texts) = match typed {
                Some(typed) => (true, typed),
                None => (false, as_it_is(listed)),
            };
            EditForm {
                open,
                name: texts.name,
                description: texts.description,
                errors,
            }
        }),
        replacement_href: ((revoked || expired) && makes_new).then(|| replacement(&path, listed)),
        path,
    }
}

fn as_it_is(listed: &ListedToken) -> Texts {
    Texts {
        name: listed.token.name.clone(),
        description: listed.token.description.clone().unwrap_or_default(),
    }
}

/// Addresses of other people are for those who may see the audit events of the group.
fn told(event: &AuditEvent, ctx: &Context, sees_events: bool, user_id: i64) -> TokenEvent {
    let own = event.actor_id == Some(user_id) || event.actor_id == ctx.actor.user_id();
    let whence = [channel(&event.channel), &event.ip];
    let whence: Vec<&str> = whence
        .into_iter()
        .take(if sees_events || own { 2 } else { 1 })
        .filter(|text| !text.is_empty())
        .collect();
    TokenEvent {
        at: Moment::at(event.created_at, ctx.now),
        title: catalogue::find(&event.event)
            .map_or_else(|| event.event.replace('_', " "), |kind| kind.title.into()),
        actor: event.actor_name.clone(),
        whence: whence.join(" · "),
    }
}

/// `acme/platform, its 3 subgroups and 4 projects`.
fn reach_of(holder: &Holder, reach: Option<Reach>) -> String {
    let (Holder::Resource(Resource::Group(group)), Some(reach)) = (holder, reach) else {
        return holder.reach();
    };
    let counted = |number: Total, noun: &str| {
        let plural = if number == Total::Counted(1) { "" } else { "s" };
        format!("{} {noun}{plural}", total(number))
    };
    format!(
        "{}, {} and {} below",
        group.full_path,
        counted(reach.subgroups, "subgroup"),
        counted(reach.projects, "project")
    )
}

/// Where all events of a token stand; a project's stand with its group's.
fn events_href(holder: &Holder, ctx: &Context, id: i64) -> Option<String> {
    let Holder::Resource(resource) = holder else {
        return None;
    };
    let group = resource.group();
    let may = !group.is_personal()
        && ctx
            .actor
            .could(Right::SeeAuditEvents, &group.place(), &ctx.policy);
    may.then(|| {
        format!(
            "/groups/{}/-/audit_events?target_kind=access_token&target={id}",
            group.full_path
        )
    })
}

fn usage(detail: &Detail, ctx: &Context) -> Usage {
    let listed = &detail.listed;
    let most = detail.days.values().copied().max().unwrap_or(0);
    let first = days::first_kept(ctx.today());
    let active = listed.token.is_active(ctx.now);
    Usage {
        last_used: listed.last_used_at.map(|at| Moment::at(at, ctx.now)),
        idle: idleness(listed.token.here_since(), listed.last_used_at, ctx.now)
            .filter(|_| active)
            .map(rows::idle),
        ips: listed.last_used_ips.clone(),
        requests: grouped(detail.requests()),
        days: (0..days::KEPT)
            .filter_map(|ahead| first.checked_add_days(Days::new(ahead)))
            .zip(0..)
            .map(|(day, place)| bar(detail, day, place, most))
            .collect(),
        most: grouped(most),
    }
}

fn bar(detail: &Detail, day: NaiveDate, place: u32, most: i64) -> UseDay {
    let requests = detail.days.get(&day).copied().unwrap_or(0);
    UseDay {
        day: Day::on(day),
        requests: grouped(requests),
        x: place * STEP + 1,
        height: height(requests, most),
    }
}

/// What there is can be seen, however little it is beside the most.
fn height(requests: i64, most: i64) -> u32 {
    if requests <= 0 || most <= 0 {
        return 0;
    }
    let scaled = i128::from(requests) * i128::from(BAR) / i128::from(most);
    u32::try_from(scaled).unwrap_or(BAR).clamp(2, BAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_as_high_as_its_share_and_never_invisible() {
        assert_eq!(height(0, 10), 0);
        assert_eq!(height(10, 10), BAR);
        assert_eq!(height(5, 10), BAR / 2);
        assert_eq!(height(1, 1_000_000), 2);
        assert_eq!(height(i64::MAX, i64::MAX), BAR);
        assert_eq!(height(1, 0), 0);
    }
}
