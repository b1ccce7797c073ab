//! Evaluation: a walk over the tree that pays for each step.

mod bag;
mod call;
mod filter;
mod frame;
mod group;
mod operator;
mod partial;
mod path;
mod sort;
mod transform;
mod tuple;
mod wildcard;

use std::sync::atomic::{AtomicU64, Ordering};

use self::frame::Frame;
pub(crate) use self::{
    bag::{Bag, append, finite, truth},
    frame::checked,
};
use crate::{
    bindings::Bindings,
    budget::Budget,
    error::{Fault, Outcome},
    host::Host,
    parse::tree::{Kind, More, Node, Program},
    value::{
        Array, DEEPEST, Function, Value,
        array::{KEEP, OUTER, SEQUENCE, TUPLES},
        function::{self, Origin},
    },
};

/// Tells functions of one evaluation from those of another.
static EVALUATIONS: AtomicU64 = AtomicU64::new(1);

/// With less stack than this left, evaluation goes on with a new one of the other size.
const RED_ZONE: usize = 256 * 1_024;
const STACK: usize = 1 << 21;

/// Bytes of stack a level of evaluation takes, roughly.
const LEVEL: usize = 1_024;

/// One evaluation under way.
pub(crate) struct Evaluator<'e> {
    program: &'e Program,
    bindings: &'e Bindings,
    pub(crate) host: &'e dyn Host,
    pub(crate) budget: &'e mut Budget,
    root: Option<Value>,
    frames: Vec<Frame>,
    unused: Vec<usize>,
    /// Given when the first function is made.
    evaluation: Option<u64>,
    millis: Option<i64>,
    depth: u32,
    deepest: u32,
}

impl<'e> Evaluator<'e> {
    pub(crate) fn new(
        program: &'e Program,
        bindings: &'e Bindings,
        host: &'e dyn Host,
        budget: &'e mut Budget,
    ) -> Self {
        Self {
            program,
            bindings,
            host,
            budget,
            root: None,
            frames: vec![Frame::root()],
            unused: Vec::new(),
            evaluation: None,
            millis: None,
            depth: 0,
            deepest: 8,
        }
    }

    /// Evaluates the expression over `input`.
    pub(crate) fn run(mut self, input: Option<&Value>) -> Outcome<Option<Value>> {
        let mut given = input.into_iter().chain(self.bindings.values());
        if given.any(|value| value.depth() > DEEPEST) {
            return Err(too_deep());
        }
        self.root = input.cloned();
        let wrapped = match input {
            Some(Value::Array(array)) if !array.is(SEQUENCE) => {
                let whole = vec![Value::Array(array.clone())];
                Some(Value::Array(Array::marked(whole, SEQUENCE | OUTER)))
            }
            _ => None,
        };
        let root = &self.program.root;
        self.eval(root, wrapped.as_ref().or(input), 0)
    }

    /// The time of this evaluation: asked once, the same from then on.
    pub(crate) fn millis(&mut self) -> i64 {
        *self.millis.get_or_insert_with(|| self.host.now_millis())
    }

    /// Evaluates a node.
    pub(crate) fn eval(
        &mut self,
        node: &'e Node,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        self.budget.step(1)?;
        self.depth += 1;
        if self.depth > self.deepest {
            self.go_deeper()?;
        }
        let plain = if node.more.is_none() { leaf(node) } else { None };
        let result = match plain {
            Some(value) => Ok(Some(value)),
            // The stack is looked at on every eighth level: it has room for many more.
            None if self.depth % 8 != 1 => self.inner(node, input, frame),
            None => stacker::maybe_grow(RED_ZONE, STACK, || self.inner(node, input, frame)),
        };
        self.depth -= 1;
        result
    }

    #[cold]
    fn go_deeper(&mut self) -> Outcome<()> {
        if self.depth > self.budget.depth() {
            return Err(Fault::limit(
                "The expression calls itself too deep; end the recursion or make it tail-recursive",
            ));
        }
        self.deepest = self.depth;
        self.budget.alloc(LEVEL)
    }

    fn inner(
        &mut self,
        node: &'e Node,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let mut result = self.kind(node, input, frame)?;
        if let Some(more) = node.more.as_deref() {
            result = self.finish(node, more, result, frame)?;
        }
        Ok(match result {
            Some(Value::Array(array)) if array.is(SEQUENCE) && !array.is(TUPLES) => {
                collapse(node, array)
            }
            other => other,
        })
    }

    /// Filters and grouping that follow a node.
    fn finish(
        &mut self,
        node: &'e Node,
        more: &'e More,
        mut result: Option<Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        for predicate in more.predicates.iter().flatten() {
            result = Some(Value::Array(self.filter(predicate, result, frame)?));
        }
        if let Some(group) = &more.group
            && !matches!(node.kind, Kind::Path(_))
        {
            result = Some(self.group(&group.pairs, group.position, result.as_ref(), frame)?);
        }
        Ok(result)
    }

    fn kind(
        &mut self,
        node: &'e Node,
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        match &node.kind {
            Kind::Path(steps) => self.path(steps, node.more.as_deref(), input, frame),
            Kind::Name(name) => self.name(name, input),
            Kind::Text(_) | Kind::Number(_) | Kind::Word(_) | Kind::Regex(_) => Ok(leaf(node)),
            Kind::Wildcard => self.wildcard(input),
            Kind::Descendants => self.descendants(input),
            Kind::Parent(slot) => Ok(self.lookup(self.program.ancestors[*slot], frame)),
            Kind::Context => Ok(context(input)),
            Kind::Variable(symbol, _) => Ok(self.lookup(*symbol, frame)),
            Kind::Binary(op, sides) => self.binary(*op, sides, node.position, input, frame),
            Kind::Negate(inner) => self.negate(inner, node.position, input, frame),
            Kind::Array(items) => self.array(items, node, input, frame),
            Kind::Object(pairs) => self.group(pairs, node.position, input, frame).map(Some),
            Kind::Call(call) => self.call(call, node.position, input, frame, None),
            Kind::Partial(call) => self.partial(call, node.position, input, frame),
            Kind::TailCall(call) => self.tail_call(call, input, frame),
            Kind::Lambda(index) => Ok(Some(self.lambda(*index, input, frame))),
            Kind::Condition(parts) => self.condition(parts, input, frame),
            Kind::Block(expressions) => self.block(expressions, input, frame),
            Kind::Bind(symbol, value) => {
                let value = self.eval(value, input, frame)?;
                self.bind(*symbol, value.clone(), frame);
                Ok(value)
            }
            Kind::Apply(sides) => self.apply_operator(sides, node.position, input, frame),
            Kind::Transform(index) => {
                let kind = function::Kind::Transform { of: self.origin(frame), index: *index };
                Ok(Some(Value::Function(Function::made(kind))))
            }
            // A sort stands in paths only, an open argument in partial applications only.
            Kind::Sort(_) | Kind::Open => Ok(None),
        }
    }

    fn condition(
        &mut self,
        (test, then, otherwise): &'e (Node, Node, Option<Node>),
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let test = self.eval(test, input, frame)?;
        if truth(test.as_ref(), self.budget)? {
            return self.eval(then, input, frame);
        }
        match otherwise {
            Some(otherwise) => self.eval(otherwise, input, frame),
            None => Ok(None),
        }
    }

    fn block(
        &mut self,
        expressions: &'e [Node],
        input: Option<&Value>,
        frame: usize,
    ) -> Outcome<Option<Value>> {
        let inside = self.open_frame(frame)?;
        let mut result = None;
        for expression in expressions {
            result = self.eval(expression, input, inside)?;
        }
        self.close_frame(inside);
        Ok(result)
    }

    fn lambda(&mut self, index: usize, input: Option<&Value>, frame: usize) -> Value {
        let of = self.origin(frame);
        let lambda = function::Lambda { of, index, input: input.cloned(), open: None };
        Value::Function(Function::made(function::Kind::Lambda(lambda)))
    }

    /// Where a function made now belongs; its frame stays from now on.
    fn origin(&mut self, frame: usize) -> Origin {
        self.capture(frame);
        let next = || EVALUATIONS.fetch_add(1, Ordering::Relaxed);
        Origin { evaluation: *self.evaluation.get_or_insert_with(next), frame }
    }
}

pub(crate) fn too_deep() -> Fault {
    Fault::limit("A value nests deeper than 1,000 levels; build it flatter")
}

/// What a node is without looking at anything else.
#[inline]
fn leaf(node: &Node) -> Option<Value> {
    match &node.kind {
        Kind::Text(text) => Some(Value::String(text.clone())),
        Kind::Number(number) => Some(Value::Number(*number)),
        Kind::Word(word) => Some(word.clone()),
        Kind::Regex(regex) => Some(Value::Function(Function::regex(regex.clone()))),
        _ => None,
    }
}

/// `$`: an input that is an array was wrapped, so that paths see it as one thing.
fn context(input: Option<&Value>) -> Option<Value> {
    match input {
        Some(Value::Array(array)) if array.is(OUTER) => array.first().cloned(),
        other => other.cloned(),
    }
}

/// A sequence of one is its item, one of none is nothing.
fn collapse(node: &Node, array: Array) -> Option<Value> {
    let keep = node.has(|more| more.keep_array) || array.is(KEEP);
    match array.len() {
        0 => None,
        1 if !keep => Some(array[0].clone()),
        _ => {
            let marks = array.marks() | if keep { KEEP } else { 0 };
            Some(Value::Array(array.with_marks(marks)))
        }
    }
}
