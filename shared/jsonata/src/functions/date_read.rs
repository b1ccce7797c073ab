//! Reading moments: ISO 8601, and by picture.

use std::collections::BTreeMap;

use super::{
    date::now_millis,
    date_parts::{DAY, DAYS, Date, MONTHS, Part, plain_utc, utc},
    integer::{Case, Format, Primary, Separators},
    integer_read::{self, leading_integer},
    picture::{self, Marker, Piece},
    regex, words,
};
use crate::{
    error::{Fault, Outcome},
    evaluate::Evaluator,
    regex::Regex,
    value::Value,
};

/// Milliseconds of an ISO 8601 text; not a number if there is no such moment.
pub(super) fn iso(text: &str) -> Outcome<f64> {
    read_iso(text).ok_or_else(|| Fault::new("D3110").value(Some(Value::from(text))))
}

/// Digits of a fixed count, and the rest.
fn digits(text: &str, count: usize) -> Option<(f64, &str)> {
    let (head, rest) = text.split_at_checked(count)?;
    let all = head.bytes().all(|byte| byte.is_ascii_digit());
    Some((if all { head.parse().ok()? } else { return None }, rest))
}

/// The form the language admits; nothing if the text does not have it.
fn read_iso(text: &str) -> Option<f64> {
    let (year, mut rest) = digits(text, 4)?;
    let (mut month, mut day) = (1.0, 1.0);
    let mut valid = true;
    let mut fields = 0;
    // As many months and days as one likes: beyond one of each it is no moment, but has the form.
    while let Some((number, after)) = rest.strip_prefix('-').and_then(|rest| digits(rest, 2)) {
        if after.starts_with(':')
            || rest.len() > 3 && after.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        {
            break;
        }
        match fields {
            0 if number < 20.0 => month = number,
            1 if number < 40.0 => day = number,
            _ if number < 40.0 => valid = false,
            _ => return None,
        }
        fields += 1;
        rest = after;
    }
    let mut time = [0.0; 4];
    let mut times = 0;
    while let Some(after) = rest.strip_prefix('T') {
        let (hours, after) = digits(after, 2)?;
        let (minutes, after) = digits(after.strip_prefix(':')?, 2)?;
        let (seconds, after) = digits(after.strip_prefix(':')?, 2)?;
        if hours >= 30.0 || minutes >= 60.0 || seconds >= 60.0 {
            return None;
        }
        (time, rest) = ([hours, minutes, seconds, 0.0], after);
        times += 1;
    }
    let (fraction, rest) = fraction(rest)?;
    time[3] = fraction.unwrap_or(0.0);
    let zone = zone(rest)?;
    let timeless_zone = times == 0 && (fraction.is_some() || matches!(zone, Some((_, true))));
    let offset = zone.map_or(0.0, |(offset, _)| offset);
    let late = time[0] > 24.0 || (time[0] == 24.0 && time[1..] != [0.0; 3]);
    if !valid
        || times > 1
        || timeless_zone
        || late
        || !(1.0..=12.0).contains(&month)
        || !(1.0..=31.0).contains(&day)
    {
        return Some(f64::NAN);
    }
    Some(plain_utc(year, month - 1.0, day, time) - offset)
}

/// Milliseconds after a dot, if there is one.
fn fraction(text: &str) -> Option<(Option<f64>, &str)> {
    let Some(after) = text.strip_prefix('.') else { return Some((None, text)) };
    let end = after.find(|char: char| !char.is_ascii_digit()).unwrap_or(after.len());
    if end == 0 {
        return None;
    }
    let three: String = after[..end].chars().chain("00".chars()).take(3).collect();
    Some((Some(three.parse().ok()?), &after[end..]))
}

/// The zone at the end: milliseconds, and whether it was given in numbers.
fn zone(text: &str) -> Option<Option<(f64, bool)>> {
    if text.is_empty() {
        return Some(None);
    }
    if text == "Z" {
        return Some(Some((0.0, false)));
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1.0,
        b'-' => -1.0,
        _ => return None,
    };
    let (hours, rest) = digits(&text[1..], 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2)?;
    if !rest.is_empty() || hours >= 30.0 || minutes >= 60.0 {
        return None;
    }
    // No zone is a day away: there is no such moment.
    let hours = if hours > 23.0 { f64::NAN } else { hours };
    Some(Some((sign * (hours * 3_600_000.0 + minutes * 60_000.0), true)))
}

/// What the parts of a text say; `None` is a name that means nothing.
type Components = BTreeMap<char, Option<f64>>;

/// Milliseconds of a text by picture; nothing if it does not have that form.
pub(super) fn by_picture(
    text: &str,
    picture: &str,
    evaluator: &mut Evaluator<'_>,
) -> Outcome<Option<f64>> {
    let pieces = picture::analyse(picture, evaluator.budget)?;
    let mut pattern = String::from("^");
    for piece in &pieces {
        pattern.push_str(&format!("({})", piece_pattern(piece)?));
    }
    pattern.push('$');
    evaluator.budget.alloc(pattern.len() * 64)?;
    evaluator.budget.step(pattern.len())?;
    let regex = Regex::parse(&pattern, "i").map_err(|why| Fault::said("SyntaxError", &why))?;
    let units = regex::units(text, evaluator)?;
    let Some(hit) = regex::find(&regex, &units, 0, evaluator)? else { return Ok(None) };
    let mut components = Components::new();
    for (piece, found) in pieces.iter().zip(&hit.groups) {
        if let (Piece::Marker(marker), Some(found)) = (piece, found) {
            components.insert(marker.component, read_piece(marker, found)?);
        }
    }
    if components.is_empty() {
        return Ok(None);
    }
    assemble(components, evaluator).map(Some)
}

fn piece_pattern(piece: &Piece) -> Outcome<String> {
    let marker = match piece {
        Piece::Literal(text) => return Ok(escape(text)),
        Piece::Marker(marker) => marker,
    };
    match (&marker.format, marker.component) {
        (format, 'Z' | 'z') => {
            let mut pattern =
                String::from(if marker.component == 'z' { "GMT[-+][0-9]+" } else { "[-+][0-9]+" });
            if let Some(separator) = format.as_ref().and_then(zone_separator) {
                pattern.push(separator);
                pattern.push_str("[0-9]+");
            }
            Ok(pattern)
        }
        (Some(format), _) => integer_pattern(format, marker.digits),
        (None, 'M' | 'x' | 'F' | 'P') => Ok("[a-zA-Z]+".to_owned()),
        (None, other) => Err(Fault::new("D3133").value(Some(Value::from(other.to_string())))),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if ".*+?^${}()|[]\\".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

fn integer_pattern(format: &Format, width: Option<f64>) -> Outcome<String> {
    Ok(match &format.primary {
        Primary::Letters if format.case == Case::Upper => "[A-Z]+".to_owned(),
        Primary::Letters => "[a-z]+".to_owned(),
        Primary::Roman if format.case == Case::Upper => "[MDCLXVI]+".to_owned(),
        Primary::Roman => "[mdclxvi]+".to_owned(),
        Primary::Words => words::pattern(),
        Primary::Decimal(digits) => {
            let count = match width {
                Some(width) if width > 0.0 && digits.optional == 0 => format!("{{{width}}}"),
                #[expect(clippy::cast_precision_loss, reason = "a picture is shorter than 2^53")]
                Some(width) if width > 0.0 => {
                    format!("{{{},{width}}}", width - digits.optional as f64)
                }
                _ => "+".to_owned(),
            };
            format!("[0-9]{count}{}", if format.ordinal { "(?:th|st|nd|rd)" } else { "" })
        }
        Primary::Sequence(token) => {
            return Err(Fault::new("D3130").value(Some(Value::from(token.as_str()))));
        }
    })
}

fn zone_separator(format: &Format) -> Option<char> {
    match &format.primary {
        Primary::Decimal(digits) => match digits.separators {
            Separators::Regular { char, .. } => Some(char),
            Separators::Placed(_) => None,
        },
        _ => None,
    }
}

fn read_piece(marker: &Marker, text: &str) -> Outcome<Option<f64>> {
    match (&marker.format, marker.component) {
        (Some(format), 'Z' | 'z') => {
            Ok(Some(read_zone(text, marker.component, zone_separator(format))))
        }
        (Some(format), _) => integer_read::read(text, format).map(Some),
        (None, 'M' | 'x') => Ok(place_of(text, &MONTHS, marker)),
        (None, 'F') => Ok(place_of(text, &DAYS, marker)),
        (None, _) => Ok(match text {
            "am" | "AM" => Some(0.0),
            "pm" | "PM" => Some(1.0),
            _ => None,
        }),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small"
)]
fn place_of(text: &str, names: &[&str], marker: &Marker) -> Option<f64> {
    let longest = marker
        .longest
        .filter(|longest| *longest != 0.0)
        .map_or(usize::MAX, |longest| longest as usize);
    let short = |name: &str| name.chars().take(longest).collect::<String>();
    // Of names that are cut to the same text the last one counts.
    let place = names.iter().rposition(|name| short(name) == text)?;
    Some((place + 1) as f64)
}

/// Minutes east of Greenwich.
fn read_zone(text: &str, component: char, separator: Option<char>) -> f64 {
    let text = if component == 'z' { text.get(3..).unwrap_or("") } else { text };
    let (hours, minutes) = match separator.and_then(|separator| text.split_once(separator)) {
        Some((hours, minutes)) => (leading_integer(hours), leading_integer(minutes)),
        None if text.len() <= 3 => (leading_integer(text), 0.0),
        None => {
            let (hours, minutes) = text.split_at_checked(3).unwrap_or((text, ""));
            (leading_integer(hours), leading_integer(minutes))
        }
    };
    hours * 60.0 + minutes
}

/// Whether the parts given are among those of a form, and at least one is.
fn fits(components: &Components, all: &str, form: &str) -> bool {
    let given = |part: char| {
        components
            .get(&part)
            .copied()
            .flatten()
            .is_some_and(|value| value != 0.0 && !value.is_nan())
    };
    !all.chars().any(|part| given(part) && !form.contains(part)) && form.chars().any(given)
}

/// Puts the parts together: what is left out on the left is now, on the right zero.
fn assemble(mut components: Components, evaluator: &mut Evaluator<'_>) -> Outcome<f64> {
    const DATE: &str = "YXMxWwdD";
    const TIME: &str = "PHhmsf";
    let day_of_year = !fits(&components, DATE, "YMD") && fits(&components, DATE, "Yd");
    let week_of_month = fits(&components, DATE, "Xxw");
    let week_of_year = !week_of_month && fits(&components, DATE, "XW");
    let half_days = !fits(&components, TIME, "Hmsf") && fits(&components, TIME, "Phmsf");
    let date = match (day_of_year, week_of_month, week_of_year) {
        (true, ..) => "YD",
        (_, true, _) => "XxwF",
        (.., true) => "XWF",
        _ => "YMD",
    };
    let time = if half_days { "Phmsf" } else { "Hmsf" };
    fill_in(&mut components, &format!("{date}{time}"), now_millis(evaluator))?;
    if week_of_month || week_of_year {
        return Err(Fault::new("D3136"));
    }
    let get = |part: char| components.get(&part).copied().flatten().unwrap_or(f64::NAN);
    let mut month = if get('M') > 0.0 { get('M') - 1.0 } else { 0.0 };
    let mut day = get('D');
    if day_of_year {
        let derived = Date::new(utc(get('Y'), 0.0, 1.0, [0.0; 4]) + (get('d') - 1.0) * DAY);
        (month, day) = (derived.month(), derived.day());
    }
    let mut hours = get('H');
    if half_days {
        hours = if get('h') == 12.0 { 0.0 } else { get('h') };
        if get('P') == 1.0 {
            hours += 12.0;
        }
    }
    let millis = utc(get('Y'), month, day, [hours, get('m'), get('s'), get('f')]);
    let zone = [get('Z'), get('z')].into_iter().find(|zone| *zone != 0.0 && !zone.is_nan());
    Ok(millis - zone.unwrap_or(0.0) * 60_000.0)
}

fn fill_in(components: &mut Components, order: &str, now: f64) -> Outcome<()> {
    let now = Date::new(now);
    let (mut began, mut ended) = (false, false);
    for part in order.chars() {
        if components.get(&part).copied().flatten().is_some() {
            began = true;
            if ended {
                return Err(Fault::new("D3136"));
            }
            continue;
        }
        let value = if began {
            ended = true;
            if "MDd".contains(part) { 1.0 } else { 0.0 }
        } else {
            match now.part(part) {
                Part::Number(number) => number,
                Part::Text(_) | Part::Nothing => 2.0,
            }
        };
        components.insert(part, Some(value));
    }
    Ok(())
}
