//! JSONata expressions in a definition: the only file that speaks with `mano-jsonata`.

use std::sync::Arc;

use serde_json::Value;

use crate::{doc::Doc, env::Env, fault::Fault};

/// A JSON value as JSONata holds it.
#[derive(Debug, Clone)]
pub(crate) struct Shared;

impl From<&Value> for Shared {
    fn from(_: &Value) -> Self {
        Self
    }
}

/// An expression, ready to be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    source: Arc<str>,
    field: Arc<str>,
}

impl Expression {
    /// The text between `{%` and `%}`, if those enclose the whole string.
    pub(crate) fn inside(text: &str) -> Option<&str> {
        let inner = text.strip_prefix("{%")?.strip_suffix("%}")?;
        Some(inner.trim())
    }

    /// Reads an expression; `field` is where it stands, such as `Output/total`.
    pub(crate) fn parse(source: &str, field: &str) -> Result<Self, String> {
        Ok(Self { source: Arc::from(source), field: Arc::from(field) })
    }

    /// Evaluates to a JSON value.
    pub(crate) fn value(&self, env: &Env<'_>) -> Result<Value, Fault> {
        let _ = (env, Doc::shared);
        Err(Fault::evaluation(Some(self.field.to_string()), self.source.to_string()))
    }

    /// The fault of a result of the wrong type.
    pub(crate) fn unexpected(&self, expected: &str, value: &Value) -> Fault {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        self.fault(format!(
            "returned an unexpected result type. Expected '{expected}', but was '{kind}' for \
             value: {value}"
        ))
    }

    fn fault(&self, what: String) -> Fault {
        Fault::evaluation(
            Some(self.field.to_string()),
            format!(
                "The JSONata expression '{}' specified for the field '{}' {what}",
                self.source, self.field
            ),
        )
    }
}
