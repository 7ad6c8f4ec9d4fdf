//! `events`: what happened in a run, once or until it has ended.

use std::collections::BTreeSet;
use std::time::Duration;

use foreshard_model::ledger::Event;

use crate::args::{Arguments, Events, Format};
use crate::deployment::{client, run_id};
use crate::exit::{CliError, Exit};
use crate::render::{data, events as show, json};

/// Pause between two looks at a run that goes on.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Prints events, oldest first; a page can bring some again, which are left out. With `--format json`, an array; when
/// it follows, an object for each line.
///
/// # Errors
/// A refusal, or no answer.
pub async fn events(arguments: &Arguments, wanted: &Events) -> Result<Exit, CliError> {
    let (client, run) = (client(arguments).await?, run_id(&wanted.run)?);
    let mut printer = Printer {
        json: arguments.format == Format::Json,
        follow: wanted.follow,
        ..Printer::default()
    };
    let mut after = String::new();
    loop {
        let page = client.events(&run, &after).await?;
        let fresh = printer.take(page.events);
        let ended = page.state.is_terminal();
        let moved = page.next != after;
        after = page.next;
        if fresh && moved {
            continue;
        }
        if !wanted.follow || ended {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    if printer.json && !wanted.follow {
        json(&printer.kept);
    }
    Ok(Exit::Success)
}

#[derive(Default)]
struct Printer {
    json: bool,
    follow: bool,
    seen: BTreeSet<String>,
    first: Option<u64>,
    kept: Vec<Event>,
}

impl Printer {
    /// Prints what is new; tells whether anything was.
    fn take(&mut self, events: Vec<Event>) -> bool {
        let before = self.seen.len();
        for event in events {
            if !self.seen.insert(event.sort_key()) {
                continue;
            }
            let first = *self.first.get_or_insert(event.at.0);
            if !self.json {
                data(&show::line(&event, first));
            } else if self.follow {
                data(&serde_json::to_string(&event).unwrap_or_default());
            } else {
                self.kept.push(event);
            }
        }
        self.seen.len() > before
    }
}
