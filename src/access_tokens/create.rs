//! Making a token.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::Connection;
use serde_json::json;

use super::expiry::{ExpiryProblem, Limits};
use super::scope::{Scope, Scopes};
use super::secret::{Digest, Plaintext};
use super::store::{self, NewRow};
use super::{AccessToken, ListedToken, Resource};
use crate::audit::{self, Event, Target};
use crate::bots;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::members::AccessLevel;
use crate::notices;
use crate::permissions::Right;
use crate::text::{Description, Name};
use crate::users::{Identity, User};

/// What somebody asks for, as they typed it; [`problems`] says what is wrong with it.
#[derive(Debug, Clone)]
pub struct NewAccessToken {
    /// Becomes the bot's name too.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it may open.
    pub scopes: Vec<Scope>,
    /// The bot's role.
    pub access_level: AccessLevel,
    /// The day at whose start it ends; nothing takes the default.
    pub expires_at: Option<NaiveDate>,
}

/// A token and, this once, its value: whoever drops it has lost it.
#[derive(Debug)]
pub struct Created {
    /// The token.
    pub listed: ListedToken,
    /// The value; kept nowhere else.
    pub plaintext: Plaintext,
}

/// Something wrong with what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field of the form.
    pub field: &'static str,
    /// A sentence.
    pub message: String,
    stage: Stage,
}

/// Fields are checked in stages; the API tells the problems of the first stage that has any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Bot,
    Membership,
    Token,
}

/// Everything that is wrong with the fields themselves, for a form that shows it all at once.
pub fn problems(new: &NewAccessToken, limits: Limits, today: NaiveDate) -> Vec<Problem> {
    let mut found = field_problems(&new.name, new.description.as_deref(), &new.scopes);
    let expires_at = new.expires_at.or_else(|| limits.default_date(today));
    if let Err(problem) = limits.validate(expires_at, today) {
        let (stage, message) = match problem {
            ExpiryProblem::Past => (
                Stage::Membership,
                format!(
                    "Could not provision {} access to the access token. ERROR: {problem}",
                    new.access_level.lower_name()
                ),
            ),
            _ => (Stage::Token, problem.to_string()),
        };
        found.push(Problem {
            field: "expires_at",
            message,
            stage,
        });
    }
    found.sort_by_key(|problem| problem.stage);
    found
}

fn field_problems(name: &str, description: Option<&str>, scopes: &[Scope]) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Err(problem) = Name::parse(name) {
        found.push(Problem {
            field: "name",
            message: problem.to_string(),
            stage: Stage::Bot,
        });
    }
    if let Err(problem) = Description::parse(description.unwrap_or_default()) {
        let message = problem.to_string();
        found.push(Problem {
            field: "description",
            message,
            stage: Stage::Token,
        });
    }
    if scopes.is_empty() {
        let message = "Scopes can't be blank".to_owned();
        found.push(Problem {
            field: "scopes",
            message,
            stage: Stage::Token,
        });
    }
    found
}

/// As an error: the sentences of the first stage that has any.
pub(super) fn refuse(problems: &[Problem]) -> Result<(), Error> {
    let Some(first) = problems.first() else {
        return Ok(());
    };
    let sentences: Vec<&str> = problems
        .iter()
        .filter(|problem| problem.stage == first.stage)
        .map(|problem| problem.message.as_str())
        .collect();
    Err(Error::refused(sentences.join(", ")))
}

/// Makes a group or project access token, and the bot user that acts for it.
///
/// # Errors
/// [`Error::Refused`] with the sentence that the API documents, in the documented order. Nothing is
/// left of a failed attempt but its line in the audit trail.
pub fn create(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    new: &NewAccessToken,
) -> Result<Result<Created, Error>, Error> {
    match conn.transaction(|conn| attempt(conn, ctx, resource, new)) {
        Err(refusal @ Error::Refused(_)) => {
            let event = Event::new(
                format!("{}_access_token_creation_failed", resource.noun()),
                match resource {
                    Resource::Group(group) => Target::Group(group),
                    Resource::Project(project) => Target::Project(project),
                },
            )
            .with(json!({ "token_name": new.name, "reason": refusal.to_string() }));
            audit::record_refusal(conn, ctx, event)?;
            Ok(Err(refusal))
        }
        Err(error) => Err(error),
        Ok(created) => Ok(Ok(created)),
    }
}

fn attempt(
    conn: &mut DbConnection,
    ctx: &Context,
    resource: &Resource,
    new: &NewAccessToken,
) -> Result<Created, Error> {
    let (resource, ctx) = resource.locked(conn, ctx)?;
    may_create(&ctx, &resource, new.access_level)?;
    let today = ctx.today();
    let limit = ctx.policy.settings.active_tokens_per_group;
    if limit > 0 && store::is_full(conn, &resource, today, limit)? {
        return Err(Error::refused("Access token limit reached"));
    }
    refuse(&problems(new, ctx.policy.limits(), today))?;
    let registry = ctx.policy.settings.registry_enabled;
    offered(new, |scope| scope.is_for_resource_tokens(registry))?;

    let expires_at = new
        .expires_at
        .or_else(|| ctx.policy.limits().default_date(today));
    let name = Name::parse(&new.name).map_err(|problem| Error::refused(problem.to_string()))?;
    let (bot, role) = bots::create::create(
        conn,
        &ctx,
        &resource,
        name.as_str(),
        new.access_level,
        expires_at,
    )?;
    let (token, plaintext) = mint(
        conn,
        &ctx,
        &Mint {
            user_id: bot.id,
            resource: Some(&resource),
            name: name.as_str(),
            description: new.description.as_deref(),
            scopes: &new.scopes,
            expires_at,
            previous_token_id: None,
        },
    )?;
    let event = Event::new(
        format!("{}_access_token_created", resource.noun()),
        Target::Token(token.id, &token.name),
    )
    .in_group(resource.group())
    .with(described(&token, &bot.username, Some(new.access_level)));
    audit::record(conn, &ctx, event)?;
    Ok(Created {
        listed: ListedToken::fresh(token, Identity::from(&bot), Some(role)),
        plaintext,
    })
}

/// Every edge offers only what may be had; whoever gets past it is refused here.
fn offered(new: &NewAccessToken, may_have: impl Fn(Scope) -> bool) -> Result<(), Error> {
    if new.scopes.iter().all(|scope| may_have(*scope)) {
        Ok(())
    } else {
        Err(Error::refused("Scopes can only contain available scopes"))
    }
}

/// Permission, then the ceiling: nobody gives away more than they have.
fn may_create(ctx: &Context, resource: &Resource, asked: AccessLevel) -> Result<(), Error> {
    let place = resource.place();
    if !ctx.actor.may(Right::CreateToken, &place, &ctx.policy) {
        return Err(Error::refused(format!(
            "User does not have permission to create {} access token",
            resource.noun()
        )));
    }
    let own = ctx.actor.level(&place);
    if matches!(resource, Resource::Project(_))
        && asked == AccessLevel::Owner
        && own < Some(AccessLevel::Owner)
    {
        return Err(Error::refused(
            "Could not provision owner access to project access token",
        ));
    }
    if own < Some(asked) {
        return Err(Error::refused(
            "Access level of the token can't be greater the access level of the user who created the token",
        ));
    }
    Ok(())
}

/// Makes a personal access token for `user`, who asks for it or whose console it is.
///
/// # Errors
/// [`Error::Refused`] with what is wrong with the fields, [`Error::Forbidden`] for bots and others.
pub fn create_personal(
    conn: &mut DbConnection,
    ctx: &Context,
    user: &User,
    new: &NewAccessToken,
) -> Result<Created, Error> {
    let ctx = ctx.refreshed(conn)?;
    let own =
        ctx.actor.user_id() == Some(user.id) && ctx.actor.may_on_instance(Right::OwnPersonalTokens);
    if !(own || ctx.actor.may_on_instance(Right::Administer))
        || !user.is_human()
        || ctx.policy.settings.disable_personal_access_tokens
    {
        return Err(Error::forbidden());
    }
    let today = ctx.today();
    refuse(&problems(new, ctx.policy.limits(), today))?;
    let registry = ctx.policy.settings.registry_enabled;
    offered(new, |scope| scope.is_for_people(user.admin, registry))?;
    let expires_at = new
        .expires_at
        .or_else(|| ctx.policy.limits().default_date(today));
    let name = Name::parse(&new.name).map_err(|problem| Error::refused(problem.to_string()))?;
    let (token, plaintext) = mint(
        conn,
        &ctx,
        &Mint {
            user_id: user.id,
            resource: None,
            name: name.as_str(),
            description: new.description.as_deref(),
            scopes: &new.scopes,
            expires_at,
            previous_token_id: None,
        },
    )?;
    let event = Event::new(
        "personal_access_token_created",
        Target::Token(token.id, &token.name),
    )
    .with(described(&token, &user.username, None));
    audit::record(conn, &ctx, event)?;
    let person = Identity::from(user);
    notices::personal::created(conn, &ctx, &token, &person)?;
    Ok(Created {
        listed: ListedToken::fresh(token, person, None),
        plaintext,
    })
}

/// What a new row needs, checked already.
pub(super) struct Mint<'a> {
    pub user_id: i64,
    pub resource: Option<&'a Resource>,
    pub name: &'a str,
    pub description: Option<&'a str>,
    pub scopes: &'a [Scope],
    pub expires_at: Option<NaiveDate>,
    pub previous_token_id: Option<i64>,
}

/// Makes a value and stores its digest.
pub(super) fn mint(
    conn: &mut DbConnection,
    ctx: &Context,
    mint: &Mint<'_>,
) -> Result<(AccessToken, Plaintext), Error> {
    let settings = &ctx.policy.settings;
    let plaintext = Plaintext::generate(
        settings.token_shape,
        &settings.personal_access_token_prefix,
        &mut rand::rng(),
    );
    let scopes = Scopes::new(mint.scopes.iter().copied())
        .map_err(|problem| Error::refused(format!("Scopes {problem}")))?;
    let description = Description::parse(mint.description.unwrap_or_default())
        .map_err(|problem| Error::refused(problem.to_string()))?;
    let (group_id, project_id) = match mint.resource {
        Some(Resource::Group(group)) => (Some(group.id), None),
        Some(Resource::Project(project)) => (None, Some(project.id)),
        None => (None, None),
    };
    let token = store::insert(
        conn,
        &NewRow {
            user_id: mint.user_id,
            group_id,
            project_id,
            root_id: mint.resource.map(|resource| resource.group().root_id),
            name: mint.name,
            description: description.as_ref().map(Description::as_str),
            scopes: &scopes,
            digest: &ctx.instance.token_key.digest(plaintext.expose()),
            hint: &plaintext.hint(),
            expires_at: mint.expires_at,
            previous_token_id: mint.previous_token_id,
            now: ctx.now,
        },
    )?;
    Ok((token, plaintext))
}

/// A token for the audit trail: everything but its value.
pub(super) fn described(
    token: &AccessToken,
    username: &str,
    level: Option<AccessLevel>,
) -> serde_json::Value {
    json!({
        "scopes": token.scopes.names(),
        "expires_at": token.expires_at,
        "access_level": level.map(AccessLevel::number),
        "user_id": token.user_id,
        "username": username,
    })
}

/// A form's single-use mark: the second submission of the same form makes nothing.
#[derive(Debug, Clone)]
pub struct FormNonce(Digest);

impl FormNonce {
    /// From the form's field; bound to the person, so that nobody uses up another's.
    pub fn new(ctx: &Context, value: &str) -> Self {
        let person = ctx.actor.user_id().unwrap_or(0);
        FormNonce(
            ctx.instance
                .lookup_key
                .digest(&format!("form nonce {person} {value}")),
        )
    }

    /// When the form was used before, if it was.
    ///
    /// # Errors
    /// When the database is away.
    pub fn used_at(&self, conn: &mut DbConnection) -> Result<Option<DateTime<Utc>>, Error> {
        store::used_nonce(conn, &self.0)
    }

    /// Marks the form as used for this token, in the transaction that makes it.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another submission was quicker.
    pub fn consume(
        &self,
        conn: &mut DbConnection,
        token_id: i64,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        store::use_nonce(conn, &self.0, token_id, now)
    }
}
