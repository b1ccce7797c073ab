//! What a monitor reads at `/metrics`, in the text format of Prometheus.

use super::process;
use http::{Method, StatusCode};
use mano_embedded::Host;
use mano_model::plan::{Index, Kind};
use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Upper bounds of the latency buckets, in microseconds.
const BOUNDS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000, 30_000_000,
];
/// The methods that are counted one by one; others count as the last.
const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OTHER"];
/// The statuses that are counted one by one; others count as the last.
const STATUSES: [u16; 26] = [
    200, 201, 202, 204, 206, 303, 400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 414, 415, 416,
    422, 429, 500, 501, 503, 504, 0,
];

/// The requests of one route and method.
#[derive(Default)]
struct Requests {
    statuses: [AtomicU64; STATUSES.len()],
    /// One more than there are bounds: the last takes the rest.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// All counters.
pub(super) struct Metrics {
    routes: BTreeMap<&'static str, [Requests; METHODS.len()]>,
    open: AtomicU64,
    begun: Instant,
}

/// A request under way.
pub(super) struct Open<'m>(&'m AtomicU64);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// Counters for these routes, at zero.
    pub(super) fn new(templates: impl Iterator<Item = &'static str>) -> Self {
        let own = ["", "api_versions", "/healthz", "/readyz", "/metrics"];
        let routes = templates.chain(own).map(|route| (route, Default::default())).collect();
        Self { routes, open: AtomicU64::new(0), begun: Instant::now() }
    }

    /// Counts a request as under way until the result is dropped.
    pub(super) fn open(&self) -> Open<'_> {
        self.open.fetch_add(1, Relaxed);
        Open(&self.open)
    }

    /// Counts an answer.
    pub(super) fn count(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let Some(methods) = self.routes.get(route) else { return };
        let named = METHODS.iter().position(|known| *known == method.as_str());
        let Some(requests) = methods.get(named.unwrap_or(METHODS.len() - 1)) else { return };
        let named = STATUSES.iter().position(|known| *known == status.as_u16());
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS.len());
        for counter in [
            requests.statuses.get(named.unwrap_or(STATUSES.len() - 1)),
            requests.buckets.get(bucket),
        ] {
            counter.map(|counter| counter.fetch_add(1, Relaxed));
        }
        requests.micros.fetch_add(micros, Relaxed);
    }

    /// Everything as text.
    pub(super) fn text(&self, host: &Host) -> String {
        let mut page = Page(String::with_capacity(16 << 10));
        self.requests(&mut page);
        self.latencies(&mut page);
        operations(&mut page, host);
        backlog(&mut page, host);
        let open = self.open.load(Relaxed);
        page.single("mano_http_requests_open", "gauge", "Requests under way.", open);
        let seconds = self.begun.elapsed().as_secs();
        page.single("mano_uptime_seconds", "gauge", "Since the start.", seconds);
        if let Some(bytes) = process::resident_bytes() {
            page.single("process_resident_memory_bytes", "gauge", "Memory held.", bytes);
        }
        page.0
    }

    /// Routes and methods that were asked for, with their counters.
    fn asked(&self) -> impl Iterator<Item = (&'static str, &'static str, &Requests)> {
        let all = self.routes.iter().flat_map(|(route, methods)| {
            METHODS.iter().zip(methods).map(|(method, requests)| (*route, *method, requests))
        });
        all.filter(|(_, _, requests)| requests.buckets.iter().any(|count| count.load(Relaxed) > 0))
    }

    fn requests(&self, page: &mut Page) {
        let name = "mano_http_requests_total";
        page.head(name, "counter", "Requests answered, by route, method and status.");
        for (route, method, requests) in self.asked() {
            for (status, count) in STATUSES.iter().zip(&requests.statuses) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let status = status.to_string();
                    let labels = [("route", route), ("method", method), ("status", &status)];
                    page.line(name, &labels, count);
                }
            }
        }
    }

    fn latencies(&self, page: &mut Page) {
        let name = "mano_http_request_duration_seconds";
        page.head(name, "histogram", "From the head of a request to its answer.");
        for (route, method, requests) in self.asked() {
            let mut total = 0;
            for (place, count) in requests.buckets.iter().enumerate() {
                total += count.load(Relaxed);
                let bound = BOUNDS.get(place).map_or("+Inf".into(), |micros| seconds(*micros));
                let labels = [("route", route), ("method", method), ("le", &bound)];
                page.line(&format!("{name}_bucket"), &labels, total);
            }
            let labels = [("route", route), ("method", method)];
            let sum = seconds(requests.micros.load(Relaxed));
            page.line(&format!("{name}_sum"), &labels, sum);
            page.line(&format!("{name}_count"), &labels, total);
        }
    }
}

/// Microseconds as seconds.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How many operations stand in which state.
fn operations(page: &mut Page, host: &Host) {
    let name = "mano_operations";
    page.head(name, "gauge", "LCM operation occurrences, by kind and state.");
    for (kind, label) in [(Kind::NsOp, "ns"), (Kind::VnfOp, "vnf")] {
        // What cannot be read now is left out: the monitor sees a gap, not a wrong zero.
        for (state, count) in host.store().tally(kind, Index::OperationState).unwrap_or_default() {
            page.line(name, &[("kind", label), ("state", &state)], count);
        }
    }
}

/// What waits, and what the store has done.
fn backlog(page: &mut Page, host: &Host) {
    let counts = host.store().counts();
    for (name, help, value) in [
        ("mano_store_plans_total", "Plans taken.", counts.plans),
        ("mano_store_plans_refused_total", "Plans that lost a race.", counts.refused),
        ("mano_store_commits_total", "Plans carried out.", counts.plans - counts.refused),
        ("mano_store_transactions_total", "Transactions written.", counts.transactions),
        ("mano_store_records_total", "Rows of engine, queue and relay.", counts.records),
        ("mano_store_facts_total", "Facts announced.", counts.facts),
    ] {
        page.single(name, "counter", help, value);
    }
    page.single("mano_store_bytes", "gauge", "Bytes on disk.", host.store().bytes());
    for (name, help, value) in [
        ("mano_facts_due", "Facts not delivered yet.", host.store().due_count().ok()),
        ("mano_queue_waiting", "Messages not handled yet.", host.queue().waiting().ok()),
        ("mano_queue_dead", "Messages nobody could handle.", dead(host)),
    ] {
        if let Some(value) = value {
            page.single(name, "gauge", help, value);
        }
    }
}

/// How many dead letters there are, up to a thousand.
fn dead(host: &Host) -> Option<u64> {
    u64::try_from(host.queue().dead(1000).ok()?.len()).ok()
}

/// A page of metrics.
struct Page(String);

impl Page {
    /// The lines before a metric.
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// A value without labels.
    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(name, &[], value);
    }

    /// One value.
    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.push(format_args!("{name}"));
        for (place, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.push(format_args!("{}{label}=\"{text}\"", if place == 0 { "{" } else { "," }));
        }
        self.push(format_args!("{} {value}\n", if labels.is_empty() { "" } else { "}" }));
    }

    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
    }
}
