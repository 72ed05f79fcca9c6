//! The file of a page's tokens.

use actix_web::HttpResponse;

use super::super::export::Export;
use super::address::Listing;
use super::form::Draft;
use super::holder::{Asked, Holder};
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::{Error, What};
use crate::web::download::{self, Pieces};
use crate::web::page::PageCall;

/// Below the address of the list.
pub(super) const FILE: &str = "export.csv";

/// Answers with every token that these filters leave, on however many pages: the active ones, and those that have ended
/// where the page has them. Where the address asks how they ended, those alone.
pub(super) async fn send(call: &PageCall, asked: Asked) -> Result<HttpResponse, Error> {
    let holder = call.read(move |conn, ctx| asked.find(conn, ctx)).await?;
    download::admit(call)?;
    let listing = Listing::parse(&call.query, true, Draft::is_filled_by(&call.query));
    let lists = listing.file(call.ctx.now, holder.keeps_ended(&call.ctx));
    let Holder::Resource(resource) = holder else {
        return Err(Error::NotFound(What::Thing));
    };
    let path = resource.full_path().replace('/', "-");
    let name = format!("tokens-{path}-{}.csv", call.ctx.today());
    let export = Export::of(resource, lists);
    download::send(call, &name, "text/csv; charset=utf-8", export)
}

impl Pieces for Export {
    fn next(&mut self, conn: &mut DbConnection, ctx: &Context) -> Result<Option<Vec<u8>>, Error> {
        Export::next(self, conn, ctx)
    }
}
