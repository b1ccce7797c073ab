//! Base64 as Node.js has it: of Latin-1 texts, and forgiving when decoding.

use super::arguments::{NOTHING, made, text};
use crate::{error::Outcome, evaluate::Evaluator, parse::signature::Arguments, value::Value};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Each UTF-16 unit gives its low byte.
pub(super) fn encode(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len() * 3)?;
    let bytes: Vec<u8> = text.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect();
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| (group << 8) | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    made(out, evaluator)
}

/// Letters of both alphabets count, padding ends the text, all else is passed over.
pub(super) fn decode(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.scan(text.len())?;
    evaluator.budget.alloc(text.len() * 2)?;
    let mut out = String::new();
    let (mut group, mut bits) = (0_u32, 0);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let Some(sextet) = LETTERS.iter().position(|letter| *letter == byte) else { continue };
        group = (group << 6) | u32::try_from(sextet).unwrap_or(0);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(char::from(u8::try_from((group >> bits) & 0xff).unwrap_or(0)));
        }
    }
    made(out, evaluator)
}
