//! YAML as events, read as a stream.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

use saphyr_parser::{
    BufferedInput, Event as YamlEvent, Marker, Parser, ScalarStyle, ScanError, Span,
};

use super::code::Code;
use super::event::{Event, Events, Kind, Scalar};
use super::intake::{Intake, Watch};
use super::problems::{Mark, Trouble, shown};

/// Reads YAML 1.2 in its core schema.
pub(crate) struct YamlEvents<'r> {
    parser: Parser<'static, BufferedInput<Chars<'r>>>,
    watch: Rc<Watch>,
    wide: Rc<RefCell<Wide>>,
    documents: u32,
    ended: bool,
}

impl<'r> YamlEvents<'r> {
    /// Reads the document that was opened.
    pub(crate) fn new(intake: Intake<'r>) -> Self {
        let wide = Rc::new(RefCell::new(Wide::default()));
        let chars = Chars {
            reader: intake.reader,
            buffer: Vec::new(),
            at: 0,
            line: 1,
            column: 1,
            index: 0,
            wide: Rc::clone(&wide),
            watch: Rc::clone(&intake.watch),
        };
        Self {
            parser: Parser::new(BufferedInput::new(chars)),
            watch: intake.watch,
            wide,
            documents: 0,
            ended: false,
        }
    }

    fn mark(&self, span: Span) -> Mark {
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (from, to) = (span.start.index(), span.end.index().max(span.start.index()));
        let (start, end) = self.wide.borrow_mut().bytes(from, to);
        Mark {
            line: small(span.start.line()),
            column: small(span.start.col() + 1),
            offset: small(start).saturating_add(self.watch.skipped.get()),
            length: small(end - start),
        }
    }

    fn syntax(&self, error: &ScanError) -> Trouble {
        let at: Marker = *error.marker();
        let mut mark = self.mark(Span::empty(at));
        mark.line = mark.line.max(1);
        // The parser looks ahead, and counts brackets for itself.
        if error.info().contains("recursion limit") {
            return Trouble::new(Code::TooDeep, mark, "brackets nest too deeply");
        }
        if error.info().contains("unknown anchor") {
            return Trouble::new(Code::Alias, mark, "the alias names no anchor before it");
        }
        let message = format!("not YAML: {}", shown(error.info()));
        let hint = "check the indentation here and in the line above; text with `: `, `#`, `*` or `{` needs quotes";
        Trouble::new(Code::Syntax, mark, message).hint(hint)
    }

    fn read(&mut self) -> Result<Option<Event>, Trouble> {
        loop {
            let next = self.parser.next_event();
            // The parser only sees the end of the text where there was trouble below it.
            if let Some(trouble) = self.watch.take() {
                return Err(trouble);
            }
            let (event, span) = match next {
                None => return Ok(None),
                Some(Err(error)) => return Err(self.syntax(&error)),
                Some(Ok(next)) => next,
            };
            let mark = self.mark(span);
            let (kind, anchor, tag) = match event {
                YamlEvent::Nothing | YamlEvent::StreamStart | YamlEvent::DocumentEnd => continue,
                YamlEvent::StreamEnd => return Ok(None),
                YamlEvent::DocumentStart(_) => {
                    self.documents += 1;
                    if self.documents > 1 {
                        return Err(Trouble::new(
                            Code::NotUsed,
                            mark,
                            "a second document begins here",
                        )
                        .hint("one file holds one workflow; remove the `---`"));
                    }
                    continue;
                }
                YamlEvent::Alias(anchor) => (Kind::Alias(anchor), 0, None),
                YamlEvent::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain;
                    let text = text.into_owned();
                    (Kind::Scalar(Scalar { text, plain }), anchor, tag)
                }
                YamlEvent::SequenceStart(anchor, tag) => (Kind::List, anchor, tag),
                YamlEvent::MappingStart(anchor, tag) => (Kind::Map, anchor, tag),
                YamlEvent::SequenceEnd | YamlEvent::MappingEnd => (Kind::End, 0, None),
            };
            if let Some(tag) = tag {
                let seen = shown(&format!("{}{}", tag.handle, tag.suffix));
                return Err(
                    Trouble::new(Code::NotUsed, mark, format!("the tag `{seen}`"))
                        .hint("documents have no tags; put text in quotes"),
                );
            }
            return Ok(Some(Event { kind, mark, anchor }));
        }
    }
}

impl Events for YamlEvents<'_> {
    fn next(&mut self) -> Result<Option<Event>, Trouble> {
        if self.ended {
            return Ok(None);
        }
        let next = self.read();
        self.ended = !matches!(next, Ok(Some(_)));
        next
    }
}

/// Where characters are longer than a byte: the parser counts characters, places are in bytes.
#[derive(Debug, Default)]
struct Wide {
    /// Index of a character, and how many bytes all wide ones up to it have beyond one each.
    marks: VecDeque<(usize, usize)>,
    /// The same sum, up to the last one dropped.
    before: usize,
}

impl Wide {
    /// Byte offsets of two characters; the first one never goes back behind an earlier call's by much, so that what
    /// lies far before it is dropped.
    fn bytes(&mut self, from: usize, to: usize) -> (usize, usize) {
        while self.marks.len() > KEPT_WIDE && self.marks[0].0 < from {
            if let Some((_, extra)) = self.marks.pop_front() {
                self.before = extra;
            }
        }
        let extra = |index: usize| {
            let count = self.marks.partition_point(|(at, _)| *at < index);
            match count.checked_sub(1) {
                Some(last) => self.marks[last].1,
                None => self.before,
            }
        };
        (from + extra(from), to + extra(to))
    }
}

/// Wide characters that stay known behind the place reached; events can come a little out of order.
const KEPT_WIDE: usize = 4_096;

/// The characters of a text, decoded as they are needed.
struct Chars<'r> {
    reader: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    at: usize,
    line: u32,
    column: u32,
    index: usize,
    wide: Rc<RefCell<Wide>>,
    watch: Rc<Watch>,
}

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

impl Chars<'_> {
    /// At least four bytes ahead, unless the text ends before.
    fn fill(&mut self) -> io::Result<()> {
        while self.buffer.len() - self.at < 4 {
            self.buffer.drain(..self.at);
            self.at = 0;
            let held = self.buffer.len();
            self.buffer.resize(held + READ_BYTES, 0);
            let count = loop {
                match self.reader.read(&mut self.buffer[held..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            self.buffer.truncate(held + *count.as_ref().unwrap_or(&0));
            if count? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn refuse(&self, message: String) {
        let mark = Mark {
            line: self.line,
            column: self.column,
            offset: 0,
            length: 0,
        };
        self.watch.fail(
            Trouble::new(Code::NotText, mark, message)
                .hint("documents are UTF-8 text, YAML or JSON, or either gzipped"),
        );
    }

    fn decode(&mut self) -> Option<char> {
        if let Err(error) = self.fill() {
            // The layer below has said more, if it was the one that failed.
            self.refuse(format!("the document could not be read: {error}"));
            return None;
        }
        let ahead = &self.buffer[self.at..self.buffer.len().min(self.at + 4)];
        let first = *ahead.first()?;
        let length = match first {
            0..0x80 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        let decoded = ahead
            .get(..length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .and_then(|text| text.chars().next());
        let Some(c) = decoded else {
            self.refuse(format!("the byte {first:#04x} is not UTF-8"));
            return None;
        };
        // A zero would end the text for the parser.
        if (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')) || c == '\u{feff}' {
            self.refuse(format!("the character {:#06x} is not text", u32::from(c)));
            return None;
        }
        self.at += length;
        if length > 1 {
            let mut wide = self.wide.borrow_mut();
            let sum = wide.marks.back().map_or(wide.before, |(_, extra)| *extra);
            wide.marks.push_back((self.index, sum + length - 1));
        }
        Some(c)
    }
}

impl Iterator for Chars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if self.watch.failed() {
            return None;
        }
        let c = self.decode()?;
        self.index += 1;
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }
}

#[cfg(test)]
mod tests {
    use super::super::intake::open;
    use super::*;

    fn events(text: &[u8]) -> String {
        let mut source = YamlEvents::new(open(text, 1_000_000).unwrap());
        let mut out = Vec::new();
        loop {
            match source.next() {
                Ok(None) => return out.join(" "),
                Ok(Some(Event { kind, mark, anchor })) => {
                    let what = match kind {
                        Kind::Scalar(_) => "",
                        Kind::List => "[",
                        Kind::Map => "{",
                        Kind::End => "end",
                        Kind::Alias(_) => "*",
                    };
                    let from = mark.offset as usize;
                    let source = &text[from..from + mark.length as usize];
                    let source = std::str::from_utf8(source).unwrap();
                    let anchor = if anchor > 0 { "&" } else { "" };
                    out.push(format!(
                        "{what}{anchor}{}:{}={source:?}",
                        mark.line, mark.column
                    ));
                }
                Err(trouble) => {
                    let mark = trouble.mark;
                    out.push(format!("{}:{} {}", mark.line, mark.column, trouble.message));
                    return out.join(" ");
                }
            }
        }
    }

    #[test]
    fn every_event_is_where_the_text_has_it() {
        insta::assert_snapshot!(events("a: [1, \"é\"]\nß: &x {c: ~}\nd: *x\n".as_bytes()), @r#"{1:1="" 1:1="a" [1:4="[" 1:5="1" 1:8="\"é\"" end1:11="]" 2:1="ß" {&2:4="&x {" 2:8="c" 2:11="~" end2:12="}" 3:1="d" *3:4="*x" end4:1="""#);
    }

    #[test]
    fn what_documents_do_not_use_is_refused() {
        insta::assert_snapshot!(events(b"a: !!str 1"), @r#"{1:1="" 1:1="a" 1:4 the tag `tag:yaml.org,2002:str`"#);
        insta::assert_snapshot!(events(b"a: 1\n---\nb: 2"), @r#"{1:1="" 1:1="a" 1:4="1" end2:1="" 2:1 a second document begins here"#);
        insta::assert_snapshot!(events(b"a: *nowhere"), @r#"{1:1="" 1:1="a" 1:4 the alias names no anchor before it"#);
        insta::assert_snapshot!(events(b"a: b: c"), @r#"{1:1="" 1:1="a" 1:4="b" 1:5 not YAML: mapping values are not allowed in this context"#);
        insta::assert_snapshot!(events(b"a: \x01"), @"1:4 the character 0x0001 is not text");
        insta::assert_snapshot!(events(b"a: \xff"), @"1:4 the byte 0xff is not UTF-8");
        insta::assert_snapshot!(events(b"a: \"never closed"), @r#"{1:1="" 1:1="a" 1:4 not YAML: while scanning a quoted scalar, found unexpected end of stre…"#);
    }

    #[test]
    fn many_wide_characters_are_forgotten_again() {
        let text = "- ääää\n".repeat(5_000);
        let mut source = YamlEvents::new(open(text.as_bytes(), 1_000_000).unwrap());
        let mut last = 0;
        while let Some(event) = source.next().unwrap() {
            if let Kind::Scalar(scalar) = event.kind {
                let from = event.mark.offset as usize;
                assert_eq!(&text[from..from + 8], scalar.text);
                last = from;
            }
        }
        assert_eq!(last, text.len() - 9);
        assert!(source.wide.borrow().marks.len() <= KEPT_WIDE + 64);
    }
}
