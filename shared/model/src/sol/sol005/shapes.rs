//! The attributes of SOL005's `nslcm` wire types, for filters and selectors.

use crate::{
    plan::Index,
    sol::sol013::{
        Attribute, Listing, any, boolean, date_time,
        links::{INSTANCE_LINKS, op_links},
        object,
        problem::PROBLEM,
        text,
    },
};

const SCALE_STATUS: &[Attribute] =
    &[text("nsScalingAspectId").must(), text("nsScaleLevelId").must()];

const VNF: &[Attribute] = &[
    text("id").must(),
    text("vnfInstanceName"),
    text("vnfdId").must(),
    text("vnfProvider").must(),
    text("vnfProductName").must(),
    text("instantiationState").must(),
    any("instantiatedVnfInfo"),
    any("_links").must(),
];

const NS_INSTANCE: &[Attribute] = &[
    text("id").must(),
    text("nsInstanceName").must(),
    text("nsInstanceDescription").must(),
    text("nsdId").must(),
    text("nsdInfoId").must(),
    text("flavourId"),
    object("vnfInstance", VNF).many(),
    any("pnfInfo").many(),
    any("virtualLinkInfo").many(),
    any("vnffgInfo").many(),
    any("sapInfo").many(),
    any("nestedNsInstanceId").many(),
    text("nsState").must(),
    object("nsScaleStatus", SCALE_STATUS).many(),
    any("additionalAffinityOrAntiAffinityRule").many(),
    any("wanConnectionInfo").many(),
    object("_links", INSTANCE_LINKS).must(),
];

/// `GET …/ns_instances`.
pub static NS_INSTANCES: Listing = Listing::new(
    NS_INSTANCE,
    &[
        "vnfInstance",
        "pnfInfo",
        "virtualLinkInfo",
        "vnffgInfo",
        "sapInfo",
        "nsScaleStatus",
        "additionalAffinityOrAntiAffinityRule",
        "wanConnectionInfo",
    ],
)
.by(&[("nsdId", Index::NsdId)]);

const AFFECTED_VNF: &[Attribute] = &[
    text("vnfInstanceId").must(),
    text("vnfdId").must(),
    text("vnfProfileId").must(),
    text("vnfName"),
    text("changeType").must(),
    text("changeResult").must(),
];

const AFFECTED_VL: &[Attribute] = &[
    text("nsVirtualLinkInstanceId").must(),
    text("nsVirtualLinkDescId").must(),
    text("vlProfileId").must(),
    text("changeType").must(),
    text("changeResult").must(),
];

const RESOURCE_CHANGES: &[Attribute] =
    &[object("affectedVnfs", AFFECTED_VNF).many(), object("affectedVls", AFFECTED_VL).many()];

const NS_LCM_OP_OCC: &[Attribute] = &[
    text("id").must(),
    text("operationState").must(),
    date_time("stateEnteredTime").must(),
    text("nsInstanceId").must(),
    text("lcmOperationType").must(),
    date_time("startTime").must(),
    boolean("isAutomaticInvocation").must(),
    any("operationParams"),
    boolean("isCancelPending").must(),
    text("cancelMode"),
    object("error", PROBLEM),
    object("resourceChanges", RESOURCE_CHANGES),
    any("changedVnfInfo"),
    object("_links", &op_links("nsInstance")).must(),
];

/// `GET …/ns_lcm_op_occs`.
pub static NS_LCM_OP_OCCS: Listing =
    Listing::new(NS_LCM_OP_OCC, &["operationParams", "changedVnfInfo", "error", "resourceChanges"])
        .by(&[("nsInstanceId", Index::NsInstanceId), ("operationState", Index::OperationState)]);
