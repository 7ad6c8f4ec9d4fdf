//! The objective that a document declares: what its runs weigh, and what they may take at most.

use foreshard_model::objective::{Objective, Unmet, Weights};

use super::code::Code;
use super::decode::{Given, Marked};
use super::document::{Bytes, Dollars, Seconds};
use super::forms::Decimal;
use super::problems::{At, Step, Trouble};
use super::record::{record, words};

/// A weight: nothing to a thousand.
type Weight = Decimal<0, 1_000_000>;

record! {
    /// What runs weigh, and what they may take at most. A limit is kept when nine of ten such runs keep it.
    closed struct ObjectiveFields {
        /// How much each quantity counts: exponents of a product that is made as small as it can be.
        optional "weights" weights: Given<Marked<WeightFields>>,
        /// Longest duration of a run, in seconds.
        optional "deadline_s" deadline_s: Given<Seconds>,
        /// Most dollars of a run.
        optional "budget_usd" budget_usd: Given<Dollars>,
        /// Most energy of a run, in kilowatt-hours.
        optional "energy_kwh_max" energy_kwh_max: Given<Decimal<0, 1_000_000_000_000>>,
        /// Most bytes that move between shards.
        optional "moved_bytes_max" moved_bytes_max: Given<Bytes>,
        /// What an unmet limit means: `warn` or `refuse`. Without it a budget refuses and every other limit warns.
        optional "unmet" unmet: Given<Unmet>,
    }
}

record! {
    /// How much each quantity counts; only the ratios matter.
    closed struct WeightFields {
        /// Of the duration.
        optional "time" time: Weight,
        /// Of the dollars.
        optional "cost" cost: Weight,
        /// Of the energy.
        optional "energy" energy: Weight,
        /// Of the bytes that move between shards.
        optional "locality" locality: Weight,
    }
}

words! { Unmet:
    "warn" => Self::Warn,
    "refuse" => Self::Refuse,
}

/// What the document says of it; nothing when it says nothing.
pub(crate) fn objective(given: Given<Marked<ObjectiveFields>>, at: &mut At<'_>) -> Objective {
    let Some(Marked { value: fields, .. }) = given.0 else {
        return Objective::default();
    };
    Objective {
        weights: fields.weights.0.map(|weights| weighed(&weights, at)),
        deadline_s: fields.deadline_s.0.map(|s| s.0),
        budget_usd: fields.budget_usd.0.map(|usd| usd.0),
        energy_kwh_max: fields.energy_kwh_max.0.map(|kwh| kwh.0),
        moved_bytes_max: fields
            .moved_bytes_max
            .0
            .and_then(|bytes| u64::try_from(bytes.0).ok()),
        unmet: fields.unmet.0,
    }
}

fn weighed(given: &Marked<WeightFields>, at: &mut At<'_>) -> Weights {
    let fields = &given.value;
    let weights = Weights {
        time: fields.time.0,
        cost: fields.cost.0,
        energy: fields.energy.0,
        locality: fields.locality.0,
    };
    if weights == Weights::default() {
        at.within(Step::Field("objective"), |at| {
            at.within(Step::Field("weights"), |at| {
                let message = "no weight is above 0".to_owned();
                at.report(
                    Trouble::new(Code::OutOfRange, given.mark, message)
                        .hint("give at least one of `time`, `cost`, `energy` and `locality`"),
                );
            });
        });
    }
    weights
}
