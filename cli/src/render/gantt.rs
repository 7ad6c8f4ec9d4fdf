//! The lanes of a run over time, in text: each shard a stretch of its own letter, so that it reads without colour.

use std::collections::BTreeMap;

use foreshard_model::ledger::{Event, EventKind};

/// Columns of the time axis.
const COLUMNS: usize = 72;

/// Most lanes drawn; the rest is counted.
const LANES_DRAWN: usize = 40;

struct Stretch {
    lane: u32,
    shard: u32,
    from: u64,
    to: u64,
    failed: bool,
}

/// Draws what the events say; empty when no shard ran.
#[must_use]
pub fn draw(events: &[Event]) -> String {
    let stretches = stretches(events);
    let (Some(first), Some(last)) = (
        stretches.iter().map(|s| s.from).min(),
        stretches.iter().map(|s| s.to).max(),
    ) else {
        return String::new();
    };
    let span = (last - first).max(1);
    let column = |at: u64| {
        usize::try_from((at - first) * (COLUMNS as u64 - 1) / span).unwrap_or(COLUMNS - 1)
    };
    let mut rows: BTreeMap<u32, Vec<char>> = BTreeMap::new();
    for stretch in &stretches {
        let row = rows
            .entry(stretch.lane)
            .or_insert_with(|| vec!['·'; COLUMNS]);
        let mark = if stretch.failed {
            '✗'
        } else {
            letter(stretch.shard)
        };
        row[column(stretch.from)..=column(stretch.to)].fill(mark);
    }
    let mut text = String::new();
    for (lane, row) in rows.iter().take(LANES_DRAWN) {
        text.push_str(&format!(
            "lane {lane:>4} │{}│\n",
            row.iter().collect::<String>()
        ));
    }
    if rows.len() > LANES_DRAWN {
        text.push_str(&format!(
            "          and {} more lanes\n",
            rows.len() - LANES_DRAWN
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "a duration for people")]
    let seconds = span as f64 / 1000.0;
    text.push_str(&format!(
        "          0 s{:>width$}\n",
        format!("{seconds:.2} s"),
        width = COLUMNS - 3
    ));
    text
}

/// Shards are told apart by letters, in turn.
fn letter(shard: u32) -> char {
    const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char::from(LETTERS[shard as usize % LETTERS.len()])
}

fn stretches(events: &[Event]) -> Vec<Stretch> {
    let mut open: BTreeMap<(u32, u32), (u32, u64)> = BTreeMap::new();
    let mut stretches = Vec::new();
    for event in events {
        let (Some(shard), Some(attempt)) = (event.shard, event.attempt) else {
            continue;
        };
        let key = (shard.0, attempt.0);
        match event.kind {
            EventKind::Claimed => {
                open.insert(key, (event.lane.unwrap_or_default().0, event.at.0));
            }
            EventKind::Settled | EventKind::Yielded | EventKind::Retried | EventKind::Failed => {
                if let Some((lane, from)) = open.remove(&key) {
                    let failed = matches!(event.kind, EventKind::Retried | EventKind::Failed);
                    stretches.push(Stretch {
                        lane,
                        shard: shard.0,
                        from,
                        to: event.at.0.max(from),
                        failed,
                    });
                }
            }
            _ => {}
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use foreshard_model::ids::{Attempt, LaneId, ShardId};
    use foreshard_model::units::TimeMs;

    use super::*;

    fn event(at: u64, kind: EventKind, shard: u32, lane: u32) -> Event {
        Event {
            run: "r".into(),
            at: TimeMs(at),
            kind,
            shard: Some(ShardId(shard)),
            attempt: Some(Attempt(1)),
            lane: Some(LaneId(lane)),
            target: None,
            because: String::new(),
            numbers: BTreeMap::new(),
        }
    }

    #[test]
    fn each_lane_is_a_row() {
        let events = [
            event(0, EventKind::Claimed, 0, 0),
            event(0, EventKind::Claimed, 1, 1),
            event(500, EventKind::Settled, 0, 0),
            event(500, EventKind::Claimed, 2, 0),
            event(900, EventKind::Retried, 1, 1),
            event(1000, EventKind::Settled, 2, 0),
        ];
        insta::assert_snapshot!(draw(&events), @r"
        lane    0 │aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaccccccccccccccccccccccccccccccccccccc│
        lane    1 │✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗✗········│
                  0 s                                                               1.00 s
        ");
    }

    #[test]
    fn nothing_ran_draws_nothing() {
        assert_eq!(draw(&[]), "");
    }
}
