//! The store port on one `DynamoDB` table.
//!
//! The access patterns are in this crate's README; keys are in [`keys`].

mod commit;
mod facts;
mod item;
pub mod keys;
mod page;
mod read;
mod spill;
mod tries;
mod write;

pub(crate) use facts::Due;

use crate::{blobs::S3Blobs, clients::Clients, settings::Settings};
use async_trait::async_trait;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use commit::Prepared;
use mano_model::plan::{Key, Plan};
use mano_ports::{
    clock::Clock,
    store::{Error, Page, Query, Store, Stored},
};
use std::{fmt, sync::Arc};

/// The memory as a table, with large documents in a bucket.
pub struct DynamoStore {
    client: aws_sdk_dynamodb::Client,
    table: String,
    site: String,
    blobs: S3Blobs,
    clock: Arc<dyn Clock>,
}

impl DynamoStore {
    /// The table that the settings name.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings, clock: Arc<dyn Clock>) -> Self {
        Self {
            client: clients.dynamodb.clone(),
            table: settings.table.clone(),
            site: settings.site.clone(),
            blobs: S3Blobs::new(clients, settings),
            clock,
        }
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore").field("table", &self.table).finish_non_exhaustive()
    }
}

/// What the failure of a call to the table means: what can pass by itself, and what cannot.
fn failed<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    const LASTING: [&str; 5] = [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "SerializationException",
        "UnrecognizedClientException",
        "ValidationException",
    ];
    if error.code().is_some_and(|code| LASTING.contains(&code)) {
        return Error::Rejected(Box::new(error));
    }
    Error::Unavailable(Box::new(error))
}

#[async_trait]
impl Store for DynamoStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, Error> {
        self.one(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, Error> {
        self.many(keys).await
    }

    async fn page(&self, query: &Query) -> Result<Page, Error> {
        self.read_page(query).await
    }

    async fn commit(&self, plan: Plan) -> Result<(), Error> {
        self.carry_out(Prepared::new(plan)?).await
    }
}
