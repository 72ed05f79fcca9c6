//! What an API endpoint is made of: what it asks for, what it answers with, and the one way in.

mod answers;
mod entry;
mod handler;
pub mod quota;

pub use answers::{
    Accepted, Answer, Listed, Made, Minted, Moment, NoContent, Paged, Rotated, Shown,
};
pub use entry::{LogFacts, number};
pub use handler::{Handler, declared, delete, get, post, public, put};

use actix_web::HttpRequest;

use super::params::{InvalidParams, Params};
use crate::app::App;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// A request that was let in.
pub struct ApiCall {
    /// The application.
    pub app: App,
    /// Who asks, when, under which rules.
    pub ctx: Context,
    params: Params,
    req: HttpRequest,
}

impl ApiCall {
    /// A segment of the path, decoded once.
    pub fn segment(&self, name: &str) -> String {
        entry::decode(self.req.match_info().query(name))
    }

    /// The number in a segment of the path; 0, which is nobody's id, for whatever isn't one.
    pub fn number(&self, name: &str) -> i64 {
        entry::number(self.req.match_info().query(name))
    }

    /// A header, if it was sent.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.req.headers().get(name).map(|value| value.as_bytes())
    }

    /// What was asked for in body and query, in a form that is the same for the same request.
    pub fn fingerprint(&self) -> String {
        self.params.fingerprint()
    }

    /// Reads in the database.
    ///
    /// # Errors
    /// The query's own.
    pub async fn read<T: Send + 'static>(
        &self,
        mut query: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let ctx = self.ctx.clone();
        self.app.db.read(move |conn| query(conn, &ctx)).await
    }

    /// Changes something, in one transaction.
    ///
    /// # Errors
    /// The change's own.
    pub async fn write<T: Send + 'static>(
        &self,
        mut change: impl FnMut(&mut DbConnection, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let ctx = self.ctx.clone();
        self.app.db.write(move |conn| change(conn, &ctx)).await
    }
}

/// A wrong parameter is told as the API tells it.
impl From<InvalidParams> for Error {
    fn from(problems: InvalidParams) -> Self {
        Error::Parameter(problems.to_string())
    }
}
