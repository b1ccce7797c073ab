//! How data flows into and out of a state.

use std::sync::Arc;

use serde_json::Value;

use super::{
    frame::{Flow, Frame, Work},
    sight::Sight,
    turn::{Turn, exited},
};
use crate::{
    definition::{Amount, Assign, Language, Next, Pick, ResultPath, State},
    doc::{self, Doc},
    env::Variables,
    fault::Fault,
    history::Details,
    query::Query,
    template::Template,
};

/// Most bytes that all variables of an execution may have together.
const MAX_VARIABLES: usize = 10 << 20;

/// Bytes of variables, as JSON text.
fn bytes_of(variables: &Variables) -> usize {
    variables.values().map(|value| value.text().len()).sum()
}

impl Turn<'_> {
    /// What the state works on: the raw input through `InputPath`.
    pub(super) fn effective(&self, frame: &Frame, state: &State) -> Result<Doc, Fault> {
        self.pick(frame, state, &state.data.input_path, &frame.input)
    }

    fn pick(&self, frame: &Frame, state: &State, pick: &Pick, from: &Doc) -> Result<Doc, Fault> {
        match pick {
            Pick::Whole => Ok(from.clone()),
            Pick::Nothing => Ok(Doc::new(Value::Object(serde_json::Map::new()))),
            Pick::At(query) => self.query(frame, state, query, from),
        }
    }

    /// What a path field selects.
    pub(super) fn query(
        &self,
        frame: &Frame,
        state: &State,
        query: &Query,
        root: &Doc,
    ) -> Result<Doc, Fault> {
        self.with_env(frame, state, Sight::of(root), |env| query.doc(env))
            .map_err(|reason| query.invalid(&reason))
    }

    /// `Parameters` or `Arguments`, or the effective input where there are none.
    pub(super) fn arguments(
        &self,
        frame: &Frame,
        state: &State,
        effective: &Doc,
        token: Option<&str>,
    ) -> Result<Doc, Fault> {
        let filled = match &state.data.parameters {
            None => effective.clone(),
            Some(template) => {
                let sight = Sight { token, ..Sight::of(effective) };
                self.with_env(frame, state, sight, |env| template.fill(env))?
            }
        };
        self.note_arguments(state, &filled);
        Ok(filled)
    }

    /// Fills a template that sees no result.
    pub(super) fn fill(
        &self,
        frame: &Frame,
        state: &State,
        template: &Template,
        root: &Doc,
    ) -> Result<Doc, Fault> {
        self.with_env(frame, state, Sight::of(root), |env| template.fill(env))
    }

    /// Leaves a state that has a result: Task, Pass, Parallel, Map.
    pub(super) fn complete(
        &mut self,
        frame: &mut Frame,
        state: &State,
        result: Doc,
    ) -> Result<Flow, Fault> {
        let (output, assigned) = match state.language {
            Language::Jsonata => {
                let input = frame.input.clone();
                let sight = Sight { result: Some(&result), ..Sight::of(&input) };
                let output = match &state.data.output {
                    Some(template) => {
                        self.with_env(frame, state, sight, |env| template.fill(env))?
                    }
                    None => result.clone(),
                };
                (output, self.assigned(frame, state, state.assign.as_ref(), sight)?)
            }
            Language::JsonPath => {
                let selected = match &state.data.result_selector {
                    Some(template) => self.fill(frame, state, template, &result)?,
                    None => result,
                };
                let combined = place(&state.data.result_path, &frame.input, selected.clone())?;
                let output = self.pick(frame, state, &state.data.output_path, &combined)?;
                self.note("afterResultSelector", &selected);
                self.note("afterResultPath", &combined);
                let sight = Sight::of(&selected);
                (output, self.assigned(frame, state, state.assign.as_ref(), sight)?)
            }
        };
        self.exit(frame, state, output, assigned, state.next)
    }

    /// Leaves a state that has no result: Choice, Wait, Succeed.
    pub(super) fn pass_on(
        &mut self,
        frame: &mut Frame,
        state: &State,
        effective: &Doc,
        next: Next,
    ) -> Result<Flow, Fault> {
        let (assign, output) = (state.assign.as_ref(), state.data.output.as_ref());
        self.pass_with(frame, state, effective, next, (assign, output))
    }

    /// The same with the `Assign` and `Output` of a Choice rule.
    pub(super) fn pass_with(
        &mut self,
        frame: &mut Frame,
        state: &State,
        effective: &Doc,
        next: Next,
        (assign, output): (Option<&Assign>, Option<&Template>),
    ) -> Result<Flow, Fault> {
        let filled = match output {
            Some(template) => self.fill(frame, state, template, effective)?,
            None => self.pick(frame, state, &state.data.output_path, effective)?,
        };
        let assigned = self.assigned(frame, state, assign, Sight::of(effective))?;
        self.exit(frame, state, filled, assigned, next)
    }

    /// Computes an `Assign`: every right-hand side before any variable changes.
    pub(super) fn assigned(
        &self,
        frame: &Frame,
        state: &State,
        assign: Option<&Assign>,
        sight: Sight<'_>,
    ) -> Result<Option<Variables>, Fault> {
        let Some(assign) = assign else { return Ok(None) };
        let mut variables = Variables::new();
        let mut bytes = 0;
        for (name, template) in assign {
            let value = self.with_env(frame, state, sight, |env| template.fill(env))?;
            bytes += value.text().len();
            // The limit holds for each variable and for all that one state sets.
            if bytes > self.x.limits.max_bytes {
                return Err(Fault::too_large(&state.name));
            }
            variables.insert(Arc::clone(name), value);
        }
        Ok(Some(variables))
    }

    /// Whether the execution may keep these variables as well. What was assigned is counted until it
    /// might be too much; only then is counted what is really there.
    fn may_keep(&mut self, frame: &Frame, assigned: Option<&Variables>) -> bool {
        let Some(assigned) = assigned else { return true };
        let more = bytes_of(assigned);
        self.x.assigned_bytes += more;
        if self.x.assigned_bytes <= MAX_VARIABLES {
            return true;
        }
        let others = self.x.frames.values().map(|frame| bytes_of(&frame.variables));
        let own = frame.variables.iter().filter(|(name, _)| !assigned.contains_key(*name));
        let own: usize = own.map(|(_, value)| value.text().len()).sum();
        self.x.assigned_bytes = others.sum::<usize>() + own + more;
        self.x.assigned_bytes <= MAX_VARIABLES
    }

    /// Writes the row that leaves the state, sets the variables and turns to the next state.
    pub(super) fn exit(
        &mut self,
        frame: &mut Frame,
        state: &State,
        output: Doc,
        assigned: Option<Variables>,
        next: Next,
    ) -> Result<Flow, Fault> {
        let text = output.text();
        if text.len() > self.x.limits.max_bytes || !self.may_keep(frame, assigned.as_ref()) {
            return Err(Fault::too_large(&state.name));
        }
        let shown = assigned.as_ref().filter(|variables| !variables.is_empty()).map(|variables| {
            let texts = variables.iter().map(|(name, doc)| (Arc::clone(name), doc.text()));
            Arc::new(texts.collect::<Vec<_>>())
        });
        let details =
            Details::Exited { name: Arc::clone(&state.name), output: text, assigned: shown };
        self.advance(frame, exited(&state.kind), details);
        frame.variables.extend(assigned.into_iter().flatten());
        if self.is_probed(next) {
            return Ok(Flow::Done(output));
        }
        match next {
            Next::State(next) => {
                frame.state = next;
                frame.input = output;
                frame.work = Work::Enter;
                Ok(Flow::Go)
            }
            Next::End | Next::Elsewhere => Ok(Flow::Done(output)),
        }
    }

    /// A number that is written, found at a path, or computed. `whole` numbers only, if asked for.
    pub(super) fn amount(
        &self,
        frame: &Frame,
        state: &State,
        amount: &Amount,
        name: &str,
        whole: bool,
        root: &Doc,
    ) -> Result<f64, Fault> {
        match amount {
            Amount::Fixed(number) => Ok(*number),
            Amount::Expression(expression) => {
                let value =
                    self.with_env(frame, state, Sight::of(root), |env| expression.value(env))?;
                let number = value.as_f64().filter(|number| !whole || number.fract() == 0.0);
                let kind = if whole { "integer" } else { "number" };
                number.ok_or_else(|| expression.unexpected(kind, &value))
            }
            Amount::Path(query) => {
                let found = self.query(frame, state, query, root)?;
                let number = match found.value().as_str() {
                    Some(text) => text.trim().parse::<f64>().ok(),
                    None => found.value().as_f64(),
                };
                let fits = number.filter(|number| !whole || number.fract() == 0.0);
                fits.ok_or_else(|| not_a_number(name, whole, found.value(), query))
            }
        }
    }
}

fn not_a_number(name: &str, whole: bool, value: &Value, query: &Query) -> Fault {
    let shown = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let kind = if whole { "integer" } else { "float" };
    Fault::runtime(format!(
        "The {name}Path field refers to value \"{shown}\" which is not a valid {kind}: {}",
        query.path_source()
    ))
}

/// Puts a result where `ResultPath` says, into the state's raw input.
pub(super) fn place(path: &ResultPath, raw: &Doc, result: Doc) -> Result<Doc, Fault> {
    match path {
        ResultPath::Whole => Ok(result),
        ResultPath::Drop => Ok(raw.clone()),
        ResultPath::At(reference) => {
            let mut combined = raw.value().clone();
            if !reference.write(&mut combined, result.into_value())
                || doc::is_deeper_than(&combined, doc::MAX_DEPTH)
            {
                return Err(Fault::named(
                    "States.ResultPathMatchFailure",
                    format!("Unable to apply ReferencePath {} to input", reference.source()),
                ));
            }
            Ok(Doc::new(combined))
        }
    }
}
