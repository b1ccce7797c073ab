//! How a simulated VIM shall behave: what is slow, what fails, what is refused.
//!
//! Calls that make or remove something are counted from 1 since the behaviour was set;
//! looking and listing are not counted.

use crate::{
    plan::{Document, Kind},
    refusal::Refusal,
    resource::ResourceKind,
};
use serde::{Deserialize, Serialize};

/// What happens to the call that is to fail.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailKind {
    /// Nothing is done; the same call may succeed later.
    #[default]
    Transient,
    /// Nothing is done, and never will be.
    Permanent,
    /// Nothing is done, for lack of room.
    NoCapacity,
    /// The call succeeds, and what it began to make ends in `ERROR`.
    Later,
}

/// Things that are refused for ever.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Pattern {
    /// Of this kind; none: of any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ResourceKind>,
    /// Of this name, or of names that begin like this where it ends in `*`; none: of any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Pattern {
    /// Whether a thing is meant.
    #[must_use]
    pub fn matches(&self, kind: ResourceKind, name: &str) -> bool {
        let named = self.name.as_deref().is_none_or(|pattern| match pattern.strip_suffix('*') {
            Some(head) => name.starts_with(head),
            None => name == pattern,
        });
        named && self.kind.is_none_or(|k| k == kind)
    }
}

/// How a simulated VIM behaves; the default does everything at once and well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Behaviour {
    /// Every call takes this long, in milliseconds.
    pub latency_ms: u64,
    /// Making and removing goes on this long after the answer, in milliseconds; 0: not at all.
    pub asynchronous_ms: u64,
    /// The call that fails first, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_nth: Option<u64>,
    /// So many calls fail, from that one on.
    pub fail_times: u64,
    /// What happens to them.
    pub fail_kind: FailKind,
    /// The call that is never answered and never done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang_nth: Option<u64>,
    /// The call that is done and never answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lose_answer_nth: Option<u64>,
    /// What is not made, ever.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refuse: Vec<Pattern>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            latency_ms: 0,
            asynchronous_ms: 0,
            fail_nth: None,
            fail_times: 1,
            fail_kind: FailKind::Transient,
            hang_nth: None,
            lose_answer_nth: None,
            refuse: Vec::new(),
        }
    }
}

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out.
    Go,
    /// It fails.
    Fail(FailKind),
    /// It hangs.
    Hang,
    /// It is carried out and not answered.
    LoseAnswer,
}

impl Behaviour {
    /// The longest latency, in milliseconds.
    pub const MAX_LATENCY_MS: u64 = 600_000;
    /// The longest work after an answer, in milliseconds.
    pub const MAX_ASYNCHRONOUS_MS: u64 = 86_400_000;
    /// The most patterns.
    pub const MAX_PATTERNS: usize = 100;

    /// Whether it can be carried out as written.
    ///
    /// # Errors
    ///
    /// Unprocessable: a number is beyond its most, or counts calls from 0.
    pub fn check(&self) -> Result<(), Refusal> {
        let no = |detail: String| Err(Refusal::unprocessable(detail));
        if self.latency_ms > Self::MAX_LATENCY_MS {
            let most = Self::MAX_LATENCY_MS;
            return no(format!("latencyMs is {}; the most is {most}", self.latency_ms));
        }
        if self.asynchronous_ms > Self::MAX_ASYNCHRONOUS_MS {
            let most = Self::MAX_ASYNCHRONOUS_MS;
            return no(format!("asynchronousMs is {}; the most is {most}", self.asynchronous_ms));
        }
        let counted = [
            ("failNth", self.fail_nth),
            ("hangNth", self.hang_nth),
            ("loseAnswerNth", self.lose_answer_nth),
        ];
        if let Some((name, _)) = counted.iter().find(|(_, nth)| *nth == Some(0)) {
            return no(format!("{name} is 0; calls are counted from 1"));
        }
        if self.refuse.len() > Self::MAX_PATTERNS {
            let most = Self::MAX_PATTERNS;
            return no(format!("refuse has {} patterns; the most is {most}", self.refuse.len()));
        }
        Ok(())
    }

    /// Whether calls have to be counted.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.fail_nth.is_some() || self.hang_nth.is_some() || self.lose_answer_nth.is_some()
    }

    /// What becomes of call `n`, from 1.
    #[must_use]
    pub fn verdict(&self, n: u64) -> Verdict {
        if self.hang_nth == Some(n) {
            return Verdict::Hang;
        }
        let fails = |first: u64| n >= first && n - first < self.fail_times;
        if self.fail_nth.is_some_and(fails) {
            return Verdict::Fail(self.fail_kind);
        }
        if self.lose_answer_nth == Some(n) { Verdict::LoseAnswer } else { Verdict::Go }
    }

    /// Whether a thing is never made.
    #[must_use]
    pub fn refuses(&self, kind: ResourceKind, name: &str) -> bool {
        self.refuse.iter().any(|pattern| pattern.matches(kind, name))
    }
}

/// The behaviour of one simulated VIM, and how far it has counted.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SimVim {
    /// The VIM.
    pub vim_id: String,
    /// How it behaves.
    pub behaviour: Behaviour,
    /// Calls that make or remove since then; counted only while something depends on it.
    pub calls: u64,
}

impl Document for SimVim {
    const KIND: Kind = Kind::SimVim;
    fn id(&self) -> String {
        self.vim_id.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_and_so_many_after_it_fail() {
        let behaviour = Behaviour {
            fail_nth: Some(2),
            fail_times: 2,
            fail_kind: FailKind::Permanent,
            hang_nth: Some(5),
            lose_answer_nth: Some(6),
            ..Behaviour::default()
        };
        let verdicts: Vec<_> = (1..=7).map(|n| behaviour.verdict(n)).collect();
        let fail = Verdict::Fail(FailKind::Permanent);
        use Verdict::{Go, Hang, LoseAnswer};
        assert_eq!(verdicts, [Go, fail, fail, Go, Hang, LoseAnswer, Go]);
        assert!(behaviour.counts() && !Behaviour::default().counts());
    }

    #[test]
    fn a_pattern_means_a_kind_a_name_or_a_beginning() {
        let pattern = |text: &str| serde_json::from_str::<Pattern>(text).unwrap();
        let of_kind = pattern(r#"{"kind":"COMPUTE"}"#);
        assert!(of_kind.matches(ResourceKind::Compute, "a-1"));
        assert!(!of_kind.matches(ResourceKind::Network, "a-1"));
        let named = pattern(r#"{"name":"a-*"}"#);
        assert!(named.matches(ResourceKind::Network, "a-1"));
        assert!(!named.matches(ResourceKind::Network, "b-1"));
        assert!(!pattern(r#"{"name":"a-1"}"#).matches(ResourceKind::Network, "a-11"));
    }

    #[test]
    fn what_cannot_be_simulated_is_refused_by_name() {
        let asked: Behaviour = serde_json::from_str(r#"{"hangNth":0}"#).unwrap();
        assert_eq!(asked.check().unwrap_err().detail, "hangNth is 0; calls are counted from 1");
        let asked = Behaviour { latency_ms: u64::MAX, ..Behaviour::default() };
        assert!(asked.check().unwrap_err().detail.contains("latencyMs"));
        assert!(serde_json::from_str::<Behaviour>(r#"{"failNht":1}"#).is_err());
        assert_eq!(Behaviour::default().check(), Ok(()));
    }
}
