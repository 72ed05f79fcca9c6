//! How many rows a query brings, written into the statement.
//!
//! Diesel hands a limit over beside the statement. PostgreSQL then doesn't know, when it plans a statement once for all
//! times, whether twenty rows are wanted or a tenth of the table, and so plans it anew each time it is asked; that takes
//! several times as long as to answer.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, HasSqlType};

use super::PageRequest;

/// How many rows of pages are asked for, one more than the page has at the most: a handful of statements, whatever sizes
/// of pages people ask for.
const SIZES: [i64; 3] = [21, 51, 101];

/// The first rows of a query, or those from a place on.
#[derive(Debug, Clone, Copy)]
pub struct Limited<Q> {
    query: Q,
    at_most: i64,
    offset: i64,
}

/// Limits for queries, which may have an order, but no limit of their own yet.
pub trait Limits: Query + Sized {
    /// The first rows, at most so many. Of numbers that are as many as there are requests, statements would become as many.
    fn at_most(self, at_most: i64) -> Limited<Self> {
        Limited {
            query: self,
            at_most,
            offset: 0,
        }
    }

    /// The rows of a page and one more, or some more: [`Page`](super::Page) leaves out what doesn't belong to it.
    fn page(self, request: PageRequest) -> Limited<Self> {
        Limited {
            query: self,
            at_most: rows_for(request),
            offset: request.offset(),
        }
    }
}

impl<Q: Query> Limits for Q {}

/// How many rows are asked for, so that the page is full and it is known whether there is another one.
pub(super) fn rows_for(request: PageRequest) -> i64 {
    let wanted = request.per_page.saturating_add(1);
    SIZES
        .into_iter()
        .find(|size| *size >= wanted)
        .unwrap_or(wanted)
}

impl<Q: Query> Query for Limited<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, Conn> RunQueryDsl<Conn> for Limited<Q> {}

impl<Q> QueryId for Limited<Q> {
    type QueryId = ();
    // The numbers are no part of the type.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, DB> QueryFragment<DB> for Limited<Q>
where
    DB: Backend + HasSqlType<BigInt>,
    Q: QueryFragment<DB>,
    i64: diesel::serialize::ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.query.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        out.push_sql(&self.at_most.to_string());
        if self.offset > 0 {
            out.push_sql(" OFFSET ");
            out.push_bind_param::<BigInt, _>(&self.offset)?;
        }
        Ok(())
    }
}

/// The first `N` rows of a query. Its statement is found again by its type, without being written down each time.
#[derive(Debug, Clone, Copy)]
pub struct Top<const N: u32, Q>(pub Q);

impl<const N: u32, Q: Query> Query for Top<N, Q> {
    type SqlType = Q::SqlType;
}

impl<const N: u32, Q, Conn> RunQueryDsl<Conn> for Top<N, Q> {}

impl<const N: u32, Q: QueryId> QueryId for Top<N, Q> {
    type QueryId = Top<N, Q::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<const N: u32, Q, DB> QueryFragment<DB> for Top<N, Q>
where
    DB: Backend,
    Q: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        out.push_sql(&N.to_string());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_and_one_more_is_asked_for_in_one_of_a_few_sizes() {
        let rows = |per_page| rows_for(PageRequest { page: 1, per_page });
        assert_eq!([rows(1), rows(20), rows(21), rows(50)], [21, 21, 51, 51]);
        assert_eq!([rows(51), rows(100)], [101, 101]);
        assert_eq!(rows(500), 501, "what nobody may ask for is still right");
    }
}
