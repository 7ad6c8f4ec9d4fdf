//! The checker: from the document, the pool and what the planner answered, whether the plan is one that may run.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_engine::plan::Planned;
use foreshard_model::plan::{LaneMode, PlannedShard, ShardKind};
use foreshard_model::policy::RunOptions;
use foreshard_model::target::{Pool, Target};
use foreshard_model::workflow::{Effect, TaskKind, Workflow};

/// What a plan is checked against.
pub struct Given<'a> {
    pub workflow: &'a Workflow,
    pub pool: &'a Pool,
    pub options: &'a RunOptions,
    pub region: &'a str,
}

/// Panics where the plan breaks a rule.
pub fn check(planned: &Planned, given: &Given<'_>) {
    let shard_of = every_task_once(planned, given.workflow);
    quotient(planned, given.workflow, &shard_of);
    convex(given.workflow, &shard_of);
    order_within(planned, given.workflow);
    annotations(given, planned, &shard_of);
    timetable(planned);
    proofs(planned, given);
    price(planned);
}

fn work(planned: &Planned) -> impl Iterator<Item = &PlannedShard> {
    let shards = planned.plan.shards.iter();
    shards.filter(|shard| shard.kind == ShardKind::Work)
}

fn every_task_once(planned: &Planned, workflow: &Workflow) -> Vec<usize> {
    let mut shard_of: BTreeMap<&str, usize> = BTreeMap::new();
    for shard in work(planned) {
        for task in &shard.tasks {
            let twice = shard_of.insert(task.as_str(), shard.id.0 as usize);
            assert_eq!(twice, None, "`{task}` is in two shards");
        }
    }
    assert_eq!(shard_of.len(), workflow.tasks.len());
    let tasks = workflow.tasks.iter();
    tasks.map(|task| shard_of[task.id.as_str()]).collect()
}

/// Each shard waits, through relays, for exactly those that it needs something of; END for every sink; nobody in a circle.
fn quotient(planned: &Planned, workflow: &Workflow, shard_of: &[usize]) {
    let shards = &planned.plan.shards;
    let mut needed: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); shards.len()];
    for (at, task) in workflow.tasks.iter().enumerate() {
        let before = task.needs.iter().map(|need| shard_of[need.task.index()]);
        needed[shard_of[at]].extend(before.filter(|before| *before != shard_of[at]));
    }
    let mut awaited: Vec<Option<BTreeSet<usize>>> = vec![None; shards.len()];
    for at in 0..shards.len() {
        through_relays(shards, at, &mut awaited);
    }
    let feeds: BTreeSet<usize> = needed.iter().flatten().copied().collect();
    let sinks: BTreeSet<usize> = work(planned)
        .map(|shard| shard.id.0 as usize)
        .filter(|shard| !feeds.contains(shard))
        .collect();
    for (at, shard) in shards.iter().enumerate() {
        assert!(shard.predecessors.len() <= 256, "fan-in of {at}");
        match shard.kind {
            ShardKind::Work => assert_eq!(awaited[at].as_ref(), Some(&needed[at]), "shard {at}"),
            ShardKind::End => assert_eq!(awaited[at].as_ref(), Some(&sinks), "END"),
            ShardKind::Relay => {}
        }
    }
    let mut missing: Vec<usize> = shards.iter().map(|s| s.predecessors.len()).collect();
    let mut free: Vec<usize> = (0..shards.len()).filter(|&at| missing[at] == 0).collect();
    let mut done = 0;
    while let Some(at) = free.pop() {
        done += 1;
        for (next, shard) in shards.iter().enumerate() {
            if shard.predecessors.iter().any(|p| p.0 as usize == at) {
                missing[next] -= 1;
                if missing[next] == 0 {
                    free.push(next);
                }
            }
        }
    }
    assert_eq!(done, shards.len(), "the shards wait in a circle");
}

/// Shards with tasks that a shard waits for, directly or behind relays.
fn through_relays(shards: &[PlannedShard], at: usize, known: &mut [Option<BTreeSet<usize>>]) {
    if known[at].is_some() {
        return;
    }
    let mut found = BTreeSet::new();
    for before in &shards[at].predecessors {
        let before = before.0 as usize;
        if shards[before].kind == ShardKind::Work {
            found.insert(before);
        } else {
            through_relays(shards, before, known);
            found.extend(known[before].iter().flatten().copied());
        }
    }
    known[at] = Some(found);
}

/// No way leads out of a shard and back into it.
fn convex(workflow: &Workflow, shard_of: &[usize]) {
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); shard_of.len()];
    for (at, task) in workflow.tasks.iter().enumerate() {
        for need in &task.needs {
            after[need.task.index()].push(at);
        }
    }
    for shard in shard_of.iter().copied().collect::<BTreeSet<usize>>() {
        let inside = |task: &usize| shard_of[*task] == shard;
        let mut seen = vec![false; shard_of.len()];
        let mut next: Vec<usize> = (0..shard_of.len())
            .filter(inside)
            .flat_map(|task| after[task].iter().copied().filter(|to| !inside(to)))
            .collect();
        while let Some(task) = next.pop() {
            assert!(
                !inside(&task),
                "shard {shard} is left and entered again at {task}"
            );
            if !std::mem::replace(&mut seen[task], true) {
                next.extend(&after[task]);
            }
        }
    }
}

fn order_within(planned: &Planned, workflow: &Workflow) {
    for shard in work(planned) {
        let place: BTreeMap<&str, usize> = shard
            .tasks
            .iter()
            .map(|task| task.as_str())
            .zip(0..)
            .collect();
        for task in &workflow.tasks {
            let Some(&at) = place.get(task.id.as_str()) else {
                continue;
            };
            for need in &task.needs {
                let before = workflow.tasks[need.task.index()].id.as_str();
                let earlier = place.get(before).is_none_or(|&before| before < at);
                assert!(earlier, "`{}` is listed before `{before}`", task.id);
            }
        }
    }
}

fn annotations(given: &Given<'_>, planned: &Planned, shard_of: &[usize]) {
    let tasks = &given.workflow.tasks;
    let most = given.options.shard_tasks_max.unwrap_or(u32::MAX) as usize;
    for shard in work(planned) {
        let target = target_of(given.pool, shard);
        assert!(shard.tasks.len() <= most);
        let members: Vec<_> = (0..tasks.len())
            .filter(|&task| shard_of[task] == shard.id.0 as usize)
            .map(|task| &tasks[task])
            .collect();
        let alone = members.iter().any(|task| task.effect == Effect::Once);
        assert!(!alone || members.len() == 1, "a `once` task has company");
        let mut apart = BTreeSet::new();
        for task in members {
            let extras = task.extras();
            if let Some(name) = &extras.affinity.apart {
                assert!(apart.insert(name.clone()), "`apart: {name}` shares a shard");
            }
            for (name, value) in &extras.affinity.require {
                assert_eq!(target.labels.get(name), Some(value), "`{}`", task.id);
            }
            // A task that waits for somebody else's answer holds no more than that.
            let waits = matches!(task.kind, TaskKind::Lambda { .. } | TaskKind::Http(_));
            let mib = f64::from(task.resources.memory.0) * given.options.memory_scale;
            assert!(waits || mib <= f64::from(target.memory.0), "`{}`", task.id);
        }
    }
    for (at, task) in tasks.iter().enumerate() {
        for need in &task.needs {
            let cut = tasks[need.task.index()].extras().cut.after;
            assert!(
                !cut || shard_of[need.task.index()] != shard_of[at],
                "cut after"
            );
        }
    }
}

fn target_of<'a>(pool: &'a Pool, shard: &PlannedShard) -> &'a Target {
    let id = shard.target.as_deref().unwrap();
    let found = pool.targets.iter().find(|target| target.id.as_str() == id);
    found.unwrap()
}

fn timetable(planned: &Planned) {
    let shards = &planned.plan.shards;
    let mut lanes: BTreeMap<u32, Vec<(u64, u64)>> = BTreeMap::new();
    for shard in shards {
        for before in &shard.predecessors {
            let before = &shards[before.0 as usize];
            // Milliseconds are rounded.
            assert!(before.start_ms + before.duration_ms <= shard.start_ms + 2);
        }
        if let Some(lane) = shard.lane {
            let bar = (shard.start_ms, shard.start_ms + shard.duration_ms);
            lanes.entry(lane).or_default().push(bar);
        }
    }
    assert!(lanes.len() <= planned.plan.lanes as usize);
    for bars in lanes.values_mut() {
        bars.sort_unstable();
        assert!(bars.windows(2).all(|two| two[0].1 <= two[1].0 + 2));
    }
}

/// Each proof holds, none is missing, and what can be counted again gives the same.
fn proofs(planned: &Planned, given: &Given<'_>) {
    let expected = [
        of_step_functions(planned, given),
        of_lambda(planned, given),
        of_table(planned),
        of_rates(planned, given),
    ];
    let expected: Vec<Expected> = expected.into_iter().flatten().collect();
    let proofs = &planned.plan.limits;
    assert_eq!(proofs.len(), expected.len());
    for (proof, (limit, allowed, worst)) in proofs.iter().zip(expected) {
        assert_eq!((proof.limit.as_str(), proof.allowed), (limit, allowed));
        assert!(proof.holds && proof.worst <= proof.allowed, "{proof:?}");
        if let Some(worst) = worst {
            // A lane alone calls one after the other, and is held back rather than being too many.
            let alone = planned.plan.lanes == 1 && proof.unit.ends_with("/s");
            let worst = if alone { worst.min(allowed) } else { worst };
            // Durations are shown in whole milliseconds.
            let close = (proof.worst - worst).abs() <= 0.01 * worst.max(1e-9);
            assert!(close, "{proof:?}, counted {worst}");
        }
    }
}

/// Limit, allowed, and the worst value where it can be counted here.
type Expected = (&'static str, f64, Option<f64>);

fn of_step_functions(planned: &Planned, given: &Given<'_>) -> Vec<Expected> {
    let plan = &planned.plan;
    let lanes = f64::from(plan.lanes);
    let (inline, children) = match plan.mode {
        LaneMode::Inline => (lanes, 0.0),
        LaneMode::Distributed => (0.0, lanes),
    };
    let name = plan.run.as_str().len() + "-4294967295".len();
    let year = Some(plan.price.makespan_s.high.ceil());
    vec![
        ("state payload", 262_144.0, None),
        ("lane message", 32_768.0, None),
        ("invocation payload", 6_291_456.0, None),
        ("execution history", 25_000.0, None),
        ("execution time", 31_536_000.0, year),
        ("execution name", 80.0, Some(name as f64)),
        ("open executions", 1e6, Some(1.0 + children)),
        ("open map runs", 1_000.0, Some(children.min(1.0))),
        ("state machine definition", 1_048_576.0, None),
        ("inline branches", 40.0, Some(inline)),
        ("distributed children", 10_000.0, Some(children)),
        (
            "account concurrency",
            f64::from(given.pool.concurrency),
            Some(lanes),
        ),
        ("environment scaling", 90.0, Some(lanes / 100.0)),
    ]
}

fn of_lambda(planned: &Planned, given: &Given<'_>) -> Vec<Expected> {
    let tiers = work(planned).map(|shard| target_of(given.pool, shard).memory.0);
    vec![
        ("shard duration", 900_000.0, None),
        ("memory", 10_240.0, tiers.max().map(f64::from)),
        ("scratch disk", 10_240.0, None),
    ]
}

fn of_table(planned: &Planned) -> Vec<Expected> {
    let shards = &planned.plan.shards;
    let mut fan: Vec<usize> = shards.iter().map(|s| s.predecessors.len()).collect();
    let mut out = vec![0; shards.len()];
    for before in shards.iter().flat_map(|shard| &shard.predecessors) {
        out[before.0 as usize] += 1;
    }
    fan.append(&mut out);
    let widest = fan.iter().max().map(|fan| *fan as f64);
    vec![
        ("table item", 409_600.0, None),
        ("transaction size", 4_194_304.0, None),
        ("transaction", 100.0, Some(3.0)),
        ("fan-in and fan-out", 256.0, widest),
    ]
}

fn of_rates(planned: &Planned, given: &Given<'_>) -> Vec<Expected> {
    let lanes = f64::from(planned.plan.lanes);
    let shards = work(planned).count() as f64;
    let busy_ms: f64 = work(planned).map(|s| s.duration_ms as f64).sum();
    let a_second = lanes / (busy_ms / 1000.0 / shards);
    let transitions = match given.region {
        "us-east-1" | "us-west-2" | "eu-west-1" => 5_000.0,
        _ => 800.0,
    };
    let requests = 10.0 * f64::from(given.pool.concurrency);
    vec![
        ("partition key, writes", 1_000.0, None),
        ("partition key, reads", 3_000.0, None),
        ("table, writes", 40_000.0, None),
        ("table, reads", 40_000.0, None),
        // Dispatch, choice, execute and a share of the parkings: about four for each shard.
        ("state transitions", transitions, Some(3.0 * a_second)),
        ("invocation requests", requests, Some(2.0 * a_second)),
        ("metric requests", 500.0, Some(a_second)),
        ("tasks", 1e6, Some(given.workflow.tasks.len() as f64)),
    ]
}

fn price(planned: &Planned) {
    let price = &planned.plan.price;
    let sum: f64 = price.by_service.values().map(|usd| usd.0).sum();
    assert!((sum - price.total_usd.mid).abs() <= 1e-9 * sum);
    let plain: f64 = price.plain_by_service.values().map(|usd| usd.0).sum();
    assert!((plain - price.plain_usd.0).abs() <= 1e-9 * plain);
    for interval in [price.total_usd, price.makespan_s, price.plain_makespan_s] {
        assert!(0.0 < interval.low, "{interval:?}");
        assert!(
            interval.low < interval.mid && interval.mid < interval.high,
            "{interval:?}"
        );
    }
    assert!(
        price
            .unit_prices
            .iter()
            .all(|unit| unit.usd > 0.0 && !unit.source.is_empty())
    );
}
