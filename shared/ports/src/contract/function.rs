//! A function whose rows write down what they were called with, so that a test can read it.

use crate::{Cx, Error, function::Function, function::StepCall, queue::Message};
use mano_model::{
    TenantId,
    plan::{Announced, Document, Index, Kind, Plan, Versioned},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// A document for tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its identity.
    pub id: String,
    /// What it says.
    pub text: String,
    /// A number to add to.
    #[serde(default)]
    pub count: i64,
    /// What it is found under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelf: Option<String>,
}

impl Document for Note {
    const KIND: Kind = Kind::Note;
    fn id(&self) -> String {
        self.id.clone()
    }
    fn index(&self) -> Vec<(Index, String)> {
        self.shelf.iter().map(|shelf| (Index::VimId, shelf.clone())).collect()
    }
}

/// A note.
#[must_use]
pub fn note(id: &str, text: &str) -> Note {
    Note { id: id.into(), text: text.into(), count: 0, shelf: None }
}

/// The function a host under test must serve, under the name `contract`.
///
/// * step `contract.call` appends the call's `text` to the note `calls-{op}`; a text
///   `fail-{n}` fails the first `n` times;
/// * step `contract.wait` writes the token into the note `token-{op}`;
/// * the listener publishes every fact about a note to the bus;
/// * the consumer of the queue `contract` appends a message's `text` to the note
///   `{message's note}`; a text `fail-{n}` fails the first `n` times.
pub static FUNCTION: Function = Function {
    name: "contract",
    routes: &[],
    steps: &[crate::step!("contract.call" => call), crate::step!("contract.wait" => wait)],
    listeners: &[crate::listener!("contract-publish", ["contract.*"] => publish)],
    consumers: &[crate::consumer!("contract" => consume)],
    requests: &[crate::on_event!("aws.states", "Step Functions Execution Status Change" => ended)],
};

/// The workflows a host under test must have, by name; `${Contract}` is the function's name.
pub const WORKFLOWS: [(&str, &str); 3] = [
    (
        "contract-call",
        r#"{"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "${Contract}", "Payload": {"step": "contract.call",
                "tenant": "{% $states.input.tenant %}", "op": "{% $states.input.op %}", "run": 0,
                "text": "{% $states.input.text %}"}},
            "Output": "{% $states.result.Payload %}",
            "Retry": [{"ErrorEquals": ["Mano.Transient"], "MaxAttempts": 5}],
            "End": true}}}"#,
    ),
    (
        "contract-wait",
        r#"{"QueryLanguage": "JSONata", "StartAt": "Wait", "States": {"Wait": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Arguments": {"FunctionName": "${Contract}", "Payload": {"step": "contract.wait",
                "tenant": "{% $states.input.tenant %}", "op": "{% $states.input.op %}", "run": 0,
                "token": "{% $states.context.Task.Token %}"}},
            "Next": "Call"},
          "Call": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "${Contract}", "Payload": {"step": "contract.call",
                "tenant": "{% $states.context.Execution.Input.tenant %}",
                "op": "{% $states.context.Execution.Input.op %}", "run": 0,
                "text": "{% $states.input %}"}},
            "Output": "{% $states.result.Payload %}",
            "End": true}}}"#,
    ),
    (
        "contract-sleep",
        r#"{"QueryLanguage": "JSONata", "StartAt": "Sleep", "States": {
            "Sleep": {"Type": "Wait", "Seconds": 3600, "Next": "Fail"},
            "Fail": {"Type": "Fail", "Error": "Contract.Over", "Cause": "It slept."}}}"#,
    ),
];

async fn call(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let text = call.text("text")?;
    let calls = append(cx, &call.tenant, &format!("calls-{}", call.op), text).await?;
    may_fail(text, &calls)?;
    Ok(json!({ "said": text }))
}

async fn wait(cx: &Cx, call: StepCall) -> Result<Value, Error> {
    let token = call.token.unwrap_or_default();
    append(cx, &call.tenant, &format!("token-{}", call.op), &token).await?;
    Ok(json!({}))
}

async fn publish(cx: &Cx, fact: &Announced) -> Result<(), Error> {
    Ok(cx.bus.publish(std::slice::from_ref(fact)).await?)
}

async fn consume(cx: &Cx, body: Value) -> Result<(), Error> {
    let part = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let texts = append(cx, &TenantId::new(part("tenant")), &part("note"), &part("text")).await?;
    may_fail(&part("text"), &texts)
}

async fn ended(cx: &Cx, event: &crate::function::Event) -> Result<(), Error> {
    let part = |name: &str| event.detail[name].as_str().unwrap_or_default().to_owned();
    let input: Value = serde_json::from_str(&part("input")).unwrap_or_default();
    let tenant = TenantId::new(input["tenant"].as_str().unwrap_or_default());
    append(cx, &tenant, &format!("ended-{}", part("name")), &part("status")).await.map(drop)
}

/// A message to the consumer of [`FUNCTION`].
#[must_use]
pub(super) fn message(note: &str, group: &str, text: &str, delay: Duration) -> Message {
    let tenant = super::tenant();
    Message {
        queue: "contract",
        group: group.into(),
        dedup: format!("{note}/{text}"),
        delay,
        body: json!({ "tenant": tenant, "note": note, "text": text }),
    }
}

/// Appends a line to a note and returns all its lines.
async fn append(cx: &Cx, tenant: &TenantId, id: &str, line: &str) -> Result<Vec<String>, Error> {
    let found = cx.store.find::<Note>(tenant, id).await?;
    let mut value = found.as_ref().map_or_else(|| note(id, ""), |found| found.value.clone());
    value.text += line;
    value.text.push('\n');
    value.count += 1;
    let mut origin = super::fresh();
    origin.tenant = tenant.clone();
    let plan = Plan::new(origin);
    let plan = match &found {
        Some(Versioned { version, .. }) => plan.update(*version, &value),
        None => plan.create(&value),
    };
    cx.store.commit(plan).await?;
    Ok(value.text.lines().map(Into::into).collect())
}

/// `fail-{n}` fails while it was seen at most `n` times.
fn may_fail(text: &str, seen: &[String]) -> Result<(), Error> {
    let times = text.strip_prefix("fail-").and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
    let seen = seen.iter().filter(|line| *line == text).count();
    if seen <= times {
        let again = format!("attempt {seen} fails, as it was asked to");
        return Err(crate::queue::Error::Unavailable(again.into()).into());
    }
    Ok(())
}
