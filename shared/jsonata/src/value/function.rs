//! Function values: what a lambda, builtin or regular expression is while an evaluation runs.

use std::sync::Arc;

use super::{DROP_DEPTH, Value, drop_deep};
use crate::{functions::Builtin, parse::tree::Symbol, regex::Regex};

/// A function. It can be stored and passed on, and called only within the evaluation it is from.
#[derive(Clone)]
pub struct Function {
    pub(crate) what: What,
    /// Handed over as an argument: it then sees no context and is no lambda any more.
    pub(crate) native: bool,
}

#[derive(Clone)]
pub(crate) enum What {
    Builtin(Builtin),
    Regex(Arc<Regex>),
    Made(Arc<Made>),
}

/// A function made at run time.
pub(crate) struct Made {
    pub(crate) kind: Kind,
    depth: u32,
}

pub(crate) enum Kind {
    Lambda(Lambda),
    /// A builtin with some arguments given; `None` is a place still open.
    Partial {
        builtin: Builtin,
        given: Vec<Option<Option<Value>>>,
    },
    /// `first ~> then`.
    Chain {
        first: Value,
        then: Value,
    },
    Transform {
        of: Origin,
        index: usize,
    },
    /// `next` of a regular expression's match.
    Next {
        regex: Arc<Regex>,
        text: Arc<str>,
        from: usize,
    },
    /// A call left to the caller's loop, so that tail calls need no stack.
    TailCall {
        procedure: Option<Value>,
        arguments: Vec<Option<Value>>,
        token: Option<Arc<str>>,
        position: u32,
    },
    /// Not a function: one row of a join. It never leaves the path that made it.
    Tuple(Vec<(Symbol, Value)>),
}

/// The evaluation and the frame a function was made in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) evaluation: u64,
    pub(crate) frame: usize,
}

pub(crate) struct Lambda {
    pub(crate) of: Origin,
    /// Which lambda of the expression.
    pub(crate) index: usize,
    pub(crate) input: Option<Value>,
    /// The parameters still open after a partial application.
    pub(crate) open: Option<Vec<Symbol>>,
}

impl Function {
    pub(crate) fn builtin(builtin: Builtin) -> Self {
        Self { what: What::Builtin(builtin), native: false }
    }

    pub(crate) fn regex(regex: Arc<Regex>) -> Self {
        Self { what: What::Regex(regex), native: true }
    }

    pub(crate) fn made(kind: Kind) -> Self {
        let depth = 1 + kind.held().map(Value::depth).max().unwrap_or(0);
        Self { what: What::Made(Arc::new(Made { kind, depth })), native: false }
    }

    /// As arguments see it.
    pub(crate) fn into_argument(mut self) -> Self {
        self.native = true;
        self
    }

    pub(crate) fn kind(&self) -> Option<&Kind> {
        if let What::Made(made) = &self.what { Some(&made.kind) } else { None }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Builtin(left), What::Builtin(right)) => left == right,
            (What::Regex(left), What::Regex(right)) => Arc::ptr_eq(left, right),
            (What::Made(left), What::Made(right)) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }

    pub(crate) fn depth(&self) -> u32 {
        if let What::Made(made) = &self.what { made.depth } else { 0 }
    }

    pub(crate) fn dismantle(self, waiting: &mut Vec<Value>) {
        if let What::Made(made) = self.what
            && let Ok(mut made) = Arc::try_unwrap(made)
        {
            waiting.append(&mut made.kind.release());
        }
    }
}

impl Kind {
    /// The values it keeps alive.
    fn held(&self) -> Box<dyn Iterator<Item = &Value> + '_> {
        match self {
            Self::Lambda(lambda) => Box::new(lambda.input.iter()),
            Self::Partial { given, .. } => Box::new(given.iter().flatten().flatten()),
            Self::Chain { first, then } => Box::new([first, then].into_iter()),
            Self::TailCall { procedure, arguments, .. } => {
                Box::new(procedure.iter().chain(arguments.iter().flatten()))
            }
            Self::Tuple(bound) => Box::new(bound.iter().map(|(_, value)| value)),
            Self::Transform { .. } | Self::Next { .. } => Box::new(std::iter::empty()),
        }
    }

    /// Takes those values out.
    fn release(&mut self) -> Vec<Value> {
        match self {
            Self::Lambda(lambda) => lambda.input.take().into_iter().collect(),
            Self::Partial { given, .. } => given.drain(..).flatten().flatten().collect(),
            Self::Chain { first, then } => {
                vec![std::mem::replace(first, Value::Null), std::mem::replace(then, Value::Null)]
            }
            Self::TailCall { procedure, arguments, .. } => {
                procedure.take().into_iter().chain(arguments.drain(..).flatten()).collect()
            }
            Self::Tuple(bound) => bound.drain(..).map(|(_, value)| value).collect(),
            Self::Transform { .. } | Self::Next { .. } => Vec::new(),
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if self.depth > DROP_DEPTH {
            drop_deep(self.kind.release());
        }
    }
}
