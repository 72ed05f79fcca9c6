//! Files of any length, written as they are sent.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};
use actix_web::web::Bytes;
use futures_util::stream;

use super::csrf;
use super::page::PageCall;
use crate::app::App;
use crate::context::Context;
use crate::db::DbConnection;
use crate::error::Error;

/// Exports that one person may take in a minute.
const IN_A_MINUTE: u32 = 60;

/// A file, piece by piece.
pub trait Pieces: Clone + Send + 'static {
    /// The next piece, which may be empty; nothing at the end. Asks anew whether the caller may: an export may take a
    /// while.
    ///
    /// # Errors
    /// When they may not any more, or the database is away.
    fn next(&mut self, conn: &mut DbConnection, ctx: &Context) -> Result<Option<Vec<u8>>, Error>;
}

/// May this request take an export? No link on another site may cause one.
///
/// # Errors
/// [`Error::Forbidden`] for another site's, [`Error::TooManyRequests`] beyond 60 a minute.
pub fn admit(call: &PageCall) -> Result<(), Error> {
    if csrf::comes_from_another_site(call.req()) {
        return Err(Error::forbidden());
    }
    let caller = call.ctx.actor.user_id().unwrap_or_default();
    let standing = call.app.exports.count(caller, IN_A_MINUTE, call.ctx.now);
    match standing.filter(|standing| standing.is_over()) {
        Some(over) => Err(Error::TooManyRequests(over.wait(call.ctx.now))),
        None => Ok(()),
    }
}

/// Sends a file of this name. Whoever stops reading stops it; if it breaks off, so does the transfer.
///
/// # Errors
/// When the name can't stand in a header.
pub fn send(
    call: &PageCall,
    name: &str,
    media_type: &str,
    pieces: impl Pieces,
) -> Result<HttpResponse, Error> {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .map_err(|error| Error::internal(error.into()))?;
    let source = Source {
        app: call.app.clone(),
        ctx: call.ctx.clone(),
        pieces,
    };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((CONTENT_DISPOSITION, disposition))
        .streaming(stream::try_unfold(source, Source::next)))
}

/// Where an export comes from.
struct Source<P> {
    app: App,
    ctx: Context,
    pieces: P,
}

/// Why an export broke off; the log knows more.
#[derive(Debug, thiserror::Error)]
#[error("the export broke off")]
struct BrokenOff;

impl actix_web::ResponseError for BrokenOff {}

impl<P: Pieces> Source<P> {
    /// The next piece, read when the client has taken the one before.
    async fn next(self) -> Result<Option<(Bytes, Self)>, BrokenOff> {
        let Source {
            app,
            ctx,
            mut pieces,
        } = self;
        loop {
            let (asking, from) = (ctx.clone(), pieces);
            let read = app.db.read(move |conn| {
                // A read may run again: it goes on from where it was.
                let mut next = from.clone();
                let piece = next.next(conn, &asking)?;
                Ok(piece.map(|piece| (piece, next)))
            });
            match read.await {
                Ok(None) => return Ok(None),
                // To the transfer, nothing would be the end.
                Ok(Some((piece, next))) if piece.is_empty() => pieces = next,
                Ok(Some((piece, pieces))) => {
                    return Ok(Some((Bytes::from(piece), Source { app, ctx, pieces })));
                }
                Err(error) => {
                    tracing::error!(
                        request_id = ctx.actor.origin.request_id,
                        ?error,
                        "An export broke off"
                    );
                    return Err(BrokenOff);
                }
            }
        }
    }
}
