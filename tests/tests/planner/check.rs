//! The checker: what makes a timetable, its shards, or a partition invalid.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::recorded::Workflow;

/// Work a second of the sixteen targets.
pub const SPEEDS: [f64; 16] = [
    1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 4.0, 4.0, 4.0, 4.0,
];
/// Between two targets.
pub const BYTES_PER_S: f64 = 75e6;
/// Two moments closer than this are the same, in seconds.
const SAME_S: f64 = 1e-6;

/// One entry: where and when.
struct Slot {
    target: usize,
    start_s: f64,
    finish_s: f64,
}

fn slot(value: &Value) -> Slot {
    Slot {
        target: value["target"].as_u64().expect("a target") as usize,
        start_s: value["start_s"].as_f64().expect("a start"),
        finish_s: value["finish_s"].as_f64().expect("an end"),
    }
}

fn arrives(workflow: &Workflow, edge: &(String, String), from: &Slot, to: &Slot) -> f64 {
    let away = from.target != to.target;
    from.finish_s
        + if away {
            workflow.bytes[edge] / BYTES_PER_S
        } else {
            0.0
        }
}

/// The makespan of a timetable, or what is wrong with it.
pub fn timetable(workflow: &Workflow, tasks: &Value) -> Result<f64, String> {
    let slots: BTreeMap<&str, Slot> = tasks
        .as_object()
        .ok_or("no tasks")?
        .iter()
        .map(|(id, value)| (id.as_str(), slot(value)))
        .collect();
    if !slots
        .keys()
        .copied()
        .eq(workflow.work_s.keys().map(String::as_str))
    {
        return Err("not every task once".to_owned());
    }
    let mut on: BTreeMap<usize, Vec<(f64, f64, &str)>> = BTreeMap::new();
    for (id, slot) in &slots {
        let speed = SPEEDS
            .get(slot.target)
            .ok_or("a target that is not there")?;
        let takes = workflow.work_s[*id] / speed;
        if slot.start_s < 0.0 || (slot.finish_s - slot.start_s - takes).abs() > SAME_S {
            return Err(format!("`{id}` does not take {takes} s"));
        }
        on.entry(slot.target)
            .or_default()
            .push((slot.start_s, slot.finish_s, id));
    }
    no_overlap(&mut on)?;
    for edge in workflow.bytes.keys() {
        let (from, to) = (&slots[edge.0.as_str()], &slots[edge.1.as_str()]);
        if to.start_s < arrives(workflow, edge, from, to) - SAME_S {
            return Err(format!(
                "`{}` starts before `{}` has arrived",
                edge.1, edge.0
            ));
        }
    }
    Ok(slots.values().map(|slot| slot.finish_s).fold(0.0, f64::max))
}

fn no_overlap(on: &mut BTreeMap<usize, Vec<(f64, f64, &str)>>) -> Result<(), String> {
    for slots in on.values_mut() {
        slots.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        if let Some(pair) = slots.windows(2).find(|p| p[1].0 < p[0].1 - SAME_S) {
            return Err(format!("`{}` and `{}` overlap", pair[0].2, pair[1].2));
        }
    }
    Ok(())
}

/// The makespan of a run whose shards go in one piece, and their number; or what is wrong with it.
pub fn shards(workflow: &Workflow, tasks: &Value) -> Result<(f64, usize), String> {
    let tasks = tasks.as_object().ok_or("no tasks")?;
    let mut slots: BTreeMap<u64, Slot> = BTreeMap::new();
    let mut takes: BTreeMap<u64, f64> = BTreeMap::new();
    let mut of: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, value) in tasks {
        let shard = value["shard"].as_u64().ok_or("no shard")?;
        let slot = slot(value);
        *takes.entry(shard).or_default() += workflow.work_s[id] / SPEEDS[slot.target];
        slots.insert(shard, slot);
        of.insert(id, shard);
    }
    if of.len() != workflow.work_s.len() {
        return Err("not every task once".to_owned());
    }
    let names: Vec<String> = slots.keys().map(u64::to_string).collect();
    let mut on: BTreeMap<usize, Vec<(f64, f64, &str)>> = BTreeMap::new();
    for ((shard, slot), name) in slots.iter().zip(&names) {
        if (slot.finish_s - slot.start_s - takes[shard]).abs() > SAME_S {
            return Err(format!("shard {shard} does not take {} s", takes[shard]));
        }
        on.entry(slot.target)
            .or_default()
            .push((slot.start_s, slot.finish_s, name));
    }
    no_overlap(&mut on)?;
    for edge in workflow.bytes.keys() {
        let (from, to) = (of[edge.0.as_str()], of[edge.1.as_str()]);
        let late =
            slots[&to].start_s < arrives(workflow, edge, &slots[&from], &slots[&to]) - SAME_S;
        if from != to && late {
            return Err(format!("shard {to} starts before {from} has arrived"));
        }
    }
    let makespan = slots.values().map(|slot| slot.finish_s).fold(0.0, f64::max);
    Ok((makespan, slots.len()))
}

/// Bytes cut and imbalance of a partition, or what is wrong with it.
pub fn partition(workflow: &Workflow, of: &Value, parts: usize) -> Result<(f64, f64), String> {
    let mut weight = vec![0.0; parts];
    let part = |id: &str| of[id].as_u64().map(|part| part as usize);
    for (id, work_s) in &workflow.work_s {
        let part = part(id).filter(|&part| part < parts);
        weight[part.ok_or_else(|| format!("`{id}` is in no part"))?] += work_s;
    }
    let mut cut = 0.0;
    let mut waits: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for ((from, to), bytes) in &workflow.bytes {
        let (from, to) = (part(from).unwrap_or(0), part(to).unwrap_or(0));
        if from != to {
            cut += bytes;
            waits.entry(to).or_default().insert(from);
        }
    }
    let mut left: BTreeSet<usize> = (0..parts).collect();
    while let Some(next) = left
        .iter()
        .copied()
        .find(|part| waits.get(part).is_none_or(|w| w.is_disjoint(&left)))
    {
        left.remove(&next);
    }
    if !left.is_empty() {
        return Err(format!("parts {left:?} wait for each other in a circle"));
    }
    let mean = weight.iter().sum::<f64>() / parts as f64;
    Ok((cut, weight.iter().copied().fold(0.0, f64::max) / mean))
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let workflow = Workflow {
        work_s: [("a".to_owned(), 4.0), ("b".to_owned(), 4.0)].into(),
        bytes: [(pair("a", "b"), 75e6)].into(),
    };
    let two = |target: usize, start: f64, finish: f64| {
        serde_json::json!({
            "a": {"target": 12, "start_s": 0.0, "finish_s": 1.0},
            "b": {"target": target, "start_s": start, "finish_s": finish},
        })
    };
    assert_eq!(timetable(&workflow, &two(12, 1.0, 2.0)), Ok(2.0));
    assert_eq!(timetable(&workflow, &two(13, 2.0, 3.0)), Ok(3.0));
    assert!(
        timetable(&workflow, &two(13, 1.0, 2.0))
            .unwrap_err()
            .contains("arrived")
    );
    assert!(
        timetable(&workflow, &two(12, 0.5, 1.5))
            .unwrap_err()
            .contains("overlap")
    );
    assert!(
        timetable(&workflow, &two(0, 2.0, 3.0))
            .unwrap_err()
            .contains("take")
    );
    let backwards = serde_json::json!({"a": 1, "b": 0});
    assert_eq!(partition(&workflow, &backwards, 2), Ok((75e6, 1.0)));
}
