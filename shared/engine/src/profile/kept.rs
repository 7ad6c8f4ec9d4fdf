//! By what name profiles are kept of a task, and what is usual of the inputs of a type.

use foreshard_model::profile::Profile;
use foreshard_model::workflow::TaskKind;

/// The name that a task's profiles are kept by; `None`: there is nothing to learn.
///
/// A type that the document gives is shared by a tenant's workflows. One that was made of kind and id, such as `command:count`, is the
/// workflow's own: two workflows that call a task `count` rarely mean the same program. A synthetic task uses what it declares.
#[must_use]
pub fn learnt_type(workflow: &str, kind: &TaskKind, task_type: &str) -> Option<String> {
    let made_of = match kind {
        TaskKind::Synthetic(_) => return None,
        TaskKind::Command(_) => "command:",
        TaskKind::Lambda { .. } => "lambda:",
        TaskKind::Handler { .. } => "handler:",
        TaskKind::Http(_) => "http:",
    };
    Some(if task_type.starts_with(made_of) {
        format!("{workflow}/{task_type}")
    } else {
        task_type.to_owned()
    })
}

/// Bytes of the usual input of a type: the mean of their logarithms; `None` where nothing has finished.
#[must_use]
pub fn typical_bytes(profiles: &[Profile]) -> Option<u64> {
    // Of x = (1, ln bytes, …) the first two products of every profile's sums, brought to one moment.
    let (mut count, mut sum) = (0.0, 0.0);
    let latest = profiles.iter().map(|p| p.landmark).max()?;
    for profile in profiles {
        let age = latest.since(profile.landmark) as f64 / super::HALF_LIFE_MS as f64;
        let factor = (-age).exp2();
        if let [one, bytes, ..] = profile.sums.xx.as_slice() {
            count += one * factor;
            sum += bytes * factor;
        }
    }
    (count > 0.0).then(|| (sum / count).exp_m1().round().clamp(0.0, 1e18) as u64)
}

#[cfg(test)]
mod tests {
    use foreshard_model::profile::Sample;
    use foreshard_model::workflow::{Synthetic, TaskKind};

    use super::*;
    use crate::profile::tests::{done, learnt};

    #[test]
    fn types_made_of_an_id_are_their_workflows_own() {
        let handler = TaskKind::Handler {
            handler: "x".to_owned(),
        };
        let of = |kind: &TaskKind, name: &str| learnt_type("etl", kind, name);
        assert_eq!(of(&handler, "handler:x").as_deref(), Some("etl/handler:x"));
        assert_eq!(of(&handler, "render").as_deref(), Some("render"));
        let burn = TaskKind::Synthetic(Synthetic {
            cpu_ms: 1.0,
            memory: foreshard_model::units::Mib(1),
        });
        assert_eq!(of(&burn, "render"), None);
    }

    #[test]
    fn the_usual_input_lies_between_those_that_were_seen() {
        assert_eq!(typical_bytes(&[]), None);
        let sized = |input_bytes| Sample {
            input_bytes,
            ..done(10)
        };
        let profiles = [learnt(512, &[sized(1_000)]), learnt(512, &[sized(4_000)])];
        let bytes = typical_bytes(&profiles).unwrap();
        assert!((1_990..=2_010).contains(&bytes), "{bytes}");
    }
}
