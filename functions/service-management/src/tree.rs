//! The tree of an operation: a service, its network functions, their resources, as they come along.
//!
//! A long poll: with `after`, the answer waits until something differs from that version.

use crate::ns::many;
use mano_model::{
    Refusal, TenantId,
    grant::Grant,
    ids,
    ns::{NsInstance, op::NsOp},
    op::Occurrence,
    plan::Versioned,
    refusal::Why,
    resource::ResourceKind,
    step::{self, Step},
    vnf::{VnfInstance, op::VnfOp},
};
use mano_ports::{
    Cx, Error,
    http::{Reply, Request},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// The longest wait of one request, in seconds.
const LONGEST_WAIT: u64 = 25;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// `GET /mano/v1/operations/{opId}/tree?after=&wait=`.
pub(crate) async fn show(cx: &Cx, request: Request) -> Result<Reply, Error> {
    let wait = match request.query("wait").map(str::parse::<u64>) {
        None => 0,
        Some(Ok(seconds)) => seconds.min(LONGEST_WAIT),
        Some(Err(_)) => {
            return Err(Refusal::malformed("wait is a number of seconds, at most 25").into());
        }
    };
    let end = (cx.clock.now() + Duration::from_secs(wait)).min(request.deadline);
    loop {
        let mut tree = tree(cx, request.tenant(), request.param("opId")).await?;
        let version = version(&tree);
        if request.query("after") != Some(version.as_str()) || cx.clock.now() >= end {
            tree["version"] = version.into();
            return Ok(Reply::ok(&tree));
        }
        cx.clock.sleep(PAUSE).await;
    }
}

/// Names what the tree shows: the same content, the same version.
fn version(tree: &Value) -> String {
    let text = ids::derived(&[&tree.to_string()]).simple().to_string();
    text.chars().take(16).collect()
}

async fn tree(cx: &Cx, tenant: &TenantId, op: &str) -> Result<Value, Error> {
    if let Some(vnf_op) = cx.store.find::<VnfOp>(tenant, op).await? {
        let instance = cx.store.find::<VnfInstance>(tenant, &vnf_op.vnf_instance_id).await?;
        let name = instance.as_ref().map(|i| i.called().to_owned());
        return vnf(cx, tenant, &vnf_op, name).await;
    }
    match cx.store.find::<NsOp>(tenant, op).await? {
        Some(ns_op) => ns(cx, tenant, &ns_op).await,
        None => Err(Refusal::new(Why::Absent, format!("there is no operation '{op}'")).into()),
    }
}

async fn ns(cx: &Cx, tenant: &TenantId, op: &Versioned<NsOp>) -> Result<Value, Error> {
    let instance = cx.store.find::<NsInstance>(tenant, &op.ns_instance_id).await?;
    let mut children = resources(cx, tenant, &op.id, op.is_running()).await?;
    let mut vnf_ops: BTreeMap<String, VnfOp> = BTreeMap::new();
    for (run, undo) in (0..=op.run).flat_map(|run| [(run, false), (run, true)]) {
        let ids = op.items.iter().map(|item| item.vnf_op(&op.id, run, undo));
        for vnf_op in many::<VnfOp>(cx, tenant, ids).await? {
            vnf_ops.insert(vnf_op.vnf_instance_id.clone(), vnf_op);
        }
    }
    for item in &op.items {
        children.push(match vnf_ops.get(&item.vnf_instance_id) {
            Some(vnf_op) => vnf(cx, tenant, vnf_op, Some(item.name.clone())).await?,
            None => json!({
                "kind": "VNF",
                "name": item.name,
                "operation": item.operation,
                "instanceId": item.vnf_instance_id,
                "state": "TODO",
                "children": [],
            }),
        });
    }
    Ok(json!({
        "id": op.id,
        "kind": "NS",
        "operation": op.operation,
        "instanceId": op.ns_instance_id,
        "name": instance.map(|i| i.value.name),
        "state": op.state(),
        "startTime": op.start_time,
        "stateEnteredTime": op.state_entered_time(),
        "error": op.error(),
        "children": children,
    }))
}

async fn vnf(cx: &Cx, tenant: &TenantId, op: &VnfOp, name: Option<String>) -> Result<Value, Error> {
    let children = resources(cx, tenant, &op.id, op.is_running()).await?;
    Ok(json!({
        "id": op.id,
        "kind": "VNF",
        "operation": op.operation,
        "instanceId": op.vnf_instance_id,
        "name": name,
        "state": op.state(),
        "startTime": op.start_time,
        "stateEnteredTime": op.state_entered_time(),
        "error": op.error(),
        "children": children,
    }))
}

/// The resources of an operation's grant, each with what became of it.
async fn resources(
    cx: &Cx,
    tenant: &TenantId,
    op: &str,
    running: bool,
) -> Result<Vec<Value>, Error> {
    let Some(grant) = cx.store.find::<Grant>(tenant, op).await? else { return Ok(Vec::new()) };
    let steps = cx.store.children::<Step>(tenant, op).await?;
    let watched = cx.store.children::<mano_model::watch::Watch>(tenant, op).await?;
    let step_of = |name: &str| steps.iter().find(|s| s.name == name);
    let watch_of = |name: &str| watched.iter().find(|w| running && w.name == name);
    let state = |name: &str| {
        let (step, doing) = (step_of(name), watch_of(name).is_some());
        match step.map(|s| s.state) {
            Some(step::State::Done) => "DONE",
            Some(step::State::Undone) => "UNDONE",
            Some(step::State::Failed) => "FAILED",
            None if doing => "DOING",
            None => "TODO",
        }
    };
    let row = |change: &str, name: &str, kind: ResourceKind, vim: &str, zone: &str| {
        json!({
            "kind": kind,
            "name": name,
            "change": change,
            "state": state(name),
            "vimId": vim,
            "zoneId": zone,
            "startTime": watch_of(name).filter(|_| step_of(name).is_none()).map(|w| w.since),
            "seconds": step_of(name).and_then(|s| s.seconds()),
            "error": step_of(name).and_then(|s| s.error.as_ref()),
        })
    };
    let removes = grant
        .removes
        .iter()
        .map(|r| row("REMOVED", &r.want.name, r.want.kind, &r.vim_id, &r.zone_id));
    let adds =
        grant.adds.iter().map(|p| row("ADDED", &p.want.name, p.want.kind, &p.vim_id, &p.zone_id));
    Ok(removes.chain(adds).collect())
}
