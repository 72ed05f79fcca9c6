//! Signing in and out, and what a session is worth, end by end.

mod begin_and_end;
mod forgery;
mod return_to;
mod set_up;
mod throttling;
mod uniform_refusal;
