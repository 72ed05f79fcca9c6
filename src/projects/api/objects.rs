//! A project as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::groups::Group;
use crate::members::AccessLevel;
use crate::projects::Project;
use crate::web::api::Moment;

/// A project. Some fields never change here: clients expect them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub struct ProjectObject {
    /// Unique among projects.
    id: i64,
    /// What it is for.
    description: String,
    /// As shown.
    name: String,
    /// `Acme / Platform / Api`
    name_with_namespace: String,
    /// The last part of its address.
    path: String,
    /// `acme/platform/api`
    path_with_namespace: String,
    /// When it was made.
    created_at: Moment,
    /// The branch that a clone checks out.
    default_branch: String,
    tag_list: Vec<String>,
    topics: Vec<String>,
    ssh_url_to_repo: String,
    /// Where Git reaches it.
    http_url_to_repo: String,
    /// Its page.
    web_url: String,
    readme_url: Option<String>,
    forks_count: i32,
    avatar_url: Option<String>,
    star_count: i32,
    /// The last time something happened in it.
    last_activity_at: Moment,
    /// The group or personal namespace that it is in.
    namespace: NamespaceObject,
    /// `private`, `internal` or `public`. From here on absent with `simple`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    visibility: Option<&'static str>,
    /// Set aside, read only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    archived: Option<bool>,
    /// Nothing was pushed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    empty_repo: Option<bool>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    creator_id: Option<Option<i64>>,
    /// The caller's own roles; signed-in callers are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    permissions: Option<Permissions>,
    /// Whose it is, in a personal namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    owner: Option<OwnerObject>,
}

/// A group or a personal namespace, as projects show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Namespace)]
pub struct NamespaceObject {
    id: i64,
    name: String,
    path: String,
    /// `group` or `user`.
    kind: &'static str,
    full_path: String,
    parent_id: Option<i64>,
    avatar_url: Option<String>,
    web_url: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Permissions {
    /// From the project itself.
    project_access: Option<Access>,
    /// From the groups above.
    group_access: Option<Access>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Access {
    #[schema(value_type = i32)]
    access_level: AccessLevel,
    notification_level: i32,
}

#[derive(Debug, Serialize, ToSchema)]
struct OwnerObject {
    id: i64,
    name: String,
    username: String,
}

impl ProjectObject {
    /// The most important fields.
    pub fn simple(ctx: &Context, project: Project) -> Self {
        let path = project.full_path();
        ProjectObject {
            id: project.id,
            name_with_namespace: project.full_name(),
            created_at: Moment(project.created_at),
            tag_list: Vec::new(),
            topics: Vec::new(),
            ssh_url_to_repo: format!("git@{}:{path}.git", ctx.instance.host),
            http_url_to_repo: ctx.url(&format!("/{path}.git")),
            web_url: ctx.url(&format!("/{path}")),
            readme_url: None,
            forks_count: 0,
            avatar_url: None,
            star_count: 0,
            last_activity_at: Moment(project.last_activity_at),
            namespace: NamespaceObject::of(ctx, &project.namespace),
            description: project.row.description,
            name: project.row.name,
            path: project.row.path,
            default_branch: project.row.default_branch,
            path_with_namespace: path,
            visibility: None,
            archived: None,
            empty_repo: None,
            creator_id: None,
            permissions: None,
            owner: None,
        }
    }

    /// All of it; `is_empty` tells whether nothing was pushed yet.
    pub fn whole(ctx: &Context, project: Project, is_empty: bool) -> Self {
        let namespace = &project.namespace;
        ProjectObject {
            visibility: Some(project.visibility.name()),
            archived: Some(project.archived),
            empty_repo: Some(is_empty),
            creator_id: Some(project.creator_id),
            permissions: ctx
                .actor
                .is_signed_in()
                .then(|| Permissions::of(ctx, &project)),
            owner: namespace.owner_id.map(|id| OwnerObject {
                id,
                name: namespace.name.clone(),
                username: namespace.path.clone(),
            }),
            ..ProjectObject::simple(ctx, project)
        }
    }
}

impl NamespaceObject {
    /// As projects show it.
    pub fn of(ctx: &Context, group: &Group) -> Self {
        let (kind, web_path) = if group.is_personal() {
            ("user", format!("/{}", group.full_path))
        } else {
            ("group", format!("/groups/{}", group.full_path))
        };
        NamespaceObject {
            id: group.id,
            name: group.name.clone(),
            path: group.path.clone(),
            kind,
            full_path: group.full_path.clone(),
            parent_id: group.parent_id,
            avatar_url: None,
            web_url: ctx.url(&web_path),
        }
    }
}

impl Permissions {
    fn of(ctx: &Context, project: &Project) -> Self {
        let access = |level: Option<AccessLevel>| {
            level.map(|access_level| Access {
                access_level,
                notification_level: 3,
            })
        };
        let (direct, inherited) = ctx.actor.roles_on(&project.place());
        Permissions {
            project_access: access(direct),
            group_access: access(inherited),
        }
    }
}
