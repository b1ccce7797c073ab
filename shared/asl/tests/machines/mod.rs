//! Random definitions and random answers, all from one seed.

use mano_asl::{Call, Effect, Ending, Event, Integration, Status, TaskId};
use serde_json::{Map, Value, json};

/// A small generator of numbers (xorshift).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// A definition that is always legal.
pub(crate) fn definition(dice: &mut Dice) -> String {
    let mut count = 0;
    let mut machine = flow(dice, &mut count, 0);
    if dice.chance(20) {
        machine["TimeoutSeconds"] = json!(1 + dice.below(30));
    }
    machine.to_string()
}

fn flow(dice: &mut Dice, count: &mut usize, depth: usize) -> Value {
    let length = 1 + dice.below(4);
    let names: Vec<String> = (0..length)
        .map(|_| {
            *count += 1;
            format!("S{count}")
        })
        .collect();
    let mut states = Map::new();
    for (at, name) in names.iter().enumerate() {
        let mut state = state(dice, count, depth, &names, at);
        match names.get(at + 1) {
            _ if matches!(state["Type"].as_str(), Some("Choice" | "Succeed" | "Fail")) => {}
            Some(next) => state["Next"] = json!(next),
            None => state["End"] = json!(true),
        }
        states.insert(name.clone(), state);
    }
    json!({ "StartAt": names[0], "States": states })
}

const PATHS: [&str; 9] = [
    "$",
    "$.n",
    "$.list",
    "$.list[0]",
    "$.list[*]",
    "$$.Execution.Name",
    "$.flag",
    "$.nothing",
    "$..a",
];

fn state(dice: &mut Dice, count: &mut usize, depth: usize, names: &[String], at: usize) -> Value {
    let last = at + 1 == names.len();
    let kinds: &[&str] = match (last, depth) {
        (true, 2..) => &["Pass", "Task", "Succeed", "Fail", "Wait"],
        (true, _) => &["Pass", "Task", "Succeed", "Fail", "Wait", "Map", "Parallel"],
        (false, 2..) => &["Pass", "Task", "Choice", "Wait", "Pass"],
        (false, _) => &["Pass", "Task", "Choice", "Wait", "Map", "Parallel", "Pass"],
    };
    match dice.pick(kinds) {
        "Pass" => pass(dice),
        "Wait" if dice.chance(50) => json!({ "Type": "Wait", "Seconds": dice.below(9) }),
        "Wait" => json!({ "Type": "Wait", "SecondsPath": "$.n" }),
        "Succeed" => json!({ "Type": "Succeed" }),
        "Fail" => json!({ "Type": "Fail", "Error": dice.pick(&["E1", "E2"]), "Cause": "c" }),
        "Choice" => {
            let back = dice.chance(30) && at > 0;
            let jump = if back { &names[dice.below(at)] } else { &names[at + 1] };
            json!({
                "Type": "Choice",
                "Choices": [
                    { "Variable": "$.flag", "IsPresent": dice.chance(50), "Next": jump },
                    { "Variable": "$", "IsNull": true, "Next": jump },
                ],
                "Default": names[at + 1],
            })
        }
        "Map" => {
            let mut map = json!({
                "Type": "Map",
                "MaxConcurrency": dice.below(3),
                "ItemProcessor": flow(dice, count, depth + 1),
                "ResultPath": dice.pick(&[Some("$.list"), Some("$.other"), None]),
                "ItemsPath": dice.pick(&["$.list", "$.list[*]", "$.list[:2]"]),
            });
            if dice.chance(30) {
                distribute(dice, &mut map);
            }
            if dice.chance(40) {
                map["ItemSelector"] = json!({
                    "list.$": "$.list", "n.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value",
                });
            }
            handlers(dice, &mut map, names, at);
            map
        }
        "Parallel" => {
            let branches: Vec<Value> =
                (0..=dice.below(3)).map(|_| flow(dice, count, depth + 1)).collect();
            let mut parallel = json!({
                "Type": "Parallel", "Branches": branches, "ResultPath": "$.other",
            });
            handlers(dice, &mut parallel, names, at);
            parallel
        }
        _ => task(dice, names, at),
    }
}

/// Makes a Map a distributed one, with a reader and a writer perhaps.
fn distribute(dice: &mut Dice, map: &mut Value) {
    let kind = dice.pick(&["STANDARD", "EXPRESS"]);
    map["ItemProcessor"]["ProcessorConfig"] =
        json!({ "Mode": "DISTRIBUTED", "ExecutionType": kind });
    map["ToleratedFailureCount"] = json!(dice.below(3));
    let object = json!({ "Bucket": "b", "Key.$": "$$.Execution.Name" });
    if dice.chance(30) {
        map["ItemReader"] =
            json!({ "Resource": "arn:aws:states:::s3:getObject", "Parameters": object });
    }
    if dice.chance(30) {
        map["ItemBatcher"] = json!({ "MaxItemsPerBatch": 1 + dice.below(2) });
    }
    if dice.chance(30) {
        map["ResultWriter"] =
            json!({ "Resource": "arn:aws:states:::s3:putObject", "Parameters": object });
    }
}

fn pass(dice: &mut Dice) -> Value {
    if dice.chance(30) {
        return json!({
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Assign": { "v": "{% $uuid() %}", "chance": "{% $random() %}" },
            "Output": {
                "n": 2, "list": "{% [1, 'x'] %}", "flag": true,
                "u": "{% $uuid() %}", "r": "{% $random() %}", "t": "{% $now() %}",
                "in": "{% $exists($states.input.list) %}",
                "who": dice.pick(&["{% $states.context.State.Name %}", "{% $nothing %}", "{% $v %}"]),
            },
        });
    }
    let mut pass = json!({ "Type": "Pass", "ResultPath": dice.pick(&["$", "$.other"]) });
    if dice.chance(50) {
        pass["Parameters"] = json!({
            "n": 2, "list": [1, 2], "flag": true, "x.$": dice.pick(&PATHS),
            "r.$": "States.MathRandom(0, 1000)", "u.$": "States.UUID()",
        });
    } else {
        pass["ResultPath"] = json!("$.other");
    }
    if dice.chance(30) {
        pass["Assign"] = json!({ "v.$": "$", "w": dice.below(5) });
    }
    pass
}

fn task(dice: &mut Dice, names: &[String], at: usize) -> Value {
    let resource = dice.pick(&[
        "arn:aws:states:::lambda:invoke",
        "arn:aws:lambda:us-east-1:1:function:f",
        "arn:aws:states:us-east-1:1:activity:a",
        "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "arn:aws:states:::states:startExecution.sync",
    ]);
    let mut task = json!({ "Type": "Task", "Resource": resource, "ResultPath": "$.other" });
    if dice.chance(60) {
        task["TimeoutSeconds"] = json!(5 + dice.below(9));
        task["HeartbeatSeconds"] = json!(1 + dice.below(4));
    }
    handlers(dice, &mut task, names, at);
    task
}

fn handlers(dice: &mut Dice, state: &mut Value, names: &[String], at: usize) {
    if dice.chance(50) {
        state["Retry"] = json!([
            { "ErrorEquals": ["E1"], "MaxAttempts": dice.below(3), "JitterStrategy": "FULL" },
            { "ErrorEquals": ["States.ALL"], "MaxAttempts": dice.below(2), "BackoffRate": 1.5 },
        ]);
    }
    if dice.chance(50) && at + 1 < names.len() {
        state["Catch"] = json!([
            { "ErrorEquals": ["States.ALL"], "Next": names[at + 1], "ResultPath": "$.error" },
        ]);
    }
}

/// What comes of anything else that was asked for.
pub(crate) fn outside(dice: &mut Dice, effect: &Effect) -> Option<Event> {
    let failed = |task: TaskId| Event::TaskFailed { task, error: None, cause: None };
    match effect {
        Effect::StartChild { child, .. } => {
            let (status, output) = dice.pick(&[
                (Status::Succeeded, Some("{\"n\": 1}")),
                (Status::Succeeded, Some("[2]")),
                (Status::Failed, None),
                (Status::TimedOut, None),
            ]);
            let ending =
                Ending { status, output: output.map(Into::into), error: None, cause: None };
            Some(Event::ChildFinished { child: *child, ending })
        }
        Effect::ReadItems { task, .. } if dice.chance(80) => {
            let content = dice.pick(&["[1, {}, \"x\"]", "[]", "{}"]).to_owned();
            Some(Event::ItemsRead { task: *task, content })
        }
        Effect::WriteResults { task, .. } if dice.chance(80) => {
            Some(Event::ResultsWritten { task: *task })
        }
        Effect::ReadItems { task, .. } | Effect::WriteResults { task, .. } => Some(failed(*task)),
        Effect::Call(_)
        | Effect::CancelTask { .. }
        | Effect::SetTimer { .. }
        | Effect::CancelTimer { .. }
        | Effect::StopChild { .. }
        | Effect::Finished(_) => None,
    }
}

/// What comes of a call, in the order it may be delivered.
pub(crate) fn answer(dice: &mut Dice, call: &Call) -> Vec<Event> {
    let task = call.task;
    let mut events = Vec::new();
    if call.integration == Integration::Activity {
        events.push(Event::TaskStarted { task, worker: None });
    }
    if matches!(call.integration, Integration::Sync | Integration::Callback) {
        events.push(Event::TaskSubmitted { task, output: "{}".to_owned() });
    }
    if call.heartbeat_seconds.is_some() && dice.chance(50) {
        events.push(Event::TaskHeartbeat { task });
    }
    let error = Some(dice.pick(&["E1", "E2"]).to_owned());
    let silent = call.timeout_seconds.is_some() && dice.chance(15);
    match (dice.below(10), call.token.clone()) {
        _ if silent => {}
        (0..=5, Some(token)) => {
            events.push(Event::TokenSucceeded { token, output: "[1, {\"a\": 2}]".to_owned() });
        }
        (0..=5, None) => {
            events.push(Event::TaskSucceeded { task, output: "{\"a\": 1.50}".to_owned() });
        }
        (6, _) => events.push(Event::TaskSucceeded { task, output: "no json".to_owned() }),
        (7, Some(token)) => events.push(Event::TokenFailed { token, error, cause: None }),
        _ => events.push(Event::TaskFailed { task, error, cause: Some("why".to_owned()) }),
    }
    events
}
