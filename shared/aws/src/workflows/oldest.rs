//! How long runs go on already.

use super::{StepFunctions, page, time, wrap};
use aws_sdk_sfn::types::ExecutionStatus;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use mano_ports::workflows::{Error, Workflows};

/// So many answers are read of one workflow; they come newest first, and beyond 20,000 runs at once the
/// oldest of those is old enough.
const PAGES: usize = 20;

impl StepFunctions {
    /// Since when the oldest run goes on; none: nothing runs.
    ///
    /// # Errors
    /// The engine cannot be asked.
    pub async fn oldest(&self) -> Result<Option<Timestamp>, Error> {
        let workflows = self.workflows().await?;
        let each = try_join_all(workflows.iter().map(|workflow| self.oldest_of(workflow))).await?;
        Ok(each.into_iter().flatten().min())
    }

    async fn oldest_of(&self, workflow: &str) -> Result<Option<Timestamp>, Error> {
        let mut oldest = None;
        let mut next = None;
        for _ in 0..PAGES {
            let list = self
                .client
                .list_executions()
                .state_machine_arn(self.machine(workflow))
                .status_filter(ExecutionStatus::Running)
                .max_results(page(usize::MAX))
                .set_next_token(next);
            let listed = list.send().await.map_err(|error| wrap(workflow, error))?;
            oldest = listed.executions.last().map(|item| time(item.start_date)).or(oldest);
            next = listed.next_token;
            if next.is_none() {
                break;
            }
        }
        Ok(oldest)
    }
}
