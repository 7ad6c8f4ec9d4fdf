//! The workflow with choices made for some of its tasks, and what would come of them.

use foreshard_model::ids::TaskIndex;
use foreshard_model::limits::WORKFLOW_TASKS;
use foreshard_model::sculpt::{Equivalent, Split};
use foreshard_model::workflow::{FileSource, Task};

use crate::graph::Edge;
use crate::place::SHARD_MS;

use super::Given;
use super::cut::{cut, merge_form, part_estimate_ms, part_resources};
use super::fit::{Ask, Classes, Fit, Unfit, bytes_of};
use super::forecast::{Forecast, NO_LANE, Piece, Room, forecast};

/// Tasks and edges that all tries together may look at: about two seconds. At least [`TRIES_MIN`] are made.
const LOOKED_AT: usize = 6_000_000;
/// See [`LOOKED_AT`]: as it is, and three others.
const TRIES_MIN: usize = 4;
/// Edges that the parts of one task may add: each follows everything that the task follows.
const EDGES_ADDED: usize = 100_000;

/// A plan within this share of the best, and [`TOLERANCE_MS`], counts as equally good: what asks for less is taken then. As
/// where shardings are chosen.
const TOLERANCE: f64 = 1.05;
/// See [`TOLERANCE`].
const TOLERANCE_MS: f64 = 50.0;

/// Whether one end of a run is about as good as another.
pub(super) fn is_as_good(ms: f64, best_ms: f64) -> bool {
    ms <= best_ms * TOLERANCE + TOLERANCE_MS
}

/// What was chosen for one task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// Parts; 0 and 1: it is left whole.
    pub(super) parts: u32,
    /// The equivalent that runs instead, from 1; 0: itself.
    pub(super) instead: u32,
}

/// A workflow, and a choice for each of its tasks.
pub(super) struct Scene<'a> {
    pub(super) given: Given<'a, 'a>,
    classes: Classes<'a>,
    pub(super) choices: Vec<Choice>,
    /// Tasks that can be cut.
    splittable: usize,
    edges: usize,
    looked_at: usize,
    tries: usize,
}

impl<'a> Scene<'a> {
    pub(super) fn new(given: &Given<'a, 'a>) -> Self {
        let tasks = given.workflow.tasks.len();
        let edges = given
            .workflow
            .tasks
            .iter()
            .map(|task| task.needs.len())
            .sum();
        Self {
            given: *given,
            classes: Classes::new(given.sites),
            choices: vec![Choice::default(); tasks],
            splittable: given
                .workflow
                .tasks
                .iter()
                .filter(|task| task.extras.as_deref().is_some_and(|e| e.split.is_some()))
                .count(),
            edges,
            looked_at: 0,
            tries: 0,
        }
    }

    pub(super) fn task(&self, at: usize) -> &'a Task {
        &self.given.workflow.tasks[at]
    }

    pub(super) fn split(&self, at: usize) -> Option<&'a Split> {
        split_of(self.task(at))
    }

    pub(super) fn equivalents(&self, at: usize) -> &'a [Equivalent] {
        let extras = self.task(at).extras.as_deref();
        extras.map_or(&[], |extras| &extras.equivalents)
    }

    /// Most parts that a task may have: what it declares, and its share of what a workflow may grow to. It may be less than
    /// the fewest that it declares.
    pub(super) fn parts_max(&self, at: usize, split: &Split) -> u32 {
        let room = WORKFLOW_TASKS.saturating_sub(self.choices.len());
        let room = room / self.splittable.max(1);
        let edges = EDGES_ADDED / self.task(at).needs.len().max(1);
        let most = room.min(edges).min(split.max_parts as usize) as u32;
        most.max(1)
    }

    /// What a target gives the task, whole or each of so many parts.
    ///
    /// # Errors
    /// No target can run it.
    pub(super) fn fit(&mut self, at: usize, choice: Choice) -> Result<Fit, Unfit> {
        let task = self.task(at);
        let other = match choice.instead {
            0 => None,
            number => self.equivalents(at).get(number as usize - 1),
        };
        let (whole, cpu_ms);
        let task = match other {
            Some(other) => {
                whole = replaced(task, other);
                cpu_ms = (self.given.cpu_ms)(&whole);
                &whole
            }
            None => {
                cpu_ms = (self.given.cpu_ms)(task);
                task
            }
        };
        let moved = task.needs.iter().map(|need| need.bytes);
        let generated = task.files.iter().map(|file| match file.source {
            FileSource::Generated { bytes } => bytes,
            FileSource::Task { .. } => 0,
        });
        let mut ask = Ask {
            kind: &task.kind,
            resources: task.resources,
            affinity: task.extras.as_deref().map(|extras| &extras.affinity),
            cpu_ms,
            read_bytes: moved.chain(generated).fold(0, u64::saturating_add),
            written_bytes: bytes_of(&task.writes),
        };
        if let (Some(split), parts @ 2..) = (split_of(task), choice.parts) {
            ask.resources = part_resources(task, split, parts);
            let share_ms = part_estimate_ms(cpu_ms.map(|ms| ms.ceil() as u64), split, parts);
            ask.cpu_ms = share_ms.map(|ms| ms as f64);
            ask.written_bytes /= u64::from(parts);
        }
        self.classes.fit(&ask)
    }

    /// What a target gives what puts the parts of a task together.
    fn fit_merge(&mut self, at: usize, split: &Split) -> Result<Fit, Unfit> {
        let (kind, resources, estimate_ms, _) = merge_form(split);
        let bytes = bytes_of(&self.task(at).writes);
        self.classes.fit(&Ask {
            kind: &kind,
            resources,
            affinity: None,
            cpu_ms: estimate_ms.map(|ms| ms as f64),
            read_bytes: bytes,
            written_bytes: bytes,
        })
    }

    /// Whether there is time to try anything more.
    pub(super) fn may_try(&self) -> bool {
        self.tries < TRIES_MIN || self.looked_at < LOOKED_AT
    }

    /// What would come of the choices. The first entries of `wait_ms` are the tasks as declared.
    pub(super) fn forecast(&mut self) -> Forecast {
        let count = self.choices.len();
        let mut pieces: Vec<Piece> = Vec::with_capacity(count * 2);
        let mut edges: Vec<Edge> = Vec::with_capacity(self.edges);
        let mut peak = 1;
        for at in 0..count {
            let fit = self.whole_fit(at);
            peak = peak.max(fit.map_or(0, |fit| fit.memory));
            pieces.push(piece(fit));
        }
        for at in 0..count {
            let choice = self.choices[at];
            let needs = self.task(at).needs.iter().map(|need| need.task.0);
            let to = match (self.split(at), choice.parts) {
                (Some(_), 2..) => {
                    let mut fit = self.fit(at, choice);
                    peak = peak.max(fit.map_or(0, |fit| fit.memory));
                    if let Ok(fit) = &mut fit {
                        fit.ms += SHARD_MS;
                    }
                    add_parts(at, choice.parts, piece(fit), &mut pieces, &mut edges)
                }
                _ => at as u32,
            };
            edges.extend(needs.map(|from| edge(from, to)));
        }
        self.tries += 1;
        self.looked_at += pieces.len() + edges.len();
        let room = self.room(peak);
        forecast(&pieces, &edges, &room)
    }

    /// The task itself, or the merge of its parts.
    fn whole_fit(&mut self, at: usize) -> Result<Fit, Unfit> {
        let choice = self.choices[at];
        match (self.split(at), choice.parts) {
            (Some(split), 2..) => self.fit_merge(at, split).map(|fit| Fit {
                ms: fit.ms + SHARD_MS,
                ..fit
            }),
            _ => self.fit(at, choice),
        }
    }

    /// What can run at once, where a lane may need the largest target that is in use.
    fn room(&self, peak: u32) -> Room {
        let shared = self.given.sites.pool.lane_memory;
        let fitting = shared.map_or(u32::MAX, |memory| memory.0 / peak);
        let lanes = self.given.lanes.min(fitting).max(1);
        let of_class = self.classes.free().map(|free| free.min(lanes));
        Room {
            lanes,
            of_class: of_class.collect(),
        }
    }

    pub(super) fn is_changed(&self) -> bool {
        self.choices
            .iter()
            .any(|choice| choice.parts > 1 || choice.instead > 0)
    }

    /// Writes the choices into the tasks, which are those of the workflow.
    pub(super) fn write(&self, tasks: &mut Vec<Task>) {
        for (at, choice) in self.choices.iter().enumerate() {
            if let Some(number) = choice.instead.checked_sub(1)
                && let Some(other) = self.equivalents(at).get(number as usize)
            {
                tasks[at] = replaced(&tasks[at], other);
                tasks[at].task_type =
                    format!("{}/equivalent-{}", tasks[at].task_type, choice.instead);
            }
            if let (Some(split), 2..) = (split_of(&tasks[at]).cloned(), choice.parts) {
                cut(tasks, TaskIndex(at as u32), &split, choice.parts);
            }
        }
    }
}

fn split_of(task: &Task) -> Option<&Split> {
    task.extras.as_deref()?.split.as_deref()
}

/// The task with an equivalent in its place. What parts of the task were measured to need says nothing of its own.
fn replaced(task: &Task, other: &Equivalent) -> Task {
    let mut extras = task.extras();
    extras.equivalents = Vec::new();
    if let Some(split) = &mut extras.split {
        split.measured = None;
    }
    extras.affinity = other.affinity.clone();
    Task {
        kind: other.kind.clone(),
        resources: other.resources,
        estimate_ms: other.estimate_ms,
        timeout_ms: other.timeout_ms,
        extras: Some(Box::new(extras)),
        ..task.clone()
    }
}

/// Parts between a gate, which takes no time, and the merge; gives the gate.
fn add_parts(
    merge: usize,
    parts: u32,
    part: Piece,
    pieces: &mut Vec<Piece>,
    edges: &mut Vec<Edge>,
) -> u32 {
    let gate = pieces.len() as u32;
    pieces.push(Piece {
        ms: 0.0,
        class: NO_LANE,
    });
    for _ in 0..parts {
        let number = pieces.len() as u32;
        pieces.push(part);
        edges.push(edge(gate, number));
        edges.push(edge(number, merge as u32));
    }
    gate
}

fn edge(from: u32, to: u32) -> Edge {
    Edge { from, to, bytes: 0 }
}

/// What cannot run anywhere is refused later on; until then it takes no time.
fn piece(fit: Result<Fit, Unfit>) -> Piece {
    match fit {
        Ok(Fit { ms, class, .. }) => Piece { ms, class },
        Err(_) => Piece {
            ms: 0.0,
            class: NO_LANE,
        },
    }
}
