//! An NS operation occurrence (SOL005 `NsLcmOpOcc`) and what may happen to it.

use super::op_state::State;
use crate::{
    ids,
    op::{Occurrence, Progress, Waiter, operations, state::Lifecycle},
    plan::{Document, Index, Kind},
    vnf,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

operations! {
    /// The operations there are, named as on the wire (SOL005 `lcmOperationType`).
    "ns":
    /// Make it exist.
    Instantiate, "INSTANTIATE", "instantiate";
    /// Make it, or its network functions, larger or smaller.
    Scale, "SCALE", "scale";
    /// Make again what was lost.
    Heal, "HEAL", "heal";
    /// Make it cease to exist.
    Terminate, "TERMINATE", "terminate";
}

/// One network function's part in an NS operation: a VNF operation to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The member's name; once in an operation.
    pub name: String,
    /// Its VNF profile.
    pub profile_id: String,
    /// Its VNF descriptor.
    pub vnfd_id: String,
    /// The VNF instance; of an INSTANTIATE, one that will be created under this id.
    pub vnf_instance_id: String,
    /// The VNF operation.
    pub operation: vnf::op::Operation,
    /// The VNF operation's request.
    pub params: Value,
    /// Its turn: items of one stage run side by side, stages one after the other.
    pub stage: u32,
    /// Where its VNF operation stood when the last run ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<vnf::op_state::State>,
}

impl Item {
    /// The identity of the VNF operation that run `run` of `op` asks for.
    #[must_use]
    pub fn vnf_op(&self, op: &str, run: u64, undo: bool) -> String {
        let what = if undo { "undo" } else { "do" };
        ids::derived(&[op, &self.name, what, &run.to_string()]).to_string()
    }
}

/// One NS operation occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NsOp {
    /// Identity; also the beginning of its runs' names.
    pub id: String,
    /// The instance it acts on.
    pub ns_instance_id: String,
    /// What it is for.
    pub operation: Operation,
    /// The request, as it was received.
    pub operation_params: Value,
    /// When it was accepted.
    pub start_time: Timestamp,
    /// The run under way, or the last one; rises with retry and rollback.
    pub run: u64,
    /// What it asks of network functions.
    pub items: Vec<Item>,
    /// The scale levels of the service once it is done.
    pub target: Option<super::Deployed>,
    /// Whether rollback is offered.
    pub can_roll_back: bool,
    /// What it changed of the service's own links, over all runs; filled in when a run ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<vnf::op::Affected>,
    /// What whoever asked for it wants its facts to be recognised by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    #[serde(flatten)]
    progress: Progress<State>,
}

/// What a new occurrence is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its identity.
    pub id: String,
    /// The instance it acts on.
    pub ns_instance_id: String,
    /// What it is for.
    pub operation: Operation,
    /// The request.
    pub params: Value,
    /// What it asks of network functions.
    pub items: Vec<Item>,
    /// The service once it is done.
    pub target: Option<super::Deployed>,
    /// Whether rollback is offered.
    pub can_roll_back: bool,
}

impl Document for NsOp {
    const KIND: Kind = Kind::NsOp;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        vec![
            (Index::NsInstanceId, self.ns_instance_id.clone()),
            (Index::OperationState, self.state().as_str().into()),
        ]
    }
}

impl NsOp {
    /// A new occurrence, `PROCESSING`.
    #[must_use]
    pub fn accepted(what: Accepted, at: Timestamp) -> Self {
        Self {
            id: what.id,
            ns_instance_id: what.ns_instance_id,
            operation: what.operation,
            operation_params: what.params,
            start_time: at,
            run: 0,
            items: what.items,
            target: what.target,
            can_roll_back: what.can_roll_back,
            links: Vec::new(),
            correlation: None,
            progress: Progress::new(State::Processing, at),
        }
    }

    /// The item of this name.
    #[must_use]
    pub fn item(&self, name: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.name == name)
    }

    /// The names of the items, stage by stage.
    #[must_use]
    pub fn stages(&self) -> Vec<Vec<&str>> {
        let mut stages: Vec<u32> = self.items.iter().map(|i| i.stage).collect();
        stages.sort_unstable();
        stages.dedup();
        let of_stage = |stage: u32| {
            let items = self.items.iter().filter(move |i| i.stage == stage);
            items.map(|i| i.name.as_str()).collect()
        };
        stages.into_iter().map(of_stage).collect()
    }
}

impl Occurrence for NsOp {
    type State = State;
    fn progress(&self) -> &Progress<State> {
        &self.progress
    }
    fn progress_mut(&mut self) -> &mut Progress<State> {
        &mut self.progress
    }
    fn instance(&self) -> (&'static str, &str) {
        ("nsInstanceId", &self.ns_instance_id)
    }
    fn operation(&self) -> &'static str {
        self.operation.as_str()
    }
    fn workflow(&self) -> &'static str {
        self.operation.workflow()
    }
    fn fact(&self, what: &str) -> String {
        format!("ns.{}.{what}", self.operation.verb())
    }
    fn correlation(&self) -> Option<&str> {
        self.correlation.as_deref()
    }
    fn can_roll_back(&self) -> bool {
        self.can_roll_back
    }
    fn run(&self) -> u64 {
        self.run
    }
    fn next_run(&mut self, _waiter: Option<Waiter>) {
        self.run += 1;
    }
}
