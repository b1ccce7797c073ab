//! What the operating system says of this process and to it.

use anyhow::{Context, Result};

/// The name of the first signal that asks the process to end.
pub(super) async fn signal() -> Result<&'static str> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut term = signal(SignalKind::terminate()).context("SIGTERM cannot be heard")?;
        let mut int = signal(SignalKind::interrupt()).context("SIGINT cannot be heard")?;
        Ok(tokio::select! {
            _ = term.recv() => "SIGTERM",
            _ = int.recv() => "SIGINT",
        })
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.context("Ctrl-C cannot be heard")?;
        Ok("Ctrl-C")
    }
}

/// Bytes of memory that the process holds, where the system tells.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
