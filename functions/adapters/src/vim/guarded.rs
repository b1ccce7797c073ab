//! A driver that stops asking a VIM which does not answer, so that nobody waits for nothing.
//!
//! Retrying is deliberately absent: workflows retry, with back-off and jitter, and a
//! second layer of it would multiply their calls.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use mano_model::{
    TenantId,
    resource::Want,
    vim::breaker::{Breaker, Rest},
};
use mano_ports::{
    clock::Clock,
    vim::{Error, Found, Place, Progress, Simulated, StepKey, Target, Vim},
};

/// A driver behind a circuit breaker per VIM.
pub(crate) struct Guarded {
    inner: Arc<dyn Vim>,
    clock: Arc<dyn Clock>,
    breakers: Mutex<HashMap<(TenantId, String), Breaker>>,
}

impl Guarded {
    pub(crate) fn new(inner: Arc<dyn Vim>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock, breakers: Mutex::default() }
    }

    /// Lets a call out, if the VIM has been answering.
    fn admit<'a>(&'a self, at: &Target) -> Result<Call<'a>, Error> {
        let now = self.clock.now();
        self.with(at, |breaker| breaker.admit(now)).map_err(|Rest { failures, until }| {
            Error::Transient(format!(
                "VIM '{}' was not asked, since its last {failures} calls had no answer; the next \
                 try is at {until:.0}",
                at.vim.id
            ))
        })?;
        Ok(Call { guarded: self, at: at.clone(), answered: None })
    }

    fn with<T>(&self, at: &Target, change: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let of = (at.tenant.clone(), at.vim.id.clone());
        change(breakers.entry(of).or_default())
    }
}

/// A call that is out; one that is dropped before its answer had none.
struct Call<'a> {
    guarded: &'a Guarded,
    at: Target,
    answered: Option<bool>,
}

impl Call<'_> {
    fn over<T>(mut self, answer: Result<T, Error>) -> Result<T, Error> {
        let silent = matches!(answer, Err(Error::Transient(_) | Error::AnswerLost(_)));
        self.answered = Some(!silent);
        answer
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let now = self.guarded.clock.now();
        self.guarded.with(&self.at, |breaker| match self.answered {
            Some(true) => breaker.answered(),
            Some(false) | None => breaker.failed(now),
        });
    }
}

#[async_trait]
impl Vim for Guarded {
    async fn ensure(
        &self,
        at: &Target,
        want: &Want,
        place: &Place,
        key: &StepKey,
        fence: u64,
    ) -> Result<Progress<String>, Error> {
        let call = self.admit(at)?;
        call.over(self.inner.ensure(at, want, place, key, fence).await)
    }

    async fn remove(&self, at: &Target, key: &StepKey, fence: u64) -> Result<Progress<()>, Error> {
        let call = self.admit(at)?;
        call.over(self.inner.remove(at, key, fence).await)
    }

    async fn look(&self, at: &Target, key: &StepKey) -> Result<Option<Progress<String>>, Error> {
        let call = self.admit(at)?;
        call.over(self.inner.look(at, key).await)
    }

    async fn list(
        &self,
        at: &Target,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Found>, Error> {
        let call = self.admit(at)?;
        call.over(self.inner.list(at, after, limit).await)
    }

    fn simulated(&self) -> Option<&dyn Simulated> {
        self.inner.simulated()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vim::{
        contract::{alone, done, vim_contract, want},
        sim::tests::{World, world},
    };
    use mano_model::{
        resource::ResourceKind,
        sim::{Behaviour, FailKind},
    };
    use std::time::Duration;

    fn guarded(w: &World) -> Arc<Guarded> {
        Arc::new(Guarded::new(w.vim.clone(), w.clock.clone()))
    }

    vim_contract!({
        let world = world();
        (guarded(&world), world.at.clone(), world)
    });

    async fn make(vim: &Guarded, w: &World) -> Result<Progress<String>, Error> {
        vim.ensure(&w.at, &want("a-1", ResourceKind::Network), &alone(), "op/a-1", 0).await
    }

    async fn told(w: &World, behaviour: Behaviour) {
        w.vim.behave(&w.at, behaviour).await.unwrap();
    }

    async fn calls(w: &World) -> u64 {
        w.vim.behaviour(&w.at).await.unwrap().calls
    }

    #[tokio::test]
    async fn a_vim_that_keeps_failing_is_left_alone_and_asked_again_after_a_pause() {
        let (w, most) = (world(), u64::from(Breaker::FAILURES));
        let vim = guarded(&w);
        told(&w, Behaviour { fail_nth: Some(1), fail_times: most, ..Behaviour::default() }).await;
        for _ in 0..most + 5 {
            assert!(matches!(make(&vim, &w).await, Err(Error::Transient(_))));
        }
        assert_eq!(calls(&w).await, most);
        let told = vim.list(&w.at, None, 1).await.unwrap_err().to_string();
        let until = w.clock.now() + Duration::from_secs(5);
        for part in [&format!("'{}'", w.at.vim.id), "last 10 calls", &until.to_string()] {
            assert!(told.contains(part), "{told}");
        }
        w.clock.advance(Duration::from_secs(5));
        done(make(&vim, &w).await.unwrap());
        assert_eq!(vim.list(&w.at, None, 1).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_vim_that_refuses_is_answering() {
        let w = world();
        let vim = guarded(&w);
        let (fail_nth, fail_kind) = (Some(1), FailKind::Permanent);
        told(&w, Behaviour { fail_nth, fail_times: 50, fail_kind, ..Behaviour::default() }).await;
        for _ in 0..50 {
            assert!(matches!(make(&vim, &w).await, Err(Error::Refused(_))));
        }
        done(make(&vim, &w).await.unwrap());
    }

    #[tokio::test]
    async fn a_call_that_was_given_up_counts_as_unanswered() {
        let w = world();
        let vim = guarded(&w);
        for _ in 0..Breaker::FAILURES {
            told(&w, Behaviour { hang_nth: Some(1), ..Behaviour::default() }).await;
            tokio::select! {
                biased;
                answer = make(&vim, &w) => panic!("{answer:?}"),
                () = hanging(&w) => {}
            }
        }
        assert!(matches!(make(&vim, &w).await, Err(Error::Transient(_))));
    }

    /// Returns once the VIM has taken the call that hangs.
    async fn hanging(w: &World) {
        while calls(w).await == 0 {
            tokio::task::yield_now().await;
        }
    }
}
