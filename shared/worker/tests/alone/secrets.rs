//! A task looks for the worker's credentials everywhere that a process of the same user can look.

use std::process::{Command, ExitCode};

use foreshard_worker::shield;
use serde_json::{Value, json};

use crate::bench::{Bench, script};

/// Set for the inner start, which is what a function's process is.
const INNER: &str = "FORESHARD_TEST_INNER";

/// Put together at run time, so that the binary itself does not hold it.
fn secret() -> String {
    ["very", "hidden", "worker", "secret"].join("-")
}

/// Searches the environment of itself and of every process above, open files, command lines, and the worker's memory.
/// The pattern is written so that the script does not find itself.
const SEARCH: &str = r#"
pattern='hidden[-]worker'
found=0
look() { if tr '\0' '\n' 2>/dev/null | grep -aq "$pattern"; then echo "found in $1" >&2; found=$((found+1)); fi; }
env | look env
pid=$$
seen=0
while [ "$pid" != 0 ] && [ $seen -lt 3 ]; do
  cat /proc/$pid/environ 2>/dev/null | look "/proc/$pid/environ"
  cat /proc/$pid/cmdline 2>/dev/null | look "/proc/$pid/cmdline"
  for fd in /proc/$pid/fd/*; do if [ -f "$fd" ] || [ -p "$fd" ] && [ $pid != $$ ]; then timeout 0.2 head -c 100000 "$fd" 2>/dev/null | look "$fd"; fi; done
  pid=$(sed 's/.*) . \([0-9]*\) .*/\1/' /proc/$pid/stat); seen=$((seen+1))
done
if head -c 1 /proc/$PPID/environ >/dev/null 2>&1; then echo "the worker's environment can be read" >&2; found=$((found+1)); fi
if head -c 1 /proc/$PPID/mem 2>&1 | grep -q 'Input/output'; then echo "the worker's memory can be opened" >&2; found=$((found+1)); fi
if ls /proc/$PPID/fd 2>/dev/null | while read fd; do readlink /proc/$PPID/fd/$fd; done | grep -q .; then
  echo "the worker's files can be seen" >&2; found=$((found+1))
fi
grep -ral "$pattern" "$HOME" "$TMPDIR" 2>/dev/null | look files
echo "{\"found\": $found, \"open\": [$(ls /proc/self/fd | tr '\n' ',' | sed 's/,$//')]}"
"#;

pub fn a_task_finds_none_of_the_workers_credentials() {
    // Where the secret is in the environment, the search finds it.
    let control = Command::new("sh")
        .args(["-c", SEARCH])
        .env("SECRET", secret())
        .output()
        .unwrap();
    let control: Value = serde_json::from_slice(&control.stdout).unwrap();
    assert!(control["found"].as_u64().unwrap() >= 2, "{control}");
    let me = std::env::current_exe().unwrap();
    let status = Command::new(me)
        .env(INNER, "1")
        .env("AWS_ACCESS_KEY_ID", "AKIAWORKER")
        .env("AWS_SECRET_ACCESS_KEY", secret())
        .env("AWS_SESSION_TOKEN", format!("token-{}", secret()))
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// Files that are open now.
fn open_files() -> Vec<u64> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// In the inner start: the shield, then a worker with a task that searches. `None` in the outer one.
pub fn inside() -> Option<ExitCode> {
    std::env::var_os(INNER)?;
    let inherited = open_files();
    let credentials = shield::protect().unwrap().unwrap();
    assert_eq!(credentials.access_key_id, "AKIAWORKER");
    assert_eq!(credentials.secret_access_key, secret());
    assert_eq!(
        credentials.session_token,
        Some(format!("token-{}", secret()))
    );
    assert!(std::env::var_os("AWS_SECRET_ACCESS_KEY").is_none());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let bench = Bench::new();
        let outcome = bench
            .execute(&bench.shard(0, vec![script("search", SEARCH)]))
            .await;
        let found = bench.value(&outcome, "search");
        assert_eq!(found["found"], json!(0), "{}", bench.log("search"));
        // The three standard ones, the folder that is being listed, and what this process was itself started with.
        let own = |fd: &&Value| {
            fd.as_u64()
                .is_some_and(|fd| fd < 4 || inherited.contains(&fd))
        };
        let open = found["open"].as_array().unwrap();
        assert_eq!(
            open.iter().filter(own).count(),
            open.len(),
            "{open:?}, not of {inherited:?}"
        );
    });
    drop(credentials);
    Some(ExitCode::SUCCESS)
}
