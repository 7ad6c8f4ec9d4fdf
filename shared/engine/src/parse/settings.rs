//! What holds for a task that says nothing.

use foreshard_model::limits::LAMBDA_TIMEOUT_MS;
use foreshard_model::units::Mib;
use foreshard_model::workflow::{Resources, TaskKind};

use super::draft::Settings;

/// Memory of a task that says nothing: two Lambda tiers above the smallest, enough for a shell and its tools.
const MEMORY: Mib = Mib(256);

/// Longest duration of a task that says nothing, in milliseconds.
pub(crate) const TIMEOUT_MS: u64 = 300_000;

/// Retries of a task that says nothing: three attempts.
pub(crate) const RETRIES: u32 = 2;

/// The kind, and the id without digits at its end.
pub(crate) fn default_type(kind: &TaskKind, stem: &str) -> String {
    let kind = match kind {
        TaskKind::Command(_) => "command",
        TaskKind::Lambda { .. } => "lambda",
        TaskKind::Handler { .. } => "handler",
        TaskKind::Http(_) => "http",
        TaskKind::Synthetic(_) => "synthetic",
    };
    match stem {
        "" => kind.to_owned(),
        stem => format!("{kind}:{stem}"),
    }
}

/// The CPU time of a load, as its estimate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a year of milliseconds fits, and CPU time is not negative"
)]
pub(crate) fn cpu_ms(kind: &TaskKind) -> Option<u64> {
    match kind {
        TaskKind::Synthetic(synthetic) => Some(synthetic.cpu_ms.ceil() as u64),
        _ => None,
    }
}

/// Five minutes; for a task with a long estimate three times that, but not more than a Lambda function has, unless the
/// estimate itself is longer.
pub(crate) fn default_timeout_ms(estimate_ms: Option<u64>) -> u64 {
    let estimate = estimate_ms.unwrap_or(0);
    let three = estimate
        .saturating_mul(3)
        .clamp(TIMEOUT_MS, LAMBDA_TIMEOUT_MS);
    if estimate > LAMBDA_TIMEOUT_MS {
        estimate.saturating_mul(2)
    } else {
        three
    }
}

/// What a task needs: its own word, its document's, or what holds for all.
pub(crate) fn resources(own: &Settings, given: &Settings) -> Resources {
    Resources {
        memory: own.memory.or(given.memory).unwrap_or(MEMORY),
        vcpus: own.vcpus.or(given.vcpus).unwrap_or(1.0),
        gpu: own.gpu,
        disk: own.disk.or(given.disk).unwrap_or_default(),
        network_mbps: own.network_mbps,
    }
}
