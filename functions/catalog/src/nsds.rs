//! NS descriptors on the wire (SOL005 clause 5: `NsdInfo`).

use crate::{
    convert_nsd,
    inspect::Ask,
    vnf_packages::{ARTIFACT, OWN, PROBLEM},
    wire::Wire,
};
use mano_model::{
    catalog::{entry::Layout, nsd_info::NsdContent, onboard::Verdict},
    plan::Index,
    sol::sol013::{Attribute, LINK, Listing, any, object, text},
};
use mano_tosca::{Reading, Refusal};
use std::io::{Read, Seek};

const LINKS: &[Attribute] = &[object("self", LINK).must(), object("nsd_content", LINK).must()];

/// `NsdInfo`.
const SHAPE: &[Attribute] = &[
    text("id").must(),
    text("nsdId").must(),
    text("nsdName").must(),
    text("nsdVersion").must(),
    text("nsdDesigner").must(),
    text("nsdInvariantId").must(),
    text("vnfPkgIds").many().must(),
    text("pnfdInfoIds").many(),
    text("nestedNsdInfoIds").many(),
    text("archiveSecurityOption"),
    text("signingCertificate"),
    object("artifacts", ARTIFACT).many(),
    text("nsdOnboardingState").must(),
    object("onboardingFailureDetails", PROBLEM),
    text("nsdOperationalState").must(),
    text("nsdUsageState").must(),
    any("userDefinedData"),
    object("_mano", OWN),
    object("_links", LINKS).must(),
];

/// Left out of lists unless asked for (SOL005 table 5.4.2.3.2-1).
const LEFT_OUT: &[&str] = &["userDefinedData", "onboardingFailureDetails", "artifacts", "_mano"];

impl Wire for NsdContent {
    const COLLECTION: &'static str = "/nsd/v2/ns_descriptors";
    const PARAM: &'static str = "nsdInfoId";
    const CONTENT: &'static str = "nsd_content";
    const ONBOARDING_STATE: &'static str = "nsdOnboardingState";
    const USAGE_STATE: &'static str = "nsdUsageState";
    const LISTING: &'static Listing = &Listing::new(SHAPE, LEFT_OUT).by(&[("nsdId", Index::NsdId)]);
    const LINKS: &'static [(&'static str, &'static str)] = &[("nsd_content", "nsd_content")];

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn refers_to(&self) -> (&'static str, &[String]) {
        ("vnfPkgIds", &self.vnfd_ids)
    }

    fn inspect(
        reader: impl Read + Seek,
        ask: &Ask,
        reading: &mut Reading,
    ) -> Result<Verdict<Self>, Refusal> {
        convert_nsd::inspect(reader, ask, reading)
    }
}
