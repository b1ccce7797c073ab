//! Functions at the end of a path: `$.items.length()`.

use serde_json::{Value, json};

use super::{NotFound, eval::Found, parse::Cursor};

/// A function of Jayway's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Min,
    Max,
    Avg,
    Sum,
    StdDev,
    Keys,
    First,
    Last,
}

/// The names.
const FUNCTIONS: [(&str, Function); 10] = [
    ("length()", Function::Length),
    ("size()", Function::Length),
    ("min()", Function::Min),
    ("max()", Function::Max),
    ("avg()", Function::Avg),
    ("sum()", Function::Sum),
    ("stddev()", Function::StdDev),
    ("keys()", Function::Keys),
    ("first()", Function::First),
    ("last()", Function::Last),
];

impl Function {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Option<Self> {
        FUNCTIONS.iter().find(|(name, _)| cursor.take(name)).map(|(_, function)| *function)
    }

    pub(super) fn apply(self, found: Found<'_>) -> Result<Value, NotFound> {
        let value = found.into_value();
        match self {
            Self::Length => Ok(length(&value)),
            Self::Keys => Ok(keys(&value)),
            Self::First => end(&value, <[Value]>::first),
            Self::Last => end(&value, <[Value]>::last),
            Self::Min | Self::Max | Self::Avg | Self::Sum | Self::StdDev => {
                let numbers = numbers(&value);
                if numbers.is_empty() {
                    return Err(NotFound(
                        "Aggregation function attempted to calculate value using empty array"
                            .to_owned(),
                    ));
                }
                Ok(json!(self.aggregate(&numbers)))
            }
        }
    }

    fn aggregate(self, numbers: &[f64]) -> f64 {
        let count = u32::try_from(numbers.len()).map_or(f64::MAX, f64::from);
        let sum: f64 = numbers.iter().sum();
        match self {
            Self::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
            Self::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Self::Avg => sum / count,
            Self::StdDev => {
                let mean = sum / count;
                let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
                (squares / count).sqrt()
            }
            Self::Sum | Self::Length | Self::Keys | Self::First | Self::Last => sum,
        }
    }
}

fn length(value: &Value) -> Value {
    match value {
        Value::Array(items) => json!(items.len()),
        Value::Object(fields) => json!(fields.len()),
        Value::String(text) => json!(text.chars().count()),
        Value::Null | Value::Bool(_) | Value::Number(_) => Value::Null,
    }
}

fn keys(value: &Value) -> Value {
    value.as_object().map_or(Value::Null, |fields| json!(fields.keys().collect::<Vec<_>>()))
}

fn end(value: &Value, pick: fn(&[Value]) -> Option<&Value>) -> Result<Value, NotFound> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    pick(items).cloned().ok_or_else(|| NotFound("Array index function on an empty list".to_owned()))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}
