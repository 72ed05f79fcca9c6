//! Who gets which answer from which route: every route as every role, kept as a table beside this file. A change of
//! permissions is a change of that table.

use std::{cell::RefCell, collections::BTreeSet, fmt::Write as _};

use actix_web::{HttpResponse, http::Method, web};
use latchkey::{
    access_tokens::scope::Scope,
    error::Error,
    groups::Visibility,
    members::AccessLevel,
    permissions::Right,
    server::{envelope, routes},
    sessions::cookie::{DatabaseSessions, cookie_key, cookie_name},
    web::{
        api,
        endpoint::{Access, Area, Endpoint},
        page,
    },
};
use serde_json::{Value, json};

use crate::{
    on_both,
    support::{
        Answer, Api, Company, Person, TestGroup, TestProject, TestResource, TestServer, TestToken,
        Visitor,
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
            member,
            asset,
            callers,
        }
    }

    /// What to ask of a route, made anew for each caller where asking changes something.
    fn cases(&self, route: &str, caller: &Caller) -> Option<Vec<Case>> {
        let (group, project) = (&self.group, &self.project);
        let tokens = group.page("settings/access_tokens");
        let personal = "/-/user_settings/personal_access_tokens";
        let get = |path: String| {
            vec![Case {
                note: "",
                path,
                body: Body::None,
            }]
        };
        let send = |path: String, body: Value| {
            vec![Case {
                note: "",
                path,
                body: Body::Json(body),
            }]
        };
        let form = |path: String, fields: &[(&str, &str)]| {
            let fields = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            vec![Case {
                note: "",
                path,
                body: Body::Form(fields),
            }]
        };
        let (api_group, api_project) = (
            format!("/api/v4{}", group.path()),
            format!("/api/v4{}", project.path()),
        );
        let unique = || format!("n{}", self.server.next());
        let others = |cases: Vec<Case>| {
            cases.into_iter().map(|case| Case {
                note: "somebody else's",
                ..case
            })
        };
        let project_tokens = project.page("settings/access_tokens");
        Some(match route {
            "GET /api/v4/groups/{id}" => get(api_group),
            "GET /api/v4/groups/{id}/projects" => get(format!("{api_group}/projects")),
            "GET /api/v4/groups/{id}/members" => get(format!("{api_group}/members")),
            "GET /api/v4/groups/{id}/access_tokens" => get(format!("{api_group}/access_tokens")),
            "POST /api/v4/groups/{id}/access_tokens" => {
                let body = json!({ "name": "ci", "scopes": ["read_api"], "access_level": 10 });
                send(format!("{api_group}/access_tokens"), body)
            }
            "GET /api/v4/groups/{id}/access_tokens/{token_id}" => {
                get(format!("{api_group}/access_tokens/{}", self.token.id))
            }
            "DELETE /api/v4/groups/{id}/access_tokens/{token_id}" => {
                get(format!("{api_group}/access_tokens/{}", self.new_token()))
            }
            "POST /api/v4/groups/{id}/access_tokens/{token_id}/rotate" => send(
                format!("{api_group}/access_tokens/{}/rotate", self.new_token()),
                Value::Null,
            ),
            "POST /api/v4/groups/{id}/access_tokens/self/rotate" => send(
                format!("{api_group}/access_tokens/self/rotate"),
                Value::Null,
            ),
            "POST /api/v4/projects" => send(
                "/api/v4/projects".into(),
                json!({ "name": unique(), "namespace_id": group.id }),
            ),
            "GET /api/v4/projects/{id}" => get(api_project),
            "PUT /api/v4/projects/{id}" => send(api_project, json!({ "description": "edited" })),
            "DELETE /api/v4/projects/{id}" => {
                let doomed = group.project(&unique()).create();
                get(format!("/api/v4{}", doomed.path()))
            }
            "GET /api/v4/personal_access_tokens/self" => {
                get("/api/v4/personal_access_tokens/self".into())
            }
            "DELETE /api/v4/personal_access_tokens/self" => {
                get("/api/v4/personal_access_tokens/self".into())
            }
            "POST /api/v4/personal_access_tokens/self/rotate" => send(
                "/api/v4/personal_access_tokens/self/rotate".into(),
                Value::Null,
            ),
            "GET /api/v4/groups" => get("/api/v4/groups".into()),
            "POST /api/v4/groups" => {
                let (one, two) = (unique(), unique());
                let mut cases = send(
                    "/api/v4/groups".into(),
                    json!({ "name": one, "path": one, "visibility": "private" }),
                );
                cases.push(Case {
                    note: "in the group",
                    path: "/api/v4/groups".into(),
                    body: Body::Json(json!({
                        "name": two, "path": two, "parent_id": group.id, "visibility": "private",
                    })),
                });
                cases
            }
            "PUT /api/v4/groups/{id}" => {
                let mut cases = send(api_group, json!({ "description": "edited" }));
                cases.push(Case {
                    note: "the switch of the group above",
                    path: format!("/api/v4{}", self.top.path()),
                    body: Body::Json(json!({ "resource_access_token_creation_allowed": true })),
                });
                cases
            }
            "DELETE /api/v4/groups/{id}" => {
                let doomed = group.subgroup(&unique()).create();
                get(format!("/api/v4{}", doomed.path()))
            }
            "POST /api/v4/groups/{id}/transfer" => {
                let (one, two) = (unique(), unique());
                let (one, two) = (group.subgroup(&one).create(), group.subgroup(&two).create());
                let there = json!({ "group_id": self.top.id });
                let mut cases = send(format!("/api/v4{}/transfer", one.path()), there);
                cases.push(Case {
                    note: "to the top",
                    path: format!("/api/v4{}/transfer", two.path()),
                    body: Body::Json(json!({})),
                });
                cases
            }
            "GET /api/v4/groups/{id}/subgroups" => get(format!("{api_group}/subgroups")),
            "GET /api/v4/groups/{id}/descendant_groups" => {
                get(format!("{api_group}/descendant_groups"))
            }
            "POST /api/v4/groups/{id}/members" => {
                send(format!("{api_group}/members"), self.new_member_json())
            }
            "GET /api/v4/groups/{id}/members/all" => get(format!("{api_group}/members/all")),
            "GET /api/v4/groups/{id}/members/all/{user_id}" => {
                get(format!("{api_group}/members/all/{}", self.member.id))
            }
            "GET /api/v4/groups/{id}/members/{user_id}" => {
                get(format!("{api_group}/members/{}", self.member.id))
            }
            "PUT /api/v4/groups/{id}/members/{user_id}" => send(
                format!("{api_group}/members/{}", self.member.id),
                json!({ "access_level": 10 }),
            ),
            "DELETE /api/v4/groups/{id}/members/{user_id}" => {
                get(format!("{api_group}/members/{}", self.new_member(group)))
            }
            "GET /api/v4/projects" => get("/api/v4/projects".into()),
            "PUT /api/v4/projects/{id}/transfer" => {
                let moved = group.project(&unique()).create();
                send(
                    format!("/api/v4{}/transfer", moved.path()),
                    json!({ "namespace": self.top.id }),
                )
            }
            "GET /api/v4/projects/{id}/members" => get(format!("{api_project}/members")),
            "POST /api/v4/projects/{id}/members" => {
                send(format!("{api_project}/members"), self.new_member_json())
            }
            "GET /api/v4/projects/{id}/members/all" => get(format!("{api_project}/members/all")),
            "GET /api/v4/projects/{id}/members/all/{user_id}" => {
                get(format!("{api_project}/members/all/{}", self.member.id))
            }
            "GET /api/v4/projects/{id}/members/{user_id}" => {
                get(format!("{api_project}/members/{}", self.member.id))
            }
            "PUT /api/v4/projects/{id}/members/{user_id}" => send(
                format!("{api_project}/members/{}", self.member.id),
                json!({ "access_level": 10 }),
            ),
            "DELETE /api/v4/projects/{id}/members/{user_id}" => get(format!(
                "{api_project}/members/{}",
                self.new_member(project)
            )),
            "GET /api/v4/projects/{id}/access_tokens" => {
                get(format!("{api_project}/access_tokens"))
            }
            "POST /api/v4/projects/{id}/access_tokens" => {
                let body = json!({ "name": "ci", "scopes": ["read_api"], "access_level": 10 });
                send(format!("{api_project}/access_tokens"), body)
            }
            "GET /api/v4/projects/{id}/access_tokens/{token_id}" => get(format!(
                "{api_project}/access_tokens/{}",
                self.project_token.id
            )),
            "DELETE /api/v4/projects/{id}/access_tokens/{token_id}" => get(format!(
                "{api_project}/access_tokens/{}",
                self.new_project_token()
            )),
            "POST /api/v4/projects/{id}/access_tokens/{token_id}/rotate" => send(
                format!(
                    "{api_project}/access_tokens/{}/rotate",
                    self.new_project_token()
                ),
                Value::Null,
            ),
            "POST /api/v4/projects/{id}/access_tokens/self/rotate" => send(
                format!("{api_project}/access_tokens/self/rotate"),
                Value::Null,
            ),
            "GET /api/v4/personal_access_tokens" => get("/api/v4/personal_access_tokens".into()),
            "GET /api/v4/personal_access_tokens/self/associations" => {
                get("/api/v4/personal_access_tokens/self/associations".into())
            }
            "GET /api/v4/personal_access_tokens/{id}" => {
                let path = |id| format!("/api/v4/personal_access_tokens/{id}");
                let mut cases = get(path(self.own_token(caller)));
                cases.extend(others(get(path(self.members_token()))));
                cases
            }
            "DELETE /api/v4/personal_access_tokens/{id}" => {
                let path = |id| format!("/api/v4/personal_access_tokens/{id}");
                let mut cases = get(path(self.own_token(caller)));
                cases.extend(others(get(path(self.members_token()))));
                cases
            }
            "POST /api/v4/personal_access_tokens/{id}/rotate" => {
                let path = |id| format!("/api/v4/personal_access_tokens/{id}/rotate");
                let mut cases = send(path(self.own_token(caller)), Value::Null);
                cases.extend(others(send(path(self.members_token()), Value::Null)));
                cases
            }
            "GET /api/v4/users" => get("/api/v4/users".into()),
            "POST /api/v4/users" => {
                let name = unique();
                let body = json!({
                    "username": name, "name": name, "email": format!("{name}@example.com"),
                    "force_random_password": true,
                });
                send("/api/v4/users".into(), body)
            }
            "GET /api/v4/users/{id}" => get(format!("/api/v4/users/{}", self.member.id)),
            "PUT /api/v4/users/{id}" => send(
                format!("/api/v4/users/{}", self.member.id),
                json!({ "name": "Member" }),
            ),
            "DELETE /api/v4/users/{id}" => get(format!("/api/v4/users/{}", self.new_person())),
            "POST /api/v4/users/{id}/block" => send(
                format!("/api/v4/users/{}/block", self.new_person()),
                Value::Null,
            ),
            "POST /api/v4/users/{id}/unblock" => send(
                format!("/api/v4/users/{}/unblock", self.new_person()),
                Value::Null,
            ),
            "POST /api/v4/users/{user_id}/personal_access_tokens" => send(
                format!("/api/v4/users/{}/personal_access_tokens", self.member.id),
                json!({ "name": "script", "scopes": ["read_api"] }),
            ),
            "GET /api/v4/user" => get("/api/v4/user".into()),
            "POST /api/v4/user/personal_access_tokens" => send(
                "/api/v4/user/personal_access_tokens".into(),
                json!({ "name": "script", "scopes": ["self_rotate"] }),
            ),
            "GET /api/v4/version" => get("/api/v4/version".into()),
            "GET /api/v4/metadata" => get("/api/v4/metadata".into()),
            "GET /api/v4/openapi.json" => get("/api/v4/openapi.json".into()),

            "GET /assets/{name}" => get(format!("/assets/{}", self.asset)),
            "GET /-/liveness"
            | "GET /-/health"
            | "GET /-/readiness"
            | "GET /-/metrics"
            | "GET /"
            | "GET /help"
            | "GET /help/api"
            | "GET /admin"
            | "GET /explore/groups"
            | "GET /dashboard/groups"
            | "GET /dashboard/projects"
            | "GET /users/sign_in" => get(route.trim_start_matches("GET ").to_owned()),
            "GET /search" => get("/search?search=acme".into()),
            "GET /setup" => get("/setup?token=guessed".into()),
            "POST /setup" => form(
                "/setup".into(),
                &[("token", "guessed"), ("user[username]", "mallory")],
            ),
            "POST /users/sign_in" => form(
                "/users/sign_in".into(),
                &[
                    ("user[login]", "nobody"),
                    ("user[password]", "not this one"),
                ],
            ),
            "POST /users/sign_out" => form("/users/sign_out".into(), &[]),
            "POST /-/profile/preferences" => form(
                "/-/profile/preferences".into(),
                &[("theme", "dark"), ("redirect_to", "/help")],
            ),

            "GET /groups/new" => [
                get("/groups/new".into()),
                vec![Case {
                    note: "in the group",
                    path: format!("/groups/new?parent_id={}", group.id),
                    body: Body::None,
                }],
            ]
            .into_iter()
            .flatten()
            .collect(),
            "POST /groups" => {
                let (one, two) = (unique(), unique());
                let parent = group.id.to_string();
                let mut cases = form(
                    "/groups".into(),
                    &[
                        ("group[name]", &one),
                        ("group[path]", &one),
                        ("group[visibility_level]", "0"),
                    ],
                );
                let inside = [
                    ("group[parent_id]", parent.as_str()),
                    ("group[name]", &two),
                    ("group[path]", &two),
                    ("group[visibility_level]", "0"),
                ];
                cases.extend(
                    form("/groups".into(), &inside)
                        .into_iter()
                        .map(|case| Case {
                            note: "in the group",
                            ..case
                        }),
                );
                cases
            }
            "GET /groups/{full_path:.+}/-/settings/access_tokens" => get(tokens),
            "POST /groups/{full_path:.+}/-/settings/access_tokens" => form(
                tokens,
                &new_token_fields("resource_access_token", &unique()),
            ),
            "GET /groups/{full_path:.+}/-/settings/access_tokens/{id}/revoke" => {
                get(format!("{tokens}/{}/revoke", self.token.id))
            }
            "GET /groups/{full_path:.+}/-/settings/access_tokens/{id}/rotate" => {
                get(format!("{tokens}/{}/rotate", self.token.id))
            }
            "PUT /groups/{full_path:.+}/-/settings/access_tokens/{id}/revoke" => form(
                format!("{tokens}/{}/revoke", self.new_token()),
                &[("_method", "put")],
            ),
            "PUT /groups/{full_path:.+}/-/settings/access_tokens/{id}/rotate" => form(
                format!("{tokens}/{}/rotate", self.new_token()),
                &[("_method", "put"), ("form_nonce", &unique())],
            ),
            "GET /{full_path:.+}/-/settings/access_tokens" => get(project_tokens),
            "POST /{full_path:.+}/-/settings/access_tokens" => form(
                project_tokens,
                &new_token_fields("resource_access_token", &unique()),
            ),
            "GET /{full_path:.+}/-/settings/access_tokens/{id}/revoke" => {
                get(format!("{project_tokens}/{}/revoke", self.project_token.id))
            }
            "GET /{full_path:.+}/-/settings/access_tokens/{id}/rotate" => {
                get(format!("{project_tokens}/{}/rotate", self.project_token.id))
            }
            "PUT /{full_path:.+}/-/settings/access_tokens/{id}/revoke" => form(
                format!("{project_tokens}/{}/revoke", self.new_project_token()),
                &[("_method", "put")],
            ),
            "PUT /{full_path:.+}/-/settings/access_tokens/{id}/rotate" => form(
                format!("{project_tokens}/{}/rotate", self.new_project_token()),
                &[("_method", "put"), ("form_nonce", &unique())],
            ),
            "GET /groups/{full_path:.+}/-/edit" => get(group.page("edit")),
            "POST /groups/{full_path:.+}/-/edit" => {
                let general = [
                    ("update_section", "general"),
                    ("group[name]", "acme"),
                    ("group[description]", "edited"),
                ];
                let switch = [
                    ("update_section", "permissions"),
                    ("group[resource_access_token_creation_allowed]", "1"),
                ];
                let mut cases = form(group.page("edit"), &general);
                let on_top = form(self.top.page("edit"), &switch);
                cases.extend(on_top.into_iter().map(|case| Case {
                    note: "the switch of the group above",
                    ..case
                }));
                cases
            }
            "GET /groups/{full_path:.+}/-/group_members" => get(group.page("group_members")),
            "POST /groups/{full_path:.+}/-/group_members" => {
                form(group.page("group_members"), &self.new_member_fields())
            }
            "POST /groups/{full_path:.+}/-/group_members/{id}" => form(
                format!("{}/{}", group.page("group_members"), self.member.id),
                &[("member[access_level]", "10")],
            ),
            "GET /groups/{full_path:.+}/-/group_members/{id}/remove" => get(format!(
                "{}/{}/remove",
                group.page("group_members"),
                self.member.id
            )),
            "POST /groups/{full_path:.+}/-/group_members/{id}/remove" => form(
                format!(
                    "{}/{}/remove",
                    group.page("group_members"),
                    self.new_member(group)
                ),
                &[],
            ),
            "GET /groups/{full_path:.+}" => get(format!("/groups/{}", group.full_path)),

            "GET /projects/new" => get(format!("/projects/new?namespace_id={}", group.id)),
            "POST /projects" => {
                let (name, namespace) = (unique(), group.id.to_string());
                let fields = [
                    ("project[namespace_id]", namespace.as_str()),
                    ("project[name]", &name),
                    ("project[path]", &name),
                    ("project[visibility_level]", "0"),
                ];
                form("/projects".into(), &fields)
            }
            "GET /{full_path:.+}/-/edit" => get(project.page("edit")),
            "POST /{full_path:.+}/-/edit" => form(
                project.page("edit"),
                &[("project[name]", "api"), ("project[description]", "edited")],
            ),
            "GET /{full_path:.+}/-/project_members" => get(project.page("project_members")),
            "POST /{full_path:.+}/-/project_members" => {
                form(project.page("project_members"), &self.new_member_fields())
            }
            "POST /{full_path:.+}/-/project_members/{id}" => form(
                format!("{}/{}", project.page("project_members"), self.member.id),
                &[("member[access_level]", "10")],
            ),
            "GET /{full_path:.+}/-/project_members/{id}/remove" => get(format!(
                "{}/{}/remove",
                project.page("project_members"),
                self.member.id
            )),
            "POST /{full_path:.+}/-/project_members/{id}/remove" => form(
                format!(
                    "{}/{}/remove",
                    project.page("project_members"),
                    self.new_member(project)
                ),
                &[],
            ),
            "GET /{full_path:.+}" => {
                let mut cases = get(format!("/{}", project.full_path));
                cases.extend(
                    get(format!("/{}", group.full_path))
                        .into_iter()
                        .map(|case| Case {
                            note: "a group",
                            ..case
                        }),
                );
                cases
            }

            "GET /-/user_settings/personal_access_tokens" => get(personal.into()),
            "POST /-/user_settings/personal_access_tokens" => form(
                personal.into(),
                &new_token_fields("personal_access_token", &unique()),
            ),
            "GET /-/user_settings/personal_access_tokens/{id}/revoke" => {
                get(format!("{personal}/{}/revoke", self.own_token(caller)))
            }
            "GET /-/user_settings/personal_access_tokens/{id}/rotate" => {
                get(format!("{personal}/{}/rotate", self.own_token(caller)))
            }
            "PUT /-/user_settings/personal_access_tokens/{id}/revoke" => {
                let mut cases = form(
                    format!("{personal}/{}/revoke", self.own_token(caller)),
                    &[("_method", "put")],
                );
                let others = form(
                    format!("{personal}/{}/revoke", self.members_token()),
                    &[("_method", "put")],
                );
                cases.extend(others.into_iter().map(|case| Case {
                    note: "somebody else's",
                    ..case
                }));
                cases
            }
            "PUT /-/user_settings/personal_access_tokens/{id}/rotate" => form(
                format!("{personal}/{}/rotate", self.own_token(caller)),
                &[("_method", "put"), ("form_nonce", &unique())],
            ),
            _ => return None,
        })
    }

    fn new_token(&self) -> i64 {
        self.group.token("to be used up").create().id
    }

    fn new_project_token(&self) -> i64 {
        self.project.token("to be used up").create().id
    }

    fn new_person(&self) -> i64 {
        let name = format!("m{}", self.server.next());
        self.server.person(&name).create().id
    }

    fn new_member_json(&self) -> Value {
        json!({ "user_id": self.new_person(), "access_level": 10 })
    }

    fn new_member(&self, resource: &impl TestResource) -> i64 {
        let person = self
            .server
            .person(&format!("m{}", self.server.next()))
            .create();
        resource.member(&person, AccessLevel::Guest);
        person.id
    }

    fn new_member_fields(&self) -> [(&'static str, &'static str); 2] {
        // Leaked, so that a fresh name fits where all others are constants: a few bytes for each cell.
        let person = self
            .server
            .person(&format!("m{}", self.server.next()))
            .create();
        [
            (
                "member[user]",
                Box::leak(person.username.clone().into_boxed_str()),
            ),
            ("member[access_level]", "10"),
        ]
    }

    /// A personal token of the caller; whoever can't have one tries somebody else's.
    fn own_token(&self, caller: &Caller) -> i64 {
        match &caller.person {
            Some(person) if caller.role != Role::Blocked => person.personal_token([Scope::Api]).id,
            _ => self.members_token(),
        }
    }

    fn members_token(&self) -> i64 {
        self.member.personal_token([Scope::Api]).id
    }

    async fn ask(&self, caller: &Caller, endpoint: &Endpoint, route: &str, case: &Case) -> Answer {
        match endpoint.access {
            Access::Api { .. } | Access::Undeclared => {
                self.call(caller, endpoint, route, case).await
            }
            Access::Page { .. } | Access::Open => self.visit(caller, endpoint, route, case).await,
        }
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

fn new_token_fields<'a>(form: &str, nonce: &'a str) -> [(&'a str, &'a str); 5] {
    if form == "personal_access_token" {
        [
            ("form_nonce", nonce),
            ("personal_access_token[name]", "ci"),
            ("personal_access_token[scopes][]", "read_api"),
            ("personal_access_token[expires_at]", "2026-12-20"),
            ("personal_access_token[description]", ""),
        ]
    } else {
        [
            ("form_nonce", nonce),
            ("resource_access_token[name]", "ci"),
            ("resource_access_token[scopes][]", "read_api"),
            ("resource_access_token[expires_at]", "2026-12-20"),
            ("resource_access_token[access_level]", "10"),
        ]
    }
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
