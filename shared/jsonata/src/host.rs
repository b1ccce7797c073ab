//! What an evaluation takes from outside: time and chance. The caller decides both.

/// Time and chance, so that an evaluation can be repeated exactly.
pub trait Host: Send + Sync {
    /// Milliseconds since 1970; asked at most once per evaluation.
    fn now_millis(&self) -> i64;

    /// A number from 0 up to but not including 1.
    fn random(&self) -> f64;

    /// A version 4 UUID.
    fn uuid(&self) -> String;
}
