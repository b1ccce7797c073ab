//! The memory of the orchestrator: versioned documents, committed together or not at all.

use crate::error::Source;
use async_trait::async_trait;
use mano_model::{
    Refusal, TenantId,
    plan::{Document, Fact, Index, Key, Kind, Plan, Versioned},
};
use serde_json::Value;
use std::collections::HashSet;

/// Why the store said no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Someone else wrote first; read again and decide again.
    #[error("{} '{}' changed since it was read", .0.kind.noun(), .0.id)]
    Conflict(Key),
    /// An addition would leave the bounds of its number.
    #[error("{field} of {} '{}' has no room for this", .key.kind.noun(), .key.id)]
    Exhausted {
        /// Which document.
        key: Key,
        /// Which number.
        field: &'static str,
    },
    /// The plan writes a document twice: a defect of whoever made it.
    #[error("a plan writes {} '{}' twice", .0.kind.noun(), .0.id)]
    Twice(Key),
    /// The plan is larger than a plan may be: a defect of whoever made it.
    #[error("a plan of {rows} rows and {bytes} bytes is too large")]
    TooLarge {
        /// Writes and facts.
        rows: usize,
        /// Bytes of documents and facts.
        bytes: usize,
    },
    /// A fact of the plan is larger than a fact may be: a defect of whoever made it.
    #[error("the fact '{name}' of {bytes} bytes is too large")]
    FactTooLarge {
        /// The fact's name.
        name: String,
        /// Bytes of its body.
        bytes: usize,
    },
    /// The store could not be reached; the same call may succeed later.
    #[error("the store is unavailable")]
    Unavailable(#[source] Source),
    /// The store does not take the call itself, now or later: a defect, of ours or of the
    /// deployment's rights.
    #[error("the store does not take this call")]
    Rejected(#[source] Source),
    /// The stored document is not what its type says: a defect.
    #[error("{} '{}' cannot be read", .key.kind.noun(), .key.id)]
    Malformed {
        /// Which document.
        key: Key,
        /// What the decoder said.
        #[source]
        source: serde_json::Error,
    },
    /// The stored document was written by a newer version of this software.
    #[error("{} '{}' has form {schema}, newer than this software knows", .key.kind.noun(), .key.id)]
    Newer {
        /// Which document.
        key: Key,
        /// Its form.
        schema: u32,
    },
}

/// A document as it lies in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which document.
    pub key: Key,
    /// Grows by one with every write; 1 for a new document.
    pub version: u64,
    /// [`Document::SCHEMA`] of whoever wrote it.
    pub schema: u32,
    /// JSON text.
    pub body: String,
}

impl Stored {
    /// The document as its type.
    pub fn decode<T: Document>(&self) -> Result<Versioned<T>, Error> {
        let malformed = |source| Error::Malformed { key: self.key.clone(), source };
        let value = if self.schema == T::SCHEMA {
            serde_json::from_str(&self.body).map_err(malformed)?
        } else if self.schema > T::SCHEMA {
            return Err(Error::Newer { key: self.key.clone(), schema: self.schema });
        } else {
            let old: Value = serde_json::from_str(&self.body).map_err(malformed)?;
            serde_json::from_value(T::upgrade(self.schema, old)).map_err(malformed)?
        };
        Ok(Versioned { version: self.version, value })
    }
}

/// Which documents, in which order: one kind of one tenant, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The family.
    pub kind: Kind,
    /// Whose.
    pub tenant: TenantId,
    /// Only the children of this parent: ids that begin with `{parent}/`.
    pub within: Option<String>,
    /// Only documents found under this value of an index; may lag behind commits.
    pub index: Option<(Index, String)>,
    /// Only ids greater than this: where the page before ended.
    pub after: Option<String>,
    /// At most so many documents.
    pub limit: usize,
}

impl Query {
    /// Everything of a kind.
    #[must_use]
    pub fn all<T: Document>(tenant: &TenantId) -> Self {
        Self {
            kind: T::KIND,
            tenant: tenant.clone(),
            within: None,
            index: None,
            after: None,
            limit: 100,
        }
    }

    /// Only the children of `parent`.
    #[must_use]
    pub fn within(self, parent: impl Into<String>) -> Self {
        Self { within: Some(parent.into()), ..self }
    }

    /// Only what an index has under `value`.
    #[must_use]
    pub fn by(self, index: Index, value: impl Into<String>) -> Self {
        Self { index: Some((index, value.into())), ..self }
    }

    /// Only what comes after `id`.
    #[must_use]
    pub fn after(self, id: Option<String>) -> Self {
        Self { after: id, ..self }
    }

    /// At most `limit` documents.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }
}

/// Documents in the order of their ids.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Page {
    /// What was found.
    pub documents: Vec<Stored>,
    /// Where to go on; none: nothing more. May come with an empty page.
    pub next: Option<String>,
}

/// What every store demands of a plan before it looks at what it has; its rows and its bytes.
///
/// # Errors
/// [`Error::Twice`], [`Error::FactTooLarge`], [`Error::TooLarge`].
pub fn check(plan: &Plan) -> Result<(usize, usize), Error> {
    let mut keys = HashSet::with_capacity(plan.writes.len());
    if let Some(twice) = plan.writes.iter().find(|write| !keys.insert(&write.key)) {
        return Err(Error::Twice(twice.key.clone()));
    }
    let mut bytes: usize = plan.writes.iter().map(|write| write.change.body().len()).sum();
    for Fact { name, body, .. } in &plan.facts {
        let fact = body.to_string().len();
        if fact > Fact::MAX_BYTES {
            return Err(Error::FactTooLarge { name: name.clone(), bytes: fact });
        }
        bytes += fact;
    }
    let rows = plan.writes.len() + plan.facts.len();
    if rows > Plan::MAX_ROWS || bytes > Plan::MAX_BYTES {
        return Err(Error::TooLarge { rows, bytes });
    }
    Ok((rows, bytes))
}

/// Versioned documents, committed together or not at all.
///
/// * A read after a commit sees that commit.
/// * A plan whose expectations do not all hold changes nothing and announces nothing.
/// * The same plan id twice commits once, also much later: the second time is a success
///   that changes nothing.
/// * A key occurs once in a plan ([`Error::Twice`]); a plan has at most [`Plan::MAX_ROWS`] rows
///   and [`Plan::MAX_BYTES`] bytes ([`Error::TooLarge`]), each of its facts at most
///   [`Fact::MAX_BYTES`] ([`Error::FactTooLarge`]).
/// * A document's version is 1 when new and grows by one with every write; an id that was
///   deleted and created again starts at 1.
/// * An addition, of nothing too, that would leave its bounds fails the plan with
///   [`Error::Exhausted`]; a number that is not there counts as 0.
/// * A page is ordered by id (bytes of UTF-8), shows no other kind, tenant or parent, and
///   leads to every document through [`Page::next`]; by an index it may lag.
/// * Every fact of a commit is delivered at least once to every listener; facts about one
///   document in the order of their `seq`, which rises by one from 1.
#[async_trait]
pub trait Store: Send + Sync {
    /// The document, or `None` if it is not there.
    async fn get(&self, key: &Key) -> Result<Option<Stored>, Error>;
    /// The documents in the order of the keys, `None` for those that are not there.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, Error>;
    /// One page.
    async fn page(&self, query: &Query) -> Result<Page, Error>;
    /// Carries the plan out, whole or not at all.
    async fn commit(&self, plan: Plan) -> Result<(), Error>;
}

impl dyn Store {
    /// The document as its type, if it is there.
    pub async fn find<T: Document>(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Option<Versioned<T>>, crate::Error> {
        let found = self.get(&Key::of::<T>(tenant, id)).await?;
        Ok(found.map(|stored| stored.decode()).transpose()?)
    }

    /// The document as its type; absence is a refusal.
    pub async fn read<T: Document>(
        &self,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Versioned<T>, crate::Error> {
        let found = self.find(tenant, id).await?;
        found.ok_or_else(|| Refusal::absent(T::KIND.noun(), id).into())
    }

    /// Every child of `parent`, however many pages they take.
    pub async fn children<T: Document>(
        &self,
        tenant: &TenantId,
        parent: &str,
    ) -> Result<Vec<Versioned<T>>, crate::Error> {
        self.every(Query::all::<T>(tenant).within(parent)).await
    }

    /// Every document a query finds, however many pages they take; the query's limit is
    /// the size of a page.
    pub async fn every<T: Document>(
        &self,
        mut query: Query,
    ) -> Result<Vec<Versioned<T>>, crate::Error> {
        let mut all = Vec::new();
        loop {
            let page = self.page(&query).await?;
            for stored in &page.documents {
                all.push(stored.decode()?);
            }
            let Some(next) = page.next else { return Ok(all) };
            query.after = Some(next);
        }
    }
}
