//! Families of cases: what each field does with every kind of value, and the words of each fault.
//!
//! The words are AWS's where they are known from recordings; the others are ours.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise and says what it saw")]

use mano_asl::{
    Kind,
    runner::{RunOptions, RunReport, Script, run},
};
use serde_json::{Value, json};

/// A machine of one state called `S`, and a `Z` to go to.
fn machine(mut state: Value) -> Value {
    if !["Choice", "Succeed", "Fail"].contains(&state["Type"].as_str().unwrap()) {
        state["End"] = json!(true);
    }
    let mut states = json!({ "S": state });
    if states.to_string().contains("\"Next\":\"Z\"") {
        states["Z"] = json!({ "Type": "Succeed" });
    }
    json!({ "StartAt": "S", "States": states })
}

fn jsonata(state: Value) -> Value {
    let mut machine = machine(state);
    machine["QueryLanguage"] = json!("JSONata");
    machine
}

fn play(machine: &Value, input: &Value, tasks: &Value, object: &str) -> RunReport {
    let mut script = Script::parse(&tasks.to_string()).unwrap().strict();
    let options = RunOptions {
        tasks: Box::new(|call| script.answer(call)),
        blobs: Box::new(|_| Ok(object.to_owned())),
        ..RunOptions::default()
    };
    run(&machine.to_string(), &input.to_string(), options).unwrap()
}

/// How it ended: the output, or the error and the cause without the words about the state.
fn end(report: &RunReport) -> Value {
    let entered = "An error occurred while executing the state 'S' (entered at the event id #2). ";
    match &report.output {
        Some(output) => serde_json::from_str(output).unwrap(),
        None => {
            let cause = report.cause.clone().unwrap_or_default();
            json!([report.error, cause.strip_prefix(entered).unwrap_or(&cause)])
        }
    }
}

fn ends(machine: &Value, input: Value, expected: &Value) {
    let report = play(machine, &input, &json!([]), "[]");
    assert_eq!(&end(&report), expected, "{machine} on {input}");
}

fn runtime(cause: &str) -> Value {
    json!(["States.Runtime", cause])
}

fn evaluation(cause: &str) -> Value {
    json!(["States.QueryEvaluationError", cause])
}

fn unexpected(source: &str, field: &str, expected: &str, kind: &str, value: &str) -> Value {
    evaluation(&format!(
        "The JSONata expression '{source}' specified for the field '{field}' returned an unexpected \
         result type. Expected '{expected}', but was '{kind}' for value: {value}"
    ))
}

fn inline() -> Value {
    json!({ "StartAt": "P", "States": { "P": { "Type": "Pass", "End": true } } })
}

fn distributed() -> Value {
    let mut processor = inline();
    processor["ProcessorConfig"] = json!({ "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" });
    processor
}

#[test]
fn a_wait_takes_whole_seconds_from_a_path() {
    let wait = machine(json!({ "Type": "Wait", "SecondsPath": "$.s" }));
    for seconds in [0, 1, 3600] {
        ends(&wait, json!({ "s": seconds }), &json!({ "s": seconds }));
    }
    let negative = "The SecondsPath parameter references a negative value: $.s == -1";
    ends(&wait, json!({ "s": -1 }), &runtime(negative));
    for (value, shown) in
        [(json!(1.5), "1.5"), (json!(-1.5), "-1.5"), (json!("1"), "1"), (json!(null), "null")]
    {
        let cause =
            format!("The SecondsPath parameter cannot be parsed as a long value: $.s == {shown}");
        ends(&wait, json!({ "s": value }), &runtime(&cause));
    }
    ends(&wait, json!({}), &runtime("Invalid path '$.s' : No results for path: $['s']"));
}

#[test]
fn a_wait_takes_an_instant_with_an_offset() {
    let path = machine(json!({ "Type": "Wait", "TimestampPath": "$.t" }));
    let expression = jsonata(json!({ "Type": "Wait", "Timestamp": "{% $states.input.t %}" }));
    for good in [
        "2016-12-05T21:29:29Z",
        "2016-12-05T21:29:29.123456789Z",
        "2016-12-05T21:29Z",
        "2016-12-05T21:29:29+01:00",
    ] {
        ends(&path, json!({ "t": good }), &json!({ "t": good }));
        ends(&expression, json!({ "t": good }), &json!({ "t": good }));
    }
    for bad in
        ["2016-12-05 21:29:29Z", "2016-12-05T21:29:29", "2016-12-05T25:29:29Z", "2016-12-05", ""]
    {
        let cause = format!(
            "The TimestampPath parameter does not reference a valid ISO-8601 extended offset \
             date-time format string: $.t == {bad}"
        );
        ends(&path, json!({ "t": bad }), &runtime(&cause));
        let cause = format!(
            "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format \
             string: {bad}"
        );
        ends(&expression, json!({ "t": bad }), &evaluation(&cause));
    }
    let number = unexpected("$states.input.t", "Timestamp", "string", "number", "5");
    ends(&expression, json!({ "t": 5 }), &number);
}

#[test]
fn numbers_at_paths_must_be_numbers_within_their_bounds() {
    for (name, kind, bounds) in [
        ("MaxConcurrency", "integer", "MaxConcurrency cannot be negative."),
        ("ToleratedFailureCount", "integer", "ToleratedFailureCount cannot be negative."),
        (
            "ToleratedFailurePercentage",
            "float",
            "ToleratedFailurePercentage must be between 0 and 100.",
        ),
    ] {
        let mut state =
            json!({ "Type": "Map", "ItemsPath": "$.v", "ItemProcessor": distributed() });
        state[format!("{name}Path")] = json!("$.m");
        let map = machine(state);
        for good in [json!(0), json!(1), json!("1")] {
            ends(&map, json!({ "v": [1, 2], "m": good }), &json!([1, 2]));
        }
        ends(&map, json!({ "v": [1], "m": -1 }), &runtime(bounds));
        for (value, shown) in
            [(json!({}), "{}"), (json!("NoNumber"), "NoNumber"), (json!(null), "null")]
        {
            let cause = format!(
                "The {name}Path field refers to value \"{shown}\" which is not a valid {kind}: $.m"
            );
            ends(&map, json!({ "v": [1], "m": value }), &runtime(&cause));
        }
    }
    let mut state = json!({ "Type": "Map", "ItemsPath": "$.v", "ItemProcessor": distributed() });
    state["ToleratedFailurePercentagePath"] = json!("$.m");
    ends(&machine(state.clone()), json!({ "v": [1], "m": 1.1 }), &json!([1]));
    let bounds = "ToleratedFailurePercentage must be between 0 and 100.";
    ends(&machine(state), json!({ "v": [1], "m": 100.1 }), &runtime(bounds));
}

#[test]
fn the_items_of_a_map_are_a_list() {
    let path = machine(json!({ "Type": "Map", "ItemsPath": "$.v", "ItemProcessor": inline() }));
    ends(&path, json!({ "v": [] }), &json!([]));
    ends(&path, json!({ "v": {"a": 1} }), &runtime("Reference path \"$.v\" must point to array."));
    ends(&path, json!({}), &runtime("Invalid path '$.v' : No results for path: $['v']"));
    let whole = jsonata(json!({ "Type": "Map", "ItemProcessor": inline() }));
    for (input, shown) in [
        (json!(true), "true"),
        (json!(1), "1"),
        (json!(null), "null"),
        (json!("string"), "\"string\""),
        (json!({"foo": "bar"}), "{\"foo\":\"bar\"}"),
    ] {
        let cause = format!("Map state input must be an array but was: {shown}");
        ends(&whole, input.clone(), &evaluation(&cause));
        let literal = jsonata(json!({ "Type": "Map", "Items": input, "ItemProcessor": inline() }));
        ends(&literal, json!({}), &evaluation(&cause));
    }
    for (source, kind, shown) in [
        ("true", "boolean", "true"),
        ("1", "number", "1"),
        ("null", "null", "null"),
        ("'string'", "string", "\"string\""),
        ("{'foo': 'bar'}", "object", "{\"foo\":\"bar\"}"),
    ] {
        let items = format!("{{% {source} %}}");
        let map = jsonata(json!({ "Type": "Map", "Items": items, "ItemProcessor": inline() }));
        ends(&map, json!({}), &unexpected(source, "Items", "array", kind, shown));
    }
}

#[test]
fn an_expression_must_give_something_that_json_has() {
    let output = |source: &str| {
        jsonata(json!({ "Type": "Pass", "Output": { "r": format!("{{% {source} %}}") } }))
    };
    let said = |source: &str, what: &str| {
        evaluation(&format!(
            "The JSONata expression '{source}' specified for the field 'Output/r' {what}"
        ))
    };
    for (source, what) in [
        ("$nope", "returned nothing (undefined)."),
        ("$states.result", "returned nothing (undefined)."),
        ("$states.input.a.b", "returned nothing (undefined)."),
        ("function($x) { $x }", "returned an unsupported result type."),
        ("$string", "returned an unsupported result type."),
        (
            "$eval('1')",
            "threw an error during evaluation. T1006: Attempted to invoke a non-function",
        ),
        ("$error('boom')", "threw an error during evaluation. D3137: boom"),
    ] {
        ends(&output(source), json!({}), &said(source, what));
    }
    for (source, value) in [("null", json!(null)), ("[]", json!([])), ("1 + 1", json!(2))] {
        ends(&output(source), json!({}), &json!({ "r": value }));
    }
}

#[test]
fn a_condition_is_a_boolean_and_a_variable_must_be_there() {
    let when = |condition: &str| {
        jsonata(json!({ "Type": "Choice", "Default": "Z", "Choices":
            [{ "Condition": format!("{{% {condition} %}}"), "Next": "Z" }] }))
    };
    ends(&when("true"), json!({}), &json!({}));
    for (source, kind, shown) in
        [("1", "number", "1"), ("'x'", "string", "\"x\""), ("[true]", "array", "[true]")]
    {
        let field = "Choices[0]/Condition";
        ends(&when(source), json!({}), &unexpected(source, field, "boolean", kind, shown));
    }
    let compared = machine(json!({ "Type": "Choice", "Default": "Z", "Choices":
        [{ "Variable": "$.a", "StringEqualsPath": "$.b", "Next": "Z" }] }));
    let invalid = |path: &str| {
        runtime(&format!(
            "Invalid path '{path}': The choice state's condition path references an invalid value."
        ))
    };
    ends(&compared, json!({ "b": 1 }), &invalid("$.a"));
    ends(&compared, json!({ "a": "x" }), &invalid("$.b"));
    let stuck = machine(json!({ "Type": "Choice", "Choices":
        [{ "Variable": "$.a", "IsPresent": true, "Next": "Z" }] }));
    let cause = "Failed to transition out of the state. The state does not point to a next state.";
    ends(&stuck, json!({}), &runtime(cause));
}

#[test]
fn the_field_of_an_expression_is_named_with_its_place_in_the_state() {
    let nothing = |field: &str| {
        evaluation(&format!(
            "The JSONata expression '$x' specified for the field '{field}' returned nothing \
             (undefined)."
        ))
    };
    let rule = |more: Value| {
        let mut rules = json!([{ "Condition": false, "Next": "Z" }, more]);
        rules[1]["Condition"] = json!(true);
        rules[1]["Next"] = json!("Z");
        jsonata(json!({ "Type": "Choice", "Choices": rules }))
    };
    let code = "{% $x %}";
    let output = rule(json!({ "Output": { "v": [1, code] } }));
    ends(&output, json!({}), &nothing("Choices[1]/Output/v[1]"));
    ends(&rule(json!({ "Assign": { "v": code } })), json!({}), &nothing("Choices[1]/Assign/v"));
    let failing = |catcher: Value| {
        let mut catchers = json!([{ "ErrorEquals": ["X"], "Next": "Z" }, catcher]);
        catchers[1]["ErrorEquals"] = json!(["States.ALL"]);
        catchers[1]["Next"] = json!("Z");
        let task = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {}, "Catch": catchers });
        let outcome = json!([{ "outcome": { "error": "E" } }]);
        end(&play(&jsonata(task), &json!({}), &outcome, ""))
    };
    assert_eq!(failing(json!({ "Output": code })), nothing("Catch[1]/Output"));
    assert_eq!(failing(json!({ "Assign": { "v": code } })), nothing("Catch[1]/Assign/v"));
    let map = json!({ "Type": "Map", "Items": [1], "ItemProcessor": distributed(),
        "ItemBatcher": { "MaxItemsPerBatch": code } });
    ends(&jsonata(map), json!({}), &nothing("ItemBatcher/MaxItemsPerBatch"));
}

#[test]
fn an_item_beyond_the_end_is_null_in_a_template_and_nowhere_else() {
    let list = json!({ "list": [1], "map": {} });
    let pass = |path: &str| machine(json!({ "Type": "Pass", "Parameters": { "v.$": path } }));
    ends(&pass("$.list[0]"), list.clone(), &json!({ "v": 1 }));
    ends(&pass("$.list[1]"), list.clone(), &json!({ "v": null }));
    for path in ["$.list[1].a", "$.none[1]", "$.map[1]", "$.none"] {
        let cause = format!(
            "The JSONPath '{path}' specified for the field 'v.$' could not be found in the input \
             '{list}'"
        );
        ends(&pass(path), list.clone(), &runtime(&cause));
    }
    let picked = machine(json!({ "Type": "Pass", "InputPath": "$.list[1]" }));
    let cause = "Invalid path '$.list[1]' : No results for path: $['list'][1]";
    ends(&picked, list, &runtime(cause));
}

#[test]
fn a_fail_state_says_what_it_was_told_to() {
    let fail = |state: Value| machine(state);
    ends(&fail(json!({ "Type": "Fail" })), json!({}), &json!([null, ""]));
    let paths = fail(
        json!({ "Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}!', $.e)" }),
    );
    ends(&paths, json!({ "e": "E" }), &json!(["E", "E!"]));
    let missing = "The JSONPath '$.e' specified for the field 'ErrorPath' could not be found in the input '{}'";
    ends(&paths, json!({}), &runtime(missing));
    let expression = jsonata(json!({ "Type": "Fail", "Error": "{% $states.input.e %}" }));
    ends(&expression, json!({ "e": "E" }), &json!(["E", ""]));
    let number = unexpected("$states.input.e", "Error", "string", "number", "1");
    ends(&expression, json!({ "e": 1 }), &number);
}

/// A distributed Map that reads an object with this configuration.
fn reader(config: Value) -> Value {
    machine(json!({ "Type": "Map", "ItemProcessor": distributed(), "ItemReader": {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": config,
        "Parameters": { "Bucket": "b", "Key": "k" },
    } }))
}

#[test]
fn a_reader_finds_its_items_in_every_form() {
    let first = json!({ "InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW" });
    let given =
        json!({ "InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"] });
    let mut piped = first.clone();
    piped["CSVDelimiter"] = json!("PIPE");
    let mut limited = first.clone();
    limited["MaxItems"] = json!(1);
    for (config, object, expected) in [
        (first.clone(), "a,b\n1,2\n3\n", json!([{ "a": "1", "b": "2" }, { "a": "3", "b": "" }])),
        (given, "1,2,3\n", json!([{ "x": "1", "y": "2" }])),
        (piped, "a|b\n1|2\n", json!([{ "a": "1", "b": "2" }])),
        (limited, "a\n1\n2\n", json!([{ "a": "1" }])),
        (json!({ "InputType": "JSON", "MaxItems": 2 }), "[1,2,3]", json!([1, 2])),
        (json!({ "InputType": "JSON", "ItemsPointer": "/a/b" }), r#"{"a":{"b":[7]}}"#, json!([7])),
        (json!({ "InputType": "JSONL" }), "1\n{\"a\":2}\n", json!([1, { "a": 2 }])),
        (
            first,
            "a,a\n",
            json!(["States.ItemReaderFailed", "CSV headers cannot contain duplicates."]),
        ),
        (
            json!({ "InputType": "JSON" }),
            "{}",
            json!(["States.ItemReaderFailed", "Attempting to map over non-iterable node."]),
        ),
    ] {
        let report = play(&reader(config.clone()), &json!({}), &json!([]), object);
        assert_eq!(end(&report), expected, "{config} of {object}");
    }
    let limit = reader(json!({ "InputType": "JSON", "MaxItemsPath": "$.m" }));
    for (most, expected) in [
        (json!(0), json!([1, 2, 3])),
        (json!(2), json!([1, 2])),
        (json!(-1), json!(["States.ItemReaderFailed", "field MaxItems must be positive"])),
    ] {
        let report = play(&limit, &json!({ "m": most }), &json!([]), "[1,2,3]");
        assert_eq!(end(&report), expected, "{most}");
    }
}

#[test]
fn items_come_in_batches_that_fit() {
    let batches = |batcher: Value| {
        machine(json!({ "Type": "Map", "ItemsPath": "$.v", "ItemProcessor": distributed(),
            "ItemBatcher": batcher }))
    };
    let input = json!({ "v": ["aaaa", "bbbb", "cccc"], "n": 2, "none": 0 });
    let pairs = json!([{ "Items": ["aaaa", "bbbb"] }, { "Items": ["cccc"] }]);
    for batcher in [
        json!({ "MaxItemsPerBatch": 2 }),
        json!({ "MaxItemsPerBatchPath": "$.n" }),
        json!({ "MaxInputBytesPerBatch": 30 }),
    ] {
        ends(&batches(batcher), input.clone(), &pairs);
    }
    let fixed = batches(json!({ "MaxItemsPerBatch": 3, "BatchInput": { "n.$": "$.n" } }));
    let expected = json!([{ "BatchInput": { "n": 2 }, "Items": ["aaaa", "bbbb", "cccc"] }]);
    ends(&fixed, input.clone(), &expected);
    let none = batches(json!({ "MaxItemsPerBatchPath": "$.none" }));
    ends(&none, input, &runtime("MaxItemsPerBatch must be positive."));
}

#[test]
fn a_writer_shapes_the_results_that_stay() {
    let shaped = |transformation: &str| {
        machine(json!({ "Type": "Map", "ItemProcessor": distributed(),
            "ResultWriter": { "WriterConfig": { "Transformation": transformation } } }))
    };
    let input = json!([1, [2, 3], [[4]]]);
    ends(&shaped("COMPACT"), input.clone(), &input);
    ends(&shaped("FLATTEN"), input, &json!([1, 2, 3, [4]]));
    let report = play(&shaped("NONE"), &json!(["x"]), &json!([]), "");
    let entry = &end(&report)[0];
    for (name, value) in [("Input", "\"x\""), ("Output", "\"x\""), ("Status", "SUCCEEDED")] {
        assert_eq!(entry[name], value, "{entry}");
    }
    assert!(entry["ExecutionArn"].as_str().unwrap().ends_with(entry["Name"].as_str().unwrap()));
}

/// A Task that calls a function.
fn task(more: Value) -> Value {
    let mut state = json!({ "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke" });
    for (name, value) in more.as_object().unwrap() {
        state[name] = value.clone();
    }
    machine(state)
}

#[test]
fn a_fault_is_caught_by_its_names_and_by_no_others() {
    let caught = |names: Value| task(json!({ "Catch": [{ "ErrorEquals": names, "Next": "Z" }] }));
    let failed = |event: &str, error: &str| json!([{ "state": "S", "attempt": 0, "outcome": { "event": event, "error": error, "cause": "why" } }]);
    for (names, event, error, is_caught) in [
        (json!(["States.ALL"]), "TaskFailed", "E", true),
        (json!(["States.TaskFailed"]), "TaskFailed", "E", true),
        (json!(["E"]), "TaskFailed", "E", true),
        (json!(["F"]), "TaskFailed", "E", false),
        (json!(["States.TaskFailed"]), "TaskTimedOut", "States.Timeout", false),
        (json!(["States.Timeout"]), "TaskTimedOut", "States.Timeout", true),
        (json!(["States.ALL"]), "TaskTimedOut", "States.Timeout", true),
        (json!(["States.HeartbeatTimeout"]), "TaskTimedOut", "States.Timeout", false),
        (json!(["States.ALL"]), "TaskFailed", "States.DataLimitExceeded", true),
    ] {
        let report = play(&caught(names.clone()), &json!({}), &failed(event, error), "");
        let expected = match is_caught {
            true => json!({ "Error": error, "Cause": "why" }),
            false => json!([error, "why"]),
        };
        assert_eq!(end(&report), expected, "{names} {event} {error}");
    }
}

#[test]
fn no_one_catches_a_fault_of_the_definition() {
    let path = task(json!({ "ResultSelector": { "x.$": "$.nope" }, "Catch":
        [{ "ErrorEquals": ["States.Runtime"], "Next": "Z" }, { "ErrorEquals": ["States.ALL"], "Next": "Z" }] }));
    let done = json!([{ "state": "S", "attempt": 0, "outcome": { "output": {} } }]);
    let report = play(&path, &json!({}), &done, "");
    let cause =
        "The JSONPath '$.nope' specified for the field 'x.$' could not be found in the input '{}'";
    assert_eq!(end(&report), runtime(cause));
}

#[test]
fn a_heartbeat_that_is_missed_is_known_by_two_names() {
    for name in ["States.HeartbeatTimeout", "States.Timeout"] {
        let silent = task(json!({ "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "HeartbeatSeconds": 5, "TimeoutSeconds": 60,
            "Catch": [{ "ErrorEquals": [name], "Next": "Z" }] }));
        let line = json!([{ "state": "S", "attempt": 0, "submitted": {} }]);
        let report = play(&silent, &json!({}), &line, "");
        assert_eq!(end(&report), json!({ "Error": "States.Timeout", "Cause": "" }), "{name}");
        let kinds: Vec<_> = report.events.iter().map(|row| row.kind).collect();
        assert_eq!(kinds[2..6], ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskTimedOut"]);
        assert_eq!(report.events[5].at_millis - report.events[0].at_millis, 5000);
    }
}

#[test]
fn an_activity_that_does_not_exist_fails_the_execution_before_it_is_scheduled() {
    let arn = "arn:aws:states:us-east-1:1:activity:gone";
    let machine =
        task(json!({ "Resource": arn, "Catch": [{ "ErrorEquals": ["States.ALL"], "Next": "Z" }] }));
    let definition = mano_asl::Definition::parse(&machine.to_string()).unwrap();
    let mut start = mano_asl::Start::new("x", "{}");
    start.absent_activities.push(arn.to_owned());
    let report = mano_asl::runner::run_from(&definition, start, RunOptions::default()).unwrap();
    assert_eq!(end(&report), runtime(&format!("The activity {arn} does not exist.")));
    let kinds: Vec<_> = report.events.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]);
}

#[test]
fn a_script_gives_lines_without_a_state_to_whoever_called_so() {
    let both = json!({ "StartAt": "S", "States": { "S": { "Type": "Parallel", "End": true, "Branches": [
        { "StartAt": "A", "States": { "A": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": { "n": 1 }, "End": true } } },
        { "StartAt": "B", "States": { "B": { "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": { "n": 2 }, "End": true } } } ] } } });
    let lines = json!([
        { "state": null, "input": { "n": 2 }, "outcome": { "output": "two" } },
        { "state": null, "input": { "n": 1 }, "outcome": { "output": "one" } }]);
    assert_eq!(end(&play(&both, &json!({}), &lines, "")), json!(["one", "two"]));
}

#[test]
fn the_row_that_leaves_a_map_run_follows_from_its_start_once_variables_are_used() {
    let row = |assign: Value| {
        let mut state = json!({ "Type": "Map", "ItemProcessor": distributed() });
        if !assign.is_null() {
            state["Assign"] = assign;
        }
        let report = play(&machine(state), &json!([1]), &json!([]), "");
        let left = report.events.iter().find(|row| row.kind == "MapStateExited").unwrap();
        let from = usize::try_from(left.previous_event_id).unwrap();
        report.events[from - 1].kind
    };
    assert_eq!(row(json!(null)), "MapRunSucceeded");
    assert_eq!(row(json!({ "x": 1 })), "MapRunStarted");
}

#[test]
fn express_and_standard_run_the_same_states_alike() {
    let machine = task(json!({ "Retry": [{ "ErrorEquals": ["Busy"] }] }));
    let lines = json!([
        { "state": "S", "attempt": 0, "outcome": { "error": "Busy" } },
        { "state": "S", "attempt": 1, "outcome": { "output": 1 } }]);
    let played = |kind: Kind| {
        let mut script = Script::parse(&lines.to_string()).unwrap();
        let options = RunOptions {
            kind,
            tasks: Box::new(|call| script.answer(call)),
            ..RunOptions::default()
        };
        let report = run(&machine.to_string(), "{}", options).unwrap();
        (report.output, report.events)
    };
    assert_eq!(played(Kind::Express), played(Kind::Standard));
}
