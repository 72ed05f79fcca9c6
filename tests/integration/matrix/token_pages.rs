//! What to ask of the pages of tokens: a group's, a project's, a person's.

use latchkey::access_tokens::scope::Scope;

use super::{Body, Caller, Case, Role, Stage};
use crate::support::TestResource;

/// Where the tokens of a page are.
struct Place {
    list: String,
    form: &'static str,
    rest: String,
}

impl Stage {
    /// As [`Stage::cases`], for the pages of tokens.
    pub(super) fn token_page_cases(&self, route: &str, caller: &Caller) -> Option<Vec<Case>> {
        let (method, path) = route.split_once(' ')?;
        let place = self.token_page(path)?;
        let unique = format!("n{}", self.server.next());
        let case = |note, end: String, fields: &[(&str, &str)]| Case {
            note,
            path: format!("{}{end}", place.list),
            body: if method == "GET" {
                Body::None
            } else {
                let owned =
                    |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
                Body::Form(fields.iter().map(owned).collect())
            },
        };
        let form = place.form;
        let field = |name: &str| format!("{form}[{name}]");
        let own = || self.token_on(form, &place.list, caller);
        let others = || self.members_token();
        let personal = form == "personal_access_token";
        Some(match (method, place.rest.as_str()) {
            ("GET", "" | "/check" | "/export.csv") => vec![case("", place.rest.clone(), &[])],
            ("POST", "") => vec![case(
                "",
                String::new(),
                &[
                    ("form_nonce", &unique),
                    (&field("name"), "ci"),
                    (&format!("{form}[scopes][]"), "read_api"),
                    (&field("expires_at"), "2026-12-20"),
                    (&field("description"), ""),
                ],
            )],
            (_, rest) => {
                let end = rest.strip_prefix("/{id}")?;
                let fields = [
                    ("_method", "put"),
                    ("form_nonce", unique.as_str()),
                    (&field("name"), "renamed"),
                    (&field("description"), "for the build"),
                ];
                let mut cases = vec![case("", format!("/{}{end}", own()), &fields)];
                if personal {
                    cases.push(case(
                        "somebody else's",
                        format!("/{}{end}", others()),
                        &fields,
                    ));
                }
                cases
            }
        })
    }

    fn token_page(&self, path: &str) -> Option<Place> {
        let of_group = "/groups/{full_path:(?:[^/-][^/]*/?)+}/-/settings/access_tokens";
        let of_project = "/{full_path:(?:[^/-][^/]*/?)+}/-/settings/access_tokens";
        let of_person = "/-/user_settings/personal_access_tokens";
        let resource = "resource_access_token";
        [
            (
                of_group,
                self.group.page("settings/access_tokens"),
                resource,
            ),
            (
                of_project,
                self.project.page("settings/access_tokens"),
                resource,
            ),
            (of_person, of_person.to_owned(), "personal_access_token"),
        ]
        .into_iter()
        .find_map(|(pattern, list, form)| {
            let rest = path.strip_prefix(pattern)?.to_owned();
            Some(Place { list, form, rest })
        })
    }

    /// A token on this page, made for this caller: what they do to it, they do to no one else's.
    fn token_on(&self, form: &str, list: &str, caller: &Caller) -> i64 {
        if form == "personal_access_token" {
            return match &caller.person {
                Some(person) if caller.role != Role::Blocked => {
                    person.personal_token([Scope::Api]).id
                }
                _ => self.members_token(),
            };
        }
        if list.starts_with("/groups/") {
            self.group.token("to be used up").create().id
        } else {
            self.project.token("to be used up").create().id
        }
    }
}
