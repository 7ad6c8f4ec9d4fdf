//! Values with their places: one subtree of a document at a time, with depth, size and aliases limited.

use std::collections::BTreeMap;

use foreshard_model::limits::{ALIAS_NODES, DOCUMENT_DEPTH, INLINE_DOCUMENT_BYTES};

use super::code::Code;
use super::event::{Event, Events, Kind, Meaning, Scalar};
use super::problems::{Mark, Trouble, shown};

/// Values of one subtree, such as a task: a task that needs every other of a million has room, a document that is one
/// list of empty texts does not.
const SUBTREE_VALUES: usize = 2_000_000;

/// Bytes of text that aliases may add.
const ALIAS_BYTES: usize = INLINE_DOCUMENT_BYTES;

/// A value and where it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) shape: Shape,
}

/// What a value is made of.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

impl Default for Shape {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

/// A key and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) mark: Mark,
    pub(crate) text: String,
}

impl Node {
    /// What was found, in words, for messages.
    pub(crate) fn found(&self) -> String {
        match &self.shape {
            Shape::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => "nothing (null)".to_owned(),
                Meaning::Bool(value) => format!("`{value}`"),
                Meaning::Number => format!("the number `{}`", shown(&scalar.text)),
                Meaning::Text => format!("the text `{}`", shown(&scalar.text)),
            },
            Shape::List(items) => format!("a list of {}", items.len()),
            Shape::Map(entries) => format!("an object with {} fields", entries.len()),
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Scalar(scalar) if scalar.meaning() == Meaning::Text => Some(&scalar.text),
            _ => None,
        }
    }
}

/// Reads events and builds values of them.
pub(crate) struct Reader<'s> {
    source: Box<dyn Events + 's>,
    started: bool,
    depth: usize,
    /// Anchored values; `None` for one that is too large to repeat.
    anchors: BTreeMap<usize, Option<Node>>,
    anchored: usize,
    repeated: usize,
    repeated_bytes: usize,
}

impl<'s> Reader<'s> {
    /// Reads from `source`.
    pub(crate) fn new(source: impl Events + 's) -> Self {
        Self {
            source: Box::new(source),
            started: false,
            depth: 0,
            anchors: BTreeMap::new(),
            anchored: 0,
            repeated: 0,
            repeated_bytes: 0,
        }
    }

    /// The next event of the document.
    ///
    /// # Errors
    /// The text is wrong, ends too early, or nests too deeply.
    pub(crate) fn event(&mut self) -> Result<Event, Trouble> {
        let Some(event) = self.source.next()? else {
            let (code, what) = if self.started {
                (Code::Syntax, "the document ends too early")
            } else {
                (Code::Empty, "the document is empty")
            };
            return Err(Trouble::new(code, Mark::default(), what));
        };
        self.started = true;
        match event.kind {
            Kind::List | Kind::Map => self.depth += 1,
            Kind::End => self.depth = self.depth.saturating_sub(1),
            Kind::Scalar(_) | Kind::Alias(_) => {}
        }
        if self.depth > DOCUMENT_DEPTH {
            return Err(Trouble::new(
                Code::TooDeep,
                event.mark,
                format!("lists and objects nest more than {DOCUMENT_DEPTH} deep"),
            ));
        }
        Ok(event)
    }

    /// Makes sure that nothing follows the document.
    ///
    /// # Errors
    /// Something does.
    pub(crate) fn finish(&mut self) -> Result<(), Trouble> {
        match self.source.next()? {
            None => Ok(()),
            Some(event) => Err(Trouble::new(
                Code::Syntax,
                event.mark,
                "something follows the document",
            )),
        }
    }

    /// The next key of the map that is open, or `None` at its end.
    ///
    /// # Errors
    /// As [`Reader::event`]; or the key is not a text.
    pub(crate) fn key(&mut self) -> Result<Option<Key>, Trouble> {
        let event = self.event()?;
        match event.kind {
            Kind::End => Ok(None),
            Kind::Scalar(scalar) => Ok(Some(Key {
                mark: event.mark,
                text: scalar.text,
            })),
            _ => Err(
                Trouble::new(Code::NotUsed, event.mark, "a key that is not a text")
                    .hint("keys are names; lists, objects and aliases cannot be keys"),
            ),
        }
    }

    /// The value that begins with `event`.
    ///
    /// # Errors
    /// As [`Reader::event`]; or it is too large.
    pub(crate) fn value(&mut self, event: Event) -> Result<Node, Trouble> {
        let mut left = SUBTREE_VALUES;
        self.node(event, &mut left)
    }

    /// Reads past the value that begins with `event`, keeping nothing.
    ///
    /// # Errors
    /// As [`Reader::event`].
    pub(crate) fn skip(&mut self, event: &Event) -> Result<(), Trouble> {
        if !matches!(event.kind, Kind::List | Kind::Map) {
            return Ok(());
        }
        let outside = self.depth - 1;
        while self.depth > outside {
            self.event()?;
        }
        Ok(())
    }

    fn node(&mut self, event: Event, left: &mut usize) -> Result<Node, Trouble> {
        let Event { kind, mark, anchor } = event;
        if *left == 0 {
            let message = format!("more than {SUBTREE_VALUES} values in one task or field");
            return Err(Trouble::new(Code::TooManyValues, mark, message));
        }
        *left -= 1;
        let before = *left;
        let shape = match kind {
            Kind::Alias(anchor) => return self.repeat(anchor, mark),
            Kind::Scalar(scalar) => Shape::Scalar(scalar),
            Kind::List => {
                let mut items = Vec::new();
                loop {
                    let event = self.event()?;
                    if event.kind == Kind::End {
                        break Shape::List(items);
                    }
                    items.push(self.node(event, left)?);
                }
            }
            Kind::Map => {
                let mut entries = Vec::new();
                while let Some(key) = self.key()? {
                    let event = self.event()?;
                    entries.push((key, self.node(event, left)?));
                }
                Shape::Map(entries)
            }
            Kind::End => {
                return Err(Trouble::new(
                    Code::Syntax,
                    mark,
                    "a bracket that closes nothing",
                ));
            }
        };
        let node = Node { mark, shape };
        if anchor > 0 {
            self.keep(anchor, &node, 1 + before - *left)?;
        }
        Ok(node)
    }

    fn keep(&mut self, anchor: usize, node: &Node, values: usize) -> Result<(), Trouble> {
        if values > ALIAS_NODES {
            self.anchors.insert(anchor, None);
            return Ok(());
        }
        self.anchored += values;
        if self.anchored > ALIAS_NODES {
            let message = format!("anchors hold more than {ALIAS_NODES} values together");
            return Err(Trouble::new(Code::Alias, node.mark, message));
        }
        self.anchors.insert(anchor, Some(node.clone()));
        Ok(())
    }

    fn repeat(&mut self, anchor: usize, mark: Mark) -> Result<Node, Trouble> {
        let wrong = |message: String| Err(Trouble::new(Code::Alias, mark, message));
        let node = match self.anchors.get(&anchor) {
            Some(Some(node)) => node,
            Some(None) => {
                return wrong(format!(
                    "the alias repeats a value of more than {ALIAS_NODES} values"
                ));
            }
            None => return wrong(
                "the alias is inside the value that it repeats, or repeats a whole list of tasks"
                    .to_owned(),
            ),
        };
        let (values, bytes) = size(node);
        self.repeated += values;
        self.repeated_bytes += bytes;
        if self.repeated > ALIAS_NODES || self.repeated_bytes > ALIAS_BYTES {
            return wrong(format!(
                "aliases add more than {ALIAS_NODES} values or {ALIAS_BYTES} bytes to the document"
            ));
        }
        let levels = levels(node);
        if self.depth + levels > DOCUMENT_DEPTH {
            return wrong(format!(
                "with this alias, lists and objects nest more than {DOCUMENT_DEPTH} deep"
            ));
        }
        Ok(node.clone())
    }
}

/// Values and bytes of text of a subtree.
fn size(node: &Node) -> (usize, usize) {
    let add = |(values, bytes): (usize, usize), node: &Node| {
        let (v, b) = size(node);
        (values + v, bytes + b)
    };
    match &node.shape {
        Shape::Scalar(scalar) => (1, scalar.text.len()),
        Shape::List(items) => items.iter().fold((1, 0), add),
        Shape::Map(entries) => entries.iter().fold((1, 0), |sum, (key, node)| {
            let (values, bytes) = add(sum, node);
            (values, bytes + key.text.len())
        }),
    }
}

fn levels(node: &Node) -> usize {
    match &node.shape {
        Shape::Scalar(_) => 0,
        Shape::List(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Shape::Map(entries) => 1 + entries.iter().map(|(_, n)| levels(n)).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::intake::open;
    use super::super::yaml::YamlEvents;
    use super::*;

    fn read(text: &str) -> Result<Node, Trouble> {
        let mut reader = Reader::new(YamlEvents::new(open(text.as_bytes(), 1 << 24)?));
        let event = reader.event()?;
        let node = reader.value(event)?;
        reader.finish()?;
        Ok(node)
    }

    #[test]
    fn aliases_repeat_what_they_name() {
        let node = read("a: &x [1, {b: 2}]\nc: *x").unwrap();
        assert_eq!(size(&node), (9, 8));
    }

    #[test]
    fn a_billion_laughs_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let previous = format!("*a{}", level - 1);
            let list = vec![previous; 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        assert_eq!(read(&text).unwrap_err().code, Code::Alias);
        let long = format!("a: &a {}\nb: [{}]", "x".repeat(500_000), "*a, ".repeat(99));
        assert_eq!(read(&long).unwrap_err().code, Code::Alias);
        assert_eq!(read("a: &a [*a]").unwrap_err().code, Code::Alias);
    }

    #[test]
    fn depth_is_limited_with_and_without_aliases() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(&deep(DOCUMENT_DEPTH)).is_ok());
        assert_eq!(
            read(&deep(DOCUMENT_DEPTH + 1)).unwrap_err().code,
            Code::TooDeep
        );
        assert_eq!(read(&deep(100_000)).unwrap_err().code, Code::TooDeep);
        let twice = format!(
            "a: &a {}\nb: {}*a{}",
            deep(40),
            "[".repeat(40),
            "]".repeat(40)
        );
        assert_eq!(read(&twice).unwrap_err().code, Code::Alias);
        assert_eq!(read(&"- ".repeat(100_000)).unwrap_err().code, Code::TooDeep);
    }
}
