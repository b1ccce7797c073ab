//! The list of a package's files, each with its digest and what it is for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::archive::Archive;
use crate::integrity::{Algorithm, Checksum};
use crate::listed::Listed;
use crate::meta;
use crate::template::Templates;
use crate::vnfd::SwImage;

/// What a file of a package is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArtifactKind {
    /// TOSCA.meta or the manifest.
    Metadata,
    /// Part of the descriptor.
    Template,
    /// A software image.
    Image,
    /// A signature or a certificate.
    Security,
    /// Anything else: SOL003's additional artifacts.
    Additional,
}

/// SOL003's `artifactClassification`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Classification {
    /// The change log.
    History,
    /// Test descriptions.
    Testing,
    /// Licences.
    License,
}

/// A file of the package, or one outside that it lists by URI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Path in the archive, or URI.
    pub path: String,
    /// Whether `path` is a URI.
    pub external: bool,
    /// Size in bytes; 0 for external files.
    pub size: u64,
    /// The digest claimed, else computed; external files may have none.
    pub checksum: Option<Checksum>,
    /// What it is for.
    pub kind: ArtifactKind,
    /// The non-MANO artifact set it belongs to.
    pub set: Option<String>,
    /// What SOL003 calls it besides.
    pub classification: Option<Classification>,
    /// Media type, where TOSCA.meta gives one.
    pub media_type: Option<String>,
}

/// Lists all files in the order of the archive, then the external ones.
pub(super) fn list(
    archive: &Archive<'_>,
    templates: &Templates,
    listed: &[Listed],
    digests: &BTreeMap<Arc<str>, Checksum>,
) -> Vec<Artifact> {
    let sets: HashMap<&str, &Listed> =
        listed.iter().filter(|l| l.set.is_some()).map(|l| (l.source.as_str(), l)).collect();
    let types: HashMap<&str, &Listed> = listed
        .iter()
        .filter(|l| l.content_type.is_some())
        .map(|l| (l.source.as_str(), l))
        .collect();
    let mut found: Vec<Artifact> = archive
        .files()
        .map(|(path, size)| Artifact {
            path: path.to_string(),
            external: false,
            size,
            checksum: digests.get(path).cloned(),
            kind: kind(path, templates),
            set: sets.get(&**path).and_then(|l| l.set.clone()),
            classification: classification(path),
            media_type: types.get(&**path).and_then(|l| l.content_type.clone()),
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    for entry in listed.iter().filter(|l| l.is_external() && seen.insert(&l.source)) {
        found.push(external(entry));
    }
    found
}

fn external(entry: &Listed) -> Artifact {
    let algorithm = entry.algorithm.as_deref().and_then(Algorithm::from_name);
    let checksum = algorithm
        .zip(entry.hash.as_deref())
        .map(|(algorithm, hash)| Checksum { algorithm, hash: hash.to_ascii_lowercase() });
    Artifact {
        path: entry.source.clone(),
        external: true,
        size: 0,
        checksum,
        kind: ArtifactKind::Additional,
        set: entry.set.clone(),
        classification: None,
        media_type: entry.content_type.clone(),
    }
}

fn kind(path: &str, templates: &Templates) -> ArtifactKind {
    let end = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match end.as_str() {
        _ if path.eq_ignore_ascii_case(meta::PATH) => ArtifactKind::Metadata,
        "mf" => ArtifactKind::Metadata,
        "cms" | "cert" | "crt" | "p7b" | "p7c" | "p7s" => ArtifactKind::Security,
        _ if templates.documents.iter().any(|d| &*d.file == path) => ArtifactKind::Template,
        "yaml" | "yml" if path.starts_with("Definitions/") => ArtifactKind::Template,
        _ => ArtifactKind::Additional,
    }
}

fn classification(path: &str) -> Option<Classification> {
    let lower = path.to_ascii_lowercase();
    let has = |word: &str| lower.split('/').any(|part| part.starts_with(word));
    match () {
        () if has("changelog") => Some(Classification::History),
        () if has("tests") => Some(Classification::Testing),
        () if has("license") || has("licence") => Some(Classification::License),
        () => None,
    }
}

/// Files that are software images are no additional artifacts.
pub(super) fn mark_images(artifacts: &mut [Artifact], images: &[SwImage]) {
    for artifact in artifacts {
        if images.iter().any(|i| i.path.as_deref() == Some(&artifact.path)) {
            artifact.kind = ArtifactKind::Image;
        }
    }
}
