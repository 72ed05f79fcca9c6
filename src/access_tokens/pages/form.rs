//! The form that makes a token.

use chrono::{Days, NaiveDate};

use super::super::ListedToken;
use super::super::create::{NewAccessToken, problems};
use super::super::expiry::{Limits, earliest_on_page};
use super::super::scope::Scope;
use super::holder::Holder;
use crate::context::Context;
use crate::members::AccessLevel;
use crate::web::csrf;
use crate::web::lists::address;
use crate::web::page::Form;
use crate::web::params::parse_date;
use crate::web::views::access_tokens::{DateRules, EmptyDate, TokenForm, TokenKind};
use crate::web::views::components::{Choice, Day};
use crate::web::views::forms::FormErrors;
use crate::web::views::scopes::ScopeOption;

/// Days ahead that the form proposes.
const PROPOSED_DAYS: u64 = 30;

/// The fields, in the order in which the form shows them and their errors.
const FIELDS: [&str; 5] = [
    "name",
    "description",
    "expires_at",
    "access_level",
    "scopes",
];

/// A form as it was typed, or as an address fills it in.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub open: bool,
    pub name: String,
    pub description: String,
    pub expires_at: String,
    pub role: String,
    pub scopes: Vec<String>,
}

impl Draft {
    /// An empty form: a month ahead, or less if the instance allows less.
    pub(super) fn blank(limits: Limits, today: NaiveDate) -> Self {
        let month = today
            .checked_add_days(Days::new(PROPOSED_DAYS))
            .unwrap_or(today);
        let date = limits
            .longest(today)
            .map_or(month, |longest| month.min(longest));
        Draft {
            open: false,
            name: String::new(),
            description: String::new(),
            expires_at: date.to_string(),
            role: AccessLevel::Guest.number().to_string(),
            scopes: Vec::new(),
        }
    }

    /// Does this address fill in the form?
    pub(super) fn is_filled_by(query: &Form) -> bool {
        query.get("new") == Some("1")
            || ["name", "description", "scopes", "expires_at"]
                .iter()
                .any(|name| query.get(name).is_some())
    }

    /// The form as an address fills it in. It is shown, and never sent by itself.
    pub(super) fn prefilled(query: &Form, limits: Limits, today: NaiveDate) -> Self {
        let mut draft = Draft {
            open: Self::is_filled_by(query),
            ..Self::blank(limits, today)
        };
        if !draft.open {
            return draft;
        }
        draft.name = query.text("name").to_owned();
        draft.description = query.text("description").to_owned();
        if let Some(date) = query.get("expires_at").and_then(parse_date) {
            draft.expires_at = date.to_string();
        }
        if let Some(level) = AccessLevel::parse(query.text("role")) {
            draft.role = level.number().to_string();
        }
        draft.scopes = query
            .all("scopes")
            .iter()
            .flat_map(|names| names.split(','))
            .map(|name| name.trim().to_owned())
            .collect();
        draft
    }

    /// The form as it was sent.
    pub(super) fn sent(form: &Form, kind: TokenKind) -> Self {
        let field = |name: &str| form.text(&format!("{}[{name}]", kind.form())).to_owned();
        let scopes = form.all(&format!("{}[scopes][]", kind.form()));
        Draft {
            open: true,
            name: field("name"),
            // Browsers send two characters for what the person typed as one.
            description: field("description").replace("\r\n", "\n"),
            expires_at: field("expires_at"),
            role: field("access_level"),
            scopes: scopes
                .into_iter()
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }

    /// What it asks for, and everything that is wrong with it, by field.
    pub(super) fn check(
        &self,
        offered: &[Scope],
        has_role: bool,
        limits: Limits,
        today: NaiveDate,
    ) -> (NewAccessToken, FormErrors) {
        let known: Vec<Scope> = self
            .scopes
            .iter()
            .filter_map(|name| Scope::parse(name).filter(|scope| offered.contains(scope)))
            .collect();
        let role = match self.role.trim() {
            "" => Some(AccessLevel::Guest),
            text => AccessLevel::parse(text),
        };
        let typed_date = self.expires_at.trim();
        let date = Some(typed_date)
            .filter(|text| !text.is_empty())
            .map(parse_date);
        let new = NewAccessToken {
            name: self.name.clone(),
            description: Some(self.description.clone()),
            scopes: known,
            access_level: role.unwrap_or(AccessLevel::Guest),
            expires_at: date.flatten(),
        };

        let mut found: Vec<(&str, String)> = problems(&new, limits, today)
            .into_iter()
            .filter(|problem| problem.field != "expires_at")
            .map(|problem| (problem.field, problem.message))
            .collect();
        if new.scopes.len() < self.scopes.len() {
            found.retain(|(field, _)| *field != "scopes");
            found.push(("scopes", "Scopes can only contain available scopes".into()));
        }
        if has_role && role.is_none() {
            found.push(("access_level", "Select one of the roles in the list".into()));
        }
        found.extend(date_problem(typed_date, limits, today).map(|text| ("expires_at", text)));

        let mut errors = FormErrors::none();
        for field in FIELDS {
            for (_, text) in found.iter().filter(|(about, _)| *about == field) {
                errors.add(field, text);
            }
        }
        (new, errors)
    }
}

/// What is wrong with a typed expiration date, in the words of the pages. An empty one is never wrong:
/// it takes the default.
pub(super) fn date_problem(typed: &str, limits: Limits, today: NaiveDate) -> Option<String> {
    let date = match typed.trim() {
        "" => limits.default_date(today),
        text => match parse_date(text) {
            Some(date) => Some(date),
            None => return Some("Expiration date must be a date, written YYYY-MM-DD".into()),
        },
    };
    limits
        .validate_on_page(date, today)
        .err()
        .map(|problem| problem.on_page())
}

/// Which dates a form takes.
pub(super) fn date_rules(limits: Limits, today: NaiveDate) -> DateRules {
    let days_until = |date: NaiveDate| u32::try_from((date - today).num_days()).unwrap_or(0);
    DateRules {
        today: today.to_string(),
        earliest: earliest_on_page(today).to_string(),
        latest: limits
            .longest(today)
            .map(|date| (days_until(date), Day::on(date))),
        empty: match limits.default_date(today).map(days_until) {
            None => EmptyDate::Never,
            Some(days)
                if limits
                    .maximum_lifetime
                    .is_some_and(|maximum| maximum <= days) =>
            {
                EmptyDate::InstanceMaximum(days)
            }
            Some(days) => EmptyDate::Days(days),
        },
    }
}

/// The form as the page shows it.
pub(super) fn view(holder: &Holder, ctx: &Context, draft: Draft, errors: FormErrors) -> TokenForm {
    let (limits, today) = (ctx.policy.limits(), ctx.today());
    let names: Vec<&str> = holder.scopes(ctx).into_iter().map(Scope::name).collect();
    let maker_is_external = ctx.actor.user.as_ref().is_some_and(|user| user.external);
    TokenForm {
        open: draft.open,
        nonce: csrf::new_secret(),
        name: draft.name,
        description: draft.description,
        expires_at: draft.expires_at,
        dates: date_rules(limits, today),
        roles: roles(holder.ceiling(ctx), &draft.role),
        scopes: ScopeOption::offered(&names, |name| {
            draft.scopes.iter().any(|chosen| chosen == name)
        }),
        reach: holder.reach(),
        reads_internal: ctx.policy.settings.bots_read_internal && !maker_is_external,
        errors,
    }
}

/// The roles up to one's own.
fn roles(ceiling: Option<AccessLevel>, chosen: &str) -> Vec<Choice> {
    ceiling
        .into_iter()
        .flat_map(AccessLevel::and_below)
        .map(|level| Choice::new(level.number().to_string(), level.name(), chosen))
        .collect()
}

/// The address of a form filled in like this token; its date is left to the form.
pub(super) fn replacement(path: &str, listed: &ListedToken) -> String {
    let token = &listed.token;
    let role = listed
        .access_level
        .map(|level| level.number().to_string())
        .unwrap_or_default();
    let href = address(
        path,
        &[
            ("new", "1"),
            ("name", &token.name),
            (
                "description",
                token.description.as_deref().unwrap_or_default(),
            ),
            ("scopes", &token.scopes.names().join(",")),
            ("role", &role),
        ],
    );
    format!("{href}#new-token")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        "2026-11-20".parse().unwrap()
    }

    const FREE: Limits = Limits {
        require_expiry: false,
        maximum_lifetime: None,
        buffered: false,
    };
    const TWENTY: Limits = Limits {
        require_expiry: true,
        maximum_lifetime: Some(20),
        buffered: false,
    };

    fn offered() -> Vec<Scope> {
        Scope::offered_to_resource_tokens(true)
    }

    fn draft(name: &str, expires_at: &str, role: &str, scopes: &[&str]) -> Draft {
        Draft {
            name: name.into(),
            expires_at: expires_at.into(),
            role: role.into(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            ..Draft::blank(Limits::default(), today())
        }
    }

    fn told(draft: &Draft, limits: Limits) -> Vec<(String, String)> {
        let (_, errors) = draft.check(&offered(), true, limits, today());
        errors
            .messages
            .into_iter()
            .map(|error| (error.field, error.text))
            .collect()
    }

    #[test]
    fn an_empty_form_proposes_a_month_or_less_guest_and_no_scope() {
        for (limits, date) in [
            (Limits::default(), "2026-12-20"),
            (FREE, "2026-12-20"),
            (TWENTY, "2026-12-10"),
        ] {
            let blank = Draft::blank(limits, today());
            assert_eq!(blank.expires_at, date);
            assert_eq!(blank.role, "10");
            assert!(blank.scopes.is_empty() && !blank.open);
        }
    }

    #[test]
    fn an_address_fills_the_form_in() {
        let fill = |text: &str| {
            Draft::prefilled(&Form::parse(text.as_bytes()), Limits::default(), today())
        };
        let filled = fill(
            "name=ci&description=for+tests&scopes=api,+read_api,bogus&role=Owner&expires_at=2027-01-02",
        );
        assert!(filled.open);
        assert_eq!(
            (filled.name.as_str(), filled.description.as_str()),
            ("ci", "for tests")
        );
        assert_eq!(
            (filled.role.as_str(), filled.expires_at.as_str()),
            ("50", "2027-01-02")
        );
        assert_eq!(filled.scopes, ["api", "read_api", "bogus"]);

        let opened = fill("new=1&role=17&expires_at=soon");
        assert!(opened.open);
        assert_eq!(
            (opened.role.as_str(), opened.expires_at.as_str()),
            ("10", "2026-12-20")
        );
        for closed in ["", "new=0", "role=40", "search=x&scope=api&sort=name_asc"] {
            assert!(!fill(closed).open, "{closed}");
        }
    }

    #[test]
    fn a_good_form_is_taken_as_typed() {
        let sent = Draft {
            description: "a\nb".into(),
            ..draft("deploy", "2027-11-20", "40", &["api", "read_api"])
        };
        let (new, errors) = sent.check(&offered(), true, Limits::default(), today());
        assert!(errors.is_empty());
        assert_eq!(
            (new.name.as_str(), new.description.as_deref()),
            ("deploy", Some("a\nb"))
        );
        assert_eq!(new.access_level, AccessLevel::Maintainer);
        assert_eq!(new.scopes, [Scope::Api, Scope::ReadApi]);
        assert_eq!(new.expires_at, Some("2027-11-20".parse().unwrap()));
        let (new, errors) =
            draft("deploy", " ", "", &["api"]).check(&offered(), true, FREE, today());
        assert!(errors.is_empty() && new.expires_at.is_none());
        assert_eq!(new.access_level, AccessLevel::Guest);
    }

    #[test]
    fn everything_wrong_is_told_at_once_in_the_order_of_the_form() {
        let long = "x".repeat(256);
        let sent = Draft {
            description: long.clone(),
            ..draft(&long, "2026-11-20", "17", &[])
        };
        let expected = [
            ("name", "Name is too long (maximum is 255 characters)"),
            (
                "description",
                "Description is too long (maximum is 255 characters)",
            ),
            ("expires_at", "Expiration date must be 2026-11-21 or later"),
            ("access_level", "Select one of the roles in the list"),
            ("scopes", "Scopes can't be blank"),
        ];
        let expected = expected.map(|(field, text)| (field.to_owned(), text.to_owned()));
        assert_eq!(told(&sent, Limits::default()), expected);
    }

    #[test]
    fn dates_are_refused_in_the_words_of_the_page() {
        for (typed, limits, text) in [
            (
                "2026-11-20",
                Limits::default(),
                "Expiration date must be 2026-11-21 or later",
            ),
            (
                "2026-11-19",
                Limits::default(),
                "Expires at cannot be a date in the past",
            ),
            (
                "2027-11-21",
                Limits::default(),
                "Expiration date must be before 2027-11-20",
            ),
            (
                "2026-12-11",
                TWENTY,
                "Expiration date is invalid; the latest allowed is 2026-12-10",
            ),
            (
                "2027-02-29",
                Limits::default(),
                "Expiration date must be a date, written YYYY-MM-DD",
            ),
            (
                "+12027-01-01",
                FREE,
                "Expiration date must be a date, written YYYY-MM-DD",
            ),
            (
                "soon",
                Limits::default(),
                "Expiration date must be a date, written YYYY-MM-DD",
            ),
        ] {
            assert_eq!(
                told(&draft("x", typed, "10", &["api"]), limits),
                [("expires_at".to_owned(), text.to_owned())],
                "{typed}"
            );
        }
        for (typed, limits) in [
            ("", Limits::default()),
            ("2027-11-20", Limits::default()),
            ("", FREE),
        ] {
            assert_eq!(told(&draft("x", typed, "10", &["api"]), limits), []);
        }
    }

    #[test]
    fn a_scope_that_is_not_on_offer_is_told_once() {
        for scopes in [&["bogus"][..], &["api", "sudo"], &["API"], &[" api"]] {
            assert_eq!(
                told(&draft("x", "", "10", scopes), Limits::default()),
                [(
                    "scopes".to_owned(),
                    "Scopes can only contain available scopes".to_owned()
                )]
            );
        }
    }

    #[test]
    fn roles_end_with_ones_own_and_guest_is_chosen() {
        let names = |ceiling| {
            let roles = roles(ceiling, "10");
            assert!(
                roles
                    .iter()
                    .all(|role| role.selected == (role.value == "10"))
            );
            roles.into_iter().map(|role| role.label).collect::<Vec<_>>()
        };
        assert_eq!(
            names(Some(AccessLevel::Maintainer)),
            ["Guest", "Planner", "Reporter", "Developer", "Maintainer"]
        );
        assert_eq!(
            names(Some(AccessLevel::Owner)).last().map(String::as_str),
            Some("Owner")
        );
        assert!(names(None).is_empty());
    }

    #[test]
    fn the_form_says_what_an_empty_date_means() {
        let sentence = |limits| date_rules(limits, today()).empty.sentence();
        assert!(sentence(Limits::default()).contains("today + 365 days."));
        assert!(sentence(TWENTY).contains("today + 20 days, the longest"));
        assert!(sentence(FREE).contains("without an end"));
        let rules = date_rules(TWENTY, today());
        assert_eq!(rules.earliest, "2026-11-21");
        assert_eq!(
            rules.latest.map(|(days, day)| (days, day.date)),
            Some((20, "2026-12-10".into()))
        );
        assert!(date_rules(FREE, today()).latest.is_none());
    }
}
