//! The Amazon States Language: reads, checks and steps workflow definitions.

#![doc = include_str!("../README.md")]

mod choice;
mod definition;
mod doc;
mod draw;
mod entropy;
mod env;
mod event;
mod execution;
mod expression;
mod fault;
mod history;
pub mod host;
mod intrinsic;
mod items;
mod path;
mod query;
pub mod runner;
mod template;
mod time;

pub use definition::{Definition, Diagnostic, Severity};
pub use doc::Doc;
pub use draw::{draw, draw_execution};
pub use entropy::Seed;
pub use event::{
    Call, ChildId, Effect, Ending, Event, Integration, ResultFile, Stage, Status, TaskId, TimerId,
};
pub use execution::{
    ENGINE_VERSION, Execution, Inspection, Kind, Limits, Mock, MockError, Outcome, Part, Start,
    StartError, StateConfiguration, TestError, TestReport, TestRequest, TestStatus, test_state,
};
pub use history::{Assigned, Details, HistoryEvent};
