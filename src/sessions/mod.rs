//! Sessions: a browser that signed in. They live in the database, so that they can be ended, and so that
//! every node knows them.

mod attempts;
pub mod browser;
pub mod cookie;
pub mod handle;
pub mod pages;
pub mod person;
pub mod rows;
pub mod sign_in;
pub mod store;
