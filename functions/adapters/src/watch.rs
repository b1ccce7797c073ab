//! Looking again at what a VIM goes on with by itself, until it is done or its time is up.
//!
//! The workflow is told before the watch is forgotten: whoever dies in between is
//! delivered again and tells it once more.

use crate::{
    drive::{Job, Matter, Said, drive, give_up, load, look},
    resources::done,
};
use mano_model::{
    TenantId, ids,
    plan::{Expect, Origin, Plan, Versioned},
    step::{Step, Verb, suspected},
    watch::Watch,
};
use mano_ports::{Cx, Error, Fault, queue::Message, workflows::Outcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The queue of looks to come.
pub(crate) const QUEUE: &str = "watch";
/// Looked at again after this long when the VIM suggests nothing.
const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// One look to come. It holds no token.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Look {
    tenant: TenantId,
    op: String,
    name: String,
    run: u64,
    attempt: u32,
}

/// Remembers whom to tell, and that the resource may exist by now; then looks later.
pub(crate) async fn begin(
    cx: &Cx,
    job: &Job,
    token: &str,
    look_again: Duration,
) -> Result<(), Error> {
    let id = Step::id_of(&job.op, &job.name);
    let before = cx.store.find::<Watch>(&job.tenant, &id).await?;
    let since = Watch::since(before.as_deref(), job.run, cx.clock.now());
    let watch = Watch {
        op_id: job.op.clone(),
        name: job.name.clone(),
        verb: job.verb,
        run: job.run,
        token: token.into(),
        since,
    };
    let subject = load(cx, job).await?.subject;
    let origin = origin(cx, &job.tenant, "watch", &watch);
    let plan = suspected(origin.clone(), &subject).unwrap_or_else(|| Plan::new(origin));
    cx.store.commit(plan.put(Expect::Anything, &watch)).await?;
    let (tenant, op, name) = (job.tenant.clone(), job.op.clone(), job.name.clone());
    send(cx, &watch, Look { tenant, op, name, run: job.run, attempt: 0 }, look_again).await
}

/// A look that has come.
pub(crate) async fn look_again(cx: &Cx, body: Value) -> Result<(), Error> {
    let look: Look = serde_json::from_value(body)
        .map_err(|error| Error::Bug(format!("a message of queue '{QUEUE}' is no look: {error}")))?;
    let id = Step::id_of(&look.op, &look.name);
    let Some(watch) = cx.store.find::<Watch>(&look.tenant, &id).await? else { return Ok(()) };
    if watch.run != look.run {
        return Ok(());
    }
    let job = Job {
        tenant: look.tenant.clone(),
        op: look.op.clone(),
        run: watch.run,
        name: look.name.clone(),
        verb: watch.verb,
        token: Some(watch.token.clone()),
        began: watch.since,
    };
    let matter = load(cx, &job).await?;
    let told = match find_out(cx, &job, matter).await {
        Ok(Found::Over) => done(cx, job.token.as_deref()).await,
        Ok(Found::Nothing) => Ok(()),
        Ok(Found::Underway(suggested)) => {
            return later(cx, &job, &watch, look, suggested).await;
        }
        Err(error @ (Error::Vim(_) | Error::Refused(_))) => {
            if error.fault() == Fault::Transient {
                return later(cx, &job, &watch, look, AFTER_TROUBLE).await;
            }
            failed(cx, &watch, &error).await
        }
        Err(error) => return Err(error),
    };
    told?;
    forget(cx, &job.tenant, &watch).await
}

/// What a look finds.
enum Found {
    /// The step is done.
    Over,
    /// Nobody waits for it any more, or it is not there and nobody shall make it.
    Nothing,
    /// It goes on.
    Underway(Duration),
}

async fn find_out(cx: &Cx, job: &Job, matter: Matter) -> Result<Found, Error> {
    if matter.subject.is_over() {
        return Ok(Found::Over);
    }
    if matter.is_stale() {
        return Ok(Found::Nothing);
    }
    let said = match job.verb {
        Verb::Remove => drive(cx, job, matter).await?,
        // What broke while it was made is found out by looking; ensuring would make it anew.
        Verb::Ensure => match look(cx, job, &matter.subject).await? {
            Some(said) => said,
            None if matter.running => drive(cx, job, matter).await?,
            None => return Ok(Found::Nothing),
        },
    };
    Ok(match said {
        Said::Over => Found::Over,
        Said::Underway(suggested) => Found::Underway(suggested),
    })
}

/// Looks again later, unless the VIM has had its time.
async fn later(
    cx: &Cx,
    job: &Job,
    watch: &Versioned<Watch>,
    look: Look,
    suggested: Duration,
) -> Result<(), Error> {
    if !watch.is_overdue(cx.clock.now()) {
        let attempt = look.attempt.saturating_add(1);
        return send(cx, watch, Look { attempt, ..look }, suggested).await;
    }
    let minutes = Watch::PATIENCE.as_secs() / 60;
    let why = format!("the VIM did not finish '{}' within {minutes} minutes", watch.name);
    let subject = load(cx, job).await?.subject;
    if !subject.is_over() {
        give_up(cx, job, &subject, &why).await?;
    }
    tell(cx, watch, Fault::Refused, why).await?;
    forget(cx, &job.tenant, watch).await
}

async fn failed(cx: &Cx, watch: &Watch, error: &Error) -> Result<(), Error> {
    tell(cx, watch, error.fault(), error.chain()).await
}

async fn tell(cx: &Cx, watch: &Watch, fault: Fault, cause: String) -> Result<(), Error> {
    let outcome = Outcome::Failure { error: fault.name().into(), cause };
    Ok(cx.workflows.resume(&watch.token, outcome).await?)
}

/// Nobody is to be told any more; a newer token that came meanwhile makes this a lost race, and
/// the message comes again for it.
async fn forget(cx: &Cx, tenant: &TenantId, watch: &Versioned<Watch>) -> Result<(), Error> {
    let origin = origin(cx, tenant, "unwatch", watch);
    let id = Step::id_of(&watch.op_id, &watch.name);
    Ok(cx.store.commit(Plan::new(origin).delete::<Watch>(watch.version, id)).await?)
}

fn origin(cx: &Cx, tenant: &TenantId, what: &str, watch: &Watch) -> Origin {
    cx.derived(tenant, "adapters", &[what, &watch.op_id, &watch.name, &trace_of(watch)])
}

/// Tells the deliveries of one step apart without showing the token.
fn trace_of(watch: &Watch) -> String {
    ids::derived(&[&watch.token]).to_string()
}

async fn send(cx: &Cx, watch: &Watch, look: Look, suggested: Duration) -> Result<(), Error> {
    let group = Step::id_of(&look.op, &look.name);
    let message = Message {
        queue: QUEUE,
        dedup: format!("{}/{}", trace_of(watch), look.attempt),
        group,
        delay: watch.pause(suggested, look.attempt),
        body: serde_json::to_value(&look)
            .map_err(|error| Error::Bug(format!("a look is no JSON: {error}")))?,
    };
    Ok(cx.queue.send(message).await?)
}
