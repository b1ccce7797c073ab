//! Reading `Retry` and `Catch`.

use super::{
    Catcher, Language, Retrier,
    build::{Builder, Surroundings},
    fields::Fields,
};

impl Builder {
    pub(super) fn retriers(&mut self, fields: &Fields<'_>) -> Vec<Retrier> {
        let list = fields.list("Retry", &mut self.findings).map(Vec::as_slice).unwrap_or_default();
        let mut retriers = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("{}[{index}]", fields.place("Retry"));
            let Some(retry) = Fields::of(value, at, &mut self.findings) else { continue };
            let errors = self.error_equals(&retry, index + 1 == list.len());
            let found = &mut self.findings;
            let interval = retry.number("IntervalSeconds", 1.0..=99_999_999.0, true, found);
            let attempts = retry.number("MaxAttempts", 0.0..=99_999_998.0, true, found);
            let backoff = retry.number("BackoffRate", 1.0..=f64::MAX, false, found);
            let longest = retry.number("MaxDelaySeconds", 1.0..=31_622_399.0, true, found);
            let jitter = match retry.text("JitterStrategy", found) {
                None | Some("NONE") => false,
                Some("FULL") => true,
                Some(_) => {
                    found.error(
                        &retry.place("JitterStrategy"),
                        "Value must be one of: [FULL, NONE]",
                    );
                    false
                }
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 99999998"
            )]
            let max_attempts = attempts.unwrap_or(3.0) as u64;
            retriers.push(Retrier {
                errors,
                interval_seconds: interval.unwrap_or(1.0),
                max_attempts,
                backoff_rate: backoff.unwrap_or(2.0),
                max_delay_seconds: longest,
                jitter,
            });
        }
        retriers
    }

    pub(super) fn catchers(
        &mut self,
        fields: &Fields<'_>,
        language: Language,
        around: &mut Surroundings,
    ) -> Vec<Catcher> {
        let list = fields.objects("Catch", &mut self.findings).unwrap_or_default();
        let last = list.len();
        let mut catchers = Vec::new();
        for (index, catch) in list.into_iter().enumerate() {
            let Some(catch) = catch else { continue };
            let errors = self.error_equals(&catch, index + 1 == last);
            catch.require(&["Next"], &mut self.findings);
            let name = catch.text("Next", &mut self.findings);
            let at = catch.place("Next");
            let next = around.target(name, &at, &mut self.findings);
            catchers.push(Catcher {
                errors,
                next,
                result_path: self.result_path(&catch),
                output: match language {
                    Language::Jsonata => self.expressions(&catch, "Output"),
                    Language::JsonPath => None,
                },
                assign: self.assign(&catch, language),
            });
        }
        catchers
    }

    fn error_equals(&mut self, fields: &Fields<'_>, is_last: bool) -> Vec<String> {
        fields.require(&["ErrorEquals"], &mut self.findings);
        let at = fields.place("ErrorEquals");
        let list = fields.list("ErrorEquals", &mut self.findings);
        let names: Vec<String> = list
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(ToOwned::to_owned))
            .collect();
        if list.is_some_and(|list| list.is_empty() || list.len() != names.len()) {
            self.findings.error(&at, "ErrorEquals must be a non-empty array of strings");
        }
        if names.iter().any(|name| name == "States.ALL") && (names.len() > 1 || !is_last) {
            let message = "States.ALL must appear alone, and in the last retrier or catcher";
            self.findings.error(&at, message);
        }
        names
    }
}
