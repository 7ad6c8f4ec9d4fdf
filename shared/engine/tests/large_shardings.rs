//! Large workflows: what neighbours of the best sharding are worth where few strategies can be tried.

#![expect(clippy::unwrap_used, reason = "a test fails when it cannot go on")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use foreshard_engine::parse::{self, Library};
use foreshard_engine::plan::{PlanInput, plan};
use foreshard_model::ids::{Generation, RunId};
use foreshard_model::outlook::{Outlook, Promised};
use foreshard_model::plan::Plan;
use foreshard_model::policy::RunOptions;
use foreshard_model::target::Pool;

/// Numbers that look random; the same seed gives the same numbers.
struct Dice(u64);

impl Dice {
    /// Below `end`.
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// A document of synthetic tasks, task by task.
#[derive(Default)]
struct Document {
    text: String,
    tasks: usize,
}

impl Document {
    fn task(&mut self, needs: &[usize], cpu_ms: u64) -> usize {
        let needs: Vec<String> = needs.iter().map(|need| format!("\"t{need}\"")).collect();
        let (comma, id) = (if self.tasks > 0 { "," } else { "" }, self.tasks);
        let (needs, cpu_s) = (needs.join(","), cpu_ms as f64 / 1000.0);
        write!(
            self.text,
            r#"{comma}{{"id":"t{id}","kind":"synthetic","cpu_s":{cpu_s},"needs":[{needs}]}}"#
        )
        .unwrap();
        self.tasks += 1;
        id
    }

    fn planned(&self) -> Plan {
        let tasks = &self.text;
        let text = format!(r#"{{"foreshard":1,"name":"large","version":"1","tasks":[{tasks}]}}"#);
        let parsed = parse::document(text.as_bytes(), &Library::new()).unwrap();
        let input = PlanInput {
            run: &RunId::from("r-planned"),
            generation: Generation(0),
            workflow: &parsed.workflow,
            pool: &Pool::default_on_aws("us-east-1"),
            options: &RunOptions::default(),
            bundles: &BTreeMap::new(),
            region: "us-east-1",
            outlook: &Outlook::default(),
            promised: &Promised::default(),
        };
        plan(&input).unwrap().plan
    }
}

/// Stages one after the other: a task, about `width` chains of one to three tasks behind it, and one that waits for them.
fn fork_joins(tasks: usize, width: u64) -> Document {
    let mut dice = Dice(1);
    let mut document = Document::default();
    let mut before: Vec<usize> = Vec::new();
    while document.tasks < tasks {
        let fork = document.task(&before, 500 + dice.below(2_500));
        let (length, usual_ms) = (1 + dice.below(3), 300 + dice.below(6_000));
        let branches = width / 2 + dice.below(width);
        let ends = (0..branches).map(|_| {
            (0..length).fold(fork, |at, _| {
                document.task(&[at], usual_ms * (70 + dice.below(70)) / 100)
            })
        });
        let ends: Vec<usize> = ends.collect();
        before = vec![document.task(&ends, 500 + dice.below(3_500))];
    }
    document
}

/// What the first reason says of a sharding.
fn told(plan: &Plan) -> (&str, f64, f64) {
    let kept = plan.reasons.iter().find(|r| r.subject == "shard").unwrap();
    (
        &kept.because,
        kept.numbers["makespan_s"],
        kept.numbers["usd"],
    )
}

#[test]
fn a_large_workflow_gets_shards_that_run_several_tasks_at_once() {
    let document = fork_joins(20_000, 60);
    let plan = document.planned();
    let (how, makespan_s, usd) = told(&plan);
    println!(
        "{} tasks: {how}: {makespan_s:.0} s, ${usd:.3}",
        document.tasks
    );
    // A task at a time, the money suffices for about eight lanes.
    let sixteen_at_once_s = plan.work_ms as f64 / 1000.0 / 16.0;
    assert!(
        makespan_s < sixteen_at_once_s,
        "{makespan_s} of {sixteen_at_once_s} s"
    );
}
