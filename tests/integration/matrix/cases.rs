//! What to ask of each route: made anew for each caller where asking changes something.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};
use serde_json::{Value, json};

use super::{Body, Caller, Case, Role, Stage, advanced};
use crate::support::{PASSWORD, TestResource};

impl Stage {
    /// What to ask of a route, made anew for each caller where asking changes something.
    pub(super) fn cases(&self, route: &str, caller: &Caller) -> Option<Vec<Case>> {
        let (group, project) = (&self.group, &self.project);
        let hooks = group.page("hooks");
        let inventory = self.top.page("token_inventory");
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
        Some(match route {
            "GET /{full_path:.+}.git/info/refs" => {
                let refs = |note, service| Case {
                    note,
                    path: format!("/{}.git/info/refs?service={service}", project.full_path),
                    body: Body::None,
                };
                vec![
                    refs("", "git-upload-pack"),
                    refs("to push", "git-receive-pack"),
                ]
            }
            "HEAD /{full_path:.+}.git/info/refs" => {
                get(format!("/{}.git/info/refs", project.full_path))
            }
            "POST /{full_path:.+}.git/git-upload-pack" => {
                get(format!("/{}.git/git-upload-pack", project.full_path))
            }
            "POST /{full_path:.+}.git/git-receive-pack" => {
                get(format!("/{}.git/git-receive-pack", project.full_path))
            }
            "GET /{full_path:.+}.git/info/lfs/{rest:.*}"
            | "POST /{full_path:.+}.git/info/lfs/{rest:.*}" => {
                get(format!("/{}.git/info/lfs/objects/batch", project.full_path))
            }
            "GET /{full_path:.+}.git" => get(format!("/{}.git", project.full_path)),
            "GET /{full_path:.+}/info/refs" => get(format!("/{}/info/refs", project.full_path)),
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/tree{rest:(?:/.*)?}" => {
                get(project.page("tree/main"))
            }
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/blob/{rest:.+}" => {
                get(project.page("blob/main/README.md"))
            }
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/raw/{rest:.+}" => {
                get(project.page("raw/main/README.md"))
            }
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/commits{rest:(?:/.*)?}" => {
                get(project.page("commits/main"))
            }
            // The address of a commit in words leads on to the one with its id.
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/commit/{sha:.+}" => {
                get(project.page("commit/main"))
            }
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/branches" => get(project.page("branches")),
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/tags" => get(project.page("tags")),
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/archive/{rest:.+}" => {
                get(project.page("archive/main/api.zip"))
            }
            route
                if route.contains("access_tokens")
                    && !route.contains("/api/")
                    && !route.contains(".ics") =>
            {
                return self.token_page_cases(route, caller);
            }
            "GET /groups/{full_path:.+}/-/settings/access_tokens.ics" => {
                get(group.page("settings/access_tokens.ics"))
            }
            route if route.contains("/repository/") => {
                return self.repository_cases(route, caller);
            }
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
            "GET /api/v4/application/settings" => get("/api/v4/application/settings".into()),
            "PUT /api/v4/application/settings" => send(
                "/api/v4/application/settings".into(),
                json!({ "session_idle_days": 7 }),
            ),
            "GET /api/v4/metadata" => get("/api/v4/metadata".into()),
            "GET /api/v4/openapi.json" => get("/api/v4/openapi.json".into()),

            "GET /help/{topic}" => get("/help/rotation".into()),
            "GET /assets/{name}" => get(format!("/assets/{}", self.asset)),
            "GET /-/liveness"
            | "GET /-/health"
            | "GET /-/readiness"
            | "GET /-/metrics"
            | "GET /"
            | "GET /help"
            | "GET /help/api"
            | "GET /admin"
            | "GET /admin/background_jobs"
            | "GET /admin/users"
            | "GET /admin/users/new"
            | "GET /admin/groups"
            | "GET /admin/projects"
            | "GET /admin/audit_logs"
            | "GET /admin/credentials"
            | "GET /admin/application_settings/general"
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
            "GET /admin/audit_logs.{format:csv|jsonl}" => {
                get("/admin/audit_logs.csv?since=2026-12-24".into())
            }
            "GET /admin/credentials/revoke" => {
                get(format!("/admin/credentials/revoke?ids={}", self.token.id))
            }
            "POST /admin/credentials/revoke" => form(
                "/admin/credentials/revoke".into(),
                &[("ids", &self.new_token().to_string())],
            ),
            "POST /admin/background_jobs" => form(
                "/admin/background_jobs".into(),
                &[("act", "run"), ("job", "clean-up")],
            ),
            "POST /admin/users" => {
                let name = unique();
                let email = format!("{name}@example.com");
                let fields = [
                    ("user[name]", name.as_str()),
                    ("user[username]", &name),
                    ("user[email]", &email),
                ];
                form("/admin/users".into(), &fields)
            }
            "GET /admin/users/{username}" => get(format!("/admin/users/{}", self.member.username)),
            "GET /admin/users/{username}/{action}" => {
                get(format!("/admin/users/{}/delete", self.member.username))
            }
            "POST /admin/users/{username}/{action}" => form(
                format!("/admin/users/{}/unblock", self.member.username),
                &[],
            ),
            "POST /admin/application_settings/general" => form(
                "/admin/application_settings/general".into(),
                &[("update_section", "mail")],
            ),
            "GET /users/sign_up" => get("/users/sign_up".into()),
            "POST /users/sign_up" => form("/users/sign_up".into(), &[("user[username]", "eve")]),
            "GET /users/confirmation" => {
                get("/users/confirmation?confirmation_token=guessed".into())
            }
            "POST /users/confirmation" => form(
                "/users/confirmation".into(),
                &[("confirmation_token", "guessed")],
            ),
            "GET /users/password/new" => get("/users/password/new".into()),
            "POST /users/password" => form(
                "/users/password".into(),
                &[("user[email]", "nobody@example.com")],
            ),
            "GET /users/password/edit" => {
                get("/users/password/edit?reset_password_token=guessed".into())
            }
            "POST /users/password/edit" => form(
                "/users/password/edit".into(),
                &[("reset_password_token", "guessed")],
            ),
            "POST /users/sign_out" => form("/users/sign_out".into(), &[]),
            "GET /-/profile/notifications" => get("/-/profile/notifications".into()),
            "POST /-/profile/notifications" => form(
                "/-/profile/notifications".into(),
                &[("user[expiry_mails]", "digest")],
            ),
            "POST /-/profile/reset_feed_token" => form("/-/profile/reset_feed_token".into(), &[]),
            "GET /-/user_settings/expiry_calendar.ics" => {
                get("/-/user_settings/expiry_calendar.ics".into())
            }
            "GET /-/profile/preferences" => get("/-/profile/preferences".into()),
            "GET /-/user_settings/profile" => get("/-/user_settings/profile".into()),
            "POST /-/user_settings/profile" => form(
                "/-/user_settings/profile".into(),
                &[("user[name]", "Somebody")],
            ),
            "GET /-/user_settings/password/edit" => get("/-/user_settings/password/edit".into()),
            // With another password, the session that the next rows need would end.
            "POST /-/user_settings/password/edit" => form(
                "/-/user_settings/password/edit".into(),
                &[
                    ("user[current_password]", PASSWORD),
                    ("user[password]", "too short"),
                    ("user[password_confirmation]", "and not the same"),
                ],
            ),
            "GET /-/user_settings/active_sessions" => {
                get("/-/user_settings/active_sessions".into())
            }
            "POST /-/user_settings/active_sessions" => {
                form("/-/user_settings/active_sessions".into(), &[])
            }
            "POST /-/user_settings/active_sessions/{id}" => form(
                "/-/user_settings/active_sessions/0123456789abcdef".into(),
                &[],
            ),
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
            "GET /groups/{full_path:(?:[^/-][^/]*/?)+}/-/{action:path|transfer|delete}" => {
                advanced::questions(group)
            }
            "POST /groups/{full_path:(?:[^/-][^/]*/?)+}/-/{action:path|transfer|delete}" => {
                self.ends_of_groups()
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
            "GET /groups/{full_path:.+}/-/audit_events" => get(group.page("audit_events")),
            "GET /groups/{full_path:.+}/-/audit_events.{format:csv|jsonl}" => get(format!(
                "{}.csv?since=2026-12-24",
                group.page("audit_events")
            )),
            "GET /groups/{full_path:.+}/-/token_inventory" => get(inventory),
            "GET /groups/{full_path:.+}/-/token_inventory.csv" => get(format!("{inventory}.csv")),
            "GET /groups/{full_path:.+}/-/token_inventory/revoke" => {
                get(format!("{inventory}/revoke?ids={}", self.token.id))
            }
            "POST /groups/{full_path:.+}/-/token_inventory/revoke" => form(
                format!("{inventory}/revoke"),
                &[("ids", &self.new_token().to_string())],
            ),
            "GET /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks" => get(hooks),
            "POST /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks" => {
                form(hooks, &new_webhook_fields(&unique()))
            }
            "GET /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks/{id}" => {
                get(format!("{hooks}/{}", self.webhook.id))
            }
            "POST /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks/{id}" => {
                self.new_delivery();
                form(
                    format!("{hooks}/{}", self.webhook.id),
                    &[("hook_action", "test")],
                )
            }
            "GET /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks/{id}/{action:delete|reset_key}" => {
                get(format!("{hooks}/{}/delete", self.webhook.id))
            }
            "POST /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks/{id}/{action:delete|reset_key}" => {
                let doomed = group.webhook(&unique(), "https://hooks.example.com/a");
                form(format!("{hooks}/{}/delete", doomed.id), &[])
            }
            "GET /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks/{id}/deliveries/{delivery_id}" => {
                let (webhook, delivery) = (self.webhook.id, self.new_delivery());
                get(format!("{hooks}/{webhook}/deliveries/{delivery}"))
            }
            "POST /groups/{full_path:(?:[^/-][^/]*/?)+}/-/hooks/{id}/deliveries/{delivery_id}" => {
                let (webhook, delivery) = (self.webhook.id, self.new_delivery());
                form(format!("{hooks}/{webhook}/deliveries/{delivery}"), &[])
            }
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
            "GET /{full_path:(?:[^/-][^/]*/?)+}/-/{action:path|transfer|delete}" => {
                advanced::questions(project)
            }
            "POST /{full_path:(?:[^/-][^/]*/?)+}/-/{action:path|transfer|delete}" => {
                self.ends_of_projects()
            }
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

            _ => return None,
        })
    }

    fn new_token(&self) -> i64 {
        self.group.token("to be used up").create().id
    }

    /// A delivery, and no other one on its way: who has many of them may make no more.
    fn new_delivery(&self) -> i64 {
        self.server.sql(
            "UPDATE webhook_deliveries SET state = 'delivered', settled_at = created_at \
             WHERE settled_at IS NULL",
        );
        self.webhook.delivery()
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

    pub(super) fn members_token(&self) -> i64 {
        self.member.personal_token([Scope::Api]).id
    }
}

fn new_webhook_fields(name: &str) -> [(&str, &str); 2] {
    [
        ("webhook[name]", name),
        ("webhook[url]", "https://hooks.example.com/a"),
    ]
}
