//! Small workflows, made where they are needed.

use serde_json::{Value, json};

/// A document with these tasks.
pub fn document(tasks: Vec<Value>) -> Value {
    json!({ "foreshard": 1, "name": "shown", "version": "1", "tasks": tasks })
}

/// So little of a vCPU that the smallest tier is enough: then only memory decides about the tier.
const VCPUS: f64 = 0.05;

/// A task that burns CPU time, on the smallest tier; a short timeout makes a short deadline.
pub fn burn(id: &str, cpu_s: f64, needs: &[&str]) -> Value {
    json!({ "id": id, "kind": "synthetic", "cpu_s": cpu_s, "needs": needs, "memory_mib": 16, "vcpus": VCPUS, "timeout_s": 30 })
}

/// A task that runs a script of bash: its standard output is its JSON output.
pub fn bash(id: &str, script: &str, needs: &[&str]) -> Value {
    json!({
        "id": id, "kind": "command", "run": ["bash", "-c", script], "needs": needs,
        "memory_mib": 64, "vcpus": VCPUS, "timeout_s": 60
    })
}

/// `length` tasks, one after another: `t0`, `t1`, …
pub fn chain(length: usize, cpu_s: f64) -> Value {
    let task = |index: usize| match index.checked_sub(1) {
        None => burn("t0", cpu_s, &[]),
        Some(before) => burn(&format!("t{index}"), cpu_s, &[&format!("t{before}")]),
    };
    document((0..length).map(task).collect())
}

/// `a` before `b` and `c` before `d`.
pub fn diamond(cpu_s: f64) -> Value {
    document(vec![
        burn("a", cpu_s, &[]),
        burn("b", cpu_s, &["a"]),
        burn("c", cpu_s, &["a"]),
        burn("d", cpu_s, &["b", "c"]),
    ])
}

/// `width` tasks that wait for nothing, and one that waits for all.
pub fn fan(width: usize, cpu_s: f64) -> Value {
    let names: Vec<String> = (0..width).map(|index| format!("t{index}")).collect();
    let mut tasks: Vec<Value> = names.iter().map(|name| burn(name, cpu_s, &[])).collect();
    let needs: Vec<&str> = names.iter().map(String::as_str).collect();
    tasks.push(burn("all", cpu_s, &needs));
    document(tasks)
}
