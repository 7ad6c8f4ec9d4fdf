//! Shapes of random DAGs, as dependencies of each task by number: always on tasks before it.

/// Numbers that look random; the same seed gives the same numbers.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        // SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most.max(1)
    }
}

pub const SHAPES: [&str; 9] = [
    "layered",
    "fork-join",
    "series-parallel",
    "random order",
    "out-star",
    "in-star",
    "chains",
    "disconnected",
    "one task",
];

/// What each of `size` tasks needs.
pub fn shape(name: &str, size: usize, dice: &mut Dice) -> Vec<Vec<usize>> {
    let mut needs: Vec<Vec<usize>> = vec![Vec::new(); if name == "one task" { 1 } else { size }];
    let width = 1 + dice.below(12) as usize;
    for (task, needs) in needs.iter_mut().enumerate().skip(1) {
        *needs = match name {
            "layered" => {
                let layer = task / width;
                let above = layer.saturating_sub(1) * width..layer * width;
                above.filter(|_| dice.below(3) == 0).collect()
            }
            "fork-join" => match task % (width + 2) {
                0 => vec![task - 1],
                at if at == width + 1 => (task - width..task).collect(),
                at => vec![task - at],
            },
            "random order" => {
                let most = dice.below(4);
                (0..most)
                    .map(|_| dice.below(task as u64) as usize)
                    .collect()
            }
            "out-star" => vec![0],
            "in-star" if task + 1 == size => (0..task).collect(),
            "chains" if task >= width => vec![task - width],
            "disconnected" if dice.below(4) == 0 => vec![dice.below(task as u64) as usize],
            _ => Vec::new(),
        };
    }
    if name == "series-parallel" {
        let mut last = 0;
        let all = needs.len();
        series_parallel(&mut needs, &mut last, all, dice);
    }
    for needs in &mut needs {
        needs.sort_unstable();
        needs.dedup();
    }
    needs
}

/// Grows from `last`: either one more task in series, or branches that a task joins.
fn series_parallel(needs: &mut [Vec<usize>], last: &mut usize, until: usize, dice: &mut Dice) {
    while *last + 1 < until {
        let branches = dice.below(4) as usize;
        let fork = *last;
        if branches < 2 || fork + branches + 2 > until {
            *last += 1;
            needs[*last] = vec![fork];
            continue;
        }
        let mut ends = Vec::new();
        for _ in 0..branches {
            *last += 1;
            needs[*last] = vec![fork];
            let room = (until - 1).min(*last + 1 + dice.below(3) as usize);
            while *last + 1 < room {
                needs[*last + 1] = vec![*last];
                *last += 1;
            }
            ends.push(*last);
            if *last + 2 >= until {
                break;
            }
        }
        *last += 1;
        if *last < until {
            needs[*last] = ends;
        }
    }
}
