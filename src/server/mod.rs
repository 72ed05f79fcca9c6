//! The assembly: everything put together behind one socket.

pub mod background;
pub mod check;
pub mod envelope;
pub mod health;
pub mod metrics;
pub mod reference;
pub mod routes;
pub mod run;
