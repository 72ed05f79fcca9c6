//! A group as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::groups::Group;
use crate::permissions::Right;
use crate::projects::api::ProjectObject;
use crate::web::api::Moment;

/// A group. Some fields never change here: clients expect them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Group)]
pub struct GroupObject {
    /// Unique among groups and personal namespaces.
    id: i64,
    /// Its page.
    web_url: String,
    /// As shown.
    name: String,
    /// The last part of its address.
    path: String,
    /// What it is for.
    description: String,
    /// `private`, `internal` or `public`.
    visibility: &'static str,
    share_with_group_lock: bool,
    require_two_factor_authentication: bool,
    two_factor_grace_period: i32,
    /// The least role that makes projects in it.
    project_creation_level: &'static str,
    auto_devops_enabled: Option<bool>,
    /// The least role that makes groups in it.
    subgroup_creation_level: &'static str,
    emails_disabled: bool,
    emails_enabled: bool,
    mentions_disabled: Option<bool>,
    lfs_enabled: bool,
    request_access_enabled: bool,
    default_branch_protection: i32,
    avatar_url: Option<String>,
    /// `Acme / Platform`
    full_name: String,
    /// `acme/platform`
    full_path: String,
    /// When it was made.
    created_at: Moment,
    /// The group it is in.
    parent_id: Option<i64>,
    organization_id: i64,
    shared_runners_setting: &'static str,
    /// May group and project access tokens be made here and below? Owners are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    resource_access_token_creation_allowed: Option<bool>,
    /// Do members of groups above get mails before tokens end, not only its own? `null`: as the group above. Owners
    /// are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_access_token_notify_inherited: Option<Option<bool>>,
    /// Do groups and projects below have to do the same? Owners are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lock_resource_access_token_notify_inherited: Option<bool>,
    /// Its own projects, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    projects: Option<Vec<ProjectObject>>,
    /// None: nothing is shared here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    shared_projects: Option<Vec<ProjectObject>>,
}

impl GroupObject {
    /// As lists show it.
    pub(super) fn of(ctx: &Context, group: Group) -> Self {
        GroupObject {
            id: group.id,
            web_url: ctx.url(&format!("/groups/{}", group.full_path)),
            name: group.name,
            path: group.path,
            description: group.description,
            visibility: group.visibility.name(),
            share_with_group_lock: false,
            require_two_factor_authentication: false,
            two_factor_grace_period: 48,
            project_creation_level: "developer",
            auto_devops_enabled: None,
            subgroup_creation_level: "maintainer",
            emails_disabled: false,
            emails_enabled: true,
            mentions_disabled: None,
            lfs_enabled: true,
            request_access_enabled: true,
            default_branch_protection: 2,
            avatar_url: None,
            full_name: group.full_name,
            full_path: group.full_path,
            created_at: Moment(group.created_at),
            parent_id: group.parent_id,
            organization_id: 1,
            shared_runners_setting: "enabled",
            resource_access_token_creation_allowed: None,
            resource_access_token_notify_inherited: None,
            lock_resource_access_token_notify_inherited: None,
            projects: None,
            shared_projects: None,
        }
    }

    /// With what only those who look after it are told.
    pub(super) fn in_detail(ctx: &Context, group: Group) -> Self {
        let owns = ctx
            .actor
            .could(Right::EditGroup, &group.place(), &ctx.policy);
        let allowed = group.creation_allowed;
        let notify = group.notify_inherited;
        GroupObject {
            resource_access_token_creation_allowed: owns.then_some(allowed),
            resource_access_token_notify_inherited: owns.then_some(notify.value),
            lock_resource_access_token_notify_inherited: owns.then_some(notify.locked),
            ..GroupObject::of(ctx, group)
        }
    }

    /// With its projects.
    pub(super) fn with_projects(self, projects: Vec<ProjectObject>) -> Self {
        GroupObject {
            projects: Some(projects),
            shared_projects: Some(Vec::new()),
            ..self
        }
    }
}
