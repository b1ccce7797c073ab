//! What clients see of NS instances and their operations.

use crate::{
    ns::{
        NsInstance,
        op::{Item, NsOp},
        op_state::State,
    },
    op::Occurrence,
    sol::{sol003::vnf_instance, sol013::links::links},
    vnf::{
        self, Held, VnfInstance,
        op::{Affected, ChangeType},
    },
};
use serde_json::{Value, json};

/// `NsInstance` (clause 6.5.2.10) with the tasks that are possible now in `_links`; `vnfs` are
/// those of its network functions that are to be shown.
#[must_use]
pub fn ns_instance(ns: &NsInstance, vnfs: &[VnfInstance], api_root: &str) -> Value {
    let here = format!("{api_root}/nslcm/v2/ns_instances/{}", ns.id);
    let mut wire = json!({
        "id": ns.id,
        "nsInstanceName": ns.name,
        "nsInstanceDescription": ns.description,
        "nsdId": ns.nsd_id,
        "nsdInfoId": ns.nsd_info_id,
        "nsState": if ns.deployed.is_some() { "INSTANTIATED" } else { "NOT_INSTANTIATED" },
        "_links": links(&here, possible_tasks(ns)),
    });
    if let Some(deployed) = &ns.deployed {
        wire["flavourId"] = json!(deployed.flavour_id);
        let levels = deployed.scale.iter();
        let levels = levels.map(|(id, level)| {
            // An identifier of the standard, and so a text.
            json!({ "nsScalingAspectId": id, "nsScaleLevelId": level.to_string() })
        });
        wire["nsScaleStatus"] = levels.collect();
    }
    if !vnfs.is_empty() {
        wire["vnfInstance"] = vnfs.iter().map(|v| vnf_instance(v, api_root)).collect();
    }
    if !ns.links.is_empty() {
        wire["virtualLinkInfo"] = ns.links.iter().map(virtual_link).collect();
    }
    wire
}

const fn possible_tasks(ns: &NsInstance) -> &'static [&'static str] {
    match (&ns.busy_with, &ns.deployed) {
        (Some(_), _) => &[],
        (None, None) => &["instantiate"],
        (None, Some(_)) => &["scale", "heal", "terminate"],
    }
}

fn virtual_link(held: &Held) -> Value {
    json!({
        "id": held.name,
        "nsVirtualLinkDescId": held.template,
        "nsVirtualLinkProfileId": held.template,
        "resourceHandle": [{ "vimId": held.vim_id, "resourceId": held.resource_id }],
    })
}

/// `NsLcmOpOcc` (clause 6.5.2.3) with the error handling that is possible now in `_links`.
#[must_use]
pub fn ns_lcm_op_occ(op: &NsOp, api_root: &str) -> Value {
    let here = format!("{api_root}/nslcm/v2/ns_lcm_op_occs/{}", op.id);
    let mut links = links(&here, possible_handling(op));
    let instance = format!("{api_root}/nslcm/v2/ns_instances/{}", op.ns_instance_id);
    links["nsInstance"] = json!({ "href": instance });
    let mut wire = json!({
        "id": op.id,
        "operationState": op.state(),
        "stateEnteredTime": op.state_entered_time(),
        "nsInstanceId": op.ns_instance_id,
        "lcmOperationType": op.operation,
        "startTime": op.start_time,
        "isAutomaticInvocation": false,
        "operationParams": op.operation_params,
        "isCancelPending": false,
        "_links": links,
    });
    if let Some(error) = op.error() {
        wire["error"] = json!(error);
    }
    let vnfs: Vec<Value> = op.items.iter().filter_map(affected_vnf).collect();
    let links: Vec<Value> = op.links.iter().map(affected_vl).collect();
    for (name, affected) in [("affectedVnfs", vnfs), ("affectedVls", links)] {
        if !affected.is_empty() {
            wire["resourceChanges"][name] = affected.into();
        }
    }
    wire
}

fn possible_handling(op: &NsOp) -> &'static [&'static str] {
    match (op.state(), op.can_roll_back) {
        (State::FailedTemp, true) => &["retry", "rollback", "fail"],
        (State::FailedTemp, false) => &["retry", "fail"],
        (
            State::Processing
            | State::Completed
            | State::PartiallyCompleted
            | State::Failed
            | State::RollingBack
            | State::RolledBack,
            _,
        ) => &[],
    }
}

/// `AffectedVnf` (clause 6.5.3.2), once a run has ended.
fn affected_vnf(item: &Item) -> Option<Value> {
    use vnf::op_state::State as Vnf;
    let result = match item.state? {
        Vnf::Completed => "COMPLETED",
        Vnf::RolledBack => "ROLLED_BACK",
        Vnf::Failed | Vnf::FailedTemp | Vnf::Starting | Vnf::Processing | Vnf::RollingBack => {
            "FAILED"
        }
    };
    Some(json!({
        "vnfInstanceId": item.vnf_instance_id,
        "vnfdId": item.vnfd_id,
        "vnfProfileId": item.profile_id,
        "vnfName": item.name,
        "changeType": item.operation,
        "changeResult": result,
    }))
}

/// `AffectedVirtualLink` (clause 6.5.3.4): what is listed has happened.
fn affected_vl(link: &Affected) -> Value {
    let change = match link.change {
        ChangeType::Added => "ADD",
        ChangeType::Removed => "DELETE",
    };
    json!({
        "nsVirtualLinkInstanceId": link.name,
        "nsVirtualLinkDescId": link.template,
        "vlProfileId": link.template,
        "changeType": change,
        "changeResult": "COMPLETED",
    })
}
