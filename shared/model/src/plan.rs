//! A plan: what shall be true after, what must be true before, and what the world will hear.
//!
//! A decision is a plan or a refusal. The store carries a plan out whole or not
//! at all, so a decision taken on stale facts can never be written.
//!
//! ```text
//!   origin (who, when) ──▶ decide(facts) ──▶ Plan { writes, facts } ──▶ Store::commit
//! ```

mod kind;

pub use kind::Kind;

use crate::{ids, ids::TenantId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

/// Which document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The family.
    pub kind: Kind,
    /// Whose it is.
    pub tenant: TenantId,
    /// The identity within family and tenant; a child is `{parent}/{name}`.
    pub id: String,
}

impl Key {
    /// The key of a document of type `T`.
    #[must_use]
    pub fn of<T: Document>(tenant: &TenantId, id: impl Into<String>) -> Self {
        Self { kind: T::KIND, tenant: tenant.clone(), id: id.into() }
    }
}

/// Named ways to find documents other than by key; they may lag behind commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Index {
    /// By the NS descriptor used.
    NsdId,
    /// By the VNF descriptor used.
    VnfdId,
    /// By the VNF package used.
    VnfPkgId,
    /// By the network service it belongs to.
    NsInstanceId,
    /// By the network function it belongs to.
    VnfInstanceId,
    /// By the state of an operation.
    OperationState,
    /// By the VIM it lives on.
    VimId,
}

impl Index {
    /// Every index there is.
    pub const ALL: [Self; 7] = [
        Self::NsdId,
        Self::VnfdId,
        Self::VnfPkgId,
        Self::NsInstanceId,
        Self::VnfInstanceId,
        Self::OperationState,
        Self::VimId,
    ];

    /// The name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NsdId => "nsdId",
            Self::VnfdId => "vnfdId",
            Self::VnfPkgId => "vnfPkgId",
            Self::NsInstanceId => "nsInstanceId",
            Self::VnfInstanceId => "vnfInstanceId",
            Self::OperationState => "operationState",
            Self::VimId => "vimId",
        }
    }
}

/// Something the orchestrator remembers.
pub trait Document: Serialize + DeserializeOwned + Send {
    /// The family of its key.
    const KIND: Kind;
    /// The version of its form; raise it with an arm in [`Document::upgrade`].
    const SCHEMA: u32 = 1;
    /// How long it is kept after it was last written, at least; none: until it is deleted.
    const KEPT_FOR: Option<SignedDuration> = None;
    /// Its identity within family and tenant.
    fn id(&self) -> String;
    /// Where else it can be found.
    fn index(&self) -> Vec<(Index, String)> {
        Vec::new()
    }
    /// An older form made into this one; `schema` is the form's number.
    #[must_use]
    fn upgrade(schema: u32, old: Value) -> Value {
        let _ = schema;
        old
    }
}

/// A document and the version it was read at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// Grows by one with every write; 1 for a new document.
    pub version: u64,
    /// The document.
    pub value: T,
}

impl<T> std::ops::Deref for Versioned<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// What must be true of the stored document for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It must not exist.
    Absent,
    /// It must exist.
    Present,
    /// It must be at this version.
    Version(u64),
    /// It may be in any state, or absent.
    Anything,
}

/// What happens to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It becomes this.
    Put {
        /// JSON text of the document.
        body: String,
        /// [`Document::SCHEMA`].
        schema: u32,
        /// [`Document::index`].
        index: Vec<(Index, String)>,
        /// [`Document::KEPT_FOR`].
        kept_for: Option<SignedDuration>,
    },
    /// It ceases to exist; a document that is absent stays absent.
    Delete,
    /// Nothing: only the expectation counts.
    Check,
    /// Top-level number fields of it grow, each within `0..=max`; the version rises.
    ///
    /// Adds of different plans commute, so they need no version.
    Add(Vec<Add>),
}

impl Change {
    /// The text of a document that is written; else empty.
    #[must_use]
    pub fn body(&self) -> &str {
        match self {
            Self::Put { body, .. } => body,
            Self::Delete | Self::Check | Self::Add(_) => "",
        }
    }
}

/// A bounded addition to one number of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// Top-level field of the document.
    pub field: &'static str,
    /// How much; may be negative.
    pub by: i64,
    /// The largest value it may reach; the smallest is 0.
    pub max: i64,
}

/// One document to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Which document.
    pub key: Key,
    /// What must be true now.
    pub expect: Expect,
    /// What shall be true after.
    pub change: Change,
}

/// Something the world shall hear of, exactly when the plan happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name: `vnf.instantiate.accepted`, noun first, verb, what became of it.
    pub name: String,
    /// The document it speaks of; facts of one document arrive in order.
    pub about: Key,
    /// Its content, at most [`Fact::MAX_BYTES`] of JSON.
    pub body: Value,
}

impl Fact {
    /// At most so many bytes of JSON are in a body: with its envelope it fits an event bus.
    pub const MAX_BYTES: usize = 32 << 10;
    /// What a stranger may have written is told up to this size, in bytes.
    const LONGEST_TEXT: usize = 2 << 10;

    /// A text as facts tell it: whole, or its beginning and `…`.
    #[must_use]
    pub fn brief(text: &str) -> String {
        beginning(text, Self::LONGEST_TEXT)
    }
}

/// A text of at most `most` bytes, or its beginning and `…`.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(most)])
}

/// A fact as it leaves the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Derived from the plan and the fact's place in it.
    pub id: Uuid,
    /// Rises per [`Fact::about`], from 1.
    pub seq: u64,
    /// When the plan was made.
    pub at: Timestamp,
    /// Where.
    pub site: String,
    /// Who made the plan, and why.
    pub origin: Origin,
    /// The fact.
    #[serde(flatten)]
    pub fact: Fact,
}

/// Who decides, when, and because of what: the head of every plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The plan's identity: the same identity commits once, for ever.
    pub id: Uuid,
    /// The time of the decision.
    pub at: Timestamp,
    /// Whose data it concerns.
    pub tenant: TenantId,
    /// The principal, or the component, that decided.
    pub actor: String,
    /// What the caller wants its answers to be recognised by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The fact or request that led here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

#[cfg(test)]
impl Origin {
    /// The head of a test's plan.
    pub(crate) fn test() -> Self {
        Self {
            id: Uuid::nil(),
            at: Timestamp::UNIX_EPOCH,
            tenant: TenantId::default(),
            actor: "test".into(),
            correlation: None,
            causation: None,
            trace: None,
        }
    }
}

impl Origin {
    /// The same, in answer to whoever asked for the operation; a caller's own wish comes first.
    #[must_use]
    pub fn answering(mut self, correlation: Option<&str>) -> Self {
        self.correlation = self.correlation.or_else(|| correlation.map(Into::into));
        self
    }
}

/// All of it or none of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Identity, time and author.
    pub origin: Origin,
    /// The documents to write; a key occurs once.
    pub writes: Vec<Write>,
    /// The facts to announce.
    pub facts: Vec<Fact>,
}

impl Plan {
    /// At most so many writes and facts go into one plan (DynamoDB takes 100).
    pub const MAX_ROWS: usize = 90;
    /// At most so many bytes of documents and facts go into one plan (DynamoDB takes 4 MB).
    pub const MAX_BYTES: usize = 3 << 20;
    /// So long its identity is remembered, at least: longer than any workflow, queue or archive lives.
    pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);

    /// A plan that changes nothing yet.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self { origin, writes: Vec::new(), facts: Vec::new() }
    }

    /// Writes a document that must not exist yet.
    #[must_use]
    pub fn create<T: Document>(self, value: &T) -> Self {
        self.put(Expect::Absent, value)
    }

    /// Writes a document over the version it was read at.
    #[must_use]
    pub fn update<T: Document>(self, read_at: u64, value: &T) -> Self {
        self.put(Expect::Version(read_at), value)
    }

    /// Writes a document under any expectation.
    #[must_use]
    pub fn put<T: Document>(self, expect: Expect, value: &T) -> Self {
        let key = Key::of::<T>(&self.origin.tenant, value.id());
        let change = Change::Put {
            body: text(value),
            schema: T::SCHEMA,
            index: value.index(),
            kept_for: T::KEPT_FOR,
        };
        self.write(key, expect, change)
    }

    /// Deletes a document read at a version.
    #[must_use]
    pub fn delete<T: Document>(self, read_at: u64, id: impl Into<String>) -> Self {
        let key = Key::of::<T>(&self.origin.tenant, id);
        self.write(key, Expect::Version(read_at), Change::Delete)
    }

    /// Demands something of a document without changing it.
    #[must_use]
    pub fn check<T: Document>(self, expect: Expect, id: impl Into<String>) -> Self {
        let key = Key::of::<T>(&self.origin.tenant, id);
        self.write(key, expect, Change::Check)
    }

    /// Adds to numbers of a document that must exist.
    #[must_use]
    pub fn add<T: Document>(self, id: impl Into<String>, adds: Vec<Add>) -> Self {
        let key = Key::of::<T>(&self.origin.tenant, id);
        self.write(key, Expect::Present, Change::Add(adds))
    }

    /// Announces a fact about a document.
    #[must_use]
    pub fn tell<T: Document>(self, about: impl Into<String>, name: &str, body: Value) -> Self {
        let about = Key::of::<T>(&self.origin.tenant, about);
        let mut plan = self;
        plan.facts.push(Fact { name: name.into(), about, body });
        plan
    }

    /// The fact at place `n` as it will leave the store, but for its sequence number.
    #[must_use]
    pub fn fact_id(&self, n: usize) -> Uuid {
        ids::derived(&[&self.origin.id.to_string(), &n.to_string()])
    }

    /// One write, spelled out.
    #[must_use]
    pub fn write(mut self, key: Key, expect: Expect, change: Change) -> Self {
        self.writes.push(Write { key, expect, change });
        self
    }
}

/// The stored form of a document.
fn text<T: Document>(value: &T) -> String {
    #[expect(clippy::expect_used, reason = "documents have string keys and no failing Serialize")]
    serde_json::to_string(value).expect("a document is JSON")
}
