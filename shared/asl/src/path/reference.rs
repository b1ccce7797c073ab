//! Reference paths: where `ResultPath` writes.

use serde_json::{Map, Value};

use super::{Path, Segment};

/// A path of names and indexes only.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    path: Path,
}

impl Reference {
    /// Reads a reference path.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let path = Path::parse(text)?;
        let plain = path.is_definite() && path.function.is_none();
        let forward = path
            .segments
            .iter()
            .all(|segment| !matches!(segment, Segment::Index(index) if *index < 0));
        (plain && forward).then_some(Self { path })
    }

    /// Whether the path is `$`.
    pub(crate) fn is_root(&self) -> bool {
        self.path.is_root()
    }

    /// The path as it was written.
    pub(crate) fn source(&self) -> &str {
        self.path.source()
    }

    /// Writes `value` into `target`; missing objects are made, missing items are not.
    /// Gives back `false` if a step meets a value of another kind.
    pub(crate) fn write(&self, target: &mut Value, value: Value) -> bool {
        let mut place = target;
        for segment in &self.path.segments {
            let next = match segment {
                Segment::Name(name) => field(place, name),
                Segment::Index(index) => usize::try_from(*index)
                    .ok()
                    .and_then(|index| place.as_array_mut().and_then(|items| items.get_mut(index))),
                Segment::Names(_)
                | Segment::Indexes(_)
                | Segment::Slice(..)
                | Segment::Wildcard
                | Segment::Filter(_)
                | Segment::Descend(_) => None,
            };
            let Some(next) = next else { return false };
            place = next;
        }
        *place = value;
        true
    }
}

fn field<'a>(place: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    if place.is_null() {
        *place = Value::Object(Map::new());
    }
    let fields = place.as_object_mut()?;
    Some(fields.entry(name).or_insert(Value::Null))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_objects_are_made_on_the_way() {
        let mut target = json!({"keep": 1});
        assert!(Reference::parse("$.a.b").is_some_and(|path| path.write(&mut target, json!(2))));
        assert_eq!(target, json!({"keep": 1, "a": {"b": 2}}));
    }

    #[test]
    fn only_existing_items_are_written() {
        let mut target = json!({"a": [1, 2]});
        assert!(Reference::parse("$.a[1]").is_some_and(|path| path.write(&mut target, json!(9))));
        assert!(!Reference::parse("$.a[2]").is_some_and(|path| path.write(&mut target, json!(9))));
        assert_eq!(target, json!({"a": [1, 9]}));
    }

    #[test]
    fn lists_filters_and_descents_are_no_reference() {
        for text in ["$.a[*]", "$..a", "$.a[1:]", "$.a[?(@.b)]", "$.a.length()", "$.a[-1]"] {
            assert!(Reference::parse(text).is_none(), "{text}");
        }
    }
}
