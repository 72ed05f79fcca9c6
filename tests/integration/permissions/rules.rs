//! The rules, told once more: slowly, group by group, as somebody would explain them at a whiteboard.

use latchkey::{groups::Visibility, members::AccessLevel, permissions::Right, users::UserState};

use super::world::{Caller, Kind, ME, Spot, Tree, World};

/// The rights that a place decides about.
pub(super) const OF_PLACES: [Right; 20] = [
    Right::SeeGroup,
    Right::SeeProject,
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
    Right::ChangeCreationSwitch,
    Right::SeeTokens,
    Right::CreateToken,
    Right::RotateToken,
    Right::EditToken,
    Right::RevokeToken,
    Right::ManageWebhooks,
    Right::SeeAuditEvents,
];

/// May they act at all?
fn is_active(caller: &Caller) -> bool {
    match caller.kind {
        Kind::Anonymous => false,
        Kind::System => true,
        Kind::Human | Kind::Bot(_) => caller.state == UserState::Active && !caller.gone,
    }
}

fn is_admin(caller: &Caller) -> bool {
    caller.kind == Kind::System || (is_active(caller) && caller.admin)
}

fn is_bot(caller: &Caller) -> bool {
    matches!(caller.kind, Kind::Bot(_))
}

/// The operator's command line, and the server itself.
pub(super) fn is_console(caller: &Caller) -> bool {
    caller.by_console || caller.kind == Kind::System
}

/// Whose namespace it is, or lies in.
pub(super) fn owner(tree: &Tree, spot: Spot) -> Option<i64> {
    match spot {
        Spot::Group(group) => tree.groups[group].owner,
        Spot::Project(project) => owner(tree, Spot::Group(tree.projects[project].group)),
    }
}

fn parent(tree: &Tree, spot: Spot) -> Option<Spot> {
    match spot {
        Spot::Group(group) => tree.groups[group].parent.map(Spot::Group),
        Spot::Project(project) => Some(Spot::Group(tree.projects[project].group)),
    }
}

/// Is it this one, or in it at any depth?
pub(super) fn is_below(tree: &Tree, spot: Spot, top: Spot) -> bool {
    spot == top || parent(tree, spot).is_some_and(|above| is_below(tree, above, top))
}

fn visibility(tree: &Tree, spot: Spot) -> Visibility {
    match spot {
        Spot::Group(group) => tree.groups[group].visibility,
        Spot::Project(project) => tree.projects[project].visibility,
    }
}

/// The highest role that somebody was given at a spot or anywhere above it, and that lasts beyond today.
fn given(world: &World, spot: Spot) -> Option<AccessLevel> {
    let here = world
        .caller
        .roles
        .iter()
        .filter(|role| role.spot == spot && role.ends_in.is_none_or(|days| days >= 1))
        .map(|role| role.level)
        .max();
    let above = parent(&world.tree, spot).and_then(|above| given(world, above));
    here.max(above)
}

/// The effective role.
pub(super) fn level(world: &World, spot: Spot) -> Option<AccessLevel> {
    let caller = &world.caller;
    if !is_active(caller) {
        None
    } else if is_admin(caller) || owner(&world.tree, spot) == Some(ME) {
        Some(AccessLevel::Owner)
    } else {
        given(world, spot)
    }
}

/// Public: everybody. Internal: members, and accounts that aren't external; bots as the instance says. Private:
/// members.
pub(super) fn sees(world: &World, spot: Spot) -> bool {
    let caller = &world.caller;
    let is_member = level(world, spot).is_some();
    match visibility(&world.tree, spot) {
        Visibility::Public => true,
        Visibility::Private => is_member,
        Visibility::Internal if is_member => true,
        Visibility::Internal => {
            is_active(caller) && !caller.external && (world.bots_read_internal || !is_bot(caller))
        }
    }
}

/// May tokens be made here? The root group says so for all that is below it; nobody says no at home.
fn creation_allowed(tree: &Tree, spot: Spot) -> bool {
    match (parent(tree, spot), spot) {
        (Some(above), _) => creation_allowed(tree, above),
        (None, Spot::Group(root)) => {
            tree.groups[root].owner.is_some() || tree.groups[root].creation_allowed
        }
        (None, Spot::Project(_)) => unreachable!("a project lies in something"),
    }
}

pub(super) fn may(world: &World, right: Right, spot: Spot) -> bool {
    let (tree, caller) = (&world.tree, &world.caller);
    let level = level(world, spot);
    let at_least = |needed| level >= Some(needed);
    let is_project = matches!(spot, Spot::Project(_));
    let is_group = !is_project && owner(tree, spot).is_none();
    // Of a group its Owners, of a project its Maintainers too; a personal namespace has no tokens or members.
    let manages = if is_project {
        at_least(AccessLevel::Maintainer)
    } else {
        is_group && at_least(AccessLevel::Owner)
    };
    let manages_tokens = manages && !world.tokens_off;
    let is_at_home = caller.kind == Kind::Bot(spot);
    match right {
        Right::SeeGroup => !is_project && sees(world, spot),
        Right::SeeProject => is_project && sees(world, spot),
        // Settled: private code takes a Reporter; internal code any account that isn't external, public code nobody.
        Right::ReadCode => {
            let as_anybody = match visibility(tree, spot) {
                Visibility::Public => true,
                Visibility::Private => false,
                Visibility::Internal => {
                    is_active(caller)
                        && !caller.external
                        && (world.bots_read_internal || !is_bot(caller))
                }
            };
            is_project && (as_anybody || at_least(AccessLevel::Reporter))
        }
        Right::PushCode => is_project && at_least(AccessLevel::Developer),
        Right::PushToProtectedBranch => is_project && at_least(AccessLevel::Maintainer),
        Right::CreateSubgroup => is_group && at_least(AccessLevel::Maintainer),
        Right::CreateProject => !is_project && at_least(AccessLevel::Developer),
        Right::EditGroup | Right::DeleteGroup => is_group && manages,
        // A bot moves nothing, sends nothing elsewhere, and doesn't read what others did.
        Right::TransferGroup
        | Right::ReceiveGroup
        | Right::ManageWebhooks
        | Right::SeeAuditEvents => is_group && manages && !is_bot(caller),
        Right::EditProject => is_project && manages,
        Right::DeleteProject => is_project && at_least(AccessLevel::Owner),
        Right::TransferProject => is_project && at_least(AccessLevel::Owner) && !is_bot(caller),
        Right::ManageMembers => manages,
        // Whoever has a role can give it up; a bot's belongs to its token.
        Right::LeaveMembership => {
            (is_project || is_group) && at_least(AccessLevel::Guest) && !is_bot(caller)
        }
        Right::ChangeCreationSwitch => {
            is_group && manages && parent(tree, spot).is_none() && !is_bot(caller)
        }
        // A bot looks after the tokens of its own place, if its role is enough.
        Right::SeeTokens | Right::RevokeToken => manages_tokens && (!is_bot(caller) || is_at_home),
        Right::EditToken => manages_tokens && !is_bot(caller),
        // A token never mints a token.
        Right::CreateToken => {
            manages_tokens
                && !is_bot(caller)
                && (creation_allowed(tree, spot) || is_console(caller))
        }
        Right::RotateToken => manages_tokens && !is_bot(caller) && creation_allowed(tree, spot),
        Right::Anyone
        | Right::OwnAccount
        | Right::OwnToken
        | Right::OwnPersonalTokens
        | Right::CreateTopLevelGroup
        | Right::Administer => false,
    }
}

/// Rights that no place decides about.
pub(super) fn may_on_instance(world: &World, right: Right) -> bool {
    let caller = &world.caller;
    let is_person = caller.kind == Kind::Human && is_active(caller);
    match right {
        Right::Anyone => true,
        Right::OwnAccount => is_active(caller) && caller.kind != Kind::System,
        Right::OwnToken => is_bot(caller),
        Right::OwnPersonalTokens => is_person,
        Right::CreateTopLevelGroup => is_admin(caller) || (is_person && !caller.external),
        Right::Administer => is_admin(caller),
        _ => false,
    }
}
