//! Taking arguments apart; signatures have checked them unless the builtin was applied in part.

use std::sync::Arc;

use crate::{
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::{Array, Function, Object, Value},
};

/// The result of a builtin that was given nothing.
pub(crate) const NOTHING: Outcome<Option<Value>> = Ok(None);

fn unfit(wanted: &str, value: &Value) -> Fault {
    Fault::type_error(&format!("The function expected {wanted}, not {}", value.type_name()))
}

/// The argument at that place.
pub(crate) fn any(arguments: &Arguments, at: usize) -> Option<&Value> {
    arguments.get(at).and_then(Option::as_ref)
}

pub(crate) fn text(arguments: &Arguments, at: usize) -> Outcome<Option<&Arc<str>>> {
    match any(arguments, at) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(unfit("a string", other)),
    }
}

/// A text that must be there.
pub(crate) fn given_text(arguments: &Arguments, at: usize) -> Outcome<&Arc<str>> {
    text(arguments, at)?.ok_or_else(|| missing("a string"))
}

pub(crate) fn number(arguments: &Arguments, at: usize) -> Outcome<Option<f64>> {
    match any(arguments, at) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(*number)),
        Some(other) => Err(unfit("a number", other)),
    }
}

pub(crate) fn array(arguments: &Arguments, at: usize) -> Outcome<Option<Array>> {
    match any(arguments, at) {
        None => Ok(None),
        Some(Value::Array(array)) => Ok(Some(array.clone())),
        Some(other) => Err(unfit("an array", other)),
    }
}

pub(crate) fn object(arguments: &Arguments, at: usize) -> Outcome<Option<Object>> {
    match any(arguments, at) {
        None => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object.clone())),
        Some(other) => Err(unfit("an object", other)),
    }
}

pub(crate) fn function(arguments: &Arguments, at: usize) -> Outcome<&Function> {
    match any(arguments, at) {
        Some(Value::Function(function)) => Ok(function),
        Some(other) => Err(unfit("a function", other)),
        None => Err(missing("a function")),
    }
}

pub(crate) fn missing(wanted: &str) -> Fault {
    Fault::type_error(&format!("The function expected {wanted}, but was given nothing"))
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "nothing in memory counts up to 2^53")]
pub(crate) fn count(count: usize) -> Value {
    Value::Number(count as f64)
}

/// A new text, paid for.
pub(crate) fn made(text: String, evaluator: &mut Evaluator<'_>) -> Outcome<Option<Value>> {
    evaluator.budget.alloc(text.len() + 32)?;
    Ok(Some(Value::from(text)))
}
