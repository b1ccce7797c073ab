//! Functions: `lambda:invoke`, and functions called by their own ARN.

use super::{Home, returned};
use crate::dispatch::StepFailure;
use mano_asl::{
    Call, Integration,
    host::{Answer, Answering, FUNCTION, Service},
};
use serde_json::{Value, json};

/// The functions of this host; a call is a step's.
pub(super) struct Functions(pub(super) Home);

impl Service for Functions {
    fn offers(&self) -> &[&'static str] {
        &["lambda:invoke", "lambda:invoke.waitForTaskToken", FUNCTION]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(self.invoke(call))
    }
}

impl Functions {
    async fn invoke(&self, call: &Call) -> Answer {
        let Some(dispatch) = self.0.dispatch() else { return Answer::Later };
        let arguments = call.arguments.value();
        let own = call.integration == Integration::Lambda;
        let (function, payload) = if own {
            (Some(&*call.resource), arguments)
        } else {
            (arguments["FunctionName"].as_str(), &arguments["Payload"])
        };
        let Some(function) = function else {
            let cause = "the task's Arguments have no FunctionName";
            return Answer::failed("Lambda.ValidationException", cause);
        };
        let payload = if payload.is_null() { json!({}) } else { payload.clone() };
        match dispatch.step(function, payload).await {
            Ok(answer) if own => returned(&answer),
            Ok(answer) => returned(&wrapped(&answer)),
            Err(StepFailure { error, cause }) => {
                let cause = json!({ "errorType": error, "errorMessage": cause }).to_string();
                Answer::Failed { error, cause }
            }
        }
    }
}

/// As Lambda's API answers.
fn wrapped(answer: &Value) -> Value {
    json!({ "ExecutedVersion": "$LATEST", "Payload": answer, "StatusCode": 200 })
}
