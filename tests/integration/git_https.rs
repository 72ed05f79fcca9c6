//! Git over HTTPS: who may clone and push, what the real program makes of it, and what it costs the server.

use latchkey::access_tokens::scope::Scope;
use latchkey::members::AccessLevel;
use reqwest::{Method, RequestBuilder};

use crate::support::{
    Answer, Company, GitClient, TestProject, TestResource, TestServer, TestToken, git::Outcome,
};

mod breaking_off;
mod cloning;
mod contents;
mod credentials;
mod keeping;
mod lasting;
mod leaks;
mod limits;
mod outcomes;
mod paths;
mod protected;
mod pushing;
mod requests;
mod searching;
mod slowness;
mod visibility;

/// What is asked of a repository: cloning and fetching, or pushing.
const PULL: &str = "git-upload-pack";
const PUSH: &str = "git-receive-pack";

/// A user name and a password, if any.
type Login<'a> = Option<(&'a str, &'a str)>;

/// The company, whose project `acme/p1` has a repository with something in it.
struct Scene {
    git: GitClient,
    company: Company,
    /// Maintainer of acme.
    maintainer: TestToken,
    /// Developer of acme.
    developer: TestToken,
    /// The commit that `main` points to: two are there.
    main: String,
    /// The commit that `work` points to, one after that.
    work: String,
}

impl Scene {
    /// Or `None` where Git isn't installed.
    fn on(server: &TestServer) -> Option<Scene> {
        let git = GitClient::new()?;
        let company = Company::on(server);
        let token = |name: &str, level| company.acme.token(name).role(level).create();
        let maintainer = token("maintainer", AccessLevel::Maintainer);
        let developer = token("developer", AccessLevel::Developer);
        let tree = git.init("first");
        tree.commit_file("README.md", "# P1\n");
        let main = tree.commit_file("src/deep/file.txt", "text\n");
        tree.done(["tag", "-a", "v1", "-m", "The first"]);
        tree.done(["checkout", "--quiet", "-b", "work"]);
        let work = tree.commit_file("work.txt", "in progress\n");
        let url = company.p1.url_for(&maintainer);
        tree.run(["push", "--quiet", &url, "main", "work", "v1"])
            .succeeded();
        Some(Scene {
            git,
            company,
            maintainer,
            developer,
            main,
            work,
        })
    }

    /// The project with the repository.
    fn project(&self) -> &TestProject {
        &self.company.p1
    }

    /// Its address for the Maintainer.
    fn url(&self) -> String {
        self.project().url_for(&self.maintainer)
    }

    /// Its address for the Developer.
    fn developers_url(&self) -> String {
        self.project().url_for(&self.developer)
    }

    /// All references on the server.
    #[track_caller]
    fn references(&self) -> Vec<String> {
        self.git.ls_remote(&self.url())
    }

    /// The commit that a branch on the server points to.
    #[track_caller]
    fn branch(&self, name: &str) -> Option<String> {
        let suffix = format!("\trefs/heads/{name}");
        self.references()
            .iter()
            .find_map(|line| line.strip_suffix(&suffix).map(str::to_owned))
    }

    /// The push is refused, with these words on the terminal, and changes nothing at all.
    #[track_caller]
    fn nothing_comes_of(&self, words: &str, push: impl FnOnce() -> Outcome) {
        let server = self.project().server();
        let trail =
            |server: &TestServer| server.count("audit_events", "event = 'repository_pushed'");
        let (before, events) = (self.references(), trail(server));
        push().refused_with(words);
        assert_eq!(self.references(), before);
        assert_eq!(trail(server), events);
    }
}

/// A request for a path below the server, as a program of Git makes it.
fn request(server: &TestServer, method: Method, path: &str, login: Login<'_>) -> RequestBuilder {
    let request = server.request(method, path);
    match login {
        Some((user, password)) => request.basic_auth(user, Some(password)),
        None => request,
    }
}

/// The first request of each clone, fetch and push.
async fn asked(server: &TestServer, path: &str, service: &str, login: Login<'_>) -> Answer {
    let path = format!("/{path}.git/info/refs?service={service}");
    Answer::to(request(server, Method::GET, &path, login)).await
}

/// The second one; what it says is that there is nothing to do.
async fn posted(server: &TestServer, path: &str, service: &str, login: Login<'_>) -> Answer {
    let request = request(
        server,
        Method::POST,
        &format!("/{path}.git/{service}"),
        login,
    )
    .header("content-type", format!("application/x-{service}-request"))
    .body("0000");
    Answer::to(request).await
}

/// The status that both requests get: the first must not promise what the second doesn't keep.
async fn status(server: &TestServer, path: &str, service: &str, login: Login<'_>) -> u16 {
    let first = asked(server, path, service, login).await;
    let second = posted(server, path, service, login).await;
    let what = format!("{path} {service} {login:?}");
    assert_eq!(first.status, second.status, "{what}: {}", second.text());
    if first.status != 200 {
        assert_eq!(first.text(), second.text(), "{what}");
        is_plain(&first, &what);
        is_plain(&second, &what);
    }
    first.status
}

/// The status of a pull and that of a push.
async fn both(server: &TestServer, path: &str, login: Login<'_>) -> (u16, u16) {
    (
        status(server, path, PULL, login).await,
        status(server, path, PUSH, login).await,
    )
}

/// As [`both`], for whoever has this token.
async fn with(server: &TestServer, path: &str, token: &TestToken) -> (u16, u16) {
    both(server, path, Some(("x", &token.value))).await
}

/// A refusal that Git shows to the person: it shows plain text alone.
#[track_caller]
fn is_plain(answer: &Answer, what: &str) {
    let kind = answer.header("content-type");
    assert!(kind.starts_with("text/plain"), "{what}: {kind:?}");
    assert!(!answer.text().trim().is_empty(), "{what}: says nothing");
    if answer.status == 401 {
        let challenge = answer.all("www-authenticate");
        assert_eq!(challenge, ["Basic realm=\"Latchkey\""], "{what}");
    }
}

/// Every scope that a group's token may have, whether it pulls, and whether it pushes.
const SCOPES: [(Scope, bool, bool); 11] = [
    (Scope::Api, true, true),
    (Scope::ReadApi, true, false),
    (Scope::ReadRegistry, false, false),
    (Scope::WriteRegistry, false, false),
    (Scope::ReadRepository, true, false),
    (Scope::WriteRepository, true, true),
    (Scope::CreateRunner, false, false),
    (Scope::ManageRunner, false, false),
    (Scope::AiFeatures, false, false),
    (Scope::K8sProxy, false, false),
    (Scope::SelfRotate, false, false),
];
