//! Deciding whether a VIM is registered, and when it may go.

use super::{Vim, Zone};
use crate::{
    plan::{Origin, Plan, Versioned},
    refusal::Refusal,
    resource::{Amounts, Resource},
    sim::SimSite,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The request to register a VIM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewVim {
    /// The identity the operator chose.
    pub id: String,
    /// The driver that speaks to it.
    pub vim_type: String,
    /// Its zones; at least one.
    pub zones: Vec<NewZone>,
    /// How to reach it, as its driver wants it.
    #[serde(default)]
    pub access_info: Option<Map<String, Value>>,
}

/// A zone and what the orchestrator may use of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewZone {
    /// Its name at the VIM.
    pub id: String,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// Storage in GiB.
    pub storage_gib: u32,
    /// Hosts of a simulated zone, for what must be kept apart.
    #[serde(default)]
    pub hosts: Option<u32>,
}

impl NewZone {
    fn capacity(&self) -> Amounts {
        Amounts {
            vcpu_milli: i64::from(self.vcpus) * 1000,
            memory_mib: i64::from(self.memory_gib) * 1024,
            storage_gib: i64::from(self.storage_gib),
        }
    }
}

/// The most zones of one VIM: they come and go in one plan with it.
pub const MAX_ZONES: usize = 64;
/// The most letters of an identity.
const MAX_ID: usize = 64;

/// What registering makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// What to commit.
    pub plan: Plan,
    /// The VIM.
    pub vim: Vim,
    /// Its zones, nothing of them reserved.
    pub zones: Vec<Zone>,
}

/// Registers a VIM; `there` is what is registered under the same identity.
///
/// # Errors
///
/// Conflict: there is one of this identity. Unprocessable: an identity, a zone or the access
/// information is not as it must be.
pub fn register(origin: Origin, ask: &NewVim, there: Option<&Vim>) -> Result<Registered, Refusal> {
    identity("id", &ask.id)?;
    if there.is_some() {
        return Err(Refusal::conflict(format!(
            "a VIM '{}' is registered already; choose another id, or delete that one first",
            ask.id
        )));
    }
    check_zones(&ask.zones)?;
    let vim = Vim {
        id: ask.id.clone(),
        vim_type: ask.vim_type.clone(),
        zones: ask.zones.iter().map(|z| z.id.clone()).collect(),
        access_info: access_info(ask)?,
    };
    let zones: Vec<Zone> = ask.zones.iter().map(|z| zone(&ask.id, z)).collect();
    let body = json!({ "vimId": vim.id, "vimType": vim.vim_type, "zones": vim.zones });
    let plan = Plan::new(origin).create(&vim).tell::<Vim>(&vim.id, "vim.registered", body);
    let plan = zones.iter().fold(plan, Plan::create);
    Ok(Registered { plan, vim, zones })
}

fn zone(vim: &str, new: &NewZone) -> Zone {
    Zone {
        vim_id: vim.into(),
        zone_id: new.id.clone(),
        capacity: new.capacity(),
        vcpu_milli_reserved: 0,
        memory_mib_reserved: 0,
        storage_gib_reserved: 0,
    }
}

/// A simulated VIM is told its own zones: nobody else can tell it.
fn access_info(ask: &NewVim) -> Result<Value, Refusal> {
    let given = ask.access_info.clone();
    if ask.vim_type != "sim" {
        return Ok(given.map_or(Value::Null, Value::Object));
    }
    if given.as_ref().is_some_and(|given| given.contains_key("zones")) {
        let detail = "accessInfo.zones is what the simulated VIM is told from zones; leave it out";
        return Err(Refusal::unprocessable(detail));
    }
    let site = |z: &NewZone| SimSite {
        id: z.id.clone(),
        capacity: z.capacity(),
        hosts: z.hosts.unwrap_or(SimSite::HOSTS),
    };
    let sites: Vec<_> = ask.zones.iter().map(site).collect();
    Ok(SimSite::told(&sites, given.unwrap_or_default()))
}

fn check_zones(zones: &[NewZone]) -> Result<(), Refusal> {
    let no = |detail: String| Err(Refusal::unprocessable(detail));
    if zones.is_empty() || zones.len() > MAX_ZONES {
        return no(format!("zones has {} entries; give 1 to {MAX_ZONES}", zones.len()));
    }
    let mut seen = BTreeSet::new();
    for (index, zone) in zones.iter().enumerate() {
        identity(&format!("zones[{index}].id"), &zone.id)?;
        if !seen.insert(&zone.id) {
            return no(format!("zones[{index}].id: there are two zones '{}'", zone.id));
        }
        if zone.hosts == Some(0) {
            return no(format!("zones[{index}].hosts is 0; give at least 1, or leave it out"));
        }
    }
    Ok(())
}

/// Identities stand in paths and keys, so they are plain.
fn identity(at: &str, id: &str) -> Result<(), Refusal> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let starts = id.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if starts && id.len() <= MAX_ID && id.chars().all(plain) {
        return Ok(());
    }
    let shown: String = id.chars().take(MAX_ID).collect();
    Err(Refusal::unprocessable(format!(
        "{at} is '{shown}'; give 1 to {MAX_ID} letters, digits, '-', '_' or '.', beginning with a \
         letter or digit"
    )))
}

/// Lets a VIM go: nothing may be known to exist there, and nothing may be promised.
///
/// Each zone goes at the version it was read at, so a grant that reserves meanwhile wins.
///
/// # Errors
///
/// Conflict: something is known to exist there, or an operation under way has reserved room.
pub fn deregister(
    origin: Origin,
    vim: &Versioned<Vim>,
    zones: &[Versioned<Zone>],
    known: &[Resource],
) -> Result<Plan, Refusal> {
    let id = &vim.id;
    if let Some(resource) = known.first() {
        return Err(Refusal::conflict(format!(
            "VIM '{id}' still holds resources, such as '{}' of instance '{}'; terminate what \
             is deployed there first",
            resource.want.name, resource.instance_id
        )));
    }
    if let Some(zone) = zones.iter().find(|z| z.reserved() != Amounts::default()) {
        return Err(Refusal::conflict(format!(
            "capacity of zone '{}' of VIM '{id}' is reserved by an operation under way; let it \
             end first",
            zone.zone_id
        )));
    }
    let body = json!({ "vimId": id });
    let plan = Plan::new(origin).delete::<Vim>(vim.version, id.clone());
    let plan = zones
        .iter()
        .fold(plan, |plan, zone| plan.delete::<Zone>(zone.version, Zone::id_of(id, &zone.zone_id)));
    Ok(plan.tell::<Vim>(id, "vim.removed", body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Why;

    fn ask(body: &Value) -> Result<Registered, Refusal> {
        register(Origin::test(), &serde_json::from_value(body.clone()).unwrap(), None)
    }

    fn east() -> Value {
        json!({ "id": "east", "vimType": "sim", "zones": [
            { "id": "z1", "vcpus": 4, "memoryGib": 8, "storageGib": 100 },
            { "id": "z2", "vcpus": 2, "memoryGib": 4, "storageGib": 50, "hosts": 3 }
        ]})
    }

    #[test]
    fn a_simulated_vim_is_told_what_the_orchestrator_counts_with() {
        let made = ask(&east()).unwrap();
        let told = SimSite::all_of(&made.vim);
        let counted: Vec<_> = made.zones.iter().map(|z| (&z.zone_id, z.capacity)).collect();
        assert_eq!(told.iter().map(|s| (&s.id, s.capacity)).collect::<Vec<_>>(), counted);
        assert_eq!(told.iter().map(|s| s.hosts).collect::<Vec<_>>(), [SimSite::HOSTS, 3]);
        assert_eq!(counted[0].1.memory_mib, 8192);
        assert_eq!(made.plan.writes.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |change: fn(&mut Value), words: &str| {
            let mut body = east();
            change(&mut body);
            let refusal = ask(&body).unwrap_err();
            assert_eq!(refusal.why, Why::Unprocessable);
            assert!(refusal.detail.contains(words), "{refusal}");
        };
        wrong(|b| b["id"] = "".into(), "id is ''");
        wrong(|b| b["id"] = "a/b".into(), "id is 'a/b'");
        wrong(|b| b["zones"] = json!([]), "zones has 0 entries");
        wrong(|b| b["zones"][1]["id"] = "z1".into(), "zones[1].id: there are two zones 'z1'");
        wrong(|b| b["zones"][1]["hosts"] = 0.into(), "zones[1].hosts is 0");
        wrong(|b| b["accessInfo"] = json!({ "zones": [] }), "accessInfo.zones");
    }

    #[test]
    fn the_same_identity_twice_is_a_conflict() {
        let made = ask(&east()).unwrap();
        let again: NewVim = serde_json::from_value(east()).unwrap();
        let refusal = register(Origin::test(), &again, Some(&made.vim)).unwrap_err();
        assert_eq!(refusal.why, Why::Conflict);
    }

    #[test]
    fn a_plan_has_room_for_all_zones() {
        let mut body = east();
        let zone =
            |n: usize| json!({"id": format!("z{n}"), "vcpus": 1, "memoryGib": 1, "storageGib": 1});
        body["zones"] = (0..MAX_ZONES).map(zone).collect();
        let made = ask(&body).unwrap();
        assert!(made.plan.writes.len() + made.plan.facts.len() <= Plan::MAX_ROWS);
    }

    #[test]
    fn a_vim_goes_only_when_nothing_is_there_and_nothing_is_promised() {
        let made = ask(&east()).unwrap();
        let vim = Versioned { version: 1, value: made.vim };
        let mut zones: Vec<_> =
            made.zones.into_iter().map(|value| Versioned { version: 5, value }).collect();
        let plan = deregister(Origin::test(), &vim, &zones, &[]).unwrap();
        assert!(plan.writes[1..].iter().all(|w| w.expect == crate::plan::Expect::Version(5)));
        zones[1].value.memory_mib_reserved = 1;
        let refusal = deregister(Origin::test(), &vim, &zones, &[]).unwrap_err();
        assert!(refusal.detail.contains("'z2'"), "{refusal}");
    }
}
