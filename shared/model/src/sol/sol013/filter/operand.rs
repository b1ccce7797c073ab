//! The values of a filter as the types of their attributes, and how they compare.

use super::Op;
use crate::sol::sol013::shape::Kind;
use jiff::Timestamp;
use serde_json::{Number, Value};
use std::cmp::Ordering;

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// For strings.
    Text(String),
    /// For numbers.
    Number(Number),
    /// For booleans.
    Boolean(bool),
    /// For date-times.
    DateTime(Timestamp),
    /// For attributes of unknown content: as the element's value is.
    Loose(String),
}

/// Whether an operator can be applied to what lies at the end of a path.
pub(super) fn fits(kind: Kind, op: Op) -> Result<(), &'static str> {
    let orders = matches!(op, Op::Gt | Op::Gte | Op::Lt | Op::Lte);
    let searches = matches!(op, Op::Cont | Op::Ncont);
    match kind {
        Kind::Object(_) => Err("is a structure; name one of its attributes: a/b"),
        Kind::MapOf(_) => Err("is a map; add a key, or @key for the keys themselves: a/@key"),
        Kind::Boolean if orders || searches => Err("is a boolean; use eq, neq, in or nin"),
        Kind::Number | Kind::DateTime if searches => Err("is no text; cont and ncont search text"),
        Kind::Text | Kind::Number | Kind::Boolean | Kind::DateTime | Kind::Any => Ok(()),
    }
}

impl Operand {
    /// The value as the attribute's type.
    pub(super) fn of(kind: Kind, text: String) -> Result<Self, String> {
        match kind {
            Kind::Text => Ok(Self::Text(text)),
            Kind::Number => serde_json::from_str(&text)
                .map(Self::Number)
                .map_err(|_| format!("is a number, and '{text}' is none")),
            Kind::Boolean => match text.as_str() {
                "true" => Ok(Self::Boolean(true)),
                "false" => Ok(Self::Boolean(false)),
                _ => Err(format!("is a boolean: true or false, not '{text}'")),
            },
            Kind::DateTime => text.parse().map(Self::DateTime).map_err(|_| {
                format!("is a date-time like 2026-02-28T12:00:00Z, and '{text}' is none")
            }),
            Kind::Object(_) | Kind::MapOf(_) | Kind::Any => Ok(Self::Loose(text)),
        }
    }

    /// How the element's value stands to this one; `None`: they cannot be compared.
    pub(super) fn compare(&self, leaf: &Value) -> Option<Ordering> {
        match (self, leaf) {
            (Self::Text(value) | Self::Loose(value), Value::String(leaf)) => {
                Some(leaf.as_str().cmp(value))
            }
            (Self::Number(value), Value::Number(leaf)) => numbers(leaf, value),
            (Self::Boolean(value), Value::Bool(leaf)) => Some(leaf.cmp(value)),
            (Self::DateTime(value), Value::String(leaf)) => {
                leaf.parse::<Timestamp>().ok().map(|leaf| leaf.cmp(value))
            }
            (Self::Loose(value), Value::Number(leaf)) => {
                serde_json::from_str(value).ok().and_then(|value| numbers(leaf, &value))
            }
            (Self::Loose(value), Value::Bool(leaf)) => {
                value.parse::<bool>().ok().map(|value| leaf.cmp(&value))
            }
            _ => None,
        }
    }

    /// Whether the element's text contains this one.
    pub(super) fn within(&self, leaf: &Value) -> bool {
        match (self, leaf) {
            (Self::Text(value) | Self::Loose(value), Value::String(leaf)) => {
                leaf.contains(value.as_str())
            }
            _ => false,
        }
    }
}

/// The order of two numbers: whole ones exactly, others as floating point.
fn numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// A whole number of any sign.
fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}
