//! Who may ask: whoever shows a fixed token, or one of an issuer that is trusted.

use super::issuer::{KeyFile, Web};
use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use clap::Args;
use http::request::Parts;
use mano_ports::{
    clock::Clock,
    door::{
        auth::{Anyone, Authenticator, Denied, Tokens},
        jwt::{Address, Jwt, Place, Published, Source, Trust},
    },
    http::Principal,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Who may ask.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Who may ask (without these: everybody)")]
pub struct Callers {
    /// Whoever shows a token of this file: lines of TOKEN, NAME and, if it is not the default one,
    /// TENANT.
    #[arg(long, value_name = "FILE", env = "MANO_TOKENS")]
    pub tokens: Option<PathBuf>,
    /// Whoever shows a JSON web token of this issuer (its claim iss).
    #[arg(long, value_name = "URL", env = "MANO_JWT_ISSUER", requires = "jwt_audience")]
    pub jwt_issuer: Option<String>,
    /// For whom such a token must be meant (its claim aud).
    #[arg(long, value_name = "NAME", env = "MANO_JWT_AUDIENCE", requires = "jwt_issuer")]
    pub jwt_audience: Option<String>,
    /// The issuer's keys (a JWK set): a file, for sites without a way to the issuer, or the address
    /// it publishes them at. Without it, the issuer is asked where they are.
    #[arg(long, value_name = "FILE|URL", env = "MANO_JWT_KEYS", requires = "jwt_issuer")]
    pub jwt_keys: Option<String>,
    /// The claim that names the tenant.
    #[arg(
        long,
        value_name = "NAME",
        env = "MANO_JWT_TENANT_CLAIM",
        default_value = Trust::TENANT_CLAIM
    )]
    pub jwt_tenant_claim: String,
    /// Believe the certificate authorities in this PEM file when the issuer is asked, instead of
    /// the well-known ones.
    #[arg(long, value_name = "FILE", env = "MANO_JWT_CA", requires = "jwt_issuer")]
    pub jwt_ca: Option<PathBuf>,
}

impl Default for Callers {
    fn default() -> Self {
        Self {
            tokens: None,
            jwt_issuer: None,
            jwt_audience: None,
            jwt_keys: None,
            jwt_tenant_claim: Trust::TENANT_CLAIM.into(),
            jwt_ca: None,
        }
    }
}

impl Callers {
    /// Whether a caller must show something.
    pub(super) const fn are_asked(&self) -> bool {
        self.tokens.is_some() || self.jwt_issuer.is_some()
    }

    /// What tells them apart.
    pub(super) async fn authenticator(
        &self,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn Authenticator>> {
        let tokens = self.tokens.as_deref().map(tokens).transpose()?;
        let jwt = self.jwt(clock).await?;
        Ok(match (tokens, jwt) {
            (None, None) => Arc::new(Anyone),
            (Some(tokens), None) => Arc::new(tokens),
            (None, Some(jwt)) => Arc::new(jwt),
            (Some(tokens), Some(jwt)) => Arc::new(Either { tokens, jwt }),
        })
    }

    async fn jwt(&self, clock: Arc<dyn Clock>) -> Result<Option<Jwt>> {
        let Some(issuer) = self.jwt_issuer.clone() else { return Ok(None) };
        let audience = self.jwt_audience.clone().unwrap_or_default();
        ensure!(!issuer.is_empty(), "--jwt-issuer is empty; name the issuer of the tokens");
        ensure!(!audience.is_empty(), "--jwt-issuer needs --jwt-audience: for whom tokens are");
        let source = self.source(&issuer).await?;
        let tenant_claim = self.jwt_tenant_claim.clone();
        let trust = Trust { issuer, audience, tenant_claim, tenants: HashMap::new() };
        Ok(Some(Jwt::new(trust, source, clock)))
    }

    /// Where the keys come from. A file must be there from the start; an issuer may come later.
    async fn source(&self, issuer: &str) -> Result<Box<dyn Source>> {
        let place = match self.jwt_keys.as_deref() {
            None => Place::By(Address::parse(issuer).context(
                "the keys of --jwt-issuer cannot be asked for; give them with --jwt-keys",
            )?),
            Some(address) if address.contains("://") => {
                Place::At(Address::parse(address).context("--jwt-keys cannot be used")?)
            }
            Some(path) => {
                let file = KeyFile(path.into());
                file.keys().await.context("--jwt-keys cannot be used")?;
                return Ok(Box::new(file));
            }
        };
        let web = Web::new(self.jwt_ca.as_deref()).context("--jwt-ca cannot be used")?;
        Ok(Box::new(Published::new(place, web)))
    }
}

fn tokens(path: &Path) -> Result<Tokens> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the tokens of {}", path.display()))?;
    Tokens::parse(&text).with_context(|| format!("{} is wrong", path.display()))
}

/// Fixed tokens, and whatever is none of them is one of the issuer's.
struct Either {
    tokens: Tokens,
    jwt: Jwt,
}

#[async_trait]
impl Authenticator for Either {
    async fn principal(&self, head: &Parts) -> Result<Principal, Denied> {
        match self.tokens.principal(head).await {
            Err(Denied::Unknown(_)) => self.jwt.principal(head).await,
            known => known,
        }
    }
}
