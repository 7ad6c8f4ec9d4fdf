//! Token buckets, as the services limit rates: so many at once, and then so many a second.

use foreshard_model::units::TimeMs;

/// A bucket that is refilled with time.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    size: f64,
    per_ms: f64,
    level: f64,
    at: TimeMs,
}

impl Bucket {
    pub(crate) fn new(size: f64, per_s: f64) -> Self {
        Self {
            size,
            per_ms: per_s / 1_000.0,
            level: size,
            at: TimeMs(0),
        }
    }

    fn refill(&mut self, now: TimeMs) {
        let ms = now.since(self.at) as f64;
        self.level = (self.level + ms * self.per_ms).min(self.size);
        self.at = self.at.max(now);
    }

    /// Takes `count`, or nothing where there are not so many: the caller is refused.
    pub(crate) fn take(&mut self, count: f64, now: TimeMs) -> bool {
        self.refill(now);
        let enough = self.level >= count;
        if enough {
            self.level -= count;
        }
        enough
    }

    /// Takes `count` in any case, and says how long the caller is held back for it, in milliseconds.
    pub(crate) fn book(&mut self, count: f64, now: TimeMs) -> u64 {
        self.refill(now);
        self.level -= count;
        if self.level >= 0.0 {
            0
        } else {
            (-self.level / self.per_ms).ceil() as u64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_its_size_at_once_and_then_what_is_refilled() {
        let mut bucket = Bucket::new(2.0, 10.0);
        let taken = |bucket: &mut Bucket, ms| bucket.take(1.0, TimeMs(ms));
        assert!(taken(&mut bucket, 0) && taken(&mut bucket, 0));
        assert!(!taken(&mut bucket, 99));
        assert!(taken(&mut bucket, 100));
        assert!(!taken(&mut bucket, 100));
        // A long rest fills it no further than its size.
        assert!(taken(&mut bucket, 10_000) && taken(&mut bucket, 10_000));
        assert!(!taken(&mut bucket, 10_000));
    }

    #[test]
    fn who_books_waits_in_line() {
        let mut bucket = Bucket::new(1.0, 10.0);
        let waits: Vec<u64> = (0..3).map(|_| bucket.book(1.0, TimeMs(0))).collect();
        assert_eq!(waits, [0, 100, 200]);
        assert_eq!(bucket.book(1.0, TimeMs(200)), 100);
    }
}
