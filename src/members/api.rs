//! `/api/v4/groups/:id/members`.

use actix_web::HttpResponse;
use chrono::SecondsFormat;
use serde_json::{Value, json};
use std::collections::HashMap;

use super::list::{Filter, Member, list, users_by_id};
use crate::access_tokens::Resource;
use crate::context::Context;
use crate::db::PageRequest;
use crate::error::Error;
use crate::groups::store::{GroupRef, find_visible};
use crate::users::User;
use crate::users::api::basic;
use crate::web::api::ApiCall;

/// A member as the API shows it; its `id` is the user's.
fn object(ctx: &Context, member: &Member, adders: &HashMap<i64, User>) -> Value {
    let mut shown = basic(ctx, &member.user);
    let adder = member
        .created_by_id
        .and_then(|id| adders.get(&id))
        .map(|user| basic(ctx, user));
    if let Value::Object(fields) = &mut shown {
        let created_at = member
            .created_at
            .to_rfc3339_opts(SecondsFormat::Millis, true);
        fields.insert("access_level".into(), json!(member.access_level.number()));
        fields.insert("created_at".into(), json!(created_at));
        fields.insert("expires_at".into(), json!(member.expires_at));
        fields.insert("created_by".into(), json!(adder));
        fields.insert("membership_state".into(), json!("active"));
    }
    shown
}

/// `GET /groups/:id/members`: direct ones. Whoever may see the group.
pub async fn of_group(call: ApiCall) -> Result<HttpResponse, Error> {
    let (filter, request) = call.params.read(|params| {
        let (query, user_ids) = (params.text("query"), params.integers("user_ids"));
        let (page, per_page) = (params.page(), params.per_page());
        let filter = Filter {
            search: query?,
            user_ids: user_ids?.unwrap_or_default(),
            ..Filter::default()
        };
        Ok((
            filter,
            PageRequest {
                page: page?,
                per_page: per_page?,
            },
        ))
    })?;
    let name = GroupRef::parse(&call.segment("id"));
    let (page, adders) = call
        .read(move |conn, ctx| {
            let resource = Resource::Group(find_visible(conn, ctx, &name)?);
            let page = list(conn, ctx, &resource, &filter, request)?;
            let ids: Vec<i64> = page
                .rows
                .iter()
                .filter_map(|member| member.created_by_id)
                .collect();
            let adders = users_by_id(conn, &ids)?;
            Ok((
                page,
                adders
                    .into_iter()
                    .map(|user| (user.id, user))
                    .collect::<HashMap<_, _>>(),
            ))
        })
        .await?;
    let ctx = call.ctx.clone();
    Ok(call.list(page, |member| object(&ctx, &member, &adders)))
}
