//! What must be tested in a process that does nothing else: its own credentials, its own memory, what becomes its child.
//!
//! It has no harness, because it is started again by the shield and by the worker, as a function is.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../worker/bench.rs"]
#[expect(dead_code, reason = "shared with the tests of the other binary")]
mod bench;
mod deaths;
mod disk;
mod load;
mod memory;
mod secrets;
mod strays;

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = foreshard_worker::run_as_task(std::env::args_os()) {
        return code;
    }
    if let Some(result) = secrets::inside().or_else(deaths::inside) {
        return result;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    run("a_large_file_is_never_whole_in_memory", || {
        runtime.block_on(memory::a_large_file_is_never_whole_in_memory())
    });
    run("samples_match_a_known_load", || {
        runtime.block_on(load::samples_match_a_known_load())
    });
    run("nothing_outlives_its_shard", || {
        runtime.block_on(strays::nothing_outlives_its_shard())
    });
    run("a_killed_worker_takes_its_task_with_it", || {
        runtime.block_on(deaths::a_killed_worker_takes_its_task_with_it());
    });
    run(
        "a_task_finds_none_of_the_workers_credentials",
        secrets::a_task_finds_none_of_the_workers_credentials,
    );
    ExitCode::SUCCESS
}

/// A panic ends the process with a failure, as every test runner wants it.
fn run(name: &str, test: impl FnOnce()) {
    test();
    let line = format!("test {name} ... ok\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}
