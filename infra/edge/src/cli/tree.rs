//! An operation as a tree that a person reads: the service, its functions, their resources.
//!
//! ```text
//! INSTANTIATE NS edge-1           PROCESSING  3.2 s
//! └─ INSTANTIATE VNF router-1     COMPLETED   1.1 s
//!    └─ COMPUTE forwarding-1      DONE        0.7 s  east/zone-1
//! ```

use super::print::in_line;
use console::{Style, measure_text_width};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One line of the tree: an operation, or one resource of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Node {
    /// Names what the tree shows; only the root has it.
    #[serde(default)]
    pub(crate) version: String,
    /// The operation occurrence.
    #[serde(default)]
    pub(crate) id: String,
    /// `NS`, `VNF`, or a resource's kind.
    pub(crate) kind: String,
    /// `INSTANTIATE` and its kind; none for a resource.
    pub(crate) operation: Option<String>,
    /// What a person calls it.
    pub(crate) name: Option<String>,
    /// `ADDED` or `REMOVED`: what becomes of a resource.
    change: Option<String>,
    /// The operation's or the step's state.
    pub(crate) state: String,
    /// When the operation began.
    pub(crate) start_time: Option<Timestamp>,
    /// When it came into its state.
    pub(crate) state_entered_time: Option<Timestamp>,
    /// Why it failed.
    pub(crate) error: Option<Value>,
    /// The VIM a resource is at.
    pub(crate) vim_id: Option<String>,
    /// The zone of that VIM.
    pub(crate) zone_id: Option<String>,
    /// How long a resource took.
    pub(crate) seconds: Option<f64>,
    /// What it is made of.
    #[serde(default)]
    pub(crate) children: Vec<Self>,
}

/// One line, before it is laid out.
struct Row {
    label: String,
    state: String,
    after: String,
}

/// How much of the tree is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// Every resource.
    All,
    /// Resources only where something is still to be done or went wrong.
    Open,
    /// Only counts of resources.
    Counts,
}

impl Node {
    /// Whether the operation will not go on by itself.
    pub(crate) fn is_settled(&self) -> bool {
        is_settled(&self.state)
    }

    /// What a person calls it; its id, if it has no name.
    pub(crate) fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.id)
    }

    /// Why it failed, as one sentence.
    pub(crate) fn reason(&self) -> Option<String> {
        reason(self.error.as_ref()?)
    }

    /// Seconds since it began: until now while it is open, until it settled after that.
    pub(crate) fn elapsed(&self, now: Option<Timestamp>) -> Option<f64> {
        if self.seconds.is_some() {
            return self.seconds;
        }
        let end = if self.is_settled() { self.state_entered_time } else { now };
        Some(end?.duration_since(self.start_time?).as_secs_f64().max(0.0))
    }

    /// The latest time in it.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        let own = [self.start_time, self.state_entered_time].into_iter().flatten();
        own.chain(self.children.iter().filter_map(Self::latest)).max()
    }

    /// Why it failed, unless what is below it tells that, or it is over.
    fn own_reason(&self) -> Option<String> {
        let failed = |node: &Self| node.state.starts_with("FAILED") && node.error.is_some();
        if self.children.iter().any(failed) || !failed(self) { None } else { self.reason() }
    }

    /// The order in which things are made, and in the opposite order removed.
    fn turn(&self) -> i8 {
        let turn = match self.kind.as_str() {
            "NETWORK" => 1,
            "STORAGE" => 2,
            "COMPUTE" => 3,
            _ => return 4,
        };
        if self.is_removed() { -turn } else { turn }
    }

    /// Whether it is a resource that goes.
    fn is_removed(&self) -> bool {
        self.change.as_deref() == Some("REMOVED")
    }

    /// Where a resource is.
    fn place(&self) -> String {
        [&self.vim_id, &self.zone_id].into_iter().flatten().cloned().collect::<Vec<_>>().join("/")
    }

    /// The tree as lines, of which there are at most `height` where one is given.
    pub(crate) fn render(
        &self,
        now: Option<Timestamp>,
        height: Option<usize>,
        coloured: bool,
    ) -> Vec<String> {
        let most = height.unwrap_or(usize::MAX);
        let mut rows = Vec::new();
        for detail in [Detail::All, Detail::Open, Detail::Counts] {
            rows.clear();
            self.rows(now, detail, ["", ""], &mut rows);
            if rows.len() <= most {
                break;
            }
        }
        let more = rows.len().saturating_sub(most);
        if more > 0 {
            rows.truncate(most.saturating_sub(1));
        }
        let mut lines = laid_out(&rows, coloured);
        if more > 0 {
            lines.push(format!("… and {} lines more", more + 1));
        }
        lines
    }

    /// Its own line and those below it; `lead` goes before the first and before the others.
    fn rows(&self, now: Option<Timestamp>, detail: Detail, lead: [&str; 2], rows: &mut Vec<Row>) {
        let [first, others] = lead;
        let verb =
            if self.is_removed() { "remove" } else { self.operation.as_deref().unwrap_or("") };
        let words = [verb, &self.kind, self.called()];
        let words: Vec<_> = words.into_iter().filter(|w| !w.is_empty()).collect();
        let seconds = self.elapsed(now).map(|s| format!("{s:.1} s")).unwrap_or_default();
        let after = format!("{seconds:<8}{}", self.place()).trim_end().to_owned();
        let label = format!("{first}{}", in_line(&words.join(" ")));
        rows.push(Row { label, state: in_line(&self.state), after: in_line(&after) });
        if let Some(reason) = self.own_reason() {
            let label = format!("{others}  ! {}", in_line(&reason));
            rows.push(Row { label, state: String::new(), after: String::new() });
        }
        let (shown, counted) = self.split(detail);
        let last = shown.len() + counted.len();
        for (n, child) in shown.iter().enumerate() {
            let (first, next) =
                if n + 1 == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            child.rows(
                now,
                detail,
                [&format!("{others}{first}"), &format!("{others}{next}")],
                rows,
            );
        }
        for (n, (state, count)) in counted.iter().enumerate() {
            let first = if shown.len() + n + 1 == last { "└─ " } else { "├─ " };
            let plural = if *count == 1 { "" } else { "s" };
            let label = format!("{others}{first}{count} resource{plural}");
            rows.push(Row { label, state: state.clone(), after: String::new() });
        }
    }

    /// The children to show, and of the others how many are in which state.
    fn split(&self, detail: Detail) -> (Vec<&Self>, BTreeMap<String, usize>) {
        let fold = |child: &Self| {
            let quiet = matches!(child.state.as_str(), "DONE" | "UNDONE" | "TODO");
            child.operation.is_none()
                && (detail == Detail::Counts || (detail == Detail::Open && quiet))
        };
        let mut shown: Vec<_> = self.children.iter().filter(|c| !fold(c)).collect();
        shown.sort_by_key(|child| child.turn());
        let mut counted = BTreeMap::new();
        for child in self.children.iter().filter(|c| fold(c)) {
            *counted.entry(child.state.clone()).or_default() += 1;
        }
        (shown, counted)
    }

    /// What is different from `before`, one line for each.
    pub(crate) fn changes(&self, before: Option<&Self>, now: Option<Timestamp>) -> Vec<String> {
        let mut known = BTreeMap::new();
        if let Some(before) = before {
            before.visit("", &mut |path, node| {
                known.insert(path.to_owned(), node.state.clone());
            });
        }
        let since = self.elapsed(now).unwrap_or_default();
        let mut lines = Vec::new();
        self.visit("", &mut |path, node| {
            // What nobody has begun is no news.
            let old = known.get(path).map_or("TODO", String::as_str);
            if old != node.state {
                let place = node.place();
                let reason = node.reason().map(|r| format!(": {r}")).unwrap_or_default();
                let at = if place.is_empty() { place } else { format!(" at {place}") };
                let news = format!("{since:7.1} s  {path} {}{at}{reason}", node.state);
                lines.push(in_line(&news));
            }
        });
        lines
    }

    /// Every node with the names that tell it.
    fn visit(&self, above: &str, see: &mut impl FnMut(&str, &Self)) {
        let own = format!("{} {}", self.kind, self.called());
        see(&format!("{above}{own}"), self);
        for child in &self.children {
            // One level above is enough to know it by.
            child.visit(&format!("{own} / "), see);
        }
    }
}

/// Whether an operation in this state will not go on by itself.
pub(crate) fn is_settled(state: &str) -> bool {
    matches!(state, "COMPLETED" | "PARTIALLY_COMPLETED" | "FAILED_TEMP" | "FAILED" | "ROLLED_BACK")
}

/// The sentence in a ProblemDetails, or in whatever stands in its place.
pub(crate) fn reason(error: &Value) -> Option<String> {
    let text = error.as_str().or_else(|| error.get("detail")?.as_str())?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Rows with their states under each other.
fn laid_out(rows: &[Row], coloured: bool) -> Vec<String> {
    let with_state = || rows.iter().filter(|r| !r.state.is_empty());
    let width =
        |of: fn(&Row) -> &str| with_state().map(|r| measure_text_width(of(r))).max().unwrap_or(0);
    let (label, state) = (width(|r| &r.label), width(|r| &r.state));
    let line = |row: &Row| {
        let gap = " ".repeat(label.saturating_sub(measure_text_width(&row.label)));
        let shown = format!("{:<state$}", row.state);
        let shown = if coloured { colour(&row.state).apply_to(shown).to_string() } else { shown };
        format!("{}{gap}  {shown}  {}", row.label, row.after).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The colour a state is told in.
fn colour(state: &str) -> Style {
    let style = Style::new().force_styling(true);
    match state {
        "DONE" | "COMPLETED" => style.green(),
        "FAILED" | "FAILED_TEMP" => style.red(),
        "DOING" | "STARTING" | "PROCESSING" | "ROLLING_BACK" => style.yellow(),
        "UNDONE" | "ROLLED_BACK" | "PARTIALLY_COMPLETED" => style.cyan(),
        _ => style.dim(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::golden::golden;
    use serde_json::json;

    /// A service whose second function has just failed.
    fn tree() -> Node {
        let resource = |kind: &str, name: &str, state: &str, seconds: Option<f64>| {
            json!({"kind": kind, "name": name, "state": state, "vimId": "east",
                   "zoneId": "zone-1", "seconds": seconds})
        };
        serde_json::from_value(json!({
            "version": "7", "id": "op-1", "kind": "NS", "operation": "INSTANTIATE",
            "instanceId": "ns-1", "name": "edge", "state": "PROCESSING",
            "startTime": "2026-01-01T00:00:00Z", "stateEnteredTime": "2026-01-01T00:00:00Z",
            "children": [
                {"id": "op-2", "kind": "VNF", "operation": "INSTANTIATE", "instanceId": "v-1",
                 "name": "router-1", "state": "COMPLETED", "startTime": "2026-01-01T00:00:00Z",
                 "stateEnteredTime": "2026-01-01T00:00:01.25Z", "children": [
                    resource("COMPUTE", "forwarding-1", "DONE", Some(0.75)),
                    resource("NETWORK", "internal", "DONE", Some(0.2))]},
                {"id": "op-3", "kind": "VNF", "operation": "INSTANTIATE", "instanceId": "v-2",
                 "name": "cache-1", "state": "FAILED_TEMP", "startTime": "2026-01-01T00:00:01Z",
                 "stateEnteredTime": "2026-01-01T00:00:02Z",
                 "error": {"status": 500, "detail": "the VIM 'east' refused:\n no image 'cache'"},
                 "children": [
                    resource("STORAGE", "cache-1.disk", "DONE", Some(0.1)),
                    resource("COMPUTE", "cache-1", "FAILED", Some(0.3)),
                    resource("COMPUTE", "cache-2", "TODO", None)]},
                {"kind": "VNF", "operation": "INSTANTIATE", "instanceId": "v-3", "name": null,
                 "state": "TODO", "children": []}]
        }))
        .unwrap()
    }

    fn now() -> Option<Timestamp> {
        Some("2026-01-01T00:00:02.5Z".parse().unwrap())
    }

    #[test]
    fn a_tree_is_drawn_as_people_know_it() {
        golden("tree.txt", &tree().render(now(), None, false).join("\n"));
    }

    #[test]
    fn a_tree_that_is_too_high_is_folded_before_it_is_cut() {
        let drawings: Vec<_> = [9, 7, 6, 3]
            .map(|height| {
                let lines = tree().render(now(), Some(height), false);
                assert!(lines.len() <= height, "{height}: {}", lines.len());
                format!("at most {height} lines\n{}", lines.join("\n"))
            })
            .into();
        golden("tree-folded.txt", &drawings.join("\n\n"));
    }

    #[test]
    fn a_reason_is_told_once_where_it_belongs() {
        let mut tree = tree();
        tree.state = "FAILED_TEMP".into();
        tree.error = Some(json!({"detail": "cache-1 is FAILED_TEMP: no image 'cache'"}));
        let told = |tree: &Node| tree.render(now(), None, false).join("\n").matches("  ! ").count();
        assert_eq!(told(&tree), 1);
        tree.state = "ROLLED_BACK".into();
        tree.children.clear();
        assert_eq!(told(&tree), 0, "what was rolled back is over");
    }

    #[test]
    fn what_goes_is_said_to_go_in_the_opposite_order() {
        let mut tree = tree();
        for child in &mut tree.children[0].children {
            child.change = Some("REMOVED".into());
        }
        let lines = tree.render(now(), None, false);
        assert!(lines[2].contains("remove COMPUTE forwarding-1"), "{lines:?}");
        assert!(lines[3].contains("remove NETWORK internal"), "{lines:?}");
    }

    #[test]
    fn without_a_terminal_every_change_is_one_line() {
        let mut before = tree();
        before.children.truncate(1);
        before.children[0].children[0].state = "DOING".into();
        let lines = tree().changes(Some(&before), now()).join("\n");
        golden("tree-changes.txt", &lines);
        assert!(tree().changes(Some(&tree()), now()).is_empty());
    }

    #[test]
    fn a_name_cannot_command_the_terminal() {
        let mut tree = tree();
        tree.name = Some("\u{1b}[2Jedge\nCOMPLETED".into());
        tree.children[1].children[0].vim_id = Some("\u{9b}31meast".into());
        tree.children[1].error = Some(json!({"detail": "\u{1b}]0;mine\u{7}"}));
        let mut lines = tree.render(now(), None, false);
        lines.extend(tree.changes(None, now()));
        let text = lines.concat();
        assert!(!text.contains(char::is_control), "{text:?}");
        for shown in [r"\u001b[2Jedge COMPLETED", r"\u009b31meast", r"\u001b]0;mine\u0007"] {
            assert!(text.matches(shown).count() >= 2, "drawn and told: {shown}: {text}");
        }
    }

    #[test]
    fn colours_change_no_width() {
        let plain = tree().render(now(), None, false);
        let coloured = tree().render(now(), None, true);
        for (plain, coloured) in plain.iter().zip(&coloured) {
            assert_eq!(*plain, console::strip_ansi_codes(coloured).trim_end());
        }
        assert_ne!(plain, coloured);
    }
}
