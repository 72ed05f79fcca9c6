//! A user as the API shows them: a little to everybody, more to administrators and to themselves.

use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::permissions::makes_top_level_groups;
use crate::users::User;
use crate::web::api::Moment;

/// A person or a bot, as lists show them.
#[derive(Debug, Serialize, ToSchema)]
pub struct BasicUser {
    /// Unique among all users.
    id: i64,
    /// Unique whatever the case.
    username: String,
    /// As shown.
    name: String,
    /// `active`, `blocked` or `deactivated`.
    state: &'static str,
    locked: bool,
    avatar_url: Option<String>,
    /// Their page.
    web_url: String,
}

/// A person or a bot. Some fields never change here: clients expect them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserObject {
    #[serde(flatten)]
    basic: BasicUser,
    public_email: Option<String>,
    /// When they were made.
    created_at: Moment,
    bio: &'static str,
    location: &'static str,
    website_url: &'static str,
    organization: &'static str,
    job_title: &'static str,
    pronouns: Option<String>,
    /// Is it the bot of a group or project access token?
    bot: bool,
    work_information: Option<String>,
    local_time: Option<String>,
    followers: i32,
    following: i32,
    #[serde(flatten)]
    #[schema(value_type = PrivatePart)]
    private: Option<PrivatePart>,
}

/// What administrators and the users themselves are told. Absent for everybody else.
#[derive(Debug, Serialize, ToSchema)]
struct PrivatePart {
    last_sign_in_at: Option<Moment>,
    confirmed_at: Option<Moment>,
    last_activity_on: Option<NaiveDate>,
    #[schema(required = false)]
    email: String,
    #[schema(required = false)]
    theme_id: i32,
    #[schema(required = false)]
    color_scheme_id: i32,
    #[schema(required = false)]
    projects_limit: i32,
    current_sign_in_at: Option<Moment>,
    #[schema(required = false)]
    identities: Vec<String>,
    #[schema(required = false)]
    can_create_group: bool,
    #[schema(required = false)]
    can_create_project: bool,
    #[schema(required = false)]
    two_factor_enabled: bool,
    /// From outside: sees public things and what they are a member of.
    #[schema(required = false)]
    external: bool,
    #[schema(required = false)]
    private_profile: bool,
    #[schema(required = false)]
    commit_email: String,
    namespace_id: Option<i64>,
    /// Administrators are told who else is one, and that they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    is_admin: Option<bool>,
}

impl BasicUser {
    /// As lists show them.
    pub fn of(ctx: &Context, user: &User) -> Self {
        BasicUser {
            id: user.id,
            username: user.username.clone(),
            name: user.name.clone(),
            state: user.state_name(),
            locked: false,
            avatar_url: None,
            web_url: ctx.url(&format!("/{}", user.username)),
        }
    }
}

impl UserObject {
    /// As much as the caller may know.
    pub fn of(ctx: &Context, user: &User) -> Self {
        let told = ctx.actor.is_admin() || ctx.actor.user_id() == Some(user.id);
        UserObject {
            basic: BasicUser::of(ctx, user),
            public_email: None,
            created_at: Moment(user.created_at),
            bio: "",
            location: "",
            website_url: "",
            organization: "",
            job_title: "",
            pronouns: None,
            bot: user.is_bot(),
            work_information: None,
            local_time: None,
            followers: 0,
            following: 0,
            private: told.then(|| PrivatePart::of(ctx, user)),
        }
    }
}

impl PrivatePart {
    fn of(ctx: &Context, user: &User) -> Self {
        let own = ctx.actor.user_id() == Some(user.id);
        PrivatePart {
            last_sign_in_at: user.last_sign_in_at.map(Moment),
            confirmed_at: user.confirmed_at.map(Moment),
            last_activity_on: own.then(|| ctx.today()),
            email: user.email.clone(),
            theme_id: 3,
            color_scheme_id: 1,
            projects_limit: if user.is_human() { 100_000 } else { 0 },
            current_sign_in_at: None,
            identities: Vec::new(),
            can_create_group: makes_top_level_groups(user),
            can_create_project: user.is_human(),
            two_factor_enabled: false,
            external: user.external,
            private_profile: false,
            commit_email: user.email.clone(),
            namespace_id: None,
            is_admin: ctx.actor.is_admin().then_some(user.admin),
        }
    }
}
