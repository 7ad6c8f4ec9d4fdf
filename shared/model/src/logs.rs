//! The key of a task's log: written by the worker, listed and read back by submit.

use crate::ids::{Attempt, RunId, Sha256Hex, ShardId, TaskId};

/// Longest file name that keeps the whole id; a longer one ends in a digest instead. Keys of S3 have 1,024 bytes.
const NAME_BYTES: usize = 400;

/// What one log belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogKey {
    /// The shard.
    pub shard: ShardId,
    /// Its attempt.
    pub attempt: Attempt,
    /// The task; the beginning of its id, `~~` and a digest when the id is very long.
    pub task: TaskId,
}

/// The prefix of all logs of a run.
#[must_use]
pub fn prefix(run: &RunId) -> String {
    format!("runs/{run}/logs/")
}

/// Where the log is: `runs/<run>/logs/<shard>/<attempt>/<task>.log`, bytes of the task's id other than letters, digits,
/// `.`, `_` and `-` as `~` and two hexadecimal digits.
#[must_use]
pub fn key(run: &RunId, shard: ShardId, attempt: Attempt, task: &TaskId) -> String {
    format!("{}{shard}/{attempt}/{}.log", prefix(run), file_safe(task))
}

/// Reads a key that [`key`] made.
#[must_use]
pub fn parse(run: &RunId, key: &str) -> Option<LogKey> {
    let rest = key.strip_prefix(&prefix(run))?.strip_suffix(".log")?;
    let (shard, rest) = rest.split_once('/')?;
    let (attempt, name) = rest.split_once('/')?;
    Some(LogKey {
        shard: ShardId(shard.parse().ok()?),
        attempt: Attempt(attempt.parse().ok()?),
        task: TaskId(plain(name)?),
    })
}

fn file_safe(task: &TaskId) -> String {
    let mut name = String::new();
    for byte in task.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("~{byte:02X}"));
        }
        if name.len() > NAME_BYTES {
            let digest = Sha256Hex::of(task.as_str().as_bytes());
            return format!("{}~~{}", &name[..NAME_BYTES - 20], &digest.as_str()[..16]);
        }
    }
    name
}

fn plain(name: &str) -> Option<String> {
    let (name, digest) = name.split_once("~~").unwrap_or((name, ""));
    let mut bytes = Vec::new();
    let mut parts = name.split('~');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let Some(byte) = part.get(..2) else { break };
        bytes.push(u8::from_str_radix(byte, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if !digest.is_empty() {
        text = format!("{text}~~{digest}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_can_be_read_back() {
        let run = RunId::from("r-aaaaaaaaaaaaaaaaaaaa");
        for id in ["a", "sub/task", "Zürich ~ 1", "x.y_z-9"] {
            let key = key(&run, ShardId(3), Attempt(2), &id.into());
            assert!(key.is_ascii(), "{key}");
            let back = parse(&run, &key).unwrap();
            assert_eq!((back.shard, back.attempt), (ShardId(3), Attempt(2)));
            assert_eq!(back.task.as_str(), id);
        }
    }

    #[test]
    fn long_ids_stay_apart_within_the_length_of_a_key() {
        let run = RunId::from("r-aaaaaaaaaaaaaaaaaaaa");
        let ids = ["é".repeat(255) + "a", "é".repeat(255) + "b"];
        let keys = ids.map(|id| key(&run, ShardId(0), Attempt(1), &id.into()));
        assert_ne!(keys[0], keys[1]);
        assert!(keys[0].len() < 1_024);
        let back = parse(&run, &keys[0]).unwrap();
        assert!(back.task.as_str().starts_with("ééé"), "{}", back.task);
    }

    #[test]
    fn other_keys_are_not_logs() {
        let run = RunId::from("r-aaaaaaaaaaaaaaaaaaaa");
        for key in [
            "",
            "runs/x/logs/1/1/a.log",
            "runs/r-aaaaaaaaaaaaaaaaaaaa/logs/1.log",
        ] {
            assert_eq!(parse(&run, key), None, "{key}");
        }
    }
}
