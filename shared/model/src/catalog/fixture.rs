//! Entries in every state, made only by decisions, for the tests of this folder.

use super::{
    Content, Entry, NsdInfo, OperationalState, VnfPackage,
    modify::{self, Modifications},
    onboard::{self, Verdict},
    upload,
    usage::Usage,
    vnf_package::{Checksum, VnfPkgContent},
};
use crate::{
    TenantId,
    descriptor::Vnfd,
    ids,
    plan::{Change, Document, Origin, Plan, Versioned},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

/// A decision taken so many seconds after the beginning.
pub(super) fn at(second: i64) -> Origin {
    Origin {
        id: ids::derived(&["plan", &second.to_string()]),
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
        tenant: TenantId::default(),
        actor: "test".into(),
        correlation: None,
        causation: None,
        trace: None,
    }
}

/// The document of this type that a plan puts.
pub(super) fn put<T: Document>(plan: &Plan) -> T {
    let bodies = plan.writes.iter().filter(|w| w.key.kind == T::KIND);
    let mut body = bodies.filter_map(|w| match &w.change {
        Change::Put { body, .. } => Some(body),
        Change::Delete | Change::Check | Change::Add(_) => None,
    });
    serde_json::from_str(body.next_back().expect("the plan puts one")).expect("it is one")
}

/// The entry a plan leaves, as read back.
pub(super) fn left(plan: &Plan) -> Versioned<VnfPackage> {
    Versioned { version: 7, value: put(plan) }
}

/// The names of the facts of a plan.
pub(super) fn told(plan: &Plan) -> Vec<&str> {
    plan.facts.iter().map(|fact| fact.name.as_str()).collect()
}

/// A package that waits for content.
pub(super) fn created() -> Versioned<VnfPackage> {
    let (_, value) = modify::create(at(0), "p1".into(), Map::new()).expect("nothing is wrong");
    Versioned { version: 1, value }
}

/// One whose upload `first` began at second 10.
pub(super) fn uploading() -> Versioned<VnfPackage> {
    left(&upload::begin(at(10), created(), "first").expect("content is taken"))
}

/// What `first` brought.
pub(super) fn content() -> Content {
    Content { blob: "first".into(), size: 3, sha256: "abc".into() }
}

/// One that is looked at by run 1.
pub(super) fn processing() -> Versioned<VnfPackage> {
    left(&upload::received(at(11), uploading(), content()).expect("it waits for this"))
}

/// Nothing is wrong with it.
pub(super) fn verdict() -> Verdict<VnfPkgContent> {
    let text = String::from;
    Verdict {
        described: VnfPkgContent {
            vnfd_id: text("v1"),
            vnf_provider: text("us"),
            vnf_product_name: text("router"),
            vnf_software_version: text("1"),
            vnfd_version: text("1"),
            vnfm_info: Vec::new(),
            checksum: Checksum { algorithm: text("SHA-256"), hash: text("abc") },
            software_images: Vec::new(),
            additional_artifacts: Vec::new(),
            package_security_option: text("OPTION_1"),
            layout: super::entry::Layout::default(),
        },
        descriptor: Vnfd {
            vnfd_id: text("v1"),
            vnf_pkg_id: text("p1"),
            provider: text("us"),
            product_name: text("router"),
            software_version: text("1"),
            descriptor_version: text("1"),
            vnfm_info: Vec::new(),
            flavours: Vec::new(),
        },
        warnings: Vec::new(),
    }
}

/// One whose content is good.
pub(super) fn onboarded() -> Versioned<VnfPackage> {
    left(&onboard::accept(at(12), processing(), 1, verdict(), None).expect("run 1 is due"))
}

/// One that takes no new instances.
pub(super) fn disabled() -> Versioned<VnfPackage> {
    let off = Modifications {
        operational_state: Some(OperationalState::Disabled),
        ..Modifications::default()
    };
    left(&modify::modify(at(13), onboarded(), &off).expect("it is enabled"))
}

/// The use of its descriptor by so many instances.
pub(super) fn used_by(instances: i64) -> Versioned<Usage> {
    let usage = Usage::none(super::usage::Descriptor::Vnfd, "v1", "p1");
    Versioned { version: 3, value: Usage { instances, disabled: 1, ..usage } }
}

/// An NS descriptor that waits for content.
pub(super) fn nsd() -> Versioned<NsdInfo> {
    let (_, value): (_, Entry<_>) =
        modify::create(at(0), "n1".into(), Map::new()).expect("nothing is wrong");
    Versioned { version: 1, value }
}
