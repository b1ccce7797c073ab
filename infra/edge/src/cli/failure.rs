//! What a person reads when something went wrong: what, where, and what to do next.

use serde_json::Value;
use std::{fmt, io, path::Path};

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What was wrong, as one sentence without a full stop.
    what: String,
    /// Where it showed: a request, a file, a line.
    place: Option<String>,
    /// What to do next.
    next: Option<String>,
    /// The command itself was wrong (exit status 2), not the world (1).
    misuse: bool,
    /// The same command may succeed in a moment.
    passing: bool,
}

impl Failure {
    /// Something went wrong.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), place: None, next: None, misuse: false, passing: false }
    }

    /// The command was not used as it is meant.
    pub(crate) fn misuse(what: impl Into<String>) -> Self {
        Self { misuse: true, ..Self::new(what) }
    }

    /// A file could not be read or written.
    pub(crate) fn file(doing: &str, path: &Path, error: &io::Error) -> Self {
        Self::new(format!("cannot {doing} {}: {error}", path.display()))
    }

    /// Something went wrong, told with everything that led to it.
    pub(crate) fn caused(error: &anyhow::Error) -> Self {
        Self::new(sentence(&format!("{error:#}")))
    }

    /// With the place where it showed.
    pub(crate) fn at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
    }

    /// With what to do next.
    pub(crate) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    /// What was wrong, alone.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// What was wrong and what to do next, in one line.
    pub(crate) fn sentence(&self) -> String {
        let next = self.next.as_ref().map(|next| format!(": {next}")).unwrap_or_default();
        format!("{}{next}", self.what)
    }

    /// Whether the same request may succeed in a moment: the server is away or busy.
    pub(crate) const fn is_passing(&self) -> bool {
        self.passing
    }

    /// 1: it did not succeed; 2: the command was not used as it is meant.
    pub(crate) const fn status(&self) -> u8 {
        if self.misuse { 2 } else { 1 }
    }

    /// What a server said no with (RFC 7807), or whatever it said instead.
    pub(crate) fn answered(status: u16, asked: &str, body: &str) -> Self {
        let problem: Value = serde_json::from_str(body).unwrap_or_default();
        let detail = ["detail", "title"].iter().find_map(|k| problem.get(k)?.as_str());
        let what = detail.map_or_else(|| unexplained(status, body), sentence);
        let mut failure = Self::new(what).at(format!("{asked} was answered {status}"));
        failure.passing = matches!(status, 429 | 502..=504);
        let next = match status {
            409 => {
                taken_by(&failure.what).map(|op| format!("see what it does: `mano op watch {op}`"))
            }
            _ => advice(status).map(Into::into),
        };
        match next {
            Some(next) => failure.next(next),
            None => failure,
        }
    }

    /// No answer came at all.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the client's list of errors is open")]
    pub(crate) fn unanswered(endpoint: &str, error: &ureq::Error) -> Self {
        use ureq::Error as E;
        let start =
            "start a server with `mano serve`, or name another with --endpoint or MANO_ENDPOINT";
        let failure = match error {
            E::Io(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
                Self::new(format!("nothing answers at {endpoint}")).next(start)
            }
            E::ConnectionFailed | E::HostNotFound | E::Io(_) => {
                Self::new(format!("{endpoint} cannot be reached: {error}")).next(start)
            }
            E::Timeout(which) => Self::new(format!("{endpoint} did not answer in time ({which})"))
                .next("look at the server's log, or try again"),
            E::BadUri(_) | E::Http(_) => Self::misuse(format!("{endpoint} is not a URL: {error}"))
                .next("write it like http://127.0.0.1:8080"),
            E::Tls(_) | E::Rustls(_) | E::Pem(_) => {
                Self::new(format!("no secure connection to {endpoint}: {error}"))
                    .next("if its certificate is your own, name the authority's file with --ca")
            }
            _ => Self::new(format!("talking to {endpoint} failed: {error}")).next(start),
        };
        Self { passing: matches!(error, E::Io(_) | E::ConnectionFailed | E::Timeout(_)), ..failure }
    }
}

/// A sentence as it stands inside our own: no full stop.
fn sentence(text: &str) -> String {
    text.trim().trim_end_matches('.').to_owned()
}

/// The operation that has taken what was asked for, where that is why.
///
/// A conflict has many reasons, and the sentence alone tells them apart; it says itself what to do
/// about the others.
fn taken_by(sentence: &str) -> Option<&str> {
    let (_, after) = sentence.split_once("is taken by operation '")?;
    after.split_once('\'').map(|(op, _)| op)
}

/// What to say of an answer that explains nothing.
fn unexplained(status: u16, body: &str) -> String {
    let excerpt: String = body.trim().chars().take(200).collect();
    if excerpt.is_empty() {
        format!("the server answered {status} without a reason")
    } else {
        format!("the server answered {status}: {excerpt}")
    }
}

/// What usually helps after an answer of this status.
const fn advice(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => "give a valid token with --token or MANO_TOKEN",
        403 => {
            "ask as somebody who may (--token; --iam for a deployment on AWS), or for something else"
        }
        404 => "see what there is with the `list` command of its kind",
        406 => "this server speaks other versions of the API; use the `mano` that belongs to it",
        412 => "someone changed it meanwhile: look at it again and repeat",
        429 | 503 => "wait a moment and repeat",
        500..=599 => "this is the server's fault: its log says more, `mano doctor` may too",
        _ => return None,
    })
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        if let Some(place) = &self.place {
            write!(f, "\n  where: {place}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  next:  {next}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_becomes_what_where_and_next() {
        let body = r#"{"status":409,"detail":"the NS instance 'a' is INSTANTIATED."}"#;
        let failure = Failure::answered(409, "DELETE http://h/nslcm/v2/ns_instances/a", body);
        assert_eq!(
            failure.to_string(),
            "error: the NS instance 'a' is INSTANTIATED\n  \
             where: DELETE http://h/nslcm/v2/ns_instances/a was answered 409"
        );
        assert_eq!(failure.status(), 1);
    }

    #[test]
    fn what_an_operation_has_taken_leads_to_that_operation() {
        let body = r#"{"detail":"NS instance 'a' is taken by operation 'op-1'; wait for it."}"#;
        let failure = Failure::answered(409, "POST http://h/x", body).to_string();
        assert!(failure.ends_with("next:  see what it does: `mano op watch op-1`"), "{failure}");
    }

    #[test]
    fn an_answer_that_is_no_problem_is_quoted() {
        let failure = Failure::answered(502, "GET http://h/", "<html>Bad gateway</html>");
        assert!(failure.to_string().contains("502: <html>Bad gateway</html>"), "{failure}");
    }

    #[test]
    fn an_endpoint_where_nobody_listens_says_how_to_start_one() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let failure = Failure::unanswered("http://127.0.0.1:1", &ureq::Error::Io(refused));
        let text = failure.to_string();
        assert!(text.contains("nothing answers at http://127.0.0.1:1"), "{text}");
        assert!(text.contains("mano serve"), "{text}");
    }
}
