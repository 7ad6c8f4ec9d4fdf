//! What ran when, as rows of bars over one axis of time: the lanes of a run, and what it is held against below them.

use std::fmt::Write as _;

use super::gantt::{tick, tick_ms};
use super::paint::{definitions, fill};
use super::svg::escaped;

const WIDTH: f64 = 1_100.0;
const MARGIN: f64 = 24.0;
/// Rows that are drawn of a section; further ones are counted.
const ROWS_SHOWN: usize = 160;
/// Colours and patterns in use.
const FILLS: usize = 40;

/// One bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Its row; `None` puts it into the first that is free.
    pub row: Option<u32>,
    /// What it stands for: bars of one number look the same.
    pub number: u32,
    /// Begin, in milliseconds.
    pub from_ms: u64,
    /// End.
    pub to_ms: u64,
    /// Whether it came to nothing.
    pub failed: bool,
}

/// The sections, each with its headline, as one SVG document over one axis. The same bars always give the same picture.
#[must_use]
pub fn timeline(sections: &[(String, Vec<Bar>)]) -> String {
    let ends = sections.iter().flat_map(|(_, bars)| bars);
    let ends = ends.map(|bar| bar.to_ms).max().unwrap_or(0).max(1);
    let scale = WIDTH / ends as f64;
    let mut body = String::new();
    let mut top = 0.0;
    for (headline, bars) in sections {
        top = section(&mut body, headline, bars, top, scale);
    }
    let step = tick_ms(ends);
    for at in (0..=ends / step).map(|number| number * step) {
        let x = at as f64 * scale;
        let _ = writeln!(
            body,
            "<path d=\"M{x:.1} 0V{top:.0}\" class=\"grid\"/><text x=\"{x:.1}\" y=\"{:.0}\" class=\"mid\">{}</text>",
            top + 14.0,
            tick(at)
        );
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" height=\"{h:.0}\">\n{}\
         <rect width=\"100%\" height=\"100%\" class=\"bg\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">\n{body}</g>\n</svg>\n",
        definitions(FILLS),
        w = WIDTH + 2.0 * MARGIN,
        h = top + 24.0 + 2.0 * MARGIN,
    )
}

/// Draws one section from `top` on; answers where it ends.
fn section(body: &mut String, headline: &str, bars: &[Bar], top: f64, scale: f64) -> f64 {
    let rows = rows(bars);
    let count = rows.iter().max().map_or(0, |row| row + 1);
    let shown = count.min(ROWS_SHOWN);
    let height = match shown {
        0..=32 => 18.0,
        33..=80 => 10.0,
        _ => 6.0,
    };
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"{:.0}\" class=\"head\">{}</text>",
        top + 14.0,
        escaped(headline)
    );
    let first = top + 22.0;
    for (bar, row) in bars.iter().zip(&rows).filter(|(_, row)| **row < shown) {
        let y = first + height * *row as f64 + 1.0;
        let width = ((bar.to_ms - bar.from_ms) as f64 * scale).max(0.5);
        let fill = if bar.failed {
            "none".to_owned()
        } else {
            fill(bar.number)
        };
        let _ = writeln!(
            body,
            "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" class=\"bar\" fill=\"{fill}\"><title>{}: {:.2} to {:.2} s</title></rect>",
            bar.from_ms as f64 * scale,
            height - 2.0,
            bar.number,
            bar.from_ms as f64 / 1_000.0,
            bar.to_ms as f64 / 1_000.0
        );
    }
    let mut end = first + height * shown as f64 + 12.0;
    if count > shown {
        let _ = writeln!(
            body,
            "<text x=\"0\" y=\"{end:.0}\">… and {} further rows</text>",
            count - shown
        );
        end += 14.0;
    }
    end
}

/// The row of each bar: its own, or the first in which nothing else is at that time.
fn rows(bars: &[Bar]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..bars.len()).collect();
    order.sort_by_key(|at| (bars[*at].from_ms, *at));
    let mut free: Vec<u64> = Vec::new();
    let mut rows = vec![0; bars.len()];
    for at in order {
        let bar = &bars[at];
        rows[at] = match bar.row {
            Some(row) => row as usize,
            None => {
                let found = free.iter().position(|until| *until <= bar.from_ms);
                let row = found.unwrap_or(free.len());
                if row == free.len() {
                    free.push(0);
                }
                free[row] = bar.to_ms;
                row
            }
        };
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(number: u32, from_ms: u64, to_ms: u64) -> Bar {
        Bar {
            row: None,
            number,
            from_ms,
            to_ms,
            failed: false,
        }
    }

    #[test]
    fn bars_without_a_row_take_the_first_that_is_free() {
        let bars = [bar(0, 0, 10), bar(1, 5, 8), bar(2, 9, 12), bar(3, 11, 20)];
        assert_eq!(rows(&bars), [0, 1, 1, 0]);
    }

    #[test]
    fn sections_share_the_axis() {
        let svg = timeline(&[
            (
                "lanes <1>".to_owned(),
                vec![bar(0, 0, 4_000), bar(1, 1_000, 9_000)],
            ),
            ("plain".to_owned(), vec![bar(7, 0, 10_000)]),
        ]);
        assert_eq!(svg.matches("class=\"bar\"").count(), 3);
        assert!(
            svg.contains("lanes &lt;1&gt;") && svg.contains(">10 s</text>"),
            "{svg}"
        );
    }
}
