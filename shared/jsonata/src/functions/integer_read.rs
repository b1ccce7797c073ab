//! Whole numbers read back from text.

use super::{
    integer::{Case, Digits, Format, Primary, Separators, ZEROS},
    words,
};
use crate::{
    error::{Fault, Outcome},
    value::Value,
};

/// Reads a whole number back.
pub(super) fn read(text: &str, format: &Format) -> Outcome<f64> {
    Ok(match &format.primary {
        Primary::Letters => read_letters(text, if format.case == Case::Upper { 'A' } else { 'a' }),
        Primary::Roman if format.case == Case::Upper => read_roman(text),
        Primary::Roman => read_roman(&text.to_uppercase()),
        Primary::Words => words::read(&text.to_lowercase()),
        Primary::Decimal(digits) => read_decimal(text, digits, format.ordinal)?,
        Primary::Sequence(token) => {
            return Err(Fault::new("D3130").value(Some(Value::from(token.as_str()))));
        }
    })
}

fn read_letters(text: &str, first: char) -> f64 {
    let mut total = 0.0;
    let mut worth = 1.0;
    for unit in text.encode_utf16().collect::<Vec<_>>().into_iter().rev() {
        total += (f64::from(unit) - f64::from(u32::from(first)) + 1.0) * worth;
        worth *= 26.0;
    }
    total
}

fn read_roman(text: &str) -> f64 {
    let (mut total, mut highest) = (0.0, 1.0);
    for digit in text.chars().rev() {
        let worth = match digit {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => return f64::NAN,
        };
        if worth < highest {
            total -= worth;
        } else {
            highest = worth;
            total += worth;
        }
    }
    total
}

fn read_decimal(text: &str, digits: &Digits, ordinal: bool) -> Outcome<f64> {
    let mut chars: Vec<char> = text.chars().collect();
    if ordinal {
        chars.truncate(chars.len().saturating_sub(2));
    }
    match &digits.separators {
        Separators::Regular { .. } => chars.retain(|char| *char != ','),
        Separators::Placed(placed) => {
            chars.retain(|char| placed.iter().all(|(_, other)| char != other));
        }
    }
    if digits.zero != ZEROS[0] {
        for char in &mut chars {
            let code = (u32::from(*char) + ZEROS[0]).checked_sub(digits.zero);
            let shifted = code.and_then(char::from_u32);
            *char = shifted.ok_or_else(|| Fault::said("RangeError", "Invalid code point"))?;
        }
    }
    Ok(leading_integer(&chars.into_iter().collect::<String>()))
}

/// JavaScript's `parseInt`, base ten.
pub(super) fn leading_integer(text: &str) -> f64 {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = unsigned.find(|char: char| !char.is_ascii_digit()).unwrap_or(unsigned.len());
    let size: f64 = unsigned[..end].parse().unwrap_or(f64::NAN);
    if text.starts_with('-') { -size } else { size }
}
