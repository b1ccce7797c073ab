//! The queues, against the consumers of the tables.

use super::{FUNCTIONS, alias, logical, resources, template};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn every_queue_is_received_by_the_function_that_consumes_it() {
    let template = template();
    let mut mapped = BTreeSet::new();
    for mapping in resources(&template, "AWS::Lambda::EventSourceMapping").values() {
        let said = &mapping["Properties"];
        assert_eq!(said["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
        let source = said["EventSourceArn"]["Fn::GetAtt"][0].as_str().unwrap();
        if source == "Table" {
            assert_eq!(alias(&said["FunctionName"]), "Relay");
            continue;
        }
        assert!(!said["ScalingConfig"]["MaximumConcurrency"].is_null(), "{source} is not bounded");
        let queue = &template["Resources"][source]["Properties"];
        let dead = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str().unwrap();
        assert_eq!(queue["FifoQueue"], template["Resources"][dead]["Properties"]["FifoQueue"]);
        let name = queue["QueueName"]["Fn::Sub"].as_str().unwrap();
        let name = name.strip_prefix("${AWS::StackName}-").unwrap().trim_end_matches(".fifo");
        let variable = name.to_uppercase().replace('-', "_");
        let given = &template["Globals"]["Function"]["Environment"]["Variables"];
        assert_eq!(given[format!("MANO_QUEUE_{variable}")], json!({ "Ref": source }));
        assert_eq!(given[format!("MANO_DEAD_{variable}")], json!({ "Ref": dead }));
        mapped.insert((alias(&said["FunctionName"]), name.to_owned()));
    }
    let rows = FUNCTIONS.iter().flat_map(|function| {
        function.consumers.iter().map(|row| (logical(function.name), row.queue.to_owned()))
    });
    assert_eq!(mapped, rows.collect());
}

#[test]
fn dead_letters_can_be_shown_and_sent_once_more() {
    let template = template();
    let may = &template["Resources"]["InventoryRole"]["Properties"]["Policies"][0];
    let may = may["PolicyDocument"]["Statement"].as_array().unwrap();
    let allows = |action: &str, queue: &str| {
        let arn = json!({ "Fn::GetAtt": [queue, "Arn"] });
        may.iter().any(|said| {
            let listed = |field: &str, what: &Value| {
                &said[field] == what || said[field].as_array().is_some_and(|all| all.contains(what))
            };
            listed("Action", &json!(action)) && listed("Resource", &arn)
        })
    };
    let given = &template["Globals"]["Function"]["Environment"]["Variables"];
    for row in FUNCTIONS.iter().flat_map(|function| function.consumers) {
        let variable = row.queue.to_uppercase().replace('-', "_");
        let queue = given[format!("MANO_QUEUE_{variable}")]["Ref"].as_str().unwrap();
        let dead = given[format!("MANO_DEAD_{variable}")]["Ref"].as_str().unwrap();
        assert!(allows("sqs:SendMessage", queue), "{queue}");
        for action in ["sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"] {
            assert!(allows(action, dead), "{action} of {dead}");
        }
    }
}

/// Looks, steps and requests share what is reserved: looks that took all of it would be refused by
/// Lambda, and each refusal counts against the message.
#[test]
fn what_goes_on_towards_vims_is_bounded_and_looks_leave_room_for_steps() {
    let template = template();
    let adapters = &template["Resources"]["Adapters"]["Properties"];
    assert_eq!(adapters["ReservedConcurrentExecutions"], json!({ "Ref": "VimConcurrency" }));
    let looks = &template["Resources"]["WatchMessages"]["Properties"]["ScalingConfig"];
    let found = json!({ "Fn::FindInMap": ["Vim", { "Ref": "VimConcurrency" }, "Looks"] });
    assert_eq!(looks["MaximumConcurrency"], found);
    let parameter = &template["Parameters"]["VimConcurrency"];
    let choices = parameter["AllowedValues"].as_array().unwrap();
    assert!(choices.contains(&parameter["Default"]));
    let table = template["Mappings"]["Vim"].as_object().unwrap();
    assert_eq!(table.len(), choices.len());
    for reserved in choices.iter().map(|choice| choice.as_u64().unwrap()) {
        let looks = table[&reserved.to_string()]["Looks"].as_u64().unwrap();
        assert!((2..=reserved / 2).contains(&looks), "{looks} of {reserved}");
    }
}
