//! Digests of tokens that are no more, many at a time.

use super::Writer;
use crate::error::Error;
use crate::exchange::check::{no_digests, refuse};
use crate::exchange::rules;
use crate::exchange::store;

impl Writer<'_> {
    /// Keeps them, so that no other file brings their tokens. A token that is here stays.
    pub(super) fn keep_taken_away(&mut self) -> Result<(), Error> {
        let entries = std::mem::take(&mut self.taken_away);
        let mut digests = Vec::with_capacity(entries.len());
        for (at, text) in entries {
            let digesting = self.digesting.as_ref().ok_or_else(|| no_digests(at))?;
            let digest = rules::taken_away(&text).map_err(|flaw| refuse(at, &flaw))?;
            digests.push(self.kept(digesting, digest));
        }
        let here = store::tokens_by_digest(self.conn, &digests)?;
        let known = store::known_among(self.conn, &digests)?;
        digests.retain(|digest| !here.contains_key(digest) && !known.contains(digest));
        self.report.taken_away += digests.len() as u64;
        store::insert_digests(self.conn, &digests)
    }
}
