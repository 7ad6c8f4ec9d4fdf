//! Which tasks run as what was declared to give the same: those that no target can run, and those that would have to wait
//! so long that the run ends later.

use std::collections::BTreeMap;

use foreshard_model::plan::Reason;

use crate::plan::reason;

use super::scene::{Choice, Scene, is_as_good};

/// Shortest wait that counts as congestion, in milliseconds: no longer than what a shard costs beside its tasks.
const WAIT_MS: f64 = 150.0;

/// Shares of the tasks that have to wait which are tried on an equivalent, in eighths.
const EIGHTHS: [usize; 6] = [1, 2, 3, 4, 6, 8];

/// Decides for every task that has equivalents.
pub(super) fn choose(scene: &mut Scene<'_>) -> Vec<Reason> {
    let having: Vec<usize> = (0..scene.choices.len())
        .filter(|&at| !scene.equivalents(at).is_empty())
        .collect();
    if having.is_empty() {
        return Vec::new();
    }
    let mut reasons = unable(scene, &having);
    reasons.extend(congested(scene, &having));
    reasons
}

/// Whether a target can run it, whole or in some number of parts.
fn can_run(scene: &mut Scene<'_>, at: usize, instead: u32) -> Result<(), String> {
    let most = scene.split(at).map(|split| scene.parts_max(at, split));
    let fewest = scene.split(at).map_or(1, |split| split.min_parts);
    for parts in [Some(fewest), most].into_iter().flatten() {
        match scene.fit(at, Choice { parts, instead }) {
            Ok(_) => return Ok(()),
            Err(unfit) if Some(parts) == most || most.is_none() => return Err(unfit.to_string()),
            Err(_) => {}
        }
    }
    Ok(())
}

/// What no target can run is replaced by the first equivalent that one can.
fn unable(scene: &mut Scene<'_>, having: &[usize]) -> Vec<Reason> {
    let mut alike: BTreeMap<(&str, u32, String), Vec<usize>> = BTreeMap::new();
    for &at in having {
        let Err(why) = can_run(scene, at, 0) else {
            continue;
        };
        let count = scene.equivalents(at).len() as u32;
        let able = (1..=count).find(|&instead| can_run(scene, at, instead).is_ok());
        if let Some(instead) = able {
            scene.choices[at].instead = instead;
            let task_type = scene.task(at).task_type.as_str();
            alike.entry((task_type, instead, why)).or_default().push(at);
        }
    }
    let each = alike.into_iter();
    each.map(|((_, instead, why), tasks)| {
        let because = format!("{}: {why}", chosen(scene, &tasks, instead));
        reason("equivalent", because, &[("tasks", tasks.len() as f64)])
    })
    .collect()
}

/// Of the tasks of one type that have to wait, as many run as an equivalent as it takes to end the run about as early as
/// any number of them. Without a wait nothing is replaced, however quick the equivalent: the task itself is wanted more.
fn congested(scene: &mut Scene<'_>, having: &[usize]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut told = scene.forecast();
    let mut alike: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &at in having {
        if scene.choices[at].instead == 0 {
            alike
                .entry(scene.task(at).task_type.as_str())
                .or_default()
                .push(at);
        }
    }
    for tasks in alike.into_values() {
        let mut waiting: Vec<usize> = tasks
            .into_iter()
            .filter(|&at| told.wait_ms[at] > WAIT_MS)
            .collect();
        waiting.sort_by(|&a, &b| told.wait_ms[b].total_cmp(&told.wait_ms[a]).then(b.cmp(&a)));
        if waiting.is_empty() {
            continue;
        }
        let wait_s = told.wait_ms[waiting[0]] / 1000.0;
        let Some(better) = best(scene, &waiting, told.makespan_ms) else {
            continue;
        };
        for &at in &waiting[..better.count] {
            scene.choices[at].instead = better.instead;
        }
        let before_s = told.makespan_ms / 1000.0;
        let after_s = better.makespan_ms / 1000.0;
        reasons.push(reason(
            "equivalent",
            format!(
                "{}: {} of their type would wait for a lane or their targets, up to {wait_s:.1} s; the run is expected to end after {after_s:.1} s instead of {before_s:.1} s",
                chosen(scene, &waiting[..better.count], better.instead),
                waiting.len(),
            ),
            &[
                ("tasks", better.count as f64),
                ("waiting", waiting.len() as f64),
                ("wait_s", wait_s),
                ("makespan_s", after_s),
                ("without_s", before_s),
                ("saved_s", before_s - after_s),
            ],
        ));
        told = scene.forecast();
    }
    reasons
}

/// A number of tasks, an equivalent, and when the run ends with them.
struct Better {
    count: usize,
    instead: u32,
    makespan_ms: f64,
}

/// The smallest change about as good as the best; `None` when none is clearly better than none.
fn best(scene: &mut Scene<'_>, waiting: &[usize], without_ms: f64) -> Option<Better> {
    let kinds = waiting
        .iter()
        .map(|&at| scene.equivalents(at).len())
        .min()
        .unwrap_or(0) as u32;
    let mut tried: Vec<Better> = Vec::new();
    for instead in 1..=kinds {
        if can_run(scene, waiting[0], instead).is_err() {
            continue;
        }
        let mut counts: Vec<usize> = EIGHTHS
            .iter()
            .map(|n| (waiting.len() * n).div_ceil(8))
            .collect();
        counts.dedup();
        for count in counts {
            if !scene.may_try() {
                break;
            }
            for (place, &at) in waiting.iter().enumerate() {
                scene.choices[at].instead = if place < count { instead } else { 0 };
            }
            let makespan_ms = scene.forecast().makespan_ms;
            tried.push(Better {
                count,
                instead,
                makespan_ms,
            });
        }
    }
    for &at in waiting {
        scene.choices[at].instead = 0;
    }
    let best_ms = tried
        .iter()
        .map(|t| t.makespan_ms)
        .fold(f64::INFINITY, f64::min);
    if is_as_good(without_ms, best_ms) {
        return None;
    }
    tried.retain(|better| is_as_good(better.makespan_ms, best_ms));
    tried
        .into_iter()
        .min_by_key(|better| (better.instead, better.count))
}

/// The tasks, and what runs in their place.
fn chosen(scene: &Scene<'_>, tasks: &[usize], instead: u32) -> String {
    let first = scene.task(tasks[0]);
    let name = match tasks.len() {
        1 => format!("`{}` runs", first.id),
        count => format!("`{}` and {} more like it run", first.id, count - 1),
    };
    let number = instead as usize;
    let note = scene
        .equivalents(tasks[0])
        .get(number - 1)
        .and_then(|other| other.note.as_deref());
    let note = note.map_or_else(String::new, |note| format!(" ({note})"));
    format!("{name} as equivalent {number}{note}")
}
