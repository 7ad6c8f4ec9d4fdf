//! Decides on which target an attempt runs: where the plan put the shard, or else wherever its requirements are fulfilled.

use foreshard_model::frontier::ShardItem;
use foreshard_model::message::Cause;
use foreshard_model::target::Target;
use foreshard_model::topology::ShardNode;
use foreshard_model::units::Mib;

/// The smallest target with the shard's tier: of the family that it was placed on, or, each time when that one was throttled
/// or not to be had, of the next family where it may run.
///
/// A plan without places has one family: any target will do.
pub(super) fn target_for<'t>(
    item: &ShardItem,
    node: &ShardNode,
    targets: &'t [Target],
) -> Option<&'t Target> {
    if node.places.is_empty() {
        return smallest(targets.iter(), item.tier);
    }
    let failed = |cause| item.failures.get(&cause).copied().unwrap_or_default();
    let turned_away = failed(Cause::Throttled).saturating_add(failed(Cause::Unavailable));
    let first = turned_away as usize % node.places.len();
    let (before, from) = node.places.split_at(first);
    let mut families = from.iter().chain(before);
    families.find_map(|&place| {
        let of = targets.get(place as usize)?;
        smallest(targets.iter().filter(|t| t.is_of_family(of)), item.tier)
    })
}

/// The next larger tier than the one that a shard of this tier runs on, among the targets where it may.
pub(super) fn tier_above(item: &ShardItem, node: &ShardNode, targets: &[Target]) -> Option<Mib> {
    let named = item.target.as_ref();
    let named = named.and_then(|id| targets.iter().find(|target| target.id == *id));
    let ran_on = named.or_else(|| target_for(item, node, targets))?.memory;
    let ran_on = ran_on.max(item.tier);
    let may = targets
        .iter()
        .filter(|target| may_run(node, targets, target));
    may.map(|target| target.memory)
        .filter(|memory| *memory > ran_on)
        .min()
}

fn may_run(node: &ShardNode, targets: &[Target], target: &Target) -> bool {
    let mut families = node
        .places
        .iter()
        .filter_map(|&at| targets.get(at as usize));
    node.places.is_empty() || families.any(|of| of.is_of_family(target))
}

fn smallest<'t>(targets: impl Iterator<Item = &'t Target>, tier: Mib) -> Option<&'t Target> {
    let enough = targets.filter(|target| target.memory >= tier);
    enough.min_by_key(|target| (target.memory, &target.id))
}
