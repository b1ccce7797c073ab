//! Service management: the life of network services and network functions, from request to record.
//!
//! ```text
//!   POST …/instantiate ─▶ accept ─▶ fact ─▶ relay ─▶ workflow ─▶ grant · (vim steps) · close
//! ```

mod engine;
mod ns;
mod redrive;
mod requests;
mod runs;
mod settle;
mod tree;
mod vnf;

use mano_ports::{function::Function, listener, on_event, route, step};

/// The tables a host serves.
pub static FUNCTION: Function = Function {
    name: "service-management",
    routes: &[
        route!(POST "/vnflcm/v2/vnf_instances", Json => vnf::instances::create),
        route!(GET "/vnflcm/v2/vnf_instances", Nothing => vnf::instances::list),
        route!(GET "/vnflcm/v2/vnf_instances/{vnfInstanceId}", Nothing => vnf::instances::show),
        route!(DELETE "/vnflcm/v2/vnf_instances/{vnfInstanceId}", Nothing => vnf::instances::delete),
        route!(POST "/vnflcm/v2/vnf_instances/{vnfInstanceId}/instantiate", Json => vnf::tasks::instantiate),
        route!(POST "/vnflcm/v2/vnf_instances/{vnfInstanceId}/scale", Json => vnf::tasks::scale),
        route!(POST "/vnflcm/v2/vnf_instances/{vnfInstanceId}/heal", Json => vnf::tasks::heal),
        route!(POST "/vnflcm/v2/vnf_instances/{vnfInstanceId}/terminate", Json => vnf::tasks::terminate),
        route!(GET "/vnflcm/v2/vnf_lcm_op_occs", Nothing => vnf::op_occs::list),
        route!(GET "/vnflcm/v2/vnf_lcm_op_occs/{vnfLcmOpOccId}", Nothing => vnf::op_occs::show),
        route!(POST "/vnflcm/v2/vnf_lcm_op_occs/{vnfLcmOpOccId}/retry", Nothing => vnf::op_occs::retry),
        route!(POST "/vnflcm/v2/vnf_lcm_op_occs/{vnfLcmOpOccId}/rollback", Nothing => vnf::op_occs::roll_back),
        route!(POST "/vnflcm/v2/vnf_lcm_op_occs/{vnfLcmOpOccId}/fail", Nothing => vnf::op_occs::fail),
        route!(POST "/nslcm/v2/ns_instances", Json => ns::instances::create),
        route!(GET "/nslcm/v2/ns_instances", Nothing => ns::instances::list),
        route!(GET "/nslcm/v2/ns_instances/{nsInstanceId}", Nothing => ns::instances::show),
        route!(DELETE "/nslcm/v2/ns_instances/{nsInstanceId}", Nothing => ns::instances::delete),
        route!(POST "/nslcm/v2/ns_instances/{nsInstanceId}/instantiate", Json => ns::tasks::instantiate),
        route!(POST "/nslcm/v2/ns_instances/{nsInstanceId}/scale", Json => ns::tasks::scale),
        route!(POST "/nslcm/v2/ns_instances/{nsInstanceId}/heal", Json => ns::tasks::heal),
        route!(POST "/nslcm/v2/ns_instances/{nsInstanceId}/terminate", Json => ns::tasks::terminate),
        route!(GET "/nslcm/v2/ns_lcm_op_occs", Nothing => ns::op_occs::list),
        route!(GET "/nslcm/v2/ns_lcm_op_occs/{nsLcmOpOccId}", Nothing => ns::op_occs::show),
        route!(POST "/nslcm/v2/ns_lcm_op_occs/{nsLcmOpOccId}/retry", Nothing => ns::op_occs::retry),
        route!(POST "/nslcm/v2/ns_lcm_op_occs/{nsLcmOpOccId}/rollback", Nothing => ns::op_occs::roll_back),
        route!(POST "/nslcm/v2/ns_lcm_op_occs/{nsLcmOpOccId}/fail", Nothing => ns::op_occs::fail),
        route!(GET "/mano/v1/operations/{opId}/tree", Nothing, ["after", "wait"] => tree::show),
        route!(POST "/mano/v1/vnf_instances/{vnfInstanceId}/release", Nothing => vnf::instances::release),
        route!(POST "/mano/v1/ns_instances/{nsInstanceId}/release", Nothing => ns::instances::release),
        route!(POST "/mano/v1/operations/redrive", Nothing, ["after"] => redrive::all),
        route!(POST "/mano/v1/events", Json => requests::entrance::post),
        route!(GET "/mano/v1/workflows", Nothing => engine::workflows),
        route!(GET "/mano/v1/workflows/{name}", Nothing => engine::definition),
        route!(GET "/mano/v1/workflows/{name}/runs", Nothing, ["after"] => engine::runs),
        route!(GET "/mano/v1/workflows/{name}/runs/{run}", Nothing => engine::run),
        route!(GET "/mano/v1/workflows/{name}/runs/{run}/history", Nothing, ["after"] => engine::history),
    ],
    steps: &[
        step!("vnf.grant" => vnf::steps::grant),
        step!("vnf.undo" => vnf::steps::undo),
        step!("vnf.close" => vnf::steps::close),
        step!("ns.grant" => ns::steps::grant),
        step!("ns.undo" => ns::steps::undo),
        step!("ns.vnf" => ns::steps::vnf),
        step!("ns.close" => ns::steps::close),
    ],
    listeners: &[
        listener!("operations-start", ["ns.*.started", "vnf.*.started"] => runs::start),
        listener!("ns-waits", ["*.ended"] => ns::waiting::vnf_rests),
    ],
    consumers: &[],
    requests: &[
        on_event!("*", "mano.request.*" => requests::take),
        on_event!("aws.states", "Step Functions Execution Status Change" => runs::ended_by_itself),
    ],
};
