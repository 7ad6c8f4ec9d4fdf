//! The judge's constants: one set for all workflows; docs/planner.md shows what leaving a family of workflows out changes.

/// What the judge weighs by when a run has no objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants {
    /// Cost above plain states that a faster plan may have, as a factor.
    pub dearer: f64,
    /// Shards that may always be had, as a cost above plain states.
    pub free_shards: f64,
    /// Each percent above the ceiling must make the run faster by so many percent, compounded: a steep wall and no hard
    /// one, because a plan that is a tenth of a percent dearer and twice as fast is the better one.
    pub dearer_is_slower: i32,
    /// How much orchestration counts beside time: the exponent of its cost over that of plain states. With 0.5, half the
    /// orchestration is worth two fifths more time.
    pub thrift: f64,
    /// How much slower a plan counts whose orchestration costs more than that of plain states, which is not to be without need.
    pub missed: f64,
    /// A plan within so many milliseconds of the best counts as equally good.
    pub tolerance_ms: f64,
    /// Share of the longest cuttable shard that is added to the makespan: estimates are not exact.
    pub uncertainty: f64,
}

/// Up to so many tasks, each may even be a shard on a lane of its own, that parks once: three shards' worth; from there on the
/// allowance shrinks, and ends at [`SMALL_ENDS`]. A handful of long tasks is not put in single file to save $0.006.
const SMALL: f64 = 16.0;
/// See [`SMALL`].
const SMALL_ENDS: f64 = 26.0;

impl Default for Constants {
    /// The promise is at most 2 % above plain states, virtual shards among them, on every workflow; (1.01)^160 = 4.9.
    fn default() -> Self {
        Self {
            dearer: 1.019,
            free_shards: 1.0,
            dearer_is_slower: 160,
            thrift: 0.5,
            missed: 1.1,
            tolerance_ms: 50.0,
            uncertainty: 0.25,
        }
    }
}

impl Constants {
    /// Shards whose cost may come on top of plain states.
    #[must_use]
    pub fn free_shards(&self, tasks: usize) -> f64 {
        let tasks = tasks as f64;
        let left = ((SMALL_ENDS - tasks) / (SMALL_ENDS - SMALL)).clamp(0.0, 1.0);
        self.free_shards.max(3.0 * tasks.min(SMALL) * left)
    }
}
