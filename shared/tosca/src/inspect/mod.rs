//! The way in: from the bytes of an archive to a typed package, or the refusal with its reasons.

use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Refusal};
use crate::integrity::{self, Checksum};
use crate::limits::Limits;
use crate::manifest::{Kind, Manifest};
use crate::meta::Meta;
use crate::nsd::{self, Nsd};
use crate::pnfd::{self, Pnfd};
use crate::reading::Reading;
use crate::rules::{Mode, Report, archive as rule};
use crate::template::Templates;
use crate::vnfd::{self, SwImage, Vnfd};

mod artifacts;
mod kind;
mod open;

pub use artifacts::{Artifact, ArtifactKind, Classification};
pub(crate) use open::Opened;

/// How a package is secured (SOL003 `packageSecurityOption`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecurityOption {
    /// Digests in the manifest, which may itself be signed.
    #[serde(rename = "OPTION_1")]
    Option1,
    /// The whole CSAR is signed and comes in an outer archive.
    #[serde(rename = "OPTION_2")]
    Option2,
}

/// Where a package's signature is. It is recognised, not verified: whoever verifies it needs the
/// trust anchors, which are no part of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// What is signed: the manifest's path, or the CSAR's path in the outer archive.
    pub signed: String,
    /// File that holds the CMS block; the manifest itself when it ends with one.
    pub cms: String,
    /// File with the signer's certificate, unless it is within the CMS block.
    pub certificate: Option<String>,
}

/// What every archive has, whatever it describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Package {
    /// The entry definition's path.
    pub entry: String,
    /// `TOSCA-Metadata/TOSCA.meta`, if there is one.
    pub meta: Option<Meta>,
    /// The manifest, if there is one.
    pub manifest: Option<Manifest>,
    /// All files, and those listed by URI.
    pub artifacts: Vec<Artifact>,
    /// How the package is secured.
    pub security: SecurityOption,
    /// The signature found, if any.
    pub signature: Option<Signature>,
    /// Paths of all templates that make up the descriptor, the entry first.
    pub templates: Vec<String>,
    /// Deviations accepted.
    pub warnings: Vec<Finding>,
}

/// Reads an archive without its descriptor: hygiene, metadata, manifest, digests.
///
/// # Errors
/// The refusal by the rules on archives (`A…`) and integrity (`I…`).
pub fn inspect_archive(
    reader: impl Read + Seek,
    mode: Mode,
    limits: Limits,
) -> Result<Package, Refusal> {
    inspect(reader, mode, limits, &mut Reading::at_once(), |opened| {
        opened.check_integrity()?;
        let entry = opened.entry()?;
        let warnings: Warnings<Package> = |p| &mut p.warnings;
        Ok((opened.package(&entry, &Templates::default()), warnings))
    })
}

/// A VNF package that may be on-boarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VnfPackage {
    /// The descriptor.
    pub vnfd: Vnfd,
    /// Software images, in and out of the archive.
    pub images: Vec<SwImage>,
    /// What every archive has.
    pub package: Package,
}

/// Reads a VNF package (SOL004).
///
/// # Errors
/// The refusal, with every reason that was found.
pub fn inspect_vnf(
    reader: impl Read + Seek,
    mode: Mode,
    limits: Limits,
) -> Result<VnfPackage, Refusal> {
    resume_vnf(reader, mode, limits, &mut Reading::at_once())
}

/// Reads as [`inspect_vnf`] does what was not read before, and perhaps in pieces.
///
/// # Errors
/// The same; one reason is [unread](Finding::is_unread) where the reading ended before the archive.
pub fn resume_vnf(
    reader: impl Read + Seek,
    mode: Mode,
    limits: Limits,
    reading: &mut Reading,
) -> Result<VnfPackage, Refusal> {
    inspect(reader, mode, limits, reading, |opened| {
        let (templates, mut package) = opened.load(Kind::Vnf)?;
        let read = vnfd::read(&templates, &opened.archive, &mut opened.report);
        let (vnfd, mut images) = read?;
        check_images(opened, &mut images)?;
        artifacts::mark_images(&mut package.artifacts, &images);
        if let Some(manifest) = &package.manifest {
            kind::compare(manifest, "vnf_product_name", &vnfd.product_name, &mut opened.report);
            kind::compare(manifest, "vnf_provider_id", &vnfd.provider, &mut opened.report);
        }
        let warnings: Warnings<VnfPackage> = |p| &mut p.package.warnings;
        Ok((VnfPackage { vnfd, images, package }, warnings))
    })
}

/// An NSD archive that may be on-boarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NsPackage {
    /// The descriptor.
    pub nsd: Nsd,
    /// What every archive has.
    pub package: Package,
}

/// Reads an NSD archive (SOL007).
///
/// # Errors
/// The refusal, with every reason that was found.
pub fn inspect_ns(
    reader: impl Read + Seek,
    mode: Mode,
    limits: Limits,
) -> Result<NsPackage, Refusal> {
    resume_ns(reader, mode, limits, &mut Reading::at_once())
}

/// Reads as [`inspect_ns`] does what was not read before, and perhaps in pieces.
///
/// # Errors
/// The same; one reason is [unread](Finding::is_unread) where the reading ended before the archive.
pub fn resume_ns(
    reader: impl Read + Seek,
    mode: Mode,
    limits: Limits,
    reading: &mut Reading,
) -> Result<NsPackage, Refusal> {
    inspect(reader, mode, limits, reading, |opened| {
        let (templates, package) = opened.load(Kind::Ns)?;
        let nsd = nsd::read(&templates, &mut opened.report)?;
        if let Some(manifest) = &package.manifest {
            kind::compare(manifest, "nsd_name", &nsd.name, &mut opened.report);
            kind::compare(manifest, "nsd_designer", &nsd.designer, &mut opened.report);
            kind::compare(manifest, "nsd_invariant_id", &nsd.invariant_id, &mut opened.report);
        }
        let warnings: Warnings<NsPackage> = |p| &mut p.package.warnings;
        Ok((NsPackage { nsd, package }, warnings))
    })
}

/// A PNFD archive that may be on-boarded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PnfPackage {
    /// The descriptor.
    pub pnfd: Pnfd,
    /// What every archive has.
    pub package: Package,
}

/// Reads a PNFD archive (SOL004 annex A, SOL007).
///
/// # Errors
/// The refusal, with every reason that was found.
pub fn inspect_pnf(
    reader: impl Read + Seek,
    mode: Mode,
    limits: Limits,
) -> Result<PnfPackage, Refusal> {
    inspect(reader, mode, limits, &mut Reading::at_once(), |opened| {
        let (templates, package) = opened.load(Kind::Pnf)?;
        let pnfd = pnfd::read(&templates, &mut opened.report)?;
        let warnings: Warnings<PnfPackage> = |p| &mut p.package.warnings;
        Ok((PnfPackage { pnfd, package }, warnings))
    })
}

/// A package of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnyPackage {
    /// A VNF package.
    Vnf(Box<VnfPackage>),
    /// An NSD archive.
    Ns(Box<NsPackage>),
    /// A PNFD archive.
    Pnf(Box<PnfPackage>),
}

impl AnyPackage {
    /// What every archive has.
    #[must_use]
    pub fn package(&self) -> &Package {
        match self {
            Self::Vnf(found) => &found.package,
            Self::Ns(found) => &found.package,
            Self::Pnf(found) => &found.package,
        }
    }
}

/// Reads a package of whatever kind it says it is; what says nothing is read as a VNF package.
///
/// # Errors
/// The refusal by the rules of its kind.
pub fn inspect_any(
    mut reader: impl Read + Seek,
    mode: Mode,
    limits: Limits,
) -> Result<AnyPackage, Refusal> {
    let other = |refusal: &Refusal| refusal.errors.iter().any(|e| e.rule == rule::WRONG_KIND.id);
    let refusal = match inspect_vnf(&mut reader, mode, limits) {
        Ok(found) => return Ok(AnyPackage::Vnf(Box::new(found))),
        Err(refusal) if other(&refusal) => refusal,
        Err(refusal) => return Err(refusal),
    };
    match inspect_ns(&mut reader, mode, limits) {
        Ok(found) => return Ok(AnyPackage::Ns(Box::new(found))),
        Err(refusal) if !other(&refusal) => return Err(refusal),
        Err(_) => {}
    }
    match inspect_pnf(&mut reader, mode, limits) {
        Ok(found) => Ok(AnyPackage::Pnf(Box::new(found))),
        Err(last) if other(&last) => Err(refusal),
        Err(last) => Err(last),
    }
}

/// An image's own checksum must hold; without one, the file's digest serves.
fn check_images(opened: &mut Opened<'_>, images: &mut [SwImage]) -> Result<(), Finding> {
    for image in images {
        let Some(path) = &image.path else { continue };
        let known = opened.digests.get(path.as_str());
        match &image.checksum {
            Some(claimed) if known.is_none_or(|k| k.algorithm != claimed.algorithm) => {
                let (archive, report) = (&mut opened.archive, &mut opened.report);
                integrity::check_one(archive, opened.reading, path, claimed, report)?;
            }
            Some(claimed) => {
                if let Some(known) = known {
                    integrity::compare(path, claimed, &known.hash, &mut opened.report);
                }
            }
            None => image.checksum = known.cloned(),
        }
    }
    Ok(())
}

type Warnings<P> = fn(&mut P) -> &mut Vec<Finding>;

/// Opens, works, and turns what was found into a package with warnings or a refusal.
fn inspect<'r, P>(
    reader: impl Read + Seek + 'r,
    mode: Mode,
    limits: Limits,
    reading: &'r mut Reading,
    work: impl FnOnce(&mut Opened<'r>) -> Result<(P, Warnings<P>), Finding>,
) -> Result<P, Refusal> {
    let mut opened = Opened::new(reader, mode, limits, reading)?;
    match work(&mut opened) {
        Ok((mut package, warnings)) => {
            *warnings(&mut package) = opened.report.finish()?;
            Ok(package)
        }
        Err(finding) => {
            opened.report.push_error(finding);
            Err(opened.report.refuse())
        }
    }
}

/// A digest for whoever stores the archive as a whole (SOL003 `checksum`).
///
/// # Errors
/// When reading fails.
pub fn checksum(reader: &mut dyn Read) -> std::io::Result<Checksum> {
    let algorithm = crate::Algorithm::Sha256;
    Ok(Checksum { algorithm, hash: algorithm.digest(reader)? })
}

impl Report {
    /// A refusal with one reason.
    pub(crate) fn refuse_with(mut self, finding: Finding) -> Refusal {
        self.push_error(finding);
        self.refuse()
    }
}
