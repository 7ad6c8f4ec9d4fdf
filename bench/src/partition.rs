//! `bench partition`: recorded workflows cut into parts, as few bytes between them as possible, no circle of parts.

use std::collections::BTreeSet;

use foreshard_engine::graph::{Csr, Edge, topological_order};
use foreshard_engine::partition::{Partition, partition as cut};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::BenchError;
use crate::arguments::PartitionArguments;
use crate::recorded::{Recorded, write};

/// The figures of one file.
#[derive(Debug, Serialize)]
pub struct Figures {
    file: String,
    shards: u32,
    cut_bytes: u64,
    imbalance: f64,
    acyclic: bool,
}

/// Cuts every file.
pub fn partition(arguments: &PartitionArguments) -> Result<Vec<Figures>, BenchError> {
    let parts = arguments.shards.max(1);
    let mut all = Vec::new();
    for path in &arguments.files {
        let recorded = Recorded::read(path)?;
        let found = cut(&recorded.graph, &recorded.order, &recorded.work_s, parts);
        if let Some(folder) = &arguments.out {
            let tasks: Map<String, Value> = recorded
                .ids
                .iter()
                .zip(&found.of)
                .map(|(id, &part)| (id.clone(), part.into()))
                .collect();
            let name = format!("{}.partition.json", recorded.stem);
            write(folder, &name, &Value::Object(tasks))?;
        }
        all.push(Figures {
            acyclic: acyclic(&recorded.graph, &found, parts),
            file: recorded.file,
            shards: parts,
            cut_bytes: found.cut_bytes,
            imbalance: found.imbalance,
        });
    }
    Ok(all)
}

/// Whether the parts can be run one after the other: by a topological order of the quotient, not by their numbers.
fn acyclic(graph: &Csr, found: &Partition, parts: u32) -> bool {
    let mut between = BTreeSet::new();
    for to in 0..graph.len() as u32 {
        for &from in graph.predecessors(to) {
            let (from, to) = (found.of[from as usize], found.of[to as usize]);
            if from != to {
                between.insert((from, to));
            }
        }
    }
    let edges = between
        .iter()
        .map(|&(from, to)| Edge { from, to, bytes: 0 });
    topological_order(&Csr::new(parts as usize, edges)).is_some()
}
