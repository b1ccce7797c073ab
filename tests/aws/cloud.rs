//! The services of AWS beside the interfaces: the bus to ask over, a queue to hear facts by.

use http::{HeaderMap, Method, Request};
use jiff::Timestamp;
use mano_edge::{sign::Signer, sum};
use serde_json::{Value, json};
use std::{env, time::Duration};

/// A variable that `make test-aws` sets.
pub(crate) fn given(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set; run this by `make test-aws`"))
}

#[expect(clippy::disallowed_methods, reason = "a signature carries the real time")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// A client of HTTP that signs.
#[derive(Clone)]
pub(crate) struct Client(ureq::Agent);

/// Status, headers, content.
pub(crate) type Said = (u16, HeaderMap, Vec<u8>);

impl Client {
    pub(crate) fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self(config.into())
    }

    /// Asks, signed for a service.
    pub(crate) fn ask(
        &self,
        service: &str,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Said {
        let uri: http::Uri = url.parse().unwrap();
        let signer = Signer::new(service, uri.host().unwrap(), |name| env::var(name).ok());
        let signed = signer.unwrap().headers(method, &uri, &sum::of(body), now());
        let signed = signed.iter().map(|(name, value)| (name, value));
        self.send(method, url, headers.iter().chain(signed), body)
    }

    /// Asks as it stands.
    pub(crate) fn send<'a>(
        &self,
        method: &Method,
        url: &str,
        headers: impl Iterator<Item = (&'a http::HeaderName, &'a http::HeaderValue)>,
        body: &[u8],
    ) -> Said {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = if body.is_empty() {
            self.0.run(request.body(()).unwrap())
        } else {
            self.0.run(request.body(body).unwrap())
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let content = answer.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap();
        (answer.status().as_u16(), answer.headers().clone(), content)
    }
}

/// One call of a service that speaks JSON.
pub(crate) fn call(client: &Client, service: &str, target: &str, body: &Value) -> Value {
    let region = given("AWS_REGION");
    let endpoint = env::var("AWS_ENDPOINT_URL")
        .unwrap_or_else(|_| format!("https://{service}.{region}.amazonaws.com"));
    let version = if ["sqs", "dynamodb", "states"].contains(&service) { "1.0" } else { "1.1" };
    let mut headers = HeaderMap::new();
    headers.insert("content-type", format!("application/x-amz-json-{version}").parse().unwrap());
    headers.insert("x-amz-target", target.parse().unwrap());
    let body = body.to_string();
    let url = format!("{endpoint}/");
    let (status, _, said) = client.ask(service, &Method::POST, &url, &headers, body.as_bytes());
    assert_eq!(status, 200, "{target} {body}: {}", String::from_utf8_lossy(&said));
    serde_json::from_slice(&said).unwrap_or(Value::Null)
}

/// Somebody who hears every fact from now on, by a rule and a queue of their own.
pub(crate) struct Ears {
    client: Client,
    queue: String,
    heard: Vec<Value>,
}

impl Ears {
    /// Sets up rule and queue, as an OSS would.
    pub(crate) fn new() -> Self {
        let client = Client::new();
        let (bus, name) = (given("MANO_AWS_BUS"), format!("{}-facts", given("MANO_AWS_STACK")));
        let made = call(&client, "sqs", "AmazonSQS.CreateQueue", &json!({ "QueueName": name }));
        let queue = made["QueueUrl"].as_str().unwrap().to_owned();
        let asked = json!({ "QueueUrl": queue, "AttributeNames": ["QueueArn"] });
        let told = call(&client, "sqs", "AmazonSQS.GetQueueAttributes", &asked);
        let arn = told["Attributes"]["QueueArn"].as_str().unwrap().to_owned();
        let may = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
            "Action": "sqs:SendMessage", "Resource": arn }] });
        let asked = json!({ "QueueUrl": queue, "Attributes": { "Policy": may.to_string() } });
        call(&client, "sqs", "AmazonSQS.SetQueueAttributes", &asked);
        let pattern = json!({ "source": ["mano"] }).to_string();
        let rule = json!({ "Name": name, "EventBusName": bus, "EventPattern": pattern });
        call(&client, "events", "AWSEvents.PutRule", &rule);
        let targets = json!([{ "Id": "ears", "Arn": arn }]);
        let asked = json!({ "Rule": name, "EventBusName": bus, "Targets": targets });
        call(&client, "events", "AWSEvents.PutTargets", &asked);
        Self { client, queue, heard: Vec::new() }
    }

    /// Waits up to a second for something to be said.
    pub(crate) fn listen(&mut self) {
        self.heard.extend(received(&self.client, &self.queue));
    }

    /// What was heard since the beginning.
    pub(crate) fn heard(&self) -> &[Value] {
        &self.heard
    }
}

/// Takes messages from a queue, waiting up to a second.
pub(crate) fn received(client: &Client, queue: &str) -> Vec<Value> {
    let asked = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1 });
    let told = call(client, "sqs", "AmazonSQS.ReceiveMessage", &asked);
    let mut bodies = Vec::new();
    for message in told["Messages"].as_array().into_iter().flatten() {
        let handle = json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] });
        call(client, "sqs", "AmazonSQS.DeleteMessage", &handle);
        bodies.push(serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
    }
    bodies
}
