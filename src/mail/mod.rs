//! Mail: an outbox in the database, and the ways out of it.
//!
//! Nothing here knows what a mail is about. Domains put a kind and a few data into the outbox, in the transaction of
//! what they speak of; whoever empties it asks them for the words.

pub mod census;
pub mod deliver;
pub mod message;
pub mod outbox;
mod reason;
mod smtp;
mod smtp_url;
pub mod transport;

pub use message::Message;
pub use smtp_url::SmtpUrl;
pub use transport::{Failure, Mailer, Post};
