//! A VNF operation occurrence (SOL003 `VnfLcmOpOcc`) and what may happen to it.

use super::op_state::{Event, Illegal, State};
use crate::{
    TenantId,
    op::{Mode, Waiter, start_of},
    plan::{Document, Index, Kind},
    resource::ResourceKind,
    sol::sol013::ProblemDetails,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The operations there are, named as on the wire (SOL003 `LcmOperationType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operation {
    /// Make it exist.
    Instantiate,
    /// Make it larger or smaller along an aspect.
    Scale,
    /// Make again what was lost.
    Heal,
    /// Make it cease to exist.
    Terminate,
}

impl Operation {
    /// The workflow document that drives it.
    #[must_use]
    pub const fn workflow(self) -> &'static str {
        match self {
            Self::Instantiate => "vnf-instantiate",
            Self::Scale => "vnf-scale",
            Self::Heal => "vnf-heal",
            Self::Terminate => "vnf-terminate",
        }
    }

    /// The verb in facts and logs.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Instantiate => "instantiate",
            Self::Scale => "scale",
            Self::Heal => "heal",
            Self::Terminate => "terminate",
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instantiate => "INSTANTIATE",
            Self::Scale => "SCALE",
            Self::Heal => "HEAL",
            Self::Terminate => "TERMINATE",
        }
    }
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
    state: State,
    state_entered_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<ProblemDetails>,
}

impl Document for VnfOp {
    const KIND: Kind = Kind::VnfOp;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        vec![
            (Index::VnfInstanceId, self.vnf_instance_id.clone()),
            (Index::OperationState, self.state.as_str().into()),
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
            state: State::Starting,
            state_entered_time: at,
            error: None,
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Since when.
    #[must_use]
    pub const fn state_entered_time(&self) -> Timestamp {
        self.state_entered_time
    }

    /// Why it is not where it should be.
    #[must_use]
    pub const fn error(&self) -> Option<&ProblemDetails> {
        self.error.as_ref()
    }

    /// Moves it along the table; the only way its state changes.
    ///
    /// An error given with the event is remembered; one from before stays until a
    /// run succeeds, for SOL003 wants it shown while a retry is under way.
    pub fn apply(
        &mut self,
        event: Event,
        at: Timestamp,
        error: Option<ProblemDetails>,
    ) -> Result<(), Illegal> {
        self.state = self.state.on(event)?;
        self.state_entered_time = at;
        if self.state == State::Completed {
            self.error = None;
        } else if error.is_some() {
            self.error = error;
        }
        Ok(())
    }

    /// Whether this kind of operation can be rolled back (SOL003 clause 5.4.14: others are 404).
    #[must_use]
    pub fn can_roll_back(&self) -> bool {
        match self.operation {
            Operation::Instantiate => true,
            Operation::Scale => self.operation_params["type"] == "SCALE_OUT",
            Operation::Heal | Operation::Terminate => false,
        }
    }

    /// The content of the fact that starts its current run.
    #[must_use]
    pub fn start(&self, tenant: &TenantId, mode: Mode) -> Value {
        let mut body = start_of(self.operation.workflow(), tenant, &self.id, self.run, mode);
        body["vnfInstanceId"] = self.vnf_instance_id.clone().into();
        body["operation"] = self.operation.as_str().into();
        body["state"] = self.state.as_str().into();
        body
    }

    /// The name of a fact about it.
    #[must_use]
    pub fn fact(&self, what: &str) -> String {
        format!("vnf.{}.{what}", self.operation.verb())
    }
}
