//! Who signed a request, as API Gateway found out: the only word on identity that counts here.

use crate::tenants::Tenants;
use async_trait::async_trait;
use http::request::Parts;
use mano_ports::{
    door::auth::{Authenticator, Denied},
    http::Principal,
};
use serde::Deserialize;

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
pub(super) struct Signed(pub(super) Tenants);

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
mod tests {
    use super::*;
    use http::Request;

    async fn asked(caller: Option<Caller>) -> Result<Principal, Denied> {
        let (mut head, ()) = Request::new(()).into_parts();
        if let Some(caller) = caller {
            head.extensions.insert(caller);
        }
        Signed(Tenants::default()).principal(&head).await
    }

    #[tokio::test]
    async fn nobody_is_let_in_without_a_signature() {
        for caller in [None, Some(Caller::default())] {
            assert!(matches!(asked(caller).await, Err(Denied::Unknown(_))));
        }
        let caller = Caller { account_id: Some("1".into()), user_arn: None };
        assert_eq!(asked(Some(caller)).await.expect("let in").name, "1");
    }
}
