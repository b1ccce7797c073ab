//! Durations gathered and told: median, tail, and the aim beside them.

use std::time::Duration;

/// Durations of one kind.
#[derive(Default)]
pub(crate) struct Series(Vec<Duration>);

impl Series {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn percentile(&mut self, percent: usize) -> Duration {
        self.0.sort_unstable();
        let last = self.0.len() - 1;
        self.0[(self.0.len() * percent / 100).min(last)]
    }
}

/// One line of the report: what, reached, aimed at.
pub(crate) fn line(what: &str, reached: &str, aim: &str) {
    println!("| {what} | {reached} | {aim} |");
}

/// A duration for a table.
pub(crate) fn shown(took: Duration) -> String {
    format!("{:.2} ms", took.as_secs_f64() * 1000.0)
}

/// A rate for a table.
pub(crate) fn rate(count: usize, took: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
    let per_second = count as f64 / took.as_secs_f64();
    format!("{per_second:.0}/s")
}
