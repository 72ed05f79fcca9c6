//! What is sent: GitLab's event that an access token expires soon.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;

use crate::access_tokens::{AccessToken, Resource};
use crate::context::Instance;
use crate::groups::Group;
use crate::projects::Project;

/// The value of `X-Gitlab-Event`.
pub const EVENT_HEADER: &str = "Resource Access Token Hook";

/// What is in `event_name`.
pub const EVENT_NAME: &str = "expiring_access_token";

#[derive(Serialize)]
struct Payload<'a> {
    object_kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<GroupObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<ProjectObject<'a>>,
    object_attributes: TokenObject<'a>,
    event_name: &'static str,
}

#[derive(Serialize)]
struct GroupObject<'a> {
    group_name: &'a str,
    group_path: &'a str,
    full_path: &'a str,
    group_id: i64,
}

/// The addresses come twice and three times, under the names that receivers know from several ages.
#[derive(Serialize)]
struct ProjectObject<'a> {
    id: i64,
    name: &'a str,
    description: &'a str,
    web_url: &'a str,
    avatar_url: Option<&'a str>,
    git_ssh_url: &'a str,
    git_http_url: &'a str,
    namespace: &'a str,
    visibility_level: i32,
    path_with_namespace: &'a str,
    default_branch: &'a str,
    ci_config_path: Option<&'a str>,
    homepage: &'a str,
    url: &'a str,
    ssh_url: &'a str,
    http_url: &'a str,
}

#[derive(Serialize)]
struct TokenObject<'a> {
    user_id: i64,
    created_at: String,
    id: i64,
    name: &'a str,
    expires_at: Option<NaiveDate>,
}

/// Tells of a token of this group or project.
pub fn expiring(instance: &Instance, token: &AccessToken, resource: &Resource) -> String {
    let token = TokenObject {
        user_id: token.user_id,
        created_at: moment(token.created_at),
        id: token.id,
        name: &token.name,
        expires_at: token.expires_at,
    };
    match resource {
        Resource::Group(group) => of_group(group, token),
        Resource::Project(project) => of_project(instance, project, token),
    }
}

/// Tells of a token that isn't there: ids are 0, it ends in a week.
pub fn test(group: &Group, now: DateTime<Utc>) -> String {
    let token = TokenObject {
        user_id: 0,
        created_at: moment(now),
        id: 0,
        name: "Test",
        expires_at: now.date_naive().checked_add_days(Days::new(7)),
    };
    of_group(group, token)
}

fn of_group(group: &Group, token: TokenObject<'_>) -> String {
    text(&Payload {
        object_kind: "access_token",
        group: Some(GroupObject {
            group_name: &group.name,
            group_path: &group.path,
            full_path: &group.full_path,
            group_id: group.id,
        }),
        project: None,
        object_attributes: token,
        event_name: EVENT_NAME,
    })
}

fn of_project(instance: &Instance, project: &Project, token: TokenObject<'_>) -> String {
    let path = project.full_path();
    let page = instance.url(&format!("/{path}"));
    let http = format!("{page}.git");
    let ssh = format!("git@{}:{path}.git", instance.host);
    text(&Payload {
        object_kind: "access_token",
        group: None,
        project: Some(ProjectObject {
            id: project.id,
            name: &project.name,
            description: &project.description,
            web_url: &page,
            avatar_url: None,
            git_ssh_url: &ssh,
            git_http_url: &http,
            namespace: &project.namespace.name,
            visibility_level: project.visibility.level(),
            path_with_namespace: &path,
            default_branch: &project.default_branch,
            ci_config_path: None,
            homepage: &page,
            url: &ssh,
            ssh_url: &ssh,
            http_url: &http,
        }),
        object_attributes: token,
        event_name: EVENT_NAME,
    })
}

/// Structs of texts and numbers can always be written as JSON.
fn text(payload: &Payload<'_>) -> String {
    serde_json::to_string(payload).unwrap_or_default()
}

/// `2026-11-20 10:00:00 UTC`
fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
