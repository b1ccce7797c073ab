//! Builtins on texts.

use std::sync::Arc;

use super::arguments::{NOTHING, any, array, count, given_text, made, number as number_at, text};
use crate::{
    budget::Budget,
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::{
        Value,
        array::OUTER,
        number,
        text::{Sink, write},
    },
};

/// A value as `$string` writes it.
pub(crate) fn text_of(value: &Value, pretty: bool, budget: &mut Budget) -> Outcome<Arc<str>> {
    let value = match value {
        Value::String(text) => return Ok(text.clone()),
        Value::Function(_) => return Ok(Arc::from("")),
        Value::Number(number) if !number.is_finite() => {
            return Err(Fault::new("D3001").value(Some(value.clone())));
        }
        Value::Array(array) if array.is(OUTER) => array.first().unwrap_or(value),
        other => other,
    };
    let mut sink = Paid { text: String::new(), pretty, budget };
    write(value, &mut sink)?;
    Ok(Arc::from(sink.text))
}

/// JSON text that is paid for as it grows.
struct Paid<'b> {
    text: String,
    pretty: bool,
    budget: &'b mut Budget,
}

impl Sink for Paid<'_> {
    type Error = Fault;

    fn grow(&mut self, more: usize) -> Outcome<()> {
        // Twice: once here, once when it becomes a value.
        self.budget.alloc(more * 2)?;
        self.budget.step(1)
    }

    fn out(&mut self) -> &mut String {
        &mut self.text
    }

    fn number(&mut self, number: f64) -> Outcome<String> {
        if number.is_infinite() {
            return Err(Fault::new("D1001").value(Some(Value::Number(number))));
        }
        if number.is_nan() {
            return Ok("null".to_owned());
        }
        Ok(number::to_text(number::fifteen_digits(number)))
    }

    fn function(&mut self) -> Outcome<Option<&'static str>> {
        Ok(Some("\"\""))
    }

    fn indent(&self) -> usize {
        if self.pretty { 2 } else { 0 }
    }
}

pub(super) fn string(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    let pretty = matches!(any(arguments, 1), Some(Value::Bool(true)));
    text_of(value, pretty, evaluator.budget).map(|text| Some(Value::String(text)))
}

pub(super) fn length(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.scan(text.len())?;
    Ok(Some(count(text.chars().count())))
}

pub(super) fn substring(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let mut start = number_at(arguments, 1)?.unwrap_or(0.0);
    let length = number_at(arguments, 2)?;
    evaluator.budget.scan(text.len())?;
    let chars = text.chars().count();
    #[expect(clippy::cast_precision_loss, reason = "texts are shorter than 2^53")]
    let total = chars as f64;
    if total + start < 0.0 {
        start = 0.0;
    }
    let end = match length {
        Some(length) if length <= 0.0 => return Ok(Some(Value::from(""))),
        Some(length) if start >= 0.0 => start + length,
        Some(length) => total + start + length,
        None => total,
    };
    let (start, end) = (place(start, total), place(end, total));
    let part: String = text.chars().skip(start).take(end.saturating_sub(start)).collect();
    made(part, evaluator)
}

/// Where a number points to in a list, as JavaScript's `slice` has it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the list")]
fn place(at: f64, total: f64) -> usize {
    let at = if at.is_nan() { 0.0 } else { at.trunc() };
    let at = if at < 0.0 { (total + at).max(0.0) } else { at.min(total) };
    at as usize
}

pub(super) fn substring_before(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let chars = separator(arguments)?;
    evaluator.budget.scan(text.len())?;
    match text.find(&*chars) {
        Some(at) => made(text[..at].to_owned(), evaluator),
        None => Ok(Some(Value::String(text.clone()))),
    }
}

pub(super) fn substring_after(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let chars = separator(arguments)?;
    evaluator.budget.scan(text.len())?;
    match text.find(&*chars) {
        Some(at) => made(text[at + chars.len()..].to_owned(), evaluator),
        None => Ok(Some(Value::String(text.clone()))),
    }
}

/// What to look for; JavaScript looks for the word `undefined` when given nothing.
fn separator(arguments: &Arguments) -> Outcome<Arc<str>> {
    Ok(text(arguments, 1)?.cloned().unwrap_or_else(|| Arc::from("undefined")))
}

pub(super) fn lowercase(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len() * 3)?;
    made(text.to_lowercase(), evaluator)
}

pub(super) fn uppercase(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len() * 3)?;
    made(text.to_uppercase(), evaluator)
}

/// Runs of white space become one space, those at the ends nothing.
pub(super) fn trim(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len())?;
    let mut out = String::with_capacity(text.len());
    for word in text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    made(out, evaluator)
}

/// The most items JavaScript lets an array have.
const LONGEST_ARRAY: f64 = 4_294_967_295.0;

pub(super) fn pad(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let width = number_at(arguments, 1)?.unwrap_or(f64::NAN);
    let filler = super::arguments::text(arguments, 2)?.filter(|filler| !filler.is_empty());
    let filler = filler.map_or(" ", |filler| &**filler);
    evaluator.budget.scan(text.len())?;
    #[expect(clippy::cast_precision_loss, reason = "texts are shorter than 2^53")]
    let missing = width.abs() - text.chars().count() as f64;
    if missing.is_nan() || missing <= 0.0 {
        return Ok(Some(Value::String(text.clone())));
    }
    if missing.fract() != 0.0 || missing + 1.0 > LONGEST_ARRAY {
        return Err(Fault::said("RangeError", "Invalid array length"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let missing = missing as usize;
    evaluator.budget.alloc(missing.saturating_mul(4).saturating_add(text.len()))?;
    evaluator.budget.step(missing / 8)?;
    let padding: String = filler.chars().cycle().take(missing).collect();
    let padded = if width > 0.0 { format!("{text}{padding}") } else { format!("{padding}{text}") };
    made(padded, evaluator)
}

pub(super) fn join(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(parts) = array(arguments, 0)? else { return NOTHING };
    let separator = match any(arguments, 1) {
        None => "",
        Some(_) => given_text(arguments, 1)?,
    };
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        let part = part.as_str().unwrap_or_default();
        evaluator.budget.step(1)?;
        evaluator.budget.alloc((part.len() + separator.len()) * 2)?;
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(part);
    }
    made(out, evaluator)
}
