//! What can run instead of a task, or puts its parts together: the fields that both have, and what they mean.

use foreshard_model::units::Mib;
use foreshard_model::workflow::{Command, TaskKind};

use super::code::Code;
use super::decode::{Entries, Filled, Given, Marked};
use super::document::{Duration, Mebibytes, Seconds, TaskFields, Vcpus};
use super::draft::{Settings, milliseconds};
use super::forms::{Argument, EnvName, Folder, FunctionName, HandlerName, Label, Whole};
use super::kind::Kind;
use super::problems::{At, Mark, Step, Trouble};
use super::record::record;

record! {
    /// What puts the parts of a task together: a program, a function or a handler. Its input has one member, `parts`: the
    /// list of the parts' outputs. The files that they wrote are in its scratch, as `name.1`, `name.2` and so on.
    #[schemars(transform = one_program)]
    closed struct MergeFields {
        /// Program and arguments.
        optional "run" run: Given<Filled<Argument>>,
        /// With `run`: a folder beside the document that goes with it.
        optional "bundle" bundle: Given<Folder>,
        /// With `run`: additional environment variables.
        optional "env" env: Entries<EnvName, Argument>,
        /// An existing Lambda function.
        optional "function" function: Given<FunctionName>,
        /// A handler of the worker.
        optional "handler" handler: Given<HandlerName>,
        /// Peak memory, in MiB; the task's when nothing is said.
        optional "memory_mib" memory_mib: Given<Mebibytes>,
        /// Expected duration, in seconds.
        optional "estimate_s" estimate_s: Given<Duration>,
        /// Longest duration, in seconds.
        optional "timeout_s" timeout_s: Given<Seconds>,
    }
}

record! {
    /// What gives the same as the task from the same inputs. What it does not say is as the task has it, but for `gpu_mib`
    /// and labels: it needs a GPU, and a target with labels, only if it says so.
    #[schemars(transform = program_fields)]
    closed struct EquivalentFields {
        /// Program and arguments.
        optional "run" run: Given<Filled<Argument>>,
        /// With `run`: a folder beside the document that goes with it.
        optional "bundle" bundle: Given<Folder>,
        /// With `run`: additional environment variables.
        optional "env" env: Entries<EnvName, Argument>,
        /// An existing Lambda function.
        optional "function" function: Given<FunctionName>,
        /// A handler of the worker.
        optional "handler" handler: Given<HandlerName>,
        /// Peak memory, in MiB.
        optional "memory_mib" memory_mib: Given<Mebibytes>,
        /// vCPUs that it can use.
        optional "vcpus" vcpus: Given<Vcpus>,
        /// GPU memory, in MiB; without it, no GPU.
        optional "gpu_mib" gpu_mib: Given<Mebibytes>,
        /// Scratch disk, in MiB.
        optional "disk_mib" disk_mib: Given<Whole<0, 16_777_216>>,
        /// Expected duration on one vCPU, in seconds.
        optional "estimate_s" estimate_s: Given<Duration>,
        /// Longest duration, in seconds.
        optional "timeout_s" timeout_s: Given<Seconds>,
        /// Labels that the target must have.
        optional "require" require: Entries<Label, Label>,
        /// Labels that the target should have.
        optional "prefer" prefer: Entries<Label, Label>,
        /// How its output differs, for people: it is shown with the choice.
        optional "note" note: Given<String>,
    }
}

/// The fields that say what to run.
const PROGRAMS: [&str; 3] = ["run", "function", "handler"];

fn one_program(schema: &mut schemars::Schema) {
    let one = PROGRAMS.map(|field| serde_json::json!({"required": [field]}));
    schema.insert("oneOf".to_owned(), serde_json::json!(one));
    with_run(schema);
}

fn program_fields(schema: &mut schemars::Schema) {
    let none = PROGRAMS.map(|field| serde_json::json!({"required": [field]}));
    let mut either: Vec<_> = none.to_vec();
    either.push(serde_json::json!({"not": {"anyOf": none}}));
    schema.insert("oneOf".to_owned(), serde_json::json!(either));
    with_run(schema);
}

fn with_run(schema: &mut schemars::Schema) {
    let with = serde_json::json!({"bundle": ["run"], "env": ["run"]});
    schema.insert("dependentRequired".to_owned(), with);
}

/// What to run, as three fields may say it.
struct Program<'a> {
    run: &'a Given<Filled<Argument>>,
    bundle: &'a Given<Folder>,
    env: &'a Entries<EnvName, Argument>,
    function: &'a Given<FunctionName>,
    handler: &'a Given<HandlerName>,
}

impl Program<'_> {
    fn given(&self) -> Vec<&'static str> {
        let given = [
            self.run.0.is_some(),
            self.function.0.is_some(),
            self.handler.0.is_some(),
        ];
        let named = PROGRAMS.into_iter().zip(given);
        named
            .filter(|(_, given)| *given)
            .map(|(name, _)| name)
            .collect()
    }

    /// The kind of task, where exactly one of the fields is there; reports fields that do not go together.
    fn kind(&self, code: Code, mark: Mark, at: &mut At<'_>) -> Option<TaskKind> {
        let given = self.given();
        if given.len() > 1 {
            let message = format!(
                "`{}` cannot all be given: it runs one thing",
                given.join("`, `")
            );
            at.report(Trouble::new(code, mark, message));
            return None;
        }
        for (field, given) in [
            ("bundle", self.bundle.0.is_some()),
            ("env", !self.env.0.is_empty()),
        ] {
            if given && self.run.0.is_none() {
                let message = format!("`{field}` goes with `run`");
                at.within(Step::Field(field), |at| {
                    at.report(Trouble::new(Code::NotForKind, mark, message));
                });
            }
        }
        if let Some(run) = &self.run.0 {
            if run.0.first().is_some_and(|program| program.0.is_empty()) {
                at.within(Step::Field("run"), |at| {
                    at.report(Trouble::new(Code::OutOfRange, mark, "it names no program"));
                });
            }
            return Some(TaskKind::Command(Command {
                run: run.0.iter().map(|argument| argument.0.clone()).collect(),
                bundle: self.bundle.0.as_ref().map(|folder| folder.0.clone()),
                env: self
                    .env
                    .0
                    .iter()
                    .map(|(name, value)| (name.value.0.clone(), value.0.clone()))
                    .collect(),
            }));
        }
        if let Some(function) = &self.function.0 {
            return Some(TaskKind::Lambda {
                function: function.0.clone(),
                errors: None,
            });
        }
        let handler = self.handler.0.as_ref()?;
        Some(TaskKind::Handler {
            handler: handler.0.clone(),
        })
    }
}

/// What puts parts together, before the document's defaults are known.
#[derive(Debug, Clone)]
pub(crate) struct MergeDraft {
    pub(crate) kind: TaskKind,
    pub(crate) settings: Settings,
}

/// The task that puts parts together; `None` after a report.
pub(super) fn merge(fields: &MergeFields, mark: Mark, at: &mut At<'_>) -> Option<MergeDraft> {
    let program = Program {
        run: &fields.run,
        bundle: &fields.bundle,
        env: &fields.env,
        function: &fields.function,
        handler: &fields.handler,
    };
    if program.given().is_empty() {
        let message = "it says nothing to run: `run`, `function` or `handler` is missing";
        at.report(Trouble::new(Code::Merge, mark, message));
    }
    let settings = Settings {
        memory: mib(&fields.memory_mib),
        estimate_ms: fields.estimate_s.0.map(|s| milliseconds(s.0)),
        timeout_ms: fields.timeout_s.0.map(|s| milliseconds(s.0)),
        ..Settings::default()
    };
    within_timeout(&settings, mark, at);
    Some(MergeDraft {
        kind: program.kind(Code::Merge, mark, at)?,
        settings,
    })
}

/// What can run instead, before the document's defaults are known.
#[derive(Debug, Clone)]
pub(crate) struct EquivalentDraft {
    /// What to run; `None`: what the task runs, elsewhere.
    pub(crate) kind: Option<TaskKind>,
    pub(crate) settings: Settings,
    pub(crate) require: Vec<(String, String)>,
    pub(crate) prefer: Vec<(String, String)>,
    pub(crate) note: Option<String>,
}

/// Most equivalents of a task: each is tried.
const EQUIVALENTS: usize = 16;

/// The declared equivalents of a task.
pub(super) fn equivalents(task: &TaskFields, at: &mut At<'_>) -> Vec<EquivalentDraft> {
    at.within(Step::Field("equivalents"), |at| {
        if task.equivalents.len() > EQUIVALENTS {
            let message = format!(
                "{} equivalents, at most {EQUIVALENTS}",
                task.equivalents.len()
            );
            at.report(Trouble::new(Code::OutOfRange, task.id.mark, message));
        }
        let each = task.equivalents.iter().enumerate();
        each.map(|(index, fields)| at.within(Step::Index(index), |at| equivalent(task, fields, at)))
            .collect()
    })
}

fn equivalent(
    task: &TaskFields,
    marked: &Marked<EquivalentFields>,
    at: &mut At<'_>,
) -> EquivalentDraft {
    let (fields, mark) = (&marked.value, marked.mark);
    let program = Program {
        run: &fields.run,
        bundle: &fields.bundle,
        env: &fields.env,
        function: &fields.function,
        handler: &fields.handler,
    };
    let kind = program.kind(Code::Equivalent, mark, at);
    let settings = Settings {
        memory: mib(&fields.memory_mib),
        vcpus: fields.vcpus.0.map(|v| v.0 as f32),
        gpu: mib(&fields.gpu_mib),
        disk: fields
            .disk_mib
            .0
            .and_then(|disk| u32::try_from(disk.0).ok())
            .map(Mib),
        estimate_ms: fields.estimate_s.0.map(|s| milliseconds(s.0)),
        timeout_ms: fields.timeout_s.0.map(|s| milliseconds(s.0)),
        ..Settings::default()
    };
    within_timeout(&settings, mark, at);
    let labels = |entries: &Entries<Label, Label>| -> Vec<(String, String)> {
        let pairs = entries.0.iter();
        pairs
            .map(|(name, value)| (name.value.0.clone(), value.0.clone()))
            .collect()
    };
    let (require, prefer) = (labels(&fields.require), labels(&fields.prefer));
    let needs_less = task.gpu_mib.0.is_some()
        || task
            .affinity
            .0
            .as_ref()
            .is_some_and(|wishes| !wishes.require.0.is_empty());
    let nothing = settings == Settings::default() && require.is_empty() && prefer.is_empty();
    if kind.is_none() && program.given().is_empty() && nothing && !needs_less {
        let message = "it says nothing that the task does not say";
        let hint = "give another `run`, `function` or `handler`, or other resources";
        at.report(Trouble::new(Code::Equivalent, mark, message).hint(hint));
    }
    if kind.is_some() && !task.catch.is_empty() {
        let message = "the task has `catch`, so that its output is `{ok: …}`: this one's is not";
        let hint = "leave `catch` away, or give only other resources";
        at.report(Trouble::new(Code::Equivalent, mark, message).hint(hint));
    }
    if task.kind.value == Kind::Synthetic && kind.is_some() {
        let message = "a synthetic load stands for nothing that could be run instead";
        at.report(Trouble::new(Code::Equivalent, mark, message).hint("give other resources"));
    }
    EquivalentDraft {
        kind,
        settings,
        require,
        prefer,
        note: fields.note.0.clone(),
    }
}

fn mib(given: &Given<Mebibytes>) -> Option<Mib> {
    let mib = given.0.and_then(|mib| u32::try_from(mib.0).ok());
    mib.map(Mib)
}

fn within_timeout(settings: &Settings, mark: Mark, at: &mut At<'_>) {
    if let (Some(estimate), Some(timeout)) = (settings.estimate_ms, settings.timeout_ms)
        && estimate > timeout
    {
        let message =
            format!("the estimate of {estimate} ms is longer than the timeout of {timeout} ms");
        at.within(Step::Field("timeout_s"), |at| {
            at.report(Trouble::new(Code::OutOfRange, mark, message));
        });
    }
}
