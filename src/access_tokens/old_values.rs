//! Which older values of a token still work, as a column of a query that joins what
//! [`listed_tokens`](super::store::listed_tokens) joins.

use chrono::{DateTime, Utc};
use diesel::backend::Backend;
use diesel::expression::{Expression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{self, HasSqlType, Nullable, Text};

use crate::db::Timestamp;

/// The ids of the values that were rotated into a token, directly or through others, and work at this moment. No value
/// outlives a newer one: where the one before the last rotation has ended, nothing is looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct OldValues(Timestamp);

impl OldValues {
    /// Those that work at this moment.
    pub(super) fn at(now: DateTime<Utc>) -> Self {
        OldValues(now.into())
    }

    /// The ids in what the column brings, the newest value first.
    pub(super) fn ids(column: Option<&str>) -> Vec<i64> {
        let ids = column.unwrap_or_default().split_whitespace();
        let mut ids: Vec<i64> = ids.filter_map(|id| id.parse().ok()).collect();
        ids.sort_unstable_by(|one, other| other.cmp(one));
        ids
    }
}

impl Expression for OldValues {
    type SqlType = Nullable<Text>;
}

impl<QS> AppearsOnTable<QS> for OldValues {}

impl<QS> SelectableExpression<QS> for OldValues {}

impl ValidGrouping<()> for OldValues {
    type IsAggregate = is_aggregate::Never;
}

impl QueryId for OldValues {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB> QueryFragment<DB> for OldValues
where
    DB: Backend + HasSqlType<sql_types::Timestamp>,
    Timestamp: ToSql<sql_types::Timestamp, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("CASE WHEN older.grace_until > ");
        out.push_bind_param::<sql_types::Timestamp, _>(&self.0)?;
        out.push_sql(
            " THEN (WITH RECURSIVE working (id, previous_id) AS (\
             SELECT value.id, value.previous_token_id FROM access_tokens AS value \
             WHERE value.id = access_tokens.previous_token_id \
             UNION ALL \
             SELECT value.id, value.previous_token_id FROM working \
             INNER JOIN access_tokens AS value ON value.id = working.previous_id \
             WHERE COALESCE(value.grace_until, ",
        );
        // An index over these ends would look promising: PostgreSQL, which can't know how many there are after a moment
        // that it isn't told yet, would then think each row dear, and plan anew each time.
        out.push_bind_param::<sql_types::Timestamp, _>(&self.0)?;
        out.push_sql(") > ");
        out.push_bind_param::<sql_types::Timestamp, _>(&self.0)?;
        out.push_sql(") SELECT string_agg(CAST(working.id AS TEXT), ' ') FROM working) END");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::OldValues;

    #[test]
    fn the_newest_value_comes_first() {
        assert_eq!(OldValues::ids(Some("9 12 11")), [12, 11, 9]);
        assert_eq!(OldValues::ids(None), [0; 0]);
    }
}
