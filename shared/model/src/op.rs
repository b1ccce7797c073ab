//! What NS and VNF operation occurrences share: runs, their names, and who waits for the end.

use crate::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Whether a run makes or unmakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// Do what the operation is for.
    Forward,
    /// Undo what earlier runs of it did.
    Undo,
}

/// The name of a run: unique for ever, so that starting it twice starts it once.
#[must_use]
pub fn run_name(op: &str, run: u64) -> String {
    format!("{op}-{run}")
}

/// What the relay needs to start a run: the content of a `….started` fact.
#[must_use]
pub fn start_of(workflow: &str, tenant: &TenantId, op: &str, run: u64, mode: Mode) -> Value {
    json!({
        "op": op,
        "workflow": workflow,
        "run": run_name(op, run),
        "input": { "tenant": tenant, "op": op, "run": run, "mode": mode },
    })
}

/// A task of an NS run that waits for a VNF operation to come to rest.
///
/// The token never leaves the store but towards the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The NS operation occurrence.
    pub op: String,
    /// Its run.
    pub run: u64,
    /// The task token.
    pub token: String,
}
