//! The tokens of one group or project for other programs: those that its page lists, as CSV. No value is among them.

use super::inventory::export::{AT_ONCE, COLUMNS, cells};
use super::list::{self, Query, Sort};
use super::resource::Resource;
use crate::context::Context;
use crate::db::{DbConnection, PageRequest};
use crate::error::{Error, What};
use crate::spreadsheet;
use crate::{groups, projects};

/// An export on its way.
#[derive(Debug, Clone)]
pub struct Export {
    resource: Resource,
    /// What is still to be told; of the first of them what comes after an id.
    lists: Vec<Query>,
    is_new: bool,
}

impl Export {
    /// Of what these queries find among the tokens of a group or project: one list after the other, each in the order of
    /// the ids.
    pub fn of(resource: Resource, lists: Vec<Query>) -> Self {
        let by_id = |query| Query {
            sort: Sort::Id,
            descending: false,
            or_last_page: false,
            ..query
        };
        Export {
            resource,
            lists: lists.into_iter().map(by_id).collect(),
            is_new: true,
        }
    }

    /// The next piece; nothing at the end. Asks anew whether the caller may: an export may take a while.
    ///
    /// # Errors
    /// As [`list::of_resource`]; [`Error::NotFound`] when the group or project is gone.
    pub fn next(
        &mut self,
        conn: &mut DbConnection,
        ctx: &Context,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(query) = self.lists.first_mut() else {
            return Ok(None);
        };
        let ctx = ctx.refreshed(conn)?;
        let resource = as_it_is(conn, &self.resource)?;
        let request = PageRequest {
            page: 1,
            per_page: AT_ONCE,
        };
        let page = list::of_resource(conn, &ctx, &resource, query, request)?;
        match page.rows.last().filter(|_| page.has_next) {
            Some(last) => query.after_id = Some(last.token.id),
            None => drop(self.lists.remove(0)),
        }
        let head = std::mem::replace(&mut self.is_new, false);
        let path = resource.full_path();
        let rows = page.rows.iter().map(|listed| cells(listed, &path, &ctx));
        spreadsheet::csv(head.then_some(&COLUMNS), rows)
            .map(Some)
            .map_err(|error| Error::internal(error.into()))
    }
}

/// The group or project, where it is now.
fn as_it_is(conn: &mut DbConnection, resource: &Resource) -> Result<Resource, Error> {
    match resource {
        Resource::Group(group) => groups::store::find(conn, group.id)?
            .map(Resource::Group)
            .ok_or(Error::NotFound(What::Group)),
        Resource::Project(project) => projects::store::find_all(conn, [project.row.id])?
            .pop()
            .map(Resource::Project)
            .ok_or(Error::NotFound(What::Project)),
    }
}
