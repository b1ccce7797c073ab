//! `mano nsd`: NS descriptors (SOL005 NSD management).

use super::{
    archive,
    client::Api,
    descriptor::{Family, noun},
};

/// How NS descriptors are found, shown and switched.
pub(crate) const FAMILY: Family = Family {
    noun: noun(
        Api::Nsd,
        "/ns_descriptors",
        "NS descriptor",
        &["nsdId", "nsdName"],
        "mano nsd list",
    ),
    content: "nsd_content",
    onboarding: "nsdOnboardingState",
    operational: "nsdOperationalState",
    kind: archive::Kind::Ns,
    columns: &[
        ("ID", &["/id"]),
        ("NAME", &["/nsdName"]),
        ("VERSION", &["/nsdVersion"]),
        ("NSD", &["/nsdId"]),
        ("ONBOARDING", &["/nsdOnboardingState"]),
        ("OPERATIONAL", &["/nsdOperationalState"]),
        ("USAGE", &["/nsdUsageState"]),
    ],
};

/// A filter that people may begin with.
pub(crate) const FILTER: &str = "(eq,nsdUsageState,IN_USE)";

/// What `--help` ends with.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mano nsd check ./service/               the same rules as on-boarding, without a server
  mano nsd onboard service.csar             after the VNF packages it is made of
  mano nsd onboard ./service/               the same from a folder
  mano nsd list
  mano nsd show edge-service                by id, beginning of the id, NSD id or name
  mano nsd download edge-service            the archive as it came
  mano nsd delete --disable edge-service";
