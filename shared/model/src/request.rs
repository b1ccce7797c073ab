//! What an OSS or BSS asks for over the event bus, read, remembered and answered.
//!
//! ```text
//!   mano.request.scale ─▶ read ─▶ the decision of the HTTP route ─▶ plan + Heard, under one id
//!                          └──────── refused ─────────────────────▶ fact request.refused
//! ```
//!
//! A key is answered once: what was decided first stands, for a second delivery a year later too.

use crate::{
    Refusal, TenantId, ids, ns,
    plan::{Document, Fact, Kind, Origin, Plan, beginning},
    sol::{parse, sol003::CreateVnfRequest, sol005::CreateNsRequest, sol013::ProblemDetails},
    vnf,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What every request's `detail-type` begins with; the verb follows.
pub const PREFIX: &str = "mano.request.";
/// The longest idempotency key, in characters.
pub const LONGEST_KEY: usize = 128;
/// The longest name of an event, its source or its type that is told, in bytes.
const LONGEST_NAME: usize = 128;
/// A refused request is told back whole up to this size, in bytes of JSON.
const TOLD_BACK: usize = 16 << 10;

/// What is said to a key that was answered before, for other content.
pub const USED: &str = "this idempotencyKey was used for another request; use a key once";

/// An event as it came, and who sent it.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// Whose data it is about.
    pub tenant: &'a TenantId,
    /// Who sent it, as the door knows them.
    pub sender: &'a str,
    /// Unique per source.
    pub event: &'a str,
    /// The name the OSS goes by.
    pub source: &'a str,
    /// `mano.request.…`.
    pub detail_type: &'a str,
    /// What it says.
    pub detail: &'a Value,
}

/// A request that is written as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its identity, and that of the plan that answers it: of sender and key.
    pub id: Uuid,
    /// Names its content.
    pub digest: Uuid,
    /// What is asked for.
    pub what: What,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An identifier for a network service to be.
    CreateNs(CreateNsRequest),
    /// An identifier for a network function to be.
    CreateVnf(CreateVnfRequest),
    /// An LCM task of a network service: which, what, and its body.
    Ns(String, ns::op::Operation, Value),
    /// An LCM task of a network function: which, what, and its body.
    Vnf(String, vnf::op::Operation, Value),
}

/// Which family a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Of {
    Ns,
    Vnf,
}

/// The `detail` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    idempotency_key: String,
    kind: Of,
    #[serde(default)]
    instance_id: Option<String>,
    #[serde(default)]
    request: Map<String, Value>,
}

/// That a request was heard, and what it was: so that it is answered once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// [`Asked::id`], or of a request that cannot be read, its event's.
    pub request: Uuid,
    /// [`Asked::digest`].
    pub digest: Uuid,
    /// When.
    pub at: Timestamp,
    /// Why the answer was no, in brief; none: it was yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<ProblemDetails>,
}

impl Document for Heard {
    const KIND: Kind = Kind::Note;
    /// As long as the plan that answered it is known.
    const KEPT_FOR: Option<SignedDuration> = Some(Plan::REMEMBERED);
    fn id(&self) -> String {
        Self::id_of(self.request)
    }
}

impl Heard {
    /// Where it lies.
    #[must_use]
    pub fn id_of(request: Uuid) -> String {
        format!("{request}/request")
    }
}

impl Letter<'_> {
    /// What the facts that answer it are recognised by: its key, or where it has none, its event.
    #[must_use]
    pub fn correlation(&self) -> String {
        let key = self.detail["idempotencyKey"].as_str().filter(|key| is_key(key));
        key.map_or_else(|| beginning(self.event, LONGEST_NAME), Into::into)
    }

    /// The head of the plan that answers it; the same `id` answers once.
    #[must_use]
    pub fn origin(&self, id: Uuid, at: Timestamp) -> Origin {
        Origin {
            id,
            at,
            tenant: self.tenant.clone(),
            actor: Fact::brief(self.sender),
            correlation: Some(self.correlation()),
            causation: Some(beginning(self.event, LONGEST_NAME)),
            trace: None,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// Malformed where it is not written as a request is; unprocessable where its body is not.
    pub fn read(&self) -> Result<Asked, Refusal> {
        let verb = self.detail_type.strip_prefix(PREFIX).unwrap_or_default();
        let wire = Wire::deserialize(self.detail)
            .map_err(|error| Refusal::malformed(format!("the detail is not a request: {error}")))?;
        if !is_key(&wire.idempotency_key) {
            let detail = format!("idempotencyKey has 1 to {LONGEST_KEY} characters");
            return Err(Refusal::malformed(detail));
        }
        let id = self.named(&["key", &wire.idempotency_key]);
        let digest = ids::derived(&[self.detail_type, &sorted(self.detail).to_string()]);
        Ok(Asked { id, digest, what: wire.what(verb)? })
    }

    /// The identity of something about this sender.
    fn named(&self, parts: &[&str]) -> Uuid {
        let sender = ["request", self.tenant.as_str(), self.sender, self.source];
        ids::derived(&[&sender, parts].concat())
    }

    /// The answer no, with the reason; it is remembered like a yes.
    #[must_use]
    pub fn refuse(&self, asked: Option<&Asked>, at: Timestamp, problem: &ProblemDetails) -> Plan {
        let id = asked.map_or_else(|| self.named(&["event", self.event]), |asked| asked.id);
        let digest = asked.map_or(id, |asked| asked.digest);
        let heard = Heard { request: id, digest, at, refused: Some(problem.brief()) };
        let plan = Plan::new(self.origin(id, at)).create(&heard);
        plan.tell::<Heard>(heard.id(), "request.refused", self.complaint(problem))
    }

    /// The answer to a key that was answered before, for other content.
    #[must_use]
    pub fn refuse_reuse(&self, asked: &Asked, at: Timestamp) -> Plan {
        let id = ids::derived(&[&asked.id.to_string(), &asked.digest.to_string()]);
        let complaint = self.complaint(&ProblemDetails::new(422, USED));
        Plan::new(self.origin(id, at)).tell::<Heard>(
            Heard::id_of(asked.id),
            "request.refused",
            complaint,
        )
    }

    fn complaint(&self, problem: &ProblemDetails) -> Value {
        let small = self.detail.to_string().len() <= TOLD_BACK;
        json!({
            "source": beginning(self.source, LONGEST_NAME),
            "event": beginning(self.event, LONGEST_NAME),
            "detailType": beginning(self.detail_type, LONGEST_NAME),
            "detail": small.then_some(self.detail),
            "error": problem.brief(),
        })
    }
}

impl Asked {
    /// The identity of what comes to exist by it: an instance, or an operation occurrence.
    #[must_use]
    pub fn offspring(&self) -> String {
        ids::derived(&[&self.id.to_string(), "offspring"]).to_string()
    }

    /// The plan, which remembers that this request led to it.
    #[must_use]
    pub fn heard(&self, plan: Plan) -> Plan {
        let at = plan.origin.at;
        plan.create(&Heard { request: self.id, digest: self.digest, at, refused: None })
    }
}

impl Wire {
    fn what(self, verb: &str) -> Result<What, Refusal> {
        let body = Value::Object(self.request);
        if verb == "create" {
            if self.instance_id.is_some() {
                let detail = "a create has no instanceId; the fact that answers it names one";
                return Err(Refusal::malformed(detail));
            }
            return Ok(match self.kind {
                Of::Ns => What::CreateNs(parse(&body)?),
                Of::Vnf => What::CreateVnf(parse(&body)?),
            });
        }
        let instance = self.instance_id.ok_or_else(|| {
            Refusal::malformed("the detail has no instanceId; only a create has none")
        })?;
        Ok(match self.kind {
            Of::Ns => {
                let all = ns::op::Operation::ALL;
                What::Ns(instance, operation(all, ns::op::Operation::verb, verb)?, body)
            }
            Of::Vnf => {
                let all = vnf::op::Operation::ALL;
                What::Vnf(instance, operation(all, vnf::op::Operation::verb, verb)?, body)
            }
        })
    }
}

/// The operation of this verb.
fn operation<T: Copy>(all: &[T], verb_of: fn(T) -> &'static str, verb: &str) -> Result<T, Refusal> {
    all.iter().copied().find(|operation| verb_of(*operation) == verb).ok_or_else(|| {
        let known: Vec<&str> = all.iter().copied().map(verb_of).collect();
        let shown: String = verb.chars().take(40).collect();
        let known = known.join(", ");
        Refusal::malformed(format!("there is no {PREFIX}{shown}; there are: create, {known}"))
    })
}

fn is_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.chars().count())
}

/// The same content in one order, so that a request written anew is the same request.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<&String, Value> =
                fields.iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.into_iter().map(|(name, value)| (name.clone(), value)).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Why;

    fn letter<'a>(tenant: &'a TenantId, verb: &'a str, detail: &'a Value) -> Letter<'a> {
        Letter {
            tenant,
            sender: "111111111111/oss",
            event: "e-1",
            source: "oss",
            detail_type: verb,
            detail,
        }
    }

    fn read(verb: &str, detail: Value) -> Result<Asked, Refusal> {
        letter(&TenantId::default(), verb, &detail).read()
    }

    #[test]
    fn a_task_says_which_instance_and_what() {
        let asked = read(
            "mano.request.scale",
            json!({ "idempotencyKey": "k", "kind": "VNF", "instanceId": "v",
                    "request": { "type": "SCALE_OUT", "aspectId": "a" } }),
        )
        .unwrap();
        let params = json!({ "type": "SCALE_OUT", "aspectId": "a" });
        assert_eq!(asked.what, What::Vnf("v".into(), vnf::op::Operation::Scale, params));
    }

    #[test]
    fn the_same_request_has_one_identity_and_another_sender_has_another() {
        let one = json!({ "idempotencyKey": "k", "kind": "NS", "instanceId": "n" });
        let other_order = json!({ "instanceId": "n", "kind": "NS", "idempotencyKey": "k" });
        let heal = "mano.request.heal";
        assert_eq!(read(heal, one.clone()).unwrap(), read(heal, other_order).unwrap());
        let terminate = read("mano.request.terminate", one.clone()).unwrap();
        let healed = read(heal, one.clone()).unwrap();
        assert_eq!(terminate.id, healed.id, "the key is the same");
        assert_ne!(terminate.digest, healed.digest, "the request is not");
        let tenant = TenantId::default();
        let other = Letter { sender: "222222222222/oss", ..letter(&tenant, heal, &one) };
        assert_ne!(other.read().unwrap().id, healed.id);
        let other = TenantId::new("other");
        assert_ne!(letter(&other, heal, &one).read().unwrap().id, healed.id);
    }

    #[test]
    fn what_is_no_request_is_told_so() {
        let whole = || json!({ "idempotencyKey": "k", "kind": "NS", "instanceId": "n" });
        let without = |name: &str| {
            let mut detail = whole();
            detail.as_object_mut().unwrap().remove(name);
            detail
        };
        let with = |name: &str, value: Value| {
            let mut detail = whole();
            detail[name] = value;
            detail
        };
        for (verb, detail, says) in [
            ("heal", without("idempotencyKey"), "idempotencyKey"),
            ("heal", with("idempotencyKey", json!("")), "1 to 128"),
            ("heal", with("idempotencyKey", json!("x".repeat(129))), "1 to 128"),
            ("heal", without("instanceId"), "instanceId"),
            ("heal", with("kind", json!("PNF")), "PNF"),
            ("heal", with("colour", json!("red")), "colour"),
            ("heal", json!([1]), "not a request"),
            ("heal", json!(null), "not a request"),
            ("paint", whole(), "there is no mano.request.paint"),
            ("", whole(), "there is no"),
            ("create", whole(), "no instanceId"),
        ] {
            let refusal = read(&format!("{PREFIX}{verb}"), detail.clone()).unwrap_err();
            assert_eq!(refusal.why, Why::Malformed, "{detail}");
            assert!(refusal.detail.contains(says), "{refusal} says nothing of {says}");
        }
        let refusal = read("mano.request.create", without("instanceId")).unwrap_err();
        assert_eq!(refusal.why, Why::Unprocessable);
        assert!(refusal.detail.contains("nsdId"), "{refusal}");
    }

    #[test]
    fn a_refusal_is_remembered_under_the_request_and_carries_its_key() {
        let (tenant, detail) = (TenantId::default(), json!({ "idempotencyKey": "k", "kind": 7 }));
        let letter = letter(&tenant, "mano.request.heal", &detail);
        let problem = ProblemDetails::new(400, "no");
        let plan = letter.refuse(None, Timestamp::UNIX_EPOCH, &problem);
        assert_eq!(plan.origin.correlation.as_deref(), Some("k"));
        assert_eq!(plan.facts[0].name, "request.refused");
        assert_eq!(plan.facts[0].body["error"]["detail"], "no");
        assert_eq!(plan.facts[0].body["detail"], detail);
        assert_eq!(plan.writes.len(), 1);
        let again = letter.refuse(None, Timestamp::UNIX_EPOCH, &problem);
        assert_eq!(plan.origin.id, again.origin.id);
    }

    #[test]
    fn a_large_request_is_not_told_back() {
        let tenant = TenantId::default();
        let detail = json!({ "x": "y".repeat(200_000) });
        let letter = letter(&tenant, "mano.request.heal", &detail);
        let problem = ProblemDetails::new(400, "no");
        let plan = letter.refuse(None, Timestamp::UNIX_EPOCH, &problem);
        assert!(plan.facts[0].body.to_string().len() < 1000);
        assert_eq!(letter.correlation(), "e-1");
    }

    #[test]
    fn whatever_a_stranger_writes_the_refusal_fits_a_fact() {
        // Escaped, each of these is six bytes.
        let long = "\u{1}".repeat(255 << 10);
        let whole = json!({ "x": "y".repeat(TOLD_BACK - 8) });
        for detail in [json!({ long.as_str(): 1 }), whole] {
            let letter = Letter {
                tenant: &TenantId::default(),
                sender: &long,
                event: &long,
                source: &long,
                detail_type: &long,
                detail: &detail,
            };
            let refusal = letter.read().unwrap_err();
            let problem = ProblemDetails::new(400, format!("{refusal}{long}"));
            let plan = letter.refuse(None, Timestamp::UNIX_EPOCH, &problem);
            let bytes = plan.facts[0].body.to_string().len();
            assert!(bytes <= Fact::MAX_BYTES, "{bytes}");
            let head = serde_json::to_string(&plan.origin).unwrap().len();
            assert!(head <= Fact::MAX_BYTES, "{head}");
        }
    }
}
