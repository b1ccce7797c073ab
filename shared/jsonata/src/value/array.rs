//! Arrays, and the marks by which the language tells sequences from arrays.

use std::{ops::Deref, sync::Arc};

use super::{DROP_DEPTH, Value, drop_deep};

/// An array; cloning it shares the items. It derefs to a slice.
#[derive(Clone)]
pub struct Array {
    data: Arc<Items>,
    marks: u8,
}

struct Items {
    items: Vec<Value>,
    depth: u32,
}

/// The result of a path: unwrapped when it holds one item, nothing when it holds none.
pub(crate) const SEQUENCE: u8 = 1;
/// A sequence that stays an array even with one item (`[]` in the expression).
pub(crate) const KEEP: u8 = 2;
/// Built by an array constructor within a path: not flattened into it.
pub(crate) const CONS: u8 = 4;
/// The input, when it is itself an array.
pub(crate) const OUTER: u8 = 8;
/// The items are bindings of a join, not values.
pub(crate) const TUPLES: u8 = 16;

impl Array {
    pub(crate) fn marked(items: Vec<Value>, marks: u8) -> Self {
        let depth = 1 + items.iter().map(Value::depth).max().unwrap_or(0);
        Self { data: Arc::new(Items { items, depth }), marks }
    }

    /// The items.
    pub fn items(&self) -> &[Value] {
        &self.data.items
    }

    pub(crate) fn is(&self, mark: u8) -> bool {
        self.marks & mark != 0
    }

    pub(crate) fn marks(&self) -> u8 {
        self.marks
    }

    pub(crate) fn with_marks(mut self, marks: u8) -> Self {
        self.marks = marks;
        self
    }

    pub(crate) fn depth(&self) -> u32 {
        self.data.depth
    }

    /// Whether both are the same array, not merely equal ones.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
    }

    pub(crate) fn dismantle(mut self, waiting: &mut Vec<Value>) {
        if let Some(data) = Arc::get_mut(&mut self.data) {
            waiting.append(&mut data.items);
        }
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        if self.depth > DROP_DEPTH {
            drop_deep(std::mem::take(&mut self.items));
        }
    }
}

impl Deref for Array {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        self.items()
    }
}

impl From<Vec<Value>> for Array {
    fn from(items: Vec<Value>) -> Self {
        Self::marked(items, 0)
    }
}
