//! Reading Parallel and Map, the states that hold states.

use serde_json::Value;

use super::{
    Batcher, Distributed, Items, Kind, Language, Map, Reader, Transformation, Writer,
    build::Builder, fields::Fields,
};
use crate::items::Format;

impl Builder {
    /// What states inside of others inherit: the language of the machine, whatever that of the state
    /// around them is.
    fn whole_language(&self) -> Language {
        if self.whole_is_jsonata { Language::Jsonata } else { Language::JsonPath }
    }

    pub(super) fn parallel(&mut self, fields: &Fields<'_>) -> Option<Kind> {
        if !fields.require(&["Branches"], &mut self.findings) {
            return None;
        }
        let list = fields.list("Branches", &mut self.findings)?;
        if list.is_empty() {
            self.findings.error(&fields.place("Branches"), "Branches must not be empty");
        }
        let mut branches = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let at = format!("{}[{index}]", fields.place("Branches"));
            if let Some(branch) = Fields::of(value, at, &mut self.findings) {
                branches.push(self.flow(&branch, self.whole_language()));
            }
        }
        Some(Kind::Parallel { branches })
    }

    pub(super) fn map(&mut self, fields: &Fields<'_>, language: Language) -> Option<Map> {
        let name = match (fields.has("ItemProcessor"), fields.has("Iterator")) {
            (true, _) => "ItemProcessor",
            (false, true) => "Iterator",
            (false, false) => {
                fields.require(&["ItemProcessor"], &mut self.findings);
                return None;
            }
        };
        let processor = fields.object(name, &mut self.findings)?;
        if processor.has("QueryLanguage") {
            self.unsupported(&processor, "QueryLanguage");
        }
        let flow = self.flow(&processor, self.whole_language());
        let selector = match fields.has("ItemSelector") {
            true => self.either(fields, "ItemSelector", language),
            false => self.paths(fields, "Parameters"),
        };
        let whole = 0.0..=f64::MAX;
        Some(Map {
            processor: flow,
            items: self.items(fields, language),
            selector,
            max_concurrency: self.amount(fields, "MaxConcurrency", language, whole.clone(), true),
            distributed: self.distributed(fields, &processor, language),
            tolerated_count: self.amount(fields, "ToleratedFailureCount", language, whole, true),
            tolerated_percentage: self.amount(
                fields,
                "ToleratedFailurePercentage",
                language,
                0.0..=100.0,
                false,
            ),
        })
    }

    fn items(&mut self, fields: &Fields<'_>, language: Language) -> Items {
        match language {
            Language::JsonPath if fields.has("ItemsPath") => {
                self.query(fields, "ItemsPath").map_or(Items::Input, Items::Path)
            }
            Language::Jsonata if fields.has("Items") => {
                self.expressions(fields, "Items").map_or(Items::Input, Items::Template)
            }
            Language::JsonPath | Language::Jsonata => Items::Input,
        }
    }

    fn distributed(
        &mut self,
        fields: &Fields<'_>,
        processor: &Fields<'_>,
        language: Language,
    ) -> Option<Distributed> {
        let config = processor.object("ProcessorConfig", &mut self.findings)?;
        match config.text("Mode", &mut self.findings) {
            None | Some("INLINE") => return None,
            Some("DISTRIBUTED") => {}
            Some(_) => {
                let at = config.place("Mode");
                self.findings.error(&at, "Value must be one of: [INLINE, DISTRIBUTED]");
                return None;
            }
        }
        let express = match config.text("ExecutionType", &mut self.findings) {
            Some("EXPRESS") => true,
            Some("STANDARD") => false,
            Some(_) => {
                let at = config.place("ExecutionType");
                self.findings.error(&at, "Value must be one of: [STANDARD, EXPRESS]");
                false
            }
            None => {
                config.require(&["ExecutionType"], &mut self.findings);
                false
            }
        };
        Some(Distributed {
            express,
            label: self.label(fields),
            reader: self.reader(fields, language),
            batcher: self.batcher(fields, language),
            writer: self.writer(fields, language),
        })
    }

    fn label(&mut self, fields: &Fields<'_>) -> Option<String> {
        let label = fields.text("Label", &mut self.findings)?;
        let illegal =
            |c: char| c.is_whitespace() || c.is_control() || "?*<>{}[]\"#%\\^|~`$&,;:/".contains(c);
        if label.is_empty() || label.chars().count() > 40 || label.contains(illegal) {
            let message = "Label must have 1 to 40 characters, none of them a space, a wildcard, a \
                           bracket, a special or a control character";
            self.findings.error(&fields.place("Label"), message);
        }
        Some(label.to_owned())
    }

    fn reader(&mut self, fields: &Fields<'_>, language: Language) -> Option<Reader> {
        let reader = fields.object("ItemReader", &mut self.findings)?;
        reader.require(&["Resource"], &mut self.findings);
        let resource = reader.text("Resource", &mut self.findings)?.to_owned();
        let parameters = match language {
            Language::JsonPath => self.paths(&reader, "Parameters"),
            Language::Jsonata => self.expressions(&reader, "Arguments"),
        };
        let config = reader.object("ReaderConfig", &mut self.findings);
        let format = self.format(config.as_ref(), &resource);
        let max_items = config.as_ref().and_then(|config| {
            self.amount(config, "MaxItems", language, 0.0..=100_000_000.0, true)
        });
        Some(Reader { resource, parameters, format, max_items })
    }

    fn format(&mut self, config: Option<&Fields<'_>>, resource: &str) -> Format {
        let whole = Format::Json { pointer: None };
        if resource.contains("listObjectsV2") {
            return Format::Listing;
        }
        let Some(config) = config else { return whole };
        match config.text("ManifestType", &mut self.findings) {
            None => {}
            Some("S3_INVENTORY") => return Format::Manifest,
            Some(_) => {
                let at = config.place("ManifestType");
                self.findings.error(&at, "Value must be one of: [S3_INVENTORY]");
            }
        }
        match config.text("InputType", &mut self.findings) {
            Some("CSV") => self.csv(config),
            Some("JSONL") => Format::JsonLines,
            Some("MANIFEST") => Format::Manifest,
            Some("JSON") | None => Format::Json { pointer: self.pointer(config) },
            Some(_) => {
                let at = config.place("InputType");
                self.findings.error(&at, "Value must be one of: [CSV, JSON, JSONL, MANIFEST]");
                whole
            }
        }
    }

    fn pointer(&mut self, config: &Fields<'_>) -> Option<String> {
        let pointer = config.text("ItemsPointer", &mut self.findings)?;
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let message = "ItemsPointer must be a JSON pointer, such as /path/to/items";
            self.findings.error(&config.place("ItemsPointer"), message);
        }
        Some(pointer.to_owned())
    }

    fn csv(&mut self, config: &Fields<'_>) -> Format {
        let delimiter = match config.text("CSVDelimiter", &mut self.findings) {
            None | Some("COMMA") => ',',
            Some("PIPE") => '|',
            Some("SEMICOLON") => ';',
            Some("SPACE") => ' ',
            Some("TAB") => '\t',
            Some(_) => {
                let at = config.place("CSVDelimiter");
                let message = "Value must be one of: [COMMA, PIPE, SEMICOLON, SPACE, TAB]";
                self.findings.error(&at, message);
                ','
            }
        };
        let headers = match config.text("CSVHeaderLocation", &mut self.findings) {
            Some("GIVEN") if !config.require(&["CSVHeaders"], &mut self.findings) => None,
            Some("GIVEN") => config
                .list("CSVHeaders", &mut self.findings)
                .map(|list| list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()),
            Some("FIRST_ROW") => None,
            _ => {
                let at = config.place("CSVHeaderLocation");
                self.findings.error(&at, "Value must be one of: [FIRST_ROW, GIVEN]");
                None
            }
        };
        Format::Csv { headers, delimiter }
    }

    fn batcher(&mut self, fields: &Fields<'_>, language: Language) -> Option<Batcher> {
        let batcher = fields.object("ItemBatcher", &mut self.findings)?;
        Some(Batcher {
            max_items: self.amount(&batcher, "MaxItemsPerBatch", language, 1.0..=1e8, true),
            max_bytes: self.amount(
                &batcher,
                "MaxInputBytesPerBatch",
                language,
                1.0..=262_144.0,
                true,
            ),
            input: self.either(&batcher, "BatchInput", language),
        })
    }

    fn writer(&mut self, fields: &Fields<'_>, language: Language) -> Option<Writer> {
        let writer = fields.object("ResultWriter", &mut self.findings)?;
        let config = writer.object("WriterConfig", &mut self.findings);
        if config.is_none() && !writer.require(&["Resource"], &mut self.findings) {
            return None;
        }
        let resource = writer.text("Resource", &mut self.findings).map(ToOwned::to_owned);
        let parameters = match language {
            Language::JsonPath => self.paths(&writer, "Parameters"),
            Language::Jsonata => self.expressions(&writer, "Arguments"),
        };
        let mut chosen = |name: &str, legal: [&'static str; 3]| {
            let config = config.as_ref()?;
            let text = config.text(name, &mut self.findings)?;
            let found = legal.into_iter().find(|one| !one.is_empty() && *one == text);
            if found.is_none() {
                let legal = legal.join(", ");
                let message = format!("Value must be one of: [{}]", legal.trim_end_matches(", "));
                self.findings.error(&config.place(name), message);
            }
            found
        };
        let transformation = match chosen("Transformation", ["NONE", "COMPACT", "FLATTEN"]) {
            Some("COMPACT") => Transformation::Compact,
            Some("FLATTEN") => Transformation::Flatten,
            _ => Transformation::None,
        };
        let lines = chosen("OutputType", ["JSON", "JSONL", ""]) == Some("JSONL");
        Some(Writer { resource, parameters, transformation, lines })
    }
}
