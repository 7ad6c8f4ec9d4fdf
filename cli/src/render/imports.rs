//! What became of a definition: a line for each state, and under it what differs or why it is refused.

use foreshard_engine::asl::{Import, Outcome};
use foreshard_model::problem::Problem;

/// Widest column of names.
const NAME_CHARS: usize = 40;

/// The table, its findings, and the whole in one line.
#[must_use]
pub fn table(import: &Import) -> String {
    let names = import
        .states
        .iter()
        .map(|report| report.state.chars().count());
    let width = names.max().unwrap_or(0).clamp(5, NAME_CHARS);
    let mut text = format!(
        "{:<width$}  {:<9} {:<9} {}\n",
        "STATE", "TYPE", "IMPORTED", "AS"
    );
    for report in &import.states {
        let becomes = match report.outcome {
            Outcome::Refused => "",
            _ => report.becomes.as_str(),
        };
        text.push_str(&format!(
            "{:<width$}  {:<9} {:<9} {becomes}\n",
            report.state,
            report.kind,
            word(report.outcome)
        ));
        for finding in import
            .findings
            .iter()
            .filter(|finding| finding.path == report.state)
        {
            text.push_str(&said(finding));
        }
    }
    let known = |path: &str| import.states.iter().any(|report| report.state == path);
    for finding in import
        .findings
        .iter()
        .filter(|finding| !known(&finding.path))
    {
        text.push_str(&said(finding));
    }
    let count = |outcome: Outcome| {
        let of = import
            .states
            .iter()
            .filter(|report| report.outcome == outcome);
        of.count()
    };
    text.push_str(&format!(
        "{} states: {} imported, {} with a difference, {} not",
        import.states.len(),
        count(Outcome::Imported),
        count(Outcome::Differs),
        count(Outcome::Refused)
    ));
    text
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Imported => "yes",
        Outcome::Differs => "differs",
        Outcome::Refused => "no",
    }
}

fn said(finding: &Problem) -> String {
    let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})"));
    format!(
        "    {} {}{}\n",
        finding.code,
        finding.message,
        hint.unwrap_or_default()
    )
}
