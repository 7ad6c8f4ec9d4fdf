//! How large the models are that are searched whole, and those of which ways are drawn.

use std::cmp::Reverse;

use foreshard_model::workflow::OnFailure;

use crate::dags;
use crate::setup::{Going, Setup};

/// How much of a model is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Every state.
    Whole,
    /// So many ways that are drawn.
    Walks(u32),
}

/// Some models of one size.
pub(crate) struct Size {
    pub(crate) what: String,
    pub(crate) setups: Vec<Setup>,
    pub(crate) reach: Reach,
}

fn whole(what: &str, setups: Vec<Setup>) -> Size {
    Size {
        what: what.to_owned(),
        setups,
        reach: Reach::Whole,
    }
}

fn walks(count: u32, what: &str, setups: Vec<Setup>) -> Size {
    Size {
        what: what.to_owned(),
        setups,
        reach: Reach::Walks(count),
    }
}

/// Every shape with so many shards at least and at most.
fn every(from: usize, to: usize, lanes: u32, faults: u8, going: Going) -> Vec<Setup> {
    let shapes = (from..=to).flat_map(dags::all);
    let setups = shapes.map(|shards| Setup::new(&shards, lanes, faults, going));
    setups.collect()
}

/// Graphs of four shards in which one mostly comes after the other: those with the fewest states.
fn narrow(lanes: u32, faults: u8) -> Vec<Setup> {
    let graphs = [
        "a>b>c>d",
        "a>b>c>d a>c",
        "a>b>c>d a>d",
        "a>b>c>d b>d",
        "a>b>c>d a>d b>d",
        "a>b>c>d a>c b>d",
        "a b c d a>c b>c c>d",
        "a b c d a>c b>c a>d c>d",
    ];
    let setups = graphs.map(|shards| Setup::new(shards, lanes, faults, Going::Dies));
    setups.into()
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
        whole(
            "up to 4 shards, 2 lanes, nothing goes wrong",
            every(1, 4, 2, 0, Dies),
        ),
        whole(
            "up to 2 shards, 2 lanes, one dies or fails, the rest goes on",
            going_on(every(1, 2, 2, 1, Dies)),
        ),
        whole(
            "1 shard, 1 lane, anything goes wrong once",
            every(1, 1, 1, 1, Lingers),
        ),
        whole("1 shard, 2 lanes, two die or fail", every(1, 1, 2, 2, Dies)),
        whole(
            "up to 2 shards, 3 lanes, nothing goes wrong",
            every(1, 2, 3, 0, Dies),
        ),
    ]
}

/// What `make prove` checks.
pub(crate) fn proof() -> Vec<Size> {
    use Going::{Dies, Intruded, Lingers};
    let mut sizes = slice();
    sizes.extend([
        whole(
            "up to 4 shards, 2 lanes, one dies or fails",
            every(1, 4, 2, 1, Dies),
        ),
        whole(
            "`once` tasks and relays, 2 lanes, one dies or fails",
            once_and_relay(1, Dies),
        ),
        whole(
            "up to 3 shards, 2 lanes, two die or fail",
            every(1, 3, 2, 2, Dies),
        ),
        whole(
            "8 narrow graphs of 4 shards, 2 lanes, two die or fail",
            narrow(2, 2),
        ),
        whole(
            "up to 2 shards, 2 lanes, one dies or fails, or somebody intrudes",
            every(1, 2, 2, 1, Intruded),
        ),
        whole(
            "1 shard, 2 lanes, anything goes wrong once",
            every(1, 1, 2, 1, Lingers),
        ),
        whole(
            "3 shards, 3 lanes, nothing goes wrong",
            every(3, 3, 3, 0, Dies),
        ),
        whole(
            "a chain of 6 shards, 3 lanes, nothing goes wrong",
            vec![Setup::new("a>b>c>d>e>f", 3, 0, Dies)],
        ),
        whole(
            "up to 2 shards, 3 lanes, one dies or fails",
            every(1, 2, 3, 1, Dies),
        ),
        walks(
            500,
            "4 shards, 2 lanes, two die or fail",
            every(4, 4, 2, 2, Dies),
        ),
        walks(
            1_000,
            "ten of 6 shards, 3 lanes, one dies or fails",
            six(3, 1),
        ),
    ]);
    sizes
}

/// What `make prove-large` checks: each model by itself, so that a run which is ended has told what it has seen.
pub(crate) fn large() -> Vec<Size> {
    let mut models = every(4, 4, 2, 2, Going::Dies);
    // The narrow ones first: they have fewer states.
    models.sort_by_key(|setup| Reverse(setup.shards.matches('>').count()));
    let models = models.into_iter().chain(six(3, 0)).chain(six(3, 1));
    let alone = |setup: Setup| {
        let (shards, lanes, faults) = (&setup.shards, setup.lanes, setup.faults);
        whole(
            &format!("{shards}: {lanes} lanes, {faults} die or fail"),
            vec![setup],
        )
    };
    models.map(alone).collect()
}
