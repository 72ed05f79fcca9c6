//! What a top-level group pays for, as the operator says.

use serde_json::json;

use super::plan::Plan;
use super::turn::locked;
use super::{Group, store};
use crate::audit::{self, Event, Target};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::permissions::Right;

/// Gives a top-level group a plan, which counts for all that lies below it. Administrators only.
///
/// # Errors
/// [`Error::Forbidden`] for everybody else, [`Error::Invalid`] on a subgroup.
pub fn subscribe(
    conn: &mut DbConnection,
    ctx: &Context,
    group: &Group,
    plan: Plan,
) -> Result<Group, Error> {
    let (group, ctx) = locked(conn, ctx, group)?;
    if !ctx.actor.may_on_instance(Right::Administer) {
        return Err(Error::forbidden());
    }
    if group.parent_id.is_some() {
        return Err(Error::invalid(
            "plan",
            "can only be changed on a top-level group",
        ));
    }
    if group.plan != plan {
        store::set_plan(conn, group.id, plan, ctx.now)?;
        let told = |plan: Plan| json!({ "plan": plan.tier.name(), "trial": plan.trial });
        let event = Event::new("group_plan_changed", Target::Group(&group))
            .with(json!({ "plan": [told(group.plan), told(plan)] }));
        audit::record(conn, &ctx, event)?;
    }
    store::find(conn, group.id)?.ok_or(Error::NotFound(What::Group))
}
