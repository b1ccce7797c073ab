//! RFC 3339 timestamps without a clock: text to instants and instants to text.

/// Nanoseconds since 1970-01-01T00:00:00Z.
pub(crate) type Nanos = i128;

const DAY_SECONDS: i64 = 86_400;

/// Reads an ISO-8601 extended date-time with an offset, as Java's `ISO_OFFSET_DATE_TIME` does:
/// capital `T` and `Z`, seconds optional, a fraction of any length.
pub(crate) fn parse(text: &str) -> Option<Nanos> {
    let mut rest = Reader(text.as_bytes());
    let (year, month, day) = (rest.digits(4)?, rest.dash()?.digits(2)?, rest.dash()?.digits(2)?);
    rest.expect(b'T')?;
    let (hour, minute) = (rest.digits(2)?, rest.expect(b':')?.digits(2)?);
    let mut second = 0;
    let mut fraction = 0;
    if rest.take(b':') {
        second = rest.digits(2)?;
        if rest.take(b'.') {
            fraction = rest.fraction()?;
        }
    }
    let offset = rest.offset()?;
    let valid = rest.0.is_empty()
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !valid {
        return None;
    }
    let seconds =
        days_from_civil(year, month, day) * DAY_SECONDS + hour * 3600 + minute * 60 + second
            - offset;
    Some(Nanos::from(seconds) * 1_000_000_000 + Nanos::from(fraction))
}

/// Renders milliseconds since 1970 as `2024-01-01T00:00:00.000Z`, for the years 0 to 9999.
pub(crate) fn format(millis: i64) -> String {
    let days = millis.div_euclid(DAY_SECONDS * 1000);
    let rest = millis.rem_euclid(DAY_SECONDS * 1000);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1000 % 60, rest % 1000);
    // Every history row has one, and the general formatter takes longer than the rest of the row.
    let mut text = String::with_capacity(24);
    let parts = [(year, 4, '-'), (month, 2, '-'), (day, 2, 'T'), (hour, 2, ':'), (minute, 2, ':')];
    for (value, width, end) in parts.into_iter().chain([(second, 2, '.'), (milli, 3, 'Z')]) {
        for place in (0..width).rev() {
            let digit = value / 10_i64.pow(place) % 10;
            text.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
        }
        text.push(end);
    }
    text
}

/// Milliseconds of an instant, rounded up so that nothing wakes early.
pub(crate) fn to_millis(instant: Nanos) -> i64 {
    let millis = instant.div_euclid(1_000_000) + Nanos::from(instant.rem_euclid(1_000_000) != 0);
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// What is left of the text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (head, tail) = self.0.split_at_checked(count)?;
        if !head.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = tail;
        Some(head.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, tail)) if *first == byte => {
                self.0 = tail;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<&mut Self> {
        self.take(byte).then_some(self)
    }

    fn dash(&mut self) -> Option<&mut Self> {
        self.expect(b'-')
    }

    /// A fraction of a second in nanoseconds; digits after the ninth are dropped.
    fn fraction(&mut self) -> Option<i64> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (head, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        let digits = head.iter().chain(std::iter::repeat(&b'0')).take(9);
        (length > 0).then(|| digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
    }

    /// `Z` or `±hh:mm` in seconds.
    fn offset(&mut self) -> Option<i64> {
        if self.take(b'Z') {
            return Some(0);
        }
        let sign = if self.take(b'+') {
            1
        } else {
            self.expect(b'-')?;
            -1
        };
        let (hours, minutes) = (self.digits(2)?, self.expect(b':')?.digits(2)?);
        (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day counted from 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_written_and_read_again_is_the_same() {
        for millis in [0, 1, 951_826_154_678, 1_709_210_096_789, -62_135_596_800_000] {
            assert_eq!(parse(&format(millis)).map(to_millis), Some(millis), "{millis}");
        }
    }

    #[test]
    fn an_offset_moves_the_instant() {
        assert_eq!(parse("2012-10-09T19:00:55+01:00"), parse("2012-10-09T18:00:55Z"));
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for text in [
            "2016-12-05T21:29:29",
            "2016-12-05 21:29:29Z",
            "2016-12-05T25:29:29Z",
            "05-12-2016T21:29:29Z",
            "2016-12-05",
            "2016-02-30T00:00:00Z",
            "2016-12-05T21:29:29z",
            "2016-12-05T21:29:29.Z",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
