//! Every route as every role: the table beside this file is what a review of permissions reads.
//!
//! Each cell has a project, a member and two tokens of its own, so that nothing done in one is seen in another.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use latchkey::{access_tokens::scope::Scope, members::AccessLevel, server::routes};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    Answer, Api, Person, TestGroup, TestProject, TestResource, TestServer, TestToken, Visitor,
    server::run_on_sqlite,
};

/// The columns: who asks.
const ROLES: [&str; 17] = [
    "nobody", "outsider", "external", "blocked", "guest", "planner", "reporter", "developer", "maintainer", "owner",
    "admin", "bot guest", "bot dev", "bot maint", "bot owner", "bot o. read", "bot o. narrow",
];

/// Who asks, by both doors.
struct Caller {
    role: &'static str,
    person: Option<Person>,
    api: Api,
    browser: Visitor,
    /// What the forms of its session carry.
    form_token: String,
}

/// What a cell works on.
struct Scene {
    group: TestGroup,
    project: TestProject,
    token: TestToken,
    own: TestToken,
    member: Person,
    serial: u32,
}

enum Sent {
    Api(Method, String, Value),
    Form(Method, String, Vec<(&'static str, String)>),
}

#[test]
fn every_route_answers_every_role_as_the_table_says() {
    run_on_sqlite(|server| async move {
        let mut report = String::new();
        for (title, path) in [("In a private group", "closed"), ("In a public group", "open")] {
            let table = table(&server, path, path == "open").await;
            writeln!(report, "{title}\n\n{table}").unwrap();
        }
        insta::assert_snapshot!("statuses", report);
    });
}

async fn table(server: &TestServer, path: &str, public: bool) -> String {
    let group = server.group(path);
    let group = if public { group.public() } else { group.private() }.create();
    let mut callers = callers(server, &group).await;
    let mut lines = vec![format!("{:<7}{:<76}{}", "", "", ROLES.map(|role| format!("{role:<14}")).concat().trim_end())];
    for area in routes::all() {
        for endpoint in &area.endpoints {
            let pattern = format!("{}{}", area.prefix, endpoint.path);
            let mut line = format!("{:<7}{pattern:<76}", endpoint.method.as_str());
            for caller in &mut callers {
                let scene = scene(server, &group, caller);
                let method: Method = endpoint.method.as_str().parse().unwrap();
                let status = ask(server, caller, &method, &pattern, &scene).await;
                write!(line, "{status:<14}").unwrap();
            }
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.join("\n") + "\n"
}

async fn callers(server: &TestServer, group: &TestGroup) -> Vec<Caller> {
    let mut callers = Vec::new();
    for role in ROLES {
        let name = format!("{}-{}", role.replace([' ', '.'], ""), group.full_path);
        let level = match role.rsplit(' ').next().unwrap() {
            "guest" => Some(AccessLevel::Guest),
            "planner" => Some(AccessLevel::Planner),
            "reporter" => Some(AccessLevel::Reporter),
            "developer" | "dev" => Some(AccessLevel::Developer),
            "maintainer" | "maint" => Some(AccessLevel::Maintainer),
            "owner" | "read" | "narrow" => Some(AccessLevel::Owner),
            _ => None,
        };
        let browser = server.visitor();
        let mut known = None;
        let api = if role == "nobody" {
            server.anonymous()
        } else if role.starts_with("bot") {
            let scope = match role {
                "bot o. read" => Scope::ReadApi,
                "bot o. narrow" => Scope::ReadRepository,
                _ => Scope::Api,
            };
            group.token("caller").role(level.unwrap()).scopes([scope]).create().api()
        } else {
            let person = server.person(&name);
            let person = match role {
                "admin" => person.admin().create(),
                "external" => person.external().create(),
                _ => person.create(),
            };
            if let Some(level) = level {
                group.member(&person, level);
            }
            if role == "blocked" {
                group.member(&person, AccessLevel::Owner);
            }
            let api = person.api();
            browser.sign_in(&name, crate::support::PASSWORD).await.expect(303);
            if role == "blocked" {
                person.block();
            }
            known = Some(person);
            api
        };
        let form_token = browser.authenticity_token().await;
        callers.push(Caller { role, person: known, api, browser, form_token });
    }
    callers
}

fn scene(server: &TestServer, group: &TestGroup, caller: &Caller) -> Scene {
    let serial = server.next();
    let member = server.person(&format!("member{serial}")).create();
    group.member(&member, AccessLevel::Guest);
    let project = group.project(&format!("project{serial}")).create();
    project.member(&server.person(&format!("inside{serial}")).create(), AccessLevel::Guest);
    let token = group.token("target").role(AccessLevel::Guest).create();
    let own = group.token(caller.role).create();
    Scene { group: group.clone(), project, token, own, member, serial }
}

/// The request that a route is tried with. Whoever adds a route adds a line here, and looks at the table.
fn request(method: &Method, pattern: &str, scene: &Scene) -> Option<Sent> {
    let group = scene.group.path();
    let project = scene.project.path();
    let (g, p) = (&scene.group.full_path, &scene.project.full_path);
    let (token, serial, member) = (scene.token.id, scene.serial, scene.member.id);
    let new_token = json!({ "name": "x", "scopes": ["read_api"], "access_level": 10 });
    let api = |path: String, body: Value| {
        let path = path.strip_prefix("/api/v4").map(str::to_owned).unwrap_or(path);
        Some(Sent::Api(method.clone(), path, body))
    };
    let page = |path: String, fields: Vec<(&'static str, String)>| Some(Sent::Form(method.clone(), path, fields));
    let text = |text: &str| text.to_owned();
    let token_form = |prefix: &str| -> Vec<(&'static str, String)> {
        match prefix {
            "personal" => vec![
                ("personal_access_token[name]", text("x")),
                ("personal_access_token[scopes][]", text("read_api")),
            ],
            _ => vec![
                ("resource_access_token[name]", text("x")),
                ("resource_access_token[scopes][]", text("read_api")),
                ("resource_access_token[access_level]", text("10")),
            ],
        }
    };
    let nonce = ("form_nonce", format!("nonce{serial}"));
    let member_form = || {
        vec![("member[user]", format!("inside{serial}")), ("member[access_level]", text("10"))]
    };
    let name = format!("{method} {pattern}").replace(":.+", "");
    match name.as_str() {
        "GET /api/v4/groups/{id}" => api(group, Value::Null),
        "GET /api/v4/groups/{id}/projects" => api(format!("{group}/projects"), Value::Null),
        "GET /api/v4/groups/{id}/members" => api(format!("{group}/members"), Value::Null),
        "GET /api/v4/groups/{id}/access_tokens" => api(format!("{group}/access_tokens"), Value::Null),
        "POST /api/v4/groups/{id}/access_tokens" => api(format!("{group}/access_tokens"), new_token),
        "POST /api/v4/groups/{id}/access_tokens/self/rotate" => {
            // With a date that can't be, so that whoever may do it can do it again.
            api(format!("{group}/access_tokens/self/rotate"), json!({ "expires_at": "1970-01-01" }))
        }
        "GET /api/v4/groups/{id}/access_tokens/{token_id}" => api(format!("{group}/access_tokens/{token}"), Value::Null),
        "DELETE /api/v4/groups/{id}/access_tokens/{token_id}" => api(format!("{group}/access_tokens/{token}"), Value::Null),
        "POST /api/v4/groups/{id}/access_tokens/{token_id}/rotate" => {
            api(format!("{group}/access_tokens/{token}/rotate"), json!({}))
        }
        "POST /api/v4/projects" => api(
            "/projects".into(),
            json!({ "path": format!("made{serial}"), "namespace_id": scene.group.id, "visibility": "private" }),
        ),
        "GET /api/v4/projects/{id}" => api(project, Value::Null),
        "PUT /api/v4/projects/{id}" => api(project, json!({ "description": "changed" })),
        "DELETE /api/v4/projects/{id}" => api(project, Value::Null),
        "GET /api/v4/personal_access_tokens/self" => api("/personal_access_tokens/self".into(), Value::Null),
        "POST /api/v4/personal_access_tokens/self/rotate" => {
            api("/personal_access_tokens/self/rotate".into(), json!({ "expires_at": "1970-01-01" }))
        }
        "GET /api/v4/user" => api("/user".into(), Value::Null),
        "GET /api/v4/version" => api("/version".into(), Value::Null),
        "GET /groups/{full_path}/-/settings/access_tokens" => page(scene.group.page("settings/access_tokens"), vec![]),
        "POST /groups/{full_path}/-/settings/access_tokens" => {
            let mut fields = token_form("group");
            fields.push(nonce);
            page(scene.group.page("settings/access_tokens"), fields)
        }
        "GET /groups/{full_path}/-/settings/access_tokens/{id}/revoke"
        | "GET /groups/{full_path}/-/settings/access_tokens/{id}/rotate"
        | "PUT /groups/{full_path}/-/settings/access_tokens/{id}/revoke"
        | "PUT /groups/{full_path}/-/settings/access_tokens/{id}/rotate" => {
            let action = pattern.rsplit('/').next().unwrap();
            let put = *method == Method::PUT;
            page(
                scene.group.page(&format!("settings/access_tokens/{token}/{action}")),
                if put { vec![("_method", text("put")), nonce] } else { vec![] },
            )
        }
        "GET /-/user_settings/personal_access_tokens" => page("/-/user_settings/personal_access_tokens".into(), vec![]),
        "POST /-/user_settings/personal_access_tokens" => {
            let mut fields = token_form("personal");
            fields.push(nonce);
            page("/-/user_settings/personal_access_tokens".into(), fields)
        }
        // Somebody else's token: found by nobody.
        "GET /-/user_settings/personal_access_tokens/{id}/revoke"
        | "GET /-/user_settings/personal_access_tokens/{id}/rotate"
        | "PUT /-/user_settings/personal_access_tokens/{id}/revoke"
        | "PUT /-/user_settings/personal_access_tokens/{id}/rotate" => {
            let action = pattern.rsplit('/').next().unwrap();
            let put = *method == Method::PUT;
            page(
                format!("/-/user_settings/personal_access_tokens/{token}/{action}"),
                if put { vec![("_method", text("put")), nonce] } else { vec![] },
            )
        }
        "POST /groups" => page(
            "/groups".into(),
            vec![
                ("group[name]", format!("made{serial}")),
                ("group[path]", format!("made-group{serial}")),
                ("group[parent_id]", scene.group.id.to_string()),
                ("group[visibility_level]", text("private")),
            ],
        ),
        "GET /groups/new" => page(format!("/groups/new?parent_id={}", scene.group.id), vec![]),
        "GET /groups/{full_path}/-/edit" => page(scene.group.page("edit"), vec![]),
        "POST /groups/{full_path}/-/edit" => page(
            scene.group.page("edit"),
            vec![
                ("update_section", text("permissions")),
                ("group[resource_access_token_creation_allowed]", text("1")),
            ],
        ),
        "GET /groups/{full_path}/-/group_members" => page(scene.group.page("group_members"), vec![]),
        "POST /groups/{full_path}/-/group_members" => page(scene.group.page("group_members"), member_form()),
        "POST /groups/{full_path}/-/group_members/{id}" => page(
            scene.group.page(&format!("group_members/{member}")),
            vec![("member[access_level]", text("20"))],
        ),
        "GET /groups/{full_path}/-/group_members/{id}/remove"
        | "POST /groups/{full_path}/-/group_members/{id}/remove" => {
            page(scene.group.page(&format!("group_members/{member}/remove")), vec![])
        }
        "GET /groups/{full_path}" => page(format!("/groups/{g}"), vec![]),
        "POST /projects" => page(
            "/projects".into(),
            vec![
                ("project[name]", format!("made{serial}")),
                ("project[path]", format!("made-page{serial}")),
                ("project[namespace_id]", scene.group.id.to_string()),
                ("project[visibility_level]", text("private")),
            ],
        ),
        "GET /projects/new" => page(format!("/projects/new?namespace_id={}", scene.group.id), vec![]),
        "GET /{full_path}/-/edit" => page(format!("/{p}/-/edit"), vec![]),
        "POST /{full_path}/-/edit" => page(
            format!("/{p}/-/edit"),
            vec![("update_section", text("general")), ("project[name]", format!("changed{serial}"))],
        ),
        "GET /{full_path}/-/project_members" => page(format!("/{p}/-/project_members"), vec![]),
        "POST /{full_path}/-/project_members" => page(
            format!("/{p}/-/project_members"),
            vec![("member[user]", format!("member{serial}")), ("member[access_level]", text("10"))],
        ),
        "POST /{full_path}/-/project_members/{id}" => page(
            format!("/{p}/-/project_members/{}", inside_id(scene)),
            vec![("member[access_level]", text("20"))],
        ),
        "GET /{full_path}/-/project_members/{id}/remove" | "POST /{full_path}/-/project_members/{id}/remove" => {
            page(format!("/{p}/-/project_members/{}/remove", inside_id(scene)), vec![])
        }
        "GET /{full_path}" => page(format!("/{p}"), vec![]),
        "GET /" => page("/".into(), vec![]),
        "GET /dashboard/groups" | "GET /dashboard/projects" | "GET /explore/groups" | "GET /admin" | "GET /help"
        | "GET /users/sign_in" | "GET /setup" => page(pattern.to_owned(), vec![]),
        "GET /search" => page(format!("/search?search={g}"), vec![]),
        "POST /setup" => page("/setup".into(), vec![("token", text("x")), ("user[username]", format!("setup{serial}"))]),
        "POST /-/profile/preferences" => page("/-/profile/preferences".into(), vec![("theme", text("dark"))]),
        "GET /-/liveness" | "GET /-/health" | "GET /-/readiness" | "GET /-/metrics" => page(pattern.to_owned(), vec![]),
        "GET /assets/{name}" => page("/assets/nothing-00000000.css".into(), vec![]),
        _ => None,
    }
}

fn inside_id(scene: &Scene) -> i64 {
    // The person inside of the project was made right after the project's group member.
    scene.member.id + 1
}

async fn ask(server: &TestServer, caller: &Caller, method: &Method, pattern: &str, scene: &Scene) -> u16 {
    // What would end the caller itself is tried with a token of the caller's kind, or the session beside it.
    match (method.as_str(), pattern) {
        ("DELETE", "/api/v4/personal_access_tokens/self") => {
            let path = "/personal_access_tokens/self";
            return match &caller.person {
                None if caller.role == "nobody" => server.anonymous().delete(path).await.status,
                None => scene.own.delete(path).await.status,
                Some(person) => person.api().delete(path).await.status,
            };
        }
        ("POST", "/users/sign_out") => return sign_out(server, caller).await,
        ("POST", "/users/sign_in") => {
            return server.visitor().sign_in("nobody", "wrong password").await.status;
        }
        _ => {}
    }
    let Some(sent) = request(method, pattern, scene) else {
        panic!("{method} {pattern} isn't tried by the matrix: add it to `request`, and look at the table");
    };
    match sent {
        Sent::Api(method, path, body) => caller.api.send(method, &path, body).await.status,
        Sent::Form(method, path, mut fields) => {
            let changes = method != Method::GET;
            let sent_as = if changes { Method::POST } else { Method::GET };
            let mut request: RequestBuilder = server.request(sent_as, &path);
            if caller.role.starts_with("bot") {
                // A token opens no page.
                request = request.header("PRIVATE-TOKEN", &scene.own.value);
            }
            if changes {
                fields.push(("authenticity_token", caller.form_token.clone()));
                request = request.form(&fields);
            }
            caller.browser.send(request).await.status
        }
    }
}

/// In a second browser with the same cookies, against a copy of the session that isn't needed any more.
async fn sign_out(server: &TestServer, caller: &Caller) -> u16 {
    if caller.role == "nobody" || caller.role.starts_with("bot") || caller.role == "blocked" {
        let fields = [("authenticity_token", caller.form_token.as_str())];
        return caller.browser.post_without_token("/users/sign_out", &fields).await.status;
    }
    let person = server.person(&format!("leaver{}", server.next())).create();
    person.signs_in().await.sign_out().await.status
}

/// A route that declares nothing lets nobody in, whoever they are.
#[test]
fn a_route_without_a_declaration_refuses_everybody() {
    let undeclared: BTreeMap<String, bool> = routes::all()
        .iter()
        .flat_map(|area| {
            area.endpoints.iter().map(move |endpoint| {
                (format!("{} {}{}", endpoint.method, area.prefix, endpoint.path), endpoint.access.is_declared())
            })
        })
        .filter(|(_, declared)| !declared)
        .collect();
    assert!(undeclared.is_empty(), "{undeclared:?}");
    run_on_sqlite(|server| async move {
        let root = server.person("root").admin().create();
        let value = root.personal_token([Scope::Api]).value;
        let browser = root.signs_in().await;
        let (page, api) = undeclared_routes(&server);
        for (path, address) in [("/page", &page), ("/api", &api)] {
            for cookie in [None, browser.session_cookie()] {
                let mut request = reqwest::Client::new().get(format!("{address}{path}")).header("PRIVATE-TOKEN", &value);
                if let Some(cookie) = cookie {
                    request = request.header("cookie", format!("latchkey_session={cookie}"));
                }
                Answer::to(request).await.expect(403);
            }
        }
    });
}

/// A server beside the real one, with a page and an endpoint that declare nothing.
fn undeclared_routes(server: &TestServer) -> (String, String) {
    use actix_web::{App, HttpResponse, HttpServer, web};
    use latchkey::web::endpoint::{Access, Area};
    use latchkey::web::{api, page};

    let app = server.app.clone();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            HttpServer::new(move || {
                let key = latchkey::sessions::cookie::cookie_key(&app);
                let sessions = actix_session::SessionMiddleware::builder(
                    latchkey::sessions::cookie::DatabaseSessions::new(app.clone()),
                    key,
                )
                .cookie_name(latchkey::sessions::cookie::cookie_name(&app).to_owned())
                .cookie_secure(false)
                .cookie_content_security(actix_session::config::CookieContentSecurity::Signed)
                .build();
                let area = Area {
                    prefix: "",
                    endpoints: vec![
                        page::declared(Method::GET.as_str().parse().unwrap(), "/page", Access::Undeclared, |_| async {
                            Ok(HttpResponse::Ok().finish())
                        }),
                        api::declared(Method::GET.as_str().parse().unwrap(), "/api", Access::Undeclared, |_| async {
                            Ok(HttpResponse::Ok().finish())
                        }),
                    ],
                };
                let mut made = App::new().app_data(web::Data::new(app.clone()));
                for resource in area.resources(|| web::route().to(HttpResponse::MethodNotAllowed)) {
                    made = made.service(resource);
                }
                made.wrap(sessions)
            })
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run()
            .await
            .unwrap();
        });
    });
    (address.clone(), address)
}
