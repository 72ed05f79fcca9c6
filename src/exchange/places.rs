//! Groups and projects that entries name, remembered while a file is read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::db::{DbConnection, lock_root};
use crate::error::Error;
use crate::groups::{self, Group};
use crate::projects::{self, Project};

/// Remembered at the most; beyond that all are looked up anew.
const REMEMBERED: usize = 2_000;

/// What was found so far, behind the locks of its roots.
#[derive(Debug, Default)]
pub(super) struct Places {
    groups: HashMap<String, Arc<Group>>,
    projects: HashMap<String, Arc<Project>>,
    by_group: HashMap<i64, Arc<Group>>,
    by_project: HashMap<i64, Arc<Group>>,
    locked: HashSet<i64>,
}

impl Places {
    /// The group or personal namespace at this path. From here on nobody else changes what lies below its root.
    pub(super) fn namespace(
        &mut self,
        conn: &mut DbConnection,
        path: &str,
    ) -> Result<Option<Arc<Group>>, Error> {
        let key = path.to_ascii_lowercase();
        if let Some(group) = self.groups.get(&key) {
            return Ok(Some(Arc::clone(group)));
        }
        let Some(mut found) = groups::store::find_by_path(conn, path)? else {
            return Ok(None);
        };
        if self.locked.insert(found.root_id) {
            lock_root(conn, found.root_id)?;
            match groups::store::find_by_path(conn, path)? {
                Some(group) => found = group,
                None => return Ok(None),
            }
        }
        let group = Arc::new(found);
        room(&mut self.groups).insert(key, Arc::clone(&group));
        Ok(Some(group))
    }

    /// The group at this path; a personal namespace is none.
    pub(super) fn group(
        &mut self,
        conn: &mut DbConnection,
        path: &str,
    ) -> Result<Option<Arc<Group>>, Error> {
        let found = self.namespace(conn, path)?;
        Ok(found.filter(|group| !group.is_personal()))
    }

    /// The project at this path.
    pub(super) fn project(
        &mut self,
        conn: &mut DbConnection,
        path: &str,
    ) -> Result<Option<Arc<Project>>, Error> {
        let key = path.to_ascii_lowercase();
        if let Some(project) = self.projects.get(&key) {
            return Ok(Some(Arc::clone(project)));
        }
        let Some(mut found) = projects::store::find_by_path(conn, path)? else {
            return Ok(None);
        };
        if self.locked.insert(found.namespace.root_id) {
            lock_root(conn, found.namespace.root_id)?;
            match projects::store::find_by_path(conn, path)? {
                Some(project) => found = project,
                None => return Ok(None),
            }
        }
        let project = Arc::new(found);
        room(&mut self.projects).insert(key, Arc::clone(&project));
        Ok(Some(project))
    }

    /// A bot's group, or the namespace of its project. From here on nobody else moves it below another root.
    pub(super) fn group_of_bot(
        &mut self,
        conn: &mut DbConnection,
        group_id: Option<i64>,
        project_id: Option<i64>,
    ) -> Result<Option<Arc<Group>>, Error> {
        match (group_id, project_id) {
            (Some(id), _) => {
                if let Some(group) = self.by_group.get(&id) {
                    return Ok(Some(Arc::clone(group)));
                }
                let Some(mut group) = groups::store::find(conn, id)? else {
                    return Ok(None);
                };
                if self.locked.insert(group.root_id) {
                    lock_root(conn, group.root_id)?;
                    match groups::store::find(conn, id)? {
                        Some(fresh) => group = fresh,
                        None => return Ok(None),
                    }
                }
                let group = Arc::new(group);
                room(&mut self.by_group).insert(id, Arc::clone(&group));
                Ok(Some(group))
            }
            (None, Some(id)) => {
                if let Some(group) = self.by_project.get(&id) {
                    return Ok(Some(Arc::clone(group)));
                }
                let Some(mut project) = projects::store::find(conn, id)? else {
                    return Ok(None);
                };
                if self.locked.insert(project.namespace.root_id) {
                    lock_root(conn, project.namespace.root_id)?;
                    match projects::store::find(conn, id)? {
                        Some(fresh) => project = fresh,
                        None => return Ok(None),
                    }
                }
                let group = Arc::new(project.namespace);
                room(&mut self.by_project).insert(id, Arc::clone(&group));
                Ok(Some(group))
            }
            (None, None) => Ok(None),
        }
    }

    /// Nobody but us sees what we have just made: it needs no lock.
    pub(super) fn made(&mut self, group: &Group) {
        if group.parent_id.is_none() {
            self.locked.insert(group.root_id);
        }
    }
}

fn room<K, V>(map: &mut HashMap<K, V>) -> &mut HashMap<K, V> {
    if map.len() >= REMEMBERED {
        map.clear();
    }
    map
}
