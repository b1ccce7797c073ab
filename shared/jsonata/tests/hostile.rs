//! Expressions made to hang, to fill the memory or to overflow the stack: each ends with an error
//! within its budget.

mod endless;
mod host;

use endless::ENDLESS;
use mano_jsonata::{Bindings, Budget, Expression, Value};

const STEPS: u64 = 400_000;
const BYTES: u64 = 48 << 20;

/// What happened instead of an error, if anything.
fn not_an_error(source: &str) -> Option<String> {
    let input = Value::from_json_text(r#"{"a":[1,2,3]}"#);
    let mut budget = Budget::new(STEPS, BYTES);
    match host::evaluate(source, input.ok().as_ref(), &Bindings::new(), &mut budget) {
        Err(error) if error.message.len() > 33_000 => {
            Some(format!("{source}: a sentence of {} bytes", error.message.len()))
        }
        // A wrong call ends at once: such an expression tries nothing.
        Err(error) if ["D3050", "T0410", "T1006"].contains(&error.code) => {
            Some(format!("{source}: {error}"))
        }
        Err(_) => None,
        Ok(value) => Some(format!("{source}: {value:?}, {:?} left", budget.remaining())),
    }
}

#[test]
fn endless_expressions_end_with_an_error_within_their_budget() {
    let wrong: Vec<String> = ENDLESS.iter().filter_map(|source| not_an_error(source)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn chains_of_functions_are_dropped_without_recursion() {
    let chain = |next: &str| {
        format!(
            "($c := function($f, $n) {{ $n = 0 ? $f : $c({next}, $n - 1) }}; $c($string, 20000); 1)"
        )
    };
    let sources = [
        chain("function($x) { $f($x) }"),
        chain("$f ~> $string"),
        chain("$substring(?, $f)"),
        chain("function($x) { [$f, {\"f\": $f}] }"),
    ];
    let small = std::thread::Builder::new().stack_size(256 * 1_024).spawn(move || {
        for source in &sources {
            let mut budget = Budget::new(STEPS, BYTES);
            let result = host::evaluate(source, None, &Bindings::new(), &mut budget);
            let spent = result.as_ref().is_err_and(|error| error.code == "U1001");
            assert!(spent || result == Ok(Some(Value::from(1.0))), "{source}: {result:?}");
        }
    });
    assert!(small.is_ok_and(|thread| thread.join().is_ok()));
}

#[test]
fn expressions_nested_too_deep_are_refused() {
    let deep = |open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(100_000), close.repeat(100_000))
    };
    let sources = [
        deep("(", "1", ")"),
        deep("[", "", "]"),
        deep("{\"a\":", "1", "}"),
        deep("-", "a", ""),
        deep("a[", "0", "]"),
        deep("$f(", "1", ")"),
        deep("function(){", "1", "}"),
        deep("1+", "1", ""),
        deep("a.", "a", ""),
        deep("a&", "a", ""),
        deep("a?1:", "a", ""),
        deep("$x:=", "1", ""),
        deep("", "a", "[0]"),
        deep("", "a", "{\"k\":1}"),
        deep("", "a", "^(a)"),
        deep("", "$f", "()"),
        deep("", "a", "~>$f"),
        deep("", "a", "[]"),
        deep("|a|", "{}", "|"),
        deep("/", "(", "/"),
        format!("/{}a{}/", "(".repeat(50_000), ")".repeat(50_000)),
        format!("/{}/", "(?=".repeat(50_000)),
        format!("function($x)<{}>{{1}}(1)", "a<".repeat(50_000)),
        format!("function($x)<{}:n>{{1}}(1)", "x+".repeat(2_000)),
        "(".repeat(500_000),
        "/*".repeat(100_000),
        "'".to_owned() + &"\\".repeat(99_999),
    ];
    for source in &sources {
        // Postfix `[]` nests nothing: it is simply long.
        if Expression::parse(source).is_err() {
            continue;
        }
        assert!(source.ends_with("[][]"), "{}… was accepted", &source[..20]);
    }
}

#[test]
fn a_budget_shared_by_several_evaluations_is_spent_by_all() {
    let expression = Expression::parse("[1..100].($ * 2)");
    let expression = expression.unwrap_or_else(|error| panic!("{error}"));
    let mut budget = Budget::new(3_000, 1 << 20);
    let mut rounds = 0;
    while expression.evaluate(None, &Bindings::new(), &host::Fixed, &mut budget).is_ok() {
        rounds += 1;
    }
    assert_eq!(budget.remaining().0, 0);
    assert!((2..10).contains(&rounds), "{rounds} rounds");
}

#[test]
fn the_same_evaluation_always_costs_the_same() {
    let spent = || {
        let mut budget = Budget::new(STEPS, BYTES);
        let source = "($f := function($n) { $n = 0 ? [] : $append($f($n - 1), $string($n)) }; $f(50) ~> $join(\",\"))";
        let result = host::evaluate(source, None, &Bindings::new(), &mut budget);
        assert!(result.is_ok());
        budget.remaining()
    };
    assert_eq!(spent(), spent());
}

#[test]
fn input_and_bindings_nested_too_deep_are_refused() {
    let mut deep = Value::Null;
    for _ in 0..5_000 {
        deep = Value::from(vec![deep]);
    }
    for source in ["$", "$x", "1"] {
        let mut budget = Budget::new(STEPS, BYTES);
        let bindings = Bindings::new().with("x", deep.clone());
        let error =
            host::evaluate(source, None, &bindings, &mut budget).err().map(|error| error.code);
        assert_eq!(error, Some("U1001"));
        let error = host::evaluate(source, Some(&deep), &Bindings::new(), &mut budget).err();
        assert_eq!(error.map(|error| error.code), Some("U1001"));
    }
}

#[test]
fn the_deepest_expression_admitted_needs_little_stack() {
    let sources = [
        format!("{}1{}", "(".repeat(900), ")".repeat(900)),
        format!("{}1", "1+".repeat(900)),
        format!("{}1{}", "[".repeat(400), "]".repeat(400)),
        format!("a{}", "[0]".repeat(900)),
        format!("{}1{}", "function(){".repeat(400), "}".repeat(400)),
        "($f := function($n) { $n = 0 ? 0 : 1 + $f($n - 1) }; $f(500))".to_owned(),
    ];
    let small = std::thread::Builder::new().stack_size(512 * 1_024).spawn(move || {
        for source in &sources {
            let mut budget = Budget::new(STEPS, BYTES);
            let result = host::evaluate(source, None, &Bindings::new(), &mut budget);
            assert!(result.is_ok(), "{:?}", result.err());
        }
    });
    assert!(small.is_ok_and(|thread| thread.join().is_ok()));
}
