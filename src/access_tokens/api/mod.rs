//! Access tokens over the API: those of groups and projects, one implementation for both, and those of people.

mod objects;
mod parameters;
pub mod personal;
pub mod resource;

use super::idempotency::{Key, Outcome};
use crate::context::Context;
use crate::error::Error;
use crate::web::api::{ApiCall, Minted};
use objects::{Shape, WithValue};

/// The longest key, in characters.
const KEY_MAX: usize = 255;

/// The `Idempotency-Key` of a request, with what the request asks for.
#[derive(Clone)]
struct SentKey {
    text: String,
    request: String,
}

impl SentKey {
    /// The key, if one was sent.
    ///
    /// # Errors
    /// [`Error::Parameter`] for one that is empty, too long or not printable ASCII.
    fn of(call: &ApiCall) -> Result<Option<Self>, Error> {
        let Some(text) = call.header("idempotency-key") else {
            return Ok(None);
        };
        let printable = text.iter().all(|byte| (b' '..=b'~').contains(byte));
        if text.is_empty() || text.len() > KEY_MAX || !printable {
            return Err(Error::Parameter("Idempotency-Key is invalid".into()));
        }
        Ok(Some(SentKey {
            text: String::from_utf8_lossy(text).into_owned(),
            request: call.fingerprint(),
        }))
    }

    /// The key as it counts at one place.
    fn at(&self, ctx: &Context, place: &str) -> Key {
        Key::new(ctx, place, &self.text, &self.request)
    }
}

/// What became of a request for a token, as it is answered.
fn minted<T: Shape>(call: &ApiCall, outcome: Outcome) -> Minted<T, WithValue<T>> {
    let now = call.ctx.now;
    match outcome {
        Outcome::Made(created) => Minted::New(WithValue::of(*created, now)),
        Outcome::Replayed(listed) => Minted::Replayed(T::of(*listed, now)),
    }
}

/// The token that made the request.
fn own_id(call: &ApiCall) -> i64 {
    call.ctx.actor.token().map_or(0, |token| token.id)
}
