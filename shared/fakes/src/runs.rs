//! Runs, their listing by tenant and the marker of those that are active.

use async_trait::async_trait;
use foreshard_model::ids::{RunId, Tenant};
use foreshard_model::run::RunItem;
use foreshard_stages::ports::{Page, PortResult, RunReads, RunWrites};

use crate::world::{State, World, conflict};

/// Runs in one page of `active_runs`: small, so that tests meet the second page.
const ACTIVE_PAGE: usize = 20;

pub(crate) fn store(state: &mut State, item: RunItem) {
    if item.state.is_terminal() {
        state.active.remove(&item.run);
    } else {
        state.active.insert(item.run.clone());
    }
    let tenant = item.context.tenant.clone();
    let newest_first = u64::MAX - item.accepted_at.0;
    state
        .listing
        .insert((tenant, newest_first, item.run.clone()));
    state.runs.insert(item.run.clone(), item);
}

#[async_trait]
impl RunReads for World {
    async fn run(&self, run: &RunId) -> PortResult<Option<RunItem>> {
        self.read(|state| Ok(state.runs.get(run).cloned())).await
    }

    async fn runs_of(
        &self,
        tenant: &Tenant,
        limit: usize,
        after: Option<&str>,
    ) -> PortResult<Page<RunId>> {
        let skip = after.map_or(0, |text| text.parse().unwrap_or(usize::MAX));
        self.read(|state| {
            let mine: Vec<&RunId> = state
                .listing
                .iter()
                .filter(|(t, _, _)| t == tenant)
                .map(|(_, _, run)| run)
                .collect();
            let items: Vec<RunId> = mine
                .iter()
                .skip(skip)
                .take(limit)
                .copied()
                .cloned()
                .collect();
            let end = skip.saturating_add(items.len());
            let next = (end < mine.len()).then(|| end.to_string());
            Ok(Page { items, next })
        })
        .await
    }

    async fn active_runs(&self, after: Option<&str>) -> PortResult<Page<RunId>> {
        self.read(|state| {
            let rest = state
                .active
                .iter()
                .filter(|run| after.is_none_or(|a| run.as_str() > a));
            let mut items: Vec<RunId> = rest.take(ACTIVE_PAGE + 1).cloned().collect();
            let more = items.len() > ACTIVE_PAGE;
            items.truncate(ACTIVE_PAGE);
            let next = items.last().filter(|_| more).map(ToString::to_string);
            Ok(Page { items, next })
        })
        .await
    }
}

#[async_trait]
impl RunWrites for World {
    async fn create_run(&self, item: &RunItem) -> PortResult<()> {
        self.write("create_run", |state| {
            if state.runs.contains_key(&item.run) {
                return Err(conflict(format!("run `{}` exists", item.run)));
            }
            store(state, item.clone());
            Ok(())
        })
        .await
    }

    async fn update_run(&self, item: &RunItem) -> PortResult<()> {
        let name = format!("update_run {}", item.state.as_str());
        self.write(&name, |state| {
            let found = state.runs.get(&item.run).map(|run| run.version);
            if found.map(|version| version + 1) != Some(item.version) {
                return Err(conflict(format!(
                    "run `{}` has version {found:?}, not {}",
                    item.run,
                    item.version.saturating_sub(1)
                )));
            }
            store(state, item.clone());
            Ok(())
        })
        .await
    }
}
