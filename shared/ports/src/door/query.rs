//! Query parameters: decoded once, known or refused.

use super::routes::Row;
use crate::hex::digit;
use mano_model::{
    Refusal,
    sol::sol013::{Marker, Selector},
};

/// What every list knows beside its own parameters.
fn known_to_lists(name: &str) -> bool {
    name == "filter" || name == Marker::PARAMETER || Selector::PARAMETERS.contains(&name)
}

/// The parameters of a query, in order, each of them known to the route.
pub(super) fn read(row: &Row, query: &str) -> Result<Vec<(String, String)>, Refusal> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let mut read: Vec<(String, String)> = Vec::new();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let (Some(name), Some(value)) = (decode(name, true), decode(value, true)) else {
            let detail = format!("query parameter '{name}' is not percent-encoded UTF-8");
            return Err(Refusal::malformed(detail));
        };
        check(row, &name)?;
        if read.iter().any(|(other, _)| *other == name) {
            return Err(Refusal::malformed(format!("query parameter '{name}' stands twice")));
        }
        read.push((name, value));
    }
    Ok(read)
}

/// Refuses a parameter the route does not know.
fn check(row: &Row, name: &str) -> Result<(), Refusal> {
    if row.route.query.contains(&name) || (row.list && known_to_lists(name)) {
        return Ok(());
    }
    let mut known = row.route.query.to_vec();
    if row.list {
        known.retain(|name| !known_to_lists(name));
        known.extend(["filter", Marker::PARAMETER]);
        known.extend(Selector::PARAMETERS);
    }
    let known = if known.is_empty() { "none".into() } else { known.join(", ") };
    Err(Refusal::malformed(format!("query parameter '{name}' is unknown here; known: {known}")))
}

/// Text without its percent-encoding; `None` if it is not percent-encoded UTF-8.
///
/// `plus`: a plus is a space, as forms and most client libraries write queries.
#[must_use]
pub fn decode(text: &str, plus: bool) -> Option<String> {
    let encoded = text.contains('%') || (plus && text.contains('+'));
    if !encoded {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            b'+' if plus => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Text that may stand in a path segment or a query: everything but unreserved characters encoded.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_ends_nothing_and_is_read_again() {
        assert_eq!(encode("a b/c?d&é"), "a%20b%2Fc%3Fd%26%C3%A9");
        assert_eq!(decode(&encode("a b/c?d&é+%"), true).as_deref(), Some("a b/c?d&é+%"));
    }
}
