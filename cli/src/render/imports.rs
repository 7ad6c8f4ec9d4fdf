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
        let line = format!(
            "{:<width$}  {:<9} {:<9} {becomes}",
            report.state,
            report.kind,
            word(report.outcome)
        );
        text.push_str(line.trim_end());
        text.push('\n');
        for finding in import
            .findings
            .iter()
            .filter(|finding| finding.path == report.state)
        {
            text.push_str(&said(finding));
        }
    }
    let known = |path: &str| import.states.iter().any(|report| report.state == path);
    let of_all = import.findings.iter().filter(|f| !known(&f.path));
    let of_all: String = of_all.map(said).collect();
    if !of_all.is_empty() {
        text.push_str("The definition as a whole\n");
        text.push_str(&of_all);
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

#[cfg(test)]
mod tests {
    use foreshard_engine::asl::{self, Options};

    use super::*;

    #[test]
    fn every_state_has_its_line_and_its_findings() {
        let text = br#"{"StartAt": "Price", "TimeoutSeconds": 60, "States": {
            "Price": {"Type": "Task", "Resource": "price", "Parameters": {"id.$": "$$.Execution.Id"}, "Next": "Tell"},
            "Tell": {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "ResultPath": null, "Next": "Done"},
            "Done": {"Type": "Pass", "End": true}}}"#;
        let import = asl::import(text, &Options::default()).expect("a definition");
        insta::assert_snapshot!(table(&import), @r"
        STATE  TYPE      IMPORTED  AS
        Price  Task      differs   Price.input, Price
            FS5051 `$$.Execution.Id` is the run's id here, not an ARN
        Tell   Task      no
            FS5006 no kind of task calls `sns:publish` (give a function that calls services: --services NAME (docs/import.md))
        Done   Pass      yes       data of the states after it
        The definition as a whole
            FS5052 a run has no time limit of 60 s as a whole; tasks have
        3 states: 1 imported, 1 with a difference, 1 not
        ");
    }
}
