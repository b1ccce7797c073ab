//! Reading `TOSCA-Metadata/TOSCA.meta`: which files open the package.

use std::sync::Arc;

use serde::Serialize;

use crate::archive::Archive;
use crate::finding::{Finding, Located, Place};
use crate::listed::{Listed, key_value, numbered, plain};
use crate::rules::{Report, archive as rule};

/// Where the file lies when it lies where it should.
pub const PATH: &str = "TOSCA-Metadata/TOSCA.meta";

/// The content of TOSCA.meta.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Meta {
    /// Keys of the first block in lower case, with value and place.
    pub keys: Vec<(String, Located<String>)>,
    /// Files named in the further blocks.
    pub listed: Vec<Listed>,
}

/// Keys that SOL004 asks for, in lower case; the first has an older spelling.
const REQUIRED: [&str; 4] =
    ["tosca-meta-file-version", "csar-version", "created-by", "entry-definitions"];
/// Most keys of the first block, and most files named in the others.
const KEYS: usize = 200;
const LISTED: usize = 40_000;
/// Keys that name a file or folder, without the prefix `etsi-`.
const NAMES_FILE: [&str; 4] =
    ["entry-change-log", "entry-tests", "entry-licenses", "entry-certificate"];

impl Meta {
    /// The value of a key of the first block, in any case, with or without the prefix `ETSI-`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Located<String>> {
        let key = key.to_ascii_lowercase();
        let bare = key.strip_prefix("etsi-").unwrap_or(&key);
        let same = |k: &str| k == key || k.strip_prefix("etsi-").unwrap_or(k) == bare;
        self.keys.iter().find(|(k, _)| same(k)).map(|(_, value)| value)
    }

    /// The certificate that `ETSI-Entry-Certificate` names.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.get("etsi-entry-certificate").map(|c| c.value.as_str())
    }

    /// Definitions besides the entry (`Other-Definitions`), separated by commas.
    pub fn other_definitions(&self) -> impl Iterator<Item = &str> {
        let names = self.get("other-definitions").map_or("", |v| v.value.as_str());
        names.split(',').map(|n| n.trim().trim_matches('"')).filter(|n| !n.is_empty())
    }
}

/// Reads the file if the archive has one.
pub(crate) fn read(
    archive: &mut Archive<'_>,
    report: &mut Report,
) -> Result<Option<Meta>, Finding> {
    let found = archive.files().find(|(name, _)| name.eq_ignore_ascii_case(PATH));
    let Some(path) = found.map(|(name, _)| Arc::clone(name)) else { return Ok(None) };
    let text = archive.text(&path)?;
    let meta = parse(&path, &text, report);
    check(&meta, &path, archive, report);
    Ok(Some(meta))
}

/// Parses the text; what is wrong goes into the report.
pub(crate) fn parse(path: &Arc<str>, text: &str, report: &mut Report) -> Meta {
    let mut meta = Meta::default();
    let mut current: Option<Listed> = None;
    for (line, written) in numbered(text) {
        if written.trim().is_empty() {
            meta.listed.extend(current.take());
            continue;
        }
        let place = Place::line(Arc::clone(path), line);
        let Some((key, value)) = key_value(written) else {
            report.add(&rule::META_LINE, place, format!("`{}` has no colon", written.trim()));
            continue;
        };
        if matches!(key.as_str(), "name" | "source") {
            meta.listed.extend(current.take());
            current = Some(begin(path, line, value, report));
            continue;
        }
        let taken = current.as_mut().is_some_and(|c| c.take(&key, value, line, report));
        if !taken && matches!(key.as_str(), "algorithm" | "hash") {
            report.add(&rule::KEY_MISSING, place, format!("`{key}` stands without a Name"));
        } else if !taken {
            add_key(&mut meta, key, value, place, report);
        }
    }
    meta.listed.extend(current);
    if meta.listed.len() > LISTED {
        let said = format!("more than {LISTED} files are named");
        report.add(&rule::META_LINE, Place::file(Arc::clone(path)), said);
        meta.listed.truncate(LISTED);
    }
    for listed in &meta.listed {
        listed.check_complete(report);
    }
    meta
}

fn begin(path: &Arc<str>, line: u32, value: &str, report: &mut Report) -> Listed {
    if value.is_empty() {
        let place = Place::line(Arc::clone(path), line);
        report.add(&rule::VALUE_MISSING, place, "Name has no value");
    }
    Listed { source: plain(value).to_owned(), file: Arc::clone(path), line, ..Listed::default() }
}

fn add_key(meta: &mut Meta, key: String, value: &str, place: Place, report: &mut Report) {
    let twice = meta.keys.iter().any(|(k, _)| *k == key);
    if twice || meta.keys.len() >= KEYS {
        let said = if twice { "is given twice" } else { "is one key too many" };
        report.add(&rule::META_KEY, place, format!("`{key}` {said}"));
        return;
    }
    let line = place.line.unwrap_or(1);
    let located = Located { value: plain(value).to_owned(), file: place.file, line };
    meta.keys.push((key, located));
}

fn check(meta: &Meta, path: &Arc<str>, archive: &Archive<'_>, report: &mut Report) {
    for key in REQUIRED {
        let filled = meta.get(key).is_some_and(|v| !v.value.is_empty());
        let older = key == REQUIRED[0] && meta.get("tosca-meta-version").is_some();
        if !filled && !older && key != "entry-definitions" {
            report.add(
                &rule::META_KEY,
                Place::file(Arc::clone(path)),
                format!("`{key}` is missing"),
            );
        }
    }
    for key in NAMES_FILE {
        let Some(named) = meta.get(key).filter(|n| !n.value.is_empty()) else { continue };
        if !archive.has_file(&named.value) && !archive.has_folder(&named.value) {
            let place = Place::line(Arc::clone(path), named.line);
            report.add(&rule::META_FILE, place, format!("`{}` is not in the archive", named.value));
        }
    }
}
