//! What became of one resource step of an operation, and what is written when it ends.
//!
//! ```text
//!   TODO (no row) ──made──▶ DONE ──removed by UNDO──▶ UNDONE ──again──▶ TODO
//!        │  └─failed─▶ FAILED ──made──▶ DONE                   (removals end in DONE)
//!        └──removed by UNDO──▶ UNDONE
//! ```
//!
//! The row, the inventory and the reservation change in one plan: what exists is in
//! the inventory, and what is in the inventory is paid for.

use crate::{
    grant::{Grant, Placement},
    plan::{Document, Expect, Kind, Origin, Plan, Versioned},
    refusal::Refusal,
    resource::{Presence, Resource},
    vim::Zone,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// What the operation is for is so: made, or removed.
    Done,
    /// What was made, or may have been made, is gone again.
    Undone,
    /// The VIM will not do it; somebody must decide.
    Failed,
}

/// What became of one step: `{operation}/{resource}`. No row: still to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The operation occurrence.
    pub op_id: String,
    /// The step: the name of its resource, once in a grant.
    pub name: String,
    /// How it ended.
    pub state: State,
    /// The VIM's own name of what was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Why it failed, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The run of the operation that ended it so.
    pub run: u64,
    /// When that run first asked the VIM; none where nobody asked it to do anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// When it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

impl Step {
    /// The identity of the step `name` of an operation.
    #[must_use]
    pub fn id_of(op: &str, name: &str) -> String {
        format!("{op}/{name}")
    }

    /// How long it took, in seconds.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        Some(self.ended?.duration_since(self.began?).as_secs_f64())
    }
}

impl Document for Step {
    const KIND: Kind = Kind::Step;
    fn id(&self) -> String {
        Self::id_of(&self.op_id, &self.name)
    }
}

/// What a workflow asks of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verb {
    /// The resource shall be there.
    Ensure,
    /// The resource shall not be there.
    Remove,
}

/// A step as the grant means it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Make what the grant adds.
    Make(Placement, Resource),
    /// Unmake what the grant adds, made or not.
    Undo(Resource),
    /// Remove what the grant removes.
    Remove(Resource),
}

impl Task {
    /// What `verb` means for the resource `name` of a grant.
    ///
    /// # Errors
    ///
    /// Unprocessable: the grant has no such resource for this.
    pub fn of(grant: &Grant, verb: Verb, name: &str) -> Result<Self, Refusal> {
        let added = grant.adds.iter().find(|p| p.want.name == name);
        let removed = grant.removes.iter().find(|r| r.want.name == name);
        match (verb, added, removed) {
            (Verb::Ensure, Some(placement), _) => {
                Ok(Self::Make(placement.clone(), grant.resource(placement)))
            }
            (Verb::Remove, _, Some(resource)) => Ok(Self::Remove(resource.clone())),
            (Verb::Remove, Some(placement), None) => Ok(Self::Undo(grant.resource(placement))),
            (Verb::Ensure, None, _) | (Verb::Remove, None, None) => {
                let op = &grant.op_id;
                let detail =
                    format!("the grant of operation '{op}' has no resource '{name}' for this");
                Err(Refusal::unprocessable(detail))
            }
        }
    }

    /// The resource it is about, as far as the grant knows it.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        match self {
            Self::Make(_, resource) | Self::Undo(resource) | Self::Remove(resource) => resource,
        }
    }

    /// The state it ends in when all went well.
    #[must_use]
    pub const fn goal(&self) -> State {
        match self {
            Self::Make(..) | Self::Remove(_) => State::Done,
            Self::Undo(_) => State::Undone,
        }
    }
}

/// One step of one run, with what is recorded about it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The operation.
    pub op_id: String,
    /// The run of it that asks.
    pub run: u64,
    /// When it first asked the VIM, if it does.
    pub began: Option<Timestamp>,
    /// What is asked.
    pub task: Task,
    /// The step's row, if it ended before.
    pub step: Option<Versioned<Step>>,
    /// The inventory's row, if there is one.
    pub row: Option<Versioned<Resource>>,
}

impl Subject {
    /// Whether nothing is left to do.
    ///
    /// What was made and is in doubt since is made sure of again.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let doubted = self.row.as_ref().is_some_and(|row| row.presence == Presence::Suspect);
        let ended = self.step.as_ref().is_some_and(|s| s.state == self.task.goal());
        ended && !(doubted && matches!(self.task, Task::Make(..)))
    }

    /// Whether it was undone and is now wanted again: its reservation has to be taken again first.
    #[must_use]
    pub fn is_wanted_again(&self) -> bool {
        let undone = self.step.as_ref().is_some_and(|s| s.state == State::Undone);
        undone && matches!(self.task, Task::Make(..))
    }

    /// The parts a plan's identity is derived from: the same decision on the same facts is one.
    #[must_use]
    pub fn parts(&self, what: &str) -> Vec<String> {
        let version = |v: Option<u64>| v.map_or_else(|| "-".into(), |v| v.to_string());
        vec![
            what.into(),
            self.op_id.clone(),
            self.name().into(),
            self.run.to_string(),
            version(self.step.as_ref().map(|s| s.version)),
            version(self.row.as_ref().map(|r| r.version)),
        ]
    }

    /// The step's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.task.resource().want.name
    }

    fn ended(
        &self,
        at: Timestamp,
        state: State,
        handle: Option<String>,
        error: Option<String>,
    ) -> Step {
        let (op_id, name) = (self.op_id.clone(), self.name().into());
        let (began, ended) = (self.began, Some(at));
        Step { op_id, name, state, handle, error, run: self.run, began, ended }
    }

    fn put_step(&self, plan: Plan, step: &Step) -> Plan {
        plan.put(at(self.step.as_ref()), step)
    }

    fn put_row(&self, plan: Plan, row: &Resource) -> Plan {
        plan.put(at(self.row.as_ref()), row)
    }
}

/// What must be true for writing over what was read.
fn at<T>(read: Option<&Versioned<T>>) -> Expect {
    read.map_or(Expect::Absent, |v| Expect::Version(v.version))
}

/// The VIM made it under the name `handle`.
#[must_use]
pub fn made(origin: Origin, subject: &Subject, handle: &str) -> Plan {
    let step = subject.ended(origin.at, State::Done, Some(handle.into()), None);
    let resource_id = Some(handle.into());
    let row = subject.task.resource().clone();
    let row = Resource { resource_id, presence: Presence::Present, ..row };
    subject.put_row(subject.put_step(Plan::new(origin), &step), &row)
}

/// The VIM has it no longer: the row goes and the reservation comes back.
///
/// A reservation is held by the grant until the resource exists, by the inventory's row
/// after that; so a removal without a row has nothing to give back, an undoing has.
#[must_use]
pub fn removed(origin: Origin, subject: &Subject) -> Plan {
    let step = subject.ended(origin.at, subject.task.goal(), None, None);
    let plan = subject.put_step(Plan::new(origin), &step);
    let resource = subject.task.resource();
    let plan = match &subject.row {
        Some(row) => plan.delete::<Resource>(row.version, row.value.id()),
        None => plan,
    };
    let held = subject.row.is_some() || matches!(subject.task, Task::Undo(_));
    if held { give_back(plan, resource) } else { plan }
}

/// A leftover of no operation under way is gone: its row goes and its reservation comes back.
#[must_use]
pub fn released(origin: Origin, row: &Versioned<Resource>) -> Plan {
    let plan = Plan::new(origin).delete::<Resource>(row.version, row.value.id());
    give_back(plan, row)
}

fn give_back(plan: Plan, resource: &Resource) -> Plan {
    let back = Zone::give_back(resource.want.amounts);
    if back.is_empty() {
        return plan;
    }
    plan.add::<Zone>(Zone::id_of(&resource.vim_id, &resource.zone_id), back)
}

/// The VIM will not do it; what may exist all the same stays, or comes, into the inventory.
#[must_use]
pub fn failed(origin: Origin, subject: &Subject, error: &str) -> Plan {
    let step = subject.ended(origin.at, State::Failed, None, Some(error.into()));
    let plan = subject.put_step(Plan::new(origin), &step);
    if subject.row.is_some() { plan } else { subject.put_row(plan, subject.task.resource()) }
}

/// The VIM gave no answer: it may exist, so the inventory has it; the step is still to do.
///
/// `None`: nothing to write, the inventory has it already.
#[must_use]
pub fn suspected(origin: Origin, subject: &Subject) -> Option<Plan> {
    let unknown = subject.row.is_none() && matches!(subject.task, Task::Make(..));
    unknown.then(|| {
        // The step's row is guarded: a late answer must not fill the inventory after an undoing.
        let id = Step::id_of(&subject.op_id, subject.name());
        let plan = Plan::new(origin).check::<Step>(at(subject.step.as_ref()), id);
        subject.put_row(plan, subject.task.resource())
    })
}

/// Removing it begins, or got no answer: it may be gone, so nobody may count on it any more.
///
/// `None`: nobody does.
#[must_use]
pub fn doubted(origin: Origin, subject: &Subject) -> Option<Plan> {
    let row = subject.row.as_ref().filter(|row| row.presence == Presence::Present)?;
    let doubted = Resource { presence: Presence::Suspect, ..row.value.clone() };
    Some(Plan::new(origin).update(row.version, &doubted))
}

/// It was undone and is wanted again: to do, with its reservation taken again.
#[must_use]
pub fn again(origin: Origin, subject: &Subject, zone: &Zone) -> Plan {
    let plan = Plan::new(origin);
    let id = Step::id_of(&subject.op_id, subject.name());
    let plan = match &subject.step {
        Some(step) => plan.delete::<Step>(step.version, id),
        None => plan.check::<Step>(Expect::Absent, id),
    };
    plan.add::<Zone>(zone.id(), Zone::reserve(zone.capacity, subject.task.resource().want.amounts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        grant::Owner,
        plan::{Change, Write},
        resource::{Amounts, ResourceKind, Want},
    };

    fn want(name: &str) -> Want {
        let amounts = Amounts { vcpu_milli: 2000, memory_mib: 1024, storage_gib: 0 };
        let (kind, template) = (ResourceKind::Compute, "a".into());
        Want { name: name.into(), kind, template, amounts, image: None, joins: Vec::new() }
    }

    fn grant() -> Grant {
        let placement = Placement {
            want: want("a-1"),
            vim_id: "v".into(),
            zone_id: "z".into(),
            apart_group: None,
        };
        let mut grant = Grant {
            op_id: "op".into(),
            owner: Owner::Vnf,
            instance_id: "vnf".into(),
            adds: vec![placement.clone()],
            removes: Vec::new(),
        };
        let old = Resource { want: want("old-1"), ..grant.resource(&placement) };
        grant.removes.push(Resource { presence: Presence::Present, ..old });
        grant
    }

    fn subject(verb: Verb, name: &str) -> Subject {
        let task = Task::of(&grant(), verb, name).unwrap();
        Subject { op_id: "op".into(), run: 0, began: None, task, step: None, row: None }
    }

    fn write_of(plan: &Plan, kind: Kind) -> Option<&Write> {
        plan.writes.iter().find(|w| w.key.kind == kind)
    }

    fn given_back(plan: &Plan) -> i64 {
        match write_of(plan, Kind::Zone).map(|w| &w.change) {
            Some(Change::Add(adds)) => -adds.iter().map(|a| a.by).sum::<i64>(),
            _ => 0,
        }
    }

    #[test]
    fn what_is_removed_and_what_is_undone_end_differently() {
        assert_eq!(subject(Verb::Remove, "old-1").task.goal(), State::Done);
        assert_eq!(subject(Verb::Remove, "a-1").task.goal(), State::Undone);
        assert!(Task::of(&grant(), Verb::Ensure, "old-1").is_err());
    }

    #[test]
    fn what_was_made_is_in_the_inventory_with_the_vims_name() {
        let plan = made(Origin::test(), &subject(Verb::Ensure, "a-1"), "srv-7");
        let Some(Write { expect: Expect::Absent, change: Change::Put { body, .. }, .. }) =
            write_of(&plan, Kind::Resource)
        else {
            panic!("{plan:?}")
        };
        let row: Resource = serde_json::from_str(body).unwrap();
        assert_eq!((row.resource_id.as_deref(), row.key.as_str()), (Some("srv-7"), "op/a-1"));
        assert_eq!(row.presence, Presence::Present);
        assert_eq!(write_of(&plan, Kind::Step).unwrap().expect, Expect::Absent);
    }

    #[test]
    fn a_step_takes_from_the_first_question_until_it_ended() {
        let began = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_millis(2500);
        let asked = Subject { began: Some(began), ..subject(Verb::Ensure, "a-1") };
        let step = asked.ended(Timestamp::UNIX_EPOCH, State::Done, None, None);
        assert_eq!(step.seconds(), Some(2.5));
        let nobody = subject(Verb::Ensure, "a-1").ended(began, State::Done, None, None);
        assert_eq!(nobody.seconds(), None);
    }

    #[test]
    fn undoing_what_was_never_made_gives_its_reservation_back() {
        let plan = removed(Origin::test(), &subject(Verb::Remove, "a-1"));
        assert_eq!(given_back(&plan), 3024);
        assert!(write_of(&plan, Kind::Resource).is_none());
    }

    #[test]
    fn removing_what_the_inventory_no_longer_has_gives_nothing_back() {
        let mut old = subject(Verb::Remove, "old-1");
        assert_eq!(given_back(&removed(Origin::test(), &old)), 0);
        old.row = Some(Versioned { version: 4, value: old.task.resource().clone() });
        let plan = removed(Origin::test(), &old);
        assert_eq!(given_back(&plan), 3024);
        assert_eq!(write_of(&plan, Kind::Resource).unwrap().expect, Expect::Version(4));
    }

    #[test]
    fn a_leftover_leaves_with_its_reservation() {
        let row = subject(Verb::Remove, "old-1").task.resource().clone();
        let plan = released(Origin::test(), &Versioned { version: 3, value: row });
        assert_eq!(given_back(&plan), 3024);
        assert_eq!(write_of(&plan, Kind::Resource).unwrap().expect, Expect::Version(3));
    }

    #[test]
    fn what_failed_or_got_no_answer_is_suspected_once() {
        let mut failing = subject(Verb::Ensure, "a-1");
        let plan = failed(Origin::test(), &failing, "no");
        let Change::Put { body, .. } = &write_of(&plan, Kind::Resource).unwrap().change else {
            panic!("{plan:?}")
        };
        assert!(body.contains("SUSPECT"));
        assert!(suspected(Origin::test(), &failing).is_some());
        failing.row = Some(Versioned { version: 1, value: failing.task.resource().clone() });
        assert!(suspected(Origin::test(), &failing).is_none());
        assert!(write_of(&failed(Origin::test(), &failing, "no"), Kind::Resource).is_none());
    }

    #[test]
    fn what_was_made_and_may_have_been_removed_is_made_sure_of_again() {
        let mut subject = subject(Verb::Ensure, "a-1");
        let row = subject.task.resource().clone();
        subject.step = Some(Versioned {
            version: 1,
            value: subject.ended(Origin::test().at, State::Done, None, None),
        });
        let row = Resource { presence: Presence::Present, ..row };
        subject.row = Some(Versioned { version: 1, value: row });
        assert!(subject.is_over());
        let plan = doubted(Origin::test(), &subject).unwrap();
        let Change::Put { body, .. } = &plan.writes[0].change else { panic!("{plan:?}") };
        let row: Resource = serde_json::from_str(body).unwrap();
        subject.row = Some(Versioned { version: 2, value: row });
        assert!(!subject.is_over());
        assert!(doubted(Origin::test(), &subject).is_none());
    }

    #[test]
    fn what_was_undone_is_made_again_only_with_its_reservation() {
        let mut undone = subject(Verb::Ensure, "a-1");
        let row = undone.ended(Origin::test().at, State::Undone, None, None);
        undone.step = Some(Versioned { version: 2, value: row });
        assert!(undone.is_wanted_again() && !undone.is_over());
        let capacity = Amounts { vcpu_milli: 4000, memory_mib: 4096, storage_gib: 0 };
        let zone = Zone {
            vim_id: "v".into(),
            zone_id: "z".into(),
            capacity,
            vcpu_milli_reserved: 0,
            memory_mib_reserved: 0,
            storage_gib_reserved: 0,
        };
        let plan = again(Origin::test(), &undone, &zone);
        assert_eq!(given_back(&plan), -3024);
        assert_eq!(write_of(&plan, Kind::Step).unwrap().change, Change::Delete);
    }
}
