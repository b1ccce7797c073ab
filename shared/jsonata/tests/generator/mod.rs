//! Random expressions, the same ones for the same seed, that lean towards meaning something.

/// What they are evaluated over.
pub(crate) const INPUT: &str = r#"{"a":1,"b":"text","c":[1,2,3],"d":{"e":[{"f":1,"g":"x"},{"f":2,"g":"y"},{"f":3}],"10":"ten","9":"nine","h":null},"i":[[1,2],[3,[4]]],"j":true,"k":[],"l":{},"m":0.1,"n":["b","a","ü😀"],"o":"Ada Lovelace, 1815"}"#;

pub(crate) struct Generator {
    state: u64,
}

const NAMES: [&str; 14] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n"];
const PATHS: [&str; 16] = [
    "a", "b", "c", "d.e", "d.e.f", "d.e.g", "d.h", "i", "n", "o", "d.*", "d.e[0]", "c[-1]", "i.$",
    "k", "d.`10`",
];
const TEXTS: [&str; 12] = [
    "\"x\"",
    "\"\"",
    "\"b\"",
    "'a,b;c'",
    "\"12\"",
    "\"0x1F\"",
    "\"1e3\"",
    "\"ü\"",
    "\"ABC abc\"",
    "\"2020-02-29\"",
    "\" s  t \"",
    "\"%41\"",
];
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "3",
    "10",
    "0.5",
    "1.5",
    "2.5",
    "100",
    "12345.678",
    "1e21",
    "1e-7",
    "0.1",
    "255",
];
const REGEXES: [&str; 8] =
    ["/a/", "/[a-z]+/i", "/(\\w)(\\d)?/", "/\\s+/", "/b|c/", "/^.?/", "/x*/", "/(?<=a)./"];
const PICTURES: [&str; 12] = [
    "\"#,##0.00\"",
    "\"0\"",
    "\"00.0#\"",
    "\"#0%\"",
    "\"$#,###.##;(0.0)\"",
    "\"#\"",
    "\"0.0.0\"",
    "\"a0b\"",
    "\"#,#\"",
    "\"#0,00.00\"",
    "\"0‰\"",
    "\"###\"",
];
const WHOLE: [&str; 12] = [
    "\"w\"",
    "\"W\"",
    "\"Ww;o\"",
    "\"i\"",
    "\"I\"",
    "\"a\"",
    "\"A\"",
    "\"0\"",
    "\"#,##0\"",
    "\"000;o\"",
    "\"#:00\"",
    "\"*\"",
];
const DATES: [&str; 12] = [
    "\"[Y0001]-[M01]-[D01]\"",
    "\"[FNn] [D1o] [MNn] [Y]\"",
    "\"[h]:[m01][P] [Z]\"",
    "\"[W] [w] [X] [x] [d] [F0]\"",
    "\"[H01]:[m01]:[s01].[f001][Z01:01t]\"",
    "\"[Y,2-2] [MN,3-3] [DW]\"",
    "\"[[x]] [YI]\"",
    "\"[Q]\"",
    "\"[Y\"",
    "\"[z] [C] [E]\"",
    "\"[PN] [h] [HNn]\"",
    "\"[D#1] [Y9,999,*]\"",
];

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.state >> 33) % u64::try_from(limit).unwrap_or(1)).unwrap_or(0)
    }

    fn pick(&mut self, list: &[&str]) -> String {
        list[self.below(list.len())].to_owned()
    }

    /// The next expression.
    pub(crate) fn expression(&mut self) -> String {
        let depth = 1 + self.below(4);
        self.any(depth)
    }

    fn any(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.atom();
        }
        let next = depth - 1;
        match self.below(26) {
            0 | 1 => self.atom(),
            2 | 3 => self.binary(next),
            4 => format!("({})", self.any(next)),
            5 => format!("[{}, {}]", self.any(next), self.any(next)),
            6 => {
                format!("{{\"k\": {}, {}: {}}}", self.any(next), self.pick(&TEXTS), self.any(next))
            }
            7 => format!("{}[{}]", self.any(next), self.any(next)),
            8 => format!("{} ? {} : {}", self.any(next), self.any(next), self.any(next)),
            9 => format!("($x := {}; {}; $x)", self.any(next), self.any(next)),
            10 | 11 => self.path(next),
            12 | 13 => self.text_function(next),
            14 | 15 => self.number_function(next),
            16 | 17 => self.array_function(next),
            18 | 19 => self.higher_order(next),
            20 => self.date_function(next),
            21 => self.join(),
            22 => format!(
                "{} ~> {}",
                self.any(next),
                self.pick(&["$string", "$count", "$uppercase", "$sum", "$keys"])
            ),
            23 => format!(
                "{} ~> |{}|{{{}: {}}}|",
                self.pick(&["d", "$", "d.e"]),
                self.pick(&["e", "$", "*", "**[f]", "e[f=1]"]),
                self.pick(&TEXTS),
                self.any(next)
            ),
            24 => format!("-{}", self.any(next)),
            _ => self.lambda(next),
        }
    }

    fn atom(&mut self) -> String {
        match self.below(9) {
            0 | 1 => self.pick(&NUMBERS),
            2 => self.pick(&TEXTS),
            3..=5 => self.pick(&PATHS),
            6 => self.pick(&["true", "false", "null", "$", "$$", "missing"]),
            7 => self.pick(&["[1..4]", "[]", "{}", "[3..1]", "[\"p\", 1]", "[[1]]"]),
            _ => self.pick(&["**", "*", "$$.d.e", "$x", "$$.c"]),
        }
    }

    fn binary(&mut self, depth: usize) -> String {
        let operator = self.pick(&[
            "+", "-", "*", "/", "%", "=", "!=", "<", "<=", ">", ">=", "&", "and", "or", "in",
        ]);
        format!("{} {operator} {}", self.any(depth), self.any(depth))
    }

    fn path(&mut self, depth: usize) -> String {
        let start = self.pick(&PATHS);
        match self.below(7) {
            0 => format!("{start}.{}", self.pick(&NAMES)),
            1 => format!("{start}[{}].{}", self.any(depth), self.pick(&NAMES)),
            2 => format!("{start}.({})", self.any(depth)),
            3 => format!("{start}[].{}", self.pick(&NAMES)),
            4 => format!("{start}.{{\"v\": {}}}", self.any(depth)),
            5 => format!("{start}.[{}]", self.any(depth)),
            _ => format!("{start}^({}{})", self.pick(&["", "<", ">"]), self.any(depth)),
        }
    }

    fn text_function(&mut self, depth: usize) -> String {
        let text = if self.below(3) == 0 {
            self.any(depth)
        } else {
            self.pick(&["b", "o", "n[2]", "\"a b a\"", "\"12ab\""])
        };
        match self.below(13) {
            0 => format!("$substring({text}, {})", self.any(depth)),
            1 => format!(
                "$substring({text}, {}, {})",
                self.pick(&["-3", "0", "1", "-1.5"]),
                self.pick(&NUMBERS)
            ),
            2 => format!("$substringBefore({text}, {})", self.pick(&TEXTS)),
            3 => format!("$substringAfter({text}, {})", self.any(depth)),
            4 => format!(
                "${}({text})",
                self.pick(&[
                    "uppercase",
                    "lowercase",
                    "length",
                    "trim",
                    "string",
                    "number",
                    "base64encode",
                    "encodeUrl",
                    "encodeUrlComponent",
                    "decodeUrl",
                    "boolean"
                ])
            ),
            5 => format!(
                "$pad({text}, {}, {})",
                self.pick(&["5", "-6", "20", "0"]),
                self.pick(&TEXTS)
            ),
            6 => format!("$match({text}, {})", self.pick(&REGEXES)),
            7 => format!("$contains({text}, {})", self.pick(&REGEXES)),
            8 => format!(
                "$replace({text}, {}, {})",
                self.pick(&REGEXES),
                self.pick(&[
                    "\"-\"",
                    "\"$1\"",
                    "\"[$0]\"",
                    "\"$$\"",
                    "\"$12x\"",
                    "function($m) { $m.match & \"!\" }"
                ])
            ),
            9 => format!("$split({text}, {})", self.pick(&REGEXES)),
            10 => format!(
                "$split({text}, {}, {})",
                self.pick(&TEXTS),
                self.pick(&["0", "1", "2", "-1", "1.5"])
            ),
            11 => format!("$join({}, {})", self.any(depth), self.pick(&TEXTS)),
            _ => format!("$string({}, {})", self.any(depth), self.pick(&["true", "false"])),
        }
    }

    fn number_function(&mut self, depth: usize) -> String {
        let number = if self.below(2) == 0 { self.any(depth) } else { self.pick(&NUMBERS) };
        match self.below(10) {
            0 => format!(
                "${}({number})",
                self.pick(&[
                    "floor", "ceil", "abs", "sqrt", "round", "string", "number", "boolean", "not",
                    "type"
                ])
            ),
            1 => format!("$round({number}, {})", self.pick(&["1", "2", "-1", "0"])),
            2 => format!("$power({number}, {})", self.pick(&["2", "0", "-1", "0.5", "1000"])),
            3 | 4 => format!("$formatNumber({number}, {})", self.pick(&PICTURES)),
            5 => format!("$formatBase({number}, {})", self.pick(&["2", "16", "36", "1", "10"])),
            6 => format!("$formatInteger({}, {})", self.pick(&NUMBERS[..10]), self.pick(&WHOLE)),
            7 => format!(
                "$parseInteger({}, {})",
                self.pick(&["\"twelve\"", "\"XIV\"", "\"1,234\"", "\"ab\"", "\"12th\"", "\"\""]),
                self.pick(&WHOLE)
            ),
            8 => format!("${}({})", self.pick(&["sum", "max", "min", "average"]), self.any(depth)),
            _ => format!(
                "[{}..{}]",
                self.pick(&["0", "1", "-2", "a", "0.5"]),
                self.pick(&["3", "1", "m", "b"])
            ),
        }
    }

    fn array_function(&mut self, depth: usize) -> String {
        match self.below(8) {
            0 | 1 => format!(
                "${}({})",
                self.pick(&[
                    "count", "reverse", "distinct", "keys", "spread", "exists", "type", "merge",
                    "sort", "zip", "clone", "string"
                ]),
                self.any(depth)
            ),
            2 => format!("$append({}, {})", self.any(depth), self.any(depth)),
            3 => format!("$zip({}, {})", self.any(depth), self.any(depth)),
            4 => format!("$lookup({}, {})", self.any(depth), self.pick(&TEXTS)),
            5 => format!(
                "{}{{{}: {}}}",
                self.pick(&PATHS),
                self.pick(&["g", "\"k\"", "$string($)", "b"]),
                self.any(depth)
            ),
            6 => format!("$assert({}, \"no\")", self.any(depth)),
            _ => format!("$sort({}, function($l, $r) {{ $l > $r }})", self.any(depth)),
        }
    }

    fn higher_order(&mut self, depth: usize) -> String {
        let function = match self.below(5) {
            0 => format!("function($v) {{ {} }}", self.any(depth)),
            1 => format!("function($v, $i) {{ {} & $i }}", self.any(depth)),
            2 => "function($v, $i, $w) { [$v, $i, $count($w)] }".to_owned(),
            3 => self.pick(&[
                "$string",
                "$uppercase",
                "$sum",
                "$exists",
                "$count",
                "$not",
                "$boolean",
            ]),
            _ => format!("function($v) {{ $v = {} }}", self.any(depth)),
        };
        match self.below(6) {
            0 | 1 => format!("$map({}, {function})", self.any(depth)),
            2 => format!("$filter({}, {function})", self.any(depth)),
            3 => format!(
                "${}({}, {function})",
                self.pick(&["each", "sift"]),
                self.pick(&["d", "l", "$$", "d.e[0]"])
            ),
            4 => format!("$single({}, {function})", self.any(depth)),
            _ => format!(
                "$reduce({}, function($p, $v) {{ {} }}{})",
                self.any(depth),
                self.any(depth),
                self.pick(&["", ", 0", ", \"\""])
            ),
        }
    }

    fn date_function(&mut self, depth: usize) -> String {
        let millis = self.pick(&[
            "0",
            "1e12",
            "1521801216617",
            "-86400000",
            "951782400000",
            "1104537600000",
        ]);
        match self.below(5) {
            0 => format!("$fromMillis({millis})"),
            1 | 2 => format!(
                "$fromMillis({millis}, {}, {})",
                self.pick(&DATES),
                self.pick(&["\"+0000\"", "\"+0130\"", "\"-0500\"", "\"0000\""])
            ),
            3 => format!(
                "$toMillis({})",
                self.pick(&[
                    "\"2018\"",
                    "\"2020-02-30\"",
                    "\"2020-02-29T10:00:00Z\"",
                    "\"2020-13-01\"",
                    "\"x\"",
                    "\"2020-01-01T10:00:00+01:00\""
                ])
            ),
            _ => format!(
                "$toMillis($fromMillis({millis}, {}), {})",
                self.any(depth),
                self.pick(&DATES)
            ),
        }
    }

    fn join(&mut self) -> String {
        self.pick(&[
            "d.e.{\"f\": f, \"up\": %.`10`}",
            "d.e@$v.c[$ = $v.f]",
            "d.e#$i[$i > 0].f",
            "d.e@$v#$i.{\"i\": $i, \"f\": $v.f}",
            "c#$i.($ * $i)",
            "d.e.f.%.g",
            "d.e.f.%.%.h",
            "d.e^(%.h, f)",
            "d.e[%.`9` = 'nine'].f",
            "c#$i^(>$).$i",
            "d.e@$v.$v{g: $v.f}",
            "d.e#$i{$string($i): f}",
        ])
    }

    fn lambda(&mut self, depth: usize) -> String {
        match self.below(6) {
            0 => format!("($f := function($p) {{ {} }}; $f({}))", self.any(depth), self.any(depth)),
            1 => format!("($f := function($p)<n:n> {{ $p }}; $f({}))", self.any(depth)),
            2 => format!(
                "($f := function($p, $q)<s-n?:s> {{ $p & $q }}; {}.$f({}))",
                self.pick(&PATHS),
                self.any(depth)
            ),
            3 => format!("($f := $substring(?, {}); $f({}))", self.pick(&NUMBERS), self.any(depth)),
            4 => format!(
                "($f := function($p) {{ $p <= 0 ? {} : $f($p - 1) }}; $f(3))",
                self.any(depth)
            ),
            _ => format!("($f := $string ~> $length; $f({}))", self.any(depth)),
        }
    }
}
