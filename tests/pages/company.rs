//! The demo's company, and beside it what makes pages look bad: names without a space, much and nothing, failures.

use std::collections::BTreeMap;

use latchkey::{
    access_tokens::scope::Scope, demo, groups, jobs::Job, members::AccessLevel, projects, users,
    users::create::new_setup_link,
};
use serde_json::{Value, json};

use super::{Page, Viewer, list::KEPT};
use crate::support::{
    Answer, Form, GitClient, Person, Receiver, Storage, TestGroup, TestProject, TestResource,
    TestServer, Visitor, link_in, webhooks::Reply,
};

/// A server with the company on it, one that nobody has set up, and a browser for each who looks.
pub struct Site {
    /// The company's server.
    pub server: TestServer,
    fresh: TestServer,
    names: BTreeMap<&'static str, String>,
    visitors: BTreeMap<Viewer, Visitor>,
}

/// The longest name without a place to break it.
fn long() -> String {
    let word = "Donaudampfschifffahrtsgesellschaftskapitaen";
    word.chars().cycle().take(255).collect()
}

/// What people write into READMEs.
const README: &str = "# Field guide\n\nHow we **write**, ~~break~~ mend and `ship`. See [errors](docs/errors.md).\n\n\
    ![The logo](logo.png)\n\n## What is where\n\n\
    | Service | Owner | Runs on | Alerts go to | Since |\n|---|---|---|---:|---:|\n\
    | checkout | Payments | three nodes in two places | #payments-alerts | 2019 |\n\
    | ledger-core-with-a-long-name | Ledger | one node | #ledger-alerts-and-what-else-there-is | 2021 |\n\n\
    ### Begin\n\n1. Clone it\n2. Read this\n   - all of it\n   - again\n\n- [x] written\n- [ ] read\n\n\
    > Measure twice, cut once.\n\n```sh\ncurl --header \"PRIVATE-TOKEN: $TOKEN\" \"https://latchkey.example/api/v4/groups/acme/access_tokens?per_page=100\"\n```\n\n\
    ---\n\nThe end.[^1]\n\n[^1]: For now.\n";

const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGNQSDhAEmIY1TCqYfhqAAB/t0AQz57WYAAAAABJRU5ErkJggg==";

impl Site {
    /// Founds the company; nothing where Git isn't installed, which is said aloud.
    pub async fn open() -> Option<Site> {
        GitClient::new()?;
        let server = TestServer::on(Storage::sqlite());
        let app = server.app.clone();
        tokio::task::spawn_blocking(move || demo::fill(&app))
            .await
            .unwrap()
            .expect("the demo's company is founded");
        let fresh = TestServer::on(Storage::sqlite());
        let mut site = Site {
            names: BTreeMap::new(),
            visitors: BTreeMap::new(),
            server,
            fresh,
        };
        site.furnish().await;
        site.write_code().await;
        site.send_links().await;
        site.let_in().await;
        Some(site)
    }

    /// Where a page is.
    pub fn url(&self, page: &Page) -> String {
        format!("{}{}", self.server_of(page.viewer).url, self.path(page))
    }

    /// The path of a page, with everything in it that the list leaves open.
    pub fn path(&self, page: &Page) -> String {
        let mut path = page.path.to_owned();
        for (name, value) in &self.names {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        assert!(!path.contains('{'), "{}: what is {path}?", page.name);
        path
    }

    /// What the server answers, without a browser.
    pub async fn answer(&self, page: &Page) -> Answer {
        let visitor = &self.visitors[&page.viewer];
        let opened = visitor.get(&self.path(page)).await;
        let Some((first, _)) = page.sent.first() else {
            return opened;
        };
        let found = opened
            .page()
            .forms()
            .into_iter()
            .find(|form| form.has(first));
        let form = found.unwrap_or_else(|| panic!("{}: no form has {first}", page.name));
        let filled = page.sent.iter().filter(|(_, value)| *value != KEPT);
        let form = filled.fold(form, |form: Form, (name, value)| form.fill(name, value));
        visitor.submit(&form).await
    }

    /// How many queries it costs to look at a page that somebody has looked at before.
    pub async fn cost(&self, page: &Page) -> u64 {
        let (visitor, path) = (&self.visitors[&page.viewer], self.path(page));
        visitor.get(&path).await;
        let counters = self.server_of(page.viewer).app.db.counters();
        let before = counters.queries();
        visitor.get(&path).await;
        counters.queries() - before
    }

    /// The cookies of somebody who looks.
    pub fn cookies(&self, viewer: Viewer) -> BTreeMap<String, String> {
        self.visitors[&viewer].cookies()
    }

    fn server_of(&self, viewer: Viewer) -> &TestServer {
        match viewer {
            Viewer::Founder => &self.fresh,
            _ => &self.server,
        }
    }

    fn name(&mut self, name: &'static str, value: impl ToString) {
        self.names.insert(name, value.to_string());
    }

    fn person(&self, username: &'static str) -> Person {
        let found = self
            .server
            .arrange(move |conn, _| users::store::find_by_username(conn, username));
        Person {
            server: self.server.clone(),
            user: found.expect("somebody of the demo's"),
        }
    }

    fn group(&self, path: &'static str) -> TestGroup {
        let found = self
            .server
            .arrange(move |conn, _| groups::store::find_by_path(conn, path));
        TestGroup::of(&self.server, found.expect("a group of the demo's"))
    }

    fn project(&self, path: &'static str) -> TestProject {
        let found = self
            .server
            .arrange(move |conn, _| projects::store::find_by_path(conn, path));
        TestProject::of(&self.server, found.expect("a project of the demo's"))
    }

    async fn furnish(&mut self) {
        let server = self.server.clone();
        let (alice, bob, erin) = (
            self.person("alice"),
            self.person("bob"),
            self.person("erin"),
        );
        let acme = self.group("acme");
        let api = self.project("acme/platform/api");
        self.name("acme", acme.id);
        self.name("bob", bob.id);
        self.name("erin", erin.id);
        api.member_until(&erin, AccessLevel::Reporter, &server.days_ahead(12));

        // Names that nothing can break.
        let captain = server.person("captain").named(&long()).create();
        let stream = server
            .group(&long())
            .named(&long())
            .owner(&alice)
            .private()
            .create();
        stream.member(&captain, AccessLevel::Maintainer);
        let ship = stream.project(&long()).named(&long()).create();
        let token = stream
            .token(&long())
            .described(&long())
            .scopes([
                Scope::Api,
                Scope::ReadRepository,
                Scope::WriteRepository,
                Scope::ReadRegistry,
            ])
            .expires(&server.days_ahead(1))
            .made_by(&alice)
            .create();
        let gone = stream.token(&long()).described(&long()).create();
        gone.delete("/personal_access_tokens/self")
            .await
            .expect(204);
        self.name("long", format!("/{}", stream.full_path));
        self.name("long project", format!("/{}", ship.full_path));
        self.name("long token", token.id);
        self.name("long revoked", gone.id);
        self.name("long user", &captain.username);

        // Nothing, much, and what is turned off.
        server.group("empty").owner(&alice).private().create();
        let busy = server.group("busy").owner(&alice).private().create();
        for number in 1..=105 {
            busy.token(&format!("worker {number}")).create();
        }
        let closed = server.group("closed").owner(&alice).private().create();
        closed.token("from before").create();
        closed.allow_creation(false);

        // Tokens that pages are about.
        let token = acme
            .token("preview environments")
            .described("Starts one for each merge request")
            .scopes([Scope::Api])
            .expires(&server.days_ahead(60))
            .made_by(&alice)
            .create();
        let used = [
            acme.token("status page").scopes([Scope::ReadApi]).create(),
            token.clone(),
        ];
        for token in &used {
            token.get("/user").await.expect(200);
        }
        self.name("token", token.id);
        let of_project = api.token("benchmarks").scopes([Scope::ReadApi]).create();
        self.name("project token", of_project.id);
        self.name("own token", alice.personal_token([Scope::ReadApi]).id);

        // A receiver that says yes, and then no.
        server.allow_local_webhooks();
        let receiver = Receiver::start();
        let webhook = acme.webhook("Alerts", &receiver.url("/alerts"));
        webhook.delivery();
        server.deliver_webhooks().await;
        receiver.replies(Reply::Status(500, "no room".into()));
        let delivery = webhook.delivery();
        server.deliver_webhooks().await;
        acme.webhook(&long(), &format!("https://hooks.example.com/{}", long()));
        self.name("webhook", webhook.id);
        self.name("delivery", delivery);

        // People in every state, and somebody who guesses.
        server.person("gone").named("Gil Gone").create().block();
        for _ in 0..5 {
            server
                .visitor()
                .sign_in("mallory", "a guess")
                .await
                .expect(422);
        }
        server.rest().await;
    }

    async fn write_code(&mut self) {
        let bob = self.person("bob").api();
        let guide = self.group("acme").project("field-guide").create();
        let files: [(&str, Value); 4] = [
            ("README.md", json!(README)),
            ("docs%2Ferrors.md", json!("# Errors\n\nThere are none.\n")),
            (
                "long.json",
                json!(format!("{{\"all\": \"{}\"}}\n", long().repeat(4))),
            ),
            ("logo.png", json!(PICTURE)),
        ];
        for (path, content) in files {
            let encoding = if path.ends_with("png") {
                "base64"
            } else {
                "text"
            };
            let body = json!({
                "branch": "main", "commit_message": format!("Write {}", path.replace("%2F", "/")),
                "content": content, "encoding": encoding,
            });
            bob.post(
                &format!("/projects/{}/repository/files/{path}", guide.id),
                body,
            )
            .await
            .expect(201);
        }
        let api = self.project("acme/platform/api");
        let commit = bob
            .get(&format!("/projects/{}/repository/commits/main", api.id))
            .await
            .expect(200)
            .json();
        self.name("commit", commit["id"].as_str().unwrap());

        // A repository that is damaged.
        let broken = self.group("acme").project("broken").create();
        let file = format!("/projects/{}/repository/files/a.md", broken.id);
        let body = json!({ "branch": "main", "commit_message": "Begin", "content": "a\n" });
        bob.post(&file, body).await.expect(201);
        let head = self.server.repository(&broken).join("HEAD");
        std::fs::write(head, "no reference at all").unwrap();
    }

    async fn send_links(&mut self) {
        let server = self.server.clone();
        server.set("signup_enabled", "true");
        let visitor = server.visitor();
        let form = visitor.open("/users/sign_up").await.form("/users/sign_up");
        let form = form
            .fill("user[username]", "nora")
            .fill("user[name]", "Nora Newcomer")
            .fill("user[email]", "nora@acme.example")
            .fill("user[password]", crate::support::PASSWORD);
        visitor.submit(&form).await.expect(200);
        let form = visitor
            .open("/users/password/new")
            .await
            .form("/users/password");
        visitor
            .submit(&form.fill("user[email]", "carol@acme.example"))
            .await
            .expect(200);
        let link = async |address: &str, path: &str| {
            let mails = server.mails_to(address).await;
            let mail = mails.iter().rfind(|mail| mail.contains(path));
            link_in(mail.expect("a mail with a link"), path)
        };
        let confirmation = link("nora@acme.example", "/users/confirmation").await;
        let reset = link("carol@acme.example", "/users/password/edit").await;
        self.name("confirmation", confirmation);
        self.name("reset", reset);
        let setup = self.fresh.arrange(|conn, ctx| {
            let key = ctx.instance.lookup_key.clone();
            new_setup_link(conn, |value| key.digest(value), ctx.now)
        });
        let setup = setup.expect("nobody has set it up").expose().to_owned();
        self.name("setup", format!("/setup?token={setup}"));
        // What the administrator sees waiting.
        server.run_job(Job::ExpiryCheck).await;
    }

    async fn let_in(&mut self) {
        for viewer in Viewer::ALL {
            let visitor = self.server_of(viewer).visitor();
            let username = match viewer {
                Viewer::Nobody | Viewer::Founder => None,
                Viewer::Owner => Some("alice"),
                Viewer::Developer => Some("carol"),
                Viewer::Administrator => Some("root"),
            };
            if let Some(username) = username {
                visitor.sign_in(username, demo::PASSWORD).await.expect(303);
            }
            self.visitors.insert(viewer, visitor);
        }
    }
}
