//! The end of what a task writes to its standard error, bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps the last bytes; shared between the reader and whoever stores the log.
#[derive(Clone)]
pub(crate) struct SharedTail(Arc<Mutex<Tail>>);

struct Tail {
    limit: usize,
    kept: VecDeque<u8>,
    dropped: u64,
}

impl SharedTail {
    /// Empty; keeps at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Tail {
            limit,
            kept: VecDeque::new(),
            dropped: 0,
        })))
    }

    /// Appends, dropping from the front what is too much.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.kept.extend(bytes);
        let surplus = tail.kept.len().saturating_sub(tail.limit);
        tail.kept.drain(..surplus);
        tail.dropped += surplus as u64;
    }

    /// What is kept, with a first line that counts what is not. Empty when nothing was written.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Vec::new();
        if tail.dropped > 0 {
            text.extend(format!("[{} bytes left out]\n", tail.dropped).into_bytes());
        }
        text.extend(tail.kept.drain(..));
        tail.dropped = 0;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_the_rest_counted() {
        let tail = SharedTail::new(4);
        assert_eq!(tail.take(), b"");
        tail.push(b"abc");
        tail.push(b"defg");
        assert_eq!(tail.take(), b"[3 bytes left out]\ndefg");
        assert_eq!(tail.take(), b"");
    }
}
