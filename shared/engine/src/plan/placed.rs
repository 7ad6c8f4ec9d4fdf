//! Why shards are where they are and as long as they are: room and losses expected, what others hold, families chosen.

use std::collections::BTreeMap;

use foreshard_model::plan::Reason;

use crate::place::{Rule, Sites, Yard, chip};
use crate::shard::Compared;

use super::emit::Layout;
use super::reasons::reason;

/// What decided where shards run and how long they are; nothing where targets make no difference.
pub(super) fn reasons(layout: &Layout<'_>, sites: &Sites<'_>) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = sites.yards.iter().filter_map(room).collect();
    reasons.extend(lengths(layout, sites));
    reasons.extend(families(layout, sites));
    reasons
}

/// Room that is less than the whole.
fn room(yard: &Yard) -> Option<Reason> {
    let (held, runs) = yard.promised;
    let least = yard.room.least();
    if least >= yard.whole {
        return None;
    }
    let free = match (least, yard.room.most()) {
        (least, most) if least == most => format!("{least}"),
        (least, most) => format!("{least} to {most}"),
    };
    let mut because = format!(
        "`{}` has {free} of {} lanes free while the run lasts",
        yard.name, yard.whole
    );
    if runs > 0 {
        because.push_str(&format!(
            "; other runs hold {held} of them, the last until {} s from now",
            yard.promised_until_ms.div_ceil(1_000)
        ));
    }
    let numbers = [
        ("free_least", f64::from(least)),
        ("free_most", f64::from(yard.room.most())),
        ("whole", f64::from(yard.whole)),
        ("held", f64::from(held)),
        ("runs", f64::from(runs)),
        ("squeezed_per_h", yard.squeezed_per_h),
    ];
    Some(reason("outlook", because, &numbers))
}

/// Shards that are kept short because attempts are expected to be lost.
fn lengths(layout: &Layout<'_>, sites: &Sites<'_>) -> Vec<Reason> {
    let mut bounds: BTreeMap<u64, (f64, u32, f64)> = BTreeMap::new();
    for (shard, &at) in layout.at.iter().enumerate() {
        let profile = &layout.chosen.shards.profiles[at as usize];
        let ladder = &layout.demand.ladders[profile.class as usize];
        let most_ms = ladder.rungs()[profile.rung].length_max_ms;
        if most_ms.is_finite() {
            let entry = bounds.entry(most_ms as u64).or_insert((0.0, 0, 0.0));
            let lost = sites.lost_per_h[layout.rung(shard as u32).target];
            entry.0 = entry.0.max(lost);
            entry.1 += 1;
            entry.2 = entry.2.max(layout.chosen.duration_ms[at as usize]);
        }
    }
    let each = bounds.into_iter().map(|(most_ms, (lost, shards, longest))| {
        let most_s = most_ms as f64 / 1000.0;
        reason(
            "shard",
            format!(
                "{shards} shard(s) end within {most_s:.1} s where their tasks do: {lost:.1} attempts an hour are expected to be lost, and a longer one would lose more than it saves"
            ),
            &[
                ("length_max_s", most_s),
                ("lost_per_h", lost),
                ("shards", f64::from(shards)),
                ("longest_s", longest / 1000.0),
            ],
        )
    });
    each.collect()
}

/// How many shards each family has, and which way of placing them was the best.
fn families(layout: &Layout<'_>, sites: &Sites<'_>) -> Vec<Reason> {
    let Some((kept, others)) = layout.chosen.placed.compared.split_first() else {
        return Vec::new();
    };
    let mut shards_of: BTreeMap<String, u32> = BTreeMap::new();
    for shard in 0..layout.at.len() as u32 {
        let target = &sites.pool.targets[layout.rung(shard).target];
        let labels = target
            .labels
            .iter()
            .map(|(name, value)| format!(" {name}={value}"));
        let family = format!(
            "{} {}{}",
            target.region,
            chip(target.architecture),
            labels.collect::<String>()
        );
        *shards_of.entry(family).or_default() += 1;
    }
    let mut reasons = vec![reason(
        "place",
        format!("each shard goes {}: {}", way(kept), why(kept, others)),
        &[
            ("makespan_s", kept.makespan_ms / 1000.0),
            ("more_usd", kept.more_usd),
            ("moved_usd", layout.chosen.placed.moved_usd),
        ],
    )];
    reasons.extend(shards_of.into_iter().map(|(family, shards)| {
        reason(
            "place",
            format!("{shards} shard(s) on {family}"),
            &[("shards", f64::from(shards))],
        )
    }));
    reasons
}

fn way(way: &Compared) -> String {
    let rule = match way.rule {
        Rule::Earliest => "where it ends first",
        Rule::LookAhead => "where its end and what remains behind it come to least",
        Rule::Thrift => "to the cheapest target where it ends nearly first",
    };
    let order = match way.by_targets {
        true => ", in the order of what remains on the targets that there are",
        false => "",
    };
    format!("{rule}{order}")
}

fn why(kept: &Compared, others: &[Compared]) -> String {
    let better = |other: &&Compared| other.makespan_ms < kept.makespan_ms;
    let faster = others.iter().filter(better).count();
    match faster {
        0 => format!("none of {} other ways ends sooner", others.len()),
        _ => format!(
            "the cheapest of those about as fast as the fastest of {} ways",
            others.len() + 1
        ),
    }
}
