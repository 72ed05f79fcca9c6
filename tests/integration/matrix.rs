//! Who gets which answer from which route: every route as every role, kept as a table beside this file. A change of
//! permissions is a change of that table.

mod advanced;
mod cases;
mod repository;
mod token_pages;
mod undeclared;

use std::{cell::RefCell, fmt::Write as _};

use actix_web::http::Method;
use latchkey::{
    access_tokens::scope::Scope,
    groups::Visibility,
    members::AccessLevel,
    server::routes,
    web::endpoint::{Access, Endpoint},
};
use serde_json::Value;

use crate::{
    on_both,
    support::{
        Answer, Api, Person, TestGroup, TestProject, TestResource, TestServer, TestToken,
        TestWebhook, Visitor,
    },
};

/// The columns, and how they are headed.
const ROLES: [(Role, &str); 14] = [
    (Role::Anonymous, "anon"),
    (Role::Outsider, "outs"),
    (Role::External, "ext"),
    (Role::Member(AccessLevel::Guest), "guest"),
    (Role::Member(AccessLevel::Planner), "plan"),
    (Role::Member(AccessLevel::Reporter), "rep"),
    (Role::Member(AccessLevel::Developer), "dev"),
    (Role::Member(AccessLevel::Maintainer), "maint"),
    (Role::Member(AccessLevel::Owner), "owner"),
    (Role::InheritedOwner, "inher"),
    (Role::Admin, "admin"),
    (Role::Bot(Scope::Api), "bot"),
    (Role::Bot(Scope::ReadApi), "botrd"),
    (Role::Blocked, "block"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Anonymous,
    Outsider,
    External,
    Member(AccessLevel),
    InheritedOwner,
    Admin,
    /// An Owner's token of the group itself.
    Bot(Scope),
    /// An Owner who was blocked.
    Blocked,
}

/// One request, with what tells it from others of the same route.
struct Case {
    note: &'static str,
    path: String,
    body: Body,
}

enum Body {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
}

/// Somebody with a browser and with a program.
struct Caller {
    role: Role,
    person: Option<Person>,
    browser: Visitor,
    /// The token that the session's forms carry, once it was read.
    form_token: RefCell<Option<String>>,
    /// What is sent in `PRIVATE-TOKEN`.
    token: Option<String>,
    /// Tokens to be used up, made while the person still could have some.
    spare: RefCell<Vec<String>>,
}

/// A group in a group, with everybody.
struct Stage {
    server: TestServer,
    top: TestGroup,
    group: TestGroup,
    project: TestProject,
    token: TestToken,
    project_token: TestToken,
    webhook: TestWebhook,
    member: Person,
    asset: String,
    callers: Vec<Caller>,
}

impl Stage {
    async fn on(server: &TestServer, visibility: Visibility) -> Stage {
        let boss = server.person("boss").create();
        let admin = server.person("root").admin().create();
        let top = server
            .group("top")
            .owner(&boss)
            .visibility(visibility)
            .create();
        let group = top.subgroup("acme").create();
        let project = group.project("api").create();
        let token = group.token("deploy").create();
        let project_token = project.token("deploy").create();
        repository::begin(&boss, &project).await;
        let webhook = group.webhook("pager", "https://hooks.example.com/a");
        let member = server.person("member").create();
        group.member(&member, AccessLevel::Guest);
        project.member(&member, AccessLevel::Guest);
        let asset = server.get("/users/sign_in").await.text();
        let asset = asset
            .split("href=\"/assets/")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();

        let mut callers = Vec::new();
        for (role, name) in ROLES {
            let person = match role {
                Role::Anonymous | Role::Bot(_) => None,
                Role::Admin => Some(admin.clone()),
                Role::InheritedOwner => Some(boss.clone()),
                Role::External => Some(server.person(name).external().create()),
                Role::Outsider | Role::Member(_) | Role::Blocked => {
                    Some(server.person(name).create())
                }
            };
            if let (Role::Member(level), Some(person)) = (role, &person) {
                group.member(person, level);
            }
            if let (Role::Blocked, Some(person)) = (role, &person) {
                group.member(person, AccessLevel::Owner);
            }
            let token = match (role, &person) {
                (Role::Bot(scope), _) => Some(bot_token(&group, scope)),
                (_, Some(person)) => Some(person.personal_token([Scope::Api]).value),
                _ => None,
            };
            let spare = match (role, &person) {
                (Role::Blocked, Some(person)) => (0..8)
                    .map(|_| person.personal_token([Scope::Api]).value)
                    .collect(),
                _ => Vec::new(),
            };
            let browser = match &person {
                Some(person) => person.signs_in().await,
                None => server.visitor(),
            };
            if let (Role::Blocked, Some(person)) = (role, &person) {
                person.block();
            }
            callers.push(Caller {
                role,
                person,
                browser,
                form_token: RefCell::default(),
                token,
                spare: RefCell::new(spare),
            });
        }
        Stage {
            server: server.clone(),
            top,
            group,
            project,
            token,
            project_token,
            webhook,
            member,
            asset,
            callers,
        }
    }

    async fn ask(&self, caller: &Caller, endpoint: &Endpoint, route: &str, case: &Case) -> Answer {
        match endpoint.access {
            Access::Api { .. } | Access::Undeclared => {
                self.call(caller, endpoint, route, case).await
            }
            Access::Page { .. } | Access::Open => self.visit(caller, endpoint, route, case).await,
            Access::Git { .. } => self.knock(caller, endpoint, case).await,
        }
    }

    /// As a program of Git, with a token as its password; it asks for nothing.
    async fn knock(&self, caller: &Caller, endpoint: &Endpoint, case: &Case) -> Answer {
        let mut request = self.server.request(method_of(endpoint), &case.path);
        if let Some(token) = &caller.token {
            request = request.basic_auth("git", Some(token));
        }
        if let Some((_, service)) = case.path.rsplit_once("/git-") {
            request = request
                .header(
                    "Content-Type",
                    format!("application/x-git-{service}-request"),
                )
                .body("0000");
        }
        caller.browser.send(request).await
    }

    /// As a program, with a token; with one to be used up where the route does that.
    async fn call(&self, caller: &Caller, endpoint: &Endpoint, route: &str, case: &Case) -> Answer {
        let consumes = route.contains("/self") && endpoint.method != Method::GET;
        let token = match (consumes, caller.role, &caller.person) {
            (false, ..) => caller.token.clone(),
            (true, Role::Bot(scope), _) => Some(bot_token(&self.group, scope)),
            (true, Role::Blocked, _) => Some(
                caller
                    .spare
                    .borrow_mut()
                    .pop()
                    .expect("enough tokens are put aside"),
            ),
            (true, _, Some(person)) => Some(person.personal_token([Scope::Api]).value),
            (true, _, None) => None,
        };
        let path = case.path.trim_start_matches("/api/v4");
        let body = match &case.body {
            Body::Json(body) => body.clone(),
            _ => Value::Null,
        };
        Api::new(&self.server, token.as_deref())
            .send(method_of(endpoint), path, body)
            .await
    }

    /// As a person with a browser; a bot knocks with its token, which opens no page.
    async fn visit(
        &self,
        caller: &Caller,
        endpoint: &Endpoint,
        route: &str,
        case: &Case,
    ) -> Answer {
        let fresh = route == "POST /users/sign_out" && caller.role != Role::Blocked;
        let renewed = match &caller.person {
            Some(person) if fresh => Some(person.signs_in().await),
            _ => None,
        };
        let browser = renewed.as_ref().unwrap_or(&caller.browser);
        let mut request = match &case.body {
            Body::Form(fields) => {
                let known = if renewed.is_some() {
                    None
                } else {
                    caller.form_token.borrow().clone()
                };
                let token = match known {
                    Some(token) => token,
                    None => browser.authenticity_token().await,
                };
                if renewed.is_none() {
                    *caller.form_token.borrow_mut() = Some(token.clone());
                }
                let mut all = vec![("authenticity_token".to_owned(), token)];
                all.extend(fields.iter().cloned());
                self.server
                    .request(reqwest::Method::POST, &case.path)
                    .form(&all)
            }
            _ => self.server.request(method_of(endpoint), &case.path),
        };
        if let Role::Bot(_) = caller.role {
            request = request.header("PRIVATE-TOKEN", caller.token.as_deref().unwrap_or_default());
        }
        browser.send(request).await
    }
}

fn bot_token(group: &TestGroup, scope: Scope) -> String {
    group
        .token("bot")
        .role(AccessLevel::Owner)
        .scopes([scope])
        .create()
        .value
}

fn method_of(endpoint: &Endpoint) -> reqwest::Method {
    endpoint.method.as_str().parse().unwrap()
}

/// A status, or where a person without a session is sent.
fn told(answer: &Answer) -> String {
    match answer.status {
        302 if answer.location().starts_with("/users/sign_in") => "login".into(),
        status => status.to_string(),
    }
}

fn lets_in(told: &str) -> bool {
    told.starts_with('2') || told.starts_with('3')
}

/// One row: the route, what tells it from others, and what each role is told.
struct Row {
    name: String,
    told: Vec<String>,
}

async fn rows(server: &TestServer, visibility: Visibility) -> Vec<Row> {
    let stage = Stage::on(server, visibility).await;
    let (mut rows, mut forgotten) = (Vec::new(), Vec::new());
    for area in routes::all() {
        for endpoint in &area.endpoints {
            let route = format!("{} {}{}", endpoint.method, area.prefix, endpoint.path);
            let Some(first) = stage.cases(&route, &stage.callers[0]) else {
                forgotten.push(route);
                continue;
            };
            let mut found: Vec<Row> = first
                .iter()
                .map(|case| Row {
                    name: format!("{route} {}", case.note).trim_end().to_owned(),
                    told: Vec::new(),
                })
                .collect();
            for caller in &stage.callers {
                let cases = stage.cases(&route, caller).unwrap_or_default();
                for (case, row) in cases.iter().zip(&mut found) {
                    let answer = stage.ask(caller, endpoint, &route, case).await;
                    assert!(
                        answer.status < 500,
                        "{} as {:?}: {}",
                        row.name,
                        caller.role,
                        answer.text()
                    );
                    row.told.push(told(&answer));
                }
            }
            rows.extend(found);
        }
    }
    assert!(
        forgotten.is_empty(),
        "routes that the matrix doesn't try; add a case for each:\n{}",
        forgotten.join("\n")
    );
    rows
}

on_both!(every_route_answers_every_role_as_the_table_says);

async fn every_route_answers_every_role_as_the_table_says(server: TestServer) {
    let mut table = String::new();
    let mut broken = Vec::new();
    let second = if server.is_on_postgres() {
        crate::support::storage::Storage::postgres().unwrap()
    } else {
        crate::support::storage::Storage::sqlite()
    };
    let other = TestServer::on(second);
    for (server, visibility) in [(&server, Visibility::Private), (&other, Visibility::Public)] {
        let rows = rows(server, visibility).await;
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
        let heads: Vec<&str> = ROLES.iter().map(|(_, head)| *head).collect();
        let line = |name: &str, cells: &[&str]| {
            let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<5}")).collect();
            format!("{name:<width$}  {}", cells.join(" "))
                .trim_end()
                .to_owned()
        };
        writeln!(
            table,
            "{}",
            line(&format!("A {} group", visibility.name()), &heads)
        )
        .unwrap();
        for row in &rows {
            let cells: Vec<&str> = row.told.iter().map(String::as_str).collect();
            writeln!(table, "{}", line(&row.name, &cells)).unwrap();
            broken.extend(jumps(row, visibility));
        }
        writeln!(table).unwrap();
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("matrix", table);
    });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Pairs of columns of which the second may do all that the first may.
fn jumps(row: &Row, visibility: Visibility) -> Vec<String> {
    let at =
        |role: Role| row.told[ROLES.iter().position(|(other, _)| *other == role).unwrap()].as_str();
    let mut ladder = vec![Role::External, Role::Outsider];
    ladder.extend(AccessLevel::ALL.map(Role::Member));
    ladder.extend([Role::InheritedOwner, Role::Admin]);
    let mut pairs: Vec<(Role, Role)> = ladder
        .iter()
        .zip(&ladder[1..])
        .map(|(low, high)| (*low, *high))
        .collect();
    pairs.push((Role::Bot(Scope::ReadApi), Role::Bot(Scope::Api)));
    // The sign-in page is for whoever has no session.
    if !row.name.contains("/users/sign_in") {
        pairs.push((Role::Anonymous, Role::External));
    }
    pairs
        .into_iter()
        .filter(|(low, high)| lets_in(at(*low)) && !lets_in(at(*high)))
        .map(|(low, high)| {
            format!(
                "{} ({visibility:?}): {low:?} is let in ({}), {high:?} is not ({})",
                row.name,
                at(low),
                at(high)
            )
        })
        .collect()
}
