//! What is drawn as one box: a shard, or in a larger plan all shards of a level whose tasks are of the same kinds.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::plan::{Plan, PlannedShard, ShardKind};
use petgraph::algo::toposort;
use petgraph::algo::tred::{dag_to_toposorted_adjacency_list, dag_transitive_reduction_closure};
use petgraph::graph::DiGraph;
use petgraph::visit::{EdgeRef as _, IntoEdgeReferences as _};

/// Up to so many shards with tasks, each has a box of its own, if no more than [`WIDEST`] of them are side by side.
const SHARDS_SHOWN: usize = 24;
/// See [`SHARDS_SHOWN`]: as many as a screen shows.
const WIDEST: usize = 8;
/// Beyond so many boxes, even levels with mixed tasks become one box.
const BOXES_SHOWN: usize = 60;
/// Task names, and kinds of tasks, in one box.
const NAMES_SHOWN: usize = 4;
/// Kinds of tasks of one box that are told apart by all of their names but the number at the end.
const KINDS_TOLD_APART: usize = 8;
/// Characters of a task's name in a box.
const NAME_CHARS: usize = 26;

/// One box of the picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// What it is: decides the shape.
    pub(super) kind: ShardKind,
    /// Lines of text inside.
    pub(super) lines: Vec<String>,
    /// All that it holds, for pointing at it.
    pub(super) detail: String,
}

/// The boxes and the arrows between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Groups {
    /// The boxes.
    pub(super) groups: Vec<Group>,
    /// Arrows, as positions in `groups`, and the arrows between shards that each stands for.
    pub(super) edges: Vec<(u32, u32, u32)>,
    /// Box of each shard: also its colour.
    pub(super) of: Vec<u32>,
}

/// The boxes of a plan.
pub(super) fn groups(plan: &Plan) -> Groups {
    let shards = &plan.shards;
    let works = shards.iter().filter(|s| s.kind == ShardKind::Work).count();
    let level = levels(plan);
    let of: Vec<u32> = if works <= SHARDS_SHOWN && widest(&level) <= WIDEST {
        (0..shards.len() as u32).collect()
    } else {
        let keys = shards.iter().zip(&level);
        let by = |kind: fn(&str) -> &str| {
            let keys = keys.clone();
            numbered(keys.map(move |(s, level)| (*level, s.kind, kinds(s, kind))))
        };
        let (fine, coarse) = (by(stem), by(first_word));
        if boxes(&fine) <= BOXES_SHOWN {
            fine
        } else if boxes(&coarse) <= BOXES_SHOWN {
            coarse
        } else {
            numbered(keys.map(|(shard, level)| (*level, shard.kind)))
        }
    };
    let mut members: Vec<Vec<&PlannedShard>> = vec![Vec::new(); boxes(&of)];
    for (shard, &group) in shards.iter().zip(&of) {
        members[group as usize].push(shard);
    }
    Groups {
        groups: members.iter().map(|shards| group(plan, shards)).collect(),
        edges: arrows(plan, &of, members.len()),
        of,
    }
}

fn widest(level: &[usize]) -> usize {
    let mut count: BTreeMap<usize, usize> = BTreeMap::new();
    for &level in level {
        *count.entry(level).or_default() += 1;
    }
    count.into_values().max().unwrap_or(0)
}

fn boxes(of: &[u32]) -> usize {
    of.iter().max().map_or(0, |last| *last as usize + 1)
}

/// Equal keys get equal numbers, in ascending order of the keys.
fn numbered<K: Ord + Clone>(keys: impl Iterator<Item = K>) -> Vec<u32> {
    let keys: Vec<K> = keys.collect();
    let distinct: BTreeSet<K> = keys.iter().cloned().collect();
    let number: BTreeMap<K, u32> = distinct.into_iter().zip(0..).collect();
    keys.iter().map(|key| number[key]).collect()
}

/// Length of the longest way to each shard.
fn levels(plan: &Plan) -> Vec<usize> {
    let mut level = vec![0_usize; plan.shards.len()];
    let mut changed = true;
    // Ids are in order of planned start, so one pass settles all but the relays.
    while changed {
        changed = false;
        for (at, shard) in plan.shards.iter().enumerate() {
            let above = shard.predecessors.iter();
            let above = above.filter_map(|p| level.get(p.index())).max();
            let mine = above.map_or(0, |above| above + 1);
            changed |= mine > level[at];
            level[at] = level[at].max(mine);
        }
    }
    level
}

/// The names of a shard's tasks without their numbers.
fn kinds(shard: &PlannedShard, kind: fn(&str) -> &str) -> BTreeSet<&str> {
    shard.tasks.iter().map(|task| kind(task.as_str())).collect()
}

/// A task's name without the number at its end: `mProject_ID0000042` is a `mProject`.
fn stem(name: &str) -> &str {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let letters = letters.strip_suffix("ID").unwrap_or(letters);
    let letters = letters.trim_end_matches(['_', '-', '.', '/']);
    if letters.is_empty() { name } else { letters }
}

/// The first word of a name, where names have numbers in their middle.
fn first_word(name: &str) -> &str {
    let mut words = name.split(['_', '-', '.', '/']);
    words.find(|word| !word.is_empty()).unwrap_or(name)
}

/// The arrows between boxes without those that longer ways say already; all of them should there be a circle.
fn arrows(plan: &Plan, of: &[u32], boxes: usize) -> Vec<(u32, u32, u32)> {
    let mut count: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for (to, shard) in plan.shards.iter().enumerate() {
        for before in &shard.predecessors {
            if let Some(&from) = of.get(before.index())
                && from != of[to]
            {
                *count.entry((from, of[to])).or_default() += 1;
            }
        }
    }
    let mut graph = DiGraph::<(), ()>::from_edges(count.keys().copied());
    while graph.node_count() < boxes {
        graph.add_node(());
    }
    let all = |count: &BTreeMap<(u32, u32), u32>| {
        let edges = count.iter();
        edges.map(|(&(from, to), &n)| (from, to, n)).collect()
    };
    let Ok(order) = toposort(&graph, None) else {
        return all(&count);
    };
    let (list, _) = dag_to_toposorted_adjacency_list::<_, u32>(&graph, &order);
    let (kept, _) = dag_transitive_reduction_closure(&list);
    let kept: BTreeSet<(u32, u32)> = kept
        .edge_references()
        .map(|edge| (order[edge.source() as usize], order[edge.target() as usize]))
        .map(|(from, to)| (from.index() as u32, to.index() as u32))
        .collect();
    count.retain(|arrow, _| kept.contains(arrow));
    all(&count)
}

fn group(plan: &Plan, shards: &[&PlannedShard]) -> Group {
    let kind = shards.first().map_or(ShardKind::End, |shard| shard.kind);
    let ids = ids(shards);
    let lines = match kind {
        ShardKind::End => vec!["END".to_owned()],
        ShardKind::Relay if shards.len() == 1 => vec![format!("relay {ids}")],
        ShardKind::Relay => vec![format!("{} relays", shards.len())],
        ShardKind::Work => work(plan, shards, &ids),
    };
    let reason = shards.first().map_or("", |shard| shard.reason.as_str());
    let tasks = shards.iter().flat_map(|shard| &shard.tasks).take(100);
    let names: Vec<&str> = tasks.map(|task| task.as_str()).collect();
    Group {
        kind,
        lines,
        detail: format!("shards {ids}: {reason}\n{}", names.join(" "))
            .trim_end()
            .to_owned(),
    }
}

/// The lines of a box with tasks.
fn work(plan: &Plan, shards: &[&PlannedShard], ids: &str) -> Vec<String> {
    let tasks: usize = shards.iter().map(|shard| shard.tasks.len()).sum();
    let name = match shards.len() {
        1 => format!("shard {ids}"),
        many => format!("{many} shards"),
    };
    let mut lines = vec![
        format!("{name} · {}", count(tasks, "task")),
        format!("{}{}", lasting(shards), tiers(plan, shards)),
    ];
    if shards.len() > 1 {
        lines.push(shortened(&format!("no. {ids}")));
    }
    if tasks <= NAMES_SHOWN {
        let names = shards.iter().flat_map(|shard| &shard.tasks);
        lines.extend(names.map(|task| shortened(task.as_str())));
        return lines;
    }
    let mut of_kind = counted(shards, stem);
    if of_kind.len() > KINDS_TOLD_APART {
        of_kind = counted(shards, first_word);
    }
    of_kind.sort_by_key(|(_, many)| std::cmp::Reverse(*many));
    let more = of_kind.len().saturating_sub(NAMES_SHOWN);
    for (kind, many) in of_kind.into_iter().take(NAMES_SHOWN) {
        let many = if many > 1 {
            format!(" ×{many}")
        } else {
            String::new()
        };
        lines.push(format!("{}{many}", shortened(kind)));
    }
    if more > 0 {
        lines.push(format!("… {}", count(more, "more kind")));
    }
    lines
}

/// How many tasks there are of each kind.
fn counted<'a>(shards: &[&'a PlannedShard], kind: fn(&str) -> &str) -> Vec<(&'a str, usize)> {
    let mut of_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for task in shards.iter().flat_map(|shard| &shard.tasks) {
        *of_kind.entry(kind(task.as_str())).or_default() += 1;
    }
    of_kind.into_iter().collect()
}

/// How long each takes.
fn lasting(shards: &[&PlannedShard]) -> String {
    let ms = || shards.iter().map(|shard| shard.duration_ms);
    let (least, most) = (ms().min().unwrap_or(0), ms().max().unwrap_or(0));
    let (least, most) = (seconds(least), seconds(most));
    if least == most {
        most
    } else {
        format!("{least} – {most}")
    }
}

/// The memory tiers that they start on.
fn tiers(plan: &Plan, shards: &[&PlannedShard]) -> String {
    let used: BTreeSet<u32> = plan
        .targets
        .iter()
        .filter(|target| {
            let id = Some(target.id.as_str());
            shards.iter().any(|shard| shard.target.as_deref() == id)
        })
        .map(|target| target.memory.0)
        .collect();
    match (used.first(), used.last()) {
        (Some(least), Some(most)) if least < most => format!(" · {least} – {most} MiB"),
        (Some(tier), _) => format!(" · {tier} MiB"),
        _ => String::new(),
    }
}

/// Numbers with runs of them shortened: `0–15, 18`.
fn ids(shards: &[&PlannedShard]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for shard in shards {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == shard.id.0 => *last += 1,
            _ => runs.push((shard.id.0, shard.id.0)),
        }
    }
    let runs = runs.into_iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}–{last}")
        }
    });
    runs.collect::<Vec<String>>().join(", ")
}

/// A duration as people read it.
pub(super) fn seconds(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1_000..=99_999 => format!("{:.1} s", ms as f64 / 1_000.0),
        _ => format!("{} s", ms / 1_000),
    }
}

fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// The end of a long name tells more than its start: as many of its parts as fit, or of its characters; of numbers, the start.
fn shortened(name: &str) -> String {
    let chars = name.chars().count();
    if chars <= NAME_CHARS {
        return name.to_owned();
    }
    if name.starts_with("no. ") {
        let head: String = name.chars().take(NAME_CHARS - 1).collect();
        return format!("{head}…");
    }
    let parts = name.match_indices(['.', '/', ':', '_']);
    let mut tails = parts.map(|(at, mark)| &name[at + mark.len()..]);
    let fitting = tails.find(|tail| (4..NAME_CHARS).contains(&tail.chars().count()));
    fitting.map_or_else(
        || {
            let tail: String = name.chars().skip(chars - NAME_CHARS + 1).collect();
            format!("…{tail}")
        },
        |tail| format!("…{tail}"),
    )
}
