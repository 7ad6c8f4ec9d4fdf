//! What is checked: shards, lanes, how much goes wrong, and what is broken on purpose.

use std::sync::Arc;

use foreshard_engine::frontier;
use foreshard_fakes::{World, block_on, build, chunks};
use foreshard_model::run::RunItem;
use foreshard_model::topology::Topology;
use foreshard_model::workflow::OnFailure;
use foreshard_stages::dispatch::TopologyCache;

use crate::broken::Broken;
use crate::process::{ESTIMATE_MS, Ground};

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Going {
    /// Whoever is given up has died; nobody comes uninvited but the sweep, when nothing else moves.
    Dies,
    /// Sweeps, re-cuts and the owner come at any moment as well.
    Intruded,
    /// And whoever is given up may go on, at any time.
    Lingers,
}

/// What a lane does that finds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lanes {
    /// There are too few for any to end before the run does.
    Stay,
    /// It may look at what runs, and end.
    EndEarly,
}

/// One model.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The shards, as [`build::topology`] takes them.
    pub(crate) shards: String,
    pub(crate) lanes: u32,
    /// How many things go wrong in a run, or are wished.
    pub(crate) faults: u8,
    pub(crate) going: Going,
    pub(crate) on_failure: OnFailure,
    /// Shards with two tasks, and so with a checkpoint: the first ones. The others have one.
    pub(crate) two_tasks: usize,
    /// A shard whose tasks must not run twice.
    pub(crate) once: Option<usize>,
    pub(crate) broken: Option<Broken>,
    /// Whether what makes no difference is left out: else every order of every request is gone through.
    pub(crate) reduced: bool,
    /// Whether, of what is left out, states are in which lanes or shards have but changed places.
    pub(crate) changes_places: bool,
}

impl Setup {
    pub(crate) fn new(shards: &str, lanes: u32, faults: u8, going: Going) -> Self {
        Self {
            shards: shards.to_owned(),
            lanes,
            faults,
            going,
            on_failure: OnFailure::Stop,
            two_tasks: 1,
            once: None,
            broken: None,
            reduced: true,
            changes_places: true,
        }
    }

    /// Whether lanes may end early.
    pub(crate) fn lanes_do(&self) -> Lanes {
        let topology = Topology {
            lanes: self.lanes,
            ..Topology::default()
        };
        match frontier::may_spare(&topology) {
            true => Lanes::EndEarly,
            false => Lanes::Stay,
        }
    }

    /// The objects of the run, its item, and its plan.
    pub(crate) fn ground(&self) -> (Ground, RunItem, Topology) {
        let world = Arc::new(World::new());
        let mut topology = build::topology(&self.shards);
        topology.lanes = self.lanes;
        topology.on_failure = self.on_failure;
        for (place, node) in topology.shards.iter_mut().enumerate() {
            node.estimate_ms = ESTIMATE_MS;
            node.once = Some(place) == self.once;
            if place < self.two_tasks && node.tasks == 1 {
                node.tasks = 2;
            }
        }
        topology.chunks = vec![chunks::stored(&world, &topology)];
        let mut run = build::running(&world, &topology);
        let plan = run.plan.as_mut().expect("it is planned");
        plan.plan = chunks::stored_plan(&world, &topology);
        let topologies = Arc::new(TopologyCache::default());
        block_on(topologies.get(&*world, &plan.topology)).expect("it is stored");
        let ground = Ground {
            objects: world,
            topologies,
            tasks: topology
                .shards
                .iter()
                .map(|node| (node.id, chunks::tasks_of(node)))
                .collect(),
        };
        (ground, run, topology)
    }
}
