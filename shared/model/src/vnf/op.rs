//! A VNF operation occurrence (SOL003 `VnfLcmOpOcc`) and what may happen to it.

use super::op_state::State;
use crate::{
    op::{Occurrence, Progress, Waiter, operations, state::Lifecycle},
    plan::{Document, Index, Kind},
    resource::ResourceKind,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

operations! {
    /// The operations there are, named as on the wire (SOL003 `LcmOperationType`).
    "vnf":
    /// Make it exist.
    Instantiate, "INSTANTIATE", "instantiate";
    /// Make it larger or smaller along an aspect.
    Scale, "SCALE", "scale";
    /// Make again what was lost.
    Heal, "HEAL", "heal";
    /// Make it cease to exist.
    Terminate, "TERMINATE", "terminate";
}

/// What became of a resource in an operation (SOL003 `changeType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ChangeType {
    /// It was made.
    Added,
    /// It was removed.
    Removed,
}

/// One resource an operation changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affected {
    /// Its name within the instance.
    pub name: String,
    /// Its kind.
    pub kind: ResourceKind,
    /// The VDU, storage or virtual link it comes from.
    pub template: String,
    /// What became of it.
    pub change: ChangeType,
    /// Where.
    pub vim_id: String,
    /// The VIM's own name of it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
}

/// One VNF operation occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VnfOp {
    /// Identity; also the beginning of its runs' names.
    pub id: String,
    /// The instance it acts on.
    pub vnf_instance_id: String,
    /// What it is for.
    pub operation: Operation,
    /// The request, as it was received.
    pub operation_params: Value,
    /// When it was accepted.
    pub start_time: Timestamp,
    /// Whether the orchestrator asked for it by itself.
    pub is_automatic_invocation: bool,
    /// The run under way, or the last one; rises with retry and rollback.
    pub run: u64,
    /// Whether there is a grant.
    pub granted: bool,
    /// What it changed, over all runs; filled in when a run ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Affected>,
    /// Who waits for it to come to rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiter: Option<Waiter>,
    /// What whoever asked for it wants its facts to be recognised by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    #[serde(flatten)]
    progress: Progress<State>,
}

impl Document for VnfOp {
    const KIND: Kind = Kind::VnfOp;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        vec![
            (Index::VnfInstanceId, self.vnf_instance_id.clone()),
            (Index::OperationState, self.state().as_str().into()),
        ]
    }
}

impl VnfOp {
    /// A new occurrence, `STARTING`.
    #[must_use]
    pub fn accepted(
        id: String,
        instance: &str,
        operation: Operation,
        params: Value,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            vnf_instance_id: instance.into(),
            operation,
            operation_params: params,
            start_time: at,
            is_automatic_invocation: false,
            run: 0,
            granted: false,
            changes: Vec::new(),
            waiter: None,
            correlation: None,
            progress: Progress::new(State::Starting, at),
        }
    }
}

impl Occurrence for VnfOp {
    type State = State;
    fn progress(&self) -> &Progress<State> {
        &self.progress
    }
    fn progress_mut(&mut self) -> &mut Progress<State> {
        &mut self.progress
    }
    fn instance(&self) -> (&'static str, &str) {
        ("vnfInstanceId", &self.vnf_instance_id)
    }
    fn operation(&self) -> &'static str {
        self.operation.as_str()
    }
    fn workflow(&self) -> &'static str {
        self.operation.workflow()
    }
    fn fact(&self, what: &str) -> String {
        format!("vnf.{}.{what}", self.operation.verb())
    }
    fn correlation(&self) -> Option<&str> {
        self.correlation.as_deref()
    }
    /// Of the kinds of operations, not all can be (SOL003 clause 5.4.14: others are 404).
    fn can_roll_back(&self) -> bool {
        match self.operation {
            Operation::Instantiate => true,
            Operation::Scale => self.operation_params["type"] == "SCALE_OUT",
            Operation::Heal | Operation::Terminate => false,
        }
    }
    fn run(&self) -> u64 {
        self.run
    }
    fn next_run(&mut self, waiter: Option<Waiter>) {
        self.run += 1;
        self.waiter = waiter;
    }
}
