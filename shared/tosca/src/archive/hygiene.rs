//! What a server must not let into its house: names that leave the archive, links, bombs.

use std::collections::HashSet;

use super::Entry;
use crate::finding::{Finding, Place};
use crate::limits::Limits;
use crate::rules::{Rule, archive as rule};

/// Longest name in bytes.
const NAME_BYTES: usize = 1024;
/// Most folders in a name.
const DEPTH: usize = 64;
/// Flag bits: encrypted, strongly encrypted, masked headers.
const ENCRYPTED: u16 = 0x0001 | 0x0040 | 0x2000;

/// Checks every entry, and makes the names plain (`./a` becomes `a`).
pub(super) fn check(entries: &mut [Entry], limits: &Limits) -> Result<(), Finding> {
    let mut total: u64 = 0;
    for entry in entries.iter_mut() {
        entry.name = plain_name(&entry.name)?.into();
        check_entry(entry, limits)?;
        total = total.saturating_add(entry.size);
        if total > limits.total_bytes {
            let said = format!("more than {} bytes in all", limits.total_bytes);
            return Err(Finding::new(&rule::TOO_LARGE, said, Place::archive()));
        }
    }
    check_names(entries)
}

fn refuse(rule: &Rule, entry: &Entry, why: impl Into<String>) -> Finding {
    Finding::new(rule, why, Place::file(&*entry.name))
}

fn check_entry(entry: &Entry, limits: &Limits) -> Result<(), Finding> {
    let kind = entry.mode & 0o170_000;
    if kind == 0o120_000 {
        return Err(refuse(&rule::LINK, entry, "it is a symbolic link"));
    }
    if !matches!(kind, 0 | 0o100_000 | 0o040_000) {
        return Err(refuse(&rule::LINK, entry, "it is neither a file nor a folder"));
    }
    if entry.flags & ENCRYPTED != 0 {
        return Err(refuse(&rule::ENCRYPTED, entry, "it is encrypted"));
    }
    if !matches!(entry.method, 0 | 8) {
        let said = format!("compression method {} is not supported", entry.method);
        return Err(refuse(&rule::METHOD, entry, said));
    }
    let empty = entry.packed == 0 || entry.method == 8 && entry.packed <= 2;
    if entry.is_folder() && (entry.size != 0 || !empty) {
        return Err(refuse(&rule::ZIP_BROKEN, entry, "a folder has content"));
    }
    if entry.method == 0 && entry.size != entry.packed {
        return Err(refuse(&rule::ZIP_BROKEN, entry, "two sizes for one stored file"));
    }
    let likely = entry.packed.saturating_mul(limits.ratio).max(limits.ratio_from);
    if entry.size > likely {
        let said = format!("{} bytes inflate to {}", entry.packed, entry.size);
        return Err(refuse(&rule::BOMB, entry, said));
    }
    Ok(())
}

/// The name without `.` parts, or why it is refused.
fn plain_name(name: &str) -> Result<String, Finding> {
    let bad = |why: &str| {
        Err(Finding::new(&rule::BAD_NAME, why, Place::file(name.escape_default().to_string())))
    };
    let mut letters = name.chars();
    let drive =
        letters.next().is_some_and(|c| c.is_ascii_alphabetic()) && letters.next() == Some(':');
    if name.is_empty() || name.len() > NAME_BYTES {
        return bad("the name is empty or too long");
    }
    if name.chars().any(|c| c.is_control() || c == '\\') {
        return bad("the name has a backslash or a control character");
    }
    if name.starts_with('/') || drive {
        return bad("the name is absolute");
    }
    if name.split('/').any(|part| part == "..") {
        return bad("the name has `..`");
    }
    let folder = name.ends_with('/');
    if name.matches('/').count() > DEPTH {
        return bad("the name has too many folders");
    }
    let parts: Vec<&str> = name.trim_end_matches('/').split('/').filter(|p| *p != ".").collect();
    if parts.iter().any(|p| p.is_empty()) && !parts.is_empty() {
        return bad("the name has an empty part");
    }
    Ok(format!("{}{}", parts.join("/"), if folder { "/" } else { "" }))
}

/// No name twice, and no file that is also a folder.
fn check_names(entries: &[Entry]) -> Result<(), Finding> {
    let mut seen = HashSet::new();
    for entry in entries {
        if !seen.insert(entry.name.trim_end_matches('/')) {
            return Err(refuse(&rule::DUPLICATE, entry, "the name stands twice in the archive"));
        }
    }
    let files: HashSet<&str> =
        entries.iter().filter(|e| !e.is_folder()).map(|e| &*e.name).collect();
    for entry in entries {
        let ancestors = entry.name.match_indices('/').map(|(at, _)| &entry.name[..at]);
        if !entry.is_folder() && ancestors.into_iter().any(|a| files.contains(a)) {
            return Err(refuse(&rule::DUPLICATE, entry, "its folder is also a file"));
        }
    }
    Ok(())
}
