//! One network function's part in an NS operation, moved on as far as it can go now.
//!
//! Called by the workflow's task and again whenever a VNF operation it waits for comes to
//! rest; both may come twice. What to do next depends only on what is stored:
//!
//! ```text
//!   forward   none ─ask▶ running ─▶ COMPLETED ─(terminated: drop)─▶ done
//!                          ▲   └──▶ FAILED_TEMP ─retry, once a run─▶ running
//!                          └─ask, once a run─ ROLLED_BACK, FAILED
//!   undo      running ─wait▶ … FAILED_TEMP ─roll back▶ ROLLED_BACK ─drop▶ done
//!                            COMPLETED ─terminate, or scale in▶ … ─drop▶ done
//! ```

use crate::{runs, settle, vnf};
use mano_model::{
    TenantId,
    catalog::usage::{self, Descriptor},
    ns::{
        op::{Item, NsOp},
        op_state,
    },
    op::{Occurrence, Waiter, error_handling, state::Lifecycle},
    plan::{Expect, Origin, Plan, Versioned},
    vnf::{
        VnfInstance,
        create::{self, Naming},
        op::{Operation, VnfOp},
        op_state::State,
        task::{Facts, Task, accept},
    },
};
use mano_ports::{Cx, Error, Fault, store, workflows::Outcome};
use serde_json::{Value, json};

/// Who moves a part on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The workflow's task.
    Task,
    /// A listener, which holds up the facts behind the one it hears: it asks no VIM anything.
    Listener,
}

/// What to do next.
enum Next {
    /// Its part is done.
    Done,
    /// Its part failed: the sentence.
    Failed(String),
    /// The task shall be called again, for what this caller may not do: the sentence.
    CallAgain(String),
    /// A VNF operation is under way; this waits for it.
    Wait(Box<Versioned<VnfOp>>),
    /// Something was committed; look again.
    Look,
}

/// One network function's part, with what it is about.
struct Part<'a> {
    cx: &'a Cx,
    tenant: &'a TenantId,
    op: &'a Versioned<NsOp>,
    item: &'a Item,
    waiter: Waiter,
    by: By,
}

/// Moves a part on, and gives the token back when it is over.
pub(crate) async fn advance(
    cx: &Cx,
    tenant: &TenantId,
    op: &Versioned<NsOp>,
    item: &Item,
    (by, token): (By, &str),
) -> Result<(), Error> {
    let waiter = Waiter { op: op.id.clone(), run: op.run, token: token.into() };
    let part = Part { cx, tenant, op, item, waiter, by };
    let undo = op.state() == op_state::State::RollingBack;
    loop {
        let next = if undo { part.backward().await? } else { part.pursue(false).await? };
        let outcome = match next {
            Next::Look => continue,
            Next::Wait(vnf_op) => return part.wait_for(vnf_op).await,
            Next::Done => Outcome::Success(json!({})),
            Next::Failed(cause) => Outcome::Failure { error: Fault::Refused.name().into(), cause },
            Next::CallAgain(cause) => {
                Outcome::Failure { error: Fault::Transient.name().into(), cause }
            }
        };
        return Ok(cx.workflows.resume(token, outcome).await?);
    }
}

impl Part<'_> {
    /// The head of a plan of this part, in answer to whoever asked for the whole.
    fn origin(&self, parts: &[&str]) -> Origin {
        let origin = self.cx.derived(self.tenant, "ns.vnf", parts);
        origin.answering(self.op.correlation.as_deref())
    }

    /// Asks for the item's VNF operation, or for its opposite, and tries it again, once a run.
    async fn pursue(&self, undo: bool) -> Result<Next, Error> {
        let item = self.item;
        let (operation, params) =
            if undo { opposite(item) } else { (item.operation, item.params.clone()) };
        let Some(asked) = self.latest(undo).await? else {
            return self.ask(operation, params, undo).await;
        };
        match asked.state() {
            State::Completed if undo || operation == Operation::Terminate => self.drop_it().await,
            State::Completed => Ok(Next::Done),
            State::FailedTemp if self.was_tried(&asked) => Ok(self.failed(&asked)),
            State::FailedTemp => self.commit_on(&asked, "retry", error_handling::retry).await,
            State::RolledBack | State::Failed if self.is_of_this_run(&asked, undo) => {
                Ok(self.failed(&asked))
            }
            State::RolledBack | State::Failed => self.ask(operation, params, undo).await,
            State::Starting | State::Processing | State::RollingBack => {
                Ok(Next::Wait(Box::new(asked)))
            }
        }
    }

    async fn backward(&self) -> Result<Next, Error> {
        let Some(done) = self.latest(false).await? else { return self.drop_it().await };
        match done.state() {
            State::Completed => self.pursue(true).await,
            State::RolledBack | State::Failed => self.drop_it().await,
            State::FailedTemp if self.was_tried(&done) => Ok(self.failed(&done)),
            State::FailedTemp => self.commit_on(&done, "rollback", error_handling::roll_back).await,
            State::Starting | State::Processing | State::RollingBack => {
                Ok(Next::Wait(Box::new(done)))
            }
        }
    }

    /// The VNF operation asked for last, over all runs.
    async fn latest(&self, undo: bool) -> Result<Option<Versioned<VnfOp>>, Error> {
        for run in (0..=self.op.run).rev() {
            let id = self.item.vnf_op(&self.op.id, run, undo);
            if let Some(found) = self.cx.store.find::<VnfOp>(self.tenant, &id).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn is_of_this_run(&self, vnf_op: &VnfOp, undo: bool) -> bool {
        vnf_op.id == self.item.vnf_op(&self.op.id, self.op.run, undo)
    }

    /// Whether this run has had its one try with it.
    fn was_tried(&self, vnf_op: &VnfOp) -> bool {
        vnf_op.waiter.as_ref().is_some_and(|w| w.op == self.op.id && w.run == self.op.run)
    }

    fn failed(&self, vnf_op: &VnfOp) -> Next {
        let why = vnf_op.error().map_or("it gave no reason", |e| e.detail.as_str());
        Next::Failed(format!(
            "{} ({} operation '{}') is {}: {why}",
            self.item.name,
            vnf_op.operation.as_str(),
            vnf_op.id,
            vnf_op.state().as_str()
        ))
    }

    /// Asks for a VNF operation; its instance is created in the same commit where it is new.
    async fn ask(&self, operation: Operation, params: Value, undo: bool) -> Result<Next, Error> {
        let id = self.item.vnf_op(&self.op.id, self.op.run, undo);
        let vnf_id = &self.item.vnf_instance_id;
        let existing = self.cx.store.find::<VnfInstance>(self.tenant, vnf_id).await?;
        let gone = existing.as_ref().is_none_or(|v| v.instantiated.is_none());
        if operation == Operation::Terminate && gone {
            return self.drop_it().await;
        }
        if let Some(other) = existing.as_ref().and_then(|v| v.busy_with.as_ref()) {
            return Err(runs::wait(format!(
                "VNF instance '{}' ({vnf_id}) is taken by operation '{other}'",
                self.item.name
            )));
        }
        let task = Task { op: id, operation, params, waiter: Some(self.waiter.clone()) };
        let plan = match existing {
            Some(_) => self.ask_existing(task).await,
            None if operation == Operation::Instantiate => self.ask_new(task).await,
            None => return Ok(Next::Failed(format!("VNF instance '{vnf_id}' is gone"))),
        };
        match plan {
            Ok(plan) => match self.cx.store.commit(plan).await {
                // Since the operation was accepted.
                Err(store::Error::Exhausted { field: usage::DISABLED, .. }) => {
                    let refusal = usage::disabled(Descriptor::Vnfd, &self.item.vnfd_id);
                    Ok(Next::Failed(format!("{}: {refusal}", self.item.name)))
                }
                done => Ok(done.map(|()| Next::Look)?),
            },
            Err(Error::Refused(refusal)) => {
                Ok(Next::Failed(format!("{}: {refusal}", self.item.name)))
            }
            Err(error) => Err(error),
        }
    }

    async fn ask_existing(&self, task: Task) -> Result<Plan, Error> {
        let known = vnf::Known::read(self.cx, self.tenant, &self.item.vnf_instance_id).await?;
        let origin = self.origin(&[&task.op, "ask"]);
        let expect = Expect::Version(known.instance.version);
        Ok(accept(origin, expect, &known.facts(), task)?)
    }

    async fn ask_new(&self, task: Task) -> Result<Plan, Error> {
        let vnfd = vnf::vnfd(self.cx, self.tenant, &self.item.vnfd_id).await?;
        let naming = Naming {
            name: Some(self.item.name.clone()),
            part_of: Some((self.op.ns_instance_id.clone(), self.item.profile_id.clone())),
            ..Naming::default()
        };
        let instance = create::instance(self.item.vnf_instance_id.clone(), &vnfd, naming);
        let facts = Facts { instance: &instance, vnfd: &vnfd, resources: &[] };
        let origin = self.origin(&[&task.op, "ask"]);
        let plan = accept(origin, Expect::Absent, &facts, task)?;
        Ok(create::announce(plan, &instance))
    }

    /// Deletes the identifier of a network function that does not exist any more.
    async fn drop_it(&self) -> Result<Next, Error> {
        // A network function that was there before the operation stays: only its scale was undone.
        let undoing = self.op.state() == op_state::State::RollingBack;
        if undoing && self.item.operation != Operation::Instantiate {
            return Ok(Next::Done);
        }
        let id = &self.item.vnf_instance_id;
        let Some(instance) = self.cx.store.find::<VnfInstance>(self.tenant, id).await? else {
            return Ok(Next::Done);
        };
        let mut left = vnf::resources(self.cx, self.tenant, id).await?;
        if !left.is_empty() {
            if self.by == By::Listener {
                let (name, count) = (&self.item.name, left.len());
                let what = format!("{name} is over, and {count} of its resources are not removed");
                return Ok(Next::CallAgain(what));
            }
            let deadline = self.cx.clock.now() + std::time::Duration::from_secs(40);
            left = settle::release(self.cx, self.tenant, left, deadline).await?;
        }
        let version = instance.version.to_string();
        let parts = ["drop", id.as_str(), version.as_str()];
        let origin = self.origin(&parts);
        match create::delete(origin, &instance, &left) {
            Ok(plan) => self.cx.store.commit(plan).await?,
            Err(refusal) => return Ok(Next::Failed(refusal.to_string())),
        }
        Ok(Next::Done)
    }

    async fn commit_on(
        &self,
        vnf_op: &Versioned<VnfOp>,
        what: &str,
        way: error_handling::Way<VnfOp>,
    ) -> Result<Next, Error> {
        let run = self.op.run.to_string();
        let origin = self.origin(&[&vnf_op.id, &run, what]);
        match way(origin, vnf_op, Some(self.waiter.clone())) {
            Ok(plan) => self.cx.store.commit(plan).await?,
            Err(refusal) => return Ok(Next::Failed(refusal.to_string())),
        }
        Ok(Next::Look)
    }

    /// Leaves the token with the VNF operation, where the end of it will be noticed.
    async fn wait_for(&self, vnf_op: Box<Versioned<VnfOp>>) -> Result<(), Error> {
        if vnf_op.waiter.as_ref() == Some(&self.waiter) {
            return Ok(());
        }
        let version = vnf_op.version.to_string();
        let origin = self.origin(&[&vnf_op.id, &version, "wait"]);
        let mut waited = vnf_op.value.clone();
        waited.waiter = Some(self.waiter.clone());
        Ok(self.cx.store.commit(Plan::new(origin).update(vnf_op.version, &waited)).await?)
    }
}

/// The VNF operation that takes back what an item did.
fn opposite(item: &Item) -> (Operation, Value) {
    if item.operation == Operation::Scale {
        let mut params = item.params.clone();
        params["type"] = "SCALE_IN".into();
        return (Operation::Scale, params);
    }
    (Operation::Terminate, json!({ "terminationType": "FORCEFUL" }))
}
