//! The product as programs and browsers meet it: a real server, asked over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
mod support;

mod expiry;
