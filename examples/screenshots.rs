//! Takes a picture of every page: `cargo run --example screenshots -- --dir DIR`.

// A program for whoever works on the pages: it fails loudly, and says what it does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]

#[path = "../tests/pages/mod.rs"]
mod pages;
#[path = "../tests/support/mod.rs"]
mod support;

use std::{fmt::Write as _, fs, path::PathBuf};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::Parser;
use pages::{Look, PAGES, Page, Site};
use serde_json::json;
use support::{browser::Browser, server::runtime};

/// Writes a picture of every page, wide and narrow, light and dark, and an index.html to look at them all.
#[derive(Parser)]
struct Options {
    /// Where they are written to.
    #[arg(long, default_value = "target/screenshots")]
    dir: PathBuf,
    /// Only pages whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

const WIDTHS: [u32; 2] = [1280, 390];
const THEMES: [&str; 2] = ["light", "dark"];

fn main() {
    let options = Options::parse();
    fs::create_dir_all(&options.dir).expect("the folder can be made");
    let pages: Vec<&Page> = PAGES
        .iter()
        .filter(|page| page.name.contains(&options.only))
        .collect();
    runtime().block_on(async {
        let Some(browser) = Browser::start().await else {
            return;
        };
        let Some(site) = Site::open().await else {
            return;
        };
        let look = Look::new(&browser, &site).await;
        for page in &pages {
            for width in WIDTHS {
                look.width(width, 800).await;
                look.open(page).await;
                let height = look
                    .ask("return document.documentElement.scrollHeight", Vec::new())
                    .await;
                // What lies over the page, and a menu, has no place in a window as high as the page.
                let whole = height.as_u64().unwrap_or(800).clamp(800, 6_000);
                look.width(
                    width,
                    if page.clicks.is_empty() {
                        whole as u32
                    } else {
                        800
                    },
                )
                .await;
                for theme in THEMES {
                    look.theme(theme).await;
                    let taken = browser
                        .devtools("Page.captureScreenshot", json!({ "format": "png" }))
                        .await;
                    let picture = BASE64_STANDARD
                        .decode(taken["data"].as_str().unwrap_or_default())
                        .expect("a picture");
                    fs::write(options.dir.join(file(page, width, theme)), picture).unwrap();
                }
            }
        }
        fs::write(options.dir.join("index.html"), index(&pages)).unwrap();
        let (count, place) = (pages.len() * 4, options.dir.join("index.html"));
        println!("{count} pictures: {}", place.display());
    });
}

fn file(page: &Page, width: u32, theme: &str) -> String {
    format!("{}-{width}-{theme}.png", page.name)
}

fn index(pages: &[&Page]) -> String {
    let mut html = String::from(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Every page</title>\n\
         <style>body { font: 14px sans-serif; margin: 24px; background: #888 } \
         div { display: flex; gap: 12px; align-items: start } img { max-height: 80vh; max-width: 40vw }</style>\n\
         <h1>Every page</h1>\n",
    );
    for page in pages {
        let _ = writeln!(html, "<h2 id=\"{0}\">{0}</h2>\n<div>", page.name);
        for width in WIDTHS {
            for theme in THEMES {
                let file = file(page, width, theme);
                let _ = writeln!(
                    html,
                    "<a href=\"{file}\"><img src=\"{file}\" alt=\"{width} px, {theme}\" loading=\"lazy\"></a>"
                );
            }
        }
        html.push_str("</div>\n");
    }
    html + "</html>\n"
}
