//! A process that leaves its task's session to live on: found and ended with the shard.

use foreshard_model::message::OutcomeStatus;

use crate::bench::{Bench, script};

pub async fn nothing_outlives_its_shard() {
    let bench = Bench::with(|settings| settings.owns_process = true, |_| {});
    let pids = bench.root.path().join("pids");
    let text = format!(
        "setsid sh -c 'echo $$ >> {0}; setsid sleep 600 & echo $! >> {0}; sleep 600' >/dev/null 2>&1 & \
         while [ $(wc -l < {0} 2>/dev/null || echo 0) -lt 2 ]; do sleep 0.01; done",
        pids.display()
    );
    let outcome = bench
        .execute(&bench.shard(0, vec![script("daemon", &text)]))
        .await;
    assert_eq!(outcome.status, OutcomeStatus::Done, "{:?}", outcome.failure);
    let pids = std::fs::read_to_string(pids).unwrap();
    for pid in pids.lines() {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z"), "{stat}");
    }
}
