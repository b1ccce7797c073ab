//! The shape of a definition once read: states in one list, pointing at each other by number.

use std::sync::Arc;

use crate::{
    choice::Test, doc::Doc, expression::Expression, path::Reference, query::Query,
    template::Template, time::Nanos,
};

/// The number of a state in [`Machine::states`].
pub(crate) type StateId = u32;
/// The number of a flow in [`Machine::flows`]; the outermost is 0.
pub(crate) type FlowId = u32;

/// A whole definition.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) comment: Option<String>,
    pub(crate) timeout_seconds: Option<i64>,
    pub(crate) states: Vec<State>,
    pub(crate) flows: Vec<Flow>,
    /// Whether it uses variables or JSONata, which came to AWS together.
    pub(crate) has_variables: bool,
}

/// One `States` object: the machine itself, a branch, or a Map's processor.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) start: StateId,
    /// The numbers of its states, in the order written.
    pub(crate) states: Vec<StateId>,
}

/// The language of paths and expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    JsonPath,
    Jsonata,
}

/// One state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    pub(crate) language: Language,
    pub(crate) kind: Kind,
    pub(crate) data: Data,
    pub(crate) next: Next,
    pub(crate) assign: Option<Assign>,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
}

impl State {
    /// Whether the state sets variables, or its language can see them everywhere.
    pub(crate) fn has_variables(&self) -> bool {
        let rule = |rule: &Rule| rule.assign.is_some();
        self.language == Language::Jsonata
            || self.assign.is_some()
            || self.catch.iter().any(|catcher| catcher.assign.is_some())
            || matches!(&self.kind, Kind::Choice { rules, .. } if rules.iter().any(rule))
    }
}

/// What comes after a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    End,
    State(StateId),
    /// Choice decides by rule; Fail goes nowhere.
    Elsewhere,
}

/// How data flows through a state.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) input_path: Pick,
    /// `Parameters` or `Arguments`.
    pub(crate) parameters: Option<Template>,
    pub(crate) result_selector: Option<Template>,
    pub(crate) result_path: ResultPath,
    pub(crate) output_path: Pick,
    /// JSONata's `Output`.
    pub(crate) output: Option<Template>,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug)]
pub(crate) enum Pick {
    Whole,
    /// `null`: an empty object instead.
    Nothing,
    At(Query),
}

/// `ResultPath`.
#[derive(Debug)]
pub(crate) enum ResultPath {
    Whole,
    /// `null`: the result is dropped.
    Drop,
    At(Reference),
}

/// The variables a state sets, in the order written.
pub(crate) type Assign = Vec<(Arc<str>, Template)>;

/// What kind of state it is.
#[derive(Debug)]
pub(crate) enum Kind {
    Pass { result: Option<Doc> },
    Task(Box<Task>),
    Choice { rules: Vec<Rule>, default: Option<StateId> },
    Wait(WaitFor),
    Succeed,
    Fail { error: Option<Template>, cause: Option<Template> },
    Parallel { branches: Vec<FlowId> },
    Map(Box<Map>),
}

impl Kind {
    /// The Task, if it is one.
    pub(crate) fn as_task(&self) -> Option<&Task> {
        if let Self::Task(task) = self { Some(task) } else { None }
    }

    /// The Map, if it is one.
    pub(crate) fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// Whether the kind may have a `Retry`.
    pub(crate) fn may_be_retried(&self) -> bool {
        matches!(self, Self::Task(_) | Self::Parallel { .. } | Self::Map(_))
    }

    /// The name in `Type`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "Pass",
            Self::Task(_) => "Task",
            Self::Choice { .. } => "Choice",
            Self::Wait(_) => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail { .. } => "Fail",
            Self::Parallel { .. } => "Parallel",
            Self::Map(_) => "Map",
        }
    }
}

/// A number that is written, found at a path, or computed.
#[derive(Debug)]
pub(crate) enum Amount {
    Fixed(f64),
    Path(Query),
    Expression(Expression),
}

/// A Task.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) resource: Resource,
    pub(crate) timeout: Option<Amount>,
    pub(crate) heartbeat: Option<Amount>,
    pub(crate) credentials: Option<Template>,
}

/// What a Task calls.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// As written.
    pub(crate) arn: Arc<str>,
    pub(crate) integration: crate::event::Integration,
    /// `lambda`, `aws-sdk:s3`; empty for functions and activities.
    pub(crate) service: Arc<str>,
    /// `invoke.waitForTaskToken`; the ARN for functions and activities.
    pub(crate) api: Arc<str>,
}

/// What a Wait waits for.
#[derive(Debug)]
pub(crate) enum WaitFor {
    Seconds(i64),
    SecondsPath(Query),
    SecondsExpression(Expression),
    Timestamp(Nanos),
    TimestampPath(Query),
    TimestampExpression(Expression),
}

/// One rule of a Choice.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) test: Test,
    pub(crate) next: StateId,
    pub(crate) assign: Option<Assign>,
    pub(crate) output: Option<Template>,
}

/// One retrier.
#[derive(Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval_seconds: f64,
    pub(crate) max_attempts: u64,
    pub(crate) backoff_rate: f64,
    pub(crate) max_delay_seconds: Option<f64>,
    pub(crate) jitter: bool,
}

/// One catcher.
#[derive(Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) next: StateId,
    pub(crate) result_path: ResultPath,
    pub(crate) output: Option<Template>,
    pub(crate) assign: Option<Assign>,
}

/// A Map.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) processor: FlowId,
    pub(crate) items: Items,
    pub(crate) selector: Option<Template>,
    pub(crate) max_concurrency: Option<Amount>,
    pub(crate) distributed: Option<Distributed>,
    pub(crate) tolerated_count: Option<Amount>,
    pub(crate) tolerated_percentage: Option<Amount>,
}

/// Where a Map's items come from.
#[derive(Debug)]
pub(crate) enum Items {
    Input,
    Path(Query),
    Template(Template),
}

/// What only a distributed Map has.
#[derive(Debug)]
pub(crate) struct Distributed {
    pub(crate) express: bool,
    pub(crate) label: Option<String>,
    pub(crate) reader: Option<Reader>,
    pub(crate) batcher: Option<Batcher>,
    pub(crate) writer: Option<Writer>,
}

/// `ItemReader`.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) resource: String,
    pub(crate) parameters: Option<Template>,
    pub(crate) format: crate::items::Format,
    pub(crate) max_items: Option<Amount>,
}

/// `ItemBatcher`.
#[derive(Debug)]
pub(crate) struct Batcher {
    pub(crate) max_items: Option<Amount>,
    pub(crate) max_bytes: Option<Amount>,
    pub(crate) input: Option<Template>,
}

/// `ResultWriter`.
#[derive(Debug)]
pub(crate) struct Writer {
    /// `None`: the result stays in the state's output.
    pub(crate) resource: Option<String>,
    pub(crate) parameters: Option<Template>,
    pub(crate) transformation: Transformation,
    /// Whether files hold one value a line.
    pub(crate) lines: bool,
}

/// What a `ResultWriter` makes of the children's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transformation {
    /// The outputs with what is known of each child.
    None,
    /// The outputs.
    Compact,
    /// The outputs, lists among them as their items.
    Flatten,
}
