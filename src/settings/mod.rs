//! The instance's own rules: settings and feature flags, with their defaults.

pub mod advice;
pub mod api;
mod catalogue;
pub mod change;
pub mod domains;
mod flags;
pub mod lowering;
pub mod store;
pub mod switch;

pub use catalogue::{Kind, LIFETIME, SETTINGS, Section, Setting};
pub use flags::{FLAGS, FlagInfo, Flags, RETAIN};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::access_tokens::expiry::Limits;
use crate::access_tokens::imported::Salts;
use crate::access_tokens::secret::TokenShape;
use crate::groups::Visibility;
use crate::groups::plan::Offering;

/// When the use of a revoked value revokes the rest of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReuseDetection {
    /// When somebody tries to rotate with it.
    Rotation,
    /// When somebody uses it at all.
    AnyUse,
}

/// Every setting of the instance. A key that isn't stored has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(title = "ApplicationSettings")]
pub struct Settings {
    /// What token values start with; changing it leaves old values valid.
    pub personal_access_token_prefix: String,
    /// The form of new values.
    #[schema(value_type = String)]
    pub token_shape: TokenShape,
    /// Days, 1 to 365 (400 with the flag); nothing means only the built-in limit.
    pub max_personal_access_token_lifetime: Option<u32>,
    /// Must new tokens have an end?
    pub require_personal_access_token_expiry: bool,
    /// Days after which a kept bot whose tokens are all inactive is deleted; nothing: never.
    pub inactive_resource_access_tokens_delete_after_days: Option<u32>,
    /// Turns every access token off: none can be managed, none authenticates.
    pub disable_personal_access_tokens: bool,
    /// Do inherited members get mails before tokens end, where no group says so?
    pub resource_access_token_notify_inherited: bool,
    /// Does every group do as the instance says?
    pub lock_resource_access_token_notify_inherited: bool,
    /// Tokens of groups and projects that nobody used for so many days are revoked, 30 to 3,650; nothing means never.
    pub revoke_unused_tokens_after_days: Option<u32>,
    /// Of new groups.
    #[schema(value_type = String)]
    pub default_group_visibility: Visibility,
    /// Of new projects.
    #[schema(value_type = String)]
    pub default_project_visibility: Visibility,
    /// What sets off the alarm.
    pub reuse_detection: ReuseDetection,
    /// Are the registry scopes offered?
    pub registry_enabled: bool,
    /// May bots read internal groups and projects outside of their own?
    pub bots_read_internal: bool,
    /// Active tokens that one group or project may have; 0 = no limit.
    pub active_tokens_per_group: u32,
    /// Days without a request after which a session ends.
    pub session_idle_days: u32,
    /// Days after which a session ends in any case.
    pub session_absolute_days: u32,
    /// API calls of one token in a minute; 0 = no limit.
    pub api_requests_per_minute: u32,
    /// Credentials that match nothing, per address and minute; 0 = no limit.
    pub failing_credentials_per_minute: u32,
    /// Failed sign-ins per account and address in ten minutes; 0 = no limit.
    pub sign_in_failures_per_account: u32,
    /// Failed sign-ins per address in ten minutes; 0 = no limit.
    pub sign_in_failures_per_address: u32,
    /// May webhooks call loopback, link-local and private addresses?
    pub allow_local_requests_from_web_hooks_and_services: bool,
    /// May people make an account for themselves?
    pub signup_enabled: bool,
    /// Does an administrator have to let them in?
    pub require_admin_approval_after_user_signup: bool,
    /// The largest push, in bytes, 65,536 to 4,294,967,295.
    pub git_push_limit_bytes: u32,
    /// Is a push refused that brings a living token of this instance along?
    pub refuse_pushed_tokens: bool,
    /// The domains of their addresses, such as `example.com` or `*.example.com`; none for all.
    pub domain_allowlist: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            personal_access_token_prefix: "glpat-".into(),
            token_shape: TokenShape::Checked,
            max_personal_access_token_lifetime: None,
            require_personal_access_token_expiry: true,
            inactive_resource_access_tokens_delete_after_days: Some(30),
            disable_personal_access_tokens: false,
            resource_access_token_notify_inherited: false,
            lock_resource_access_token_notify_inherited: false,
            revoke_unused_tokens_after_days: None,
            default_group_visibility: Visibility::Private,
            default_project_visibility: Visibility::Private,
            reuse_detection: ReuseDetection::Rotation,
            registry_enabled: true,
            bots_read_internal: true,
            active_tokens_per_group: 10_000,
            session_idle_days: 7,
            session_absolute_days: 30,
            api_requests_per_minute: 0,
            failing_credentials_per_minute: 100,
            sign_in_failures_per_account: 5,
            sign_in_failures_per_address: 30,
            allow_local_requests_from_web_hooks_and_services: false,
            signup_enabled: false,
            require_admin_approval_after_user_signup: true,
            git_push_limit_bytes: 2 << 30,
            refuse_pushed_tokens: true,
            domain_allowlist: Vec::new(),
        }
    }
}

/// Settings and flags at one moment; `revision` tells when another node has changed them.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Goes up with every change.
    pub revision: i64,
    /// The settings.
    pub settings: Settings,
    /// The flags.
    pub flags: Flags,
    /// What the values of imported tokens were hashed with, where they came from.
    pub salts: Salts,
    /// Whether plans matter; the configuration says so, not the database.
    pub offering: Offering,
}

impl Policy {
    /// All settings by their names.
    ///
    /// # Errors
    /// Never, unless a setting can't be written as JSON.
    pub fn values(&self) -> Result<Map<String, Value>, serde_json::Error> {
        match serde_json::to_value(&self.settings)? {
            Value::Object(values) => Ok(values),
            _ => Ok(Map::new()),
        }
    }

    /// Tells the settings of a section apart from what they were or will be: a form that was opened with other ones
    /// would take back what somebody else saved meanwhile.
    ///
    /// # Errors
    /// As [`Policy::values`].
    pub fn stamp(&self, section: Section) -> Result<String, serde_json::Error> {
        let values = self.values()?;
        let of_section: Vec<(&str, Option<&Value>)> = Setting::of(section)
            .map(|setting| (setting.key, values.get(setting.key)))
            .collect();
        let digest = Sha256::digest(serde_json::to_vec(&of_section)?);
        Ok(hex::encode(&digest[..8]))
    }

    /// What dates a new token may have.
    pub fn limits(&self) -> Limits {
        Limits {
            require_expiry: self.settings.require_personal_access_token_expiry,
            maximum_lifetime: self.settings.max_personal_access_token_lifetime,
            buffered: self.flags.buffered_token_expiration_limit,
        }
    }

    /// Do inherited members get mails before tokens end, and is that so for every group?
    pub fn notify_inherited(&self) -> (bool, bool) {
        (
            self.settings.resource_access_token_notify_inherited,
            self.settings.lock_resource_access_token_notify_inherited,
        )
    }

    /// Are bots kept when their token is revoked? A top-level group may say otherwise than the instance.
    pub fn retains_bots(&self, group_choice: Option<bool>) -> bool {
        group_choice.unwrap_or(self.flags.retain_resource_access_token_user_after_revoke)
    }
}
