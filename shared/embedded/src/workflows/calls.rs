//! Calling what a task names, and answering as Lambda's API does.

use super::live::Work;
use crate::dispatch::{Dispatch, StepFailure};
use mano_asl::{Event, Integration};
use serde_json::{Value, json};

/// What is called, and how its answer is wrapped.
struct Invocation<'a> {
    function: &'a str,
    payload: Value,
    /// `lambda:invoke` wraps the answer; a function's own ARN does not.
    wrapped: bool,
}

/// Calls the task; what to tell the execution.
pub(super) async fn call(dispatch: &Dispatch, work: &Work) -> Event {
    let task = work.task;
    let answer = match invocation(work) {
        Ok(invocation) => invoke(dispatch, invocation).await,
        Err(failure) => Err(failure),
    };
    match (answer, work.integration) {
        (Ok(output), Integration::Callback | Integration::Sync) => {
            Event::TaskSubmitted { task, output: output.to_string() }
        }
        (Ok(output), _) => Event::TaskSucceeded { task, output: output.to_string() },
        (Err(StepFailure { error, cause }), _) => {
            Event::TaskFailed { task, error: Some(error), cause: Some(cause) }
        }
    }
}

async fn invoke(dispatch: &Dispatch, call: Invocation<'_>) -> Result<Value, StepFailure> {
    let answer = dispatch.step(call.function, call.payload).await;
    let answer = answer.map_err(|StepFailure { error, cause }| {
        let cause = json!({ "errorType": error, "errorMessage": cause }).to_string();
        StepFailure { error, cause }
    })?;
    let wrapped = || json!({ "ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200 });
    Ok(if call.wrapped { wrapped() } else { answer })
}

fn invocation(work: &Work) -> Result<Invocation<'_>, StepFailure> {
    let arguments = work.arguments.value();
    let invokes =
        work.service == "lambda" && (work.api == "invoke" || work.api == "invoke.waitForTaskToken");
    match work.integration {
        Integration::Lambda => {
            let payload = arguments.clone();
            Ok(Invocation { function: &work.resource, payload, wrapped: false })
        }
        Integration::Service | Integration::Callback if invokes => {
            let function = arguments["FunctionName"].as_str().ok_or_else(|| StepFailure {
                error: "Lambda.ValidationException".into(),
                cause: "the task's Arguments have no FunctionName".into(),
            })?;
            let payload = arguments["Payload"].clone();
            Ok(Invocation { function, payload, wrapped: true })
        }
        Integration::Service
        | Integration::Callback
        | Integration::Sync
        | Integration::Activity => Err(StepFailure {
            error: "States.TaskFailed".into(),
            cause: format!(
                "this engine calls Lambda functions only, not '{}'; use lambda:invoke",
                work.resource
            ),
        }),
    }
}
