//! `/api/v4`: what programs ask.

use actix_web::http::Method;

use super::API;
use crate::access_tokens::scope::ScopeNeed::{AnyScope, Read, ReadUser, SelfRotate, Write};
use crate::permissions::Right::{
    CreateProject, CreateToken, DeleteProject, EditProject, OwnAccount, OwnToken, RevokeToken,
    RotateToken, SeeGroup, SeeProject, SeeTokens,
};
use crate::web::api::{endpoint, public_endpoint};
use crate::web::endpoint::Area;
use crate::{access_tokens, groups, members, projects, users};

/// The areas of the API; the hot ones first.
pub(super) fn areas() -> Vec<Area> {
    vec![
        Area {
            prefix: "/api/v4/groups",
            endpoints: vec![
                public_endpoint("/{id}", &[SeeGroup, SeeProject], groups::api::show),
                public_endpoint(
                    "/{id}/projects",
                    &[SeeGroup, SeeProject],
                    projects::api::of_group,
                ),
                public_endpoint("/{id}/members", &[SeeGroup], members::api::of_group),
                endpoint(
                    Method::GET,
                    "/{id}/access_tokens",
                    Read,
                    &[SeeGroup, SeeTokens],
                    access_tokens::api::list,
                ),
                endpoint(
                    Method::POST,
                    "/{id}/access_tokens",
                    Write,
                    &[SeeGroup, CreateToken],
                    access_tokens::api::create,
                ),
                endpoint(
                    Method::POST,
                    "/{id}/access_tokens/self/rotate",
                    SelfRotate,
                    &[SeeGroup, OwnToken],
                    access_tokens::api::rotate_self,
                ),
                endpoint(
                    Method::GET,
                    "/{id}/access_tokens/{token_id}",
                    Read,
                    &[SeeGroup, SeeTokens],
                    access_tokens::api::show,
                ),
                endpoint(
                    Method::DELETE,
                    "/{id}/access_tokens/{token_id}",
                    Write,
                    &[SeeGroup, RevokeToken],
                    access_tokens::api::revoke,
                ),
                endpoint(
                    Method::POST,
                    "/{id}/access_tokens/{token_id}/rotate",
                    Write,
                    &[SeeGroup, RotateToken],
                    access_tokens::api::rotate,
                ),
            ],
        },
        Area {
            prefix: "/api/v4/projects",
            endpoints: vec![
                endpoint(
                    Method::POST,
                    "",
                    Write,
                    &[SeeGroup, CreateProject],
                    projects::api::create,
                ),
                public_endpoint("/{id}", &[SeeProject], projects::api::show),
                endpoint(
                    Method::PUT,
                    "/{id}",
                    Write,
                    &[SeeProject, EditProject],
                    projects::api::update,
                ),
                endpoint(
                    Method::DELETE,
                    "/{id}",
                    Write,
                    &[SeeProject, DeleteProject],
                    projects::api::delete,
                ),
            ],
        },
        Area {
            prefix: "/api/v4/personal_access_tokens",
            endpoints: vec![
                endpoint(
                    Method::GET,
                    "/self",
                    AnyScope,
                    &[OwnToken],
                    access_tokens::api::show_self,
                ),
                endpoint(
                    Method::DELETE,
                    "/self",
                    AnyScope,
                    &[OwnToken],
                    access_tokens::api::revoke_self,
                ),
                endpoint(
                    Method::POST,
                    "/self/rotate",
                    SelfRotate,
                    &[OwnToken],
                    access_tokens::api::rotate_personal_self,
                ),
            ],
        },
        Area {
            prefix: API,
            endpoints: vec![
                endpoint(
                    Method::GET,
                    "/user",
                    ReadUser,
                    &[OwnAccount],
                    users::api::show_self,
                ),
                endpoint(
                    Method::GET,
                    "/version",
                    Read,
                    &[OwnAccount],
                    users::api::version,
                ),
            ],
        },
    ]
}
