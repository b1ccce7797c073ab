//! Whole numbers by picture: `$formatInteger`, `$parseInteger`, and the parts of dates.

use super::{
    arguments::{NOTHING, given_text, made, number, text},
    integer_read, words,
};
use crate::{
    budget::Budget,
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::{Value, number::to_text},
};

/// The zeros of the decimal digit families.
pub(super) const ZEROS: [u32; 37] = [
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6,
    0x0D66, 0x0DE6, 0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80,
    0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
    0xFF10,
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    Title,
}

#[derive(Clone, PartialEq)]
pub(super) enum Primary {
    Letters,
    Roman,
    Words,
    Decimal(Digits),
    /// A numbering sequence, which is not supported.
    Sequence(String),
}

#[derive(Clone, PartialEq)]
pub(super) struct Digits {
    pub(super) zero: u32,
    pub(super) mandatory: f64,
    pub(super) optional: usize,
    pub(super) separators: Separators,
}

#[derive(Clone, PartialEq)]
pub(super) enum Separators {
    /// The same one, every so many digits.
    Regular { every: usize, char: char },
    /// Each at its place, counted from the right.
    Placed(Vec<(usize, char)>),
}

/// How a whole number is written.
#[derive(Clone, PartialEq)]
pub(super) struct Format {
    pub(super) primary: Primary,
    pub(super) case: Case,
    pub(super) ordinal: bool,
}

/// The most an array may be asked for, by JavaScript's measure.
const LONGEST_PADDING: f64 = 4_294_967_294.0;

pub(super) fn format_integer(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = number(arguments, 0)? else { return NOTHING };
    let format = analyse(given_text(arguments, 1)?, evaluator.budget)?;
    let text = write(value.floor(), &format, evaluator.budget)?;
    made(text, evaluator)
}

pub(super) fn parse_integer(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let format = analyse(given_text(arguments, 1)?, evaluator.budget)?;
    evaluator.budget.alloc(text.len() * 8)?;
    evaluator.budget.step(text.len())?;
    integer_read::read(text, &format).map(|number| Some(Value::Number(number)))
}

/// Reads a picture.
pub(super) fn analyse(picture: &str, budget: &mut Budget) -> Outcome<Format> {
    budget.step(picture.len())?;
    budget.alloc(picture.len() * 16)?;
    let (primary, ordinal) = match picture.rfind(';') {
        Some(at) => (&picture[..at], picture[at + 1..].starts_with('o')),
        None => (picture, false),
    };
    let (primary, case) = match primary {
        "A" => (Primary::Letters, Case::Upper),
        "a" => (Primary::Letters, Case::Lower),
        "I" => (Primary::Roman, Case::Upper),
        "i" => (Primary::Roman, Case::Lower),
        "W" => (Primary::Words, Case::Upper),
        "Ww" => (Primary::Words, Case::Title),
        "w" => (Primary::Words, Case::Lower),
        digits => (decimal(digits)?, Case::Lower),
    };
    Ok(Format { primary, case, ordinal })
}

fn decimal(picture: &str) -> Outcome<Primary> {
    let (mut zero, mut mandatory, mut optional) = (None, 0_usize, 0);
    let mut placed = Vec::new();
    for char in picture.chars().rev() {
        let code = u32::from(char);
        if let Some(family) = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)) {
            mandatory += 1;
            if *zero.get_or_insert(*family) != *family {
                return Err(Fault::new("D3131"));
            }
        } else if char == '#' {
            optional += 1;
        } else {
            placed.push((mandatory + optional, char));
        }
    }
    let Some(zero) = zero else { return Ok(Primary::Sequence(picture.to_owned())) };
    let separators = match regular(&placed) {
        Some((every, char)) => Separators::Regular { every, char },
        None => Separators::Placed(placed),
    };
    #[expect(clippy::cast_precision_loss, reason = "a picture is shorter than 2^53")]
    let mandatory = mandatory as f64;
    Ok(Primary::Decimal(Digits { zero, mandatory, optional, separators }))
}

/// Whether all separators are the same and stand at each multiple of one distance.
fn regular(placed: &[(usize, char)]) -> Option<(usize, char)> {
    let (_, char) = *placed.first()?;
    if placed.iter().any(|(_, other)| *other != char) {
        return None;
    }
    let places: Vec<usize> = placed.iter().map(|(place, _)| *place).collect();
    every(&places).map(|distance| (distance, char))
}

/// The distance of which the places are the first multiples, all of them.
pub(super) fn every(places: &[usize]) -> Option<usize> {
    let factor = places.iter().copied().reduce(gcd)?;
    let known: std::collections::HashSet<usize> = places.iter().copied().collect();
    let all = (1..=places.len()).all(|times| known.contains(&(times * factor)));
    (all && factor > 0).then_some(factor)
}

fn gcd(left: usize, right: usize) -> usize {
    if right == 0 { left } else { gcd(right, left % right) }
}

fn too_long() -> Fault {
    Fault::said("RangeError", "Maximum call stack size exceeded")
}

/// Writes a whole number.
pub(super) fn write(value: f64, format: &Format, budget: &mut Budget) -> Outcome<String> {
    let size = value.abs();
    let text = match &format.primary {
        Primary::Letters => letters(size, format.case)?,
        Primary::Roman => roman(size, format.case, budget)?,
        Primary::Words => {
            cased(words::write(size, format.ordinal).ok_or_else(too_long)?, format.case)
        }
        Primary::Decimal(digits) => decimal_text(size, digits, format.ordinal, budget)?,
        Primary::Sequence(token) => {
            return Err(Fault::new("D3130").value(Some(Value::from(token.as_str()))));
        }
    };
    Ok(if value < 0.0 { format!("-{text}") } else { text })
}

fn cased(text: String, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
        Case::Title => text,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 25")]
fn letters(mut value: f64, case: Case) -> Outcome<String> {
    if value.is_infinite() {
        return Err(too_long());
    }
    let first = if case == Case::Upper { b'A' } else { b'a' };
    let mut letters = Vec::new();
    while value > 0.0 {
        letters.push(char::from(((value - 1.0) % 26.0) as u8 + first));
        value = ((value - 1.0) / 26.0).floor();
    }
    Ok(letters.into_iter().rev().collect())
}

const ROMAN: [(u32, &str); 13] = [
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
];

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and is paid for"
)]
fn roman(mut value: f64, case: Case, budget: &mut Budget) -> Outcome<String> {
    if value.is_infinite() {
        return Err(too_long());
    }
    let thousands = (value / 1000.0) as usize;
    budget.alloc(thousands)?;
    budget.step(thousands)?;
    let mut text = String::new();
    for (worth, numeral) in ROMAN {
        while value >= f64::from(worth) {
            value -= f64::from(worth);
            text.push_str(numeral);
        }
    }
    Ok(if case == Case::Upper { text.to_uppercase() } else { text })
}

fn decimal_text(
    value: f64,
    digits: &Digits,
    ordinal: bool,
    budget: &mut Budget,
) -> Outcome<String> {
    let mut text: Vec<char> = to_text(value).chars().collect();
    pad(&mut text, digits.mandatory, budget)?;
    if digits.zero != ZEROS[0] {
        for char in &mut text {
            *char = char::from_u32(u32::from(*char) + digits.zero - ZEROS[0]).unwrap_or(*char);
        }
    }
    match &digits.separators {
        Separators::Regular { every, char } => {
            let count = text.len().saturating_sub(1) / every;
            budget.alloc(count * 4)?;
            budget.step(text.len())?;
            text = grouped(&text, *every, *char);
        }
        Separators::Placed(placed) => {
            for (place, char) in placed.iter().rev() {
                budget.step(1 + text.len() / 8)?;
                insert(&mut text, *place, *char);
            }
        }
    }
    if ordinal {
        let suffix = ordinal_suffix(&text);
        text.extend(suffix.chars());
    }
    budget.alloc(text.len() * 4)?;
    Ok(text.into_iter().collect())
}

fn pad(text: &mut Vec<char>, mandatory: f64, budget: &mut Budget) -> Outcome<()> {
    #[expect(clippy::cast_precision_loss, reason = "a number's text is short")]
    let missing = mandatory - text.len() as f64;
    if missing.is_nan() || missing <= 0.0 {
        return Ok(());
    }
    if missing > LONGEST_PADDING || missing.fract() != 0.0 {
        return Err(Fault::said("RangeError", "Invalid array length"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let missing = missing as usize;
    budget.alloc(missing.saturating_mul(8))?;
    budget.step(missing / 8)?;
    text.splice(0..0, std::iter::repeat_n('0', missing));
    Ok(())
}

fn grouped(text: &[char], every: usize, separator: char) -> Vec<char> {
    let mut out = Vec::with_capacity(text.len() + text.len() / every);
    for (at, char) in text.iter().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(every) {
            out.push(separator);
        }
        out.push(*char);
    }
    out
}

/// Puts a separator so many digits from the right. For a number shorter than that, JavaScript's
/// `substr` counts from the end once more.
fn insert(text: &mut Vec<char>, place: usize, separator: char) {
    if let Some(at) = text.len().checked_sub(place) {
        text.insert(at, separator);
        return;
    }
    let beyond = place - text.len();
    let tail = text.len().saturating_sub(beyond);
    text.drain(..tail);
    text.insert(0, separator);
}

fn ordinal_suffix(text: &[char]) -> &'static str {
    let before_last = text.len().checked_sub(2).and_then(|at| text.get(at));
    if before_last == Some(&'1') {
        return "th";
    }
    match text.last() {
        Some('1') => "st",
        Some('2') => "nd",
        Some('3') => "rd",
        _ => "th",
    }
}
