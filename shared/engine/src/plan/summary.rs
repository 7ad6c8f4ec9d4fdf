//! What the chosen plan adds up to: tiers used, price, limits, and the reasons that go with them.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::plan::{Reason, ShardKind};

use crate::limits::{Facts, Worst, lane_message_bytes, plan_answer_bytes};
use crate::place::{Profile, TRANSFER_BYTES_PER_MS};
use crate::price::{Counted, Rates};
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

/// Gigabyte-seconds of the tasks, each alone on the smallest tier that fits, its inputs read.
fn plain_gb_s(demand: &Demand) -> f64 {
    demand
        .loads
        .iter()
        .enumerate()
        .map(|(task, load)| {
            let bytes: u64 = demand
                .graph
                .incoming_bytes(task as u32)
                .map(|(_, b)| b)
                .sum();
            let ms = load.ms + bytes as f64 / TRANSFER_BYTES_PER_MS;
            let ladder = &demand.ladders[load.class as usize];
            Profile::of(load).memory_gb(ladder) * ms / 1000.0
        })
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
pub(super) fn counted(layout: &Layout<'_>, lanes: &Lanes, tasks: &Counted) -> Counted {
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

/// Why these tiers, these relays, this price.
pub(super) fn reasons(
    layout: &Layout<'_>,
    used: &Used,
    counted: &Counted,
    rates: &Rates,
) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = used
        .shards_of
        .iter()
        .map(|(memory, shards)| {
            reason(
                "memory",
                format!("{shards} shard(s) on {memory} MiB: the smallest tier that holds the tasks run at once and has the vCPUs they use"),
                &[("mib", f64::from(*memory)), ("shards", f64::from(*shards))],
            )
        })
        .collect();
    let relays = layout
        .wiring
        .kinds
        .iter()
        .filter(|&&k| k == ShardKind::Relay)
        .count();
    if relays > 0 {
        reasons.push(reason(
            "relay",
            format!("{relays} relay(s): more than 256 shards meet, or many wait for the same many"),
            &[("relays", relays as f64), ("edges", counted.edges as f64)],
        ));
    }
    reasons.push(reason(
        "place",
        "list schedule: a free lane takes the ready shard with the highest declared priority, then the longest path behind it".to_owned(),
        &[
            ("makespan_s", counted.makespan_ms / 1000.0),
            ("parkings", counted.parkings as f64),
            ("lanes_busy", f64::from(layout.chosen.schedule.width)),
        ],
    ));
    reasons.push(reason(
        "price",
        format!(
            "{}; known durations within -15 % and +30 %, unknown ones within a third and three times",
            rates.source
        ),
        &[
            ("gb_s", counted.gb_s),
            ("plain_gb_s", counted.plain_gb_s),
            ("shards", counted.shards as f64),
        ],
    ));
    reasons
}

/// What the limits are checked against.
pub(super) fn facts(input: &PlanInput<'_>, layout: &Layout<'_>, lanes: &Lanes) -> Facts {
    let Layout {
        demand,
        chosen,
        wiring,
        ..
    } = layout;
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
    let profile = |s: u32| &chosen.shards.profiles[layout.at[s as usize] as usize];
    let ladder = |s: u32| &demand.ladders[profile(s).class as usize];
    let longest_target = input
        .pool
        .targets
        .iter()
        .map(|t| t.id.as_str())
        .max_by_key(|id| id.len());
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
            value: lane_message_bytes(
                input.run,
                &input.workflow.name,
                longest_target.unwrap_or_default(),
            ) as f64,
            place: "answer of dispatch: run a shard".to_owned(),
        },
        duration_ms: worst(&|s| profile(s).ms(ladder(s))),
        limit_ms: shards
            .clone()
            .map(|s| layout.rung(s).limit_ms)
            .min()
            .unwrap_or(0),
        memory_mib: worst(&|s| f64::from(layout.rung(s).memory)),
        disk_mib: worst(&|s| profile(s).disk_bytes(ladder(s)) as f64 / (1024.0 * 1024.0)),
        concurrency: input
            .pool
            .concurrency
            .max(1)
            .saturating_mul(regions.len() as u32),
        partition_writes: lanes.partition_writes,
        fan: Worst {
            value: fan(widest) as f64,
            place: format!("shard {widest}"),
        },
    }
}
