//! Variables an expression is given, in layers that share what lies below.

use std::sync::Arc;

use crate::value::Value;

/// Names (without the `$`) and their values.
///
/// A layer on top of another ([`Bindings::over`]) costs nothing to make, whatever lies below;
/// names of the upper layer hide those below.
#[derive(Clone, Default, Debug)]
pub struct Bindings {
    own: Vec<(Arc<str>, Value)>,
    below: Option<Arc<Self>>,
}

impl Bindings {
    /// No bindings.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty layer on top of `below`.
    pub fn over(below: Arc<Self>) -> Self {
        Self { own: Vec::new(), below: Some(below) }
    }

    /// The same with one more binding.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Binds `name` in this layer.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self.own.iter_mut().find(|(known, _)| &**known == name) {
            Some((_, old)) => *old = value,
            None => self.own.push((Arc::from(name), value)),
        }
    }

    /// What `name` is bound to.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut layer = Some(self);
        while let Some(bindings) = layer {
            if let Some((_, value)) = bindings.own.iter().find(|(known, _)| &**known == name) {
                return Some(value);
            }
            layer = bindings.below.as_deref();
        }
        None
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        let layers = std::iter::successors(Some(self), |layer| layer.below.as_deref());
        layers.flat_map(|layer| layer.own.iter().map(|(_, value)| value))
    }

    /// The names bound, those of upper layers first; a hidden name appears twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let layers = std::iter::successors(Some(self), |layer| layer.below.as_deref());
        layers.flat_map(|layer| layer.own.iter().map(|(name, _)| &**name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upper_layer_hides_what_lies_below() {
        let below = Arc::new(Bindings::new().with("a", 1.0).with("b", 2.0));
        let above = Bindings::over(below.clone()).with("a", 3.0);
        assert_eq!(above.get("a"), Some(&Value::from(3.0)));
        assert_eq!(above.get("b"), Some(&Value::from(2.0)));
        assert_eq!(below.get("a"), Some(&Value::from(1.0)));
        assert_eq!(above.get("c"), None);
        assert_eq!(above.names().collect::<Vec<_>>(), ["a", "a", "b"]);
    }
}
