//! How large the models are that are searched: by every run of the tests, and by `make prove`.

use foreshard_model::workflow::OnFailure;

use crate::dags;
use crate::setup::{Going, Setup};

/// Some models of one size.
pub(crate) struct Size {
    pub(crate) what: &'static str,
    pub(crate) setups: Vec<Setup>,
}

fn size(what: &'static str, setups: Vec<Setup>) -> Size {
    Size { what, setups }
}

/// Every shape with so many shards at least and at most.
fn every(from: usize, to: usize, lanes: u32, faults: u8, going: Going) -> Vec<Setup> {
    let shapes = (from..=to).flat_map(dags::all);
    let setups = shapes.map(|shards| Setup::new(&shards, lanes, faults, going));
    setups.collect()
}

/// The ten graphs of six shards.
fn six(lanes: u32, faults: u8) -> Vec<Setup> {
    let graphs = dags::SIX.iter();
    let setups = graphs.map(|(_, shards)| Setup::new(shards, lanes, faults, Going::Dies));
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

/// Shards of which the first must not run twice, and some with a relay among them.
fn once_and_relay(faults: u8, going: Going) -> Vec<Setup> {
    let once = |shards| Setup {
        once: Some(0),
        two_tasks: 0,
        ..Setup::new(shards, 2, faults, going)
    };
    vec![
        once("a"),
        once("a>b"),
        Setup::new("a>~r ~r>b", 2, faults, going),
        Setup::new("a>~r b>~r ~r>c", 2, faults, going),
    ]
}

/// What every run of the tests checks.
pub(crate) fn slice() -> Vec<Size> {
    use Going::{Dies, Lingers};
    vec![
        size(
            "up to 4 shards, 2 lanes, nothing goes wrong",
            every(1, 4, 2, 0, Dies),
        ),
        size(
            "up to 3 shards, 2 lanes, one dies or fails",
            every(1, 3, 2, 1, Dies),
        ),
        size(
            "up to 2 shards, 2 lanes, one dies or fails, the rest goes on",
            going_on(every(1, 2, 2, 1, Dies)),
        ),
        size(
            "1 shard, 1 lane, anything goes wrong once",
            every(1, 1, 1, 1, Lingers),
        ),
        size("1 shard, 2 lanes, two die or fail", every(1, 1, 2, 2, Dies)),
        size(
            "up to 3 shards, 3 lanes, nothing goes wrong",
            every(1, 3, 3, 0, Dies),
        ),
        size(
            "1 shard, 3 lanes, one dies or fails",
            every(1, 1, 3, 1, Dies),
        ),
    ]
}

/// What `make prove` checks.
pub(crate) fn proof() -> Vec<Size> {
    use Going::{Dies, Intruded, Lingers};
    let mut sizes = slice();
    sizes.extend([
        size(
            "4 shards, 2 lanes, one dies or fails",
            every(4, 4, 2, 1, Dies),
        ),
        size(
            "`once` tasks and relays, 2 lanes, one dies or fails",
            once_and_relay(1, Dies),
        ),
        size(
            "up to 2 shards, 2 lanes, one dies or fails, or somebody intrudes",
            every(1, 2, 2, 1, Intruded),
        ),
        size(
            "1 shard, 2 lanes, anything goes wrong once",
            every(1, 1, 2, 1, Lingers),
        ),
        size(
            "4 shards, 3 lanes, nothing goes wrong",
            every(4, 4, 3, 0, Dies),
        ),
        size(
            "ten graphs of 6 shards, 3 lanes, nothing goes wrong",
            six(3, 0),
        ),
        size(
            "2 and 3 shards, 3 lanes, one dies or fails",
            every(2, 3, 3, 1, Dies),
        ),
        size(
            "2 and 3 shards, 2 lanes, two die or fail",
            every(2, 3, 2, 2, Dies),
        ),
        size(
            "4 shards, 2 lanes, two die or fail",
            every(4, 4, 2, 2, Dies),
        ),
        size(
            "ten graphs of 6 shards, 3 lanes, one dies or fails",
            six(3, 1),
        ),
    ]);
    sizes
}
