//! Makes a workflow of synthetic tasks from a trace: the same graph, the same loads, the same files.

use std::collections::BTreeMap;

use foreshard_model::ids::{TaskId, TaskIndex};
use foreshard_model::limits::TASK_ID_CHARS;
use foreshard_model::objective::Objective;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{
    Effect, FileInput, FileOutput, FileSource, Need, OnFailure, Resources, Synthetic, Task,
    TaskKind, Workflow,
};

use super::super::code::Code;
use super::super::names::Symbol;
use super::super::order::{Lists, position};
use super::super::problems::{Mark, Problems, Trouble, shown};
use super::super::settings::default_timeout_ms;
use super::super::stem::stem;
use super::Trace;
use super::files::scratch_name;
use super::graph::{Read, graph};

/// Memory of a task that recorded none.
const MEMORY: Mib = Mib(512);

/// Shortest CPU time, in milliseconds, so that every task does something.
const CPU_MS: f64 = 1.0;

/// Most memory that is believed, in MiB: 16 TiB, as in documents.
const MEMORY_MAX_MIB: f64 = 16_777_216.0;

/// The workflow of a trace; notes say what was assumed. It counts only if there are no problems.
pub(crate) fn import(trace: &Trace, problems: &mut Problems) -> Workflow {
    if trace.tasks.is_empty() {
        let trouble = Trouble::new(Code::OutOfRange, Mark::default(), "there are no tasks");
        problems.push("workflow.specification.tasks", trouble);
    }
    let index = Index::new(trace, problems);
    let graph = graph(trace, &index, problems);
    let loads = loads(trace, &index, problems);
    let tasks = (0..trace.tasks.len())
        .map(|task| {
            let needs = needs(task, &graph.needs, &graph.reads[task], &index);
            built(trace, task, needs, &graph.reads[task], loads[task], &index)
        })
        .collect();
    Workflow {
        name: workflow_name(&trace.name),
        version: "1".to_owned(),
        tasks,
        outputs: BTreeMap::new(),
        on_failure: OnFailure::Stop,
        objective: Objective::default(),
    }
}

/// What names mean.
pub(super) struct Index {
    /// Tasks by symbol.
    task_of: Vec<Option<u32>>,
    /// Sizes of files by symbol; `None` where there is no entry.
    sizes: Vec<Option<u64>>,
}

impl Index {
    fn new(trace: &Trace, problems: &mut Problems) -> Self {
        let mut task_of: Vec<Option<u32>> = vec![None; trace.names.len()];
        for (index, task) in trace.tasks.iter().enumerate() {
            let path = || format!("workflow.specification.tasks[{index}].id");
            let id = trace.names.text(task.id);
            if id.is_empty() || id.chars().count() > TASK_ID_CHARS {
                let message = format!(
                    "the id `{}` has not 1 to {TASK_ID_CHARS} characters",
                    shown(id)
                );
                problems.push(path(), Trouble::new(Code::BadText, task.mark, message));
            }
            let place = position(index);
            if let Some(first) = task_of[task.id.index()].replace(place) {
                let message = format!("the id `{}` is taken by tasks[{first}]", shown(id));
                problems.push(path(), Trouble::new(Code::DuplicateId, task.mark, message));
            }
        }
        let mut sizes = vec![None; trace.names.len()];
        for (file, bytes) in &trace.files {
            sizes[file.index()] = Some(*bytes);
        }
        Self { task_of, sizes }
    }

    /// The task with this id.
    pub(super) fn task(&self, id: Symbol) -> Option<u32> {
        self.task_of[id.index()]
    }

    /// The size of a file; 0 where none is recorded.
    pub(super) fn bytes(&self, file: Symbol) -> u64 {
        self.sizes[file.index()].unwrap_or(0)
    }

    /// Whether the size of a file is recorded.
    pub(super) fn is_sized(&self, file: Symbol) -> bool {
        self.sizes[file.index()].is_some()
    }
}

/// What a task burns and holds.
#[derive(Debug, Clone, Copy)]
struct Load {
    cpu_ms: f64,
    memory: Mib,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked against the largest that is believed"
)]
fn loads(trace: &Trace, index: &Index, problems: &mut Problems) -> Vec<Load> {
    let mut runtimes: Vec<Option<f64>> = vec![None; trace.tasks.len()];
    let mut memories: Vec<Option<Mib>> = vec![None; trace.tasks.len()];
    for (entry, run) in trace.runs.iter().enumerate() {
        let path = || format!("workflow.execution.tasks[{entry}]");
        let Some(task) = index.task(run.id) else {
            let id = shown(trace.names.text(run.id));
            let message = format!("`{id}` ran, but is not among the specified tasks");
            problems.push(path(), Trouble::new(Code::Trace, run.mark, message));
            continue;
        };
        let mebibytes = run.memory_bytes.map(|bytes| (bytes / 1_048_576.0).ceil());
        if mebibytes.is_some_and(|m| m > MEMORY_MAX_MIB) {
            let message = format!("memoryInBytes is more than {MEMORY_MAX_MIB} MiB");
            problems.push(path(), Trouble::new(Code::OutOfRange, run.mark, message));
        }
        let task = task as usize;
        // A task that ran twice counts with the most that it took.
        let both = [runtimes[task], run.runtime_s];
        runtimes[task] = both.into_iter().flatten().reduce(f64::max);
        let memory = mebibytes.map(|m| Mib(m.clamp(1.0, MEMORY_MAX_MIB) as u32));
        memories[task] = memories[task].max(memory);
    }
    let unknown = |count: usize| format!("{count} of {} tasks", trace.tasks.len());
    let no_runtime = runtimes.iter().filter(|r| r.is_none()).count();
    if no_runtime > 0 {
        let message = format!(
            "{} record no run time: 1 ms is assumed",
            unknown(no_runtime)
        );
        let trouble = Trouble::new(Code::RuntimeAssumed, Mark::default(), message);
        problems.note("workflow.execution.tasks", trouble);
    }
    let no_memory = memories.iter().filter(|m| m.is_none()).count();
    if no_memory > 0 {
        let message = format!(
            "{} record no memory: {MEMORY} is assumed",
            unknown(no_memory)
        );
        let trouble = Trouble::new(Code::MemoryAssumed, Mark::default(), message);
        problems.note("workflow.execution.tasks", trouble);
    }
    let load = |(runtime, memory): (Option<f64>, Option<Mib>)| Load {
        cpu_ms: (runtime.unwrap_or(0.0) * 1_000.0).max(CPU_MS),
        memory: memory.unwrap_or(MEMORY),
    };
    runtimes.into_iter().zip(memories).map(load).collect()
}

/// The dependencies of a task with the bytes of the files that move along each.
fn needs(task: usize, needs: &Lists, reads: &[Read], index: &Index) -> Vec<Need> {
    let task = position(task);
    let mut needs: Vec<Need> = needs
        .get(task)
        .iter()
        .map(|need| Need {
            task: TaskIndex(*need),
            bytes: 0,
        })
        .collect();
    for read in reads {
        let place = read
            .writer
            .and_then(|writer| needs.binary_search_by_key(&writer, |need| need.task.0).ok());
        if let Some(place) = place {
            let bytes = &mut needs[place].bytes;
            *bytes = bytes.saturating_add(index.bytes(read.file));
        }
    }
    needs
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a year of milliseconds fits; times are not negative"
)]
fn built(
    trace: &Trace,
    task: usize,
    needs: Vec<Need>,
    reads: &[Read],
    load: Load,
    index: &Index,
) -> Task {
    let traced = &trace.tasks[task];
    let names = &trace.names;
    let estimate_ms = Some(load.cpu_ms.ceil() as u64);
    let file = |read: &Read| {
        let name = scratch_name(names, read.file);
        let source = match read.writer {
            Some(writer) => FileSource::Task {
                task: TaskIndex(writer),
                file: name.clone(),
            },
            None => FileSource::Generated {
                bytes: index.bytes(read.file),
            },
        };
        FileInput { name, source }
    };
    let mut writes: Vec<FileOutput> = traced
        .outputs
        .iter()
        .map(|written| FileOutput {
            name: scratch_name(names, *written),
            bytes: Some(index.bytes(*written)),
        })
        .collect();
    writes.sort_by(|a, b| a.name.cmp(&b.name));
    writes.dedup_by(|a, b| a.name == b.name);
    Task {
        id: TaskId(names.text(traced.id).to_owned()),
        task_type: match stem(names.text(traced.name)) {
            "" => "synthetic".to_owned(),
            stem => stem.to_owned(),
        },
        kind: TaskKind::Synthetic(Synthetic {
            cpu_ms: load.cpu_ms,
            memory: load.memory,
        }),
        needs,
        inputs: Vec::new(),
        files: reads.iter().map(file).collect(),
        writes,
        resources: Resources {
            memory: load.memory,
            vcpus: 1.0,
            gpu: None,
            disk: Mib(0),
            network_mbps: 0,
        },
        estimate_ms,
        timeout_ms: default_timeout_ms(estimate_ms),
        effect: Effect::Pure,
        retries: 2,
        extras: None,
    }
}

/// The trace's name as a name of a workflow: lower case, with `-` for what names do not have.
fn workflow_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
            _ => '-',
        })
        .take(64)
        .collect();
    match safe.trim_matches('-') {
        "" => "trace".to_owned(),
        safe => safe.to_owned(),
    }
}
