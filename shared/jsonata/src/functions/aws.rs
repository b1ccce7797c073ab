//! What Step Functions adds to the language.

use sha2::Digest as _;

use super::arguments::{NOTHING, array, given_text, made, number, text};
use crate::{
    error::{Fault, Outcome},
    evaluate::{Bag, Evaluator},
    parse::signature::Arguments,
    value::{Value, array::SEQUENCE},
};

/// The code of failures of these functions.
const CODE: &str = "D3200";

pub(super) fn random(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let drawn = match number(arguments, 0)? {
        Some(seed) => seeded(seed),
        None => evaluator.host.random(),
    };
    Ok(Some(Value::Number(drawn)))
}

/// The same number from 0 to 1 for the same seed, by the mixing function of SplitMix64.
fn seeded(seed: f64) -> f64 {
    let mut mixed = seed.to_bits().wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are kept, as many as a number holds")]
    let fraction = (mixed >> 11) as f64;
    fraction / 9_007_199_254_740_992.0
}

pub(super) fn uuid(evaluator: &mut Evaluator<'_>, _: &Arguments) -> Outcome<Option<Value>> {
    let uuid = evaluator.host.uuid();
    made(uuid, evaluator)
}

pub(super) fn partition(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(array) = array(arguments, 0)? else { return NOTHING };
    let Some(size) = number(arguments, 1)? else { return NOTHING };
    let size = size.round();
    if size.is_nan() || size < 1.0 {
        let why = "The second argument of the partition function must be a number above zero";
        return Err(Fault::said(CODE, why));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, 1 or more"
    )]
    let size = size as usize;
    let mut chunks = Bag::default();
    for chunk in array.chunks(size) {
        let mut part = Bag::default();
        part.extend(chunk, evaluator.budget)?;
        evaluator.budget.step(1)?;
        chunks.push(part.array(evaluator.budget)?, evaluator.budget)?;
    }
    chunks.array(evaluator.budget).map(Some)
}

/// The numbers from the first to the last, both included; a single one is not in an array.
pub(super) fn range(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let (Some(first), Some(last), Some(step)) =
        (number(arguments, 0)?, number(arguments, 1)?, number(arguments, 2)?)
    else {
        return NOTHING;
    };
    if ![first, last, step].iter().all(|number| number.is_finite()) || step == 0.0 {
        let why = "The arguments of the range function must be numbers, the third one not zero";
        return Err(Fault::said(CODE, why));
    }
    let mut numbers = Bag::default();
    let mut at = 0.0;
    loop {
        let next = first + at * step;
        if (step > 0.0 && next > last) || (step < 0.0 && next < last) {
            break;
        }
        evaluator.budget.step(1)?;
        numbers.push(Value::Number(next), evaluator.budget)?;
        at += 1.0;
    }
    numbers.finish(SEQUENCE, evaluator.budget).map(|numbers| Some(Value::Array(numbers)))
}

pub(super) fn hash(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    let algorithm = given_text(arguments, 1)?;
    evaluator.budget.step(text.len() / 8)?;
    let digest: Vec<u8> = match &**algorithm {
        "MD5" => md5::Md5::digest(text.as_bytes()).to_vec(),
        "SHA-1" => sha1::Sha1::digest(text.as_bytes()).to_vec(),
        "SHA-256" => sha2::Sha256::digest(text.as_bytes()).to_vec(),
        "SHA-384" => sha2::Sha384::digest(text.as_bytes()).to_vec(),
        "SHA-512" => sha2::Sha512::digest(text.as_bytes()).to_vec(),
        _ => {
            let why = "The second argument of the hash function must be one of MD5, SHA-1, SHA-256, \
                       SHA-384 and SHA-512";
            return Err(Fault::said(CODE, why));
        }
    };
    let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    made(hex, evaluator)
}

pub(super) fn parse(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(text) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.step(text.len() / 4)?;
    // The worst is an object in every few bytes, such as `[{},{}]`.
    evaluator.budget.alloc(text.len().saturating_mul(64))?;
    match Value::from_json_text(text) {
        Ok(value) => Ok(Some(value)),
        Err(why) => Err(Fault::said(CODE, &format!("The argument of the parse function is {why}"))),
    }
}
