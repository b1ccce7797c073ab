//! Distributed Map: each item or batch is a child execution of its own.

use serde::{Deserialize, Serialize};

use super::{
    frame::{Flow, Frame},
    turn::Turn,
};
use crate::{
    definition::{Map, State},
    doc::Doc,
    event::{ChildId, Ending, TaskId},
    fault::Fault,
};

/// A distributed Map under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MapRun {}

impl Turn<'_> {
    pub(super) fn start_run(
        &mut self,
        _frame: &mut Frame,
        _state: &State,
        _map: &Map,
        _effective: &Doc,
        _concurrency: usize,
    ) -> Result<Flow, Fault> {
        Err(Fault::runtime("not yet"))
    }

    pub(super) fn child_finished(&mut self, _child: ChildId, _ending: Ending) {}

    pub(super) fn items_read(&mut self, _task: TaskId, _content: &str) {}

    pub(super) fn results_written(&mut self, _task: TaskId) {}

    pub(super) fn request_failed(&mut self, _task: TaskId, _error: Option<String>, _cause: Option<String>) {}

    pub(super) fn let_go_of_run(&mut self, _run: &MapRun) {}
}
