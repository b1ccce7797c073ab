//! Runs that ended lately without success.

use super::{StepFunctions, page, time, wrap};
use aws_sdk_sfn::types::ExecutionStatus::{self, Aborted, Failed, TimedOut};
use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use jiff::{SignedDuration, Timestamp};
use mano_ports::workflows::{Error, Run, Workflows};

/// Executions are listed by their start; what began so long before is not looked for.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// So many answers are read of one workflow and status.
const PAGES: usize = 20;

impl StepFunctions {
    /// The runs that ended FAILED, TIMED_OUT or ABORTED since an instant, and began at most a day
    /// before it.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn failed_since(&self, since: Timestamp) -> Result<Vec<Run>, Error> {
        let workflows = self.workflows().await?;
        let each = workflows.iter().flat_map(|workflow| {
            [Failed, TimedOut, Aborted].map(|status| self.ended_so(workflow, status, since))
        });
        let ended = try_join_all(each).await?.into_iter().flatten();
        let found = ended.map(async |(workflow, run)| self.find(&workflow, &run).await);
        let found = stream::iter(found).buffered(super::AT_ONCE);
        found.try_filter_map(async |run| Ok(run)).try_collect().await
    }

    /// Workflow and name of each run that ended so.
    async fn ended_so(
        &self,
        workflow: &str,
        status: ExecutionStatus,
        since: Timestamp,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..PAGES {
            let list = self
                .client
                .list_executions()
                .state_machine_arn(self.machine(workflow))
                .status_filter(status.clone())
                .max_results(page(usize::MAX))
                .set_next_token(next);
            let listed = list.send().await.map_err(|error| wrap(workflow, error))?;
            let last = listed.executions.last().map(|item| time(item.start_date));
            let lately = listed
                .executions
                .into_iter()
                .filter(|item| item.stop_date.is_some_and(|stop| time(stop) >= since));
            found.extend(lately.map(|item| (workflow.to_owned(), item.name)));
            next = listed.next_token;
            if next.is_none() || last.is_some_and(|start| start < since - LONGEST) {
                break;
            }
        }
        Ok(found)
    }
}
