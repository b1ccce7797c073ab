//! What the SAM template deploys, against the tables, the workflows and the embedded mode.

use super::{FUNCTIONS, states, workflows};
use crate::{golden, schema};
use mano_model::plan::Index;
use mano_ports::function::{Function, OnEvent};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The template; intrinsic functions stand in their long form.
fn template() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/sam/template.yaml");
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The resources of a type, by logical name.
fn resources(template: &Value, kind: &str) -> BTreeMap<String, Value> {
    let all = template["Resources"].as_object().unwrap();
    let of_kind = all.iter().filter(|(_, resource)| resource["Type"] == kind);
    of_kind.map(|(name, resource)| (name.clone(), resource.clone())).collect()
}

/// The table of the function that is deployed under a logical name.
fn table(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| logical(function.name) == name).copied()
}

/// `service-management` is the resource `ServiceManagement`.
fn logical(name: &str) -> String {
    let words = name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect()
}

/// The function whose alias something refers to.
fn alias(target: &Value) -> String {
    let name = target["Ref"].as_str().unwrap_or_else(|| panic!("{target} is no alias"));
    name.strip_suffix("Live").unwrap_or_else(|| panic!("{name} is no alias")).to_owned()
}

/// Where API Gateway sends a path: per segment what is written out wins over `{name}`, and that
/// over `{proxy+}`; there is no way back.
fn routed(paths: &Map<String, Value>, asked: &str) -> Option<String> {
    let mut at = String::new();
    let nodes: BTreeSet<String> = paths.keys().flat_map(|path| prefixes(path)).collect();
    let segments: Vec<&str> = asked.trim_start_matches('/').split('/').collect();
    for segment in &segments {
        let written = format!("{at}/{segment}");
        let child = |node: &&String| {
            let rest = node.strip_prefix(&at).and_then(|rest| rest.strip_prefix("/{"));
            rest.is_some_and(|rest| !rest.contains('/'))
        };
        let variable = nodes.iter().find(|node| child(node) && !node.ends_with("+}"));
        let greedy = nodes.iter().find(|node| child(node) && node.ends_with("+}"));
        at = match (nodes.contains(&written), variable, greedy) {
            (true, ..) => written,
            (false, Some(variable), _) => variable.clone(),
            (false, None, Some(greedy)) => {
                at = greedy.clone();
                break;
            }
            (false, None, None) => return None,
        };
    }
    let method = &paths.get(&at)?["x-amazon-apigateway-any-method"];
    let uri = method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].as_str().unwrap();
    let name = uri.rsplit("functions/${").next().unwrap().split("Live}").next().unwrap();
    Some(name.to_owned())
}

/// `/a/b` has the nodes `/a` and `/a/b`.
fn prefixes(path: &str) -> Vec<String> {
    let mut at = String::new();
    let segments = path.trim_start_matches('/').split('/');
    segments
        .map(|segment| {
            at = format!("{at}/{segment}");
            at.clone()
        })
        .collect()
}

fn paths(template: &Value) -> Map<String, Value> {
    let body = &template["Resources"]["Api"]["Properties"]["DefinitionBody"];
    body["paths"].as_object().unwrap().clone()
}

/// A path as a client asks it.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        rest if rest.starts_with("{*") => "a/b.txt",
        one if one.starts_with('{') => "some-id",
        written => written,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_goes_to_the_function_that_has_it() {
    let paths = paths(&template());
    for function in FUNCTIONS {
        for route in function.routes {
            let to = routed(&paths, &filled(route.path));
            assert_eq!(to, Some(logical(function.name)), "{} {}", route.method, route.path);
        }
    }
}

#[test]
fn whatever_else_is_asked_of_an_interface_reaches_a_function() {
    let paths = paths(&template());
    let apis: BTreeSet<&str> = FUNCTIONS
        .iter()
        .flat_map(|function| function.routes)
        .map(|route| route.path.split('/').nth(1).unwrap())
        .collect();
    for api in apis {
        for rest in ["api_versions", "v1", "v2", "v9", "v1/x", "v2/x", "v2/x/y/z", "v9/x/y"] {
            let path = format!("/{api}/{rest}");
            assert!(routed(&paths, &path).is_some(), "nobody answers {path}");
        }
    }
    for route in FUNCTIONS.iter().flat_map(|function| function.routes) {
        for prefix in prefixes(&filled(route.path)).split_off(1) {
            assert!(routed(&paths, &prefix).is_some(), "nobody answers {prefix}");
            let below = format!("{prefix}/nothing/here");
            assert!(routed(&paths, &below).is_some(), "nobody answers {below}");
        }
    }
}

#[test]
fn no_door_is_open() {
    let template = template();
    let auth = &template["Parameters"]["Auth"];
    assert_eq!((&auth["Default"], &auth["AllowedValues"]), (&json!("IAM"), &json!(["IAM", "JWT"])));
    assert_eq!(
        template["Conditions"]["ByIam"],
        json!({ "Fn::Equals": [{ "Ref": "Auth" }, "IAM"] })
    );
    for (path, methods) in paths(&template) {
        for (method, said) in methods.as_object().unwrap() {
            let by_iam = json!({ "Fn::If": ["ByIam", [{ "sigv4": [] }], []] });
            assert_eq!(said["security"], by_iam, "{method} {path}");
            assert_eq!(said, &methods["x-amazon-apigateway-any-method"], "{method} {path}");
        }
    }
    // Without IAM it is the function that looks at tokens, and that needs both of these.
    let rule = &template["Rules"]["JwtNamesIssuerAndAudience"];
    assert_eq!(rule["RuleCondition"], json!({ "Fn::Equals": [{ "Ref": "Auth" }, "JWT"] }));
    let refused = rule["Assertions"].to_string();
    assert!(refused.contains("JwtIssuer") && refused.contains("JwtAudience"), "{refused}");
    let given = &template["Globals"]["Function"]["Environment"]["Variables"];
    assert_eq!(given["MANO_AUTH"], json!({ "Fn::If": ["ByIam", "iam", "jwt"] }));
    assert_eq!(given["MANO_JWT_ISSUER"], json!({ "Ref": "JwtIssuer" }));
    assert_eq!(given["MANO_JWT_AUDIENCE"], json!({ "Ref": "JwtAudience" }));
    assert_eq!(given["MANO_JWT_TENANT_CLAIM"], json!({ "Ref": "JwtTenantClaim" }));
    assert_eq!(given["MANO_JWT_KEYS"], json!({ "Ref": "JwtKeys" }));
    let issuer = template["Parameters"]["JwtIssuer"]["AllowedPattern"].as_str().unwrap();
    assert!(issuer.contains("https://") && !issuer.contains("https?"), "{issuer}");
}

#[test]
fn what_the_gateway_says_by_itself_is_a_problem_document() {
    let template = template();
    let said = &template["Resources"]["Api"]["Properties"]["GatewayResponses"];
    for (kind, response) in said.as_object().unwrap() {
        let media = &response["ResponseParameters"]["Headers"]["Content-Type"];
        assert_eq!(media, "'application/problem+json'", "{kind}");
        let text = response["ResponseTemplates"]["application/json"].as_str().unwrap();
        let text = text.replace("$context.error.messageString", "\"x\"");
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(problem["status"], response["StatusCode"], "{kind}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{kind}");
    }
    for kind in ["DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "INTEGRATION_TIMEOUT"] {
        assert!(said[kind].is_object(), "{kind} is not there");
    }
}

#[test]
fn every_state_machine_is_a_workflow_and_every_workflow_a_state_machine() {
    let mut deployed = BTreeSet::new();
    for (name, machine) in resources(&template(), "AWS::Serverless::StateMachine") {
        let uri = machine["Properties"]["DefinitionUri"].as_str().unwrap();
        let file = uri.strip_prefix("../../workflows/").unwrap();
        let workflow = file.strip_suffix(".asl.json").unwrap().to_owned();
        assert_eq!(name, logical(&workflow));
        let called = json!({ "Fn::Sub": format!("${{AWS::StackName}}-{workflow}") });
        assert_eq!(machine["Properties"]["Name"], called);
        let filled = machine["Properties"]["DefinitionSubstitutions"].as_object().unwrap();
        for (placeholder, target) in filled {
            assert_eq!(&alias(target), placeholder, "{workflow}");
        }
        let filled: BTreeSet<String> = filled.keys().map(|key| format!("${{{key}}}")).collect();
        let mut named = BTreeSet::new();
        states(&workflows()[&workflow], &mut |_, state| {
            named.extend(state["Arguments"]["FunctionName"].as_str().map(str::to_owned));
        });
        assert_eq!(filled, named, "{workflow}: what is filled in, and what stands there");
        deployed.insert(workflow);
    }
    assert_eq!(deployed, workflows().into_keys().collect());
}

#[test]
fn the_embedded_mode_serves_what_the_template_deploys() {
    let template = template();
    let code = |resource: &Value| {
        let uri = resource["Properties"]["CodeUri"].as_str().unwrap();
        uri.strip_prefix("../../target/lambda/mano-").unwrap().trim_end_matches('/').to_owned()
    };
    let functions = resources(&template, "AWS::Serverless::Function");
    let mut deployed: BTreeSet<String> = functions.values().map(code).collect();
    // The relay has no table of its own: it calls the listeners of the others.
    assert!(deployed.remove("relay"));
    let embedded = mano_edge::serve::wiring::FUNCTIONS.iter();
    let embedded: BTreeSet<String> = embedded.map(|function| function.name.to_owned()).collect();
    assert_eq!(deployed, embedded);
    let tables: BTreeSet<String> = FUNCTIONS.iter().map(|f| f.name.to_owned()).collect();
    assert_eq!(deployed, tables);
    let machines = resources(&template, "AWS::Serverless::StateMachine").into_keys().collect();
    let served = mano_edge::serve::wiring::workflows();
    let served: BTreeSet<String> = served.map(|(name, _)| logical(&name)).collect();
    assert_eq!(served, machines);
}

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

#[test]
fn what_goes_on_towards_vims_is_bounded() {
    let template = template();
    let bound = json!({ "Ref": "VimConcurrency" });
    let adapters = &template["Resources"]["Adapters"]["Properties"];
    assert_eq!(adapters["ReservedConcurrentExecutions"], bound);
    let looks = &template["Resources"]["WatchMessages"]["Properties"];
    assert_eq!(looks["ScalingConfig"]["MaximumConcurrency"], bound);
}

/// One choice of an event pattern.
fn matches(choice: &Value, text: &str) -> bool {
    if let Some(exact) = choice.as_str() {
        return exact == text;
    }
    let part = |name: &str| choice[name].as_str();
    match (part("prefix"), part("suffix"), choice["anything-but"].as_array()) {
        (Some(prefix), ..) => text.starts_with(prefix),
        (_, Some(suffix), _) => text.ends_with(suffix),
        (_, _, Some(others)) => !others.contains(&json!(text)),
        _ => panic!("{choice} is not known"),
    }
}

fn chosen(pattern: &Value, name: &str, text: &str) -> bool {
    pattern[name].as_array().unwrap().iter().any(|choice| matches(choice, text))
}

/// An event's source and detail-type that a row is for.
fn example(row: &OnEvent) -> (String, String) {
    let source = if row.source == "*" { "oss" } else { row.source };
    (source.to_owned(), row.detail_type.replace('*', "heal"))
}

#[test]
fn every_rule_brings_events_to_a_row_and_every_row_has_its_rule() {
    let rules = resources(&template(), "AWS::Events::Rule");
    let mut brought = BTreeSet::new();
    for (name, rule) in &rules {
        let pattern = &rule["Properties"]["EventPattern"];
        for target in rule["Properties"]["Targets"].as_array().unwrap() {
            let live = target["Arn"]["Ref"].as_str().is_some_and(|arn| arn.ends_with("Live"));
            if !live || pattern.is_null() {
                continue;
            }
            let to = alias(&target["Arn"]);
            let rows = table(&to).unwrap().requests.iter().map(example);
            let found: Vec<_> = rows
                .filter(|(source, kind)| {
                    chosen(pattern, "source", source) && chosen(pattern, "detail-type", kind)
                })
                .collect();
            assert!(!found.is_empty(), "rule {name} brings {to} what no row of it takes");
            brought.extend(found.into_iter().map(|(source, kind)| (to.clone(), source, kind)));
        }
    }
    let rows = FUNCTIONS.iter().flat_map(|function| {
        let rows = function.requests.iter().map(example);
        rows.map(|(source, kind)| (logical(function.name), source, kind))
    });
    assert_eq!(brought, rows.collect());
    // The clock's event is the relay's, which sweeps.
    let clock = &rules["EachMinute"]["Properties"];
    assert_eq!(clock["ScheduleExpression"], "rate(1 minute)");
    assert_eq!(alias(&clock["Targets"][0]["Arn"]), "Relay");
}

#[test]
fn content_that_comes_by_an_address_is_heard_of_and_within_the_rights_that_sign_it() {
    let template = template();
    let heard = format!("blobs/{}", mano_catalog::UPLOADS);
    let rule = &template["Resources"]["ContentArrived"]["Properties"]["EventPattern"]["detail"];
    assert_eq!(rule["object"]["key"], json!([{ "prefix": heard }]));
    assert_eq!(rule["bucket"]["name"], json!([{ "Ref": "Bucket" }]));
    let bucket = &template["Resources"]["Bucket"]["Properties"];
    let told = &bucket["NotificationConfiguration"]["EventBridgeConfiguration"];
    assert_eq!(told["EventBridgeEnabled"], true);
    // Nobody else can sign for it, or put it.
    let may_put = template["Resources"].as_object().unwrap().iter().filter(|(_, resource)| {
        let inline =
            resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].as_array();
        let managed = resource["Properties"]["PolicyDocument"]["Statement"].as_array();
        inline.into_iter().chain(managed).flatten().any(|statement| {
            let put = statement["Action"].to_string().contains("s3:PutObject");
            put && statement["Resource"].to_string().contains(&heard)
        })
    });
    let may_put: Vec<_> = may_put.map(|(name, _)| name.as_str()).collect();
    assert_eq!(may_put, ["CatalogRole"]);
}

#[test]
fn every_rules_event_has_a_schema_and_a_producer() {
    let described: Vec<String> = schema::by_detail_type().into_keys().collect();
    for (name, rule) in resources(&template(), "AWS::Events::Rule") {
        let pattern = &rule["Properties"]["EventPattern"];
        let Some(sources) = pattern["source"].as_array() else { continue };
        let ours = chosen(pattern, "source", "mano");
        let theirs = chosen(pattern, "source", "oss");
        if !ours && !theirs {
            // AWS's own events, described by AWS.
            assert!(sources.iter().all(|s| s.as_str().unwrap().starts_with("aws.")), "{name}");
            assert!(rule["Properties"]["EventBusName"].is_null(), "{name} listens elsewhere");
            continue;
        }
        assert_eq!(rule["Properties"]["EventBusName"], json!({ "Ref": "Bus" }), "{name}");
        // What we send is produced and checked by the journeys; what we take, by their senders.
        for choice in pattern["detail-type"].as_array().unwrap() {
            let of_request = |event: &String| event.starts_with("mano.request.");
            let found = described.iter().filter(|event| matches(choice, event));
            let found: Vec<_> = found.filter(|event| of_request(event) == theirs).collect();
            assert!(!found.is_empty(), "{name}: nothing described is {choice}");
        }
    }
}

#[test]
fn every_verb_that_is_taken_over_the_bus_has_a_schema() {
    let names = schema::by_detail_type().into_keys();
    let requests: BTreeSet<String> = names.filter(|n| n.starts_with("mano.request.")).collect();
    let taken = ["create", "instantiate", "scale", "heal", "terminate"];
    assert_eq!(requests, taken.map(|verb| format!("mano.request.{verb}")).into());
}

#[test]
fn the_table_has_the_indexes_of_the_store() {
    let template = template();
    let table = &template["Resources"]["Table"]["Properties"];
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    let deployed: BTreeSet<&str> =
        indexes.iter().map(|index| index["IndexName"].as_str().unwrap()).collect();
    let known = [
        Index::NsdId,
        Index::VnfdId,
        Index::VnfPkgId,
        Index::NsInstanceId,
        Index::VnfInstanceId,
        Index::OperationState,
        Index::VimId,
    ];
    // A new index has to be added above: this does not compile without it.
    for index in known {
        match index {
            Index::NsdId
            | Index::VnfdId
            | Index::VnfPkgId
            | Index::NsInstanceId
            | Index::VnfInstanceId
            | Index::OperationState
            | Index::VimId => assert!(deployed.contains(index.as_str())),
        }
    }
    assert_eq!(deployed.len(), known.len());
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(table["TimeToLiveSpecification"]["AttributeName"], "ttl");
    let allowed = template["Resources"]["EveryFunction"].to_string();
    for index in known {
        let named = format!("${{Table.Arn}}/index/{}\"", index.as_str());
        assert!(allowed.contains(&named), "no function may query {}", index.as_str());
    }
}

#[test]
fn what_no_emulator_makes_is_known() {
    let template = template();
    let mut only_on_aws: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if let Some("OnAws" | "HasSenders") = resource["Condition"].as_str() {
            only_on_aws.entry(resource["Type"].as_str().unwrap()).or_default().push(name);
        }
    }
    let mut told = String::from(
        "Not created on an emulator (condition OnAws), so not run without an account:\n",
    );
    for (kind, names) in only_on_aws {
        told.push_str(&format!("{kind}: {}\n", names.join(", ")));
    }
    golden::agrees("tests/golden/only-on-aws.txt", &told);
}

#[test]
fn the_schema_registry_has_the_schemas() {
    let mut registered = Map::new();
    let registry = json!({
        "Type": "AWS::EventSchemas::Registry",
        "Properties": { "RegistryName": { "Ref": "Registry" }, "Description": "docs/events" },
    });
    registered.insert("Events".into(), registry);
    for (name, schema) in schema::by_detail_type() {
        let source = if name.starts_with("mano.request.") { "oss" } else { "mano" };
        let id: String = name.split(['.', '-']).map(logical).collect();
        let resource = json!({
            "Type": "AWS::EventSchemas::Schema",
            "Properties": {
                "RegistryName": { "Fn::GetAtt": ["Events", "RegistryName"] },
                "SchemaName": format!("{source}@{name}"),
                "Type": "JSONSchemaDraft4",
                "Content": inlined(&schema).to_string(),
            },
        });
        registered.insert(id, resource);
    }
    let stack = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The schemas of docs/events, in a registry; written by `make golden`.",
        "Parameters": { "Registry": { "Type": "String", "Description": "The registry's name." } },
        "Resources": registered,
    });
    golden::agrees("infra/sam/schemas.json", &format!("{stack:#}\n"));
}

/// A schema that needs no other file.
fn inlined(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            if let Some(file) = fields.get("$ref").and_then(Value::as_str) {
                let mut whole = schema::all()[file.strip_suffix(".schema.json").unwrap()].clone();
                whole.as_object_mut().unwrap().remove("$schema");
                return whole;
            }
            fields.iter().map(|(name, value)| (name.clone(), inlined(value))).collect()
        }
        Value::Array(items) => items.iter().map(inlined).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}
