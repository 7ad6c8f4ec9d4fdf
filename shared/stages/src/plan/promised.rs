//! What the lanes of other active runs leave to this one, read from the runs' items.

use foreshard_engine::place;
use foreshard_model::ids::RunId;
use foreshard_model::outlook::Promised;
use foreshard_model::run::RunItem;
use futures_util::stream::{self, StreamExt as _};

use super::Ports;
use crate::ports::PortResult;

/// Other runs that are looked at: with more under way, what they hold is more than any account's concurrency.
const RUNS_READ: usize = 1_000;
/// Runs that are read at the same time.
const AT_ONCE: usize = 16;

/// What other active runs have been promised in `region` and beyond it. A run that cannot be read is left out.
pub(super) async fn promised(ports: &Ports, run: &RunId, region: &str) -> PortResult<Promised> {
    let mut others: Vec<RunId> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = ports.runs.active_runs(after.as_deref()).await?;
        others.extend(page.items.into_iter().filter(|other| other != run));
        after = page.next;
        if after.is_none() || others.len() >= RUNS_READ {
            break;
        }
    }
    others.truncate(RUNS_READ);
    let read = stream::iter(others.iter().map(|other| ports.runs.run(other)));
    let read: Vec<PortResult<Option<RunItem>>> = read.buffered(AT_ONCE).collect().await;
    let items = others.iter().zip(read).filter_map(|(other, item)| {
        item.unwrap_or_else(|error| {
            tracing::warn!(run = other.as_str(), %error, "another run is not counted");
            None
        })
    });
    let items: Vec<RunItem> = items.collect();
    Ok(place::promised(&items, region, ports.clock.now()))
}
