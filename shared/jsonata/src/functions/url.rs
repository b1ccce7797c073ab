//! Percent-encoding as JavaScript's four functions have it.

use super::arguments::{NOTHING, made, text};
use crate::{
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::Value,
};

const MARKS: &str = "-_.!~*'()";
/// What has a meaning in a URL: `encodeURI` leaves it, `decodeURI` leaves it encoded.
const RESERVED: &str = ";/?:@&=+$,#";

pub(super) fn encode_component(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    encode(evaluator, arguments, "", "encodeUrlComponent")
}

pub(super) fn encode_url(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    encode(evaluator, arguments, RESERVED, "encodeUrl")
}

pub(super) fn decode_component(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    decode(evaluator, arguments, "", "decodeUrlComponent")
}

pub(super) fn decode_url(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    decode(evaluator, arguments, RESERVED, "decodeUrl")
}

fn malformed(text: &str, function: &'static str) -> Fault {
    let fault = Fault::new("D3140").value(Some(Value::from(text)));
    fault.with(|details| details.function = Some(function))
}

fn encode(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
    kept: &str,
    function: &'static str,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    // What was half a surrogate pair cannot be encoded; it is U+FFFD here.
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(malformed(text, function));
    }
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len() * 3)?;
    let mut out = String::new();
    for char in text.chars() {
        if char.is_ascii_alphanumeric() || MARKS.contains(char) || kept.contains(char) {
            out.push(char);
            continue;
        }
        for byte in char.encode_utf8(&mut [0; 4]).bytes() {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    made(out, evaluator)
}

fn decode(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
    kept: &str,
    function: &'static str,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len())?;
    let mut out = String::with_capacity(text.len());
    let mut rest = &**text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let encoded = &rest[at..];
        let (char, length) = sequence(encoded).ok_or_else(|| malformed(text, function))?;
        if kept.contains(char) {
            out.push_str(&encoded[..length]);
        } else {
            out.push(char);
        }
        rest = &encoded[length..];
    }
    out.push_str(rest);
    made(out, evaluator)
}

/// The character a run of `%XX` stands for, and the length of the run.
fn sequence(text: &str) -> Option<(char, usize)> {
    let first = byte_at(text, 0)?;
    let count = match first.leading_ones() {
        0 => 1,
        ones @ 2..=4 => ones as usize,
        _ => return None,
    };
    let bytes: Option<Vec<u8>> = (0..count).map(|at| byte_at(text, at * 3)).collect();
    let char = std::str::from_utf8(&bytes?).ok()?.chars().next()?;
    Some((char, count * 3))
}

fn byte_at(text: &str, at: usize) -> Option<u8> {
    let code = text.get(at..at + 3)?.strip_prefix('%')?;
    let digits = code.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u8::from_str_radix(code, 16).ok())?
}
