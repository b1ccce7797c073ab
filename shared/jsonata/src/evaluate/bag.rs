//! Building arrays under the budget, and small things every part of evaluation needs.

use super::too_deep;
use crate::{
    budget::Budget,
    error::{Fault, Outcome},
    value::{Array, DEEPEST, Value, array::SEQUENCE, deep},
};

const ITEM: usize = std::mem::size_of::<Value>();
/// What an array costs besides its items.
const ARRAY: usize = 64;

/// Items being gathered; memory is paid for as it grows.
#[derive(Default)]
pub(crate) struct Bag {
    items: Vec<Value>,
}

impl Bag {
    /// An empty bag with room for so many items.
    pub(crate) fn with_room(room: usize, budget: &mut Budget) -> Outcome<Self> {
        budget.alloc(room.saturating_mul(ITEM))?;
        Ok(Self { items: Vec::with_capacity(room) })
    }

    pub(crate) fn push(&mut self, item: Value, budget: &mut Budget) -> Outcome<()> {
        if self.items.len() == self.items.capacity() {
            self.grow(self.items.len().max(2) * 2, budget)?;
        }
        self.items.push(item);
        Ok(())
    }

    pub(crate) fn extend(&mut self, items: &[Value], budget: &mut Budget) -> Outcome<()> {
        budget.step(items.len() / 8)?;
        let needed = self.items.len() + items.len();
        if needed > self.items.capacity() {
            self.grow(needed.max(self.items.len() * 2), budget)?;
        }
        self.items.extend_from_slice(items);
        Ok(())
    }

    fn grow(&mut self, room: usize, budget: &mut Budget) -> Outcome<()> {
        budget.alloc(room.saturating_mul(ITEM))?;
        self.items.reserve_exact(room - self.items.len());
        Ok(())
    }

    /// Pushes an item, or the items of an array that is not to be kept whole.
    pub(crate) fn flatten(&mut self, item: Value, budget: &mut Budget) -> Outcome<()> {
        match item {
            Value::Array(array) if !array.is(crate::value::array::CONS) => {
                self.extend(&array, budget)
            }
            other => self.push(other, budget),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn items(&self) -> &[Value] {
        &self.items
    }

    pub(crate) fn finish(self, marks: u8, budget: &mut Budget) -> Outcome<Array> {
        budget.alloc(ARRAY)?;
        let array = Array::marked(self.items, marks);
        if array.depth() > DEEPEST { Err(too_deep()) } else { Ok(array) }
    }

    pub(crate) fn sequence(self, budget: &mut Budget) -> Outcome<Value> {
        self.finish(SEQUENCE, budget).map(Value::Array)
    }

    pub(crate) fn array(self, budget: &mut Budget) -> Outcome<Value> {
        self.finish(0, budget).map(Value::Array)
    }
}

/// Both as one array; nothing adds nothing.
pub(crate) fn append(
    left: Option<Value>,
    right: Option<Value>,
    budget: &mut Budget,
) -> Outcome<Option<Value>> {
    let (left, right) = match (left, right) {
        (None, other) | (other, None) => return Ok(other),
        (Some(left), Some(right)) => (left, right),
    };
    let mut bag = Bag::default();
    for side in [left, right] {
        match side {
            Value::Array(array) => bag.extend(&array, budget)?,
            item => bag.push(item, budget)?,
        }
    }
    bag.array(budget).map(Some)
}

/// The effective truth of a value, as `$boolean` has it; nothing is false.
pub(crate) fn truth(value: Option<&Value>, budget: &mut Budget) -> Outcome<bool> {
    match value {
        None => Ok(false),
        Some(Value::Bool(truth)) => Ok(*truth),
        Some(value) => deep(value.depth(), || truth_of(value, budget)),
    }
}

fn truth_of(value: &Value, budget: &mut Budget) -> Outcome<bool> {
    Ok(match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => finite(*number)? && *number != 0.0,
        Value::String(text) => !text.is_empty(),
        Value::Array(array) => {
            // Every item is looked at, though one would do: one of them may be infinite.
            let mut any = false;
            for item in array.iter() {
                budget.step(1)?;
                any |= truth_of(item, budget)?;
            }
            any
        }
        Value::Object(object) => !object.is_empty(),
        Value::Function(function) => !function.native,
    })
}

/// Whether it is a number to reckon with; infinities are refused.
pub(crate) fn finite(number: f64) -> Outcome<bool> {
    if number.is_infinite() {
        return Err(Fault::new("D1001").value(Some(Value::Number(number))));
    }
    Ok(!number.is_nan())
}
