//! Finds the row of a function's table that a call or an event is for, and calls it.

use mano_ports::{
    Cx, Error, Fault,
    function::{Event, Function, StepCall},
};
use serde_json::Value;
use std::time::Duration;

/// How a step failed, as a Lambda function would say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// Lambda's `errorType`: a [`Fault`] name, or a name of AWS's where no row was reached.
    pub error: String,
    /// Lambda's `errorMessage`.
    pub cause: String,
}

/// The tables of every function, and what their rows may touch.
pub(crate) struct Dispatch {
    pub(crate) cx: Cx,
    pub(crate) functions: &'static [&'static Function],
}

impl Dispatch {
    /// Calls the step row that `payload.step` names, of the function that `function` names.
    pub(crate) async fn step(&self, function: &str, payload: Value) -> Result<Value, StepFailure> {
        let (name, found) = (function_name(function), self.functions);
        let Some(function) = found.iter().find(|known| known.name == name) else {
            return Err(StepFailure {
                error: "Lambda.ResourceNotFoundException".into(),
                cause: format!("there is no function '{name}'"),
            });
        };
        let call: StepCall = serde_json::from_value(payload)
            .map_err(|error| bug(format!("the call of '{name}' is not a step call: {error}")))?;
        let Some(row) = function.steps.iter().find(|row| row.name == call.step) else {
            return Err(bug(format!("function '{name}' has no step '{}'", call.step)));
        };
        // Whoever calls without a token gives up by itself, after the time of its task.
        let patience = Duration::MAX;
        let answer = row.call(&self.cx, call, patience).await;
        answer.map_err(|error| StepFailure {
            error: error.fault().name().into(),
            cause: error.chain(),
        })
    }

    /// Calls every row that is interested in the event; the first failure, if any.
    pub(crate) async fn event(&self, event: &Event) -> Result<(), Error> {
        event.call(&self.cx, self.functions).await
    }
}

/// The name in a function's ARN, or the name itself.
fn function_name(function: &str) -> &str {
    match function.split_once(":function:") {
        Some((_, name)) => name.split(':').next().unwrap_or(name),
        None => function,
    }
}

fn bug(cause: String) -> StepFailure {
    StepFailure { error: Fault::Bug.name().into(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_goes_by_its_name_or_its_arn() {
        for name in [
            "adapters",
            "arn:aws:lambda:us-east-1:111111111111:function:adapters",
            "arn:aws:lambda:us-east-1:111111111111:function:adapters:live",
        ] {
            assert_eq!(function_name(name), "adapters");
        }
    }
}
