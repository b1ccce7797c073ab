//! Opening an archive of any kind: metadata, manifest, digests, entry definition.

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::sync::Arc;

use super::{Package, SecurityOption, Signature, artifacts, kind};
use crate::archive::Archive;
use crate::finding::{Finding, Place, Refusal};
use crate::integrity::{self, Checksum};
use crate::limits::Limits;
use crate::listed::Listed;
use crate::manifest::{self, Kind, Manifest};
use crate::meta::{self, Meta};
use crate::reading::Reading;
use crate::rules::{Mode, Report, archive as rule};
use crate::template::{self, Templates};

/// An archive with its metadata and manifest read.
#[derive(Debug)]
pub(crate) struct Opened<'r> {
    pub(crate) archive: Archive<'r>,
    pub(crate) report: Report,
    pub(crate) digests: BTreeMap<Arc<str>, Checksum>,
    pub(crate) reading: &'r mut Reading,
    meta: Option<Meta>,
    manifest: Option<Manifest>,
}

impl<'r> Opened<'r> {
    pub(crate) fn new(
        reader: impl Read + Seek + 'r,
        mode: Mode,
        limits: Limits,
        reading: &'r mut Reading,
    ) -> Result<Self, Refusal> {
        let mut report = Report::new(mode, &limits);
        let mut archive = match Archive::open(reader, limits) {
            Ok(archive) => archive,
            Err(finding) => return Err(report.refuse_with(finding)),
        };
        let meta = match meta::read(&mut archive, &mut report) {
            Ok(meta) => meta,
            Err(finding) => return Err(report.refuse_with(finding)),
        };
        let digests = BTreeMap::new();
        let mut opened = Self { archive, report, digests, reading, meta, manifest: None };
        opened.manifest = opened.read_manifest();
        Ok(opened)
    }

    /// Reads the manifest that TOSCA.meta names, else the only one at the root.
    fn read_manifest(&mut self) -> Option<Manifest> {
        let named = self.meta.as_ref().and_then(|m| m.get("etsi-entry-manifest")).cloned();
        let path = match named.filter(|n| !n.value.is_empty()) {
            Some(named) if self.archive.has_file(&named.value) => Arc::from(named.value),
            Some(named) => {
                let said = format!("`{}` is not in the archive", named.value);
                let place = Place::line(named.file, named.line);
                self.report.add(&rule::MANIFEST_MISSING, place, said);
                return None;
            }
            None => self.root_manifest()?,
        };
        match self.archive.text(&path) {
            Ok(text) => Some(manifest::parse(&path, &text, &mut self.report)),
            Err(finding) => {
                self.report.push_error(finding);
                None
            }
        }
    }

    fn root_manifest(&mut self) -> Option<Arc<str>> {
        let names = self.archive.files().map(|(name, _)| name);
        let mut found = names.filter(|n| n.ends_with(".mf") && !n.contains('/'));
        let (first, second) = (found.next().cloned(), found.next());
        if first.is_none() || second.is_some() {
            let said = if first.is_none() { "there is none" } else { "there are several" };
            self.report.add(&rule::NO_MANIFEST, Place::archive(), said);
            return None;
        }
        first
    }

    /// Checks all digests, and that the manifest covers all files.
    pub(super) fn check_integrity(&mut self) -> Result<(), Finding> {
        if let Some(manifest) = &self.manifest {
            manifest.check_metadata(&mut self.report);
            integrity::check_coverage(&self.archive, manifest, &mut self.report);
        }
        let listed = self.listed();
        let (archive, report) = (&mut self.archive, &mut self.report);
        self.digests = integrity::check(archive, self.reading, &listed, report)?;
        Ok(())
    }

    fn listed(&self) -> Vec<Listed> {
        let in_meta = self.meta.iter().flat_map(|m| &m.listed);
        in_meta.chain(self.manifest.iter().flat_map(|m| &m.listed)).cloned().collect()
    }

    /// Checks all digests, then loads the templates; the kind is checked on the way.
    pub(super) fn load(&mut self, wanted: Kind) -> Result<(Templates, Package), Finding> {
        if let Some(manifest) = &self.manifest {
            kind::check_manifest(manifest, wanted)?;
        }
        self.check_integrity()?;
        let entry = self.entry()?;
        let others = self.others(&entry);
        let templates = template::load(&mut self.archive, &entry, &others, &mut self.report)?;
        kind::check_templates(&templates, wanted)?;
        template::check(&templates, &mut self.report);
        let package = self.package(&entry, &templates);
        Ok((templates, package))
    }

    /// What every archive has.
    pub(super) fn package(&self, entry: &str, templates: &Templates) -> Package {
        let listed = self.listed();
        Package {
            entry: entry.to_owned(),
            meta: self.meta.clone(),
            manifest: self.manifest.clone(),
            artifacts: artifacts::list(&self.archive, templates, &listed, &self.digests),
            security: self.security(),
            signature: self.signature(),
            templates: templates.documents.iter().map(|d| d.file.to_string()).collect(),
            warnings: vec![],
        }
    }

    /// The entry definition: named by TOSCA.meta, or the only YAML file at the root.
    pub(super) fn entry(&self) -> Result<Arc<str>, Finding> {
        if let Some(meta) = &self.meta {
            let place = Place::file(meta::PATH);
            let Some(named) = meta.get("entry-definitions").filter(|n| !n.value.is_empty()) else {
                return Err(Finding::new(&rule::NO_ENTRY, "Entry-Definitions is missing", place));
            };
            if !self.archive.has_file(&named.value) {
                let said = format!("`{}` is not in the archive", named.value);
                let place = Place::line(Arc::clone(&named.file), named.line);
                return Err(Finding::new(&rule::NO_ENTRY, said, place));
            }
            return Ok(Arc::from(named.value.as_str()));
        }
        let names = self.archive.files().map(|(name, _)| name);
        let found: Vec<&Arc<str>> = names.filter(|n| !n.contains('/') && is_yaml(n)).collect();
        let [entry] = found.as_slice() else {
            let said = self.why_no_entry(found.len());
            return Err(Finding::new(&rule::NO_ENTRY, said, Place::archive()));
        };
        Ok(Arc::clone(entry))
    }

    fn why_no_entry(&self, at_root: usize) -> String {
        let deeper = format!("/{}", meta::PATH);
        match self.archive.files().map(|(name, _)| name).find(|n| n.ends_with(&deeper)) {
            Some(meta) => format!("`{meta}` lies in a folder: pack the folder's content instead"),
            None => format!("there is no TOSCA.meta, and {at_root} YAML files are at the root"),
        }
    }

    /// Files that may hold further templates: Other-Definitions, and YAML beside the entry.
    fn others(&self, entry: &str) -> Vec<Arc<str>> {
        let folder =
            |path: &str| path.rsplit_once('/').map_or(String::new(), |(f, _)| f.to_owned());
        let home = folder(entry);
        let named: Vec<&str> = self.meta.iter().flat_map(Meta::other_definitions).collect();
        let names = self.archive.files().map(|(name, _)| name);
        let wanted =
            |name: &&Arc<str>| is_yaml(name) && (folder(name) == home || named.contains(&&***name));
        names.filter(wanted).map(Arc::clone).collect()
    }

    fn security(&self) -> SecurityOption {
        match self.archive.outer() {
            Some(_) => SecurityOption::Option2,
            None => SecurityOption::Option1,
        }
    }

    fn signature(&self) -> Option<Signature> {
        if let Some(outer) = self.archive.outer() {
            return Some(Signature {
                signed: outer.csar.clone(),
                cms: outer.signature.clone(),
                certificate: outer.certificate.clone(),
            });
        }
        let manifest = self.manifest.as_ref()?;
        manifest.signature.as_ref()?;
        let named = self.meta.as_ref().and_then(Meta::certificate).map(str::to_owned);
        let beside = manifest.path.strip_suffix(".mf").map(|stem| format!("{stem}.cert"));
        let certificate = named.or(beside.filter(|path| self.archive.has_file(path)));
        let path = manifest.path.to_string();
        Some(Signature { signed: path.clone(), cms: path, certificate })
    }
}

fn is_yaml(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with(".yaml") || lower.ends_with(".yml")
}
