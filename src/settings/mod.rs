//! The instance's own rules: settings and feature flags, with their defaults.

pub mod change;
mod flags;
pub mod lowering;
pub mod store;

pub use flags::{FLAGS, FlagInfo, Flags};

use serde::{Deserialize, Serialize};

use crate::access_tokens::expiry::Limits;
use crate::access_tokens::imported::Salts;
use crate::access_tokens::secret::TokenShape;
use crate::groups::Visibility;

/// When the use of a revoked value revokes the rest of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReuseDetection {
    /// When somebody tries to rotate with it.
    Rotation,
    /// When somebody uses it at all.
    AnyUse,
}

/// Every setting of the instance. A key that isn't stored has its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What token values start with; changing it leaves old values valid.
    pub personal_access_token_prefix: String,
    /// The form of new values.
    #[serde(with = "shape_name")]
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
    pub default_group_visibility: Visibility,
    /// Of new projects.
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
    /// Credentials that match nothing, per address and minute; 0 = no limit.
    pub failing_credentials_per_minute: u32,
    /// Failed sign-ins per account and address in ten minutes; 0 = no limit.
    pub sign_in_failures_per_account: u32,
    /// Failed sign-ins per address in ten minutes; 0 = no limit.
    pub sign_in_failures_per_address: u32,
    /// May webhooks call loopback, link-local and private addresses?
    pub allow_local_requests_from_web_hooks_and_services: bool,
}

/// [`TokenShape`] by its name.
mod shape_name {
    use super::TokenShape;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(shape: &TokenShape, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(shape.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<TokenShape, D::Error> {
        let name = String::deserialize(input)?;
        TokenShape::parse(&name).ok_or_else(|| D::Error::custom("unknown token shape"))
    }
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
            failing_credentials_per_minute: 100,
            sign_in_failures_per_account: 5,
            sign_in_failures_per_address: 30,
            allow_local_requests_from_web_hooks_and_services: false,
        }
    }
}

/// The keys, and what each takes.
pub const KEYS: [(&str, &str); 21] = [
    (
        "personal_access_token_prefix",
        "0 to 20 characters of A-Z a-z 0-9 _ + = / @ : . -",
    ),
    ("token_shape", "classic or checked"),
    (
        "max_personal_access_token_lifetime",
        "1 to 365 days (400 with buffered_token_expiration_limit), blank for none",
    ),
    ("require_personal_access_token_expiry", "true or false"),
    (
        "inactive_resource_access_tokens_delete_after_days",
        "1 to 3650 days, blank for never",
    ),
    ("disable_personal_access_tokens", "true or false"),
    ("resource_access_token_notify_inherited", "true or false"),
    (
        "lock_resource_access_token_notify_inherited",
        "true or false",
    ),
    (
        "revoke_unused_tokens_after_days",
        "30 to 3650 days, blank for never",
    ),
    ("default_group_visibility", "private, internal or public"),
    ("default_project_visibility", "private, internal or public"),
    ("reuse_detection", "rotation or any_use"),
    ("registry_enabled", "true or false"),
    ("bots_read_internal", "true or false"),
    ("active_tokens_per_group", "a number, 0 for no limit"),
    ("session_idle_days", "1 to 365"),
    ("session_absolute_days", "1 to 365"),
    ("failing_credentials_per_minute", "a number, 0 for no limit"),
    ("sign_in_failures_per_account", "a number, 0 for no limit"),
    ("sign_in_failures_per_address", "a number, 0 for no limit"),
    (
        "allow_local_requests_from_web_hooks_and_services",
        "true or false",
    ),
];

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
}

impl Policy {
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
