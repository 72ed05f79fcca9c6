//! The reference of the API.

use askama::Template;

use super::components::Snippet;
use super::shell::Shell;

/// Every endpoint, with what it asks for.
#[derive(Template)]
#[template(path = "help/api.html", whitespace = "minimize")]
pub struct ReferencePage {
    /// The frame.
    pub shell: Shell,
    /// Where the same stands for programs.
    pub document: String,
    /// What every path starts with.
    pub base: String,
    /// How to begin.
    pub snippets: Vec<Snippet>,
    /// The endpoints.
    pub sections: Vec<Section>,
}

/// Endpoints that belong together.
pub struct Section {
    /// What they are about.
    pub name: &'static str,
    /// The endpoints.
    pub entries: Vec<Entry>,
}

impl Section {
    /// Its place on the page.
    pub fn anchor(&self) -> String {
        self.name.to_lowercase().replace(' ', "-")
    }
}

/// One endpoint.
pub struct Entry {
    /// `GET`
    pub method: String,
    /// Below the base.
    pub path: String,
    /// What it is for.
    pub summary: &'static str,
    /// The scopes of which one is enough; none where any will do.
    pub scopes: Vec<&'static str>,
    /// Does it show what is public without a credential?
    pub anonymous: bool,
    /// What it asks for.
    pub parameters: Vec<Parameter>,
}

/// Something that an endpoint asks for.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Does it stand in the path?
    pub in_path: bool,
    /// Is the request refused without it?
    pub required: bool,
    /// What it has to be.
    pub kind: String,
    /// What it means; code stands between backticks.
    pub explanation: &'static str,
}

impl Parameter {
    /// What it means, in pieces: code, or not.
    pub fn explained(&self) -> Vec<(bool, &'static str)> {
        self.explanation
            .split('`')
            .enumerate()
            .map(|(at, piece)| (at % 2 == 1, piece))
            .filter(|(_, piece)| !piece.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_words() {
        let parameter = Parameter {
            name: "sort",
            in_path: false,
            required: false,
            kind: String::new(),
            explanation: "`asc` or `desc`.",
        };
        assert_eq!(
            parameter.explained(),
            [(true, "asc"), (false, " or "), (true, "desc"), (false, ".")]
        );
    }
}
