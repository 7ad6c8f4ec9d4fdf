//! A forecast as a chart: what was, the bands of what is expected, and what came.

use std::fmt::Write as _;

use foreshard_model::forecast::Forecast;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::svg::escaped;

const WIDTH: f64 = 1_100.0;
const HEIGHT: f64 = 380.0;
const MARGIN: f64 = 24.0;
/// Room for the numbers of the vertical axis.
const NUMBERS: f64 = 60.0;
/// Lines of either axis, at most.
const TICKS: usize = 8;
/// Times before this are row numbers, not dates: the year 2001, in seconds.
const DATED_FROM_S: i64 = 978_307_200;
/// Points of a line at most: more are no longer told apart.
const POINTS: usize = 1_500;

const STYLE: &str = "text{font:11px sans-serif;fill:#1b1f24}.bg{fill:#fff}.head{font-weight:bold;font-size:13px}\
.mid{text-anchor:middle}.end{text-anchor:end}.grid{stroke:#d0d7de}.band{fill:#0969da;fill-opacity:.16}\
.middle{fill:none;stroke:#0969da;stroke-width:2}.top{fill:none;stroke:#0969da;stroke-dasharray:5 3}\
.was{fill:none;stroke:#57606a}.came{fill:none;stroke:#bc4c00;stroke-width:1.5}.now{stroke:#1b1f24;stroke-dasharray:2 3}";
const STYLE_DARK: &str = "text{fill:#e6edf3}.bg{fill:#0d1117}.grid{stroke:#30363d}.band{fill:#58a6ff;fill-opacity:.22}\
.middle,.top{stroke:#58a6ff}.was{stroke:#9198a1}.came{stroke:#f0883e}.now{stroke:#e6edf3}";

/// What a chart shows.
#[derive(Debug, Clone, Copy)]
pub struct Chart<'a> {
    /// What was measured.
    pub title: &'a str,
    /// Rows before the forecast, the last of them just before it; `NaN` is missing.
    pub before: &'a [f64],
    /// What is expected.
    pub forecast: &'a Forecast,
    /// What came, as far as it is known; `NaN` is missing.
    pub came: &'a [f64],
}

/// The chart as one SVG document: bands between quantiles as far from the middle on either side, the middle as a thick line, the
/// highest quantile dashed. The same forecast always gives the same picture.
#[must_use]
pub fn chart(chart: &Chart<'_>) -> String {
    let steps = chart.before.len() + chart.forecast.steps();
    let values = chart.forecast.quantiles.values().flatten();
    let values = values.chain(chart.before).chain(chart.came).copied();
    let most = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    let (tick, top) = round_top(most);
    let sheet = Sheet {
        x: (WIDTH - NUMBERS) / steps.max(1) as f64,
        y: HEIGHT / top,
        first: chart.before.len(),
    };
    let mut body = String::new();
    let _ = writeln!(
        body,
        "<text x=\"0\" y=\"12\" class=\"head\">{}</text><text x=\"0\" y=\"28\">{}</text>\n<g transform=\"translate(0 44)\">",
        escaped(chart.title),
        escaped(&headline(chart))
    );
    axes(&mut body, chart, &sheet, tick, top);
    bands(&mut body, chart, &sheet);
    line(&mut body, "was", 0, chart.before, &sheet);
    line(&mut body, "came", sheet.first, chart.came, &sheet);
    let _ = writeln!(
        body,
        "<text x=\"{NUMBERS}\" y=\"{:.0}\">grey: what was · blue: expected, the middle thick, bands of {} · orange: what came</text></g>",
        HEIGHT + 34.0,
        escaped(
            &pairs(chart.forecast)
                .iter()
                .map(|(low, high)| format!("{low} to {high}"))
                .collect::<Vec<_>>()
                .join(", ")
        )
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" height=\"{h:.0}\">\n\
         <style>{STYLE}@media (prefers-color-scheme:dark){{{STYLE_DARK}}}</style>\n\
         <rect width=\"100%\" height=\"100%\" class=\"bg\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">\n{body}</g>\n</svg>\n",
        w = WIDTH + 2.0 * MARGIN,
        h = HEIGHT + 90.0 + 2.0 * MARGIN,
    )
}

/// Pixels a step and a unit.
struct Sheet {
    x: f64,
    y: f64,
    /// Column of the first expected step.
    first: usize,
}

impl Sheet {
    fn at(&self, step: usize, value: f64) -> (f64, f64) {
        (
            NUMBERS + (step as f64 + 0.5) * self.x,
            HEIGHT - value * self.y,
        )
    }
}

fn headline(chart: &Chart<'_>) -> String {
    let why = chart
        .forecast
        .reasons
        .iter()
        .rfind(|r| r.subject == "forecast");
    why.map_or_else(|| chart.forecast.model.clone(), |r| r.because.clone())
}

/// Quantiles as far below the middle as others are above, the widest first.
fn pairs(forecast: &Forecast) -> Vec<(String, String)> {
    let all: Vec<(f64, &String)> = forecast
        .quantiles
        .keys()
        .filter_map(|name| Some((name.parse().ok()?, name)))
        .collect();
    let mut found: Vec<(f64, String, String)> = Vec::new();
    for (low, low_name) in all.iter().filter(|(q, _)| *q < 0.5) {
        let opposite = all.iter().find(|(q, _)| (q + low - 1.0).abs() < 1e-9);
        found.extend(opposite.map(|(_, name)| (*low, (*low_name).clone(), (*name).clone())));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
        .into_iter()
        .map(|(_, low, high)| (low, high))
        .collect()
}

fn bands(body: &mut String, chart: &Chart<'_>, sheet: &Sheet) {
    let quantiles = &chart.forecast.quantiles;
    for (low, high) in pairs(chart.forecast) {
        let (low, high) = (&quantiles[&low], &quantiles[&high]);
        let point = |(step, value): (usize, &f64)| {
            let (x, y) = sheet.at(sheet.first + step, *value);
            format!("{x:.1},{y:.1}")
        };
        let mut points: Vec<String> = high.iter().enumerate().map(point).collect();
        points.extend(low.iter().enumerate().map(point).rev());
        let _ = writeln!(
            body,
            "<polygon class=\"band\" points=\"{}\"/>",
            points.join(" ")
        );
    }
    let ends = quantiles
        .keys()
        .filter_map(|name| Some((name.parse::<f64>().ok()?, name)));
    if let Some((_, name)) = ends.max_by(|a, b| a.0.total_cmp(&b.0)) {
        line(body, "top", sheet.first, &quantiles[name], sheet);
    }
    if let Some(middle) = quantiles.get("0.5") {
        line(body, "middle", sheet.first, middle, sheet);
    }
}

/// A line through what is there, broken where values are missing.
fn line(body: &mut String, class: &str, first: usize, values: &[f64], sheet: &Sheet) {
    let every = values.len().div_ceil(POINTS).max(1);
    let mut path = String::new();
    let mut drawn = false;
    for (step, value) in values.iter().enumerate().step_by(every) {
        if value.is_finite() {
            let (x, y) = sheet.at(first + step, *value);
            let _ = write!(path, "{}{x:.1} {y:.1}", if drawn { 'L' } else { 'M' });
        }
        drawn = value.is_finite();
    }
    if !path.is_empty() {
        let _ = writeln!(body, "<path class=\"{class}\" d=\"{path}\"/>");
    }
}

fn axes(body: &mut String, chart: &Chart<'_>, sheet: &Sheet, tick: f64, top: f64) {
    for number in 0..=(top / tick).round() as usize {
        let value = number as f64 * tick;
        let y = HEIGHT - value * sheet.y;
        let _ = writeln!(
            body,
            "<path class=\"grid\" d=\"M{NUMBERS} {y:.1}H{WIDTH}\"/><text class=\"end\" x=\"{:.0}\" y=\"{:.1}\">{value}</text>",
            NUMBERS - 6.0,
            y + 4.0
        );
    }
    let steps = chart.before.len() + chart.forecast.steps();
    let step_s = i64::from(chart.forecast.step_s);
    for at in (0..=steps).step_by(steps.div_ceil(TICKS).max(1)) {
        let x = NUMBERS + at as f64 * sheet.x;
        let at_s = chart.forecast.start_s + step_s * (at as i64 - chart.before.len() as i64);
        let _ = writeln!(
            body,
            "<text class=\"mid\" x=\"{x:.1}\" y=\"{:.0}\">{}</text>",
            HEIGHT + 16.0,
            moment(at_s, step_s)
        );
    }
    let x = NUMBERS + sheet.first as f64 * sheet.x;
    let _ = writeln!(body, "<path class=\"now\" d=\"M{x:.1} 0V{HEIGHT}\"/>");
}

/// A time of the axis: date and time, or the number of the row.
fn moment(at_s: i64, step_s: i64) -> String {
    match Timestamp::from_second(at_s) {
        Ok(at) if at_s >= DATED_FROM_S => {
            let at = TimeZone::UTC.to_datetime(at);
            format!(
                "{:02}-{:02} {:02}:{:02}",
                at.month(),
                at.day(),
                at.hour(),
                at.minute()
            )
        }
        _ => (at_s / step_s.max(1)).to_string(),
    }
}

/// A round distance of lines, and the height of the sheet.
fn round_top(most: f64) -> (f64, f64) {
    let most = if most > 0.0 { most } else { 1.0 };
    let power = 10_f64.powf((most / TICKS as f64).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let tick = steps.into_iter().find(|tick| tick * TICKS as f64 >= most);
    let tick = tick.unwrap_or(most);
    (tick, (most / tick).ceil() * tick)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_bands_lines_and_what_came() {
        let quantiles = [
            ("0.05", vec![1.0, 2.0]),
            ("0.5", vec![4.0, 6.0]),
            ("0.95", vec![8.0, 9.0]),
            ("0.99", vec![9.0, 20.0]),
        ];
        let forecast = Forecast {
            start_s: 1_795_000_000,
            step_s: 300,
            quantiles: quantiles.map(|(q, v)| (q.to_owned(), v)).into(),
            model: "level".to_owned(),
            judged: Vec::new(),
            reasons: Vec::new(),
        };
        let svg = chart(&Chart {
            title: "calls <all>",
            before: &[1.0, f64::NAN, 3.0],
            forecast: &forecast,
            came: &[5.0],
        });
        assert!(svg.contains("calls &lt;all&gt;"));
        assert_eq!(svg.matches("class=\"band\"").count(), 1);
        assert!(svg.contains("bands of 0.05 to 0.95"));
        for class in ["was", "came", "middle", "top", "now"] {
            assert_eq!(
                svg.matches(&format!("<path class=\"{class}\"")).count(),
                1,
                "{class}"
            );
        }
        // The gap breaks the line: it begins twice.
        let was = svg.lines().find(|l| l.contains("class=\"was\"")).unwrap();
        assert_eq!(was.matches('M').count(), 2);
    }

    #[test]
    fn lines_of_the_axis_are_round() {
        let table = [
            (0.0, (0.2, 1.0)),
            (7.0, (1.0, 7.0)),
            (20.0, (5.0, 20.0)),
            (1_795.0, (500.0, 2_000.0)),
        ];
        for (most, expected) in table {
            assert_eq!(round_top(most), expected, "{most}");
        }
    }
}
