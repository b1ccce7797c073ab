//! Numbers as JavaScript prints and rounds them.

/// A number as text: shortest digits that read back the same, exponent from 1e21 and below 1e-6.
pub(crate) fn to_text(number: f64) -> String {
    if let Some(whole) = small_whole(number) {
        return whole.to_string();
    }
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else {
            ["Infinity", "-Infinity"][usize::from(number < 0.0)]
        }
        .to_owned();
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let text = lay_out(&digits, exponent.parse().unwrap_or(0));
    if number < 0.0 { format!("-{text}") } else { text }
}

/// The number as an integer where that is exact and its text the same.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub(crate) fn small_whole(number: f64) -> Option<i64> {
    (number.abs() < 1e15 && number.fract() == 0.0).then_some(number as i64)
}

/// Places the decimal point: `exponent` is that of the first digit.
fn lay_out(digits: &str, exponent: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;
    if count <= point && point <= 21 {
        return format!("{digits}{}", "0".repeat(usize::try_from(point - count).unwrap_or(0)));
    }
    if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        return format!("{whole}.{fraction}");
    }
    if -6 < point && point <= 0 {
        return format!("0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0)));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    let (first, rest) = digits.split_at(1);
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{first}{dot}{rest}e{sign}{}", exponent.abs())
}

/// Rounds to 15 significant digits, halves away from zero, as `$string` prints numbers.
pub(crate) fn fifteen_digits(number: f64) -> f64 {
    if !number.is_finite() || small_whole(number).is_some() {
        return number;
    }
    // A tie has exactly 16 digits, the last a 5; `{:.14e}` would round it to even.
    let long = format!("{:.40e}", number.abs());
    let (mantissa, exponent) = long.split_once('e').unwrap_or((&long, "0"));
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let tie = digits[15] == b'5' && digits[16..].iter().all(|digit| *digit == b'0');
    let rounded = if tie {
        let head = String::from_utf8_lossy(&digits[..15]).into_owned();
        let up = head.parse::<u64>().unwrap_or(0) + 1;
        let shift = exponent.parse::<i32>().unwrap_or(0) - 14;
        format!("{up}e{shift}").parse().unwrap_or(number)
    } else {
        format!("{:.14e}", number.abs()).parse().unwrap_or(number)
    };
    if number < 0.0 { -rounded } else { rounded }
}

/// `toFixed` for a number that is not negative: halves go up.
pub(crate) fn to_fixed(number: f64, places: usize) -> String {
    if number >= 1e21 || number.is_nan() {
        return to_text(number);
    }
    // Doubles below 1e21 have at most 1,074 decimals; enough of them to see a tie.
    let long = format!("{number:.*}", places + 60);
    let cut = long.len() - 60;
    let tie = long.as_bytes()[cut] == b'5' && long.bytes().skip(cut + 1).all(|digit| digit == b'0');
    if tie { round_up(&long[..cut]) } else { format!("{number:.places$}") }
}

/// Adds one to the last digit of a decimal text.
fn round_up(text: &str) -> String {
    let mut bytes = text.trim_end_matches('.').as_bytes().to_vec();
    for at in (0..bytes.len()).rev() {
        match bytes[at] {
            b'.' => {}
            b'9' => bytes[at] = b'0',
            _ => {
                bytes[at] += 1;
                return String::from_utf8_lossy(&bytes).into_owned();
            }
        }
    }
    format!("1{}", String::from_utf8_lossy(&bytes))
}

/// A whole number in another base, as `toString(radix)` writes it.
pub(crate) fn to_radix(number: f64, radix: u32) -> String {
    if radix == 10 || !number.is_finite() {
        return to_text(number);
    }
    let base = f64::from(radix);
    let mut rest = number.abs();
    let mut digits = Vec::new();
    // Low digits the number is too coarse for are written as zeros.
    let mut unsure = (rest.next_up() - rest) / 2.0;
    while unsure >= base {
        unsure /= base;
        rest /= base;
        digits.push('0');
    }
    rest = rest.trunc();
    loop {
        let digit = rest % base;
        digits.push(digit_char(digit, radix));
        rest = (rest - digit) / base;
        if rest <= 0.0 {
            break;
        }
    }
    if number < 0.0 {
        digits.push('-');
    }
    digits.into_iter().rev().collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= digit < 36")]
fn digit_char(digit: f64, radix: u32) -> char {
    char::from_digit(digit as u32, radix).unwrap_or('0')
}

/// `Math.round`: the nearest whole number, halves upwards.
pub(crate) fn round_half_up(number: f64) -> f64 {
    let floor = number.floor();
    if number - floor >= 0.5 { floor + 1.0 } else { floor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_javascript_prints_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(to_text(number), text);
        }
    }

    #[test]
    fn fifteen_digits_round_ties_away_from_zero() {
        assert_eq!(to_text(fifteen_digits(1_000_000_000_000.125)), "1000000000000.13");
        assert_eq!(to_text(fifteen_digits(0.1 + 0.2)), "0.3");
        assert_eq!(to_text(fifteen_digits(-1.0 / 3.0)), "-0.333333333333333");
    }

    #[test]
    fn fixed_places_round_halves_up() {
        assert_eq!(to_fixed(0.125, 2), "0.13");
        assert_eq!(to_fixed(2.5, 0), "3");
        assert_eq!(to_fixed(9.5, 0), "10");
        assert_eq!(to_fixed(1.005, 2), "1.00");
        assert_eq!(to_fixed(1234.5678, 3), "1234.568");
    }

    #[test]
    fn other_bases_print_whole_numbers() {
        assert_eq!(to_radix(255.0, 16), "ff");
        assert_eq!(to_radix(-5.0, 2), "-101");
        assert_eq!(to_radix(0.0, 2), "0");
        assert_eq!(to_radix(1e21, 36), "5v1j4f4ds7c000");
        assert_eq!(to_radix(144_115_188_075_855_870.0, 3), "221220221212112102120020110012020000");
    }
}
