//! Schedules and their timers.

use async_trait::async_trait;
use foreshard_model::ids::Tenant;
use foreshard_model::schedule::{ScheduleItem, ScheduleKey};
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Page, PortResult, ScheduleReads, ScheduleWrites, Timer, Timers};

use crate::world::{World, conflict};

/// Schedules in one page of `due_schedules`: small, so that tests meet the second page.
const DUE_PAGE: usize = 3;

#[async_trait]
impl ScheduleReads for World {
    async fn schedule(&self, key: &ScheduleKey) -> PortResult<Option<ScheduleItem>> {
        self.read(|state| Ok(state.schedules.get(key).cloned()))
            .await
    }

    async fn schedules_of(
        &self,
        tenant: &Tenant,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleItem>> {
        self.read(|state| {
            let mut items: Vec<ScheduleItem> = state
                .schedules
                .values()
                .filter(|item| item.tenant == *tenant && item.name.starts_with(prefix))
                .filter(|item| after.is_none_or(|a| item.name.as_str() > a))
                .take(limit + 1)
                .cloned()
                .collect();
            let more = items.len() > limit;
            items.truncate(limit);
            let next = items.last().filter(|_| more).map(|item| item.name.clone());
            Ok(Page { items, next })
        })
        .await
    }

    async fn due_schedules(
        &self,
        now: TimeMs,
        after: Option<&str>,
    ) -> PortResult<Page<ScheduleKey>> {
        let skip = after.map_or(0, |text| text.parse().unwrap_or(usize::MAX));
        self.read(|state| {
            let due = state.look_at.iter().filter(|(_, at)| **at <= now);
            let due: Vec<&ScheduleKey> = due.map(|(key, _)| key).collect();
            let page = due.iter().skip(skip).take(DUE_PAGE);
            let items: Vec<ScheduleKey> = page.copied().cloned().collect();
            let end = skip.saturating_add(items.len());
            let next = (end < due.len()).then(|| end.to_string());
            Ok(Page { items, next })
        })
        .await
    }
}

#[async_trait]
impl ScheduleWrites for World {
    async fn put_schedule(&self, item: &ScheduleItem, look_at: Option<TimeMs>) -> PortResult<()> {
        self.write("put_schedule", |state| {
            let key = item.key();
            let found = state.schedules.get(&key).map_or(0, |old| old.version);
            if found + 1 != item.version {
                return Err(conflict(format!("{key} has version {found}")));
            }
            match look_at {
                Some(at) => state.look_at.insert(key.clone(), at),
                None => state.look_at.remove(&key),
            };
            state.schedules.insert(key, item.clone());
            Ok(())
        })
        .await
    }

    async fn delete_schedule(&self, item: &ScheduleItem) -> PortResult<()> {
        self.write("delete_schedule", |state| {
            let key = item.key();
            match state.schedules.get(&key).map(|old| old.version) {
                Some(found) if found != item.version => {
                    Err(conflict(format!("{key} has version {found}")))
                }
                _ => {
                    state.schedules.remove(&key);
                    state.look_at.remove(&key);
                    Ok(())
                }
            }
        })
        .await
    }
}

#[async_trait]
impl Timers for World {
    async fn set(&self, timer: &Timer) -> PortResult<()> {
        self.write("set_timer", |state| {
            state.timers.insert(timer.key.clone(), timer.clone());
            Ok(())
        })
        .await
    }

    async fn remove(&self, key: &ScheduleKey) -> PortResult<()> {
        self.write("remove_timer", |state| {
            state.timers.remove(key);
            Ok(())
        })
        .await
    }
}

impl World {
    /// A schedule's item.
    #[must_use]
    pub fn schedule_item(&self, key: &ScheduleKey) -> Option<ScheduleItem> {
        self.lock().schedules.get(key).cloned()
    }

    /// The timer of a schedule.
    #[must_use]
    pub fn timer(&self, key: &ScheduleKey) -> Option<Timer> {
        self.lock().timers.get(key).cloned()
    }

    /// Every run there is, by id.
    #[must_use]
    pub fn run_items(&self) -> Vec<foreshard_model::run::RunItem> {
        self.lock().runs.values().cloned().collect()
    }
}
