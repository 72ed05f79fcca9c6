//! Feature flags, under their documented names.

/// The flags that can be switched; all are off by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// 400 instead of 365 days at the most.
    pub buffered_token_expiration_limit: bool,
    /// Notices 30 and 60 days ahead.
    pub expiring_pats_30d_60d_notifications: bool,
    /// Bots and tokens stay after a revocation.
    pub retain_resource_access_token_user_after_revoke: bool,
    /// Notices to inherited members too.
    pub pat_expiry_inherited_members_notification: bool,
}

/// What people should know about a flag.
#[derive(Debug, Clone, Copy)]
pub struct FlagInfo {
    /// Its documented name.
    pub name: &'static str,
    /// What it does when it is on.
    pub effect: &'static str,
    /// The release that brought it.
    pub since: &'static str,
    /// Can't be switched any more.
    pub permanent: bool,
}

/// The one flag that a top-level group can have its own say about.
pub const RETAIN: &str = "retain_resource_access_token_user_after_revoke";

/// All flags, the permanent one included.
pub const FLAGS: [FlagInfo; 5] = [
    FlagInfo {
        name: "buffered_token_expiration_limit",
        effect: "Tokens may live for 400 days instead of 365",
        since: "17.6",
        permanent: false,
    },
    FlagInfo {
        name: "expiring_pats_30d_60d_notifications",
        effect: "Owners are told 30 and 60 days before a token expires, not only 7",
        since: "17.6",
        permanent: false,
    },
    FlagInfo {
        name: "retain_resource_access_token_user_after_revoke",
        effect: "Revoked tokens and their bots are kept and shown as inactive",
        since: "17.3",
        permanent: false,
    },
    FlagInfo {
        name: "pat_expiry_inherited_members_notification",
        effect: "Expiry notices go to inherited members too, where a group asks for it",
        since: "17.7",
        permanent: false,
    },
    FlagInfo {
        name: "k8s_proxy_pat",
        effect: "Tokens may have the scope k8s_proxy",
        since: "16.4, permanent since 16.5",
        permanent: true,
    },
];

impl Flags {
    /// Is the flag of this name on? `None` for a name that doesn't exist.
    pub fn get(&self, name: &str) -> Option<bool> {
        Some(match name {
            "buffered_token_expiration_limit" => self.buffered_token_expiration_limit,
            "expiring_pats_30d_60d_notifications" => self.expiring_pats_30d_60d_notifications,
            "retain_resource_access_token_user_after_revoke" => {
                self.retain_resource_access_token_user_after_revoke
            }
            "pat_expiry_inherited_members_notification" => {
                self.pat_expiry_inherited_members_notification
            }
            "k8s_proxy_pat" => true,
            _ => return None,
        })
    }

    /// Switches a flag; unknown and permanent names change nothing.
    pub fn set(&mut self, name: &str, enabled: bool) {
        match name {
            "buffered_token_expiration_limit" => self.buffered_token_expiration_limit = enabled,
            "expiring_pats_30d_60d_notifications" => {
                self.expiring_pats_30d_60d_notifications = enabled;
            }
            "retain_resource_access_token_user_after_revoke" => {
                self.retain_resource_access_token_user_after_revoke = enabled;
            }
            "pat_expiry_inherited_members_notification" => {
                self.pat_expiry_inherited_members_notification = enabled;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_that_can_be_switched_is_off_until_it_is_switched() {
        for flag in FLAGS {
            let mut flags = Flags::default();
            assert_eq!(flags.get(flag.name), Some(flag.permanent), "{}", flag.name);
            flags.set(flag.name, true);
            assert_eq!(flags.get(flag.name), Some(true), "{}", flag.name);
        }
        assert_eq!(Flags::default().get("no_such_flag"), None);
    }
}
