//! The page that tells what would become of a request with a token that is there, or with one to be. It asks the route
//! table and the rules that decide real requests, and changes nothing.

mod request;
mod rules;
mod target;

use actix_web::HttpResponse;
use actix_web::http::header::HOST;
use chrono::Utc;

use crate::access_tokens::Resource;
use crate::access_tokens::authenticate;
use crate::access_tokens::pages::holder::{Asked, Holder};
use crate::access_tokens::scope::{Scope, Scopes};
use crate::actor::{Actor, Channel, Credential, Declared, Origin, TokenCredential};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;
use crate::git::Service;
use crate::members::{AccessLevel, Membership, Memberships};
use crate::redaction::redact;
use crate::users::{User, UserKind, UserState};
use crate::web::page::{Form, PageCall};
use crate::web::views::check::{CheckPage, RuleRow, RulingCard};
use crate::web::views::components::{Choice, Tone};
use crate::web::views::forms::FormErrors;
use crate::web::views::scopes::ScopeOption;
use request::Request;
use rules::{Ruling, Says, Subject};
use target::Target;

/// Methods on offer.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Longer paths are no requests.
const LONGEST: usize = 2_048;

/// `GET /groups/{full_path}/-/settings/access_tokens/check` (`SeeTokens`, `SeeGroup`).
///
/// # Errors
/// [`Error::NotFound`] without the right; when the database is away.
pub async fn group(call: PageCall) -> Result<HttpResponse, Error> {
    show(&call, Asked::group(&call)).await
}

/// `GET /{full_path}/-/settings/access_tokens/check` (`SeeTokens`, `SeeProject`).
///
/// # Errors
/// As [`group`].
pub async fn project(call: PageCall) -> Result<HttpResponse, Error> {
    show(&call, Asked::project(&call)).await
}

/// `GET /-/user_settings/personal_access_tokens/check` (`OwnPersonalTokens`).
///
/// # Errors
/// When the database is away.
pub async fn personal(call: PageCall) -> Result<HttpResponse, Error> {
    show(&call, Asked::Person).await
}

/// What the address asks.
#[derive(Debug, Clone)]
struct Question {
    token: String,
    role: Option<AccessLevel>,
    scopes: Vec<String>,
    method: String,
    path: String,
}

impl Question {
    fn read(query: &Form) -> Self {
        let text = |name: &str| -> String {
            query
                .text(name)
                .trim()
                .chars()
                .filter(|c| !c.is_control())
                .take(LONGEST)
                .collect()
        };
        Question {
            token: text("token"),
            role: AccessLevel::parse(query.text("role")),
            scopes: query
                .all("scopes")
                .iter()
                .flat_map(|names| names.split(','))
                .map(|name| name.trim().to_owned())
                .collect(),
            method: Some(text("method"))
                .filter(|method| !method.is_empty())
                .unwrap_or_else(|| "GET".into()),
            path: text("path"),
        }
    }

    /// Is there anything to answer yet?
    fn is_asked(&self) -> bool {
        !self.path.is_empty()
    }
}

/// What came of it.
enum Answer {
    /// Nothing was asked.
    None,
    /// There is no such token here.
    NoToken,
    /// Neither a token nor scopes were chosen.
    NoScopes,
    /// The rules have spoken; the token's name, if it is there.
    Ruling(Ruling, Option<String>, Option<Request>),
}

async fn show(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let question = Question::read(&call.query);
    let wanted = question.clone();
    let reached = call.req().headers().get(HOST);
    let reached = reached.and_then(|host| host.to_str().ok().map(str::to_owned));
    let (holder, answer) = call
        .read(move |conn, ctx| {
            let holder = asked.find(conn, ctx)?;
            let answer = answer(conn, ctx, &holder, &wanted, reached.as_deref())?;
            Ok((holder, answer))
        })
        .await?;
    call.ok(&page(call, &holder, &question, answer))
}

fn answer(
    conn: &mut DbConnection,
    ctx: &Context,
    holder: &Holder,
    question: &Question,
    reached: Option<&str>,
) -> Result<Answer, Error> {
    if !question.is_asked() {
        return Ok(Answer::None);
    }
    let url = &ctx.instance.external_url;
    let request = Request::parse(&question.method, &question.path, url, reached);
    let target = match &request {
        Ok(Request::Api(api)) => api.token_id,
        _ => None,
    };
    let asks = (!question.token.is_empty())
        .then(|| question.token.trim_start_matches('#').parse().unwrap_or(0));
    let ids: Vec<i64> = asks.into_iter().chain(target).collect();
    let known = if ids.is_empty() {
        Vec::new()
    } else {
        authenticate::find_by_ids(conn, &ids, ctx.today())?
    };
    let by_id = |id: i64| known.iter().find(|(found, _)| found.token.id == id);
    let mut subject = match asks {
        None => match to_be(ctx, holder, question) {
            Some(subject) => subject,
            None => return Ok(Answer::NoScopes),
        },
        Some(id) => {
            let found = by_id(id).filter(|(found, _)| holder.holds(&found.token));
            let Some((found, _)) = found else {
                return Ok(Answer::NoToken);
            };
            Subject {
                actor: found.clone().into_actor(origin(), Declared::Only(&[])),
                found: Some(found.clone()),
                target: None,
            }
        }
    };
    subject.target = target.and_then(by_id).map(|(found, role)| Target {
        found: found.clone(),
        role: *role,
    });
    let ruling = rules::ask(conn, ctx, &subject, &request)?;
    let name = subject.found.map(|found| found.token.name);
    Ok(Answer::Ruling(ruling, name, request.ok()))
}

fn origin() -> Origin {
    Origin {
        channel: Channel::Api,
        ..Origin::console()
    }
}

/// Whoever would act with a token of these scopes and this role: a bot of the group or project, or the person. Nobody,
/// without a scope.
fn to_be(ctx: &Context, holder: &Holder, question: &Question) -> Option<Subject> {
    let offered = holder.scopes(ctx);
    let chosen = question
        .scopes
        .iter()
        .filter_map(|name| Scope::parse(name).filter(|scope| offered.contains(scope)));
    let credential = Credential::Token(TokenCredential {
        id: 0,
        scopes: Scopes::new(chosen).ok()?,
    });
    let (user, memberships) = match holder {
        Holder::Person(person) => (person.clone(), ctx.actor.memberships.clone()),
        Holder::Resource(resource) => bot(ctx, resource, question.role),
    };
    Some(Subject {
        found: None,
        target: None,
        actor: Actor {
            user: Some(user),
            credential,
            memberships,
            origin: origin(),
            declared: Declared::Only(&[]),
        },
    })
}

fn bot(ctx: &Context, resource: &Resource, role: Option<AccessLevel>) -> (User, Memberships) {
    let (group_id, project_id) = match resource {
        Resource::Group(group) => (Some(group.id), None),
        Resource::Project(project) => (None, Some(project.id)),
    };
    let user = User {
        id: 0,
        username: String::new(),
        name: String::new(),
        email: String::new(),
        kind: UserKind::ProjectBot,
        state: UserState::Active,
        admin: false,
        external: ctx.actor.user.as_ref().is_some_and(|user| user.external),
        bot_group_id: group_id,
        bot_project_id: project_id,
        bot_gone_at: None,
        created_by_id: None,
        last_sign_in_at: None,
        confirmed_at: None,
        approval_requested_at: None,
        signed_up_at: None,
        exact_times: false,
        created_at: chrono::DateTime::<Utc>::UNIX_EPOCH,
    };
    let membership = Membership {
        id: 0,
        user_id: 0,
        group_id,
        project_id,
        access_level: role.unwrap_or(AccessLevel::Guest),
        expires_at: None,
    };
    (user, Memberships::living(vec![membership], ctx.today()))
}

fn page(call: &PageCall, holder: &Holder, question: &Question, answer: Answer) -> CheckPage {
    let ctx = &call.ctx;
    let role = question.role.unwrap_or(AccessLevel::Guest);
    let role = role.number().to_string();
    let names: Vec<&str> = holder.scopes(ctx).into_iter().map(Scope::name).collect();
    let mut errors = FormErrors::none();
    let ruling = match answer {
        Answer::None => None,
        Answer::NoToken => {
            errors.add("token", "There is no such token here");
            None
        }
        Answer::NoScopes => {
            errors.add("scopes", "Give a token, or select at least one scope");
            None
        }
        Answer::Ruling(ruling, name, request) => Some(card(&ruling, name, request)),
    };
    CheckPage {
        shell: holder.shell_of(call, "Check a request"),
        path: format!("{}/check", holder.path()),
        list: holder.path(),
        kind: holder.kind(),
        token: question.token.clone(),
        roles: if holder.kind().has_role() {
            AccessLevel::ALL
                .into_iter()
                .map(|level| Choice::new(level.number().to_string(), level.name(), &role))
                .collect()
        } else {
            Vec::new()
        },
        scopes: ScopeOption::offered(&names, |name| {
            question.scopes.iter().any(|chosen| chosen == name)
        }),
        methods: METHODS
            .map(|method| Choice::new(method, method, &question.method))
            .into(),
        request: redact(&question.path).into_owned(),
        example: holder.example(),
        errors,
        ruling,
    }
}

fn card(ruling: &Ruling, name: Option<String>, request: Option<Request>) -> RulingCard {
    let what = match request {
        Some(Request::Api(api)) => api.summary.to_owned(),
        Some(Request::Git(Service::UploadPack, path)) => format!("Clone {path}"),
        Some(Request::Git(Service::ReceivePack, path)) => format!("Push to {path}"),
        None => String::new(),
    };
    RulingCard {
        allowed: ruling.allows(),
        depends: ruling.depends(),
        what,
        token: name,
        rules: ruling
            .0
            .iter()
            .map(|rule| RuleRow {
                name: rule.name,
                text: rule.text.clone(),
                tone: match rule.says {
                    Says::Yes => Tone::Success,
                    Says::No => Tone::Danger,
                    Says::Depends => Tone::Info,
                },
                word: match rule.says {
                    Says::Yes => "Met",
                    Says::No => "Not met",
                    Says::Depends => "Depends",
                },
            })
            .collect(),
    }
}
