//! The tree that is evaluated: paths flattened into steps, names numbered.

use std::sync::Arc;

use super::signature::Signature;
use crate::{functions::Builtin, regex::Regex, value::Value};

/// The number of a variable's name within its expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Symbol(pub(crate) u32);

impl Symbol {
    /// The context of a tuple; no variable can have this name.
    pub(crate) const CONTEXT: Self = Self(0);
    /// `$$`.
    pub(crate) const ROOT: Self = Self(1);
    /// `$clone`, which transforms look up.
    pub(crate) const CLONE: Self = Self(2);
}

/// An expression that was read.
pub(crate) struct Program {
    pub(crate) source: Arc<str>,
    pub(crate) root: Node,
    pub(crate) symbols: Vec<Name>,
    pub(crate) lambdas: Vec<Lambda>,
    pub(crate) transforms: Vec<Transform>,
    /// The symbol under which each ancestor is bound.
    pub(crate) ancestors: Vec<Symbol>,
    /// Variables it does not bind itself.
    pub(crate) free: Vec<Arc<str>>,
    /// Names it looks up in its input.
    pub(crate) loose: Vec<Arc<str>>,
}

/// A variable's name, and the builtin it stands for unless it is bound.
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    pub(crate) builtin: Option<Builtin>,
}

pub(crate) struct Lambda {
    pub(crate) params: Vec<Symbol>,
    pub(crate) signature: Option<Signature>,
    pub(crate) body: Node,
}

pub(crate) struct Transform {
    pub(crate) pattern: Node,
    pub(crate) update: Node,
    pub(crate) delete: Option<Node>,
    pub(crate) position: u32,
}

/// One node; `more` is what few nodes have.
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) position: u32,
    pub(crate) more: Option<Box<More>>,
}

pub(crate) enum Kind {
    Path(Vec<Node>),
    Name(Arc<str>),
    Text(Arc<str>),
    Number(f64),
    /// `true`, `false`, `null`.
    Word(Value),
    Wildcard,
    Descendants,
    /// `%`, by the number of its ancestor slot.
    Parent(usize),
    /// `$`.
    Context,
    Variable(Symbol, Arc<str>),
    Binary(Op, Box<(Node, Node)>),
    Negate(Box<Node>),
    Array(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Call(Box<Call>),
    Partial(Box<Call>),
    /// A call in tail position of a lambda.
    TailCall(Box<Node>),
    Lambda(usize),
    Condition(Box<(Node, Node, Option<Node>)>),
    Block(Vec<Node>),
    Bind(Symbol, Box<Node>),
    Regex(Arc<Regex>),
    Apply(Box<(Node, Node)>),
    Transform(usize),
    Sort(Vec<Term>),
    /// `?` among the arguments of a partial application.
    Open,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Concat,
    Range,
    In,
    And,
    Or,
}

pub(crate) struct Call {
    pub(crate) procedure: Node,
    pub(crate) arguments: Vec<Node>,
}

pub(crate) struct Term {
    pub(crate) descending: bool,
    pub(crate) expression: Node,
}

/// The rarer marks of a node.
#[derive(Default)]
pub(crate) struct More {
    pub(crate) keep_array: bool,
    pub(crate) keep_singleton: bool,
    pub(crate) cons_array: bool,
    pub(crate) tuple: bool,
    /// Filters applied to the node's result as a whole.
    pub(crate) predicates: Option<Vec<Node>>,
    /// Filters and index bindings applied to a step.
    pub(crate) stages: Option<Vec<Stage>>,
    pub(crate) group: Option<Group>,
    pub(crate) focus: Option<Symbol>,
    pub(crate) index: Option<Symbol>,
    pub(crate) ancestor: Option<usize>,
    /// Slots of `%` whose ancestor is still looked for, while reading.
    pub(crate) seeking: Option<Vec<usize>>,
}

pub(crate) enum Stage {
    Filter(Node),
    Index(Symbol),
}

pub(crate) struct Group {
    pub(crate) pairs: Vec<(Node, Node)>,
    pub(crate) position: u32,
}

impl Node {
    pub(crate) fn new(kind: Kind, position: u32) -> Self {
        Self { kind, position, more: None }
    }

    pub(crate) fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    pub(crate) fn has(&self, mark: impl Fn(&More) -> bool) -> bool {
        self.more.as_deref().is_some_and(mark)
    }

    /// What the language calls this kind of node in messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Path(_) => "path",
            Kind::Name(_) => "name",
            Kind::Text(_) => "string",
            Kind::Number(_) => "number",
            Kind::Word(_) => "value",
            Kind::Wildcard => "wildcard",
            Kind::Descendants => "descendant",
            Kind::Parent(_) => "parent",
            Kind::Context | Kind::Variable(..) => "variable",
            Kind::Binary(..) => "binary",
            Kind::Negate(_) | Kind::Array(_) | Kind::Object(_) => "unary",
            Kind::Call(_) => "function",
            Kind::Partial(_) => "partial",
            Kind::TailCall(_) | Kind::Lambda(_) => "lambda",
            Kind::Condition(_) => "condition",
            Kind::Block(_) => "block",
            Kind::Bind(..) => "bind",
            Kind::Regex(_) => "regex",
            Kind::Apply(_) => "apply",
            Kind::Transform(_) => "transform",
            Kind::Sort(_) => "sort",
            Kind::Open => "operator",
        }
    }

    /// The name by which messages call what is invoked here.
    pub(crate) fn token(&self) -> Option<Arc<str>> {
        match &self.kind {
            Kind::Path(steps) => steps.first().and_then(Self::token),
            Kind::Name(name) | Kind::Text(name) | Kind::Variable(_, name) => Some(name.clone()),
            Kind::Context => Some(Arc::from("")),
            Kind::Binary(op, _) => Some(Arc::from(op.text())),
            Kind::Negate(_) => Some(Arc::from("-")),
            Kind::Array(_) => Some(Arc::from("[")),
            Kind::Object(_) => Some(Arc::from("{")),
            Kind::Call(_) | Kind::Partial(_) => Some(Arc::from("(")),
            Kind::Bind(..) => Some(Arc::from(":=")),
            Kind::Apply(_) => Some(Arc::from("~>")),
            Kind::Wildcard => Some(Arc::from("*")),
            Kind::Descendants => Some(Arc::from("**")),
            Kind::Open => Some(Arc::from("?")),
            _ => None,
        }
    }
}

impl Op {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Concat => "&",
            Self::Range => "..",
            Self::In => "in",
            Self::And => "and",
            Self::Or => "or",
        }
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        const ALL: [Op; 16] = [
            Op::Add,
            Op::Subtract,
            Op::Multiply,
            Op::Divide,
            Op::Remainder,
            Op::Equal,
            Op::NotEqual,
            Op::Less,
            Op::LessEqual,
            Op::Greater,
            Op::GreaterEqual,
            Op::Concat,
            Op::Range,
            Op::In,
            Op::And,
            Op::Or,
        ];
        ALL.into_iter().find(|op| op.text() == text)
    }
}
