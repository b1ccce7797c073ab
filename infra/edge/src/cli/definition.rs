//! Workflow definitions on this machine: checked, and drawn with what happened to them.

use super::{
    Mano,
    client::{Api, segment},
    failure::Failure,
    instance::json_file,
    print::{self, Format},
    rehearsal::OfType,
};
use clap::Args;
use mano_asl::{Definition, Diagnostic, Severity};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What `validate --help` ends with.
pub(crate) const VALIDATE: &str = "\
With -o json the answer is that of ValidateStateMachineDefinition: result, diagnostics, truncated,
and the file; of many files a list.

Exit status: 0 all can run; 1 at least one cannot; 2 misused.

Examples:
  mano workflow validate mine.asl.json
  mano workflow validate a.asl.json b.asl.json --type EXPRESS -o json";

/// What `draw --help` ends with.
pub(crate) const DRAW: &str = "\
States that were left are green, those that failed red, those under way blue.

Examples:
  mano workflow draw vnf-instantiate
  mano workflow run --definition mine.asl.json --history > run.json
  mano workflow draw mine.asl.json --execution run.json";

/// `validate`
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files with a definition each.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    of: OfType,
}

/// `draw`
#[derive(Debug, Args)]
pub(crate) struct Draw {
    /// A file with a definition, or the name of a workflow of the server.
    #[arg(value_name = "FILE|NAME")]
    what: String,
    /// A JSON file with what happened: what `mano workflow run --history` printed, or the events of
    /// `mano workflow history -o json` ('-': standard input).
    #[arg(long, value_name = "FILE")]
    execution: Option<PathBuf>,
}

/// Checks definitions, all of them, and tells everything that was found.
pub(crate) fn validate(mano: &Mano, asked: &Validate) -> Result<(), Failure> {
    let mut answers = Vec::new();
    let mut wrong = 0;
    for path in &asked.files {
        let found = Definition::check_as(&read(path)?, asked.of.kind());
        let fails = found.iter().any(|finding| finding.severity == Severity::Error);
        wrong += usize::from(fails);
        let name = path.display();
        if mano.format == Format::Table {
            for finding in &found {
                print::line(&format!("{name}: {}", in_a_line(finding)))?;
            }
        }
        let result = if fails { "FAIL" } else { "OK" };
        answers.push(json!({
            "result": result,
            "diagnostics": found,
            "truncated": false,
            "file": name.to_string(),
        }));
    }
    match (mano.format, &answers[..]) {
        (Format::Table, _) => {}
        (format, [only]) => print::one(format, only)?,
        (format, _) => print::one(format, &Value::Array(answers))?,
    }
    if wrong == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{wrong} of {} definitions cannot run", asked.files.len()))
        .next("mend what is named"))
}

/// A finding, however many lines its text has.
fn in_a_line(finding: &Diagnostic) -> String {
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    format!("{word}: {finding}").replace('\n', "\\n")
}

/// Draws the definition in a file, or of a workflow of the server.
pub(crate) fn draw(mano: &Mano, asked: &Draw) -> Result<(), Failure> {
    let what = asked.what.as_str();
    let path = Path::new(what);
    let text = if path.exists() {
        read(path)?
    } else {
        mano.client.get(Api::Mano, &format!("/workflows/{}", segment(what)))?.to_string()
    };
    let definition = Definition::parse(&text).map_err(|found| {
        let first = found.first().map(ToString::to_string).unwrap_or_default();
        Failure::new(format!("{what} cannot be drawn: {first}"))
            .next("see everything that is wrong with `mano workflow validate`")
    })?;
    let drawn = match &asked.execution {
        None => mano_asl::draw(&definition),
        Some(path) => mano_asl::draw_execution(&definition, &events(path)?),
    };
    print::line(drawn.trim_end())
}

/// The events of an execution: a list, or an object that has it.
fn events(path: &Path) -> Result<Vec<Value>, Failure> {
    let told = json_file(path)?;
    let list = told.get("events").unwrap_or(&told).as_array();
    list.cloned().ok_or_else(|| {
        Failure::misuse(format!("{} holds no events", path.display()))
            .next("print them with `mano workflow run --history`")
    })
}

/// The text of a file.
fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{client::Client, connection::Connection, rehearsal::Type};

    const WAITS: &str = r#"{"StartAt": "Rest", "States": {"Rest": {"Type": "Task", "End": true,
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}}}"#;

    fn file(room: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = room.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn mano() -> Mano {
        let to =
            Connection { endpoint: "http://127.0.0.1:1".into(), token: None, iam: false, ca: None };
        Mano { client: Client::new(&to).unwrap(), format: Format::Table, quiet: true }
    }

    #[test]
    fn a_definition_that_cannot_run_is_told_and_the_others_are_checked_as_well() {
        let room = tempfile::tempdir().unwrap();
        let good = file(&room, "good", WAITS);
        let bad = file(&room, "bad", &WAITS.replace("Task\"", "Tusk\""));
        let check =
            |files: Vec<PathBuf>, kind| validate(&mano(), &Validate { files, of: OfType { kind } });
        check(vec![good.clone()], Type::Standard).unwrap();
        let failure = check(vec![bad, good.clone()], Type::Standard).unwrap_err();
        assert!(failure.to_string().contains("1 of 2"), "{failure}");
        assert!(check(vec![good], Type::Express).is_err());
    }

    #[test]
    fn a_finding_is_one_line() {
        let found = Definition::check("not JSON");
        assert!(found[0].message.contains('\n'));
        assert!(!in_a_line(&found[0]).contains('\n'));
    }

    #[test]
    fn only_events_can_colour_a_drawing() {
        let room = tempfile::tempdir().unwrap();
        let rows = r#"[{"id": 2, "stateEnteredEventDetails": {"name": "Rest"}}]"#;
        let list = file(&room, "list", rows);
        let object = file(&room, "object", &format!(r#"{{"events": {rows}}}"#));
        let nothing = file(&room, "nothing", "{}");
        assert_eq!(events(&list).unwrap(), events(&object).unwrap());
        assert_eq!(events(&nothing).unwrap_err().status(), 2);
    }
}
