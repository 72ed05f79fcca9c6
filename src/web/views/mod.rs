//! What the pages print: one struct for each page, and the parts that pages share.
//!
//! A view is made of text, numbers and flags that are ready to print. It decides nothing, asks no database
//! and reads no clock, so that a page can be rendered, and looked at, without a server.

pub mod access_token;
pub mod access_tokens;
pub mod account;
pub mod admin;
pub mod advanced;
pub mod audit;
pub mod check;
pub mod code;
pub mod components;
pub mod dates;
pub mod errors;
pub mod forms;
pub mod groups;
pub mod help;
pub mod home;
pub mod members;
pub mod notifications;
pub mod projects;
pub mod reference;
pub mod scopes;
pub mod search;
pub mod sessions;
pub mod shell;
pub mod sidebar;
pub mod token_lists;
pub mod visibility;
pub mod webhooks;

#[cfg(test)]
mod tests;
