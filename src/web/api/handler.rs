//! Handlers, and the rows that the route table is written with: method, path, what it is for, the scope that
//! a token needs, the rights that may be exercised, and who answers.

use std::future::Future;

use actix_web::http::Method;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::{Answer, ApiCall, entry, quota};
use crate::access_tokens::scope::ScopeNeed;
use crate::app::App;
use crate::error::Error;
use crate::permissions::Right;
use crate::web::api_error;
use crate::web::endpoint::{About, Access, Endpoint};
use crate::web::params::Parameters;
use crate::web::params::described::described;

/// What answers a request: a function of the call, and of its parameters if it has any.
pub trait Handler<Arguments>: Copy + Send + Sync + 'static {
    /// What it reads from the parameters.
    type Parameters: Parameters;
    /// What it answers with.
    type Answer: Answer;

    /// Answers.
    fn handle(
        self,
        call: ApiCall,
        parameters: Self::Parameters,
    ) -> impl Future<Output = Result<Self::Answer, Error>>;
}

impl<F, Fut, A> Handler<()> for F
where
    F: Fn(ApiCall) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<A, Error>>,
    A: Answer,
{
    type Parameters = ();
    type Answer = A;

    async fn handle(self, call: ApiCall, (): ()) -> Result<A, Error> {
        self(call).await
    }
}

impl<F, Fut, P, A> Handler<(P,)> for F
where
    F: Fn(ApiCall, P) -> Fut + Copy + Send + Sync + 'static,
    Fut: Future<Output = Result<A, Error>>,
    P: Parameters,
    A: Answer,
{
    type Parameters = P;
    type Answer = A;

    async fn handle(self, call: ApiCall, parameters: P) -> Result<A, Error> {
        self(call, parameters).await
    }
}

/// A row of the table that shows something.
pub fn get<X: 'static, H: Handler<X>>(
    path: &'static str,
    summary: &'static str,
    scope: ScopeNeed,
    rights: &'static [Right],
    handler: H,
) -> Endpoint {
    row(Method::GET, path, summary, scope, rights, handler)
}

/// A row of the table that shows what is public without a credential too.
pub fn public<X: 'static, H: Handler<X>>(
    path: &'static str,
    summary: &'static str,
    rights: &'static [Right],
    handler: H,
) -> Endpoint {
    let access = Access::Api {
        scope: ScopeNeed::Read,
        rights,
        anonymous: true,
    };
    declared(Method::GET, path, summary, access, handler)
}

/// A row of the table that makes or does something.
pub fn post<X: 'static, H: Handler<X>>(
    path: &'static str,
    summary: &'static str,
    scope: ScopeNeed,
    rights: &'static [Right],
    handler: H,
) -> Endpoint {
    row(Method::POST, path, summary, scope, rights, handler)
}

/// A row of the table that changes something.
pub fn put<X: 'static, H: Handler<X>>(
    path: &'static str,
    summary: &'static str,
    scope: ScopeNeed,
    rights: &'static [Right],
    handler: H,
) -> Endpoint {
    row(Method::PUT, path, summary, scope, rights, handler)
}

/// A row of the table that takes something away.
pub fn delete<X: 'static, H: Handler<X>>(
    path: &'static str,
    summary: &'static str,
    scope: ScopeNeed,
    rights: &'static [Right],
    handler: H,
) -> Endpoint {
    row(Method::DELETE, path, summary, scope, rights, handler)
}

fn row<X: 'static, H: Handler<X>>(
    method: Method,
    path: &'static str,
    summary: &'static str,
    scope: ScopeNeed,
    rights: &'static [Right],
    handler: H,
) -> Endpoint {
    let access = Access::Api {
        scope,
        rights,
        anonymous: false,
    };
    declared(method, path, summary, access, handler)
}

/// A row of the table with whatever access was declared for it, nothing included.
pub fn declared<X: 'static, H: Handler<X>>(
    method: Method,
    path: &'static str,
    summary: &'static str,
    access: Access,
    handler: H,
) -> Endpoint {
    let build = move || {
        web::route().to(
            move |app: web::Data<App>, req: HttpRequest, payload: Payload| async move {
                let mut res = answer(&app, &req, payload, access, handler)
                    .await
                    .unwrap_or_else(|refusal| refusal);
                quota::tell(&req, &mut res);
                res
            },
        )
    };
    Endpoint::new(method, path, access, build).about(About {
        summary,
        parameters: described::<H::Parameters>,
        answer: H::Answer::describe,
    })
}

/// Credential, scope, parameters, then the handler; each may end it with an answer of its own.
async fn answer<X, H: Handler<X>>(
    app: &App,
    req: &HttpRequest,
    payload: Payload,
    access: Access,
    handler: H,
) -> Result<HttpResponse, HttpResponse> {
    let refused = |error: Error| api_error::respond(&error);
    let call = entry::enter(app, req, payload, access).await?;
    let parameters = call
        .params
        .read(|params| H::Parameters::read(params, &call.ctx.policy))
        .map_err(|problems| refused(problems.into()))?;
    let answer = handler.handle(call, parameters).await.map_err(refused)?;
    Ok(answer.respond(req, &app.instance.external_url))
}
