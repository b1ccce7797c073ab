//! Wait: the time a state waits for, as an instant that survives restarts.

use serde_json::Value;

use super::{
    frame::{Flow, Frame, TimerOf, Work},
    sight::Sight,
    turn::Turn,
};
use crate::{
    definition::{Kind, State, WaitFor},
    doc::Doc,
    fault::Fault,
    query::Query,
    time,
};

/// Longest wait, in milliseconds: 2³¹ seconds, a little over 68 years.
const MAX_WAIT: i64 = 2_147_483_648 * 1000;

impl Turn<'_> {
    pub(super) fn wait(
        &mut self,
        frame: &mut Frame,
        state: &State,
        wait: &WaitFor,
        effective: &Doc,
    ) -> Result<Flow, Fault> {
        let until = self.until(frame, state, wait, effective)?;
        if until.saturating_sub(self.now) >= MAX_WAIT {
            return Err(Fault::runtime("Wait state delay is too long."));
        }
        if until <= self.now {
            return self.pass_on(frame, state, effective, state.next);
        }
        let timer = self.timer(TimerOf::Frame(frame.id), until);
        frame.work = Work::Waiting { timer };
        Ok(Flow::Block)
    }

    /// The time is up.
    pub(super) fn waited(&mut self, frame: &mut Frame) -> Flow {
        let Some(state) = self.state_of(frame).filter(|state| matches!(state.kind, Kind::Wait(_)))
        else {
            return Flow::Block;
        };
        frame.work = Work::Again;
        let left = self
            .effective(frame, state)
            .and_then(|effective| self.pass_on(frame, state, &effective, state.next));
        match left {
            Ok(flow) => flow,
            Err(fault) => self.handle(frame, state, fault),
        }
    }

    /// When the wait ends, in milliseconds since 1970.
    fn until(
        &self,
        frame: &Frame,
        state: &State,
        wait: &WaitFor,
        effective: &Doc,
    ) -> Result<i64, Fault> {
        match wait {
            WaitFor::Seconds(seconds) => Ok(self.after(*seconds)),
            WaitFor::Timestamp(instant) => Ok(time::to_millis(*instant)),
            WaitFor::SecondsPath(query) => {
                let found = self.query(frame, state, query, effective)?;
                seconds_at(query, found.value()).map(|seconds| self.after(seconds))
            }
            WaitFor::SecondsExpression(expression) => {
                let sight = Sight::of(effective);
                let value = self.with_env(frame, state, sight, |env| expression.value(env))?;
                let seconds =
                    whole(&value).ok_or_else(|| expression.unexpected("integer", &value))?;
                if seconds < 0 {
                    let cause = format!("The Seconds field must not be negative: {seconds}");
                    return Err(Fault::evaluation(Some("Seconds".to_owned()), cause));
                }
                Ok(self.after(seconds))
            }
            WaitFor::TimestampPath(query) => {
                let found = self.query(frame, state, query, effective)?;
                instant(found.value()).ok_or_else(|| {
                    let shown = shown(found.value());
                    Fault::runtime(format!(
                        "The TimestampPath parameter does not reference a valid ISO-8601 extended \
                         offset date-time format string: {} == {shown}",
                        query.path_source()
                    ))
                })
            }
            WaitFor::TimestampExpression(expression) => {
                let sight = Sight::of(effective);
                let value = self.with_env(frame, state, sight, |env| expression.value(env))?;
                if !value.is_string() {
                    return Err(expression.unexpected("string", &value));
                }
                instant(&value).ok_or_else(|| {
                    Fault::evaluation(
                        Some("Timestamp".to_owned()),
                        format!(
                            "The Timestamp field cannot be parsed as an ISO-8601 extended offset \
                             date-time format string: {}",
                            shown(&value)
                        ),
                    )
                })
            }
        }
    }

    fn after(&self, seconds: i64) -> i64 {
        self.now.saturating_add(seconds.saturating_mul(1000))
    }
}

fn instant(value: &Value) -> Option<i64> {
    value.as_str().and_then(time::parse).map(time::to_millis)
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15);
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    value.as_i64().or_else(|| number.map(|number| number as i64))
}

fn seconds_at(query: &Query, value: &Value) -> Result<i64, Fault> {
    let path = query.path_source();
    match value.as_i64() {
        Some(seconds) if seconds >= 0 => Ok(seconds),
        Some(seconds) => Err(Fault::runtime(format!(
            "The SecondsPath parameter references a negative value: {path} == {seconds}"
        ))),
        None => Err(Fault::runtime(format!(
            "The SecondsPath parameter cannot be parsed as a long value: {path} == {}",
            shown(value)
        ))),
    }
}
