//! Decides whether a lane that finds nothing to do is needed again, or the others are enough for all that is left.

use std::collections::BTreeSet;

use foreshard_model::frontier::ShardItem;
use foreshard_model::ids::LaneId;
use foreshard_model::plan::ShardKind;
use foreshard_model::topology::Topology;

use super::is_behind;

/// Shards of each kind that are read to decide it, by partition: 700 bytes each are about 22 read units, a thirtieth of what one
/// parking costs. With more of them the lane parks.
pub const RUNNING_READ: usize = 128;

/// Other lanes that run when one ends: who is lost is replaced before the next round.
const OTHERS_MIN: usize = 2;

/// Whether any lane of this run can be spared.
#[must_use]
pub fn may_spare(topology: &Topology) -> bool {
    topology.lanes as usize > OTHERS_MIN
}

/// Why the lane may end although the run goes on; `None` when it is to park.
///
/// Nothing is ready, so all that is left waits, directly or not, for `running`, or for `unreleased`: what is done, but those
/// that wait for it may not know. What runs and what waits is covered by chains, in each of which one thing comes after the
/// other: where none begins with what waits, never more lanes are needed than run now (R. P. Dilworth, "A decomposition theorem
/// for partially ordered sets", 1950; chains are found greedily, so there may be more of them). Each running shard has a lane
/// that will ask again. The parked ones are not counted, nor those that are about to ask, because two of them would count
/// each other.
///
/// A lane that ends too early costs parallelism until the next round, never the run.
///
/// # Complexity
/// O(shards + edges).
#[must_use]
pub fn spare(
    topology: &Topology,
    lane: LaneId,
    running: &[ShardItem],
    unreleased: &[ShardItem],
) -> Option<String> {
    let sources = || running.iter().chain(unreleased);
    if sources().any(|item| is_behind(topology, item)) {
        return None;
    }
    let lanes: BTreeSet<LaneId> = running.iter().filter_map(|item| item.lane).collect();
    let others = lanes.iter().filter(|other| **other != lane).count();
    let alone = others >= OTHERS_MIN && others == running.len();
    (alone && !needs_more(topology, running, unreleased))
        .then(|| format!("{others} other lanes run, and what waits for them never needs more"))
}

/// Whether what waits may need more lanes at once than there are running shards.
fn needs_more(topology: &Topology, running: &[ShardItem], unreleased: &[ShardItem]) -> bool {
    let count = topology.shards.len();
    let mut behind = vec![false; count];
    let sources = running.iter().chain(unreleased);
    let mut todo: Vec<usize> = sources.map(|item| item.id.index()).collect();
    while let Some(at) = todo.pop() {
        for next in topology.shards.get(at).map_or(&[][..], |n| &n.successors) {
            let next = next.index();
            if next < count && !behind[next] {
                behind[next] = true;
                todo.push(next);
            }
        }
    }
    // Whose chain goes on through them: what follows one shard only.
    let mut taken = vec![false; count];
    let mut chained = vec![false; count];
    let mut order: Vec<usize> = running.iter().map(|item| item.id.index()).collect();
    for at in &order {
        chained[*at] = true;
    }
    let mut waiting: Vec<usize> = (0..count).filter(|&at| behind[at]).collect();
    waiting.sort_unstable_by_key(|&at| topology.shards[at].rank);
    order.append(&mut waiting);
    for at in order {
        let Some(node) = topology.shards.get(at) else {
            continue;
        };
        // A virtual shard needs no lane.
        if node.kind == ShardKind::Work && !chained[at] {
            return true;
        }
        let next = node.successors.iter().map(|next| next.index());
        if let Some(next) = next.into_iter().find(|next| !taken[*next]) {
            taken[next] = true;
            chained[next] = chained[next] || chained[at];
        }
    }
    false
}
