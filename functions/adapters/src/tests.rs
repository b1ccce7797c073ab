//! What the tests of this crate stand on: a simulated VIM, an operation with a grant, held time.

mod publish;
mod routes;
mod steps;

use crate::{FUNCTION, vim::drivers};
use async_trait::async_trait;
use jiff::Timestamp;
use mano_embedded::{
    FolderBlobs, HeldClock, LocalBus, RandomIds, SqliteStore,
    store::{Options, Synchronous},
};
use mano_model::{
    TenantId,
    grant::{Grant, Owner, Placement},
    plan::{Origin, Plan},
    resource::{Amounts, Presence, Resource, ResourceKind, Want},
    sim::{Behaviour, FailKind},
    step::{State, Step},
    vim::{
        Vim, Zone,
        register::{NewVim, register},
    },
    vnf::op::{Operation, VnfOp},
    watch::Watch,
};
use mano_ports::{
    Cx, Error,
    clock::Clock,
    function::{Function, StepCall},
    queue::{self, Message, Queue},
    store::Query,
    vim::{Found, Target},
    workflows::{self, Listing, Outcome, Run, Workflows},
};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use uuid::Uuid;

/// Every name of the operation `op`, in the order a workflow makes them.
const NAMES: [&str; 4] = ["net", "a-1.disk", "a-1", "a-2"];

/// An engine that writes down what it is told; workflows themselves run in the whole's tests.
#[derive(Default)]
struct Told {
    resumed: Mutex<Vec<(String, Outcome)>>,
}

#[async_trait]
impl Workflows for Told {
    async fn start(&self, name: &str, _: &str, _: Value) -> Result<Option<Run>, workflows::Error> {
        Err(workflows::Error::Absent(name.into()))
    }
    async fn resume(&self, token: &str, outcome: Outcome) -> Result<(), workflows::Error> {
        self.resumed.lock().unwrap().push((token.into(), outcome));
        Ok(())
    }
    async fn stop(&self, _: &str, run: &str, _: &str) -> Result<(), workflows::Error> {
        Err(workflows::Error::Absent(run.into()))
    }
    async fn workflows(&self) -> Result<Vec<String>, workflows::Error> {
        Ok(Vec::new())
    }
    async fn definition(&self, name: &str) -> Result<String, workflows::Error> {
        Err(workflows::Error::Absent(name.into()))
    }
    async fn runs(
        &self,
        _: &str,
        _: Option<&str>,
        _: usize,
    ) -> Result<Listing<Run>, workflows::Error> {
        Ok(Listing { items: Vec::new(), next: None })
    }
    async fn describe(&self, _: &str, run: &str) -> Result<Run, workflows::Error> {
        Err(workflows::Error::Absent(run.into()))
    }
    async fn history(
        &self,
        _: &str,
        run: &str,
        _: Option<&str>,
        _: usize,
    ) -> Result<Listing<Value>, workflows::Error> {
        Err(workflows::Error::Absent(run.into()))
    }
}

/// Messages until the test hands them over, so that it decides what happens when.
#[derive(Default)]
struct Waiting(Mutex<Vec<Message>>);

#[async_trait]
impl Queue for Waiting {
    async fn send(&self, message: Message) -> Result<(), queue::Error> {
        let mut waiting = self.0.lock().unwrap();
        if !waiting.iter().any(|other| other.dedup == message.dedup) {
            waiting.push(message);
        }
        Ok(())
    }
}

/// The ports, held by the test, and an operation with a grant and its reservation.
struct World {
    cx: Cx,
    clock: Arc<HeldClock>,
    told: Arc<Told>,
    waiting: Arc<Waiting>,
    bus: Arc<LocalBus>,
    tenant: TenantId,
    _folder: TempDir,
}

/// Nothing here survives a power cut, and nothing has to.
fn quick() -> Options {
    Options { synchronous: Synchronous::Off, ..Options::default() }
}

fn origin(tenant: &TenantId) -> Origin {
    Origin {
        id: Uuid::new_v4(),
        at: Timestamp::UNIX_EPOCH,
        tenant: tenant.clone(),
        actor: "test".into(),
        correlation: None,
        causation: None,
        trace: None,
    }
}

fn placement(name: &str, kind: ResourceKind, vcpus: i64, joins: &[&str]) -> Placement {
    let want = Want {
        name: name.into(),
        kind,
        template: name.split('-').next().unwrap_or(name).into(),
        amounts: Amounts { vcpu_milli: vcpus * 1000, memory_mib: vcpus * 1024, storage_gib: 1 },
        image: None,
        joins: joins.iter().map(ToString::to_string).collect(),
    };
    let apart_group = (kind == ResourceKind::Compute).then(|| "vnf/a".into());
    Placement { want, vim_id: "east".into(), zone_id: "z".into(), apart_group }
}

fn grant() -> Grant {
    Grant {
        op_id: "op".into(),
        owner: Owner::Vnf,
        instance_id: "vnf".into(),
        adds: vec![
            placement("net", ResourceKind::Network, 0, &[]),
            placement("a-1.disk", ResourceKind::Storage, 0, &[]),
            placement("a-1", ResourceKind::Compute, 2, &["net", "a-1.disk"]),
            placement("a-2", ResourceKind::Compute, 2, &["net"]),
        ],
        removes: Vec::new(),
    }
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(HeldClock::new(Timestamp::UNIX_EPOCH));
        let open = |name: &str| {
            let path = folder.path().join(name);
            Arc::new(SqliteStore::open(&path, &quick()).unwrap())
        };
        let (told, waiting) = (Arc::new(Told::default()), Arc::new(Waiting::default()));
        let bus = Arc::new(LocalBus::default());
        let cx = Cx {
            store: open("ours"),
            workflows: told.clone(),
            bus: bus.clone(),
            queue: waiting.clone(),
            blobs: Arc::new(FolderBlobs::open(&folder.path().join("blobs")).unwrap()),
            vims: drivers(open("theirs"), clock.clone()),
            clock: clock.clone(),
            ids: Arc::new(RandomIds),
        };
        let tenant = TenantId::default();
        let world = Self { cx, clock, told, waiting, bus, tenant, _folder: folder };
        world.seed().await;
        world
    }

    async fn seed(&self) {
        let east: NewVim = serde_json::from_value(json!({ "id": "east", "vimType": "sim",
            "zones": [{ "id": "z", "vcpus": 8, "memoryGib": 64, "storageGib": 100 }] }))
        .unwrap();
        let made = register(origin(&self.tenant), &east, None).unwrap();
        self.commit(made.plan).await;
        let at = Timestamp::UNIX_EPOCH;
        let op = VnfOp::accepted("op".into(), "vnf", Operation::Instantiate, json!({}), at);
        self.commit(Plan::new(origin(&self.tenant)).create(&op)).await;
        self.granted(&grant()).await;
    }

    /// Commits a grant with its reservation, as the grant's step does.
    async fn granted(&self, grant: &Grant) {
        let zone = self.zone().await;
        let all = grant.adds.iter().fold(Amounts::default(), |sum, p| sum + p.want.amounts);
        let reserve = Zone::reserve(zone.capacity, all);
        let plan = Plan::new(origin(&self.tenant)).create(grant);
        self.commit(plan.add::<Zone>(Zone::id_of("east", "z"), reserve)).await;
    }

    async fn commit(&self, plan: Plan) {
        self.cx.store.commit(plan).await.unwrap();
    }

    async fn zone(&self) -> Zone {
        self.cx.store.read::<Zone>(&self.tenant, "east/z").await.unwrap().value
    }

    async fn target(&self) -> Target {
        let vim = self.cx.store.read::<Vim>(&self.tenant, "east").await.unwrap();
        Target { tenant: self.tenant.clone(), vim: Arc::new(vim.value) }
    }

    async fn behave(&self, behaviour: Behaviour) {
        let driver = self.cx.vims.driver("sim").unwrap();
        let target = self.target().await;
        driver.simulated().unwrap().behave(&target, behaviour).await.unwrap();
    }

    /// What exists at the VIM, by name.
    async fn there(&self) -> Vec<Found> {
        let driver = self.cx.vims.driver("sim").unwrap();
        let mut found = driver.list(&self.target().await, None, 100).await.unwrap();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    async fn step(&self, name: &str) -> Option<Step> {
        let id = Step::id_of("op", name);
        let found = self.cx.store.find::<Step>(&self.tenant, &id).await.unwrap();
        found.map(|step| step.value)
    }

    async fn row(&self, name: &str) -> Option<Resource> {
        let id = Resource::id_of("vnf", name);
        let found = self.cx.store.find::<Resource>(&self.tenant, &id).await.unwrap();
        found.map(|row| row.value)
    }

    async fn rows(&self) -> Vec<Resource> {
        let all = Query::all::<Resource>(&self.tenant);
        let rows = self.cx.store.every::<Resource>(all).await.unwrap();
        rows.into_iter().map(|row| row.value).collect()
    }

    async fn watch(&self, name: &str) -> Option<Watch> {
        let id = Step::id_of("op", name);
        let found = self.cx.store.find::<Watch>(&self.tenant, &id).await.unwrap();
        found.map(|watch| watch.value)
    }

    /// Calls a step as a workflow does; the error's name where it fails.
    async fn call(&self, step: &str, name: &str, run: u64) -> Result<Value, String> {
        let answer = self.ask(step, "op", name, run, None).await;
        answer.map_err(|error| error.fault().name().into())
    }

    /// Calls a step that the workflow waits for.
    async fn call_with(&self, step: &str, name: &str, run: u64, token: &str) {
        self.ask(step, "op", name, run, Some(token)).await.unwrap();
    }

    async fn ask(
        &self,
        step: &str,
        op: &str,
        name: &str,
        run: u64,
        token: Option<&str>,
    ) -> Result<Value, Error> {
        let payload = json!({ "step": step, "tenant": self.tenant, "op": op, "run": run,
            "resource": name, "token": token });
        let call: StepCall = serde_json::from_value(payload).unwrap();
        let row = FUNCTION.steps.iter().find(|row| row.name == step).unwrap();
        (row.handler)(&self.cx, call).await
    }

    /// Lets time pass until every message is handled, each when it is due; how much passed.
    async fn messages_handled(&self) -> Duration {
        let mut passed = Duration::ZERO;
        loop {
            let message = {
                let mut waiting = self.waiting.0.lock().unwrap();
                waiting.sort_by_key(|message| message.delay);
                if waiting.is_empty() {
                    return passed;
                }
                waiting.remove(0)
            };
            self.clock.advance(message.delay);
            passed += message.delay;
            let row = FUNCTION.consumers.iter().find(|row| row.queue == message.queue).unwrap();
            (row.handler)(&self.cx, message.body).await.unwrap();
        }
    }

    /// The tokens that were resumed, and how.
    fn resumed(&self) -> Vec<(String, Outcome)> {
        std::mem::take(&mut *self.told.resumed.lock().unwrap())
    }

    /// The tokens that were resumed with a failure, and its name.
    fn failures(&self) -> Vec<(String, String)> {
        let failure = |(token, outcome)| match outcome {
            Outcome::Failure { error, .. } => (token, error),
            Outcome::Success(output) => panic!("{token} succeeded with {output}"),
        };
        self.resumed().into_iter().map(failure).collect()
    }

    /// The operation goes on in another run, as retry and rollback make it.
    async fn next_run(&self, run: u64) {
        let op = self.cx.store.read::<VnfOp>(&self.tenant, "op").await.unwrap();
        let mut next = op.value;
        next.run = run;
        self.commit(Plan::new(origin(&self.tenant)).update(op.version, &next)).await;
    }

    /// Everything that exists is in the inventory, and everything in the inventory that is
    /// not suspect exists.
    async fn agrees(&self) {
        let rows = self.rows().await;
        for thing in self.there().await {
            let row = rows.iter().find(|row| Some(&row.key) == thing.key.as_ref());
            let row = row.unwrap_or_else(|| panic!("an orphan: {thing:?}"));
            let known = row.resource_id.as_ref();
            assert!(known.is_none_or(|id| *id == thing.resource_id), "{row:?} {thing:?}");
        }
        let there = self.there().await;
        for row in rows.iter().filter(|row| row.presence == Presence::Present) {
            let id = row.resource_id.as_ref().unwrap();
            assert!(there.iter().any(|thing| thing.resource_id == *id), "a ghost: {row:?}");
        }
    }
}
