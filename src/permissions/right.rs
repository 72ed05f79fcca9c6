//! What one may want to do.

use crate::members::AccessLevel;

/// Something that somebody may or may not do. A route declares the rights that it exercises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// Open to everybody: signing in, help, health.
    Anyone,
    /// Anybody with a valid credential, about themselves.
    OwnAccount,
    /// A token, about itself.
    OwnToken,
    /// A person's own personal access tokens.
    OwnPersonalTokens,
    /// See that a group exists, its members, subgroups and projects.
    SeeGroup,
    /// See that a project exists, and its members.
    SeeProject,
    /// Read a project's code: clone and fetch, and see it on pages and through the API.
    ReadCode,
    /// Push code to a project.
    PushCode,
    /// Push to the branches of a project that are protected.
    PushToProtectedBranch,
    /// Make a group without a parent.
    CreateTopLevelGroup,
    /// Make a group in this one.
    CreateSubgroup,
    /// Make a project in this group.
    CreateProject,
    /// Change a group's name, description and visibility.
    EditGroup,
    /// Move a group elsewhere, with everything in it.
    TransferGroup,
    /// Take in a group from elsewhere, below this one.
    ReceiveGroup,
    /// Delete a group, with everything in it.
    DeleteGroup,
    /// Change a project's name, description and visibility.
    EditProject,
    /// Move a project elsewhere.
    TransferProject,
    /// Delete a project.
    DeleteProject,
    /// Add, change and remove members of a group or project.
    ManageMembers,
    /// End one's own membership.
    LeaveMembership,
    /// Turn the creation of tokens on or off, on a top-level group.
    ChangeCreationSwitch,
    /// See the access tokens of a group or project.
    SeeTokens,
    /// Make a token for a group or project.
    CreateToken,
    /// Rotate a token of a group or project by its id.
    RotateToken,
    /// Give a token of a group or project another name or description.
    EditToken,
    /// Revoke a token of a group or project by its id.
    RevokeToken,
    /// See, make, change and delete the webhooks of a group.
    ManageWebhooks,
    /// See and export what happened in a group and below it.
    SeeAuditEvents,
    /// Everything that is the instance's administrators'.
    Administer,
}

impl Right {
    /// Every right.
    pub const ALL: [Right; 30] = [
        Right::Anyone,
        Right::OwnAccount,
        Right::OwnToken,
        Right::OwnPersonalTokens,
        Right::SeeGroup,
        Right::SeeProject,
        Right::ReadCode,
        Right::PushCode,
        Right::PushToProtectedBranch,
        Right::CreateTopLevelGroup,
        Right::CreateSubgroup,
        Right::CreateProject,
        Right::EditGroup,
        Right::TransferGroup,
        Right::ReceiveGroup,
        Right::DeleteGroup,
        Right::EditProject,
        Right::TransferProject,
        Right::DeleteProject,
        Right::ManageMembers,
        Right::LeaveMembership,
        Right::ChangeCreationSwitch,
        Right::SeeTokens,
        Right::CreateToken,
        Right::RotateToken,
        Right::EditToken,
        Right::RevokeToken,
        Right::ManageWebhooks,
        Right::SeeAuditEvents,
        Right::Administer,
    ];

    /// The role that it takes on a project, or else on a group; `None` where a role doesn't decide.
    pub fn level_on(self, project: bool) -> Option<AccessLevel> {
        if project {
            self.level_on_project()
        } else {
            self.level_on_group()
        }
    }

    /// The start of a sentence about it.
    pub const fn act(self) -> &'static str {
        match self {
            Right::ReadCode => "Reading private code",
            Right::PushCode => "Pushing code",
            Right::PushToProtectedBranch => "Pushing to protected branches",
            Right::CreateTopLevelGroup | Right::CreateSubgroup => "Making a group here",
            Right::CreateProject => "Making a project here",
            Right::EditGroup => "Changing a group",
            Right::EditProject => "Changing a project",
            Right::TransferGroup | Right::ReceiveGroup | Right::TransferProject => "Moving it",
            Right::DeleteGroup | Right::DeleteProject => "Deleting it",
            Right::ManageMembers => "Managing members",
            Right::LeaveMembership => "Leaving",
            Right::ChangeCreationSwitch => "Turning the creation of tokens on or off",
            Right::SeeTokens => "Seeing access tokens",
            Right::CreateToken => "Making an access token",
            Right::RotateToken => "Rotating an access token",
            Right::EditToken => "Editing an access token",
            Right::RevokeToken => "Revoking an access token",
            Right::ManageWebhooks => "Managing webhooks",
            _ => "This",
        }
    }

    /// The role that it takes on a group; `None` where a role doesn't decide.
    pub(super) fn level_on_group(self) -> Option<AccessLevel> {
        match self {
            Right::LeaveMembership => Some(AccessLevel::Guest),
            Right::CreateProject => Some(AccessLevel::Developer),
            Right::CreateSubgroup => Some(AccessLevel::Maintainer),
            Right::EditGroup
            | Right::TransferGroup
            | Right::ReceiveGroup
            | Right::DeleteGroup
            | Right::ManageMembers
            | Right::ChangeCreationSwitch
            | Right::SeeTokens
            | Right::CreateToken
            | Right::RotateToken
            | Right::EditToken
            | Right::RevokeToken
            | Right::ManageWebhooks
            | Right::SeeAuditEvents => Some(AccessLevel::Owner),
            _ => None,
        }
    }

    /// The role that it takes on a project; `None` where a role doesn't decide.
    pub(super) fn level_on_project(self) -> Option<AccessLevel> {
        match self {
            Right::LeaveMembership => Some(AccessLevel::Guest),
            // Of what is private; what is open to more people is read by all who see it.
            Right::ReadCode => Some(AccessLevel::Reporter),
            Right::PushCode => Some(AccessLevel::Developer),
            Right::PushToProtectedBranch
            | Right::EditProject
            | Right::ManageMembers
            | Right::SeeTokens
            | Right::CreateToken
            | Right::RotateToken
            | Right::EditToken
            | Right::RevokeToken => Some(AccessLevel::Maintainer),
            Right::TransferProject | Right::DeleteProject => Some(AccessLevel::Owner),
            _ => None,
        }
    }
}
