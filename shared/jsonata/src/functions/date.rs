//! Builtins on time: writing moments by picture.

use super::{
    arguments::{NOTHING, made, number, text},
    date_parts::{DAYS, Date, MONTHS, Part},
    date_read,
    integer::{self, Case, Primary, Separators},
    integer_read::leading_integer,
    picture::{self, Marker, Piece},
};
use crate::{
    budget::Budget,
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::Value,
};

/// The picture of ISO 8601.
const ISO: &str = "[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01].[f001][Z01:01t]";

pub(super) fn millis(evaluator: &mut Evaluator<'_>, _: &Arguments) -> Outcome<Option<Value>> {
    Ok(Some(Value::Number(now_millis(evaluator))))
}

#[expect(clippy::cast_precision_loss, reason = "a time of day in this age is below 2^53")]
pub(super) fn now_millis(evaluator: &mut Evaluator<'_>) -> f64 {
    evaluator.millis() as f64
}

pub(super) fn now(evaluator: &mut Evaluator<'_>, arguments: &Arguments) -> Outcome<Option<Value>> {
    let millis = now_millis(evaluator);
    let (picture, zone) = (text(arguments, 0)?, text(arguments, 1)?);
    let text =
        write(millis, picture.map(|text| &**text), zone.map(|text| &**text), evaluator.budget)?;
    made(text, evaluator)
}

pub(super) fn from_millis(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(millis) = number(arguments, 0)? else { return NOTHING };
    let (picture, zone) = (text(arguments, 1)?, text(arguments, 2)?);
    let text =
        write(millis, picture.map(|text| &**text), zone.map(|text| &**text), evaluator.budget)?;
    made(text, evaluator)
}

pub(super) fn to_millis(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(moment) = text(arguments, 0)? else { return NOTHING };
    evaluator.budget.step(moment.len())?;
    match text(arguments, 1)? {
        None => date_read::iso(moment).map(|millis| Some(Value::Number(millis))),
        Some(picture) => {
            let millis = date_read::by_picture(moment, picture, evaluator)?;
            Ok(millis.map(Value::Number))
        }
    }
}

/// Hours and minutes east of Greenwich.
struct Offset {
    hours: f64,
    minutes: f64,
}

fn write(
    millis: f64,
    picture: Option<&str>,
    zone: Option<&str>,
    budget: &mut Budget,
) -> Outcome<String> {
    let offset = match zone {
        Some(zone) => {
            let offset = leading_integer(zone);
            Offset { hours: (offset / 100.0).floor(), minutes: offset % 100.0 }
        }
        None => Offset { hours: 0.0, minutes: 0.0 },
    };
    let pieces = picture::analyse(picture.unwrap_or(ISO), budget)?;
    let date = Date::new(millis + (60.0 * offset.hours + offset.minutes) * 60_000.0);
    let mut out = String::new();
    for piece in &pieces {
        let text = match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Marker(marker) => component(&date, marker, &offset, budget)?,
        };
        budget.alloc(text.len() * 2)?;
        budget.step(1)?;
        out.push_str(&text);
    }
    Ok(out)
}

fn component(
    date: &Date,
    marker: &Marker,
    offset: &Offset,
    budget: &mut Budget,
) -> Outcome<String> {
    let part = date.part(marker.component);
    match marker.component {
        'Z' | 'z' => zone(marker, offset, budget),
        'P' => Ok(match (part, marker.names) {
            (Part::Text(text), Some(Case::Upper)) => text.to_uppercase(),
            (part, _) => part.text(),
        }),
        'f' => match (&marker.format, part) {
            (Some(format), Part::Number(number)) => integer::write(number, format, budget),
            _ => Err(Fault::type_error("Fractional seconds have no name")),
        },
        _ => match part {
            Part::Number(number) => numeric(number, marker, budget),
            part => Ok(part.text()),
        },
    }
}

fn numeric(mut number: f64, marker: &Marker, budget: &mut Budget) -> Outcome<String> {
    if marker.component == 'Y'
        && let Some(digits) = marker.digits
        && digits != -1.0
    {
        number %= 10_f64.powf(digits);
    }
    match (&marker.format, marker.names) {
        (_, Some(case)) => name(number, marker, case),
        (Some(format), None) => integer::write(number, format, budget),
        (None, None) => Ok(Part::Number(number).text()),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn name(number: f64, marker: &Marker, case: Case) -> Outcome<String> {
    let at = (number as usize).wrapping_sub(1);
    let name = match marker.component {
        'M' | 'x' => MONTHS.get(at),
        'F' => DAYS.get(at),
        other => return Err(Fault::new("D3133").value(Some(Value::from(other.to_string())))),
    };
    let Some(name) = name else { return Err(Fault::type_error("There is no such moment in time")) };
    let name = match case {
        Case::Upper => name.to_uppercase(),
        Case::Lower => name.to_lowercase(),
        Case::Title => (*name).to_owned(),
    };
    let longest = marker.longest.map_or(usize::MAX, |longest| longest.max(0.0) as usize);
    Ok(name.chars().take(longest).collect())
}

fn zone(marker: &Marker, offset: &Offset, budget: &mut Budget) -> Outcome<String> {
    let Some(format) = &marker.format else { return Ok(String::new()) };
    let together = offset.hours * 100.0 + offset.minutes;
    let (regular, digits) = match &format.primary {
        Primary::Decimal(digits) => {
            (matches!(digits.separators, Separators::Regular { .. }), digits.mandatory)
        }
        _ => (false, f64::NAN),
    };
    let mut text = if regular || digits == 3.0 || digits == 4.0 {
        integer::write(together, format, budget)?
    } else if digits == 1.0 || digits == 2.0 {
        let mut text = integer::write(offset.hours, format, budget)?;
        if offset.minutes != 0.0 {
            text.push(':');
            let two = integer::analyse("00", budget)?;
            text.push_str(&integer::write(offset.minutes, &two, budget)?);
        }
        text
    } else {
        return Err(Fault::new("D3134").value(Some(Value::Number(digits))));
    };
    if together >= 0.0 {
        text.insert(0, '+');
    }
    if marker.component == 'z' {
        text.insert_str(0, "GMT");
    }
    if together == 0.0 && marker.traditional {
        "Z".clone_into(&mut text);
    }
    Ok(text)
}
