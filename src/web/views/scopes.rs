//! What each scope opens, in words: on the token form and on the help page.

use super::access_tokens::TokenKind;

/// The words for one scope.
#[derive(Clone, Copy)]
pub struct ScopeText {
    /// Its name in the API.
    pub name: &'static str,
    /// What it opens, as help beside its check box.
    pub description: &'static str,
    /// The same as the end of "This token will be able to …"; empty if it adds nothing that can be said.
    pub able_to: &'static str,
}

/// All scopes, in the order of the form. The first eleven are for every kind of token.
pub const SCOPES: [ScopeText; 14] = [
    ScopeText {
        name: "api",
        description: "Read and write everything through the API, including the container registry, the dependency proxy, \
                      the package registry and Git.",
        able_to: "read and change everything through the API and Git",
    },
    ScopeText {
        name: "read_api",
        description: "Read everything through the API, including the package registry, and pull container images and Git \
                      repositories.",
        able_to: "read through the API, pull images and code",
    },
    ScopeText {
        name: "read_registry",
        description: "Pull container images.",
        able_to: "pull container images",
    },
    ScopeText {
        name: "write_registry",
        description: "Push container images; needs read_registry too.",
        able_to: "push container images (together with read_registry)",
    },
    ScopeText {
        name: "read_repository",
        description: "Pull Git repositories over HTTPS.",
        able_to: "pull code",
    },
    ScopeText {
        name: "write_repository",
        description: "Pull and push Git repositories over HTTPS.",
        able_to: "pull and push code",
    },
    ScopeText {
        name: "create_runner",
        description: "Create runners.",
        able_to: "create runners",
    },
    ScopeText {
        name: "manage_runner",
        description: "Manage runners.",
        able_to: "manage runners",
    },
    ScopeText {
        name: "ai_features",
        description: "Call the API of AI features.",
        able_to: "call the API of AI features",
    },
    ScopeText {
        name: "k8s_proxy",
        description: "Call the Kubernetes API through a cluster agent.",
        able_to: "call the Kubernetes API through a cluster agent",
    },
    ScopeText {
        name: "self_rotate",
        description: "Rotate this token itself, and nothing else.",
        able_to: "rotate itself",
    },
    ScopeText {
        name: "read_user",
        description: "Read your own profile and the profiles of other users through the API.",
        able_to: "read user profiles through the API",
    },
    ScopeText {
        name: "sudo",
        description: "For administrators. Accepted from clients that ask for it; opens nothing by itself.",
        able_to: "",
    },
    ScopeText {
        name: "admin_mode",
        description: "For administrators. Accepted from clients that ask for it; the api scope alone already carries an \
                      administrator's rights.",
        able_to: "",
    },
];

/// A scope offered in the form.
#[derive(Clone)]
pub struct ScopeOption {
    /// Its words.
    pub text: ScopeText,
    /// Whether it is chosen.
    pub checked: bool,
}

impl ScopeOption {
    /// The options for the scope names offered, in the order of the form; `checked` says which are chosen.
    /// Names without words are left out.
    pub fn offered(names: &[&str], checked: impl Fn(&str) -> bool) -> Vec<Self> {
        SCOPES
            .into_iter()
            .filter(|text| names.contains(&text.name))
            .map(|text| Self {
                text,
                checked: checked(text.name),
            })
            .collect()
    }
}

/// Which kinds of token may have a scope, for the table on the help page.
pub fn kinds(name: &str) -> &'static str {
    match name {
        "read_user" => TokenKind::Personal.plural(),
        "sudo" | "admin_mode" => "Personal access tokens of administrators",
        _ => "All",
    }
}
