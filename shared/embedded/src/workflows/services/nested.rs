//! Nested executions, and tokens brought back by a workflow: Step Functions as a service.

use super::{Home, refused, returned};
use crate::workflows::{
    Engine,
    family::{Link, Waiter},
    live::execution_arn,
    rows,
};
use mano_asl::{
    Call, Event, Integration,
    host::{Answer, Answering, Service},
};
use mano_model::ids;
use mano_ports::store::Error;
use serde_json::json;

/// `states:startExecution` and its kin.
pub(super) struct Executions(pub(super) Home);

impl Service for Executions {
    fn offers(&self) -> &[&'static str] {
        &[
            "states:startExecution",
            "states:startExecution.sync",
            "states:startExecution.sync:2",
            "states:startExecution.waitForTaskToken",
            "aws-sdk:sfn:startExecution",
        ]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(async move {
            match self.0.engine() {
                Some(engine) => engine.nest(call).await.unwrap_or_else(|error| unavailable(&error)),
                None => Answer::Later,
            }
        })
    }
}

/// `aws-sdk:sfn:sendTask…`: a workflow brings the token of another back.
pub(super) struct Tokens(pub(super) Home);

impl Service for Tokens {
    fn offers(&self) -> &[&'static str] {
        &[
            "aws-sdk:sfn:sendTaskSuccess",
            "aws-sdk:sfn:sendTaskFailure",
            "aws-sdk:sfn:sendTaskHeartbeat",
        ]
    }

    fn call<'a>(&'a self, call: &'a Call) -> Answering<'a> {
        Box::pin(async move {
            let Some(engine) = self.0.engine() else { return Answer::Later };
            let arguments = call.arguments.value();
            let text = |name: &str| arguments[name].as_str().map(ToOwned::to_owned);
            let Some(token) = text("TaskToken") else {
                return Answer::failed("Sfn.InvalidTokenException", "there is no TaskToken");
            };
            let event = match &*call.api {
                "sendTaskSuccess" => {
                    let output = text("Output").unwrap_or_else(|| arguments["Output"].to_string());
                    Event::TokenSucceeded { token: token.clone(), output }
                }
                "sendTaskFailure" => {
                    let (error, cause) = (text("Error"), text("Cause"));
                    Event::TokenFailed { token: token.clone(), error, cause }
                }
                _ => Event::TokenHeartbeat { token: token.clone() },
            };
            match engine.token(event, &token).await {
                Ok(true) => returned(&json!({})),
                Ok(false) => {
                    let cause = "Invalid Token: 'Invalid token' \
                                 (Service: Sfn, Status Code: 400, Request ID: local)";
                    Answer::failed("Sfn.InvalidTokenException", cause)
                }
                Err(error) => unavailable(&error),
            }
        })
    }
}

fn unavailable(error: &Error) -> Answer {
    Answer::failed("StepFunctions.ServiceUnavailableException", error.to_string())
}

impl Engine {
    /// Starts the execution that a call names, once per call.
    async fn nest(&self, call: &Call) -> Result<Answer, Error> {
        let arguments = call.arguments.value();
        let arn = arguments["StateMachineArn"].as_str().unwrap_or_default();
        let workflow = machine(arn).to_owned();
        if self.definitions.file(&workflow).is_err() {
            let message = format!("State Machine Does Not Exist: '{arn}'");
            let error = "StepFunctions.StateMachineDoesNotExistException";
            return Ok(refused(error, "AWSStepFunctions", "StateMachineDoesNotExist", &message));
        }
        let name = match arguments["Name"].as_str() {
            Some(name) => name.to_owned(),
            // The same for every delivery of the call, so that it starts one execution.
            None => ids::derived(&["nested", &call.key]).to_string(),
        };
        let given = &arguments["Input"];
        // AWS's own API takes the input as text.
        let text = given.as_str().filter(|_| call.service.starts_with("aws-sdk"));
        let input = match text {
            Some(text) => text.to_owned(),
            None if given.is_null() => "{}".to_owned(),
            None => given.to_string(),
        };
        let waiter = call.token.clone().filter(|_| call.integration == Integration::Sync);
        let parsed = call.api.ends_with(":2");
        let link = Link {
            waiter: waiter.map(|token| Waiter { token, parsed }),
            key: Some(call.key.clone()),
            ..Link::default()
        };
        let known = match self.enlist(self.next_id(), (&workflow, &name), input, link).await? {
            Some((id, next)) => {
                self.follow(id, next).await;
                None
            }
            None => self.started_by(&workflow, &name).await?,
        };
        if known.is_some_and(|key| key.as_deref() != Some(&*call.key)) {
            let message =
                format!("Execution Already Exists: '{}'", execution_arn(&workflow, &name));
            let error = "StepFunctions.ExecutionAlreadyExistsException";
            return Ok(refused(error, "AWSStepFunctions", "ExecutionAlreadyExists", &message));
        }
        let started = self.now();
        Ok(returned(&json!({
            "ExecutionArn": execution_arn(&workflow, &name), "StartDate": started,
        })))
    }

    /// The key of the call that started an execution which exists: nothing, if no call did.
    async fn started_by(
        &self,
        workflow: &str,
        name: &str,
    ) -> Result<Option<Option<String>>, Error> {
        // Its first turn may still be on its way to the file.
        self.store.write(|_| Ok(())).await?;
        let Some(id) = rows::find(&self.store, workflow, name)? else { return Ok(None) };
        Ok(rows::link(&self.store, id)?.map(|(link, _)| link.key))
    }
}

/// The workflow in a state machine's ARN, or the name itself.
fn machine(arn: &str) -> &str {
    match arn.split_once(":stateMachine:") {
        Some((_, name)) => name.split(':').next().unwrap_or(name),
        None => arn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflows::live::machine_arn;

    #[test]
    fn a_machine_goes_by_its_name_or_its_arn() {
        assert_eq!(machine("ns-scale"), "ns-scale");
        assert_eq!(machine(&machine_arn("ns-scale")), "ns-scale");
        assert_eq!(machine("arn:aws:states:eu-west-1:1:stateMachine:ns-scale:7"), "ns-scale");
    }
}
