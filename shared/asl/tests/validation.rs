//! What is wrong with a definition is said in the words of AWS, as measured there in August and
//! September 2026 with `ValidateStateMachineDefinition`.

use mano_asl::{Definition, Severity};
use serde_json::{Value, json};

/// Code, message and place of every error.
fn errors(definition: &Value) -> Vec<(&'static str, String, Option<String>)> {
    let found = Definition::check(&definition.to_string()).into_iter();
    let errors = found.filter(|one| one.severity == Severity::Error);
    errors.map(|one| (one.code, one.message, one.location)).collect()
}

fn machine(states: &Value) -> Value {
    json!({ "StartAt": states.as_object().and_then(|all| all.keys().next()), "States": states })
}

fn schema(message: &str, at: &str) -> Vec<(&'static str, String, Option<String>)> {
    vec![("SCHEMA_VALIDATION_FAILED", message.to_owned(), Some(at.to_owned()))]
}

fn pass() -> Value {
    json!({ "Type": "Pass", "End": true })
}

/// A state of that kind that is right.
fn state(kind: &str) -> Value {
    let inner = machine(&json!({ "I": pass() }));
    match kind {
        "Task" => {
            json!({ "Type": kind, "Resource": "arn:aws:states:::lambda:invoke", "End": true })
        }
        "Wait" => json!({ "Type": kind, "Seconds": 1, "End": true }),
        "Choice" => json!({ "Type": kind, "Default": "Z",
            "Choices": [{ "Variable": "$.a", "IsPresent": true, "Next": "Z" }] }),
        "Map" => json!({ "Type": kind, "ItemProcessor": inner, "End": true }),
        "Parallel" => json!({ "Type": kind, "Branches": [inner], "End": true }),
        "Pass" => pass(),
        _ => json!({ "Type": kind }),
    }
}

#[test]
fn a_field_of_other_kinds_of_states_is_not_supported() {
    let handled: &[&str] = &["Task", "Parallel", "Map"];
    for (field, value, kinds) in [
        ("TimeoutSeconds", json!(5), &["Task"][..]),
        ("Retry", json!([{ "ErrorEquals": ["E"] }]), handled),
        ("Catch", json!([]), handled),
    ] {
        for kind in ["Pass", "Wait", "Choice", "Succeed", "Fail", "Task", "Parallel", "Map"] {
            let mut state = state(kind);
            state[field] = value.clone();
            let mut states = json!({ "S": state });
            if kind == "Choice" {
                states["Z"] = json!({ "Type": "Succeed" });
            }
            let expected = if kinds.contains(&kind) {
                Vec::new()
            } else {
                schema(&format!("Field '{field}' is not supported"), "/States/S")
            };
            assert_eq!(errors(&machine(&states)), expected, "{field} on {kind}");
        }
    }
}

#[test]
fn a_workflow_has_an_end_and_every_state_a_way_to_it() {
    let to = |next: &str| json!({ "Type": "Pass", "Next": next });
    let endless = || ("MISSING_END_STATE", "Workflow has no terminal state".to_owned(), None);
    let missing =
        |what: &str, at: &str| ("MISSING_TRANSITION_TARGET", what.to_owned(), Some(at.to_owned()));
    let nope = |at| missing("Missing 'Next' target: NOPE", at);
    let round = json!({ "A": to("B"), "B": to("A") });
    assert_eq!(errors(&machine(&round)), [endless()]);
    let mut apart = round;
    apart["C"] = to("A");
    assert_eq!(errors(&machine(&apart)), [endless()]);
    apart["C"] = pass();
    let unreachable = missing("State \"C\" is not reachable.", "/States/C");
    assert_eq!(errors(&machine(&apart)), [unreachable]);
    assert_eq!(errors(&machine(&json!({ "A": to("NOPE") }))), [nope("/States/A/Next"), endless()]);
    let choice = json!({ "Type": "Choice", "Default": "NOPE",
        "Choices": [{ "Variable": "$.a", "IsNull": true, "Next": "NOPE" },
                    { "Variable": "$.a", "IsNull": false, "Next": "Z" }] });
    let found = errors(&machine(&json!({ "C": choice, "Z": pass() })));
    assert_eq!(found, [nope("/States/C/Choices[0]/Next"), nope("/States/C/Default")]);
    // Of the flows inside of it as well; once for all of them.
    let mut parallel = state("Parallel");
    let inner = machine(&json!({ "I": { "Type": "Pass", "Next": "I" } }));
    let other = machine(&json!({ "J": { "Type": "Pass", "Next": "J" } }));
    parallel["Branches"] = json!([inner, other]);
    assert_eq!(errors(&machine(&json!({ "P": parallel }))), [endless()]);
    let mut task = state("Task");
    task["Catch"] = json!([{ "ErrorEquals": ["States.ALL"], "Next": "NOPE" }]);
    assert_eq!(errors(&machine(&json!({ "T": task }))), [nope("/States/T/Catch[0]/Next")]);
}

#[test]
fn an_expression_is_read_before_it_runs() {
    let found = |expression: &str| {
        let code = format!("{{% {expression} %}}");
        let state = json!({ "Type": "Pass", "QueryLanguage": "JSONata", "Output": { "v": code },
            "End": true });
        errors(&machine(&json!({ "E": state })))
    };
    let at = Some("/States/E/Output/v".to_owned());
    for (expression, message) in [
        ("1 +", "Unexpected end of expression"),
        ("$x :=", "Unexpected end of expression"),
        ("a[1,2)", "Expected \"]\", got \",\""),
        ("\"open", "String literal must be terminated by a matching quote"),
        ("{\"a\":}", "The symbol \"}\" cannot be used as a unary operator"),
        ("$match(\"a\", /abc", "No terminating / in regular expression"),
    ] {
        let expected = ("INVALID_JSONATA_EXPRESSION", message.to_owned(), at.clone());
        assert_eq!(found(expression), [expected], "{expression}");
    }
    for expression in ["phone", "phone.number[a]", "$sum(phone)", "{'a': phone}", "1 + -phone"] {
        let message = "Reference to 'phone' at the top level is not supported.".to_owned();
        let expected = ("UNSUPPORTED_JSONATA_EXPRESSION", message, at.clone());
        assert_eq!(found(expression), [expected], "{expression}");
    }
    for expression in
        ["$states.input.phone", "$x[phone = 1].(a + b)", "$x^(phone){a: b}", "'phone'"]
    {
        assert_eq!(found(expression), [], "{expression}");
    }
}

#[test]
fn a_field_of_the_other_language_is_named_with_the_language_it_belongs_to() {
    let other = |set: &str, field: &str, other: &str| {
        format!(
            "The QueryLanguage is set to '{set}', but field '{field}' is only supported for the \
             '{other}' QueryLanguage"
        )
    };
    let mut state = pass();
    state["Output"] = json!(1);
    let expected = schema(&other("JSONPath", "Output", "JSONata"), "/States/S");
    assert_eq!(errors(&machine(&json!({ "S": state }))), expected);
    let batcher = json!({ "MaxItemsPerBatchPath": "$.n" });
    let mut map = state_of_distributed(&batcher);
    map["QueryLanguage"] = json!("JSONata");
    let message = other("JSONata", "MaxItemsPerBatchPath", "JSONPath");
    let expected = schema(&message, "/States/S/ItemBatcher");
    assert_eq!(errors(&machine(&json!({ "S": map }))), expected);
}

fn state_of_distributed(batcher: &Value) -> Value {
    let mut map = state("Map");
    map["ItemProcessor"]["ProcessorConfig"] =
        json!({ "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" });
    map["ItemBatcher"] = batcher.clone();
    map
}

#[test]
fn what_is_inside_of_a_state_inherits_the_language_of_the_machine() {
    let mut map = state("Map");
    map["QueryLanguage"] = json!("JSONata");
    map["ItemProcessor"]["States"]["I"]["Parameters"] = json!({ "a": 1 });
    assert_eq!(errors(&machine(&json!({ "M": map }))), []);
    map["ItemProcessor"]["QueryLanguage"] = json!("JSONPath");
    let expected = schema("Field 'QueryLanguage' is not supported", "/States/M/ItemProcessor");
    assert_eq!(errors(&machine(&json!({ "M": map }))), expected);
}

#[test]
fn the_numbers_of_a_map_have_bounds_and_one_source() {
    let with = |field: &str, value: Value| {
        let mut map = state_of_distributed(&json!({ "MaxItemsPerBatch": 1 }));
        map[field] = value;
        map
    };
    let found = |map: Value| errors(&machine(&json!({ "S": map })));
    let at = |field: &str| format!("/States/S/{field}");
    let least = found(with("MaxConcurrency", json!(-1)));
    assert_eq!(least, schema("Minimum value is 0", &at("MaxConcurrency")));
    let least = found(with("ToleratedFailurePercentage", json!(-1)));
    assert_eq!(least, schema("Minimum value is 0.0", &at("ToleratedFailurePercentage")));
    let most = found(with("ToleratedFailurePercentage", json!(101)));
    assert_eq!(most, schema("Maximum value is 100.0", &at("ToleratedFailurePercentage")));
    let mut both = with("MaxConcurrency", json!(1));
    both["MaxConcurrencyPath"] = json!("$.n");
    let message =
        "There should only be one of the following fields: [MaxConcurrency, MaxConcurrencyPath]";
    assert_eq!(found(both), schema(message, "/States/S"));
    let context = found(with("ToleratedFailureCountPath", json!("$$.Execution.Input.n")));
    assert_eq!(context, schema("Value is not a Reference Path", &at("ToleratedFailureCountPath")));
    assert_eq!(found(with("ItemsPath", json!("$$.Execution.Input.n"))), []);
}
