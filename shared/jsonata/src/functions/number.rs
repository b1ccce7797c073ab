//! Builtins on numbers.

use super::arguments::{NOTHING, any, array, made, number as number_at};
use crate::{
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::{
        Array, Value,
        number::{round_half_up, to_radix, to_text},
    },
};

fn numbers<'a>(
    array: &'a Array,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<impl Iterator<Item = f64> + use<'a>> {
    evaluator.budget.step(array.len() / 4)?;
    Ok(array.iter().map(|item| item.as_f64().unwrap_or(f64::NAN)))
}

pub(super) fn sum(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    // From a positive zero, unlike `Iterator::sum`.
    Ok(Some(Value::Number(numbers(&array, evaluator)?.fold(0.0, |total, number| total + number))))
}

pub(super) fn average(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)?.filter(|array| !array.is_empty()) else {
        return NOTHING;
    };
    #[expect(clippy::cast_precision_loss, reason = "no array has 2^53 items")]
    let count = array.len() as f64;
    Ok(Some(Value::Number(
        numbers(&array, evaluator)?.fold(0.0, |total, number| total + number) / count,
    )))
}

pub(super) fn max(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    extreme(evaluator, arguments, |best, number| number > best)
}

pub(super) fn min(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    extreme(evaluator, arguments, |best, number| number < best)
}

fn extreme(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
    better: fn(f64, f64) -> bool,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)?.filter(|array| !array.is_empty()) else {
        return NOTHING;
    };
    let mut best = f64::NAN;
    for (at, number) in numbers(&array, evaluator)?.enumerate() {
        if number.is_nan() {
            return Ok(Some(Value::Number(f64::NAN)));
        }
        if at == 0 || better(best, number) {
            best = number;
        }
    }
    Ok(Some(Value::Number(best)))
}

fn on_number(arguments: &Arguments, work: fn(f64) -> f64) -> Outcome<Option<Value>> {
    Ok(number_at(arguments, 0)?.map(|number| Value::Number(work(number))))
}

pub(super) fn abs(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    on_number(arguments, f64::abs)
}

pub(super) fn floor(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    on_number(arguments, f64::floor)
}

pub(super) fn ceil(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    on_number(arguments, f64::ceil)
}

pub(super) fn sqrt(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    match number_at(arguments, 0)? {
        Some(number) if number < 0.0 => {
            Err(Fault::new("D3060").index(1).value(Some(Value::Number(number))))
        }
        other => Ok(other.map(|number| Value::Number(number.sqrt()))),
    }
}

pub(super) fn power(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(base) = number_at(arguments, 0)? else { return NOTHING };
    let exponent = number_at(arguments, 1)?;
    let result = match exponent {
        // JavaScript has no answer here, where others say 1.
        Some(exponent) if base.abs() == 1.0 && exponent.is_infinite() => f64::NAN,
        Some(exponent) => base.powf(exponent),
        None => f64::NAN,
    };
    if result.is_finite() {
        return Ok(Some(Value::Number(result)));
    }
    let fault = Fault::new("D3061").index(1).value(Some(Value::Number(base)));
    Err(fault.with(|details| details.exponent = exponent.map(Value::Number)))
}

pub(super) fn round(_: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let precision = number_at(arguments, 1)?;
    Ok(number_at(arguments, 0)?.map(|number| Value::Number(rounded(number, precision))))
}

/// Half to even, after moving the decimal point in the number's text.
pub(super) fn rounded(number: f64, precision: Option<f64>) -> f64 {
    let precision = precision.filter(|precision| *precision != 0.0 && !precision.is_nan());
    let shifted = precision.map_or(number, |precision| shift(number, precision));
    let mut result = round_half_up(shifted);
    if (result - shifted).abs() == 0.5 && (result % 2.0).abs() == 1.0 {
        result -= 1.0;
    }
    if let Some(precision) = precision {
        result = shift(result, -precision);
    }
    // There is no negative zero in JSON.
    if result == 0.0 { 0.0 } else { result }
}

/// Multiplies by a power of ten without rounding errors; a fraction of a power has no meaning.
fn shift(number: f64, places: f64) -> f64 {
    let text = to_text(number);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse::<f64>().unwrap_or(0.0) + places;
    format!("{mantissa}e{}", to_text(exponent)).parse().unwrap_or(f64::NAN)
}

pub(super) fn format_base(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(number) = number_at(arguments, 0)? else { return NOTHING };
    let radix = number_at(arguments, 1)?.map_or(10.0, |radix| rounded(radix, None));
    if !(2.0..=36.0).contains(&radix) {
        return Err(Fault::new("D3100").value(Some(Value::Number(radix))));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "2 to 36")]
    let radix = radix as u32;
    made(to_radix(rounded(number, None), radix), evaluator)
}

pub(super) fn number(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = any(arguments, 0) else { return NOTHING };
    let number = match value {
        Value::Number(number) => Some(*number),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        Value::String(text) => {
            evaluator.budget.scan(text.len())?;
            read(text)
        }
        _ => None,
    };
    match number {
        Some(number) => Ok(Some(Value::Number(number))),
        None => Err(Fault::new("D3030").value(Some(value.clone())).index(1)),
    }
}

fn read(text: &str) -> Option<f64> {
    if is_decimal(text) {
        return text.parse::<f64>().ok().filter(|number| number.is_finite());
    }
    looks_like_radix(text).then(|| javascript_number(text))
}

/// Digits, perhaps with sign, fraction and exponent, and nothing else.
fn is_decimal(text: &str) -> bool {
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|char: char| char.is_ascii_digit()).len();
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits(exponent);
        if length == 0 {
            return false;
        }
        rest = &exponent[length..];
    }
    whole > 0 && rest.is_empty()
}

/// The language's test for other bases is lax: hexadecimal counts at the start, octal anywhere,
/// binary at the end.
fn looks_like_radix(text: &str) -> bool {
    let prefixed = |text: &str, letters: [&str; 2], radix: u32| {
        letters.iter().any(|prefix| {
            let found = text.strip_prefix(prefix);
            found.is_some_and(|rest| rest.starts_with(|char: char| char.is_digit(radix)))
        })
    };
    if prefixed(text, ["0x", "0X"], 16) {
        return true;
    }
    let octal = text.match_indices('0').any(|(at, _)| prefixed(&text[at..], ["0o", "0O"], 8));
    let bits = text.trim_end_matches(['0', '1']);
    let binary = bits.len() < text.len() && (bits.ends_with("0b") || bits.ends_with("0B"));
    octal || binary
}

/// JavaScript's `Number(text)` for a text with a radix prefix somewhere in it.
fn javascript_number(text: &str) -> f64 {
    let text = text.trim();
    let Some((prefix, digits)) = text.split_at_checked(2) else { return f64::NAN };
    let radix = match prefix {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return f64::NAN,
    };
    let mut number = 0.0;
    for digit in digits.chars() {
        let Some(digit) = digit.to_digit(radix) else { return f64::NAN };
        number = number * f64::from(radix) + f64::from(digit);
    }
    if digits.is_empty() { f64::NAN } else { number }
}
