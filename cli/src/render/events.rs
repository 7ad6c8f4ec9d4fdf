//! What happened in a run, a line each.

use foreshard_model::ledger::Event;

/// One event as a line: time since the first, kind, place, reason.
#[must_use]
pub fn line(event: &Event, first: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a time for people")]
    let seconds = event.at.0.saturating_sub(first) as f64 / 1000.0;
    let kind = serde_json::to_value(event.kind)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default();
    let mut place = String::new();
    if let Some(shard) = event.shard {
        place.push_str(&format!(" shard {shard}"));
    }
    if let Some(attempt) = event.attempt {
        place.push_str(&format!(" attempt {attempt}"));
    }
    if let Some(lane) = event.lane {
        place.push_str(&format!(" lane {lane}"));
    }
    format!("{seconds:>9.3} s  {kind:<9}{place}  {}", event.because)
}
