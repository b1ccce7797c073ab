//! Operations under way whose run is gone, or ended unheard: driven on from what the store says.
//!
//! A run only drives what is not done, so starting it again is always right.

use crate::runs;
use mano_model::{
    TenantId,
    ns::op::NsOp,
    op::{Occurrence, run_name, state::Lifecycle},
    plan::Index,
    vnf::op::VnfOp,
};
use mano_ports::{
    Cx, Error,
    function::Event,
    http::{Reply, Request},
    store::Query,
    workflows::{self, Run},
};
use serde::Serialize;
use serde_json::json;

/// What became of the runs of operations under way.
#[derive(Debug, Default, Serialize)]
struct Told {
    /// Started again: there was no such run.
    started: Vec<String>,
    /// Ended without the operation knowing: the operation rests in `FAILED_TEMP` now.
    closed: Vec<String>,
    /// Going on.
    running: usize,
    /// Whether time ran out before all were looked at; ask again.
    more: bool,
}

/// `POST /mano/v1/operations/redrive`: looks at every operation of the caller that is under way.
pub(crate) async fn all(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let mut told = Told::default();
    each::<NsOp>(cx, &request, &mut told).await?;
    each::<VnfOp>(cx, &request, &mut told).await?;
    Ok(Reply::ok(&told))
}

async fn each<T: Occurrence>(cx: &Cx, request: &Request, told: &mut Told) -> Result<(), Error> {
    for state in T::State::ALL.iter().filter(|state| state.is_running()) {
        let query = Query::all::<T>(request.tenant()).by(Index::OperationState, state.as_str());
        for op in cx.store.every::<T>(query).await? {
            if cx.clock.now() >= request.deadline {
                told.more = true;
                return Ok(());
            }
            // The index may lag behind.
            if op.is_running() {
                one(cx, request.tenant(), &op.value, told).await?;
            }
        }
    }
    Ok(())
}

async fn one<T: Occurrence>(
    cx: &Cx,
    tenant: &TenantId,
    op: &T,
    told: &mut Told,
) -> Result<(), Error> {
    let name = run_name(&op.id(), op.run());
    match cx.workflows.describe(op.workflow(), &name).await {
        Ok(run) if run.status == "RUNNING" => told.running += 1,
        Ok(run) => {
            runs::ended_by_itself(cx, &ended(tenant, op, &run)).await?;
            told.closed.push(name);
        }
        Err(workflows::Error::Absent(_)) => {
            let input = op.start(tenant)["input"].clone();
            cx.workflows.start(op.workflow(), &name, input).await?;
            told.started.push(name);
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// What the engine would have said of the end of a run.
fn ended<T: Occurrence>(tenant: &TenantId, op: &T, run: &Run) -> Event {
    // A run that succeeded has recorded so; this one has not, which only a defect explains.
    let status = if run.status == "SUCCEEDED" { "FAILED" } else { run.status.as_str() };
    let input = op.start(tenant)["input"].to_string();
    let (error, cause) = (&run.error, &run.cause);
    Event {
        id: run.name.clone(),
        source: "aws.states".into(),
        detail_type: "Step Functions Execution Status Change".into(),
        detail: json!({ "status": status, "input": input, "error": error, "cause": cause }),
        principal: None,
    }
}
