//! Numbers in English words.

const FEW: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const DECADES: [&str; 9] =
    ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety", "Hundred"];
const MAGNITUDES: [(&str, f64); 4] =
    [("Thousand", 1e3), ("Million", 1e6), ("Billion", 1e9), ("Trillion", 1e12)];

/// A whole number in words; nothing for what is no finite number.
pub(super) fn write(value: f64, ordinal: bool) -> Option<String> {
    value.is_finite().then(|| words(value, false, ordinal))
}

/// `follows` says that words come before these.
fn words(value: f64, follows: bool, ordinal: bool) -> String {
    if value < 100.0 {
        let joined = if follows { " and " } else { "" };
        return format!("{joined}{}", below_hundred(value, ordinal));
    }
    let (name, factor) = if value < 1000.0 {
        ("Hundred", 100.0)
    } else {
        // By logarithm, as the language does: 1e15 and more count in trillions.
        let magnitude = (value.log10() / 3.0).floor().clamp(1.0, 4.0);
        let at = [1.0, 2.0, 3.0].iter().filter(|limit| magnitude > **limit).count();
        MAGNITUDES[at]
    };
    let count = (value / factor).floor();
    let rest = value - count * factor;
    let joined = if follows { ", " } else { "" };
    let mut text = format!("{joined}{} {name}", words(count, false, false));
    if rest > 0.0 {
        text.push_str(&words(rest, true, ordinal));
    } else if ordinal {
        text.push_str("th");
    }
    text
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 99")]
fn below_hundred(value: f64, ordinal: bool) -> String {
    let value = value as usize;
    if value < 20 {
        return if ordinal { ORDINALS[value] } else { FEW[value] }.to_owned();
    }
    let decade = DECADES[value / 10 - 2];
    match value % 10 {
        0 if ordinal => format!("{}ieth", &decade[..decade.len() - 1]),
        0 => decade.to_owned(),
        rest => format!(
            "{decade}-{}",
            below_hundred(f64::from(u8::try_from(rest).unwrap_or(0)), ordinal)
        ),
    }
}

/// The words that stand for a number, in lower case, with their worth.
fn known() -> impl Iterator<Item = (String, f64)> {
    let by_place = |list: [&'static str; 20]| {
        list.into_iter().zip(0_u8..).map(|(word, worth)| (word.to_lowercase(), f64::from(worth)))
    };
    let decades = DECADES.into_iter().zip(2_u8..).flat_map(|(word, tens)| {
        let word = word.to_lowercase();
        let ordinal = format!("{}ieth", &word[..word.len() - 1]);
        [(word, f64::from(tens) * 10.0), (ordinal, f64::from(tens) * 10.0)]
    });
    let magnitudes = MAGNITUDES.into_iter().flat_map(|(word, worth)| {
        let word = word.to_lowercase();
        let ordinal = format!("{word}th");
        [(word, worth), (ordinal, worth)]
    });
    let hundredth = std::iter::once(("hundredth".to_owned(), 100.0));
    by_place(FEW).chain(by_place(ORDINALS)).chain(decades).chain(hundredth).chain(magnitudes)
}

/// A pattern that matches such words.
pub(super) fn pattern() -> String {
    let mut words: Vec<String> = known().map(|(word, _)| word).collect();
    words.extend(["and".to_owned(), "[\\-, ]".to_owned()]);
    format!("(?:{})+", words.join("|"))
}

/// Reads words (in lower case) back; not a number if one is unknown.
pub(super) fn read(text: &str) -> f64 {
    let known: std::collections::HashMap<String, f64> = known().collect();
    let text = text.replace(", ", "\u{1}").replace(" and ", "\u{1}");
    let mut segments = vec![0.0];
    for word in
        text.split(|char: char| matches!(char, '\u{1}' | '-' | '\\') || char.is_whitespace())
    {
        let worth = known.get(word).copied().unwrap_or(f64::NAN);
        let mut top = segments.pop().unwrap_or(0.0);
        if worth < 100.0 {
            if top >= 1000.0 {
                segments.push(top);
                top = 0.0;
            }
            segments.push(top + worth);
        } else {
            segments.push(top * worth);
        }
    }
    segments.into_iter().fold(0.0, |total, segment| total + segment)
}
