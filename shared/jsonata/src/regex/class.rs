//! Sets of UTF-16 units, and how case is ignored.

/// A set of units.
#[derive(Default, Clone)]
pub(super) struct Class {
    pub(super) negated: bool,
    ranges: Vec<(u16, u16)>,
}

const SPACES: [(u16, u16); 10] = [
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];
const DIGITS: [(u16, u16); 1] = [(0x30, 0x39)];
const WORD: [(u16, u16); 4] = [(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];

impl Class {
    pub(super) fn add(&mut self, first: u16, last: u16) {
        self.ranges.push((first, last));
    }

    /// Adds what `\d`, `\w`, `\s` and their capitals stand for; false if it is none of them.
    pub(super) fn add_escape(&mut self, letter: u16) -> bool {
        let ranges: &[(u16, u16)] = match u8::try_from(letter) {
            Ok(b'd' | b'D') => &DIGITS,
            Ok(b'w' | b'W') => &WORD,
            Ok(b's' | b'S') => &SPACES,
            _ => return false,
        };
        if matches!(u8::try_from(letter), Ok(b'D' | b'W' | b'S')) {
            self.add_all_but(ranges);
        } else {
            self.ranges.extend_from_slice(ranges);
        }
        true
    }

    fn add_all_but(&mut self, ranges: &[(u16, u16)]) {
        let mut next = 0;
        for (first, last) in ranges {
            if *first > next {
                self.add(next, first - 1);
            }
            next = last.saturating_add(1);
        }
        self.add(next, u16::MAX);
    }

    /// Sorts the ranges, once all are there.
    pub(super) fn finish(mut self) -> Self {
        self.ranges.sort_unstable();
        let mut merged: Vec<(u16, u16)> = Vec::with_capacity(self.ranges.len());
        for (first, last) in self.ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => merged.push((first, last)),
            }
        }
        Self { negated: self.negated, ranges: merged }
    }

    fn has(&self, unit: u16) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < unit);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= unit)
    }

    pub(super) fn matches(&self, unit: u16, ignore_case: bool) -> bool {
        let found = self.has(unit) || (ignore_case && self.has_other_case(unit));
        found != self.negated
    }

    fn has_other_case(&self, unit: u16) -> bool {
        let upper = fold(unit);
        self.has(upper) || self.has(lower(unit)) || self.has(lower(upper))
    }
}

/// The form in which units are compared when case is ignored.
pub(super) fn fold(unit: u16) -> u16 {
    single(unit, |char| char.to_uppercase().collect())
        .filter(|upper| unit < 128 || *upper >= 128)
        .unwrap_or(unit)
}

fn lower(unit: u16) -> u16 {
    single(unit, |char| char.to_lowercase().collect()).unwrap_or(unit)
}

/// The mapping of a unit, if it is again a single unit.
fn single(unit: u16, map: impl Fn(char) -> String) -> Option<u16> {
    let mapped = map(char::from_u32(u32::from(unit))?);
    let mut units = mapped.encode_utf16();
    let only = units.next()?;
    units.next().is_none().then_some(only)
}

pub(super) fn is_word(unit: u16) -> bool {
    WORD.iter().any(|(first, last)| (*first..=*last).contains(&unit))
}

pub(super) fn ends_line(unit: u16) -> bool {
    matches!(unit, 0x0a | 0x0d | 0x2028 | 0x2029)
}
