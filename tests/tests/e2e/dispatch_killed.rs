//! Dispatch is killed at each of its writes in turn: the run always finishes, and commits every task once.

use std::path::{Path, PathBuf};

use foreshard_model::policy::RunOptions;

use super::documents::diamond;
use super::runs;
use super::stack::{Deployment, deployment, is_full};
use super::witness::{Witness, tasks};

/// Writes of one call of dispatch, at most: far more than there are, so that the loop ends by itself.
const WRITES_MAX: u32 = 60;

/// Where dispatch dies: at which write of a call, and on which side of it.
#[derive(Debug, Clone, Copy)]
struct Point {
    write: u32,
    after: bool,
}

impl Point {
    fn text(self) -> String {
        format!(
            "{}:{}",
            self.write,
            if self.after { "after" } else { "before" }
        )
    }
}

/// The points of one write. Between two writes nothing can be seen from outside, so `before` the next is `after` this one;
/// the full suite shows both all the same.
fn points(write: u32) -> Vec<Point> {
    let at = |after| Point { write, after };
    if is_full() || write == 1 {
        vec![at(false), at(true)]
    } else {
        vec![at(true)]
    }
}

/// One run with dispatch dying once at `point`; false when no call got so far.
async fn dies_at(on: &Deployment, switch: &Path, point: Point) -> bool {
    let fired = switch.with_extension("fired");
    let _ = std::fs::remove_file(&fired);
    std::fs::write(switch, point.text()).expect("the switch is written");
    let options = RunOptions {
        shard_tasks_max: Some(1),
        ..runs::traced()
    };
    let item = runs::run(on, &diamond(0.0), options).await;
    let tasks = tasks(&runs::plan(on, &item.run).await);
    assert_eq!(tasks.len(), 4);
    let witness = Witness::of(on, &item.run).await;
    witness.assert_committed_once(&tasks);
    let repeated = witness.repeated(&tasks);
    assert!(
        repeated.is_empty(),
        "{}: a worker was not killed, but repeated {repeated:?}",
        point.text()
    );
    fired.is_file()
}

async fn iterate(on: &Deployment, switch: &Path) -> (u32, u32) {
    let mut killed = 0;
    for write in 1..=WRITES_MAX {
        for point in points(write) {
            if !dies_at(on, switch, point).await {
                return (write - 1, killed);
            }
            killed += 1;
            println!(
                "  died at {}: succeeded, each task committed once",
                point.text()
            );
        }
    }
    panic!("a call of dispatch has more than {WRITES_MAX} writes");
}

#[tokio::test]
async fn dispatch_killed() {
    let on = deployment().await;
    assert!(
        on.stack.switched,
        "dispatch has no fault switch: `make faulty` builds it"
    );
    let switch: PathBuf = on.stack.home.state.join("fault");
    let function = on.stack.function("dispatch");
    let file = switch.display().to_string();
    let variables = on
        .cloud
        .add_variables(&function, &[("FORESHARD_FAULT_FILE", &file)])
        .await;
    let (writes, killed) = iterate(&on, &switch).await;
    let _ = std::fs::remove_file(&switch);
    on.cloud.set_variables(&function, &variables).await;
    println!("dispatch killed {killed} times, at each of {writes} writes");
    assert!(
        writes >= 4,
        "a call of dispatch claims, settles, releases: {writes} writes"
    );
}
