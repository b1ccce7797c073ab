//! Parallel and inline Map: threads inside a thread.

use std::sync::Arc;

use serde_json::Value;

use super::{
    frame::{Branches, Flow, Frame, FrameId, Work},
    sight::Sight,
    turn::Turn,
};
use crate::{
    definition::{FlowId, Items, Language, Map, State, StateId},
    doc::Doc,
    env::Item,
    fault::{Fault, Nature},
    history::Details,
};

/// Most iterations of an inline Map under way at once.
const MAX_INLINE: usize = 40;

impl<'a> Turn<'a> {
    /// Starts a Parallel.
    pub(super) fn fork(
        &mut self,
        frame: &mut Frame,
        state: &State,
        branches: &[FlowId],
        effective: &Doc,
    ) -> Result<Flow, Fault> {
        let input = self.arguments(frame, state, effective, None)?;
        frame.parked = None;
        self.advance(frame, "ParallelStateStarted", Details::None);
        let mut open = Vec::with_capacity(branches.len());
        for (slot, flow) in branches.iter().enumerate() {
            let child = self.child(frame, *flow, slot, input.clone(), None);
            open.push(self.begin(child));
        }
        frame.work = Work::Branches(Branches {
            input,
            items: None,
            results: vec![None; branches.len()],
            open,
            next: branches.len(),
        });
        Ok(Flow::Block)
    }

    /// Starts a Map.
    pub(super) fn map(
        &mut self,
        frame: &mut Frame,
        state: &'a State,
        map: &'a Map,
        effective: &Doc,
    ) -> Result<Flow, Fault> {
        frame.parked = None;
        if map.distributed.is_some() {
            return self.start_run(frame, state, map, effective);
        }
        let items = self.items(frame, state, map, effective)?;
        let concurrency = self.concurrency(frame, state, map, effective)?;
        let length = items.value().as_array().map_or(0, Vec::len);
        self.advance(frame, "MapStateStarted", Details::MapStarted { length: length as u64 });
        let mut branches = Branches {
            input: effective.clone(),
            items: Some(items),
            results: vec![None; length],
            open: Vec::new(),
            next: 0,
        };
        let previous = frame.prev;
        while branches.open.len() < concurrency.min(MAX_INLINE) && branches.next < length {
            self.iterate(frame, state, map, &mut branches, previous)?;
        }
        frame.work = Work::Branches(branches);
        if length == 0 { self.joined(frame, state) } else { Ok(Flow::Block) }
    }

    pub(super) fn concurrency(
        &self,
        frame: &Frame,
        state: &State,
        map: &Map,
        effective: &Doc,
    ) -> Result<usize, Fault> {
        let Some(amount) = &map.max_concurrency else { return Ok(usize::MAX) };
        let number = self.amount(frame, state, amount, "MaxConcurrency", true, effective)?;
        if number < 0.0 {
            return Err(Fault::runtime("MaxConcurrency cannot be negative."));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and a cast beyond the range saturates"
        )]
        let limit = number as usize;
        Ok(if limit == 0 { usize::MAX } else { limit })
    }

    /// A Map's items: an array.
    pub(super) fn items(
        &self,
        frame: &Frame,
        state: &State,
        map: &Map,
        effective: &Doc,
    ) -> Result<Doc, Fault> {
        let (items, source) = match &map.items {
            Items::Input => (effective.clone(), "$"),
            Items::Path(query) => {
                (self.query(frame, state, query, effective)?, query.path_source())
            }
            Items::Template(template) => {
                let found = self.fill(frame, state, template, effective)?;
                if !found.value().is_array() {
                    return Err(match template.as_expression() {
                        Some(expression) => expression.unexpected("array", found.value()),
                        None => no_array(&found),
                    });
                }
                (found, "$")
            }
        };
        if items.value().is_array() {
            return Ok(items);
        }
        Err(match state.language {
            Language::Jsonata => no_array(&items),
            Language::JsonPath => {
                Fault::runtime(format!("Reference path \"{source}\" must point to array."))
            }
        })
    }

    /// Starts the next iteration; its first row follows from `previous`.
    fn iterate(
        &mut self,
        frame: &Frame,
        state: &State,
        map: &Map,
        branches: &mut Branches,
        previous: u64,
    ) -> Result<(), Fault> {
        let index = branches.next;
        branches.next += 1;
        let value = branches
            .items
            .as_ref()
            .and_then(|items| items.value().get(index))
            .map_or(Value::Null, Value::clone);
        let item = Item { index, value: Doc::new(value) };
        let input = self.item_input(frame, state, map, &branches.input, &item)?;
        let details = Details::Iteration { name: Arc::clone(&state.name), index: index as u64 };
        let started = self.emit("MapIterationStarted", previous, details);
        let mut child = self.child(frame, map.processor, index, input, Some(item));
        child.prev = started;
        branches.open.push(self.begin(child));
        Ok(())
    }

    /// What an iteration starts with: the item, or what `ItemSelector` makes of it.
    pub(super) fn item_input(
        &self,
        frame: &Frame,
        state: &State,
        map: &Map,
        effective: &Doc,
        item: &Item,
    ) -> Result<Doc, Fault> {
        match &map.selector {
            None => Ok(item.value.clone()),
            Some(template) => {
                let sight = Sight { item: Some(item), ..Sight::of(effective) };
                self.with_env(frame, state, sight, |env| template.fill(env))
            }
        }
    }

    fn child(
        &mut self,
        frame: &Frame,
        flow: FlowId,
        slot: usize,
        input: Doc,
        item: Option<Item>,
    ) -> Frame {
        let start: StateId = self.machine.flows.get(flow as usize).map_or(0, |flow| flow.start);
        let id = self.frame_id();
        let mut child = Frame::new(id, Some(frame.id), start, input);
        child.slot = slot;
        child.prev = frame.prev;
        child.item = item;
        child
    }

    fn begin(&mut self, child: Frame) -> FrameId {
        let id = child.id;
        self.x.frames.insert(id, child);
        self.ready.push_back(id);
        id
    }

    /// A branch reached its end. Gives back whoever can go on now.
    pub(super) fn branch_done(
        &mut self,
        parent: FrameId,
        child: Frame,
        output: Doc,
    ) -> Option<(Frame, Flow)> {
        let mut frame = self.x.frames.remove(&parent)?;
        let state = self.state_of(&frame)?;
        let Work::Branches(mut branches) = std::mem::replace(&mut frame.work, Work::Again) else {
            self.x.frames.insert(parent, frame);
            return None;
        };
        branches.open.retain(|open| *open != child.id);
        if let Some(place) = branches.results.get_mut(child.slot) {
            *place = Some(output);
        }
        frame.prev = child.prev;
        let mut outcome = Ok(());
        if let Some(map) = state.kind.as_map() {
            let (name, index) = (Arc::clone(&state.name), child.slot as u64);
            let details = Details::Iteration { name, index };
            frame.prev = self.emit("MapIterationSucceeded", child.prev, details);
            let length = branches.results.len();
            if let Some(next) = (branches.next..length).find(|at| branches.results[*at].is_none()) {
                branches.next = next;
                outcome = self.iterate(&frame, state, map, &mut branches, child.prev);
            } else {
                branches.next = length;
            }
        }
        let is_over = branches.open.is_empty();
        frame.work = Work::Branches(branches);
        let flow = match outcome {
            Ok(()) if is_over => self.joined(&mut frame, state),
            Ok(()) => Ok(Flow::Block),
            Err(fault) => Err(fault),
        };
        let flow = flow.unwrap_or_else(|fault| {
            self.abort_branches(&mut frame, None);
            self.handle(&mut frame, state, fault)
        });
        Some((frame, flow))
    }

    /// Every branch is done.
    fn joined(&mut self, frame: &mut Frame, state: &State) -> Result<Flow, Fault> {
        let Work::Branches(branches) = std::mem::replace(&mut frame.work, Work::Again) else {
            return Ok(Flow::Block);
        };
        let is_map = state.kind.as_map().is_some();
        let kind = if is_map { "MapStateSucceeded" } else { "ParallelStateSucceeded" };
        self.emit(kind, frame.prev, Details::None);
        let outputs = branches.results.into_iter().flatten().map(Doc::into_value).collect();
        self.complete(frame, state, Doc::new(Value::Array(outputs)))
    }

    /// A branch failed: the others are given up.
    pub(super) fn branch_failed(
        &mut self,
        parent: FrameId,
        mut child: Frame,
        mut fault: Fault,
    ) -> Option<(Frame, Flow)> {
        let mut frame = self.x.frames.remove(&parent)?;
        let state = self.state_of(&frame)?;
        frame.prev = child.prev;
        let failed_in_task =
            self.state_of(&child).is_some_and(|state| state.kind.as_task().is_some());
        if state.kind.as_map().is_some() {
            let (name, index) = (Arc::clone(&state.name), child.slot as u64);
            self.emit("MapIterationFailed", child.prev, Details::Iteration { name, index });
        } else if failed_in_task {
            self.emit("TaskStateAborted", child.prev, Details::None);
        }
        child.work = Work::Failed;
        self.abort_branches(&mut frame, Some(child));
        // From here on it is the container's fault: worded once, noted once.
        if matches!(fault.nature, Nature::Evaluation { .. }) {
            fault.nature = Nature::Reported;
        }
        let flow = self.handle_from_below(&mut frame, state, fault);
        Some((frame, flow))
    }

    fn handle_from_below(&mut self, frame: &mut Frame, state: &State, fault: Fault) -> Flow {
        if fault.nature == Nature::Runtime {
            return Flow::Fail(fault);
        }
        self.handle(frame, state, fault)
    }
}

fn no_array(items: &Doc) -> Fault {
    Fault::evaluation(None, format!("Map state input must be an array but was: {items}"))
}
