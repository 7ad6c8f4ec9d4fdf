//! A plan for people: shards, reasons, limits, price.

use foreshard_model::plan::{Plan, Reason, ShardKind};
use foreshard_model::price::Interval;

/// Most shards listed; the picture and the JSON have all.
const SHARDS_LISTED: usize = 60;

/// The whole plan as text.
#[must_use]
pub fn describe(plan: &Plan) -> String {
    let mut text = String::new();
    let work = plan
        .shards
        .iter()
        .filter(|s| s.kind == ShardKind::Work)
        .count();
    text.push_str(&format!(
        "{}: {} tasks in {work} shards ({} more are virtual) on {} lanes, {}\n\n",
        plan.workflow,
        plan.tasks,
        plan.shards.len() - work,
        plan.lanes,
        match plan.mode {
            foreshard_model::plan::LaneMode::Inline => "inline",
            foreshard_model::plan::LaneMode::Distributed => "distributed",
        }
    ));
    shards(plan, &mut text);
    text.push_str("\nreasons\n");
    for reason in &plan.reasons {
        text.push_str(&format!("  {:<10} {}\n", reason.subject, reason.because));
        if !reason.numbers.is_empty() {
            text.push_str(&format!("  {:<10}   {}\n", "", numbers(reason)));
        }
    }
    text.push_str("\nlimits\n");
    for proof in &plan.limits {
        let mark = if proof.holds { "✓" } else { "✗" };
        text.push_str(&format!(
            "  {mark} {:<34} {:>12.0} of {:>12.0} {:<10} {}\n",
            proof.limit, proof.worst, proof.allowed, proof.unit, proof.place
        ));
    }
    text.push_str("\nprice\n");
    price(plan, &mut text);
    text
}

fn shards(plan: &Plan, text: &mut String) {
    text.push_str(&format!(
        "{:>5} {:>5} {:>9} {:>9}  {:<28} {}\n",
        "SHARD", "TASKS", "START", "TAKES", "TARGET", "BECAUSE"
    ));
    let listed = plan.shards.iter().filter(|s| s.kind == ShardKind::Work);
    for shard in listed.clone().take(SHARDS_LISTED) {
        let target = shard.target.as_deref().unwrap_or("-");
        text.push_str(&format!(
            "{:>5} {:>5} {:>7.2} s {:>7.2} s  {target:<28} {}\n",
            shard.id.0,
            shard.tasks.len(),
            seconds(shard.start_ms),
            seconds(shard.duration_ms),
            shard.reason
        ));
    }
    let more = listed.count().saturating_sub(SHARDS_LISTED);
    if more > 0 {
        text.push_str(&format!(
            "      and {more} more (`--format json` has all)\n"
        ));
    }
}

/// This plan beside one Standard state for each task, then the unit prices.
fn price(plan: &Plan, text: &mut String) {
    let price = &plan.price;
    let mut line = |what: &str, ours: &str, plain: &str| {
        text.push_str(&format!("  {what:<16} {ours:>36} {plain:>24}\n"));
    };
    line("", "this plan", "plain states");
    for (service, amount) in &price.by_service {
        let plain = price.plain_by_service.get(service).copied();
        line(
            service,
            &amount.to_string(),
            &plain.unwrap_or_default().to_string(),
        );
    }
    let total = price.total_usd;
    line(
        "total",
        &format!(
            "${:.6} (${:.6} to ${:.6})",
            total.mid, total.low, total.high
        ),
        &price.plain_usd.to_string(),
    );
    let time = |interval: Interval| {
        let Interval { low, mid, high } = interval;
        format!("{mid:.2} s ({low:.2} to {high:.2} s)")
    };
    line(
        "time",
        &time(price.makespan_s),
        &format!("at least {:.2} s", price.plain_makespan_s.mid),
    );
    line(
        "transitions",
        &format!("{:.0}", price.transitions),
        &plan.tasks.to_string(),
    );
    text.push_str(&format!(
        "  critical path {:.2} s, work {:.2} s\n  {}\n",
        seconds(plan.critical_path_ms),
        seconds(plan.work_ms),
        price.source
    ));
    text.push_str("\nunit prices\n");
    for unit in &price.unit_prices {
        text.push_str(&format!(
            "  ${:<14} {:<38} {:<14} {}\n",
            exact(unit.usd),
            unit.unit,
            unit.region,
            unit.source
        ));
    }
}

/// A small amount in full: `0.0000000005`, not `5e-10`.
fn exact(usd: f64) -> String {
    let text = format!("{usd:.16}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The numbers behind a reason: `makespan_s 741.0, shards 158`.
fn numbers(reason: &Reason) -> String {
    let shown = reason.numbers.iter().map(|(name, value)| {
        if value.fract() == 0.0 {
            format!("{name} {value:.0}")
        } else if value.abs() < 10.0 {
            format!("{name} {value:.4}")
        } else {
            format!("{name} {value:.1}")
        }
    });
    shown.collect::<Vec<String>>().join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "a duration for people")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
