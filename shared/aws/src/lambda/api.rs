//! A client's request as API Gateway (REST, proxy) hands it over, decoded for the door.

use super::caller::Caller;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, request::Parts};
use mano_model::Refusal;
use mano_ports::door::{ApiRoot, encode};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The proxy event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ApiRequest {
    http_method: String,
    path: String,
    #[serde(default)]
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    multi_value_headers: Option<Map<String, Value>>,
    #[serde(default)]
    query_string_parameters: Option<Map<String, Value>>,
    #[serde(default)]
    multi_value_query_string_parameters: Option<Map<String, Value>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: Context,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    domain_name: Option<String>,
    #[serde(default)]
    identity: Caller,
}

impl ApiRequest {
    /// Head and content for the door.
    pub(super) fn decode(self) -> Result<(Parts, Bytes), Refusal> {
        let content = match self.body {
            Some(body) if self.is_base64_encoded => BASE64_STANDARD
                .decode(body)
                .map_err(|error| Refusal::malformed(format!("the body is no Base64: {error}")))?
                .into(),
            Some(body) => Bytes::from(body),
            None => Bytes::new(),
        };
        let headers = headers(either(self.multi_value_headers, self.headers));
        let query = either(self.multi_value_query_string_parameters, self.query_string_parameters);
        let target = format!("{}{}", tidy(&self.path), query_text(query));
        let malformed = |what: &str| Refusal::malformed(format!("the {what} cannot be read"));
        let uri: Uri = target.parse().map_err(|_| malformed("path"))?;
        let method = Method::from_bytes(self.http_method.as_bytes());
        let request = Request::builder().method(method.map_err(|_| malformed("method"))?).uri(uri);
        let (mut head, ()) = request.body(()).map_err(|_| malformed("request"))?.into_parts();
        if let Some(root) = self.request_context.api_root(&self.path, &headers) {
            head.extensions.insert(ApiRoot(root));
        }
        head.headers = headers;
        head.extensions.insert(self.request_context.identity);
        Ok((head, content))
    }
}

impl Context {
    /// Scheme, host and whatever lies before the path we see: the stage, or a domain's mapping.
    fn api_root(&self, path: &str, headers: &HeaderMap) -> Option<String> {
        let host = headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let host = self.domain_name.as_deref().or(host)?;
        let prefix = self.path.as_deref().and_then(|whole| whole.strip_suffix(path));
        Some(format!("https://{host}{}", prefix.unwrap_or_default().trim_end_matches('/')))
    }
}

/// The form with all values, where there is one.
fn either(many: Option<Map<String, Value>>, one: Option<Map<String, Value>>) -> Map<String, Value> {
    many.filter(|many| !many.is_empty()).or(one).unwrap_or_default()
}

/// The texts under a name: one, or a list of them.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let many = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    value.as_str().into_iter().chain(many)
}

fn headers(from: Map<String, Value>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(from.len());
    for (name, values) in &from {
        // What is no header cannot have been one: it counts as not sent.
        let Ok(name) = name.parse::<HeaderName>() else { continue };
        for value in texts(values).filter_map(|value| HeaderValue::from_str(value).ok()) {
            headers.append(name.clone(), value);
        }
    }
    headers
}

/// The query as it was in the address: API Gateway hands over what it decoded.
fn query_text(query: Map<String, Value>) -> String {
    let mut text = String::new();
    for (name, values) in &query {
        for value in texts(values) {
            let mark = if text.is_empty() { '?' } else { '&' };
            text.push(mark);
            text.push_str(&encode(name));
            // A name without '=' and one with nothing after it arrive alike.
            if !value.is_empty() {
                text.push('=');
                text.push_str(&encode(value));
            }
        }
    }
    text
}

/// The path with everything encoded that may not stand in one; what is encoded stays so.
fn tidy(path: &str) -> String {
    let mut tidy = String::with_capacity(path.len());
    for byte in path.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte);
        if plain {
            tidy.push(char::from(byte));
        } else {
            // A text takes whatever is written to it.
            let _ = write!(tidy, "%{byte:02X}");
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn decoded(event: Value) -> (Parts, Bytes) {
        let request: ApiRequest = serde_json::from_value(event).expect("a proxy event");
        request.decode().expect("a request")
    }

    #[test]
    fn what_api_gateway_decoded_is_whole_again() {
        let (head, content) = decoded(json!({
            "httpMethod": "POST", "path": "/vnflcm/v2/vnf instances",
            "headers": { "Accept": "b" },
            "multiValueHeaders": { "Accept": ["a", "b"], "Host": ["x.example"], "b ad": ["x"] },
            "queryStringParameters": { "filter": "no" },
            "multiValueQueryStringParameters": { "filter": ["(eq,a,b&c)"], "all_fields": [""] },
            "body": "aGk=", "isBase64Encoded": true,
            "requestContext": { "path": "/prod/vnflcm/v2/vnf instances", "stage": "prod",
                "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
                "identity": { "accountId": "1", "userArn": "arn:aws:iam::1:user/u" } }
        }));
        assert_eq!(head.uri.path(), "/vnflcm/v2/vnf%20instances");
        let query = head.uri.query().expect("a query");
        assert!(query.starts_with("filter=") && query.ends_with("&all_fields"), "{query}");
        let value = query.trim_start_matches("filter=").split('&').next().expect("a value");
        assert_eq!(mano_ports::door::decode(value, true).as_deref(), Some("(eq,a,b&c)"));
        assert_eq!(head.headers.get_all("accept").iter().count(), 2);
        let root = head.extensions.get::<ApiRoot>().expect("a root");
        assert_eq!(root.0, "https://abc.execute-api.eu-west-1.amazonaws.com/prod");
        assert_eq!(head.extensions.get::<Caller>().expect("a caller").account(), "1");
        assert_eq!(content, "hi");
    }

    #[test]
    fn a_domain_of_its_own_has_the_prefix_of_its_mapping() {
        let root = |path: &str| {
            let (head, _) = decoded(json!({
                "httpMethod": "GET", "path": "/nsd/v2/x", "body": null,
                "requestContext": { "path": path, "domainName": "mano.example", "stage": "prod" }
            }));
            head.extensions.get::<ApiRoot>().expect("a root").0.clone()
        };
        assert_eq!(root("/nsd/v2/x"), "https://mano.example");
        assert_eq!(root("/core/nsd/v2/x"), "https://mano.example/core");
    }

    #[test]
    fn a_broken_body_is_refused() {
        let event = json!({ "httpMethod": "GET", "path": "/", "body": "%", "isBase64Encoded": true,
            "requestContext": {} });
        let request: ApiRequest = serde_json::from_value(event).expect("a proxy event");
        assert!(request.decode().is_err());
    }
}
