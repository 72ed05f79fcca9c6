//! How both databases go about the hot queries: no walk through a table that grows.
//!
//! The queries are those that the product really sends: a second instrumentation listens while its functions run.

mod administration;
mod background;
mod inventory;
mod kept;
mod requests;
mod scene;
mod trail;
