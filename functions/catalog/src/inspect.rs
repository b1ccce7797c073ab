//! From findings about an archive to what clients are told.

use mano_model::{
    bound,
    catalog::{
        Failure, Remark,
        entry::Layout,
        vnf_package::{Artifact, Checksum},
    },
};
use mano_tosca::{ArtifactKind, Finding, Mode, Package, Refusal, SecurityOption};
use std::{collections::BTreeMap, sync::Arc};

/// The most remarks that an entry keeps; the others are counted only.
const MOST_REMARKS: usize = 100;

/// The most artifacts that an entry lists.
const MOST_ARTIFACTS: usize = 4_000;

/// The most instances that one level and all scaling together may ask for: what an operation
/// decides over is held in memory.
const MOST_INSTANCES: u64 = 10_000;

/// What [`bound::MOST`] says to who writes a descriptor.
const SMALLER: &str =
    "Ask for at most 1000: an operation is one execution, which ends at 25000 events. Split it.";

/// What on-boarding knows of content before it looks at it.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// The entry that brings it.
    pub(crate) id: String,
    /// Whether to refuse what deviates from the standards.
    pub(crate) strict: bool,
    /// SHA-256 of the archive, lower-case hexadecimal.
    pub(crate) sha256: String,
}

impl Ask {
    /// How descriptors shall be read.
    pub(crate) const fn mode(&self) -> Mode {
        if self.strict { Mode::Strict } else { Mode::Lenient }
    }
}

/// Refuses a flavour that no operation could carry out.
///
/// # Errors
/// The refusal, where a level or the `growth` of all aspects passes the bound.
pub(crate) fn bounded<'a>(
    flavour: &str,
    file: &Arc<str>,
    levels: impl Iterator<Item = &'a BTreeMap<String, u32>>,
    growth: impl Iterator<Item = &'a BTreeMap<String, u32>>,
) -> Result<(), Refusal> {
    let sum = |counts: &BTreeMap<String, u32>| counts.values().map(|n| u64::from(*n)).sum::<u64>();
    let most = levels.map(sum).max().unwrap_or(0) + growth.map(sum).sum::<u64>();
    if most <= MOST_INSTANCES {
        return Ok(());
    }
    let message = format!("flavour `{flavour}` may grow to {most} instances");
    let help = "Ask for at most 10000 instances, over all levels and scaling.";
    Err(too_many(message, help, file))
}

/// Refuses a flavour of which a level cannot be instantiated: it is told, with how many `what` it
/// asks for.
///
/// # Errors
/// The refusal, where a level passes [`bound::MOST`].
pub(crate) fn possible<'a>(
    flavour: &str,
    file: &Arc<str>,
    what: &str,
    mut levels: impl Iterator<Item = (&'a str, usize)>,
) -> Result<(), Refusal> {
    let Some((level, size)) = levels.find(|(_, size)| *size > bound::MOST) else { return Ok(()) };
    let message = format!("level `{level}` of flavour `{flavour}` asks for {size} {what}");
    Err(too_many(message, SMALLER, file))
}

fn too_many(message: String, help: &'static str, file: &Arc<str>) -> Refusal {
    let finding = Finding { rule: "N02", message, help, file: Arc::clone(file), line: None };
    Refusal { errors: vec![finding], warnings: Vec::new() }
}

/// What an entry remembers of content that is no good.
pub(crate) fn failure(refusal: Refusal) -> (Failure, Vec<Remark>) {
    let others = refusal.errors.len().saturating_sub(1);
    let mut detail = refusal.errors.first().map_or_else(String::new, Finding::to_string);
    if others > 0 {
        detail.push_str(&format!("; and {others} more, see errors"));
    }
    let title = "Content refused".into();
    let failure = Failure { status: 422, title, detail, errors: remarks(refusal.errors) };
    (failure, remarks(refusal.warnings))
}

/// Findings as they are kept.
pub(crate) fn remarks(findings: Vec<Finding>) -> Vec<Remark> {
    let all = findings.len();
    let mut kept: Vec<_> = findings.into_iter().take(MOST_REMARKS).map(remark).collect();
    if all > MOST_REMARKS {
        let message = format!("{} more like these are not listed", all - MOST_REMARKS);
        let help = "Correct these first.".into();
        kept.push(Remark { rule: "…".into(), message, help, file: String::new(), line: None });
    }
    kept
}

fn remark(finding: Finding) -> Remark {
    Remark {
        rule: finding.rule.into(),
        message: finding.message,
        help: finding.help.into(),
        file: finding.file.to_string(),
        line: finding.line,
    }
}

/// Where the parts of content lie.
pub(crate) fn layout(package: &Package) -> Layout {
    Layout {
        definitions: package.templates.clone(),
        manifest: package.manifest.as_ref().map(|manifest| manifest.path.to_string()),
    }
}

/// The name of a way of securing an archive.
pub(crate) fn security(package: &Package) -> String {
    match package.security {
        SecurityOption::Option1 => "OPTION_1".into(),
        SecurityOption::Option2 => "OPTION_2".into(),
    }
}

/// A digest on the wire.
pub(crate) fn checksum(of: &mano_tosca::Checksum) -> Checksum {
    Checksum { algorithm: of.algorithm.name().into(), hash: of.hash.clone() }
}

/// What is no part of the descriptor and no image.
pub(crate) fn additional(package: &Package) -> Vec<Artifact> {
    let additional = package.artifacts.iter().filter(|a| a.kind == ArtifactKind::Additional);
    let of = |artifact: &mano_tosca::Artifact| Artifact {
        artifact_path: artifact.path.clone(),
        checksum: artifact.checksum.as_ref().map(checksum),
        is_encrypted: false,
    };
    additional.take(MOST_ARTIFACTS).map(of).collect()
}
