//! What the gateway takes, refuses and says, against the routes of the tables.

use super::{FUNCTIONS, logical, template};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

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
fn whatever_else_is_asked_reaches_a_function() {
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
    for nowhere in ["/nothing", "/nothing/here", "/nothing/here/at/all"] {
        assert!(routed(&paths, nowhere).is_some(), "nobody answers {nowhere}");
    }
    for route in FUNCTIONS.iter().flat_map(|function| function.routes) {
        for prefix in prefixes(&filled(route.path)) {
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
