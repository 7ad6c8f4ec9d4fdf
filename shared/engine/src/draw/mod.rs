//! Pictures of a plan: DOT for other tools, SVG with the shard graph above the lanes over time.

mod dot;
mod gantt;
mod group;
mod paint;
mod svg;

pub use dot::dot;
pub use svg::svg;

#[cfg(test)]
mod tests;
