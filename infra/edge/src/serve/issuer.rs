//! Where the keys of an issuer of tokens are read from: over HTTP, or from a file.

use crate::roots;
use anyhow::{Context, Result};
use async_trait::async_trait;
use mano_ports::{
    door::jwt::{Fetch, KeySet, NoKeys, Source},
    error,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};
use ureq::{Agent, http::StatusCode};

/// An answer that takes longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(3);

/// An HTTP client.
pub(super) struct Web(Agent);

impl Web {
    /// A client that believes the well-known authorities, or those of a PEM file alone.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("mano/", env!("CARGO_PKG_VERSION")));
        let Some(path) = authorities else { return Ok(Self(config.build().into())) };
        let pem = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let tls = roots::only(&pem)
            .with_context(|| format!("{} holds no certificate", path.display()))?;
        Ok(Self(config.tls_config(tls).build().into()))
    }
}

#[async_trait]
impl Fetch for Web {
    async fn get(&self, address: &str) -> Result<Vec<u8>, error::Source> {
        let (agent, address) = (self.0.clone(), address.to_owned());
        tokio::task::spawn_blocking(move || get(&agent, &address)).await?
    }
}

fn get(agent: &Agent, address: &str) -> Result<Vec<u8>, error::Source> {
    let mut request = agent.get(address);
    // Plain HTTP goes to this machine alone, where no proxy may stand between.
    if address.starts_with("http://") {
        request = request.config().proxy(None).build();
    }
    let mut response = request.call()?;
    if response.status() != StatusCode::OK {
        return Err(format!("it answers {}", response.status()).into());
    }
    let most = u64::try_from(KeySet::LONGEST)?;
    Ok(response.body_mut().with_config().limit(most).read_to_vec()?)
}

/// A file with a JWK set; whoever replaces it changes the keys.
pub(super) struct KeyFile(pub(super) PathBuf);

#[async_trait]
impl Source for KeyFile {
    async fn keys(&self) -> Result<KeySet, NoKeys> {
        let name = || self.0.display().to_string();
        let text = self.read().map_err(|error| NoKeys::Unread(name(), error.into()))?;
        KeySet::parse(&text).map_err(|bad| NoKeys::Unusable(name(), bad))
    }
}

impl KeyFile {
    /// The file, and one byte more than a set may have at most.
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let most = u64::try_from(KeySet::LONGEST).unwrap_or(u64::MAX).saturating_add(1);
        io::Read::read_to_end(&mut io::Read::take(fs::File::open(&self.0)?, most), &mut text)?;
        Ok(text)
    }
}
