//! Where a server is, who asks, and whom to trust.

use super::failure::Failure;
use crate::{
    roots,
    sign::{Missing, Signer},
    sum::Sum,
};
use clap::{Args, builder::FalseyValueParser};
use mano_ports::clock::{Clock as _, SystemClock};
use std::{env, fs, path::PathBuf, sync::Arc, time::Duration};
use ureq::{
    Agent,
    http::{Uri, header, request::Builder},
    tls::TlsConfig,
};

/// Where the server is and who asks.
#[derive(Debug, Clone, Args)]
pub(crate) struct Connection {
    /// Where the server is.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "MANO_ENDPOINT",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Connection"
    )]
    pub(crate) endpoint: String,
    /// The bearer token to ask with, where the server wants one.
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "MANO_TOKEN",
        hide_env_values = true,
        help_heading = "Connection"
    )]
    pub(crate) token: Option<String>,
    /// Sign each request with the AWS credentials of the environment, for a deployment on AWS.
    #[arg(
        long,
        global = true,
        env = "MANO_IAM",
        value_parser = FalseyValueParser::new(),
        help_heading = "Connection"
    )]
    pub(crate) iam: bool,
    /// Trust the certificate authorities in this PEM file, instead of the well-known ones.
    #[arg(long, global = true, value_name = "FILE", env = "MANO_CA", help_heading = "Connection")]
    pub(crate) ca: Option<PathBuf>,
}

impl Connection {
    /// What asks there.
    pub(super) fn agent(&self) -> Result<Agent, Failure> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .user_agent(concat!("mano/", env!("CARGO_PKG_VERSION")))
            .tls_config(self.tls()?);
        if is_loopback(&self.endpoint) {
            config = config.proxy(None);
        }
        Ok(config.build().into())
    }

    /// Who asks.
    pub(super) fn identity(&self) -> Result<Identity, Failure> {
        // Not clap's to refuse: for it a variable is given, too, that says no.
        Ok(match &self.token {
            Some(_) if self.iam => {
                let what = "--iam and --token (or MANO_IAM and MANO_TOKEN) name two who ask";
                return Err(Failure::misuse(what).next("give one of them"));
            }
            None if self.iam => Identity::Iam(Arc::new(self.signer()?)),
            Some(token) => Identity::Bearer(token.clone()),
            None => Identity::Nobody,
        })
    }

    /// Signs as the environment says, for where the requests go.
    fn signer(&self) -> Result<Signer, Failure> {
        let uri: Uri = self.endpoint.parse().unwrap_or_default();
        let host = uri.host().unwrap_or_default();
        Signer::new("execute-api", host, |name| env::var(name).ok()).map_err(|missing| {
            let what = format!("requests cannot be signed: {missing}");
            Failure::misuse(what).next(match missing {
                Missing::Credentials => {
                    "set them, or: eval \"$(aws configure export-credentials --format env)\""
                }
                Missing::Region => "set AWS_REGION to the region of the deployment",
            })
        })
    }

    /// Whom to trust.
    fn tls(&self) -> Result<TlsConfig, Failure> {
        let Some(path) = &self.ca else { return Ok(TlsConfig::default()) };
        let pem = fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
        roots::only(&pem).ok_or_else(|| {
            let what = format!("{} holds no certificate", path.display());
            Failure::misuse(what).next("give a PEM file with BEGIN CERTIFICATE in it")
        })
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Identity {
    Nobody,
    /// Whoever this token names.
    Bearer(String),
    /// Whoever these keys of AWS belong to.
    Iam(Arc<Signer>),
}

impl Identity {
    /// A request with what says who asks; content is summed only where that is signed.
    pub(super) fn on(&self, request: Builder, sum: impl FnOnce() -> Sum) -> Builder {
        match self {
            Self::Nobody => request,
            Self::Bearer(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
            Self::Iam(signer) => {
                let (Some(method), Some(uri)) = (request.method_ref(), request.uri_ref()) else {
                    // It cannot be sent, and says so then.
                    return request;
                };
                let now = SystemClock::default().now();
                let headers = signer.headers(method, uri, &sum(), now).into_iter();
                headers.fold(request, |request, (name, value)| request.header(name, value))
            }
        }
    }
}

/// Whether a URL names this machine, where no proxy may stand between.
fn is_loopback(endpoint: &str) -> bool {
    let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}
