//! Builtins on arrays.

use std::{collections::HashSet, sync::Arc};

use smallvec::smallvec;

use super::arguments::{NOTHING, any, array, count as counted, function};
use crate::{
    error::{Fault, Outcome},
    evaluate::{self, Bag, Evaluator},
    parse::signature::Arguments,
    value::{
        Value,
        array::{OUTER, SEQUENCE},
        compare,
    },
};

pub(super) fn count(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    Ok(Some(counted(array(arguments, 0)?.map_or(0, |array| array.len()))))
}

pub(super) fn append(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let (left, right) = (any(arguments, 0).cloned(), any(arguments, 1).cloned());
    evaluate::append(left, right, evaluator.budget)
}

pub(super) fn reverse(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    if array.len() <= 1 {
        return Ok(Some(Value::Array(array)));
    }
    let mut bag = Bag::with_room(array.len(), evaluator.budget)?;
    evaluator.budget.step(array.len() / 8)?;
    for item in array.iter().rev() {
        bag.push(item.clone(), evaluator.budget)?;
    }
    bag.array(evaluator.budget).map(Some)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place within the array"
)]
pub(super) fn shuffle(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    if array.len() <= 1 {
        return Ok(Some(Value::Array(array)));
    }
    evaluator.budget.alloc(array.len() * 24)?;
    evaluator.budget.step(array.len())?;
    let mut shuffled: Vec<Value> = Vec::with_capacity(array.len());
    for (at, item) in array.iter().enumerate() {
        let place = (evaluator.host.random() * (at + 1) as f64) as usize;
        shuffled.push(item.clone());
        shuffled.swap(place.min(at), at);
    }
    let mut bag = Bag::default();
    bag.extend(&shuffled, evaluator.budget)?;
    bag.array(evaluator.budget).map(Some)
}

pub(super) fn zip(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let lengths = arguments.iter().map(|argument| match argument {
        Some(Value::Array(array)) => array.len(),
        _ => 0,
    });
    let length = lengths.min().unwrap_or(0);
    let mut rows = Bag::with_room(length, evaluator.budget)?;
    for at in 0..length {
        let mut row = Bag::with_room(arguments.len(), evaluator.budget)?;
        for argument in arguments.iter().flatten() {
            if let Some(item) = argument.at(at) {
                row.push(item.clone(), evaluator.budget)?;
            }
        }
        evaluator.budget.step(1)?;
        rows.push(row.array(evaluator.budget)?, evaluator.budget)?;
    }
    rows.array(evaluator.budget).map(Some)
}

pub(super) fn sort(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    if array.len() <= 1 {
        return Ok(Some(Value::Array(array)));
    }
    let sorted = if any(arguments, 1).is_some() {
        let comparator = function(arguments, 1)?;
        evaluator.merge_sort(&array, &mut |evaluator, left, right| {
            let pair: Arguments = smallvec![Some(left.clone()), Some(right.clone())];
            let after = evaluator.apply(comparator, pair, None)?;
            Ok(after.is_some_and(|after| is_truthy(&after)))
        })?
    } else {
        check_sortable(&array)?;
        evaluator
            .merge_sort(&array, &mut |evaluator, left, right| is_greater(evaluator, left, right))?
    };
    let mut bag = Bag::default();
    bag.extend(&sorted, evaluator.budget)?;
    bag.array(evaluator.budget).map(Some)
}

/// What sorts by itself: numbers only, or texts only.
fn check_sortable(items: &[Value]) -> Outcome<()> {
    let mut numbers = true;
    let mut texts = true;
    for item in items {
        numbers &= match item {
            Value::Number(number) => evaluate::finite(*number)?,
            _ => false,
        };
        texts &= matches!(item, Value::String(_));
    }
    if numbers || texts { Ok(()) } else { Err(Fault::new("D3070").index(1)) }
}

fn is_greater(evaluator: &mut Evaluator<'_>, left: &Value, right: &Value) -> Outcome<bool> {
    Ok(match (left, right) {
        (Value::Number(left), Value::Number(right)) => left > right,
        (Value::String(left), Value::String(right)) => {
            evaluator.budget.scan(left.len().min(right.len()))?;
            compare::texts(left, right).is_gt()
        }
        _ => false,
    })
}

/// Truth as JavaScript has it: arrays and objects are true even when empty.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) | Value::Function(_) => true,
    }
}

pub(super) fn distinct(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(Value::Array(array)) = any(arguments, 0) else {
        return Ok(any(arguments, 0).cloned());
    };
    if array.len() <= 1 {
        return Ok(Some(Value::Array(array.clone())));
    }
    let mut seen = Seen::default();
    let mut kept = Bag::default();
    for item in array.iter() {
        evaluator.budget.step(1)?;
        if seen.is_new(item, evaluator)? {
            kept.push(item.clone(), evaluator.budget)?;
        }
    }
    let marks = array.marks() & SEQUENCE & !OUTER;
    kept.finish(marks, evaluator.budget).map(|kept| Some(Value::Array(kept)))
}

/// Plain values are found by hashing; containers are compared one with another.
#[derive(Default)]
struct Seen {
    numbers: HashSet<u64>,
    texts: HashSet<Arc<str>>,
    others: Vec<Value>,
}

impl Seen {
    fn is_new(&mut self, item: &Value, evaluator: &mut Evaluator<'_>) -> Outcome<bool> {
        evaluator.budget.alloc(32)?;
        match item {
            Value::Number(number) if !number.is_nan() => {
                // Both zeros are the same number.
                return Ok(self.numbers.insert((number + 0.0).to_bits()));
            }
            Value::String(text) => {
                evaluator.budget.scan(text.len())?;
                return Ok(self.texts.insert(text.clone()));
            }
            _ => {}
        }
        for other in &self.others {
            if compare::equal(item, other, evaluator.budget)? {
                return Ok(false);
            }
        }
        self.others.push(item.clone());
        Ok(true)
    }
}
