//! Packages and descriptors: on-boarding, states, content.
//!
//! ```text
//!   PUT …_content ──▶ upload ──▶ blob store          UPLOADING
//!                     address ──▶ 307, past us          UPLOADING
//!                        │ fact …onboard.started     PROCESSING
//!   workflow ────────▶ onboard ──▶ archive ──▶ TOSCA ──▶ convert
//!                        └─▶ ONBOARDED with its descriptor, or ERROR with file and line
//! ```
//!
//! VNF packages and NS descriptors differ in what they tell (`vnf_packages`, `nsds`,
//! `convert_*`); everything else is written once, for both.

mod address;
mod content;
mod content_in;
mod convert_nsd;
mod convert_vnfd;
mod entries;
mod inside;
mod inspect;
mod list;
mod nsds;
mod onboard;
mod range;
mod redrive;
mod upload;
mod vnf_packages;
mod watch;
mod wire;

pub use address::FOLDER as UPLOADS;

use mano_model::catalog::{nsd_info::NsdContent, vnf_package::VnfPkgContent};
use mano_ports::{
    consumer,
    function::{Consumer, Function, Listener, OnEvent, Route, Step},
    listener, on_event, route, step,
};

/// The function's tables.
pub static FUNCTION: Function = Function {
    name: "catalog",
    routes: ROUTES,
    steps: STEPS,
    listeners: LISTENERS,
    consumers: CONSUMERS,
    requests: REQUESTS,
};

const ROUTES: &[Route] = &[
    route!(POST "/vnfpkgm/v2/vnf_packages", Json => entries::create::<VnfPkgContent>),
    route!(GET "/vnfpkgm/v2/vnf_packages", Nothing => list::list::<VnfPkgContent>),
    route!(GET "/vnfpkgm/v2/vnf_packages/{vnfPkgId}", Nothing => entries::read::<VnfPkgContent>),
    route!(PATCH "/vnfpkgm/v2/vnf_packages/{vnfPkgId}", MergePatch
        => entries::modify::<VnfPkgContent>),
    route!(DELETE "/vnfpkgm/v2/vnf_packages/{vnfPkgId}", Nothing
        => entries::delete::<VnfPkgContent>),
    route!(PUT "/vnfpkgm/v2/vnf_packages/{vnfPkgId}/package_content", Stream
        => upload::put::<VnfPkgContent>),
    route!(GET "/vnfpkgm/v2/vnf_packages/{vnfPkgId}/package_content", Nothing
        => content::whole::<VnfPkgContent>),
    route!(POST "/vnfpkgm/v2/vnf_packages/{vnfPkgId}/package_content/upload_from_uri", Json
        => upload::from_uri::<VnfPkgContent>),
    route!(GET "/vnfpkgm/v2/vnf_packages/{vnfPkgId}/vnfd", Nothing, ["include_signatures"]
        => inside::descriptor::<VnfPkgContent>),
    route!(GET "/vnfpkgm/v2/vnf_packages/{vnfPkgId}/manifest", Nothing, ["include_signatures"]
        => inside::manifest::<VnfPkgContent>),
    route!(GET "/vnfpkgm/v2/vnf_packages/{vnfPkgId}/artifacts/{*artifactPath}", Nothing,
        ["include_signatures"] => inside::artifact::<VnfPkgContent>),
    route!(POST "/nsd/v2/ns_descriptors", Json => entries::create::<NsdContent>),
    route!(GET "/nsd/v2/ns_descriptors", Nothing => list::list::<NsdContent>),
    route!(GET "/nsd/v2/ns_descriptors/{nsdInfoId}", Nothing => entries::read::<NsdContent>),
    route!(PATCH "/nsd/v2/ns_descriptors/{nsdInfoId}", MergePatch
        => entries::modify::<NsdContent>),
    route!(DELETE "/nsd/v2/ns_descriptors/{nsdInfoId}", Nothing => entries::delete::<NsdContent>),
    route!(PUT "/nsd/v2/ns_descriptors/{nsdInfoId}/nsd_content", Stream
        => upload::put::<NsdContent>),
    route!(GET "/nsd/v2/ns_descriptors/{nsdInfoId}/nsd_content", Nothing
        => content::whole::<NsdContent>),
    route!(GET "/nsd/v2/ns_descriptors/{nsdInfoId}/nsd", Nothing, ["include_signatures"]
        => inside::descriptor::<NsdContent>),
    route!(GET "/nsd/v2/ns_descriptors/{nsdInfoId}/manifest", Nothing, ["include_signatures"]
        => inside::manifest::<NsdContent>),
    route!(GET "/nsd/v2/ns_descriptors/{nsdInfoId}/artifacts/{*artifactPath}", Nothing,
        ["include_signatures"] => inside::artifact::<NsdContent>),
    route!(POST "/mano/v1/onboardings/redrive", Nothing, ["after"] => redrive::all),
];

const STEPS: &[Step] = &[
    step!("package.onboard" => onboard::look::<VnfPkgContent>),
    step!("package.fail" => onboard::fail::<VnfPkgContent>),
    step!("nsd.onboard" => onboard::look::<NsdContent>),
    step!("nsd.fail" => onboard::fail::<NsdContent>),
];

const LISTENERS: &[Listener] = &[
    listener!("on-boardings-start", ["*.onboard.started"] => onboard::start),
    listener!("catalog-content", ["*.content.dropped"] => upload::drop_blob),
];

const CONSUMERS: &[Consumer] = &[consumer!("upload-watch" => watch::watch)];

const REQUESTS: &[OnEvent] = &[
    on_event!("aws.states", "Step Functions Execution Status Change" => onboard::run_ended),
    on_event!("aws.s3", "Object Created" => address::arrived),
];
