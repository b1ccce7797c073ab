//! Virtualised infrastructure managers: what every driver must be able to do.

use crate::clock::Clock;
use async_trait::async_trait;
use futures_util::future::{Either, select};
use mano_model::{
    Refusal, TenantId,
    resource::Want,
    sim::{Behaviour, SimVim},
    vim,
};
use std::{future::Future, pin::pin, sync::Arc, time::Duration};

/// What a VIM says to a wish that it does not grant.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It will not do this, ever: the sentence is the VIM's.
    #[error("the VIM refused: {0}")]
    Refused(String),
    /// It has no room for this.
    #[error("the VIM has no capacity: {0}")]
    NoCapacity(String),
    /// It did nothing, and may do it later.
    #[error("the VIM failed for the moment: {0}")]
    Transient(String),
    /// It may have done it: look before asking again.
    #[error("the VIM gave no answer: {0}")]
    AnswerLost(String),
}

/// The key a thing is made under: it is carried by the thing and found again by it.
pub type StepKey = str;

/// The answer of a VIM, or a lost answer when its time is up.
///
/// # Errors
/// What the VIM says; [`Error::AnswerLost`] after `limit`.
pub async fn within<T>(
    clock: &dyn Clock,
    limit: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    match select(pin!(call), clock.sleep(limit)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            Err(Error::AnswerLost(format!("nothing came within {} s", limit.as_secs())))
        }
    }
}

/// Work done, or under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress<T> {
    /// Done.
    Done(T),
    /// The VIM goes on by itself; look again after this long.
    Underway {
        /// When to look again.
        look_again: Duration,
    },
}

/// A thing as the VIM lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The VIM's own name of it.
    pub resource_id: String,
    /// The key it was made under; none: not made by us.
    pub key: Option<String>,
    /// The name it was given.
    pub name: String,
    /// `NETWORK`, `STORAGE`, `COMPUTE`.
    pub kind: String,
    /// Its zone.
    pub zone: String,
    /// `ACTIVE`, `BUILDING`, `DELETING`, `ERROR`: as the VIM says.
    pub status: String,
}

/// Which VIM, for whom.
#[derive(Debug, Clone)]
pub struct Target {
    /// Whose it is.
    pub tenant: TenantId,
    /// As registered, access information included.
    pub vim: Arc<vim::Vim>,
}

/// Where and among what a thing shall be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The zone.
    pub zone: String,
    /// The VIM's own names of what it is joined to, by our names.
    pub joins: Vec<(String, String)>,
    /// Members of one group are kept on different hosts.
    pub apart_group: Option<String>,
}

/// A driver.
///
/// * The same key twice makes one thing, also after a lost answer.
/// * Removing what is absent is done.
/// * Everything made carries its key, so `list` finds it.
/// * After a `remove` with fence `n`, an `ensure` of that key with a fence below `n` is refused:
///   a late delivery cannot bring back what was rolled back.
#[async_trait]
pub trait Vim: Send + Sync {
    /// Makes it, or finds it made; the result is the VIM's own name of it.
    async fn ensure(
        &self,
        at: &Target,
        want: &Want,
        place: &Place,
        key: &StepKey,
        fence: u64,
    ) -> Result<Progress<String>, Error>;
    /// Removes whatever carries the key.
    async fn remove(&self, at: &Target, key: &StepKey, fence: u64) -> Result<Progress<()>, Error>;
    /// What carries the key and is whole; `Underway` while it is being made.
    async fn look(&self, at: &Target, key: &StepKey) -> Result<Option<Progress<String>>, Error>;
    /// What really exists there, ordered by the VIM's own names, from after `after`.
    async fn list(
        &self,
        at: &Target,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>, Error>;
    /// What can be asked of it only because it is a simulation.
    fn simulated(&self) -> Option<&dyn Simulated> {
        None
    }
}

/// What only a simulated VIM can do: be told how to behave.
#[async_trait]
pub trait Simulated: Send + Sync {
    /// How it behaves, and how far it has counted calls.
    async fn behaviour(&self, at: &Target) -> Result<SimVim, Error>;
    /// Behaves so from now on, and counts calls anew.
    async fn behave(&self, at: &Target, behaviour: Behaviour) -> Result<SimVim, Error>;
    /// Loses a thing by itself; `false`: there was none of this name.
    async fn lose(&self, at: &Target, resource_id: &str) -> Result<bool, Error>;
}

/// The drivers this installation has.
pub trait Vims: Send + Sync {
    /// The driver of a `vimType`; a refusal names the types there are.
    fn driver(&self, vim_type: &str) -> Result<Arc<dyn Vim>, Refusal>;
}

/// No VIM at all: for functions that speak to none.
#[derive(Debug)]
pub struct NoVims;

impl Vims for NoVims {
    fn driver(&self, vim_type: &str) -> Result<Arc<dyn Vim>, Refusal> {
        let detail = format!("this function speaks to no VIM of type '{vim_type}'");
        Err(Refusal::unprocessable(detail))
    }
}
