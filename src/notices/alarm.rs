//! A value came back after it had been rotated away: whoever looks after the token is told at once.

use std::collections::HashSet;

use chrono::Days;
use serde_json::{Value, json};

use super::check::inheriting;
use super::compose::Words;
use super::letter::Notice;
use super::personal::{about, facts as token_facts, moment, token_name};
use super::recipients;
use crate::access_tokens::{AccessToken, Resource};
use crate::context::{Context, Instance};
use crate::db::DbConnection;
use crate::error::Error;
use crate::groups;
use crate::mail::message::one_line;
use crate::mail::outbox::{self, Email, NewEmail};
use crate::projects;
use crate::users::User;

/// The kind of these mails.
pub(super) const KIND: &str = "token_reuse_detected";

/// For so many days an alarm is worth sending.
const WORTH: u64 = 30;

/// Tells whoever looks after a token that its old value came back, and which tokens were revoked for it: for a group's
/// or project's the people who are told before it expires, for a personal one its owner.
///
/// # Errors
/// When the database is away.
pub fn raise(
    conn: &mut DbConnection,
    ctx: &Context,
    reused: &AccessToken,
    resource: Option<&Resource>,
    ended: &[AccessToken],
) -> Result<(), Error> {
    let Some(first) = ended.first() else {
        return Ok(());
    };
    let told = told(conn, ctx, reused, resource)?;
    let mut data = about(reused);
    data["kind"] = json!(reused.kind());
    data["group_id"] = json!(reused.group_id);
    data["project_id"] = json!(reused.project_id);
    data["ip"] = json!(ctx.actor.origin.ip.map(|ip| ip.to_string()));
    data["user_agent"] = json!(ctx.actor.origin.user_agent);
    data["at"] = json!(ctx.now);
    data["made_at"] = json!(first.created_at);
    let mails: Vec<NewEmail> = told
        .into_iter()
        .map(|user_id| NewEmail {
            // A family is revoked once for each token that it had left.
            key: format!("{KIND}/{}/{}/{user_id}", reused.id, first.id),
            kind: KIND,
            user_id,
            data: data.clone(),
            give_up_at: ctx.now.checked_add_days(Days::new(WORTH)),
        })
        .collect();
    outbox::enqueue(conn, &mails, ctx.now)
}

fn told(
    conn: &mut DbConnection,
    ctx: &Context,
    reused: &AccessToken,
    resource: Option<&Resource>,
) -> Result<Vec<i64>, Error> {
    let Some(resource) = resource else {
        let people = recipients::people(conn, [reused.user_id])?;
        return Ok(people.into_keys().collect());
    };
    let inherited = inheriting(conn, ctx, &[resource])?;
    let found = recipients::of_resources(conn, ctx.today(), &[resource], &inherited, None)?;
    let all = found.into_values().flatten();
    Ok(all.map(|recipient| recipient.user_id).collect())
}

/// The words of an alarm; or why there is nobody to be told any more.
pub(super) fn words(
    conn: &mut DbConnection,
    ctx: &Context,
    person: &User,
    email: &Email,
) -> Result<Result<Words, &'static str>, Error> {
    let (instance, data) = (&*ctx.instance, &email.data);
    let resource = match (data["group_id"].as_i64(), data["project_id"].as_i64()) {
        (Some(id), _) => groups::store::find(conn, id)?.map(Resource::Group),
        (_, Some(id)) => projects::store::find(conn, id)?.map(Resource::Project),
        (None, None) => return Ok(Ok(spelt_out(person, instance, data, None))),
    };
    let Some(resource) = resource else {
        return Ok(Err("The group or project is gone, with its tokens"));
    };
    // Whoever was in charge when it happened may not be any more.
    let widest = HashSet::from([resource.group().id]);
    let found =
        recipients::of_resources(conn, ctx.today(), &[&resource], &widest, Some(person.id))?;
    let in_charge = found.into_values().flatten();
    if !in_charge
        .map(|recipient| recipient.user_id)
        .any(|id| id == person.id)
    {
        return Ok(Err("The person doesn't look after this token any more"));
    }
    Ok(Ok(spelt_out(person, instance, data, Some(&resource))))
}

fn spelt_out(
    person: &User,
    instance: &Instance,
    data: &Value,
    resource: Option<&Resource>,
) -> Words {
    let name = token_name(data);
    let (noun, page, reason) = match resource {
        None => (
            "personal",
            "/-/user_settings/personal_access_tokens".to_owned(),
            format!(
                "it is a token of your account @{} on {}",
                person.username, instance.host
            ),
        ),
        Some(Resource::Group(group)) => (
            "group",
            format!("/groups/{}/-/settings/access_tokens", group.full_path),
            "you are an Owner of the group".to_owned(),
        ),
        Some(Resource::Project(project)) => (
            "project",
            format!("/{}/-/settings/access_tokens", project.full_path()),
            "you are an Owner or Maintainer of the project".to_owned(),
        ),
    };
    let mut facts = Vec::new();
    match resource {
        Some(Resource::Group(group)) => facts.push(("Group", group.full_path.clone())),
        Some(Resource::Project(project)) => facts.push(("Project", project.full_path())),
        None => {}
    }
    facts.extend(token_facts(data, false));
    let text = |key: &str| {
        data[key]
            .as_str()
            .map(one_line)
            .filter(|text| !text.is_empty())
    };
    let at = |key: &str| {
        data[key]
            .as_str()
            .and_then(|at| at.parse().ok())
            .map(moment)
    };
    facts.extend(at("at").map(|at| ("Used", at)));
    facts.extend(text("ip").map(|ip| ("From", ip)));
    facts.extend(text("user_agent").map(|program| ("Program", program)));
    facts.extend(at("made_at").map(|at| {
        (
            "Revoked",
            format!("the token that had replaced it, made {at}"),
        )
    }));
    Words {
        subject: format!("Revoked: an old value of the {noun} access token “{name}” was used"),
        notice: Notice {
            lead: format!(
                "Somebody tried to rotate the {noun} access token “{name}” with a value that had been rotated away before. Only its rightful holder has the new value, so somebody else may have the old one. To be safe, the token that had replaced it was revoked."
            ),
            facts,
            advice: vec![
                "Find out who used the old value: a program that never got the new one does this too. Then create another token and put it where it is needed. If it was none of your programs, look in the audit events for what was done with the token, and change whatever else was kept in the same place.".into(),
            ],
            link: ("Go to the access tokens", instance.url(&page)),
        },
        reason: format!("You receive this mail because {reason}."),
    }
}
