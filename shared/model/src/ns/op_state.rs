//! The states of an NS operation occurrence and the only ways between them.
//!
//! SOL005 `NsLcmOperationStateType`.

use crate::op::state::{Event, Lifecycle};
use Event::{Complete, Fail, FailForGood, GiveUp, PartlyComplete, Retry, RollBack, Undo};
use State::{
    Completed, Failed, FailedTemp, PartiallyCompleted, Processing, RolledBack, RollingBack,
};
use serde::{Deserialize, Serialize};

/// Where an operation stands, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Work is under way.
    Processing,
    /// Everything asked for exists.
    Completed,
    /// Enough of what was asked for exists.
    PartiallyCompleted,
    /// Work stopped; a person or a policy decides what next.
    FailedTemp,
    /// Closed without success.
    Failed,
    /// What was done is being undone.
    RollingBack,
    /// Everything done has been undone.
    RolledBack,
}

impl Lifecycle for State {
    const ALL: &'static [Self] =
        &[Processing, Completed, PartiallyCompleted, FailedTemp, Failed, RollingBack, RolledBack];
    /// SOL005 clause 6.6.2.2.
    const TRANSITIONS: &'static [(Self, Event, Self)] = &[
        (Processing, Complete, Completed),
        (Processing, PartlyComplete, PartiallyCompleted),
        (Processing, Fail, FailedTemp),
        (Processing, FailForGood, Failed),
        (FailedTemp, Retry, Processing),
        (FailedTemp, RollBack, RollingBack),
        (FailedTemp, GiveUp, Failed),
        (RollingBack, Undo, RolledBack),
        (RollingBack, Fail, FailedTemp),
    ];
    fn is_final(self) -> bool {
        match self {
            Completed | PartiallyCompleted | Failed | RolledBack => true,
            Processing | FailedTemp | RollingBack => false,
        }
    }
    fn is_running(self) -> bool {
        match self {
            Processing | RollingBack => true,
            Completed | PartiallyCompleted | FailedTemp | Failed | RolledBack => false,
        }
    }
    fn as_str(self) -> &'static str {
        match self {
            Processing => "PROCESSING",
            Completed => "COMPLETED",
            PartiallyCompleted => "PARTIALLY_COMPLETED",
            FailedTemp => "FAILED_TEMP",
            Failed => "FAILED",
            RollingBack => "ROLLING_BACK",
            RolledBack => "ROLLED_BACK",
        }
    }
}
