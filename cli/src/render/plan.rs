//! A plan for people: shards, reasons, limits, price.

use foreshard_model::plan::{Plan, ShardKind};

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
    }
    text.push_str("\nlimits\n");
    for proof in &plan.limits {
        let mark = if proof.holds { "✓" } else { "✗" };
        text.push_str(&format!(
            "  {mark} {:<34} {:>12.0} of {:>12.0} {:<10} {}\n",
            proof.limit, proof.worst, proof.allowed, proof.unit, proof.place
        ));
    }
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

fn price(plan: &Plan, text: &mut String) {
    let price = &plan.price;
    text.push_str("\nprice\n");
    for (service, amount) in &price.by_service {
        text.push_str(&format!("  {service:<16} {amount}\n"));
    }
    text.push_str(&format!(
        "  {:<16} ${:.6} (${:.6} to ${:.6})\n  {:<16} {} as one state for each task\n",
        "total",
        price.total_usd.mid,
        price.total_usd.low,
        price.total_usd.high,
        "plain",
        price.plain_usd
    ));
    text.push_str(&format!(
        "  {:<16} {:.2} s ({:.2} to {:.2} s); critical path {:.2} s, work {:.2} s\n  {}\n",
        "time",
        price.makespan_s.mid,
        price.makespan_s.low,
        price.makespan_s.high,
        seconds(plan.critical_path_ms),
        seconds(plan.work_ms),
        price.source
    ));
}

#[expect(clippy::cast_precision_loss, reason = "a duration for people")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}
