//! The children of a map run: what they are called, and starting them.

use super::MapRun;
use crate::{
    definition::Map,
    doc::Doc,
    entropy::{self, Seed},
    event::{ChildId, Effect},
    execution::{Kind as ExecutionKind, Part, Start, frame::Frame, turn::Turn},
};

/// What a child is called, and the seed it starts from.
pub(super) struct ChildIdentity {
    pub(super) arn: String,
    pub(super) machine_arn: String,
    pub(super) name: String,
    seed: Seed,
}

impl Turn<'_> {
    pub(super) fn start_children(&mut self, frame: &Frame, map: &Map, run: &mut MapRun) {
        while run.open.len() < run.concurrency && run.next < run.inputs.len() {
            let slot = run.next;
            run.next += 1;
            if run.endings.get(slot).is_some_and(Option::is_some) {
                continue;
            }
            let Some(input) = run.inputs.get(slot) else { return };
            let start = Box::new(self.child_start(map, run, slot, input));
            self.x.next_timer += 1;
            let child = self.x.next_timer;
            self.x.children.insert(child, frame.id);
            run.open.push(child);
            self.x.slots.insert(child, slot);
            self.out.effects.push(Effect::StartChild { child: ChildId(child), start });
        }
    }

    fn child_start(&self, map: &Map, run: &MapRun, slot: usize, input: &Doc) -> Start {
        let identity = &self.x.identity;
        let express = map.distributed.as_ref().is_some_and(|one| one.express);
        let child = self.child_identity(run, slot);
        Start {
            arn: child.arn,
            name: child.name,
            state_machine_arn: child.machine_arn,
            state_machine_name: format!("{}/{}", identity.state_machine_name, run.uuid),
            role_arn: identity.role_arn.to_string(),
            input: input.text().to_string(),
            seed: child.seed,
            at_millis: self.now,
            kind: if express { ExecutionKind::Express } else { ExecutionKind::Standard },
            limits: self.x.limits,
            part: Part { flow: map.processor },
            absent_activities: self.x.absent_activities.clone(),
        }
    }

    /// What a child is called.
    pub(super) fn child_identity(&self, run: &MapRun, slot: usize) -> ChildIdentity {
        let identity = &self.x.identity;
        let seed = entropy::digest(&self.x.seed, "child", run.id, slot as u64);
        let name = entropy::uuid(&seed);
        let prefix: Vec<&str> = identity.arn.splitn(6, ':').take(5).collect();
        let machine = format!("{}/{}", identity.state_machine_name, run.uuid);
        ChildIdentity {
            arn: format!("{}:execution:{machine}:{name}", prefix.join(":")),
            machine_arn: format!("{}/{}", identity.state_machine_arn, run.uuid),
            name,
            seed,
        }
    }
}
