//! From JSON to values and back.

use serde_json::Value as Json;

use super::{Array, DEEPEST, Object, Value, deep, number, object, text, text::Sink};

/// Why a value has no JSON form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotJson {
    /// It is, or holds, a lambda, a builtin or a regular expression.
    #[error("a function has no JSON form")]
    Function,
    /// It nests deeper than 1,000 levels.
    #[error("the value nests deeper than 1,000 levels")]
    TooDeep,
    /// Written out, it would take more bytes than the caller allows.
    #[error("the value is too large to be written out")]
    TooLarge,
}

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not JSON: {0}")]
pub struct TextError(pub(crate) String);

/// What a member of a `serde_json` object takes beside its key and value: its place and its hash.
const MEMBER: usize = 96;

impl Value {
    /// As a `serde_json` value; whole numbers become integers, NaN and infinities `null`.
    ///
    /// A value made by sharing can be far larger written out than kept, so the caller says how many
    /// bytes of memory it is ready to hold; `room` goes down as they are taken.
    ///
    /// # Errors
    /// Functions, values deeper than 1,000 levels and such that take more than there is room for.
    pub fn to_json(&self, room: &mut usize) -> Result<Json, NotJson> {
        if self.depth() > DEEPEST {
            return Err(NotJson::TooDeep);
        }
        deep(self.depth(), || to_json(self, room))
    }

    /// As JSON text of at most `most_bytes` bytes, numbers as JavaScript prints them.
    ///
    /// # Errors
    /// Functions, values deeper than 1,000 levels and such whose text is longer.
    pub fn to_json_text(&self, most_bytes: usize) -> Result<String, NotJson> {
        if self.depth() > DEEPEST {
            return Err(NotJson::TooDeep);
        }
        let mut sink = text::Exact { out: String::new(), most_bytes };
        text::write(self, &mut sink)?;
        // The last text may have grown while it was escaped.
        sink.grow(0)?;
        Ok(sink.out)
    }

    /// Reads JSON text (nested at most 127 levels deep); of equal keys the last one counts.
    ///
    /// # Errors
    /// What is not JSON, with line and column.
    pub fn from_json_text(text: &str) -> Result<Self, TextError> {
        super::parse::read(text).map_err(|error| TextError(error.to_string()))
    }
}

fn take(room: &mut usize, bytes: usize) -> Result<(), NotJson> {
    *room = room.checked_sub(bytes).ok_or(NotJson::TooLarge)?;
    Ok(())
}

fn to_json(value: &Value, room: &mut usize) -> Result<Json, NotJson> {
    take(room, size_of::<Json>())?;
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => json_number(*number),
        Value::String(text) => {
            take(room, text.len())?;
            Json::String(text.to_string())
        }
        Value::Array(array) => {
            // Before the first item: room for all of them is taken at once.
            take(room, array.len())?;
            let mut items = Vec::with_capacity(array.len().min(*room / size_of::<Json>() + 1));
            for item in array.iter() {
                items.push(to_json(item, room)?);
            }
            Json::Array(items)
        }
        Value::Object(object) => Json::Object(members(object, room)?),
        Value::Function(_) => return Err(NotJson::Function),
    })
}

fn members(object: &Object, room: &mut usize) -> Result<serde_json::Map<String, Json>, NotJson> {
    take(room, object.len() * MEMBER)?;
    let mut members = serde_json::Map::with_capacity(object.len());
    for (key, item) in object.iter() {
        take(room, key.len())?;
        members.insert(key.to_string(), to_json(item, room)?);
    }
    Ok(members)
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
        assert_eq!(value.to_json_text(1 << 10).unwrap(), "[1,0.5,100000000000000000000,null]");
        assert_eq!(value.to_json(&mut (1 << 20)).unwrap()[0].to_string(), "1");
    }

    #[test]
    fn keys_that_look_like_indexes_come_first() {
        let value = Value::from_json_text(r#"{"b":1,"10":2,"a":3,"9":4,"01":5,"b":6}"#).unwrap();
        assert_eq!(value.to_json_text(1 << 10).unwrap(), r#"{"9":4,"10":2,"b":6,"a":3,"01":5}"#);
    }

    #[test]
    fn a_value_nested_a_hundred_thousand_deep_is_dropped_without_recursion() {
        let mut value = Value::Null;
        for _ in 0..100_000 {
            value = Value::from(vec![value]);
        }
        assert_eq!(value.to_json(&mut (1 << 20)), Err(NotJson::TooDeep));
        drop(value);
    }
}
