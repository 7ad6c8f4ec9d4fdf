//! Keeps what wakes a schedule in step with its item: the timer, and the moment at which the sweep looks after it.

use foreshard_engine::schedule::{Schedule, look_at};
use foreshard_model::schedule::ScheduleItem;

use super::super::Ports;
use crate::ports::{PortResult, Timer};

/// Writes the item, and when somebody must look after it next.
pub(super) async fn write(
    ports: &Ports,
    item: &ScheduleItem,
    schedule: &Schedule,
) -> PortResult<()> {
    let look_at = look_at(item, schedule);
    ports.schedule_writes.put_schedule(item, look_at).await
}

/// Sets the timer as the item says. One that will never fire again is removed.
pub(super) async fn arm(ports: &Ports, item: &ScheduleItem, schedule: &Schedule) -> PortResult<()> {
    let now = ports.clock.now();
    let Some(next) = schedule.next_after(now) else {
        return ports.timers.remove(&item.key()).await;
    };
    // A rate begins at its next time, so that the service counts as we do; a start in the past is refused.
    let is_rate = item.timing.expression.starts_with("rate");
    let start = if is_rate {
        Some(next)
    } else {
        item.timing.start.filter(|start| *start > now)
    };
    let timer = Timer {
        key: item.key(),
        expression: item.timing.expression.clone(),
        timezone: item.timing.timezone.clone(),
        start,
        end: item.timing.end,
        enabled: !item.paused,
    };
    ports.timers.set(&timer).await
}
