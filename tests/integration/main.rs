//! The product as programs and browsers meet it: a real server, asked over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// A pattern beside the line that needs it reads better than one far away; these loops are short.
#![allow(clippy::regex_creation_in_loops)]

#[path = "../support/mod.rs"]
mod support;

mod access_token_pages;
mod admin_overview;
mod admin_places;
mod admin_users;
mod architecture;
mod audit_log;
mod browser_sessions;
mod carriers;
mod clients;
mod concurrency;
mod console;
mod counting;
mod crowd;
mod deletions;
mod errors;
mod exactly_once;
mod expiry;
mod expiry_check;
mod export;
mod group_access_tokens;
mod group_pages;
mod groups;
mod groups_api;
mod growth;
mod hardening;
mod headers;
mod idempotency;
mod import;
mod injection;
mod instance_settings;
mod jobs;
mod keyset;
mod legacy_expiry;
mod lifetime_enforcement;
mod mail;
mod matrix;
mod member_pages;
mod members;
mod members_api;
mod metrics;
mod migrations;
mod notification_settings;
mod notify_inherited;
mod odd_requests;
mod offering;
mod openapi;
mod operations;
mod pagination;
mod password_reset;
mod permissions;
mod personal_access_tokens;
mod personal_tokens_api;
mod plans;
mod project_access_tokens;
mod projects;
mod projects_api;
mod races;
mod scopes;
mod search;
mod secrecy;
mod settings_pages;
mod sign_up;
mod transfers;
mod unhealthy;
mod unused_tokens;
mod user_administration;
mod users;
mod users_api;
mod webhooks;
