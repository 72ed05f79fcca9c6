//! Git over HTTPS: clone and push with a token. Git itself does the work; who may, and which branch is protected, is
//! decided here before it begins.

pub mod accept;
pub mod access;
pub mod api;
pub mod browse;
pub mod commit;
pub mod gate;
pub mod http;
pub mod leaks;
pub mod limits;
pub mod pages;
pub mod pkt_line;
pub mod process;
pub mod program;
pub mod push;
pub mod quarantine;
pub mod removal;
pub mod report;
pub mod repository;
pub mod service;
pub mod stop;
pub mod upkeep;

pub use repository::Repositories;
pub use service::Service;
