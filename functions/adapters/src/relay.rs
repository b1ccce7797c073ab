//! What facts lead to: runs that start, runs that go on, and events for everybody else.
//!
//! Every listener may hear a fact twice: starting what was started and resuming what
//! was resumed change nothing, and a published fact carries its identity.

use mano_model::{
    plan::{Announced, Document},
    vnf::op::VnfOp,
};
use mano_ports::{Cx, Error, workflows::Outcome};
use serde::Deserialize;
use serde_json::{Value, json};

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

/// A network function's operation came to rest: the network service that waits for it goes on.
///
/// What counts is where the operation stands now: a fact heard twice must not tell the waiter
/// of a later run that an earlier one failed.
pub(crate) async fn resume(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    let about = &fact.fact.about;
    if about.kind != VnfOp::KIND {
        return Ok(());
    }
    let Some(op) = cx.store.find::<VnfOp>(&about.tenant, &about.id).await? else { return Ok(()) };
    let Some(waiter) = op.waiter.as_ref().filter(|_| !op.state().is_running()) else {
        return Ok(());
    };
    let mut output = json!({ "state": op.state() });
    if let Some(error) = op.error() {
        output["error"] = json!(error);
    }
    Ok(cx.workflows.resume(&waiter.token, Outcome::Success(output)).await?)
}

/// Everybody else may hear of it.
pub(crate) async fn publish(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    Ok(cx.bus.publish(std::slice::from_ref(fact)).await?)
}
