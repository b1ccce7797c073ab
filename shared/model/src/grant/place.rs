//! Deciding on which VIM and in which zone each resource goes: capacity first, then (anti-)affinity.
//!
//! One VIM for everything if one has room and the rules allow it, because links
//! between VIMs cost most; several otherwise. Within that, the emptiest zone, so
//! that what belongs together spreads.

use super::Placement;
use crate::{
    Refusal,
    descriptor::{AffinityRule, AffinityScope},
    refusal::Why,
    resource::{Amounts, Resource, ResourceKind, Want},
    vim::Zone,
};

/// What the decision is about.
pub struct Question<'a> {
    /// Everything to place; a compute's storages are those it joins.
    pub wants: &'a [Want],
    /// The rules between deployment units.
    pub rules: &'a [AffinityRule],
    /// What the instance has already.
    pub existing: &'a [Resource],
    /// The zones there are.
    pub zones: &'a [Zone],
    /// Names the host groups of this instance.
    pub instance: &'a str,
}

/// Places everything, or says what has no room.
///
/// The refusal is a rejected grant (403), so the operation ends `ROLLED_BACK`.
///
/// # Errors
///
/// Forbidden: there is no VIM, or no set of zones has room within the rules.
pub fn place(question: &Question<'_>) -> Result<Vec<Placement>, Refusal> {
    if question.wants.is_empty() {
        return Ok(Vec::new());
    }
    if question.zones.is_empty() {
        return Err(rejected("no VIM is registered; add one with POST /mano/v1/vims"));
    }
    let mut best: Option<Refusal> = None;
    for candidates in candidates(question) {
        match Placer::new(question, candidates).run() {
            Ok(placements) => return Ok(placements),
            Err(refusal) => best = Some(best.unwrap_or(refusal)),
        }
    }
    Err(best.unwrap_or_else(|| rejected("no zone is left")))
}

fn rejected(detail: impl Into<String>) -> Refusal {
    Refusal::new(Why::Forbidden, format!("the grant was rejected: {}", detail.into()))
}

/// Sets of zones to try, one after the other: each VIM alone (where the instance already is
/// first, then the emptiest), then all together.
fn candidates<'a>(question: &'a Question<'a>) -> Vec<Vec<&'a Zone>> {
    let mut vims: Vec<&str> = question.zones.iter().map(|z| z.vim_id.as_str()).collect();
    vims.sort_unstable();
    vims.dedup();
    vims.sort_by_key(|vim| {
        let here = question.existing.iter().any(|r| r.vim_id == *vim);
        let free: i64 = of_vim(question.zones, vim).map(|z| z.free().vcpu_milli).sum();
        (!here, -free)
    });
    let alone = vims.iter().map(|vim| of_vim(question.zones, vim).collect());
    let mut sets: Vec<Vec<&Zone>> = alone.collect();
    if vims.len() > 1 {
        sets.push(question.zones.iter().collect());
    }
    sets
}

fn of_vim<'a>(zones: &'a [Zone], vim: &'a str) -> impl Iterator<Item = &'a Zone> {
    zones.iter().filter(move |z| z.vim_id == vim)
}

/// A zone while it fills up.
struct Room<'a> {
    zone: &'a Zone,
    free: Amounts,
}

struct Placer<'a> {
    question: &'a Question<'a>,
    rooms: Vec<Room<'a>>,
    /// Unit and the zone it went to, what exists already included.
    settled: Vec<(&'a str, usize)>,
    placed: Vec<Placement>,
}

impl<'a> Placer<'a> {
    fn new(question: &'a Question<'a>, zones: Vec<&'a Zone>) -> Self {
        let rooms: Vec<_> =
            zones.into_iter().map(|zone| Room { zone, free: zone.free() }).collect();
        let settled = question.existing.iter().filter(|r| r.want.kind == ResourceKind::Compute);
        let settled = settled.filter_map(|r| {
            let at =
                |room: &Room<'_>| room.zone.vim_id == r.vim_id && room.zone.zone_id == r.zone_id;
            Some((r.want.template.as_str(), rooms.iter().position(at)?))
        });
        let settled = settled.collect();
        Self { question, rooms, settled, placed: Vec::new() }
    }

    fn run(mut self) -> Result<Vec<Placement>, Refusal> {
        let wants = self.question.wants;
        for compute in wants.iter().filter(|w| w.kind == ResourceKind::Compute) {
            self.bundle(compute)?;
        }
        for storage in wants.iter().filter(|w| w.kind == ResourceKind::Storage) {
            if !self.placed.iter().any(|p| p.want.name == storage.name) {
                self.beside_its_owner(storage)?;
            }
        }
        let home = self.placed.first().map(|p| (p.vim_id.clone(), p.zone_id.clone()));
        for network in wants.iter().filter(|w| w.kind == ResourceKind::Network) {
            self.network(network, home.as_ref());
        }
        Ok(self.placed)
    }

    /// A compute and the new storages it joins go together.
    fn bundle(&mut self, compute: &'a Want) -> Result<(), Refusal> {
        let is_its = |w: &&Want| w.kind == ResourceKind::Storage && compute.joins.contains(&w.name);
        let storages: Vec<&Want> = self.question.wants.iter().filter(is_its).collect();
        let amounts = storages.iter().fold(compute.amounts, |sum, s| sum + s.amounts);
        let old = |r: &&Resource| {
            compute.joins.contains(&r.want.name) && r.want.kind == ResourceKind::Storage
        };
        let pinned = self.question.existing.iter().find(old);
        let at = self.choose(compute, amounts, pinned)?;
        self.settled.push((compute.template.as_str(), at));
        for want in storages.into_iter().chain([compute]) {
            self.put(want, at);
        }
        Ok(())
    }

    /// A storage that is made again goes where the compute that uses it is.
    fn beside_its_owner(&mut self, storage: &Want) -> Result<(), Refusal> {
        let uses = |r: &&Resource| r.want.joins.contains(&storage.name);
        let pinned = self.question.existing.iter().find(uses);
        let at = self.choose(storage, storage.amounts, pinned)?;
        self.put(storage, at);
        Ok(())
    }

    fn network(&mut self, network: &Want, home: Option<&(String, String)>) {
        let there = |r: &Room<'_>| {
            home.is_some_and(|(vim, zone)| r.zone.vim_id == *vim && r.zone.zone_id == *zone)
        };
        let at = self.rooms.iter().position(there).unwrap_or(0);
        self.put(network, at);
    }

    /// The emptiest zone that has room and that no rule forbids.
    fn choose(
        &self,
        want: &Want,
        amounts: Amounts,
        pinned: Option<&Resource>,
    ) -> Result<usize, Refusal> {
        let fits = |room: &Room<'_>| {
            amounts.vcpu_milli <= room.free.vcpu_milli
                && amounts.memory_mib <= room.free.memory_mib
                && amounts.storage_gib <= room.free.storage_gib
        };
        let allowed: Vec<usize> = (0..self.rooms.len())
            .filter(|at| self.allowed(&want.template, *at))
            .filter(|at| pinned.is_none_or(|r| is_at(self.rooms[*at].zone, r)))
            .collect();
        let mut fitting: Vec<usize> =
            allowed.iter().copied().filter(|at| fits(&self.rooms[*at])).collect();
        fitting.sort_by_key(|at| {
            let free = self.rooms[*at].free;
            (-free.vcpu_milli, -free.memory_mib, *at)
        });
        fitting.first().copied().ok_or_else(|| self.no_room(want, amounts, &allowed))
    }

    /// Whether the rules let another instance of `unit` into a zone.
    fn allowed(&self, unit: &str, at: usize) -> bool {
        let binds = |rule: &&AffinityRule| rule.members.iter().any(|m| m == unit);
        self.question.rules.iter().filter(binds).all(|rule| {
            let mut others =
                self.settled.iter().filter(|(other, _)| rule.members.iter().any(|m| m == other));
            let same = |other: usize| self.same(rule.scope, other, at);
            match (rule.anti, rule.scope) {
                (_, AffinityScope::Other) | (true, AffinityScope::NfviNode) => true,
                (true, _) => !others.any(|(_, other)| same(*other)),
                (false, _) => others.all(|(_, other)| same(*other)),
            }
        })
    }

    fn same(&self, scope: AffinityScope, a: usize, b: usize) -> bool {
        match scope {
            AffinityScope::NfviNode | AffinityScope::Zone | AffinityScope::ZoneGroup => a == b,
            AffinityScope::NfviPop => self.rooms[a].zone.vim_id == self.rooms[b].zone.vim_id,
            AffinityScope::Other => true,
        }
    }

    fn put(&mut self, want: &Want, at: usize) {
        let room = &mut self.rooms[at];
        room.free = room.free + -want.amounts;
        let node = |rule: &&AffinityRule| {
            rule.anti
                && rule.scope == AffinityScope::NfviNode
                && want.kind == ResourceKind::Compute
                && rule.members.contains(&want.template)
        };
        let group = self
            .question
            .rules
            .iter()
            .find(node)
            .map(|rule| format!("{}/{}", self.question.instance, rule.members.join("+")));
        self.placed.push(Placement {
            want: want.clone(),
            vim_id: room.zone.vim_id.clone(),
            zone_id: room.zone.zone_id.clone(),
            apart_group: group,
        });
    }

    fn no_room(&self, want: &Want, amounts: Amounts, allowed: &[usize]) -> Refusal {
        let need = format!(
            "{} needs {} vCPU, {} MiB of memory and {} GiB of storage",
            want.name,
            vcpus(amounts.vcpu_milli),
            amounts.memory_mib,
            amounts.storage_gib
        );
        let Some(best) = allowed.iter().max_by_key(|at| self.rooms[**at].free.vcpu_milli) else {
            return rejected(format!("{need}, and the affinity rules leave no zone for it"));
        };
        let Room { zone, free } = &self.rooms[*best];
        rejected(format!(
            "{need}; zone {}/{} has most left: {} vCPU, {} MiB and {} GiB",
            zone.vim_id,
            zone.zone_id,
            vcpus(free.vcpu_milli),
            free.memory_mib,
            free.storage_gib
        ))
    }
}

fn is_at(zone: &Zone, resource: &Resource) -> bool {
    zone.vim_id == resource.vim_id && zone.zone_id == resource.zone_id
}

fn vcpus(milli: i64) -> String {
    if milli % 1000 == 0 { (milli / 1000).to_string() } else { format!("{milli}m") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(vim: &str, name: &str, vcpus: i64) -> Zone {
        Zone {
            vim_id: vim.into(),
            zone_id: name.into(),
            capacity: Amounts { vcpu_milli: vcpus * 1000, memory_mib: 65536, storage_gib: 1000 },
            vcpu_milli_reserved: 0,
            memory_mib_reserved: 0,
            storage_gib_reserved: 0,
        }
    }

    fn want(name: &str, kind: ResourceKind, vcpus: i64, joins: &[&str]) -> Want {
        Want {
            name: name.into(),
            kind,
            template: name.split('-').next().unwrap_or(name).into(),
            amounts: Amounts { vcpu_milli: vcpus * 1000, memory_mib: 1024, storage_gib: 0 },
            image: None,
            joins: joins.iter().map(ToString::to_string).collect(),
        }
    }

    fn rule(anti: bool, scope: AffinityScope, member: &str) -> AffinityRule {
        AffinityRule { anti, scope, members: vec![member.into()] }
    }

    fn ask(
        wants: &[Want],
        rules: &[AffinityRule],
        zones: &[Zone],
    ) -> Result<Vec<(String, String)>, Refusal> {
        let question = Question { wants, rules, existing: &[], zones, instance: "vnf" };
        let placed = place(&question)?;
        Ok(placed
            .into_iter()
            .map(|p| (p.want.name, format!("{}/{}", p.vim_id, p.zone_id)))
            .collect())
    }

    #[test]
    fn a_unit_and_its_storage_go_to_the_same_zone() {
        let wants = [
            want("d", ResourceKind::Storage, 0, &[]),
            want("a-1", ResourceKind::Compute, 2, &["d"]),
        ];
        let placed = ask(&wants, &[], &[zone("v", "z1", 4), zone("v", "z2", 8)]).unwrap();
        assert_eq!(placed, [("d".into(), "v/z2".into()), ("a-1".into(), "v/z2".into())]);
    }

    #[test]
    fn what_must_be_apart_goes_to_different_zones_even_where_one_has_room() {
        let wants = [
            want("a-1", ResourceKind::Compute, 1, &[]),
            want("a-2", ResourceKind::Compute, 1, &[]),
        ];
        let rules = [rule(true, AffinityScope::Zone, "a")];
        let placed = ask(&wants, &rules, &[zone("v", "z1", 64), zone("v", "z2", 2)]).unwrap();
        assert_eq!(placed[0].1, "v/z1");
        assert_eq!(placed[1].1, "v/z2");
    }

    #[test]
    fn what_must_be_in_different_pops_takes_two_vims() {
        let wants = [
            want("a-1", ResourceKind::Compute, 1, &[]),
            want("a-2", ResourceKind::Compute, 1, &[]),
        ];
        let rules = [rule(true, AffinityScope::NfviPop, "a")];
        let placed = ask(&wants, &rules, &[zone("v", "z", 8), zone("w", "z", 8)]).unwrap();
        assert_ne!(placed[0].1, placed[1].1);
    }

    #[test]
    fn what_must_be_together_is_refused_where_no_zone_holds_both() {
        let wants = [
            want("a-1", ResourceKind::Compute, 3, &[]),
            want("a-2", ResourceKind::Compute, 3, &[]),
        ];
        let rules = [rule(false, AffinityScope::Zone, "a")];
        let zones = [zone("v", "z1", 4), zone("v", "z2", 4)];
        assert!(ask(&wants, &[], &zones).is_ok());
        let refusal = ask(&wants, &rules, &zones).unwrap_err();
        assert_eq!(refusal.why, Why::Forbidden);
        assert!(refusal.detail.contains("a-2 needs 3 vCPU"), "{refusal}");
    }

    #[test]
    fn the_refusal_says_what_is_needed_and_what_is_left() {
        let wants = [want("a-1", ResourceKind::Compute, 3, &[])];
        let refusal = ask(&wants, &[], &[zone("v", "z1", 2)]).unwrap_err();
        assert_eq!(
            refusal.detail,
            "the grant was rejected: a-1 needs 3 vCPU, 1024 MiB of memory and 0 GiB of storage; \
             zone v/z1 has most left: 2 vCPU, 65536 MiB and 1000 GiB"
        );
    }

    #[test]
    fn several_vims_together_hold_what_none_holds_alone() {
        let wants = [
            want("a-1", ResourceKind::Compute, 3, &[]),
            want("a-2", ResourceKind::Compute, 3, &[]),
        ];
        assert!(ask(&wants, &[], &[zone("v", "z", 4), zone("w", "z", 4)]).is_ok());
    }
}
