//! The steps of NS workflows: grant, list what to undo, drive a network function, close.

use super::{
    advance::{self, By},
    many, nsd,
};
use crate::{runs, settle, vnf};
use mano_model::{
    TenantId,
    grant::Grant,
    ns::{
        NsInstance,
        close::{self, Facts},
        granting,
        op::{NsOp, Operation},
    },
    op::Occurrence,
    plan::{Origin, Plan, Versioned},
    resource::{Resource, ResourceKind},
    vnf::{VnfInstance, op::VnfOp, op_state::State},
};
use mano_ports::{Cx, Error, function::StepCall};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// `ns.grant`: decides where the service's own links go, and lists whose turn it is when.
pub(crate) async fn grant(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let op = runs::current::<NsOp>(cx, &call).await?;
    let grant = match cx.store.find::<Grant>(&call.tenant, &op.id).await? {
        Some(grant) => Some(grant.value),
        None => decide_grant(cx, &call, &op).await?,
    };
    let names = |list: fn(&Grant) -> Vec<&str>| grant.as_ref().map(list).unwrap_or_default();
    Ok(json!({
        "networks": names(|g| g.to_make(ResourceKind::Network)),
        "oldNetworks": names(|g| g.to_remove(ResourceKind::Network)),
        "stages": op.stages(),
    }))
}

async fn decide_grant(cx: &Cx, call: &StepCall, op: &NsOp) -> Result<Option<Grant>, Error> {
    let instance = cx.store.read::<NsInstance>(&call.tenant, &op.ns_instance_id).await?;
    let nsd = nsd(cx, &call.tenant, &instance.nsd_id).await?;
    let flavour = op.target.as_ref().and_then(|t| nsd.flavour(&t.flavour_id));
    let existing = vnf::resources(cx, &call.tenant, &op.ns_instance_id).await?;
    let lost = if op.operation == Operation::Heal {
        settle::missing(cx, &call.tenant, &existing).await?
    } else {
        Vec::new()
    };
    let lost: Vec<&str> = lost.iter().map(String::as_str).collect();
    let zones = vnf::steps::zones(cx, call).await?;
    let origin = cx.derived(&call.tenant, "ns.grant", &[&op.id, "grant"]);
    let decided = granting::decide(origin, op, flavour, &existing, &lost, &zones)?;
    let Some((grant, plan)) = decided else { return Ok(None) };
    cx.store.commit(plan).await?;
    Ok(Some(grant))
}

/// `ns.undo`: lists what the operation may have made, the last first.
pub(crate) async fn undo(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let op = runs::current::<NsOp>(cx, &call).await?;
    let grant = cx.store.find::<Grant>(&call.tenant, &op.id).await?;
    let networks = grant.as_ref().map(|g| g.to_make(ResourceKind::Network));
    let stages: Vec<_> = op.stages().into_iter().rev().collect();
    Ok(json!({ "networks": networks.unwrap_or_default(), "stages": stages }))
}

/// `ns.vnf`: asks a network function for its part; the token comes back when it has done it.
pub(crate) async fn vnf(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let op = runs::current::<NsOp>(cx, &call).await?;
    let item = call.text("item")?;
    let Some(token) = &call.token else {
        return Err(Error::Bug("the workflow calls ns.vnf without a token".into()));
    };
    let Some(item) = op.item(item) else {
        return Err(Error::Bug(format!("operation '{}' has no item '{item}'", op.id)));
    };
    advance::advance(cx, &call.tenant, &op, item, (By::Task, token)).await?;
    Ok(json!({}))
}

/// `ns.close`: records how the run ended.
pub(crate) async fn close(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let ending = runs::Ending::of(&call)?;
    let Some(op) = runs::open::<NsOp>(cx, &call).await? else { return Ok(json!({})) };
    let origin = cx.derived(&call.tenant, "ns.close", &[&op.id, &call.run.to_string(), "close"]);
    cx.store.commit(closing(cx, origin, &op, ending).await?).await?;
    Ok(json!({}))
}

/// The plan that closes the current run of an operation.
pub(crate) async fn closing(
    cx: &Cx,
    origin: Origin,
    op: &Versioned<NsOp>,
    ending: runs::Ending,
) -> Result<Plan, Error> {
    let known = Known::read(cx, &origin.tenant, op).await?;
    let error = ending.problem();
    Ok(close::decide(origin, &known.facts(op), ending.outcome, error)?)
}

/// What closing needs to know.
pub(crate) struct Known {
    instance: Versioned<NsInstance>,
    resources: Vec<Resource>,
    states: BTreeMap<String, State>,
    existing: BTreeSet<String>,
}

impl Known {
    /// Reads it.
    pub(crate) async fn read(cx: &Cx, tenant: &TenantId, op: &NsOp) -> Result<Self, Error> {
        let instance = cx.store.read::<NsInstance>(tenant, &op.ns_instance_id).await?;
        let resources = vnf::resources(cx, tenant, &op.ns_instance_id).await?;
        let ids = op.items.iter().map(|item| &item.vnf_instance_id);
        let vnfs = many::<VnfInstance>(cx, tenant, ids).await?;
        let runs = (0..=op.run).rev();
        let mut states = BTreeMap::new();
        for run in runs {
            let missing = op.items.iter().filter(|item| !states.contains_key(&item.name));
            let by_op: BTreeMap<String, &str> =
                missing.map(|item| (item.vnf_op(&op.id, run, false), item.name.as_str())).collect();
            for vnf_op in many::<VnfOp>(cx, tenant, by_op.keys()).await? {
                if let Some(name) = by_op.get(&vnf_op.id) {
                    states.insert((*name).to_owned(), vnf_op.state());
                }
            }
        }
        let existing = vnfs.into_iter().map(|vnf| vnf.id).collect();
        Ok(Self { instance, resources, states, existing })
    }

    /// As decisions take it.
    pub(crate) const fn facts<'a>(&'a self, op: &'a Versioned<NsOp>) -> Facts<'a> {
        Facts {
            op,
            instance: &self.instance,
            resources: self.resources.as_slice(),
            states: &self.states,
            existing: &self.existing,
        }
    }
}
