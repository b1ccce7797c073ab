//! Closing a run: what the operation and its service are afterwards.

use super::{
    Member, NsInstance,
    op::{Item, NsOp, Operation},
    op_state::State,
};
use crate::{
    Refusal,
    op::{
        Occurrence, Outcome, ended,
        error_handling::in_failed_temp,
        state::{Event, Lifecycle},
    },
    plan::{Origin, Plan, Versioned},
    resource::Resource,
    sol::sol013::ProblemDetails,
    vnf::{
        self, Held,
        op::{Affected, ChangeType},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// What closing needs to know.
pub struct Facts<'a> {
    /// The operation.
    pub op: &'a Versioned<NsOp>,
    /// Its service.
    pub instance: &'a Versioned<NsInstance>,
    /// The service's own resources, as the inventory has them now.
    pub resources: &'a [Resource],
    /// By item: where its VNF operation stands.
    pub states: &'a BTreeMap<String, vnf::op_state::State>,
    /// The VNF instances that exist, of those the operation names.
    pub existing: &'a BTreeSet<String>,
}

/// The run is over: the operation rests or is closed, and a closed one lets its service go.
///
/// # Errors
///
/// Conflict: where the operation stands, it cannot end like this.
pub fn decide(
    origin: Origin,
    facts: &Facts<'_>,
    outcome: Outcome,
    error: Option<ProblemDetails>,
) -> Result<Plan, Refusal> {
    let event = match outcome {
        Outcome::Completed => Event::Complete,
        Outcome::RolledBack => Event::Undo,
        Outcome::FailedTemp => Event::Fail,
    };
    end(origin, facts, event, error)
}

/// The operation is closed as it is; what exists is in the inventory.
///
/// # Errors
///
/// It is not in FAILED_TEMP.
pub fn fail(origin: Origin, facts: &Facts<'_>) -> Result<Plan, Refusal> {
    in_failed_temp(&facts.op.value)?;
    end(origin, facts, Event::GiveUp, None)
}

/// The operation moves by `event`; used for every end of a run and for `fail`.
fn end(
    origin: Origin,
    facts: &Facts<'_>,
    event: Event,
    error: Option<ProblemDetails>,
) -> Result<Plan, Refusal> {
    let mut op = facts.op.value.clone();
    op.apply(event, origin.at, error)?;
    for item in &mut op.items {
        item.state = facts.states.get(&item.name).copied();
    }
    op.links = links(facts);
    let plan = ended(origin, facts.op, &op);
    if !op.state().is_final() {
        return Ok(plan);
    }
    let completed = op.state() == State::Completed;
    let instance = NsInstance {
        busy_with: None,
        members: members(facts, &op),
        links: Held::all(facts.resources),
        deployed: match (op.operation, completed) {
            (_, true) => op.target.clone(),
            (Operation::Instantiate, false) => None,
            (Operation::Scale | Operation::Heal | Operation::Terminate, false) => {
                facts.instance.deployed.clone()
            }
        },
        ..facts.instance.value.clone()
    };
    Ok(plan.update(facts.instance.version, &instance))
}

/// What the operation changed of the service's own links: those it made that are there, and those
/// the service had that are gone.
fn links(facts: &Facts<'_>) -> Vec<Affected> {
    let made = facts.resources.iter().filter(|r| r.op_id == facts.op.id);
    let made = Held::all(made).into_iter().map(|held| affected(held, ChangeType::Added));
    let there = |held: &Held| facts.resources.iter().any(|r| r.want.name == held.name);
    let gone = facts.instance.links.iter().filter(|held| !there(held)).cloned();
    made.chain(gone.map(|held| affected(held, ChangeType::Removed))).collect()
}

fn affected(held: Held, change: ChangeType) -> Affected {
    Affected {
        name: held.name,
        kind: held.kind,
        template: held.template,
        change,
        vim_id: held.vim_id,
        resource_id: Some(held.resource_id).filter(|id| !id.is_empty()),
    }
}

/// Who belongs to the service: those from before and those made, if they exist.
fn members(facts: &Facts<'_>, op: &NsOp) -> Vec<Member> {
    let touched = |id: &str| op.items.iter().any(|i| i.vnf_instance_id == id);
    let exists = |id: &str| facts.existing.contains(id);
    let before = facts.instance.members.iter();
    let stay =
        before.filter(|m| !touched(&m.vnf_instance_id) || exists(&m.vnf_instance_id)).cloned();
    let known = |item: &&Item| {
        facts.instance.members.iter().any(|m| m.vnf_instance_id == item.vnf_instance_id)
    };
    let new = op.items.iter().filter(|i| !known(i) && exists(&i.vnf_instance_id));
    stay.chain(new.map(|item| Member {
        name: item.name.clone(),
        profile_id: item.profile_id.clone(),
        vnf_instance_id: item.vnf_instance_id.clone(),
    }))
    .collect()
}
