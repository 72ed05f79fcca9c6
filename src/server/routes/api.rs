//! `/api/v4`: what programs ask.

use super::API;
use crate::access_tokens::api::{personal, resource as tokens};
use crate::access_tokens::resource::{OfGroup, OfProject};
use crate::access_tokens::scope::ScopeNeed::{AnyScope, Read, ReadUser, SelfRotate, Write};
use crate::permissions::Right::{
    Administer, Anyone, ChangeCreationSwitch, CreateProject, CreateSubgroup, CreateToken,
    CreateTopLevelGroup, DeleteGroup, DeleteProject, EditGroup, EditProject, LeaveMembership,
    ManageMembers, OwnAccount, OwnPersonalTokens, OwnToken, ReceiveGroup, RevokeToken, RotateToken,
    SeeGroup, SeeProject, SeeTokens, TransferGroup, TransferProject,
};
use crate::server::reference;
use crate::web::api::{delete, get, post, public, put};
use crate::web::endpoint::{Access, Area, Endpoint};
use crate::{groups, instance, members, projects, settings, users};

/// The areas of the API; the hot ones first.
pub(super) fn areas() -> Vec<Area> {
    vec![
        Area {
            prefix: "/api/v4/groups",
            endpoints: group_endpoints(),
        },
        super::repository::area(),
        Area {
            prefix: "/api/v4/projects",
            endpoints: project_endpoints(),
        },
        Area {
            prefix: "/api/v4/personal_access_tokens",
            endpoints: personal_token_endpoints(),
        },
        Area {
            prefix: "/api/v4/users",
            endpoints: user_endpoints(),
        },
        Area {
            prefix: API,
            endpoints: instance_endpoints(),
        },
    ]
}

fn group_endpoints() -> Vec<Endpoint> {
    vec![
        public("", "List groups", &[SeeGroup], groups::api::list),
        post(
            "",
            "Create a group",
            Write,
            &[SeeGroup, CreateTopLevelGroup, CreateSubgroup],
            groups::api::create,
        ),
        public(
            "/{id}",
            "Show a group",
            &[SeeGroup, SeeProject],
            groups::api::show,
        ),
        put(
            "/{id}",
            "Change a group",
            Write,
            &[SeeGroup, EditGroup, ChangeCreationSwitch],
            groups::api::update,
        ),
        delete(
            "/{id}",
            "Delete a group, with everything in it",
            Write,
            &[SeeGroup, DeleteGroup],
            groups::api::delete,
        ),
        post(
            "/{id}/transfer",
            "Move a group into another one, or to the top",
            Write,
            &[SeeGroup, TransferGroup, ReceiveGroup, CreateTopLevelGroup],
            groups::api::transfer,
        ),
        public(
            "/{id}/subgroups",
            "List the groups directly in a group",
            &[SeeGroup],
            groups::api::subgroups,
        ),
        public(
            "/{id}/descendant_groups",
            "List the groups anywhere below a group",
            &[SeeGroup],
            groups::api::descendants,
        ),
        public(
            "/{id}/projects",
            "List the projects of a group",
            &[SeeGroup, SeeProject],
            projects::api::of_group,
        ),
        public(
            "/{id}/members",
            "List the direct members of a group",
            &[SeeGroup],
            members::api::list::<OfGroup>,
        ),
        post(
            "/{id}/members",
            "Add a member to a group",
            Write,
            &[SeeGroup, ManageMembers],
            members::api::add::<OfGroup>,
        ),
        public(
            "/{id}/members/all",
            "List the members of a group and of the groups above it",
            &[SeeGroup],
            members::api::list_all::<OfGroup>,
        ),
        public(
            "/{id}/members/all/{user_id}",
            "Show a member of a group or of a group above it",
            &[SeeGroup],
            members::api::show_any::<OfGroup>,
        ),
        public(
            "/{id}/members/{user_id}",
            "Show a direct member of a group",
            &[SeeGroup],
            members::api::show::<OfGroup>,
        ),
        put(
            "/{id}/members/{user_id}",
            "Change the role or the end of a member of a group",
            Write,
            &[SeeGroup, ManageMembers],
            members::api::update::<OfGroup>,
        ),
        delete(
            "/{id}/members/{user_id}",
            "Remove a member from a group",
            Write,
            &[SeeGroup, ManageMembers, LeaveMembership],
            members::api::remove::<OfGroup>,
        ),
        get(
            "/{id}/access_tokens",
            "List the access tokens of a group",
            Read,
            &[SeeGroup, SeeTokens],
            tokens::list::<OfGroup>,
        ),
        post(
            "/{id}/access_tokens",
            "Create a group access token",
            Write,
            &[SeeGroup, CreateToken],
            tokens::create::<OfGroup>,
        ),
        post(
            "/{id}/access_tokens/self/rotate",
            "Rotate the group access token that makes the request",
            SelfRotate,
            &[SeeGroup, OwnToken],
            tokens::rotate_self::<OfGroup>,
        ),
        get(
            "/{id}/access_tokens/{token_id}",
            "Show a group access token",
            Read,
            &[SeeGroup, SeeTokens],
            tokens::show::<OfGroup>,
        ),
        delete(
            "/{id}/access_tokens/{token_id}",
            "Revoke a group access token",
            Write,
            &[SeeGroup, RevokeToken],
            tokens::revoke::<OfGroup>,
        ),
        post(
            "/{id}/access_tokens/{token_id}/rotate",
            "Rotate a group access token",
            Write,
            &[SeeGroup, RotateToken],
            tokens::rotate::<OfGroup>,
        ),
    ]
}

fn project_endpoints() -> Vec<Endpoint> {
    vec![
        public("", "List projects", &[SeeProject], projects::api::list),
        post(
            "",
            "Create a project",
            Write,
            &[SeeGroup, CreateProject],
            projects::api::create,
        ),
        public(
            "/{id}",
            "Show a project",
            &[SeeProject],
            projects::api::show,
        ),
        put(
            "/{id}",
            "Change a project",
            Write,
            &[SeeProject, EditProject],
            projects::api::update,
        ),
        delete(
            "/{id}",
            "Delete a project",
            Write,
            &[SeeProject, DeleteProject],
            projects::api::delete,
        ),
        put(
            "/{id}/transfer",
            "Move a project into another group or personal namespace",
            Write,
            &[SeeProject, SeeGroup, TransferProject, CreateProject],
            projects::api::transfer,
        ),
        public(
            "/{id}/members",
            "List the direct members of a project",
            &[SeeProject],
            members::api::list::<OfProject>,
        ),
        post(
            "/{id}/members",
            "Add a member to a project",
            Write,
            &[SeeProject, ManageMembers],
            members::api::add::<OfProject>,
        ),
        public(
            "/{id}/members/all",
            "List the members of a project and of the groups above it",
            &[SeeProject],
            members::api::list_all::<OfProject>,
        ),
        public(
            "/{id}/members/all/{user_id}",
            "Show a member of a project or of a group above it",
            &[SeeProject],
            members::api::show_any::<OfProject>,
        ),
        public(
            "/{id}/members/{user_id}",
            "Show a direct member of a project",
            &[SeeProject],
            members::api::show::<OfProject>,
        ),
        put(
            "/{id}/members/{user_id}",
            "Change the role or the end of a member of a project",
            Write,
            &[SeeProject, ManageMembers],
            members::api::update::<OfProject>,
        ),
        delete(
            "/{id}/members/{user_id}",
            "Remove a member from a project",
            Write,
            &[SeeProject, ManageMembers, LeaveMembership],
            members::api::remove::<OfProject>,
        ),
        get(
            "/{id}/access_tokens",
            "List the access tokens of a project",
            Read,
            &[SeeProject, SeeTokens],
            tokens::list::<OfProject>,
        ),
        post(
            "/{id}/access_tokens",
            "Create a project access token",
            Write,
            &[SeeProject, CreateToken],
            tokens::create::<OfProject>,
        ),
        post(
            "/{id}/access_tokens/self/rotate",
            "Rotate the project access token that makes the request",
            SelfRotate,
            &[SeeProject, OwnToken],
            tokens::rotate_self::<OfProject>,
        ),
        get(
            "/{id}/access_tokens/{token_id}",
            "Show a project access token",
            Read,
            &[SeeProject, SeeTokens],
            tokens::show::<OfProject>,
        ),
        delete(
            "/{id}/access_tokens/{token_id}",
            "Revoke a project access token",
            Write,
            &[SeeProject, RevokeToken],
            tokens::revoke::<OfProject>,
        ),
        post(
            "/{id}/access_tokens/{token_id}/rotate",
            "Rotate a project access token",
            Write,
            &[SeeProject, RotateToken],
            tokens::rotate::<OfProject>,
        ),
    ]
}

fn personal_token_endpoints() -> Vec<Endpoint> {
    vec![
        get(
            "/self",
            "Show the token that makes the request",
            AnyScope,
            &[OwnToken],
            personal::show_self,
        ),
        delete(
            "/self",
            "Revoke the token that makes the request",
            AnyScope,
            &[OwnToken],
            personal::revoke_self,
        ),
        post(
            "/self/rotate",
            "Rotate the token that makes the request",
            SelfRotate,
            &[OwnToken],
            personal::rotate_self,
        ),
        get(
            "/self/associations",
            "Show where the token that makes the request has a role",
            AnyScope,
            &[OwnToken],
            personal::associations,
        ),
        get(
            "",
            "List your tokens; for administrators, everybody's",
            Read,
            &[OwnAccount, Administer],
            personal::list,
        ),
        get(
            "/{id}",
            "Show one of your tokens; for administrators, any",
            Read,
            &[OwnAccount, Administer],
            personal::show,
        ),
        delete(
            "/{id}",
            "Revoke one of your tokens; for administrators, any",
            Write,
            &[OwnAccount, Administer],
            personal::revoke,
        ),
        post(
            "/{id}/rotate",
            "Rotate one of your tokens; for administrators, any",
            Write,
            &[OwnAccount, OwnToken, Administer, RotateToken],
            personal::rotate,
        ),
    ]
}

fn user_endpoints() -> Vec<Endpoint> {
    vec![
        get("", "List users", ReadUser, &[OwnAccount], users::api::list),
        post(
            "",
            "Create a person (administrators)",
            Write,
            &[Administer],
            users::api::create,
        ),
        get(
            "/{id}",
            "Show a user",
            ReadUser,
            &[OwnAccount],
            users::api::show,
        ),
        put(
            "/{id}",
            "Change a person (administrators)",
            Write,
            &[Administer],
            users::api::update,
        ),
        delete(
            "/{id}",
            "Delete a person (administrators)",
            Write,
            &[Administer],
            users::api::delete,
        ),
        post(
            "/{id}/block",
            "Block a person (administrators)",
            Write,
            &[Administer],
            users::api::block,
        ),
        post(
            "/{id}/unblock",
            "Let a blocked person in again (administrators)",
            Write,
            &[Administer],
            users::api::unblock,
        ),
        post(
            "/{user_id}/personal_access_tokens",
            "Create a personal access token for somebody (administrators)",
            Write,
            &[Administer],
            personal::create_for,
        ),
    ]
}

fn instance_endpoints() -> Vec<Endpoint> {
    /// What it says is nobody's secret.
    const OPEN: Access = Access::Api {
        scope: AnyScope,
        rights: &[Anyone],
        anonymous: true,
    };
    vec![
        get(
            "/user",
            "Show yourself",
            ReadUser,
            &[OwnAccount],
            users::api::show_self,
        ),
        post(
            "/user/personal_access_tokens",
            "Create a personal access token that opens next to nothing",
            Write,
            &[OwnPersonalTokens],
            personal::create_own,
        ),
        get(
            "/version",
            "Show the version of the instance",
            Read,
            &[OwnAccount],
            instance::version,
        ),
        get(
            "/metadata",
            "Show what clients want to know of the instance",
            Read,
            &[OwnAccount],
            instance::metadata,
        ),
        get(
            "/application/settings",
            "Show the settings of the instance",
            Read,
            &[Administer],
            settings::api::show,
        ),
        put(
            "/application/settings",
            "Change settings of the instance",
            Write,
            &[Administer],
            settings::api::update,
        ),
        crate::web::api::declared(
            actix_web::http::Method::GET,
            "/openapi.json",
            "Show this document",
            OPEN,
            reference::openapi,
        ),
    ]
}
