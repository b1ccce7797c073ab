//! Laws every execution keeps, tried on random definitions and random events.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise and says what it saw"
)]

mod machines;

use std::collections::BTreeSet;

use machines::Dice;
use mano_asl::{
    Definition, Effect, Event, Execution, HistoryEvent, Limits, Outcome, Start, Status, TaskId,
    TimerId,
};
use proptest::prelude::*;

/// An execution whose world is a seed: every answer and every delay follows from it.
struct Play {
    definition: Definition,
    execution: Execution,
    dice: Dice,
    now: i64,
    open: Vec<Event>,
    events: Vec<(Event, i64)>,
    rows: Vec<HistoryEvent>,
    effects: Vec<String>,
    finished: usize,
    timers: BTreeSet<TimerId>,
    tasks: BTreeSet<TaskId>,
}

fn start() -> Start {
    let mut start = Start::new("play", r#"{"n": 3, "list": [1, {"a": null}, "x"], "flag": true}"#);
    start.limits = Limits { max_events: 400, ..Limits::default() };
    start.seed = [5; 32];
    start
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let text = machines::definition(&mut dice);
        let definition =
            Definition::parse(&text).unwrap_or_else(|problems| panic!("{}\n{text}", problems[0]));
        let (execution, outcome) = Execution::start(&definition, start()).unwrap();
        let mut play = Self {
            definition,
            execution,
            dice,
            now: 0,
            open: Vec::new(),
            events: Vec::new(),
            rows: Vec::new(),
            effects: Vec::new(),
            finished: 0,
            timers: BTreeSet::new(),
            tasks: BTreeSet::new(),
        };
        play.take(outcome);
        play
    }

    fn take(&mut self, outcome: Outcome) {
        self.rows.extend(outcome.rows);
        for effect in outcome.effects {
            self.effects.push(format!("{effect:?}"));
            match effect {
                Effect::Call(call) => {
                    self.tasks.insert(call.task);
                    let answer = machines::answer(&mut self.dice, &call);
                    self.open.extend(answer);
                }
                Effect::CancelTask { task } => {
                    self.tasks.remove(&task);
                }
                Effect::SetTimer { timer, .. } => {
                    self.timers.insert(timer);
                    self.open.push(Event::TimerFired { timer });
                }
                Effect::CancelTimer { timer } => {
                    assert!(self.timers.remove(&timer), "a timer is cancelled once: {timer:?}");
                }
                Effect::Finished(_) => self.finished += 1,
                other @ (Effect::StartChild { .. }
                | Effect::StopChild { .. }
                | Effect::ReadItems { .. }
                | Effect::WriteResults { .. }) => {
                    self.open.extend(machines::outside(&mut self.dice, &other));
                }
            }
        }
    }

    /// Hands over one of the open events; `false` if there is none.
    fn step(&mut self) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let at = self.dice.below(self.open.len());
        let event = self.open.swap_remove(at);
        if let Event::TimerFired { timer } = &event {
            self.timers.remove(timer);
        }
        self.now += 1 + i64::try_from(self.dice.below(5000)).unwrap();
        self.events.push((event.clone(), self.now));
        let outcome = self.execution.handle(&self.definition, event, self.now);
        self.take(outcome);
        true
    }

    fn run(&mut self) {
        while self.step() {}
    }
}

fn replay(definition: &Definition, events: &[(Event, i64)]) -> (Vec<HistoryEvent>, Vec<String>) {
    let (mut execution, mut outcome) = Execution::start(definition, start()).unwrap();
    let mut rows = Vec::new();
    let mut effects = Vec::new();
    for (event, at) in events {
        rows.append(&mut outcome.rows);
        effects.extend(outcome.effects.iter().map(|effect| format!("{effect:?}")));
        outcome = execution.handle(definition, event.clone(), *at);
    }
    rows.append(&mut outcome.rows);
    effects.extend(outcome.effects.iter().map(|effect| format!("{effect:?}")));
    (rows, effects)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_same_events_give_the_same_history_and_effects(seed in any::<u64>()) {
        let mut play = Play::new(seed);
        play.run();
        let (rows, effects) = replay(&play.definition, &play.events);
        prop_assert_eq!(&rows, &play.rows);
        prop_assert_eq!(&effects, &play.effects);
    }

    #[test]
    fn a_snapshot_taken_anywhere_goes_on_as_if_nothing_had_happened(seed in any::<u64>()) {
        let mut play = Play::new(seed);
        loop {
            let text = serde_json::to_string(&play.execution).unwrap();
            play.execution = serde_json::from_str(&text).unwrap();
            if !play.step() {
                break;
            }
        }
        let (rows, effects) = replay(&play.definition, &play.events);
        prop_assert_eq!(&rows, &play.rows);
        prop_assert_eq!(&effects, &play.effects);
    }

    #[test]
    fn an_event_delivered_twice_changes_nothing_the_second_time(seed in any::<u64>()) {
        let mut play = Play::new(seed);
        while play.step() {
            let (event, at) = play.events.last().unwrap().clone();
            let repeatable = matches!(event, Event::TaskHeartbeat { .. });
            if repeatable {
                continue;
            }
            let before = serde_json::to_string(&play.execution).unwrap();
            let outcome = play.execution.handle(&play.definition, event.clone(), at);
            prop_assert!(outcome.rows.is_empty() && outcome.effects.is_empty(), "{:?}", event);
            prop_assert!(!outcome.changed);
            prop_assert_eq!(before, serde_json::to_string(&play.execution).unwrap());
        }
    }

    #[test]
    fn a_history_is_dense_ordered_and_ends_once(seed in any::<u64>()) {
        let mut play = Play::new(seed);
        play.run();
        for (index, row) in play.rows.iter().enumerate() {
            prop_assert_eq!(row.id, index as u64 + 1);
            prop_assert!(row.previous_event_id < row.id);
        }
        prop_assert_ne!(play.execution.status(), Status::Running);
        prop_assert_eq!(play.finished, 1);
        let ends = ["ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut"];
        let ends = play.rows.iter().filter(|row| ends.contains(&row.kind)).count();
        prop_assert_eq!(ends, 1);
        prop_assert!(play.timers.is_empty(), "timers left: {:?}", play.timers);
    }

    #[test]
    fn a_stopped_execution_stays_stopped(seed in any::<u64>(), after in 0_usize..6) {
        let mut play = Play::new(seed);
        for _ in 0..after {
            play.step();
        }
        if play.execution.status() == Status::Running {
            let stop = Event::Stop { error: Some("Enough".to_owned()), cause: None };
            let outcome = play.execution.handle(&play.definition, stop, play.now);
            play.take(outcome);
            prop_assert_eq!(play.execution.status(), Status::Aborted);
            let rows = play.rows.len();
            play.run();
            prop_assert_eq!(play.rows.len(), rows);
            prop_assert!(play.timers.is_empty());
        }
    }

    #[test]
    fn a_redriven_execution_ends_again(seed in any::<u64>()) {
        let mut play = Play::new(seed);
        play.run();
        let room = play.rows.len() < 300;
        if room && play.execution.status() != Status::Succeeded {
            let outcome = play.execution.handle(&play.definition, Event::Redrive, play.now);
            play.take(outcome);
            play.run();
            prop_assert_ne!(play.execution.status(), Status::Running);
            prop_assert_eq!(play.finished, 2);
            prop_assert_eq!(play.execution.redrive_count(), 1);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = Definition::check(&text);
        let state = format!(
            r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Parameters":{{"x.$":{0}}},"InputPath":{0},"ResultPath":{0},"End":true}}}}}}"#,
            serde_json::Value::String(text)
        );
        let _ = Definition::check(&state);
    }

    #[test]
    fn no_path_or_function_makes_an_execution_panic(
        text in r"(\$|\$\$|States\.[A-Z][a-z]{2,6}\()[a-z0-9.\[\]'*?@()=<>,:$ -]{0,40}"
    ) {
        let definition = format!(
            r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Parameters":{{"x.$":{0}}},"End":true}}}}}}"#,
            serde_json::Value::String(text)
        );
        if let Ok(definition) = Definition::parse(&definition) {
            let _ = Execution::start(&definition, start());
        }
    }
}

#[test]
fn a_template_that_copies_much_data_often_fails_instead_of_filling_the_memory() {
    let fields: Vec<String> = (0..20_000).map(|n| format!(r#""f{n}.$": "$""#)).collect();
    let definition = format!(
        r#"{{"StartAt":"A","States":{{"A":{{"Type":"Pass","Parameters":{{{}}},"End":true}}}}}}"#,
        fields.join(",")
    );
    let definition = Definition::parse(&definition).unwrap();
    let input = format!("\"{}\"", "x".repeat(200_000));
    let (execution, _) = Execution::start(&definition, Start::new("big", &input)).unwrap();
    let error = execution.ending().and_then(|ending| ending.error.clone());
    assert_eq!(error.as_deref(), Some("States.Runtime"));
}

#[test]
fn a_turn_that_writes_very_much_rests_and_goes_on() {
    let definition = r#"{"StartAt":"A","States":{
        "A":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)","big.$":"$.big"},"Next":"B"},
        "B":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericLessThan":200,"Next":"A"}],"Default":"C"},
        "C":{"Type":"Succeed"}}}"#;
    let definition = Definition::parse(definition).unwrap();
    let input = format!(r#"{{"n":0,"big":"{}"}}"#, "x".repeat(200_000));
    let (mut execution, mut outcome) =
        Execution::start(&definition, Start::new("big", &input)).unwrap();
    let mut rests = 0;
    while execution.status() == Status::Running {
        let Some(Effect::SetTimer { timer, .. }) = outcome.effects.pop() else { break };
        rests += 1;
        outcome = execution.handle(&definition, Event::TimerFired { timer }, 0);
    }
    assert_eq!(execution.status(), Status::Succeeded);
    assert!(rests > 1, "{rests}");
}
