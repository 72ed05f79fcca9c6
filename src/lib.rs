//! Latchkey: group access tokens, made and watched in a browser, used over HTTP.

pub mod access_tokens;
pub mod actor;
pub mod app;
pub mod audit;
pub mod bots;
pub mod clock;
pub mod config;
pub mod context;
pub mod db;
pub mod error;
pub mod groups;
pub mod logging;
pub mod members;
pub mod permissions;
pub mod projects;
pub mod redaction;
pub mod server;
pub mod sessions;
pub mod settings;
pub mod text;
pub mod users;
pub mod web;
