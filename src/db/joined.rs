//! One statement of several queries: the rows of one, then those of the other, as many as are wanted.

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// The rows of two queries with the same columns, one after the other; neither may have an order or a limit of its own.
/// Diesel has this for one database at a time only.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct UnionAll<A, B>(pub A, pub B);

impl<A, B, C: Connection> RunQueryDsl<C> for UnionAll<A, B> {}

impl<A, B> Query for UnionAll<A, B>
where
    A: Query,
    B: Query<SqlType = A::SqlType>,
{
    type SqlType = A::SqlType;
}

impl<A, B, DB> QueryFragment<DB> for UnionAll<A, B>
where
    DB: Backend,
    A: QueryFragment<DB>,
    B: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" UNION ALL ");
        self.1.walk_ast(out.reborrow())
    }
}

/// The first rows of a [`UnionAll`].
#[derive(Debug, Clone, Copy)]
pub struct Firsts<Q> {
    /// What is read.
    pub query: Q,
    /// The numbers of the columns that it is sorted by, from 1, and below zero the largest first; in no order, if there
    /// are none.
    pub by: &'static [i8],
    /// At most so many.
    pub at_most: i64,
}

impl<Q> QueryId for Firsts<Q> {
    type QueryId = ();
    // The order is no part of the type.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Firsts<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C: Connection> RunQueryDsl<C> for Firsts<Q> {}

impl<Q, DB> QueryFragment<DB> for Firsts<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        for (at, column) in self.by.iter().enumerate() {
            out.push_sql(if at == 0 { " ORDER BY " } else { ", " });
            out.push_sql(&column.unsigned_abs().to_string());
            if *column < 0 {
                out.push_sql(" DESC");
            }
        }
        out.push_sql(" LIMIT ");
        out.push_sql(&self.at_most.to_string());
        Ok(())
    }
}

/// A query as a part of another one, whatever order and limit it has.
#[derive(Debug, Clone, Copy)]
pub struct Nested<Q>(pub Q);

impl<Q> QueryId for Nested<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Nested<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, DB> QueryFragment<DB> for Nested<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        nest(&self.0, out)
    }
}

/// Writes a query as a part of another one.
fn nest<'b, Q, DB>(query: &'b Q, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    out.push_sql("SELECT * FROM (");
    query.walk_ast(out.reborrow())?;
    out.push_sql(") AS nested");
    Ok(())
}

/// The rows of queries in turn, each with an order and a limit of its own, until there are enough: of the next one nothing is
/// read as long as those before it bring rows. Neither database promises that order, which both keep: sort what comes.
#[derive(Debug, Clone)]
pub struct InTurn<Q> {
    /// At least one.
    pub queries: Vec<Q>,
    /// At most so many rows in all.
    pub at_most: i64,
}

impl<Q> QueryId for InTurn<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for InTurn<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C: Connection> RunQueryDsl<C> for InTurn<Q> {}

impl<Q, DB> QueryFragment<DB> for InTurn<Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for (at, query) in self.queries.iter().enumerate() {
            if at > 0 {
                out.push_sql(" UNION ALL ");
            }
            nest(query, out.reborrow())?;
        }
        out.push_sql(" LIMIT ");
        out.push_sql(&self.at_most.to_string());
        Ok(())
    }
}
