//! What is drawn as one group: a shard, or in a very large plan all shards of one level.

use foreshard_model::plan::{Plan, PlannedShard, ShardKind};
use petgraph::algo::toposort;
use petgraph::algo::tred::{dag_to_toposorted_adjacency_list, dag_transitive_reduction_closure};
use petgraph::graph::DiGraph;
use petgraph::visit::{EdgeRef as _, IntoEdgeReferences as _};

/// Beyond so many shards a picture shows levels instead: nobody can read more boxes, and no layout is quick.
pub(super) const SHARDS_SHOWN: usize = 1_500;
/// Task names in one box of a small plan, and of one with more than 60 shards; beyond 200 there are none.
const NAMES_SHOWN: [usize; 3] = [5, 2, 0];
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
    /// Number of its colour.
    pub(super) colour: usize,
}

/// The boxes and the arrows between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Groups {
    /// The boxes.
    pub(super) groups: Vec<Group>,
    /// Arrows, as positions in `groups`.
    pub(super) edges: Vec<(u32, u32)>,
}

/// The boxes of a plan.
pub(super) fn groups(plan: &Plan) -> Groups {
    if plan.shards.len() > SHARDS_SHOWN {
        return by_level(plan);
    }
    let edges: Vec<(u32, u32)> = plan
        .shards
        .iter()
        .enumerate()
        .flat_map(|(to, shard)| shard.predecessors.iter().map(move |p| (p.0, to as u32)))
        .filter(|(from, _)| (*from as usize) < plan.shards.len())
        .collect();
    Groups {
        groups: plan.shards.iter().map(|shard| group(plan, shard)).collect(),
        edges: reduced(plan.shards.len(), &edges),
    }
}

/// The arrows without those that longer ways say already; all of them should there be a cycle.
fn reduced(shards: usize, edges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut graph = DiGraph::<(), ()>::from_edges(edges);
    while graph.node_count() < shards {
        graph.add_node(());
    }
    let Ok(order) = toposort(&graph, None) else {
        return edges.to_vec();
    };
    let (list, _) = dag_to_toposorted_adjacency_list::<_, u32>(&graph, &order);
    let (kept, _) = dag_transitive_reduction_closure(&list);
    let mut edges: Vec<(u32, u32)> = kept
        .edge_references()
        .map(|edge| (order[edge.source() as usize], order[edge.target() as usize]))
        .map(|(from, to)| (from.index() as u32, to.index() as u32))
        .collect();
    edges.sort_unstable();
    edges
}

fn group(plan: &Plan, shard: &PlannedShard) -> Group {
    let named = match plan.shards.len() {
        0..=60 => NAMES_SHOWN[0],
        61..=200 => NAMES_SHOWN[1],
        _ => NAMES_SHOWN[2],
    };
    let tier = plan
        .targets
        .iter()
        .find(|target| Some(target.id.as_str()) == shard.target.as_deref())
        .map_or_else(String::new, |target| format!(" · {}", target.memory));
    let mut lines = match shard.kind {
        ShardKind::Relay => vec![format!("relay {}", shard.id)],
        ShardKind::End => vec!["END".to_owned()],
        ShardKind::Work => vec![
            format!("shard {} · {}", shard.id, count(shard.tasks.len(), "task")),
            format!("{}{tier}", seconds(shard.duration_ms)),
        ],
    };
    lines.extend(
        shard
            .tasks
            .iter()
            .take(named)
            .map(|task| shortened(task.as_str())),
    );
    if named > 0 && shard.tasks.len() > named {
        lines.push(format!("… {} more", shard.tasks.len() - named));
    }
    let names: Vec<&str> = shard
        .tasks
        .iter()
        .take(100)
        .map(|task| task.as_str())
        .collect();
    Group {
        kind: shard.kind,
        lines,
        detail: format!("{} {}", shard.reason, names.join(" "))
            .trim_end()
            .to_owned(),
        colour: shard.id.index(),
    }
}

fn by_level(plan: &Plan) -> Groups {
    let mut level = vec![0_usize; plan.shards.len()];
    let mut changed = true;
    // Ids are in order of planned start, so one pass settles all but the relays.
    while changed {
        changed = false;
        for (at, shard) in plan.shards.iter().enumerate() {
            let above = shard
                .predecessors
                .iter()
                .filter_map(|p| level.get(p.index()));
            let mine = above.max().map_or(0, |above| above + 1);
            changed |= mine > level[at];
            level[at] = level[at].max(mine);
        }
    }
    let levels = level.iter().max().map_or(0, |last| last + 1);
    let groups = (0..levels)
        .map(|wanted| {
            let shards = || {
                let all = plan.shards.iter().zip(&level);
                all.filter(move |(_, level)| **level == wanted)
                    .map(|(shard, _)| shard)
            };
            let tasks: usize = shards().map(|shard| shard.tasks.len()).sum();
            let busy: u64 = shards().map(|shard| shard.duration_ms).sum();
            let end = shards().any(|shard| shard.kind == ShardKind::End);
            let detail = format!("{} at level {wanted}", count(shards().count(), "shard"));
            Group {
                kind: if end { ShardKind::End } else { ShardKind::Work },
                lines: vec![
                    detail.clone(),
                    format!("{} · {} in all", count(tasks, "task"), seconds(busy)),
                ],
                detail,
                colour: wanted,
            }
        })
        .collect();
    let edges = (1..levels as u32).map(|to| (to - 1, to)).collect();
    Groups { groups, edges }
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

/// The end of a long name tells more than its start.
fn shortened(name: &str) -> String {
    let chars = name.chars().count();
    if chars <= NAME_CHARS {
        return name.to_owned();
    }
    let tail: String = name.chars().skip(chars - NAME_CHARS + 1).collect();
    format!("…{tail}")
}
