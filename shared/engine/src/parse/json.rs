//! JSON as events, read as a stream.

use std::io::Read;
use std::rc::Rc;

use struson::reader::{
    JsonReader as _, JsonReaderPosition, JsonStreamReader, JsonSyntaxError, ReaderError,
    ReaderSettings, SyntaxErrorKind, ValueType,
};

use super::code::Code;
use super::event::{Event, Events, Kind, Scalar};
use super::intake::{Intake, Watch};
use super::problems::{Mark, Trouble};

/// Reads JSON; keys are checked for repetition by whoever reads the object.
pub(crate) struct JsonEvents<'r> {
    /// Gone once the document has ended.
    reader: Option<JsonStreamReader<Box<dyn Read + 'r>>>,
    watch: Rc<Watch>,
    /// What is open, outermost first.
    open: Vec<Open>,
    started: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Open {
    List,
    /// A map that awaits a key, or its end.
    Key,
    /// A map that awaits the value of a key.
    Value,
}

impl<'r> JsonEvents<'r> {
    /// Reads the document that was opened.
    pub(crate) fn new(intake: Intake<'r>) -> Self {
        let settings = ReaderSettings {
            track_path: false,
            // The depth is limited for YAML and JSON in one place, by whoever reads the events.
            max_nesting_depth: None,
            // A number too large for its field is reported there, with its path.
            restrict_number_values: false,
            ..ReaderSettings::default()
        };
        Self {
            reader: Some(JsonStreamReader::new_custom(intake.reader, settings)),
            watch: intake.watch,
            open: Vec::new(),
            started: false,
        }
    }

    fn step(&mut self) -> Result<Option<Event>, ReaderError> {
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        let open = self.open.last().copied();
        if open.is_none() && self.started {
            let end = self
                .reader
                .take()
                .map(JsonStreamReader::consume_trailing_whitespace);
            return end.transpose().map(|_| None);
        }
        let more = matches!(open, None | Some(Open::Value)) || reader.has_next()?;
        if !more {
            return self.end().map(Some);
        }
        if open == Some(Open::Key) {
            let start = reader.current_position(false);
            let text = reader.next_name_owned()?;
            self.replace(Open::Value);
            return Ok(Some(self.scalar(&start, text, false)));
        }
        self.value().map(Some)
    }

    fn value(&mut self) -> Result<Event, ReaderError> {
        let Some(reader) = &mut self.reader else {
            unreachable!("a value is only read while there is a reader");
        };
        let kind = reader.peek()?;
        let start = reader.current_position(false);
        let (text, plain) = match kind {
            ValueType::Array => {
                reader.begin_array()?;
                return Ok(self.begin(&start, Open::List));
            }
            ValueType::Object => {
                reader.begin_object()?;
                return Ok(self.begin(&start, Open::Key));
            }
            ValueType::String => (reader.next_string()?, false),
            ValueType::Number => (reader.next_number_as_string()?, true),
            ValueType::Boolean => (reader.next_bool()?.to_string(), true),
            ValueType::Null => {
                reader.next_null()?;
                ("null".to_owned(), true)
            }
        };
        self.replace(Open::Key);
        Ok(self.scalar(&start, text, plain))
    }

    fn begin(&mut self, start: &JsonReaderPosition, open: Open) -> Event {
        self.replace(Open::Key);
        self.open.push(open);
        self.started = true;
        let kind = if open == Open::List {
            Kind::List
        } else {
            Kind::Map
        };
        event(kind, self.mark(start, 1))
    }

    fn end(&mut self) -> Result<Event, ReaderError> {
        let Some(reader) = &mut self.reader else {
            unreachable!("something is only open while there is a reader");
        };
        let start = reader.current_position(false);
        if self.open.pop() == Some(Open::List) {
            reader.end_array()?;
        } else {
            reader.end_object()?;
        }
        Ok(event(Kind::End, self.mark(&start, 1)))
    }

    /// In a map, key and value take turns; a list stays what it is.
    fn replace(&mut self, next: Open) {
        if let Some(open) = self.open.last_mut()
            && *open != Open::List
        {
            *open = next;
        }
    }

    fn scalar(&mut self, start: &JsonReaderPosition, text: String, plain: bool) -> Event {
        self.started = true;
        let from = start.data_pos.unwrap_or(0);
        let to = self
            .reader
            .as_ref()
            .and_then(|reader| reader.current_position(false).data_pos)
            .unwrap_or(from);
        let mark = self.mark(start, to.saturating_sub(from));
        event(Kind::Scalar(Scalar { text, plain }), mark)
    }

    fn mark(&self, position: &JsonReaderPosition, length: u64) -> Mark {
        let line = position.line_pos.as_ref();
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Mark {
            line: small(line.map_or(0, |line| line.line + 1)),
            column: small(line.map_or(0, |line| line.column + 1)),
            offset: small(position.data_pos.unwrap_or(0)).saturating_add(self.watch.skipped.get()),
            length: small(length),
        }
    }

    fn trouble(&self, error: &ReaderError) -> Trouble {
        if let Some(trouble) = self.watch.take() {
            return trouble;
        }
        match error {
            ReaderError::SyntaxError(JsonSyntaxError { kind, location }) => {
                let (message, hint) = syntax(*kind);
                let mark = self.mark(location, 0);
                Trouble::new(Code::Syntax, mark, format!("not JSON: {message}")).hint(hint)
            }
            ReaderError::IoError { location, .. } => Trouble::new(
                Code::NotText,
                self.mark(location, 0),
                "the document is not UTF-8 text from about here on",
            )
            .hint("save it as UTF-8"),
            other => Trouble::new(Code::Syntax, Mark::default(), format!("not JSON: {other}")),
        }
    }
}

fn event(kind: Kind, mark: Mark) -> Event {
    Event {
        kind,
        mark,
        anchor: 0,
    }
}

impl Events for JsonEvents<'_> {
    fn next(&mut self) -> Result<Option<Event>, Trouble> {
        self.step().map_err(|error| {
            self.reader = None;
            self.trouble(&error)
        })
    }
}

/// What is wrong, and what to do about it.
fn syntax(kind: SyntaxErrorKind) -> (&'static str, &'static str) {
    use SyntaxErrorKind as K;
    let default = "a document that begins with `{` is read as JSON; YAML begins with a key";
    match kind {
        K::TrailingCommaNotEnabled => ("a comma before a closing bracket", "remove the comma"),
        K::MissingComma => ("a comma is missing", "put a comma between values"),
        K::UnexpectedComma => ("a comma without a value before it", "remove the comma"),
        K::MissingColon => ("a colon is missing after a key", default),
        K::UnexpectedColon => ("a colon where there is no key", default),
        K::CommentsNotEnabled | K::IncompleteComment | K::BlockCommentNotClosed => (
            "JSON has no comments",
            "remove the comment, or write YAML, which has comments with `#`",
        ),
        K::InvalidLiteral | K::TrailingDataAfterLiteral => (
            "neither `true`, `false` nor `null`",
            "text needs quotes in JSON",
        ),
        K::MalformedNumber | K::TrailingDataAfterNumber => ("a malformed number", default),
        K::ExpectingMemberNameOrObjectEnd => ("a key in quotes was expected", default),
        K::UnexpectedClosingBracket => ("a closing bracket that closes nothing", default),
        K::NotEscapedControlCharacter => (
            "a control character inside a text",
            "write it as an escape, such as `\\n`",
        ),
        K::UnknownEscapeSequence
        | K::MalformedEscapeSequence
        | K::UnpairedSurrogatePairEscapeSequence => (
            "an escape that JSON does not have",
            "a backslash is written as `\\\\`",
        ),
        K::IncompleteDocument => (
            "the document ends too early",
            "a closing bracket or quote is missing",
        ),
        K::TrailingData => (
            "something follows the document",
            "one document is one JSON object",
        ),
        _ => ("a character that cannot be here", default),
    }
}

#[cfg(test)]
mod tests {
    use super::super::intake::open;
    use super::*;

    fn events(text: &str) -> String {
        let mut source = JsonEvents::new(open(text.as_bytes(), 10_000).unwrap());
        let mut out = Vec::new();
        loop {
            match source.next() {
                Ok(None) => return out.join(" "),
                Ok(Some(Event { kind, mark, .. })) => {
                    let what = match kind {
                        Kind::Scalar(s) if s.plain => s.text,
                        Kind::Scalar(s) => format!("'{}'", s.text),
                        Kind::List => "[".to_owned(),
                        Kind::Map => "{".to_owned(),
                        Kind::End => "end".to_owned(),
                        Kind::Alias(_) => unreachable!(),
                    };
                    let from = mark.offset as usize;
                    let source = &text[from..from + mark.length as usize];
                    out.push(format!("{what}@{}:{}={source}", mark.line, mark.column));
                }
                Err(trouble) => {
                    out.push(format!(
                        "{}:{} {}",
                        trouble.mark.line, trouble.mark.column, trouble.message
                    ));
                    return out.join(" ");
                }
            }
        }
    }

    #[test]
    fn every_event_is_where_the_text_has_it() {
        insta::assert_snapshot!(
            events("{\"a\": [1.50, \"é\\n\"],\n \"b\": {\"c\": null, \"d\": true}} \n"),
            @r#"
        {@1:1={ 'a'@1:2="a" [@1:7=[ 1.50@1:8=1.50 'é
        '@1:14="é\n" end@1:19=] 'b'@2:2="b" {@2:7={ 'c'@2:8="c" null@2:13=null 'd'@2:19="d" true@2:24=true end@2:28=} end@2:29=}
        "#
        );
    }

    #[test]
    fn syntax_errors_say_where_and_what() {
        insta::assert_snapshot!(events("{\"a\": [1,]}"), @r#"{@1:1={ 'a'@1:2="a" [@1:7=[ 1@1:8=1 1:9 not JSON: a comma before a closing bracket"#);
        insta::assert_snapshot!(events("{a: 1}"), @"{@1:1={ 1:2 not JSON: a key in quotes was expected");
        insta::assert_snapshot!(events("{\"a\": 1} x"), @r#"{@1:1={ 'a'@1:2="a" 1@1:7=1 end@1:8=} 1:10 not JSON: something follows the document"#);
        insta::assert_snapshot!(events("{\"a\": tru}"), @r#"{@1:1={ 'a'@1:2="a" 1:7 not JSON: neither `true`, `false` nor `null`"#);
        insta::assert_snapshot!(events("{\"a\": \"b"), @r#"{@1:1={ 'a'@1:2="a" 1:9 not JSON: the document ends too early"#);
        insta::assert_snapshot!(events("{\n // no\n}"), @"{@1:1={ 2:2 not JSON: JSON has no comments");
    }

    #[test]
    fn broken_utf8_is_not_text() {
        let mut source = JsonEvents::new(open(&b"{\"a\": \"\xff\"}"[..], 100).unwrap());
        let code = loop {
            match source.next() {
                Ok(event) => assert!(event.is_some()),
                Err(trouble) => break trouble.code,
            }
        };
        assert_eq!(code, Code::NotText);
    }
}
