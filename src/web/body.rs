//! Reading a body, no further than its limit and no longer than our patience.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use std::future::poll_fn;
use std::pin::Pin;

/// The largest body of an API request or a form, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// The longest silence within a body.
const IDLE: Duration = Duration::from_secs(30);

/// The longest time for a whole body.
const WHOLE: Duration = Duration::from_secs(60);

/// Why a body wasn't read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// Larger than [`LIMIT`].
    TooLarge,
    /// Too slow.
    TooSlow,
    /// Broken off, or not what its headers say.
    Broken,
}

impl Unread {
    /// The status that says so.
    pub fn status(self) -> u16 {
        match self {
            Unread::TooLarge => 413,
            Unread::TooSlow => 408,
            Unread::Broken => 400,
        }
    }
}

/// Reads a body to its end.
///
/// # Errors
/// When it is too large, too slow or broken.
pub async fn read(mut payload: Payload, announced: Option<usize>) -> Result<Bytes, Unread> {
    use actix_web::web::Buf as _;
    if announced.is_some_and(|length| length > LIMIT) {
        return Err(Unread::TooLarge);
    }
    let whole = async {
        let mut body = BytesMut::new();
        loop {
            let next = poll_fn(|cx| futures_core::Stream::poll_next(Pin::new(&mut payload), cx));
            match tokio::time::timeout(IDLE, next).await {
                Err(_) => return Err(Unread::TooSlow),
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(Err(_))) => return Err(Unread::Broken),
                Ok(Some(Ok(chunk))) => {
                    if body.len() + chunk.remaining() > LIMIT {
                        return Err(Unread::TooLarge);
                    }
                    body.extend_from_slice(&chunk);
                }
            }
        }
    };
    tokio::time::timeout(WHOLE, whole)
        .await
        .unwrap_or(Err(Unread::TooSlow))
}
