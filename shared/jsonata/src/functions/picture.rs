//! Date and time pictures such as `[Y0001]-[M01]-[D01]`.

use super::{
    integer::{self, Case, Format, Primary},
    integer_read,
};
use crate::{
    budget::Budget,
    error::{Fault, Outcome},
    value::Value,
};

pub(super) enum Piece {
    Literal(String),
    Marker(Marker),
}

/// A variable part of a picture.
pub(super) struct Marker {
    pub(super) component: char,
    pub(super) longest: Option<f64>,
    /// `t`: a time zone of zero is `Z`.
    pub(super) traditional: bool,
    pub(super) names: Option<Case>,
    pub(super) format: Option<Format>,
    /// How many digits a year, month or day has; -1 for as many as needed.
    pub(super) digits: Option<f64>,
}

/// Reads a picture.
pub(super) fn analyse(picture: &str, budget: &mut Budget) -> Outcome<Vec<Piece>> {
    budget.step(picture.len())?;
    budget.alloc(picture.len() * 64)?;
    let mut pieces = Vec::new();
    let mut rest = picture;
    while let Some(at) = rest.find('[') {
        literal(&rest[..at], &mut pieces);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('[') {
            pieces.push(Piece::Literal("[".to_owned()));
            rest = after;
            continue;
        }
        let Some(end) = rest.find(']') else { return Err(Fault::new("D3135")) };
        pieces.push(Piece::Marker(marker(&rest[..end], budget)?));
        rest = &rest[end + 1..];
    }
    literal(rest, &mut pieces);
    Ok(pieces)
}

fn literal(text: &str, pieces: &mut Vec<Piece>) {
    if !text.is_empty() {
        pieces.push(Piece::Literal(text.replace("]]", "]")));
    }
}

fn default_presentation(component: char) -> Option<&'static str> {
    Some(match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => return None,
    })
}

fn marker(text: &str, budget: &mut Budget) -> Outcome<Marker> {
    let text: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    let mut chars = text.chars();
    let component = chars.next();
    let unknown = || {
        let component = component.map(String::from).unwrap_or_default();
        Fault::new("D3132").value(Some(Value::from(component)))
    };
    let Some(letter) = component else { return Err(unknown()) };
    let (presentation, width) = match text.rfind(',') {
        Some(0) => ("", Some(&text[1..])),
        Some(comma) => (&text[letter.len_utf8()..comma], Some(&text[comma + 1..])),
        None => (chars.as_str(), None),
    };
    let (shortest, longest) = width.map_or((None, None), widths);
    let (first, second) = split_presentation(presentation);
    let first = if presentation.is_empty() {
        default_presentation(letter).ok_or_else(unknown)?
    } else {
        first
    };
    let mut marker = Marker {
        component: letter,
        longest,
        traditional: second == Some('t'),
        names: names(first),
        format: None,
        digits: None,
    };
    if marker.names.is_none() && "YMDdFWwXxHhmsf".contains(letter) {
        let picture = second.map_or_else(|| first.to_owned(), |second| format!("{first};{second}"));
        let mut format = integer::analyse(&picture, budget)?;
        marker.digits = widen(&mut format, letter, shortest, longest);
        marker.format = Some(format);
    }
    if matches!(letter, 'Z' | 'z') {
        marker.format = Some(integer::analyse(first, budget)?);
    }
    Ok(marker)
}

/// The last letter of a presentation may be a modifier of its own.
fn split_presentation(presentation: &str) -> (&str, Option<char>) {
    match presentation.chars().next_back() {
        Some(last @ ('a' | 't' | 'c' | 'o')) if presentation.len() > 1 => {
            (&presentation[..presentation.len() - 1], Some(last))
        }
        _ => (presentation, None),
    }
}

fn names(presentation: &str) -> Option<Case> {
    match presentation.as_bytes() {
        [b'n', ..] => Some(Case::Lower),
        [b'N', b'n', ..] => Some(Case::Title),
        [b'N', ..] => Some(Case::Upper),
        _ => None,
    }
}

/// Shortest and longest, from `2-4`; a star and what is no number mean nothing.
fn widths(text: &str) -> (Option<f64>, Option<f64>) {
    let read = |text: &str| {
        let width = integer_read::leading_integer(text);
        (text != "*" && !width.is_nan()).then_some(width)
    };
    match text.split_once('-') {
        Some((shortest, longest)) => (read(shortest), read(longest)),
        None => (read(text), None),
    }
}

/// Lets the width modifier have its say; answers how many digits a year, month or day has.
fn widen(
    format: &mut Format,
    component: char,
    shortest: Option<f64>,
    longest: Option<f64>,
) -> Option<f64> {
    let Primary::Decimal(digits) = &mut format.primary else {
        return "YMD".contains(component).then_some(longest.unwrap_or(-1.0));
    };
    if let Some(shortest) = shortest {
        digits.mandatory = digits.mandatory.max(shortest);
    }
    if !"YMD".contains(component) {
        return None;
    }
    if let Some(longest) = longest {
        digits.mandatory = longest;
        return Some(longest);
    }
    #[expect(clippy::cast_precision_loss, reason = "a picture is shorter than 2^53")]
    let width = digits.mandatory + digits.optional as f64;
    Some(if width >= 2.0 { width } else { -1.0 })
}
