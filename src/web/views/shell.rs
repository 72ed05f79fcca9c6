//! The frame around every page: head, sidebar, breadcrumbs, account menu, flashes, footer.

use super::components::Tone;
use super::sidebar::Sidebar;

/// Everything the layouts print around a page.
#[derive(Clone, Default)]
pub struct Shell {
    /// The start of the title element, such as `Access tokens · acme/platform`; the layout adds the product's name.
    pub title: String,
    /// From the outermost to the page itself, which is the last and has no link.
    pub breadcrumbs: Vec<Crumb>,
    /// `None` leaves the sidebar out, as on error pages that can't know where they are.
    pub sidebar: Option<Sidebar>,
    /// The person who is signed in.
    pub viewer: Option<Viewer>,
    /// The masked token that every form of this page sends back; empty if there is no session at all.
    pub authenticity_token: String,
    /// The look that the person chose.
    pub theme: Theme,
    /// Moments are printed as they are, and not as `3 days ago`: the person chose so.
    pub exact_times: bool,
    /// Messages above the page's heading, at most one of each tone.
    pub flashes: Vec<Flash>,
    /// What stands in "Search or go to".
    pub search: String,
    /// Addresses of the static files.
    pub assets: Assets,
    /// Path and query of this page: where forms of the shell (theme) and "Sign in" return to.
    pub return_to: String,
    /// The version in the footer; empty leaves it out.
    pub version: String,
}

impl Shell {
    /// A shell with a title and nothing else: what an error page needs when all else failed.
    pub fn bare(title: impl Into<String>, assets: Assets) -> Self {
        Self {
            title: title.into(),
            assets,
            ..Self::default()
        }
    }

    /// Takes the news of a success out, for a page that tells it where it happened.
    pub fn take_success(&mut self) -> Option<String> {
        let at = self
            .flashes
            .iter()
            .position(|flash| flash.tone == Tone::Success)?;
        Some(self.flashes.remove(at).text)
    }
}

/// Addresses of the static files, with the hash in their names.
#[derive(Clone, Default)]
pub struct Assets {
    /// The style sheet.
    pub css: String,
    /// The script.
    pub js: String,
    /// The sprite of icons.
    pub icons: String,
    /// The icon of the browser tab.
    pub favicon: String,
}

/// One step of the breadcrumbs.
#[derive(Clone)]
pub struct Crumb {
    /// The text; names of groups and people are isolated when printed.
    pub label: String,
    /// Where it leads; `None` for the page itself and for steps without a page.
    pub href: Option<String>,
}

impl Crumb {
    /// A step that leads somewhere.
    pub fn link(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            href: Some(href.into()),
        }
    }

    /// The page itself, or a step without a page.
    pub fn here(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            href: None,
        }
    }
}

/// The person who is signed in.
#[derive(Clone)]
pub struct Viewer {
    /// Full name.
    pub name: String,
    /// User name, without `@`.
    pub username: String,
    /// Shows the entry to the admin area.
    pub is_admin: bool,
}

/// The look of the pages.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Light, whatever the system says.
    Light,
    /// Dark, whatever the system says.
    Dark,
}

impl Theme {
    /// The value of the cookie, of the form and of `data-theme`.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of a cookie or form value; anything unknown follows the system.
    pub fn parse(value: &str) -> Self {
        match value {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// The three choices as the menu lists them: theme, label, icon.
    pub const fn choices(self) -> [(Self, &'static str, &'static str); 3] {
        [
            (Self::Auto, "Auto", "theme"),
            (Self::Light, "Light", "sun"),
            (Self::Dark, "Dark", "moon"),
        ]
    }
}

/// A message about what just happened. Never carries a secret.
#[derive(Clone)]
pub struct Flash {
    /// How it is meant.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
}

impl Flash {
    /// Something went as asked.
    pub fn success(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Success,
            text: text.into(),
        }
    }

    /// Something is worth knowing.
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Info,
            text: text.into(),
        }
    }

    /// Something did not go as asked.
    pub fn danger(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Danger,
            text: text.into(),
        }
    }
}
