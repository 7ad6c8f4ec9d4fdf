//! A run as it goes: one bar for shards, one for tasks, a line for what happens in between.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;

use foreshard_model::api::PlannedView;
use foreshard_model::ledger::{Event, EventKind};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::say;

/// The bars of one run.
#[derive(Debug)]
pub struct Bars {
    group: MultiProgress,
    shards: ProgressBar,
    tasks: ProgressBar,
    running: ProgressBar,
    under_way: BTreeSet<u32>,
    terminal: bool,
    said_percent: u64,
}

impl Bars {
    /// Bars on a terminal; elsewhere a line for each tenth.
    #[must_use]
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        let group = MultiProgress::new();
        let bar = |template: &str| {
            let bar = if terminal {
                group.add(ProgressBar::new(0))
            } else {
                ProgressBar::hidden()
            };
            bar.set_style(
                ProgressStyle::with_template(template)
                    .unwrap_or(ProgressStyle::default_bar())
                    .progress_chars("█▒░"),
            );
            bar
        };
        let shards = bar("shards {bar:40} {pos}/{len} {msg}");
        let tasks = bar("tasks  {bar:40} {pos}/{len} {elapsed}");
        let running = bar("{msg}");
        Self {
            group,
            shards,
            tasks,
            running,
            under_way: BTreeSet::new(),
            terminal,
            said_percent: 0,
        }
    }

    /// The plan is known.
    pub fn planned(&mut self, planned: PlannedView) {
        if self.tasks.length() != Some(u64::from(planned.tasks)) {
            self.shards.set_length(u64::from(planned.shards));
            self.tasks.set_length(u64::from(planned.tasks));
            if !self.terminal {
                say(&format!(
                    "planned: {} tasks in {} shards on {} lanes",
                    planned.tasks, planned.shards, planned.lanes
                ));
            }
        }
    }

    /// Whether the bars know their lengths.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.tasks.length().is_some_and(|n| n > 0)
    }

    /// Something happened.
    pub fn event(&mut self, event: &Event) {
        let shard = event.shard.map(|s| s.0);
        match event.kind {
            EventKind::Claimed => self.under_way.extend(shard),
            EventKind::Settled => {
                self.end_of(shard);
                let tasks = event.numbers.get("tasks").copied().unwrap_or_default();
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a count of tasks"
                )]
                self.tasks.inc(tasks as u64);
                self.shards.inc(1);
            }
            EventKind::Yielded => self.end_of(shard),
            EventKind::Retried | EventKind::Failed => {
                self.end_of(shard);
                self.line(&format!("! {}", event.because));
            }
            EventKind::Recut => self.line(&format!("cut again: {}", event.because)),
            EventKind::Accepted
            | EventKind::Planned
            | EventKind::Skipped
            | EventKind::State
            | EventKind::Round => {}
        }
        let running: Vec<String> = self.under_way.iter().take(12).map(u32::to_string).collect();
        self.running.set_message(if running.is_empty() {
            String::new()
        } else {
            format!("running shards {}", running.join(" "))
        });
        self.say_tenths();
    }

    fn end_of(&mut self, shard: Option<u32>) {
        if let Some(shard) = shard {
            self.under_way.remove(&shard);
        }
    }

    fn line(&self, text: &str) {
        if self.terminal {
            let _ = self.group.println(text);
        } else {
            say(text);
        }
    }

    fn say_tenths(&mut self) {
        let (done, all) = (
            self.tasks.position(),
            self.tasks.length().unwrap_or_default(),
        );
        if self.terminal || all == 0 {
            return;
        }
        let percent = done * 100 / all;
        if percent / 10 > self.said_percent / 10 {
            say(&format!("{percent:>3} %  {done}/{all} tasks"));
            self.said_percent = percent;
        }
    }

    /// The run has ended.
    pub fn finish(&self) {
        self.running.finish_and_clear();
        self.shards.abandon();
        self.tasks.abandon();
    }
}
