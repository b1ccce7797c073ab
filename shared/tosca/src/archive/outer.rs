//! Recognising the outer archive of OPTION_2: one CSAR, its signature, perhaps a certificate.

use super::Archive;
use crate::finding::{Finding, Place};
use crate::rules::archive as rule;

/// What lay around a CSAR that came in an outer archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outer {
    /// Path of the CSAR in the outer archive.
    pub csar: String,
    /// Path of its signature.
    pub signature: String,
    /// Path of the signer's certificate, unless it is within the signature.
    pub certificate: Option<String>,
}

fn with_suffix(archive: &Archive<'_>, suffixes: &[&str]) -> Vec<String> {
    let ends = |name: &str| suffixes.iter().any(|s| name.to_ascii_lowercase().ends_with(s));
    archive.files().map(|(name, _)| name.to_string()).filter(|n| ends(n)).collect()
}

impl Outer {
    /// `None` when the archive is itself a CSAR.
    pub(super) fn recognise(archive: &Archive<'_>) -> Result<Option<Self>, Finding> {
        let is_csar = archive.files().any(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name == "tosca-metadata/tosca.meta"
                || !name.contains('/') && (name.ends_with(".yaml") || name.ends_with(".yml"))
        });
        let mut csars = with_suffix(archive, &[".csar"]);
        let signatures = with_suffix(archive, &[".cms", ".p7s"]);
        if csars.is_empty() && !signatures.is_empty() {
            csars = with_suffix(archive, &[".zip"]);
        }
        if is_csar || csars.is_empty() {
            return Ok(None);
        }
        let wrong = |said: String| Finding::new(&rule::OUTER_ARCHIVE, said, Place::archive());
        let (1, Some(csar)) = (csars.len(), csars.pop()) else {
            return Err(wrong(format!("it holds {} CSARs", csars.len())));
        };
        let stem = csar.rsplit_once('.').map_or(csar.as_str(), |(stem, _)| stem);
        let named = signatures.iter().find(|s| s.rsplit_once('.').is_some_and(|(n, _)| n == stem));
        let Some(signature) = named.or_else(|| signatures.first()).cloned() else {
            return Err(wrong(format!("`{csar}` comes without a signature (.cms)")));
        };
        let certificate = with_suffix(archive, &[".cert", ".crt", ".pem"]).pop();
        Ok(Some(Self { csar, signature, certificate }))
    }
}
