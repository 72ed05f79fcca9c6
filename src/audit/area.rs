//! What events are about, as lists group them.

/// What an event is about, as lists group them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Tokens of groups.
    GroupTokens,
    /// Tokens of projects.
    ProjectTokens,
    /// People's own tokens.
    PersonalTokens,
    /// The users behind tokens.
    Bots,
    /// Groups and their settings.
    Groups,
    /// Projects.
    Projects,
    /// Who belongs to a group or project.
    Members,
    /// People and their sessions.
    Users,
    /// Webhooks of groups.
    Webhooks,
    /// Mails about tokens that end.
    Notices,
    /// The instance as a whole.
    Instance,
}

impl Area {
    /// Every area, in the order of lists.
    pub const ALL: [Area; 11] = [
        Area::GroupTokens,
        Area::ProjectTokens,
        Area::PersonalTokens,
        Area::Bots,
        Area::Groups,
        Area::Projects,
        Area::Members,
        Area::Users,
        Area::Webhooks,
        Area::Notices,
        Area::Instance,
    ];

    /// Its heading.
    pub const fn heading(self) -> &'static str {
        match self {
            Area::GroupTokens => "Group access tokens",
            Area::ProjectTokens => "Project access tokens",
            Area::PersonalTokens => "Personal access tokens",
            Area::Bots => "Bots",
            Area::Groups => "Groups",
            Area::Projects => "Projects",
            Area::Members => "Members",
            Area::Users => "Users",
            Area::Webhooks => "Webhooks",
            Area::Notices => "Notices",
            Area::Instance => "Instance",
        }
    }

    /// Can what is here happen in a group?
    pub const fn lies_in_groups(self) -> bool {
        match self {
            Area::GroupTokens
            | Area::ProjectTokens
            | Area::Bots
            | Area::Groups
            | Area::Projects
            | Area::Members
            | Area::Webhooks
            | Area::Notices => true,
            Area::PersonalTokens | Area::Users | Area::Instance => false,
        }
    }
}
