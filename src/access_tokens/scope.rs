//! What a token may be used for: its scopes, and the scopes that an endpoint asks for.

use std::fmt;

use serde::{Serialize, Serializer};

/// One thing that a token may be used for.
///
/// Scopes only narrow: what a token can do at all is decided by the role of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything through the API.
    Api,
    /// Reading through the API.
    ReadApi,
    /// Pulling container images.
    ReadRegistry,
    /// Pushing container images.
    WriteRegistry,
    /// Pulling code.
    ReadRepository,
    /// Pulling and pushing code.
    WriteRepository,
    /// Creating runners.
    CreateRunner,
    /// Managing runners.
    ManageRunner,
    /// Calls for the features of an AI assistant.
    AiFeatures,
    /// Kubernetes API calls through the cluster agent.
    K8sProxy,
    /// Replacing this very token.
    SelfRotate,
    /// Reading accounts; people's tokens only.
    ReadUser,
    /// Shown on administrators' tokens; opens nothing by itself.
    Sudo,
    /// Shown on administrators' tokens; opens nothing by itself.
    AdminMode,
}

/// Whose token it is; the explanations of the scopes speak of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A group access token.
    Group,
    /// A project access token.
    Project,
    /// A person's own token.
    Personal,
}

impl Scope {
    /// Every scope, in the order of the forms.
    pub const ALL: [Self; 14] = [
        Self::Api,
        Self::ReadApi,
        Self::ReadUser,
        Self::ReadRegistry,
        Self::WriteRegistry,
        Self::ReadRepository,
        Self::WriteRepository,
        Self::CreateRunner,
        Self::ManageRunner,
        Self::AiFeatures,
        Self::K8sProxy,
        Self::SelfRotate,
        Self::Sudo,
        Self::AdminMode,
    ];

    /// The name in the API, in the forms and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::ReadApi => "read_api",
            Self::ReadRegistry => "read_registry",
            Self::WriteRegistry => "write_registry",
            Self::ReadRepository => "read_repository",
            Self::WriteRepository => "write_repository",
            Self::CreateRunner => "create_runner",
            Self::ManageRunner => "manage_runner",
            Self::AiFeatures => "ai_features",
            Self::K8sProxy => "k8s_proxy",
            Self::SelfRotate => "self_rotate",
            Self::ReadUser => "read_user",
            Self::Sudo => "sudo",
            Self::AdminMode => "admin_mode",
        }
    }

    /// The scope with exactly this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// May a group or project access token have this scope?
    pub fn is_for_resource_tokens(self, registry_enabled: bool) -> bool {
        match self {
            Self::ReadUser | Self::Sudo | Self::AdminMode => false,
            Self::ReadRegistry | Self::WriteRegistry => registry_enabled,
            _ => true,
        }
    }

    /// May a person's own token have this scope?
    pub fn is_for_people(self, admin: bool, registry_enabled: bool) -> bool {
        match self {
            Self::ReadUser => true,
            Self::Sudo | Self::AdminMode => admin,
            _ => self.is_for_resource_tokens(registry_enabled),
        }
    }

    /// The scopes that group and project access tokens can be given, in the order of the form.
    pub fn offered_to_resource_tokens(registry_enabled: bool) -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|scope| scope.is_for_resource_tokens(registry_enabled))
            .collect()
    }

    /// The scopes that a person's own token can be given, in the order of the form.
    pub fn offered_to_people(admin: bool, registry_enabled: bool) -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|scope| scope.is_for_people(admin, registry_enabled))
            .collect()
    }

    /// What the scope opens, for the form where it is chosen.
    pub const fn description(self, kind: TokenKind) -> &'static str {
        use TokenKind::{Group, Personal, Project};
        match (self, kind) {
            (Self::Api, Group) => {
                "Full read and write access to the API of the group and its projects, including the container registry, the dependency proxy, the package registry and Git over HTTPS."
            }
            (Self::Api, Project) => {
                "Full read and write access to the API of the project, including the container registry, the dependency proxy, the package registry and Git over HTTPS."
            }
            (Self::Api, Personal) => {
                "Full read and write access to the API with all your groups and projects, including the container registry, the dependency proxy, the package registry and Git over HTTPS."
            }
            (Self::ReadApi, Group) => {
                "Read access to the API of the group and its projects, including the package registry, image pull and Git pull."
            }
            (Self::ReadApi, Project) => {
                "Read access to the API of the project, including the package registry, image pull and Git pull."
            }
            (Self::ReadApi, Personal) => {
                "Read access to the API with all your groups and projects, including the package registry, image pull and Git pull."
            }
            (Self::ReadRegistry, Group) => {
                "Pull images from the container registry of every project in the group."
            }
            (Self::ReadRegistry, Project) => {
                "Pull images from the container registry of the project."
            }
            (Self::ReadRegistry, Personal) => {
                "Pull images from the container registry of every project that you can read."
            }
            (Self::WriteRegistry, Group) => {
                "Push images to the container registry of every project in the group; needs `read_registry` too."
            }
            (Self::WriteRegistry, Project) => {
                "Push images to the container registry of the project; needs `read_registry` too."
            }
            (Self::WriteRegistry, Personal) => {
                "Push images to the container registry of every project that you can change; needs `read_registry` too."
            }
            (Self::ReadRepository, Group) => "Pull from every repository in the group.",
            (Self::ReadRepository, Project) => "Pull from the repository of the project.",
            (Self::ReadRepository, Personal) => "Pull from every repository that you can read.",
            (Self::WriteRepository, Group) => {
                "Pull from and push to every repository in the group."
            }
            (Self::WriteRepository, Project) => {
                "Pull from and push to the repository of the project."
            }
            (Self::WriteRepository, Personal) => {
                "Pull from every repository that you can read, and push to those that you can change."
            }
            (Self::CreateRunner, Group) => "Create runners in the group.",
            (Self::CreateRunner, Project) => "Create runners in the project.",
            (Self::CreateRunner, Personal) => "Create runners.",
            (Self::ManageRunner, Group) => "Manage the runners of the group.",
            (Self::ManageRunner, Project) => "Manage the runners of the project.",
            (Self::ManageRunner, Personal) => "Manage runners.",
            (Self::AiFeatures, _) => "Call the API for the features of the AI assistant.",
            (Self::K8sProxy, Group) => {
                "Call the Kubernetes API through the cluster agents of the group."
            }
            (Self::K8sProxy, Project) => {
                "Call the Kubernetes API through the cluster agents of the project."
            }
            (Self::K8sProxy, Personal) => "Call the Kubernetes API through cluster agents.",
            (Self::SelfRotate, _) => "Rotate this token, and no other, through the API.",
            (Self::ReadUser, _) => "Read your own account and the public part of others.",
            (Self::Sudo, _) => {
                "Marks the token of an administrator; opens nothing without another scope."
            }
            (Self::AdminMode, _) => {
                "Marks the token of an administrator who works in admin mode; opens nothing without another scope."
            }
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The scopes of one token: at least one, in the order in which they were asked for, each once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// How many entries a request may list, repeats counted.
    pub const MAX_ENTRIES: usize = 32;

    /// Keeps the order and drops repeats.
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Result<Self, ScopesProblem> {
        let mut kept = Vec::new();
        for scope in scopes {
            if !kept.contains(&scope) {
                kept.push(scope);
            }
        }
        if kept.is_empty() {
            return Err(ScopesProblem::Blank);
        }
        Ok(Self(kept))
    }

    /// Reads names, of which each must be on offer.
    pub fn from_names<'a>(
        names: impl IntoIterator<Item = &'a str>,
        offered: &[Scope],
    ) -> Result<Self, ScopesProblem> {
        let mut scopes = Vec::new();
        for name in names {
            let scope = Scope::parse(name).filter(|scope| offered.contains(scope));
            scopes.push(scope.ok_or(ScopesProblem::NotAvailable)?);
            if scopes.len() > Self::MAX_ENTRIES {
                return Err(ScopesProblem::NotAvailable);
            }
        }
        Self::new(scopes)
    }

    /// Reads what [`Display`](fmt::Display) wrote: names with single spaces between them.
    pub fn parse(text: &str) -> Result<Self, ScopesProblem> {
        text.split(' ')
            .filter(|name| !name.is_empty())
            .map(|name| Scope::parse(name).ok_or(ScopesProblem::NotAvailable))
            .collect::<Result<Vec<_>, _>>()
            .and_then(Self::new)
    }

    /// Is this one among them?
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Is any of these among them?
    pub fn contains_any(&self, scopes: &[Scope]) -> bool {
        scopes.iter().any(|scope| self.contains(*scope))
    }

    /// The scopes, in the order in which they were asked for.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// The names, in the same order.
    pub fn names(&self) -> Vec<&'static str> {
        self.iter().map(Scope::name).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

impl TryFrom<String> for Scopes {
    type Error = ScopesProblem;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Why a list of scopes can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopesProblem {
    /// None was chosen.
    #[error("Scopes can't be blank")]
    Blank,
    /// One is unknown or not for this kind of token, or there are far too many.
    #[error("Scopes can only contain available scopes")]
    NotAvailable,
}

/// Which scopes an endpoint asks for; any one of them is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScopeNeed {
    /// Reading through the API.
    Read,
    /// Changing something through the API.
    Write,
    /// What every token may do about itself.
    AnyScope,
    /// Replacing the token that makes the request.
    SelfRotate,
    /// Reading accounts.
    ReadUser,
}

impl ScopeNeed {
    /// Every need.
    pub const ALL: [Self; 5] = [
        Self::Read,
        Self::Write,
        Self::AnyScope,
        Self::SelfRotate,
        Self::ReadUser,
    ];

    /// The scopes of which one is enough; none where any will do.
    pub const fn enough(self) -> &'static [Scope] {
        match self {
            Self::Read => &[Scope::Api, Scope::ReadApi],
            Self::Write => &[Scope::Api],
            Self::AnyScope => &[],
            Self::SelfRotate => &[Scope::Api, Scope::SelfRotate],
            Self::ReadUser => &[Scope::Api, Scope::ReadApi, Scope::ReadUser],
        }
    }

    /// Do these scopes open the endpoint?
    pub fn is_met_by(self, scopes: &Scopes) -> bool {
        self == Self::AnyScope || scopes.contains_any(self.enough())
    }

    /// The scopes that a refusal names, with spaces between them.
    ///
    /// It is the list that is registered for the whole endpoint, so a refused change names
    /// `read_api` as well, although that alone would not have been enough.
    pub const fn listed(self) -> &'static str {
        match self {
            Self::Read | Self::Write | Self::AnyScope => "api read_api",
            Self::SelfRotate => "api self_rotate",
            Self::ReadUser => "api read_api read_user",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RESOURCE_TOKEN_SCOPES: [&str; 11] = [
        "api",
        "read_api",
        "read_registry",
        "write_registry",
        "read_repository",
        "write_repository",
        "create_runner",
        "manage_runner",
        "ai_features",
        "k8s_proxy",
        "self_rotate",
    ];

    fn names(scopes: Vec<Scope>) -> Vec<&'static str> {
        scopes.into_iter().map(Scope::name).collect()
    }

    fn alone(scope: Scope) -> Scopes {
        Scopes::new([scope]).unwrap()
    }

    #[test]
    fn resource_tokens_are_offered_exactly_these_scopes() {
        assert_eq!(
            names(Scope::offered_to_resource_tokens(true)),
            RESOURCE_TOKEN_SCOPES
        );
    }

    #[test]
    fn without_a_registry_its_scopes_are_not_offered() {
        for offered in [
            Scope::offered_to_resource_tokens(false),
            Scope::offered_to_people(true, false),
        ] {
            assert!(!offered.contains(&Scope::ReadRegistry));
            assert!(!offered.contains(&Scope::WriteRegistry));
        }
        assert_eq!(Scope::offered_to_resource_tokens(false).len(), 9);
    }

    #[test]
    fn people_may_also_read_accounts_and_administrators_more() {
        let mut person = names(Scope::offered_to_people(false, true));
        person.sort_unstable();
        let mut expected = [&RESOURCE_TOKEN_SCOPES[..], &["read_user"]].concat();
        expected.sort_unstable();
        assert_eq!(person, expected);

        let admin = Scope::offered_to_people(true, true);
        assert_eq!(admin.len(), 14);
        assert!(admin.contains(&Scope::Sudo) && admin.contains(&Scope::AdminMode));
    }

    #[test]
    fn scope_names_match_exactly() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.name()), Some(scope));
            assert_eq!(
                serde_json::to_string(&scope).unwrap(),
                format!("\"{scope}\"")
            );
        }
        for name in ["", "API", " api", "api ", "read-api", "read_service_ping"] {
            assert_eq!(Scope::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn every_scope_is_explained_for_every_kind_of_token() {
        for kind in [TokenKind::Group, TokenKind::Project, TokenKind::Personal] {
            let mut texts: Vec<&str> = Scope::ALL
                .into_iter()
                .map(|scope| scope.description(kind))
                .collect();
            assert!(
                texts
                    .iter()
                    .all(|text| text.len() > 10 && text.ends_with('.'))
            );
            texts.sort_unstable();
            texts.dedup();
            assert_eq!(texts.len(), Scope::ALL.len());
        }
    }

    #[test]
    fn the_explanations_say_what_comes_with_a_scope() {
        for kind in [TokenKind::Group, TokenKind::Project, TokenKind::Personal] {
            for (scope, words) in [
                (
                    Scope::Api,
                    &[
                        "container registry",
                        "dependency proxy",
                        "package registry",
                        "Git",
                    ][..],
                ),
                (
                    Scope::ReadApi,
                    &["package registry", "image pull", "Git pull"],
                ),
                (Scope::WriteRegistry, &["Push", "needs `read_registry` too"]),
            ] {
                for word in words {
                    assert!(
                        scope.description(kind).contains(word),
                        "{scope} for {kind:?} doesn't say {word}"
                    );
                }
            }
        }
        assert!(
            Scope::ReadRepository
                .description(TokenKind::Group)
                .contains("the group")
        );
        assert!(
            Scope::ReadRepository
                .description(TokenKind::Project)
                .contains("the project")
        );
    }

    #[test]
    fn scopes_keep_their_order_and_drop_repeats() {
        let scopes = Scopes::from_names(
            ["read_api", "api", "read_api", "self_rotate", "api"],
            &Scope::ALL,
        )
        .unwrap();
        assert_eq!(scopes.names(), ["read_api", "api", "self_rotate"]);
        assert_eq!(scopes.to_string(), "read_api api self_rotate");
        assert_eq!(
            serde_json::to_string(&scopes).unwrap(),
            r#"["read_api","api","self_rotate"]"#
        );
    }

    #[test]
    fn a_token_needs_a_scope_and_only_scopes_on_offer() {
        let offered = Scope::offered_to_resource_tokens(true);
        for (names, problem) in [
            (&[][..], "Scopes can't be blank"),
            (&["bogus"], "Scopes can only contain available scopes"),
            (
                &["api", "bogus"],
                "Scopes can only contain available scopes",
            ),
            (&["sudo"], "Scopes can only contain available scopes"),
            (&["read_user"], "Scopes can only contain available scopes"),
            (&["API"], "Scopes can only contain available scopes"),
            (&[" api"], "Scopes can only contain available scopes"),
            (&[""], "Scopes can only contain available scopes"),
            (&["api"; 33], "Scopes can only contain available scopes"),
        ] {
            let error = Scopes::from_names(names.iter().copied(), &offered).unwrap_err();
            assert_eq!(error.to_string(), problem, "{names:?}");
        }
        assert_eq!(
            Scopes::from_names(["api"; 32], &offered),
            Ok(alone(Scope::Api))
        );
    }

    #[test]
    fn a_damaged_column_is_an_error_not_a_smaller_list() {
        assert_eq!(Scopes::parse(""), Err(ScopesProblem::Blank));
        assert_eq!(Scopes::parse("  "), Err(ScopesProblem::Blank));
        assert_eq!(Scopes::parse("api bogus"), Err(ScopesProblem::NotAvailable));
        assert_eq!(
            Scopes::try_from("read_api".to_owned()),
            Ok(alone(Scope::ReadApi))
        );
    }

    proptest! {
        #[test]
        fn scopes_survive_the_column(
            scopes in proptest::collection::vec(proptest::sample::select(&Scope::ALL[..]), 1..20)
        ) {
            let scopes = Scopes::new(scopes).unwrap();
            prop_assert_eq!(Scopes::parse(&scopes.to_string()), Ok(scopes));
        }
    }

    #[test]
    fn each_need_is_met_by_exactly_these_scopes() {
        for need in ScopeNeed::ALL {
            let enough: &[&str] = match need {
                ScopeNeed::Read => &["api", "read_api"],
                ScopeNeed::Write => &["api"],
                ScopeNeed::SelfRotate => &["api", "self_rotate"],
                ScopeNeed::ReadUser => &["api", "read_api", "read_user"],
                ScopeNeed::AnyScope => &[
                    "api",
                    "read_api",
                    "read_user",
                    "read_registry",
                    "write_registry",
                    "read_repository",
                    "write_repository",
                    "create_runner",
                    "manage_runner",
                    "ai_features",
                    "k8s_proxy",
                    "self_rotate",
                    "sudo",
                    "admin_mode",
                ],
            };
            for scope in Scope::ALL {
                assert_eq!(
                    need.is_met_by(&alone(scope)),
                    enough.contains(&scope.name()),
                    "{need:?} by {scope}"
                );
            }
        }
    }

    #[test]
    fn one_fitting_scope_among_many_is_enough() {
        let scopes = Scopes::parse("read_repository k8s_proxy read_api").unwrap();
        assert!(ScopeNeed::Read.is_met_by(&scopes));
        assert!(!ScopeNeed::Write.is_met_by(&scopes));
        let all_but_api = Scopes::new(Scope::ALL.into_iter().skip(1)).unwrap();
        assert!(!ScopeNeed::Write.is_met_by(&all_but_api));
    }

    #[test]
    fn a_refusal_lists_the_scopes_of_the_endpoint() {
        for (need, listed) in [
            (ScopeNeed::Read, "api read_api"),
            (ScopeNeed::Write, "api read_api"),
            (ScopeNeed::SelfRotate, "api self_rotate"),
            (ScopeNeed::ReadUser, "api read_api read_user"),
        ] {
            assert_eq!(need.listed(), listed);
        }
    }
}
