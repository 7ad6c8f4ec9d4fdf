//! Where each item of the table is: the only place that composes `pk` and `sk`.

use foreshard_model::forecast::Quantity;
use foreshard_model::ids::{LaneId, RunId, ShardId, TargetId, Tenant};
use foreshard_model::ledger::Event;
use foreshard_model::profile::ProfileKey;
use foreshard_model::schedule::ScheduleKey;
use foreshard_model::units::TimeMs;
use foreshard_stages::ports::{Listed, RunKey};

/// Partition of the markers of runs that are not terminal.
pub const ACTIVE: &str = "ACTIVE";
/// How the sort key of every shard begins.
pub const SHARD_PREFIX: &str = "SHARD#";

/// Address of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

/// The run's item.
#[must_use]
pub fn run(run: &RunId) -> Key {
    Key {
        pk: format!("RUN#{run}"),
        sk: "RUN".to_owned(),
    }
}

/// The partition that lists a tenant's runs.
#[must_use]
pub fn tenant(tenant: &Tenant) -> String {
    format!("TENANT#{tenant}")
}

/// A run in the listing of its tenant: by time of acceptance.
#[must_use]
pub fn listing(of: &Tenant, listed: &Listed) -> Key {
    Key {
        pk: tenant(of),
        sk: listed.place(),
    }
}

/// What a tenant has started lately.
#[must_use]
pub fn starts(of: &Tenant) -> Key {
    Key {
        pk: format!("ALLOWANCE#{of}"),
        sk: "STARTS".to_owned(),
    }
}

/// The marker of a run that is not terminal.
#[must_use]
pub fn active(run: &RunId) -> Key {
    Key {
        pk: ACTIVE.to_owned(),
        sk: run.0.clone(),
    }
}

/// One of the partitions over which a run's shards and lanes spread.
#[must_use]
pub fn partition(run: &RunKey, partition: u32) -> String {
    format!("RUN#{}#{partition}", run.run)
}

/// A shard: its partition is its id modulo their number.
#[must_use]
pub fn shard(run: &RunKey, id: ShardId) -> Key {
    Key {
        pk: partition(run, id.0 % run.partitions.max(1)),
        sk: format!("{SHARD_PREFIX}{:07}", id.0),
    }
}

/// A lane: its partition is its number modulo theirs.
#[must_use]
pub fn lane(run: &RunKey, lane: LaneId) -> Key {
    Key {
        pk: partition(run, lane.0 % run.partitions.max(1)),
        sk: format!("LANE#{:05}", lane.0),
    }
}

/// Partition of the markers of schedules that somebody must look after some time.
pub const TIMERS: &str = "TIMERS";

/// The partition of a tenant's schedules.
#[must_use]
pub fn schedules(of: &Tenant) -> String {
    format!("TENANT#{of}#SCHEDULES")
}

/// A schedule.
#[must_use]
pub fn schedule(of: &ScheduleKey) -> Key {
    Key {
        pk: schedules(&of.tenant),
        sk: of.name.clone(),
    }
}

/// The marker of a schedule that somebody must look after some time.
#[must_use]
pub fn timer(of: &ScheduleKey) -> Key {
    Key {
        pk: TIMERS.to_owned(),
        sk: format!("{}#{}", of.tenant, of.name),
    }
}

/// The partition of a run's ledger.
#[must_use]
pub fn ledger(run: &RunId) -> String {
    format!("RUN#{run}#LEDGER")
}

/// An entry of the ledger.
#[must_use]
pub fn event(event: &Event) -> Key {
    Key {
        pk: ledger(&event.run),
        sk: event.sort_key(),
    }
}

/// The partition of what a tenant has learnt of a task type.
#[must_use]
pub fn profiles(of: &Tenant, task_type: &str) -> String {
    format!("TENANT#{of}#TYPE#{task_type}")
}

/// A profile: by target, then by size of input.
#[must_use]
pub fn profile(tenant: &Tenant, of: &ProfileKey) -> Key {
    Key {
        pk: profiles(tenant, &of.task_type),
        sk: format!("PROFILE#{}#{:03}", of.target, of.bucket.0),
    }
}

/// Partition of the last forecast of everything.
pub const FORECASTS: &str = "FORECASTS";

/// The last forecast of a quantity of a place.
#[must_use]
pub fn forecast(place: &str, quantity: Quantity) -> Key {
    Key {
        pk: FORECASTS.to_owned(),
        sk: format!("{place}#{}", quantity.as_str()),
    }
}

/// The last outlook.
#[must_use]
pub fn outlook() -> Key {
    Key {
        pk: "OUTLOOK".to_owned(),
        sk: "LAST".to_owned(),
    }
}

/// The partition of what was decided for a target.
#[must_use]
pub fn prewarm_records(of: &TargetId) -> String {
    format!("TARGET#{of}#PREWARM")
}

/// What was decided for a target at a moment.
#[must_use]
pub fn prewarm_record(of: &TargetId, at: TimeMs) -> Key {
    Key {
        pk: prewarm_records(of),
        sk: format!("{:013}", at.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foreshard_model::ids::Attempt;
    use foreshard_model::ledger::EventKind;
    use foreshard_model::profile::SizeBucket;
    use proptest::prelude::*;

    fn run_id() -> RunId {
        RunId::derive(&"acme".into(), "monday")
    }

    #[test]
    fn keys_are_as_documented() {
        let id = run_id();
        let of = RunKey {
            run: id.clone(),
            partitions: 4,
        };
        let settled = Event {
            run: id.clone(),
            at: TimeMs(1_700_000_000_123),
            kind: EventKind::Settled,
            shard: Some(ShardId(7)),
            attempt: Some(Attempt(2)),
            lane: None,
            target: None,
            because: String::new(),
            numbers: Default::default(),
        };
        let nightly = ScheduleKey {
            tenant: "acme".into(),
            name: "etl.nightly".to_owned(),
        };
        let listed = Listed {
            accepted_at: TimeMs(1_700_000_000_123),
            run: id.clone(),
        };
        let target: TargetId = "foreshard-execute-512:live".into();
        let render = ProfileKey {
            task_type: "command:render".to_owned(),
            target: target.clone(),
            bucket: SizeBucket(6),
        };
        let keys = [
            run(&id),
            listing(&"acme".into(), &listed),
            starts(&"acme".into()),
            active(&id),
            shard(&of, ShardId(1234567)),
            lane(&of, LaneId(42)),
            event(&settled),
            schedule(&nightly),
            timer(&nightly),
            profile(&"acme".into(), &render),
            forecast(target.as_str(), Quantity::Concurrency),
            outlook(),
            prewarm_record(&target, TimeMs(1_700_000_000_123)),
        ];
        let text: Vec<String> = keys
            .iter()
            .map(|k| format!("{} | {}", k.pk, k.sk))
            .collect();
        insta::assert_snapshot!(text.join("\n").replace(id.as_str(), "<run>"), @r"
        RUN#<run> | RUN
        TENANT#acme | 1700000000123#<run>
        ALLOWANCE#acme | STARTS
        ACTIVE | <run>
        RUN#<run>#3 | SHARD#1234567
        RUN#<run>#2 | LANE#00042
        RUN#<run>#LEDGER | 1700000000123#settled#0000007#2
        TENANT#acme#SCHEDULES | etl.nightly
        TIMERS | acme#etl.nightly
        TENANT#acme#TYPE#command:render | PROFILE#foreshard-execute-512:live#006
        FORECASTS | foreshard-execute-512:live#concurrency
        OUTLOOK | LAST
        TARGET#foreshard-execute-512:live#PREWARM | 1700000000123
        ");
    }

    proptest! {
        #[test]
        fn shards_sort_by_id_and_stay_in_their_partition(a in 0u32..9_999_999, b in 0u32..9_999_999, p in 0u32..64) {
            let of = RunKey { run: run_id(), partitions: p };
            let (x, y) = (shard(&of, ShardId(a)), shard(&of, ShardId(b)));
            prop_assert_eq!(x.sk.cmp(&y.sk), a.cmp(&b));
            prop_assert_eq!(x.pk, partition(&of, a % p.max(1)));
        }
    }
}
