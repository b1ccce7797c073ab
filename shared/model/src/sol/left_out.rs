//! The attributes of the standard's requests that are not carried out: who sends one is told.
//!
//! What is no attribute of the standard is kept with the operation and means nothing. Asked once,
//! where a request is accepted: what an earlier release accepted goes on as it was.

use crate::{Refusal, ns, vnf};
use serde_json::Value;

/// An attribute by its path (`[]`: each of a list), and why not and what to do.
type LeftOut = (&'static str, &'static str);

const AT_ONCE: &str = "this orchestrator begins at once; leave it out, and ask when it is time";
const NO_PARAMETERS: &str = "no network function or service here takes parameters; leave it out";
const PLACES: &str = "where things go is decided from the descriptors and the VIMs' zones; leave it \
                      out";
const NEW_ONES: &str =
    "a service is made of new network functions, as its descriptor says; leave it out";
const NO_NESTED: &str = "services within services are not offered; leave it out";
const NO_OUTSIDE: &str =
    "networks outside of the service or function are not connected; leave it out";
const ALL_GOES: &str = "everything is removed at once; leave it out";
const NO_ACTIONS: &str = "healing makes again what was lost, and no more; leave it out";

/// `InstantiateNsRequest` (SOL005 clause 6.5.2.11).
const INSTANTIATE_NS: &[LeftOut] = &[
    ("sapData", NO_OUTSIDE),
    ("addpnfData", "physical network functions are not offered; leave it out"),
    ("vnfInstanceData", NEW_ONES),
    ("nestedNsInstanceData", NO_NESTED),
    ("locationConstraints", PLACES),
    ("nestedNsLocationConstraints", NO_NESTED),
    ("nestedNslocationConstraints", NO_NESTED),
    ("additionalParamsForNs", NO_PARAMETERS),
    ("additionalParamForNestedNs", NO_NESTED),
    ("additionalParamsForNestedNs", NO_NESTED),
    ("additionalParamsForVnf", NO_PARAMETERS),
    ("startTime", AT_ONCE),
    ("targetNsScaleLevelInfo", "name an nsInstantiationLevelId, and scale afterwards"),
    ("wanConnectionData", NO_OUTSIDE),
    ("additionalAffinityOrAntiAffinityRule", PLACES),
    ("feasibilityCheckReserve", "nothing is reserved ahead; leave it out"),
    ("dataFlowMirroringData", "no data flow is mirrored; leave it out"),
];

/// `ScaleNsRequest` (SOL005 clause 6.5.2.14).
const SCALE_NS: &[LeftOut] = &[
    ("scaleTime", AT_ONCE),
    ("scaleNsData.vnfInstanceToBeAdded", NEW_ONES),
    (
        "scaleNsData.vnfInstanceToBeRemoved",
        "the youngest go first; scale in by steps or to a level",
    ),
    ("scaleNsData.additionalParamsForNs", NO_PARAMETERS),
    ("scaleNsData.additionalParamsForVnf", NO_PARAMETERS),
    ("scaleNsData.locationConstraints", PLACES),
    ("scaleNsData.nestedNsLocationConstraints", NO_NESTED),
    ("scaleNsData.nestedNslocationConstraints", NO_NESTED),
    (
        "scaleNsData.scaleNsToLevelData.nsScaleInfo",
        "a service is not scaled aspect by aspect to a level; name an nsInstantiationLevel, or \
         scale by steps",
    ),
    (
        "scaleVnfData[].scaleToLevelData",
        "a network function is not scaled to a level; scale by steps with scaleByStepData",
    ),
    ("scaleVnfData[].scaleByStepData.additionalParams", NO_PARAMETERS),
];

/// `HealNsRequest` (SOL005 clause 6.5.2.13).
const HEAL_NS: &[LeftOut] = &[
    ("healNsData.actionsHealing", NO_ACTIONS),
    ("healNsData.healScript", NO_ACTIONS),
    ("healNsData.additionalParamsforNs", NO_PARAMETERS),
    ("healVnfData[].additionalParams", NO_PARAMETERS),
];

/// `TerminateNsRequest` (SOL005 clause 6.5.2.15).
const TERMINATE_NS: &[LeftOut] =
    &[("terminationTime", AT_ONCE), ("terminateNsData", ALL_GOES), ("terminateVnfData", ALL_GOES)];

/// `InstantiateVnfRequest` (SOL003 clause 5.5.2.4).
const INSTANTIATE_VNF: &[LeftOut] = &[
    ("extVirtualLinks", NO_OUTSIDE),
    ("extManagedVirtualLinks", NO_OUTSIDE),
    ("vimConnectionInfo", "VIMs are registered with POST /mano/v1/vims; leave it out"),
    ("localizationLanguage", "network functions are not localised; leave it out"),
    ("additionalParams", NO_PARAMETERS),
    ("extensions", NO_PARAMETERS),
    ("vnfConfigurableProperties", NO_PARAMETERS),
];

/// `ScaleVnfRequest` (SOL003 clause 5.5.2.5).
const SCALE_VNF: &[LeftOut] = &[("additionalParams", NO_PARAMETERS)];

/// `HealVnfRequest` (SOL003 clause 5.5.2.9).
const HEAL_VNF: &[LeftOut] = &[("healScript", NO_ACTIONS), ("additionalParams", NO_PARAMETERS)];

/// `TerminateVnfRequest` (SOL003 clause 5.5.2.8).
const TERMINATE_VNF: &[LeftOut] = &[
    (
        "gracefulTerminationTimeout",
        "this orchestrator cannot ask a network function to finish its work, and waits for none; \
         leave it out",
    ),
    ("additionalParams", NO_PARAMETERS),
];

/// Refuses a request for an NS operation that asks for more than is done.
///
/// # Errors
/// Unprocessable, naming the attribute.
pub fn none_of_ns(operation: ns::op::Operation, request: &Value) -> Result<(), Refusal> {
    use ns::op::Operation as Of;
    none_of(
        match operation {
            Of::Instantiate => INSTANTIATE_NS,
            Of::Scale => SCALE_NS,
            Of::Heal => HEAL_NS,
            Of::Terminate => TERMINATE_NS,
        },
        request,
    )
}

/// Refuses a request for a VNF operation that asks for more than is done.
///
/// # Errors
/// Unprocessable, naming the attribute.
pub fn none_of_vnf(operation: vnf::op::Operation, request: &Value) -> Result<(), Refusal> {
    use vnf::op::Operation as Of;
    none_of(
        match operation {
            Of::Instantiate => INSTANTIATE_VNF,
            Of::Scale => SCALE_VNF,
            Of::Heal => HEAL_VNF,
            Of::Terminate => TERMINATE_VNF,
        },
        request,
    )
}

fn none_of(left_out: &[LeftOut], request: &Value) -> Result<(), Refusal> {
    let found = left_out.iter().find_map(|(path, why)| Some((asked(request, path)?, why)));
    found.map_or(Ok(()), |(path, why)| Err(Refusal::unprocessable(format!("{path}: {why}"))))
}

/// Where a request says something of an attribute; nothing, no, and empty lists and objects say
/// nothing.
fn asked(within: &Value, path: &str) -> Option<String> {
    let (first, rest) =
        path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let (name, each) = first.strip_suffix("[]").map_or((first, false), |name| (name, true));
    let value = within.get(name)?;
    let Some(rest) = rest else { return says(value).then(|| name.into()) };
    if !each {
        return Some(format!("{name}.{}", asked(value, rest)?));
    }
    let mut all = value.as_array()?.iter().enumerate();
    all.find_map(|(n, one)| Some(format!("{name}[{n}].{}", asked(one, rest)?)))
}

fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A request that says something of the attribute at this path, and how the sentence begins.
    fn saying(path: &str) -> (Value, String) {
        let body = path.rsplit('.').fold(json!("something"), |inner, name| {
            match name.strip_suffix("[]") {
                None => json!({ name: inner }),
                Some(name) => json!({ name: [{}, inner] }),
            }
        });
        (body, format!("{}: ", path.replace("[]", "[1]")))
    }

    #[test]
    fn whatever_is_left_out_is_refused_by_its_path_with_what_to_do() {
        use {ns::op::Operation as Ns, vnf::op::Operation as Vnf};
        type Refused = Box<dyn Fn(&Value) -> Result<(), Refusal>>;
        let ns = |of: Ns| Box::new(move |body: &Value| none_of_ns(of, body)) as Refused;
        let vnf = |of: Vnf| Box::new(move |body: &Value| none_of_vnf(of, body)) as Refused;
        for (path, ask) in [
            ("startTime", ns(Ns::Instantiate)),
            ("vnfInstanceData", ns(Ns::Instantiate)),
            ("locationConstraints", ns(Ns::Instantiate)),
            ("sapData", ns(Ns::Instantiate)),
            ("nestedNsInstanceData", ns(Ns::Instantiate)),
            ("addpnfData", ns(Ns::Instantiate)),
            ("additionalAffinityOrAntiAffinityRule", ns(Ns::Instantiate)),
            ("scaleTime", ns(Ns::Scale)),
            ("scaleNsData.vnfInstanceToBeRemoved", ns(Ns::Scale)),
            ("scaleNsData.scaleNsToLevelData.nsScaleInfo", ns(Ns::Scale)),
            ("scaleVnfData[].scaleToLevelData", ns(Ns::Scale)),
            ("scaleVnfData[].scaleByStepData.additionalParams", ns(Ns::Scale)),
            ("healNsData.actionsHealing", ns(Ns::Heal)),
            ("healNsData.healScript", ns(Ns::Heal)),
            ("terminationTime", ns(Ns::Terminate)),
            ("terminateVnfData", ns(Ns::Terminate)),
            ("extVirtualLinks", vnf(Vnf::Instantiate)),
            ("vimConnectionInfo", vnf(Vnf::Instantiate)),
            ("additionalParams", vnf(Vnf::Scale)),
            ("healScript", vnf(Vnf::Heal)),
            ("gracefulTerminationTimeout", vnf(Vnf::Terminate)),
        ] {
            let (body, begins) = saying(path);
            let refusal = ask(&body).expect_err(path);
            assert_eq!(refusal.why, crate::refusal::Why::Unprocessable);
            assert!(refusal.detail.starts_with(&begins), "{refusal}");
        }
    }

    #[test]
    fn what_says_nothing_or_is_nobody_s_is_taken() {
        let nothing = json!({ "startTime": null, "sapData": [], "additionalParamsForNs": {},
                              "feasibilityCheckReserve": false, "ourOwn": { "startTime": "now" } });
        assert!(none_of_ns(ns::op::Operation::Instantiate, &nothing).is_ok());
        for odd in [json!(null), json!([1]), json!({ "scaleVnfData": [7, null, "x"] })] {
            assert!(none_of_ns(ns::op::Operation::Scale, &odd).is_ok());
        }
    }
}
