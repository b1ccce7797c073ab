//! From what a person typed to the one thing that is meant: identity, its beginning, or a name.

use super::{
    client::{Api, Client},
    failure::Failure,
};
use serde_json::Value;

/// More things than this are not searched through for a name.
const MOST: usize = 10_000;

/// A kind of thing that can be named.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noun {
    /// The interface it is on.
    pub(crate) api: Api,
    /// The container's path.
    pub(crate) path: &'static str,
    /// What a person calls one.
    pub(crate) what: &'static str,
    /// The attributes, besides `id`, that name one.
    pub(crate) names: &'static [&'static str],
    /// The command that lists them.
    pub(crate) listed_by: &'static str,
}

impl Noun {
    /// The path of one of them.
    pub(crate) fn at(&self, id: &str) -> String {
        format!("{}/{}", self.path, super::client::segment(id))
    }

    /// The identity of the one that `typed` means.
    ///
    /// A whole identity is taken at its word, without asking.
    pub(crate) fn id(&self, client: &Client, typed: &str) -> Result<String, Failure> {
        if uuid::Uuid::try_parse(typed).is_ok() {
            return Ok(typed.to_owned());
        }
        let (all, _) = client.list(self.api, self.path, MOST)?;
        Ok(text(self.pick(&all, typed)?, "id").to_owned())
    }

    /// The one of `all` that `typed` means.
    pub(crate) fn pick<'a>(&self, all: &'a [Value], typed: &str) -> Result<&'a Value, Failure> {
        let exact = |v: &&Value| {
            text(v, "id") == typed || self.names.iter().any(|name| text(v, name) == typed)
        };
        let begins = |v: &&Value| !typed.is_empty() && text(v, "id").starts_with(typed);
        let mut found: Vec<&Value> = all.iter().filter(exact).collect();
        if found.is_empty() {
            found = all.iter().filter(begins).collect();
        }
        match found[..] {
            [one] => Ok(one),
            [] => Err(self.absent(typed)),
            _ => Err(self.ambiguous(typed, &found)),
        }
    }

    /// There is no such thing.
    pub(crate) fn absent(&self, typed: &str) -> Failure {
        let mut by = vec!["id", "beginning of an id"];
        by.extend(self.names);
        Failure::new(format!("there is no {} '{typed}' (by {})", self.what, by.join(", ")))
            .next(format!("see what there is with `{}`", self.listed_by))
    }

    /// There are several.
    fn ambiguous(&self, typed: &str, found: &[&Value]) -> Failure {
        let ids: Vec<_> = found.iter().take(5).map(|v| text(v, "id")).collect();
        let more = if found.len() > ids.len() { ", …" } else { "" };
        let count = found.len();
        Failure::new(format!(
            "'{typed}' means {count} of the {}s: {}{more}",
            self.what,
            ids.join(", ")
        ))
        .next("give more of the id")
    }
}

/// A string attribute; empty if it is not there.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NS: Noun = Noun {
        api: Api::NsLcm,
        path: "/ns_instances",
        what: "NS instance",
        names: &["nsInstanceName"],
        listed_by: "mano ns list",
    };

    fn all() -> Vec<Value> {
        vec![
            json!({"id": "aa11", "nsInstanceName": "east"}),
            json!({"id": "aa22", "nsInstanceName": "west"}),
            json!({"id": "bb33", "nsInstanceName": "west"}),
        ]
    }

    #[test]
    fn an_id_its_beginning_and_a_name_are_understood() {
        for typed in ["aa11", "aa1", "east"] {
            assert_eq!(text(NS.pick(&all(), typed).unwrap(), "id"), "aa11", "{typed}");
        }
    }

    #[test]
    fn what_means_several_is_refused_with_their_ids() {
        for (typed, ids) in [("aa", "aa11, aa22"), ("west", "aa22, bb33")] {
            let failure = NS.pick(&all(), typed).unwrap_err().to_string();
            assert!(failure.contains(ids), "{failure}");
        }
    }

    #[test]
    fn what_means_nothing_says_where_to_look() {
        for typed in ["zz", ""] {
            let failure = NS.pick(&all(), typed).unwrap_err().to_string();
            assert!(failure.contains("mano ns list"), "{failure}");
        }
    }
}
