//! Rendered pages keep what every page promises: nothing inline, nothing unescaped, nothing too large.

use askama::Template;

use super::access_tokens::*;
use super::components::*;
use super::errors::ErrorPage;
use super::forms::FormErrors;
use super::scopes::{SCOPES, ScopeOption};
use super::sessions::SignInPage;
use super::shell::*;
use super::sidebar::*;
use crate::web::assets;

const PATH: &str = "/groups/acme/platform/services/-/settings/access_tokens";

fn assets() -> Assets {
    Assets {
        css: "/assets/application-0123456789abcdef.css".into(),
        js: "/assets/application-0123456789abcdef.js".into(),
        icons: "/assets/icons-0123456789abcdef.svg".into(),
        favicon: "/assets/favicon-0123456789abcdef.svg".into(),
    }
}

fn shell() -> Shell {
    let rights = Rights {
        members: true,
        general: true,
        access_tokens: true,
        webhooks: true,
        code: true,
        ..Rights::default()
    };
    Shell {
        sidebar: Some(Sidebar::group(
            "Services",
            "acme/platform/services",
            rights,
            Place::AccessTokens,
        )),
        breadcrumbs: vec![Crumb::link("acme", "/acme"), Crumb::here("Access tokens")],
        viewer: Some(Viewer {
            name: "Alice Doe".into(),
            username: "alice".into(),
            is_admin: false,
        }),
        authenticity_token: "masked".into(),
        ..Shell::bare("Access tokens · acme/platform/services", assets())
    }
}

fn row(id: i64, name: &str) -> TokenRow {
    TokenRow {
        id,
        name: name.into(),
        hint: "7232".into(),
        description: "Production deploys of the release pipeline".into(),
        scopes: "read_api, read_repository".into(),
        created: Day {
            date: "2026-10-03".into(),
            text: "3 Oct 2026".into(),
        },
        last_used: Some(Moment {
            datetime: "2026-11-20T15:58:00Z".into(),
            exact: "20 Nov 2026, 15:58:00 UTC".into(),
            text: "2 hours ago".into(),
        }),
        idle: None,
        last_used_ips: vec!["10.1.4.7".into(), "10.1.4.8".into()],
        expires: Some(Expiry {
            day: Day {
                date: "2026-11-22".into(),
                text: "22 Nov 2026".into(),
            },
            distance: "in 2 days".into(),
            urgency: Urgency::Now,
        }),
        old_values: None,
        role: Some("Maintainer".into()),
        can_rotate: true,
        can_revoke: true,
    }
}

fn form() -> TokenForm {
    TokenForm {
        open: false,
        nonce: "nonce".into(),
        name: String::new(),
        description: String::new(),
        expires_at: "2026-12-20".into(),
        dates: DateRules {
            today: "2026-11-20".into(),
            earliest: "2026-11-21".into(),
            latest: Some((
                365,
                Day {
                    date: "2027-11-20".into(),
                    text: "20 Nov 2027".into(),
                },
            )),
            empty: EmptyDate::Days(365),
        },
        roles: vec![
            Choice::new("10", "Guest", "10"),
            Choice::new("50", "Owner", "10"),
        ],
        scopes: ScopeOption::offered(&SCOPES.map(|text| text.name), |_| false),
        reach: "acme/platform/services".into(),
        reads_internal: true,
        errors: FormErrors::none(),
    }
}

fn page(kind: TokenKind, rows: Vec<TokenRow>) -> TokenPage {
    TokenPage {
        shell: shell(),
        kind,
        path: PATH.into(),
        created: None,
        replayed: None,
        statistics: Vec::new(),
        csv_href: None,
        calendar_href: None,
        inventory_href: None,
        creation: Creation::Allowed(Box::new(form())),
        filter: TokenFilter::default(),
        active: Loaded::Ready(ActiveTokens {
            count: rows.len().to_string(),
            columns: active_columns(kind, true, "expires_at_asc", |sort| {
                format!("{PATH}?sort={sort}")
            }),
            rows,
            pagination: None,
        }),
        inactive: None,
    }
}

fn html(page: &impl Template) -> String {
    page.render().unwrap()
}

#[test]
fn a_page_of_100_tokens_stays_within_130_kilobytes() {
    let rows = (0..100)
        .map(|id| row(14_711 + id, "a-token-with-a-usual-name"))
        .collect();
    let size = html(&page(TokenKind::Group, rows)).len();
    assert!(size <= 130_000, "{size} bytes");
}

#[test]
fn static_files_stay_within_their_budgets() {
    let css = assets::body("application.css").unwrap().len();
    let js = include_str!("../../../static/application.js").len();
    assert!(css <= 30_000, "{css} bytes of CSS");
    assert!(js <= 20_000, "{js} bytes of script");
}

#[test]
fn text_of_people_is_escaped_wherever_it_is_printed() {
    let nasty = "\"><img src=x onerror=alert(1)>";
    let mut one = row(1, nasty);
    one.description = nasty.into();
    let mut with_form = form();
    with_form.name = nasty.into();
    with_form.description = nasty.into();
    with_form.open = true;
    let mut tokens = page(TokenKind::Group, vec![one]);
    tokens.creation = Creation::Allowed(Box::new(with_form));
    tokens.shell.search = nasty.into();
    tokens
        .shell
        .flashes
        .push(Flash::success(format!("Revoked access token {nasty}.")));
    let revoke = RevokeTokenPage {
        shell: shell(),
        kind: TokenKind::Group,
        path: PATH.into(),
        id: 1,
        name: nasty.into(),
        summary: nasty.into(),
        used_lately: false,
        is_old_value: false,
        old_values_until: None,
    };
    for printed in [html(&tokens), html(&revoke)] {
        assert!(!printed.contains("<img"), "{printed}");
        assert!(
            printed.contains("onerror"),
            "the text is gone instead of escaped"
        );
    }
}

#[test]
fn nothing_is_inline() {
    let sign_in = SignInPage {
        shell: Shell::bare("Sign in", assets()),
        login: String::new(),
        remember_me: false,
        redirect_to: String::new(),
        failure: Some("Invalid login or password.".into()),
        needs_setup: true,
        may_sign_up: true,
    };
    let mut tokens = page(TokenKind::Group, vec![row(1, "one")]);
    tokens.created = Some(OneTimeToken {
        value: "glpat-value".into(),
        rotated: false,
        name: "one".into(),
        summary: "Guest".into(),
        examples: vec![Snippet {
            label: "API".into(),
            text: "curl".into(),
        }],
    });
    for printed in [
        html(&tokens),
        html(&sign_in),
        html(&ErrorPage::new(500, "id", assets())),
    ] {
        assert!(!printed.contains(" style="), "an inline style");
        assert!(!printed.contains("<style"), "an inline style sheet");
        assert!(
            !printed.contains(" onclick=") && !printed.contains("javascript:"),
            "an inline handler"
        );
        assert_eq!(printed.matches("<script").count(), 1, "an inline script");
        assert!(
            printed.contains(
                r#"<script src="/assets/application-0123456789abcdef.js" defer></script>"#
            )
        );
    }
}

#[test]
fn the_value_is_printed_only_where_it_was_just_made() {
    let mut tokens = page(TokenKind::Group, vec![row(1, "one")]);
    assert!(!html(&tokens).contains("created-access-token-field"));
    tokens.created = Some(OneTimeToken {
        value: "glpat-value".into(),
        rotated: true,
        name: "one".into(),
        summary: "Guest".into(),
        examples: Vec::new(),
    });
    let printed = html(&tokens);
    assert_eq!(printed.matches("glpat-value").count(), 1);
    assert!(printed.contains("Your rotated group access token"));
}

#[test]
fn every_form_that_changes_something_carries_the_token_of_the_session() {
    let tokens = html(&page(TokenKind::Group, vec![row(1, "one")]));
    let posts = tokens.matches(r#"method="post""#).count();
    assert!(posts >= 3, "{posts} forms");
    assert_eq!(
        posts,
        tokens
            .matches(r#"name="authenticity_token" value="masked""#)
            .count()
    );
}

#[test]
fn creation_that_is_turned_off_leaves_neither_button_nor_form() {
    let mut tokens = page(TokenKind::Project, vec![row(1, "one")]);
    tokens.creation = Creation::Disabled {
        settings_href: None,
    };
    let printed = html(&tokens);
    assert!(printed.contains("Creating project access tokens is turned off for this project."));
    assert!(printed.contains("Existing tokens keep working and can still be managed."));
    assert!(!printed.contains("add-new-token-button") && !printed.contains("create-token-button"));
    assert!(
        !printed.contains("group settings"),
        "a link for those who can't follow it"
    );

    tokens.creation = Creation::Disabled {
        settings_href: Some("/groups/acme/-/edit".into()),
    };
    assert!(html(&tokens).contains(r#"<a href="/groups/acme/-/edit">group settings</a>"#));
}

#[test]
fn each_kind_speaks_of_itself() {
    for (kind, empty, button, field) in [
        (
            TokenKind::Group,
            "This group has no active access tokens.",
            "Create group access token",
            "resource_access_token[name]",
        ),
        (
            TokenKind::Project,
            "This project has no active access tokens.",
            "Create project access token",
            "resource_access_token[name]",
        ),
        (
            TokenKind::Personal,
            "You have no active access tokens.",
            "Create personal access token",
            "personal_access_token[name]",
        ),
    ] {
        let printed = html(&page(kind, Vec::new()));
        for text in [empty, button, field] {
            assert!(printed.contains(text), "{text}");
        }
        assert_eq!(printed.contains("access-token-role-field"), kind.has_role());
    }
}

#[test]
fn a_token_without_a_member_says_so_and_can_be_revoked() {
    let mut one = row(7, "orphan");
    one.role = None;
    one.can_rotate = false;
    let printed = html(&page(TokenKind::Group, vec![one]));
    assert!(printed.contains("Not a member"));
    assert!(printed.contains(&format!(r#"href="{PATH}/7/revoke""#)));
    assert!(!printed.contains("rotate-button"));
}

#[test]
fn errors_are_said_above_the_form_and_under_the_field() {
    let mut with_errors = form();
    with_errors.open = true;
    with_errors.errors.add("name", "Name can't be blank");
    with_errors.errors.add("scopes", "Scopes can't be blank");
    let mut tokens = page(TokenKind::Group, Vec::new());
    tokens.creation = Creation::Allowed(Box::new(with_errors));
    let printed = html(&tokens);
    assert!(printed.contains("The form contains the following errors:"));
    assert!(
        printed.contains(r##"<a href="#resource_access_token_name">Name can&#39;t be blank</a>"##)
    );
    assert!(printed.contains(
        r#"aria-invalid="true" aria-describedby="resource_access_token_name_help resource_access_token_name_error""#
    ));
    assert!(printed.contains(r#"id="resource_access_token_name_error""#));
    assert!(printed.contains(r#"id="resource_access_token_scopes_error""#));
}

#[test]
fn one_error_is_headed_in_the_singular() {
    assert_eq!(
        FormErrors::about_form("No").heading(),
        "The form contains the following error:"
    );
}

#[test]
fn a_second_click_on_a_column_turns_the_order_round() {
    let href = |sort: &str| sort.to_owned();
    let ascending = Column::sortable("Expires", "expires_at", "expires_at_asc", &href);
    assert_eq!(ascending.order.map(SortOrder::value), Some("ascending"));
    assert_eq!(ascending.href.as_deref(), Some("expires_at_desc"));
    let descending = Column::sortable("Expires", "expires_at", "expires_at_desc", &href);
    assert_eq!(descending.order.map(SortOrder::value), Some("descending"));
    assert_eq!(descending.href.as_deref(), Some("expires_at_asc"));
    let other = Column::sortable("Name", "name", "expires_at_asc", &href);
    assert!(other.order.is_none());
    assert_eq!(other.href.as_deref(), Some("name_asc"));
}

#[test]
fn pages_far_from_the_current_one_are_left_out() {
    let foot = Pagination::new("Active tokens", "", 7, Some(13), false, |page| {
        page.to_string()
    });
    let labels: Vec<_> = foot.pages.iter().map(|page| page.label.as_str()).collect();
    assert_eq!(labels, ["1", "…", "5", "6", "7", "8", "9", "…", "13"]);
    assert_eq!(
        (foot.previous.as_deref(), foot.next.as_deref()),
        (Some("6"), Some("8"))
    );
}

#[test]
fn the_last_page_has_no_next_one_even_if_nobody_counted() {
    let more = Pagination::new("Active tokens", "", 3, None, true, |page| page.to_string());
    assert_eq!(more.next.as_deref(), Some("4"));
    let last = Pagination::new("Active tokens", "", 4, None, false, |page| page.to_string());
    assert!(last.next.is_none());
}

#[test]
fn navigation_offers_only_what_may_be_used() {
    let labels = |rights| {
        let sidebar = Sidebar::group("Acme", "acme", rights, Place::Overview);
        sidebar
            .items
            .iter()
            .map(|item| item.label)
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(Rights::default()), ["Overview"]);
    assert_eq!(
        labels(Rights {
            members: true,
            ..Rights::default()
        }),
        ["Overview", "Members"]
    );
    assert_eq!(
        labels(Rights {
            access_tokens: true,
            ..Rights::default()
        }),
        ["Overview", "Settings"]
    );
}

#[test]
fn an_error_page_needs_nothing_but_its_status() {
    for status in [400, 403, 404, 413, 418, 422, 429, 500, 502, 503] {
        let printed = html(&ErrorPage::new(status, "01JD3WQ8Z7", assets()));
        assert!(
            printed.contains(r#"<code data-testid="request-id">01JD3WQ8Z7</code>"#),
            "{status}"
        );
        assert_eq!(printed.matches("<h1>").count(), 1, "{status}");
    }
}

#[test]
fn an_unknown_theme_follows_the_system() {
    assert_eq!(Theme::parse("purple").value(), "auto");
    assert_eq!(Theme::parse("dark").value(), "dark");
}
