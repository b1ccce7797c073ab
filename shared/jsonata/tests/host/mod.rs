//! Evaluates expressions with a host that always answers the same.

mod fixed;

pub(crate) use fixed::Fixed;

use mano_jsonata::{Bindings, Budget, Error, Expression, Value};

/// Reads and evaluates an expression.
pub(crate) fn evaluate(
    source: &str,
    input: Option<&Value>,
    bindings: &Bindings,
    budget: &mut Budget,
) -> Result<Option<Value>, Error> {
    Expression::parse(source)?.evaluate(input, bindings, &Fixed, budget)
}
