//! Paths as the States Language writes them: a part that names one place, and perhaps one that names several.

use serde_json::{Map, Value};
use serde_json_path::JsonPath;

/// One step to one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object.
    Key(String),
    /// An element of a list.
    Index(usize),
}

/// A path into a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path {
    /// Up to the first step that may name several places.
    pub steps: Vec<Step>,
    /// The rest, as written, when there is one: it begins with `.` or `[`.
    pub rest: String,
}

impl Path {
    /// Reads a path that begins with `$`; `None` when it is none, or leads through functions or deep scans, whose answers
    /// differ between readers of paths.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut left = text.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !left.is_empty() {
            // Step Functions takes `$.a.[0]` for `$.a[0]`.
            if left.starts_with(".[") {
                left = &left[1..];
            }
            match step(left) {
                Some((step, after)) => {
                    steps.push(step);
                    left = after;
                }
                None => break,
            }
        }
        let wrong = left.contains("..") || left.contains('(') && !left.contains("[?(");
        if wrong || (!left.is_empty() && JsonPath::parse(&format!("${left}")).is_err()) {
            return None;
        }
        Some(Self {
            steps,
            rest: left.to_owned(),
        })
    }

    /// Whether it names one place.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        self.rest.is_empty()
    }

    /// As RFC 9535 writes it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from("$");
        for step in &self.steps {
            match step {
                Step::Key(key) if is_plain(key) => {
                    text.push('.');
                    text.push_str(key);
                }
                Step::Key(key) => {
                    text.push_str("['");
                    text.push_str(&key.replace('\\', "\\\\").replace('\'', "\\'"));
                    text.push_str("']");
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text.push_str(&self.rest);
        text
    }

    /// The value at this path: the place itself, or a list of all that the rest finds there.
    #[must_use]
    pub fn find(&self, value: &Value) -> Option<Value> {
        let place = self.steps.iter().try_fold(value, |at, step| match step {
            Step::Key(key) => at.as_object()?.get(key),
            Step::Index(index) => at.as_array()?.get(*index),
        })?;
        if self.rest.is_empty() {
            return Some(place.clone());
        }
        let path = JsonPath::parse(&format!("${}", self.rest)).ok()?;
        Some(Value::Array(
            path.query(place).into_iter().cloned().collect(),
        ))
    }

    /// Puts `new` at this path, making objects on the way; `false` where a list or a scalar is in the way.
    #[must_use]
    pub fn put(&self, value: &mut Value, new: Value) -> bool {
        if !self.rest.is_empty() {
            return false;
        }
        let mut at = value;
        for step in &self.steps {
            match step {
                Step::Key(key) => {
                    let Value::Object(members) = at else {
                        return false;
                    };
                    at = members
                        .entry(key.clone())
                        .or_insert_with(|| Value::Object(Map::new()));
                }
                Step::Index(index) => {
                    let Some(element) = at.as_array_mut().and_then(|list| list.get_mut(*index))
                    else {
                        return false;
                    };
                    at = element;
                }
            }
        }
        *at = new;
        true
    }
}

/// The first step of what is left of a path, when it names one place.
fn step(left: &str) -> Option<(Step, &str)> {
    if let Some(after) = left.strip_prefix("['").or_else(|| left.strip_prefix("[\"")) {
        let quote = left.as_bytes()[1] as char;
        return quoted(after, quote);
    }
    if let Some(after) = left.strip_prefix('[') {
        let end = after.find(']')?;
        let index = after[..end].trim().parse().ok()?;
        return Some((Step::Index(index), &after[end + 1..]));
    }
    let after = left.strip_prefix('.')?;
    let end = after.find(['.', '[']).unwrap_or(after.len());
    let key = &after[..end];
    let odd = |c: char| c.is_whitespace() || "*()@?,:'\"$&!=<>|".contains(c);
    (!key.is_empty() && !key.contains(odd)).then(|| (Step::Key(key.to_owned()), &after[end..]))
}

/// A quoted name and what follows its bracket.
fn quoted(after: &str, quote: char) -> Option<(Step, &str)> {
    let mut name = String::new();
    let mut characters = after.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            name.push(characters.next()?.1);
        } else if c == quote {
            let rest = after[at + c.len_utf8()..].trim_start().strip_prefix(']')?;
            return Some((Step::Key(name), rest));
        } else {
            name.push(c);
        }
    }
    None
}

fn is_plain(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    key.chars().all(plain) && !key.is_empty() && !key.starts_with(|c: char| c.is_ascii_digit())
}
