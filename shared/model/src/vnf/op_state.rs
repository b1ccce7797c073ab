//! The states of a VNF operation occurrence and the only ways between them.
//!
//! SOL003 `LcmOperationStateType`.

use crate::op::state::{Event, Lifecycle};
use Event::{Complete, Fail, FailForGood, GiveUp, Grant, Refuse, Retry, RollBack, Undo};
use State::{Completed, Failed, FailedTemp, Processing, RolledBack, RollingBack, Starting};
use serde::{Deserialize, Serialize};

/// Where an operation stands, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It waits for its grant.
    Starting,
    /// Work is under way.
    Processing,
    /// Everything asked for exists.
    Completed,
    /// Work stopped; a person or a policy decides what next.
    FailedTemp,
    /// Closed without success.
    Failed,
    /// What was done is being undone.
    RollingBack,
    /// Nothing of it is left.
    RolledBack,
}

impl Lifecycle for State {
    const ALL: &'static [Self] =
        &[Starting, Processing, Completed, FailedTemp, Failed, RollingBack, RolledBack];
    /// SOL003 clause 5.6.2.
    const TRANSITIONS: &'static [(Self, Event, Self)] = &[
        (Starting, Grant, Processing),
        (Starting, Refuse, RolledBack),
        (Processing, Complete, Completed),
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
            Completed | Failed | RolledBack => true,
            Starting | Processing | FailedTemp | RollingBack => false,
        }
    }
    fn is_running(self) -> bool {
        match self {
            Starting | Processing | RollingBack => true,
            Completed | FailedTemp | Failed | RolledBack => false,
        }
    }
    fn as_str(self) -> &'static str {
        match self {
            Starting => "STARTING",
            Processing => "PROCESSING",
            Completed => "COMPLETED",
            FailedTemp => "FAILED_TEMP",
            Failed => "FAILED",
            RollingBack => "ROLLING_BACK",
            RolledBack => "ROLLED_BACK",
        }
    }
}
