//! Accepting an LCM task: whether it may be done, and the occurrence that will do it.

use super::{
    VnfInstance,
    changes::{self, Changes},
    create::idle,
    op::{Operation, VnfOp},
};
use crate::{
    Refusal, bound,
    descriptor::{self, VnfFlavour, VnfLevel, Vnfd},
    op::{Occurrence, Waiter},
    plan::{Expect, Origin, Plan},
    resource::Resource,
    sol::{
        left_out, parse,
        sol003::{HealVnfRequest, InstantiateVnfRequest, ScaleVnfRequest, TerminateVnfRequest},
    },
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A task as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The identity its occurrence gets.
    pub op: String,
    /// Which operation.
    pub operation: Operation,
    /// The request's body.
    pub params: Value,
    /// Who waits for its end, where a network service asked.
    pub waiter: Option<Waiter>,
}

/// What a decision about a task needs to know.
pub struct Facts<'a> {
    /// The instance, as read.
    pub instance: &'a VnfInstance,
    /// Its descriptor.
    pub vnfd: &'a Vnfd,
    /// What the inventory has of it.
    pub resources: &'a [Resource],
}

/// The instance is taken by the operation, and the world hears of it.
///
/// `expect` is [`Expect::Version`] of the instance read, or [`Expect::Absent`] where the
/// same plan creates it.
///
/// # Errors
///
/// Conflict: an operation has the instance, its state does not allow this, or something of a failed
/// one is left. And as of [`decide`].
pub fn accept(
    origin: Origin,
    expect: Expect,
    facts: &Facts<'_>,
    task: Task,
) -> Result<Plan, Refusal> {
    idle(facts.instance)?;
    in_state(facts.instance, task.operation)?;
    left_out::none_of_vnf(task.operation, &task.params)?;
    // Whatever can be known to be impossible is refused now, not in a workflow.
    decide(facts, task.operation, &task.params, &[])?;
    let mut op =
        VnfOp::accepted(task.op, &facts.instance.id, task.operation, task.params, origin.at);
    op.is_automatic_invocation = task.waiter.is_some();
    op.waiter = task.waiter;
    op.correlation.clone_from(&origin.correlation);
    let taken = VnfInstance { busy_with: Some(op.id.clone()), ..facts.instance.clone() };
    let body = op.start(&origin.tenant);
    Ok(Plan::new(origin).put(expect, &taken).create(&op).tell::<VnfOp>(
        &op.id,
        &op.fact("started"),
        body,
    ))
}

fn in_state(instance: &VnfInstance, operation: Operation) -> Result<(), Refusal> {
    match (operation, instance.instantiated.is_some()) {
        (Operation::Instantiate, true) => Err(Refusal::conflict(format!(
            "VNF instance '{}' is INSTANTIATED already",
            instance.id
        ))),
        (Operation::Scale | Operation::Heal | Operation::Terminate, false) => {
            Err(Refusal::conflict(format!(
                "VNF instance '{}' is NOT_INSTANTIATED; instantiate it first",
                instance.id
            )))
        }
        (Operation::Instantiate, false)
        | (Operation::Scale | Operation::Heal | Operation::Terminate, true) => Ok(()),
    }
}

/// What the operation will add and remove. `lost` counts for HEAL only: resources that are
/// to be made again.
///
/// # Errors
///
/// Unprocessable: the request cannot be carried out as written, or no run could hold it. Conflict:
/// something of a failed operation is left, or the instance is gone.
pub fn decide(
    facts: &Facts<'_>,
    operation: Operation,
    params: &Value,
    lost: &[&str],
) -> Result<Changes, Refusal> {
    match operation {
        Operation::Instantiate => {
            let request: InstantiateVnfRequest = parse(params)?;
            let (flavour, level) = size(facts.vnfd, &request)?;
            refuse_leftovers(facts)?;
            let counts = changes::counts_at(flavour, level, &request.scale_levels())?;
            let way = "Choose a smaller level, or make more than one of it";
            let all = bound::of_vnf(flavour, &counts);
            bound::within(all, bound::MOST, changes::HELD, way)?;
            Ok(changes::instantiate(flavour, &counts))
        }
        Operation::Scale => Ok(scale(facts, params)?.1),
        Operation::Heal => {
            let request: HealVnfRequest = parse(params)?;
            let flavour = flavour_of(facts)?;
            for name in request.vnfc_instance_id.iter().flatten() {
                if !facts.resources.iter().any(|r| r.want.name == *name) {
                    return Err(Refusal::unprocessable(format!(
                        "VNF instance '{}' has no VNFC instance '{name}'",
                        facts.instance.id
                    )));
                }
            }
            let way = "Heal some units, or terminate it: what an earlier heal left counts as well";
            let all = facts.resources.len() + lost.len();
            bound::within(all, 2 * bound::MOST, changes::HELD, way)?;
            Ok(changes::heal(flavour, facts.resources, lost))
        }
        Operation::Terminate => {
            // How long a VNF may finish what it does is for a VNFM that can ask it: ours cannot.
            parse::<TerminateVnfRequest>(params)?;
            Ok(changes::terminate(facts.resources))
        }
    }
}

/// The scale level a SCALE reaches, by aspect, and what changes.
///
/// # Errors
///
/// Unprocessable: no step, no such aspect or level, fewer units than there must be, or more than a
/// run could hold. Conflict: the instance is gone.
pub fn scale(facts: &Facts<'_>, params: &Value) -> Result<((String, u32), Changes), Refusal> {
    let request: ScaleVnfRequest = parse(params)?;
    let by = request.scale_type.levels(request.number_of_steps)?;
    let flavour = flavour_of(facts)?;
    let Some(instantiated) = &facts.instance.instantiated else {
        return Err(Refusal::conflict(format!("VNF instance '{}' is gone", facts.instance.id)));
    };
    let aspect = request.aspect_id;
    let (level, changes) = changes::scale(flavour, instantiated, facts.resources, &aspect, by)?;
    Ok(((aspect, level), changes))
}

/// The scale level of each aspect that an INSTANTIATE reaches.
///
/// # Errors
///
/// Unprocessable: there is no such flavour or level.
pub fn scale_after(
    vnfd: &Vnfd,
    params: &Value,
) -> Result<(String, BTreeMap<String, u32>), Refusal> {
    let request: InstantiateVnfRequest = parse(params)?;
    let (flavour, level) = size(vnfd, &request)?;
    let aspects = flavour.aspects.iter().map(|a| (a.id.clone(), 0));
    let mut scale: BTreeMap<String, u32> = aspects.collect();
    scale.extend(level.scale.clone());
    scale.extend(request.scale_levels());
    Ok((flavour.id.clone(), scale))
}

/// The flavour that an INSTANTIATE names, or the only one there is.
///
/// # Errors
///
/// Unprocessable: there is no such flavour or level.
pub fn flavour_asked<'a>(vnfd: &'a Vnfd, params: &Value) -> Result<&'a VnfFlavour, Refusal> {
    Ok(size(vnfd, &parse(params)?)?.0)
}

/// Flavour and level of a request.
fn size<'a>(
    vnfd: &'a Vnfd,
    request: &InstantiateVnfRequest,
) -> Result<(&'a VnfFlavour, &'a VnfLevel), Refusal> {
    let whole = || format!("VNF descriptor '{}'", vnfd.vnfd_id);
    let asked = request.flavour_id.as_deref();
    let flavour = descriptor::flavour(&vnfd.flavours, |f| &f.id, asked, "flavourId", whole)?;
    let id = request.instantiation_level_id.as_deref().unwrap_or(&flavour.default_level);
    let whole = || format!("flavour '{}'", flavour.id);
    let level = descriptor::part(&flavour.levels, |l| &l.id, "instantiation level", id, whole)?;
    Ok((flavour, level))
}

fn refuse_leftovers(facts: &Facts<'_>) -> Result<(), Refusal> {
    if facts.resources.is_empty() {
        return Ok(());
    }
    let id = &facts.instance.id;
    Err(Refusal::conflict(super::create::leftovers_text("VNF", "vnf", id, facts.resources)))
}

/// The flavour the instance runs with.
///
/// # Errors
///
/// Unprocessable: the descriptor does not have it any more.
pub fn flavour_of<'a>(facts: &Facts<'a>) -> Result<&'a VnfFlavour, Refusal> {
    let id = facts.instance.instantiated.as_ref().map_or("", |i| i.flavour_id.as_str());
    facts.vnfd.flavour(id).ok_or_else(|| {
        Refusal::unprocessable(format!(
            "VNF descriptor '{}' has no flavour '{id}' any more",
            facts.vnfd.vnfd_id
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        descriptor::VirtualLink,
        plan::{Change, Document, Kind},
        refusal::Why,
        resource::{Presence, Want},
        vnf::{Instantiated, create, op_state::State},
    };
    use serde_json::json;

    fn vnfd() -> Vnfd {
        Vnfd {
            vnfd_id: "router".into(),
            vnf_pkg_id: "pkg".into(),
            provider: "us".into(),
            product_name: "router".into(),
            software_version: "1".into(),
            descriptor_version: "1".into(),
            vnfm_info: Vec::new(),
            flavours: vec![VnfFlavour {
                id: "simple".into(),
                levels: vec![VnfLevel {
                    id: "small".into(),
                    scale: BTreeMap::new(),
                    vdus: BTreeMap::new(),
                }],
                default_level: "small".into(),
                ..VnfFlavour::default()
            }],
        }
    }

    fn ask(instance: &VnfInstance, operation: Operation, params: Value) -> Result<Plan, Refusal> {
        let vnfd = vnfd();
        let facts = Facts { instance, vnfd: &vnfd, resources: &[] };
        let task = Task { op: "op".into(), operation, params, waiter: None };
        accept(Origin::test(), Expect::Version(3), &facts, task)
    }

    fn fresh() -> VnfInstance {
        create::instance("vnf".into(), &vnfd(), create::Naming::default())
    }

    #[test]
    fn an_accepted_task_takes_the_instance_and_says_what_to_start() {
        let plan = ask(&fresh(), Operation::Instantiate, json!({ "flavourId": "simple" })).unwrap();
        let Change::Put { body, .. } = &plan.writes[0].change else { panic!("{plan:?}") };
        assert!(body.contains(r#""busyWith":"op""#), "{body}");
        assert_eq!(plan.writes[0].expect, Expect::Version(3));
        let Change::Put { body, .. } = &plan.writes[1].change else { panic!("{plan:?}") };
        let op: VnfOp = serde_json::from_str(body).unwrap();
        assert_eq!((op.state(), VnfOp::KIND), (State::Starting, Kind::VnfOp));
        let fact = &plan.facts[0];
        assert_eq!(fact.name, "vnf.instantiate.started");
        assert_eq!(fact.body["workflow"], "vnf-instantiate");
        assert_eq!(fact.body["input"]["mode"], "FORWARD");
    }

    #[test]
    fn a_taken_instance_refuses_and_names_the_operation() {
        let busy = VnfInstance { busy_with: Some("op-7".into()), ..fresh() };
        let refusal =
            ask(&busy, Operation::Instantiate, json!({ "flavourId": "simple" })).unwrap_err();
        assert_eq!(refusal.why, Why::Conflict);
        assert!(refusal.detail.contains("op-7"), "{refusal}");
    }

    #[test]
    fn what_is_not_there_cannot_be_scaled_healed_or_terminated() {
        for operation in [Operation::Scale, Operation::Heal, Operation::Terminate] {
            let refusal = ask(&fresh(), operation, json!({})).unwrap_err();
            assert_eq!(refusal.why, Why::Conflict, "{refusal}");
        }
    }

    #[test]
    fn unknown_flavours_and_levels_are_refused_with_those_there_are() {
        let flavour = ask(&fresh(), Operation::Instantiate, json!({ "flavourId": "big" }));
        assert!(flavour.unwrap_err().detail.contains("it has: simple"));
        let level = json!({ "flavourId": "simple", "instantiationLevelId": "huge" });
        let level = ask(&fresh(), Operation::Instantiate, level);
        assert!(level.unwrap_err().detail.contains("it has: small"));
    }

    #[test]
    fn what_would_change_what_is_done_is_refused_by_name_where_it_is_not_carried_out() {
        let params = json!({ "flavourId": "simple", "vimConnectionInfo": { "vim": {} } });
        let refusal = ask(&fresh(), Operation::Instantiate, params.clone()).unwrap_err();
        assert_eq!(refusal.why, Why::Unprocessable);
        assert!(refusal.detail.starts_with("vimConnectionInfo: "), "{refusal}");
        // What an earlier release accepted is carried out.
        let (instance, vnfd) = (fresh(), vnfd());
        let facts = Facts { instance: &instance, vnfd: &vnfd, resources: &[] };
        assert!(decide(&facts, Operation::Instantiate, &params, &[]).is_ok());
    }

    #[test]
    fn a_network_function_has_at_most_a_thousand_resources_and_twice_as_many_while_it_heals() {
        let mut vnfd = vnfd();
        let with = |links: usize| (0..links).map(|n| VirtualLink { id: format!("l{n}") }).collect();
        vnfd.flavours[0].virtual_links = with(1000);
        let fresh = fresh();
        let ask = |vnfd: &Vnfd| {
            let facts = Facts { instance: &fresh, vnfd, resources: &[] };
            decide(&facts, Operation::Instantiate, &json!({ "flavourId": "simple" }), &[])
        };
        let adds = ask(&vnfd).unwrap().adds;
        vnfd.flavours[0].virtual_links = with(1001);
        let refusal = ask(&vnfd).unwrap_err();
        assert!(refusal.detail.contains("would be 1001, and the most is 1000"), "{refusal}");
        let existing: Vec<_> = adds.iter().map(|want| there(want.clone())).collect();
        let names: Vec<_> = adds.iter().map(|want| want.name.as_str()).collect();
        let instantiated = Instantiated {
            flavour_id: "simple".into(),
            scale: BTreeMap::new(),
            resources: Vec::new(),
        };
        let instance = VnfInstance { instantiated: Some(instantiated), ..fresh.clone() };
        let heal = |resources: &[Resource], lost: &[&str]| {
            let facts = Facts { instance: &instance, vnfd: &vnfd, resources };
            decide(&facts, Operation::Heal, &json!({}), lost)
        };
        assert_eq!(heal(&existing, &names).unwrap().adds.len(), 1000);
        let twice = [existing.clone(), existing].concat();
        let refusal = heal(&twice, &names[..1]).unwrap_err();
        assert!(refusal.detail.contains("would be 2001, and the most is 2000"), "{refusal}");
    }

    fn there(want: Want) -> Resource {
        let text = String::new;
        Resource {
            instance_id: text(),
            want,
            key: text(),
            vim_id: text(),
            zone_id: text(),
            resource_id: None,
            presence: Presence::Present,
            op_id: text(),
        }
    }

    #[test]
    fn the_only_flavour_need_not_be_named_and_one_of_many_must_be() {
        let request = InstantiateVnfRequest::default();
        let mut vnfd = vnfd();
        assert_eq!(size(&vnfd, &request).unwrap().0.id, "simple");
        vnfd.flavours.push(VnfFlavour { id: "big".into(), ..VnfFlavour::default() });
        let refusal = size(&vnfd, &request).unwrap_err();
        assert_eq!(refusal.why, Why::Unprocessable);
        assert!(refusal.detail.contains("flavourId") && refusal.detail.contains("simple, big"));
    }
}
