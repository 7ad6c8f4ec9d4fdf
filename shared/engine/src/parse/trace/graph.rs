//! Who waits for whom in a trace, and who reads which file of whom.

use std::collections::{BTreeMap, BTreeSet};

use super::super::code::Code;
use super::super::names::Symbol;
use super::super::order::{Lists, Order, entangled, order, position};
use super::super::problems::{Mark, Problems, Trouble, shown};
use super::Trace;
use super::import::Index;

/// Tasks that a message names of one cycle.
const CYCLE_SHOWN: usize = 12;

/// The graph of a trace.
pub(super) struct Graph {
    /// What each task needs.
    pub(super) needs: Lists,
    /// What each task reads.
    pub(super) reads: Vec<Vec<Read>>,
}

/// One file that a task reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Read {
    pub(super) file: Symbol,
    /// Who writes it; `None`: it is generated where it is read.
    pub(super) writer: Option<u32>,
}

/// Resolves parents, children and files.
pub(super) fn graph(trace: &Trace, index: &Index, problems: &mut Problems) -> Graph {
    let parents = parents(trace, index, problems);
    let order = match order(&parents) {
        Ok(order) => order,
        Err(cycles) => {
            for cycle in cycles {
                report_cycle(trace, &cycle, problems);
            }
            return Graph {
                needs: parents,
                reads: vec![Vec::new(); trace.tasks.len()],
            };
        }
    };
    let writers = Writers::new(trace);
    let mut reads = reads(trace, &parents, &writers);
    let needs = add_dependencies(trace, parents, &order, &mut reads, problems);
    sizes(trace, index, problems);
    Graph { needs, reads }
}

/// What parents and children say together; a note where only one of the two says it.
fn parents(trace: &Trace, index: &Index, problems: &mut Problems) -> Lists {
    let (mut of_parents, mut of_children) = (Vec::new(), Vec::new());
    for (place, task) in trace.tasks.iter().enumerate() {
        let this = position(place);
        let mut unknown = |field: &str, id: Symbol| {
            let name = shown(trace.names.text(id));
            let message = format!("there is no task `{name}`");
            let path = format!("workflow.specification.tasks[{place}].{field}");
            problems.push(path, Trouble::new(Code::UnknownTask, task.mark, message));
        };
        for id in &task.parents {
            match index.task(*id) {
                Some(parent) => of_parents.push((this, parent)),
                None => unknown("parents", *id),
            }
        }
        for id in &task.children {
            match index.task(*id) {
                Some(child) => of_children.push((child, this)),
                None => unknown("children", *id),
            }
        }
    }
    for pairs in [&mut of_parents, &mut of_children] {
        pairs.sort_unstable();
        pairs.dedup();
    }
    let only = |these: &[(u32, u32)], those: &[(u32, u32)]| {
        these
            .iter()
            .filter(|pair| those.binary_search(pair).is_err())
            .count()
    };
    let differ = only(&of_parents, &of_children) + only(&of_children, &of_parents);
    if differ > 0 {
        let message = format!(
            "{differ} dependencies are given by only one of `parents` and `children`: all are kept"
        );
        let trouble = Trouble::new(Code::ParentsAndChildren, Mark::default(), message);
        problems.note("workflow.specification.tasks", trouble);
    }
    of_parents.append(&mut of_children);
    Lists::of(trace.tasks.len(), of_parents)
}

/// Who writes each file.
struct Writers {
    first: Vec<Option<u32>>,
    /// Further writers, of the rare files that have several.
    more: BTreeMap<Symbol, BTreeSet<u32>>,
}

impl Writers {
    fn new(trace: &Trace) -> Self {
        let mut writers = Self {
            first: vec![None; trace.names.len()],
            more: BTreeMap::new(),
        };
        for (place, task) in trace.tasks.iter().enumerate() {
            let this = position(place);
            for file in &task.outputs {
                match writers.first[file.index()] {
                    None => writers.first[file.index()] = Some(this),
                    Some(first) if first == this => {}
                    Some(_) => {
                        writers.more.entry(*file).or_default().insert(this);
                    }
                }
            }
        }
        writers
    }

    /// Whose file a reader gets: a parent's where there is one, otherwise the first other task's.
    fn of(&self, file: Symbol, reader: u32, parents: &[u32]) -> Option<u32> {
        let first = self.first[file.index()]?;
        let others = self.more.get(&file).into_iter().flatten().copied();
        let all = || {
            std::iter::once(first)
                .chain(others.clone())
                .filter(|w| *w != reader)
        };
        all()
            .find(|writer| parents.binary_search(writer).is_ok())
            .or_else(|| all().next())
    }
}

fn reads(trace: &Trace, parents: &Lists, writers: &Writers) -> Vec<Vec<Read>> {
    let of = |(place, task): (usize, &super::Traced)| {
        let this = position(place);
        let mut files = task.inputs.to_vec();
        files.sort_unstable();
        files.dedup();
        let read = |file: Symbol| Read {
            file,
            writer: writers.of(file, this, parents.get(this)),
        };
        files.into_iter().map(read).collect()
    };
    trace.tasks.iter().enumerate().map(of).collect()
}

/// A file makes its reader wait for its writer, also where the trace does not say so; unless that closed a circle: then
/// the file is generated where it is read.
fn add_dependencies(
    trace: &Trace,
    parents: Lists,
    base: &Order,
    reads: &mut [Vec<Read>],
    problems: &mut Problems,
) -> Lists {
    let mut missing = Vec::new();
    for (place, reads) in reads.iter().enumerate() {
        let this = position(place);
        let parents = parents.get(this);
        let writers = reads.iter().filter_map(|read| read.writer);
        let new = writers.filter(|writer| parents.binary_search(writer).is_err());
        missing.extend(new.map(|writer| (this, writer)));
    }
    if missing.is_empty() {
        return parents;
    }
    let with = |extra: &[(u32, u32)]| {
        let all = 0..position(parents.len());
        let mut pairs: Vec<(u32, u32)> = all
            .flat_map(|task| parents.get(task).iter().map(move |need| (task, *need)))
            .collect();
        pairs.extend_from_slice(extra);
        Lists::of(parents.len(), pairs)
    };
    let mut needs = with(&missing);
    let mut dropped = 0;
    if order(&needs).is_err() {
        // What agrees with the order of the parents closes no circle, nor does what is on none.
        let mut place = vec![0_usize; base.tasks.len()];
        for (position, task) in base.tasks.iter().enumerate() {
            place[*task as usize] = position;
        }
        let entangled = entangled(&needs);
        missing.retain(|(task, need)| {
            let (task, need) = (*task as usize, *need as usize);
            !(entangled[task] && entangled[need]) || place[need] < place[task]
        });
        needs = with(&missing);
        for (reader, reads) in reads.iter_mut().enumerate() {
            let this = position(reader);
            for read in reads {
                let kept = |w: u32| needs.get(this).binary_search(&w).is_ok();
                if read.writer.is_some_and(|writer| !kept(writer)) {
                    read.writer = None;
                    dropped += 1;
                }
            }
        }
    }
    missing.sort_unstable();
    missing.dedup();
    notes(trace, &missing, dropped, problems);
    needs
}

fn notes(trace: &Trace, added: &[(u32, u32)], dropped: usize, problems: &mut Problems) {
    let path = "workflow.specification.tasks";
    if let Some((task, need)) = added.first() {
        let name = |task: &u32| shown(trace.names.text(trace.tasks[*task as usize].id));
        let message = format!(
            "{} dependencies were added because of files, such as `{}` on `{}`",
            added.len(),
            name(task),
            name(need)
        );
        problems.note(
            path,
            Trouble::new(Code::DependencyAdded, Mark::default(), message),
        );
    }
    if dropped > 0 {
        let message = format!(
            "{dropped} files are generated where they are read: to wait for who writes them would close a circle"
        );
        problems.note(
            path,
            Trouble::new(Code::FileGenerated, Mark::default(), message),
        );
    }
}

fn sizes(trace: &Trace, index: &Index, problems: &mut Problems) {
    let named = trace
        .tasks
        .iter()
        .flat_map(|task| task.inputs.iter().chain(&task.outputs));
    let unsized_files: BTreeSet<Symbol> = named.copied().filter(|f| !index.is_sized(*f)).collect();
    if let Some(first) = unsized_files.first() {
        let message = format!(
            "{} files have no entry in `files`, such as `{}`: they are taken as empty",
            unsized_files.len(),
            shown(trace.names.text(*first))
        );
        let trouble = Trouble::new(Code::SizeAssumed, Mark::default(), message);
        problems.note("workflow.specification.files", trouble);
    }
}

fn report_cycle(trace: &Trace, cycle: &[u32], problems: &mut Problems) {
    let name = |task: &u32| {
        format!(
            "`{}`",
            shown(trace.names.text(trace.tasks[*task as usize].id))
        )
    };
    let mut names: Vec<String> = cycle.iter().take(CYCLE_SHOWN).map(name).collect();
    if cycle.len() > CYCLE_SHOWN {
        names.push(format!("… {} more", cycle.len() - CYCLE_SHOWN));
    }
    names.extend(cycle.first().map(name));
    let mark = trace.tasks[cycle[0] as usize].mark;
    let message = format!("tasks wait for each other: {}", names.join(" → "));
    let path = format!("workflow.specification.tasks[{}]", cycle[0]);
    problems.push(path, Trouble::new(Code::Cycle, mark, message));
}
