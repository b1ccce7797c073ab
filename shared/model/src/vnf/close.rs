//! Closing a run: what the operation and its instance are afterwards.

use super::{
    Held, Instantiated, VnfInstance,
    op::{Affected, ChangeType, Operation, VnfOp},
    op_state::State,
    task,
};
use crate::{
    Refusal,
    descriptor::Vnfd,
    grant::Grant,
    op::{
        Occurrence, Outcome, ended,
        error_handling::in_failed_temp,
        state::{Event, Lifecycle},
    },
    plan::{Origin, Plan, Versioned},
    resource::Resource,
    sol::sol013::ProblemDetails,
};

/// What closing needs to know.
pub struct Facts<'a> {
    /// The operation.
    pub op: &'a Versioned<VnfOp>,
    /// Its instance.
    pub instance: &'a Versioned<VnfInstance>,
    /// The instance's descriptor.
    pub vnfd: &'a Vnfd,
    /// What was granted, if anything was.
    pub grant: Option<&'a Grant>,
    /// What the inventory has of the instance now.
    pub resources: &'a [Resource],
}

/// The run is over: the operation rests or is closed, and a closed one lets its instance go.
///
/// # Errors
///
/// Conflict: where the operation stands, it cannot end like this. Unprocessable: the descriptor no
/// longer has what was asked for.
pub fn decide(
    origin: Origin,
    facts: &Facts<'_>,
    outcome: Outcome,
    error: Option<ProblemDetails>,
) -> Result<Plan, Refusal> {
    let event = match (outcome, facts.op.state()) {
        (Outcome::Completed, _) => Event::Complete,
        (Outcome::RolledBack, _) => Event::Undo,
        (Outcome::FailedTemp, State::Starting) => Event::Refuse,
        (Outcome::FailedTemp, _) => Event::Fail,
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
    op.changes = affected(facts.grant, facts.resources);
    let plan = ended(origin, facts.op, &op);
    if !op.state().is_final() {
        return Ok(plan);
    }
    let instance = VnfInstance {
        busy_with: None,
        instantiated: instantiated(facts, &op)?,
        ..facts.instance.value.clone()
    };
    Ok(plan.update(facts.instance.version, &instance))
}

/// What exists of the instance once the operation is closed.
fn instantiated(facts: &Facts<'_>, op: &VnfOp) -> Result<Option<Instantiated>, Refusal> {
    let before = facts.instance.instantiated.clone();
    let resources = Held::all(facts.resources);
    let done = op.state() == State::Completed;
    Ok(match (op.operation, done) {
        (Operation::Instantiate, true) => {
            let (flavour_id, scale) = task::scale_after(facts.vnfd, &op.operation_params)?;
            Some(Instantiated { flavour_id, scale, resources })
        }
        (Operation::Scale, true) => {
            let before_facts = task::Facts {
                instance: facts.instance,
                vnfd: facts.vnfd,
                resources: &before_scale(facts),
            };
            let ((aspect, level), _) = task::scale(&before_facts, &op.operation_params)?;
            before.map(|mut now| {
                now.scale.insert(aspect, level);
                Instantiated { resources, ..now }
            })
        }
        (Operation::Instantiate, false) | (Operation::Terminate, true) => None,
        (Operation::Scale | Operation::Terminate, false) | (Operation::Heal, _) => {
            before.map(|now| Instantiated { resources, ..now })
        }
    })
}

/// The rows before a SCALE_IN took some away: its minimum was checked against them.
fn before_scale(facts: &Facts<'_>) -> Vec<Resource> {
    let removed = facts.grant.map_or(&[][..], |g| &g.removes);
    facts.resources.iter().chain(removed).cloned().collect()
}

/// What an operation changed, over all its runs: granted additions that are there, granted
/// removals that are gone.
fn affected(grant: Option<&Grant>, resources: &[Resource]) -> Vec<Affected> {
    let Some(grant) = grant else { return Vec::new() };
    let there = |name: &str| resources.iter().find(|r| r.want.name == name);
    let added = grant.adds.iter().filter_map(|p| there(&p.want.name));
    let added = added.map(|r| change(r, ChangeType::Added));
    let gone = grant.removes.iter().filter(|r| there(&r.want.name).is_none());
    added.chain(gone.map(|r| change(r, ChangeType::Removed))).collect()
}

fn change(resource: &Resource, change: ChangeType) -> Affected {
    Affected {
        name: resource.want.name.clone(),
        kind: resource.want.kind,
        template: resource.want.template.clone(),
        change,
        vim_id: resource.vim_id.clone(),
        resource_id: resource.resource_id.clone(),
    }
}
