//! Looking at content and saying what becomes of it: the steps of the on-boarding workflows.
//!
//! A step has not the time for all of a large archive. What it read is kept with the entry; the
//! step fails for the moment, and the workflow's next attempt goes on from there.

use crate::{
    inspect::{self, Ask},
    upload::RACES,
    wire::Wire,
};
use mano_model::{
    Refusal,
    catalog::{
        Entry, Failure, Progress, Remark,
        nsd_info::NsdContent,
        onboard::{self, Verdict},
        usage::Usage,
        vnf_package::VnfPkgContent,
    },
    plan::{Announced, Origin, Plan, Versioned},
    refusal::Why,
};
use mano_ports::{
    Cx, Error, Fault, blobs,
    function::{Event, Step, StepCall},
    store, workflows,
};
use mano_tosca::{Finding, Memory, Reading};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// How many archives are looked at at once: each may take tens of MiB.
static LOOKING: Semaphore = Semaphore::const_new(4);

/// What is left of a step's time when it stops reading: for the piece being fetched, and the commit.
const RESERVE: Duration = Duration::from_secs(15);

/// Steps `package.onboard`, `nsd.onboard`: ONBOARDED, or ERROR where the content is no good.
pub(crate) async fn look<F: Wire>(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let Some(entry) = due::<F>(cx, &call).await? else { return Ok(json!({})) };
    let found = judge(cx, &entry).await?;
    settle(cx, &call, entry, &found).await?;
    match found {
        Found::InPart(_, said) => Err(Refusal::new(Why::Unavailable, said).into()),
        Found::Good(_) | Found::Bad(_) | Found::Nothing(_) => Ok(json!({})),
    }
}

/// Steps `package.fail`, `nsd.fail`: ERROR because the content could not be looked at.
pub(crate) async fn fail<F: Wire>(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let Some(entry) = due::<F>(cx, &call).await? else { return Ok(json!({})) };
    let failure = call.more.get("failure").unwrap_or(&Value::Null);
    let failure = ours(&failure["Error"], &failure["Cause"]);
    settle::<F>(cx, &call, entry, &Found::Nothing(failure)).await?;
    Ok(json!({}))
}

/// Listener of `….onboard.started`: the run that looks at the content starts.
pub(crate) async fn start(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    match workflows::begin(cx, fact).await? {
        Some(end) => run_ended(cx, &end).await,
        None => Ok(()),
    }
}

/// A run of a workflow ended by itself; if it was an on-boarding, it failed.
pub(crate) async fn run_ended(cx: &Cx, event: &Event) -> Result<(), Error> {
    let detail = &event.detail;
    if !matches!(detail["status"].as_str(), Some("FAILED" | "TIMED_OUT" | "ABORTED")) {
        return Ok(());
    }
    // EventBridge carries the input as text.
    let read = detail["input"].as_str().and_then(|text| serde_json::from_str(text).ok());
    // A run with another kind of input is not ours.
    let Value::Object(mut call) = read.unwrap_or_else(|| detail["input"].clone()) else {
        return Ok(());
    };
    call.insert("step".into(), "run ended".into());
    call.insert("failure".into(), json!({ "Error": detail["error"], "Cause": detail["cause"] }));
    let Ok(call) = serde_json::from_value::<StepCall>(call.into()) else { return Ok(()) };
    fail::<VnfPkgContent>(cx, call.clone()).await?;
    fail::<NsdContent>(cx, call).await?;
    Ok(())
}

/// The entry, if this run still has something to say about it.
async fn due<F: Wire>(cx: &Cx, call: &StepCall) -> Result<Option<Versioned<Entry<F>>>, Error> {
    let entry = cx.store.find::<Entry<F>>(&call.tenant, &call.op).await?;
    Ok(entry.filter(|entry| onboard::is_due(&entry.value, call.run)))
}

/// What looking at content came to.
enum Found<F: Wire> {
    /// It is good.
    Good(Verdict<F>),
    /// It is not.
    Bad((Failure, Vec<Remark>)),
    /// It could not be looked at.
    Nothing(Failure),
    /// It was read further, but not to its end: what the step fails with, so that it is called
    /// again.
    InPart(Progress, String),
}

/// Looks at content on a blocking thread.
async fn judge<F: Wire>(cx: &Cx, entry: &Entry<F>) -> Result<Found<F>, Error> {
    let content = entry.onboarding.content().ok_or_else(|| {
        Error::Bug(format!("{} '{}' is PROCESSING without content", F::NOUN, entry.id))
    })?;
    let _turn = LOOKING.acquire().await;
    let reader = cx.blobs.reader(&content.blob).await?;
    let mut reading = reading(cx, entry.onboarding.progress());
    let ask = Ask { id: entry.id.clone(), strict: entry.strict(), sha256: content.sha256.clone() };
    let looked = tokio::task::spawn_blocking(move || {
        let verdict = F::inspect(reader, &ask, &mut reading);
        (verdict, reading)
    });
    let (verdict, reading) = looked.await.map_err(|error| {
        Error::Bug(format!("looking at {} '{}' stopped: {error}", F::NOUN, entry.id))
    })?;
    match verdict {
        Ok(verdict) => Ok(Found::Good(verdict)),
        Err(refusal) => match refusal.errors.iter().find(|finding| finding.is_unread()) {
            None => Ok(Found::Bad(inspect::failure(refusal))),
            Some(why) if reading.grew() => in_part(entry, reading.into_memory(), why),
            Some(_) => Err(blobs::Error::Unavailable(Box::new(refusal)).into()),
        },
    }
}

/// Reading on from what is known, as long as a step has time.
fn reading(cx: &Cx, known: Option<&Progress>) -> Reading {
    // What another release wrote down in another form is read again.
    let memory: Option<Memory> =
        known.and_then(|known| serde_json::from_value(known.memory.clone()).ok());
    let (clock, enough) = (Arc::clone(&cx.clock), cx.clock.now() + (Step::PATIENCE - RESERVE));
    Reading::on(memory.unwrap_or_default(), move || clock.now() >= enough)
}

fn in_part<F: Wire>(entry: &Entry<F>, memory: Memory, why: &Finding) -> Result<Found<F>, Error> {
    let (bytes, why) = (memory.bytes(), &why.message);
    let memory = serde_json::to_value(memory)
        .map_err(|error| Error::Bug(format!("what was read cannot be written down: {error}")))?;
    let all = entry.onboarding.content().map_or(0, |content| content.size);
    let said = format!(
        "{} of {} MiB of {} '{}' are read: {why}; the next attempt goes on from there",
        bytes >> 20,
        all >> 20,
        F::NOUN,
        entry.id
    );
    Ok(Found::InPart(Progress { bytes, memory }, said))
}

/// Decides and commits; decides again if another decision came first: content is read for long,
/// and a client may modify the entry meanwhile.
async fn settle<F: Wire>(
    cx: &Cx,
    call: &StepCall,
    mut entry: Versioned<Entry<F>>,
    found: &Found<F>,
) -> Result<(), Error> {
    let mut races = 0;
    while let Some(plan) = decide(cx, call, entry, found).await? {
        match cx.store.commit(plan).await {
            Err(store::Error::Conflict(_)) if races < RACES => races += 1,
            done => return Ok(done?),
        }
        let Some(now) = due::<F>(cx, call).await? else { break };
        entry = now;
    }
    Ok(())
}

async fn decide<F: Wire>(
    cx: &Cx,
    call: &StepCall,
    entry: Versioned<Entry<F>>,
    found: &Found<F>,
) -> Result<Option<Plan>, Error> {
    let run = call.run;
    Ok(match found {
        Found::Good(verdict) => {
            let usage = Usage::id_of(F::DESCRIPTOR, verdict.described.descriptor_id());
            let owner = cx.store.find::<Usage>(&call.tenant, &usage).await?;
            let owner = owner.as_ref().map(|usage| usage.info_id.as_str());
            onboard::accept(origin(cx, call, "accept"), entry, run, verdict.clone(), owner)
        }
        Found::Bad((failure, warnings)) => {
            let (failure, warnings) = (failure.clone(), warnings.clone());
            onboard::refuse(origin(cx, call, "refuse"), entry, run, failure, warnings)
        }
        Found::Nothing(failure) => {
            onboard::refuse(origin(cx, call, "fail"), entry, run, failure.clone(), Vec::new())
        }
        Found::InPart(progress, _) => {
            // A second delivery may have come further.
            if entry.onboarding.progress().is_some_and(|known| known.bytes >= progress.bytes) {
                return Ok(None);
            }
            // Each piece is a decision of its own.
            let origin = origin(cx, call, &format!("read on from {}", entry.version));
            onboard::read_on(origin, entry, run, progress.clone())
        }
    })
}

fn origin(cx: &Cx, call: &StepCall, what: &str) -> Origin {
    cx.derived(&call.tenant, "catalog", &[&call.op, &call.run.to_string(), what])
}

/// What an entry remembers of a failure that is not its content's.
fn ours(error: &Value, cause: &Value) -> Failure {
    let error = error.as_str().unwrap_or("States.Runtime");
    let cause = cause.as_str().unwrap_or("no more is known");
    let help = if error == Fault::Bug.name() {
        "this is a defect of the orchestrator; report it"
    } else {
        "send the content again; if that does not help, look at the orchestrator's log"
    };
    Failure {
        status: if error == Fault::Transient.name() { 503 } else { 500 },
        title: "On-boarding could not be finished".into(),
        detail: format!("the content could not be looked at: {error}: {cause}; {help}"),
        errors: Vec::new(),
    }
}
