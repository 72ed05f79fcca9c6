//! One way in for every page: session, form, its token, then the handler.

use actix_session::Session;
use actix_web::http::{Method, StatusCode, header};
use actix_web::web::{self, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use askama::Template;
use std::future::Future;
use std::sync::Arc;

use super::api::LogFacts;
use super::assets::ASSETS;
use super::endpoint::{Access, Endpoint};
use super::views::components::Tone;
use super::views::shell::{Crumb, Flash, Shell, Theme, Viewer};
use super::views::sidebar::Sidebar;
use super::{body, client, csrf, page_error};
use crate::access_tokens::secret::Digest;
use crate::actor::{Actor, Channel, Credential, Declared};
use crate::app::App;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Denied, Error};
use crate::permissions::Right;
use crate::sessions::cookie::{entry, pre_session_secret};
use crate::sessions::person::SignedIn;

/// A request for a page that was let in.
pub struct PageCall {
    /// The application.
    pub app: App,
    /// Who asks, when, under which rules.
    pub ctx: Context,
    /// The fields of the form, if it was one.
    pub form: Form,
    /// The fields of the query.
    pub query: Form,
    /// The browser's session.
    pub session: Session,
    req: HttpRequest,
    csrf_secret: Option<String>,
    session_digest: Option<Digest>,
}

/// Fields as they were typed, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(&part.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        Form(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The last field of this name; nothing if there is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// As [`Form::get`], an empty text if there is none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// All fields of this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Is a check box ticked?
    pub fn is_ticked(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true" | "on"))
    }

    /// A page's number in a list, from 1; anything else is the first.
    pub fn page(&self, name: &str) -> i64 {
        self.get(name)
            .and_then(|text| text.parse().ok())
            .filter(|n| (1..=1_000_000).contains(n))
            .unwrap_or(1)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A page for people who are signed in.
pub fn endpoint<F, Fut>(
    method: Method,
    path: &'static str,
    rights: &'static [Right],
    handler: F,
) -> Endpoint
where
    F: Fn(PageCall) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<HttpResponse, Error>> + 'static,
{
    declared(
        method,
        path,
        Access::Page {
            rights,
            signed_out: false,
        },
        handler,
    )
}

/// A page that needs no sign-in; what it shows still depends on who asks.
pub fn public_endpoint<F, Fut>(
    method: Method,
    path: &'static str,
    rights: &'static [Right],
    handler: F,
) -> Endpoint
where
    F: Fn(PageCall) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<HttpResponse, Error>> + 'static,
{
    declared(
        method,
        path,
        Access::Page {
            rights,
            signed_out: true,
        },
        handler,
    )
}

/// A page with whatever access was declared for it, nothing included.
pub fn declared<F, Fut>(method: Method, path: &'static str, access: Access, handler: F) -> Endpoint
where
    F: Fn(PageCall) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<HttpResponse, Error>> + 'static,
{
    let is_put = method == Method::PUT;
    let build = move || {
        web::route().to(
            move |app: web::Data<App>, req: HttpRequest, session: Session, payload: Payload| async move {
                let person = match SignedIn::of_this_request() {
                    Ok(person) => person,
                    Err(error) => return page_error::respond(&app, &req, None, &error),
                };
                let facts = person.clone();
                let entered = enter(app.get_ref(), &req, session, payload, access, person, is_put).await;
                let answer = match entered {
                    Ok(call) => handler(call).await,
                    Err(refusal) => return refusal,
                };
                match answer {
                    Ok(mut res) => {
                        if facts.is_some() {
                            let no_store = header::HeaderValue::from_static("no-store");
                            res.headers_mut().insert(header::CACHE_CONTROL, no_store);
                        }
                        res
                    }
                    Err(error) => page_error::respond(&app, &req, facts.as_ref(), &error),
                }
            },
        )
    };
    Endpoint::new(method, path, access, build)
}

async fn enter(
    app: &App,
    req: &HttpRequest,
    session: Session,
    payload: Payload,
    access: Access,
    person: Option<SignedIn>,
    is_put: bool,
) -> Result<PageCall, HttpResponse> {
    let now = app.clock.now();
    let refused = |error: &Error| page_error::respond(app, req, person.as_ref(), error);
    let (rights, signed_out) = match access {
        Access::Page { rights, signed_out } if !rights.is_empty() => (rights, signed_out),
        // Whoever forgot to declare a page has closed it.
        _ => return Err(refused(&Error::forbidden())),
    };
    let announced = req
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let body = body::read(payload, announced).await.map_err(|unread| {
        page_error::with_status(
            app,
            req,
            StatusCode::from_u16(unread.status()).unwrap_or(StatusCode::BAD_REQUEST),
        )
    })?;
    let form = Form::parse(&body);
    let safe = matches!(*req.method(), Method::GET | Method::HEAD);
    if is_put && *req.method() == Method::POST && form.get("_method") != Some("put") {
        return Err(page_error::with_status(app, req, StatusCode::NOT_FOUND));
    }
    if person.is_none() && !signed_out {
        return Err(page_error::to_sign_in(req));
    }
    let csrf_secret = match &person {
        Some(person) => Some(person.csrf_secret.clone()),
        None => session
            .get::<String>(entry::PRE)
            .ok()
            .flatten()
            .map(|random| pre_session_secret(&app.instance.lookup_key, &random)),
    };
    let session_digest = person.as_ref().map(|person| person.session);
    if !safe {
        let in_header = req
            .headers()
            .get("x-csrf-token")
            .and_then(|value| value.to_str().ok());
        let token = form
            .get("authenticity_token")
            .or(in_header)
            .unwrap_or_default();
        let ours = csrf_secret
            .as_deref()
            .is_some_and(|secret| csrf::matches(secret, token));
        if !ours || !csrf::comes_from_us(req, &app.external_url) {
            return Err(page_error::stale_form(app, req, person.as_ref()));
        }
    }
    let origin = client::origin(app, req, Channel::Page);
    let declared = Declared::Only(rights);
    let ctx = match person {
        Some(SignedIn {
            user,
            memberships,
            policy,
            ..
        }) => {
            req.extensions_mut().insert(LogFacts {
                user_id: Some(user.id),
                token_id: None,
            });
            let actor = Actor {
                user: Some(user),
                credential: Credential::Session,
                memberships,
                origin,
                declared,
            };
            app.context(actor, policy, now)
        }
        None => {
            let reader = app.clone();
            let policy = app.db.read(move |conn| reader.policy_now(conn)).await;
            let policy = policy.map_err(|error| page_error::respond(app, req, None, &error))?;
            app.context(Actor::anonymous(origin, declared), policy, now)
        }
    };
    Ok(PageCall {
        app: app.clone(),
        ctx,
        form,
        query: Form::parse(req.uri().query().unwrap_or_default().as_bytes()),
        session,
        req: req.clone(),
        csrf_secret,
        session_digest,
    })
}

impl PageCall {
    /// A variable segment of the path.
    pub fn segment(&self, name: &str) -> &str {
        self.req.match_info().query(name)
    }

    /// A segment that may hold slashes and anything else, decoded once.
    pub fn decoded(&self, name: &str) -> String {
        percent_encoding::percent_decode_str(self.segment(name))
            .decode_utf8_lossy()
            .into_owned()
    }

    /// The request itself.
    pub fn req(&self) -> &HttpRequest {
        &self.req
    }

    /// Path and query of this request.
    pub fn here(&self) -> String {
        self.req
            .uri()
            .path_and_query()
            .map_or_else(|| "/".into(), ToString::to_string)
    }

    /// Path of this request.
    pub fn path(&self) -> &str {
        self.req.uri().path()
    }

    /// Is somebody signed in?
    pub fn is_signed_in(&self) -> bool {
        self.ctx.actor.is_signed_in()
    }

    /// What the database knows the session of this request by.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if nobody is signed in.
    pub fn session_digest(&self) -> Result<Digest, Error> {
        self.session_digest
            .ok_or(Error::Unauthenticated(Denied::Unknown))
    }

    /// Reads in the database.
    ///
    /// # Errors
    /// The query's own.
    pub async fn read<T: Send + 'static>(
        &self,
        mut query: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let ctx = self.ctx.clone();
        self.app.db.read(move |conn| query(conn, &ctx)).await
    }

    /// Changes something, in one transaction.
    ///
    /// # Errors
    /// The change's own.
    pub async fn write<T: Send + 'static>(
        &self,
        mut change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let ctx = self.ctx.clone();
        self.app.db.write(move |conn| change(conn, &ctx)).await
    }

    /// The secret that a form on this page carries, masked afresh. Begins a pre-session if there is no
    /// session yet.
    pub fn authenticity_token(&self) -> String {
        let secret = self.csrf_secret.clone().unwrap_or_else(|| {
            let random = csrf::new_secret();
            let secret = pre_session_secret(&self.app.instance.lookup_key, &random);
            // A session that can't take an entry can't carry a form either; the form then says so.
            let _ = self.session.insert(entry::PRE, random);
            secret
        });
        csrf::mask(&secret)
    }

    /// The frame around a page. Takes the flashes: they are shown once.
    pub fn shell(
        &self,
        title: impl Into<String>,
        breadcrumbs: Vec<Crumb>,
        sidebar: Option<Sidebar>,
    ) -> Shell {
        let actor: &Arc<Actor> = &self.ctx.actor;
        let viewer = actor.user.as_ref().map(|user| Viewer {
            name: user.name.clone(),
            username: user.username.clone(),
            is_admin: user.admin,
        });
        Shell {
            title: title.into(),
            breadcrumbs,
            sidebar,
            authenticity_token: if viewer.is_some() {
                self.authenticity_token()
            } else {
                String::new()
            },
            viewer,
            theme: theme(&self.req),
            exact_times: actor.wants_exact_times(),
            flashes: self.take_flashes(),
            search: String::new(),
            assets: ASSETS.clone(),
            return_to: crate::redaction::without_secrets(&self.here()),
            version: env!("CARGO_PKG_VERSION").into(),
        }
    }

    /// Says something once, on the next page.
    pub fn flash(&self, tone: Tone, text: impl Into<String>) {
        let entry_value = (tone.class(), text.into());
        // Losing a message is no reason to fail what it speaks of.
        let _ = self.session.insert(entry::FLASH, vec![entry_value]);
    }

    fn take_flashes(&self) -> Vec<Flash> {
        // Only if there is one: removing nothing would still write the session on every page.
        let waiting = self.is_signed_in() && self.session.contains_key(entry::FLASH);
        let stored: Option<Vec<(String, String)>> = if waiting {
            self.session.remove_as(entry::FLASH).and_then(Result::ok)
        } else {
            None
        };
        stored
            .unwrap_or_default()
            .into_iter()
            .map(|(tone, text)| Flash {
                tone: tone_of(&tone),
                text,
            })
            .collect()
    }

    /// Answers with a page.
    ///
    /// # Errors
    /// When the template can't be rendered.
    pub fn render(&self, status: StatusCode, page: &impl Template) -> Result<HttpResponse, Error> {
        let html = page
            .render()
            .map_err(|error| Error::internal(error.into()))?;
        Ok(HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .body(html))
    }

    /// Answers 200 with a page.
    ///
    /// # Errors
    /// When the template can't be rendered.
    pub fn ok(&self, page: &impl Template) -> Result<HttpResponse, Error> {
        self.render(StatusCode::OK, page)
    }

    /// Sends the browser on, with GET. `path` is one of ours.
    pub fn redirect(&self, path: &str) -> HttpResponse {
        HttpResponse::SeeOther()
            .insert_header((header::LOCATION, path))
            .finish()
    }
}

/// The theme that the browser asked us to remember.
pub fn theme(req: &HttpRequest) -> Theme {
    req.cookie("theme")
        .map(|cookie| Theme::parse(cookie.value()))
        .unwrap_or_default()
}

fn tone_of(class: &str) -> Tone {
    [Tone::Info, Tone::Success, Tone::Warning, Tone::Danger]
        .into_iter()
        .find(|tone| tone.class() == class)
        .unwrap_or_default()
}

/// A path on this site that a client asked to be sent to; anything else is the front page.
pub fn same_origin_path(text: &str) -> String {
    let fine = text.len() <= 2048
        && text.starts_with('/')
        && !text.starts_with("//")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !leads_away(text);
    if fine { text.to_owned() } else { "/".into() }
}

/// `/..//host` and what browsers or proxies may decode into it.
fn leads_away(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    path.contains("//")
        || path.split('/').any(|segment| segment == "..")
        || ["%2f", "%5c", "%2e", "%00", "%0a", "%0d", "%09"]
            .iter()
            .any(|code| lower.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_on_this_site_are_followed() {
        for good in [
            "/",
            "/groups/acme/-/settings/access_tokens?page=2",
            "/acme/platform#x",
        ] {
            assert_eq!(same_origin_path(good), good);
        }
        let long = format!("/{}", "a".repeat(10_240));
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\/\\/evil",
            "/%2f%2fevil",
            "/%5cevil",
            "https:evil",
            "javascript:alert(1)",
            "data:text/html,x",
            "/\t/evil",
            "/..//evil",
            "@evil",
            "http://127.0.0.1@evil",
            "\u{ff0f}\u{ff0f}evil",
            "",
            "/%0d%0aSet-Cookie:x=1",
            "/a//b",
            long.as_str(),
        ] {
            assert_eq!(same_origin_path(bad), "/", "{bad}");
        }
    }

    #[test]
    fn a_form_keeps_repeated_fields_and_decodes_them() {
        let form =
            Form::parse(b"a%5Bscopes%5D%5B%5D=api&a%5Bscopes%5D%5B%5D=read_api&n=x+y%2Bz&n=last");
        assert_eq!(form.all("a[scopes][]"), ["api", "read_api"]);
        assert_eq!(form.get("n"), Some("last"));
        assert_eq!(form.get("missing"), None);
    }
}
