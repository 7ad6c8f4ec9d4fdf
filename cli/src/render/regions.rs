//! Why a run goes to one of several deployments.

use foreshard_engine::availability::DeploymentChoice;

/// What is to be said of each deployment, when the run would be done there, and where it goes.
#[must_use]
pub fn chosen(choice: &DeploymentChoice) -> String {
    let mut lines: Vec<String> = choice
        .reasons
        .iter()
        .map(|reason| format!("{:<9} {}", reason.subject, reason.because))
        .collect();
    let chosen = lines.pop();
    lines.extend(choice.candidates.iter().map(|candidate| {
        let done = match candidate.done_s {
            Some(s) => format!("done in {s:.0} s"),
            None => "no lane in two days".to_owned(),
        };
        format!("  {:<16} {done}", candidate.region)
    }));
    lines.extend(chosen);
    lines.join("\n")
}
