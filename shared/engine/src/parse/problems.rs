//! Collects problems: where in the document, where in the text, how many.

use std::fmt::Write as _;

use foreshard_model::limits::PROBLEMS_REPORTED;
use foreshard_model::problem::{Place, Problem, Severity};

use super::code::Code;

/// A place in the text, compact: a million tasks keep several each. Documents end at 1 GiB, so 32 bits are enough.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// Line, from 1; 0 means that there is no place.
    pub(crate) line: u32,
    /// Column in characters, from 1.
    pub(crate) column: u32,
    /// Offset in bytes.
    pub(crate) offset: u32,
    /// Length in bytes.
    pub(crate) length: u32,
}

impl Mark {
    fn place(self) -> Option<Place> {
        (self.line > 0).then(|| Place {
            line: self.line,
            column: self.column,
            offset: u64::from(self.offset),
            length: self.length,
        })
    }
}

/// One problem before it has a path: what a source of events or a check has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) code: Code,
    pub(crate) mark: Mark,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Trouble {
    /// A problem with a message; the hint comes with [`Trouble::hint`].
    pub(crate) fn new(code: Code, mark: Mark, message: impl Into<String>) -> Self {
        Self {
            code,
            mark,
            message: message.into(),
            hint: None,
        }
    }

    /// How to mend it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that was found so far; what is above the limit is counted, not kept.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    list: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// Keeps a problem at `path`.
    pub(crate) fn push(&mut self, path: impl Into<String>, trouble: Trouble) {
        self.keep(path.into(), trouble, Severity::Error);
    }

    /// Keeps a note: the document is accepted all the same.
    pub(crate) fn note(&mut self, path: impl Into<String>, trouble: Trouble) {
        self.keep(path.into(), trouble, Severity::Note);
    }

    fn keep(&mut self, path: String, trouble: Trouble, severity: Severity) {
        if self.list.len() >= PROBLEMS_REPORTED {
            self.more += 1;
            return;
        }
        self.list.push(Problem {
            code: trouble.code.as_str().to_owned(),
            severity,
            path: if path.is_empty() {
                "document".to_owned()
            } else {
                path
            },
            place: trouble.mark.place(),
            message: trouble.message,
            hint: trouble.hint,
        });
    }

    /// Whether further problems are only counted: then it is not worth wording them.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= PROBLEMS_REPORTED
    }

    /// Whether nothing was found, notes included.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes over what another collection found, naming its document before each path. The places are dropped: they
    /// belong to another text.
    pub(crate) fn adopt(&mut self, document: &str, mut other: Self) {
        for problem in &mut other.list {
            problem.path = format!("{document}: {}", problem.path);
            problem.place = None;
        }
        self.absorb(other);
    }

    /// Takes over what was found earlier in the same document.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.more += other.more;
        for problem in other.list {
            if self.is_full() {
                self.more += 1;
            } else {
                self.list.push(problem);
            }
        }
    }

    /// All problems in the order of the text, and how many more there are.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.list
            .sort_by_key(|problem| problem.place.map_or(u64::MAX, |place| place.offset));
        if self.more > 0 {
            self.list.push(Problem {
                code: Code::More.as_str().to_owned(),
                severity: Severity::Error,
                path: "document".to_owned(),
                place: None,
                message: format!(
                    "{} more problems; the first {PROBLEMS_REPORTED} found are reported",
                    self.more
                ),
                hint: Some("mend these first".to_owned()),
            });
        }
        self.list
    }
}

/// One step of a path inside a document.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A field of the language.
    Field(&'static str),
    /// A key that the user chose.
    Key(String),
    /// A position in a list.
    Index(usize),
}

/// Where a decoder is: the path down to here, and where problems go.
pub(crate) struct At<'p> {
    problems: &'p mut Problems,
    path: Vec<Step>,
}

impl<'p> At<'p> {
    /// At the root of a document.
    pub(crate) fn root(problems: &'p mut Problems) -> Self {
        Self {
            problems,
            path: Vec::new(),
        }
    }

    /// At a place inside a document.
    pub(crate) fn placed(problems: &'p mut Problems, path: &[Step]) -> Self {
        Self {
            problems,
            path: path.to_vec(),
        }
    }

    /// One step further down, for as long as `inner` runs.
    pub(crate) fn within<T>(&mut self, step: Step, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = inner(self);
        self.path.pop();
        result
    }

    /// Keeps a problem of the value that is here, worded only if it is kept.
    pub(crate) fn report_with(&mut self, trouble: impl FnOnce() -> Trouble) {
        if self.problems.is_full() {
            self.problems.more += 1;
        } else {
            self.report(trouble());
        }
    }

    /// Keeps a problem of the value that is here.
    pub(crate) fn report(&mut self, trouble: Trouble) {
        let path = if self.problems.is_full() {
            String::new()
        } else {
            path_text(&self.path)
        };
        self.problems.push(path, trouble);
    }
}

/// A path as users read it: `tasks[3].inputs.text`.
pub(crate) fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) => join(&mut text, name),
            Step::Key(key) if is_plain_key(key) => join(&mut text, key),
            Step::Key(key) => {
                let _ = write!(text, "[\"{}\"]", shown(key));
            }
            Step::Index(index) => {
                let _ = write!(text, "[{index}]");
            }
        }
    }
    text
}

fn join(text: &mut String, name: &str) {
    if !text.is_empty() {
        text.push('.');
    }
    text.push_str(name);
}

fn is_plain_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 64
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-@".contains(&b))
}

/// Characters of a seen value that a message repeats.
const SHOWN_CHARS: usize = 60;

/// A seen value as a message repeats it: short, on one line, without control characters.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == SHOWN_CHARS {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Candidates that a word is compared with: a hint is not worth going through a million tasks.
const COMPARED: usize = 10_000;

/// The candidate that a mistyped word most likely means: at most a third of it may differ.
pub(crate) fn similar<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let most = (word.chars().count() / 3).min(3);
    candidates
        .into_iter()
        .take(COMPARED)
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= most && *distance > 0)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, when something is close enough.
pub(crate) fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    similar(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_people_write_them() {
        let path = [
            Step::Field("tasks"),
            Step::Index(3),
            Step::Field("inputs"),
            Step::Key("a b\n".to_owned()),
        ];
        assert_eq!(path_text(&path), r#"tasks[3].inputs["a b\n"]"#);
    }

    #[test]
    fn a_mistyped_word_finds_its_neighbour_only() {
        let words = ["memory_mib", "retries", "run", "needs"];
        assert_eq!(similar("memory_mb", words), Some("memory_mib"));
        assert_eq!(similar("need", words), Some("needs"));
        assert_eq!(similar("colour", words), None);
        assert_eq!(similar("b", ["a"]), None);
    }

    #[test]
    fn what_is_above_the_limit_is_counted() {
        let mut problems = Problems::default();
        for _ in 0..PROBLEMS_REPORTED + 5 {
            problems.push("x", Trouble::new(Code::WrongType, Mark::default(), "no"));
        }
        let list = problems.finish();
        assert_eq!(list.len(), PROBLEMS_REPORTED + 1);
        assert!(list[PROBLEMS_REPORTED].message.starts_with("5 more"));
    }
}
