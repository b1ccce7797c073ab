//! A thousand network functions of a service, or resources of one of them: what an execution takes
//! of the limits of Step Functions, whatever becomes of them.

use crate::{golden, wiring, workflows::transitions};
use mano_asl::{
    Call, Details, HistoryEvent, Stage, Status,
    runner::{Answer, RunOptions, TaskEnd, run},
};
use mano_model::bound;
use serde_json::{Value, json};
use std::{cell::Cell, collections::BTreeMap, fmt::Write};

/// Most events of an execution.
const MOST_EVENTS: usize = 25_000;
/// Largest input, output or result, in bytes of UTF-8.
const LARGEST: usize = 262_144;
/// Longest cause, in bytes.
const LONGEST_CAUSE: usize = 32_768;

/// What becomes of how many.
#[derive(Clone, Copy)]
struct Case {
    /// Network functions of a service, or resources of a network function, links among them.
    count: usize,
    /// Links: a service's own, beside its network functions.
    links: usize,
    /// The first call of every task meets a Lambda that has no room.
    throttled: bool,
    fails: bool,
    /// Each network function in a stage of its own.
    one_by_one: bool,
}

const DONE: Case = Case {
    count: bound::MOST,
    links: bound::LINKS,
    throttled: false,
    fails: false,
    one_by_one: false,
};
const FAILED: Case = Case { fails: true, ..DONE };

/// What an execution took.
#[derive(Default)]
struct Taken {
    events: usize,
    transitions: usize,
    largest: usize,
    cause: String,
}

/// Names as long as one finds them.
fn names(what: &str, count: usize) -> Vec<String> {
    let stem = "subscriber-data-management-of-the-northern-region";
    (1..=count).map(|n| format!("{stem}-{what}-{n}")).collect()
}

/// What the steps that list the work answer.
fn listed(step: &str, case: Case) -> Value {
    let (members, links) = (names("vnf", case.count), names("link", case.links));
    let stages: Vec<&[String]> =
        if case.one_by_one { members.chunks(1).collect() } else { vec![&members] };
    let rest = case.count.saturating_sub(case.links) / 2;
    let (storages, computes) = (names("disk", rest), names("unit", rest));
    match step {
        "ns.grant" | "ns.undo" => {
            json!({ "networks": links, "oldNetworks": links, "stages": stages })
        }
        "vnf.grant" | "vnf.undo" => json!({
            "networks": links, "storages": storages, "computes": computes,
            "oldNetworks": links, "oldStorages": storages, "oldComputes": computes,
        }),
        _ => json!({}),
    }
}

/// Longer than is kept, of characters that take more than a byte: of many, every kind of them, of
/// few the one that takes most.
fn reason(name: &str, case: Case) -> String {
    let many = "the VIM said: \"größer\"\nC:\\vim\t電信 \u{1F4F5}\u{1}; ".repeat(30);
    let said = if case.count > 100 { many } else { "\u{1}".repeat(7000) };
    format!("{name} is FAILED_TEMP: {said}")
}

fn answer(call: &Call, case: Case, of_members: &str) -> Answer {
    let payload = &call.arguments.value()["Payload"];
    let step = payload["step"].as_str().unwrap();
    let throttled = case.throttled && call.attempt == 0;
    let end = if throttled {
        let (error, cause) = ("Lambda.TooManyRequestsException", "Rate Exceeded.");
        let (error, cause) = (Some(error.into()), Some(cause.into()));
        TaskEnd::Broke { stage: Stage::Submit, error, cause }
    } else if case.fails && step.starts_with(of_members) {
        let name = payload["item"].as_str().or_else(|| payload["resource"].as_str());
        let (error, cause) = ("Mano.Refused".into(), reason(name.unwrap(), case));
        TaskEnd::Failed { error: Some(error), cause: Some(cause) }
    } else if call.token.is_some() {
        TaskEnd::Succeeded("{}".into())
    } else {
        let answer = json!({ "Payload": listed(step, case), "StatusCode": 200 });
        TaskEnd::Succeeded(answer.to_string())
    };
    let submitted = (call.token.is_some() && !throttled).then(|| json!({ "StatusCode": 200 }));
    let submitted = submitted.map(|answer| answer.to_string());
    Answer { end: Some(end), submitted, ..Answer::default() }
}

/// Runs a workflow in a case; everything it read and wrote was within the limits.
fn taken(name: &str, mode: &str, case: Case) -> Taken {
    let told = format!("{name} {mode}, {}, failed: {}", case.count, case.fails);
    let definition = wiring::workflows().remove(name).unwrap().to_string();
    let input = json!({ "tenant": "default", "op": "op-1", "run": 0, "mode": mode });
    let of_members = if name.starts_with("ns-") { "ns.vnf" } else { "vim." };
    let closing = Cell::new(None);
    let options = RunOptions {
        tasks: Box::new(|call| {
            if let Some(cause) = call.arguments.value()["Payload"]["cause"].as_str() {
                closing.set(Some(cause.to_owned()));
            }
            answer(call, case, of_members)
        }),
        ..RunOptions::default()
    };
    let report = run(&definition, &input.to_string(), options).unwrap();
    let why = (&report.error, &report.cause);
    assert_eq!(report.status, Status::Succeeded, "{told}: {why:?}");
    let cause = closing.into_inner();
    assert_eq!(cause.is_some(), case.fails, "{told}: a failure, and only it, has a cause");
    let taken = Taken {
        events: report.events.len(),
        transitions: transitions(report.events.iter().map(|event| event.kind)),
        largest: largest(&report.events),
        cause: cause.unwrap_or_default(),
    };
    assert!(taken.events <= MOST_EVENTS, "{told}: {} events", taken.events);
    assert!(taken.largest <= LARGEST, "{told}: {} bytes", taken.largest);
    assert!(taken.cause.len() <= LONGEST_CAUSE, "{told}: a cause of {} bytes", taken.cause.len());
    taken
}

/// The largest text, in bytes: of the events, and of the results of Maps, which are written down
/// only where they are the states' outputs as well.
fn largest(events: &[HistoryEvent]) -> usize {
    let mut results = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == "MapIterationSucceeded") {
        let last = &events[usize::try_from(event.previous_event_id).unwrap() - 1];
        let (Details::Iteration { name, .. }, Details::Exited { output, .. }) =
            (&event.details, &last.details)
        else {
            panic!("{last:?} before {event:?}")
        };
        *results.entry(name).or_insert(1) += output.len() + 1;
    }
    events.iter().map(|event| bytes(&event.details)).chain(results.into_values()).max().unwrap()
}

/// How large what went in or came out is.
fn bytes(details: &Details) -> usize {
    if let Details::ExecutionStarted { input: text, .. }
    | Details::Entered { input: text, .. }
    | Details::Exited { output: text, .. }
    | Details::Output { output: text }
    | Details::Scheduled { input: text, .. }
    | Details::TaskScheduled { parameters: text, .. }
    | Details::Task { output: Some(text), .. } = details
    {
        return text.len();
    }
    0
}

/// Every workflow on operations, with each of its modes.
fn all() -> Vec<(String, &'static str)> {
    let names = wiring::workflows().into_keys();
    let names = names.filter(|name| name.starts_with("ns-") || name.starts_with("vnf-"));
    names
        .flat_map(|name| {
            let undoable = name.ends_with("instantiate") || name.ends_with("scale");
            let modes = ["FORWARD", "UNDO"].into_iter().take(1 + usize::from(undoable));
            modes.map(move |mode| (name.clone(), mode))
        })
        .collect()
}

#[test]
fn a_thousand_of_them_stay_within_the_limits_of_an_execution() {
    let mut told = String::from(
        "# A thousand of them\n\n\
         Counted by `tests/thousand.rs`: events of one execution for a service of 1,000 network functions and\n\
         100 links of its own, or for a network function of 1,000 resources. What is replaced counts twice.\n\
         Step Functions ends an execution at 25,000 events, and takes 262,144 bytes of input or output and\n\
         32,768 of a cause.\n\n\
         Nothing may be larger, so that every operation on it fits: on-boarding refuses a level that is (`N02`),\n\
         and an operation that would make it so is refused when it is asked for. Links of a service beyond 100\n\
         take the place of network functions. What is to go counts until it is gone: to exchange more than half\n\
         of a large service, scale in, then out. While a network function heals, it may have twice as many\n\
         resources. TERMINATE is never refused for its size.\n\n\
         Throttled: the first call of every task meets a Lambda that has no room. Failed: every network\n\
         function fails; of resources the first that fails ends the run. One by one: each network function\n\
         waits for the one before. The last column: how often every call may be throttled in a run that is\n\
         done; one that is throttled more often, for minutes on end, ends FAILED by itself, its operation\n\
         becomes FAILED_TEMP and can be retried.\n\n\
         | workflow | done | throttled | failed | throttled, failed | one by one, throttled \
         | transitions, done | largest text | longest cause | throttles it bears |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut most = (0, 0);
    for (name, mode) in all() {
        let done = taken(&name, mode, DONE);
        let throttled = taken(&name, mode, Case { throttled: true, ..DONE });
        let failed = taken(&name, mode, FAILED);
        let both = taken(&name, mode, Case { throttled: true, ..FAILED });
        let staged = Case { throttled: true, one_by_one: true, ..DONE };
        let staged = name.starts_with("ns-").then(|| taken(&name, mode, staged));
        let bears = (MOST_EVENTS - done.events) / (throttled.events - done.events);
        let shown = staged.as_ref().map_or("-".into(), |staged| staged.events.to_string());
        let of_all = [&done, &throttled, &failed, &both].into_iter().chain(&staged);
        let (events, largest) =
            of_all.fold((0, 0), |(e, l), t| (t.events.max(e), t.largest.max(l)));
        most = (events.max(most.0), largest.max(most.1));
        writeln!(
            told,
            "| {name} {mode} | {} | {} | {} | {} | {shown} | {} | {largest} | {} | {bears} |",
            done.events,
            throttled.events,
            failed.events,
            both.events,
            done.transitions,
            failed.cause.len(),
        )
        .unwrap();
    }
    golden::agrees("docs/limits.md", &told);
    let said = format!("{} events and {} bytes", most.0, most.1);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/aws.md");
    assert!(std::fs::read_to_string(file).unwrap().contains(&said), "docs/aws.md: {said}");
}

#[test]
fn the_most_links_and_what_a_heal_leaves_stay_within_them_too() {
    for (name, mode) in all() {
        let throttled = Case { throttled: true, ..DONE };
        if name.starts_with("ns-") {
            let links = bound::LINKS + bound::MOST - 1;
            taken(&name, mode, Case { count: 1, links, ..throttled });
        } else if name == "vnf-terminate" {
            taken(&name, mode, Case { count: 2 * bound::MOST, ..throttled });
        }
    }
}

#[test]
fn however_many_fail_the_first_causes_are_told() {
    for (name, mode) in all().into_iter().filter(|(name, _)| name.starts_with("ns-")) {
        for count in [1, 5, 6, 40, 41, 50] {
            tells_the_first_causes(&name, mode, count);
        }
    }
    tells_the_first_causes("ns-scale", "FORWARD", 2000);
}

fn tells_the_first_causes(name: &str, mode: &str, count: usize) {
    let cause = taken(name, mode, Case { count, ..FAILED }).cause;
    let told = format!("{name} {mode}, {count}: {cause}");
    let first = names("vnf", 1).remove(0);
    assert!(cause.starts_with(&first), "{told}");
    assert_eq!(cause.matches(&first[..20]).count(), count.min(5), "{told}");
    let others = count.saturating_sub(5);
    assert_eq!(cause.ends_with(&format!("; and {others} more")), others > 0, "{told}");
}
