//! How long expressions take once they are read; prints microseconds for each.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench is for people at a terminal"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use endless::ENDLESS;
use mano_jsonata::{Bindings, Budget, Expression, Host, Value};

#[path = "../tests/endless/mod.rs"]
mod endless;

struct Fixed;

impl Host for Fixed {
    fn now_millis(&self) -> i64 {
        0
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn uuid(&self) -> String {
        String::new()
    }
}

const CASES: [(&str, &str); 7] = [
    ("a field", "$states.input.x"),
    ("a deeper field", "$states.input.order.customer.name"),
    ("a map over ten items", "$states.input.items.(price * quantity)"),
    ("$map over ten items", "$map($states.input.items, function($i) { $i.price * $i.quantity })"),
    (
        "an object",
        "{\"id\": $states.input.x, \"name\": $states.input.order.customer.name, \"sum\": 1 + 2}",
    ),
    ("a filter over ten items", "$states.input.items[price > 5].name"),
    (
        "a regular expression",
        "$replace($states.input.order.customer.name, /(\\w+) (\\w+)/, \"$2 $1\")",
    ),
];

fn main() {
    let items: Vec<String> =
        (1..=10).map(|at| format!(r#"{{"name":"item {at}","price":{at},"quantity":2}}"#)).collect();
    let states = format!(
        r#"{{"input":{{"x":1,"order":{{"customer":{{"name":"Ada Lovelace"}}}},"items":[{}]}}}}"#,
        items.join(",")
    );
    let bindings = Bindings::new().with("states", Value::from_json_text(&states).unwrap());
    for (name, source) in CASES {
        let expression = Expression::parse(source).unwrap();
        println!("{:8.3} µs  {name}: {source}", best(&expression, &bindings).as_secs_f64() * 1e6);
    }
    let source = CASES[4].1;
    let start = Instant::now();
    for _ in 0..10_000 {
        black_box(Expression::parse(black_box(source)).unwrap());
    }
    println!("{:8.3} µs  reading: {source}", start.elapsed().as_secs_f64() * 1e6 / 10_000.0);
    let mut endless: Vec<_> = ENDLESS.iter().map(|source| (to_its_end(source), source)).collect();
    endless.sort();
    println!("of {} endless expressions the longest:", endless.len());
    for (time, source) in endless.iter().rev().take(5) {
        println!("{:8.3} ms  {source}", time.as_secs_f64() * 1e3);
    }
}

/// How long an endless expression takes until its budget stops it; the best of five.
fn to_its_end(source: &str) -> Duration {
    let once = || {
        let mut budget = Budget::new(400_000, 48 << 20);
        let start = Instant::now();
        let _ = Expression::parse(source).and_then(|expression| {
            expression.evaluate(None, &Bindings::new(), &Fixed, &mut budget)
        });
        start.elapsed()
    };
    (0..5).map(|_| once()).min().unwrap_or_default()
}

/// The mean of the best of twenty rounds.
fn best(expression: &Expression, bindings: &Bindings) -> Duration {
    const TIMES: u32 = 20_000;
    let round = || {
        let start = Instant::now();
        for _ in 0..TIMES {
            let mut budget = Budget::new(1_000_000, 1 << 24);
            let result = expression.evaluate(None, black_box(bindings), &Fixed, &mut budget);
            black_box(result.unwrap());
        }
        start.elapsed() / TIMES
    };
    (0..20).map(|_| round()).min().unwrap_or_default()
}
