//! Mail: an outbox in the database, and the ways out of it.
//!
//! Nothing here knows what a mail is about. Domains put a kind and a few data into the outbox, in the transaction of
//! what they speak of; whoever empties it asks them for the words.

pub mod census;
pub mod outbox;
