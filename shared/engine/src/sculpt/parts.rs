//! Into how many parts each task is cut: as few as it takes to run at all, and to end the run about as early as possible.

use std::collections::BTreeMap;

use foreshard_model::plan::Reason;
use foreshard_model::sculpt::Split;

use crate::place::{SHARD_MS, TASK_MS};
use crate::plan::reason;

use super::fit::Unfit;
use super::scene::{Choice, Scene, is_as_good};

/// Numbers of parts that are tried between the bounds: about a third more each time.
const STEPS: [u32; 19] = [
    1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768,
];

/// Tasks that are alike: they are cut into the same number of parts.
struct Group<'a> {
    tasks: Vec<usize>,
    split: &'a Split,
    /// Numbers of parts with which they can run, ascending.
    numbers: Vec<u32>,
    /// Why they cannot be left whole.
    forced: Option<Unfit>,
    /// Its parts would be more tasks, or edges, than a workflow may have.
    is_too_much: bool,
    /// The number that is taken where there is no time to compare.
    guess: u32,
}

/// Decides for every task that can be cut.
pub(super) fn choose(scene: &mut Scene<'_>) -> Vec<Reason> {
    let mut groups = groups(scene);
    if groups.is_empty() {
        return Vec::new();
    }
    let least: Vec<u32> = groups.iter().map(|group| group.numbers[0]).collect();
    for (group, &parts) in groups.iter().zip(&least) {
        set(scene, group, parts);
    }
    let uncut_ms = scene.forecast().makespan_ms;
    // Two long tasks side by side gain nothing from cutting one of them: so all are cut, and then put back one by one.
    for group in &groups {
        set(scene, group, group.guess);
    }
    let mut best_ms = scene.forecast().makespan_ms;
    groups.sort_by_key(|group| std::cmp::Reverse(group.tasks.len()));
    for group in &groups {
        fewest(scene, group, &mut best_ms);
    }
    let cut_ms = scene.forecast().makespan_ms;
    if is_as_good(uncut_ms, cut_ms) {
        for group in &groups {
            set(scene, group, group.numbers[0]);
        }
    }
    let reached_ms = cut_ms.min(uncut_ms);
    let ends = Ends {
        uncut_ms,
        reached_ms,
    };
    groups.sort_by_key(|group| group.tasks[0]);
    groups
        .iter()
        .map(|group| told(scene, group, &ends))
        .collect()
}

/// The fewest parts that end the run about as early as any number of them; the better of few tries where time is short.
fn fewest(scene: &mut Scene<'_>, group: &Group<'_>, best_ms: &mut f64) {
    let mut tried: Vec<(u32, f64)> = Vec::new();
    for &parts in &group.numbers {
        if !scene.may_try() {
            break;
        }
        set(scene, group, parts);
        let ms = scene.forecast().makespan_ms;
        *best_ms = best_ms.min(ms);
        tried.push((parts, ms));
    }
    if tried.len() < group.numbers.len() {
        tried.clear();
    }
    let few = tried.iter().find(|(_, ms)| is_as_good(*ms, *best_ms));
    let least = || tried.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let parts = few.or_else(least).map_or(group.guess, |(parts, _)| *parts);
    set(scene, group, parts);
}

fn set(scene: &mut Scene<'_>, group: &Group<'_>, parts: u32) {
    for &at in &group.tasks {
        scene.choices[at].parts = parts;
    }
}

fn groups<'a>(scene: &mut Scene<'a>) -> Vec<Group<'a>> {
    let mut alike: BTreeMap<(&str, Option<u64>, u32, u32), Vec<Group<'a>>> = BTreeMap::new();
    for at in 0..scene.choices.len() {
        let Some(split) = scene.split(at) else {
            continue;
        };
        let task = scene.task(at);
        let instead = scene.choices[at].instead;
        let key = (
            task.task_type.as_str(),
            task.estimate_ms,
            task.resources.memory.0,
            instead,
        );
        let known = alike.entry(key).or_default();
        if let Some(group) = known.iter_mut().find(|group| group.split == split) {
            group.tasks.push(at);
            continue;
        }
        known.push(Group {
            tasks: vec![at],
            split,
            numbers: Vec::new(),
            forced: None,
            is_too_much: false,
            guess: 1,
        });
    }
    let mut groups: Vec<Group<'a>> = alike.into_values().flatten().collect();
    groups.retain_mut(|group| {
        numbers(scene, group);
        !group.numbers.is_empty()
    });
    groups
}

/// Fills in what the group can be cut into; nothing where no number lets it run: then the plan says why.
fn numbers(scene: &mut Scene<'_>, group: &mut Group<'_>) {
    let at = group.tasks[0];
    let split = group.split;
    let most = scene.parts_max(at, split);
    if most < split.min_parts {
        group.numbers.push(1);
        group.is_too_much = true;
        return;
    }
    let lanes = scene.given.lanes;
    let fair = lanes / group.tasks.len() as u32;
    let mut all: Vec<u32> = STEPS
        .into_iter()
        .chain([split.min_parts, most, lanes, fair])
        .collect();
    all.retain(|parts| (split.min_parts..=most).contains(parts));
    all.sort_unstable();
    all.dedup();
    let instead = scene.choices[at].instead;
    let together = scene
        .task(at)
        .extras
        .as_deref()
        .is_some_and(|e| e.affinity.together.is_some());
    let known = (scene.given.cpu_ms)(scene.task(at)).is_some();
    let mut quickest = f64::INFINITY;
    for parts in all {
        let fit = match scene.fit(at, Choice { parts, instead }) {
            Ok(fit) => fit,
            Err(unfit) => {
                group.forced = Some(unfit);
                continue;
            }
        };
        // More than it needs to run at all are worth it only while each part still is.
        let useful = known && !together && fit.ms >= split.smallest_ms as f64;
        if !group.numbers.is_empty() && !useful {
            break;
        }
        group.numbers.push(parts);
        let rounds = (group.tasks.len() as u32)
            .saturating_mul(parts)
            .div_ceil(lanes.max(1));
        let overhead = if parts > 1 { SHARD_MS + TASK_MS } else { 0.0 };
        let ms = f64::from(rounds) * (fit.ms + overhead) + overhead;
        if ms < quickest {
            quickest = ms;
            group.guess = parts;
        }
    }
}

/// When the run ends.
struct Ends {
    /// With no more parts than it takes to run at all.
    uncut_ms: f64,
    /// As decided.
    reached_ms: f64,
}

fn told(scene: &mut Scene<'_>, group: &Group<'_>, ends: &Ends) -> Reason {
    let at = group.tasks[0];
    let chosen = scene.choices[at];
    let name = match group.tasks.len() {
        1 => format!("`{}`", scene.task(at).id),
        count => format!("`{}` and {} more like it", scene.task(at).id, count - 1),
    };
    let part_ms = scene.fit(at, chosen).map_or(0.0, |fit| fit.ms);
    let parts = f64::from(chosen.parts.max(1));
    let (uncut_s, reached_s) = (ends.uncut_ms / 1000.0, ends.reached_ms / 1000.0);
    if chosen.parts <= 1 {
        let because = match group.numbers.last() {
            _ if group.is_too_much => format!(
                "{} parts of each would be more than a workflow may have",
                group.split.min_parts
            ),
            Some(1) | None if (scene.given.cpu_ms)(scene.task(at)).is_none() => {
                "it has no estimate".to_owned()
            }
            Some(1) | None => format!(
                "no part would be {:.1} s long or longer, or have more than one place to be",
                group.split.smallest_ms as f64 / 1000.0
            ),
            Some(most) => {
                format!("up to {most} parts end the run hardly earlier than {uncut_s:.1} s")
            }
        };
        return reason(
            "split",
            format!("{name} left whole: {because}"),
            &[("parts", 1.0), ("makespan_s", uncut_s)],
        );
    }
    let more = (parts * group.tasks.len() as f64) * scene.given.shard_usd;
    let why = match group.forced {
        Some(unfit) if chosen.parts == group.numbers[0] => format!("fewer cannot run: {unfit}"),
        _ if chosen.parts == group.split.min_parts && ends.uncut_ms <= ends.reached_ms => {
            "it asks for no fewer".to_owned()
        }
        _ => format!("the run is expected to end after {reached_s:.1} s instead of {uncut_s:.1} s"),
    };
    reason(
        "split",
        format!(
            "{name} cut into {parts} parts of {:.1} s and a merge: {why}; ${more:.6} for more shards at most",
            part_ms / 1000.0
        ),
        &[
            ("parts", parts),
            ("tasks", group.tasks.len() as f64),
            ("part_s", part_ms / 1000.0),
            ("makespan_s", reached_s),
            ("uncut_makespan_s", uncut_s),
            ("saved_s", (uncut_s - reached_s).max(0.0)),
            ("shards_usd", more),
        ],
    )
}
