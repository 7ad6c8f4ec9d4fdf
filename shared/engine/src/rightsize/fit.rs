//! Fits a workflow's tasks to what earlier runs of their types used: memory, vCPUs, duration, each task by its input.

use std::collections::BTreeMap;

use foreshard_model::limits::MIB_PER_VCPU;
use foreshard_model::objective::Objective;
use foreshard_model::plan::Reason;
use foreshard_model::profile::Profile;
use foreshard_model::target::Pool;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{FileSource, Resources, Task, TaskKind, Workflow};

use crate::place::WORKER_MIB;
use crate::profile::{learnt_type, typical_bytes};
use crate::sculpt::largest_part;

use super::decide::{Sized, Wish, decide};
use super::need::{Ask, Need, need};
use super::size::{Aim, Trial, explore};

/// Tasks of a type of which the measured peak counts alone; with fewer the declared memory is a floor.
const PEAK_SPEAKS_FROM: u64 = 20;

/// Sizes from which a curve tells the others: from one alone it is little more than what is usual.
const SIZES_TELL_FROM: usize = 2;

/// Types whose fit is told; of a workflow with more, the rest is counted.
const TOLD_MAX: usize = 24;

/// Rounding to the nearest float must not ask for more than a tier has.
const NOT_MORE: f64 = 0.999;

/// What tasks are fitted by.
#[derive(Debug, Clone, Copy)]
pub struct Fitting<'a> {
    /// Where they may run.
    pub pool: &'a Pool,
    /// What the run is for.
    pub objective: &'a Objective,
    /// Everything that is known, by [`learnt_type`]; what is not in it is left as declared.
    pub profiles: &'a BTreeMap<String, Vec<Profile>>,
}

/// Types of a workflow that profiles are kept of, each once, by name: what to read before [`fit`].
#[must_use]
pub fn learnt_types(workflow: &Workflow) -> Vec<String> {
    let mut types: Vec<String> = Vec::new();
    let mut last: Option<&str> = None;
    for task in &workflow.tasks {
        if let Some(part) = largest_part(task) {
            types.extend(learnt_type(&workflow.name, &part.kind, &part.task_type));
        }
        // Tasks of one type mostly follow each other; of synthetic ones there is nothing to learn.
        let known = last == Some(task.task_type.as_str());
        if known || matches!(task.kind, TaskKind::Synthetic(_)) {
            continue;
        }
        last = Some(&task.task_type);
        types.extend(learnt_type(&workflow.name, &task.kind, &task.task_type));
    }
    types.sort_unstable();
    types.dedup();
    types
}

/// Gives each task of a known type the memory, the vCPUs and the duration that are expected of it, and says why.
///
/// Parts of a task that may be cut are types of their own: they are given what parts used, however many there were.
///
/// A task stays on a size that was tried, unless two or more tell what the others would do; one task of a type may be given a
/// neighbouring size as a trial, where that is expected to pay over the tasks to come. What was killed for memory, or ran out of
/// time, is not put on that size again.
///
/// # Complexity
/// O(tasks · log), and a curve (800 points) for each type and size of input, in steps of a quarter of their logarithm.
pub fn fit(workflow: &mut Workflow, by: &Fitting<'_>) -> Vec<Reason> {
    if by.profiles.is_empty() {
        return Vec::new();
    }
    let mut fits = Fits::of(workflow, by);
    for task in &mut workflow.tasks {
        fits.apply(&workflow.name, task);
    }
    fits.reasons
}

/// Tasks that are alike as far as their size goes.
type Alike = (String, u64);

/// What is asked of a size: how many tasks are alike, and the most memory that they declare.
#[derive(Default)]
struct Asked {
    count: f64,
    declared: Mib,
    parts: bool,
}

impl Asked {
    fn add(&mut self, task: &Task) {
        self.count += 1.0;
        self.declared = self.declared.max(task.resources.memory);
    }
}

struct Fits {
    fitted: BTreeMap<Alike, Option<Fitted>>,
    typical: BTreeMap<String, u64>,
    reasons: Vec<Reason>,
}

/// What a size makes of a task.
struct Fitted {
    memory: Mib,
    need: Need,
    /// Declared memory counts no longer.
    measured: bool,
    /// One task is put on this size.
    trial: Option<Mib>,
}

impl Fits {
    fn of(workflow: &Workflow, by: &Fitting<'_>) -> Self {
        let typical = by.profiles.iter();
        let mut fits = Self {
            fitted: BTreeMap::new(),
            typical: typical
                .filter_map(|(name, profiles)| Some((name.clone(), typical_bytes(profiles)?)))
                .collect(),
            reasons: Vec::new(),
        };
        let mut counts: BTreeMap<Alike, Asked> = BTreeMap::new();
        for task in &workflow.tasks {
            if let Some(alike) = fits.alike(&workflow.name, task) {
                counts.entry(alike).or_default().add(task);
            }
            if let Some((alike, part)) = fits.part(&workflow.name, task) {
                let asked = counts.entry(alike).or_default();
                asked.add(&part);
                asked.parts = true;
            }
        }
        let mut untold = 0_u32;
        for (alike, asked) in counts {
            let count = asked.count;
            let profiles = by.profiles.get(&alike.0).map_or(&[][..], Vec::as_slice);
            let mut fitted = fitted(profiles, alike.1, count, asked.declared, by);
            if let Some((_, fitted)) = fitted.as_mut().filter(|_| asked.parts) {
                // How many there will be is not known yet: none of them is tried elsewhere.
                fitted.trial = None;
            }
            if let Some((sized, fitted)) = &fitted {
                if fits.reasons.len() < TOLD_MAX {
                    let told = told(&alike, count, sized, fitted);
                    fits.reasons.push(told);
                } else {
                    untold += 1;
                }
            }
            fits.fitted.insert(alike, fitted.map(|(_, fitted)| fitted));
        }
        if untold > 0 {
            fits.reasons.push(Reason {
                subject: "size".to_owned(),
                because: format!("{untold} further types and sizes of input are fitted as well"),
                numbers: BTreeMap::new(),
            });
        }
        fits
    }

    /// Type and rounded size of input; of an input whose size nobody tells, that which is usual.
    fn alike(&self, workflow: &str, task: &Task) -> Option<Alike> {
        let name = learnt_type(workflow, &task.kind, &task.task_type)?;
        let typical = self.typical.get(&name)?;
        let bytes = match input_bytes(task) {
            0 => *typical,
            bytes => bytes,
        };
        Some((name, rounded(bytes)))
    }

    /// The largest part of a task that may be cut, alike to those of the usual size: what a part is given depends on their number.
    fn part(&self, workflow: &str, task: &Task) -> Option<(Alike, Task)> {
        let part = largest_part(task)?;
        let name = learnt_type(workflow, &part.kind, &part.task_type)?;
        let typical = *self.typical.get(&name)?;
        Some(((name, rounded(typical)), part))
    }

    /// What a part of the task needs, where parts were measured.
    fn measured(&self, workflow: &str, task: &Task) -> Option<Resources> {
        let (alike, mut part) = self.part(workflow, task)?;
        let fitted = self.fitted.get(&alike)?.as_ref()?;
        put_on(&mut part, fitted.memory, fitted).then_some(part.resources)
    }

    fn apply(&mut self, workflow: &str, task: &mut Task) {
        if let Some(measured) = self.measured(workflow, task)
            && let Some(split) = task.extras.as_deref_mut().and_then(|e| e.split.as_mut())
        {
            split.measured = Some(measured);
        }
        let Some(alike) = self.alike(workflow, task) else {
            return;
        };
        if let Some(Some(fitted)) = self.fitted.get_mut(&alike) {
            let memory = fitted.trial.take().unwrap_or(fitted.memory);
            put_on(task, memory, fitted);
        }
    }
}

/// Bytes that a task is declared to read: of other tasks, and generated.
fn input_bytes(task: &Task) -> u64 {
    let moved = task.needs.iter().map(|need| need.bytes);
    let files = task.files.iter().map(|file| match file.source {
        FileSource::Generated { bytes } => bytes,
        FileSource::Task { .. } => 0,
    });
    moved.chain(files).fold(0, u64::saturating_add)
}

/// The two leading binary digits: within a quarter of the size.
fn rounded(bytes: u64) -> u64 {
    let drop = bytes.checked_ilog2().unwrap_or(0).saturating_sub(1);
    bytes >> drop << drop
}

fn fitted(
    profiles: &[Profile],
    input_bytes: u64,
    count: f64,
    declared: Mib,
    by: &Fitting<'_>,
) -> Option<(Sized, Fitted)> {
    let features = BTreeMap::new();
    let need = need(&Ask {
        profiles,
        input_bytes,
        features: &features,
    })?;
    let measured = profiles.iter().map(|p| p.samples).sum::<u64>() >= PEAK_SPEAKS_FROM;
    let floor = if measured { 0 } else { declared.0 + WORKER_MIB };
    let mut sizes: Vec<Mib> = by.pool.targets.iter().map(|t| t.memory).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let largest = *sizes.last()?;
    sizes.retain(|size| size.0 >= floor || *size == largest);
    let limit_ms = by.pool.targets.iter().map(|t| t.limit_ms).max()?;
    // As many as the profiles still weigh come again before they are forgotten.
    let runs = count + profiles.iter().map(|p| p.weight).sum::<f64>().min(1e6);
    let wish = Wish {
        sizes: &sizes,
        aim: aim(by.objective),
        limit_ms,
        runs,
    };
    let sized = chosen(&need, &wish)?;
    let trial = trial(&need, &wish, sized.memory).filter(|_| sized.enough);
    let fitted = Fitted {
        memory: sized.memory,
        trial: trial.map(|trial| trial.size),
        measured,
        need,
    };
    Some((Sized { trial, ..sized }, fitted))
}

/// A size that was tried, or any where enough were to tell; where none of those is enough, the smallest that may be.
fn chosen(need: &Need, wish: &Wish<'_>) -> Option<Sized> {
    let tried = |size: &&Mib| need.tried.contains(size);
    let tried: Vec<Mib> = wish.sizes.iter().filter(tried).copied().collect();
    if tried.len() >= SIZES_TELL_FROM {
        return decide(need, wish);
    }
    let among = |sizes: &[Mib]| decide(need, &Wish { sizes, ..*wish });
    if let Some(sized) = among(&tried).filter(|sized| sized.enough) {
        return Some(sized);
    }
    let larger = wish.sizes.iter().copied();
    let mut larger = larger.filter(|size| *size > need.above);
    larger
        .find_map(|size| among(&[size]).filter(|sized| sized.enough))
        .or_else(|| decide(need, wish))
}

/// A neighbour of the size that is worth one try.
fn trial(need: &Need, wish: &Wish<'_>, memory: Mib) -> Option<Trial> {
    let holds = |size: &Mib| *size >= need.peak && *size > need.above;
    let sizes: Vec<Mib> = wish.sizes.iter().copied().filter(holds).collect();
    explore(
        &need.curve,
        &sizes,
        memory,
        &need.tried,
        wish.aim,
        wish.runs,
    )
}

/// What the weights of a run come to for one task.
fn aim(objective: &Objective) -> Aim {
    match objective.weights {
        Some(w) if w.time <= 0.0 && w.cost + w.energy > 0.0 => Aim::Cost,
        Some(w) if w.cost + w.energy <= 0.0 && w.time > 0.0 => Aim::Speed,
        None if objective.deadline_s.is_some() && objective.budget_usd.is_none() => Aim::Cost,
        _ => Aim::Balanced,
    }
}

/// The planner puts a task on the smallest tier that holds its memory and has its vCPUs: those that make it this one. Whether there
/// was anything to size: what waits for others is only timed.
fn put_on(task: &mut Task, memory: Mib, fitted: &Fitted) -> bool {
    if matches!(task.kind, TaskKind::Http(_) | TaskKind::Lambda { .. }) {
        // It waits for others: no size makes it quicker than where it was seen.
        let seen = fitted.need.tried.first().copied().unwrap_or(memory);
        let waits_ms = fitted.need.curve.expected_ms(seen);
        task.estimate_ms = Some(waits_ms.ceil().max(1.0) as u64);
        return false;
    }
    let expected_ms = fitted.need.curve.expected_ms(memory);
    let share = f64::from(memory.0) / f64::from(MIB_PER_VCPU);
    let vcpus = if share <= 1.0 {
        share
    } else {
        share.min(fitted.need.vcpus.max(1.0))
    };
    task.resources.vcpus = (vcpus * NOT_MORE) as f32;
    task.estimate_ms = Some((expected_ms * vcpus.max(1.0)).ceil().max(1.0) as u64);
    let room = memory.0.saturating_sub(WORKER_MIB).max(1);
    let peak = if fitted.measured {
        fitted.need.peak.0
    } else {
        fitted.need.peak.0.max(task.resources.memory.0)
    };
    // Nothing measured, as of what runs in no process of its own: then what is declared holds.
    let wanted = if fitted.need.peak.0 == 0 {
        task.resources.memory.0
    } else {
        peak
    };
    task.resources.memory = Mib(wanted.min(room).max(1));
    true
}

fn told((name, input_bytes): &Alike, count: f64, sized: &Sized, fitted: &Fitted) -> Reason {
    let why = sized.reasons.join("; ");
    let numbers = [
        ("tasks", count),
        ("input_bytes", *input_bytes as f64),
        ("memory_mib", f64::from(sized.memory.0)),
        ("peak_mib", f64::from(fitted.need.peak.0)),
        ("expected_ms", sized.duration.mid),
        (
            "trial_mib",
            fitted.trial.map_or(0.0, |size| f64::from(size.0)),
        ),
    ];
    Reason {
        subject: "size".to_owned(),
        because: format!("`{name}` on {}: {why}", sized.memory),
        numbers: numbers
            .into_iter()
            .filter(|(_, value)| value.is_finite())
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
