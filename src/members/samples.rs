//! People, bots and groups for tests of what needs no database.

use std::sync::Arc;

use chrono::DateTime;

use super::list::Member;
use super::{AccessLevel, Membership, Memberships};
use crate::access_tokens::Resource;
use crate::access_tokens::secret::DigestKey;
use crate::actor::{Actor, Credential, Declared, Origin};
use crate::context::{Context, Instance};
use crate::groups::plan::Plan;
use crate::groups::{Group, Visibility};
use crate::settings::Policy;
use crate::users::{User, UserKind, UserState};
use crate::webhooks::secret::WebhookKey;

pub(crate) fn user(id: i64, name: &str, kind: UserKind) -> User {
    User {
        id,
        username: name.to_lowercase(),
        name: name.into(),
        email: format!("{id}@acme.example"),
        kind,
        state: UserState::Active,
        admin: false,
        external: false,
        bot_group_id: None,
        bot_project_id: None,
        bot_gone_at: None,
        approval_requested_at: None,
        signed_up_at: None,
        exact_times: false,
        created_by_id: None,
        last_sign_in_at: None,
        confirmed_at: None,
        created_at: DateTime::UNIX_EPOCH,
    }
}

pub(crate) fn membership(
    id: i64,
    user_id: i64,
    group_id: i64,
    access_level: AccessLevel,
) -> Membership {
    Membership {
        id,
        user_id,
        group_id: Some(group_id),
        project_id: None,
        access_level,
        expires_at: None,
    }
}

/// `acme` is 1, `acme/platform` 17.
pub(crate) fn group(id: i64) -> Group {
    let top = id == 1;
    Group {
        id,
        name: if top { "Acme" } else { "Platform" }.into(),
        path: if top { "acme" } else { "platform" }.into(),
        description: String::new(),
        full_path: if top { "acme" } else { "acme/platform" }.into(),
        full_name: if top { "Acme" } else { "Acme / Platform" }.into(),
        traversal: if top { "1/".into() } else { format!("1/{id}/") },
        root_id: 1,
        parent_id: (!top).then_some(1),
        owner_id: None,
        visibility: Visibility::Private,
        created_at: DateTime::UNIX_EPOCH,
        creation_allowed: true,
        plan: Plan::default(),
        retain_bots: None,
        notify_inherited: crate::groups::notify_inherited::Choice::default(),
    }
}

pub(crate) fn resource(id: i64) -> Resource {
    Resource::Group(group(id))
}

/// Signed in, with one role on one group.
pub(crate) fn context(user: User, group_id: i64, level: AccessLevel) -> Context {
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let memberships = Memberships::living(
        vec![membership(1, user.id, group_id, level)],
        DateTime::date_naive(&now),
    );
    let actor = Actor {
        user: Some(user),
        credential: Credential::Session,
        memberships,
        origin: Origin::console(),
        declared: Declared::Everything,
    };
    let key = || DigestKey::derive(b"a secret for tests, long enough to be one");
    Context {
        now,
        actor: Arc::new(actor),
        policy: Arc::new(Policy::default()),
        instance: Arc::new(Instance {
            token_key: key(),
            lookup_key: key(),
            webhook_key: WebhookKey::derive(b"a secret for tests, long enough to be one"),
            host: "latchkey.example".into(),
            external_url: "https://latchkey.example".into(),
        }),
        rotations: Arc::default(),
    }
}

/// A direct member; the name of a bot is that of its token.
pub(crate) fn member(user: User, access_level: AccessLevel) -> Member {
    Member {
        user,
        access_level,
        expires_at: None,
        created_at: DateTime::UNIX_EPOCH,
        created_by_id: None,
        inherited_from: None,
    }
}
