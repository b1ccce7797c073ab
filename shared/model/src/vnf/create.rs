//! Creating a VNF instance identifier, and deleting one.

use super::VnfInstance;
use crate::{
    Refusal,
    catalog::usage::{self, Descriptor},
    descriptor::Vnfd,
    plan::{Origin, Plan, Versioned},
    resource::Resource,
};
use serde_json::{Map, Value, json};

/// What a client, or a network service, gives a new instance.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Naming {
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Free content.
    pub metadata: Map<String, Value>,
    /// The service it belongs to, and its profile there.
    pub part_of: Option<(String, String)>,
}

/// The instance as it will be, `NOT_INSTANTIATED`.
#[must_use]
pub fn instance(id: String, vnfd: &Vnfd, naming: Naming) -> VnfInstance {
    let (ns_instance_id, vnf_profile_id) = naming.part_of.unzip();
    VnfInstance {
        id,
        name: naming.name,
        description: naming.description,
        vnfd_id: vnfd.vnfd_id.clone(),
        vnf_pkg_id: vnfd.vnf_pkg_id.clone(),
        provider: vnfd.provider.clone(),
        product_name: vnfd.product_name.clone(),
        software_version: vnfd.software_version.clone(),
        vnfd_version: vnfd.descriptor_version.clone(),
        instantiated: None,
        busy_with: None,
        ns_instance_id,
        vnf_profile_id,
        metadata: naming.metadata,
    }
}

/// The instance exists, its descriptor is in use, and the world hears of it.
#[must_use]
pub fn create(origin: Origin, instance: &VnfInstance) -> Plan {
    announce(Plan::new(origin).create(instance), instance)
}

/// The plan that creates the instance, with its descriptor counted and the creation announced.
#[must_use]
pub fn announce(plan: Plan, instance: &VnfInstance) -> Plan {
    let body = json!({ "vnfInstanceId": instance.id, "vnfdId": instance.vnfd_id });
    usage::take(plan, Descriptor::Vnfd, &instance.vnfd_id, 1).tell::<VnfInstance>(
        &instance.id,
        "vnf.identifier.created",
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
    instance: &Versioned<VnfInstance>,
    leftovers: &[Resource],
) -> Result<Plan, Refusal> {
    idle(instance)?;
    if instance.instantiated.is_some() {
        return Err(Refusal::conflict(format!(
            "VNF instance '{}' is INSTANTIATED; terminate it first",
            instance.id
        )));
    }
    if !leftovers.is_empty() {
        return Err(Refusal::conflict(leftovers_text("VNF", "vnf", &instance.id, leftovers)));
    }
    let body = json!({ "vnfInstanceId": instance.id, "vnfdId": instance.vnfd_id });
    let plan = Plan::new(origin).delete::<VnfInstance>(instance.version, &instance.id);
    Ok(usage::give_back(plan, Descriptor::Vnfd, &instance.vnfd_id, 1).tell::<VnfInstance>(
        &instance.id,
        "vnf.identifier.deleted",
        body,
    ))
}

/// No operation is open on it.
///
/// # Errors
///
/// Conflict: an operation has it.
pub fn idle(instance: &VnfInstance) -> Result<(), Refusal> {
    match &instance.busy_with {
        None => Ok(()),
        Some(op) => Err(Refusal::conflict(format!(
            "VNF instance '{}' is taken by operation '{op}'; wait for it, or retry, roll back or fail it",
            instance.id
        ))),
    }
}

/// Which resources a failed operation left, and what to do about them.
pub(crate) fn leftovers_text(what: &str, noun: &str, id: &str, leftovers: &[Resource]) -> String {
    let names: Vec<String> =
        leftovers.iter().take(20).map(|r| format!("{} on {}", r.want.name, r.vim_id)).collect();
    let more = leftovers.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(
        "{what} instance '{id}' still has resources a failed operation left: {}{more}; \
         remove them with POST /mano/v1/{noun}_instances/{id}/release",
        names.join(", ")
    )
}
