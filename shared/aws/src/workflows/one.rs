//! One run: begun, and found again.

use super::{StepFunctions, time, wrap};
use aws_sdk_sfn::{
    error::ProvideErrorMetadata, operation::describe_execution::DescribeExecutionOutput,
};
use mano_ports::workflows::{Error, Run};
use serde_json::Value;

impl StepFunctions {
    /// Starts a run; answers the run of this name, if there is one and it is over.
    pub(super) async fn begin(
        &self,
        workflow: &str,
        run: &str,
        input: Value,
    ) -> Result<Option<Run>, Error> {
        let start = self.client.start_execution().state_machine_arn(self.machine(workflow));
        match start.name(run).input(input.to_string()).send().await {
            // The name of a run is taken for 90 days after its end.
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => {
                Ok(self.find(workflow, run).await?.filter(Run::is_over))
            }
            Err(error) => Err(wrap(workflow, error)),
            Ok(_) => Ok(None),
        }
    }

    /// Where a run stands; none: there is none of this name.
    pub(super) async fn find(&self, workflow: &str, run: &str) -> Result<Option<Run>, Error> {
        let describe = self.client.describe_execution();
        let describe = describe.execution_arn(self.execution(workflow, run));
        match describe.send().await.map_err(|error| wrap(run, error)) {
            Err(Error::Absent(_)) => Ok(None),
            found => Ok(Some(described(workflow, run, found?))),
        }
    }
}

fn described(workflow: &str, run: &str, found: DescribeExecutionOutput) -> Run {
    let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    Run {
        workflow: workflow.into(),
        name: run.into(),
        status: found.status.as_str().into(),
        start_date: time(found.start_date),
        stop_date: found.stop_date.map(time),
        input: found.input.map(json).unwrap_or_default(),
        output: found.output.map(json),
        error: found.error,
        cause: found.cause,
    }
}
