//! What facts lead to: runs that start, and events for everybody else.
//!
//! Every listener may hear a fact twice: starting what was started changes nothing, and
//! a published fact carries its identity. Who waits for a fact inside the orchestrator
//! listens itself.

use mano_model::plan::Announced;
use mano_ports::{Cx, Error};
use serde::Deserialize;
use serde_json::Value;

/// What a `….started` fact says.
#[derive(Deserialize)]
struct Start {
    workflow: String,
    run: String,
    input: Value,
}

/// A run shall start.
pub(crate) async fn start(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    let body = &fact.fact.body;
    if body.get("workflow").is_none() {
        return Ok(());
    }
    let name = &fact.fact.name;
    let start = Start::deserialize(body)
        .map_err(|error| Error::Bug(format!("fact {name} does not say what to start: {error}")))?;
    Ok(cx.workflows.start(&start.workflow, &start.run, start.input).await?)
}

/// Everybody else may hear of it.
pub(crate) async fn publish(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    Ok(cx.bus.publish(std::slice::from_ref(fact)).await?)
}
