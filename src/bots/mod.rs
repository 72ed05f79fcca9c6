//! Bots: the user behind each group and project access token. One per token, at home in one place.

pub mod create;
pub mod delete;
pub mod retention;
