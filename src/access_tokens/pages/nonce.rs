//! The single-use mark that a form with a one-time answer carries: reload, Back and double click make
//! nothing twice.

use chrono::{DateTime, Utc};

use super::super::create::FormNonce;
use crate::db::DbConnection;
use crate::error::Error;
use crate::web::page::PageCall;

/// What a form without the mark is told: nobody could tell its second submission from the first.
pub(super) const INCOMPLETE: &str = "This form is incomplete. Check it and send it again.";

/// The single-use mark of a form that was sent.
#[derive(Debug, Clone)]
pub(super) struct Nonce(Option<FormNonce>);

impl Nonce {
    pub(super) fn sent(call: &PageCall) -> Self {
        let text = call.form.text("form_nonce");
        Nonce(
            Some(text)
                .filter(|text| !text.is_empty())
                .map(|text| FormNonce::new(&call.ctx, text)),
        )
    }

    /// Did the form carry one? Without it nobody can tell a second submission from the first.
    pub(super) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn used_at(&self, conn: &mut DbConnection) -> Result<Option<DateTime<Utc>>, Error> {
        self.0
            .as_ref()
            .map_or(Ok(None), |nonce| nonce.used_at(conn))
    }

    pub(super) fn consume(
        &self,
        conn: &mut DbConnection,
        token_id: i64,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        self.0
            .as_ref()
            .map_or(Ok(()), |nonce| nonce.consume(conn, token_id, now))
    }
}

/// A write whose nonce another submission used up meanwhile made nothing: that is a replay, too.
pub(super) async fn replays<T>(
    call: &PageCall,
    written: Result<T, Error>,
    nonce: &Nonce,
    replayed: impl FnOnce(DateTime<Utc>) -> T,
) -> Result<T, Error> {
    match written {
        Err(conflict @ Error::Conflict(_)) => {
            let nonce = nonce.clone();
            match call.read(move |conn, _| nonce.used_at(conn)).await? {
                Some(at) => Ok(replayed(at)),
                None => Err(conflict),
            }
        }
        other => other,
    }
}
