//! Journals of releases: what an earlier engine was told, and every byte it answered. An engine of
//! the same version must answer the same, or executions under way would change their past.
//!
//! The journal of this release is written by `make golden` if it is not there; the journals
//! of releases are never written again.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise and says what it saw")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use mano_asl::{
    Call, Definition, Effect, Ending, Event, Execution, Integration, Outcome, Start, Status,
    TimerId,
};
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// A machine with a bit of everything that must stay the same: variables, chance, waits, retries,
/// branches, iterations, tokens and children.
const MACHINE: &str = include_str!("machines/everything.asl.json");

fn start() -> Start {
    let mut start = Start::new("journal", r#"{"list": [3, 1, 2]}"#);
    start.seed = [42; 32];
    start.at_millis = 1_700_000_000_000;
    start
}

/// What comes back for an effect, and after how many milliseconds.
fn answers(effect: &Effect, calls: &mut usize) -> Vec<(i64, Event)> {
    let child = |output: &str| Ending {
        status: Status::Succeeded,
        output: Some(output.into()),
        error: None,
        cause: None,
    };
    match effect {
        Effect::Call(call) => {
            *calls += 1;
            called(call, *calls)
        }
        Effect::ReadItems { task, .. } => {
            let content = "n,name\n1,one\n2,two\n3,three\n".to_owned();
            vec![(5, Event::ItemsRead { task: *task, content })]
        }
        Effect::WriteResults { task, .. } => vec![(5, Event::ResultsWritten { task: *task })],
        Effect::StartChild { child: id, start } => {
            vec![(9, Event::ChildFinished { child: *id, ending: child(&start.input) })]
        }
        Effect::CancelTask { .. }
        | Effect::SetTimer { .. }
        | Effect::CancelTimer { .. }
        | Effect::StopChild { .. }
        | Effect::Finished(_) => Vec::new(),
    }
}

fn called(call: &Call, count: usize) -> Vec<(i64, Event)> {
    let task = call.task;
    let output = json!({ "call": count }).to_string();
    match call.integration {
        Integration::Callback => vec![
            (1, Event::TaskSubmitted { task, output: "{}".to_owned() }),
            (2000, Event::TokenHeartbeat { token: call.token.clone().unwrap() }),
            (3000, Event::TokenSucceeded { token: call.token.clone().unwrap(), output }),
        ],
        Integration::Activity => vec![
            (1, Event::TaskStarted { task, worker: Some("hand".to_owned()) }),
            (2, Event::TaskHeartbeat { task }),
            (4000, Event::TaskSucceeded { task, output }),
        ],
        Integration::Lambda | Integration::Service | Integration::Sync if count == 1 => {
            let (error, cause) = (Some("Busy".to_owned()), Some("come again".to_owned()));
            vec![(7, Event::TaskFailed { task, error, cause })]
        }
        Integration::Lambda | Integration::Service | Integration::Sync => {
            vec![(7, Event::TaskSucceeded { task, output })]
        }
    }
}

/// One line: what came, and what was answered.
fn line(event: Option<&Event>, at: i64, outcome: &Outcome) -> String {
    let rows: Vec<Value> = outcome.rows.iter().map(|row| row.to_json()).collect();
    json!({ "event": event, "at": at, "rows": rows, "effects": outcome.effects }).to_string()
}

/// Plays the machine to its end: what comes first is told first.
fn record() -> Vec<String> {
    let definition = Definition::parse(MACHINE).unwrap();
    let (mut execution, mut outcome) = Execution::start(&definition, start()).unwrap();
    let head = json!({
        "release": env!("CARGO_PKG_VERSION"),
        "engine": execution.engine_version(),
        "definition": MACHINE,
        "start": start(),
    });
    let mut now = start().at_millis;
    let mut lines = vec![head.to_string(), line(None, now, &outcome)];
    let mut open: Vec<(i64, usize, Event)> = Vec::new();
    let (mut order, mut calls) = (0, 0);
    let mut gone: BTreeSet<TimerId> = BTreeSet::new();
    loop {
        for effect in &outcome.effects {
            if let Effect::SetTimer { timer, at_millis } = effect {
                order += 1;
                open.push((*at_millis, order, Event::TimerFired { timer: *timer }));
            }
            if let Effect::CancelTimer { timer } = effect {
                gone.insert(*timer);
            }
            for (delay, event) in answers(effect, &mut calls) {
                order += 1;
                open.push((now + delay, order, event));
            }
        }
        open.retain(
            |(_, _, event)| !matches!(event, Event::TimerFired { timer } if gone.contains(timer)),
        );
        let Some(next) = (0..open.len()).min_by_key(|at| (open[*at].0, open[*at].1)) else { break };
        let (at, _, event) = open.remove(next);
        now = at;
        outcome = execution.handle(&definition, event.clone(), now);
        lines.push(line(Some(&event), now, &outcome));
    }
    assert_eq!(execution.status(), Status::Succeeded, "{:?}", execution.ending());
    lines
}

/// A journal, read.
struct Journal {
    definition: Definition,
    start: Start,
    engine: u64,
    lines: Vec<String>,
}

fn read(text: &str) -> Journal {
    let mut lines = text.lines().map(ToOwned::to_owned);
    let head: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    Journal {
        definition: Definition::parse(head["definition"].as_str().unwrap()).unwrap(),
        start: serde_json::from_value(head["start"].clone()).unwrap(),
        engine: head["engine"].as_u64().unwrap(),
        lines: lines.collect(),
    }
}

impl Journal {
    fn event(&self, at: usize) -> (Event, i64) {
        let line: Value = serde_json::from_str(&self.lines[at]).unwrap();
        (serde_json::from_value(line["event"].clone()).unwrap(), line["at"].as_i64().unwrap())
    }

    /// The execution after so many lines, from the journal alone; every byte is compared on the way.
    fn replay(&self, lines: usize) -> Execution {
        let (mut execution, outcome) =
            Execution::start(&self.definition, self.start.clone()).unwrap();
        assert_eq!(line(None, self.start.at_millis, &outcome), self.lines[0]);
        for at in 1..lines {
            let (event, now) = self.event(at);
            let outcome = execution.handle(&self.definition, event.clone(), now);
            assert_eq!(line(Some(&event), now, &outcome), self.lines[at], "line {at}");
        }
        execution
    }
}

fn journals() -> Vec<(PathBuf, Journal)> {
    let own = folder().join(concat!("journal-", env!("CARGO_PKG_VERSION"), ".jsonl"));
    let write = std::env::var_os("MANO_GOLDEN").is_some();
    if write && !own.exists() {
        fs::write(&own, record().join("\n") + "\n").unwrap();
    }
    assert!(own.exists(), "{} is missing: write it with make golden", own.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
    files.sort();
    files.into_iter().map(|file| (file.clone(), read(&fs::read_to_string(file).unwrap()))).collect()
}

#[test]
fn journals_of_releases_replay_to_the_byte() {
    for (file, journal) in journals() {
        let execution = journal.replay(journal.lines.len());
        assert_eq!(u64::from(execution.engine_version()), journal.engine, "{}", file.display());
        assert_ne!(execution.status(), Status::Running, "{}", file.display());
    }
}

#[test]
fn a_crash_after_any_line_changes_nothing() {
    for (_, journal) in journals() {
        for cut in 1..journal.lines.len() {
            // From the journal, and from a snapshot of it.
            let text = serde_json::to_string(&journal.replay(cut)).unwrap();
            let mut execution: Execution = serde_json::from_str(&text).unwrap();
            for at in cut..journal.lines.len() {
                let (event, now) = journal.event(at);
                let outcome = execution.handle(&journal.definition, event.clone(), now);
                assert_eq!(line(Some(&event), now, &outcome), journal.lines[at], "{cut}, {at}");
            }
        }
    }
}

#[test]
fn what_was_told_once_may_be_told_again_at_any_later_time() {
    for (_, journal) in journals() {
        let mut execution = journal.replay(1);
        let mut told = Vec::new();
        for at in 1..journal.lines.len() {
            let (event, now) = journal.event(at);
            execution.handle(&journal.definition, event.clone(), now);
            // A sign of life may come as often as it likes.
            if !matches!(event, Event::TaskHeartbeat { .. } | Event::TokenHeartbeat { .. }) {
                told.push(event);
            }
            let before = serde_json::to_string(&execution).unwrap();
            for event in &told {
                let outcome = execution.handle(&journal.definition, event.clone(), now);
                assert!(!outcome.changed && outcome.rows.is_empty(), "{event:?}");
            }
            assert_eq!(serde_json::to_string(&execution).unwrap(), before);
        }
    }
}
