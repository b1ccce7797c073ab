//! Creating an NS instance identifier, and deleting one.

use super::NsInstance;
use crate::{
    Refusal,
    catalog::usage::{self, Descriptor},
    plan::{Origin, Plan, Versioned},
    resource::Resource,
    vnf::create::leftovers_text,
};
use serde_json::json;

/// The instance exists, its descriptor is in use, and the world hears of it.
#[must_use]
pub fn create(origin: Origin, instance: &NsInstance) -> Plan {
    let body = json!({ "nsInstanceId": instance.id, "nsdId": instance.nsd_id });
    let plan = Plan::new(origin).create(instance);
    usage::take(plan, Descriptor::Nsd, &instance.nsd_id, 1).tell::<NsInstance>(
        &instance.id,
        "ns.identifier.created",
        body,
    )
}

/// The instance ceases to exist, if nothing of it is left anywhere.
///
/// # Errors
///
/// Conflict: an operation has it, it is INSTANTIATED, or something of it is left.
pub fn delete(
    origin: Origin,
    instance: &Versioned<NsInstance>,
    leftovers: &[Resource],
) -> Result<Plan, Refusal> {
    idle(instance)?;
    let id = &instance.id;
    if instance.deployed.is_some() {
        let detail = format!("NS instance '{id}' is INSTANTIATED; terminate it first");
        return Err(Refusal::conflict(detail));
    }
    if let Some(member) = instance.members.first() {
        let names: Vec<&str> = instance.members.iter().map(|m| m.name.as_str()).collect();
        return Err(Refusal::conflict(format!(
            "NS instance '{id}' still has network functions a failed operation left: {} (VNF \
             instance '{}' first); remove them with POST /mano/v1/ns_instances/{id}/release",
            names.join(", "),
            member.vnf_instance_id
        )));
    }
    if !leftovers.is_empty() {
        return Err(Refusal::conflict(leftovers_text("NS", "ns", id, leftovers)));
    }
    let body = json!({ "nsInstanceId": id, "nsdId": instance.nsd_id });
    let plan = Plan::new(origin).delete::<NsInstance>(instance.version, id);
    Ok(usage::give_back(plan, Descriptor::Nsd, &instance.nsd_id, 1).tell::<NsInstance>(
        id,
        "ns.identifier.deleted",
        body,
    ))
}

/// No operation is open on it.
///
/// # Errors
///
/// Conflict: an operation has it.
pub fn idle(instance: &NsInstance) -> Result<(), Refusal> {
    match &instance.busy_with {
        None => Ok(()),
        Some(op) => Err(Refusal::conflict(format!(
            "NS instance '{}' is taken by operation '{op}'; wait for it, or retry, roll back or fail it",
            instance.id
        ))),
    }
}
