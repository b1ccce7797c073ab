//! Equality and order of values.

use std::cmp::Ordering;

use super::{Array, Object, Value, deep};
use crate::{budget::Budget, error::Outcome};

/// Deep equality, a step for each pair looked at.
pub(crate) fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<bool> {
    let depth = left.depth().min(right.depth());
    deep(depth, || pair(left, right, &mut |count| budget.step(count)))
}

/// Deep equality for callers outside an evaluation, who bring no budget.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    let depth = left.depth().min(right.depth());
    if depth > DEEPEST_COMPARED {
        return identical(left, right);
    }
    let mut left_over = MOST_PAIRS;
    let mut spend = |count: usize| {
        left_over = left_over.checked_sub(count).ok_or(())?;
        Ok::<(), ()>(())
    };
    deep(depth, || pair(left, right, &mut spend)).unwrap_or(false)
}

/// Bounds for comparisons without a budget: beyond them values count as different.
const DEEPEST_COMPARED: u32 = 20_000;
const MOST_PAIRS: usize = 1 << 28;

type Spend<'s, E> = &'s mut dyn FnMut(usize) -> Result<(), E>;

fn pair<E>(left: &Value, right: &Value, spend: Spend<'_, E>) -> Result<bool, E> {
    spend(1)?;
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            spend(left.len().min(right.len()) / 32)?;
            Ok(left == right)
        }
        (Value::Array(left), Value::Array(right)) => items(left, right, spend),
        (Value::Object(left), Value::Object(right)) => members(left, right, spend),
        _ => Ok(identical(left, right)),
    }
}

fn items<E>(left: &Array, right: &Array, spend: Spend<'_, E>) -> Result<bool, E> {
    if left.is_same(right) {
        return Ok(true);
    }
    if left.len() != right.len() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right.iter()) {
        if !pair(left, right, spend)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn members<E>(left: &Object, right: &Object, spend: Spend<'_, E>) -> Result<bool, E> {
    if left.is_same(right) {
        return Ok(true);
    }
    if left.len() != right.len() {
        return Ok(false);
    }
    for (key, value) in left.iter() {
        spend(1 + right.len().min(12) / 4)?;
        match right.get(key) {
            Some(other) if pair(value, other, spend)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Equality of plain values, identity of containers and functions (`===`).
pub(crate) fn identical(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Number(left), Value::Number(right)) => left == right,
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Array(left), Value::Array(right)) => left.is_same(right),
        (Value::Object(left), Value::Object(right)) => left.is_same(right),
        (Value::Function(left), Value::Function(right)) => left.is_same(right),
        _ => false,
    }
}

/// Order of texts by UTF-16 units, as JavaScript compares them.
pub(crate) fn texts(left: &str, right: &str) -> Ordering {
    let (mut left_chars, mut right_chars) = (left.chars(), right.chars());
    loop {
        match (left_chars.next(), right_chars.next()) {
            (Some(left), Some(right)) if left == right => {}
            (Some(left), Some(right)) => {
                return first_unit(left).cmp(&first_unit(right)).then(left.cmp(&right));
            }
            (left, right) => return left.is_some().cmp(&right.is_some()),
        }
    }
}

fn first_unit(char: char) -> u16 {
    char.encode_utf16(&mut [0; 2])[0]
}
