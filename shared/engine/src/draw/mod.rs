//! Pictures: a plan as DOT for other tools and as SVG, the shard graph above the lanes over time; a forecast as a chart; what ran when.

mod chart;
mod dot;
mod gantt;
mod group;
mod paint;
mod svg;
mod timeline;

pub use chart::{Chart, chart};
pub use dot::dot;
pub use svg::svg;
pub use timeline::{Bar, timeline};

#[cfg(test)]
mod tests;
