//! A page of a list that is the last one where the list is shorter than asked, in one statement.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, HasSqlType};

use super::limited::rows_for;
use super::{COUNTED_AT_MOST, PageRequest};

/// The rows of a page and one more; of the last page, if the one that is asked for lies beyond the end. Of lists with more
/// rows than are counted nobody knows the last page: what is beyond their end is empty.
#[derive(Debug, Clone)]
pub struct PageOrLast<Q, A> {
    rows: Q,
    all: A,
    per_page: i64,
    limit: i64,
    offset: i64,
}

impl<Q, A> PageOrLast<Q, A> {
    /// Of these rows, without limit and offset. `all` brings the same rows in any order, one more than
    /// [`COUNTED_AT_MOST`] at the most.
    pub fn of(rows: Q, all: A, request: PageRequest) -> Self {
        PageOrLast {
            rows,
            all,
            per_page: request.per_page,
            limit: rows_for(request),
            offset: request.offset(),
        }
    }
}

impl<Q: Query, A> Query for PageOrLast<Q, A> {
    type SqlType = Q::SqlType;
}

impl<Q, A, Conn> RunQueryDsl<Conn> for PageOrLast<Q, A> {}

impl<Q, A> QueryId for PageOrLast<Q, A> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q, A, DB> QueryFragment<DB> for PageOrLast<Q, A>
where
    DB: Backend + HasSqlType<BigInt>,
    Q: QueryFragment<DB>,
    A: QueryFragment<DB>,
    i64: diesel::serialize::ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.rows.walk_ast(out.reborrow())?;
        out.push_sql(" LIMIT ");
        out.push_sql(&self.limit.to_string());
        out.push_sql(" OFFSET (SELECT CASE WHEN number > ");
        out.push_bind_param::<BigInt, _>(&self.offset)?;
        out.push_sql(" OR number > ");
        out.push_sql(&COUNTED_AT_MOST.to_string());
        out.push_sql(" THEN ");
        out.push_bind_param::<BigInt, _>(&self.offset)?;
        out.push_sql(" WHEN number = 0 THEN 0 ELSE (number - 1) / ");
        out.push_bind_param::<BigInt, _>(&self.per_page)?;
        out.push_sql(" * ");
        out.push_bind_param::<BigInt, _>(&self.per_page)?;
        out.push_sql(" END FROM (SELECT COUNT(*) AS number FROM (");
        self.all.walk_ast(out.reborrow())?;
        out.push_sql(") AS counted) AS numbered)");
        Ok(())
    }
}
