//! Numbers that look random and are not: mixed from identities, so that a repeat draws the same.

use foreshard_model::ids::RunId;

/// Mixes words into one (splitmix64's finaliser, Steele, Lea and Flood 2014, figure 6).
pub(super) fn mix(words: &[u64]) -> u64 {
    words.iter().fold(0x9e37_79b9_7f4a_7c15, |state, word| {
        let mut z = state ^ word.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A run as a word (FNV-1a).
pub(super) fn of_run(run: &RunId) -> u64 {
    run.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| {
        (hash ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A position below `len`; 0 when there is none.
pub(super) fn below(seed: u64, len: usize) -> usize {
    let len = len.max(1) as u64;
    usize::try_from(seed % len).unwrap_or_default()
}
