//! Settings, Advanced of groups and projects: what is asked first, and done then.

use actix_web::http::Method;

use crate::advanced::pages;
use crate::permissions::Right::{
    self, CreateProject, CreateTopLevelGroup, DeleteGroup, DeleteProject, EditGroup, EditProject,
    ReceiveGroup, SeeGroup, SeeProject, TransferGroup, TransferProject,
};
use crate::web::endpoint::Area;
use crate::web::page::endpoint;

/// Of a group.
pub(super) fn of_groups() -> Area {
    const RIGHTS: &[Right] = &[
        SeeGroup,
        EditGroup,
        TransferGroup,
        ReceiveGroup,
        CreateTopLevelGroup,
        DeleteGroup,
    ];
    Area {
        prefix: "/groups/{full_path:(?:[^/-][^/]*/?)+}/-/{action:path|transfer|delete}",
        endpoints: vec![
            endpoint(Method::GET, "", RIGHTS, pages::ask_group),
            endpoint(Method::POST, "", RIGHTS, pages::act_on_group),
        ],
    }
}

/// Of a project.
pub(super) fn of_projects() -> Area {
    const RIGHTS: &[Right] = &[
        SeeProject,
        SeeGroup,
        EditProject,
        TransferProject,
        CreateProject,
        DeleteProject,
    ];
    Area {
        prefix: "/{full_path:(?:[^/-][^/]*/?)+}/-/{action:path|transfer|delete}",
        endpoints: vec![
            endpoint(Method::GET, "", RIGHTS, pages::ask_project),
            endpoint(Method::POST, "", RIGHTS, pages::act_on_project),
        ],
    }
}
