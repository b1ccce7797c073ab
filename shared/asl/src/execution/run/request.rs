//! What a map run asks of the outside: items to read, results to write.

use serde_json::{Value, json};

use super::{MapRun, count, map_of};
use crate::{
    definition::{Map, Reader, State},
    doc::Doc,
    event::{Effect, TaskId},
    execution::{
        frame::{Flow, Frame, Work},
        turn::Turn,
    },
    fault::Fault,
    items::{self, Format},
};

/// Requests are numbered far above history events, which name tasks.
const REQUESTS: u64 = 1 << 62;

impl<'a> Turn<'a> {
    pub(super) fn ask_reader(
        &mut self,
        frame: &mut Frame,
        state: &State,
        reader: &Reader,
        mut run: MapRun,
    ) -> Result<Flow, Fault> {
        let arguments = match &reader.parameters {
            Some(template) => self.fill(frame, state, template, &run.input)?,
            None => run.input.clone(),
        };
        if let Some(amount) = &reader.max_items {
            let number = self.amount(frame, state, amount, "MaxItems", true, &run.input)?;
            if number < 0.0 {
                return Err(reader_failed("field MaxItems must be positive"));
            }
            run.max_items = count(number);
        }
        Ok(self.ask(frame, run, &reader.resource, arguments))
    }

    /// Asks for an object.
    fn ask(&mut self, frame: &mut Frame, mut run: MapRun, resource: &str, arguments: Doc) -> Flow {
        let task = self.request_id(frame);
        run.request = Some(task.0);
        let resource = resource.to_owned();
        self.out.effects.push(Effect::ReadItems { task, resource, arguments });
        frame.work = Work::Run(Box::new(run));
        Flow::Block
    }

    /// A new name for a request, so that a late answer to an old one is known as such.
    pub(super) fn request_id(&mut self, frame: &Frame) -> TaskId {
        self.x.next_timer += 1;
        let id = REQUESTS | self.x.next_timer;
        self.x.tasks.insert(id, frame.id);
        TaskId(id)
    }

    /// The reader's object is there.
    pub(in crate::execution) fn items_read(&mut self, task: TaskId, content: &str) {
        self.with_run(task, |turn, frame, state, map, run| {
            let Some(reader) = map.distributed.as_ref().and_then(|one| one.reader.as_ref()) else {
                return Ok(Flow::Block);
            };
            if reader.format == Format::Manifest {
                return turn.manifest_read(frame, state, map, reader, run, content);
            }
            let items = items::read(&reader.format, content, run.max_items)
                .map_err(|cause| reader_failed(&cause))?;
            turn.launch(frame, state, map, run, items)
        });
    }

    /// A manifest lists files; their rows are the items. The files are read one after another.
    fn manifest_read(
        &mut self,
        frame: &mut Frame,
        state: &State,
        map: &Map,
        reader: &Reader,
        mut run: MapRun,
        content: &str,
    ) -> Result<Flow, Fault> {
        let mut inventory = match run.inventory.take() {
            None => items::Inventory::parse(content),
            Some(mut inventory) => inventory.add(content, run.max_items).map(|()| inventory),
        }
        .map_err(|cause| reader_failed(&cause))?;
        match inventory.next_file(run.max_items) {
            None => self.launch(frame, state, map, run, inventory.items),
            Some(arguments) => {
                run.inventory = Some(inventory);
                Ok(self.ask(frame, run, &reader.resource, Doc::new(arguments)))
            }
        }
    }

    /// The result files are written.
    pub(in crate::execution) fn results_written(&mut self, task: TaskId) {
        self.with_run(task, |turn, frame, state, map, run| {
            let arguments = turn.writer_arguments(frame, state, map, &run)?;
            let bucket = arguments.value().get("Bucket").cloned().unwrap_or(Value::Null);
            let prefix = arguments.value().get("Prefix").and_then(Value::as_str);
            let prefix = prefix.map(|prefix| format!("{prefix}/")).unwrap_or_default();
            let result = json!({
                "MapRunArn": run.arn,
                "ResultWriterDetails": {
                    "Bucket": bucket,
                    "Key": format!("{prefix}{}/manifest.json", run.uuid),
                },
            });
            turn.run_succeeded(frame, state, Doc::new(result))
        });
    }

    /// A reader or writer failed.
    pub(in crate::execution) fn request_failed(
        &mut self,
        task: TaskId,
        error: Option<String>,
        cause: Option<String>,
    ) {
        self.with_run(task, |_, _, _, _, run| {
            let name = match run.inputs.is_empty() {
                true => "States.ItemReaderFailed",
                false => "States.ResultWriterFailed",
            };
            Err(Fault::reported(error.or_else(|| Some(name.to_owned())), cause))
        });
    }

    /// Takes the map run that waits for a reader or writer and lets it go on.
    fn with_run(
        &mut self,
        task: TaskId,
        act: impl FnOnce(&mut Self, &mut Frame, &'a State, &'a Map, MapRun) -> Result<Flow, Fault>,
    ) {
        let Some(id) = self.x.tasks.get(&task.0).copied() else { return };
        let Some(mut frame) = self.x.frames.remove(&id) else { return };
        let waiting = matches!(&frame.work, Work::Run(run) if run.request == Some(task.0));
        let state = self.state_of(&frame);
        let Some((state, map)) = state.and_then(map_of).filter(|_| waiting) else {
            self.x.frames.insert(id, frame);
            return;
        };
        self.x.tasks.remove(&task.0);
        let Work::Run(mut run) = std::mem::replace(&mut frame.work, Work::Again) else { return };
        run.request = None;
        let flow = match act(self, &mut frame, state, map, *run) {
            Ok(flow) => flow,
            Err(fault) => {
                let fault = self.run_failed(&mut frame, fault);
                self.handle(&mut frame, state, fault)
            }
        };
        self.drive(frame, flow);
    }

    pub(super) fn writer_arguments(
        &self,
        frame: &Frame,
        state: &State,
        map: &Map,
        run: &MapRun,
    ) -> Result<Doc, Fault> {
        let writer = map.distributed.as_ref().and_then(|one| one.writer.as_ref());
        match writer.and_then(|writer| writer.parameters.as_ref()) {
            Some(template) => self.fill(frame, state, template, &run.input),
            None => Ok(run.input.clone()),
        }
    }
}

fn reader_failed(cause: &str) -> Fault {
    Fault::named("States.ItemReaderFailed", cause)
}
