//! What happened in a group and below it, for its Owners.

mod every_event;
mod former_paths;
mod pages;
