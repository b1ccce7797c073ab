//! What happened when, as a picture a person reads: bars of text, or an SVG file.

use crate::cli::tree::Node;
use jiff::Timestamp;

/// Columns of a text picture's bars: the most, and what is still worth looking at.
const COLUMNS: (usize, usize) = (60, 20);
/// Columns of what stands beside the bars: gaps, seconds, state.
const BESIDE: usize = 23;
/// Pixels of a drawing: a row's height, the width of labels, the width of bars.
const ROW: usize = 22;
const LABELS: usize = 330;
const BARS: usize = 720;

/// Something that took time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// What it was.
    label: String,
    /// 0 for an operation asked for, 1 for a part of it.
    depth: usize,
    /// When it began.
    start: Timestamp,
    /// When it came to rest.
    end: Timestamp,
    /// How it ended.
    state: String,
}

/// Bars in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    bars: Vec<Bar>,
}

impl Timeline {
    /// Adds an operation at rest and its parts; `began` where it is not the operation's beginning.
    pub(crate) fn add(&mut self, tree: &Node, began: Option<Timestamp>) {
        self.bar(tree, 0, began);
        for child in tree.children.iter().filter(|child| child.operation.is_some()) {
            self.bar(child, 1, began);
        }
    }

    /// Adds one bar, if its times are known.
    fn bar(&mut self, node: &Node, depth: usize, began: Option<Timestamp>) {
        let (Some(start), Some(end)) = (node.start_time, node.state_entered_time) else { return };
        let start = began.map_or(start, |began| began.max(start));
        // A part that rested before this began has no share in it.
        if end < start {
            return;
        }
        let verb = match (node.state.as_str(), began) {
            ("ROLLED_BACK", _) => "roll back ",
            (_, Some(_)) => "again ",
            (_, None) => "",
        };
        let operation = node.operation.as_deref().unwrap_or_default();
        let label = format!("{verb}{operation} {}", node.called());
        self.bars.push(Bar { label, depth, start, end, state: node.state.clone() });
    }

    /// The first beginning, and the seconds from there to the last end.
    fn span(&self) -> Option<(Timestamp, f64)> {
        let from = self.bars.iter().map(|bar| bar.start).min()?;
        let to = self.bars.iter().map(|bar| bar.end).max()?;
        Some((from, to.duration_since(from).as_secs_f64().max(0.001)))
    }

    /// The picture in text, in lines of at most `columns` where that leaves room for bars.
    pub(crate) fn text(&self, columns: Option<usize>) -> String {
        let Some((from, span)) = self.span() else { return String::new() };
        let label = |bar: &Bar| format!("{}{}", "  ".repeat(bar.depth), bar.label);
        let width = self.bars.iter().map(|bar| label(bar).chars().count()).max().unwrap_or(0);
        let (most, least) = COLUMNS;
        let room = columns.map_or(most, |columns| columns.saturating_sub(width + BESIDE));
        let room = room.clamp(least, most);
        let scale = format!("0 s{:>rest$}", format!("{span:.1} s"), rest = room - 3);
        let mut lines = vec![format!("{:width$}  {scale}", "")];
        for bar in &self.bars {
            let (first, count) = bar.columns(from, span, room);
            let drawn = format!("{}{}", " ".repeat(first), bar.block().repeat(count));
            let took = bar.seconds();
            let state = &bar.state;
            lines.push(format!("{:width$}  {drawn:room$}  {took:4.1} s  {state}", label(bar)));
        }
        lines.join("\n")
    }

    /// The picture as SVG.
    pub(crate) fn svg(&self) -> String {
        let (from, span) = self.span().unwrap_or((Timestamp::UNIX_EPOCH, 1.0));
        let (width, height) = (LABELS + BARS + 150, (self.bars.len() + 2) * ROW);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
             <text x=\"{LABELS}\" y=\"15\">0 s</text>\
             <text x=\"{}\" y=\"15\" text-anchor=\"end\">{span:.1} s</text>\n",
            LABELS + BARS
        );
        for (n, bar) in self.bars.iter().enumerate() {
            svg.push_str(&bar.svg(n + 1, from, span));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

impl Bar {
    /// How long it took.
    fn seconds(&self) -> f64 {
        self.end.duration_since(self.start).as_secs_f64()
    }

    /// Where it begins and how much of the whole it takes, both from 0 to 1.
    fn shares(&self, from: Timestamp, span: f64) -> (f64, f64) {
        let begin = self.start.duration_since(from).as_secs_f64() / span;
        (begin.clamp(0.0, 1.0), (self.seconds() / span).clamp(0.0, 1.0))
    }

    /// The first of `room` columns and the number of columns, at least one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "shares are from 0 to 1 and there are at most sixty columns"
    )]
    fn columns(&self, from: Timestamp, span: f64, room: usize) -> (usize, usize) {
        let (begin, share) = self.shares(from, span);
        let first = ((begin * room as f64) as usize).min(room - 1);
        let count = ((share * room as f64).round() as usize).clamp(1, room - first);
        (first, count)
    }

    /// The character it is drawn with: the states must differ without colour.
    fn block(&self) -> &'static str {
        match self.state.as_str() {
            "COMPLETED" => "█",
            "ROLLED_BACK" => "▒",
            _ => "▓",
        }
    }

    /// Its row of a drawing.
    fn svg(&self, row: usize, from: Timestamp, span: f64) -> String {
        let (begin, share) = self.shares(from, span);
        let colour = match self.state.as_str() {
            "COMPLETED" => "#2e7d32",
            "ROLLED_BACK" => "#00838f",
            _ => "#c62828",
        };
        #[expect(clippy::cast_precision_loss, reason = "a few hundred pixels")]
        let (left, bars) = (LABELS as f64, BARS as f64);
        let (x, width) = (left + begin * bars, (share * bars).max(2.0));
        let (y, indent) = (row * ROW, 8 + self.depth * 16);
        let opacity = if self.depth == 0 { "1" } else { "0.55" };
        format!(
            "<text x=\"{indent}\" y=\"{}\">{}</text>\
             <rect x=\"{x:.1}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\" rx=\"3\" \
             fill=\"{colour}\" fill-opacity=\"{opacity}\"><title>{} {:.2} s</title></rect>\
             <text x=\"{}\" y=\"{}\" fill=\"#555555\">{:.1} s {}</text>\n",
            y + 15,
            escaped(&self.label),
            y + 4,
            ROW - 8,
            escaped(&self.state),
            self.seconds(),
            LABELS + BARS + 8,
            y + 15,
            self.seconds(),
            escaped(&self.state),
        )
    }
}

/// Text as it stands in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::golden::golden;
    use serde_json::json;

    fn node(operation: &str, state: &str, times: [u8; 2], children: &[Node]) -> Node {
        let mut node: Node = serde_json::from_value(json!({
            "kind": "NS", "operation": operation, "name": "edge", "state": state,
            "startTime": format!("2026-01-01T00:00:{:02}Z", times[0]),
            "stateEnteredTime": format!("2026-01-01T00:00:{:02}Z", times[1]),
        }))
        .unwrap();
        node.children = children.to_vec();
        node
    }

    fn timeline() -> Timeline {
        let mut timeline = Timeline::default();
        let router = node("INSTANTIATE", "COMPLETED", [0, 3], &[]);
        timeline.add(&node("INSTANTIATE", "COMPLETED", [0, 5], &[router]), None);
        let failed = node("SCALE", "FAILED_TEMP", [6, 8], &[]);
        timeline.add(&failed, None);
        timeline.add(&node("SCALE", "ROLLED_BACK", [6, 12], &[]), failed.state_entered_time);
        timeline
    }

    #[test]
    fn a_timeline_is_bars_on_one_scale() {
        golden("timeline.txt", &timeline().text(None));
    }

    #[test]
    fn a_narrow_terminal_gets_shorter_bars() {
        let narrow = timeline().text(Some(78));
        assert!(narrow.lines().all(|line| line.chars().count() <= 78), "{narrow}");
        let tiny = timeline().text(Some(10));
        assert!(tiny.contains('█'), "{tiny}");
    }

    #[test]
    fn a_drawing_has_a_bar_for_each_and_no_open_markup() {
        let mut timeline = timeline();
        timeline.bars[0].label = "a<b&c".into();
        let svg = timeline.svg();
        assert_eq!(svg.matches("<rect").count(), 1 + timeline.bars.len());
        assert!(svg.contains("a&lt;b&amp;c"), "{svg}");
    }

    #[test]
    fn nothing_is_no_picture() {
        assert_eq!(Timeline::default().text(None), "");
    }
}
