//! What a server is made with, and how several of them become nodes of one instance.

use std::{path::PathBuf, sync::Arc};

use ipnet::IpNet;
use latchkey::{
    clock::Clock, config::ExternalUrl, db::DatabaseUrl, git::limits::Times, groups::plan::Offering,
    mail::Post,
};

use super::{TestServer, server::watchful, storage::Storage};

/// What a server is made with.
pub struct NodePlan<'a> {
    /// Its database, also for what tests arrange.
    pub storage: Arc<Storage>,
    /// How it reaches the database.
    pub database: DatabaseUrl,
    /// Its clock.
    pub clock: Clock,
    /// Where people reach it; nothing for where it listens.
    pub external_url: Option<ExternalUrl>,
    /// Where mails go; told a folder.
    pub post: Box<dyn FnOnce(PathBuf) -> Post + 'a>,
    /// Whether plans matter.
    pub offering: Offering,
    /// What runs of Git may take.
    pub git_times: Times,
    /// Where repositories lie; nothing for a folder of its own.
    pub repositories: Option<PathBuf>,
    /// Whose word about the client's address counts.
    pub trusted_proxies: Vec<IpNet>,
}

impl NodePlan<'_> {
    /// A server that shares nothing.
    pub fn on(storage: Arc<Storage>, clock: Clock) -> Self {
        Self {
            database: storage.url(),
            storage,
            clock,
            external_url: None,
            post: Box::new(Post::to_folder),
            offering: Offering::SelfManaged,
            git_times: watchful(),
            repositories: None,
            trusted_proxies: Vec::new(),
        }
    }

    /// One that shares the database and the clock with `server`.
    pub fn beside(server: &TestServer) -> Self {
        Self::on(Arc::clone(&server.storage), server.clock.clone())
    }

    /// One more of the nodes that people reach under one address; repositories lie in a folder of all.
    pub fn node_of(server: &TestServer) -> Self {
        Self {
            external_url: Some(server.app.external_url.clone()),
            repositories: Some(server.app.repositories.root().to_owned()),
            ..Self::beside(server)
        }
    }
}
