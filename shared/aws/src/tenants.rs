//! Whose data a caller sees: from accounts, roles and event sources to tenants.

use mano_model::TenantId;
use mano_ports::{door::auth::Denied, http::Principal};
use std::collections::HashMap;

/// What is wrong with a map of tenants.
#[derive(Debug, thiserror::Error)]
#[error("it is not a JSON object of texts: {{\"<account>\": \"<tenant>\"}}")]
pub struct BadTenants(#[from] serde_json::Error);

/// Who belongs to which tenant.
///
/// Without a map everybody belongs to the default tenant; with one, whoever is not in it is
/// let in nowhere.
#[derive(Debug, Clone, Default)]
pub struct Tenants {
    /// Empty: there is no map.
    map: HashMap<String, String>,
}

impl Tenants {
    /// Reads `{"<account>/<source>": "<tenant>", "<account>": …, "<role or user ARN>": …}`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: Option<&str>) -> Result<Self, BadTenants> {
        let map = text.map(serde_json::from_str).transpose()?;
        Ok(Self { map: map.unwrap_or_default() })
    }

    /// The map, by name.
    #[must_use]
    pub const fn named(&self) -> &HashMap<String, String> {
        &self.map
    }

    /// The tenant of whoever goes by these names, the most telling first.
    #[must_use]
    pub fn of(&self, names: &[&str]) -> Option<TenantId> {
        if self.map.is_empty() {
            return Some(TenantId::default());
        }
        names.iter().find_map(|name| self.map.get(*name)).map(TenantId::new)
    }

    /// The principal behind an event's account and source.
    #[must_use]
    pub fn sender(&self, account: &str, source: &str) -> Option<Principal> {
        let name = format!("{account}/{source}");
        self.of(&[&name, account]).map(|tenant| Principal { tenant, name })
    }

    /// The principal behind a signed call: its role or user, in its account.
    pub(crate) fn signer(&self, account: &str, arn: &str) -> Result<Principal, Denied> {
        let role = role_of(arn);
        let name = if arn.is_empty() { account } else { arn };
        self.of(&[arn, &role, account])
            .map(|tenant| Principal { tenant, name: name.into() })
            .ok_or_else(|| Denied::Forbidden(format!("'{name}' belongs to no tenant")))
    }
}

/// The role whose session an ARN names: `arn:aws:sts::1:assumed-role/oss/run` is `…:role/oss` of
/// IAM.
fn role_of(arn: &str) -> String {
    let Some((head, session)) = arn.split_once(":assumed-role/") else { return arn.into() };
    let role = session.split('/').next().unwrap_or_default();
    format!("{}:role/{role}", head.replacen(":sts:", ":iam:", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_map_everybody_is_of_the_default_tenant() {
        for text in [None, Some("{}")] {
            let tenants = Tenants::parse(text).expect("a map");
            assert_eq!(tenants.of(&["1"]), Some(TenantId::default()));
        }
        assert!(Tenants::parse(Some("[1]")).is_err());
    }

    #[test]
    fn with_a_map_the_most_telling_name_counts_and_a_stranger_is_nobody() {
        let text = r#"{"1": "one", "1/oss": "oss", "arn:aws:iam::2:role/ops": "two"}"#;
        let tenants = Tenants::parse(Some(text)).expect("a map");
        let tenant = |account, source| tenants.sender(account, source).map(|p| p.tenant);
        assert_eq!(tenant("1", "oss"), Some(TenantId::new("oss")));
        assert_eq!(tenant("1", "bss"), Some(TenantId::new("one")));
        assert_eq!(tenant("2", "oss"), None);
        let session = "arn:aws:sts::2:assumed-role/ops/alice";
        let signer = tenants.signer("2", session).expect("known");
        assert_eq!((signer.tenant, &*signer.name), (TenantId::new("two"), session));
        assert!(matches!(tenants.signer("3", "arn:aws:iam::3:root"), Err(Denied::Forbidden(_))));
    }
}
