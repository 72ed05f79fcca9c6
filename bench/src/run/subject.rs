//! A server that is measured, and what stands beside it.

use std::{path::PathBuf, time::Duration};

use crate::{
    alternate::Measure,
    bare::Bare,
    meter::Meter,
    place::Instance,
    program::Server,
    seed::people::OWNER,
    window::{Clients, Pace, Running, Shape},
    wire::Wire,
};

use super::clients::{Target, sign_in};

/// Latchkey on one of its databases.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) instance: Instance,
    pub(crate) target: Target,
    pub(crate) meter: Meter,
    /// Of the owner of all groups.
    pub(crate) cookie: String,
    /// Where files can be written beside its database.
    pub(crate) disk: PathBuf,
    server: Option<Server>,
}

impl Subject {
    /// Starts the server.
    pub(crate) fn start(instance: Instance, disk: PathBuf) -> anyhow::Result<Subject> {
        let mut subject = Subject {
            instance,
            target: Target {
                address: String::new(),
                bare: false,
            },
            meter: Meter::of(0),
            cookie: String::new(),
            disk,
            server: None,
        };
        subject.restart()?;
        Ok(subject)
    }

    /// Starts it anew: it remembers nothing.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.server = None;
        let server = self.instance.program.serve()?;
        server.address().clone_into(&mut self.target.address);
        self.meter = Meter::with_database(server.id(), self.instance.database.url());
        self.server = Some(server);
        let mut wire = Wire::connect(&self.target.address)?;
        self.cookie = sign_in(&self.target, OWNER, "127.0.0.1", &mut wire)?;
        Ok(())
    }

    /// Windows of this load.
    pub(crate) fn measure<'a>(&'a self, shape: Shape, clients: Box<Clients<'a>>) -> Measure<'a> {
        measure(&self.target, &self.meter, shape, clients)
    }

    /// A load that goes on until it is told to stop.
    pub(crate) fn load(&self, shape: Shape, clients: &Clients<'_>) -> Running {
        Running::start(&self.target.address, shape, &self.meter, clients)
    }

    /// Is it the processor time of all of it that is measured?
    pub(crate) fn sees_all(&self) -> bool {
        self.instance.kind == crate::place::Kind::Sqlite || self.meter.sees_database()
    }
}

/// The yardstick, as something to be asked.
#[derive(Debug)]
pub(crate) struct Yardstick {
    pub(crate) target: Target,
    pub(crate) meter: Meter,
    _bare: Bare,
}

impl Yardstick {
    /// Starts it.
    pub(crate) fn start() -> anyhow::Result<Yardstick> {
        let bare = Bare::start()?;
        Ok(Yardstick {
            target: Target {
                address: bare.address.clone(),
                bare: true,
            },
            meter: Meter::of(bare.id()),
            _bare: bare,
        })
    }

    /// Windows of this load.
    pub(crate) fn measure<'a>(&'a self, shape: Shape, clients: Box<Clients<'a>>) -> Measure<'a> {
        measure(&self.target, &self.meter, shape, clients)
    }
}

/// Windows of a load on somebody.
pub(crate) fn measure<'a>(
    target: &'a Target,
    meter: &'a Meter,
    shape: Shape,
    clients: Box<Clients<'a>>,
) -> Measure<'a> {
    Box::new(move |time: Duration| {
        Running::start(&target.address, shape, meter, &*clients).run_for(time)
    })
}

/// So many connections that wait for nothing but answers.
pub(crate) fn closed(connections: u32) -> Shape {
    Shape {
        connections,
        pace: Pace::Closed,
    }
}

/// So many connections that share a rate.
pub(crate) fn steady(connections: u32, rate: f64) -> Shape {
    Shape {
        connections,
        pace: Pace::Rate(rate),
    }
}
