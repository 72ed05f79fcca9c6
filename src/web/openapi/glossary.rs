//! What parameters mean: one name means one thing, but for a few that depend on where they stand.

use crate::settings::Setting;

/// The part of the API that a path belongs to.
pub fn section(path: &str) -> &'static str {
    let first = path.split('/').nth(1).unwrap_or_default();
    match first {
        "groups" if path.contains("/access_tokens") => "Group access tokens",
        "projects" if path.contains("/access_tokens") => "Project access tokens",
        "groups" | "projects" if path.contains("/members") => "Members",
        "projects" if path.contains("/repository/") => "Repository",
        "groups" if path.ends_with("/projects") => "Projects",
        "groups" => "Groups",
        "projects" => "Projects",
        "personal_access_tokens" => "Personal access tokens",
        "user" | "users" if path.contains("/personal_access_tokens") => "Personal access tokens",
        "user" | "users" => "Users",
        _ => "Instance",
    }
}

/// What a parameter means at this path; empty for one that nobody has explained.
pub fn explained(path: &str, name: &str) -> &'static str {
    let section = section(path);
    match (name, section) {
        ("id", _) if path.starts_with("/groups") => {
            "The group: its id, or its full path with `%2F` for each slash."
        }
        ("id", _) if path.starts_with("/projects") => {
            "The project: its id, or its full path with `%2F` for each slash."
        }
        ("id", "Users") => "The user's id.",
        ("id", _) => "The token's id.",
        ("search", "Repository") => {
            "The name contains this; `^` in front is its beginning, `$` behind its end."
        }
        ("search", "Users") => "The name or the user name contains this.",
        ("search", "Groups") => "The name or the path contains this.",
        ("search", "Projects") => "The name, the path or the description contains this.",
        ("search", _) => {
            "Each of these words is in the name; a word of one or two characters is the whole name."
        }
        ("name", "Groups") => "The name, as shown.",
        ("name", "Projects") => "The name, as shown; it follows from the path if it isn't given.",
        ("name", "Users") => "The name, as shown.",
        ("name", _) => "What the token is called. All members can see it.",
        ("path", "Repository") => "Only what lies at this path.",
        ("path", _) => "The last part of the address.",
        ("description", "Groups" | "Projects") if path.contains('{') => {
            "What it is for; an empty text takes it away."
        }
        ("sort", "Groups" | "Projects" | "Repository") => "Smallest or largest first.",
        ("sort", _) => {
            "`created_asc`, `created_desc`, `expires_asc`, `expires_desc`, `last_used_asc`, `last_used_desc`, `name_asc` or `name_desc`."
        }
        ("access_level", "Members") => {
            "The role: 10 Guest, 15 Planner, 20 Reporter, 30 Developer, 40 Maintainer, 50 Owner. Never above your own."
        }
        ("expires_at", "Members") => {
            "The first day on which the membership no longer counts. When changing a member, an empty text takes the end away, and `null` or nothing leaves it as it is."
        }
        ("user_id", "Personal access tokens") => "The user whose tokens they are.",
        (_, "Repository") => repository(path, name),
        (_, "Instance") => Setting::find(name).map_or("", |setting| setting.help),
        _ => anywhere(name),
    }
}

/// What a parameter means to a repository.
fn repository(path: &str, name: &str) -> &'static str {
    match name {
        "author_email" => "The address of whoever wrote it; the caller's if it isn't given.",
        "author_name" => "The name of whoever wrote it; the caller's if it isn't given.",
        "branch" if path.contains("/files/") => {
            "The branch to commit to. It is made if there is none and `start_branch` says from where, or if the repository is empty."
        }
        "branch" => "The name of the branch; in a path with `%2F` for each slash.",
        "commit_message" => "What the commit is for.",
        "content" => "All of the file, from now on.",
        "encoding" => {
            "How `content` is written: `text`, which it is if nothing is given, or `base64`."
        }
        "file_path" => "Where the file lies, from the top, with `%2F` for each slash.",
        "format" => "What the archive is written as.",
        "last_commit_id" => {
            "The last commit that changed the file, as far as the caller knows; if there is a later one, nothing happens."
        }
        "recursive" => "What lies in folders below too.",
        "ref" => "A branch, a tag or a commit; `HEAD` is the default branch.",
        "ref_name" => {
            "A branch, a tag or a commit to begin at; the default branch if it isn't given."
        }
        "sha" => "A commit, a branch or a tag; the default branch if it isn't given.",
        "since" => "Only commits of this moment or later.",
        "start_branch" => "Where a branch that is made begins.",
        "stats" => "Count the lines that come and go? Yes, if it isn't given.",
        "tag_name" => "The name of the tag, with `%2F` for each slash.",
        "until" => "Only commits of this moment or earlier.",
        _ => anywhere(name),
    }
}

/// What a parameter means wherever it stands.
fn anywhere(name: &str) -> &'static str {
    match name {
        "access_level" => {
            "The role of the bot: 10 Guest, 15 Planner, 20 Reporter, 30 Developer, 40 Maintainer, 50 Owner. 40 if it isn't given, never above your own."
        }
        "active" => "Only those who may act.",
        "admin" => "An administrator?",
        "all_available" => "`false`: only where you are a member.",
        "archived" => "Only archived ones, or only others.",
        "blocked" => "Only those who are blocked.",
        "created_after" => "Made at this moment or later.",
        "created_before" => "Made at this moment or earlier.",
        "cursor" => "Where the page before ended, from its `Link`.",
        "description" => {
            "What it is for. When changing a group or project, an empty text takes it away."
        }
        "email" => {
            "The address. It counts as confirmed, unless the person signed up and never confirmed one: then a link goes there."
        }
        "expires_after" => "With an end on this day or later.",
        "expires_at" => {
            "The day at whose start, in UTC, the token ends. The longest that is allowed if it isn't given; a week for a rotation."
        }
        "expires_before" => "With an end before this day.",
        "external" => "From outside: sees public things and what they are a member of.",
        "grace_period" => {
            "For so many seconds the old value goes on working, up to a week; it can do everything but rotate. 0 if it isn't given: it ends at once."
        }
        "group_id" => "The group to move to; none for the top level.",
        "humans" => "People only.",
        "id_after" => "Only ids above this one.",
        "id_before" => "Only ids below this one.",
        "include_subgroups" => "Those of groups below too.",
        "last_used_after" => "Last used at this moment or later.",
        "last_used_before" => "Last used at this moment or earlier.",
        "lock_resource_access_token_notify_inherited" => {
            "Do groups and projects below have to do the same?"
        }
        "membership" => "Only where you are a member, directly or from above.",
        "min_access_level" => "Only where your role is at least this.",
        "namespace" => "The group or user to move to: its id or its full path.",
        "namespace_id" => "The group or personal namespace; your own if it isn't given.",
        "order_by" => "What the list is sorted by.",
        "owned" => "Only those that you own.",
        "page" => "The number of the page, from 1.",
        "pagination" => "`keyset` for pages that stay put while rows come and go.",
        "parent_id" => "The group that it is in; none for the top level.",
        "password" => "The password, 8 characters at least.",
        "force_random_password" => "`true`: no password; they sign in when one is set.",
        "per_page" => "Rows of a page, 20 if it isn't given, 100 at most.",
        "query" => "The name or the user name contains this.",
        "resource_access_token_creation_allowed" => {
            "May group and project access tokens be made here and below? Of top-level groups only."
        }
        "resource_access_token_notify_inherited" => {
            "Do members of groups above get mails before tokens end, not only direct ones? An empty text: as the group above."
        }
        "revoked" => "Only revoked ones, or only others.",
        "scopes" => "What the token may be used for.",
        "search_namespaces" => "Look in the names of groups too.",
        "simple" => "Only the most important fields.",
        "skip_groups" => "Leave these ids out.",
        "state" => "Only those that work, or only those that don't.",
        "token_id" => "The token's id.",
        "top_level_only" => "Only groups without a parent.",
        "user_id" => "The user's id.",
        "user_ids" => "Only these users.",
        "username" => "The user name.",
        "visibility" => "Who sees it without being a member.",
        "with_projects" => "With its projects, 100 at most.",
        "without_project_bots" => "Leave out the bots of tokens.",
        _ => "",
    }
}
