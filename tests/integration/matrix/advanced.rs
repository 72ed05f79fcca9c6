//! What Settings, Advanced asks, and what it does: with a group or project made anew for each caller.

use super::{Body, Case, Stage};
use crate::support::{TestGroup, TestProject, TestResource};

/// The pages that ask first.
pub(super) fn questions(resource: &impl TestResource) -> Vec<Case> {
    [("url", "path"), ("to", "transfer"), ("end", "delete")]
        .map(|(note, action)| Case {
            note,
            path: resource.page(action),
            body: Body::None,
        })
        .into()
}

fn answer(
    note: &'static str,
    action: &str,
    resource: &impl TestResource,
    field: &str,
    value: impl Into<String>,
) -> Case {
    Case {
        note,
        path: resource.page(action),
        body: Body::Form(vec![(field.to_owned(), value.into())]),
    }
}

impl Stage {
    pub(super) fn ends_of_groups(&self) -> Vec<Case> {
        let [renamed, moving, to, doomed]: [TestGroup; 4] =
            std::array::from_fn(|_| self.group.subgroup(&self.unused_path()).create());
        vec![
            answer("url", "path", &renamed, "group[path]", self.unused_path()),
            answer("to", "transfer", &moving, "group_id", to.id.to_string()),
            answer(
                "end",
                "delete",
                &doomed,
                "group[confirm]",
                &doomed.full_path,
            ),
        ]
    }

    pub(super) fn ends_of_projects(&self) -> Vec<Case> {
        let to = self.group.subgroup(&self.unused_path()).create();
        let [renamed, moving, doomed]: [TestProject; 3] =
            std::array::from_fn(|_| self.group.project(&self.unused_path()).create());
        vec![
            answer("url", "path", &renamed, "project[path]", self.unused_path()),
            answer("to", "transfer", &moving, "group_id", to.id.to_string()),
            answer(
                "end",
                "delete",
                &doomed,
                "project[confirm]",
                &doomed.full_path,
            ),
        ]
    }

    fn unused_path(&self) -> String {
        format!("n{}", self.server.next())
    }
}
