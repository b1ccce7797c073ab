//! Who may do what: the policies of queues, keys, topics and the bus, and the names rights are bound to.

use super::{logical, resources, template};
use crate::{
    journeys::{onboard_ns, onboard_vnf, packed},
    world::{
        World,
        stock::{PAIR, SMALL},
    },
};
use mano_model::{plan::Kind, vim::Vim};
use mano_ports::{function::Function, store::Query};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One or many.
fn listed(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// Every text below a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The statements of a resource that has one policy.
fn statements(template: &Value, resource: &str) -> Vec<Value> {
    let said = &template["Resources"][resource]["Properties"];
    let inline = &said["Policies"][0]["PolicyDocument"];
    let policies = [inline, &said["PolicyDocument"], &said["KeyPolicy"]];
    let found = policies.into_iter().find(|policy| policy.is_object()).unwrap();
    found["Statement"].as_array().unwrap().clone()
}

#[test]
fn rules_may_put_into_the_queues_they_name_and_no_other_rule_may() {
    let template = template();
    let statements = statements(&template, "RuleQueuePolicy");
    let lets_in = statements.iter().find(|said| said["Effect"] == "Allow").unwrap();
    let queues = listed(&lets_in["Resource"]);
    let trusted = listed(&lets_in["Condition"]["ArnEquals"]["aws:SourceArn"]);
    let mut sending = Vec::new();
    for (name, rule) in resources(&template, "AWS::Events::Rule") {
        let targets = rule["Properties"]["Targets"].as_array().unwrap();
        let named = targets.iter().flat_map(|to| [&to["Arn"], &to["DeadLetterConfig"]["Arn"]]);
        let named: Vec<&Value> = named
            .filter(|arn| {
                let to = arn["Fn::GetAtt"][0].as_str();
                to.is_some_and(|to| template["Resources"][to]["Type"] == "AWS::SQS::Queue")
            })
            .collect();
        for queue in &named {
            assert!(queues.contains(queue), "no rule may put into {queue}");
        }
        if !named.is_empty() {
            sending.push(json!({ "Fn::GetAtt": [name, "Arn"] }));
        }
    }
    let names = |arns: &[Value]| arns.iter().map(Value::to_string).collect::<BTreeSet<_>>();
    assert_eq!(names(&trusted), names(&sending));
}

/// A stack's name holds letters, digits and hyphens: with one of these after it, `mano` would take
/// what belongs to `mano-test` for its own.
#[test]
fn workflows_of_another_stack_are_not_taken_for_this_ones() {
    let template = template();
    let arns: Vec<&str> = texts(&template)
        .into_iter()
        .filter(|text| text.contains(":stateMachine:") || text.contains(":execution:"))
        .collect();
    assert!(!arns.is_empty());
    for arn in arns {
        assert!(arn.contains(":${AWS::StackName}_"), "{arn}");
    }
    let given = &template["Globals"]["Function"]["Environment"]["Variables"];
    let prefix = given["MANO_STATE_MACHINE_PREFIX"]["Fn::Sub"].as_str().unwrap();
    assert!(prefix.ends_with(":stateMachine:${AWS::StackName}_"), "{prefix}");
}

/// EventBridge does not say for whom it publishes to an encrypted topic.
#[test]
fn events_reach_the_encrypted_topic_without_an_account_in_the_way() {
    let template = template();
    for (resource, action) in [("Key", "kms:GenerateDataKey"), ("OperatorsPolicy", "sns:Publish")] {
        let lets = |service: &str| {
            let all = statements(&template, resource);
            let named = all.into_iter().filter(|said| {
                said["Effect"] == "Allow"
                    && listed(&said["Principal"]["Service"]).contains(&json!(service))
            });
            let named: Vec<Value> = named.collect();
            assert_eq!(named.len(), 1, "{resource} on {service}");
            assert!(listed(&named[0]["Action"]).contains(&json!(action)), "{resource}");
            named[0].clone()
        };
        assert!(lets("events.amazonaws.com")["Condition"].is_null(), "{resource}");
        let account = &lets("cloudwatch.amazonaws.com")["Condition"]["StringEquals"];
        assert_eq!(account["aws:SourceAccount"], json!({ "Ref": "AWS::AccountId" }), "{resource}");
    }
}

#[test]
fn the_relay_may_do_what_its_mapping_and_its_sweep_ask_for() {
    let template = template();
    let may: Vec<Value> = statements(&template, "RelayRole")
        .iter()
        .flat_map(|statement| listed(&statement["Action"]))
        .collect();
    for action in ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"] {
        assert!(may.contains(&json!(format!("dynamodb:{action}"))), "{action}");
    }
    assert!(may.contains(&json!("states:ListStateMachines")));
    let listing = statements(&template, "RelayRole")
        .into_iter()
        .find(|said| listed(&said["Action"]).contains(&json!("states:ListExecutions")));
    let machines = listed(&listing.expect("the sweep lists runs")["Resource"]);
    assert_eq!(machines.len(), resources(&template, "AWS::Serverless::StateMachine").len());
}

/// Others ask; only the relay of this account says what happened.
#[test]
fn other_accounts_may_ask_and_may_not_speak_for_this_one() {
    let template = template();
    let policy = &template["Resources"]["BusPolicy"];
    assert_eq!(policy["Condition"], "HasSenders");
    let said = &policy["Properties"]["Statement"];
    assert_eq!(said["Effect"], "Allow");
    assert_eq!(said["Principal"], json!({ "AWS": { "Ref": "SenderAccounts" } }));
    assert_eq!(said["Action"], "events:PutEvents");
    // A source may be many values, of which none may be ours; without any, nothing is let in.
    let expected = json!({
        "StringLike": { "events:detail-type": "mano.request.*" },
        "ForAllValues:StringNotEquals": { "events:source": "mano" },
        "Null": { "events:source": "false" },
    });
    assert_eq!(said["Condition"], expected);
}

/// The beginnings of keys that a function must be let write after what it did in this world, all
/// by itself.
async fn written(world: &World, function: &Function) -> BTreeSet<String> {
    // Every plan leaves a row, facts and the counter of these; who takes messages counts tries.
    let mut names = vec!["plan", "fact", "spoken"];
    if !function.consumers.is_empty() {
        names.push("tries");
    }
    for kind in Kind::ALL {
        let one = Query { kind: *kind, ..Query::all::<Vim>(&World::tenant()).limit(1) };
        if !world.host.cx().store.page(&one).await.unwrap().documents.is_empty() {
            names.push(kind.as_str());
        }
    }
    names.into_iter().map(|name| format!("{name}#*")).collect()
}

/// The beginnings of keys that a function's role is bound to.
fn bound_to(function: &Function) -> BTreeSet<String> {
    let role = format!("{}Role", logical(function.name));
    let writes = statements(&template(), &role);
    let writes = writes.iter().filter(|said| said["Action"].to_string().contains("UpdateItem"));
    let keys = writes.flat_map(|said| {
        listed(&said["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
    });
    keys.map(|key| key.as_str().expect("every write is bound").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalogue_and_the_inventory_may_write_what_they_write_and_nothing_else() {
    let world = World::new().await;
    world.add_vim("vim-a", &[("zone-1", 64)]).await;
    let inventory = &mano_inventory::FUNCTION;
    assert_eq!(bound_to(inventory), written(&world, inventory).await);
    world.stop().await;
    let mut world = World::new().await;
    onboard_vnf(&mut world, packed(SMALL)).await;
    onboard_ns(&mut world, packed(PAIR)).await;
    let catalog = &mano_catalog::FUNCTION;
    assert_eq!(bound_to(catalog), written(&world, catalog).await);
    world.stop().await;
}
