//! The ways forward from FAILED_TEMP: retry, roll back, fail (SOL005 clauses 6.4.11 to 6.4.14).

use super::{
    close::{self, Facts},
    op::NsOp,
    op_state::{Event, State},
};
use crate::{
    Refusal,
    op::Mode,
    plan::{Origin, Plan, Versioned},
    refusal::Why,
};

/// The same operation, tried again: what was done stays done.
pub fn retry(origin: Origin, op: &Versioned<NsOp>) -> Result<Plan, Refusal> {
    again(origin, op, Event::Retry, Mode::Forward)
}

/// What the operation did is undone.
pub fn roll_back(origin: Origin, op: &Versioned<NsOp>) -> Result<Plan, Refusal> {
    if !op.can_roll_back {
        return Err(Refusal::new(
            Why::Absent,
            format!(
                "this {} cannot be rolled back; retry or fail operation '{}'",
                op.operation.as_str(),
                op.id
            ),
        ));
    }
    again(origin, op, Event::RollBack, Mode::Undo)
}

fn again(origin: Origin, op: &Versioned<NsOp>, event: Event, mode: Mode) -> Result<Plan, Refusal> {
    in_failed_temp(op)?;
    let mut next = op.value.clone();
    next.apply(event, origin.at, None).map_err(|e| Refusal::conflict(e.to_string()))?;
    next.run += 1;
    let body = next.start(&origin.tenant, mode);
    let origin = origin.answering(op.correlation.as_deref());
    Ok(Plan::new(origin).update(op.version, &next).tell::<NsOp>(&op.id, &op.fact("started"), body))
}

/// The operation is closed as it is; what exists is in the inventory.
pub fn fail(origin: Origin, facts: &Facts<'_>) -> Result<Plan, Refusal> {
    in_failed_temp(facts.op)?;
    close::end(origin, facts, Event::GiveUp, None)
}

/// The only state with a choice.
pub fn in_failed_temp(op: &NsOp) -> Result<(), Refusal> {
    if op.state() == State::FailedTemp {
        return Ok(());
    }
    Err(Refusal::conflict(format!(
        "operation '{}' is {}; this is possible only in FAILED_TEMP",
        op.id,
        op.state().as_str()
    )))
}
