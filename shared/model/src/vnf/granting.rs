//! Granting: where everything goes, with the capacity reserved in the same commit.

use super::{
    op::{Operation, VnfOp},
    task::{self, Facts},
};
use crate::{
    Refusal,
    descriptor::AffinityRule,
    grant::{
        ByZone, Grant, Owner,
        place::{Question, place},
    },
    op::{Occurrence, state::Event},
    plan::{Origin, Plan, Versioned},
    vim::Zone,
};
use serde_json::json;

/// The operation may go on: what it makes and removes is decided and has room.
///
/// `lost` names the resources a HEAL makes again.
///
/// # Errors
///
/// Forbidden: there is no room. Conflict: the operation is not STARTING. And as of
/// [`task::decide`].
pub fn decide(
    origin: Origin,
    op: &Versioned<VnfOp>,
    facts: &Facts<'_>,
    lost: &[&str],
    zones: &[Zone],
) -> Result<(Grant, Plan), Refusal> {
    let changes = task::decide(facts, op.operation, &op.operation_params, lost)?;
    let gone = |name: &str| changes.removes.iter().any(|r| r.want.name == name);
    let staying: Vec<_> = facts.resources.iter().filter(|r| !gone(&r.want.name)).cloned().collect();
    let adds = place(&Question {
        wants: &changes.adds,
        rules: rules(facts, op)?,
        existing: &staying,
        zones,
        instance: &op.vnf_instance_id,
    })?;
    let mut needed = ByZone::default();
    for placement in &adds {
        needed.add(&placement.vim_id, &placement.zone_id, placement.want.amounts);
    }
    let grant = Grant {
        op_id: op.id.clone(),
        owner: Owner::Vnf,
        instance_id: op.vnf_instance_id.clone(),
        adds,
        removes: changes.removes,
    };
    let at = origin.at;
    let mut granted = op.value.clone();
    granted.granted = true;
    granted.apply(Event::Grant, at, None)?;
    let body = json!({
        "op": op.id,
        "vnfInstanceId": op.vnf_instance_id,
        "state": granted.state(),
        "adds": grant.adds.len(),
        "removes": grant.removes.len(),
    });
    let origin = origin.answering(op.correlation.as_deref());
    let plan = Plan::new(origin).create(&grant).update(op.version, &granted).tell::<VnfOp>(
        &op.id,
        &op.fact("granted"),
        body,
    );
    Ok((grant, needed.reserve(plan, zones)))
}

/// What binds the units of the flavour that is asked for, or runs.
fn rules<'a>(facts: &Facts<'a>, op: &VnfOp) -> Result<&'a [AffinityRule], Refusal> {
    let flavour = match (op.operation, &facts.instance.instantiated) {
        (Operation::Instantiate, _) => Some(task::flavour_asked(facts.vnfd, &op.operation_params)?),
        (_, running) => running.as_ref().and_then(|now| facts.vnfd.flavour(&now.flavour_id)),
    };
    Ok(flavour.map_or(&[], |flavour| &flavour.affinity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        descriptor::{AffinityScope, VnfFlavour, VnfLevel, Vnfd},
        vnf::create,
    };

    #[test]
    fn the_only_flavour_binds_its_units_though_nobody_named_it() {
        let rule = AffinityRule {
            anti: true,
            scope: AffinityScope::NfviNode,
            members: vec!["unit".into()],
        };
        let level = VnfLevel { id: "small".into(), ..VnfLevel::default() };
        let flavour = VnfFlavour {
            id: "simple".into(),
            levels: vec![level],
            default_level: "small".into(),
            affinity: vec![rule.clone()],
            ..VnfFlavour::default()
        };
        let vnfd = Vnfd { flavours: vec![flavour], ..Vnfd::default() };
        let instance = create::instance("vnf".into(), &vnfd, create::Naming::default());
        let facts = Facts { instance: &instance, vnfd: &vnfd, resources: &[] };
        let op: VnfOp = serde_json::from_value(json!({
            "id": "op",
            "vnfInstanceId": "vnf",
            "operation": "INSTANTIATE",
            "operationParams": {},
            "startTime": "2026-01-02T03:04:05Z",
            "isAutomaticInvocation": false,
            "run": 0,
            "granted": false,
            "state": "STARTING",
            "stateEnteredTime": "2026-01-02T03:04:05Z",
        }))
        .unwrap();
        assert_eq!(rules(&facts, &op).unwrap(), [rule]);
    }
}
