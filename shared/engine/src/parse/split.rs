//! How a task can be cut into parts, as documents say it, and everything that can be wrong with that.

use std::borrow::Cow;

use foreshard_model::sculpt::{Join, Merge, Split, SplitBy};
use foreshard_model::units::Mib;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::code::Code;
use super::decode::{Decode, Given, Marked, wrong_type};
use super::document::{Duration, Mebibytes, TaskFields};
use super::draft::milliseconds;
use super::forms::{FileName, Path, Whole};
use super::kind::Kind;
use super::node::{Node, Shape};
use super::other::{MergeDraft, MergeFields, merge};
use super::problems::{At, Mark, Step, Trouble, did_you_mean, shown};
use super::record::{record, words};
use crate::expression::path::{Path as Places, Step as Leads};

/// Most parts of a task: the merge follows each of them, and more than that are put together faster by a tree of tasks.
const PARTS: i64 = 1_000;

/// Shortest part that is worth a start when nothing is said, in milliseconds: seven times what a shard costs beside it.
const SMALLEST_MS: u64 = 1_000;

record! {
    /// How the task can be cut into parts that run side by side: by exactly one of `array`, `lines` and `bytes`.
    #[schemars(transform = one_of_three)]
    closed struct SplitFields {
        /// Path of an array in the task's JSON input, such as `$.rows`: every part is given a run of its elements.
        optional "array" array: Given<Path>,
        /// Name of a file in `files`: every part is given some of its lines.
        optional "lines" lines: Given<FileName>,
        /// With `lines`: lines at the beginning of the file that every part is given; 0 when nothing is said.
        optional "header" header: Given<Whole<0, 1_000>>,
        /// Name of a file in `files`: every part is given some of its bytes.
        optional "bytes" bytes: Given<FileName>,
        /// With `bytes`: bytes that stay together; 1 when nothing is said.
        optional "record_bytes" record_bytes: Given<Whole<1, 1_073_741_824>>,
        /// Fewest parts; 1 when nothing is said: then the planner may leave the task whole.
        optional "min_parts" min_parts: Given<Whole<1, PARTS>>,
        /// Most parts; 1,000 when nothing is said.
        optional "max_parts" max_parts: Given<Whole<1, PARTS>>,
        /// Shortest part that is worth a start, in seconds of estimated time; 1 when nothing is said.
        optional "smallest_s" smallest_s: Given<Duration>,
        /// Share of `estimate_s` that every part takes, however small it is; 0 when nothing is said.
        optional "fixed_s" fixed_s: Given<Duration>,
        /// Share of `memory_mib` that every part needs, however small it is; all of it when nothing is said.
        optional "fixed_memory_mib" fixed_memory_mib: Given<Mebibytes>,
        /// How the outputs of the parts become the task's: `arrays`, `objects`, `numbers`, `files`, or a task of your own.
        required "merge" merge: Marked<MergeRule>,
    }
}

fn one_of_three(schema: &mut Schema) {
    let one = ["array", "lines", "bytes"].map(|field| json!({"required": [field]}));
    schema.insert("oneOf".to_owned(), json!(one));
    let with = json!({"header": ["lines"], "record_bytes": ["bytes"]});
    schema.insert("dependentRequired".to_owned(), with);
}

/// A way that the worker knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
pub(crate) enum Way {
    /// Lists, one after the other.
    #[default]
    Arrays,
    /// Objects: the members of all.
    Objects,
    /// Numbers, or objects of them: their sums.
    Numbers,
    /// Files only.
    Files,
}

words! { Way:
    "arrays" => Self::Arrays,
    "objects" => Self::Objects,
    "numbers" => Self::Numbers,
    "files" => Self::Files,
}

impl Way {
    fn join(self) -> Join {
        match self {
            Self::Arrays => Join::Arrays,
            Self::Objects => Join::Objects,
            Self::Numbers => Join::Numbers,
            Self::Files => Join::Files,
        }
    }
}

/// A word, or a task of the user's own.
#[derive(Debug, Clone)]
pub(crate) enum MergeRule {
    Way(Way),
    Task(Box<MergeFields>),
}

impl Default for MergeRule {
    fn default() -> Self {
        Self::Way(Way::default())
    }
}

impl Decode for MergeRule {
    fn decode(node: Node, at: &mut At<'_>) -> Self {
        match &node.shape {
            Shape::Map(_) => Self::Task(Box::new(MergeFields::decode(node, at))),
            Shape::Scalar(_) if node.text().is_some() => Self::Way(Way::decode(node, at)),
            _ => {
                let wanted =
                    "a text, one of arrays, objects, numbers, files, or an object with what to run";
                wrong_type(wanted, &node, at);
                Self::default()
            }
        }
    }
}

impl JsonSchema for MergeRule {
    fn schema_name() -> Cow<'static, str> {
        "MergeRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let way = generator.subschema_for::<Way>();
        let task = generator.subschema_for::<MergeFields>();
        json_schema!({"anyOf": [way, task]})
    }
}

/// A split before the document's defaults are known.
#[derive(Debug, Clone)]
pub(crate) struct SplitDraft {
    /// All of it, but for a task of the user's own that merges.
    pub(crate) split: Split,
    /// That task.
    pub(crate) merge: Option<MergeDraft>,
    pub(crate) mark: Mark,
}

/// The declared split of a task; `None` when there is none, or after a report.
pub(super) fn split(task: &TaskFields, at: &mut At<'_>) -> Option<SplitDraft> {
    let Marked {
        value: fields,
        mark,
    } = task.split.0.as_ref()?;
    at.within(Step::Field("split"), |at| {
        if task.kind.value == Kind::Synthetic {
            let message = "a synthetic load has nothing that could be cut";
            at.report(Trouble::new(Code::NotSplittable, *mark, message));
        }
        bounds(task, fields, *mark, at);
        let own = merge_of(task, fields, at);
        let by = by(task, fields, *mark, at)?;
        let join = match &fields.merge.value {
            MergeRule::Way(way) => way.join(),
            // Replaced by the task, once the defaults are known.
            MergeRule::Task(_) => Join::Files,
        };
        let whole = |given: Option<i64>| given.and_then(|parts| u32::try_from(parts).ok());
        Some(SplitDraft {
            split: Split {
                by,
                min_parts: whole(fields.min_parts.0.map(|n| n.0)).unwrap_or(1),
                max_parts: whole(fields.max_parts.0.map(|n| n.0).or(Some(PARTS))).unwrap_or(1),
                smallest_ms: fields
                    .smallest_s
                    .0
                    .map_or(SMALLEST_MS, |s| milliseconds(s.0)),
                fixed_ms: fields.fixed_s.0.map_or(0, |s| milliseconds(s.0)),
                fixed_memory: whole(fields.fixed_memory_mib.0.map(|mib| mib.0)).map(Mib),
                measured: None,
                merge: Merge::BuiltIn(join),
            },
            merge: own,
            mark: *mark,
        })
    })
}

fn bounds(task: &TaskFields, fields: &SplitFields, mark: Mark, at: &mut At<'_>) {
    let mut refuse = |field: &'static str, message: String| {
        at.within(Step::Field(field), |at| {
            at.report(Trouble::new(Code::SplitBounds, mark, message));
        });
    };
    if let (Some(min), Some(max)) = (&fields.min_parts.0, &fields.max_parts.0)
        && min.0 > max.0
    {
        let message = format!("at least {} parts, but at most {}", min.0, max.0);
        refuse("min_parts", message);
    }
    if let Some(fixed) = &fields.fixed_s.0 {
        match &task.estimate_s.0 {
            Some(estimate) if fixed.0 > estimate.0 => {
                let message = format!(
                    "every part takes {} s, but the whole task {} s",
                    fixed.0, estimate.0
                );
                refuse("fixed_s", message);
            }
            None => {
                let message = "it is a share of `estimate_s`, which the task does not have";
                refuse("fixed_s", message.to_owned());
            }
            Some(_) => {}
        }
    }
    if let (Some(fixed), Some(memory)) = (&fields.fixed_memory_mib.0, &task.memory_mib.0)
        && fixed.0 > memory.0
    {
        let message = format!(
            "every part needs {} MiB, but the whole task {} MiB",
            fixed.0, memory.0
        );
        refuse("fixed_memory_mib", message);
    }
}

/// What is cut; `None` after a report.
fn by(task: &TaskFields, fields: &SplitFields, mark: Mark, at: &mut At<'_>) -> Option<SplitBy> {
    for (field, with, misplaced) in [
        (
            "header",
            "lines",
            fields.header.0.is_some() && fields.lines.0.is_none(),
        ),
        (
            "record_bytes",
            "bytes",
            fields.record_bytes.0.is_some() && fields.bytes.0.is_none(),
        ),
    ] {
        if misplaced {
            at.within(Step::Field(field), |at| {
                at.report(Trouble::new(
                    Code::SplitBy,
                    mark,
                    format!("it goes with `{with}`"),
                ));
            });
        }
    }
    match (&fields.array.0, &fields.lines.0, &fields.bytes.0) {
        (Some(path), None, None) => {
            at.within(Step::Field("array"), |at| array(task, path, mark, at))
        }
        (None, Some(file), None) => {
            is_placed(task, "lines", file, mark, at);
            Some(SplitBy::Lines {
                file: file.0.clone(),
                header: fields
                    .header
                    .0
                    .and_then(|n| u32::try_from(n.0).ok())
                    .unwrap_or(0),
            })
        }
        (None, None, Some(file)) => {
            is_placed(task, "bytes", file, mark, at);
            Some(SplitBy::Bytes {
                file: file.0.clone(),
                record: fields
                    .record_bytes
                    .0
                    .and_then(|n| u64::try_from(n.0).ok())
                    .unwrap_or(1),
            })
        }
        (None, None, None) => {
            let message = "nothing says what is cut: `array`, `lines` or `bytes` is missing";
            at.report(Trouble::new(Code::SplitBy, mark, message));
            None
        }
        _ => {
            let message = "a task is cut by one thing: either `array`, `lines` or `bytes`";
            at.report(Trouble::new(Code::SplitBy, mark, message));
            None
        }
    }
}

/// An array of the task's input, as far as the document tells.
fn array(task: &TaskFields, path: &Path, mark: Mark, at: &mut At<'_>) -> Option<SplitBy> {
    // A path that was refused has been reported.
    if path.0.is_empty() {
        return None;
    }
    let mut refuse = |message: String, hint: Option<String>| {
        let trouble = Trouble::new(Code::SplitBy, mark, message);
        at.report(match hint {
            Some(hint) => trouble.hint(hint),
            None => trouble,
        });
    };
    let Some(places) = Places::parse(&path.0).filter(Places::is_definite) else {
        let message = format!("`{}` can name several places", shown(&path.0));
        refuse(message, Some("name the array, such as `$.rows`".to_owned()));
        return None;
    };
    let (source, rest) = match (&task.input.0, places.steps.split_first()) {
        (Some(source), _) => (&source.value, places.steps.as_slice()),
        (None, Some((Leads::Key(name), rest))) => {
            let Some((_, source)) = task.inputs.0.iter().find(|(key, _)| key.value.0 == *name)
            else {
                let names = task.inputs.0.iter().map(|(key, _)| key.value.0.as_str());
                let hint =
                    did_you_mean(name, names).or_else(|| Some("map it in `inputs`".to_owned()));
                refuse(format!("the task has no input `{}`", shown(name)), hint);
                return None;
            };
            (&source.value, rest)
        }
        (None, _) => {
            let message = "the task's input is an object, not an array";
            refuse(
                message.to_owned(),
                Some("name one of its members, such as `$.rows`".to_owned()),
            );
            return None;
        }
    };
    let rest = Places {
        steps: rest.to_vec(),
        rest: String::new(),
    };
    if let Some(constant) = &source.value.0
        && !matches!(rest.find(&constant.0), Some(Value::Array(_)))
    {
        refuse(format!("there is no array at `{}`", shown(&path.0)), None);
        return None;
    }
    Some(SplitBy::Array {
        path: path.0.clone(),
    })
}

fn is_placed(task: &TaskFields, field: &'static str, file: &FileName, mark: Mark, at: &mut At<'_>) {
    let names = || {
        let files = task.files.iter().map(|file| &file.value);
        files.filter_map(|file| file.name.0.as_ref().or(file.file.0.as_ref()))
    };
    if file.0.is_empty() || names().any(|name| name == file) {
        return;
    }
    let message = format!("the task is given no file `{}`", shown(&file.0));
    let trouble = Trouble::new(Code::SplitBy, mark, message);
    let hint = did_you_mean(&file.0, names().map(|name| name.0.as_str()));
    let hint = hint.unwrap_or_else(|| "list it in `files`".to_owned());
    at.within(Step::Field(field), |at| at.report(trouble.hint(hint)));
}

/// Checks that the merge fits the task; gives the user's own task.
fn merge_of(task: &TaskFields, fields: &SplitFields, at: &mut At<'_>) -> Option<MergeDraft> {
    let Marked { value: rule, mark } = &fields.merge;
    at.within(Step::Field("merge"), |at| {
        let mut refuse = |message: String, hint: &str| {
            at.report(Trouble::new(Code::Merge, *mark, message).hint(hint));
        };
        let written = || task.writes.iter().map(|written| written.value.0.name.0.as_str());
        match rule {
            MergeRule::Way(way) => {
                if *way == Way::Files && task.writes.is_empty() {
                    let message = "the task leaves no files that could be put together";
                    refuse(message.to_owned(), "list them in `writes`, or merge outputs");
                }
                if !task.catch.is_empty() {
                    let message = "the task has `catch`: its outputs are `{ok: …}` or `{caught: …}`, which are not put together by themselves";
                    refuse(message.to_owned(), "give a task of your own, or leave `catch` away");
                }
                None
            }
            MergeRule::Task(own) => {
                for name in written() {
                    let numbered = |other: &str| {
                        let number = other.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
                        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
                    };
                    if let Some(other) = written().find(|other| numbered(other)) {
                        let message = format!("`{}` is what the merge finds a part of `{}` as", shown(other), shown(name));
                        refuse(message, "choose another name");
                    }
                    if name.len() + ".1000".len() > 255 {
                        let message = format!("`{}` is too long for the number of a part at its end", shown(name));
                        refuse(message, "use at most 250 bytes");
                    }
                }
                merge(own, *mark, at)
            }
        }
    })
}
