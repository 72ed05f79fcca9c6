//! What a method and a path ask for: an endpoint of the API, or a service of Git.

use std::sync::LazyLock;

use actix_web::dev::{Path, ResourceDef};
use actix_web::http::Method;

use super::super::routes;
use crate::access_tokens::scope::ScopeNeed;
use crate::git::Service;
use crate::permissions::Right;
use crate::web::api::number;
use crate::web::endpoint::Access;
use crate::web::openapi::BASE;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Request {
    /// An endpoint of the API.
    Api(ApiRequest),
    /// A service of Git on the repository of the project with this full path.
    Git(Service, String),
}

/// Why a method and a path ask for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is no such endpoint.
    Nothing,
    /// They are meant for the server with this name.
    Elsewhere(String),
}

/// An endpoint of the API with what its path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiRequest {
    /// The scope that it takes.
    pub scope: ScopeNeed,
    /// The rights that it exercises.
    pub rights: &'static [Right],
    /// The group or project in its path.
    pub place: Option<Named>,
    /// The user in its path, by id; 0 where something else stands for it.
    pub user_id: Option<i64>,
    /// The token in its path, by id; 0 where something else stands for it.
    pub token_id: Option<i64>,
    /// Does it replace the token that makes the request?
    pub rotates_itself: bool,
    /// Does it replace the token in its path?
    pub rotates: bool,
    /// What it is for, as `Show a group`.
    pub summary: &'static str,
}

/// A group or project as a path names it: by id or full path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    Group(String),
    Project(String),
}

/// An area of the API as requests are compared with it.
struct Area {
    prefix: Option<ResourceDef>,
    endpoints: Vec<Endpoint>,
}

struct Endpoint {
    pattern: ResourceDef,
    method: Method,
    scope: ScopeNeed,
    rights: &'static [Right],
    summary: &'static str,
}

/// The route table's own rows, in its order.
static AREAS: LazyLock<Vec<Area>> = LazyLock::new(|| {
    routes::all()
        .into_iter()
        .filter(|area| area.prefix.starts_with(BASE))
        .map(|area| Area {
            prefix: (area.prefix != BASE).then(|| ResourceDef::prefix(area.prefix)),
            endpoints: area
                .endpoints
                .iter()
                .filter_map(|endpoint| {
                    let Access::Api { scope, rights, .. } = endpoint.access else {
                        return None;
                    };
                    Some(Endpoint {
                        pattern: ResourceDef::new(format!("{}{}", area.prefix, endpoint.path)),
                        method: endpoint.method.clone(),
                        scope,
                        rights,
                        summary: endpoint.about.map_or("", |about| about.summary),
                    })
                })
                .collect(),
        })
        .collect()
});

impl Request {
    /// What this method and path ask for, with or without the address of the instance and `/api/v4` before it. The host
    /// under which whoever asks has reached the instance is its own, too.
    ///
    /// # Errors
    /// [`Unread`] where that is nothing.
    pub(super) fn parse(
        method: &str,
        path: &str,
        external_url: &str,
        reached: Option<&str>,
    ) -> Result<Self, Unread> {
        let path = below(path, external_url, reached)?;
        Self::of(method, path).ok_or(Unread::Nothing)
    }

    fn of(method: &str, path: &str) -> Option<Self> {
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).ok()?;
        let path = path.split('#').next().unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path = format!("/{}", path.trim_start_matches('/'));
        // What one clones from, as it is.
        if let Some(project) = path.strip_suffix(".git")
            && method == Method::GET
        {
            let project = project.trim_matches('/').to_owned();
            return Some(Request::Git(Service::UploadPack, project));
        }
        if let Some((project, rest)) = path.split_once(".git/") {
            let service = service(&method, rest, query)?;
            return Some(Request::Git(service, project.trim_matches('/').to_owned()));
        }
        let path = if path.starts_with(&format!("{BASE}/")) {
            path
        } else {
            format!("{BASE}{path}")
        };
        api(&method, &path).map(Request::Api)
    }
}

/// What stands behind the address of the instance, with or without who signs in in front of it. An instance that is only
/// reached from its own machine has each name of that; one without an address of its own is called as it was reached.
fn below<'a>(text: &'a str, external_url: &str, reached: Option<&str>) -> Result<&'a str, Unread> {
    let Some((scheme, host, path)) = address(text) else {
        return Ok(text);
    };
    let own = address(external_url).map(|(scheme, host, _)| named_server(scheme, host));
    let asked = named_server(scheme, host);
    let here = reached.is_some_and(|host| named_server(scheme, host) == asked);
    if here || own.is_none_or(|own| own == asked) {
        Ok(path)
    } else {
        Err(Unread::Elsewhere(asked))
    }
}

/// Scheme, host with its port, and path of what is an address.
fn address(text: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.chars().all(|letter| letter.is_ascii_alphabetic()) {
        return None;
    }
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    Some((scheme, host, path))
}

/// The one name that a server is compared by.
fn named_server(scheme: &str, host: &str) -> String {
    let host = host.to_ascii_lowercase();
    let port = match scheme.to_ascii_lowercase().as_str() {
        "https" => ":443",
        _ => ":80",
    };
    let host = host.strip_suffix(port).unwrap_or(&host);
    for name in ["127.0.0.1", "[::1]"] {
        match host.strip_prefix(name) {
            Some(port) if port.is_empty() || port.starts_with(':') => {
                return format!("localhost{port}");
            }
            _ => {}
        }
    }
    host.to_owned()
}

fn service(method: &Method, rest: &str, query: &str) -> Option<Service> {
    match (method, rest) {
        (&Method::GET, "info/refs") => query
            .split('&')
            .find_map(|pair| pair.strip_prefix("service="))
            .and_then(Service::parse),
        (&Method::POST, name) => Service::parse(name),
        _ => None,
    }
}

/// The first area that the path lies in has the say, as when a request is served.
fn api(method: &Method, path: &str) -> Option<ApiRequest> {
    let method = if method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    for area in AREAS.iter() {
        let inside = match &area.prefix {
            Some(prefix) => prefix.is_match(path) || prefix.find_match(path).is_some(),
            None => area
                .endpoints
                .iter()
                .any(|endpoint| endpoint.pattern.is_match(path)),
        };
        if !inside {
            continue;
        }
        return area
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.method == *method)
            .find_map(|endpoint| {
                let mut captured = Path::new(path);
                endpoint
                    .pattern
                    .capture_match_info(&mut captured)
                    .then(|| ApiRequest {
                        scope: endpoint.scope,
                        rights: endpoint.rights,
                        place: captured.get("id").and_then(|id| named(path, id)),
                        user_id: captured.get("user_id").map(number),
                        token_id: captured
                            .get("token_id")
                            .or_else(|| captured.get("id").filter(|_| of_tokens(path)))
                            .map(number),
                        rotates_itself: path.ends_with("access_tokens/self/rotate"),
                        rotates: path.ends_with("/rotate"),
                        summary: endpoint.summary,
                    })
            });
    }
    None
}

/// Is the id in this path that of a token?
fn of_tokens(path: &str) -> bool {
    path.strip_prefix(BASE)
        .is_some_and(|rest| rest.starts_with("/personal_access_tokens/"))
}

fn named(path: &str, id: &str) -> Option<Named> {
    let id = percent_encoding::percent_decode_str(id)
        .decode_utf8_lossy()
        .into_owned();
    let rest = path.strip_prefix(BASE)?;
    if rest.starts_with("/groups/") {
        Some(Named::Group(id))
    } else if rest.starts_with("/projects/") {
        Some(Named::Project(id))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://latchkey.example";

    fn place(method: &str, path: &str) -> Option<Named> {
        match Request::parse(method, path, URL, None) {
            Ok(Request::Api(api)) => api.place,
            other => panic!("{method} {path}: {other:?}"),
        }
    }

    #[test]
    fn a_path_is_read_with_and_without_what_stands_before_it() {
        let group = Some(Named::Group("acme/platform".into()));
        for path in [
            "https://latchkey.example/api/v4/groups/acme%2Fplatform?with_projects=false",
            "/api/v4/groups/acme%2Fplatform",
            "groups/acme%2Fplatform#x",
        ] {
            assert_eq!(place("get", path), group, "{path}");
        }
        assert_eq!(
            place("POST", "/projects/7/repository/files/a%2Fb"),
            Some(Named::Project("7".into()))
        );
        assert_eq!(place("GET", "/personal_access_tokens/7"), None);
    }

    #[test]
    fn git_is_asked_for_by_the_service() {
        let git = |method, path| Request::parse(method, path, URL, None).ok();
        let project = || "acme/p1".to_owned();
        assert_eq!(
            git("GET", "/acme/p1.git/info/refs?service=git-receive-pack"),
            Some(Request::Git(Service::ReceivePack, project()))
        );
        assert_eq!(
            git("POST", "/acme/p1.git/git-upload-pack"),
            Some(Request::Git(Service::UploadPack, project()))
        );
        assert_eq!(git("GET", "/acme/p1.git/info/refs"), None);
        for address in [
            "https://x:secret@latchkey.example/acme/p1.git",
            "acme/p1.git",
        ] {
            assert_eq!(
                git("GET", address),
                Some(Request::Git(Service::UploadPack, project()))
            );
        }
        assert_eq!(git("GET", "https://elsewhere.example/acme/p1.git/x"), None);
    }

    #[test]
    fn the_address_of_another_server_is_told_from_our_own() {
        let read = |text: &str, url: &str| Request::parse("GET", text, url, None).map(|_| ());
        let elsewhere = |name: &str| Err(Unread::Elsewhere(name.to_owned()));
        for (text, url, told) in [
            ("https://latchkey.example/version", URL, Ok(())),
            ("https://LATCHKEY.example:443/version", URL, Ok(())),
            (
                "https://gitlab.example/version",
                URL,
                elsewhere("gitlab.example"),
            ),
            (
                "https://latchkey.example:8443/version",
                URL,
                elsewhere("latchkey.example:8443"),
            ),
            ("http://localhost/version", URL, elsewhere("localhost")),
            (
                "http://localhost:8080/version",
                "http://127.0.0.1:8080",
                Ok(()),
            ),
            (
                "http://127.0.0.1:8080/version",
                "http://localhost:8080",
                Ok(()),
            ),
            ("http://[::1]/version", "http://localhost:80", Ok(())),
            (
                "http://127.0.0.1:8081/version",
                "http://localhost:8080",
                elsewhere("localhost:8081"),
            ),
            (
                "http://127.0.0.1.example/version",
                "http://localhost",
                elsewhere("127.0.0.1.example"),
            ),
            ("/version?see=http://elsewhere.example", URL, Ok(())),
        ] {
            assert_eq!(read(text, url), told, "{text} {url}");
        }
    }

    #[test]
    fn the_host_that_the_instance_was_reached_under_is_its_own() {
        let read = |text: &str| {
            let url = "http://localhost:8080";
            Request::parse("GET", text, url, Some("192.168.1.5:8080")).map(|_| ())
        };
        for own in ["http://192.168.1.5:8080", "http://127.0.0.1:8080"] {
            assert_eq!(read(&format!("{own}/version")), Ok(()), "{own}");
        }
        let other = Err(Unread::Elsewhere("192.168.1.5:8081".into()));
        assert_eq!(read("http://192.168.1.5:8081/version"), other);
    }

    #[test]
    fn whatever_stands_for_a_token_is_taken_for_one() {
        let token = |method: &str, path: &str| match Request::parse(method, path, URL, None) {
            Ok(Request::Api(api)) => api.token_id,
            other => panic!("{method} {path}: {other:?}"),
        };
        for (path, id) in [
            ("7", 7),
            ("%37", 7),
            (":token_id", 0),
            ("abc", 0),
            ("self", 0),
            ("+7", 0),
            ("9999999999999999999999999", 0),
        ] {
            let path = format!("/groups/acme/access_tokens/{path}");
            assert_eq!(token("DELETE", &path), Some(id), "{path}");
            let rotated = Some(id).filter(|_| !path.ends_with("self"));
            assert_eq!(token("POST", &format!("{path}/rotate")), rotated, "{path}");
        }
        assert_eq!(token("GET", "/personal_access_tokens/abc"), Some(0));
        assert_eq!(token("GET", "/personal_access_tokens/self"), None);
        assert_eq!(token("GET", "/groups/acme/access_tokens"), None);
    }

    #[test]
    fn what_no_endpoint_serves_is_nothing() {
        for (method, path) in [
            ("GET", "/nowhere"),
            ("PATCH", "/groups/7"),
            ("", "/groups/7"),
            ("GET", ""),
            ("GET", "/groups/a/b"),
        ] {
            let read = Request::parse(method, path, URL, None);
            assert_eq!(read, Err(Unread::Nothing), "{method} {path}");
        }
    }

    #[test]
    fn every_endpoint_of_the_api_is_found_by_its_own_path() {
        for area in routes::all() {
            if !area.prefix.starts_with(BASE) {
                continue;
            }
            for endpoint in &area.endpoints {
                let Access::Api { rights, scope, .. } = endpoint.access else {
                    continue;
                };
                let path = format!("{}{}", area.prefix, endpoint.path)
                    .replace("{format:", "{format}")
                    .split('/')
                    .map(|part| if part.contains('{') { "7" } else { part })
                    .collect::<Vec<_>>()
                    .join("/");
                let found = api(&endpoint.method, &path);
                // An address with a file's ending stands for itself.
                if let Some(found) = found {
                    assert_eq!((found.rights, found.scope), (rights, scope), "{path}");
                } else {
                    assert!(endpoint.path.contains('.') || endpoint.path.contains("{format"));
                }
            }
        }
    }
}
