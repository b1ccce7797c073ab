//! Holding every file of an archive against the digests that the package claims for it.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::archive::Archive;
use crate::digest::Digest;
use crate::finding::{Finding, Place};
use crate::listed::Listed;
use crate::manifest::Manifest;
use crate::reading::Reading;
use crate::rules::{Report, archive as rule};

/// A digest algorithm of the IANA registry that SOL004 names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// SHA-224.
    #[serde(rename = "SHA-224")]
    Sha224,
    /// SHA-256.
    #[serde(rename = "SHA-256")]
    Sha256,
    /// SHA-384.
    #[serde(rename = "SHA-384")]
    Sha384,
    /// SHA-512.
    #[serde(rename = "SHA-512")]
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Reads a name in any case, with or without the hyphen.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match plain.to_ascii_uppercase().as_str() {
            "SHA224" => Some(Self::Sha224),
            "SHA256" => Some(Self::Sha256),
            "SHA384" => Some(Self::Sha384),
            "SHA512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The name as the registry writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Length of a digest in hexadecimal digits.
    #[must_use]
    pub fn hex_len(self) -> usize {
        match self {
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }

    /// The digest of everything in `reader`, in lower-case hexadecimal.
    ///
    /// # Errors
    /// When reading fails.
    pub fn digest(self, reader: &mut dyn Read) -> std::io::Result<String> {
        let mut digest = Digest::new(self);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(digest.hex()),
                n => digest.update(&buffer[..n]),
            }
        }
    }
}

/// A digest and what made it, as SOL003's `Checksum`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checksum {
    /// How it was made.
    pub algorithm: Algorithm,
    /// Lower-case hexadecimal digits.
    pub hash: String,
}

/// Checks all claims, and returns every file's digest: the claimed one, else SHA-256.
///
/// Every file is read once to its end, so damaged ones are found, too.
///
/// # Errors
/// What could not be read, which says nothing about the content: no other file is tried.
pub(crate) fn check(
    archive: &mut Archive<'_>,
    reading: &mut Reading,
    listed: &[Listed],
    report: &mut Report,
) -> Result<BTreeMap<Arc<str>, Checksum>, Finding> {
    let claims = claims(archive, listed, report);
    let files: Vec<Arc<str>> = archive.files().map(|(name, _)| Arc::clone(name)).collect();
    let mut digests = BTreeMap::new();
    for file in files {
        let claims = claims.get(&*file).map_or(&[][..], Vec::as_slice);
        match check_file(archive, reading, &file, claims, report) {
            Ok(checksum) => {
                digests.insert(file, checksum);
            }
            Err(finding) if finding.is_unread() => return Err(finding),
            Err(finding) => report.push_error(finding),
        }
    }
    Ok(digests)
}

type Claim = (Algorithm, String, Place);

fn check_file(
    archive: &mut Archive<'_>,
    reading: &mut Reading,
    file: &str,
    claims: &[Claim],
    report: &mut Report,
) -> Result<Checksum, Finding> {
    let first = claims.first().map_or(Algorithm::Sha256, |claim| claim.0);
    let mut known = BTreeMap::from([(first, reading.digest(archive, file, first)?)]);
    for (algorithm, claimed, place) in claims {
        if !known.contains_key(algorithm) {
            known.insert(*algorithm, reading.digest(archive, file, *algorithm)?);
        }
        let hash = &known[algorithm];
        if hash != claimed {
            let said = format!("`{file}` has {} {hash}, not {claimed}", algorithm.name());
            report.add(&rule::DIGEST_DIFFERS, place.clone(), said);
        }
    }
    let hash = known.remove(&first).unwrap_or_default();
    Ok(Checksum { algorithm: first, hash })
}

type Claims<'a> = BTreeMap<&'a str, Vec<Claim>>;

/// The well-formed claims on files of the archive; the others go into the report.
fn claims<'a>(archive: &Archive<'_>, listed: &'a [Listed], report: &mut Report) -> Claims<'a> {
    let mut claims = Claims::new();
    for entry in listed.iter().filter(|l| !l.source.is_empty()) {
        let place = Place::line(Arc::clone(&entry.file), entry.line);
        check_presence(archive, entry, &place, report);
        let Some((algorithm, hash)) = well_formed(entry, &place, report) else { continue };
        if entry.is_external() || !archive.has_file(&entry.source) {
            continue;
        }
        let known: &mut Vec<Claim> = claims.entry(entry.source.as_str()).or_default();
        if known.iter().any(|(a, h, _)| *a == algorithm && *h != hash) {
            let said = format!("`{}` is listed with two digests", entry.source);
            report.add(&rule::LISTED_TWICE, place.clone(), said);
        }
        // More different claims than algorithms contradict each other, which is reported already.
        if known.len() < 8 && !known.iter().any(|(a, h, _)| *a == algorithm && *h == hash) {
            known.push((algorithm, hash, place));
        }
    }
    claims
}

fn check_presence(archive: &Archive<'_>, entry: &Listed, place: &Place, report: &mut Report) {
    if !entry.is_external() && !archive.has_file(&entry.source) {
        let said = format!("`{}` is not in the archive", entry.source);
        // A block of TOSCA.meta that only names a media type claims nothing about integrity.
        let only_named = entry.content_type.is_some() && entry.hash.is_none();
        if only_named && entry.algorithm.is_none() {
            report.add(&rule::META_FILE, place.clone(), said);
        } else if entry.hash.is_some() || !archive.has_folder(&entry.source) {
            report.add(&rule::FILE_MISSING, place.clone(), said);
        }
    }
    for file in [&entry.signature, &entry.certificate].into_iter().flatten() {
        if !file.is_empty() && !archive.has_file(file) {
            let said = format!("`{file}` is not in the archive");
            report.add(&rule::SIGNATURE_FILE, place.clone(), said);
        }
    }
}

fn well_formed(entry: &Listed, place: &Place, report: &mut Report) -> Option<(Algorithm, String)> {
    let (name, hash) = (entry.algorithm.as_deref()?, entry.hash.as_deref()?);
    let Some(algorithm) = Algorithm::from_name(name) else {
        if !name.is_empty() {
            let said = format!("`{name}` for `{}` is unknown", entry.source);
            report.add(&rule::ALGORITHM_UNKNOWN, place.clone(), said);
        }
        return None;
    };
    let hex = hash.bytes().all(|b| b.is_ascii_hexdigit());
    if hash.is_empty() {
        return None;
    }
    if !hex || hash.len() != algorithm.hex_len() {
        let said = format!(
            "the hash of `{}` is not {} hexadecimal digits",
            entry.source,
            algorithm.hex_len()
        );
        report.add(&rule::HASH_MALFORMED, place.clone(), said);
        return None;
    }
    Some((algorithm, hash.to_ascii_lowercase()))
}

/// Checks one further claim on a file, such as a software image's own checksum.
pub(crate) fn check_one(
    archive: &mut Archive<'_>,
    reading: &mut Reading,
    file: &str,
    claimed: &Checksum,
    report: &mut Report,
) -> Result<(), Finding> {
    let hash = reading.digest(archive, file, claimed.algorithm)?;
    compare(file, claimed, &hash, report);
    Ok(())
}

/// Reports a digest that is not the claimed one.
pub(crate) fn compare(file: &str, claimed: &Checksum, hash: &str, report: &mut Report) {
    if claimed.hash != hash {
        let said =
            format!("`{file}` has {} {hash}, not {}", claimed.algorithm.name(), claimed.hash);
        report.add(&rule::DIGEST_DIFFERS, Place::file(file), said);
    }
}

/// Reports files that the manifest does not cover; a signature around the archive covers all.
pub(crate) fn check_coverage(archive: &Archive<'_>, manifest: &Manifest, report: &mut Report) {
    if archive.outer().is_some() {
        return;
    }
    let digested = manifest.listed.iter().filter(|l| l.hash.is_some());
    let covered: HashSet<&str> = digested.map(|l| l.source.as_str()).collect();
    let helper = |file: &str| {
        // Signatures and certificates vouch for others; SOL004 lets them go without a digest.
        let end = file.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        matches!(end.as_str(), "cms" | "cert" | "crt" | "pem" | "p7b" | "p7c" | "p7s" | "sig")
    };
    for (file, _) in archive.files() {
        if **file != *manifest.path && !helper(file) && !covered.contains(&**file) {
            let place = Place::file(Arc::clone(&manifest.path));
            let said = format!("`{file}` is not listed with a digest");
            report.add(&rule::NOT_LISTED, place, said);
        }
    }
}
