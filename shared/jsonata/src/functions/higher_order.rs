//! Builtins that call functions.

use super::arguments::{NOTHING, any, array, count, function, object};
use crate::{
    error::{Fault, Outcome},
    evaluate::{Bag, Evaluator, checked, truth},
    parse::signature::Arguments,
    value::{Array, Function, Value, object::Builder},
};

/// Calls a function with an item, and with its place and the whole if it takes them.
struct Caller<'f> {
    function: &'f Function,
    arity: usize,
}

impl<'f> Caller<'f> {
    fn new(function: &'f Function, evaluator: &Evaluator<'_>) -> Self {
        Self { function, arity: evaluator.arity(function) }
    }

    fn call(
        &self,
        item: &Value,
        place: impl FnOnce() -> Value,
        whole: impl FnOnce() -> Value,
        evaluator: &mut Evaluator<'_>,
    ) -> Outcome<Option<Value>> {
        let mut arguments = Arguments::new();
        arguments.push(Some(item.clone()));
        if self.arity >= 2 {
            arguments.push(Some(place()));
        }
        if self.arity >= 3 {
            arguments.push(Some(whole()));
        }
        evaluator.budget.step(1)?;
        evaluator.apply(self.function, arguments, None)
    }

    fn on_array(
        &self,
        array: &Array,
        at: usize,
        evaluator: &mut Evaluator<'_>,
    ) -> Outcome<Option<Value>> {
        self.call(&array[at], || count(at), || Value::Array(array.clone()), evaluator)
    }
}

pub(super) fn map(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    let caller = Caller::new(function(arguments, 1)?, evaluator);
    let mut results = Bag::with_room(array.len(), evaluator.budget)?;
    for at in 0..array.len() {
        if let Some(result) = caller.on_array(&array, at, evaluator)? {
            results.push(result, evaluator.budget)?;
        }
    }
    results.sequence(evaluator.budget).map(Some)
}

pub(super) fn filter(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    let caller = Caller::new(function(arguments, 1)?, evaluator);
    let mut kept = Bag::default();
    for at in 0..array.len() {
        let result = caller.on_array(&array, at, evaluator)?;
        if truth(result.as_ref(), evaluator.budget)? {
            kept.push(array[at].clone(), evaluator.budget)?;
        }
    }
    kept.sequence(evaluator.budget).map(Some)
}

pub(super) fn single(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    let caller = match any(arguments, 1) {
        Some(_) => Some(Caller::new(function(arguments, 1)?, evaluator)),
        None => None,
    };
    let mut found: Option<Value> = None;
    for at in 0..array.len() {
        let fits = match &caller {
            Some(caller) => {
                let result = caller.on_array(&array, at, evaluator)?;
                truth(result.as_ref(), evaluator.budget)?
            }
            None => true,
        };
        if fits && found.replace(array[at].clone()).is_some() {
            return Err(Fault::new("D3138").index(at));
        }
    }
    found.map(Some).ok_or_else(|| Fault::new("D3139"))
}

pub(super) fn reduce(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    let function = function(arguments, 1)?;
    let arity = evaluator.arity(function);
    if arity < 2 {
        return Err(Fault::new("D3050").index(1));
    }
    let initial = any(arguments, 2).cloned();
    let from = usize::from(initial.is_none() && !array.is_empty());
    let mut result = initial.or_else(|| array.first().cloned());
    for at in from..array.len() {
        let mut call = Arguments::from_iter([result, Some(array[at].clone())]);
        if arity >= 3 {
            call.push(Some(count(at)));
        }
        if arity >= 4 {
            call.push(Some(Value::Array(array.clone())));
        }
        evaluator.budget.step(1)?;
        result = evaluator.apply(function, call, None)?;
    }
    Ok(result)
}

pub(super) fn each(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let caller = Caller::new(function(arguments, 1)?, evaluator);
    let mut results = Bag::default();
    if let Some(object) = object(arguments, 0)? {
        for (key, value) in object.iter() {
            let key = || Value::String(key.clone());
            let whole = || Value::Object(object.clone());
            if let Some(result) = caller.call(value, key, whole, evaluator)? {
                results.push(result, evaluator.budget)?;
            }
        }
    }
    results.sequence(evaluator.budget).map(Some)
}

pub(super) fn sift(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(object) = object(arguments, 0)? else { return NOTHING };
    if object.is_empty() {
        return NOTHING;
    }
    let caller = Caller::new(function(arguments, 1)?, evaluator);
    let mut kept = Builder::default();
    for (key, value) in object.iter() {
        let place = || Value::String(key.clone());
        let whole = || Value::Object(object.clone());
        let result = caller.call(value, place, whole, evaluator)?;
        if truth(result.as_ref(), evaluator.budget)? {
            evaluator.budget.alloc(64)?;
            kept.put(key.clone(), value.clone());
        }
    }
    let kept = kept.finish();
    if kept.is_empty() { NOTHING } else { checked(Value::Object(kept)).map(Some) }
}
