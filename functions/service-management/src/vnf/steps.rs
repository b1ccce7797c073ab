//! The steps of VNF workflows that decide: grant, list what to undo, close.

use super::Known;
use crate::{runs, settle};
use mano_model::{
    grant::Grant,
    plan::{Origin, Plan, Versioned},
    resource::{Resource, ResourceKind},
    vim::Zone,
    vnf::{
        close, granting,
        op::{Operation, VnfOp},
    },
};
use mano_ports::{
    Cx, Error,
    function::StepCall,
    store::{self, Query},
};
use serde_json::{Value, json};

/// A grant decided on zones that filled up meanwhile is decided again so many times.
const GRANT_ATTEMPTS: usize = 8;

/// `vnf.grant`: decides where everything goes and reserves it; once per operation.
pub(crate) async fn grant(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let op = runs::current::<VnfOp>(cx, &call).await?;
    if let Some(grant) = cx.store.find::<Grant>(&call.tenant, &op.id).await? {
        return Ok(to_do(&grant));
    }
    let known = Known::read(cx, &call.tenant, &op.vnf_instance_id).await?;
    let lost = lost(cx, &call, &op, &known.resources).await?;
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    for _ in 0..GRANT_ATTEMPTS {
        let zones = zones(cx, &call).await?;
        let origin = cx.derived(&call.tenant, "vnf.grant", &[&op.id, "grant"]);
        let (grant, plan) = granting::decide(origin, &op, &known.facts(), &lost, &zones)?;
        match cx.store.commit(plan).await {
            Ok(()) => return Ok(to_do(&grant)),
            Err(store::Error::Exhausted { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(mano_model::Refusal::new(
        mano_model::refusal::Why::Unavailable,
        "other operations keep taking the capacity this one was about to be granted",
    )
    .into())
}

/// Every zone there is.
pub(crate) async fn zones(cx: &Cx, call: &StepCall) -> Result<Vec<Zone>, Error> {
    let zones = cx.store.every::<Zone>(Query::all::<Zone>(&call.tenant)).await?;
    Ok(zones.into_iter().map(|z| z.value).collect())
}

/// What a HEAL makes again: what the client names, or what the VIM no longer has.
async fn lost(
    cx: &Cx,
    call: &StepCall,
    op: &VnfOp,
    resources: &[Resource],
) -> Result<Vec<String>, Error> {
    if op.operation != Operation::Heal {
        return Ok(Vec::new());
    }
    let named = op.operation_params["vnfcInstanceId"].as_array();
    if let Some(named) = named.filter(|n| !n.is_empty()) {
        return Ok(named.iter().filter_map(|n| n.as_str().map(Into::into)).collect());
    }
    settle::missing(cx, &call.tenant, resources).await
}

/// What the workflow's Maps go over.
fn to_do(grant: &Grant) -> Value {
    use ResourceKind::{Compute, Network, Storage};
    json!({
        "networks": grant.to_make(Network),
        "storages": grant.to_make(Storage),
        "computes": grant.to_make(Compute),
        "oldComputes": grant.to_remove(Compute),
        "oldStorages": grant.to_remove(Storage),
        "oldNetworks": grant.to_remove(Network),
    })
}

/// `vnf.undo`: lists what the operation may have made.
pub(crate) async fn undo(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let op = runs::current::<VnfOp>(cx, &call).await?;
    let grant = cx.store.read::<Grant>(&call.tenant, &op.id).await?;
    Ok(json!({
        "computes": grant.to_make(ResourceKind::Compute),
        "storages": grant.to_make(ResourceKind::Storage),
        "networks": grant.to_make(ResourceKind::Network),
    }))
}

/// `vnf.close`: records how the run ended.
pub(crate) async fn close(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let ending = runs::Ending::of(&call)?;
    let Some(op) = runs::open::<VnfOp>(cx, &call).await? else { return Ok(json!({})) };
    let origin = cx.derived(&call.tenant, "vnf.close", &[&op.id, &call.run.to_string(), "close"]);
    cx.store.commit(closing(cx, origin, &op, ending).await?).await?;
    Ok(json!({}))
}

/// The plan that closes the current run of an operation.
pub(crate) async fn closing(
    cx: &Cx,
    origin: Origin,
    op: &Versioned<VnfOp>,
    ending: runs::Ending,
) -> Result<Plan, Error> {
    let known = Known::read(cx, &origin.tenant, &op.vnf_instance_id).await?;
    let grant = cx.store.find::<Grant>(&origin.tenant, &op.id).await?.map(|g| g.value);
    let facts = close::Facts {
        op,
        instance: &known.instance,
        vnfd: &known.vnfd,
        grant: grant.as_ref(),
        resources: &known.resources,
    };
    let error = ending.problem();
    Ok(close::decide(origin, &facts, ending.outcome, error)?)
}
