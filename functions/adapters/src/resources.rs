//! The steps `vim.ensure` and `vim.remove`: one resource of an operation there, or not there.
//!
//! A step that was done before says so again; so a second delivery never hurts.

use crate::{
    drive::{Job, Said, drive, load},
    watch,
};
use mano_model::step::Verb;
use mano_ports::{Cx, Error, function::StepCall, vim, workflows::Outcome};
use serde_json::{Value, json};

/// The resource shall be there.
pub(crate) async fn ensure(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    step(cx, &job(cx, call, Verb::Ensure)?).await
}

/// The resource shall not be there.
pub(crate) async fn remove(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    step(cx, &job(cx, call, Verb::Remove)?).await
}

fn job(cx: &Cx, call: StepCall, verb: Verb) -> Result<Job, Error> {
    let name = call.text("resource")?.to_owned();
    let StepCall { tenant, op, run, token, .. } = call;
    let began = cx.clock.now();
    Ok(Job { tenant, op, run, name, verb, token, began })
}

async fn step(cx: &Cx, job: &Job) -> Result<Value, Error> {
    let matter = load(cx, job).await?;
    if !matter.subject.is_over() {
        matter.refuse_late()?;
        if let Said::Underway(look_again) = drive(cx, job, matter).await? {
            let Some(token) = &job.token else { return Err(not_yet(job)) };
            watch::begin(cx, job, token, look_again).await?;
            return Ok(json!({}));
        }
    }
    done(cx, job.token.as_deref()).await?;
    Ok(json!({}))
}

/// The workflow goes on.
pub(crate) async fn done(cx: &Cx, token: Option<&str>) -> Result<(), Error> {
    let Some(token) = token else { return Ok(()) };
    Ok(cx.workflows.resume(token, Outcome::Success(json!({}))).await?)
}

/// Without a token the workflow itself has to ask again.
fn not_yet(job: &Job) -> Error {
    vim::Error::Transient(format!("'{}' is still under way", job.name)).into()
}
