//! What remains at best behind a shard, by the region that it runs in: the look-ahead of placement.

use super::assign::Shards;

/// For each shard and region, the longest of the shortest ways from its end to the end of the run, waiting for nobody, in
/// milliseconds: the optimistic cost table of PEFT with regions for processors. A region where a shard cannot run counts
/// like the best other one.
///
/// # Complexity
///
/// O(shards · choices + edges · regions²): H. Arabnejad, J. G. Barbosa, IEEE TPDS 25 (2014), equation 3.
#[must_use]
pub fn remaining_ms(shards: &Shards<'_>) -> Vec<f64> {
    let sites = shards.sites;
    let regions = sites.regions.len();
    let mut table = vec![0.0_f64; shards.profiles.len() * regions];
    let mut here = vec![f64::INFINITY; regions];
    for &shard in shards.order.iter().rev() {
        here.fill(f64::INFINITY);
        for (_, rung) in shards.choices(shard) {
            let region = sites.region_of[rung.target] as usize;
            let behind = table[shard as usize * regions + region];
            here[region] = here[region].min(shards.alone_ms(shard, rung) + behind);
        }
        for (before, bytes) in shards.graph.incoming_bytes(shard) {
            for from in 0..regions {
                let ways = here
                    .iter()
                    .enumerate()
                    .map(|(to, ms)| ms + sites.moving(from as u32, to as u32, bytes).0);
                let shortest = ways.fold(f64::INFINITY, f64::min);
                let cell = &mut table[before as usize * regions + from];
                *cell = cell.max(shortest);
            }
        }
    }
    table
}
