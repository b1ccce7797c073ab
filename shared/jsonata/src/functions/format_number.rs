//! `$formatNumber`: numbers by picture, after XPath's `format-number`.

use super::{
    arguments::{NOTHING, given_text, made, number, object},
    integer::every,
    number::rounded,
    signs::{Chars, Signs, count, find, find_last, split},
};
use crate::{
    error::{Fault, Outcome},
    evaluate::Evaluator,
    parse::signature::Arguments,
    value::{
        Value,
        number::{to_fixed, to_text},
    },
};

pub(super) fn format_number(
    evaluator: &mut Evaluator<'_>,
    arguments: &Arguments,
) -> Outcome<Option<Value>> {
    let Some(value) = number(arguments, 0)? else { return NOTHING };
    let picture = given_text(arguments, 1)?;
    evaluator.budget.step(picture.len())?;
    evaluator.budget.alloc(picture.len().saturating_mul(64))?;
    let signs = Signs::read(object(arguments, 2)?.as_ref())?;
    let picture: Chars = picture.chars().collect();
    let parts = split(&picture, &signs.pattern);
    if parts.len() > 2 {
        return Err(Fault::new("D3080"));
    }
    let parts: Vec<Parts> =
        parts.into_iter().map(|part| Parts::read(part, &signs)).collect::<Outcome<_>>()?;
    parts.iter().try_for_each(|part| part.validate(&signs))?;
    let mut layouts = parts.iter().map(|part| Layout::read(part, &signs));
    let Some(positive) = layouts.next() else { return NOTHING };
    let layout = if value >= 0.0 {
        positive
    } else {
        layouts.next().unwrap_or_else(|| positive.with_prefix(&signs.minus))
    };
    made(layout.write(value, &signs)?.into_iter().collect(), evaluator)
}

/// A picture for one sign, taken apart.
struct Parts {
    whole: Chars,
    prefix: Chars,
    suffix: Chars,
    active: Chars,
    mantissa: Chars,
    exponent: Option<Chars>,
    integer: Chars,
    fraction: Chars,
}

impl Parts {
    fn read(whole: Chars, signs: &Signs) -> Outcome<Self> {
        let counts = |char: &char| signs.is_active(*char) && [*char] != *signs.exponent;
        let (Some(first), Some(last)) =
            (whole.iter().position(counts), whole.iter().rposition(counts))
        else {
            return Err(Fault::new("D3086"));
        };
        let prefix = whole[..first].to_vec();
        let suffix = whole[last + 1..].to_vec();
        let active = whole[first..=last].to_vec();
        let exponent_at = find(&whole, &signs.exponent, first).filter(|at| *at <= last + 1);
        // The language takes this place, which is within the whole picture, within the active part.
        let (mantissa, exponent) = match exponent_at {
            Some(at) => {
                let after = active.get(at + 1..).unwrap_or_default();
                (active[..at.min(active.len())].to_vec(), Some(after.to_vec()))
            }
            None => (active.clone(), None),
        };
        let (integer, fraction) = match find(&mantissa, &signs.decimal, 0) {
            Some(at) => {
                (mantissa[..at].to_vec(), mantissa.get(at + 1..).unwrap_or_default().to_vec())
            }
            None => (mantissa.clone(), suffix.clone()),
        };
        Ok(Self { whole, prefix, suffix, active, mantissa, exponent, integer, fraction })
    }

    /// The last rule broken is the one reported.
    fn validate(&self, signs: &Signs) -> Outcome<()> {
        match self.broken(signs).into_iter().rev().find(|(broken, _)| *broken) {
            Some((_, code)) => Err(Fault::new(code)),
            None => Ok(()),
        }
    }

    fn broken(&self, signs: &Signs) -> [(bool, &'static str); 13] {
        let twice = |sign: &[char]| find(&self.whole, sign, 0) != find_last(&self.whole, sign);
        let has = |sign: &[char]| find(&self.whole, sign, 0).is_some();
        let per = has(&signs.percent) || has(&signs.per_mille);
        let decimal = find(&self.whole, &signs.decimal, 0);
        let is_grouping = |at: Option<usize>| {
            let char = at.and_then(|at| self.whole.get(at));
            char.is_some_and(|char| [*char] == *signs.grouping)
        };
        let beside =
            decimal.is_some_and(|at| is_grouping(at.checked_sub(1)) || is_grouping(Some(at + 1)));
        let ends = self.integer.last().is_some_and(|last| [*last] == *signs.grouping);
        let double = [&*signs.grouping, &*signs.grouping].concat();
        let exponent = self.exponent.as_deref();
        [
            (twice(&signs.decimal), "D3081"),
            (twice(&signs.percent), "D3082"),
            (twice(&signs.per_mille), "D3083"),
            (has(&signs.percent) && has(&signs.per_mille), "D3084"),
            (count(&self.mantissa, |char| signs.is_placeholder(char)) == 0, "D3085"),
            (count(&self.active, |char| !signs.is_active(char)) > 0, "D3086"),
            (beside, "D3087"),
            (decimal.is_none() && ends, "D3088"),
            (has(&double), "D3089"),
            (self.digit_before_optional(signs), "D3090"),
            (self.digit_after_optional(signs), "D3091"),
            (per && exponent.is_some_and(|exponent| !exponent.is_empty()), "D3092"),
            (
                exponent.is_some_and(|part| {
                    part.is_empty() || count(part, |char| !signs.is_digit(char)) > 0
                }),
                "D3093",
            ),
        ]
    }

    fn digit_before_optional(&self, signs: &Signs) -> bool {
        let at = find(&self.integer, &signs.digit, 0);
        at.is_some_and(|at| count(&self.integer[..at], |char| signs.is_digit(char)) > 0)
    }

    fn digit_after_optional(&self, signs: &Signs) -> bool {
        let at = find_last(&self.fraction, &signs.digit);
        at.is_some_and(|at| count(&self.fraction[at..], |char| signs.is_digit(char)) > 0)
    }

    /// How many digits stand beside each separator; further ones are looked for in the integer
    /// part, whichever part this is about.
    fn grouping(&self, part: &[char], to_the_left: bool, signs: &Signs) -> Vec<usize> {
        let mut places = Vec::new();
        let mut found = find(part, &signs.grouping, 0);
        while let Some(at) = found {
            let cut = at.min(part.len());
            let side = if to_the_left { &part[..cut] } else { &part[cut..] };
            places.push(count(side, |char| signs.is_placeholder(char)));
            found = find(&self.integer, &signs.grouping, at + 1).filter(|next| *next > at);
        }
        places
    }
}

/// How numbers are laid out by a picture.
struct Layout {
    prefix: Chars,
    suffix: Chars,
    whole: Chars,
    grouping: Vec<usize>,
    every: Option<usize>,
    fraction_grouping: Vec<usize>,
    least_integer: usize,
    scale: usize,
    least_fraction: usize,
    most_fraction: usize,
    least_exponent: usize,
}

impl Layout {
    fn read(parts: &Parts, signs: &Signs) -> Self {
        let grouping = parts.grouping(&parts.integer, false, signs);
        let scale = count(&parts.integer, |char| signs.is_digit(char));
        let mut least_integer = scale;
        let mut least_fraction = count(&parts.fraction, |char| signs.is_digit(char));
        let mut most_fraction = count(&parts.fraction, |char| signs.is_placeholder(char));
        let exponent = parts.exponent.is_some();
        if least_integer == 0 && most_fraction == 0 {
            if exponent {
                (least_fraction, most_fraction) = (1, 1);
            } else {
                least_integer = 1;
            }
        }
        if exponent && least_integer == 0 && find(&parts.integer, &signs.digit, 0).is_some() {
            least_integer = 1;
        }
        if least_integer == 0 && least_fraction == 0 {
            least_fraction = 1;
        }
        Self {
            prefix: parts.prefix.clone(),
            suffix: parts.suffix.clone(),
            whole: parts.whole.clone(),
            every: every(&grouping),
            grouping,
            fraction_grouping: parts.grouping(&parts.fraction, true, signs),
            least_integer,
            scale,
            least_fraction,
            most_fraction,
            least_exponent: parts.exponent.as_ref().map_or(0, Vec::len),
        }
    }

    fn with_prefix(mut self, sign: &[char]) -> Self {
        self.prefix = [sign, &self.prefix].concat();
        self
    }

    fn write(&self, value: f64, signs: &Signs) -> Outcome<Chars> {
        let has = |sign: &[char]| find(&self.whole, sign, 0).is_some();
        let adjusted = if has(&signs.percent) {
            value * 100.0
        } else if has(&signs.per_mille) {
            value * 1000.0
        } else {
            value
        };
        let (mantissa, exponent) = self.normalised(adjusted)?;
        #[expect(clippy::cast_precision_loss, reason = "a picture is shorter than 2^53")]
        let number = rounded(mantissa, Some(self.most_fraction as f64));
        let mut text = digits(number, self.most_fraction, signs)?;
        self.trim(&mut text, signs);
        self.pad(&mut text, signs);
        self.group(&mut text, signs);
        let point = find(&text, &signs.decimal, 0);
        if !has(&signs.decimal) || point.is_some_and(|point| point + 1 == text.len()) {
            text.pop();
        }
        if let Some(exponent) = exponent {
            text.extend(&signs.exponent);
            if exponent < 0.0 {
                text.extend(&signs.minus);
            }
            let size = digits(exponent, 0, signs)?;
            let zero = signs.zero.iter().cycle();
            text.extend(
                zero.take(self.least_exponent.saturating_sub(size.len()) * signs.zero.len()),
            );
            text.extend(size);
        }
        Ok([&*self.prefix, &text, &self.suffix].concat())
    }

    /// Mantissa and exponent, if the picture has one. Zero stays zero, and signs do not count:
    /// JavaScript's loop would not end for them.
    fn normalised(&self, number: f64) -> Outcome<(f64, Option<f64>)> {
        if self.least_exponent == 0 {
            return Ok((number, None));
        }
        if number.is_infinite() {
            return Err(Fault::said("RangeError", "A number that is not finite has no exponent"));
        }
        #[expect(clippy::cast_precision_loss, reason = "a picture is shorter than 2^53")]
        let scale = self.scale as f64;
        let (most, least) = (10_f64.powf(scale), 10_f64.powf(scale - 1.0));
        let (mut mantissa, mut exponent) = (number.abs(), 0.0);
        while mantissa < least && mantissa > 0.0 && least.is_finite() {
            mantissa *= 10.0;
            exponent -= 1.0;
        }
        while mantissa > most {
            mantissa /= 10.0;
            exponent += 1.0;
        }
        Ok((mantissa, Some(exponent)))
    }

    /// Puts the decimal separator in and takes zeros at both ends away.
    fn trim(&self, text: &mut Chars, signs: &Signs) {
        match text.iter().position(|char| *char == '.') {
            Some(point) => drop(text.splice(point..=point, signs.decimal.iter().copied())),
            None => text.extend(&signs.decimal),
        }
        let is_zero = |char: &char| [*char] == *signs.zero;
        let leading = text.iter().take_while(|char| is_zero(char)).count();
        text.drain(..leading);
        let trailing = text.iter().rev().take_while(|char| is_zero(char)).count();
        text.truncate(text.len() - trailing);
    }

    fn pad(&self, text: &mut Chars, signs: &Signs) {
        let point = find(text, &signs.decimal, 0).unwrap_or(0);
        let fraction = text.len().saturating_sub(point + 1);
        let zeros =
            |count: usize| signs.zero.iter().copied().cycle().take(count * signs.zero.len());
        text.splice(0..0, zeros(self.least_integer.saturating_sub(point)));
        text.extend(zeros(self.least_fraction.saturating_sub(fraction)));
    }

    fn group(&self, text: &mut Chars, signs: &Signs) {
        let mut point = find(text, &signs.decimal, 0).unwrap_or(0);
        let put = |text: &mut Chars, at: usize| {
            let at = at.min(text.len());
            text.splice(at..at, signs.grouping.iter().copied());
        };
        match self.every {
            Some(every) => {
                for group in 1..=point.saturating_sub(1) / every {
                    put(text, point - group * every);
                }
            }
            None => {
                for place in &self.grouping {
                    // For a number too short JavaScript counts from the end.
                    let at = point.checked_sub(*place);
                    put(text, at.unwrap_or_else(|| (text.len() + point).saturating_sub(*place)));
                    point += 1;
                }
            }
        }
        let point = find(text, &signs.decimal, 0).unwrap_or(0);
        for place in &self.fraction_grouping {
            put(text, place + point + 1);
        }
    }
}

/// The digits of a number's size, in the family of the zero.
fn digits(number: f64, places: usize, signs: &Signs) -> Outcome<Chars> {
    if places > 100 {
        return Err(Fault::said(
            "RangeError",
            "toFixed() digits argument must be between 0 and 100",
        ));
    }
    let size = number.abs();
    let text = if size.is_finite() { to_fixed(size, places) } else { to_text(size) };
    let in_family = |char: char| match char.to_digit(10) {
        Some(digit) if *signs.zero != ['0'] => signs.digits[digit as usize % 10],
        _ => char,
    };
    Ok(text.chars().map(in_family).collect())
}
