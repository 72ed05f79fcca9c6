//! What narrows a list of tokens and reads the same in each of them.

/// The conditions of a [`Query`](super::query::Query) on name, description, role, scope, last use and end, for a query
/// that has joined what [`listed_tokens`](super::store::listed_tokens) joins.
macro_rules! narrowed {
    ($rows:expr, $query:expr) => {{
        let (mut rows, query) = ($rows, $query);
        if let Some(search) = &query.search {
            let pattern = like_pattern(search);
            rows = rows.filter(
                lower(access_tokens::name)
                    .like(pattern.clone())
                    .escape('\\')
                    .or(lower(coalesce_text(access_tokens::description, ""))
                        .like(pattern)
                        .escape('\\')),
            );
        }
        if let Some(at) = query.unused_since {
            rows = rows.filter(unused_since!(Timestamp::from(at)));
        }
        if let Some(day) = query.expires_before {
            rows = rows
                .filter(access_tokens::expires_at.is_not_null())
                .filter(access_tokens::expires_at.assume_not_null().lt(day));
        }
        if let Some(level) = query.access_level {
            rows = rows.filter(memberships::access_level.eq(level.number()));
        }
        if let Some(scope) = query.scope {
            // Between spaces, or `api` would be found in `read_api`.
            let name = scope.name().replace('_', "\\_");
            let scopes = || coalesce_text(access_tokens::scopes.nullable(), "").concat(" ");
            rows = rows.filter(
                scopes()
                    .like(format!("{name} %"))
                    .escape('\\')
                    .or(scopes().like(format!("% {name} %")).escape('\\')),
            );
        }
        rows
    }};
}
pub(super) use narrowed;

diesel::define_sql_function! {
    /// The first value that isn't null.
    #[sql_name = "COALESCE"]
    fn coalesce_text(value: diesel::sql_types::Nullable<diesel::sql_types::Text>, other: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
