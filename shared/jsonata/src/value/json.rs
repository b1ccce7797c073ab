//! From JSON to values and back.

use serde_json::Value as Json;

use super::{Array, DEEPEST, Object, Value, deep, number, object, text};

/// Why a value has no JSON form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// It is, or holds, a lambda, a builtin or a regular expression.
    #[error("a function has no JSON form")]
    Function,
    /// It nests deeper than 1,000 levels.
    #[error("the value nests deeper than 1,000 levels")]
    TooDeep,
    /// Shared parts would be written out more than 2^26 times.
    #[error("the value is too large to be written out")]
    TooLarge,
}

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not JSON: {0}")]
pub struct TextError(pub(crate) String);

/// A value made by sharing can be far larger written out than kept; this many nodes at most.
const MOST_NODES: u32 = 1 << 26;

impl Value {
    /// As a `serde_json` value; whole numbers become integers, NaN and infinities `null`.
    ///
    /// # Errors
    /// Functions, values deeper than 1,000 levels and such that would be enormous written out.
    pub fn to_json(&self) -> Result<Json, NotJson> {
        if self.depth() > DEEPEST {
            return Err(NotJson::TooDeep);
        }
        let mut left = MOST_NODES;
        deep(self.depth(), || to_json(self, &mut left))
    }

    /// As JSON text, numbers as JavaScript prints them.
    ///
    /// # Errors
    /// As [`Value::to_json`].
    pub fn to_json_text(&self) -> Result<String, NotJson> {
        if self.depth() > DEEPEST {
            return Err(NotJson::TooDeep);
        }
        let mut left = MOST_NODES;
        deep(self.depth(), || count(self, &mut left))?;
        let mut sink = text::Exact(String::new());
        text::write(self, &mut sink)?;
        Ok(sink.0)
    }

    /// Reads JSON text (nested at most 127 levels deep); of equal keys the last one counts.
    ///
    /// # Errors
    /// What is not JSON, with line and column.
    pub fn from_json_text(text: &str) -> Result<Self, TextError> {
        super::parse::read(text).map_err(|error| TextError(error.to_string()))
    }
}

fn spend(left: &mut u32) -> Result<(), NotJson> {
    *left = left.checked_sub(1).ok_or(NotJson::TooLarge)?;
    Ok(())
}

fn count(value: &Value, left: &mut u32) -> Result<(), NotJson> {
    spend(left)?;
    match value {
        Value::Array(array) => array.iter().try_for_each(|item| count(item, left)),
        Value::Object(object) => object.iter().try_for_each(|(_, item)| count(item, left)),
        Value::Function(_) => Err(NotJson::Function),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn to_json(value: &Value, left: &mut u32) -> Result<Json, NotJson> {
    spend(left)?;
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => json_number(*number),
        Value::String(text) => Json::String(text.to_string()),
        Value::Array(array) => {
            Json::Array(array.iter().map(|item| to_json(item, left)).collect::<Result<_, _>>()?)
        }
        Value::Object(object) => {
            let members =
                object.iter().map(|(key, item)| Ok((key.to_string(), to_json(item, left)?)));
            Json::Object(members.collect::<Result<_, NotJson>>()?)
        }
        Value::Function(_) => return Err(NotJson::Function),
    })
}

/// Integers where JavaScript prints digits only, so that the text is the same.
fn json_number(number: f64) -> Json {
    if let Some(whole) = number::small_whole(number) {
        return Json::from(whole);
    }
    if number.fract() == 0.0 && number.abs() < 1e21 {
        let digits = number::to_text(number);
        if let Ok(whole) = digits.parse::<u64>() {
            return Json::from(whole);
        }
        if let Ok(whole) = digits.parse::<i64>() {
            return Json::from(whole);
        }
    }
    serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number)
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        stacker::maybe_grow(64 * 1_024, 1 << 20, || from_json(json))
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::from(&json)
    }
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            Value::Array(Array::from(items.iter().map(Value::from).collect::<Vec<_>>()))
        }
        Json::Object(members) => Value::Object(from_members(members)),
    }
}

fn from_members(members: &serde_json::Map<String, Json>) -> Object {
    let mut builder = object::Builder::with_capacity(members.len());
    for (key, value) in members {
        builder.put(key.as_str().into(), Value::from(value));
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_leave_as_integers_and_the_rest_as_javascript_prints_it() {
        let value = Value::from(vec![1.0.into(), 0.5.into(), 1e20.into(), f64::NAN.into()]);
        assert_eq!(value.to_json_text().unwrap(), "[1,0.5,100000000000000000000,null]");
        assert_eq!(value.to_json().unwrap()[0].to_string(), "1");
    }

    #[test]
    fn keys_that_look_like_indexes_come_first() {
        let value = Value::from_json_text(r#"{"b":1,"10":2,"a":3,"9":4,"01":5,"b":6}"#).unwrap();
        assert_eq!(value.to_json_text().unwrap(), r#"{"9":4,"10":2,"b":6,"a":3,"01":5}"#);
    }

    #[test]
    fn a_value_nested_a_hundred_thousand_deep_is_dropped_without_recursion() {
        let mut value = Value::Null;
        for _ in 0..100_000 {
            value = Value::from(vec![value]);
        }
        assert_eq!(value.to_json(), Err(NotJson::TooDeep));
        drop(value);
    }
}
