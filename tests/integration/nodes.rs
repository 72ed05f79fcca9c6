//! Several nodes on one PostgreSQL: whichever of them is asked, the answer is the same, and what one has answered holds
//! on all.

use crate::support::{NodePlan, TestServer};

mod deployment;
mod git;
mod hammered;
mod programs;
mod proxied;
mod shared;
mod together;

/// Three nodes of one instance, of which the first is the one given.
fn three(first: &TestServer) -> [TestServer; 3] {
    let one_more = || TestServer::node(NodePlan::node_of(first));
    [first.clone(), one_more(), one_more()]
}
