//! How plain states run: level after level, in one execution or in nested ones, each task with its repeats.

use foreshard_engine::place::WORKER_MIB;
use foreshard_fakes::build;
use foreshard_model::limits::{DEFINITION_BYTES, INLINE_BRANCHES};
use foreshard_model::message::CaughtError;
use foreshard_model::units::TimeMs;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::task::PlainTask;
use super::{Arrangement, Ended, Plain};
use crate::parameters::{FLOW_STATE_MS, START_MS, TASK_STATE_MS};
use crate::result::Stretch;
use crate::states::{
    EXECUTION_EVENTS, FORK_EVENTS, History, ITERATION_EVENTS, RETRY_EVENTS, TASK_EVENTS,
};

/// Repeats of a Task state after throttling, with the waits of our own state machine: a competent user raises Workflow Studio's
/// three once a wide level has failed by them.
const RETRIES: u32 = 10;
/// Errors after which a Task state is repeated. Source: what Workflow Studio proposes for `lambda:invoke`.
const PLAIN_RETRIED: [&str; 2] = ["Lambda.ServiceException", "Lambda.TooManyRequestsException"];
/// Those that Workflow Studio proposes.
const NAIVE_RETRIES: u32 = 3;
/// What `lambda:invoke` answers around a payload, in bytes: status, version, headers and metadata of the request.
const ENVELOPE_BYTES: usize = 700;
/// The longest wait before a repeat, in milliseconds.
const RETRY_MAX_MS: u64 = 30_000;
/// Tasks of a nested execution, at most: with their names they stay well below a definition's and a history's limit.
const NESTED_TASKS: usize = 1_000;
/// Events of a state that runs a nested execution and waits for it: a task's, and one for the submission.
const NESTED_EVENTS: u32 = TASK_EVENTS + 1;

impl Plain {
    /// Plays it once.
    pub(super) async fn play(&self, stretches: &mut Vec<Stretch>) -> Result<(), Ended> {
        let too_large = self.definition_bytes > DEFINITION_BYTES as u64;
        if too_large && self.arrangement == Arrangement::Naive {
            return Err(Ended::TooLarge(self.definition_bytes));
        }
        let cloud = &self.cloud;
        cloud.starts_execution().await;
        cloud.timeline.sleep(START_MS).await;
        match self.arrangement {
            Arrangement::Arrows => self.by_arrows(stretches).await,
            _ => self.by_levels(stretches).await,
        }
    }

    fn is_naive(&self) -> bool {
        matches!(self.arrangement, Arrangement::Naive | Arrangement::Mapped)
    }

    async fn by_levels(&self, stretches: &mut Vec<Stretch>) -> Result<(), Ended> {
        let cloud = &self.cloud;
        let history = History::new(cloud.account.history_events);
        cloud.record(&history, EXECUTION_EVENTS)?;
        for level in &self.levels {
            if !self.nests {
                self.level(&history, level, stretches).await?;
                continue;
            }
            if level.len() > NESTED_TASKS {
                cloud.enter(&history, FORK_EVENTS, FLOW_STATE_MS).await?;
            }
            let nested: FuturesUnordered<_> = level
                .chunks(NESTED_TASKS)
                .map(|tasks| self.nested(&history, tasks))
                .collect();
            let nested: Vec<_> = nested.collect().await;
            for ended in nested {
                stretches.extend(ended?);
            }
        }
        Ok(())
    }

    /// A state that runs part of a level as an execution of its own.
    async fn nested(&self, parent: &History, tasks: &[u32]) -> Result<Vec<Stretch>, Ended> {
        let cloud = &self.cloud;
        cloud.enter(parent, NESTED_EVENTS, TASK_STATE_MS).await?;
        cloud.starts_execution().await;
        cloud.timeline.sleep(START_MS).await;
        let history = History::new(cloud.account.history_events);
        cloud.record(&history, EXECUTION_EVENTS)?;
        let mut stretches = Vec::new();
        self.level(&history, tasks, &mut stretches).await?;
        Ok(stretches)
    }

    /// A Parallel state or an inline Map, or the only task itself.
    async fn level(
        &self,
        history: &History,
        tasks: &[u32],
        stretches: &mut Vec<Stretch>,
    ) -> Result<(), Ended> {
        if tasks.len() > 1 {
            self.cloud
                .enter(history, FORK_EVENTS, FLOW_STATE_MS)
                .await?;
        }
        let at_once = match self.arrangement {
            Arrangement::Mapped => INLINE_BRANCHES as usize,
            _ => tasks.len(),
        };
        let branch = |task: &u32| self.branch(history, *task);
        let mut waiting = tasks.iter();
        let mut branches: FuturesUnordered<_> =
            waiting.by_ref().take(at_once).map(branch).collect();
        while let Some(ended) = branches.next().await {
            stretches.push(ended?);
            branches.extend(waiting.next().map(branch));
        }
        if self.is_naive() {
            // The output of either is the list of its branches' outputs.
            self.cloud.carries_bytes(tasks.len() * ENVELOPE_BYTES)?;
        }
        Ok(())
    }

    /// A task of a level: of a Map an iteration.
    async fn branch(&self, history: &History, task: u32) -> Result<Stretch, Ended> {
        if self.arrangement == Arrangement::Mapped {
            self.cloud.record(history, ITERATION_EVENTS)?;
        }
        self.state(Some(history), task).await
    }

    async fn by_arrows(&self, stretches: &mut Vec<Stretch>) -> Result<(), Ended> {
        let count = self.tasks.len();
        let mut missing = vec![0_u32; count];
        for task in 0..count as u32 {
            for successor in self.graph.successors(task) {
                missing[*successor as usize] += 1;
            }
        }
        let ready = (0..count as u32).filter(|task| missing[*task as usize] == 0);
        let mut running: FuturesUnordered<_> = ready.map(|task| self.state(None, task)).collect();
        while let Some(ended) = running.next().await {
            let stretch = ended?;
            stretches.push(stretch);
            for successor in self.graph.successors(stretch.shard) {
                let left = &mut missing[*successor as usize];
                *left -= 1;
                if *left == 0 {
                    running.push(self.state(None, *successor));
                }
            }
        }
        Ok(())
    }

    /// A Task state with its repeats. Without a history, as many executions are thought of as it takes.
    async fn state(&self, history: Option<&History>, task: u32) -> Result<Stretch, Ended> {
        let cloud = &self.cloud;
        let alone = History::new(u32::MAX);
        let history = history.unwrap_or(&alone);
        let retries = if self.is_naive() {
            NAIVE_RETRIES
        } else {
            RETRIES
        };
        let mut attempt = 0;
        loop {
            let events = if attempt == 0 {
                TASK_EVENTS
            } else {
                RETRY_EVENTS
            };
            cloud.enter(history, events, TASK_STATE_MS).await?;
            let begun = cloud.timeline.now();
            match self.invoked(&self.tasks[task as usize]).await {
                Ok(()) => return Ok(stretch(task, begun, cloud.timeline.now())),
                Err(error)
                    if PLAIN_RETRIED.contains(&error.error.as_str()) && attempt < retries =>
                {
                    let longest_ms = (1_000 << attempt.min(5)).min(RETRY_MAX_MS);
                    cloud.timeline.sleep(cloud.jittered(longest_ms)).await;
                    attempt += 1;
                }
                Err(error) => return Err(Ended::Failed(error)),
            }
        }
    }

    async fn invoked(&self, task: &PlainTask) -> Result<(), CaughtError> {
        let cloud = &self.cloud;
        let invoked = cloud.invoke(&task.function, |context| async move {
            if task.memory_mib + WORKER_MIB > task.function_mib {
                return Err("signal: killed".to_owned());
            }
            let (files, bytes) = task.gets;
            if files > 0 {
                cloud.lock().usage.gets += files - 1;
                cloud.gets(bytes).await;
            }
            cloud
                .timeline
                .sleep((task.cpu_ms * context.slower / task.rate).ceil() as u64)
                .await;
            let (files, bytes) = task.puts;
            if files > 0 {
                cloud.lock().usage.puts += files - 1;
                cloud.puts(bytes).await;
            }
            Ok(())
        });
        invoked.await.map_err(|unanswered| unanswered.caught())
    }
}

fn stretch(task: u32, from: TimeMs, to: TimeMs) -> Stretch {
    Stretch {
        lane: task,
        shard: task,
        from_ms: from.since(build::START),
        to_ms: to.since(build::START),
        failed: false,
    }
}
