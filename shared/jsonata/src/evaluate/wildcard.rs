//! `*` and `**`.

use super::{Bag, Evaluator};
use crate::{
    error::Outcome,
    value::{
        Value,
        array::{OUTER, SEQUENCE},
        deep,
    },
};

impl Evaluator<'_> {
    /// All members of an object, all items of an array; arrays among them are flattened.
    pub(super) fn wildcard(&mut self, input: Option<&Value>) -> Outcome<Option<Value>> {
        let input = match input {
            Some(Value::Array(array)) if array.is(OUTER) => array.first(),
            other => other,
        };
        let mut bag = Bag::default();
        let mut marks = SEQUENCE;
        match input {
            Some(Value::Object(object)) => {
                for (_, value) in object.iter() {
                    self.member(value, &mut bag, &mut marks)?;
                }
            }
            Some(Value::Array(array)) => {
                for value in array.iter() {
                    self.member(value, &mut bag, &mut marks)?;
                }
            }
            _ => {}
        }
        bag.finish(marks, self.budget).map(|array| Some(Value::Array(array)))
    }

    fn member(&mut self, value: &Value, bag: &mut Bag, marks: &mut u8) -> Outcome<()> {
        self.budget.step(1)?;
        if matches!(value, Value::Array(_)) {
            // Appending an array makes a plain array of the sequence.
            *marks = 0;
        }
        deep(value.depth(), || self.flatten(value, bag))
    }

    fn flatten(&mut self, value: &Value, bag: &mut Bag) -> Outcome<()> {
        self.budget.step(1)?;
        let Value::Array(array) = value else { return bag.push(value.clone(), self.budget) };
        array.iter().try_for_each(|item| self.flatten(item, bag))
    }

    /// The input and everything below it; arrays themselves are left out.
    pub(super) fn descendants(&mut self, input: Option<&Value>) -> Outcome<Option<Value>> {
        let Some(input) = input else { return Ok(None) };
        let mut bag = Bag::default();
        deep(input.depth(), || self.descend(input, &mut bag))?;
        if let [single] = bag.items() {
            return Ok(Some(single.clone()));
        }
        bag.sequence(self.budget).map(Some)
    }

    fn descend(&mut self, value: &Value, bag: &mut Bag) -> Outcome<()> {
        self.budget.step(1)?;
        match value {
            Value::Array(array) => array.iter().try_for_each(|item| self.descend(item, bag)),
            Value::Object(object) => {
                bag.push(value.clone(), self.budget)?;
                object.iter().try_for_each(|(_, member)| self.descend(member, bag))
            }
            plain => bag.push(plain.clone(), self.budget),
        }
    }
}
