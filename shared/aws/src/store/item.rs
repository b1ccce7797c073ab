//! A document as a row of the table: what is written, and what is read again.
//!
//! ```text
//!   v version · f form · site · body text, or blob and its bytes · n its numbers · {index}
//! ```
//!
//! Numbers at the top of a document also lie beside it, so that an addition needs no
//! reading: then `g` (grown) says that they are newer than the text.

use super::keys::{PK, SK};
use aws_sdk_dynamodb::types::AttributeValue;
use mano_model::plan::Key;
use mano_ports::store::{Error, Stored};
use serde_json::Value;
use std::collections::HashMap;

/// A row.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The version.
pub(crate) const VERSION: &str = "v";
/// The form.
pub(crate) const FORM: &str = "f";
/// Who wrote it.
pub(crate) const SITE: &str = "site";
/// The document.
pub(crate) const BODY: &str = "body";
/// The blob that has the document.
pub(crate) const BLOB: &str = "blob";
/// How large the document in the blob is.
pub(crate) const BYTES: &str = "bytes";
/// Its numbers.
pub(crate) const NUMBERS: &str = "n";
/// Whether the numbers are newer than the document.
pub(crate) const GROWN: &str = "g";

/// A document as it was read; its text may lie elsewhere.
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) version: u64,
    pub(crate) schema: u32,
    pub(crate) text: Text,
    grown: Option<HashMap<String, i64>>,
}

/// Where a document's text is.
pub(crate) enum Text {
    /// Here.
    Here(String),
    /// In this blob.
    Blob(String),
}

impl Row {
    /// Reads a row.
    pub(crate) fn read(key: Key, mut item: Item) -> Self {
        let text = match item.remove(BLOB) {
            Some(AttributeValue::S(blob)) => Text::Blob(blob),
            _ => Text::Here(take(&mut item, BODY)),
        };
        let grown = item.contains_key(GROWN).then(|| numbers(&item));
        Self { version: number(&item, VERSION), schema: number(&item, FORM), key, text, grown }
    }

    /// The document with its numbers as they are now.
    pub(crate) fn with(self, text: String) -> Result<Stored, Error> {
        let Self { key, version, schema, grown, .. } = self;
        let body = match grown {
            None => text,
            Some(grown) => {
                let malformed = |source| Error::Malformed { key: key.clone(), source };
                let mut object: serde_json::Map<String, Value> =
                    serde_json::from_str(&text).map_err(malformed)?;
                object.extend(grown.into_iter().map(|(name, value)| (name, value.into())));
                serde_json::to_string(&object).map_err(malformed)?
            }
        };
        Ok(Stored { key, version, schema, body })
    }
}

/// How large the document of a row is, wherever its text lies.
pub(crate) fn weight(item: &Item) -> usize {
    text(item, BODY).len() + number::<usize>(item, BYTES)
}

/// The whole numbers at the top of a document.
pub(crate) fn numbers_of(body: &str) -> Item {
    let object: serde_json::Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    let numbers = object.into_iter().filter_map(|(name, value)| Some((name, value.as_i64()?)));
    numbers.map(|(name, value)| (name, AttributeValue::N(value.to_string()))).collect()
}

/// The numbers beside a document.
pub(crate) fn numbers(item: &Item) -> HashMap<String, i64> {
    let Some(AttributeValue::M(numbers)) = item.get(NUMBERS) else { return HashMap::new() };
    let read = |value: &AttributeValue| value.as_n().ok().and_then(|n| n.parse().ok());
    numbers.iter().filter_map(|(name, value)| Some((name.clone(), read(value)?))).collect()
}

/// A number; 0 where there is none.
pub(crate) fn number<N: std::str::FromStr + Default>(item: &Item, name: &str) -> N {
    let text = item.get(name).and_then(|value| value.as_n().ok());
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// A text; empty where there is none.
pub(crate) fn text<'i>(item: &'i Item, name: &str) -> &'i str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn take(item: &mut Item, name: &str) -> String {
    match item.remove(name) {
        Some(AttributeValue::S(text)) => text,
        _ => String::new(),
    }
}

/// A text as an attribute.
pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number as an attribute.
pub(crate) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// The keys of a row.
pub(crate) fn keyed(pk: impl Into<String>, sk: impl Into<String>) -> Item {
    HashMap::from([(PK.into(), s(pk)), (SK.into(), s(sk))])
}
