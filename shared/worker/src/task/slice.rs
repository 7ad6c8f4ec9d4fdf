//! The share of a part: elements of its input, lines or bytes of one of its files.

use std::fs::File;
use std::io::{
    self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _,
};
use std::path::{Path, PathBuf};

use foreshard_engine::sculpt::{cut_array, share};
use foreshard_model::sculpt::{Slice, SplitBy};
use serde_json::Value;

use super::fault::Fault;
use super::place::PlacedFile;
use crate::store::files::Held;

/// Leaves of the input what the part is given; whether that is nothing.
///
/// # Errors
/// What should be cut is no array.
pub(super) fn of_input(input: &mut Value, slice: &Slice) -> Result<bool, Fault> {
    let SplitBy::Array { path } = &slice.by else {
        return Ok(false);
    };
    let left = cut_array(input, path, slice).map_err(|error| Fault::Input {
        name: path.clone(),
        because: error.to_string(),
    })?;
    Ok(left == 0)
}

/// Writes the part's share of a file into its scratch.
///
/// # Errors
/// The file cannot be read, or its share not be written.
pub(super) async fn of_file(
    held: Held,
    to: PathBuf,
    name: &str,
    slice: &Slice,
) -> Result<PlacedFile, Fault> {
    let slice = slice.clone();
    let copying = tokio::task::spawn_blocking(move || copy(&held.path(), &to, &slice));
    let copied = copying
        .await
        .map_err(|error| Fault::Unavailable(error.to_string()))??;
    Ok(PlacedFile {
        name: name.to_owned(),
        bytes: copied.bytes,
        generated: false,
        linked: None,
        is_empty_share: copied.is_empty,
    })
}

/// What was copied: the bytes, and whether there is nothing beside what every part is given.
#[derive(Debug, PartialEq, Eq)]
struct Copied {
    bytes: u64,
    is_empty: bool,
}

fn copy(from: &Path, to: &Path, slice: &Slice) -> io::Result<Copied> {
    let mut source = BufReader::new(File::open(from)?);
    let length = source.get_ref().metadata()?.len();
    let mut target = BufWriter::new(File::create(to)?);
    let mut head = 0;
    let range = match &slice.by {
        SplitBy::Array { .. } => 0..length,
        SplitBy::Bytes { record, .. } => {
            let record = (*record).max(1);
            let records = share(length.div_ceil(record), slice.part, slice.parts);
            records.start.saturating_mul(record).min(length)
                ..records.end.saturating_mul(record).min(length)
        }
        SplitBy::Lines { header, .. } => {
            for _ in 0..*header {
                head += line(&mut source)?;
            }
            let rest = share(length - head, slice.part, slice.parts);
            let start = next_line(&mut source, head, rest.start, length)?;
            let end = next_line(&mut source, head, rest.end, length)?;
            start..end
        }
    };
    source.seek(SeekFrom::Start(0))?;
    io::copy(&mut source.by_ref().take(head), &mut target)?;
    source.seek(SeekFrom::Start(range.start))?;
    let share = range.end - range.start;
    let copied = io::copy(&mut source.take(share), &mut target)?;
    target.flush()?;
    Ok(Copied {
        bytes: head + copied,
        is_empty: copied == 0,
    })
}

/// Where the first line begins at `offset` bytes behind the head, or later: lines go to the part in whose bytes they begin.
fn next_line(source: &mut BufReader<File>, head: u64, offset: u64, length: u64) -> io::Result<u64> {
    let Some(before) = offset.checked_sub(1) else {
        return Ok(head);
    };
    source.seek(SeekFrom::Start(head + before))?;
    Ok((head + before + line(source)?).min(length))
}

/// Passes over the rest of a line, however long; how many bytes that were.
fn line(source: &mut BufReader<File>) -> io::Result<u64> {
    let mut passed = 0;
    loop {
        let seen = source.fill_buf()?;
        if seen.is_empty() {
            return Ok(passed);
        }
        let end = seen.iter().position(|byte| *byte == b'\n');
        let read = end.map_or(seen.len(), |end| end + 1);
        source.consume(read);
        passed += read as u64;
        if end.is_some() {
            return Ok(passed);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every part's share of these bytes.
    fn shares(bytes: &[u8], by: &SplitBy, parts: u32) -> Vec<(Vec<u8>, Copied)> {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("whole");
        std::fs::write(&from, bytes).unwrap();
        let each = (0..parts).map(|part| {
            let to = folder.path().join(part.to_string());
            let slice = Slice {
                by: by.clone(),
                part,
                parts,
            };
            let copied = copy(&from, &to, &slice).unwrap();
            (std::fs::read(&to).unwrap(), copied)
        });
        each.collect()
    }

    fn lines(header: u32) -> SplitBy {
        let file = "whole".to_owned();
        SplitBy::Lines { file, header }
    }

    #[test]
    fn every_part_has_the_header_and_lines_stay_whole() {
        let text = b"name,n\na,1\nbb,2\nccc,3\nd,4";
        let found = shares(text, &lines(1), 3);
        let texts: Vec<&str> = found
            .iter()
            .map(|(b, _)| std::str::from_utf8(b).unwrap())
            .collect();
        assert_eq!(
            texts,
            ["name,n\na,1\nbb,2\n", "name,n\nccc,3\n", "name,n\nd,4"]
        );
        let only = shares(b"name,n\n", &lines(1), 2);
        assert!(
            only.iter()
                .all(|(bytes, copied)| bytes == b"name,n\n" && copied.is_empty)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn shares_are_the_file(
            text in "([a-c]{0,6}\n){0,12}[a-c]{0,3}",
            parts in 1_u32..9,
            record in 1_u64..6,
        ) {
            let file = "whole".to_owned();
            for by in [lines(0), SplitBy::Bytes { file, record }] {
                let found = shares(text.as_bytes(), &by, parts);
                let together: Vec<u8> = found.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
                prop_assert_eq!(&together, text.as_bytes());
                prop_assert_eq!(found[0].0.is_empty(), text.is_empty());
                for (bytes, copied) in &found[..found.len() - 1] {
                    prop_assert_eq!(copied, &Copied { bytes: bytes.len() as u64, is_empty: bytes.is_empty() });
                    let whole = match &by {
                        SplitBy::Bytes { record, .. } => (bytes.len() as u64).is_multiple_of(*record),
                        _ => bytes.is_empty() || bytes.ends_with(b"\n"),
                    };
                    let is_last = found.iter().rposition(|(bytes, _)| !bytes.is_empty());
                    prop_assert!(whole || is_last.is_some_and(|last| found[last].0 == *bytes));
                }
            }
        }
    }
}
