//! Raw tree to the tree that is evaluated: paths become lists of steps.

use std::{collections::HashMap, sync::Arc};

use super::{
    ancestry::Slot,
    raw::{self, Raw},
    steps,
    tree::{Call, Kind, Lambda, Name, Node, Op, Program, Symbol, Transform},
};
use crate::{
    error::{Fault, Outcome},
    functions,
};

/// What is gathered on the way.
pub(super) struct Processor {
    symbols: Vec<Name>,
    numbers: HashMap<Arc<str>, Symbol>,
    lambdas: Vec<Option<Lambda>>,
    transforms: Vec<Transform>,
    pub(super) slots: Vec<Slot>,
}

impl Default for Processor {
    fn default() -> Self {
        let mut processor = Self {
            symbols: Vec::new(),
            numbers: HashMap::new(),
            lambdas: Vec::new(),
            transforms: Vec::new(),
            slots: Vec::new(),
        };
        // In the order of the constants of `Symbol`.
        for name in ["@", "$", "clone"] {
            processor.symbol(&Arc::from(name));
        }
        processor
    }
}

impl Processor {
    pub(super) fn program(mut self, raw: Raw, source: &str) -> Outcome<Program> {
        let root = self.node(raw)?;
        if matches!(root.kind, Kind::Parent(_)) || root.has(|more| more.seeking.is_some()) {
            return Err(underivable(&root));
        }
        let labels: Vec<Arc<str>> =
            self.slots.iter().map(|slot| Arc::from(format!("!{}", slot.label))).collect();
        let ancestors = labels.iter().map(|label| self.symbol(label)).collect();
        Ok(Program {
            source: Arc::from(source),
            root,
            symbols: self.symbols,
            lambdas: self.lambdas.into_iter().flatten().collect(),
            transforms: self.transforms,
            ancestors,
            free: Vec::new(),
            loose: Vec::new(),
        })
    }

    pub(super) fn symbol(&mut self, name: &Arc<str>) -> Symbol {
        if let Some(symbol) = self.numbers.get(name) {
            return *symbol;
        }
        let symbol = Symbol(u32::try_from(self.symbols.len()).unwrap_or(u32::MAX));
        self.symbols.push(Name { text: name.clone(), builtin: functions::find(name) });
        self.numbers.insert(name.clone(), symbol);
        symbol
    }

    pub(super) fn node(&mut self, raw: Raw) -> Outcome<Node> {
        stacker::maybe_grow(160 * 1_024, 1 << 21, || {
            let keep_array = raw.keep_array;
            let mut node = self.kind(raw)?;
            if keep_array {
                node.more().keep_array = true;
            }
            Ok(node)
        })
    }

    fn kind(&mut self, raw: Raw) -> Outcome<Node> {
        let position = raw.position;
        let keep_array = raw.keep_array;
        let kind = match raw.kind {
            raw::Kind::End => return Err(Fault::new("S0207").at(position).token("(end)")),
            raw::Kind::Name(name) => return Ok(name_path(name, position, keep_array)),
            raw::Kind::Operator("?") => Kind::Open,
            raw::Kind::Operator(word) => {
                return Ok(name_path(Arc::from(word), position, keep_array));
            }
            raw::Kind::Variable(name) if name.is_empty() => Kind::Context,
            raw::Kind::Variable(name) => Kind::Variable(self.symbol(&name), name),
            raw::Kind::Text(text) => Kind::Text(text),
            raw::Kind::Number(number) => Kind::Number(number),
            raw::Kind::Word(word) => Kind::Word(word),
            raw::Kind::Regex(regex) => Kind::Regex(regex),
            raw::Kind::Wildcard => Kind::Wildcard,
            raw::Kind::Descendants => Kind::Descendants,
            raw::Kind::Parent => Kind::Parent(self.new_slot()),
            raw::Kind::Negate(inner) => return self.negate(*inner, position),
            raw::Kind::Array(items) => return self.array(items, position),
            raw::Kind::Object(members) => return self.object(members, position),
            raw::Kind::Block(expressions) => return self.block(expressions, position),
            raw::Kind::Binary(op, left, right) => {
                return self.binary(op, *left, *right, position, keep_array);
            }
            raw::Kind::Group(left, pairs) => return self.group(*left, pairs, position),
            raw::Kind::Sort(left, terms) => return self.sort(*left, terms, position),
            raw::Kind::Call { procedure, arguments, partial } => {
                return self.call(*procedure, arguments, partial, position);
            }
            raw::Kind::Lambda { params, signature, body } => {
                return self.lambda(&params, signature, *body, position);
            }
            raw::Kind::Condition(test, then, otherwise) => {
                return self.condition(*test, *then, otherwise, position);
            }
            raw::Kind::Transform(pattern, update, delete) => {
                return self.transform(*pattern, *update, delete, position);
            }
        };
        Ok(Node::new(kind, position))
    }

    fn binary(
        &mut self,
        op: &'static str,
        left: Raw,
        right: Raw,
        position: u32,
        keep_array: bool,
    ) -> Outcome<Node> {
        match op {
            "." => self.step(left, right),
            "[" => self.filter(left, right, position),
            ":=" => self.bind(left, right, position),
            "@" => self.focus(left, &right, position, keep_array),
            "#" => self.index(left, &right),
            "~>" => self.apply(left, right, position),
            _ => {
                let (left, right) = (self.node(left)?, self.node(right)?);
                let seeking = [seeking(&left), seeking(&right)];
                let op =
                    Op::from_text(op).ok_or_else(|| Fault::new("S0206").at(position).token(op))?;
                let mut node = Node::new(Kind::Binary(op, Box::new((left, right))), position);
                push_seeking(&mut node, seeking);
                Ok(node)
            }
        }
    }

    pub(super) fn pairs(&mut self, pairs: Vec<(Raw, Raw)>) -> Outcome<Vec<(Node, Node)>> {
        pairs.into_iter().map(|(key, value)| Ok((self.node(key)?, self.node(value)?))).collect()
    }

    fn bind(&mut self, left: Raw, right: Raw, position: u32) -> Outcome<Node> {
        let raw::Kind::Variable(name) = left.kind else {
            return Err(Fault::new("S0212").at(left.position).token_value(left.token()));
        };
        let right = self.node(right)?;
        let sought = [seeking(&right)];
        let mut node = Node::new(Kind::Bind(self.symbol(&name), Box::new(right)), position);
        push_seeking(&mut node, sought);
        Ok(node)
    }

    fn apply(&mut self, left: Raw, right: Raw, position: u32) -> Outcome<Node> {
        let (left, right) = (self.node(left)?, self.node(right)?);
        let keep = left.has(|more| more.keep_array) || right.has(|more| more.keep_array);
        let mut node = Node::new(Kind::Apply(Box::new((left, right))), position);
        if keep {
            node.more().keep_array = true;
        }
        Ok(node)
    }

    fn negate(&mut self, inner: Raw, position: u32) -> Outcome<Node> {
        let mut inner = self.node(inner)?;
        if let Kind::Number(number) = &mut inner.kind {
            *number = -*number;
            return Ok(inner);
        }
        let sought = [seeking(&inner)];
        let mut node = Node::new(Kind::Negate(Box::new(inner)), position);
        push_seeking(&mut node, sought);
        Ok(node)
    }

    fn array(&mut self, items: Vec<Raw>, position: u32) -> Outcome<Node> {
        let items: Vec<Node> =
            items.into_iter().map(|item| self.node(item)).collect::<Outcome<_>>()?;
        let sought: Vec<_> = items.iter().map(seeking).collect();
        let mut node = Node::new(Kind::Array(items), position);
        push_seeking(&mut node, sought);
        Ok(node)
    }

    fn object(&mut self, members: Vec<(Raw, Raw)>, position: u32) -> Outcome<Node> {
        let members = self.pairs(members)?;
        let sought: Vec<_> =
            members.iter().flat_map(|(key, value)| [seeking(key), seeking(value)]).collect();
        let mut node = Node::new(Kind::Object(members), position);
        push_seeking(&mut node, sought);
        Ok(node)
    }

    fn block(&mut self, expressions: Vec<Raw>, position: u32) -> Outcome<Node> {
        let parts: Vec<Node> =
            expressions.into_iter().map(|part| self.node(part)).collect::<Outcome<_>>()?;
        let sought: Vec<_> = parts.iter().map(seeking).collect();
        let cons = parts.iter().any(builds_array);
        let mut node = Node::new(Kind::Block(parts), position);
        push_seeking(&mut node, sought);
        if cons {
            node.more().cons_array = true;
        }
        Ok(node)
    }

    fn call(
        &mut self,
        procedure: Raw,
        arguments: Vec<Raw>,
        partial: bool,
        position: u32,
    ) -> Outcome<Node> {
        let arguments: Vec<Node> =
            arguments.into_iter().map(|argument| self.node(argument)).collect::<Outcome<_>>()?;
        let sought: Vec<_> = arguments.iter().map(seeking).collect();
        let call = Box::new(Call { procedure: self.node(procedure)?, arguments });
        let kind = if partial { Kind::Partial(call) } else { Kind::Call(call) };
        let mut node = Node::new(kind, position);
        push_seeking(&mut node, sought);
        Ok(node)
    }

    fn lambda(
        &mut self,
        params: &[Arc<str>],
        signature: Option<super::signature::Signature>,
        body: Raw,
        position: u32,
    ) -> Outcome<Node> {
        let place = self.lambdas.len();
        self.lambdas.push(None);
        let params = params.iter().map(|param| self.symbol(param)).collect();
        let body = tail_calls(self.node(body)?);
        self.lambdas[place] = Some(Lambda { params, signature, body });
        Ok(Node::new(Kind::Lambda(place), position))
    }

    fn condition(
        &mut self,
        test: Raw,
        then: Raw,
        otherwise: Option<Box<Raw>>,
        position: u32,
    ) -> Outcome<Node> {
        let (test, then) = (self.node(test)?, self.node(then)?);
        let otherwise = otherwise.map(|otherwise| self.node(*otherwise)).transpose()?;
        let sought = [seeking(&test), seeking(&then), otherwise.as_ref().and_then(seeking)];
        let mut node = Node::new(Kind::Condition(Box::new((test, then, otherwise))), position);
        push_seeking(&mut node, sought);
        Ok(node)
    }

    fn transform(
        &mut self,
        pattern: Raw,
        update: Raw,
        delete: Option<Box<Raw>>,
        position: u32,
    ) -> Outcome<Node> {
        let (pattern, update) = (self.node(pattern)?, self.node(update)?);
        let delete = delete.map(|delete| self.node(*delete)).transpose()?;
        self.transforms.push(Transform { pattern, update, delete, position });
        Ok(Node::new(Kind::Transform(self.transforms.len() - 1), position))
    }
}

pub(super) fn underivable(node: &Node) -> Fault {
    Fault::new("S0217").at(node.position).token(node.type_name())
}

fn name_path(name: Arc<str>, position: u32, keep_array: bool) -> Node {
    let mut step = Node::new(Kind::Name(name), position);
    if keep_array {
        step.more().keep_array = true;
    }
    let mut path = Node::new(Kind::Path(vec![step]), position);
    if keep_array {
        path.more().keep_singleton = true;
    }
    path
}

fn builds_array(part: &Node) -> bool {
    let first = match &part.kind {
        Kind::Path(steps) => steps.first(),
        _ => None,
    };
    part.has(|more| more.cons_array) || first.is_some_and(|first| first.has(|more| more.cons_array))
}

/// The slots a node still seeks ancestors for, its own `%` included.
pub(super) fn seeking(node: &Node) -> Option<Vec<usize>> {
    let own = if let Kind::Parent(slot) = node.kind { Some(slot) } else { None };
    let sought = steps::seeking_of(node);
    if own.is_none() && sought.is_none() {
        return None;
    }
    Some(sought.into_iter().flatten().copied().chain(own).collect())
}

pub(super) fn push_seeking(node: &mut Node, sought: impl IntoIterator<Item = Option<Vec<usize>>>) {
    for slots in sought.into_iter().flatten() {
        node.more().seeking.get_or_insert_default().extend(slots);
    }
}

/// Marks the calls a lambda ends in: they are left to the caller's loop.
fn tail_calls(mut node: Node) -> Node {
    let filtered = node.has(|more| more.predicates.is_some());
    if matches!(node.kind, Kind::Call(_)) && !filtered {
        let position = node.position;
        return Node::new(Kind::TailCall(Box::new(node)), position);
    }
    match &mut node.kind {
        Kind::Condition(parts) => {
            replace(&mut parts.1);
            if let Some(otherwise) = &mut parts.2 {
                replace(otherwise);
            }
        }
        Kind::Block(expressions) => {
            if let Some(last) = expressions.last_mut() {
                replace(last);
            }
        }
        _ => {}
    }
    node
}

fn replace(node: &mut Node) {
    let taken = std::mem::replace(node, Node::new(Kind::Open, 0));
    *node = tail_calls(taken);
}
