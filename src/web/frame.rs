//! The frame around pages that belong to no group or project.

use super::page::PageCall;
use super::views::shell::{Crumb, Shell};
use super::views::sidebar::{Place, Sidebar};

/// The shell of such a page: beside it what there is for somebody signed in, or for a stranger.
pub fn shell(call: &PageCall, title: &str, place: Place) -> Shell {
    let sidebar = if call.is_signed_in() {
        Sidebar::your_work(place)
    } else {
        Sidebar::explore(place)
    };
    call.shell(title, vec![Crumb::here(title)], Some(sidebar))
}
