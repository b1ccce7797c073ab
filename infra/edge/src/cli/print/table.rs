//! A table as wide as the terminal: what people copy stays whole or keeps its beginning, and what is
//! long is cut.

use super::{Column, cell};
use console::{measure_text_width, truncate_str};
use jiff::{Timestamp, Unit};
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::{Uuid, fmt::Hyphenated};

/// Blanks between columns.
const GAP: usize = 2;

/// As much of an id is always shown.
const SHORTEST_ID: usize = 8;

/// Where more than this is needed to tell ids apart, their ends do it, if nobody types them.
const LONGEST_BEGINNING: usize = 13;

/// What the cells of a column are, and so what may become of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Commands take the beginning of it.
    Id,
    /// A time can do without its fraction.
    Time,
    /// States and numbers: never cut.
    Word,
    /// Names, and the ids that others gave: cut last.
    Name,
    /// Sentences and lists: cut first.
    Text,
}

/// A column with what stands in it.
struct Strip {
    title: &'static str,
    cells: Vec<String>,
    content: Content,
    width: usize,
}

/// The table as text, with lines no wider than `width` where there is one and that can be.
pub(super) fn table(rows: &[Value], columns: &[Column], width: Option<u16>) -> String {
    let strip = |(title, pointers): &Column| {
        Strip::new(title, rows.iter().map(|row| short(cell(row, pointers))).collect())
    };
    let mut strips: Vec<Strip> = columns.iter().map(strip).collect();
    if let Some(width) = width {
        fit(&mut strips, usize::from(width));
    }
    let head = line(strips.iter().map(|strip| (strip.title, strip.width)));
    let row = |n: usize| {
        let cells = strips.iter().map(|s| (s.cells.get(n).map_or("", String::as_str), s.width));
        line(cells)
    };
    std::iter::once(head).chain((0..rows.len()).map(row)).collect::<Vec<_>>().join("\n")
}

/// One line; no line ends in blanks.
fn line<'a>(cells: impl Iterator<Item = (&'a str, usize)>) -> String {
    let mut line = String::new();
    for (text, width) in cells {
        line.push_str(&truncate_str(text, width, "…"));
        let blanks = width.saturating_sub(measure_text_width(text)) + GAP;
        line.push_str(&" ".repeat(blanks));
    }
    line.truncate(line.trim_end().len());
    line
}

/// Makes columns narrower, the least needed first, until a line of them is no wider than `most`.
fn fit(strips: &mut [Strip], most: usize) {
    for content in [Content::Id, Content::Time] {
        // The first column is what a line is known by.
        for at in (0..strips.len()).rev() {
            if strips[at].content == content && too_wide(strips, most) > 0 {
                strips[at].abridge(at == 0);
            }
        }
    }
    for cut in [&[Content::Text][..], &[Content::Text, Content::Name]] {
        while too_wide(strips, most) > 0 {
            let may = |strip: &&mut Strip| cut.contains(&strip.content) && strip.is_cuttable();
            let Some(widest) = strips.iter_mut().filter(may).max_by_key(|s| s.width) else { break };
            widest.width -= 1;
        }
    }
}

/// By how much a line is too wide.
fn too_wide(strips: &[Strip], most: usize) -> usize {
    let gaps = GAP * strips.len().saturating_sub(1);
    (strips.iter().map(|strip| strip.width).sum::<usize>() + gaps).saturating_sub(most)
}

impl Strip {
    fn new(title: &'static str, cells: Vec<String>) -> Self {
        let mut strip = Self { title, content: content(&cells), cells, width: 0 };
        strip.measure();
        strip
    }

    fn measure(&mut self) {
        let cells = self.cells.iter().map(|cell| measure_text_width(cell));
        self.width = cells.chain([measure_text_width(self.title)]).max().unwrap_or_default();
    }

    /// Says the same in less; what is typed keeps its beginning.
    fn abridge(&mut self, is_typed: bool) {
        match self.content {
            Content::Id => {
                let length = telling(self.cells.iter().cloned()).max(SHORTEST_ID);
                if is_typed || length <= LONGEST_BEGINNING {
                    self.cells.iter_mut().for_each(|id| id.truncate(length));
                } else {
                    let backwards = self.cells.iter().map(|id| id.chars().rev().collect());
                    let tail = telling(backwards).max(SHORTEST_ID / 2);
                    self.cells.iter_mut().for_each(|id| *id = ends(id, tail));
                }
            }
            Content::Time => {
                for cell in &mut self.cells {
                    let second = cell.parse().map(|time: Timestamp| time.as_second());
                    if let Ok(Ok(time)) = second.map(Timestamp::from_second) {
                        *cell = time.to_string();
                    }
                }
            }
            Content::Word | Content::Name | Content::Text => {}
        }
        self.measure();
    }

    /// Whether something of it could still be read if it were cut.
    fn is_cuttable(&self) -> bool {
        self.width > measure_text_width(self.title).max(SHORTEST_ID)
    }
}

/// How much of these ids tells each from the others.
fn telling(ids: impl Iterator<Item = String>) -> usize {
    let ids: BTreeSet<String> = ids.collect();
    // In their order, those most alike are neighbours.
    let alike = ids.iter().zip(ids.iter().skip(1)).map(|(a, b)| {
        let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b);
        same.count() + 1
    });
    alike.max().unwrap_or_default()
}

/// The beginning of an id and as much of its end.
fn ends(id: &str, tail: usize) -> String {
    let head = SHORTEST_ID / 2;
    match (id.get(..head), id.len().checked_sub(tail).and_then(|from| id.get(from..))) {
        (Some(begin), Some(end)) if head + tail < id.len() => format!("{begin}…{end}"),
        _ => id.to_owned(),
    }
}

/// What the cells of a column are; those that are empty do not count.
fn content(cells: &[String]) -> Content {
    let all = |is: fn(&str) -> bool| cells.iter().all(|cell| cell == "-" || is(cell));
    let is_word = |cell: &str| {
        let known = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"_.-".contains(&b);
        cell.bytes().all(known)
    };
    if all(is_word) {
        Content::Word
    } else if all(is_id) {
        Content::Id
    } else if all(|cell| cell.parse::<Timestamp>().is_ok()) {
        Content::Time
    } else if all(|cell| !cell.contains(' ')) {
        Content::Name
    } else {
        Content::Text
    }
}

/// Whether it is an id of ours, or a run: an id, a dash, and which try.
pub(crate) fn is_id(text: &str) -> bool {
    let (id, rest) = text.split_at_checked(Hyphenated::LENGTH).unwrap_or((text, ""));
    let is_try = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit());
    Uuid::try_parse(id).is_ok_and(|parsed| parsed.to_string() == id)
        && (rest.is_empty() || rest.strip_prefix('-').is_some_and(is_try))
}

/// A cell for people: a time in whole milliseconds, anything else as it is.
fn short(text: String) -> String {
    match text.parse::<Timestamp>().ok().and_then(|t| t.round(Unit::Millisecond).ok()) {
        Some(time) => time.to_string(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OPERATIONS: &[Column] = &[
        ("ID", &["/id"]),
        ("OPERATION", &["/operation"]),
        ("INSTANCE", &["/of"]),
        ("STATE", &["/state"]),
        ("STARTED", &["/at"]),
        ("WHY", &["/why"]),
    ];

    fn operations() -> Vec<Value> {
        let of = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
        let one = |id: &str, state: &str| {
            json!({"id": id, "operation": "INSTANTIATE", "of": of, "state": state,
                   "at": "2026-11-21T11:34:48.461Z", "why": "the VIM 'east' refused: no room"})
        };
        vec![
            one("0b6f2c1e-5d0c-4c8e-9a57-0d6f6a1f0b1d", "PARTIALLY_COMPLETED"),
            one("0b6f2c1e-5d1c-4c8e-9a57-0d6f6a1f0b1d", "FAILED_TEMP"),
        ]
    }

    #[test]
    fn a_table_shows_the_first_pointer_that_is_there() {
        let rows = [json!({"id": "a", "n": {"x": 1}}), json!({"id": "b", "m": true})];
        let text = table(&rows, &[("ID", &["/id"]), ("N", &["/n/x", "/m"])], None);
        assert_eq!(text, "ID  N\na   1\nb   true");
    }

    #[test]
    fn a_time_is_told_in_whole_milliseconds() {
        let rows = [json!({"at": "2026-11-21T11:34:48.46108941Z", "n": "2026"})];
        assert_eq!(
            table(&rows, &[("", &["/at"]), ("", &["/n"])], None).lines().last().unwrap(),
            "2026-11-21T11:34:48.461Z  2026"
        );
    }

    #[test]
    fn what_fits_is_shown_as_it_is() {
        let wide = table(&operations(), OPERATIONS, None);
        assert_eq!(table(&operations(), OPERATIONS, Some(300)), wide);
        assert!(wide.contains("0b6f2c1e-5d1c-4c8e-9a57-0d6f6a1f0b1d"), "{wide}");
    }

    #[test]
    fn a_narrow_table_shows_as_much_of_ids_as_tells_them_apart_and_cuts_sentences() {
        assert_eq!(
            table(&operations(), OPERATIONS, Some(94)),
            "ID            OPERATION    INSTANCE  STATE                STARTED               WHY\n\
             0b6f2c1e-5d0  INSTANTIATE  7c9e6679  PARTIALLY_COMPLETED  2026-11-21T11:34:48Z  the VIM 'east…\n\
             0b6f2c1e-5d1  INSTANTIATE  7c9e6679  FAILED_TEMP          2026-11-21T11:34:48Z  the VIM 'east…"
        );
    }

    #[test]
    fn ids_that_only_differ_at_their_ends_show_these_unless_they_are_typed() {
        let id = |n: u32| format!("0d6c1f3e-6a0b-4a57-9c43-5d0a8f1e7b{n:02}");
        let rows = [1, 2].map(|n| json!({"id": id(n), "of": id(n), "to": null}));
        let columns: &[Column] = &[("ID", &["/id"]), ("OF", &["/of"]), ("TO", &["/to"])];
        let text = table(&rows, columns, Some(40));
        let expected = [1, 2].map(|n| format!("{}  0d6c…7b{n:02}  -", id(n)));
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_run_is_shown_by_its_beginning_too() {
        let id = "0b6f2c1e-5d0c-4c8e-9a57-0d6f6a1f0b1d";
        assert!(is_id(id) && is_id(&format!("{id}-0")) && is_id(&format!("{id}-12")));
        assert!(
            !["", "0b6f2c1e", &id[1..], &format!("{id}-"), &format!("{id}-a"), &format!("{id}0")]
                .iter()
                .any(|text| is_id(text))
        );
    }

    #[test]
    fn no_width_breaks_a_header_or_a_state_or_makes_more_lines() {
        for width in 1..200 {
            let text = table(&operations(), OPERATIONS, Some(width));
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.len(), 3, "{text}");
            assert!(OPERATIONS.iter().all(|(title, _)| lines[0].contains(title)), "{text}");
            assert!(lines[1].contains("INSTANTIATE") && lines[1].contains("PARTIALLY_COMPLETED"));
            assert!(lines[1].starts_with("0b6f2c1e-5d0") && lines[2].starts_with("0b6f2c1e-5d1"));
            if width >= 90 {
                let widest = lines.iter().map(|line| measure_text_width(line)).max();
                assert!(widest <= Some(usize::from(width)), "{width}\n{text}");
            }
        }
    }

    #[test]
    fn a_long_name_is_cut_only_where_sentences_are_not_enough() {
        let rows = [json!({"name": "a".repeat(60), "why": "it was so ".repeat(9)})];
        let columns: &[Column] = &[("NAME", &["/name"]), ("WHY", &["/why"])];
        let last = |width| table(&rows, columns, Some(width)).lines().last().unwrap().to_owned();
        assert_eq!(last(72), format!("{}  it was so…", "a".repeat(60)));
        assert_eq!(last(30), format!("{}…  it was …", "a".repeat(19)));
        assert_eq!(measure_text_width(&last(30)), 30);
    }
}
