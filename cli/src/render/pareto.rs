//! The Pareto front for people: a row for each plan, with the arguments that give it.

use foreshard_engine::objective::MARGIN;
use foreshard_model::objective::Tradeoff;

use crate::objective_args::as_arguments;

/// The front as a table, quickest plan first; so many plans are left out.
#[must_use]
pub fn table(front: &[Tradeoff], left_out: usize) -> String {
    let mut text = format!(
        "{:>2} {:>11} {:>12} {:>12} {:>14} {:>7} {:>6} {:>6}  {}\n",
        "", "TIME", "COST", "ENERGY", "MOVED", "SHARDS", "LANES", "MIB", "ARGUMENTS"
    );
    for plan in front {
        text.push_str(&format!(
            "{:>2} {:>9.2} s {:>12} {:>9.3} Wh {:>10.2} MiB {:>7} {:>6} {:>6}  {}\n",
            if plan.chosen { "*" } else { "" },
            plan.makespan_s.high,
            format!("${:.6}", plan.total_usd.high),
            plan.energy_kwh * 1_000.0,
            mebibytes(plan.moved_bytes),
            plan.shards,
            plan.lanes,
            plan.memory_mib,
            as_arguments(&plan.objective),
        ));
    }
    text.push_str(
        "\nNine of ten such runs stay within TIME and COST. No plan that was tried is better than one of these in time, cost, \
         energy and bytes moved. * is what the given arguments give. Energy is a model.\n",
    );
    if left_out > 0 {
        text.push_str(&format!(
            "{left_out} further plan(s) are within {:.0} % of one of these in everything: --all lists them.\n",
            MARGIN * 100.0
        ));
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a size for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

#[cfg(test)]
mod tests {
    use foreshard_model::objective::Objective;
    use foreshard_model::price::Interval;

    use super::*;

    #[test]
    fn a_row_has_what_is_compared_and_how_to_have_it() {
        let front = [Tradeoff {
            shards: 4,
            lanes: 2,
            memory_mib: 3_538,
            makespan_s: Interval {
                low: 1.0,
                mid: 2.0,
                high: 3.1,
            },
            total_usd: Interval {
                low: 0.1,
                mid: 0.2,
                high: 0.25,
            },
            energy_kwh: 0.002,
            moved_bytes: 3 * 1_048_576,
            transitions: 20.0,
            sharding: "one chain a shard".to_owned(),
            objective: Objective {
                deadline_s: Some(3.1),
                ..Objective::default()
            },
            chosen: true,
        }];
        let text = table(&front, 3);
        let row: Vec<&str> = text
            .lines()
            .nth(1)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let wanted = "* 3.10 s $0.250000 2.000 Wh 3.00 MiB 4 2 3538 --deadline-s 3.1";
        assert_eq!(row.join(" "), wanted);
        assert!(text.ends_with(
            "3 further plan(s) are within 5 % of one of these in everything: --all lists them.\n"
        ));
    }
}
