//! The steps of bringing the emulator up: a spinner on a terminal, lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use foreshard_local_emulator::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use super::say;

/// Shows steps on standard error.
#[derive(Debug)]
pub struct Steps {
    current: Mutex<Option<(String, ProgressBar, Instant)>>,
    terminal: bool,
}

impl Steps {
    /// Spinners when standard error is a terminal, lines otherwise.
    #[must_use]
    pub fn new() -> Self {
        Self {
            current: Mutex::new(None),
            terminal: std::io::stderr().is_terminal(),
        }
    }
}

impl Progress for Steps {
    fn begin(&self, step: &str) {
        let bar = if self.terminal {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        bar.set_style(
            ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
                .unwrap_or(ProgressStyle::default_spinner()),
        );
        bar.set_message(step.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        if !self.terminal {
            say(&format!("… {step}"));
        }
        if let Ok(mut current) = self.current.lock() {
            *current = Some((step.to_owned(), bar, Instant::now()));
        }
    }

    fn note(&self, text: &str) {
        let Ok(current) = self.current.lock() else {
            return;
        };
        match &*current {
            Some((step, bar, _)) if self.terminal => bar.set_message(format!("{step}: {text}")),
            _ => say(&format!("  {text}")),
        }
    }

    fn end(&self, outcome: &str) {
        let Some((step, bar, since)) = self.current.lock().ok().and_then(|mut c| c.take()) else {
            return;
        };
        bar.finish_and_clear();
        say(&format!(
            "✓ {step}: {outcome} ({:.1} s)",
            since.elapsed().as_secs_f64()
        ));
    }
}
