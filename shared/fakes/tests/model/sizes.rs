//! How large the models are that are searched whole.

use foreshard_model::workflow::OnFailure;

use crate::dags;
use crate::setup::{Going, Setup};

/// Some models of one size.
pub(crate) struct Size {
    pub(crate) what: &'static str,
    pub(crate) setups: Vec<Setup>,
}

/// Every shape with so many shards at least and at most.
fn every(from: usize, to: usize, lanes: u32, faults: u8, going: Going) -> Vec<Setup> {
    let shapes = (from..=to).flat_map(dags::all);
    let setups = shapes.map(|shards| Setup::new(&shards, lanes, faults, going));
    setups.collect()
}

/// The same where a failure leaves the rest to go on.
fn going_on(setups: Vec<Setup>) -> Vec<Setup> {
    let setups = setups.into_iter().map(|setup| Setup {
        on_failure: OnFailure::Continue,
        ..setup
    });
    setups.collect()
}

/// What every run of the tests checks.
pub(crate) fn slice() -> Vec<Size> {
    vec![
        Size {
            what: "up to 3 shards, 2 lanes, nothing goes wrong",
            setups: every(1, 3, 2, 0, Going::Dies),
        },
        Size {
            what: "up to 2 shards, 2 lanes, one dies or fails, the rest goes on",
            setups: going_on(every(1, 2, 2, 1, Going::Dies)),
        },
        Size {
            what: "1 shard, 1 lane, anything goes wrong once",
            setups: every(1, 1, 1, 1, Going::Lingers),
        },
    ]
}

/// What `make prove` checks.
pub(crate) fn proof() -> Vec<Size> {
    let mut sizes = slice();
    sizes.extend([
        Size {
            what: "4 shards, 2 lanes, nothing goes wrong",
            setups: every(4, 4, 2, 0, Going::Dies),
        },
        Size {
            what: "up to 2 shards, 2 lanes, one dies or fails",
            setups: every(1, 2, 2, 1, Going::Dies),
        },
        Size {
            what: "1 shard, 2 lanes, two die or fail",
            setups: every(1, 1, 2, 2, Going::Dies),
        },
        Size {
            what: "1 shard, 2 lanes, one dies or fails, or somebody intrudes",
            setups: every(1, 1, 2, 1, Going::Intruded),
        },
        Size {
            what: "1 shard, 2 lanes, anything goes wrong once",
            setups: every(1, 1, 2, 1, Going::Lingers),
        },
    ]);
    sizes
}
