//! Accepting an LCM task of a network service: whether it may be done, and what it asks of whom.

use super::{
    Deployed, NsInstance,
    create::idle,
    members::{self, Counts},
    op::{Accepted, Item, NsOp, Operation},
};
use crate::{
    Refusal,
    descriptor::{NsFlavour, Nsd, Vnfd},
    op::Mode,
    plan::{Origin, Plan, Versioned},
    sol::{
        sol003::{ScaleType, ScaleVnfRequest},
        sol005::{
            HealNsRequest, InstantiateNsRequest, ScaleByStepData, ScaleNsData, ScaleNsRequest,
            ScaleVnfData, TerminateNsRequest,
        },
    },
    vnf::{self, task::parse},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a decision about a task needs to know.
pub struct Facts<'a> {
    /// The instance, as read.
    pub instance: &'a Versioned<NsInstance>,
    /// Its descriptor.
    pub nsd: &'a Nsd,
    /// The VNF descriptors it refers to, as far as they are on-boarded.
    pub vnfds: &'a BTreeMap<String, Vnfd>,
}

/// The service is taken by the operation, and the world hears of it.
pub fn accept(
    origin: Origin,
    facts: &Facts<'_>,
    id: String,
    operation: Operation,
    params: Value,
) -> Result<Plan, Refusal> {
    idle(facts.instance)?;
    in_state(facts.instance, operation)?;
    let (items, target) = decide(facts, &id, operation, &params)?;
    let can_roll_back = can_roll_back(operation, &items);
    let ns_instance_id = facts.instance.id.clone();
    let what = Accepted { id, ns_instance_id, operation, params, items, target, can_roll_back };
    let mut op = NsOp::accepted(what, origin.at);
    op.correlation.clone_from(&origin.correlation);
    let taken = NsInstance { busy_with: Some(op.id.clone()), ..facts.instance.value.clone() };
    let body = op.start(&origin.tenant, Mode::Forward);
    Ok(Plan::new(origin).update(facts.instance.version, &taken).create(&op).tell::<NsOp>(
        &op.id,
        &op.fact("started"),
        body,
    ))
}

fn in_state(instance: &NsInstance, operation: Operation) -> Result<(), Refusal> {
    let id = &instance.id;
    match (operation, instance.deployed.is_some()) {
        (Operation::Instantiate, true) => {
            Err(Refusal::conflict(format!("NS instance '{id}' is INSTANTIATED already")))
        }
        (Operation::Instantiate, false) if !instance.members.is_empty() => {
            Err(Refusal::conflict(format!(
                "NS instance '{id}' still has network functions a failed operation left; remove \
                 them with POST /mano/v1/ns_instances/{id}/release"
            )))
        }
        (Operation::Scale | Operation::Heal | Operation::Terminate, false) => {
            Err(Refusal::conflict(format!(
                "NS instance '{id}' is NOT_INSTANTIATED; instantiate it first"
            )))
        }
        _ => Ok(()),
    }
}

/// Only what adds can be taken back.
fn can_roll_back(operation: Operation, items: &[Item]) -> bool {
    let adds = |item: &Item| match item.operation {
        vnf::op::Operation::Instantiate => true,
        vnf::op::Operation::Scale => item.params["type"] == "SCALE_OUT",
        vnf::op::Operation::Heal | vnf::op::Operation::Terminate => false,
    };
    match operation {
        Operation::Instantiate => true,
        Operation::Scale => items.iter().all(adds),
        Operation::Heal | Operation::Terminate => false,
    }
}

fn decide(
    facts: &Facts<'_>,
    op: &str,
    operation: Operation,
    params: &Value,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    match operation {
        Operation::Instantiate => instantiate(facts, op, params),
        Operation::Scale => scale(facts, op, params),
        Operation::Heal => Ok((heal(facts.instance, params)?, facts.instance.deployed.clone())),
        Operation::Terminate => {
            let request: TerminateNsRequest = parse(params)?;
            if request.termination_time.is_some() {
                return Err(Refusal::unprocessable(
                    "terminationTime: this orchestrator terminates at once; ask when it is time",
                ));
            }
            Ok((terminate(facts), None))
        }
    }
}

fn instantiate(
    facts: &Facts<'_>,
    op: &str,
    params: &Value,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    let request: InstantiateNsRequest = parse(params)?;
    let flavour = members::flavour(facts.nsd, request.ns_flavour_id.as_deref())?;
    let level = members::level(flavour, request.ns_instantiation_level_id.as_deref())?;
    let items = members::towards(op, flavour, facts.vnfds, &[], &level.vnfs)?;
    let mut scale: BTreeMap<String, u32> =
        flavour.aspects.iter().map(|a| (a.id.clone(), 0)).collect();
    scale.extend(level.scale.clone());
    Ok((items, Some(Deployed { flavour_id: flavour.id.clone(), scale })))
}

fn scale(
    facts: &Facts<'_>,
    op: &str,
    params: &Value,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    let request: ScaleNsRequest = parse(params)?;
    match (request.scale_ns_data, request.scale_vnf_data) {
        (Some(data), None) => scale_ns(facts, op, data),
        (None, Some(data)) => {
            let items = data.into_iter().map(|one| scale_vnf(facts.instance, one));
            Ok((items.collect::<Result<_, _>>()?, facts.instance.deployed.clone()))
        }
        (Some(_), Some(_)) | (None, None) => Err(Refusal::unprocessable(
            "a ScaleNsRequest carries scaleNsData with scaleType SCALE_NS, or scaleVnfData with \
             SCALE_VNF",
        )),
    }
}

/// Whole network functions come or go.
fn scale_ns(
    facts: &Facts<'_>,
    op: &str,
    data: ScaleNsData,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    let Some(deployed) = &facts.instance.deployed else {
        return Err(Refusal::conflict("the NS instance is gone"));
    };
    let flavour = members::flavour(facts.nsd, Some(&deployed.flavour_id))?;
    let (counts, scale) = match (data.scale_ns_by_steps_data, data.scale_ns_to_level_data) {
        (Some(steps), None) => {
            let by = i64::from(steps.number_of_steps.unwrap_or(1));
            let by = if steps.scaling_direction == ScaleType::ScaleOut { by } else { -by };
            by_steps(facts.instance, flavour, deployed, &steps.aspect_id, by)?
        }
        (None, Some(to)) => {
            let level = members::level(flavour, Some(&to.ns_instantiation_level))?;
            (level.vnfs.clone(), level.scale.clone())
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refusal::unprocessable(
                "scaleNsData carries either scaleNsByStepsData or scaleNsToLevelData",
            ));
        }
    };
    let mut all = deployed.scale.clone();
    all.extend(scale);
    let items = members::towards(op, flavour, facts.vnfds, &facts.instance.members, &counts)?;
    Ok((items, Some(Deployed { flavour_id: flavour.id.clone(), scale: all })))
}

fn by_steps(
    instance: &NsInstance,
    flavour: &NsFlavour,
    deployed: &Deployed,
    aspect_id: &str,
    by: i64,
) -> Result<(Counts, BTreeMap<String, u32>), Refusal> {
    let aspect = members::aspect(flavour, aspect_id)?;
    let now = deployed.scale.get(aspect_id).copied().unwrap_or(0);
    let reached = i64::from(now) + by;
    let target = u32::try_from(reached).ok().filter(|l| *l <= aspect.max_level);
    let target = target.filter(|_| by != 0).ok_or_else(|| {
        Refusal::unprocessable(format!(
            "NS scaling aspect '{aspect_id}' has levels 0 to {} and is at {now}; this would reach \
             level {reached}",
            aspect.max_level
        ))
    })?;
    let mut counts = Counts::new();
    for profile in &flavour.vnf_profiles {
        let has = instance.members.iter().filter(|m| m.profile_id == profile.id).count();
        counts.insert(profile.id.clone(), u32::try_from(has).unwrap_or(u32::MAX));
    }
    let index = |level: u32| usize::try_from(level).unwrap_or(usize::MAX);
    let between = index(now.min(target))..index(now.max(target));
    for delta in aspect.steps.get(between).into_iter().flatten() {
        for (profile, by) in delta {
            let count = counts.entry(profile.clone()).or_default();
            *count = if target > now { *count + by } else { count.saturating_sub(*by) };
        }
    }
    Ok((counts, [(aspect_id.into(), target)].into()))
}

/// One network function becomes larger or smaller.
fn scale_vnf(instance: &NsInstance, data: ScaleVnfData) -> Result<Item, Refusal> {
    let Some(ScaleByStepData { aspect_id, number_of_steps }) = data.scale_by_step_data else {
        return Err(Refusal::unprocessable(
            "scaleVnfData needs scaleByStepData; scaling to a level of a VNF is not offered yet",
        ));
    };
    let scale_type = match data.scale_vnf_type.as_str() {
        "SCALE_OUT" => ScaleType::ScaleOut,
        "SCALE_IN" => ScaleType::ScaleIn,
        other => {
            return Err(Refusal::unprocessable(format!(
                "scaleVnfType '{other}' is not offered; use SCALE_OUT or SCALE_IN"
            )));
        }
    };
    let params = json!(ScaleVnfRequest { scale_type, aspect_id, number_of_steps });
    members::change(instance, &data.vnf_instance_id, vnf::op::Operation::Scale, params, 0)
}

fn heal(instance: &NsInstance, params: &Value) -> Result<Vec<Item>, Refusal> {
    let request: HealNsRequest = parse(params)?;
    let one = |id: &str, cause: &Option<String>| {
        let params = cause.as_ref().map_or_else(|| json!({}), |c| json!({ "cause": c }));
        members::change(instance, id, vnf::op::Operation::Heal, params, 0)
    };
    match (request.heal_ns_data, request.heal_vnf_data) {
        (Some(_), None) => {
            instance.members.iter().map(|m| one(&m.vnf_instance_id, &None)).collect()
        }
        (None, Some(vnfs)) => vnfs.iter().map(|v| one(&v.vnf_instance_id, &v.cause)).collect(),
        (Some(_), Some(_)) | (None, None) => {
            Err(Refusal::unprocessable("a HealNsRequest carries either healNsData or healVnfData"))
        }
    }
}

/// Everything goes, the last to come first.
fn terminate(facts: &Facts<'_>) -> Vec<Item> {
    let flavour = facts.instance.deployed.as_ref().and_then(|d| facts.nsd.flavour(&d.flavour_id));
    let members = facts.instance.members.iter().map(|member| {
        let profile =
            flavour.and_then(|f| f.vnf_profiles.iter().find(|p| p.id == member.profile_id));
        let vnfd_id = profile.map(|p| p.vnfd_id.clone()).unwrap_or_default();
        members::death(member, &vnfd_id)
    });
    members.collect()
}
