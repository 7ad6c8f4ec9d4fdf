//! One task as written, compact: everything that can be checked without the other tasks has been checked.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::units::Mib;
use foreshard_model::workflow::{
    Affinity, CONDITION, Command, CutRules, Effect, Errors, Extras, FileOutput, HttpCall, Retry,
    Synthetic, TaskKind, WHOLE_INPUT,
};

use super::code::Code;
use super::decode::{Entries, Filled, Given, Marked};
use super::document::{Cut, Defaults, File, Repeat, Source, Task, TaskFields, Wishes, Written};
use super::forms::{Argument, Name};
use super::kind::Kind;
use super::names::{Names, Symbol};
use super::origin::{Allowed, Origin, file_origin, origin};
use super::other::{EquivalentDraft, equivalents};
use super::problems::{At, Mark, Step, Trouble, shown};
use super::split::{SplitDraft, split};

/// A task that has not met the others yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) id: Symbol,
    pub(crate) mark: Mark,
    pub(crate) needs: Vec<(Symbol, Mark)>,
    pub(crate) work: Work,
    pub(crate) body: Body,
}

/// What a draft has beside its identity and its work.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) inputs: Vec<Mapping>,
    pub(crate) files: Vec<Mapping>,
    pub(crate) writes: Vec<FileOutput>,
    pub(crate) task_type: Option<Box<str>>,
    pub(crate) settings: Settings,
    pub(crate) extras: Option<Box<Extras>>,
    /// What it may be made into.
    pub(crate) forms: Option<Box<Forms>>,
}

/// What a task may be made into before it is planned.
#[derive(Debug, Clone)]
pub(crate) struct Forms {
    pub(crate) split: Option<SplitDraft>,
    pub(crate) equivalents: Vec<EquivalentDraft>,
}

/// What a task does.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Something that a worker runs.
    Task(TaskKind),
    /// A sub-workflow.
    Reference(Box<Reference>),
}

/// A use of a sub-workflow.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) workflow: String,
    pub(crate) mark: Mark,
    pub(crate) params: Vec<Mapping>,
}

/// A name, and where what it names comes from.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) mark: Mark,
}

/// Settings of a task, or the defaults of a document: `None` where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) memory: Option<Mib>,
    pub(crate) vcpus: Option<f32>,
    pub(crate) gpu: Option<Mib>,
    pub(crate) disk: Option<Mib>,
    pub(crate) network_mbps: u32,
    pub(crate) estimate_ms: Option<u64>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) retries: Option<u32>,
    pub(crate) effect: Option<Effect>,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the forms keep numbers small"
)]
impl Settings {
    /// What a document says for all of its tasks.
    pub(crate) fn of_defaults(defaults: &Defaults) -> Self {
        Self {
            memory: whole(&defaults.memory_mib).map(Mib),
            vcpus: defaults.vcpus.0.map(|v| v.0 as f32),
            disk: whole(&defaults.disk_mib).map(Mib),
            timeout_ms: defaults.timeout_s.0.map(|s| milliseconds(s.0)),
            retries: whole(&defaults.retries),
            effect: defaults.effect.0,
            ..Self::default()
        }
    }

    /// These, and the task's where they say nothing, but for its GPU.
    pub(crate) fn over(self, task: &Self) -> Self {
        Self {
            memory: self.memory.or(task.memory),
            vcpus: self.vcpus.or(task.vcpus),
            gpu: self.gpu,
            disk: self.disk.or(task.disk),
            network_mbps: task.network_mbps,
            estimate_ms: self.estimate_ms.or(task.estimate_ms),
            timeout_ms: self.timeout_ms.or(task.timeout_ms),
            retries: self.retries.or(task.retries),
            effect: self.effect.or(task.effect),
        }
    }

    fn of_task(task: &TaskFields) -> Self {
        Self {
            memory: whole(&task.memory_mib).map(Mib),
            vcpus: task.vcpus.0.map(|v| v.0 as f32),
            gpu: whole(&task.gpu_mib).map(Mib),
            disk: whole(&task.disk_mib).map(Mib),
            network_mbps: whole(&task.network_mbps).unwrap_or(0),
            estimate_ms: task.estimate_s.0.map(|s| milliseconds(s.0)),
            timeout_ms: task.timeout_s.0.map(|s| milliseconds(s.0)),
            retries: whole(&task.retries),
            effect: task.effect.0,
        }
    }
}

fn whole<const MIN: i64, const MAX: i64>(
    given: &Given<super::forms::Whole<MIN, MAX>>,
) -> Option<u32> {
    given.0.and_then(|number| u32::try_from(number.0).ok())
}

/// Milliseconds of seconds; the forms keep them between nothing and a year.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative and infinite numbers become 0 and the largest"
)]
pub(crate) fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}

/// Drafts a task.
pub(crate) fn draft(task: Task, names: &mut Names, at: &mut At<'_>) -> Draft {
    let Task { fields, kind } = task;
    check(&fields, at);
    let settings = Settings::of_task(&fields);
    let extras = extras(&fields);
    let forms = forms(&fields, at);
    let TaskFields {
        id,
        needs,
        files,
        writes,
        task_type,
        ..
    } = &fields;
    Draft {
        id: names.symbol(&id.value.0),
        mark: id.mark,
        needs: needs_of(needs, names, at),
        body: Body {
            inputs: inputs_of(&fields, names, at),
            files: files_of(files, names, at),
            writes: writes_of(writes, at),
            task_type: task_type.0.as_ref().map(|t| t.0.as_str().into()),
            settings,
            extras,
            forms,
        },
        work: work(fields, kind, names, at),
    }
}

fn forms(task: &TaskFields, at: &mut At<'_>) -> Option<Box<Forms>> {
    let (split, equivalents) = (split(task, at), equivalents(task, at));
    let any = split.is_some() || !equivalents.is_empty();
    any.then(|| Box::new(Forms { split, equivalents }))
}

fn check(task: &TaskFields, at: &mut At<'_>) {
    if task.critical.0 == Some(true) && task.effect.0 == Some(Effect::Once) {
        let message = "a task that must not run twice cannot be critical: critical tasks run twice";
        at.within(Step::Field("critical"), |at| {
            at.report(Trouble::new(Code::NotForKind, task.id.mark, message));
        });
    }
    if let (Some(estimate), Some(timeout)) = (task.estimate_s.0, task.timeout_s.0)
        && estimate.0 > timeout.0
    {
        let message = format!(
            "the estimate of {} s is longer than the timeout of {} s",
            estimate.0, timeout.0
        );
        at.within(Step::Field("timeout_s"), |at| {
            at.report(Trouble::new(Code::OutOfRange, task.id.mark, message));
        });
    }
}

fn work(task: TaskFields, kind: Option<Kind>, names: &mut Names, at: &mut At<'_>) -> Work {
    let text = |given: Option<String>| given.unwrap_or_default();
    Work::Task(match kind.unwrap_or_default() {
        Kind::Command => TaskKind::Command(Command {
            run: strings(task.run.0.unwrap_or_default().0, |a| a.0),
            bundle: task.bundle.0.map(|folder| folder.0),
            env: map(task.env, |name| name.0, |value| value.0),
        }),
        Kind::Lambda => TaskKind::Lambda {
            function: text(task.function.0.map(|f| f.0)),
            errors: errors(task.retry, task.catch),
        },
        Kind::Http => TaskKind::Http(HttpCall {
            method: task.method.0.unwrap_or_default().as_str().to_owned(),
            url: text(task.url.0.map(|url| url.0)),
            headers: map(task.headers, |name| name.0, |value| value.0),
        }),
        Kind::Handler => TaskKind::Handler {
            handler: text(task.handler.0.map(|h| h.0)),
        },
        Kind::Synthetic => TaskKind::Synthetic(Synthetic {
            cpu_ms: task.cpu_s.0.map_or(0.0, |s| s.0 * 1_000.0),
            // Filled in with the task's memory, once the defaults are known.
            memory: Mib(0),
        }),
        Kind::Workflow => {
            let workflow = task.workflow.0.unwrap_or_default();
            return Work::Reference(Box::new(Reference {
                workflow: workflow.value.0,
                mark: workflow.mark,
                params: mappings("params", &task.params, Allowed::Files, names, at),
            }));
        }
    })
}

/// What a document says of a function's errors; `None` when it says nothing.
fn errors(retry: Vec<Repeat>, catch: Vec<Filled<Argument>>) -> Option<Box<Errors>> {
    let names = |names: Filled<Argument>| strings(names.0, |name| name.0);
    let seconds = |given: Option<f64>, usual: f64| milliseconds(given.unwrap_or(usual));
    let retry = retry.into_iter().map(|repeat| Retry {
        errors: names(repeat.errors),
        repeats: whole(&repeat.repeats).unwrap_or(3),
        interval_ms: seconds(repeat.interval_s.0.map(|s| s.0), 1.0),
        backoff: repeat.backoff.0.map_or(2.0, |factor| factor.0),
        longest_ms: seconds(repeat.longest_s.0.map(|s| s.0), 60.0),
    });
    let errors = Errors {
        retry: retry.collect(),
        catch: catch.into_iter().map(names).collect(),
    };
    (errors != Errors::default()).then(|| Box::new(errors))
}

fn strings<T>(list: Vec<T>, text: impl Fn(T) -> String) -> Vec<String> {
    list.into_iter().map(text).collect()
}

fn map<K, V>(
    entries: Entries<K, V>,
    key: impl Fn(K) -> String,
    value: impl Fn(V) -> String,
) -> BTreeMap<String, String> {
    let pairs = entries.0.into_iter();
    pairs.map(|(k, v)| (key(k.value), value(v))).collect()
}

fn needs_of(
    needs: &[Marked<super::forms::Id>],
    names: &mut Names,
    at: &mut At<'_>,
) -> Vec<(Symbol, Mark)> {
    let mut out = Vec::with_capacity(needs.len());
    let mut seen = BTreeSet::new();
    for (index, need) in needs.iter().enumerate() {
        // An id that was refused has been reported.
        if need.value.0.is_empty() {
            continue;
        }
        let symbol = names.symbol(&need.value.0);
        if seen.insert(symbol) {
            out.push((symbol, need.mark));
        } else {
            let message = format!("`{}` is named twice", shown(&need.value.0));
            at.within(Step::Field("needs"), |at| {
                at.within(Step::Index(index), |at| {
                    at.report(Trouble::new(Code::Repeated, need.mark, message));
                });
            });
        }
    }
    out
}

/// The members of a task's input, or its whole, and the condition on which it runs.
fn inputs_of(task: &TaskFields, names: &mut Names, at: &mut At<'_>) -> Vec<Mapping> {
    let mut all = mappings("inputs", &task.inputs, Allowed::Values, names, at);
    let alone = [
        ("input", WHOLE_INPUT, &task.input.0),
        ("when", CONDITION, &task.when.0),
    ];
    for (field, name, given) in alone {
        let Some(source) = given else { continue };
        at.within(Step::Field(field), |at| {
            if field == "input" && !task.inputs.0.is_empty() {
                let message =
                    "`input` is the whole, `inputs` are its members: only one can be given";
                at.report(Trouble::new(Code::Source, source.mark, message));
            }
            let origin = origin(&source.value, source.mark, Allowed::Values, names, at);
            all.extend(origin.map(|origin| Mapping {
                name: name.to_owned(),
                origin,
                mark: source.mark,
            }));
        });
    }
    all
}

/// Names with their sources, as `inputs`, `params` and `outputs` have them.
pub(crate) fn mappings(
    field: &'static str,
    entries: &Entries<Name, Marked<Source>>,
    allowed: Allowed,
    names: &mut Names,
    at: &mut At<'_>,
) -> Vec<Mapping> {
    at.within(Step::Field(field), |at| {
        entries
            .0
            .iter()
            .filter_map(|(name, source)| {
                let name = name.value.0.clone();
                at.within(Step::Key(name.clone()), |at| {
                    let origin = origin(&source.value, source.mark, allowed, names, at)?;
                    Some(Mapping {
                        name,
                        origin,
                        mark: source.mark,
                    })
                })
            })
            .collect()
    })
}

fn files_of(files: &[Marked<File>], names: &mut Names, at: &mut At<'_>) -> Vec<Mapping> {
    let mut seen = BTreeSet::new();
    at.within(Step::Field("files"), |at| {
        let mut out = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate() {
            at.within(Step::Index(index), |at| {
                let mapping = file_origin(file, names, at).unwrap_or_else(|| Mapping {
                    name: String::new(),
                    // Has been reported, and keeps the positions of those that follow.
                    origin: Origin::Constant(Box::default()),
                    mark: file.mark,
                });
                unique(&mut seen, &mapping.name, file.mark, at);
                out.push(mapping);
            });
        }
        out
    })
}

fn writes_of(writes: &[Marked<Written>], at: &mut At<'_>) -> Vec<FileOutput> {
    let mut seen = BTreeSet::new();
    at.within(Step::Field("writes"), |at| {
        let mut out = Vec::with_capacity(writes.len());
        for (index, written) in writes.iter().enumerate() {
            let fields = &written.value.0;
            at.within(Step::Index(index), |at| {
                unique(&mut seen, &fields.name.0, written.mark, at);
            });
            out.push(FileOutput {
                name: fields.name.0.clone(),
                bytes: fields.bytes.0.and_then(|b| u64::try_from(b.0).ok()),
            });
        }
        // Sorted, so that a file of many is found quickly by those who read it.
        out.sort_by(|a, b| a.name.cmp(&b.name));
        out
    })
}

fn unique(seen: &mut BTreeSet<String>, name: &str, mark: Mark, at: &mut At<'_>) {
    if !name.is_empty() && !seen.insert(name.to_owned()) {
        let message = format!("two files are called `{}`", shown(name));
        at.report(Trouble::new(Code::Repeated, mark, message));
    }
}

fn extras(task: &TaskFields) -> Option<Box<Extras>> {
    let extras = Extras {
        priority: task
            .priority
            .0
            .and_then(|p| i32::try_from(p.0).ok())
            .unwrap_or(0),
        critical: task.critical.0.unwrap_or(false),
        failure_cost_usd: task.failure_cost_usd.0.map(|d| d.0),
        cut: task.cut.0.as_ref().map_or_else(CutRules::default, cut),
        affinity: task
            .affinity
            .0
            .clone()
            .map_or_else(Affinity::default, affinity),
        ..Extras::default()
    };
    (extras != Extras::default()).then(|| Box::new(extras))
}

fn cut(cut: &Cut) -> CutRules {
    CutRules {
        after: cut.after.0.unwrap_or(false),
        when_output_exceeds_bytes: cut
            .when_output_exceeds_bytes
            .0
            .and_then(|bytes| u64::try_from(bytes.0).ok()),
        when_elapsed_exceeds_ms: cut.when_elapsed_exceeds_s.0.map(|s| milliseconds(s.0)),
    }
}

fn affinity(wishes: Wishes) -> Affinity {
    Affinity {
        require: map(wishes.require, |name| name.0, |value| value.0),
        prefer: map(wishes.prefer, |name| name.0, |value| value.0),
        together: wishes.together.0.map(|label| label.0),
        apart: wishes.apart.0.map(|label| label.0),
        residency: match wishes.residency.0 {
            Some(regions) => regions.0.into_iter().map(|region| region.0).collect(),
            None => Vec::new(),
        },
    }
}
