//! Colours and patterns: boxes and bars are told apart by either, on a light and on a dark background.

use std::fmt::Write as _;

/// Fills on a light background: light enough for black text. The order sets neighbours far apart.
const LIGHT: [&str; 8] = [
    "#cfe8ff", "#ffe0c2", "#d5f0d0", "#fbd3e0", "#e4dbf7", "#fff3bf", "#d0f0ee", "#e3e6ea",
];
/// The same hues on a dark background: dark enough for white text.
const DARK: [&str; 8] = [
    "#1d4466", "#66411d", "#24522b", "#6b2b43", "#443268", "#5c5115", "#1d5553", "#3d444d",
];
/// Patterns over a fill, drawn in an 8 by 8 tile: none, two diagonals, dots, lines. Their number and that of the fills have no
/// common factor, so that forty boxes look different.
const HATCHES: [&str; 5] = [
    "",
    "M-2 2l4-4M0 8l8-8M6 10l4-4",
    "M3 4a1 1 0 1 0 2 0a1 1 0 1 0-2 0",
    "M-2 6l4 4M0 0l8 8M6-2l4 4",
    "M0 4h8",
];

/// What everything looks like; a dark background is taken where the reader's is.
const STYLE: &str = "text{font:11px sans-serif;fill:#1b1f24}.bg{fill:#fff}.head{font-weight:bold;font-size:13px}\
.title{font-weight:bold}.mid{text-anchor:middle}.on{text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-opacity:.75;stroke-width:3}\
.box{stroke:#3d444d}.end{fill:#fff;stroke:#3d444d;stroke-width:3}.relay{fill:#fff;stroke:#3d444d}\
.edge{fill:none;stroke:#57606a;stroke-opacity:.7}.grid{stroke:#d0d7de}.bar{stroke:#3d444d;stroke-width:.6}\
.hatch{fill:none;stroke:#1b1f24;stroke-opacity:.22}";
/// What differs on a dark background.
const STYLE_DARK: &str = "text{fill:#e6edf3}.bg{fill:#0d1117}.on{stroke:#0d1117}.box,.bar{stroke:#9198a1}\
.end,.relay{fill:#0d1117;stroke:#9198a1}.edge{stroke:#9198a1}.grid{stroke:#30363d}.hatch{stroke:#e6edf3}";

/// Fill of a light document, for other formats.
pub(super) fn colour(number: usize) -> &'static str {
    LIGHT[number % LIGHT.len()]
}

/// The name by which a box or bar is filled.
pub(super) fn fill(number: u32) -> String {
    format!("url(#p{})", number as usize % (LIGHT.len() * HATCHES.len()))
}

/// The style sheet and so many fills.
pub(super) fn definitions(groups: usize) -> String {
    let mut css = String::from(STYLE);
    let (mut dark, mut patterns) = (String::from(STYLE_DARK), String::new());
    for (at, (light_fill, dark_fill)) in LIGHT.iter().zip(DARK).enumerate() {
        let _ = write!(css, ".c{at}{{fill:{light_fill}}}");
        let _ = write!(dark, ".c{at}{{fill:{dark_fill}}}");
    }
    for number in 0..groups.min(LIGHT.len() * HATCHES.len()) {
        let (colour, hatch) = (number % LIGHT.len(), HATCHES[number % HATCHES.len()]);
        let _ = writeln!(
            patterns,
            "<pattern id=\"p{number}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect class=\"c{colour}\" width=\"8\" height=\"8\"/><path class=\"hatch\" d=\"{hatch}\"/></pattern>"
        );
    }
    format!(
        "<style>{css}@media (prefers-color-scheme:dark){{{dark}}}</style>\n<defs>\n{patterns}</defs>\n"
    )
}
