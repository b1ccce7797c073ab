//! The values of the language: JSON's, and functions; shared, never copied.

pub(crate) mod array;
pub(crate) mod compare;
pub(crate) mod function;
mod json;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod parse;
pub(crate) mod text;

use std::sync::Arc;

pub use array::Array;
pub use function::Function;
pub use json::{NotJson, TextError};
pub use object::Object;

/// A value; cloning it costs one reference.
#[derive(Clone)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as JavaScript has it.
    Number(f64),
    /// A text. Half a surrogate pair, which JavaScript can hold, is U+FFFD here.
    String(Arc<str>),
    /// An array.
    Array(Array),
    /// An object; keys that look like array indexes come first, the others as they were put in.
    Object(Object),
    /// A lambda, builtin or regular expression; it has no JSON form, and lives no longer than
    /// the evaluation that made it.
    Function(Function),
}

/// Deeper than this, values are refused by evaluation.
pub(crate) const DEEPEST: u32 = 1_000;

impl Value {
    /// What `$type` would call it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Function(_) => "function",
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The array, if it is one.
    pub fn as_array(&self) -> Option<&Array> {
        if let Self::Array(array) = self { Some(array) } else { None }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The member of that name, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// The item at that index, if this is an array that long.
    pub fn at(&self, index: usize) -> Option<&Self> {
        self.as_array()?.get(index)
    }

    /// How deep containers nest: 0 for a plain value, 1 for `[]`.
    pub fn depth(&self) -> u32 {
        match self {
            Self::Array(array) => array.depth(),
            Self::Object(object) => object.depth(),
            Self::Function(function) => function.depth(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => 0,
        }
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text::clipped(self, 4_096))
    }
}

impl PartialEq for Value {
    /// Equal as JSON; functions are equal to themselves only.
    fn eq(&self, other: &Self) -> bool {
        compare::same(self, other)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(Arc::from(text))
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::Array(Array::from(items))
    }
}

impl FromIterator<(Arc<str>, Self)> for Value {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Self)>>(members: I) -> Self {
        Self::Object(members.into_iter().collect())
    }
}

/// Runs `work` with a stack that carries the recursion over a value nested that deep.
pub(crate) fn deep<T>(depth: u32, work: impl FnOnce() -> T) -> T {
    if depth <= 8 {
        return work();
    }
    let needed = (depth.min(40_000) as usize).saturating_mul(2_048).saturating_add(65_536);
    stacker::maybe_grow(needed, needed.saturating_mul(2), work)
}

/// Containers this much nested are taken apart piece by piece when dropped.
pub(crate) const DROP_DEPTH: u32 = 16;

/// Drops values that may nest deep without recursion.
pub(crate) fn drop_deep(mut waiting: Vec<Value>) {
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(array) => array.dismantle(&mut waiting),
            Value::Object(object) => object.dismantle(&mut waiting),
            Value::Function(function) => function.dismantle(&mut waiting),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
