//! What requests about users ask for.

use crate::db::PageRequest;
use crate::settings::Policy;
use crate::users::list::Filter;
use crate::users::password::Password;
use crate::web::params::{Checked, Parameters, Reader};

/// Which users, which page of them.
pub struct Listing {
    pub(super) filter: Filter,
    pub(super) request: PageRequest,
}

impl Parameters for Listing {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (username, search) = (params.search("username"), params.search("search"));
        let (active, blocked) = (params.boolean("active"), params.boolean("blocked"));
        let humans = params.boolean("humans");
        let without_project_bots = params.boolean("without_project_bots");
        let request = params.paging();
        Ok(Listing {
            filter: Filter {
                username: username?,
                search: search?,
                active: active?.unwrap_or(false),
                blocked: blocked?.unwrap_or(false),
                humans: humans?.unwrap_or(false),
                without_project_bots: without_project_bots?.unwrap_or(false),
            },
            request: request?,
        })
    }
}

/// A person to be.
pub struct NewUser {
    pub(super) email: String,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) password: Option<Password>,
    /// They sign in when somebody sets a password.
    pub(super) without_password: bool,
    pub(super) admin: bool,
    pub(super) external: bool,
}

impl Parameters for NewUser {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let email = params.required_text("email");
        let username = params.required_text("username");
        let name = params.required_text("name");
        let password = params.text("password");
        let random = params.boolean("force_random_password");
        let (admin, external) = (params.boolean("admin"), params.boolean("external"));
        Ok(NewUser {
            email: email?,
            username: username?,
            name: name?,
            password: password?.map(Password::new),
            without_password: random?.unwrap_or(false),
            admin: admin?.unwrap_or(false),
            external: external?.unwrap_or(false),
        })
    }
}

/// What of a person changes.
pub struct Changes {
    pub(super) email: Option<String>,
    pub(super) username: Option<String>,
    pub(super) name: Option<String>,
    pub(super) password: Option<Password>,
    pub(super) admin: Option<bool>,
    pub(super) external: Option<bool>,
}

impl Parameters for Changes {
    fn read(params: &mut Reader<'_>, _: &Policy) -> Checked<Self> {
        let (email, username) = (params.text("email"), params.text("username"));
        let (name, password) = (params.text("name"), params.text("password"));
        let (admin, external) = (params.boolean("admin"), params.boolean("external"));
        Ok(Changes {
            email: email?,
            username: username?,
            name: name?,
            password: password?.map(Password::new),
            admin: admin?,
            external: external?,
        })
    }
}
