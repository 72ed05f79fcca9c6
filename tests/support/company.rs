//! The company that most rules are told about.

use latchkey::{access_tokens::scope::Scope, members::AccessLevel};

use super::{Person, TestGroup, TestProject, TestResource, TestServer};

/// `acme`, private, with `acme/sub/deep` and a project on each level, and everybody who has a role there; `other`,
/// private too, of somebody else.
pub struct Company {
    /// The administrator.
    pub root: Person,
    /// Owner of acme.
    pub alice: Person,
    /// Maintainer of acme.
    pub bob: Person,
    /// Developer of acme.
    pub carol: Person,
    /// Reporter of acme.
    pub dave: Person,
    /// Planner of acme.
    pub paula: Person,
    /// Guest of acme.
    pub erin: Person,
    /// Has nothing to do with acme.
    pub frank: Person,
    /// External, with no role anywhere.
    pub xenia: Person,
    /// Owner of other.
    pub oscar: Person,
    /// The group.
    pub acme: TestGroup,
    /// `acme/sub`
    pub sub: TestGroup,
    /// `acme/sub/deep`
    pub deep: TestGroup,
    /// `acme/p1`
    pub p1: TestProject,
    /// `acme/sub/p2`
    pub p2: TestProject,
    /// `acme/sub/deep/p3`
    pub p3: TestProject,
    /// The other group.
    pub other: TestGroup,
    /// `other/p9`
    pub p9: TestProject,
}

impl Company {
    /// Founds it.
    pub fn on(server: &TestServer) -> Company {
        let person = |name: &str| server.person(name).create();
        let root = server.person("root").admin().create();
        let alice = person("alice");
        let oscar = person("oscar");
        let acme = server.group("acme").owner(&alice).private().create();
        let sub = acme.subgroup("sub").create();
        let deep = sub.subgroup("deep").create();
        let other = server.group("other").owner(&oscar).private().create();
        let with_role = |name: &str, level: AccessLevel| {
            let person = person(name);
            acme.member(&person, level);
            person
        };
        Company {
            bob: with_role("bob", AccessLevel::Maintainer),
            carol: with_role("carol", AccessLevel::Developer),
            dave: with_role("dave", AccessLevel::Reporter),
            paula: with_role("paula", AccessLevel::Planner),
            erin: with_role("erin", AccessLevel::Guest),
            frank: person("frank"),
            xenia: server.person("xenia").external().create(),
            p1: acme.project("p1").create(),
            p2: sub.project("p2").create(),
            p3: deep.project("p3").create(),
            p9: other.project("p9").create(),
            root,
            alice,
            oscar,
            acme,
            sub,
            deep,
            other,
        }
    }
}

/// The scopes that a group or project token may have, as the API names them.
pub fn resource_scopes() -> Vec<&'static str> {
    Scope::ALL
        .into_iter()
        .filter(|scope| !matches!(scope, Scope::ReadUser | Scope::Sudo | Scope::AdminMode))
        .map(Scope::name)
        .collect()
}
