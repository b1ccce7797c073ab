//! Asking a VIM for one step of an operation, and recording what it said.
//!
//! ```text
//!   job ──load──▶ matter ──ask the driver──▶ Done     ─▶ step, inventory, reservation in one commit
//!                                            Underway ─▶ the caller watches
//!                                            no answer ─▶ look; else in the inventory as suspect
//!                                            no, ever  ─▶ FAILED, and suspect
//! ```

use std::time::Duration;

use jiff::Timestamp;
use mano_model::{
    Refusal, TenantId,
    grant::{Grant, Owner, Placement},
    ns::op::NsOp,
    op::Occurrence,
    plan::Plan,
    resource::Resource,
    step::{self, Step, Subject, Task, Verb},
    vim::Zone,
    vnf::op::VnfOp,
};
use mano_ports::{
    Cx, Error,
    vim::{self, Place, Progress, Target, within},
};

/// So long a VIM may take to answer one call; less than a task's time-out in any workflow.
const ANSWER: Duration = Duration::from_secs(50);
/// So long a look after a lost answer may take.
const LOOK: Duration = Duration::from_secs(5);

/// One step of one run, as asked for.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) tenant: TenantId,
    pub(crate) op: String,
    pub(crate) run: u64,
    pub(crate) name: String,
    pub(crate) verb: Verb,
    /// What the workflow waits on; it goes to the engine and the watch's row, nowhere else.
    pub(crate) token: Option<String>,
    /// When this run first asked.
    pub(crate) began: Timestamp,
}

/// What is known of a job.
#[derive(Debug)]
pub(crate) struct Matter {
    pub(crate) subject: Subject,
    /// The run under way, or the last one.
    run: u64,
    /// Whether a run is under way.
    pub(crate) running: bool,
}

impl Matter {
    /// Whether a later run has taken over.
    pub(crate) const fn is_stale(&self) -> bool {
        self.subject.run < self.run
    }

    /// Late deliveries of earlier runs, and of runs that are over, may do nothing.
    pub(crate) fn refuse_late(&self) -> Result<(), Refusal> {
        if !self.is_stale() && self.running {
            return Ok(());
        }
        let Subject { op_id, run, .. } = &self.subject;
        let now = self.run;
        Err(Refusal::conflict(if self.is_stale() {
            format!("run {run} of operation '{op_id}' is over: run {now} has taken its place")
        } else {
            format!("run {run} of operation '{op_id}' is over")
        }))
    }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is done and recorded.
    Over,
    /// The VIM goes on by itself.
    Underway(Duration),
}

/// Everything the decision needs.
pub(crate) async fn load(cx: &Cx, job: &Job) -> Result<Matter, Error> {
    let grant = cx.store.read::<Grant>(&job.tenant, &job.op).await?;
    let task = Task::of(&grant, job.verb, &job.name)?;
    let (run, running) = run_of(cx, job, grant.owner).await?;
    let row = Resource::id_of(&grant.instance_id, &job.name);
    let subject = Subject {
        op_id: job.op.clone(),
        run: job.run,
        began: Some(job.began),
        task,
        step: cx.store.find::<Step>(&job.tenant, &Step::id_of(&job.op, &job.name)).await?,
        row: cx.store.find::<Resource>(&job.tenant, &row).await?,
    };
    Ok(Matter { subject, run, running })
}

async fn run_of(cx: &Cx, job: &Job, owner: Owner) -> Result<(u64, bool), Error> {
    match owner {
        Owner::Vnf => {
            let op = cx.store.read::<VnfOp>(&job.tenant, &job.op).await?;
            Ok((op.run, op.is_running()))
        }
        Owner::Ns => {
            let op = cx.store.read::<NsOp>(&job.tenant, &job.op).await?;
            Ok((op.run, op.is_running()))
        }
    }
}

/// Asks the VIM, and records its answer.
pub(crate) async fn drive(cx: &Cx, job: &Job, matter: Matter) -> Result<Said, Error> {
    let Matter { subject, .. } = prepared(cx, job, matter).await?;
    let (driver, target) = cx.reach(&job.tenant, &subject.task.resource().vim_id).await?;
    let key = &subject.task.resource().key;
    match &subject.task {
        Task::Make(placement, _) => {
            let place = place(cx, job, &subject, placement).await?;
            let call = driver.ensure(&target, &placement.want, &place, key, job.run);
            match within(&*cx.clock, ANSWER, call).await {
                Ok(progress) => made(cx, job, &subject, progress).await,
                Err(vim::Error::AnswerLost(why)) => {
                    not_answered(cx, job, &subject, &*driver, &target, why).await
                }
                Err(error) => Err(said_no(cx, job, &subject, error).await?),
            }
        }
        Task::Undo(_) | Task::Remove(_) => {
            match within(&*cx.clock, ANSWER, driver.remove(&target, key, job.run)).await {
                Ok(progress) => removed(cx, job, &subject, progress).await,
                Err(error) => Err(said_no(cx, job, &subject, error).await?),
            }
        }
    }
}

/// Looks for what a VIM went on making by itself; `None`: it is not there.
pub(crate) async fn look(cx: &Cx, job: &Job, subject: &Subject) -> Result<Option<Said>, Error> {
    let (driver, target) = cx.reach(&job.tenant, &subject.task.resource().vim_id).await?;
    let key = &subject.task.resource().key;
    match within(&*cx.clock, ANSWER, driver.look(&target, key)).await {
        Ok(Some(progress)) => Ok(Some(made(cx, job, subject, progress).await?)),
        Ok(None) => Ok(None),
        Err(error) => Err(said_no(cx, job, subject, error).await?),
    }
}

/// The VIM will not do it, or took too long: recorded, with whatever may exist all the same.
pub(crate) async fn give_up(cx: &Cx, job: &Job, subject: &Subject, why: &str) -> Result<(), Error> {
    commit(cx, job, subject, "failed", |origin| step::failed(origin, subject, why)).await
}

/// What has to be true before the VIM is asked: a reservation for what is made again, and nobody
/// counting on what is being undone.
async fn prepared(cx: &Cx, job: &Job, matter: Matter) -> Result<Matter, Error> {
    let subject = &matter.subject;
    let plan = if subject.is_wanted_again() {
        let at = subject.task.resource();
        let zone = Zone::id_of(&at.vim_id, &at.zone_id);
        let zone = cx.store.read::<Zone>(&job.tenant, &zone).await?;
        Some(step::again(origin(cx, job, subject, "again"), subject, &zone))
    } else if matches!(subject.task, Task::Undo(_)) {
        step::doubted(origin(cx, job, subject, "doubted"), subject)
    } else {
        None
    };
    let Some(plan) = plan else { return Ok(matter) };
    cx.store.commit(plan).await?;
    load(cx, job).await
}

/// Where it goes, with the VIM's own names of what it is joined to.
///
/// A network on another VIM is none of this VIM's business: how VIMs are linked is settled
/// outside both.
async fn place(
    cx: &Cx,
    job: &Job,
    subject: &Subject,
    placement: &Placement,
) -> Result<Place, Error> {
    let mut joins = Vec::new();
    for name in &placement.want.joins {
        let id = Resource::id_of(&subject.task.resource().instance_id, name);
        let row = cx.store.find::<Resource>(&job.tenant, &id).await?;
        let row = row.ok_or_else(|| not_there(&placement.want.name, name))?;
        if row.vim_id == placement.vim_id {
            let id = row.value.resource_id.ok_or_else(|| not_there(&placement.want.name, name))?;
            joins.push((name.clone(), id));
        }
    }
    let (zone, apart_group) = (placement.zone_id.clone(), placement.apart_group.clone());
    Ok(Place { zone, joins, apart_group })
}

fn not_there(name: &str, joined: &str) -> Refusal {
    Refusal::unprocessable(format!(
        "'{name}' shall be joined to '{joined}', which is not known to exist"
    ))
}

async fn made(
    cx: &Cx,
    job: &Job,
    subject: &Subject,
    progress: Progress<String>,
) -> Result<Said, Error> {
    match progress {
        Progress::Underway { look_again } => Ok(Said::Underway(look_again)),
        Progress::Done(handle) => {
            commit(cx, job, subject, "made", |o| step::made(o, subject, &handle)).await?;
            Ok(Said::Over)
        }
    }
}

async fn removed(
    cx: &Cx,
    job: &Job,
    subject: &Subject,
    progress: Progress<()>,
) -> Result<Said, Error> {
    match progress {
        Progress::Underway { look_again } => Ok(Said::Underway(look_again)),
        Progress::Done(()) => {
            commit(cx, job, subject, "removed", |o| step::removed(o, subject)).await?;
            Ok(Said::Over)
        }
    }
}

/// It may have been made: look, and if that does not tell, the inventory has it as suspect.
async fn not_answered(
    cx: &Cx,
    job: &Job,
    subject: &Subject,
    driver: &dyn vim::Vim,
    target: &Target,
    why: String,
) -> Result<Said, Error> {
    let key = &subject.task.resource().key;
    if let Ok(Some(progress)) = within(&*cx.clock, LOOK, driver.look(target, key)).await {
        return made(cx, job, subject, progress).await;
    }
    if let Some(plan) = step::suspected(origin(cx, job, subject, "suspected"), subject) {
        cx.store.commit(plan).await?;
    }
    Err(vim::Error::AnswerLost(why).into())
}

/// What the caller shall hear; what is for ever, or in doubt, is recorded first.
async fn said_no(cx: &Cx, job: &Job, subject: &Subject, error: vim::Error) -> Result<Error, Error> {
    match &error {
        vim::Error::Refused(_) | vim::Error::NoCapacity(_) => {
            give_up(cx, job, subject, &error.to_string()).await?;
        }
        vim::Error::AnswerLost(_) => {
            let origin = origin(cx, job, subject, "doubted");
            if let Some(plan) = step::doubted(origin, subject) {
                cx.store.commit(plan).await?;
            }
        }
        vim::Error::Transient(_) => {}
    }
    Ok(error.into())
}

async fn commit(
    cx: &Cx,
    job: &Job,
    subject: &Subject,
    what: &str,
    decide: impl FnOnce(mano_model::plan::Origin) -> Plan,
) -> Result<(), Error> {
    Ok(cx.store.commit(decide(origin(cx, job, subject, what))).await?)
}

fn origin(cx: &Cx, job: &Job, subject: &Subject, what: &str) -> mano_model::plan::Origin {
    let parts = subject.parts(what);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    cx.derived(&job.tenant, "adapters", &parts)
}
