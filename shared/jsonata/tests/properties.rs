//! No text makes the parser panic, no expression the evaluator.

#![expect(clippy::unwrap_used, reason = "the input is a constant")]

mod host;

use mano_jsonata::{Bindings, Budget, Value};
use proptest::prelude::*;

/// Pieces of expressions, so that random texts get past the lexer.
const PIECES: [&str; 60] = [
    "a",
    "b",
    "$",
    "$$",
    "$x",
    "1",
    "0",
    "-1",
    "1e308",
    "\"t\"",
    "'é😀'",
    "true",
    "null",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ".",
    ",",
    ":",
    ";",
    "?",
    "+",
    "-",
    "*",
    "**",
    "/",
    "%",
    "&",
    "=",
    "!=",
    "<",
    ">",
    "^(",
    "^(>",
    "@$v",
    "#$i",
    "..",
    ":=",
    "~>",
    "|",
    " and ",
    " in ",
    "function($x){",
    "$sum(",
    "$map(",
    "$string(",
    "$split(",
    "$replace(",
    "$formatNumber(",
    "$fromMillis(",
    "/a(b|c)*/i",
    "[0]",
    "[]",
    "$f(?, ",
    "`q`",
    "/*c*/",
    "λ($n)<n:n>{",
];

fn expressions() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(&PIECES[..]), 1..24)
        .prop_map(|pieces| pieces.concat())
}

fn run(source: &str) {
    let input =
        Value::from_json_text(r#"{"a":[1,{"b":"t"},[2,3]],"b":{"a":null,"7":1e308}}"#).unwrap();
    for input in [None, Some(&input)] {
        let mut budget = Budget::new(20_000, 1 << 20);
        let result = host::evaluate(source, input, &Bindings::new(), &mut budget);
        if let Ok(Some(value)) = result {
            let _ =
                (value.to_json_text(1 << 26), value.to_json(&mut (1 << 26)), format!("{value:?}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(source in "\\PC{0,60}") {
        run(&source);
    }

    #[test]
    fn no_expression_makes_the_evaluator_panic(source in expressions()) {
        run(&source);
    }

    #[test]
    fn no_pattern_makes_the_matcher_panic(pattern in "[a-c(){}*+?|.^$\\\\\\[\\]\\-,0-9:=!<>wdsbk]{1,16}", text in "[a-c0-9\\n]{0,12}") {
        let quoted = text.replace('\n', "\\n");
        run(&format!("[$match(\"{quoted}\", /{pattern}/), $replace(\"{quoted}\", /{pattern}/i, \"$1\")]"));
    }

    #[test]
    fn no_picture_makes_a_formatter_panic(number in any::<f64>(), picture in "[#0,.;%eEaAiIwWoYMDdFHhmsfZzPnNx1-9\\[\\]* -]{0,14}") {
        let number = number.to_string();
        for function in ["formatNumber", "formatInteger", "fromMillis"] {
            run(&format!("${function}($number(\"{number}\"), \"{picture}\")"));
        }
        run(&format!("$parseInteger(\"{number}\", \"{picture}\")"));
        run(&format!("$toMillis(\"{number}\", \"{picture}\")"));
    }

    #[test]
    fn json_text_comes_back_the_same(number in any::<f64>(), text in any::<String>()) {
        prop_assume!(number.is_finite());
        let value = Value::from(vec![Value::from(number), Value::from(text)]);
        let written = value.to_json_text(1 << 26).unwrap();
        prop_assert_eq!(Value::from_json_text(&written).unwrap(), value);
    }
}
