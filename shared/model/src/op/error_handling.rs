//! The ways forward from FAILED_TEMP: retry, roll back, fail.
//!
//! SOL003 clauses 5.4.14 to 5.4.16, SOL005 clauses 6.4.11 to 6.4.14. `fail` closes, so it is
//! with the closing of each kind.

use super::{
    Occurrence, Waiter,
    state::{Event, Lifecycle},
};
use crate::{
    Refusal,
    plan::{Origin, Plan, Versioned},
    refusal::Why,
};

/// A way forward: [`retry`] or [`roll_back`].
pub type Way<T> = fn(Origin, &Versioned<T>, Option<Waiter>) -> Result<Plan, Refusal>;

/// The same operation, tried again: what was done stays done, a grant stays valid.
///
/// # Errors
///
/// It is not in FAILED_TEMP.
pub fn retry<T: Occurrence>(
    origin: Origin,
    op: &Versioned<T>,
    waiter: Option<Waiter>,
) -> Result<Plan, Refusal> {
    again(origin, op, Event::Retry, waiter)
}

/// What the operation did is undone.
///
/// # Errors
///
/// It cannot be rolled back, or is not in FAILED_TEMP.
pub fn roll_back<T: Occurrence>(
    origin: Origin,
    op: &Versioned<T>,
    waiter: Option<Waiter>,
) -> Result<Plan, Refusal> {
    if !op.can_roll_back() {
        let (what, id) = (op.operation(), op.id());
        let told = format!("this {what} cannot be rolled back; retry or fail operation '{id}'");
        return Err(Refusal::new(Why::Absent, told));
    }
    again(origin, op, Event::RollBack, waiter)
}

fn again<T: Occurrence>(
    origin: Origin,
    op: &Versioned<T>,
    event: Event,
    waiter: Option<Waiter>,
) -> Result<Plan, Refusal> {
    in_failed_temp(&op.value)?;
    let mut next = op.value.clone();
    next.apply(event, origin.at, None)?;
    next.next_run(waiter);
    let body = next.start(&origin.tenant);
    let plan = Plan::new(origin.answering(op.correlation()));
    Ok(plan.update(op.version, &next).tell::<T>(op.id(), &op.fact("started"), body))
}

/// The only state with a choice: the only one in which an operation can be given up.
///
/// # Errors
///
/// It is in another state.
pub fn in_failed_temp<T: Occurrence>(op: &T) -> Result<(), Refusal> {
    let state = op.state();
    if state.on(Event::GiveUp).is_ok() {
        return Ok(());
    }
    Err(Refusal::conflict(format!(
        "operation '{}' is {}; this is possible only in FAILED_TEMP",
        op.id(),
        state.as_str()
    )))
}
