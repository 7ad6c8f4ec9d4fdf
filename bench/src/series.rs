//! A series as the benchmarks read it: a table of time and value, gzipped or not.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use jiff::civil::DateTime;

use crate::BenchError;

/// Bytes of a file after unpacking, at most: ten million rows.
const BYTES_MAX: u64 = 512 << 20;

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// As it is written.
    pub time: String,
    /// `None` where it is missing.
    pub value: Option<f64>,
}

/// A file's content, unpacked where it is gzipped.
pub fn read(path: &Path) -> Result<String, BenchError> {
    let failed = |source| BenchError::File {
        doing: "read",
        path: path.display().to_string(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        let unpacked = MultiGzDecoder::new(bytes.as_slice());
        unpacked
            .take(BYTES_MAX)
            .read_to_end(&mut plain)
            .map_err(failed)?;
        bytes = plain;
    }
    String::from_utf8(bytes).map_err(|source| BenchError::content(path, source))
}

/// The first two columns of a table; its first line is a heading. What is no number is missing.
pub fn rows(text: &str) -> Vec<Row> {
    let lines = text.lines().skip(1).filter(|line| !line.trim().is_empty());
    let row = |line: &str| {
        let mut cells = line.split(',');
        let time = cells.next().unwrap_or_default().trim().to_owned();
        let value = cells
            .next()
            .and_then(|cell| cell.trim().parse::<f64>().ok());
        Row {
            time,
            value: value.filter(|value| value.is_finite()),
        }
    };
    lines.map(row).collect()
}

/// A moment in seconds: written as one (`2014-02-14 14:30:00`), or as a number of minutes.
pub fn seconds(time: &str) -> Option<f64> {
    if let Ok(minutes) = time.parse::<f64>() {
        return Some(minutes * 60.0);
    }
    let moment: DateTime = time.parse().ok()?;
    let zoned = moment.in_tz("UTC").ok()?;
    Some(zoned.timestamp().as_millisecond() as f64 / 1000.0)
}

/// The usual distance of two rows, in seconds: the median of the first thousand.
pub fn step_s(rows: &[Row]) -> Option<f64> {
    let times: Vec<f64> = rows
        .iter()
        .take(1_000)
        .filter_map(|row| seconds(&row.time))
        .collect();
    let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.retain(|step| *step > 0.0);
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}
