//! Expressions made to hang, to fill the memory or to overflow the stack: each ends with an error
//! within its budget.

mod host;

use mano_jsonata::{Bindings, Budget, Expression, Value};

const STEPS: u64 = 400_000;
const BYTES: u64 = 48 << 20;

/// Expressions that want more than they get, whatever they get.
const ENDLESS: [&str; 83] = [
    // Large sequences.
    "[1..1000000000]",
    "[1..9999999]",
    "[1..10000000].{\"a\": $}",
    "$sum([1..9999999])",
    "$map([1..9999999], function($x) { $x })",
    "$count([1..9999999][$ > 0])",
    "$join([1..9999999].$string())",
    "$reverse([1..9999999])",
    "$shuffle([1..9999999])",
    "$distinct([1..9999999])",
    "$zip([1..9999999], [1..9999999])",
    "[1..9000000] = [1..9000000]",
    "[0..9999999]^($)",
    "$range(0, 1e15, 1)",
    "$range(0, 1, 1e-12)",
    "$range(0, 1, 1e-320)",
    "$partition([1..9999999], 1)",
    "[1..3000][$ in [1..3000]]",
    "[1..3000].[1..3000]",
    "[1..900000]#$i[$i > 0]",
    "{\"a\": [1..2000]}.a@$a.($$ ~> function($x) { [1..2000] })@$b[$a = $b]",
    "$append([1..9999999], [1..9999999])",
    // Recursion.
    "($f := function() { $f() }; $f())",
    "($f := function() { 1 + $f() }; $f())",
    "($f := function($x) { [$f($x)] }; $f(1))",
    "($f := function($x) { $f([$x, $x]) }; $f(1))",
    "($f := function($x) { $f({\"a\": $x}) }; $f(1))",
    "($f := function($n) { $n & $f($n + 1) }; $f(1))",
    "($e := function($n) { $o($n) }; $o := function($n) { $e($n) }; $e(1))",
    "($y := function($f) { $f($f) }; $y($y))",
    "($f := function($x) { $x ~> $f }; 1 ~> $f)",
    "($f := function($x) { $map([1, 2], $f) }; $f(1))",
    "($f := function($x) { $sort([2, 1], $f) }; $f(1))",
    "($f := function($x) { $replace(\"aa\", /a/, $f) }; $f(1))",
    "($f := function($x) { $f(?) }; $g := $f(1); $f := function($x) { $f($f) }; $f(1))",
    "($f := function($x) { $x[$f($x)] }; $f([1]))",
    "($f := function($x) { {\"k\": $f($x)} }; $f(1))",
    "($f := function($x) { $x^($f($x)) }; $f([2, 1]))",
    "($h := function($x) { $x ~> |$|{\"a\": $h($x)}| }; $h({}))",
    // Doubling.
    "($d := function($s) { $d($s & $s) }; $d(\"x\"))",
    "($d := function($a) { $d($append($a, $a)) }; $d([1]))",
    "($d := function($o) { $d({\"a\": $o, \"b\": $o}) }; $d(1))",
    "$string($reduce([1..40], function($o) { {\"a\": $o, \"b\": $o} }, 1))",
    "$count($reduce([1..40], function($o) { {\"a\": $o, \"b\": $o} }, 1).**)",
    "$reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, 1) = $reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, 1)",
    "$string($reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, 1))",
    "$count($reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, 1).**)",
    "$clone($reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, {\"c\": 1}))",
    "$reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, {\"c\": 1}) ~> |**[c]|{\"c\": 2}|",
    "$boolean($reduce([1..40], function($o, $i) { [[$o], [$o]] }, 0))",
    "$keys($reduce([1..40], function($o, $i) { [[$o], [$o]] }, {\"a\": 1}))",
    "$lookup($reduce([1..40], function($o, $i) { [[$o], [$o]] }, {\"a\": 1}), \"a\")",
    "$spread($reduce([1..40], function($o, $i) { [[$o], [$o]] }, {\"a\": 1}))",
    "$reduce([1..40], function($o, $i) { [[$o], [$o]] }, {\"a\": 1}).a",
    "{\"k\": $reduce([1..40], function($o, $i) { [[$o], [$o]] }, 1)}.*",
    "$distinct([$reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, 1), $reduce([1..40], function($o, $i) { {\"a\": $o, \"b\": $o} }, 1)])",
    "$reduce([1..60], function($s, $i) { $s & $s }, \"xy\")",
    "$reduce([1..60], function($s, $i) { $replace($s, \"x\", \"xx\") }, \"x\")",
    "$reduce([1..60], function($s, $i) { $replace($s, /x/, \"$0$0\") }, \"x\")",
    "$reduce([1..60], function($s, $i) { $join([$s, $s]) }, \"x\")",
    "$reduce([1..60], function($s, $i) { $encodeUrlComponent($s) & $s }, \"%\")",
    "$reduce([1..60], function($s, $i) { $base64encode($s & $s) }, \"x\")",
    "$reduce([1..60], function($s, $i) { $string([$s, $s]) }, \"\\\"\")",
    // Deep values and chains of functions.
    "$reduce([1..20000], function($a, $i) { [[$a]] }, 1)",
    "$reduce([1..20000], function($a, $i) { {\"a\": $a} }, 1)",
    "($g := $reduce([1..20000], function($a, $i) { function($x) { $a($x) } }, function($x) { $x }); $g(1))",
    "($f := function($x) { $x }; $g := $reduce([1..20000], function($a, $i) { $a ~> $f }, $f); $g(1))",
    "($f := function($x, $y) { $x }; $reduce([1..200000], function($a, $i) { $f(?, $a) }, 1))",
    // Padding and pictures.
    "$pad(\"x\", 1e308)",
    "$pad(\"x\", -1e9)",
    "$pad(\"x\", 4294967000, \"ab\")",
    "$formatInteger(1e300, \"i\")",
    "$formatInteger(1/0, \"w\")",
    "$formatInteger(1/0, \"i\")",
    "$formatInteger(1/0, \"a\")",
    "$formatNumber(1/0, \".00e0\")",
    "$fromMillis(0, \"[Y,99999999999]\")",
    "$fromMillis(0, \"[f,4000000000]\")",
    // Regular expressions.
    "$match(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", /^(a+)+$/)",
    "$match(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", /^(a|a)*$/)",
    "$match(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\", /^(a|aa)+$/)",
    "$contains($pad(\"\", 5000, \"x\"), /(x+x+)+y/)",
    "$replace($pad(\"\", 5000, \"a\"), /(?=(a+))a*b\\1/, \"\")",
];

/// What happened instead of an error, if anything.
fn not_an_error(source: &str) -> Option<String> {
    let input = Value::from_json_text(r#"{"a":[1,2,3]}"#);
    let mut budget = Budget::new(STEPS, BYTES);
    match host::evaluate(source, input.ok().as_ref(), &Bindings::new(), &mut budget) {
        Err(error) if error.message.len() <= 33_000 => None,
        Err(error) => Some(format!("{source}: a sentence of {} bytes", error.message.len())),
        Ok(value) => Some(format!("{source}: {value:?}, {:?} left", budget.remaining())),
    }
}

#[test]
fn endless_expressions_end_with_an_error_within_their_budget() {
    let wrong: Vec<String> = ENDLESS.iter().filter_map(|source| not_an_error(source)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
    let mut budget = Budget::new(1_000, 1 << 20);
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
