//! What every step of every run needs: is the run still the current one, and how did it end.

use crate::{ns, vnf};
use mano_model::{
    Refusal, TenantId,
    ns::op::NsOp,
    op::{Occurrence, Outcome, error_handling::Way},
    plan::{Announced, Versioned},
    refusal::Why,
    sol::sol013::ProblemDetails,
    vnf::op::VnfOp,
};
use mano_ports::{
    Cx, Error, Fault,
    function::{Event, StepCall},
    http::{Reply, Request},
    workflows,
};
use serde::Deserialize;
use serde_json::Value;

/// The operation, if `run` is still the run under way.
pub(crate) async fn open_run<T: Occurrence>(
    cx: &Cx,
    tenant: &TenantId,
    op: &str,
    run: u64,
) -> Result<Option<Versioned<T>>, Error> {
    let found = cx.store.find::<T>(tenant, op).await?;
    Ok(found.filter(|op| op.run() == run && op.is_running()))
}

/// The operation of a step's call, if the call's run is still under way.
pub(crate) async fn open<T: Occurrence>(
    cx: &Cx,
    call: &StepCall,
) -> Result<Option<Versioned<T>>, Error> {
    open_run(cx, &call.tenant, &call.op, call.run).await
}

/// The operation of a step's call; a run that is over may do nothing more.
pub(crate) async fn current<T: Occurrence>(
    cx: &Cx,
    call: &StepCall,
) -> Result<Versioned<T>, Error> {
    open(cx, call).await?.ok_or_else(|| {
        Refusal::conflict(format!("run {} of operation '{}' is over", call.run, call.op)).into()
    })
}

/// Answers a request to retry or roll back an operation.
pub(crate) async fn again<T: Occurrence>(
    cx: &Cx,
    request: &Request,
    op: Versioned<T>,
    way: Way<T>,
) -> Result<Reply, Error> {
    let origin = cx.asked(&request.principal, request.trace.as_deref());
    cx.store.commit(way(origin, &op, None)?).await?;
    Ok(Reply::empty(http::StatusCode::ACCEPTED))
}

/// What Step Functions says of an execution that took too many events.
const TOO_LONG: &str = "maximum number of history events";

/// How a run ended, as its workflow says it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ending {
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// The error's name, where it failed.
    #[serde(default)]
    error: Option<String>,
    /// The sentence, where it failed.
    #[serde(default)]
    cause: Option<String>,
}

impl Ending {
    /// Reads it from a step's call.
    pub(crate) fn of(call: &StepCall) -> Result<Self, Error> {
        Self::deserialize(Value::Object(call.more.clone())).map_err(|error| {
            Error::Bug(format!("the workflow calls {} without an outcome: {error}", call.step))
        })
    }

    /// A run that ended without saying so.
    fn by_itself(status: &str, error: Option<&str>, cause: Option<&str>) -> Self {
        let error = error.unwrap_or("Mano.Bug");
        let cause = cause.unwrap_or("it gave no cause");
        Self {
            outcome: Outcome::FailedTemp,
            error: Some(error.into()),
            cause: Some(format!("the workflow run ended {status}: {cause}")),
        }
    }

    /// What the operation remembers of it.
    pub(crate) fn problem(&self) -> Option<ProblemDetails> {
        let name = self.error.as_deref()?;
        let detail = self.cause.as_deref().map_or_else(|| name.to_owned(), sentence);
        let ours = format!("{detail} (a defect of the orchestrator, not of the network)");
        let too_long =
            format!("{detail} Calls had to be repeated; a retry goes on from what is done");
        Some(match name {
            "States.Runtime" if detail.contains(TOO_LONG) => ProblemDetails::new(503, too_long),
            _ if name == Fault::Refused.name() => ProblemDetails::new(409, detail),
            _ if name == Fault::Transient.name() => ProblemDetails::new(503, detail),
            _ if name == Fault::Conflict.name() => ProblemDetails::new(409, detail),
            "States.Timeout" => ProblemDetails::new(504, format!("a step took too long: {detail}")),
            _ => ProblemDetails::new(500, ours),
        })
    }
}

/// The message inside a Lambda error's cause, which is a JSON text; anything else as it is.
fn sentence(cause: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(cause).ok();
    let message = parsed.as_ref().and_then(|v| v["errorMessage"].as_str());
    message.unwrap_or(cause).to_owned()
}

/// What the engine says of a run that ended (`Step Functions Execution Status Change`).
#[derive(Debug, Deserialize)]
struct StatusChange {
    status: String,
    input: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    cause: Option<String>,
}

/// What every run is given.
#[derive(Debug, Deserialize)]
struct Input {
    tenant: TenantId,
    op: String,
    run: u64,
}

/// Listener of `ns.….started` and `vnf.….started`: the operation's run starts.
pub(crate) async fn start(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    match workflows::begin(cx, fact).await? {
        Some(end) => ended_by_itself(cx, &end).await,
        None => Ok(()),
    }
}

/// A run ended FAILED, TIMED_OUT or ABORTED by itself: its operation becomes FAILED_TEMP, so that
/// nothing stays in PROCESSING.
pub(crate) async fn ended_by_itself(cx: &Cx, event: &Event) -> Result<(), Error> {
    let Ok(change) = StatusChange::deserialize(&event.detail) else { return Ok(()) };
    if !matches!(change.status.as_str(), "FAILED" | "TIMED_OUT" | "ABORTED") {
        return Ok(());
    }
    let Ok(input) = serde_json::from_str::<Input>(&change.input) else { return Ok(()) };
    let ending =
        Ending::by_itself(&change.status, change.error.as_deref(), change.cause.as_deref());
    let run = input.run.to_string();
    let origin = cx.derived(&input.tenant, "engine", &[&input.op, &run, "close"]);
    if let Some(op) = open_run::<VnfOp>(cx, &input.tenant, &input.op, input.run).await? {
        let plan = vnf::steps::closing(cx, origin, &op, ending).await?;
        return Ok(cx.store.commit(plan).await?);
    }
    if let Some(op) = open_run::<NsOp>(cx, &input.tenant, &input.op, input.run).await? {
        let plan = ns::steps::closing(cx, origin, &op, ending).await?;
        return Ok(cx.store.commit(plan).await?);
    }
    Ok(())
}

/// The way to say that a step should be tried again later, with the reason.
pub(crate) fn wait(detail: String) -> Error {
    Refusal::new(Why::Unavailable, detail).into()
}
