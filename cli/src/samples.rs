//! Tables of time and value as files: CSV, gzipped or not, read line by line, however long they are.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use foreshard_engine::forecast::table::{self, Columns};

use crate::exit::CliError;

/// Longest line that is looked at, in bytes: what comes after in it is passed over.
const LINE_BYTES: u64 = 16 << 10;
/// Lines that tell how far apart samples are.
const LINES_LOOKED_AT: usize = 1_000;
/// Times from here on are dates (September 2001); smaller ones number the steps.
const DATED_FROM_S: i64 = 1_000_000_000;
/// Step of a table whose times are numbers of steps, in seconds.
const STEP_OF_NUMBERED_S: u32 = 60;

/// Samples of one table, in the order of its lines.
pub struct Samples {
    lines: Box<dyn BufRead>,
    columns: Columns,
    step_s: u32,
    /// The first line, where it is a sample.
    first: Option<String>,
    /// Lines that had no time.
    pub without_time: usize,
    /// Why reading ended before the end.
    pub failure: Option<std::io::Error>,
}

impl Samples {
    /// Opens a table. Without a step, times that only number steps count minutes.
    ///
    /// # Errors
    /// [`CliError::File`] when it cannot be read, [`CliError::Argument`] when it has no such column.
    pub fn open(path: &Path, column: Option<&str>, step_s: Option<u32>) -> Result<Self, CliError> {
        let mut lines = unpacked(path).map_err(failed(path))?;
        let first = line(&mut lines).map_err(failed(path))?.unwrap_or_default();
        let first = first.trim_start_matches('\u{feff}').to_owned();
        let columns = table::columns(&first, column)
            .map_err(|why| CliError::Argument(format!("`{}`: {why}", path.display())))?;
        Ok(Self {
            lines,
            columns,
            step_s: step_s.unwrap_or(STEP_OF_NUMBERED_S),
            first: columns.headless.then_some(first),
            without_time: 0,
            failure: None,
        })
    }

    fn next_line(&mut self) -> Option<String> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        match line(&mut self.lines) {
            Ok(line) => line,
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }
}

impl Iterator for Samples {
    type Item = (i64, Option<f64>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.next_line()?;
            if line.trim().is_empty() {
                continue;
            }
            match table::sample(&line, self.columns, self.step_s) {
                Some(sample) => return Some(sample),
                None => self.without_time += 1,
            }
        }
    }
}

/// How far apart the samples of a table are: the median over its first thousand lines, in seconds. None where its times only
/// number steps, or where there are fewer than two.
///
/// # Errors
/// As [`Samples::open`].
pub fn step_s(path: &Path, column: Option<&str>) -> Result<Option<u32>, CliError> {
    let samples = Samples::open(path, column, None)?;
    let times: Vec<i64> = samples
        .take(LINES_LOOKED_AT)
        .map(|(at_s, _)| at_s)
        .collect();
    let dated = times.iter().all(|at_s| *at_s >= DATED_FROM_S);
    let mut apart: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    apart.retain(|seconds| *seconds > 0);
    apart.sort_unstable();
    let middle = apart.get(apart.len() / 2).filter(|_| dated);
    Ok(middle.and_then(|seconds| u32::try_from(*seconds).ok()))
}

/// A failure to read this file.
pub fn failed(path: &Path) -> impl Fn(std::io::Error) -> CliError + '_ {
    |source| CliError::File {
        doing: "read",
        path: path.display().to_string(),
        source,
    }
}

fn unpacked(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    (&file).take(2).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(if start == [0x1f, 0x8b] {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(BufReader::new(file))
    })
}

/// The next line, its beginning where it is too long; none at the end.
fn line(lines: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    lines.take(LINE_BYTES).read_until(b'\n', &mut bytes)?;
    if bytes.len() as u64 == LINE_BYTES && bytes.last() != Some(&b'\n') {
        lines.skip_until(b'\n')?;
    }
    Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples, lines without a time, and the step.
    type Table = (Vec<(i64, Option<f64>)>, usize, Option<u32>);

    fn read(text: &[u8]) -> Table {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("series.csv");
        std::fs::write(&path, text).expect("written");
        let mut samples = Samples::open(&path, None, None).expect("opened");
        let all = samples.by_ref().collect();
        (
            all,
            samples.without_time,
            step_s(&path, None).expect("opened"),
        )
    }

    #[test]
    fn tables_are_read_as_people_export_them() {
        let dated = b"time,value\n2026-11-28T00:00:00Z,1\n2026-11-28 00:05:00,\n\nsoon,3\n2026-11-28T00:10:00Z,x\n";
        let start = 1_795_824_000;
        let rows = vec![(start, Some(1.0)), (start + 300, None), (start + 600, None)];
        assert_eq!(read(dated), (rows, 1, Some(300)));
        let numbered = (vec![(0, Some(5.0)), (60, Some(6.5))], 0, None);
        assert_eq!(read(b"0,5\n1,6.5"), numbered);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let mut noise = vec![0x80_u8; 100_000];
        noise.extend(b"\n0,1\n");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("series.csv");
        for text in [b"".as_slice(), &noise] {
            std::fs::write(&path, text).expect("written");
            let opened = Samples::open(&path, None, None);
            assert!(matches!(opened, Err(CliError::Argument(_))), "no columns");
        }
        // A line longer than what is looked at is passed over, the next one is read.
        let long = [b"time,value\n0,1,".as_slice(), &noise].concat();
        assert_eq!(read(&long).0, [(0, Some(1.0)), (0, Some(1.0))]);
    }

    #[test]
    fn a_gzipped_file_that_is_cut_off_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("series.csv.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        std::io::Write::write_all(&mut packed, "0,1\n".repeat(10_000).as_bytes()).expect("packed");
        let packed = packed.finish().expect("packed");
        std::fs::write(&path, &packed[..packed.len() / 2]).expect("written");
        let mut samples = Samples::open(&path, None, None).expect("opened");
        assert!(samples.by_ref().count() > 0);
        assert!(samples.failure.is_some());
    }
}
