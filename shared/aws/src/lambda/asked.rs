//! What an invocation asks for, told from the shape of its event.

use super::{api::ApiRequest, failure::Failure, messages::Received};
use mano_ports::function::{Event, StepCall};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// What is asked.
#[derive(Debug)]
pub(super) enum Asked {
    /// A client's request, through API Gateway (REST, proxy).
    Api(Box<ApiRequest>),
    /// A step of a workflow.
    Step(Box<StepCall>),
    /// Messages of a queue.
    Messages(Vec<Received>),
    /// Records of the table's stream.
    Records(Vec<Record>),
    /// Events from outside, each with the account it came from.
    Events(Vec<(String, Event)>),
}

/// A record of the table's stream: which row was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its place in the stream.
    pub(super) sequence: String,
    /// The row's sort key.
    pub(super) sk: String,
}

impl Asked {
    /// Reads an event.
    pub(super) fn read(event: Value) -> Result<Self, Failure> {
        if event.get("httpMethod").is_some() && event.get("requestContext").is_some() {
            return Ok(Self::Api(shaped("an API request", event)?));
        }
        if event.get("step").is_some() {
            return Ok(Self::Step(shaped("a step call", event)?));
        }
        if event.get("detail-type").is_some() {
            return Ok(Self::Events(vec![outside(event)?]));
        }
        match event["Records"][0]["eventSource"].as_str() {
            Some("aws:sqs") => {
                let Batch { records } = shaped("a batch of messages", event)?;
                Ok(Self::Messages(records))
            }
            Some("aws:dynamodb") => {
                let Batch::<StreamRecord> { records } = shaped("stream records", event)?;
                Ok(Self::Records(records.into_iter().map(Record::from).collect()))
            }
            Some("aws:s3") => {
                let Batch::<Value> { records } = shaped("S3 events", event)?;
                Ok(Self::Events(records.iter().map(object_event).collect()))
            }
            Some(_) | None => Err(Failure::bug(
                "this is no API request, no step call, no event, and no batch of SQS, DynamoDB \
                 or S3",
            )),
        }
    }
}

/// What every batch has.
#[derive(Deserialize)]
struct Batch<T> {
    #[serde(rename = "Records")]
    records: Vec<T>,
}

#[derive(Deserialize)]
struct StreamRecord {
    dynamodb: StreamRow,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamRow {
    sequence_number: String,
    keys: Value,
}

impl From<StreamRecord> for Record {
    fn from(StreamRecord { dynamodb: StreamRow { sequence_number, keys } }: StreamRecord) -> Self {
        let sk = keys["sk"]["S"].as_str().unwrap_or_default().to_owned();
        Self { sequence: sequence_number, sk }
    }
}

fn shaped<T: DeserializeOwned>(what: &str, event: Value) -> Result<T, Failure> {
    serde_json::from_value(event)
        .map_err(|error| Failure::bug(format!("this is not {what}: {error}")))
}

/// An event of a bus, and the account that sent it.
fn outside(event: Value) -> Result<(String, Event), Failure> {
    let account = event["account"].as_str().unwrap_or_default().to_owned();
    Ok((account, shaped("an event", event)?))
}

/// A bucket's own notification as the event that the bus would bring.
fn object_event(record: &Value) -> (String, Event) {
    let (bucket, object) = (&record["s3"]["bucket"], &record["s3"]["object"]);
    // Keys come as in a form, with '+' for a blank.
    let key = mano_ports::door::decode(object["key"].as_str().unwrap_or_default(), true);
    let created = record["eventName"].as_str().unwrap_or_default().contains("ObjectCreated");
    let detail = json!({
        "bucket": { "name": bucket["name"] },
        "object": { "key": key, "size": object["size"], "etag": object["eTag"] },
    });
    let sequencer = object["sequencer"].as_str().unwrap_or_default();
    let event = Event {
        id: format!("{}-{sequencer}", key.as_deref().unwrap_or_default()),
        source: "aws.s3".into(),
        detail_type: if created { "Object Created" } else { "Object Deleted" }.into(),
        detail,
        principal: None,
    };
    (String::new(), event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_event_is_told_by_its_shape() {
        let step = json!({ "step": "vnf.close", "tenant": "t", "op": "o", "run": 1, "token": "x" });
        assert!(matches!(Asked::read(step), Ok(Asked::Step(call)) if call.token.is_some()));
        let bus = json!({ "id": "1", "source": "oss", "account": "7", "detail-type": "mano.request.x",
            "detail": {}, "version": "0", "region": "us-east-1", "resources": [] });
        let Ok(Asked::Events(events)) = Asked::read(bus) else { panic!("an event") };
        assert_eq!((&*events[0].0, &*events[0].1.source), ("7", "oss"));
        let stream = json!({ "Records": [{ "eventSource": "aws:dynamodb", "eventName": "INSERT",
            "dynamodb": { "SequenceNumber": "42", "Keys": { "pk": { "S": "fact#1" },
                "sk": { "S": "a#1" } } } }] });
        let Ok(Asked::Records(records)) = Asked::read(stream) else { panic!("records") };
        assert_eq!(records, [Record { sequence: "42".into(), sk: "a#1".into() }]);
        let s3 = json!({ "Records": [{ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": "b" }, "object": { "key": "up/a+b%2Fc", "size": 3 } } }] });
        let Ok(Asked::Events(events)) = Asked::read(s3) else { panic!("an event") };
        assert_eq!(events[0].1.detail["object"]["key"], "up/a b/c");
    }

    #[test]
    fn what_earlier_releases_were_handed_is_still_read() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
        let folders = std::fs::read_dir(golden).expect("golden files").flatten();
        let files = folders.map(|folder| folder.path().join("invocations.json"));
        let mut read = 0;
        for file in files.filter(|file| file.is_file()) {
            let text = std::fs::read_to_string(file).expect("a file");
            let kept: Vec<Value> = serde_json::from_str(&text).expect("a list of invocations");
            for invocation in kept {
                let is = match Asked::read(invocation["event"].clone()).expect("known") {
                    Asked::Api(_) => "api",
                    Asked::Step(_) => "step",
                    Asked::Messages(_) => "messages",
                    Asked::Events(_) => "events",
                    Asked::Records(records) => {
                        let fact =
                            |record: &Record| crate::store::keys::parse_fact(&record.sk).is_some();
                        assert!(records.iter().all(fact), "{records:?}");
                        "records"
                    }
                };
                assert_eq!(is, invocation["is"], "{invocation}");
                read += 1;
            }
        }
        assert!(read > 0, "no invocations are kept");
    }

    #[test]
    fn what_is_none_of_them_is_a_defect_with_a_sentence() {
        for event in [json!({}), json!(7), json!({ "Records": [] }), json!({ "step": 7 })] {
            let failure = Asked::read(event).expect_err("no known event");
            assert_eq!(failure.error, "Mano.Bug");
            assert!(failure.cause.contains("this is"), "{}", failure.cause);
        }
    }
}
