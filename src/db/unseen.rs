//! Ids that PostgreSQL doesn't look at when it plans.
//!
//! It plans a kept statement with the values at hand, again and again, as long as plans without them look dearer; and they
//! do by a hair where a group has fewer tokens than most. Planning a list takes four times as long as reading it. Hidden in
//! a query of its own the id makes no difference, and it plans once.

use diesel::backend::Backend;
use diesel::expression::{Expression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Nullable};

/// The id of what a list is of, for lists that an index has in order whatever the id is.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct UnseenId(pub i64);

impl Expression for UnseenId {
    type SqlType = Nullable<BigInt>;
}

impl<QS> AppearsOnTable<QS> for UnseenId {}

impl<QS> SelectableExpression<QS> for UnseenId {}

impl ValidGrouping<()> for UnseenId {
    type IsAggregate = is_aggregate::Never;
}

impl<DB> QueryFragment<DB> for UnseenId
where
    DB: Backend + HasSqlType<BigInt>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(SELECT CAST(");
        out.push_bind_param::<BigInt, _>(&self.0)?;
        out.push_sql(" AS BIGINT))");
        Ok(())
    }
}
