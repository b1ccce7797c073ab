//! Who asks: who signed the request, as API Gateway found out, or whose token it carries.

use super::issuer::Web;
use crate::{
    settings::{Auth, Keys, Settings},
    tenants::Tenants,
};
use async_trait::async_trait;
use http::request::Parts;
use mano_ports::{
    clock::Clock,
    door::{
        auth::{Authenticator, Denied},
        jwt::{Jwt, Published, Source},
    },
    http::Principal,
};
use serde::Deserialize;
use std::sync::Arc;

/// What tells callers apart.
pub(super) fn authenticator(settings: &Settings, clock: &Arc<dyn Clock>) -> Arc<dyn Authenticator> {
    match &settings.auth {
        Auth::Iam => Arc::new(Signed(settings.tenants.clone())),
        Auth::Jwt(trust, keys) => {
            let source: Box<dyn Source> = match keys {
                Keys::Published(place) => Box::new(Published::new(place.clone(), Web::default())),
                Keys::Given(keys) => Box::new(keys.clone()),
            };
            Arc::new(Jwt::new(trust.clone(), source, Arc::clone(clock)))
        }
    }
}

/// The identity of a request's signer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Caller {
    #[serde(default)]
    account_id: Option<String>,
    #[serde(default)]
    user_arn: Option<String>,
}

impl Caller {
    /// The account that pays for the signer; empty: nobody signed.
    pub(super) fn account(&self) -> &str {
        self.account_id.as_deref().unwrap_or_default()
    }
}

/// Lets in whoever API Gateway knows by an IAM signature.
struct Signed(Tenants);

#[async_trait]
impl Authenticator for Signed {
    async fn principal(&self, head: &Parts) -> Result<Principal, Denied> {
        // Without a signer the method is open by mistake: nobody is let in through it.
        let nobody = || {
            Denied::Unknown("sign the request with AWS credentials (Signature Version 4)".into())
        };
        let caller = head.extensions.get::<Caller>().ok_or_else(nobody)?;
        let arn = caller.user_arn.as_deref().unwrap_or_default();
        if caller.account().is_empty() && arn.is_empty() {
            return Err(nobody());
        }
        self.0.signer(caller.account(), arn)
    }
}

#[cfg(test)]
mod tests;
