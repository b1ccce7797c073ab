//! The work of each kind of state.

use super::{
    frame::{Flow, Frame},
    sight::Sight,
    turn::Turn,
};
use crate::{
    definition::{Kind, Language, Next, Rule, State, StateId},
    doc::Doc,
    fault::Fault,
    template::Template,
};

impl<'a> Turn<'a> {
    /// Does a state's work as far as it goes.
    pub(super) fn work(&mut self, frame: &mut Frame, state: &'a State) -> Result<Flow, Fault> {
        let effective = self.effective(frame, state)?;
        self.note_effective(state, &effective);
        match &state.kind {
            Kind::Pass { result } => self.pass(frame, state, result.as_ref(), &effective),
            Kind::Task(task) => self.call(frame, state, task, &effective),
            Kind::Choice { rules, default } => {
                self.choose(frame, state, rules, *default, &effective)
            }
            Kind::Wait(wait) => self.wait(frame, state, wait, &effective),
            Kind::Succeed => self.pass_on(frame, state, &effective, Next::End),
            Kind::Fail { error, cause } => {
                let error = self.fail_text(frame, state, error.as_ref(), &effective)?;
                let cause = self.fail_text(frame, state, cause.as_ref(), &effective)?;
                Ok(Flow::Fail(Fault::reported(error, cause)))
            }
            Kind::Parallel { branches } => self.fork(frame, state, branches, &effective),
            Kind::Map(map) => self.map(frame, state, map, &effective),
        }
    }

    fn pass(
        &mut self,
        frame: &mut Frame,
        state: &State,
        result: Option<&Doc>,
        effective: &Doc,
    ) -> Result<Flow, Fault> {
        if state.language == Language::Jsonata {
            return self.pass_on(frame, state, effective, state.next);
        }
        let result = match result {
            Some(result) => {
                self.note("result", result);
                result.clone()
            }
            None => self.arguments(frame, state, effective, None)?,
        };
        self.complete(frame, state, result)
    }

    fn choose(
        &mut self,
        frame: &mut Frame,
        state: &State,
        rules: &[Rule],
        default: Option<StateId>,
        effective: &Doc,
    ) -> Result<Flow, Fault> {
        let holding = self.with_env(frame, state, Sight::of(effective), |env| {
            for rule in rules {
                if rule.test.holds(env)? {
                    return Ok(Some(rule));
                }
            }
            Ok(None)
        })?;
        match (holding, default) {
            (Some(rule), _) => {
                // JSONata: a rule's own Output; the state's Output is for Default alone.
                let from = (rule.assign.as_ref(), rule.output.as_ref());
                self.pass_with(frame, state, effective, Next::State(rule.next), from)
            }
            (None, Some(next)) => self.pass_on(frame, state, effective, Next::State(next)),
            (None, None) => Err(Fault::runtime(
                "Failed to transition out of the state. The state does not point to a next state.",
            )),
        }
    }

    fn fail_text(
        &self,
        frame: &Frame,
        state: &State,
        template: Option<&Template>,
        effective: &Doc,
    ) -> Result<Option<String>, Fault> {
        let Some(template) = template else { return Ok(None) };
        let filled = self.fill(frame, state, template, effective)?;
        match (filled.value().as_str(), template) {
            (Some(text), _) => Ok(Some(text.to_owned())),
            (None, Template::Expression(expression)) => {
                Err(expression.unexpected("string", filled.value()))
            }
            (None, _) => Err(Fault::runtime("Error and Cause must be strings.")),
        }
    }
}
