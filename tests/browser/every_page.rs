//! What holds for every page: nothing in anybody's way, nothing wider than the window, nothing that the policy forbids,
//! and all of it without scripts.

use std::collections::BTreeSet;

use actix_web::{dev::ResourceDef, http::Method};
use fantoccini::Locator;
use latchkey::{server::routes, web::endpoint::Access};
use regex::Regex;
use serde_json::{Value, json};

use crate::{
    pages::{ELSEWHERE, Look, PAGES, Page, Site, Viewer},
    support::{Answer, browser::Browser, clients::Clients, server::runtime},
};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
    object-src 'none'; frame-ancestors 'none'";

/// The most that a page may weigh.
const HEAVIEST: usize = 150_000;

/// Rules of axe-core that are wrong here, each with the reason.
const NOT_OURS: &[(&str, &str)] = &[];

/// What axe-core is asked: everything, or only what depends on the theme.
const LOOK_CLOSELY: &str = "
    const [all, off, done] = arguments;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const runOnly = all ? { type: 'tag', values: tags } : { type: 'rule', values: ['color-contrast'] };
    const rules = Object.fromEntries(off.map((name) => [name, { enabled: false }]));
    axe.run(document, { runOnly, rules: all ? rules : {}, resultTypes: ['violations'], preload: false })
        .then((result) => done(result.violations.map((rule) =>
            `${rule.id}: ${rule.help}` + rule.nodes.slice(0, 4).map((node) =>
                `\\n      ${node.target} ${node.html.slice(0, 200)}\\n        ${
                    node.any.concat(node.all, node.none).map((check) => check.message).join('; ')}`).join(''))))
        .catch((error) => done([String(error)]))";

/// What reaches beyond the right edge, and doesn't scroll by itself.
const TOO_WIDE: &str = "
    const room = document.scrollingElement.clientWidth;
    if (document.scrollingElement.scrollWidth <= room) return null;
    const wide = [...document.body.querySelectorAll('*')].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.right > room + .5 && box.width && !one.closest('.sr-only');
    });
    return `${document.scrollingElement.scrollWidth} of ${room} px: ` +
        wide.slice(-3).map((one) => one.outerHTML.slice(0, 120)).join(' | ')";

#[test]
fn every_page_of_the_product_is_in_the_list() {
    let areas = routes::all();
    let (deep, flat): (Vec<_>, Vec<_>) = areas.iter().partition(|area| !area.prefix.is_empty());
    // As the server finds them: an area with a prefix takes what begins with it, the first one that does.
    let route_of = |path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        let within = deep.iter().find_map(|area| {
            let length = ResourceDef::prefix(area.prefix).find_match(path)?;
            Some((vec![*area], &path[length..]))
        });
        let (areas, rest) = within.unwrap_or_else(|| (flat.clone(), path));
        areas.iter().find_map(|area| {
            let found = area.endpoints.iter().find(|endpoint| {
                endpoint.method == Method::GET && ResourceDef::new(endpoint.path).is_match(rest)
            })?;
            Some(format!("{}{}", area.prefix, found.path))
        })
    };
    let listed: BTreeSet<String> = PAGES
        .iter()
        .chain(ELSEWHERE)
        .filter_map(|page| route_of(&filled(page.path)))
        .collect();
    let missing: Vec<String> = areas
        .iter()
        .flat_map(|area| area.endpoints.iter().map(move |endpoint| (area, endpoint)))
        .filter(|(_, endpoint)| {
            endpoint.method == Method::GET && matches!(endpoint.access, Access::Page { .. })
        })
        .map(|(area, endpoint)| format!("{}{}", area.prefix, endpoint.path))
        .filter(|route| !listed.contains(route))
        .collect();
    assert!(
        missing.is_empty(),
        "each needs a line in tests/pages/list.rs: {missing:#?}"
    );
    let names: BTreeSet<&str> = PAGES.iter().map(|page| page.name).collect();
    assert_eq!(names.len(), PAGES.len(), "two pages have the same name");
}

/// A path with something in the places that the company fills.
fn filled(path: &str) -> String {
    match path {
        "{confirmation}" => "/users/confirmation".into(),
        "{reset}" => "/users/password/edit".into(),
        "{setup}" => "/setup".into(),
        _ => Regex::new(r"/?\{[^}]*\}")
            .unwrap()
            .replace_all(path, "/7")
            .into_owned(),
    }
}

#[test]
fn every_page_is_plain_light_and_under_the_policy() {
    runtime().block_on(async {
        let Some(site) = Site::open().await else {
            return;
        };
        let mut wrong = Vec::new();
        for page in PAGES {
            let answer = site.answer(page).await;
            let faults = faults_of(page, &answer);
            wrong.extend(
                faults
                    .into_iter()
                    .map(|what| format!("{}: {what}", page.name)),
            );
        }
        for page in ELSEWHERE {
            let answer = site.answer(page).await;
            assert_eq!(answer.status, page.status, "{}", page.name);
            let kind = answer.header("content-type");
            assert!(!kind.starts_with("text/html"), "{} is a page", page.name);
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}

/// The most queries that a page may cost, that of signing in included.
const DEAREST: u64 = 4;

/// Pages of administrators that gather what is said nowhere else, with what they cost; it doesn't grow with what there is.
const DEARER: &[(&str, u64)] = &[
    ("admin", 25),
    ("admin-credentials", 5),
    ("admin-groups", 7),
    ("admin-groups-none-match", 7),
    ("admin-jobs", 21),
    ("admin-settings", 6),
    ("admin-settings-flags", 6),
    ("admin-user", 9),
    ("admin-user-delete", 7),
    ("admin-user-long-names", 9),
    ("admin-users-bots", 5),
];

#[test]
fn every_page_costs_at_most_four_queries() {
    runtime().block_on(async {
        let Some(site) = Site::open().await else {
            return;
        };
        let mut dear = Vec::new();
        for page in PAGES.iter().filter(|page| page.sent.is_empty()) {
            let cost = site.cost(page).await;
            let known = DEARER.iter().find(|(name, _)| *name == page.name);
            if cost > known.map_or(DEAREST, |(_, cost)| *cost) {
                dear.push(format!("{}: {cost}", page.name));
            }
        }
        assert!(dear.is_empty(), "{dear:#?}");
    });
}

fn faults_of(page: &Page, answer: &Answer) -> Vec<String> {
    let html = answer.text();
    let mut faults = Vec::new();
    if answer.status != page.status {
        faults.push(format!("answers {}", answer.status));
    }
    if answer.header("content-security-policy") != POLICY {
        faults.push("is under another policy".into());
    }
    if html.len() > HEAVIEST {
        faults.push(format!("weighs {} bytes", html.len()));
    }
    if Regex::new(r"<h1[\s>]").unwrap().find_iter(&html).count() != 1 {
        faults.push("has not one h1".into());
    }
    let tags = Regex::new(r#"<[a-z](?:[^>"]|"[^"]*")*>"#).unwrap();
    let value = Regex::new(r#""[^"]*""#).unwrap();
    let inline = Regex::new(r"\s(?:style|on[a-z]+)=|^<style").unwrap();
    for tag in tags.find_iter(&html).map(|tag| tag.as_str()) {
        // What is said in attributes is text.
        let bare = value.replace_all(tag, "");
        if inline.is_match(&bare) || (bare.starts_with("<script") && !bare.contains(" src=")) {
            faults.push(format!("holds {tag}"));
        }
    }
    faults
}

// Two browsers at a time: most of the work is theirs.
#[test]
fn nothing_is_in_the_way_on_any_page_of_an_owner() {
    nothing_is_in_the_way(|page| page.viewer == Viewer::Owner);
}

#[test]
fn nothing_is_in_the_way_on_any_page_of_anybody_else() {
    nothing_is_in_the_way(|page| page.viewer != Viewer::Owner);
}

fn nothing_is_in_the_way(is_wanted: fn(&&Page) -> bool) {
    runtime().block_on(async {
        let Some(browser) = Browser::start().await else {
            return;
        };
        let Some(site) = Site::open().await else {
            return;
        };
        let axe = Clients::installed().map(|clients| clients.axe());
        let look = Look::new(&browser, &site).await;
        let mut wrong = Vec::new();
        let mut pages: Vec<&Page> = PAGES.iter().filter(is_wanted).collect();
        pages.sort_by_key(|page| page.viewer);
        for page in pages {
            look.width(1280, 900).await;
            look.open(page).await;
            let mut note = |place: &str, what: String| {
                wrong.push(format!("{} ({place}): {what}", page.name));
            };
            for complaint in look.complaints().await {
                // A value that nobody has looked at holds on to its page, as it should.
                if complaint.contains("'beforeunload'") {
                    continue;
                }
                note("log", complaint);
            }
            if let Some(axe) = &axe {
                look.ask(axe, Vec::new()).await;
                for (width, theme, all) in [
                    (1280, "light", true),
                    (1280, "dark", false),
                    (390, "dark", true),
                    (390, "light", false),
                ] {
                    look.width(width, 900).await;
                    look.theme(theme).await;
                    let off: Vec<&str> = NOT_OURS.iter().map(|(rule, _)| *rule).collect();
                    let found = look
                        .wait_for(LOOK_CLOSELY, vec![json!(all), json!(off)])
                        .await;
                    for what in found.as_array().into_iter().flatten() {
                        let what = what.as_str().unwrap_or_default().to_owned();
                        note(&format!("{width} px, {theme}"), what);
                    }
                }
            }
            for width in [320, 600, 768, 960, 1280] {
                look.width(width, 900).await;
                if let Value::String(what) = look.ask(TOO_WIDE, Vec::new()).await {
                    note(&format!("{width} px"), what);
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn every_page_can_be_read_without_scripts() {
    runtime().block_on(async {
        let Some(browser) = Browser::start().await else {
            return;
        };
        let Some(site) = Site::open().await else {
            return;
        };
        let look = Look::new(&browser, &site).await;
        let off = json!({ "value": true });
        browser
            .devtools("Emulation.setScriptExecutionDisabled", off)
            .await;
        let mut wrong = Vec::new();
        for page in PAGES.iter().filter(|page| page.clicks.is_empty()) {
            look.arrive(page).await;
            let heading = browser.client().find(Locator::Css("h1")).await.unwrap();
            let main = browser.client().find(Locator::Css("main")).await.unwrap();
            let (heading, main) = (heading.text().await.unwrap(), main.text().await.unwrap());
            let rest = main.replace(&heading, "");
            if heading.is_empty() || rest.trim().len() < 20 {
                wrong.push(format!("{}: {heading:?} and then {rest:?}", page.name));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    });
}
