//! The server under measurement: a process of its own, on a folder of its own.

use crate::client::Client;
use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// From the start of the process to its first answer.
    pub(crate) woke_in: Duration,
}

impl Server {
    /// Starts `mano serve` on a folder and waits for its first answer.
    pub(crate) async fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = fs::File::create(folder.join("server.log")).unwrap();
        let begun = Instant::now();
        let child = Command::new(binary())
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .arg("--data")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the release binary; build it with `cargo build --release -p mano-edge`");
        let mut server = Self { child, port, woke_in: Duration::ZERO };
        loop {
            if let Ok(mut client) = Client::connect(port).await {
                assert_eq!(client.get("/healthz").await.status, 200);
                server.woke_in = begun.elapsed();
                return server;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the server does not start");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident_mib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Ends it without warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn binary() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target")),
        PathBuf::from,
    );
    target.join("release/mano")
}

/// A folder on the disk the project is on, for fsync on a memory file system says nothing.
pub(crate) fn folder() -> TempDir {
    let target = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target"));
    fs::create_dir_all(&target).unwrap();
    tempfile::Builder::new().prefix("bench-").tempdir_in(target).unwrap()
}
