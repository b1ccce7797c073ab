//! JSON documents that states share: one value, cloned for free, its text rendered once.
//!
//! The output of a state is the input of the next and appears in three history rows. All of them
//! hold the same document, so a workflow that passes 200 KiB along pays for it once.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::expression::Shared;

/// Deepest nesting of a document; what is deeper cannot be read back from its text.
pub(crate) const MAX_DEPTH: usize = 120;

/// An immutable JSON document. Cloning copies a pointer.
///
/// ```
/// # use mano_asl::Doc;
/// let doc = Doc::parse(r#"{ "a": [1, 2.0] }"#)?;
/// assert_eq!(&*doc.text(), r#"{"a":[1,2.0]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Doc(Arc<Inner>);

struct Inner {
    value: Value,
    text: OnceLock<Arc<str>>,
    shared: OnceLock<Shared>,
}

impl Doc {
    /// Wraps a value.
    #[must_use]
    pub fn new(value: Value) -> Self {
        Self(Arc::new(Inner { value, text: OnceLock::new(), shared: OnceLock::new() }))
    }

    /// Reads JSON text.
    ///
    /// # Errors
    /// The text is not JSON, or is nested deeper than 127 levels.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self::new)
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The value as compact JSON text, rendered on first use.
    #[must_use]
    pub fn text(&self) -> Arc<str> {
        Arc::clone(self.0.text.get_or_init(|| Arc::from(self.0.value.to_string())))
    }

    /// The value as JSONata sees it, converted on first use.
    pub(crate) fn shared(&self) -> &Shared {
        self.0.shared.get_or_init(|| Shared::from(&self.0.value))
    }

    /// The value itself: moved out when nobody else holds the document, copied otherwise.
    #[must_use]
    pub fn into_value(self) -> Value {
        match Arc::try_unwrap(self.0) {
            Ok(inner) => inner.value,
            Err(shared) => shared.value.clone(),
        }
    }

    /// Whether two handles point at the same document.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Whether a value is nested deeper than `limit` levels; looks no deeper than that.
pub(crate) fn is_deeper_than(value: &Value, limit: usize) -> bool {
    match value {
        Value::Array(items) => {
            limit == 0 || items.iter().any(|item| is_deeper_than(item, limit - 1))
        }
        Value::Object(fields) => {
            limit == 0 || fields.values().any(|item| is_deeper_than(item, limit - 1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Roughly the bytes of a value's text.
pub(crate) fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 8,
        Value::Array(items) => 8 + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => {
            8 + fields.iter().map(|(name, value)| name.len() + 8 + weight(value)).sum::<usize>()
        }
    }
}

impl From<Value> for Doc {
    fn from(value: Value) -> Self {
        Self::new(value)
    }
}

impl PartialEq for Doc {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.0.value == other.0.value
    }
}

impl std::fmt::Debug for Doc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl std::fmt::Display for Doc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

/// As text, so that a snapshot's own nesting does not add to the document's.
impl Serialize for Doc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Doc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
