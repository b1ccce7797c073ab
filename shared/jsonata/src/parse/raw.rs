//! The tree as the grammar gives it, before paths are flattened.

use std::sync::Arc;

use super::{DEEPEST, signature::Signature};
use crate::{
    error::{Fault, Outcome},
    regex::Regex,
    value::Value,
};

pub(super) struct Raw {
    pub(super) kind: Kind,
    pub(super) position: u32,
    /// `[]` follows: results stay arrays.
    pub(super) keep_array: bool,
    depth: u32,
}

pub(super) enum Kind {
    /// The source ended where something was expected.
    End,
    Name(Arc<str>),
    Variable(Arc<str>),
    Text(Arc<str>),
    Number(f64),
    Word(Value),
    Regex(Arc<Regex>),
    /// `and`, `or`, `in` as names, `?` as an argument.
    Operator(&'static str),
    Wildcard,
    Descendants,
    Parent,
    Negate(Box<Raw>),
    Array(Vec<Raw>),
    Object(Vec<(Raw, Raw)>),
    Block(Vec<Raw>),
    Binary(&'static str, Box<Raw>, Box<Raw>),
    Group(Box<Raw>, Vec<(Raw, Raw)>),
    Sort(Box<Raw>, Vec<(bool, Raw)>),
    Call {
        procedure: Box<Raw>,
        arguments: Vec<Raw>,
        partial: bool,
    },
    Lambda {
        params: Vec<Arc<str>>,
        signature: Option<Signature>,
        body: Box<Raw>,
    },
    Condition(Box<Raw>, Box<Raw>, Option<Box<Raw>>),
    Transform(Box<Raw>, Box<Raw>, Option<Box<Raw>>),
}

impl Raw {
    /// A node over its children, refused where the tree gets too deep.
    pub(super) fn new(kind: Kind, position: u32) -> Outcome<Self> {
        let depth = 1 + kind.children_depth();
        if depth > DEEPEST {
            return Err(too_deep(position));
        }
        Ok(Self { kind, position, keep_array: false, depth })
    }

    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// What messages quote of this node.
    pub(super) fn token(&self) -> Option<Value> {
        Some(match &self.kind {
            Kind::End => Value::from("(end)"),
            Kind::Name(text) | Kind::Variable(text) | Kind::Text(text) => {
                Value::String(text.clone())
            }
            Kind::Number(number) => Value::Number(*number),
            Kind::Word(word) => word.clone(),
            Kind::Operator(text) | Kind::Binary(text, ..) => Value::from(*text),
            Kind::Wildcard => Value::from("*"),
            Kind::Descendants => Value::from("**"),
            Kind::Parent => Value::from("%"),
            Kind::Negate(_) => Value::from("-"),
            Kind::Array(_) => Value::from("["),
            Kind::Object(_) | Kind::Group(..) => Value::from("{"),
            Kind::Block(_) | Kind::Call { .. } | Kind::Lambda { .. } => Value::from("("),
            Kind::Sort(..) => Value::from("^"),
            Kind::Condition(..) => Value::from("?"),
            Kind::Transform(..) => Value::from("|"),
            Kind::Regex(_) => return Some(Value::Object([].into_iter().collect())),
        })
    }
}

pub(super) fn too_deep(position: u32) -> Fault {
    Fault::limit("The expression nests deeper than 1,000 levels; name its parts with := instead")
        .at(position)
}

impl Kind {
    fn children_depth(&self) -> u32 {
        let most = |nodes: &[Raw]| nodes.iter().map(Raw::depth).max().unwrap_or(0);
        let pairs = |pairs: &[(Raw, Raw)]| {
            pairs.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0)
        };
        match self {
            Self::Negate(inner) => inner.depth,
            Self::Array(items) | Self::Block(items) => most(items),
            Self::Object(members) => pairs(members),
            Self::Binary(_, left, right) => left.depth.max(right.depth),
            Self::Group(left, members) => left.depth.max(pairs(members)),
            Self::Sort(left, terms) => {
                terms.iter().map(|(_, term)| term.depth).fold(left.depth, u32::max)
            }
            Self::Call { procedure, arguments, .. } => procedure.depth.max(most(arguments)),
            Self::Lambda { body, .. } => body.depth,
            Self::Condition(first, second, third) | Self::Transform(first, second, third) => {
                let third = third.as_ref().map_or(0, |third| third.depth);
                first.depth.max(second.depth).max(third)
            }
            _ => 0,
        }
    }
}
