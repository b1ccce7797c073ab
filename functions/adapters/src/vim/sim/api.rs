//! The simulated VIM as it would be over the wire: no unique names, a memory of its own, bad days.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use mano_model::{
    plan::{Origin, Plan, Versioned},
    resource::{ResourceKind, Want},
    sim::{
        self, Ask, Behaviour, FailKind, Memory, No, SimFence, SimGroup, SimResource, SimSite,
        SimVim, SimZone, Status, Verdict,
    },
};
use mano_ports::{
    clock::Clock,
    store::{self, Query, Store},
    vim::{Error, Place, Target},
};
use uuid::Uuid;

use super::turns::Turns;

/// So often a lost race is run again before the VIM says it is busy.
const RACES: usize = 100;

/// A thing as it was read.
pub(super) type Thing = Versioned<SimResource>;

pub(super) struct Api {
    memory: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// The VIMs whose calls are being counted.
    counting: Turns,
}

impl Api {
    pub(super) fn new(memory: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { memory, clock, counting: Turns::default() }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The VIM is no step of ours: what it decides is its own, so each decision is fresh.
    fn origin(&self, at: &Target) -> Origin {
        Origin {
            id: Uuid::new_v4(),
            at: self.now(),
            tenant: at.tenant.clone(),
            actor: format!("vim {}", at.vim.id),
            correlation: None,
            causation: None,
            trace: None,
        }
    }

    /// Makes a thing that carries `key`; making twice makes two.
    pub(super) async fn create(
        &self,
        at: &Target,
        want: &Want,
        place: &Place,
        key: &str,
        fence: u64,
    ) -> Result<SimResource, Error> {
        let (behaviour, verdict) = self.called(at).await?;
        if behaviour.refuses(want.kind, &want.name) {
            return Err(Error::Refused(format!("no '{}' is made here", want.name)));
        }
        let fails = verdict == Verdict::Fail(FailKind::Later);
        if !fails {
            fail(verdict)?;
        }
        let ask = Ask {
            vim: &at.vim.id,
            zone: &place.zone,
            want,
            key,
            fence,
            group: place.apart_group.as_deref().filter(|_| want.kind == ResourceKind::Compute),
            lasts_ms: behaviour.asynchronous_ms,
            fails,
        };
        let made = self.make(at, &ask, place).await?;
        answer(verdict, made)
    }

    async fn make(&self, at: &Target, ask: &Ask<'_>, place: &Place) -> Result<SimResource, Error> {
        for _ in 0..RACES {
            let memory = self.recall(at, ask, place).await?;
            let (plan, made) = sim::make(self.origin(at), ask, &memory).map_err(no)?;
            if self.committed(plan).await? {
                return Ok(made);
            }
        }
        Err(busy())
    }

    async fn recall(&self, at: &Target, ask: &Ask<'_>, place: &Place) -> Result<Memory, Error> {
        let mut joins: Vec<(String, Option<Thing>)> = Vec::new();
        for (_, id) in &place.joins {
            // Two ports on one network are one use of it.
            if joins.iter().any(|(known, _)| known == id) {
                continue;
            }
            let id_here = SimResource::id_of(ask.vim, id);
            joins.push((id.clone(), self.find::<SimResource>(at, &id_here).await?));
        }
        let group = match ask.group {
            Some(group) => self.find::<SimGroup>(at, &SimGroup::id_of(ask.vim, group)).await?,
            None => None,
        };
        Ok(Memory {
            sites: SimSite::all_of(&at.vim),
            zone: self.find::<SimZone>(at, &SimZone::id_of(ask.vim, ask.zone)).await?,
            group,
            joins,
            fence: self.fence(at, ask.key).await?,
        })
    }

    /// Removes a thing; the time until it is gone, where that takes a while.
    pub(super) async fn delete(
        &self,
        at: &Target,
        thing: &str,
    ) -> Result<Option<Timestamp>, Error> {
        let (behaviour, verdict) = self.called(at).await?;
        fail(verdict)?;
        let id = SimResource::id_of(&at.vim.id, thing);
        for _ in 0..RACES {
            let Some(thing) = self.find::<SimResource>(at, &id).await? else {
                return answer(verdict, None);
            };
            if thing.status(self.now()) == Status::Deleting {
                return answer(verdict, Some(thing.due()));
            }
            let plan = self.unmake(at, &thing, behaviour.asynchronous_ms).await?;
            if self.committed(plan).await? && behaviour.asynchronous_ms == 0 {
                return answer(verdict, None);
            }
        }
        Err(busy())
    }

    async fn unmake(&self, at: &Target, thing: &Thing, lasts_ms: u64) -> Result<Plan, Error> {
        let gone = thing.status(self.now()) == Status::Gone;
        if lasts_ms > 0 && !gone {
            return sim::begin_to_unmake(self.origin(at), thing, lasts_ms).map_err(no);
        }
        let (group, joined) = self.ties(at, thing).await?;
        sim::unmake(self.origin(at), thing, group.as_ref(), &joined).map_err(no)
    }

    /// The group a thing is in, and what of its joins still exists.
    async fn ties(
        &self,
        at: &Target,
        thing: &SimResource,
    ) -> Result<(Option<Versioned<SimGroup>>, Vec<Thing>), Error> {
        let vim = &at.vim.id;
        let group = match &thing.group {
            Some(group) => self.find::<SimGroup>(at, &SimGroup::id_of(vim, group)).await?,
            None => None,
        };
        let mut joined = Vec::new();
        for id in &thing.joins {
            joined.extend(self.find::<SimResource>(at, &SimResource::id_of(vim, id)).await?);
        }
        Ok((group, joined))
    }

    /// Everything that carries `key` and is not gone.
    pub(super) async fn by_key(&self, at: &Target, key: &str) -> Result<Vec<Thing>, Error> {
        let stem = SimResource::id_of(&at.vim.id, &format!("{}-", SimResource::stem(key)));
        let mut query = Query::all::<SimResource>(&at.tenant).within(&at.vim.id).limit(8);
        query.after = Some(stem.clone());
        let mut found = Vec::new();
        loop {
            let page = self.memory.page(&query).await.map_err(stored)?;
            let mut beyond = false;
            for stored_thing in &page.documents {
                beyond |= !stored_thing.key.id.starts_with(&stem);
                if !beyond {
                    found.push(stored_thing.decode::<SimResource>().map_err(stored)?);
                }
            }
            query.after = page.next;
            if beyond || query.after.is_none() {
                break;
            }
        }
        found.retain(|thing| thing.key == key);
        self.without_gone(at, found).await
    }

    /// Sweeps what is gone by now.
    async fn without_gone(&self, at: &Target, found: Vec<Thing>) -> Result<Vec<Thing>, Error> {
        let now = self.now();
        let (gone, there): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|thing| thing.status(now) == Status::Gone);
        for thing in gone {
            self.sweep(at, &thing.resource_id).await?;
        }
        Ok(there)
    }

    /// Forgets a thing and settles its accounts; `false`: there was none.
    async fn sweep(&self, at: &Target, thing: &str) -> Result<bool, Error> {
        let id = SimResource::id_of(&at.vim.id, thing);
        for _ in 0..RACES {
            let Some(thing) = self.find::<SimResource>(at, &id).await? else { return Ok(false) };
            let (group, joined) = self.ties(at, &thing).await?;
            let plan = sim::sweep(self.origin(at), &thing, group.as_ref(), &joined);
            if self.committed(plan).await? {
                return Ok(thing.status(self.now()) != Status::Gone);
            }
        }
        Err(busy())
    }

    /// A page of everything that is not gone, by the VIM's own names.
    pub(super) async fn list(
        &self,
        at: &Target,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Thing>, Error> {
        self.pause(&self.behaviour(at).await?).await;
        let after = after.map(|id| SimResource::id_of(&at.vim.id, id));
        let mut query = Query::all::<SimResource>(&at.tenant).within(&at.vim.id).after(after);
        let mut all = Vec::new();
        while all.len() < limit {
            query.limit = limit - all.len();
            let page = self.memory.page(&query).await.map_err(stored)?;
            let things = page.documents.iter().map(|d| d.decode::<SimResource>().map_err(stored));
            let things = things.collect::<Result<Vec<_>, _>>()?;
            all.extend(self.without_gone(at, things).await?);
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        Ok(all)
    }

    /// The fence of a key.
    pub(super) async fn fence(
        &self,
        at: &Target,
        key: &str,
    ) -> Result<Option<Versioned<SimFence>>, Error> {
        self.find::<SimFence>(at, &SimFence::id_of(&at.vim.id, key)).await
    }

    /// Nobody below `fence` makes a thing of this key from now on.
    pub(super) async fn raise(&self, at: &Target, key: &str, fence: u64) -> Result<(), Error> {
        for _ in 0..RACES {
            let read = self.fence(at, key).await?;
            let plan = sim::fence(self.origin(at), &at.vim.id, key, read.as_ref(), fence);
            let Some(plan) = plan else { return Ok(()) };
            if self.committed(plan).await? {
                return Ok(());
            }
        }
        Err(busy())
    }

    /// How it behaves.
    pub(super) async fn state(&self, at: &Target) -> Result<Versioned<SimVim>, Error> {
        let found = self.find::<SimVim>(at, &at.vim.id).await?;
        let vim_id = at.vim.id.clone();
        let first = || Versioned { version: 0, value: SimVim { vim_id, ..SimVim::default() } };
        Ok(found.unwrap_or_else(first))
    }

    async fn behaviour(&self, at: &Target) -> Result<Behaviour, Error> {
        Ok(self.state(at).await?.value.behaviour)
    }

    /// Behaves so from now on.
    pub(super) async fn behave(&self, at: &Target, behaviour: Behaviour) -> Result<SimVim, Error> {
        let state = SimVim { vim_id: at.vim.id.clone(), behaviour, calls: 0 };
        let plan = Plan::new(self.origin(at)).put(mano_model::plan::Expect::Anything, &state);
        self.memory.commit(plan).await.map_err(stored)?;
        Ok(state)
    }

    /// A thing is gone without anybody having asked; `false`: there was none.
    pub(super) async fn lose(&self, at: &Target, thing: &str) -> Result<bool, Error> {
        self.sweep(at, thing).await
    }

    /// Waits as long as the VIM takes for a look.
    pub(super) async fn looked_at(&self, at: &Target) -> Result<(), Error> {
        self.pause(&self.behaviour(at).await?).await;
        Ok(())
    }

    /// A call that makes or removes: counted where it matters, as slow as all, and never
    /// answered where it hangs.
    async fn called(&self, at: &Target) -> Result<(Behaviour, Verdict), Error> {
        let (behaviour, n) = self.count(at).await?;
        self.pause(&behaviour).await;
        let verdict = n.map_or(Verdict::Go, |n| behaviour.verdict(n));
        if verdict == Verdict::Hang {
            std::future::pending::<()>().await;
        }
        Ok((behaviour, verdict))
    }

    async fn count(&self, at: &Target) -> Result<(Behaviour, Option<u64>), Error> {
        let read = self.state(at).await?;
        if !read.behaviour.counts() {
            return Ok((read.value.behaviour, None));
        }
        // A thousand calls at once would lose each race but one: only other processes race.
        let _turn = self.counting.take(&format!("{}\u{1f}{}", at.tenant, at.vim.id)).await;
        for _ in 0..RACES {
            let read = self.state(at).await?;
            let state = SimVim { calls: read.calls + 1, ..read.value };
            let plan = Plan::new(self.origin(at)).update(read.version, &state);
            if self.committed(plan).await? {
                return Ok((state.behaviour, Some(state.calls)));
            }
        }
        Err(busy())
    }

    async fn pause(&self, behaviour: &Behaviour) {
        if behaviour.latency_ms > 0 {
            self.clock.sleep(Duration::from_millis(behaviour.latency_ms)).await;
        }
    }

    async fn find<T: mano_model::plan::Document>(
        &self,
        at: &Target,
        id: &str,
    ) -> Result<Option<Versioned<T>>, Error> {
        let found = self.memory.get(&mano_model::plan::Key::of::<T>(&at.tenant, id)).await;
        found.map_err(stored)?.map(|found| found.decode()).transpose().map_err(stored)
    }

    /// Whether the plan was carried out; `false`: somebody else was first.
    async fn committed(&self, plan: Plan) -> Result<bool, Error> {
        match self.memory.commit(plan).await {
            Ok(()) => Ok(true),
            Err(store::Error::Conflict(_)) => Ok(false),
            Err(error) => Err(stored(error)),
        }
    }
}

fn fail(verdict: Verdict) -> Result<(), Error> {
    match verdict {
        Verdict::Go | Verdict::LoseAnswer | Verdict::Hang => Ok(()),
        Verdict::Fail(FailKind::Transient | FailKind::Later) => {
            Err(Error::Transient("it is told to fail this call".into()))
        }
        Verdict::Fail(FailKind::Permanent) => {
            Err(Error::Refused("it is told to refuse this call".into()))
        }
        Verdict::Fail(FailKind::NoCapacity) => {
            Err(Error::NoCapacity("it is told to have no room for this call".into()))
        }
    }
}

fn answer<T>(verdict: Verdict, value: T) -> Result<T, Error> {
    if verdict == Verdict::LoseAnswer {
        return Err(Error::AnswerLost("it is told to lose the answer of this call".into()));
    }
    Ok(value)
}

fn no(no: No) -> Error {
    match no {
        No::Refused(detail) => Error::Refused(detail),
        No::NoCapacity(detail) => Error::NoCapacity(detail),
        No::Busy(detail) => Error::Transient(detail),
    }
}

fn busy() -> Error {
    Error::Transient("too many want the same at once".into())
}

/// A failure of the VIM's own memory, as its client would see it.
fn stored(error: store::Error) -> Error {
    let text = mano_ports::Error::from(error).chain();
    Error::Transient(text)
}
