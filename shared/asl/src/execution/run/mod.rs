//! Distributed Map: each item or batch is a child execution of its own.

mod children;
mod request;
mod results;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    frame::{Flow, Frame, Parked, Work},
    turn::Turn,
};
use crate::{
    definition::{Amount, Distributed, Items, Map, State, Transformation},
    doc::Doc,
    entropy,
    env::Item,
    event::{ChildId, Effect, Ending, Status, TaskId},
    fault::Fault,
    history::Details,
};

/// Most children under way at once when `MaxConcurrency` sets no limit.
const MAX_CHILDREN: usize = 1000;

/// Most bytes the inputs of all children may have together.
const MAX_BYTES: usize = 256 << 20;

/// A distributed Map under way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MapRun {
    /// The row that started it.
    pub(super) id: u64,
    pub(super) arn: String,
    uuid: String,
    concurrency: usize,
    tolerated_count: Option<f64>,
    tolerated_percentage: Option<f64>,
    /// The effective input of the Map.
    input: Doc,
    max_items: usize,
    /// The manifest whose files are being read.
    inventory: Option<crate::items::Inventory>,
    /// A reader or writer at work.
    request: Option<u64>,
    /// The inputs of the children.
    inputs: Vec<Doc>,
    endings: Vec<Option<Ending>>,
    pub(super) open: Vec<u64>,
    next: usize,
    failed: usize,
}

impl<'a> Turn<'a> {
    /// Starts a map run: the items come from the input, or a reader is asked for them.
    pub(super) fn start_run(
        &mut self,
        frame: &mut Frame,
        state: &'a State,
        map: &'a Map,
        effective: &Doc,
    ) -> Result<Flow, Fault> {
        let Some(distributed) = &map.distributed else { return Ok(Flow::Block) };
        let items = match &distributed.reader {
            None => Some(self.items(frame, state, map, effective)?),
            Some(_) => {
                if let Items::Path(query) = &map.items {
                    self.query(frame, state, query, effective)?;
                }
                None
            }
        };
        let concurrency = self.concurrency(frame, state, map, effective)?;
        let length = items.as_ref().and_then(|items| items.value().as_array()).map_or(0, Vec::len);
        self.advance(frame, "MapStateStarted", Details::MapStarted { length: length as u64 });
        let (tolerated_count, tolerated_percentage) =
            self.tolerance(frame, state, map, effective)?;
        let id = self.x.last_event + 1;
        let uuid = entropy::uuid(&entropy::digest(&self.x.seed, "map run", id, 0));
        let arn = self.run_arn(distributed, &uuid);
        self.advance(frame, "MapRunStarted", Details::MapRun { arn: arn.clone() });
        let run = MapRun {
            id,
            arn,
            uuid,
            concurrency: concurrency.min(MAX_CHILDREN),
            tolerated_count,
            tolerated_percentage,
            input: effective.clone(),
            max_items: usize::MAX,
            inventory: None,
            request: None,
            inputs: Vec::new(),
            endings: Vec::new(),
            open: Vec::new(),
            next: 0,
            failed: 0,
        };
        let flow = match (&distributed.reader, items) {
            (Some(reader), _) => self.ask_reader(frame, state, reader, run),
            (None, items) => {
                let items = items.map(Doc::into_value);
                let items = match items {
                    Some(Value::Array(items)) => items,
                    _ => Vec::new(),
                };
                self.launch(frame, state, map, run, items)
            }
        };
        flow.map_err(|fault| self.run_failed(frame, fault))
    }

    pub(super) fn tolerance(
        &self,
        frame: &Frame,
        state: &State,
        map: &Map,
        effective: &Doc,
    ) -> Result<(Option<f64>, Option<f64>), Fault> {
        let number = |amount: Option<&Amount>, name: &str, whole: bool| {
            amount
                .map(|amount| self.amount(frame, state, amount, name, whole, effective))
                .transpose()
        };
        let count = number(map.tolerated_count.as_ref(), "ToleratedFailureCount", true)?;
        if count.is_some_and(|count| count < 0.0) {
            return Err(Fault::runtime("ToleratedFailureCount cannot be negative."));
        }
        let percentage =
            number(map.tolerated_percentage.as_ref(), "ToleratedFailurePercentage", false)?;
        if percentage.is_some_and(|percentage| !(0.0..=100.0).contains(&percentage)) {
            let cause = "ToleratedFailurePercentage must be between 0 and 100.";
            return Err(Fault::runtime(cause));
        }
        Ok((count, percentage))
    }

    /// `arn:aws:states:region:account:mapRun:machine/label:uuid`
    fn run_arn(&self, distributed: &Distributed, uuid: &str) -> String {
        let identity = &self.x.identity;
        let prefix: Vec<&str> = identity.arn.splitn(6, ':').take(5).collect();
        let label = match &distributed.label {
            Some(label) => label.clone(),
            None => entropy::uuid(&entropy::digest(&self.x.seed, "label", self.x.last_event, 0)),
        };
        format!("{}:mapRun:{}/{label}:{uuid}", prefix.join(":"), identity.state_machine_name)
    }

    /// Makes the children's inputs and starts the first children.
    fn launch(
        &mut self,
        frame: &mut Frame,
        state: &State,
        map: &Map,
        mut run: MapRun,
        items: Vec<Value>,
    ) -> Result<Flow, Fault> {
        let mut inputs = Vec::with_capacity(items.len());
        let mut bytes = 0;
        for (index, value) in items.into_iter().enumerate() {
            let item = Item { index, value: Doc::new(value) };
            let input = self.item_input(frame, state, map, &run.input, &item)?;
            bytes += input.text().len();
            if bytes > MAX_BYTES {
                return Err(Fault::too_large(&state.name));
            }
            inputs.push(input);
        }
        if let Some(batcher) = map.distributed.as_ref().and_then(|one| one.batcher.as_ref()) {
            inputs = self.batches(frame, state, batcher, &run.input, inputs)?;
        }
        run.endings = vec![None; inputs.len()];
        run.inputs = inputs;
        self.start_children(frame, map, &mut run);
        self.continue_run(frame, state, map, run)
    }

    /// A child ended.
    pub(super) fn child_finished(&mut self, child: ChildId, ending: Ending) {
        let Some(id) = self.x.children.remove(&child.0) else { return };
        let Some(slot) = self.x.slots.remove(&child.0) else { return };
        let Some(mut frame) = self.x.frames.remove(&id) else { return };
        let Some((state, map)) = self.state_of(&frame).and_then(map_of) else { return };
        let Work::Run(mut run) = std::mem::replace(&mut frame.work, Work::Again) else {
            self.x.frames.insert(id, frame);
            return;
        };
        self.out.changed = true;
        run.open.retain(|open| *open != child.0);
        run.failed += usize::from(ending.status != Status::Succeeded);
        if let Some(place) = run.endings.get_mut(slot) {
            *place = Some(ending);
        }
        let flow = if run.exceeds_tolerance() {
            self.let_go_of_run(&run);
            frame.parked = Some(Box::new(Parked { work: Work::Run(run), frames: Vec::new() }));
            Err(threshold_exceeded())
        } else {
            self.start_children(&frame, map, &mut run);
            self.continue_run(&mut frame, state, map, *run)
        };
        let flow = flow.unwrap_or_else(|fault| {
            let fault = self.run_failed(&mut frame, fault);
            self.handle(&mut frame, state, fault)
        });
        self.drive(frame, flow);
    }

    /// Waits for children, writes the results, or is done.
    fn continue_run(
        &mut self,
        frame: &mut Frame,
        state: &State,
        map: &Map,
        mut run: MapRun,
    ) -> Result<Flow, Fault> {
        if !run.open.is_empty() {
            frame.work = Work::Run(Box::new(run));
            return Ok(Flow::Block);
        }
        let writer = map.distributed.as_ref().and_then(|one| one.writer.as_ref());
        let Some((writer, resource)) = writer.and_then(|one| Some((one, one.resource.clone()?)))
        else {
            let transformation =
                writer.map_or(Transformation::Compact, |writer| writer.transformation);
            let all: Vec<usize> = (0..run.endings.len()).collect();
            let result = self.transformed(&run, &all, transformation);
            return self.run_succeeded(frame, state, Doc::new(Value::Array(result)));
        };
        let arguments = self.writer_arguments(frame, state, map, &run)?;
        let files = self.files(&run, writer);
        let task = self.request_id(frame);
        run.request = Some(task.0);
        self.out.effects.push(Effect::WriteResults { task, resource, arguments, files });
        frame.work = Work::Run(Box::new(run));
        Ok(Flow::Block)
    }

    fn run_succeeded(
        &mut self,
        frame: &mut Frame,
        state: &State,
        result: Doc,
    ) -> Result<Flow, Fault> {
        frame.work = Work::Again;
        let started = frame.prev;
        self.advance(frame, "MapRunSucceeded", Details::None);
        self.emit("MapStateSucceeded", frame.prev, Details::None);
        // Recorded: since variables and JSONata exist, the row that leaves the state follows from
        // the one that started the run. Machines without them were recorded both ways, and keep the
        // older one.
        if self.machine.has_variables {
            frame.prev = started;
        }
        self.complete(frame, state, result)
    }

    /// Starts the children of a map run that have not succeeded again.
    pub(super) fn redrive_run(&mut self, mut frame: Frame) {
        let Some((state, map)) = self.state_of(&frame).and_then(map_of) else { return };
        let Work::Run(mut run) = std::mem::replace(&mut frame.work, Work::Again) else { return };
        if run.inputs.is_empty() || run.request.is_some() {
            // Nothing had begun: the state is done again from its start.
            frame.work = Work::Enter;
            self.ready.push_back(frame.id);
            self.x.frames.insert(frame.id, frame);
            return;
        }
        let (arn, count) = (run.arn.clone(), self.x.identity.redrive_count);
        self.advance(&mut frame, "MapRunRedriven", Details::MapRunRedriven { arn, count });
        for ending in &mut run.endings {
            *ending = ending.take().filter(|ending| ending.status == Status::Succeeded);
        }
        run.open.clear();
        run.failed = 0;
        run.next = 0;
        self.start_children(&frame, map, &mut run);
        let flow = self.continue_run(&mut frame, state, map, *run);
        let flow = flow.unwrap_or_else(|fault| {
            let fault = self.run_failed(&mut frame, fault);
            self.handle(&mut frame, state, fault)
        });
        self.drive(frame, flow);
    }

    /// The row that says a map run has failed.
    fn run_failed(&mut self, frame: &mut Frame, fault: Fault) -> Fault {
        frame.work = Work::Again;
        let (error, cause) = (fault.error.clone(), fault.cause.clone());
        self.advance(frame, "MapRunFailed", Details::Failure { error, cause });
        fault
    }

    /// Stops the children of a map run; nobody waits for them any more.
    pub(super) fn let_go_of_run(&mut self, run: &MapRun) {
        if let Some(request) = run.request {
            self.x.tasks.remove(&request);
            self.out.effects.push(Effect::CancelTask { task: TaskId(request) });
        }
        for child in &run.open {
            self.x.children.remove(child);
            self.x.slots.remove(child);
            self.out.effects.push(Effect::StopChild { child: ChildId(*child) });
        }
    }
}

impl MapRun {
    fn exceeds_tolerance(&self) -> bool {
        let failed = float(self.failed);
        match (self.tolerated_count, self.tolerated_percentage) {
            (None, None) => self.failed > 0,
            (count, percentage) => {
                let share = failed * 100.0 / float(self.endings.len().max(1));
                count.is_some_and(|count| failed > count)
                    || percentage.is_some_and(|percentage| share > percentage)
            }
        }
    }
}

fn map_of(state: &State) -> Option<(&State, &Map)> {
    state.kind.as_map().map(|map| (state, map))
}

/// Too many children failed.
pub(super) fn threshold_exceeded() -> Fault {
    let cause = "The specified tolerated failure threshold was exceeded";
    Fault::named("States.ExceedToleratedFailureThreshold", cause)
}

/// A number that is not negative as a count; what is too large saturates.
fn count(number: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and a cast beyond the range saturates"
    )]
    let count = number as usize;
    if count == 0 { usize::MAX } else { count }
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// What a child adds to the Map's result. A tolerated failure adds its error.
fn output_of(ending: &Ending) -> Value {
    match &ending.output {
        Some(output) => serde_json::from_str(output).unwrap_or(Value::Null),
        None => {
            let fault = Fault::reported(ending.error.clone(), ending.cause.clone());
            super::failure::error_output(&fault).into_value()
        }
    }
}
