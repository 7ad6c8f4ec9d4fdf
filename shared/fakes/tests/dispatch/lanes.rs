//! A world with one run, and the questions that its lanes ask.

use std::sync::Arc;

use foreshard_engine::frontier;
use foreshard_fakes::{World, block_on, build, wire};
use foreshard_model::ids::{LaneId, Round};
use foreshard_model::message::{Answer, AnswerKind, DispatchRequest, Finished, Next};
use foreshard_model::run::RunItem;
use foreshard_model::topology::Topology;
use foreshard_stages::{StageError, dispatch};

/// A world with one run, and a lane's questions to it.
pub struct Lanes {
    pub world: Arc<World>,
    pub ports: dispatch::Ports,
    pub topology: Topology,
}

impl Lanes {
    pub fn new(edges: &str) -> Self {
        Self::of(build::topology(edges))
    }

    pub fn of(topology: Topology) -> Self {
        let world = Arc::new(World::new());
        let ports = wire::dispatch(&world);
        world.put_run(build::running(&world, &topology));
        for item in frontier::initial_items(&topology) {
            world.put_shard(item);
        }
        Self {
            world,
            ports,
            topology,
        }
    }

    pub fn ask(&self, request: &DispatchRequest) -> Result<Answer, StageError> {
        block_on(dispatch::dispatch(&self.ports, request))
    }

    pub fn first(lane: u32) -> DispatchRequest {
        DispatchRequest {
            run: build::run_id(),
            round: Round(0),
            lane: LaneId(lane),
            next: None,
            finished: None,
            park: false,
            step: None,
            token: None,
        }
    }

    pub fn then(lane: u32, answer: &Answer, finished: Option<Finished>) -> DispatchRequest {
        DispatchRequest {
            next: Some(Next {
                answer: answer.clone(),
            }),
            finished,
            ..Self::first(lane)
        }
    }

    /// The next question of a lane whose shard is done.
    pub fn after(&self, lane: u32, answer: &Answer) -> DispatchRequest {
        let shard = answer.shard.as_ref().unwrap();
        let name = &self.topology.node(shard.shard).unwrap().first_task;
        let outcome = build::done(
            &self.world,
            &shard.run,
            shard.shard,
            shard.attempt,
            &[name.as_str()],
        );
        Self::then(lane, answer, Some(Finished::Answered { outcome }))
    }

    /// Parks a lane after its `idle` answer.
    pub fn park(&self, lane: u32, idle: &Answer, token: &str) -> Answer {
        assert_eq!(idle.kind, AnswerKind::Idle);
        self.world.open_token(token);
        let request = DispatchRequest {
            park: true,
            step: Some(idle.step),
            token: Some(token.to_owned()),
            ..Self::first(lane)
        };
        self.ask(&request).unwrap()
    }

    pub fn states(&self) -> String {
        let items = self.world.shard_items(&build::run_id());
        let states = items.iter().map(|item| {
            let node = self.topology.node(item.id).unwrap();
            format!("{} {:?}", node.first_task, item.state)
        });
        states.collect::<Vec<_>>().join(", ")
    }

    pub fn run(&self) -> RunItem {
        self.world.run_item(&build::run_id()).unwrap()
    }

    pub fn change_run(&self, change: impl FnOnce(&mut RunItem)) {
        let mut run = self.run();
        change(&mut run);
        self.world.put_run(run);
    }
}

pub fn shard_of(answer: &Answer) -> u32 {
    answer.shard.as_ref().unwrap().shard.0
}
