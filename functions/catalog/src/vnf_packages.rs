//! VNF packages on the wire (SOL005 clause 9: `VnfPkgInfo`).

use crate::{convert_vnfd, inspect::Ask, wire::Wire};
use mano_model::{
    catalog::{entry::Layout, onboard::Verdict, vnf_package::VnfPkgContent},
    plan::Index,
    sol::sol013::{Attribute, LINK, Listing, any, boolean, date_time, number, object, text},
};
use mano_tosca::{Reading, Refusal};
use std::io::{Read, Seek};

/// `Checksum`.
pub(crate) const CHECKSUM: &[Attribute] = &[text("algorithm").must(), text("hash").must()];

/// `VnfPackageArtifactInfo`.
pub(crate) const ARTIFACT: &[Attribute] = &[
    text("artifactPath"),
    text("artifactURI"),
    object("checksum", CHECKSUM).must(),
    boolean("isEncrypted").must(),
    text("nonManoArtifactSetId"),
    text("artifactClassification"),
    any("metadata"),
];

/// `ProblemDetails`, with what on-boarding adds.
pub(crate) const PROBLEM: &[Attribute] = &[
    number("status").must(),
    text("title"),
    text("detail").must(),
    text("type"),
    text("instance"),
    object("errors", REMARK).many(),
];

/// What was noticed in content.
const REMARK: &[Attribute] =
    &[text("rule").must(), text("message").must(), text("help"), text("file"), number("line")];

/// Our own attributes.
pub(crate) const OWN: &[Attribute] = &[object("warnings", REMARK).many()];

/// `VnfPackageSoftwareImageInfo`.
const IMAGE: &[Attribute] = &[
    text("id").must(),
    text("name").must(),
    text("provider").must(),
    text("version").must(),
    object("checksum", CHECKSUM).must(),
    boolean("isEncrypted").must(),
    text("containerFormat").must(),
    text("diskFormat").must(),
    date_time("createdAt"),
    number("minDisk").must(),
    number("minRam").must(),
    number("size").must(),
    any("userMetadata"),
    text("imagePath"),
    text("imageUri"),
];

const LINKS: &[Attribute] = &[
    object("self", LINK).must(),
    object("vnfd", LINK).must(),
    object("packageContent", LINK).must(),
];

/// `VnfPkgInfo`.
const SHAPE: &[Attribute] = &[
    text("id").must(),
    text("vnfdId").must(),
    text("vnfProvider").must(),
    text("vnfProductName").must(),
    text("vnfSoftwareVersion").must(),
    text("vnfdVersion").must(),
    text("compatibleSpecificationVersions").many(),
    object("checksum", CHECKSUM),
    text("packageSecurityOption").must(),
    text("signingCertificate"),
    object("softwareImages", IMAGE).many(),
    object("additionalArtifacts", ARTIFACT).many(),
    text("onboardingState").must(),
    text("operationalState").must(),
    text("usageState").must(),
    text("vnfmInfo").many().must(),
    any("userDefinedData"),
    object("onboardingFailureDetails", PROBLEM),
    object("_mano", OWN),
    object("_links", LINKS).must(),
];

/// Left out of lists unless asked for (SOL005 table 9.4.2.3.2-1).
const LEFT_OUT: &[&str] = &[
    "softwareImages",
    "additionalArtifacts",
    "userDefinedData",
    "checksum",
    "onboardingFailureDetails",
    "_mano",
];

impl Wire for VnfPkgContent {
    const COLLECTION: &'static str = "/vnfpkgm/v2/vnf_packages";
    const PARAM: &'static str = "vnfPkgId";
    const CONTENT: &'static str = "package_content";
    const ONBOARDING_STATE: &'static str = "onboardingState";
    const USAGE_STATE: &'static str = "usageState";
    const LISTING: &'static Listing =
        &Listing::new(SHAPE, LEFT_OUT).by(&[("vnfdId", Index::VnfdId)]);
    const LINKS: &'static [(&'static str, &'static str)] =
        &[("vnfd", "vnfd"), ("packageContent", "package_content")];

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn inspect(
        reader: impl Read + Seek,
        ask: &Ask,
        reading: &mut Reading,
    ) -> Result<Verdict<Self>, Refusal> {
        convert_vnfd::inspect(reader, ask, reading)
    }
}
