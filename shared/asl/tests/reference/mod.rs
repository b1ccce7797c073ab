//! Finding the reference data and comparing values with what was recorded.

use std::path::PathBuf;

use serde_json::Value;

/// A file or folder of the reference data.
pub(crate) fn path(below: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(below)
}

/// A text as the recorder kept it: objects and arrays parsed, all else as text.
pub(crate) fn normal(text: &str) -> Value {
    if text.starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str(text)
    {
        return value;
    }
    Value::String(text.to_owned())
}

/// Fields that are not compared.
const IGNORED: [&str; 5] =
    // The last two are what an SDK adds to an answer; the engine does not see them.
    ["timestamp", "roleArn", "mapRunArn", "SdkHttpMetadata", "SdkResponseMetadata"];

/// Whether a recorded value and a computed one say the same.
pub(crate) fn agree(recorded: &Value, found: &Value, at: &str) -> Result<(), String> {
    match (recorded, found) {
        (Value::String(text), _) if is_placeholder(text) => Ok(()),
        (Value::String(left), Value::String(right)) => {
            let (l, r) = (normal(left), normal(right));
            if l.is_string() {
                return texts(left, right).then_some(()).ok_or_else(|| differ(recorded, found, at));
            }
            agree(&l, &r, at)
        }
        (Value::String(left), right) if normal(left) != *recorded => {
            agree(&normal(left), right, at)
        }
        (left, Value::String(right)) if normal(right) != *found => agree(left, &normal(right), at),
        // The recorder kept scalars of outputs as text, or as themselves.
        (Value::String(left), right) if left == &right.to_string() => Ok(()),
        (left, Value::String(right)) if right == &left.to_string() => Ok(()),
        (Value::Object(left), Value::Object(right)) => {
            let names = left.keys().chain(right.keys().filter(|name| !left.contains_key(*name)));
            for name in names.filter(|name| !IGNORED.contains(&name.as_str())) {
                let none = Value::Null;
                let l = left.get(name).unwrap_or(&none);
                let r = right.get(name).unwrap_or(&none);
                if left.contains_key(name) != right.contains_key(name) {
                    return Err(format!("{at}/{name}: recorded {l}, found {r}"));
                }
                agree(l, r, &format!("{at}/{name}"))?;
            }
            Ok(())
        }
        (Value::Array(left), Value::Array(right)) => {
            if left.len() != right.len() {
                return Err(differ(recorded, found, at));
            }
            for (index, (l, r)) in left.iter().zip(right).enumerate() {
                agree(l, r, &format!("{at}[{index}]"))?;
            }
            Ok(())
        }
        (Value::Number(left), Value::Number(right)) => (left.as_f64() == right.as_f64())
            .then_some(())
            .ok_or_else(|| differ(recorded, found, at)),
        _ => (recorded == found).then_some(()).ok_or_else(|| differ(recorded, found, at)),
    }
}

fn differ(recorded: &Value, found: &Value, at: &str) -> String {
    format!("{at}:\n    recorded {recorded}\n    found    {found}")
}

fn is_placeholder(text: &str) -> bool {
    let whole = text.starts_with('<') && text.ends_with('>') && text != "<omitted>";
    whole
        || ["timestamp", "date", "start-date", "stop-date", "RandomNumberGenerated"].contains(&text)
        || text.contains("json-input")
        || text.to_lowercase().contains("token")
}

/// Texts that agree but for placeholders in the recorded one.
fn texts(recorded: &str, found: &str) -> bool {
    // The account of the recordings, and the one of whoever names none.
    let found = found.replace("000000000000", "111111111111");
    let found = found.as_str();
    if recorded == found {
        return true;
    }
    let mut rest = found;
    let mut first = true;
    for piece in pieces(recorded) {
        match rest.find(piece) {
            Some(0) => rest = &rest[piece.len()..],
            Some(at) if !first => rest = &rest[at + piece.len()..],
            _ => return false,
        }
        first = false;
    }
    rest.is_empty() || pieces(recorded).last().is_some_and(|piece| piece.is_empty())
}

fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let Some(close) = rest[open..].find('>') else { break };
        out.push(&rest[..open]);
        rest = &rest[open + close + 1..];
    }
    out.push(rest);
    if out.len() == 1 {
        for placeholder in ["ExecArnPart_0idx", "timestamp", "request-id\"", "request_id"] {
            if let Some((before, after)) = text.split_once(placeholder) {
                return vec![before, after];
            }
        }
    }
    out
}
