//! A host with workflows of a test's own, and ways to look at it.

use super::*;

/// The definition of a task that calls a function, with its arguments.
pub(super) const CALL: &str = r#""Type": "Task", "Resource": "arn:aws:states:::lambda:invoke""#;

/// A host with workflows of a test's own.
pub(super) struct Stage {
    pub(super) host: Arc<Host>,
    pub(super) clock: Arc<HeldClock>,
    machines: Vec<Machine>,
    folder: TempDir,
}

/// A Standard workflow.
pub(super) fn standard(name: &str, text: &str) -> Machine {
    Machine { name: name.into(), text: text.into(), kind: Kind::Standard }
}

/// An Express workflow.
pub(super) fn express(name: &str, text: &str) -> Machine {
    Machine { kind: Kind::Express, ..standard(name, text) }
}

impl Stage {
    pub(super) async fn new(machines: Vec<Machine>) -> Self {
        let clock = Arc::new(HeldClock::new(jiff::Timestamp::UNIX_EPOCH));
        Self::on(tempfile::tempdir().expect("a folder"), clock, machines).await
    }

    async fn on(folder: TempDir, clock: Arc<HeldClock>, machines: Vec<Machine>) -> Self {
        let store = Arc::new(SqliteStore::open(folder.path(), &store_options(None)).expect("open"));
        let time: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let opened =
            Engine::open_with(&store, &time, machines.clone(), Vec::new(), Options::default());
        let engine = opened.await.expect("an engine");
        let host = crate::testing::host_on(store, engine, &clock, folder.path());
        Self { host, clock, machines, folder }
    }

    /// A host on what the disk would hold if the process died now, blobs too.
    pub(super) async fn crashed(self) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        copy(self.host.store(), folder.path()).await;
        copy_all(&self.folder.path().join("blobs"), &folder.path().join("blobs"));
        let next = Self::on(folder, Arc::clone(&self.clock), self.machines.clone()).await;
        drop(self);
        next
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        self.host.engine()
    }

    pub(super) async fn start(&self, workflow: &str, run: &str, input: Value) {
        self.engine().start(workflow, run, input).await.expect("started");
    }

    /// Waits for a run's end.
    pub(super) async fn over(&self, workflow: &str, run: &str) -> Run {
        over(self.engine(), workflow, run).await
    }

    /// The output of a run that must succeed.
    pub(super) async fn output(&self, workflow: &str, run: &str) -> Value {
        let run = self.over(workflow, run).await;
        assert_eq!(run.status, "SUCCEEDED", "{run:?}");
        run.output.expect("an output")
    }

    /// The types of a run's history.
    pub(super) async fn types(&self, workflow: &str, run: &str) -> Vec<String> {
        let history = self.engine().history(workflow, run, None, 100_000).await.expect("history");
        let kind = |row: Value| row["type"].as_str().unwrap_or_default().to_owned();
        history.items.into_iter().map(kind).collect()
    }

    pub(super) async fn blob(&self, name: &str, content: &[u8]) {
        let content: mano_ports::blobs::ByteStream =
            Box::pin(futures_util::stream::iter([Ok(content.to_vec().into())]));
        self.host.cx().blobs.put(name, content, 1 << 20).await.expect("stored");
    }

    pub(super) async fn read_blob(&self, name: &str) -> Value {
        let mut reader = self.host.cx().blobs.reader(name).await.expect("a blob");
        let mut text = String::new();
        std::io::Read::read_to_string(&mut reader, &mut text).expect("text");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Asks again until there is an answer; gives up after a minute.
    pub(super) async fn until<T>(&self, ask: impl Fn() -> Option<T>) -> T {
        crate::testing::until(&self.clock, None, ask).await
    }
}

fn copy_all(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}
