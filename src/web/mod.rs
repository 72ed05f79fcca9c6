//! The kit that every page and endpoint uses. It knows no domain but who is asking.

pub mod api;
pub mod api_error;
pub mod assets;
pub mod body;
pub mod client;
pub mod csrf;
pub mod download;
pub mod endpoint;
pub mod form_errors;
pub mod frame;
pub mod lists;
pub mod openapi;
pub mod page;
pub mod page_error;
pub mod pagination;
pub mod params;
pub mod token;
pub mod views;
