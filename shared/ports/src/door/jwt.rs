//! Callers who show a JSON web token (RFC 7519) of an issuer that is trusted.
//!
//! ```text
//!   token ─▶ read ─▶ keys: cached │ fetched │ 503 ─▶ verify ─▶ who, and whose data ─▶ Principal
//! ```
//!
//! Never open: without keys nobody is let in. Tokens are never logged.

mod cache;
mod keys;
#[cfg(any(test, feature = "contract"))]
pub mod mint;
mod source;
mod token;

use super::auth::{Authenticator, Denied, LONGEST_NAME, bearer, is_tenant};
use crate::{clock::Clock, error::chain, http::Principal};
use ::http::request::Parts;
use async_trait::async_trait;
use cache::{Cache, Next};
use futures_util::{
    future::{Either, select},
    lock::Mutex as AsyncMutex,
};
use mano_model::TenantId;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use keys::{BadKeys, KeySet};
pub use source::{Address, BadAddress, Fetch, NoKeys, Place, Published, Source};
pub use token::{Algorithm, Claims, LEEWAY, LONGEST, Refused, Unverified};

/// Fetching keys may take so long; then the request is answered without.
const PATIENCE: Duration = Duration::from_secs(8);

/// The claims that name a caller; the first that can stand in records does.
const NAMES: [&str; 3] = ["sub", "client_id", "azp"];

/// Whose tokens are taken, and what of them counts.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The claim `iss`.
    pub issuer: String,
    /// What the claim `aud` must contain.
    pub audience: String,
    /// The claim that says whose data a caller may see.
    pub tenant_claim: String,
    /// Whose data a caller may see whose token has no such claim, by `sub` or `client_id`.
    pub tenants: HashMap<String, String>,
}

impl Trust {
    /// The claim that says whose data a caller may see, if nothing else is said.
    pub const TENANT_CLAIM: &str = "tenant";

    /// Who a caller is and whose data they may see, by what their token claims.
    ///
    /// # Errors
    /// The claims do not say it.
    pub fn principal(&self, claims: &Claims) -> Result<Principal, Denied> {
        let mut named = NAMES.iter().filter_map(|claim| Some((*claim, claims.get(claim)?)));
        let usable = |(_, said): &(&str, &Value)| said.as_str().is_some_and(is_name);
        let mut usable = named.clone().filter(usable);
        let name = usable.next().and_then(|(_, said)| said.as_str()).ok_or_else(|| {
            let why = named.next().map_or_else(
                || "it has none of 'sub', 'client_id' and 'azp'".into(),
                |(claim, said)| format!("its claim '{claim}' {}", fault(said)),
            );
            Denied::Forbidden(format!("the token names nobody: {why}"))
        })?;
        let (subject, client) =
            (claims.text("sub"), claims.text("client_id").or_else(|| claims.text("azp")));
        let claim = &self.tenant_claim;
        let tenant = match claims.get(claim) {
            Some(said) => said.as_str().filter(|tenant| is_tenant(tenant)).ok_or_else(|| {
                Denied::Forbidden(format!(
                    "the claim '{claim}' of the token is no tenant: a text of letters, digits, \
                     '-', '_' and '.'"
                ))
            })?,
            None => self.known(subject, client).ok_or_else(|| {
                Denied::Forbidden(format!(
                    "nothing says whose data '{name}' may see: the token has no claim '{claim}'; \
                     the issuer can add it"
                ))
            })?,
        };
        Ok(Principal { tenant: TenantId::new(tenant), name: name.into() })
    }

    fn known(&self, subject: Option<&str>, client: Option<&str>) -> Option<&str> {
        let mut names = subject.into_iter().chain(client);
        names.find_map(|name| self.tenants.get(name)).map(String::as_str)
    }
}

/// Lets in whoever shows a token of the issuer.
pub struct Jwt {
    trust: Trust,
    source: Box<dyn Source>,
    clock: Arc<dyn Clock>,
    cache: Mutex<Cache>,
    /// Whoever holds it fetches; everybody else who needs keys waits for that.
    fetching: AsyncMutex<()>,
}

impl Jwt {
    /// Trusts an issuer, whose keys come from `source` when the first token is shown.
    #[must_use]
    pub fn new(trust: Trust, source: Box<dyn Source>, clock: Arc<dyn Clock>) -> Self {
        let (cache, fetching) = (Mutex::default(), AsyncMutex::default());
        Self { trust, source, clock, cache, fetching }
    }

    /// The caller who shows a token.
    async fn admit(&self, token: &str) -> Result<Principal, Denied> {
        let refused = |refused: Refused| Denied::Unknown(refused.to_string());
        let token = Unverified::read(token).map_err(refused)?;
        let keys = self.keys(None).await?;
        let mut verdict = self.verify(&token, &keys);
        if let Err(refused) = &verdict
            && token.may_be_ahead(refused)
        {
            verdict = self.verify(&token, &*self.keys(Some(&keys)).await?);
        }
        self.trust.principal(&verdict.map_err(refused)?)
    }

    fn verify(&self, token: &Unverified<'_>, keys: &KeySet) -> Result<Claims, Refused> {
        token.verify(keys, &self.trust.issuer, &self.trust.audience, self.clock.now())
    }

    /// The issuer's keys; newer ones than `beyond`, if there may be some.
    async fn keys(&self, beyond: Option<&Arc<KeySet>>) -> Result<Arc<KeySet>, Denied> {
        if let Next::Use(keys) = self.cache().next(beyond, self.clock.now()) {
            return Ok(keys);
        }
        let _mine = self.fetching.lock().await;
        let now = self.clock.now();
        // Somebody else may have fetched while we waited.
        let mut next = self.cache().next(beyond, now);
        if matches!(next, Next::Fetch) {
            self.cache().asking(now);
            self.fetch().await;
            let now = self.clock.now();
            // The pause begins now: whoever waited for this must not wait for it once more.
            self.cache().asking(now);
            next = self.cache().next(None, now);
        }
        match next {
            Next::Use(keys) => Ok(keys),
            Next::Fetch | Next::Wait => Err(Denied::Unavailable(format!(
                "no token can be checked: the keys of {} cannot be had; try again in {} s",
                self.trust.issuer,
                cache::SHORT_PAUSE.as_secs()
            ))),
        }
    }

    async fn fetch(&self) {
        let fetched = match select(self.source.keys(), self.clock.sleep(PATIENCE)).await {
            Either::Left((Ok(keys), _)) => return self.cache().fetched(keys, self.clock.now()),
            Either::Left((Err(error), _)) => chain(&error),
            Either::Right(_) => format!("it took longer than {} s", PATIENCE.as_secs()),
        };
        let issuer = &self.trust.issuer;
        tracing::warn!(issuer, cause = fetched, "the issuer's keys could not be fetched");
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Authenticator for Jwt {
    async fn principal(&self, head: &Parts) -> Result<Principal, Denied> {
        self.admit(bearer(&head.headers)?).await
    }
}

/// Whether a text can stand in records as the name of a caller.
fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// Why a claim cannot be the name of a caller.
fn fault(said: &Value) -> String {
    match said.as_str().map(|text| text.chars().count()) {
        None => "is no text".into(),
        Some(0) => "is empty".into(),
        Some(1..=LONGEST_NAME) => "has control characters".into(),
        Some(many) => format!("has {many} characters, and a name at most {LONGEST_NAME}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn trust(tenants: &[(&str, &str)]) -> Trust {
        let tenants = tenants.iter().map(|(name, tenant)| ((*name).into(), (*tenant).into()));
        let tenant_claim = Trust::TENANT_CLAIM.into();
        let (issuer, audience) = ("https://idp.example".into(), "mano".into());
        Trust { issuer, audience, tenant_claim, tenants: tenants.collect() }
    }

    fn who(trust: &Trust, claims: Value) -> Result<(String, String), String> {
        let claims = Claims::of(claims.as_object().unwrap().clone());
        let principal = trust.principal(&claims).map_err(|denied| {
            assert_eq!(denied.status(), 403, "{denied}");
            denied.to_string()
        })?;
        Ok((principal.name, principal.tenant.as_str().into()))
    }

    #[test]
    fn a_token_says_who_asks_and_whose_data_it_is() {
        let own = trust(&[]);
        let told = |name: &str, tenant: &str| Ok((name.into(), tenant.into()));
        assert_eq!(who(&own, json!({ "sub": "anna", "tenant": "acme" })), told("anna", "acme"));
        let client = json!({ "client_id": "oss", "tenant": "acme" });
        assert_eq!(who(&own, client), told("oss", "acme"));
        let other = Trust { tenant_claim: "org".into(), ..trust(&[]) };
        let both = json!({ "sub": "anna", "tenant": "acme", "org": "blue" });
        assert_eq!(who(&other, both), told("anna", "blue"));
    }

    #[test]
    fn a_claim_that_cannot_be_a_name_hides_no_other_that_can() {
        let own = trust(&[]);
        for sub in [json!(7), json!("a\nb"), json!("a".repeat(300)), json!("")] {
            let claims = json!({ "sub": sub, "client_id": "oss", "tenant": "acme" });
            assert_eq!(who(&own, claims).unwrap().0, "oss");
            let claims = json!({ "sub": sub, "client_id": null, "azp": "app", "tenant": "acme" });
            assert_eq!(who(&own, claims).unwrap().0, "app");
        }
    }

    #[test]
    fn where_the_token_is_silent_the_map_speaks_and_the_claim_has_the_first_word() {
        let mapped = trust(&[("anna", "blue"), ("oss", "green")]);
        let tenant = |claims| who(&mapped, claims).map(|(_, tenant)| tenant);
        assert_eq!(tenant(json!({ "sub": "anna" })), Ok("blue".into()));
        assert_eq!(tenant(json!({ "sub": "bert", "azp": "oss" })), Ok("green".into()));
        assert_eq!(tenant(json!({ "sub": "anna", "tenant": "acme" })), Ok("acme".into()));
        assert!(tenant(json!({ "sub": "bert" })).is_err());
    }

    #[test]
    fn without_a_name_or_a_tenant_nobody_is_let_in_and_the_reason_is_told() {
        let own = trust(&[]);
        let why = |claims| who(&own, claims).unwrap_err();
        let silent = why(json!({ "sub": "anna" }));
        assert!(silent.contains("'anna'") && silent.contains("'tenant'"), "{silent}");
        assert!(why(json!({ "tenant": "acme" })).contains("'sub'"));
        let unusable = |sub: Value| why(json!({ "sub": sub, "tenant": "acme" }));
        assert!(unusable(json!("a\nb")).ends_with("its claim 'sub' has control characters"));
        assert!(unusable(json!(7)).ends_with("its claim 'sub' is no text"));
        assert!(unusable(json!("")).ends_with("its claim 'sub' is empty"));
        let long = unusable(json!("é".repeat(300)));
        assert!(long.ends_with("its claim 'sub' has 300 characters, and a name at most 256"));
        let azp = why(json!({ "azp": [], "tenant": "acme" }));
        assert!(azp.ends_with("its claim 'azp' is no text"), "{azp}");
        for tenant in [json!(""), json!("a#b"), json!("a b"), json!(["acme"]), json!(null)] {
            assert!(why(json!({ "sub": "anna", "tenant": tenant })).contains("no tenant"));
        }
        let long = "a".repeat(LONGEST_NAME + 1);
        assert!(why(json!({ "sub": "anna", "tenant": long })).contains("no tenant"));
    }
}
