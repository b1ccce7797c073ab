//! Our own cases, for where the language's are not at hand: expression and outcome side by side.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

mod host;

use mano_jsonata::{Bindings, Budget, Expression, Value};

const INPUT: &str = r#"{
    "site": "north",
    "racks": [
        {"id": "r1", "slots": [{"unit": 1, "load": 0.5, "kind": "compute"},
                               {"unit": 2, "load": 0.9, "kind": "storage"}]},
        {"id": "r2", "slots": [{"unit": 1, "load": 0.1, "kind": "compute"}]},
        {"id": "r3", "slots": []}
    ],
    "limits": {"10": "ten", "name": "n", "9": "nine"},
    "nested": [[1, 2], [3, [4]]],
    "nothing": null
}"#;

/// The outcome as text: JSON, `nothing`, or `code: sentence`.
fn outcome(source: &str) -> String {
    let input = Value::from_json_text(INPUT).unwrap();
    let mut budget = Budget::new(1_000_000, 1 << 26);
    match host::evaluate(source, Some(&input), &Bindings::new(), &mut budget) {
        Ok(None) => "nothing".to_owned(),
        Ok(Some(value)) => value.to_json_text(1 << 26).unwrap_or_else(|why| why.to_string()),
        Err(error) => format!("{}: {error}", error.code),
    }
}

fn check(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        assert_eq!(outcome(source), *expected, "{source}");
    }
}

#[test]
fn paths_flatten_and_unwrap() {
    check(&[
        ("site", r#""north""#),
        ("racks.id", r#"["r1","r2","r3"]"#),
        ("racks.slots.unit", "[1,2,1]"),
        ("racks[1].slots.kind", r#""compute""#),
        ("racks[1].slots.kind[]", r#"["compute"]"#),
        ("racks.slots[0].unit", "[1,1]"),
        ("(racks.slots)[0].unit", "1"),
        ("racks[-1].id", r#""r3""#),
        ("racks[$max(slots.load) > 0.8].id", r#""r1""#),
        ("racks[[0..1]].id", r#"["r1","r2"]"#),
        ("missing.path", "nothing"),
        ("nothing", "null"),
        ("nested.$", "[1,2,3,[4]]"),
        ("limits.*", r#"["nine","ten","n"]"#),
        ("**.unit", "[1,2,1]"),
        ("$keys(limits)", r#"["9","10","name"]"#),
        (
            "racks.slots.{'u': unit, 'in': %.id}",
            r#"[{"u":1,"in":"r1"},{"u":2,"in":"r1"},{"u":1,"in":"r2"}]"#,
        ),
        ("racks@$r.$r.slots#$i.($r.id & $i)", r#"["r10","r11","r20"]"#),
        ("racks.slots^(>load).unit", "[2,1,1]"),
        ("racks.slots{kind: $sum(load)}", r#"{"compute":0.6,"storage":0.9}"#),
    ]);
}

#[test]
fn operators_reckon_and_compare() {
    check(&[
        ("1 + 2 * 3 - 4 / 2 % 3", "5"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("\"a\" & 1 & null & [1, 0.1 + 0.2]", r#""a1null[1,0.3]""#),
        ("[1..3] = [1, 2, 3]", "true"),
        ("2 in [1, 2] and not_there or 1 > 2", "false"),
        ("missing + 1", "nothing"),
        ("missing = missing", "false"),
        ("1 / 0", "null"),
        ("\"b\" > \"a\"", "true"),
        ("true ? 1 : 2", "1"),
        ("false ? 1", "nothing"),
        ("($x := 1; ($x := 2; $x) + $x)", "3"),
        ("\"x\" + 1", "T2001: The left side of the \"+\" operator must evaluate to a number"),
        (
            "1 < \"2\"",
            "T2009: The values 1 and \"2\" either side of operator \"<\" must be of the same data type",
        ),
        (
            "true < 1",
            "T2010: The expressions either side of operator \"<\" must evaluate to numeric or string values",
        ),
        ("1/0 + 1", "D1001: Number out of range: null"),
        ("-\"a\"", "D1002: Cannot negate a non-numeric value: \"a\""),
        (
            "[1..20000000]",
            "D2014: The size of the sequence allocated by the range operator (..) must not exceed 1e6.  Attempted to allocate 20000000.",
        ),
    ]);
}

#[test]
fn functions_close_over_their_scope_and_end_in_loops() {
    check(&[
        ("$map([1..3], function($v, $i, $a) { $v * $i + $count($a) })", "[3,5,9]"),
        ("$reduce([1..5], function($a, $b) { $a * $b })", "120"),
        ("($n := 10; $add := function($x) { $x + $n }; $add(5))", "15"),
        ("($f := function($n, $t) { $n = 0 ? $t : $f($n - 1, $t + $n) }; $f(5000, 0))", "12502500"),
        ("($first := $substring(?, 0, ?); $first(\"hello\", 2))", r#""he""#),
        ("(\"a b\" ~> $uppercase ~> $split(\" \")).($ & \"!\")", r#"["A!","B!"]"#),
        ("($inc := function($x) { $x + 1 }; $twice := $inc ~> $inc; $twice(1))", "3"),
        (
            "racks[0] ~> |slots[load > 0.6]|{\"hot\": true}, \"kind\"|",
            r#"{"id":"r1","slots":[{"unit":1,"load":0.5,"kind":"compute"},{"unit":2,"load":0.9,"hot":true}]}"#,
        ),
        ("$sort([3, 1, 2], function($l, $r) { $l < $r })", "[3,2,1]"),
        ("$sift({\"a\": 1, \"b\": 2}, function($v) { $v > 1 })", r#"{"b":2}"#),
        ("$nope()", "T1006: Attempted to invoke a non-function"),
        ("sum([1])", "T1005: Attempted to invoke a non-function. Did you mean $sum?"),
        ("$sum(\"a\")", "T0412: Argument 1 of function \"sum\" must be an array of \"numbers\""),
        (
            "$uppercase(1)",
            "T0410: Argument 1 of function \"uppercase\" does not match function signature",
        ),
        ("$error(\"out\")", "D3137: out"),
        ("$assert(false, \"not so\")", "D3141: not so"),
        ("$eval(\"1\")", "T1006: Attempted to invoke a non-function"),
    ]);
}

#[test]
fn texts_numbers_and_dates_print_as_the_language_prints_them() {
    check(&[
        ("$string({\"a\": [1, null, $sum]})", r#""{\"a\":[1,null,\"\"]}""#),
        ("$string([1], true)", r#""[\n  1\n]""#),
        ("$pad(\"x\", -3, \"ab\")", r#""abx""#),
        ("$substring(\"hello\", -3, 2)", r#""ll""#),
        ("$replace(\"john smith\", /(\\w+) (\\w+)/, \"$2, $1\")", r#""smith, john""#),
        ("$match(\"ab12\", /[a-z](\\d)/)", r#"{"match":"b1","index":1,"groups":["1"]}"#),
        ("$split(\"a1b22c\", /\\d+/)", r#"["a","b","c"]"#),
        ("$match(\"abc\", /x*/)", "D1004: Regular expression matches zero length string"),
        ("$formatNumber(1234.567, \"#,##0.00\")", r#""1,234.57""#),
        ("$formatNumber(0.14, \"01%\")", r#""14%""#),
        (
            "$formatInteger(1999, \"I\") & $formatInteger(28, \"a\") & $formatInteger(21, \"w;o\")",
            r#""MCMXCIXabtwenty-first""#,
        ),
        ("$parseInteger(\"one thousand and four\", \"w\")", "1004"),
        ("$formatBase(255, 16)", r#""ff""#),
        ("$round(2.5) & $round(3.5) & $round(1.005, 2)", r#""241""#),
        ("$now()", r#""2023-11-14T22:13:20.000Z""#),
        (
            "$fromMillis(0, \"[FNn], [D1o] [MNn] [Y] [h]:[m][P] [Z]\", \"+0130\")",
            r#""Thursday, 1st January 1970 1:30am +01:30""#,
        ),
        ("$toMillis(\"2024-02-29T12:00:00+01:00\")", "1709204400000"),
        ("$toMillis(\"3 March 2021\", \"[D] [MNn] [Y]\")", "1614729600000"),
        ("$base64decode($base64encode(\"a+b\"))", r#""a+b""#),
        ("$encodeUrlComponent(\"a b/ü\")", r#""a%20b%2F%C3%BC""#),
        ("$number(\"0x1F\") + $number(\"1e1\")", "41"),
        ("$number(\" 12 \")", "D3030: Unable to cast value to a number: \" 12 \""),
    ]);
}

#[test]
fn what_step_functions_adds_is_there() {
    check(&[
        ("$partition([1..5], 2)", "[[1,2],[3,4],[5]]"),
        ("$range(0, 10, 3)", "[0,3,6,9]"),
        ("$range(3, 1, -1)", "[3,2,1]"),
        ("$range(1, 1, 1)", "1"),
        ("$hash(\"abc\", \"MD5\")", r#""900150983cd24fb0d6963f7d28e17f72""#),
        ("$hash(\"abc\", \"SHA-1\")", r#""a9993e364706816aba3e25717850c26c9cd0d89d""#),
        ("$parse(\"{\\\"a\\\":[1,-0]}\").a", "[1,0]"),
        ("$random(7) = $random(7) and $random(7) != $random(8)", "true"),
        ("$random()", "0.25"),
        ("$uuid()", r#""00000000-0000-4000-8000-000000000000""#),
    ]);
}

#[test]
fn what_is_no_expression_is_refused_with_its_place() {
    for (source, code, position) in [
        ("", "S0207", 0),
        ("1 +", "S0207", 3),
        ("a b", "S0201", 3),
        ("(1", "S0203", 2),
        ("[1)", "S0202", 3),
        ("\"abc", "S0101", 4),
        ("'é' & \"\\q\"", "S0103", 8),
        ("a ?? b", "S0211", 4),
        ("a ?: b", "S0211", 4),
        ("1 := 2", "S0212", 1),
        ("%", "S0217", 1),
        ("/abc", "S0302", 4),
        ("a ! b", "S0204", 3),
        ("/* open", "S0106", 0),
    ] {
        let error = Expression::parse(source).unwrap_err();
        assert_eq!((error.code, error.position), (code, Some(position)), "{source}");
    }
}

#[test]
fn without_an_input_the_context_is_nothing() {
    for source in ["$", "$$", "a.b", "$$.a", "$[0]"] {
        let mut budget = Budget::new(1_000, 1 << 20);
        assert_eq!(
            host::evaluate(source, None, &Bindings::new(), &mut budget).unwrap(),
            None,
            "{source}"
        );
    }
    let mut budget = Budget::new(1_000, 1 << 20);
    let states =
        Bindings::new().with("states", Value::from_json_text(r#"{"input":{"x":[1]}}"#).unwrap());
    let result = host::evaluate("{\"y\": $states.input.x}", None, &states, &mut budget).unwrap();
    assert_eq!(result.unwrap().to_json_text(1 << 26).unwrap(), r#"{"y":[1]}"#);
}

#[test]
fn free_variables_are_those_nothing_binds() {
    let source = "($a := $states.input; $f := function($x) { $f($x) & $y }; a@$b.c#$d.($b & $d) & $sum($a) & $$)";
    let expression = Expression::parse(source).unwrap();
    assert_eq!(expression.free_variables().collect::<Vec<_>>(), ["states", "y"]);
}

#[test]
fn a_lambda_of_another_evaluation_is_no_function_any_more() {
    let mut budget = Budget::new(10_000, 1 << 20);
    let lambda = host::evaluate("function($x) { $x }", None, &Bindings::new(), &mut budget)
        .unwrap()
        .unwrap();
    let bindings = Bindings::new().with("f", lambda);
    let error = host::evaluate("$f(1)", None, &bindings, &mut budget).unwrap_err();
    assert_eq!(error.code, "T1006");
}
