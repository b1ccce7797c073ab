//! What is tried with one expression and its input, and what must hold whatever they are.

#[path = "../tests/host/fixed.rs"]
mod fixed;

use fixed::Fixed;
use mano_jsonata::{Bindings, Budget, Error, Expression, Value};

/// What an expression may spend: that of the hostile ones.
pub(crate) const STEPS: u64 = 400_000;
/// Bytes beside those of the expression and its input.
pub(crate) const BYTES: u64 = 48 << 20;
/// Most bytes of a sentence: the crate's limit, and the ellipsis.
const MAX_SENTENCE: usize = (32 << 10) + 8;
/// Longest result that is written out.
const MAX_TEXT: usize = 1 << 20;

/// An expression (all lines but the last) meets a value (the last one): as `$`, as `$states.input`,
/// and twice, for nothing may depend on what was before.
pub(crate) fn expression(text: &str) {
    let (source, input) = text.rsplit_once('\n').unwrap_or((text, "null"));
    let input = Value::from_json_text(input).unwrap_or(Value::Null);
    let expression = match Expression::parse(source) {
        Ok(expression) => expression,
        Err(error) => return judge(&error, source),
    };
    let empty = Bindings::new();
    let first = evaluate(&expression, Some(&input), &empty);
    let again = evaluate(&expression, Some(&input), &empty);
    assert_eq!(first, again, "the same evaluation went two ways: {source}");
    if let (Err(error), _) = &first {
        judge(error, source);
    }
    let states = Value::from_json_text(r#"{"context":{"Execution":{"Name":"n"}}}"#);
    let states = states.unwrap_or(Value::Null);
    let bound = Bindings::new().with("states", states).with("input", input);
    if let (Err(error), _) = evaluate(&expression, None, &bound) {
        judge(&error, source);
    }
}

type Evaluated = (Result<Option<String>, Error>, (u64, u64));

/// The result as JSON text, where it is JSON, and what is left of the budget.
fn evaluate(expression: &Expression, input: Option<&Value>, bindings: &Bindings) -> Evaluated {
    let mut budget = Budget::new(STEPS, BYTES);
    let result = expression.evaluate(input, bindings, &Fixed, &mut budget);
    let text = result.map(|value| {
        let text = value.as_ref().and_then(|value| value.to_json_text(MAX_TEXT).ok());
        if let Some(read) = text.as_deref().and_then(|text| Value::from_json_text(text).ok()) {
            assert_eq!(read.to_json_text(MAX_TEXT).ok(), text);
        }
        text
    });
    (text, budget.remaining())
}

/// An error has a code and one sentence of bounded size.
fn judge(error: &Error, source: &str) {
    assert!(!error.code.is_empty(), "no code: {source}");
    assert!(!error.message.is_empty(), "no sentence: {source}");
    assert!(error.message.len() <= MAX_SENTENCE, "{} bytes: {source}", error.message.len());
    assert!(error.position.is_none_or(|at| at <= source.len() + 1), "{error:?}: {source}");
}
