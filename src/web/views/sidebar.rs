//! The navigation at the left: which entries there are in each context, in which order, with which words.

/// The navigation of one context.
#[derive(Clone, Default)]
pub struct Sidebar {
    /// What the navigation is called to those who can't see it: `Group`, `Project`, `Your work`, `Account`, `Admin`.
    pub label: &'static str,
    /// The group or project it belongs to.
    pub context: Option<Context>,
    /// Its entries; what the person may not use is absent.
    pub items: Vec<NavItem>,
}

/// The group or project that the navigation belongs to.
#[derive(Clone)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Its overview.
    pub href: String,
}

impl Context {
    /// The letter of the avatar.
    pub fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// One entry, maybe with entries below.
#[derive(Clone)]
pub struct NavItem {
    /// Its text.
    pub label: &'static str,
    /// Where it leads; unused if it has children.
    pub href: String,
    /// Its symbol in the sprite.
    pub icon: &'static str,
    /// Whether it is the page shown.
    pub current: bool,
    /// Entries below it.
    pub children: Vec<NavItem>,
}

impl NavItem {
    fn new(
        label: &'static str,
        icon: &'static str,
        href: impl Into<String>,
        current: bool,
    ) -> Self {
        Self {
            label,
            href: href.into(),
            icon,
            current,
            children: Vec::new(),
        }
    }

    /// Whether the page shown is below this entry.
    pub fn is_open(&self) -> bool {
        self.children.iter().any(|child| child.current)
    }
}

/// The entry to mark as the page shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Overview of a group, a project or the instance.
    Overview,
    /// Members of a group or project.
    Members,
    /// Code, Files of a project.
    Files,
    /// Code, Commits of a project.
    Commits,
    /// Code, Branches of a project.
    Branches,
    /// Code, Tags of a project.
    Tags,
    /// Settings, General.
    General,
    /// Settings, Access tokens; for a person, Personal access tokens.
    AccessTokens,
    /// Settings, Webhooks of a group.
    Webhooks,
    /// Settings, Token inventory of a top-level group.
    TokenInventory,
    /// Audit events of a group.
    AuditEvents,
    /// Account, Profile.
    Profile,
    /// Account, Password.
    Password,
    /// Account, Active sessions.
    Sessions,
    /// Account, Notifications.
    Notifications,
    /// Account, Preferences.
    Preferences,
    /// The start page of somebody signed in.
    Home,
    /// A person's groups; in the admin area all of them.
    Groups,
    /// A person's projects; in the admin area all of them.
    Projects,
    /// Groups that everybody may see.
    Explore,
    /// Help.
    Help,
    /// The users of the instance.
    Users,
    /// Mail and jobs of the instance.
    Jobs,
    /// All tokens of the instance.
    Credentials,
    /// The audit log of the instance.
    AuditLog,
    /// A page without an entry.
    Elsewhere,
}

/// Which entries of a group or project the person may use.
#[derive(Clone, Copy, Default)]
pub struct Rights {
    /// The member list.
    pub members: bool,
    /// Settings, General.
    pub general: bool,
    /// Settings, Access tokens.
    pub access_tokens: bool,
    /// Settings, Webhooks; of groups only.
    pub webhooks: bool,
    /// Settings, Token inventory; of top-level groups only.
    pub token_inventory: bool,
    /// Audit events; of groups only.
    pub audit_events: bool,
    /// Code; of projects only.
    pub code: bool,
}

impl Sidebar {
    /// The navigation of a group.
    pub fn group(name: &str, full_path: &str, rights: Rights, place: Place) -> Self {
        let about = format!("/groups/{full_path}/-");
        let mut items = resource_items(
            format!("/{full_path}"),
            format!("{about}/group_members"),
            format!("{about}/edit"),
            format!("{about}/settings/access_tokens"),
            [
                (
                    rights.token_inventory,
                    "Token inventory",
                    "token_inventory",
                    Place::TokenInventory,
                ),
                (rights.webhooks, "Webhooks", "hooks", Place::Webhooks),
            ]
            .into_iter()
            .filter(|(offered, ..)| *offered)
            .map(|(_, label, page, here)| {
                NavItem::new(label, "", format!("{about}/{page}"), place == here)
            })
            .collect(),
            rights,
            place,
        );
        if rights.audit_events {
            // Before the settings, if there are any.
            let at = items.iter().position(|item| item.label == "Settings");
            let events = NavItem::new(
                "Audit events",
                "book",
                format!("{about}/audit_events"),
                place == Place::AuditEvents,
            );
            items.insert(at.unwrap_or(items.len()), events);
        }
        Self {
            label: "Group",
            context: Some(Context {
                name: name.into(),
                href: format!("/{full_path}"),
            }),
            items,
        }
    }

    /// The navigation of a project.
    pub fn project(name: &str, full_path: &str, rights: Rights, place: Place) -> Self {
        let about = format!("/{full_path}/-");
        let mut items = resource_items(
            format!("/{full_path}"),
            format!("{about}/project_members"),
            format!("{about}/edit"),
            format!("{about}/settings/access_tokens"),
            Vec::new(),
            rights,
            place,
        );
        if rights.code {
            let code = NavItem {
                children: [
                    ("Files", "tree", Place::Files),
                    ("Commits", "commits", Place::Commits),
                    ("Branches", "branches", Place::Branches),
                    ("Tags", "tags", Place::Tags),
                ]
                .into_iter()
                .map(|(label, page, here)| {
                    NavItem::new(label, "", format!("{about}/{page}"), place == here)
                })
                .collect(),
                ..NavItem::new("Code", "branch", "", false)
            };
            // Behind the overview.
            items.insert(1, code);
        }
        Self {
            label: "Project",
            context: Some(Context {
                name: name.into(),
                href: format!("/{full_path}"),
            }),
            items,
        }
    }

    /// The navigation outside of groups and projects, for somebody signed in.
    pub fn your_work(place: Place) -> Self {
        Self {
            label: "Your work",
            context: None,
            items: vec![
                NavItem::new("Home", "home", "/", place == Place::Home),
                NavItem::new(
                    "Groups",
                    "group",
                    "/dashboard/groups",
                    place == Place::Groups,
                ),
                NavItem::new(
                    "Projects",
                    "project",
                    "/dashboard/projects",
                    place == Place::Projects,
                ),
                NavItem::new(
                    "Explore groups",
                    "public",
                    "/explore/groups",
                    place == Place::Explore,
                ),
            ],
        }
    }

    /// The navigation for somebody who is not signed in.
    pub fn explore(place: Place) -> Self {
        Self {
            label: "Explore",
            context: None,
            items: vec![
                NavItem::new(
                    "Explore groups",
                    "public",
                    "/explore/groups",
                    place == Place::Explore,
                ),
                NavItem::new("Help", "help", "/help", place == Place::Help),
            ],
        }
    }

    /// The navigation of a person's own settings.
    pub fn account(place: Place) -> Self {
        const USER_SETTINGS: &str = "/-/user_settings";
        let item = |label, icon, href: String, here| NavItem::new(label, icon, href, place == here);
        Self {
            label: "Account",
            context: None,
            items: vec![
                item(
                    "Profile",
                    "user",
                    format!("{USER_SETTINGS}/profile"),
                    Place::Profile,
                ),
                item(
                    "Password",
                    "private",
                    format!("{USER_SETTINGS}/password/edit"),
                    Place::Password,
                ),
                item(
                    "Active sessions",
                    "clock",
                    format!("{USER_SETTINGS}/active_sessions"),
                    Place::Sessions,
                ),
                item(
                    "Personal access tokens",
                    "key",
                    format!("{USER_SETTINGS}/personal_access_tokens"),
                    Place::AccessTokens,
                ),
                item(
                    "Notifications",
                    "bell",
                    "/-/profile/notifications".to_owned(),
                    Place::Notifications,
                ),
                item(
                    "Preferences",
                    "settings",
                    "/-/profile/preferences".to_owned(),
                    Place::Preferences,
                ),
            ],
        }
    }

    /// The navigation of the admin area.
    pub fn admin(place: Place) -> Self {
        Self {
            label: "Admin",
            context: None,
            items: vec![
                NavItem::new("Overview", "shield", "/admin", place == Place::Overview),
                NavItem::new("Users", "user", "/admin/users", place == Place::Users),
                NavItem::new("Groups", "group", "/admin/groups", place == Place::Groups),
                NavItem::new(
                    "Projects",
                    "project",
                    "/admin/projects",
                    place == Place::Projects,
                ),
                NavItem::new(
                    "Credentials",
                    "key",
                    "/admin/credentials",
                    place == Place::Credentials,
                ),
                NavItem::new(
                    "Audit log",
                    "book",
                    "/admin/audit_logs",
                    place == Place::AuditLog,
                ),
                NavItem::new(
                    "Mail and jobs",
                    "clock",
                    "/admin/background_jobs",
                    place == Place::Jobs,
                ),
                NavItem {
                    children: vec![NavItem::new(
                        "General",
                        "",
                        "/admin/application_settings/general",
                        place == Place::General,
                    )],
                    ..NavItem::new("Settings", "settings", "", false)
                },
            ],
        }
    }
}

fn resource_items(
    overview: String,
    members: String,
    general: String,
    access_tokens: String,
    more_settings: Vec<NavItem>,
    rights: Rights,
    place: Place,
) -> Vec<NavItem> {
    let mut items = vec![NavItem::new(
        "Overview",
        "home",
        overview,
        place == Place::Overview,
    )];
    if rights.members {
        items.push(NavItem::new(
            "Members",
            "members",
            members,
            place == Place::Members,
        ));
    }
    let mut settings = NavItem::new("Settings", "settings", "", false);
    if rights.general {
        settings.children.push(NavItem::new(
            "General",
            "",
            general,
            place == Place::General,
        ));
    }
    if rights.access_tokens {
        settings.children.push(NavItem::new(
            "Access tokens",
            "",
            access_tokens,
            place == Place::AccessTokens,
        ));
    }
    settings.children.extend(more_settings);
    if !settings.children.is_empty() {
        items.push(settings);
    }
    items
}

/// The first letter of a name, for avatars.
pub fn initial(name: &str) -> String {
    name.chars()
        .find(|letter| letter.is_alphanumeric())
        .map_or_else(|| "?".into(), |letter| letter.to_string())
}
