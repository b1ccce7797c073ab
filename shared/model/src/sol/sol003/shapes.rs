//! The attributes of SOL003's wire types, for filters and selectors.

use crate::{
    plan::Index,
    sol::sol013::{
        Attribute, Listing, any, boolean, date_time,
        links::{INSTANCE_LINKS, op_links},
        number, object,
        problem::PROBLEM,
        text,
    },
};

const HANDLE: &[Attribute] = &[
    text("vimConnectionId"),
    text("resourceProviderId"),
    text("resourceId").must(),
    text("vimLevelResourceType"),
];

const SCALE_INFO: &[Attribute] = &[text("aspectId").must(), number("scaleLevel").must()];

const VNFC: &[Attribute] = &[
    text("id").must(),
    text("vduId").must(),
    object("computeResource", HANDLE).must(),
    text("zoneId"),
    text("storageResourceIds").many(),
];

const VIRTUAL_LINK: &[Attribute] = &[
    text("id").must(),
    text("vnfVirtualLinkDescId").must(),
    object("networkResource", HANDLE).must(),
];

const STORAGE: &[Attribute] = &[
    text("id").must(),
    text("virtualStorageDescId").must(),
    object("storageResource", HANDLE).must(),
];

const INSTANTIATED: &[Attribute] = &[
    text("flavourId").must(),
    text("vnfState").must(),
    object("scaleStatus", SCALE_INFO).many(),
    any("extCpInfo").many().must(),
    object("vnfcResourceInfo", VNFC).many(),
    object("vnfVirtualLinkResourceInfo", VIRTUAL_LINK).many(),
    object("virtualStorageResourceInfo", STORAGE).many(),
];

const VNF_INSTANCE: &[Attribute] = &[
    text("id").must(),
    text("vnfInstanceName"),
    text("vnfInstanceDescription"),
    text("vnfdId").must(),
    text("vnfProvider").must(),
    text("vnfProductName").must(),
    text("vnfSoftwareVersion").must(),
    text("vnfdVersion").must(),
    any("vnfConfigurableProperties"),
    any("vimConnectionInfo"),
    text("instantiationState").must(),
    object("instantiatedVnfInfo", INSTANTIATED),
    any("metadata"),
    any("extensions"),
    object("_links", INSTANCE_LINKS).must(),
];

/// `GET …/vnf_instances`.
pub static VNF_INSTANCES: Listing = Listing::new(
    VNF_INSTANCE,
    &[
        "vnfConfigurableProperties",
        "vimConnectionInfo",
        "instantiatedVnfInfo",
        "metadata",
        "extensions",
    ],
)
.by(&[("vnfdId", Index::VnfdId)]);

const AFFECTED_VNFC: &[Attribute] = &[
    text("id").must(),
    text("vduId").must(),
    text("changeType").must(),
    object("computeResource", HANDLE).must(),
];

const AFFECTED_LINK: &[Attribute] = &[
    text("id").must(),
    text("vnfVirtualLinkDescId").must(),
    text("changeType").must(),
    object("networkResource", HANDLE),
];

const AFFECTED_STORAGE: &[Attribute] = &[
    text("id").must(),
    text("virtualStorageDescId").must(),
    text("changeType").must(),
    object("storageResource", HANDLE),
];

const RESOURCE_CHANGES: &[Attribute] = &[
    object("affectedVnfcs", AFFECTED_VNFC).many(),
    object("affectedVirtualLinks", AFFECTED_LINK).many(),
    object("affectedVirtualStorages", AFFECTED_STORAGE).many(),
];

const VNF_LCM_OP_OCC: &[Attribute] = &[
    text("id").must(),
    text("operationState").must(),
    date_time("stateEnteredTime").must(),
    date_time("startTime").must(),
    text("vnfInstanceId").must(),
    text("grantId"),
    text("operation").must(),
    boolean("isAutomaticInvocation").must(),
    any("operationParams"),
    boolean("isCancelPending").must(),
    text("cancelMode"),
    object("error", PROBLEM),
    object("resourceChanges", RESOURCE_CHANGES),
    any("changedInfo"),
    any("changedExtConnectivity"),
    object("_links", &op_links("vnfInstance")).must(),
];

/// `GET …/vnf_lcm_op_occs`.
pub static VNF_LCM_OP_OCCS: Listing = Listing::new(
    VNF_LCM_OP_OCC,
    &["operationParams", "error", "resourceChanges", "changedInfo", "changedExtConnectivity"],
)
.by(&[("vnfInstanceId", Index::VnfInstanceId), ("operationState", Index::OperationState)]);
