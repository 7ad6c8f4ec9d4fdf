//! The lanes over time: one row for each lane, one bar for each shard.

use std::fmt::Write as _;

use foreshard_model::plan::{Plan, PlannedShard};

use super::group::seconds;
use super::paint::fill;
use super::svg::escaped;

/// Rows that are drawn; further lanes are counted.
const LANES_SHOWN: u32 = 160;
/// Room for the names of the lanes.
const NAMES: f64 = 70.0;
/// Width of a digit of a bar's label.
const DIGIT: f64 = 7.0;
/// Lines of the time axis, at most.
const TICKS: f64 = 10.0;
/// Rows lower than this have no room for text, but for every tenth name.
const READABLE: f64 = 14.0;

/// Height of a row: many lanes are drawn closer together.
fn row_height(rows: u32) -> f64 {
    match rows {
        0..=32 => 22.0,
        33..=80 => READABLE,
        _ => 8.0,
    }
}

/// The smallest of 1, 2, 5, 10, 20, … milliseconds that needs no more lines than there may be.
pub(super) fn tick_ms(ends: u64) -> u64 {
    let least = ends as f64 / TICKS;
    let mut power = 1_u64;
    loop {
        for step in [1, 2, 5] {
            if (power * step) as f64 >= least {
                return power * step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// Draws the lanes from `top` on, `width` wide, each bar filled as the box of its shard; answers where they end.
pub(super) fn gantt(svg: &mut String, plan: &Plan, of: &[u32], top: f64, width: f64) -> f64 {
    let ends = plan.shards.iter().map(|s| s.start_ms + s.duration_ms);
    let ends = ends.max().unwrap_or(0).max(1);
    let scale = (width - NAMES) / ends as f64;
    let last = plan.shards.iter().filter_map(|s| s.lane).max();
    let busy = last.map_or(0, |last| last + 1);
    let rows = busy.min(LANES_SHOWN);
    let height = row_height(rows);
    let bottom = top + 24.0 + height * f64::from(rows);
    let _ = writeln!(
        svg,
        "<g class=\"lanes\"><text x=\"0\" y=\"{:.0}\" class=\"head\">lanes over time</text>",
        top + 12.0
    );
    let step = tick_ms(ends);
    for at in (0..=ends / step).map(|tick| tick * step) {
        let x = NAMES + at as f64 * scale;
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {:.0}V{bottom:.0}\" class=\"grid\"/><text x=\"{x:.1}\" y=\"{:.0}\" class=\"mid\">{}</text>",
            top + 20.0,
            bottom + 14.0,
            tick(at)
        );
    }
    for lane in (0..rows).filter(|lane| height >= READABLE || lane % 10 == 0) {
        let y = top + 28.0 + height * (f64::from(lane) + 0.5);
        let _ = writeln!(svg, "<text x=\"0\" y=\"{y:.0}\">lane {lane}</text>");
    }
    for (shard, group) in plan.shards.iter().zip(of) {
        if let Some(lane) = shard.lane.filter(|lane| *lane < rows) {
            let y = top + 24.0 + height * f64::from(lane);
            bar(svg, shard, *group, (y, height), scale);
        }
    }
    let mut end = bottom + 24.0;
    if busy > rows {
        end += 8.0;
        let more = busy - rows;
        let _ = writeln!(
            svg,
            "<text x=\"0\" y=\"{end:.0}\">… and {more} further lanes</text>"
        );
        end += 8.0;
    }
    svg.push_str("</g>\n");
    end
}

/// A round time without needless digits.
pub(super) fn tick(ms: u64) -> String {
    match ms {
        0 => "0".to_owned(),
        _ if ms.is_multiple_of(1_000) => format!("{} s", ms / 1_000),
        _ => seconds(ms),
    }
}

/// One shard in its lane's row, numbered where the number fits.
fn bar(svg: &mut String, shard: &PlannedShard, group: u32, (y, height): (f64, f64), scale: f64) {
    let x = NAMES + shard.start_ms as f64 * scale;
    let width = (shard.duration_ms as f64 * scale).max(1.0);
    let name = shard.id.to_string();
    let gap = if height >= READABLE { 2.0 } else { 1.0 };
    let _ = write!(
        svg,
        "<g><title>shard {name}: {} tasks, {} from {}; {}</title><rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{:.1}\" class=\"bar\" fill=\"{}\"/>",
        shard.tasks.len(),
        seconds(shard.duration_ms),
        seconds(shard.start_ms),
        escaped(&shard.reason),
        y + gap / 2.0,
        height - gap,
        fill(group)
    );
    if height >= READABLE && width > DIGIT * name.len() as f64 + 4.0 {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" class=\"on\">{name}</text>",
            x + width / 2.0,
            y + height / 2.0 + 4.0
        );
    }
    svg.push_str("</g>\n");
}
