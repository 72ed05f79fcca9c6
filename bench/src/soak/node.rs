//! A server that is soaked, and that may be killed.

use anyhow::Context as _;

use crate::{
    meter::Meter,
    place::Instance,
    program::Server,
    run::{Target, sign_in},
    seed::{layout::Layout, people::OWNER},
    wire::Wire,
};

/// A node of an instance.
pub(crate) struct Node<'a> {
    instance: &'a Instance,
    pub(crate) target: Target,
    /// A session of the owner of all groups.
    pub(crate) cookie: String,
    server: Option<Server>,
}

impl<'a> Node<'a> {
    /// Starts it on a free port.
    pub(crate) fn start(instance: &'a Instance) -> anyhow::Result<Node<'a>> {
        let server = instance.program.serve()?;
        let target = Target {
            address: server.address().to_owned(),
            bare: false,
        };
        let mut wire = Wire::connect(&target.address)?;
        let cookie = sign_in(&target, OWNER, "127.0.0.1", &mut wire)?;
        Ok(Node {
            instance,
            target,
            cookie,
            server: Some(server),
        })
    }

    /// `kill -9`
    pub(crate) fn kill(&mut self) {
        self.server = None;
    }

    /// Starts it where it was.
    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        let server = self.instance.program.serve_at(&self.target.address)?;
        self.server = Some(server);
        Ok(())
    }

    /// How much there is in its database.
    pub(crate) fn layout(&self) -> Layout {
        self.instance.layout
    }

    /// Its processor time and memory, and its database's.
    pub(crate) fn meter(&self) -> anyhow::Result<Meter> {
        let server = self.server.as_ref().context("the node isn't running")?;
        Ok(Meter::with_database(
            server.id(),
            self.instance.database.url(),
        ))
    }
}
