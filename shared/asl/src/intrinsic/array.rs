//! Intrinsic functions on lists and numbers.

use std::collections::HashSet;

use serde_json::{Number, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    entropy::{self, Entropy},
    path::equal,
};

/// Most items `States.ArrayRange` makes.
const MAX_RANGE: i64 = 1000;

pub(super) fn partition(list: &Value, size: &Value) -> Result<Value, String> {
    let size = usize::try_from(integer(size)?).ok().filter(|size| *size > 0);
    let size = size.ok_or("the chunk size must be a positive integer")?;
    Ok(items(list)?.chunks(size).map(|chunk| Value::Array(chunk.to_vec())).collect())
}

pub(super) fn contains(list: &Value, wanted: &Value) -> Result<Value, String> {
    Ok(json!(items(list)?.iter().any(|item| equal(item, wanted))))
}

pub(super) fn range(first: &Value, last: &Value, step: &Value) -> Result<Value, String> {
    let (first, last, step) = (integer(first)?, integer(last)?, integer(step)?);
    if step == 0 {
        return Err("the increment must not be zero".to_owned());
    }
    let span = i128::from(last) - i128::from(first);
    let count = span / i128::from(step) + 1;
    if span.signum() * i128::from(step.signum()) < 0 {
        return Ok(json!([]));
    }
    if count > i128::from(MAX_RANGE) {
        return Err(format!("the range holds more than {MAX_RANGE} items"));
    }
    let count = i64::try_from(count).map_err(|error| error.to_string())?;
    Ok((0..count).map(|index| json!(first + index * step)).collect())
}

pub(super) fn item(list: &Value, index: &Value) -> Result<Value, String> {
    let position = integer(index)?;
    let found = usize::try_from(position).ok().and_then(|at| items(list).ok()?.get(at).cloned());
    items(list)?;
    found.ok_or_else(|| format!("the index {position} is outside the array"))
}

pub(super) fn length(list: &Value) -> Result<Value, String> {
    Ok(json!(items(list)?.len()))
}

/// Keeps the first of equal items. Numbers of one value are one, however written.
pub(super) fn unique(list: &Value) -> Result<Value, String> {
    let mut seen = HashSet::new();
    Ok(items(list)?.iter().filter(|item| seen.insert(canonical(item))).cloned().collect())
}

/// A text that equal values share.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |n| n.to_string())
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        Value::Object(fields) => {
            let mut parts: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", json!(name), canonical(value)))
                .collect();
            parts.sort();
            format!("{{{}}}", parts.join(","))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
    }
}

pub(super) fn add(left: &Value, right: &Value) -> Result<Value, String> {
    let sum = integer(left)?.checked_add(integer(right)?);
    sum.map(|sum| json!(sum)).ok_or_else(|| "the sum is out of range".to_owned())
}

/// `start ≤ x < end`; with a seed the number follows from the seed alone.
pub(super) fn random(
    start: &Value,
    end: &Value,
    seed: Option<&Value>,
    entropy: &Entropy<'_>,
) -> Result<Value, String> {
    let (start, end) = (integer(start)?, integer(end)?);
    if start >= end {
        return Err("the start must be less than the end".to_owned());
    }
    let unit = match seed {
        None => entropy.unit(),
        Some(seed) => {
            let bytes: [u8; 32] = Sha256::digest(integer(seed)?.to_be_bytes()).into();
            entropy::unit(&bytes)
        }
    };
    let width = i128::from(end) - i128::from(start);
    // 2^53 steps are enough for every width a double can tell apart.
    #[expect(clippy::cast_possible_truncation, reason = "a unit below 1 times 2^53 fits an i64")]
    let step = (unit * 9_007_199_254_740_992.0) as i64;
    let offset = width * i128::from(step) / 9_007_199_254_740_992;
    i64::try_from(i128::from(start) + offset).map(|n| json!(n)).map_err(|error| error.to_string())
}

fn items(value: &Value) -> Result<&[Value], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("an array was expected, not {value}"))
}

/// A number rounded half towards plus infinity, as AWS does: −1.5 becomes −1.
fn integer(value: &Value) -> Result<i64, String> {
    let wrong = || format!("a number was expected, not {value}");
    let number = value.as_number().ok_or_else(wrong)?;
    number.as_i64().or_else(|| rounded(number)).ok_or_else(|| format!("{value} is out of range"))
}

fn rounded(number: &Number) -> Option<i64> {
    let rounded = (number.as_f64()? + 0.5).floor();
    #[expect(clippy::cast_possible_truncation, reason = "checked to lie within i64")]
    (rounded.abs() < 9.2e18).then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operand_is_rounded_half_up_before_adding() {
        for (left, right, sum) in
            [(1.49, 1.5, 3), (-1.5, 0.0, -1), (-2.5, 0.0, -2), (-0.5, 0.0, 0), (2.5, 0.0, 3)]
        {
            assert_eq!(add(&json!(left), &json!(right)), Ok(json!(sum)), "{left} + {right}");
        }
    }

    #[test]
    fn a_range_includes_its_end_and_has_a_limit() {
        assert_eq!(range(&json!(1), &json!(9), &json!(2)), Ok(json!([1, 3, 5, 7, 9])));
        assert_eq!(range(&json!(3), &json!(1), &json!(-1)), Ok(json!([3, 2, 1])));
        assert!(range(&json!(0), &json!(1000), &json!(1)).is_err());
        assert!(range(&json!(i64::MIN), &json!(i64::MAX), &json!(1)).is_err());
        assert!(range(&json!(0), &json!(1), &json!(0)).is_err());
    }

    #[test]
    fn unique_keeps_the_first_of_equal_values() {
        let list = json!([1, 1.0, "1", [1], [1.0], {"a": 1, "b": 2}, {"b": 2, "a": 1}]);
        assert_eq!(unique(&list), Ok(json!([1, "1", [1], {"a": 1, "b": 2}])));
    }

    #[test]
    fn a_random_number_stays_in_its_bounds() {
        let seed = [3; 32];
        for place in 0..200 {
            let entropy = Entropy::new(&seed, place);
            let drawn = random(&json!(-2), &json!(3), None, &entropy).ok().and_then(|n| n.as_i64());
            assert!(drawn.is_some_and(|n| (-2..3).contains(&n)), "{drawn:?}");
        }
    }
}
