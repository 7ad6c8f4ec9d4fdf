//! The optimistic cost table: what remains at best once a task is on a target.

use super::Instance;

/// For each task and target the longest of the shortest ways to the end, waiting for nobody: PEFT's look-ahead.
///
/// # Complexity
///
/// O((tasks + edges) · targets): H. Arabnejad, J. G. Barbosa, "List scheduling algorithm for heterogeneous systems by an
/// optimistic cost table", IEEE TPDS 25 (2014), equation 3.
pub fn optimistic(instance: &Instance<'_>) -> Vec<f64> {
    let targets = instance.network.speeds.len();
    let mut table = vec![0.0_f64; instance.work_s.len() * targets];
    let mut from_here = vec![0.0_f64; targets];
    for &task in instance.order.iter().rev() {
        let mut shortest = f64::INFINITY;
        for (target, here) in from_here.iter_mut().enumerate() {
            *here = table[task as usize * targets + target] + instance.on(task, target);
            shortest = shortest.min(*here);
        }
        for (before, bytes) in instance.graph.incoming_bytes(task) {
            let elsewhere = shortest + instance.moving(bytes);
            let row = &mut table[before as usize * targets..(before as usize + 1) * targets];
            for (cell, &here) in row.iter_mut().zip(&from_here) {
                *cell = cell.max(here.min(elsewhere));
            }
        }
    }
    table
}
