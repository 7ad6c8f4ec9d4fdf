//! Pictures: a plan as DOT for other tools and as SVG, the shard graph above the lanes over time; a forecast as a chart.

mod chart;
mod dot;
mod gantt;
mod group;
mod paint;
mod svg;

pub use chart::{Chart, chart};
pub use dot::dot;
pub use svg::svg;

#[cfg(test)]
mod tests;
