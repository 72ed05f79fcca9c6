//! Every page of the product, on a company that has something of everything: what tests look through, and what
//! `cargo run --example screenshots` takes pictures of.

// A test may fail loudly, and each program uses its own part of this.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, unused_imports)]

mod company;
mod list;
mod look;

pub use company::Site;
pub use list::{ELSEWHERE, PAGES};
pub use look::Look;

/// A page, as somebody sees it.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// What its pictures are called.
    pub name: &'static str,
    /// Where it is; `{name}` stands for something that [`Site`] knows.
    pub path: &'static str,
    /// Who looks at it.
    pub viewer: Viewer,
    /// What is filled into the form that has the first of these fields, before that is sent.
    pub sent: &'static [(&'static str, &'static str)],
    /// What the server answers with in the end.
    pub status: u16,
    /// What is clicked on, where scripts run, until it looks as it should.
    pub clicks: &'static [&'static str],
}

/// Who looks at pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Viewer {
    /// Nobody is signed in.
    Nobody,
    /// Whoever sets an instance up that has no administrator yet.
    Founder,
    /// Owns groups.
    Owner,
    /// May see code, and change nothing.
    Developer,
    /// An administrator.
    Administrator,
}

impl Viewer {
    /// Everybody.
    pub const ALL: [Viewer; 5] = [
        Viewer::Nobody,
        Viewer::Founder,
        Viewer::Owner,
        Viewer::Developer,
        Viewer::Administrator,
    ];
}

impl Page {
    const fn new(viewer: Viewer, name: &'static str, path: &'static str) -> Page {
        Page {
            name,
            path,
            viewer,
            sent: &[],
            status: 200,
            clicks: &[],
        }
    }

    /// The page that comes after this was filled in and sent.
    const fn sent(self, sent: &'static [(&'static str, &'static str)]) -> Page {
        Page { sent, ..self }
    }

    /// An answer with this status.
    const fn answers(self, status: u16) -> Page {
        Page { status, ..self }
    }

    /// As it looks after a click on each of these.
    const fn clicked(self, clicks: &'static [&'static str]) -> Page {
        Page { clicks, ..self }
    }
}

const fn nobody(name: &'static str, path: &'static str) -> Page {
    Page::new(Viewer::Nobody, name, path)
}

const fn founder(name: &'static str, path: &'static str) -> Page {
    Page::new(Viewer::Founder, name, path)
}

const fn owner(name: &'static str, path: &'static str) -> Page {
    Page::new(Viewer::Owner, name, path)
}

const fn developer(name: &'static str, path: &'static str) -> Page {
    Page::new(Viewer::Developer, name, path)
}

const fn administrator(name: &'static str, path: &'static str) -> Page {
    Page::new(Viewer::Administrator, name, path)
}
