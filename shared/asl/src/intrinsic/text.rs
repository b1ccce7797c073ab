//! Intrinsic functions on strings, hashes and JSON texts.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Md5;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Longest text that is encoded or hashed.
const MAX_INPUT: usize = 10_000;

pub(super) fn base64_encode(value: &Value) -> Result<Value, String> {
    Ok(Value::String(STANDARD.encode(short(value)?)))
}

pub(super) fn base64_decode(value: &Value) -> Result<Value, String> {
    let bytes = STANDARD.decode(short(value)?).map_err(|error| error.to_string())?;
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

pub(super) fn hash(value: &Value, algorithm: &Value) -> Result<Value, String> {
    let rendered = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    if rendered.chars().count() > MAX_INPUT {
        return Err(format!("the input is longer than {MAX_INPUT} characters"));
    }
    let bytes = rendered.as_bytes();
    let hash = match algorithm.as_str() {
        Some("MD5") => hex(&Md5::digest(bytes)),
        Some("SHA-1") => hex(&Sha1::digest(bytes)),
        Some("SHA-256") => hex(&Sha256::digest(bytes)),
        Some("SHA-384") => hex(&Sha384::digest(bytes)),
        Some("SHA-512") => hex(&Sha512::digest(bytes)),
        _ => {
            return Err(format!("{algorithm} is not one of MD5, SHA-1, SHA-256, SHA-384, SHA-512"));
        }
    };
    Ok(Value::String(hash))
}

/// Shallow: fields of the second object replace those of the first.
pub(super) fn merge(first: &Value, second: &Value, deep: &Value) -> Result<Value, String> {
    if deep != &Value::Bool(false) {
        return Err("deep merging is not supported: the third argument must be false".to_owned());
    }
    let (Value::Object(first), Value::Object(second)) = (first, second) else {
        return Err("the first and second arguments must be JSON objects".to_owned());
    };
    let mut merged = first.clone();
    merged.extend(second.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(Value::Object(merged))
}

/// Blank text is null.
pub(super) fn to_json(value: &Value) -> Result<Value, String> {
    let text = string(value)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).map_err(|error| format!("the string is not valid JSON: {error}"))
}

/// Splits at any of the delimiter's characters; empty parts vanish.
pub(super) fn split(value: &Value, delimiters: &Value) -> Result<Value, String> {
    let delimiters = string(delimiters)?;
    Ok(string(value)?
        .split(|c| delimiters.contains(c))
        .filter(|part| !part.is_empty())
        .map(|part| Value::String(part.to_owned()))
        .collect())
}

/// Renders a value as Java's `toString` does: `{a=1, b=[x, y]}`.
pub(super) fn java(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                java(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, field)) in fields.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                out.push_str(name);
                out.push('=');
                java(field, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let written = write!(out, "{value}");
            debug_assert!(written.is_ok(), "writing to a String does not fail");
        }
    }
}

fn string(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("a string was expected, not {value}"))
}

fn short(value: &Value) -> Result<&str, String> {
    let text = string(value)?;
    if text.chars().count() > MAX_INPUT {
        return Err(format!("the input is longer than {MAX_INPUT} characters"));
    }
    Ok(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn splitting_drops_empty_parts_and_keeps_spaces() {
        assert_eq!(split(&json!(", , ,"), &json!(",")), Ok(json!([" ", " "])));
        assert_eq!(split(&json!(",,,,"), &json!(",")), Ok(json!([])));
        assert_eq!(split(&json!("a-b+c"), &json!("+-")), Ok(json!(["a", "b", "c"])));
    }

    #[test]
    fn hashes_are_the_published_ones() {
        for (algorithm, expected) in [
            ("MD5", "900150983cd24fb0d6963f7d28e17f72"),
            ("SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            assert_eq!(hash(&json!("abc"), &json!(algorithm)), Ok(json!(expected)));
        }
    }

    #[test]
    fn objects_in_a_format_look_like_java_maps() {
        let mut out = String::new();
        java(&json!({"Arg1": 1, "Arg2": ["x", null]}), &mut out);
        assert_eq!(out, "{Arg1=1, Arg2=[x, null]}");
    }
}
