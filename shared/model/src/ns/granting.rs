//! Granting: where the service's own virtual links go, and which of them go away.

use super::op::{NsOp, Operation};
use crate::{
    Refusal,
    descriptor::{NsFlavour, VnfFlavour},
    grant::{
        Grant, Owner,
        place::{Question, place},
    },
    plan::{Origin, Plan},
    resource::Resource,
    vim::Zone,
    vnf::changes::{self, Changes},
};

/// The grant of an NS operation; none where the service itself changes nothing.
///
/// `existing` are the service's own resources, `lost` those a HEAL makes again.
///
/// # Errors
///
/// Forbidden: the links have no room.
pub fn decide(
    origin: Origin,
    op: &NsOp,
    flavour: Option<&NsFlavour>,
    existing: &[Resource],
    lost: &[&str],
    zones: &[Zone],
) -> Result<Option<(Grant, Plan)>, Refusal> {
    let changes = match op.operation {
        Operation::Instantiate => links(flavour),
        Operation::Heal => changes::heal(&VnfFlavour::default(), existing, lost),
        Operation::Terminate => changes::terminate(existing),
        Operation::Scale => Changes::default(),
    };
    if changes == Changes::default() {
        return Ok(None);
    }
    let adds = place(&Question {
        wants: &changes.adds,
        rules: &[],
        existing,
        zones,
        instance: &op.ns_instance_id,
    })?;
    let grant = Grant {
        op_id: op.id.clone(),
        owner: Owner::Ns,
        instance_id: op.ns_instance_id.clone(),
        adds,
        removes: changes.removes,
    };
    let plan = Plan::new(origin).create(&grant);
    Ok(Some((grant, plan)))
}

fn links(flavour: Option<&NsFlavour>) -> Changes {
    let as_vnf = VnfFlavour {
        virtual_links: flavour.map(|f| f.virtual_links.clone()).unwrap_or_default(),
        ..VnfFlavour::default()
    };
    changes::instantiate(&as_vnf, &changes::Counts::new())
}
