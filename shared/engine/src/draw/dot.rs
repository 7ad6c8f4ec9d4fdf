//! A plan in the DOT language: shards as clusters of their tasks, arrows between shards.

use std::fmt::Write as _;

use foreshard_model::plan::{Plan, PlannedShard, ShardKind};

/// Tasks of one shard that are drawn one by one.
const TASKS_SHOWN: usize = 100;

/// The plan as a DOT document for Graphviz and its relatives.
///
/// Shards with tasks are clusters, relays diamonds, END a double circle.
#[must_use]
pub fn dot(plan: &Plan) -> String {
    let mut text = String::from("digraph plan {\n");
    let _ = writeln!(
        text,
        "  label={};",
        quoted(&format!("{} · {}", plan.workflow, plan.run))
    );
    text.push_str("  compound=true; rankdir=TB; labelloc=t; fontname=\"sans-serif\";\n");
    text.push_str("  node [shape=box, fontname=\"sans-serif\", fontsize=10];\n");
    for shard in &plan.shards {
        match shard.kind {
            ShardKind::Work => cluster(&mut text, shard),
            ShardKind::Relay => {
                let _ = writeln!(
                    text,
                    "  s{} [shape=diamond, label=\"relay {}\"];",
                    shard.id, shard.id
                );
            }
            ShardKind::End => {
                let _ = writeln!(text, "  s{} [shape=doublecircle, label=\"END\"];", shard.id);
            }
        }
    }
    for shard in &plan.shards {
        for before in &shard.predecessors {
            let Some(from) = plan.shards.get(before.index()) else {
                continue;
            };
            let mut ends = Vec::new();
            if from.kind == ShardKind::Work {
                ends.push(format!("ltail=cluster_{}", from.id));
            }
            if shard.kind == ShardKind::Work {
                ends.push(format!("lhead=cluster_{}", shard.id));
            }
            let _ = writeln!(
                text,
                "  {} -> {} [{}];",
                anchor(from),
                anchor(shard),
                ends.join(", ")
            );
        }
    }
    text.push_str("}\n");
    text
}

fn cluster(text: &mut String, shard: &PlannedShard) {
    let label = format!(
        "shard {} · lane {} · {} · {}",
        shard.id,
        shard.lane.unwrap_or(0),
        super::group::seconds(shard.duration_ms),
        shard.target.as_deref().unwrap_or("no target")
    );
    let _ = writeln!(text, "  subgraph cluster_{} {{", shard.id);
    let _ = writeln!(
        text,
        "    label={}; style=\"rounded,filled\"; fillcolor=\"{}\";",
        quoted(&label),
        super::paint::colour(shard.id.index())
    );
    for (at, task) in shard.tasks.iter().take(TASKS_SHOWN).enumerate() {
        let _ = writeln!(
            text,
            "    s{}_{at} [label={}];",
            shard.id,
            quoted(task.as_str())
        );
    }
    if shard.tasks.len() > TASKS_SHOWN {
        let more = shard.tasks.len() - TASKS_SHOWN;
        let _ = writeln!(
            text,
            "    s{}_more [shape=plaintext, label=\"{more} more\"];",
            shard.id
        );
    }
    text.push_str("  }\n");
}

/// The node that an arrow is tied to: Graphviz clips it at the cluster.
fn anchor(shard: &PlannedShard) -> String {
    match shard.kind {
        ShardKind::Work => format!("s{}_0", shard.id),
        _ => format!("s{}", shard.id),
    }
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}
