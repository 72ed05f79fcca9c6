//! What people are told about tokens: that one ends soon, that a value came back, that one of their own was made.

pub mod unused;
