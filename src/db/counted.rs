//! Counting the rows of a query beside reading a page of them, in one statement.

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::expression::{Expression, ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer};

/// How many rows a query brings, as a column of another one. What is counted should have a limit.
#[derive(Debug, Clone, Copy)]
pub struct Counted<Q>(pub Q);

impl<Q> Expression for Counted<Q> {
    type SqlType = BigInt;
}

impl<Q, QS> AppearsOnTable<QS> for Counted<Q> {}

impl<Q, QS> SelectableExpression<QS> for Counted<Q> {}

impl<Q> ValidGrouping<()> for Counted<Q> {
    type IsAggregate = is_aggregate::Never;
}

impl<Q: QueryId> QueryId for Counted<Q> {
    type QueryId = Counted<Q::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q, DB> QueryFragment<DB> for Counted<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("(SELECT COUNT(*) FROM (");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted)");
        Ok(())
    }
}

/// A column of the query around a [`Counted`] one, within that.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct OfOuter<C>(pub C);

impl<C: Expression> Expression for OfOuter<C> {
    type SqlType = C::SqlType;
}

impl<C: Expression, QS> AppearsOnTable<QS> for OfOuter<C> {}

impl<C: Expression, QS> SelectableExpression<QS> for OfOuter<C> {}

impl<C> ValidGrouping<()> for OfOuter<C> {
    type IsAggregate = is_aggregate::Never;
}

impl<C, DB> QueryFragment<DB> for OfOuter<C>
where
    DB: Backend,
    C: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

/// The rows of a query, each behind a number that is asked for once.
#[derive(Debug, Clone, Copy)]
pub struct CountedBeside<N, Q> {
    /// The number.
    pub count: Counted<N>,
    /// The rows.
    pub rows: Q,
}

impl<N, Q> QueryId for CountedBeside<N, Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<N, Q: Query> Query for CountedBeside<N, Q> {
    type SqlType = (BigInt, Q::SqlType);
}

impl<N, Q, C: Connection> RunQueryDsl<C> for CountedBeside<N, Q> {}

impl<N, Q, DB> QueryFragment<DB> for CountedBeside<N, Q>
where
    DB: Backend,
    N: QueryFragment<DB>,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        self.count.walk_ast(out.reborrow())?;
        out.push_sql(", counted_rows.* FROM (");
        self.rows.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted_rows");
        Ok(())
    }
}

/// The number that a query brings, as a column of another one; 0 where it brings none.
#[derive(Debug, Clone, Copy)]
pub struct Measured<Q>(pub Q);

impl<Q> Expression for Measured<Q> {
    type SqlType = Integer;
}

impl<Q, QS> AppearsOnTable<QS> for Measured<Q> {}

impl<Q, QS> SelectableExpression<QS> for Measured<Q> {}

impl<Q> ValidGrouping<()> for Measured<Q> {
    type IsAggregate = is_aggregate::Never;
}

impl<Q> QueryId for Measured<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, DB> QueryFragment<DB> for Measured<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("COALESCE((");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql("), 0)");
        Ok(())
    }
}
