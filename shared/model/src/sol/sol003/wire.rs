//! What clients see of VNF instances and their operations.

use crate::{
    op::Occurrence,
    resource::ResourceKind,
    sol::sol013::links::links,
    vnf::{
        Held, Instantiated, VnfInstance,
        op::{Affected, ChangeType, VnfOp},
        op_state::State,
    },
};
use serde_json::{Value, json};

/// `VnfInstance` (clause 5.5.2.2) with the tasks that are possible now in `_links`.
#[must_use]
pub fn vnf_instance(vnf: &VnfInstance, api_root: &str) -> Value {
    let here = format!("{api_root}/vnflcm/v2/vnf_instances/{}", vnf.id);
    let mut wire = json!({
        "id": vnf.id,
        "vnfdId": vnf.vnfd_id,
        "vnfProvider": vnf.provider,
        "vnfProductName": vnf.product_name,
        "vnfSoftwareVersion": vnf.software_version,
        "vnfdVersion": vnf.vnfd_version,
        "instantiationState": instantiation_state(vnf),
        "_links": links(&here, possible_tasks(vnf)),
    });
    let Some(fields) = wire.as_object_mut() else { return wire };
    let texts = [("vnfInstanceName", &vnf.name), ("vnfInstanceDescription", &vnf.description)];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.insert(name.into(), json!(text));
        }
    }
    if !vnf.metadata.is_empty() {
        fields.insert("metadata".into(), json!(vnf.metadata));
    }
    if let Some(instantiated) = &vnf.instantiated {
        fields.insert("instantiatedVnfInfo".into(), instantiated_vnf_info(instantiated));
    }
    wire
}

/// `instantiationState`.
#[must_use]
const fn instantiation_state(vnf: &VnfInstance) -> &'static str {
    if vnf.instantiated.is_some() { "INSTANTIATED" } else { "NOT_INSTANTIATED" }
}

const fn possible_tasks(vnf: &VnfInstance) -> &'static [&'static str] {
    match (&vnf.busy_with, &vnf.instantiated) {
        (Some(_), _) => &[],
        (None, None) => &["instantiate"],
        (None, Some(_)) => &["scale", "heal", "terminate"],
    }
}

fn instantiated_vnf_info(instantiated: &Instantiated) -> Value {
    let levels = instantiated.scale.iter();
    let levels = levels.map(|(aspect, level)| json!({ "aspectId": aspect, "scaleLevel": level }));
    let of = |kind: ResourceKind, wire: fn(&Held) -> Value| -> Vec<Value> {
        instantiated.resources.iter().filter(|h| h.kind == kind).map(wire).collect()
    };
    json!({
        "flavourId": instantiated.flavour_id,
        "vnfState": "STARTED",
        "scaleStatus": levels.collect::<Vec<_>>(),
        "extCpInfo": [],
        "vnfcResourceInfo": of(ResourceKind::Compute, vnfc),
        "vnfVirtualLinkResourceInfo": of(ResourceKind::Network, virtual_link),
        "virtualStorageResourceInfo": of(ResourceKind::Storage, storage),
    })
}

fn handle(held: &Held) -> Value {
    json!({ "vimConnectionId": held.vim_id, "resourceId": held.resource_id })
}

fn vnfc(held: &Held) -> Value {
    json!({
        "id": held.name,
        "vduId": held.template,
        "computeResource": handle(held),
        "zoneId": held.zone_id,
        "storageResourceIds": held.joins.iter().filter(|j| j.contains('.')).collect::<Vec<_>>(),
    })
}

fn virtual_link(held: &Held) -> Value {
    json!({
        "id": held.name,
        "vnfVirtualLinkDescId": held.template,
        "networkResource": handle(held),
    })
}

fn storage(held: &Held) -> Value {
    json!({
        "id": held.name,
        "virtualStorageDescId": held.template,
        "storageResource": handle(held),
    })
}

/// `VnfLcmOpOcc` (clause 5.5.2.13) with the error handling that is possible now in `_links`.
#[must_use]
pub fn vnf_lcm_op_occ(op: &VnfOp, api_root: &str) -> Value {
    let here = format!("{api_root}/vnflcm/v2/vnf_lcm_op_occs/{}", op.id);
    let mut links = links(&here, possible_handling(op));
    let instance = format!("{api_root}/vnflcm/v2/vnf_instances/{}", op.vnf_instance_id);
    links["vnfInstance"] = json!({ "href": instance });
    let mut wire = json!({
        "id": op.id,
        "operationState": op.state(),
        "stateEnteredTime": op.state_entered_time(),
        "startTime": op.start_time,
        "vnfInstanceId": op.vnf_instance_id,
        "operation": op.operation,
        "isAutomaticInvocation": op.is_automatic_invocation,
        "operationParams": op.operation_params,
        "isCancelPending": false,
        "_links": links,
    });
    if op.granted {
        wire["grantId"] = json!(op.id);
    }
    if let Some(error) = op.error() {
        wire["error"] = json!(error);
    }
    if !op.changes.is_empty() {
        wire["resourceChanges"] = resource_changes(&op.changes);
    }
    wire
}

fn possible_handling(op: &VnfOp) -> &'static [&'static str] {
    match (op.state(), op.can_roll_back()) {
        (State::FailedTemp, true) => &["retry", "rollback", "fail"],
        (State::FailedTemp, false) => &["retry", "fail"],
        (
            State::Starting
            | State::Processing
            | State::Completed
            | State::Failed
            | State::RollingBack
            | State::RolledBack,
            _,
        ) => &[],
    }
}

fn resource_changes(changes: &[Affected]) -> Value {
    let of = |kind: ResourceKind, wire: fn(&Affected) -> Value| -> Vec<Value> {
        changes.iter().filter(|a| a.kind == kind).map(wire).collect()
    };
    json!({
        "affectedVnfcs": of(ResourceKind::Compute, |a| affected(a, "vduId", "computeResource")),
        "affectedVirtualLinks":
            of(ResourceKind::Network, |a| affected(a, "vnfVirtualLinkDescId", "networkResource")),
        "affectedVirtualStorages":
            of(ResourceKind::Storage, |a| affected(a, "virtualStorageDescId", "storageResource")),
    })
}

fn affected(change: &Affected, template: &str, handle: &str) -> Value {
    let kind = match change.change {
        ChangeType::Added => "ADDED",
        ChangeType::Removed => "REMOVED",
    };
    let mut wire = json!({ "id": change.name, "changeType": kind });
    wire[template] = json!(change.template);
    wire[handle] = json!({ "vimConnectionId": change.vim_id, "resourceId": change.resource_id.clone().unwrap_or_default() });
    wire
}
