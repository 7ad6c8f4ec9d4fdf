//! What may share a shard: one class of targets, the memory and the time of one of them, and no dearer than two shards.

use std::collections::BTreeMap;

use crate::place::{DISK_SHARE, Ladder, Profile, TIME_MARGIN};

/// The rules under which tasks may share a shard.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Tiers by class of requirements.
    pub ladders: &'a [Ladder],
    /// Most tasks of a shard.
    pub tasks_max: u32,
    /// What a shard costs beside its gigabyte-seconds, in dollars.
    pub shard_usd: f64,
    /// A gigabyte-second, in dollars.
    pub gb_s_usd: f64,
}

impl Rules<'_> {
    /// The set with the tier that it needs; `None` when it breaks a rule.
    #[must_use]
    pub fn settled(&self, mut profile: Profile) -> Option<Profile> {
        if profile.tasks == 1 {
            return Some(profile);
        }
        if profile.alone || profile.tasks > self.tasks_max {
            return None;
        }
        let ladder = &self.ladders[profile.class as usize];
        profile.rung = ladder.together(profile.rung, &profile.top, profile.width())?;
        while !self.disk_suffices(&profile) {
            profile.rung = ladder.together(profile.rung + 1, &profile.top, profile.width())?;
        }
        let limit = ladder.rungs()[profile.rung].limit_ms as f64;
        (profile.ms(ladder) * TIME_MARGIN <= limit).then_some(profile)
    }

    fn disk_suffices(&self, profile: &Profile) -> bool {
        let ladder = &self.ladders[profile.class as usize];
        let has = ladder.rungs()[profile.rung].disk_bytes as f64 * DISK_SHARE;
        profile.disk_bytes(ladder) as f64 <= has
    }

    /// Both sets as one, the second starting behind `depth` tasks and `chain_ms` of the first; `None` when they may not, when
    /// the larger tier would cost more than the saved shard, or when so long a shard is expected to lose more than it saves.
    #[must_use]
    pub fn joined(
        &self,
        first: &Profile,
        second: &Profile,
        depth: u32,
        chain_ms: f64,
    ) -> Option<Profile> {
        if first.class != second.class || first.ends {
            return None;
        }
        let both = self.settled(first.joined(second, depth, chain_ms))?;
        let ladder = &self.ladders[both.class as usize];
        if both.ms(ladder) > ladder.rungs()[both.rung].length_max_ms {
            return None;
        }
        if both.rung != first.rung || both.rung != second.rung {
            let more = both.gb_s(ladder) - first.gb_s(ladder) - second.gb_s(ladder);
            if more * self.gb_s_usd > self.shard_usd {
                return None;
            }
        }
        Some(both)
    }

    /// Duration of a set on its tier, in milliseconds.
    #[must_use]
    pub fn ms(&self, profile: &Profile) -> f64 {
        profile.ms(&self.ladders[profile.class as usize])
    }
}

/// Which nodes may not share a shard: each node's values of `apart`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apart {
    values: BTreeMap<u32, Vec<u32>>,
}

impl Apart {
    /// From single tasks.
    #[must_use]
    pub fn new(values: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut apart = Self::default();
        for (node, value) in values {
            apart.values.entry(node).or_default().push(value);
        }
        apart
    }

    /// Whether node `other` of `nodes` and `node` of this table have a value in common.
    #[must_use]
    pub fn clash(&self, node: u32, nodes: &Self, other: u32) -> bool {
        if self.values.is_empty() {
            return false;
        }
        match (self.values.get(&node), nodes.values.get(&other)) {
            (Some(mine), Some(theirs)) => mine.iter().any(|value| theirs.contains(value)),
            _ => false,
        }
    }

    /// `node` gets the values of node `other` of `nodes`.
    pub fn absorb(&mut self, node: u32, nodes: &Self, other: u32) {
        if let Some(theirs) = nodes.values.get(&other) {
            self.values.entry(node).or_default().extend(theirs);
        }
    }

    /// The table for clusters of nodes.
    #[must_use]
    pub fn lifted(&self, of: &[u32]) -> Self {
        let mut lifted = Self::default();
        for (&node, values) in &self.values {
            let entry = lifted.values.entry(of[node as usize]).or_default();
            entry.extend(values);
        }
        lifted
    }
}
