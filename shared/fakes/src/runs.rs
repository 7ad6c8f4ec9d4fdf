//! Runs, their listing by tenant and the marker of those that are active.

use async_trait::async_trait;
use foreshard_model::ids::{RunId, Tenant};
use foreshard_model::run::RunItem;
use foreshard_stages::ports::{Listed, Page, PortResult, RunReads, RunWrites, Span};

use crate::world::{State, World, conflict};

/// Runs in one page of `active_runs`: small, so that tests meet the second page.
const ACTIVE_PAGE: usize = 20;

pub(crate) fn store(state: &mut State, item: RunItem) {
    if item.state.is_terminal() {
        state.active.remove(&item.run);
    } else {
        state.active.insert(item.run.clone());
    }
    let listed = Listed {
        accepted_at: item.accepted_at,
        run: item.run.clone(),
    };
    state.listing.insert((item.context.tenant.clone(), listed));
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
        span: &Span,
        after: Option<&Listed>,
        limit: usize,
    ) -> PortResult<Vec<Listed>> {
        self.read(|state| {
            let mine = state.listing.iter().filter(|(t, _)| t == tenant);
            let wanted = mine.map(|(_, entry)| entry).rev().filter(|entry| {
                span.since.is_none_or(|since| entry.accepted_at >= since)
                    && span.until.is_none_or(|until| entry.accepted_at < until)
                    && after.is_none_or(|after| *entry < after)
            });
            Ok(wanted.take(limit).cloned().collect())
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
