//! Endpoint: a row of the route table. It says who may come in; without that nobody may.

use actix_web::http::Method;
use actix_web::{Resource, web};

use crate::access_tokens::scope::ScopeNeed;
use crate::permissions::Right;
use crate::web::openapi::Answers;
use crate::web::params::described::Described;

/// What a route asks of its callers, declared where the route is.
#[derive(Debug, Clone, Copy)]
pub enum Access {
    /// Nothing was declared: everybody is refused.
    Undeclared,
    /// Answers anybody without looking at a credential: health, assets.
    Open,
    /// A page.
    Page {
        /// What may be done through it.
        rights: &'static [Right],
        /// Without signing in?
        signed_out: bool,
    },
    /// An API endpoint.
    Api {
        /// The scope that a token needs.
        scope: ScopeNeed,
        /// What may be done through it.
        rights: &'static [Right],
        /// Without a credential?
        anonymous: bool,
    },
    /// What programs of Git ask for; which scope a token needs depends on the service.
    Git {
        /// What may be done through it.
        rights: &'static [Right],
    },
}

impl Access {
    /// Is there anything declared that would let somebody in?
    pub fn is_declared(&self) -> bool {
        match self {
            Access::Undeclared => false,
            Access::Open => true,
            Access::Page { rights, .. } | Access::Api { rights, .. } | Access::Git { rights } => {
                !rights.is_empty()
            }
        }
    }
}

/// What the document of the API says of an endpoint, taken from the code that serves it.
#[derive(Clone, Copy)]
pub struct About {
    /// What it is for.
    pub summary: &'static str,
    /// What it asks for.
    pub parameters: fn() -> Vec<Described>,
    /// What it answers with when all goes well.
    pub answer: fn(&mut Answers),
}

/// One method on one path.
pub struct Endpoint {
    /// The method.
    pub method: Method,
    /// The path below its area, as actix-web writes patterns.
    pub path: &'static str,
    /// Who may come in.
    pub access: Access,
    /// What it is, for the document of the API; pages have none.
    pub about: Option<About>,
    build: Box<dyn Fn() -> actix_web::Route + Send + Sync>,
}

impl Endpoint {
    /// A row of the table, with how to build what serves it.
    pub fn new(
        method: Method,
        path: &'static str,
        access: Access,
        build: impl Fn() -> actix_web::Route + Send + Sync + 'static,
    ) -> Self {
        Endpoint {
            method,
            path,
            access,
            about: None,
            build: Box::new(build),
        }
    }

    /// The same row with what the document of the API says of it.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Endpoint {
            about: Some(about),
            ..self
        }
    }
}

/// Endpoints that share the first part of their paths. Nested like this, a request is compared with a
/// handful of patterns, however many routes there are.
pub struct Area {
    /// What all paths start with.
    pub prefix: &'static str,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

impl Area {
    /// The patterns of this area, each once.
    pub fn patterns(&self) -> Vec<&'static str> {
        let mut patterns: Vec<&'static str> = Vec::new();
        for endpoint in &self.endpoints {
            if !patterns.contains(&endpoint.path) {
                patterns.push(endpoint.path);
            }
        }
        patterns
    }

    /// The area's resources, in the order of the table. `wrong_method` answers what a path doesn't take; it
    /// is told what the path does take.
    pub fn resources(&self, wrong_method: fn(String) -> actix_web::Route) -> Vec<Resource> {
        self.patterns()
            .into_iter()
            .map(|pattern| {
                let mut resource = web::resource(pattern);
                let mut allowed: Vec<Method> = Vec::new();
                for endpoint in self
                    .endpoints
                    .iter()
                    .filter(|endpoint| endpoint.path == pattern)
                {
                    for method in answered_methods(endpoint) {
                        resource = resource.route((endpoint.build)().method(method.clone()));
                        allowed.push(method);
                    }
                }
                allowed.dedup();
                let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
                resource.default_service(wrong_method(allowed.join(", ")))
            })
            .collect()
    }
}

/// HEAD wherever there is GET; a page's PUT is also a form's POST with `_method=put` in its body.
fn answered_methods(endpoint: &Endpoint) -> Vec<Method> {
    match (&endpoint.method, &endpoint.access) {
        (&Method::GET, _) => vec![Method::GET, Method::HEAD],
        (&Method::PUT, Access::Page { .. }) => vec![Method::PUT, Method::POST],
        (method, _) => vec![method.clone()],
    }
}
