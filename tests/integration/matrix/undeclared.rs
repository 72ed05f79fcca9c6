//! A route that declares nothing lets nobody in.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, http::Method, web};
use latchkey::{
    access_tokens::scope::Scope,
    error::Error,
    permissions::Right,
    server::envelope,
    sessions::cookie::{DatabaseSessions, cookie_key, cookie_name},
    web::{
        api,
        endpoint::{Access, Area},
        page,
    },
};

use crate::{
    on_both,
    support::{Company, TestServer},
};

on_both!(a_route_that_declares_nothing_refuses_everybody);

async fn a_route_that_declares_nothing_refuses_everybody(server: TestServer) {
    async fn answer_api(_: api::ApiCall) -> Result<api::Shown<String>, Error> {
        Ok(api::Shown("reached".into()))
    }
    async fn answer_page(_: page::PageCall) -> Result<HttpResponse, Error> {
        Ok(HttpResponse::Ok().body("reached"))
    }
    const NO_RIGHTS: Access = Access::Page {
        rights: &[],
        signed_out: true,
    };
    let company = Company::on(&server);
    let app = server.app.clone();
    let service = actix_web::test::init_service(
        actix_web::App::new()
            .app_data(web::Data::new(app.clone()))
            .configure(|config| {
                let area = Area {
                    prefix: "",
                    endpoints: vec![
                        api::declared(
                            Method::GET,
                            "/api/undeclared",
                            "",
                            Access::Undeclared,
                            answer_api,
                        ),
                        api::declared(
                            Method::POST,
                            "/api/undeclared",
                            "",
                            Access::Undeclared,
                            answer_api,
                        ),
                        api::public("/api/without_rights", "", &[], answer_api),
                        page::declared(Method::GET, "/undeclared", Access::Undeclared, answer_page),
                        page::declared(Method::GET, "/without_rights", NO_RIGHTS, answer_page),
                        // The other way round, so that a refusal above means something.
                        api::public("/api/declared", "", &[Right::Anyone], answer_api),
                        page::public_endpoint(
                            Method::GET,
                            "/declared",
                            &[Right::Anyone],
                            answer_page,
                        ),
                    ],
                };
                for resource in area.resources(|_| web::route().to(HttpResponse::MethodNotAllowed))
                {
                    config.service(resource);
                }
            })
            .wrap(
                actix_session::SessionMiddleware::builder(
                    DatabaseSessions::new(app.clone()),
                    cookie_key(&app),
                )
                .cookie_name(cookie_name(&app).to_owned())
                .cookie_secure(false)
                .cookie_content_security(actix_session::config::CookieContentSecurity::Signed)
                .build(),
            )
            .wrap(actix_web::middleware::from_fn(envelope::around)),
    )
    .await;
    let mut reached = BTreeSet::new();
    for person in [
        None,
        Some(&company.frank),
        Some(&company.alice),
        Some(&company.root),
    ] {
        let (cookie, token) = match person {
            Some(person) => (
                person.signs_in().await.session_cookie(),
                Some(person.personal_token([Scope::Api]).value),
            ),
            None => (None, None),
        };
        for (method, path) in [
            (Method::GET, "/api/undeclared"),
            (Method::POST, "/api/undeclared"),
            (Method::GET, "/api/without_rights"),
            (Method::GET, "/undeclared"),
            (Method::GET, "/without_rights"),
            (Method::GET, "/api/declared"),
            (Method::GET, "/declared"),
        ] {
            for with_token in [true, false] {
                let mut request = actix_web::test::TestRequest::default()
                    .method(method.clone())
                    .uri(path);
                if let (true, Some(token)) = (with_token, &token) {
                    request = request.insert_header(("PRIVATE-TOKEN", token.as_str()));
                }
                if let (false, Some(cookie)) = (with_token, &cookie) {
                    request = request
                        .insert_header(("cookie", format!("{}={cookie}", cookie_name(&app))));
                }
                let answer = actix_web::test::call_service(&service, request.to_request()).await;
                let status = answer.status().as_u16();
                if path.ends_with("/declared") {
                    assert_eq!(status, 200, "{path}");
                    reached.insert(path);
                } else {
                    let who = person.map(|person| person.username.clone());
                    assert_eq!(status, 403, "{method} {path} as {who:?}");
                    assert_ne!(actix_web::test::read_body(answer).await, "reached");
                }
            }
        }
    }
    assert_eq!(reached.len(), 2);
}
