//! The calendar: what JavaScript's dates, always in UTC, know about a moment.

use crate::value::number::to_text;

pub(super) const DAY: f64 = 86_400_000.0;
/// The farthest moment a JavaScript date can be from 1970, in milliseconds.
const FARTHEST: f64 = 8.64e15;

pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment; all its parts are "not a number" if there is no such moment.
#[derive(Clone, Copy)]
pub(super) struct Date {
    millis: f64,
    year: f64,
    /// From 0.
    month: f64,
    day: f64,
}

/// A part of a moment.
pub(super) enum Part {
    Number(f64),
    Text(&'static str),
    /// The time zone has no value of its own.
    Nothing,
}

impl Part {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => to_text(*number),
            Self::Text(text) => (*text).to_owned(),
            Self::Nothing => "undefined".to_owned(),
        }
    }
}

/// Days from 1970 to a date of the Gregorian calendar.
fn days_from(year: f64, month: f64, day: f64) -> f64 {
    let year = year + (month / 12.0).floor();
    let month = month.rem_euclid(12.0);
    // Years begin in March, so that the leap day comes last.
    let shifted = if month < 2.0 { year - 1.0 } else { year };
    let era = (shifted / 400.0).floor();
    let of_era = shifted - era * 400.0;
    let from_march = (month + 10.0) % 12.0;
    let of_year = ((153.0 * from_march + 2.0) / 5.0).floor() + day - 1.0;
    let days = of_era * 365.0 + (of_era / 4.0).floor() - (of_era / 100.0).floor() + of_year;
    era * 146_097.0 + days - 719_468.0
}

/// Year, month (from 0) and day of a day counted from 1970.
fn date_from(days: f64) -> (f64, f64, f64) {
    let days = days + 719_468.0;
    let era = (days / 146_097.0).floor();
    let of_era = days - era * 146_097.0;
    let year = ((of_era - (of_era / 1_460.0).floor() + (of_era / 36_524.0).floor()
        - (of_era / 146_096.0).floor())
        / 365.0)
        .floor();
    let of_year = of_era - (365.0 * year + (year / 4.0).floor() - (year / 100.0).floor());
    let from_march = ((5.0 * of_year + 2.0) / 153.0).floor();
    let day = of_year - ((153.0 * from_march + 2.0) / 5.0).floor() + 1.0;
    let month = (from_march + 2.0) % 12.0;
    (year + era * 400.0 + if month < 2.0 { 1.0 } else { 0.0 }, month, day)
}

/// Milliseconds of a date and time, as `Date.UTC` has them: years below 100 are of the 1900s.
pub(super) fn utc(year: f64, month: f64, day: f64, time: [f64; 4]) -> f64 {
    let year = year.trunc();
    let year = if (0.0..=99.0).contains(&year) { 1900.0 + year } else { year };
    plain_utc(year, month.trunc(), day.trunc(), time)
}

pub(super) fn plain_utc(
    year: f64,
    month: f64,
    day: f64,
    [hours, minutes, seconds, millis]: [f64; 4],
) -> f64 {
    let time = hours.trunc() * 3_600_000.0 + minutes.trunc() * 60_000.0;
    let moment =
        days_from(year, month, day) * DAY + time + seconds.trunc() * 1_000.0 + millis.trunc();
    if moment.abs() <= FARTHEST { moment } else { f64::NAN }
}

impl Date {
    pub(super) fn new(millis: f64) -> Self {
        if millis.is_nan() || millis.abs() > FARTHEST {
            return Self { millis: f64::NAN, year: f64::NAN, month: f64::NAN, day: f64::NAN };
        }
        let millis = millis.trunc();
        let (year, month, day) = date_from((millis / DAY).floor());
        Self { millis, year, month, day }
    }

    pub(super) fn month(&self) -> f64 {
        self.month
    }

    pub(super) fn day(&self) -> f64 {
        self.day
    }

    fn today(&self) -> f64 {
        utc(self.year, self.month, self.day, [0.0; 4])
    }

    /// 1 for Monday to 7 for Sunday.
    fn weekday(millis: f64) -> f64 {
        ((millis / DAY).floor() + 3.0).rem_euclid(7.0) + 1.0
    }

    /// A part of the day.
    fn time(&self, unit: f64, of: f64) -> f64 {
        (self.millis / unit).floor().rem_euclid(of)
    }

    pub(super) fn part(&self, component: char) -> Part {
        Part::Number(match component {
            'Y' => self.year,
            'M' => self.month + 1.0,
            'D' => self.day,
            'd' => (self.today() - utc(self.year, 0.0, 1.0, [0.0; 4])) / DAY + 1.0,
            'F' => Self::weekday(self.millis),
            'W' => self.week(Month { year: self.year, month: 0.0 }, 12.0, 52.0),
            'w' => self.week(Month { year: self.year, month: self.month }, 1.0, 4.0),
            'X' => self.home(Month { year: self.year, month: 0.0 }, 12.0).year,
            'x' => self.home(Month { year: self.year, month: self.month }, 1.0).month + 1.0,
            'H' => self.time(3_600_000.0, 24.0),
            'h' => {
                let hour = self.time(3_600_000.0, 12.0);
                if hour == 0.0 { 12.0 } else { hour }
            }
            'm' => self.time(60_000.0, 60.0),
            's' => self.time(1_000.0, 60.0),
            'f' => self.time(1.0, 1_000.0),
            'P' => {
                return Part::Text(if self.time(3_600_000.0, 24.0) >= 12.0 { "pm" } else { "am" });
            }
            'C' | 'E' => return Part::Text("ISO"),
            _ => return Part::Nothing,
        })
    }

    /// The week within a period of `months` months that has at most `most` weeks, usually.
    fn week(&self, period: Month, months: f64, most: f64) -> f64 {
        let today = self.today();
        let weeks = |start: f64| (today - start) / (DAY * 7.0) + 1.0;
        let week = weeks(period.first_week());
        if week > most && today >= period.plus(months).first_week() {
            return 1.0;
        }
        if week < 1.0 {
            return weeks(period.plus(-months).first_week()).floor();
        }
        week.floor()
    }

    /// The period the week of this day belongs to.
    fn home(&self, period: Month, months: f64) -> Month {
        if self.millis < period.first_week() {
            period.plus(-months)
        } else if self.millis >= period.plus(months).first_week() {
            period.plus(months)
        } else {
            period
        }
    }
}

#[derive(Clone, Copy)]
struct Month {
    year: f64,
    month: f64,
}

impl Month {
    fn plus(self, months: f64) -> Self {
        let all = self.month + months;
        Self { year: self.year + (all / 12.0).floor(), month: all.rem_euclid(12.0) }
    }

    /// The Monday of the first week, which is the one with the first Thursday.
    fn first_week(self) -> f64 {
        let first = utc(self.year, self.month, 1.0, [0.0; 4]);
        let weekday = Date::weekday(first);
        if weekday > 4.0 { first + (8.0 - weekday) * DAY } else { first - (weekday - 1.0) * DAY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_to_days_and_back() {
        for days in [-1_000_000.0, -719_468.0, -1.0, 0.0, 59.0, 11_016.0, 19_782.0, 2_932_896.0] {
            let (year, month, day) = date_from(days);
            assert_eq!(days_from(year, month, day), days);
        }
        assert_eq!(date_from(19_782.0), (2024.0, 1.0, 29.0));
        assert_eq!(days_from(2000.0, 14.0, 0.0), days_from(2001.0, 1.0, 28.0));
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        let saturday = Date::new(utc(2005.0, 0.0, 1.0, [0.0; 4]));
        assert_eq!(saturday.part('W').text(), "53");
        assert_eq!(saturday.part('X').text(), "2004");
        assert_eq!(saturday.part('F').text(), "6");
    }
}
