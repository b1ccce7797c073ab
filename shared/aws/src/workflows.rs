//! The workflow port on Step Functions: one standard execution per run.

mod ended;
mod history;
mod oldest;
mod one;

use crate::{clients::Clients, settings::Settings};
use async_trait::async_trait;
use aws_sdk_sfn::{
    error::{ProvideErrorMetadata, SdkError},
    primitives::DateTime,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use mano_ports::workflows::{Error, Listing, Outcome, Run, Workflows};
use serde_json::Value;

/// Longest error name, in bytes.
const LONGEST_ERROR: usize = 256;
/// Longest cause, in bytes.
const LONGEST_CAUSE: usize = 32_768;
/// Runs of a listing that are asked for at the same time.
const AT_ONCE: usize = 8;

/// The state machines of a deployment.
#[derive(Debug, Clone)]
pub struct StepFunctions {
    client: aws_sdk_sfn::Client,
    /// The beginning of every state machine's ARN.
    prefix: String,
}

impl StepFunctions {
    /// The state machines that the settings name.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self { client: clients.sfn.clone(), prefix: settings.state_machines.clone() }
    }

    fn machine(&self, workflow: &str) -> String {
        format!("{}{workflow}", self.prefix)
    }

    fn execution(&self, workflow: &str, run: &str) -> String {
        let machine = self.machine(workflow).replacen(":stateMachine:", ":execution:", 1);
        format!("{machine}:{run}")
    }
}

#[async_trait]
impl Workflows for StepFunctions {
    async fn start(&self, workflow: &str, run: &str, input: Value) -> Result<Option<Run>, Error> {
        self.begin(workflow, run, input).await
    }

    async fn resume(&self, token: &str, outcome: Outcome) -> Result<(), Error> {
        match outcome {
            Outcome::Success(output) => {
                let send = self.client.send_task_success().task_token(token);
                gone(send.output(output.to_string()).send().await.map(drop))
            }
            Outcome::Failure { error, cause } => {
                let error = &error[..error.floor_char_boundary(LONGEST_ERROR)];
                let cause = &cause[..cause.floor_char_boundary(LONGEST_CAUSE)];
                let send = self.client.send_task_failure().task_token(token);
                gone(send.error(error).cause(cause).send().await.map(drop))
            }
        }
    }

    async fn stop(&self, workflow: &str, run: &str, cause: &str) -> Result<(), Error> {
        let cause = &cause[..cause.floor_char_boundary(LONGEST_CAUSE)];
        let stop = self.client.stop_execution().execution_arn(self.execution(workflow, run));
        stop.cause(cause).send().await.map(drop).map_err(|error| wrap(run, error))
    }

    async fn workflows(&self) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut next = None;
        loop {
            let list = self.client.list_state_machines().set_next_token(next);
            let listed = list.send().await.map_err(|error| wrap("", error))?;
            let ours = listed.state_machines.iter().filter_map(|machine| {
                machine.state_machine_arn.strip_prefix(&self.prefix).map(Into::into)
            });
            names.extend(ours);
            next = listed.next_token;
            if next.is_none() {
                names.sort();
                return Ok(names);
            }
        }
    }

    async fn definition(&self, workflow: &str) -> Result<String, Error> {
        let describe =
            self.client.describe_state_machine().state_machine_arn(self.machine(workflow));
        Ok(describe.send().await.map_err(|error| wrap(workflow, error))?.definition)
    }

    /// The engine lists runs without what they were given and what they made, so each is asked
    /// for; one that expires meanwhile is left out.
    async fn runs(
        &self,
        workflow: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Run>, Error> {
        let list = self
            .client
            .list_executions()
            .state_machine_arn(self.machine(workflow))
            .max_results(page(limit))
            .set_next_token(after.map(Into::into));
        let listed = list.send().await.map_err(|error| wrap(workflow, error))?;
        let names = listed.executions.into_iter().map(|item| item.name);
        let found = names.map(async |name| self.find(workflow, &name).await);
        let found = stream::iter(found).buffered(AT_ONCE);
        let items = found.try_filter_map(async |run| Ok(run)).try_collect().await?;
        Ok(Listing { items, next: listed.next_token })
    }

    async fn describe(&self, workflow: &str, run: &str) -> Result<Run, Error> {
        self.find(workflow, run).await?.ok_or_else(|| Error::Absent(run.into()))
    }

    async fn history(
        &self,
        workflow: &str,
        run: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing<Value>, Error> {
        let ask = self
            .client
            .get_execution_history()
            .execution_arn(self.execution(workflow, run))
            .max_results(page(limit))
            .set_next_token(after.map(Into::into));
        history::read(ask).await.map_err(|error| wrap(run, error))
    }
}

/// A page's size as the engine takes it.
fn page(limit: usize) -> i32 {
    i32::try_from(limit.clamp(1, 1000)).unwrap_or(1000)
}

fn time(at: DateTime) -> Timestamp {
    let millis = at.to_millis().unwrap_or_default();
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A token that is gone, and one that never was, is done already.
fn gone<E>(sent: Result<(), SdkError<E>>) -> Result<(), Error>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    const GONE: [&str; 3] = ["TaskDoesNotExist", "TaskTimedOut", "InvalidToken"];
    match sent {
        Err(error) if !error.code().is_some_and(|code| GONE.contains(&code)) => {
            Err(Error::Unavailable(Box::new(error)))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Says that there is nothing of this name, or that the engine failed.
fn wrap<E>(name: &str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    const ABSENT: [&str; 4] =
        ["StateMachineDoesNotExist", "ExecutionDoesNotExist", "InvalidArn", "InvalidName"];
    if error.code().is_some_and(|code| ABSENT.contains(&code)) {
        return Error::Absent(name.into());
    }
    Error::Unavailable(Box::new(error))
}
