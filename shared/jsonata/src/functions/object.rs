//! Builtins on objects, and on values of any kind.

use std::sync::Arc;

use super::{
    arguments::{NOTHING, any, array, text},
    string::text_of,
};
use crate::{
    budget::Budget,
    error::{Fault, Outcome},
    evaluate::{Bag, Evaluator, checked, finite, truth},
    parse::signature::Arguments,
    value::{Array, Object, Value, deep, object::Builder},
};

pub(super) fn boolean(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    truth(Some(value), evaluator.budget).map(|truth| Some(Value::Bool(truth)))
}

pub(super) fn not(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    truth(Some(value), evaluator.budget).map(|truth| Some(Value::Bool(!truth)))
}

pub(super) fn exists(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    Ok(Some(Value::Bool(any(arguments, 0).is_some())))
}

pub(super) fn type_name(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    let name = match value {
        // What is not a number is an object, says JavaScript.
        Value::Number(number) if !finite(*number)? => "object",
        other => other.type_name(),
    };
    Ok(Some(Value::from(name)))
}

pub(super) fn keys(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let mut keys = Builder::default();
    if let Some(value) = any(arguments, 0) {
        deep(value.depth(), || gather_keys(value, &mut keys, evaluator.budget))?;
    }
    let mut bag = Bag::default();
    for (key, _) in keys.finish().iter() {
        bag.push(Value::String(key.clone()), evaluator.budget)?;
    }
    bag.sequence(evaluator.budget).map(Some)
}

fn gather_keys(value: &Value, keys: &mut Builder, budget: &mut Budget) -> Outcome<()> {
    match value {
        Value::Array(array) => array.iter().try_for_each(|item| {
            budget.step(1)?;
            gather_keys(item, keys, budget)
        }),
        Value::Object(object) => object.iter().try_for_each(|(key, _)| {
            budget.step(1)?;
            budget.alloc(64)?;
            keys.put(key.clone(), Value::Null);
            Ok(())
        }),
        _ => Ok(()),
    }
}

pub(super) fn lookup(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    let Some(key) = text(arguments, 1)? else { return NOTHING };
    deep(value.depth(), || find(value, key, evaluator))
}

fn find(value: &Value, key: &str, evaluator: &mut Evaluator<'_>) -> Outcome<Option<Value>> {
    evaluator.budget.step(1)?;
    match value {
        Value::Object(object) => Ok(object.get(key).cloned()),
        Value::Array(array) => {
            let mut bag = Bag::default();
            for item in array.iter() {
                match find(item, key, evaluator)? {
                    None => {}
                    Some(Value::Array(found)) => bag.extend(&found, evaluator.budget)?,
                    Some(found) => bag.push(found, evaluator.budget)?,
                }
            }
            bag.sequence(evaluator.budget).map(Some)
        }
        _ => Ok(None),
    }
}

pub(super) fn spread(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    match value {
        Value::Array(array) if !array.is_empty() => {
            let mut bag = Bag::default();
            let depth = value.depth();
            deep(depth, || spread_into(value, &mut bag, evaluator.budget))?;
            // Joining sequences makes a plain array.
            bag.array(evaluator.budget).map(Some)
        }
        Value::Object(_) | Value::Array(_) => {
            let mut bag = Bag::default();
            spread_into(value, &mut bag, evaluator.budget)?;
            bag.sequence(evaluator.budget).map(Some)
        }
        other => Ok(Some(other.clone())),
    }
}

fn spread_into(value: &Value, bag: &mut Bag, budget: &mut Budget) -> Outcome<()> {
    budget.step(1)?;
    match value {
        Value::Array(array) => array.iter().try_for_each(|item| spread_into(item, bag, budget)),
        Value::Object(object) => object.iter().try_for_each(|(key, member)| {
            budget.step(1)?;
            budget.alloc(160)?;
            bag.push([(key.clone(), member.clone())].into_iter().collect(), budget)
        }),
        other => bag.push(other.clone(), budget),
    }
}

pub(super) fn merge(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    let mut builder = Builder::default();
    for object in array.iter().filter_map(Value::as_object) {
        evaluator.budget.step(1 + object.len())?;
        evaluator.budget.alloc(object.len() * 80)?;
        for (key, value) in object.iter() {
            builder.put(key.clone(), value.clone());
        }
    }
    checked(Value::Object(builder.finish())).map(Some)
}

pub(super) fn error(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    Err(Fault::said("D3137", message(arguments, 0, "$error() function evaluated")?))
}

pub(super) fn assert(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    if matches!(any(arguments, 0), Some(Value::Bool(true))) {
        return NOTHING;
    }
    Err(Fault::said("D3141", message(arguments, 1, "$assert() statement failed")?))
}

fn message<'a>(arguments: &'a Arguments, at: usize, default: &'a str) -> Outcome<&'a str> {
    let given = text(arguments, at)?.filter(|text| !text.is_empty());
    Ok(given.map_or(default, |text| &**text))
}

/// A copy through JSON text: numbers are rounded as there, functions become empty texts.
pub(super) fn clone(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    let value = match value {
        Value::Array(array) if array.is(crate::value::array::OUTER) => {
            array.first().unwrap_or(value)
        }
        other => other,
    };
    deep(value.depth(), || copy(value, evaluator.budget)).map(Some)
}

fn copy(value: &Value, budget: &mut Budget) -> Outcome<Value> {
    budget.step(1)?;
    Ok(match value {
        Value::Array(array) => copy_array(array, budget)?,
        Value::Object(object) => copy_object(object, budget)?,
        Value::Number(number) if number.is_nan() => Value::Null,
        Value::Number(number) => {
            if number.is_infinite() {
                return Err(Fault::new("D1001").value(Some(value.clone())));
            }
            Value::Number(crate::value::number::fifteen_digits(*number))
        }
        Value::Function(_) => Value::String(text_of(value, false, budget)?),
        plain => plain.clone(),
    })
}

fn copy_array(array: &Array, budget: &mut Budget) -> Outcome<Value> {
    let mut bag = Bag::with_room(array.len(), budget)?;
    for item in array.iter() {
        let item = copy(item, budget)?;
        bag.push(item, budget)?;
    }
    bag.array(budget)
}

fn copy_object(object: &Object, budget: &mut Budget) -> Outcome<Value> {
    budget.alloc(64 + object.len() * 48)?;
    let mut members: Vec<(Arc<str>, Value)> = Vec::with_capacity(object.len());
    for (key, member) in object.iter() {
        members.push((key.clone(), copy(member, budget)?));
    }
    Ok(members.into_iter().collect())
}
