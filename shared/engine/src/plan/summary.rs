//! What the chosen plan adds up to: tiers used, price, limits, and the reasons that go with them.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::limits::{LANE_MESSAGE_BYTES, SHARD_FAN};
use foreshard_model::plan::{Reason, ShardKind};

use crate::limits::{Facts, Worst, item_bytes, lane_message_bytes, plan_answer_bytes};
use crate::place::{Profile, TRANSFER_BYTES_PER_MS, charged_gb};
use crate::price::{Counted, Plain, plain};
use crate::shard::{self, Demand};

use super::PlanInput;
use super::emit::Layout;
use super::lanes::Lanes;
use super::reasons::reason;

/// The tiers that shards were placed on.
pub(super) struct Used {
    /// Positions in the pool, ascending.
    pub(super) targets: BTreeSet<usize>,
    /// Shards by memory, in MiB.
    pub(super) shards_of: BTreeMap<u32, u32>,
}

/// What each task takes alone on the smallest tier that fits, its inputs read, in milliseconds.
fn plain_ms(demand: &Demand) -> impl Iterator<Item = f64> {
    demand.loads.iter().enumerate().map(|(task, load)| {
        let bytes: u64 = demand
            .graph
            .incoming_bytes(task as u32)
            .map(|(_, b)| b)
            .sum();
        load.ms + bytes as f64 / TRANSFER_BYTES_PER_MS
    })
}

/// The same tasks as plain states.
pub(super) fn plain_of(input: &PlanInput<'_>, demand: &Demand) -> Plain {
    plain(
        &demand.graph,
        &demand.order,
        &plain_ms(demand).collect::<Vec<f64>>(),
        &input.workflow.tasks,
        input.pool.concurrency,
    )
}

/// Gigabyte-seconds of the tasks, each alone on the smallest tier that fits.
fn plain_gb_s(demand: &Demand) -> f64 {
    plain_ms(demand)
        .zip(&demand.loads)
        .map(|(ms, load)| {
            let ladder = &demand.ladders[load.class as usize];
            Profile::of(load).memory_gb(ladder) * ms / 1000.0
        })
        .sum()
}

/// The same of the scratch disk that each needs above what is free.
fn plain_disk_gb_s(demand: &Demand) -> f64 {
    plain_ms(demand)
        .zip(&demand.loads)
        .map(|(ms, load)| charged_gb(load.disk_bytes) * ms / 1000.0)
        .sum()
}

/// Which tiers the shards use.
pub(super) fn used_rungs(layout: &Layout<'_>) -> Used {
    let mut used = Used {
        targets: BTreeSet::new(),
        shards_of: BTreeMap::new(),
    };
    for shard in 0..layout.at.len() as u32 {
        let rung = layout.rung(shard);
        used.targets.insert(rung.target);
        *used.shards_of.entry(rung.memory).or_default() += 1;
    }
    used
}

/// What the tasks use whatever their shards are.
pub(super) fn counted_tasks(demand: &Demand) -> Counted {
    Counted {
        tasks: demand.loads.len() as u64,
        plain_gb_s: plain_gb_s(demand),
        plain_disk_gb_s: plain_disk_gb_s(demand),
        objects: demand
            .loads
            .iter()
            .map(|load| u64::from(load.objects))
            .sum(),
        unknown: u64::from(demand.unknown),
        ..Counted::default()
    }
}

/// What the plan will use, for its price.
pub(super) fn counted(
    layout: &Layout<'_>,
    lanes: &Lanes,
    tasks: &Counted,
    plain: &Plain,
) -> Counted {
    let Layout {
        demand,
        chosen,
        wiring,
        ..
    } = layout;
    let virtual_shards = wiring
        .kinds
        .iter()
        .filter(|&&k| k != ShardKind::Work)
        .count();
    let (shards, schedule) = (&chosen.shards, &chosen.schedule);
    Counted {
        virtual_shards: virtual_shards as u64,
        edges: wiring.predecessors.iter().map(|p| p.len() as u64).sum(),
        lanes: u64::from(lanes.lanes),
        plain_makespan_ms: plain.makespan_ms,
        ..shard::counted(
            shards,
            &chosen.duration_ms,
            schedule,
            &chosen.placed,
            &demand.ladders,
            tasks,
        )
    }
}

/// Why these tiers, these relays, this schedule.
pub(super) fn reasons(layout: &Layout<'_>, used: &Used, counted: &Counted) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = used
        .shards_of
        .iter()
        .map(|(memory, shards)| memory_reason(layout, *memory, *shards))
        .collect();
    reasons.extend(relays(layout, counted));
    reasons.push(claims(layout.demand));
    reasons.push(reason(
        "place",
        "list schedule: a free lane takes the ready shard with the highest declared priority, then the longest path behind it".to_owned(),
        &[
            ("makespan_s", counted.makespan_ms / 1000.0),
            ("parkings", counted.parkings as f64),
            ("lanes_busy", f64::from(layout.chosen.schedule.width)),
        ],
    ));
    reasons
}

/// Why so many shards are on a tier.
fn memory_reason(layout: &Layout<'_>, memory: u32, shards: u32) -> Reason {
    let (mut tasks, mut largest, mut gb_s, mut threads) = (0, 0, 0.0, 0);
    for shard in (0..layout.at.len() as u32).filter(|&s| layout.rung(s).memory == memory) {
        let profile = layout.profile(shard);
        tasks += profile.tasks;
        largest = largest.max(profile.top[0]);
        gb_s += profile.gb_s(layout.ladder(shard));
        threads = layout.rung(shard).threads;
    }
    reason(
        "memory",
        format!(
            "{shards} shard(s) on {memory} MiB: the smallest tier that holds the tasks run at once and has the vCPUs they use"
        ),
        &[
            ("mib", f64::from(memory)),
            ("shards", f64::from(shards)),
            ("tasks", f64::from(tasks)),
            ("largest_task_mib", f64::from(largest)),
            ("tasks_at_once", f64::from(threads)),
            ("gb_s", gb_s),
        ],
    )
}

/// Why there are virtual shards beside END.
fn relays(layout: &Layout<'_>, counted: &Counted) -> Option<Reason> {
    let kinds = &layout.wiring.kinds;
    let relays = kinds.iter().filter(|&&k| k == ShardKind::Relay).count();
    (relays > 0).then(|| {
        reason(
            "relay",
            format!("{relays} relay(s): more than {SHARD_FAN} shards meet, or many wait for the same many"),
            &[
                ("relays", relays as f64),
                ("edges", counted.edges as f64),
                ("edges_without", layout.chosen.shards.graph.edge_count() as f64),
            ],
        )
    })
}

/// What moves along the dependencies, and how.
fn claims(demand: &Demand) -> Reason {
    let graph = &demand.graph;
    let (mut bytes, mut largest) = (0_u64, 0_u64);
    for (_, edge) in (0..graph.len() as u32).flat_map(|task| graph.incoming_bytes(task)) {
        bytes = bytes.saturating_add(edge);
        largest = largest.max(edge);
    }
    reason(
        "claims",
        "outputs and files go by claim check: between states there are keys and digests alone"
            .to_owned(),
        &[
            ("dependencies", graph.edge_count() as f64),
            ("bytes", bytes as f64),
            ("largest_bytes", largest as f64),
            ("lane_message_bytes", LANE_MESSAGE_BYTES as f64),
        ],
    )
}

/// What the limits are checked against.
pub(super) fn facts(
    input: &PlanInput<'_>,
    layout: &Layout<'_>,
    lanes: &Lanes,
    makespan_s: f64,
) -> Facts {
    let Layout { demand, wiring, .. } = layout;
    let shards = 0..layout.at.len() as u32;
    let worst = |value: &dyn Fn(u32) -> f64| {
        let (shard, value) =
            shards
                .clone()
                .map(|shard| (shard, value(shard)))
                .fold(
                    (0, 0.0),
                    |worst, now| if now.1 > worst.1 { now } else { worst },
                );
        Worst {
            value,
            place: format!("shard {shard}"),
        }
    };
    let fan = |s: usize| wiring.predecessors[s].len().max(wiring.successors[s].len());
    let widest = (0..wiring.kinds.len()).max_by_key(|&s| fan(s)).unwrap_or(0);
    let longest_target = input
        .pool
        .targets
        .iter()
        .map(|t| t.id.as_str())
        .max_by_key(|id| id.len())
        .unwrap_or_default();
    let message = lane_message_bytes(input.run, &input.workflow.name, longest_target);
    let regions = input.pool.targets.iter().map(|t| t.region.as_str());
    let regions: BTreeSet<&str> = regions.collect();
    Facts {
        tasks: demand.loads.len(),
        lanes: lanes.lanes,
        mode: lanes.mode,
        events: lanes.events,
        history_budget: lanes.history_budget,
        plan_answer: plan_answer_bytes(lanes.lanes, lanes.mode),
        lane_message: Worst {
            value: message as f64,
            place: "answer of dispatch: run a shard".to_owned(),
        },
        duration_ms: worst(&|s| layout.profile(s).ms(layout.ladder(s))),
        limit_ms: shards
            .clone()
            .map(|s| layout.rung(s).limit_ms)
            .min()
            .unwrap_or(0),
        memory_mib: worst(&|s| f64::from(layout.rung(s).memory)),
        disk_mib: worst(&|s| {
            layout.profile(s).disk_bytes(layout.ladder(s)) as f64 / (1024.0 * 1024.0)
        }),
        concurrency: input
            .pool
            .concurrency
            .max(1)
            .saturating_mul(regions.len() as u32),
        rates: lanes.rates.clone(),
        item_bytes: item_bytes(input.run, message),
        makespan_s,
        execution_name: format!("{}-{}", input.run, u32::MAX).len(),
        fan: Worst {
            value: fan(widest) as f64,
            place: format!("shard {widest}"),
        },
    }
}
