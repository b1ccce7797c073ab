//! Accepting an LCM task of a network service: whether it may be done, and what it asks of whom.

use super::{
    Deployed, NsInstance,
    create::idle,
    members::{self, Counts},
    op::{Accepted, Item, NsOp, Operation},
};
use crate::{
    Refusal, bound,
    catalog::usage::{Descriptor, Usage, may_take},
    descriptor::{self, NsFlavour, Nsd, Vnfd},
    op::Occurrence,
    plan::{Origin, Plan, Versioned},
    sol::{
        left_out, parse,
        sol003::ScaleVnfRequest,
        sol005::{
            HealNsRequest, InstantiateNsRequest, NsScaleType, ScaleByStepData, ScaleNsData,
            ScaleNsRequest, ScaleVnfData,
        },
    },
    vnf,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a decision about a task needs to know.
pub struct Facts<'a> {
    /// The instance, as read.
    pub instance: &'a Versioned<NsInstance>,
    /// Its descriptor.
    pub nsd: &'a Nsd,
    /// The VNF descriptors it refers to, as far as they are on-boarded.
    pub vnfds: &'a BTreeMap<String, Vnfd>,
    /// By VNF descriptor: whether new instances of it may be made.
    pub usages: &'a BTreeMap<String, Usage>,
}

/// The service is taken by the operation, and the world hears of it.
///
/// # Errors
///
/// Conflict: an operation has the service, or its state does not allow this. Unprocessable: the
/// request cannot be carried out as written, or no run could hold it.
pub fn accept(
    origin: Origin,
    facts: &Facts<'_>,
    id: String,
    operation: Operation,
    params: Value,
) -> Result<Plan, Refusal> {
    idle(facts.instance)?;
    in_state(facts.instance, operation)?;
    left_out::none_of_ns(operation, &params)?;
    let (items, target) = decide(facts, &id, operation, &params)?;
    once(&items)?;
    enabled(facts.usages, &items)?;
    bounded(facts, operation, &items, target.as_ref())?;
    let can_roll_back = can_roll_back(operation, &items);
    let ns_instance_id = facts.instance.id.clone();
    let what = Accepted { id, ns_instance_id, operation, params, items, target, can_roll_back };
    let mut op = NsOp::accepted(what, origin.at);
    op.correlation.clone_from(&origin.correlation);
    let taken = NsInstance { busy_with: Some(op.id.clone()), ..facts.instance.value.clone() };
    let body = op.start(&origin.tenant);
    Ok(Plan::new(origin).update(facts.instance.version, &taken).create(&op).tell::<NsOp>(
        &op.id,
        &op.fact("started"),
        body,
    ))
}

fn in_state(instance: &NsInstance, operation: Operation) -> Result<(), Refusal> {
    let id = &instance.id;
    match (operation, instance.deployed.is_some()) {
        (Operation::Instantiate, true) => {
            Err(Refusal::conflict(format!("NS instance '{id}' is INSTANTIATED already")))
        }
        (Operation::Instantiate, false) if !instance.members.is_empty() => {
            Err(Refusal::conflict(format!(
                "NS instance '{id}' still has network functions a failed operation left; remove \
                 them with POST /mano/v1/ns_instances/{id}/release"
            )))
        }
        (Operation::Scale | Operation::Heal | Operation::Terminate, false) => {
            Err(Refusal::conflict(format!(
                "NS instance '{id}' is NOT_INSTANTIATED; instantiate it first"
            )))
        }
        (Operation::Instantiate, false)
        | (Operation::Scale | Operation::Heal | Operation::Terminate, true) => Ok(()),
    }
}

/// Refuses two parts of one network function: of an item's name one VNF operation is derived.
fn once(items: &[Item]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let again = items.iter().find(|item| !seen.insert(&item.name));
    again.map_or(Ok(()), |item| {
        Err(Refusal::unprocessable(format!(
            "VNF instance '{}' is named more than once; name it once, and ask for the rest in \
             another operation",
            item.vnf_instance_id
        )))
    })
}

/// Refuses to begin what would end halfway: every network function to come may be made.
fn enabled(usages: &BTreeMap<String, Usage>, items: &[Item]) -> Result<(), Refusal> {
    let mut come = items.iter().filter(|i| i.operation == vnf::op::Operation::Instantiate);
    come.try_for_each(|i| may_take(Descriptor::Vnfd, &i.vnfd_id, usages.get(&i.vnfd_id)))
        .map_err(|refusal| Refusal::conflict(refusal.detail))
}

/// Refuses what a run could not hold. What comes is counted beside all there is, because what is
/// to go may stay where an operation fails; so whatever there is can be terminated in one run.
fn bounded(
    facts: &Facts<'_>,
    operation: Operation,
    items: &[Item],
    target: Option<&Deployed>,
) -> Result<(), Refusal> {
    let come = items.iter().filter(|i| i.operation == vnf::op::Operation::Instantiate).count();
    if come > 0 {
        let flavour = target.and_then(|t| facts.nsd.flavour(&t.flavour_id));
        let all = flavour.map_or(0, bound::more_links) + facts.instance.members.len() + come;
        let told = "the network functions there are, those that come, and the service's own links \
                    beyond 100 are";
        let way = "Choose a smaller level or fewer steps, scale in before you scale out, or split \
                   the service";
        return bound::within(all, bound::MOST, told, way);
    }
    if operation == Operation::Terminate {
        return Ok(());
    }
    let way = "Ask for some of them, then for the others";
    bound::within(items.len(), bound::MOST, "the network functions this concerns are", way)
}

/// Only what adds can be taken back.
fn can_roll_back(operation: Operation, items: &[Item]) -> bool {
    let adds = |item: &Item| match item.operation {
        vnf::op::Operation::Instantiate => true,
        vnf::op::Operation::Scale => item.params["type"] == "SCALE_OUT",
        vnf::op::Operation::Heal | vnf::op::Operation::Terminate => false,
    };
    match operation {
        Operation::Instantiate => true,
        Operation::Scale => items.iter().all(adds),
        Operation::Heal | Operation::Terminate => false,
    }
}

fn decide(
    facts: &Facts<'_>,
    op: &str,
    operation: Operation,
    params: &Value,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    match operation {
        Operation::Instantiate => instantiate(facts, op, params),
        Operation::Scale => scale(facts, op, params),
        Operation::Heal => Ok((heal(facts.instance, params)?, facts.instance.deployed.clone())),
        Operation::Terminate => Ok((terminate(facts), None)),
    }
}

fn instantiate(
    facts: &Facts<'_>,
    op: &str,
    params: &Value,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    let request: InstantiateNsRequest = parse(params)?;
    let flavour = members::flavour(facts.nsd, request.ns_flavour_id.as_deref())?;
    let level = members::level(flavour, request.ns_instantiation_level_id.as_deref())?;
    let items = members::towards(op, flavour, facts.vnfds, &[], &level.vnfs)?;
    let mut scale: BTreeMap<String, u32> =
        flavour.aspects.iter().map(|a| (a.id.clone(), 0)).collect();
    scale.extend(level.scale.clone());
    Ok((items, Some(Deployed { flavour_id: flavour.id.clone(), scale })))
}

fn scale(
    facts: &Facts<'_>,
    op: &str,
    params: &Value,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    let request: ScaleNsRequest = parse(params)?;
    match (request.scale_type, request.scale_ns_data, request.scale_vnf_data) {
        (NsScaleType::ScaleNs, Some(data), None) => scale_ns(facts, op, data),
        (NsScaleType::ScaleVnf, None, Some(data)) => {
            let items = data.into_iter().map(|one| scale_vnf(facts.instance, one));
            Ok((items.collect::<Result<_, _>>()?, facts.instance.deployed.clone()))
        }
        (NsScaleType::ScaleNs, ..) => Err(Refusal::unprocessable(
            "scaleType: SCALE_NS goes with scaleNsData, and with no scaleVnfData",
        )),
        (NsScaleType::ScaleVnf, ..) => Err(Refusal::unprocessable(
            "scaleType: SCALE_VNF goes with scaleVnfData, and with no scaleNsData",
        )),
    }
}

/// Whole network functions come or go.
fn scale_ns(
    facts: &Facts<'_>,
    op: &str,
    data: ScaleNsData,
) -> Result<(Vec<Item>, Option<Deployed>), Refusal> {
    let Some(deployed) = &facts.instance.deployed else {
        return Err(Refusal::conflict("the NS instance is gone"));
    };
    let flavour = members::flavour(facts.nsd, Some(&deployed.flavour_id))?;
    let (counts, scale) = match (data.scale_ns_by_steps_data, data.scale_ns_to_level_data) {
        (Some(steps), None) => {
            let by = steps.scaling_direction.levels(steps.number_of_steps)?;
            by_steps(facts.instance, flavour, deployed, &steps.aspect_id, by)?
        }
        (None, Some(to)) => {
            let level = members::level(flavour, Some(&to.ns_instantiation_level))?;
            (level.vnfs.clone(), level.scale.clone())
        }
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refusal::unprocessable(
                "scaleNsData carries either scaleNsByStepsData or scaleNsToLevelData",
            ));
        }
    };
    let mut all = deployed.scale.clone();
    all.extend(scale);
    let items = members::towards(op, flavour, facts.vnfds, &facts.instance.members, &counts)?;
    Ok((items, Some(Deployed { flavour_id: flavour.id.clone(), scale: all })))
}

fn by_steps(
    instance: &NsInstance,
    flavour: &NsFlavour,
    deployed: &Deployed,
    aspect_id: &str,
    by: i64,
) -> Result<(Counts, BTreeMap<String, u32>), Refusal> {
    let aspect = descriptor::aspect(&flavour.aspects, aspect_id, &flavour.id)?;
    let now = deployed.scale.get(aspect_id).copied().unwrap_or(0);
    let target = aspect.level(i64::from(now) + by)?;
    let mut counts = Counts::new();
    for profile in &flavour.vnf_profiles {
        let has = instance.members.iter().filter(|m| m.profile_id == profile.id).count();
        counts.insert(profile.id.clone(), u32::try_from(has).unwrap_or(u32::MAX));
    }
    aspect.walk(&mut counts, now, target);
    Ok((counts, [(aspect_id.into(), target)].into()))
}

/// One network function becomes larger or smaller.
fn scale_vnf(instance: &NsInstance, data: ScaleVnfData) -> Result<Item, Refusal> {
    let Some(ScaleByStepData { aspect_id, number_of_steps }) = data.scale_by_step_data else {
        return Err(Refusal::unprocessable("scaleVnfData needs scaleByStepData"));
    };
    let scale_type = data.scale_vnf_type;
    scale_type.levels(number_of_steps)?;
    let params = json!(ScaleVnfRequest { scale_type, aspect_id, number_of_steps });
    members::change(instance, &data.vnf_instance_id, vnf::op::Operation::Scale, params, 0)
}

fn heal(instance: &NsInstance, params: &Value) -> Result<Vec<Item>, Refusal> {
    let request: HealNsRequest = parse(params)?;
    let one = |id: &str, cause: &Option<String>| {
        let params = cause.as_ref().map_or_else(|| json!({}), |c| json!({ "cause": c }));
        members::change(instance, id, vnf::op::Operation::Heal, params, 0)
    };
    match (request.heal_ns_data, request.heal_vnf_data) {
        (Some(_), None) => {
            instance.members.iter().map(|m| one(&m.vnf_instance_id, &None)).collect()
        }
        (None, Some(vnfs)) => vnfs.iter().map(|v| one(&v.vnf_instance_id, &v.cause)).collect(),
        (Some(_), Some(_)) | (None, None) => {
            Err(Refusal::unprocessable("a HealNsRequest carries either healNsData or healVnfData"))
        }
    }
}

/// Everything goes, the last to come first.
fn terminate(facts: &Facts<'_>) -> Vec<Item> {
    let flavour = facts.instance.deployed.as_ref().and_then(|d| facts.nsd.flavour(&d.flavour_id));
    let members = facts.instance.members.iter().map(|member| {
        let profile =
            flavour.and_then(|f| f.vnf_profiles.iter().find(|p| p.id == member.profile_id));
        let vnfd_id = profile.map(|p| p.vnfd_id.clone()).unwrap_or_default();
        members::death(member, &vnfd_id)
    });
    members.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        descriptor::{Aspect, NsLevel, VirtualLink, VnfFlavour, VnfLevel, VnfProfile},
        ns::Member,
        refusal::Why,
    };

    /// A service of `small` or `large` many `a`s and some links, which grows by so many a step.
    fn nsd(small: u32, large: u32, step: u32, links: usize) -> Nsd {
        let level = |id: &str, count: u32| NsLevel {
            id: id.into(),
            scale: BTreeMap::new(),
            vnfs: [("a".into(), count)].into(),
        };
        let flavour = NsFlavour {
            id: "f".into(),
            vnf_profiles: vec![VnfProfile {
                id: "a".into(),
                vnfd_id: "vnfd".into(),
                flavour_id: None,
                level_id: None,
                min_instances: 0,
                max_instances: 9000,
                after: Vec::new(),
                virtual_links: Vec::new(),
            }],
            virtual_links: (0..links).map(|n| VirtualLink { id: format!("l{n}") }).collect(),
            aspects: vec![Aspect {
                id: "more".into(),
                name: "more".into(),
                max_level: 2,
                steps: vec![[("a".into(), step)].into(); 2],
            }],
            levels: vec![level("small", small), level("large", large)],
            default_level: "small".into(),
            ..NsFlavour::default()
        };
        let text = String::new;
        Nsd {
            nsd_id: "nsd".into(),
            nsd_info_id: text(),
            name: text(),
            designer: text(),
            version: text(),
            invariant_id: text(),
            flavours: vec![flavour],
        }
    }

    fn vnfds() -> BTreeMap<String, Vnfd> {
        let level = VnfLevel { id: "l".into(), scale: BTreeMap::new(), vdus: BTreeMap::new() };
        let flavour = VnfFlavour { levels: vec![level], ..VnfFlavour::default() };
        let text = String::new;
        let vnfd = Vnfd {
            vnfd_id: "vnfd".into(),
            vnf_pkg_id: text(),
            provider: text(),
            product_name: text(),
            software_version: text(),
            descriptor_version: text(),
            vnfm_info: Vec::new(),
            flavours: vec![flavour],
        };
        [("vnfd".into(), vnfd)].into()
    }

    /// A service that has so many, at this level of its aspect.
    fn with(members: usize, level: u32) -> NsInstance {
        let deployed = Deployed { flavour_id: "f".into(), scale: [("more".into(), level)].into() };
        let member = |n: usize| Member {
            name: format!("a-{n}"),
            profile_id: "a".into(),
            vnf_instance_id: format!("vnf-{n}"),
        };
        NsInstance {
            id: "ns".into(),
            name: "ns".into(),
            description: String::new(),
            nsd_id: "nsd".into(),
            nsd_info_id: String::new(),
            deployed: (members > 0).then_some(deployed),
            members: (1..=members).map(member).collect(),
            links: Vec::new(),
            busy_with: None,
        }
    }

    fn ask(
        nsd: &Nsd,
        value: NsInstance,
        operation: Operation,
        params: Value,
    ) -> Result<Plan, Refusal> {
        let instance = Versioned { version: 1, value };
        let usage = Usage::none(Descriptor::Vnfd, "vnfd", "pkg");
        let usages = [("vnfd".to_owned(), usage)].into();
        let facts = Facts { instance: &instance, nsd, vnfds: &vnfds(), usages: &usages };
        accept(Origin::test(), &facts, "op".into(), operation, params)
    }

    #[track_caller]
    fn told(asked: Result<Plan, Refusal>, count: usize) {
        let refusal = asked.unwrap_err();
        assert_eq!(refusal.why, Why::Unprocessable);
        let most = format!("are {count}, and the most is 1000: ");
        assert!(refusal.detail.contains(&most), "{refusal}");
        assert!(refusal.detail.contains("25000 events. "), "{refusal}");
    }

    fn out(steps: u32) -> Value {
        by(steps, "SCALE_OUT")
    }

    fn by(steps: u32, direction: &str) -> Value {
        let data = json!({
            "scalingDirection": direction, "aspectId": "more", "numberOfSteps": steps
        });
        json!({ "scaleType": "SCALE_NS", "scaleNsData": { "scaleNsByStepsData": data } })
    }

    #[test]
    fn a_service_is_instantiated_with_a_thousand_and_not_with_one_more() {
        let level = |id: &str| json!({ "nsFlavourId": "f", "nsInstantiationLevelId": id });
        let nsd = nsd(1000, 1001, 1, 100);
        assert!(ask(&nsd, with(0, 0), Operation::Instantiate, level("small")).is_ok());
        told(ask(&nsd, with(0, 0), Operation::Instantiate, level("large")), 1001);
    }

    #[test]
    fn links_beyond_a_hundred_take_the_place_of_network_functions() {
        let level = json!({ "nsFlavourId": "f" });
        let asked = ask(&nsd(1000, 1, 1, 101), with(0, 0), Operation::Instantiate, level.clone());
        told(asked, 1001);
        assert!(ask(&nsd(999, 1, 1, 101), with(0, 0), Operation::Instantiate, level).is_ok());
        told(ask(&nsd(1, 1, 1, 150), with(950, 0), Operation::Scale, out(1)), 1001);
    }

    #[test]
    fn no_service_grows_beyond_a_thousand() {
        let nsd = nsd(1, 1, 400, 0);
        assert!(ask(&nsd, with(600, 0), Operation::Scale, out(1)).is_ok());
        told(ask(&nsd, with(601, 0), Operation::Scale, out(1)), 1001);
        told(ask(&nsd, with(600, 0), Operation::Scale, out(2)), 1400);
    }

    #[test]
    fn no_service_is_scaled_by_no_step_or_past_its_levels() {
        let refused = |params| {
            ask(&nsd(1, 1, 1, 0), with(2, 1), Operation::Scale, params).unwrap_err().detail
        };
        assert_eq!(refused(out(0)), "numberOfSteps must be at least 1");
        let data = json!([{ "vnfInstanceId": "vnf-1", "scaleVnfType": "SCALE_IN",
                            "scaleByStepData": { "aspectId": "a", "numberOfSteps": 0 } }]);
        let inside = json!({ "scaleType": "SCALE_VNF", "scaleVnfData": data });
        assert_eq!(refused(inside), "numberOfSteps must be at least 1");
        let past = "scaling aspect 'more' has levels 0 to 2; this would reach level";
        assert_eq!(refused(out(2)), format!("{past} 3"));
        assert_eq!(refused(by(2, "SCALE_IN")), format!("{past} -1"));
    }

    #[test]
    fn what_is_to_go_counts_until_it_is_gone() {
        let mut nsd = nsd(1, 1, 1, 0);
        let flavour = &mut nsd.flavours[0];
        let other = VnfProfile { id: "b".into(), ..flavour.vnf_profiles[0].clone() };
        flavour.vnf_profiles.push(other);
        flavour.levels[0].vnfs = [("a".into(), 0), ("b".into(), 600)].into();
        let to = json!({ "scaleNsToLevelData": { "nsInstantiationLevel": "small" } });
        let to = json!({ "scaleType": "SCALE_NS", "scaleNsData": to });
        told(ask(&nsd, with(600, 0), Operation::Scale, to.clone()), 1200);
        assert!(ask(&nsd, with(400, 0), Operation::Scale, to).is_ok());
    }

    #[test]
    fn a_network_function_is_scaled_or_healed_once_in_an_operation() {
        let one = |id: &str| {
            json!({
                "vnfInstanceId": id, "scaleVnfType": "SCALE_OUT",
                "scaleByStepData": { "aspectId": "size" }
            })
        };
        let scale = |ids: &[&str]| {
            let data: Vec<_> = ids.iter().map(|id| one(id)).collect();
            let params = json!({ "scaleType": "SCALE_VNF", "scaleVnfData": data });
            ask(&nsd(1, 1, 1, 0), with(2, 0), Operation::Scale, params)
        };
        assert!(scale(&["vnf-1", "vnf-2"]).is_ok());
        let refusal = scale(&["vnf-1", "vnf-2", "vnf-1"]).unwrap_err();
        assert_eq!(refusal.why, Why::Unprocessable);
        assert!(refusal.detail.contains("'vnf-1' is named more than once"), "{refusal}");
    }

    #[test]
    fn a_request_asks_for_one_thing_and_for_nothing_that_is_not_done() {
        let nsd = nsd(1, 1, 1, 0);
        let refused = |operation, params| {
            let instance = with(if operation == Operation::Instantiate { 0 } else { 2 }, 0);
            let refusal = ask(&nsd, instance, operation, params).unwrap_err();
            assert_eq!(refusal.why, Why::Unprocessable);
            refusal.detail
        };
        let later = "this orchestrator begins at once; leave it out, and ask when it is time";
        let said = refused(Operation::Instantiate, json!({ "startTime": "2030-01-01T00:00:00Z" }));
        assert_eq!(said, format!("startTime: {later}"));
        let said =
            refused(Operation::Terminate, json!({ "terminationTime": "2030-01-01T00:00:00Z" }));
        assert_eq!(said, format!("terminationTime: {later}"));
        let steps = by(1, "SCALE_OUT")["scaleNsData"].clone();
        for (scale_type, data, says) in [
            ("SCALE_VNF", json!({ "scaleNsData": steps }), "scaleType: SCALE_VNF goes with"),
            ("x", json!({ "scaleNsData": steps }), "scaleType: 'x' is not offered; use SCALE_NS"),
            ("SCALE_NS", json!({}), "scaleType: SCALE_NS goes with scaleNsData"),
            (
                "SCALE_NS",
                json!({ "scaleNsData": { "scaleNsToLevelData": { "nsScaleInfo": [{}] } } }),
                "scaleNsData.scaleNsToLevelData.nsScaleInfo: ",
            ),
            (
                "SCALE_VNF",
                json!({ "scaleVnfData": [{ "vnfInstanceId": "vnf-1",
                                           "scaleVnfType": "SCALE_TO_INSTANTIATION_LEVEL" }] }),
                "scaleVnfData[0].scaleVnfType: 'SCALE_TO_INSTANTIATION_LEVEL' is not offered",
            ),
        ] {
            let mut params = data;
            params["scaleType"] = scale_type.into();
            let said = refused(Operation::Scale, params);
            assert!(said.starts_with(says), "{said}");
        }
        let said = refused(Operation::Heal, json!({ "healNsData": { "degreeHealing": "FOO" } }));
        assert_eq!(said, "healNsData.degreeHealing: 'FOO' is not offered; use HEAL_RESTORE");
        let unknown = json!({ "nsFlavourId": "f", "ourOwn": 1 });
        assert!(ask(&nsd, with(0, 0), Operation::Instantiate, unknown).is_ok());
    }

    #[test]
    fn who_has_too_many_gets_rid_of_them() {
        let nsd = nsd(1, 1, 1000, 0);
        assert!(ask(&nsd, with(2000, 2), Operation::Scale, by(1, "SCALE_IN")).is_ok());
        assert!(ask(&nsd, with(2000, 2), Operation::Terminate, json!({})).is_ok());
        told(ask(&nsd, with(2000, 2), Operation::Scale, by(2, "SCALE_IN")), 2000);
        let all = json!({ "healNsData": { "degreeHealing": "HEAL_RESTORE" } });
        told(ask(&nsd, with(2000, 2), Operation::Heal, all), 2000);
    }
}
