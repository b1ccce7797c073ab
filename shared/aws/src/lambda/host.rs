//! Finds the row of a function's table that an invocation is for, and calls it in time.

use super::{
    answer,
    api::ApiRequest,
    asked::Asked,
    caller,
    failure::Failure,
    messages::{self, Inbox},
    surroundings::Surroundings,
};
use jiff::Timestamp;
use mano_ports::{
    door::{Clash, Door, Settings as Conventions},
    function::{Event, Function, Step, StepCall},
    http::Content,
    workflows::Outcome,
};
use serde_json::{Value, json};
use std::time::Duration;

/// So much of an invocation is left for telling how it ended.
const RESERVE: Duration = Duration::from_secs(2);

/// One function, ready to be invoked.
pub struct Host {
    function: &'static Function,
    around: Surroundings,
    door: Door,
}

impl Host {
    /// Reads the tables.
    ///
    /// # Errors
    /// Two routes that answer the same.
    pub fn new(function: &'static Function, around: Surroundings) -> Result<Self, Clash> {
        let conventions = Conventions {
            api_root: around.settings.api_root.clone(),
            scheme: "https",
            stream_patience: Conventions::PATIENCE,
            ..Conventions::default()
        };
        let callers = caller::authenticator(&around.settings, &around.cx.clock);
        let door = Door::new(&[function], conventions, callers)?;
        Ok(Self { function, around, door })
    }

    /// Handles one invocation, which Lambda ends at `until`.
    ///
    /// # Errors
    /// What the row failed with, in Lambda's words.
    pub async fn handle(&self, event: Value, until: Timestamp) -> Result<Value, Failure> {
        let handled = self.handled(event, until).await;
        if handled.as_ref().is_err_and(Failure::is_expected) {
            // Lambda counts every failure as an error; those that are answers, alarms take away again.
            self.around.measure("ExpectedFailures", "Count", 1);
        }
        handled
    }

    async fn handled(&self, event: Value, until: Timestamp) -> Result<Value, Failure> {
        match Asked::read(event)? {
            Asked::Api(request) => Ok(self.request(*request).await),
            Asked::Step(call) => self.step(*call, until).await,
            Asked::Messages(received) => {
                let Surroundings { cx, queue, store, .. } = &self.around;
                let inbox = Inbox { cx, queue, store, consumers: self.function.consumers };
                Ok(messages::handle(&inbox, received, until).await)
            }
            Asked::Events(events) => {
                for (account, event) in events {
                    self.event(&account, event).await?;
                }
                Ok(json!({}))
            }
            Asked::Records(_) => Err(Failure::bug("stream records are the relay's")),
        }
    }

    async fn request(&self, request: ApiRequest) -> Value {
        match request.decode() {
            Ok((head, content)) => {
                let content = Content::Bytes(content);
                answer::encode(self.door.answer(&self.around.cx, head, content).await).await
            }
            Err(refusal) => answer::refuse(&refusal),
        }
    }

    async fn step(&self, call: StepCall, until: Timestamp) -> Result<Value, Failure> {
        let Some(row) = self.function.steps.iter().find(|row| row.name == call.step) else {
            let name = self.function.name;
            return Err(Failure::bug(format!("function '{name}' has no step '{}'", call.step)));
        };
        let (cx, token) = (&self.around.cx, call.token.clone());
        let left = Duration::try_from(until.duration_since(cx.clock.now())).unwrap_or_default();
        let left = left.saturating_sub(RESERVE).min(Step::PATIENCE);
        let answer = row.call(cx, call, left).await.map_err(|error| Failure::from(&error));
        if let Err(failure) = &answer {
            self.tell(token.as_deref(), failure).await;
        }
        answer
    }

    /// Fails the task that waits on a token: an answer that is lost, or an engine that looks at
    /// the token alone, must not leave it waiting for its timeout.
    async fn tell(&self, token: Option<&str>, failure: &Failure) {
        let Some(token) = token else { return };
        let outcome =
            Outcome::Failure { error: failure.error.into(), cause: failure.cause.clone() };
        if let Err(error) = self.around.cx.workflows.resume(token, outcome).await {
            // The invocation fails as well, which most often says the same.
            tracing::warn!(%error, "a task was not told that its step failed");
        }
    }

    /// Calls every row that is interested; the first failure brings the event again.
    async fn event(&self, account: &str, mut event: Event) -> Result<(), Failure> {
        // The cloud's own events are nobody's request.
        if !event.source.starts_with("aws.") {
            event.principal = self.around.settings.tenants.sender(account, &event.source);
        }
        let handled = event.call(&self.around.cx, &[self.function]).await;
        handled.map_err(|error| Failure::from(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clients, Settings, clients::loader, lambda::no_vims};
    use mano_ports::{
        Cx, Error,
        clock::{Clock as _, SystemClock},
        step,
    };

    const HANG: Step = step!("hang" => hang);
    static FUNCTION: Function = Function {
        name: "trial",
        routes: &[],
        steps: &[HANG],
        listeners: &[],
        consumers: &[],
        requests: &[],
    };

    async fn hang(_cx: &Cx, _call: StepCall) -> Result<Value, Error> {
        std::future::pending().await
    }

    #[tokio::test]
    async fn a_step_is_given_up_before_lambda_ends_the_invocation() {
        let variables = ["TABLE", "BUCKET", "BUS", "STATE_MACHINE_PREFIX", "REGION"];
        let variables = variables.map(|name| (format!("MANO_{name}"), "us-east-1".into()));
        let settings = Settings::read(variables).expect("complete");
        let config = loader().region("us-east-1").no_credentials().load().await;
        let around = Surroundings::new(settings, &Clients::of(&config, true), no_vims);
        let host = Host::new(&FUNCTION, around).expect("a host");
        let call = json!({ "step": "hang", "tenant": "t", "op": "o", "run": 0 });
        let until = SystemClock::default().now() + RESERVE;
        let failure = host.handle(call, until).await.expect_err("given up");
        assert_eq!(failure.error, "Mano.Transient");
        assert!(failure.cause.contains("within 0 s"), "{}", failure.cause);
    }
}
