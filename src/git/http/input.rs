//! The body of a request: inflated if it came deflated, and no larger than it may be.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::dev::Decompress;
use actix_web::error::PayloadError;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, Payload};
use futures_core::Stream;

use super::GitCall;
use crate::git::process;

/// The largest request for a clone or fetch, inflated, in bytes: it names what the client has.
pub(super) const REQUEST_MAX: u64 = 32 * 1024 * 1024;

/// The body of a request, piece by piece.
pub(super) struct Input {
    /// Nothing once it was taken by another.
    body: Option<Decompress<Pieces>>,
    left: u64,
    /// What may come after that and goes nowhere: who pushes too much hears why only after having said it all.
    in_vain: u64,
}

impl Input {
    /// The body of this request; after `most` bytes it breaks off.
    pub(super) fn of(call: &mut GitCall, most: u64) -> Input {
        let payload = call.payload.take();
        Input {
            body: payload.map(|payload| inflated(payload, call.req.headers())),
            left: most,
            in_vain: 0,
        }
    }

    /// The same, which reads on in vain before it breaks off.
    pub(super) fn patient(self, in_vain: u64) -> Input {
        Input { in_vain, ..self }
    }

    pub(super) fn into_stream(self) -> process::Input {
        Box::pin(self)
    }
}

fn inflated(payload: Payload, headers: &HeaderMap) -> Decompress<Pieces> {
    let pieces = Pieces {
        payload,
        rest: Bytes::new(),
    };
    Decompress::from_headers(pieces, headers)
}

impl Stream for Input {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(body) = &mut self.body else {
                return Poll::Ready(None);
            };
            let piece = match std::task::ready!(Pin::new(body).poll_next(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(io::Error::other(error)))),
                Some(Ok(piece)) => piece,
            };
            let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if let Some(left) = self.left.checked_sub(size) {
                self.left = left;
                return Poll::Ready(Some(Ok(piece)));
            }
            self.left = 0;
            match self.in_vain.checked_sub(size) {
                Some(in_vain) => self.in_vain = in_vain,
                None => {
                    let why = io::Error::other("the body is larger than it may be");
                    return Poll::Ready(Some(Err(why)));
                }
            }
        }
    }
}

/// A body in small pieces: each is inflated as a whole, to a thousand times its size, before anybody can count.
struct Pieces {
    payload: Payload,
    rest: Bytes,
}

/// The largest piece, in bytes.
const PIECE: usize = 4 * 1024;

impl Stream for Pieces {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.payload).poll_next(cx)) {
                Some(Ok(piece)) => self.rest = piece,
                other => return Poll::Ready(other),
            }
        }
        let size = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(self.rest.split_to(size))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::io::Write as _;

    use actix_web::FromRequest as _;
    use actix_web::http::header;
    use actix_web::test::TestRequest;
    use flate2::{Compression, write::GzEncoder};

    #[actix_web::test]
    async fn what_is_inflated_is_counted_before_it_grows() {
        const MIB: usize = 1 << 20;
        let mut deflated = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            deflated.write_all(&vec![0; MIB]).unwrap();
        }
        let body = deflated.finish().unwrap();
        assert!(body.len() < 128 * 1024, "as much as comes at once");
        let (req, mut payload) = TestRequest::post()
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .set_payload(body)
            .to_http_parts();
        let payload = Payload::from_request(&req, &mut payload).await.unwrap();
        let mut input = Input {
            body: Some(inflated(payload, req.headers())),
            left: 32 * MIB as u64,
            in_vain: 0,
        };
        let (mut all, mut largest) = (0, 0);
        let end = loop {
            match poll_fn(|cx| Pin::new(&mut input).poll_next(cx)).await {
                Some(Ok(piece)) => {
                    all += piece.len();
                    largest = largest.max(piece.len());
                }
                end => break end,
            }
        };
        assert!(matches!(end, Some(Err(_))), "{end:?}");
        assert!(all <= 32 * MIB && largest < 8 * MIB, "{all} {largest}");
    }
}
