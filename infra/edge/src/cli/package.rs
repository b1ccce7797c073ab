//! `mano package`: VNF packages (SOL005 VNF package management).

use super::{
    archive,
    client::Api,
    descriptor::{Family, noun},
};

/// How VNF packages are found, shown and switched.
pub(crate) const FAMILY: Family = Family {
    noun: noun(
        Api::VnfPackages,
        "/vnf_packages",
        "VNF package",
        &["vnfdId", "vnfProductName"],
        "mano package list",
    ),
    content: "package_content",
    onboarding: "onboardingState",
    operational: "operationalState",
    kind: archive::Kind::Vnf,
    columns: &[
        ("ID", &["/id"]),
        ("PRODUCT", &["/vnfProductName"]),
        ("VERSION", &["/vnfdVersion"]),
        ("VNFD", &["/vnfdId"]),
        ("ONBOARDING", &["/onboardingState"]),
        ("OPERATIONAL", &["/operationalState"]),
        ("USAGE", &["/usageState"]),
    ],
};

/// A filter that people may begin with.
pub(crate) const FILTER: &str = "(eq,usageState,IN_USE)";

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano package check ./router/            the same rules as on-boarding, without a server
  mano package onboard router.csar          upload, check, and wait for the result
  mano package onboard ./router/            the same from a folder
  mano package list
  mano package show router                  by id, beginning of the id, VNFD id or product name
  mano package download router --to x.csar  the archive as it came
  mano package disable router
  mano package delete --disable router";
