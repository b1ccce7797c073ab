//! Reading a manifest (`.mf`): metadata, digests, non-MANO artifact sets, signature.

use std::sync::Arc;

use serde::Serialize;

use crate::finding::Place;
use crate::listed::{Listed, key_value, numbered, plain};
use crate::rules::{Report, archive as rule};

/// The content of a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Manifest {
    /// Path in the archive.
    pub path: Arc<str>,
    /// Keys of the metadata block, in lower case, with their values.
    pub metadata: Vec<(String, String)>,
    /// Whether there is a metadata block at all.
    pub has_metadata: bool,
    /// Files listed, also those in artifact sets.
    pub listed: Vec<Listed>,
    /// The CMS block with its two marker lines, if signed within.
    pub signature: Option<String>,
}

/// What a manifest describes, by its metadata keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// A VNF package (`vnf_…`).
    Vnf,
    /// An NSD file archive (`nsd_…`).
    Ns,
    /// A PNFD archive (`pnfd_…`).
    Pnf,
}

impl Kind {
    /// Keys that SOL004 clause 4.3.2 and SOL007 clause 4.3.2 ask for.
    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Vnf => &[
                "vnf_product_name",
                "vnf_provider_id",
                "vnf_package_version",
                "vnf_release_date_time",
            ],
            Self::Ns => &[
                "nsd_designer",
                "nsd_invariant_id",
                "nsd_name",
                "nsd_file_structure_version",
                "nsd_release_date_time",
            ],
            Self::Pnf => {
                &["pnfd_provider", "pnfd_name", "pnfd_release_date_time", "pnfd_archive_version"]
            }
        }
    }
}

impl Manifest {
    /// A value of the metadata block.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// What the manifest describes, if its metadata tells.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        let begins = |with: &str| self.metadata.iter().any(|(key, _)| key.starts_with(with));
        match () {
            () if begins("pnfd_") => Some(Kind::Pnf),
            () if begins("nsd_") => Some(Kind::Ns),
            () if begins("vnf_") || begins("vnfd_") => Some(Kind::Vnf),
            () => None,
        }
    }

    /// Reports what the metadata block lacks.
    pub(crate) fn check_metadata(&self, report: &mut Report) {
        let place = || Place::file(Arc::clone(&self.path));
        if !self.has_metadata {
            report.add(&rule::MANIFEST_METADATA, place(), "there is no metadata block");
        }
        for key in self.kind().map_or(&[][..], Kind::required) {
            if self.get(key).is_none_or(str::is_empty) {
                report.add(&rule::MANIFEST_METADATA, place(), format!("`{key}` is missing"));
            }
        }
    }
}

/// Most keys of a metadata block.
const METADATA: usize = 200;
/// Most entries of a manifest: twice what an archive may hold, for files also in sets.
const LISTED: usize = 40_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Files,
    Metadata,
    Sets,
}

struct Parser<'a> {
    manifest: Manifest,
    part: Part,
    set: Option<(String, u32)>,
    /// Entries when the set began.
    set_from: usize,
    current: Option<Listed>,
    report: &'a mut Report,
}

/// Parses the text; what is wrong goes into the report.
pub(crate) fn parse(path: &Arc<str>, text: &str, report: &mut Report) -> Manifest {
    let manifest = Manifest { path: Arc::clone(path), ..Manifest::default() };
    let mut parser =
        Parser { manifest, part: Part::Files, set: None, set_from: 0, current: None, report };
    let body = parser.split_signature(text);
    for (number, line) in numbered(body) {
        parser.line(number, line.trim());
    }
    parser.end_listed();
    parser.end_set();
    parser.manifest
}

impl Parser<'_> {
    fn place(&self, line: u32) -> Place {
        Place::line(Arc::clone(&self.manifest.path), line)
    }

    /// Cuts the CMS block off the end; nothing may follow it.
    fn split_signature<'t>(&mut self, text: &'t str) -> &'t str {
        let Some(at) = text.find("-----BEGIN ") else { return text };
        let (body, block) = text.split_at(at);
        let line = u32::try_from(body.lines().count() + 1).unwrap_or(u32::MAX);
        let end = block.rfind("-----END ").and_then(|end| {
            let close = block[end + 9..].find("-----")? + end + 14;
            block[close..].trim().is_empty().then_some(close)
        });
        match end {
            Some(end) => self.manifest.signature = Some(block[..end].to_owned()),
            None => {
                let place = self.place(line);
                self.report.add(&rule::SIGNATURE_BROKEN, place, "the signature has no proper end");
            }
        }
        body
    }

    fn line(&mut self, number: u32, line: &str) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let Some((key, value)) = key_value(line) else {
            let place = self.place(number);
            self.report.add(&rule::MANIFEST_LINE, place, format!("`{line}` has no colon"));
            return;
        };
        match key.as_str() {
            "metadata" if value.is_empty() && self.part == Part::Files => {
                self.manifest.has_metadata = true;
                self.part = Part::Metadata;
            }
            "non_mano_artifact_sets" if value.is_empty() => {
                self.end_listed();
                self.part = Part::Sets;
            }
            "source" | "name" => self.source(number, value),
            _ => self.key(number, key, value),
        }
    }

    fn source(&mut self, line: u32, value: &str) {
        self.end_listed();
        if value.is_empty() {
            let place = self.place(line);
            self.report.add(&rule::VALUE_MISSING, place, "Source has no value");
            return;
        }
        if self.part == Part::Metadata {
            self.part = Part::Files;
        }
        self.current = Some(Listed {
            source: plain(value).to_owned(),
            set: self.set.as_ref().map(|(name, _)| name.clone()),
            file: Arc::clone(&self.manifest.path),
            line,
            ..Listed::default()
        });
    }

    fn key(&mut self, line: u32, key: String, value: &str) {
        if self.part == Part::Metadata && self.manifest.metadata.len() < METADATA {
            self.manifest.metadata.push((key, value.to_owned()));
            return;
        }
        if self.current.as_mut().is_some_and(|c| c.take(&key, value, line, self.report)) {
            return;
        }
        let place = self.place(line);
        if matches!(key.as_str(), "algorithm" | "hash") {
            self.report.add(&rule::KEY_MISSING, place, format!("`{key}` stands without a Source"));
        } else if self.part == Part::Sets && value.is_empty() {
            self.end_listed();
            self.end_set();
            self.set = Some((key, line));
            self.set_from = self.manifest.listed.len();
        } else {
            self.report.add(&rule::ARTIFACT_SET, place, format!("the key `{key}` is unknown"));
        }
    }

    fn end_listed(&mut self) {
        let Some(listed) = self.current.take() else { return };
        listed.check_complete(self.report);
        if self.manifest.listed.len() < LISTED {
            self.manifest.listed.push(listed);
        } else {
            let said = format!("more than {LISTED} entries");
            let place = Place::file(Arc::clone(&self.manifest.path));
            self.report.add(&rule::MANIFEST_LINE, place, said);
        }
    }

    fn end_set(&mut self) {
        let Some((set, line)) = self.set.take() else { return };
        if self.manifest.listed.len() == self.set_from {
            let place = self.place(line);
            self.report.add(&rule::ARTIFACT_SET, place, format!("the set `{set}` is empty"));
        }
    }
}
