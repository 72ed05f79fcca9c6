//! Values that PostgreSQL doesn't look at when it plans.
//!
//! It plans a kept statement with the values at hand, again and again, as long as plans without them look dearer; and they
//! do by a hair where a group has fewer tokens than most, or few of them end after today. Planning a list takes four times
//! as long as reading it. Hidden in a query of its own the value makes no difference, and it plans once. SQLite never looks.

use chrono::NaiveDate;
use diesel::expression::{Expression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{self, BigInt, Date, HasSqlType, Nullable, SingleValue};
use diesel::sqlite::Sqlite;

use super::Timestamp;

/// A value, for queries whose plan is right whatever it is.
#[derive(Debug, Clone, Copy)]
pub struct Unseen<T>(pub T);

/// What may be hidden.
pub trait Hidden {
    /// What it is compared with.
    type SqlType: SingleValue;
    /// As it is handed over.
    type Bound: SingleValue;
    /// PostgreSQL's name for that.
    const NAME: &'static str;
}

impl Hidden for i64 {
    type SqlType = Nullable<BigInt>;
    type Bound = BigInt;
    const NAME: &'static str = "BIGINT";
}

impl Hidden for NaiveDate {
    type SqlType = Date;
    type Bound = Date;
    const NAME: &'static str = "DATE";
}

impl Hidden for Timestamp {
    type SqlType = sql_types::Timestamp;
    type Bound = sql_types::Timestamp;
    const NAME: &'static str = "TIMESTAMP";
}

// Whatever the value is, it is written down in the same way.
impl<T: 'static> QueryId for Unseen<T> {
    type QueryId = Unseen<T>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<T: Hidden> Expression for Unseen<T> {
    type SqlType = T::SqlType;
}

impl<T: Hidden, QS> AppearsOnTable<QS> for Unseen<T> {}

impl<T: Hidden, QS> SelectableExpression<QS> for Unseen<T> {}

impl<T> ValidGrouping<()> for Unseen<T> {
    type IsAggregate = is_aggregate::Never;
}

impl<T> QueryFragment<Pg> for Unseen<T>
where
    T: Hidden + ToSql<T::Bound, Pg>,
    Pg: HasSqlType<T::Bound>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(SELECT CAST(");
        out.push_bind_param::<T::Bound, _>(&self.0)?;
        out.push_sql(" AS ");
        out.push_sql(T::NAME);
        out.push_sql("))");
        Ok(())
    }
}

impl<T> QueryFragment<Sqlite> for Unseen<T>
where
    T: Hidden + ToSql<T::Bound, Sqlite>,
    Sqlite: HasSqlType<T::Bound>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<T::Bound, _>(&self.0)
    }
}
