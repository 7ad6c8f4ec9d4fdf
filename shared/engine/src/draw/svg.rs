//! A plan as SVG: the shard graph, laid out in layers, and the lanes below.

use std::fmt::Write as _;

use foreshard_model::plan::{Plan, ShardKind};
use rust_sugiyama::configure::Config;
use rust_sugiyama::from_vertices_and_edges;

use super::gantt::gantt;
use super::group::{Group, Groups, groups};
use super::paint::{definitions, fill};

const MARGIN: f64 = 24.0;
const LINE: f64 = 14.0;
/// Width of a character of the sans-serif font at 11 px, a little more than most; capitals and signs are wider.
const CHARACTER: f64 = 6.8;
/// See [`CHARACTER`].
const CAPITAL: f64 = 7.9;
/// Width of the lanes: that of the graph within these bounds.
const LANES_WIDTH: (f64, f64) = (1_000.0, 1_800.0);

/// The plan as one SVG document.
///
/// Boxes are shards (rectangles; relays are diamonds, END has a thick border); in a plan of more than 24, all shards of a level
/// whose tasks are of the same kinds are one box that says how many. Arrows are thicker the more they stand for. The lanes below
/// have every shard, filled as its box is: by colour and by pattern, with its number where there is room. Everything has a tooltip
/// with its reason. The same plan always gives the same picture.
///
/// # Complexity
///
/// That of the layered layout (after K. Sugiyama, S. Tagawa, M. Toda, IEEE TSMC 11 (1981), 109): about linear in what is shown.
#[must_use]
pub fn svg(plan: &Plan) -> String {
    let drawn = groups(plan);
    let placed = place(&drawn);
    let graph_width = placed.iter().map(|b| b.x + b.width).fold(0.0, f64::max);
    let graph_height = placed.iter().map(|b| b.y + b.height).fold(0.0, f64::max);
    let lanes_width = graph_width.clamp(LANES_WIDTH.0, LANES_WIDTH.1);
    let width = graph_width.max(lanes_width);
    let mut body = String::new();
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"12\" class=\"head\">{}</text><text x=\"0\" y=\"28\">{}</text>",
        escaped(&plan.workflow),
        escaped(&headline(plan))
    );
    let _ = writeln!(
        body,
        "<g class=\"shards\" transform=\"translate(0 {MARGIN})\">"
    );
    for &(from, to, many) in &drawn.edges {
        edge(
            &mut body,
            &placed[from as usize],
            &placed[to as usize],
            many,
        );
    }
    for ((group, at), number) in drawn.groups.iter().zip(&placed).zip(0..) {
        shape(&mut body, group, at, number);
    }
    body.push_str("</g>\n");
    let bottom = gantt(
        &mut body,
        plan,
        &drawn.of,
        graph_height + 3.0 * MARGIN,
        lanes_width,
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" height=\"{h:.0}\">\n\
         {defs}<rect width=\"100%\" height=\"100%\" class=\"bg\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">\n{body}</g>\n</svg>\n",
        defs = definitions(drawn.groups.len()),
        w = width + 2.0 * MARGIN,
        h = bottom + 2.0 * MARGIN,
    )
}

fn headline(plan: &Plan) -> String {
    let shards = plan
        .shards
        .iter()
        .filter(|s| s.kind == ShardKind::Work)
        .count();
    format!(
        "{} tasks in {shards} shards on {} lanes · {:.1} s expected ({:.1} to {:.1}), plain states {:.1} s · ${:.6} expected ({:.6} to {:.6}), plain states ${:.6}",
        plan.tasks,
        plan.lanes,
        plan.price.makespan_s.mid,
        plan.price.makespan_s.low,
        plan.price.makespan_s.high,
        plan.price.plain_makespan_s.mid,
        plan.price.total_usd.mid,
        plan.price.total_usd.low,
        plan.price.total_usd.high,
        plan.price.plain_usd.0,
    )
}

/// A box by its upper left corner.
#[derive(Debug, Clone, Copy, Default)]
struct Placed {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// Where each group goes: layered, components beside each other.
fn place(drawn: &Groups) -> Vec<Placed> {
    let mut placed: Vec<Placed> = drawn.groups.iter().map(size).collect();
    let vertices: Vec<(u32, (f64, f64))> = placed
        .iter()
        .enumerate()
        .map(|(at, b)| (at as u32, (b.width, b.height)))
        .collect();
    let arrows: Vec<(u32, u32)> = drawn
        .edges
        .iter()
        .map(|(from, to, _)| (*from, *to))
        .collect();
    let config = Config {
        vertex_spacing: 24.0,
        ..Config::default()
    };
    let mut left = 0.0;
    for (positions, _, _) in from_vertices_and_edges(&vertices, &arrows, &config) {
        // Coordinates are those of the centres; y may grow either way, but never mixes.
        let low = |axis: fn(&(f64, f64)) -> f64, half: fn(&Placed) -> f64| {
            positions
                .iter()
                .map(|(at, p)| axis(p) - half(&placed[*at]))
                .fold(f64::INFINITY, f64::min)
        };
        let (min_x, min_y) = (
            low(|p| p.0, |b| b.width / 2.0),
            low(|p| p.1, |b| b.height / 2.0),
        );
        let mut right = left;
        for (at, (x, y)) in positions {
            let b = &mut placed[at];
            b.x = left + x - b.width / 2.0 - min_x;
            b.y = MARGIN + y - b.height / 2.0 - min_y;
            right = f64::max(right, b.x + b.width);
        }
        left = right + 2.0 * MARGIN;
    }
    placed
}

fn text_width(text: &str) -> f64 {
    let width = |c: char| {
        if c.is_ascii_uppercase() {
            CAPITAL
        } else {
            CHARACTER
        }
    };
    text.chars().map(width).sum()
}

fn size(group: &Group) -> Placed {
    let longest = group.lines.iter().map(|line| text_width(line));
    let longest = longest.fold(0.0, f64::max);
    let (wide, high) = match group.kind {
        ShardKind::Relay => (2.0 * longest, 2.5 * LINE),
        _ => (longest + 16.0, group.lines.len() as f64 * LINE + 10.0),
    };
    Placed {
        width: wide,
        height: high,
        ..Placed::default()
    }
}

fn edge(svg: &mut String, from: &Placed, to: &Placed, many: u32) {
    let (x1, y1) = (from.x + from.width / 2.0, from.y + from.height);
    let (x2, y2) = (to.x + to.width / 2.0, to.y);
    let bend = (y2 - y1) / 2.0;
    let width = 1.0 + f64::from(many.max(1).ilog2()) * 0.6;
    let _ = writeln!(
        svg,
        "<path class=\"edge\" stroke-width=\"{width:.1}\" d=\"M{x1:.1} {y1:.1}C{x1:.1} {:.1} {x2:.1} {:.1} {x2:.1} {y2:.1}\"><title>{many} of shard to shard</title></path>",
        y1 + bend,
        y2 - bend
    );
}

fn shape(svg: &mut String, group: &Group, at: &Placed, number: u32) {
    let (mid_x, mid_y) = (at.x + at.width / 2.0, at.y + at.height / 2.0);
    let _ = write!(svg, "<g><title>{}</title>", escaped(&group.detail));
    if group.kind == ShardKind::Relay {
        let _ = write!(
            svg,
            "<path class=\"relay\" d=\"M{mid_x:.1} {:.1}L{:.1} {mid_y:.1}L{mid_x:.1} {:.1}L{:.1} {mid_y:.1}Z\"/>",
            at.y,
            at.x + at.width,
            at.y + at.height,
            at.x
        );
    } else {
        let (class, filled) = match group.kind {
            ShardKind::End => ("end", String::new()),
            _ => ("box", format!(" fill=\"{}\"", fill(number))),
        };
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"4\"{filled}/>",
            at.x, at.y, at.width, at.height
        );
    }
    let first = mid_y - (group.lines.len() as f64 - 1.0) * LINE / 2.0 + 4.0;
    for (number, line) in group.lines.iter().enumerate() {
        let class = if number == 0 { "on title" } else { "on" };
        let y = first + number as f64 * LINE;
        let _ = write!(
            svg,
            "<text class=\"{class}\" x=\"{mid_x:.1}\" y=\"{y:.1}\">{}</text>",
            escaped(line)
        );
    }
    svg.push_str("</g>\n");
}

/// Text inside SVG: markup escaped, control characters left out.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
