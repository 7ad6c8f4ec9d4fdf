//! The figures as a table: both sides of each file next to each other.

use std::fmt::Write as _;

use crate::command::Figures;
use crate::result::Simulated;

/// The table: a block for each file.
pub(crate) fn table(figures: &[Figures]) -> String {
    let mut text = String::new();
    for (at, of) in figures.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        block(&mut text, of);
    }
    text
}

fn block(text: &mut String, figures: &Figures) {
    let ours = &figures.ours;
    let beside: Vec<(&str, &Simulated)> = [
        ("plain states", &figures.plain),
        ("target tracking", &figures.tracked),
    ]
    .into_iter()
    .filter_map(|(name, of)| Some((name, of.as_ref()?)))
    .collect();
    let _ = writeln!(
        text,
        "{}: {} tasks in {} shards on {} lanes, {} round(s), {} attempts",
        figures.file, ours.tasks, ours.shards, ours.lanes, ours.rounds, ours.attempts
    );
    if !beside.is_empty() {
        let names = beside.iter().map(|(name, _)| format!(" {name:>20}"));
        let names: String = names.collect();
        let _ = writeln!(text, "  {:<16} {:>20}{names}", "", "foreshard");
    }
    let mut line = |name: &str, of: &dyn Fn(&Simulated) -> String| {
        let others = beside.iter().map(|(_, side)| format!(" {:>20}", of(side)));
        let others: String = others.collect();
        let _ = writeln!(text, "  {name:<16} {:>20}{others}", of(ours));
    };
    line("status", &|of| of.status.clone());
    line("makespan", &|of| format!("{:.1} s", of.makespan_s));
    line("cost", &|of| format!("${:.6}", of.cost_usd));
    for service in ours.by_service.keys() {
        line(&format!("  {service}"), &|of| {
            let usd = of.by_service.get(service).copied().unwrap_or_default();
            format!("${:.6}", usd.0)
        });
    }
    line("  but the work", &|of| {
        format!("${:.6}", of.orchestration_usd)
    });
    line("transitions", &|of| of.transitions.to_string());
    line("cold starts", &|of| of.cold_starts.to_string());
    if beside.len() > 1 || ours.usage.waiting_gb_s > 0.0 {
        line("provisioned", &|of| {
            format!("{:.0} GB-s", of.usage.waiting_gb_s)
        });
    }
    runs(ours, &mut line);
    line("throttles", &|of| of.throttles.to_string());
    line("concurrency", &|of| of.usage.concurrency.to_string());
    line("history", &|of| {
        format!("{} events", of.usage.longest_history)
    });
    for kind in ours.struck.0.keys() {
        let of = |of: &Simulated| {
            of.struck
                .0
                .get(kind)
                .copied()
                .unwrap_or_default()
                .to_string()
        };
        line(&format!("{kind} hits"), &of);
    }
    footer(text, ours, &beside);
}

/// Prints one figure of every side.
type Line<'a> = dyn FnMut(&str, &dyn Fn(&Simulated) -> String) + 'a;

/// Each run of a schedule: what it took, and what was charged until the next.
fn runs(ours: &Simulated, line: &mut Line<'_>) {
    for (at, run) in ours.runs.iter().enumerate() {
        line(&format!("run {}", at + 1), &|of| {
            of.runs.get(at).map_or_else(String::new, |run| {
                format!("{:.1} s, {} cold", run.makespan_s, run.cold_starts)
            })
        });
        line(&format!("  at {:.0} s", run.begun_s), &|of| {
            of.runs
                .get(at)
                .map_or_else(String::new, |run| format!("${:.6}", run.cost_usd))
        });
    }
}

/// What the plan expected, what bounds plain states, and why what failed did.
fn footer(text: &mut String, ours: &Simulated, beside: &[(&str, &Simulated)]) {
    if let Some(expected) = ours.expected_s {
        let _ = writeln!(
            text,
            "  the plan expected {:.1} s ({:.1} to {:.1} s){}",
            expected.mid,
            expected.low,
            expected.high,
            ours.expected_usd.map_or_else(String::new, |usd| format!(
                ", ${:.6} (${:.6} to ${:.6})",
                usd.mid, usd.low, usd.high
            ))
        );
    }
    let mut plain = beside.iter();
    if let Some(seconds) = plain.find_map(|(_, side)| side.with_arrows_s) {
        let _ = writeln!(
            text,
            "  plain states wait for whole levels; were each to start when its inputs are there: {seconds:.1} s"
        );
    }
    for (name, of) in [("foreshard", ours)].iter().chain(beside) {
        if let Some(cause) = &of.cause {
            let _ = writeln!(text, "  {name}: {cause}");
        }
    }
}

/// One row for each file, Markdown; then the middle of what is promised.
pub(crate) fn rows(figures: &[Figures]) -> String {
    let mut text = String::from(
        "| workflow | tasks | shards | lanes | ours s | plain s | with arrows s | ours / plain | ours $ | plain $ | ours / plain | but the work | transitions a task | expected s |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
    );
    let mut each: Vec<f64> = Vec::new();
    for of in figures {
        let Some(plain) = &of.plain else { continue };
        each.push(row(&mut text, &of.file, &of.ours, plain));
    }
    each.sort_by(f64::total_cmp);
    let median = each.get(each.len() / 2).copied().unwrap_or_default();
    let _ = writeln!(text, "\nmedian of transitions a task: {median:.2}");
    text
}

/// Writes a row; gives the transitions a task.
fn row(text: &mut String, file: &str, ours: &Simulated, plain: &Simulated) -> f64 {
    let failed = |of: &Simulated| if of.status == "succeeded" { "" } else { " ✗" };
    let arrows_s = plain.with_arrows_s.unwrap_or_default();
    let name = file.trim_end_matches(".gz").trim_end_matches(".json");
    let each = ours.transitions as f64 / f64::from(ours.tasks.max(1));
    let expected = ours.expected_s.map_or_else(String::new, |expected| {
        let mark = if ours.is_within_time() { "" } else { " ✗" };
        format!(
            "{:.0} ({:.0} to {:.0}){mark}",
            expected.mid, expected.low, expected.high
        )
    });
    let _ = writeln!(
        text,
        "| {name} | {} | {} | {} | {:.1}{} | {:.1}{} | {arrows_s:.1} | {:.2} | {:.4} | {:.4} | {:.3} | {:.2} | {each:.2} | {expected} |",
        ours.tasks,
        ours.shards,
        ours.lanes,
        ours.makespan_s,
        failed(ours),
        plain.makespan_s,
        failed(plain),
        ours.makespan_s / plain.makespan_s,
        ours.cost_usd,
        plain.cost_usd,
        ours.cost_usd / plain.cost_usd,
        ours.orchestration_usd / plain.orchestration_usd,
    );
    each
}
