//! `mano serve`: the ports, the engine, all functions and the server in one process.
//!
//! ```text
//!   options ─▶ store (locked) ─▶ host (relay, queue, engine) ─▶ door ─▶ server
//!   SIGTERM ─▶ server lets requests end ─▶ host lets steps end ─▶ store
//! ```

mod callers;
mod front;
mod issuer;
mod logs;
mod metrics;
mod process;
pub mod wiring;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum, builder::RangedU64ValueParser};
use front::Front;
use mano_embedded::{
    Host, SystemClock,
    http::{self, Limits},
    store,
};
use mano_ports::door::{Door, Settings};
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use callers::Callers;
pub use logs::{LogFormat, logs};

/// More connections than a machine has ports for are a mistake.
const MOST_CONNECTIONS: u64 = 1_000_000;

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// The disk: what was answered survives a power cut.
    Full,
    /// The operating system: a power cut may lose the last answers, never break the data.
    Normal,
}

/// How the server runs.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Where to listen.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", env = "MANO_LISTEN")]
    pub listen: SocketAddr,
    /// Where the data lies; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "mano-data", env = "MANO_DATA")]
    pub data: PathBuf,
    /// The certificate chain for TLS, PEM.
    #[arg(long, value_name = "FILE", env = "MANO_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The key of the certificate, PEM.
    #[arg(long, value_name = "FILE", env = "MANO_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Scheme, host and prefix of links, where clients come through a proxy.
    #[arg(long, value_name = "URL", env = "MANO_API_ROOT", value_parser = api_root)]
    pub api_root: Option<String>,
    /// Take requests of version 2 interfaces without a Version header.
    #[arg(long)]
    pub lenient: bool,
    /// Most connections at the same time.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4096,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST_CONNECTIONS)
    )]
    pub connections: usize,
    /// What a commit waits for.
    #[arg(long, value_enum, default_value_t = Durability::Full)]
    pub durability: Durability,
    /// How the log is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Auto, env = "MANO_LOG_FORMAT")]
    pub log: LogFormat,
    /// Who may ask.
    #[command(flatten)]
    pub callers: Callers,
    /// Plain HTTP, or HTTP for everybody, on an address that others reach.
    #[arg(long, help_heading = "Dangerous")]
    pub insecure: bool,
}

/// Links are made of it: scheme, host and, where there is one, a prefix.
fn api_root(text: &str) -> Result<String, String> {
    let root: Option<::http::Uri> = text.parse().ok();
    let fits = root.is_some_and(|root| {
        let web = matches!(root.scheme_str(), Some("http" | "https"));
        web && root.host().is_some_and(|host| !host.is_empty()) && root.query().is_none()
    });
    if fits && !text.contains('#') {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err("write it like https://mano.example or https://example/prefix".into())
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: "mano-data".into(),
            tls_cert: None,
            tls_key: None,
            api_root: None,
            lenient: false,
            connections: Limits::default().connections,
            durability: Durability::Full,
            log: LogFormat::Auto,
            callers: Callers::default(),
            insecure: false,
        }
    }
}

/// A server that runs.
pub struct Running {
    address: SocketAddr,
    scheme: &'static str,
    host: Arc<Host>,
    stop: watch::Sender<bool>,
    server: JoinHandle<std::io::Result<()>>,
}

/// Starts the server; it answers when this returns.
///
/// # Errors
/// Options that do not go together, files that cannot be read, an address or a data folder that is
/// taken.
pub async fn serve(options: Options) -> Result<Running> {
    refuse_open_doors(&options)?;
    let listener = TcpListener::bind(options.listen).await.with_context(|| {
        format!("cannot listen on {}; choose another with --listen", options.listen)
    })?;
    let address = listener.local_addr().context("the listener has no address")?;
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(http::tls::acceptor(certificate, key)?),
        _ => None,
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let authenticator = options.callers.authenticator(Arc::new(SystemClock::default())).await?;
    let host = wiring::host(&options.data, &store_options(&options)).await?;
    let door = Door::new(host.functions(), settings(&options, scheme), Arc::clone(&authenticator))
        .context("the functions cannot be served together")?;
    let front = Arc::new(Front::new(door, Arc::clone(&host), authenticator));
    let (stop, stopped) = watch::channel(false);
    let limits = Limits { connections: options.connections, ..Limits::default() };
    let server = tokio::spawn(http::serve(listener, tls, limits, front, stopped));
    tracing::info!(address = %address, scheme, data = %options.data.display(), "serving");
    Ok(Running { address, scheme, host, stop, server })
}

/// Plain or unguarded HTTP stays on this machine.
fn refuse_open_doors(options: &Options) -> Result<()> {
    let guarded = options.tls_cert.is_some() && options.callers.are_asked();
    if options.listen.ip().is_loopback() || guarded || options.insecure {
        return Ok(());
    }
    bail!(
        "{} can be reached by others: give --tls-cert, --tls-key and --tokens or --jwt-issuer, or \
         listen on 127.0.0.1 (behind a proxy that does both: --insecure)",
        options.listen
    )
}

/// How the door behaves.
fn settings(options: &Options, scheme: &'static str) -> Settings {
    let api_root = options.api_root.clone();
    Settings { api_root, scheme, versions_required: !options.lenient, ..Settings::default() }
}

/// How the store behaves.
fn store_options(options: &Options) -> store::Options {
    let synchronous = match options.durability {
        Durability::Full => store::Synchronous::Full,
        Durability::Normal => store::Synchronous::Normal,
    };
    store::Options { synchronous, ..store::Options::default() }
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients find it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// The host, for whoever runs the server inside their own program.
    #[must_use]
    pub const fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Serves until SIGTERM or SIGINT, then stops.
    ///
    /// # Errors
    /// The server ended by itself, or signals cannot be heard.
    pub async fn until_signal(self) -> Result<()> {
        let name = process::signal().await?;
        tracing::info!(signal = name, "stopping: open requests and steps may end");
        self.stop().await
    }

    /// Lets open requests and running steps end, and stops.
    ///
    /// # Errors
    /// The server had ended by itself.
    pub async fn stop(self) -> Result<()> {
        // Nobody listens any more if the server has ended, and then it need not be told.
        let _ = self.stop.send(true);
        let served = self.server.await.context("the server panicked");
        // A step may wait for a VIM that does not answer; it will be called again after the start.
        let patience = Duration::from_secs(20);
        if tokio::time::timeout(patience, self.host.stop()).await.is_err() {
            tracing::warn!("steps did not end in time; they are called again after the next start");
        }
        served?.context("the server ended")
    }
}

#[cfg(test)]
mod tests;
