//! Opens a document: gzip or not, how long, which encoding, YAML or JSON.

use std::cell::{Cell, RefCell};
use std::io::{self, Cursor, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use super::code::Code;
use super::problems::{Mark, Trouble};

/// How much is looked at to tell YAML from JSON.
const LOOK_BYTES: usize = 64 * 1024;

/// The language that a document is written in: JSON begins with a brace, everything else is YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Yaml,
}

/// A document that has been opened.
pub(crate) struct Intake<'r> {
    pub(crate) format: Format,
    pub(crate) reader: Box<dyn Read + 'r>,
    pub(crate) watch: Rc<Watch>,
}

/// What went wrong below the parsers, which only see an end or an error of reading.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    trouble: RefCell<Option<Trouble>>,
    /// Bytes before the text proper: the byte order mark.
    pub(crate) skipped: Cell<u32>,
}

impl Watch {
    /// Remembers the first trouble.
    pub(crate) fn fail(&self, trouble: Trouble) {
        self.trouble.borrow_mut().get_or_insert(trouble);
    }

    /// Whether there was trouble.
    pub(crate) fn failed(&self) -> bool {
        self.trouble.borrow().is_some()
    }

    /// The trouble, if there was one.
    pub(crate) fn take(&self) -> Option<Trouble> {
        self.trouble.borrow_mut().take()
    }
}

/// Opens a document of at most `limit` bytes, inflated.
///
/// # Errors
/// It is empty, not text, or cannot be read.
pub(crate) fn open<'r>(reader: impl Read + 'r, limit: u64) -> Result<Intake<'r>, Trouble> {
    let watch = Rc::new(Watch::default());
    let mut reader: Box<dyn Read + 'r> = Box::new(reader);
    let magic = head(&mut reader, 2).map_err(|e| unreadable(&e))?;
    let gzip = magic == [0x1f, 0x8b];
    reader = Box::new(Cursor::new(magic).chain(reader));
    if gzip {
        reader = Box::new(MultiGzDecoder::new(reader));
    }
    let mut reader: Box<dyn Read + 'r> = Box::new(Limited {
        reader,
        left: limit,
        limit,
        watch: Rc::clone(&watch),
    });
    let mut first = match head(&mut reader, LOOK_BYTES) {
        Ok(first) => first,
        Err(error) => return Err(watch.take().unwrap_or_else(|| unreadable(&error))),
    };
    encoding(&first)?;
    if first.starts_with(&[0xef, 0xbb, 0xbf]) {
        first.drain(..3);
        watch.skipped.set(3);
    }
    let format = match first.iter().find(|b| !b" \t\r\n".contains(b)) {
        None if first.len() < LOOK_BYTES => {
            return Err(Trouble::new(
                Code::Empty,
                Mark::default(),
                "the document is empty",
            ));
        }
        Some(b'{') => Format::Json,
        _ => Format::Yaml,
    };
    Ok(Intake {
        format,
        reader: Box::new(Cursor::new(first).chain(reader)),
        watch,
    })
}

/// Reads up to `count` bytes: fewer only where the text ends.
fn head(reader: &mut dyn Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn encoding(first: &[u8]) -> Result<(), Trouble> {
    let wide = first.starts_with(&[0xff, 0xfe]) || first.starts_with(&[0xfe, 0xff]);
    let zero = first.iter().position(|b| *b == 0);
    if !wide && zero.is_none() {
        return Ok(());
    }
    let message = match zero {
        _ if wide => "the document is UTF-16, not UTF-8".to_owned(),
        Some(at) => format!("the document is not text: byte {at} is zero"),
        None => "the document is not text".to_owned(),
    };
    Err(Trouble::new(Code::NotText, Mark::default(), message)
        .hint("documents are UTF-8 text, YAML or JSON, or either gzipped"))
}

fn unreadable(error: &io::Error) -> Trouble {
    Trouble::new(
        Code::Unreadable,
        Mark::default(),
        format!("the document could not be read to its end: {error}"),
    )
    .hint("if it is gzipped, check the file with `gzip -t`")
}

/// Ends with an error where the limit is passed, so that a small file cannot inflate to anything.
struct Limited<'r> {
    reader: Box<dyn Read + 'r>,
    left: u64,
    limit: u64,
    watch: Rc<Watch>,
}

impl Read for Limited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.watch.fail(unreadable(error));
            }
        })?;
        if count as u64 > self.left {
            self.watch.fail(too_large(self.limit));
            return Err(io::Error::other("too large"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

fn too_large(limit: u64) -> Trouble {
    let trouble = Trouble::new(
        Code::TooLarge,
        Mark::default(),
        format!("the document has more than {limit} bytes, inflated"),
    );
    if limit < foreshard_model::limits::UPLOADED_DOCUMENT_BYTES {
        trouble.hint(format!(
            "upload it: uploaded documents may have {} bytes",
            foreshard_model::limits::UPLOADED_DOCUMENT_BYTES
        ))
    } else {
        trouble
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn code(bytes: &[u8], limit: u64) -> Option<Code> {
        open(bytes, limit).err().map(|trouble| trouble.code)
    }

    #[test]
    fn what_cannot_be_a_document_is_refused_at_the_door() {
        assert_eq!(code(b"", 10), Some(Code::Empty));
        assert_eq!(code(b" \n\t", 10), Some(Code::Empty));
        assert_eq!(code(b"\xff\xfea\0", 10), Some(Code::NotText));
        assert_eq!(code(b"\x7fELF\0", 10), Some(Code::NotText));
        assert_eq!(code(b"\x1f\x8b\x08", 10), Some(Code::Unreadable));
        assert_eq!(code(b"name: toolong", 10), Some(Code::TooLarge));
    }

    #[test]
    fn gzip_is_inflated_up_to_the_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![b' '; 1_000_000]).unwrap();
        encoder.write_all(b"{}").unwrap();
        let bomb = encoder.finish().unwrap();
        assert_eq!(code(&bomb, 1_000), Some(Code::TooLarge));
        let intake = open(bomb.as_slice(), 1_000_002).unwrap();
        assert_eq!(intake.format, Format::Yaml);
        let mut small = GzEncoder::new(Vec::new(), Compression::fast());
        small.write_all(b"\xef\xbb\xbf {}").unwrap();
        let intake = open(Cursor::new(small.finish().unwrap()), 100).unwrap();
        assert_eq!(intake.format, Format::Json);
        assert_eq!(intake.watch.skipped.get(), 3);
    }
}
