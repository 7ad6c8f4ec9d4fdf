//! The lanes over time: one row for each lane, one bar for each shard.

use std::fmt::Write as _;

use foreshard_model::plan::{Plan, PlannedShard};

use super::group::seconds;
use super::svg::{colour, escaped};

/// Rows that are drawn; further lanes are counted.
const LANES_SHOWN: u32 = 64;
/// Height of a row.
const ROW: f64 = 22.0;
/// Room for the names of the lanes.
const NAMES: f64 = 70.0;
/// Width of a digit of a bar's label.
const DIGIT: f64 = 7.0;

/// Draws the lanes from `top` on, `width` wide; answers where they end.
pub(super) fn gantt(svg: &mut String, plan: &Plan, top: f64, width: f64) -> f64 {
    let ends = plan.shards.iter().map(|s| s.start_ms + s.duration_ms);
    let ends = ends.max().unwrap_or(0).max(1);
    let scale = (width - NAMES) / ends as f64;
    let last = plan.shards.iter().filter_map(|s| s.lane).max();
    let busy = last.map_or(0, |last| last + 1);
    let rows = busy.min(LANES_SHOWN);
    let bottom = top + 24.0 + ROW * f64::from(rows);
    let _ = writeln!(
        svg,
        "<g class=\"lanes\"><text x=\"0\" y=\"{:.0}\" class=\"head\">lanes over time</text>",
        top + 12.0
    );
    for tick in 0..=8_u64 {
        let at = ends * tick / 8;
        let x = NAMES + at as f64 * scale;
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {:.0}V{bottom:.0}\" class=\"grid\"/><text x=\"{x:.1}\" y=\"{:.0}\" class=\"tick\">{}</text>",
            top + 20.0,
            bottom + 14.0,
            seconds(at)
        );
    }
    for lane in 0..rows {
        let y = top + 24.0 + ROW * f64::from(lane) + 15.0;
        let _ = writeln!(svg, "<text x=\"0\" y=\"{y:.0}\">lane {lane}</text>");
    }
    for shard in &plan.shards {
        if let Some(lane) = shard.lane.filter(|lane| *lane < rows) {
            bar(svg, shard, top + 24.0 + ROW * f64::from(lane), scale);
        }
    }
    let mut end = bottom + 24.0;
    if busy > rows {
        let more = busy - rows;
        let _ = writeln!(
            svg,
            "<text x=\"0\" y=\"{end:.0}\">… and {more} further lanes</text>"
        );
        end += 16.0;
    }
    svg.push_str("</g>\n");
    end
}

/// One shard in its lane's row, numbered where the number fits.
fn bar(svg: &mut String, shard: &PlannedShard, y: f64, scale: f64) {
    let x = NAMES + shard.start_ms as f64 * scale;
    let width = (shard.duration_ms as f64 * scale).max(1.0);
    let name = shard.id.to_string();
    let _ = write!(
        svg,
        "<g><title>shard {name}: {} from {}; {}</title><rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" class=\"bar\" fill=\"{}\"/>",
        seconds(shard.duration_ms),
        seconds(shard.start_ms),
        escaped(&shard.reason),
        y + 2.0,
        ROW - 4.0,
        colour(shard.id.index())
    );
    if width > DIGIT * name.len() as f64 + 4.0 {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" class=\"tick\">{name}</text>",
            x + width / 2.0,
            y + 15.0
        );
    }
    svg.push_str("</g>\n");
}
