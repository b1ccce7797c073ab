//! The laws of the ports as tests, stamped out for each implementation.
//!
//! ```text
//!   mano_ports::store_contract!(fresh_store().await);
//! ```
//!
//! Each test takes a fresh, empty implementation. What a law says about deliveries is tested on
//! what the rows of [`FUNCTION`] see: the host under test must serve that function.

#![expect(clippy::expect_used, clippy::panic, reason = "a contract reports by panicking")]

pub mod blobs;
pub mod bus;
mod function;
pub mod queue;
pub mod store;
pub mod workflows;

pub use function::{FUNCTION, Note, WORKFLOWS, note};

use crate::store::{Query, Store};
use mano_model::{TenantId, plan::Origin};
use std::future::Future;
use uuid::Uuid;

/// A store that lives as long as it likes: what `find` and `read` are methods of.
pub(crate) type Memory = dyn Store;

/// Whose data the tests use.
pub(crate) fn tenant() -> TenantId {
    TenantId::new("contract")
}

/// The head of a plan nobody made before.
pub(crate) fn fresh() -> Origin {
    Origin {
        id: Uuid::new_v4(),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: tenant(),
        actor: "contract".into(),
        correlation: None,
        causation: None,
        trace: None,
    }
}

/// Asks again until there is an answer; gives up after a minute.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(60);
    let answer = tokio::time::timeout(limit, asking).await;
    answer.unwrap_or_else(|_| panic!("{what}: not within a minute"))
}

/// The ids a query finds, over all pages.
pub(crate) async fn ids(store: &Memory, mut query: Query) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        let page = store.page(&query).await.expect("page");
        assert!(page.documents.len() <= query.limit, "a page is within its limit");
        ids.extend(page.documents.into_iter().map(|stored| stored.key.id));
        let Some(next) = page.next else { return ids };
        query.after = Some(next);
    }
}
