//! `bench graph`: order, critical path and plan of a generated layered graph.

use std::hint::black_box;

use foreshard_engine::graph::{Csr, critical_path, topological_order};
use foreshard_engine::timetable::{
    DEFAULT_LOOKS, DEFAULT_STEPS, Instance, Network, Steps, best_list, clusters, search,
};
use serde::Serialize;

use crate::arguments::GraphArguments;
use crate::generated::layered;
use crate::meter::{measured, peak_mib};
use crate::schedule::NetworkFile;

/// The figures of one graph.
#[derive(Debug, Serialize)]
pub struct Figures {
    tasks: usize,
    edges: usize,
    /// Reading every edge once: below it no order of the tasks can come.
    every_edge_cpu_s: f64,
    order_cpu_s: f64,
    critical_path_cpu_s: f64,
    plan_cpu_s: f64,
    peak_mib: f64,
}

/// Generates a graph and measures; `plan_cpu_s` is a timetable with the default budget on the default network, and its
/// shards.
pub fn graph(arguments: &GraphArguments) -> Figures {
    let tasks = arguments.tasks as usize;
    let (edges, work_s) = layered(arguments.tasks, arguments.edges_per_task, arguments.seed);
    let graph = Csr::new(tasks, edges.iter().copied());
    drop(edges);
    let (_, every_edge_cpu_s) = measured(|| black_box(every_edge(&graph)));
    let (order, order_cpu_s) = measured(|| topological_order(&graph).unwrap_or_default());
    let (path, critical_path_cpu_s) = measured(|| critical_path(&graph, &order, &work_s));
    let file = NetworkFile::default();
    let network = Network {
        speeds: file.speeds,
        bytes_per_s: file.bandwidth_bytes_per_s,
    };
    let instance = Instance {
        graph: &graph,
        order: &order,
        work_s: &work_s,
        network: &network,
    };
    let (_, plan_cpu_s) = measured(|| {
        let mut budget = Steps(DEFAULT_STEPS);
        let first = best_list(&instance, &mut budget);
        // The budget of a large graph ends with its list schedules: the longest path is bound enough.
        let bound = path / network.speeds.iter().copied().fold(1.0, f64::max);
        let table = search(&instance, &first, bound, &mut budget);
        clusters(&instance, &table, 0.0, DEFAULT_LOOKS)
    });
    Figures {
        tasks,
        edges: graph.edge_count(),
        every_edge_cpu_s,
        order_cpu_s,
        critical_path_cpu_s,
        plan_cpu_s,
        peak_mib: peak_mib(),
    }
}

/// The sum of all nodes that edges lead to.
fn every_edge(graph: &Csr) -> u64 {
    let nodes = 0..graph.len() as u32;
    let behind = nodes.flat_map(|node| graph.successors(node));
    behind.map(|&node| u64::from(node)).sum()
}
