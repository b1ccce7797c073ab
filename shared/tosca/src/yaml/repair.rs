//! Reading YAML whose flow collections or quoted texts go on too far left on the next line.
//!
//! YAML 1.2 forbids that; common readers and published type files do it all the same. Lines are
//! padded where the parser stumbles, which changes columns but neither lines nor meaning.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Parsed, attempt};
use crate::finding::Finding;
use crate::limits::Limits;

/// How many lines are padded before the file counts as broken.
const LINES: usize = 32;
/// How the parser begins its complaint, and how it ends when a quoted text goes on.
const COMPLAINT: &str = "invalid indentation";
const QUOTED: &str = "in quoted scalar";

/// Pads the lines complained of; gives the document and the first line padded.
pub(super) fn read(
    file: &Arc<str>,
    text: &str,
    limits: &Limits,
    first: &Finding,
) -> Option<(Parsed, u32)> {
    let mut padded = BTreeSet::new();
    let mut finding = first.clone();
    while padded.len() < LINES && finding.message.starts_with(COMPLAINT) {
        let stumbled = finding.line?;
        // A quoted text's complaint names the line it begins on, which is in order.
        let from = if finding.message.ends_with(QUOTED) { stumbled + 1 } else { stumbled };
        let line = (from..).find(|line| !padded.contains(line))?;
        padded.insert(line);
        match attempt(file, &pad(text, &padded, limits.yaml_depth), limits) {
            Ok(parsed) => return Some((parsed, *padded.first()?)),
            Err(next) => finding = next,
        }
    }
    None
}

/// The text with some lines far to the right.
fn pad(text: &str, lines: &BTreeSet<u32>, depth: usize) -> String {
    let margin = " ".repeat(depth * 8);
    let mut padded = String::with_capacity(text.len() + lines.len() * margin.len());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if lines.contains(&number) {
            padded.push_str(&margin);
        }
        padded.push_str(line);
    }
    padded
}
