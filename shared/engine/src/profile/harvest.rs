//! Gathers what the tasks of a run used, by profile: one observation for each, so that a run is taken in once.

use std::collections::BTreeMap;

use foreshard_model::frontier::{ShardItem, ShardState};
use foreshard_model::ids::{Attempt, RunId, ShardId, TaskId};
use foreshard_model::message::Cause;
use foreshard_model::output::{Manifest, TaskUsage};
use foreshard_model::profile::{Ended, Observation, ProfileKey, Sample, SizeBucket};
use foreshard_model::target::Target;
use foreshard_model::units::{Mib, TimeMs};

/// Samples of one run that a profile takes: more of one run's tasks say little that these do not.
const SAMPLES_MAX: usize = 2_000;

/// Profiles of one run: those beyond are left out, a run has some task types on some targets.
const KEYS_MAX: usize = 400;

/// What a run has taught, as it is gathered shard by shard.
#[derive(Debug)]
pub struct Harvest<'a> {
    targets: &'a [Target],
    since: Option<TimeMs>,
    by: BTreeMap<ProfileKey, (Mib, Vec<Sample>)>,
}

/// What one profile is to take in.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// Which profile.
    pub key: ProfileKey,
    /// Memory of its target.
    pub memory: Mib,
    /// What was seen.
    pub seen: Observation,
}

impl<'a> Harvest<'a> {
    /// Nothing yet, of a run with these targets; shards that were settled until `since` have been taken in before.
    #[must_use]
    pub fn new(targets: &'a [Target], since: Option<TimeMs>) -> Self {
        Self {
            targets,
            since,
            by: BTreeMap::new(),
        }
    }

    /// Takes what a finished shard's tasks used. `learnt` is the name that a task's profiles are kept by, if any.
    ///
    /// Where the shard was killed for its memory, that is laid to the task that needed most of those that finished on a
    /// larger tier: nobody says it of a worker that is gone. Where its time ran out, to its only task.
    pub fn add<'t>(
        &mut self,
        item: &ShardItem,
        manifest: &Manifest,
        learnt: impl Fn(&TaskId) -> Option<&'t str>,
    ) {
        if self.since.is_some_and(|since| item.settled_at <= since) {
            return;
        }
        let tasks: Vec<(&str, TaskUsage)> = manifest
            .tasks
            .iter()
            .filter(|(_, output)| output.usage.memory > Mib(0))
            .filter_map(|(id, output)| Some((learnt(id)?, output.usage)))
            .collect();
        for &(name, usage) in &tasks {
            self.note(item, name, usage.memory, sample(usage, Ended::Done));
        }
        let failures = |cause| item.failures.get(&cause).copied().unwrap_or_default();
        for memory in self.below(item.tier, failures(Cause::OutOfMemory)) {
            let later = tasks.iter().filter(|(_, usage)| usage.memory > memory);
            if let Some(&(name, usage)) = later.max_by_key(|(_, usage)| usage.peak_kib) {
                self.note(item, name, memory, sample(usage, Ended::OutOfMemory));
            }
        }
        if let ([(name, usage)], 1..) = (tasks.as_slice(), failures(Cause::Timeout)) {
            self.note(item, name, usage.memory, sample(*usage, Ended::Timeout));
        }
    }

    /// Takes what a shard has finally failed for, where it is known which task it was.
    pub fn add_failed<'t>(
        &mut self,
        item: &ShardItem,
        learnt: impl Fn(&TaskId) -> Option<&'t str>,
    ) {
        if item.state != ShardState::Failed
            || self.since.is_some_and(|since| item.settled_at <= since)
        {
            return;
        }
        let cause = item.cause.as_ref();
        let named = cause.and_then(|cause| Some((cause.cause, learnt(cause.task.as_ref()?)?)));
        let Some((cause, name)) = named else { return };
        let ended = match cause {
            Cause::OutOfMemory => Ended::OutOfMemory,
            Cause::Timeout => Ended::Timeout,
            Cause::TaskFailed | Cause::BadOutput => Ended::Failed,
            _ => return,
        };
        self.note(item, name, item.tier, sample(TaskUsage::default(), ended));
    }

    /// The observations, one for each profile. The round is their attempt: a run that is resumed teaches once more.
    pub fn lessons(self, run: &RunId, round: u32, at: TimeMs) -> Vec<Lesson> {
        let lesson = |(key, (memory, samples))| Lesson {
            key,
            memory,
            seen: Observation {
                run: run.clone(),
                shard: ShardId(0),
                attempt: Attempt(round),
                at,
                samples,
            },
        };
        self.by.into_iter().map(lesson).collect()
    }

    fn note(&mut self, item: &ShardItem, name: &str, memory: Mib, sample: Sample) {
        let Some(target) = self.target(item, memory) else {
            return;
        };
        let key = ProfileKey {
            task_type: name.to_owned(),
            target: target.id.clone(),
            bucket: SizeBucket::of(sample.input_bytes),
        };
        if self.by.len() >= KEYS_MAX && !self.by.contains_key(&key) {
            return;
        }
        let (_, samples) = self.by.entry(key).or_insert((memory, Vec::new()));
        if samples.len() < SAMPLES_MAX || sample.ended != Ended::Done {
            samples.push(sample);
        }
    }

    /// The shard's own target where it has this memory, else one of its region that has.
    fn target(&self, item: &ShardItem, memory: Mib) -> Option<&'a Target> {
        let of = |target: &&Target| target.memory == memory;
        let own = item.target.as_ref();
        let own = own.and_then(|id| self.targets.iter().find(|target| target.id == *id));
        let region = own.map(|target| target.region.as_str());
        let alike = self.targets.iter().filter(of);
        own.filter(of).or_else(|| {
            let near = alike.clone().find(|t| Some(t.region.as_str()) == region);
            near.or_else(|| alike.clone().next())
        })
    }

    /// So many of the tiers below one, the next below first.
    fn below(&self, tier: Mib, count: u32) -> Vec<Mib> {
        let mut below: Vec<Mib> = self.targets.iter().map(|target| target.memory).collect();
        below.retain(|memory| *memory < tier);
        below.sort_unstable_by(|a, b| b.cmp(a));
        below.dedup();
        below.truncate(count as usize);
        below
    }
}

fn sample(usage: TaskUsage, ended: Ended) -> Sample {
    let done = ended == Ended::Done;
    Sample {
        ended,
        input_bytes: usage.read_bytes,
        features: BTreeMap::new(),
        duration_ms: usage.duration_ms,
        cpu_ms: usage.cpu_ms,
        // What was killed had less than it needed: that of the target counts.
        peak_kib: if done { usage.peak_kib } else { 0 },
        network_bytes: usage.read_bytes.saturating_add(usage.written_bytes),
        disk_bytes: usage.read_bytes.saturating_add(usage.written_bytes),
        cold: usage.cold,
    }
}

#[cfg(test)]
mod tests {
    use foreshard_model::claim::Claim;
    use foreshard_model::message::Failure;
    use foreshard_model::output::{OutputValue, TaskOutput};
    use foreshard_model::target::Pool;

    use super::*;

    fn usage(memory: u32, peak_mib: u64, read_bytes: u64) -> TaskUsage {
        TaskUsage {
            duration_ms: 100,
            cpu_ms: 90,
            peak_kib: peak_mib * 1024,
            read_bytes,
            memory: Mib(memory),
            ..TaskUsage::default()
        }
    }

    fn manifest(tasks: &[(&str, TaskUsage)]) -> Manifest {
        let output = |usage| TaskOutput {
            attempt: Attempt(1),
            value: OutputValue::Stored(Claim::default()),
            files: BTreeMap::new(),
            usage,
        };
        Manifest {
            tasks: tasks
                .iter()
                .map(|&(id, usage)| (id.into(), output(usage)))
                .collect(),
            ..Manifest::default()
        }
    }

    fn item(tier: u32, failures: &[(Cause, u32)]) -> ShardItem {
        ShardItem {
            state: ShardState::Done,
            tier: Mib(tier),
            settled_at: TimeMs(1_000),
            failures: failures.iter().copied().collect(),
            ..ShardItem::default()
        }
    }

    /// `name on target, bucket: how it ended and how often`, a line for each profile.
    fn told(harvest: Harvest<'_>) -> String {
        let lessons = harvest.lessons(&"r-1".into(), 0, TimeMs(2_000));
        let lines = lessons.iter().map(|lesson| {
            let mut ended: BTreeMap<Ended, usize> = BTreeMap::new();
            for sample in &lesson.seen.samples {
                *ended.entry(sample.ended).or_default() += 1;
            }
            let key = &lesson.key;
            format!(
                "{} {} {}: {ended:?}",
                key.task_type, lesson.memory.0, key.bucket.0
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn all(_: &TaskId) -> Option<&'static str> {
        Some("sort")
    }

    #[test]
    fn tasks_are_taken_by_type_target_and_size_and_skipped_ones_are_not() {
        let pool = Pool::default_on_aws("eu-west-1");
        let mut harvest = Harvest::new(&pool.targets, None);
        let tasks = [
            ("a", usage(512, 40, 10)),
            ("b", usage(512, 40, 20)),
            ("c", usage(512, 40, 9_000)),
            ("never-started", usage(0, 0, 0)),
        ];
        harvest.add(&item(512, &[]), &manifest(&tasks), all);
        assert_eq!(
            told(harvest),
            "sort 512 0: {Done: 2}\nsort 512 2: {Done: 1}"
        );
    }

    #[test]
    fn a_kill_is_laid_to_the_task_that_needed_most_on_the_larger_tier() {
        let pool = Pool::default_on_aws("eu-west-1");
        let mut harvest = Harvest::new(&pool.targets, None);
        let killed = item(1_024, &[(Cause::OutOfMemory, 2)]);
        let tasks = [
            ("before", usage(256, 200, 9_000)),
            ("hog", usage(1_024, 700, 10)),
            ("after", usage(1_024, 30, 9_000)),
        ];
        harvest.add(&killed, &manifest(&tasks), |id| {
            Some(match id.as_str() {
                "hog" => "hog",
                _ => "other",
            })
        });
        insta::assert_snapshot!(told(harvest), @r"
        hog 1024 0: {Done: 1}
        hog 256 0: {OutOfMemory: 1}
        hog 512 0: {OutOfMemory: 1}
        other 1024 2: {Done: 1}
        other 256 2: {Done: 1}
        ");
    }

    #[test]
    fn what_was_taken_in_before_a_run_went_on_is_not_taken_again() {
        let pool = Pool::default_on_aws("eu-west-1");
        let mut harvest = Harvest::new(&pool.targets, Some(TimeMs(1_000)));
        harvest.add(
            &item(512, &[]),
            &manifest(&[("a", usage(512, 40, 10))]),
            all,
        );
        assert_eq!(told(harvest), "");
    }

    #[test]
    fn a_final_failure_is_told_of_the_task_that_it_names() {
        let pool = Pool::default_on_aws("eu-west-1");
        let mut harvest = Harvest::new(&pool.targets, None);
        let failed = |cause| ShardItem {
            state: ShardState::Failed,
            cause: Some(Failure {
                cause,
                task: Some("a".into()),
                message: String::new(),
            }),
            ..item(10_240, &[])
        };
        for cause in [Cause::OutOfMemory, Cause::Timeout, Cause::WorkerLost] {
            harvest.add_failed(&failed(cause), all);
        }
        assert_eq!(
            told(harvest),
            "sort 10240 0: {OutOfMemory: 1, Timeout: 1}",
            "a lost worker says nothing of its tasks"
        );
    }
}
