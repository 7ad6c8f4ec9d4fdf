//! Watches a run to its end: bars while it goes, figures, lanes and output when it has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use foreshard_aws::client::ApiClient;
use foreshard_model::api::RunView;
use foreshard_model::ids::RunId;
use foreshard_model::ledger::Event;
use foreshard_model::run::RunState;

use crate::args::{Arguments, Format};
use crate::commands::manage;
use crate::exit::{CliError, Exit};
use crate::render::bars::Bars;
use crate::render::runs::{Figures, describe};
use crate::render::{data, gantt, json, say};

/// First and longest pause between two looks at a run.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

/// Looks in a row that may fail before the watcher gives up; the run goes on all the same.
const FAILED_LOOKS_MAX: u32 = 10;

/// Watches until the run is terminal, then prints its figures and output.
///
/// # Errors
/// A deployment that does not answer any more; [`CliError::Interrupted`] on Ctrl-C: the run goes on.
pub async fn to_the_end(
    arguments: &Arguments,
    client: &ApiClient,
    run: &RunId,
) -> Result<Exit, CliError> {
    let mut watcher = Watcher {
        bars: Bars::new(),
        events: BTreeMap::new(),
        cursor: String::new(),
    };
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let view = tokio::select! {
        view = watcher.watch(client, run) => view?,
        _ = &mut interrupted => {
            watcher.bars.finish();
            let text = format!(
                "interrupted; the run goes on: `foreshard status {run}` looks at it, `foreshard cancel {run}` ends it"
            );
            return Err(CliError::Interrupted(text));
        }
    };
    watcher.bars.finish();
    report(arguments, client, &view, &watcher.events).await
}

struct Watcher {
    bars: Bars,
    events: BTreeMap<String, Event>,
    cursor: String,
}

impl Watcher {
    async fn watch(&mut self, client: &ApiClient, run: &RunId) -> Result<RunView, CliError> {
        let (mut pause, mut failed) = (LOOK_EVERY.0, 0);
        loop {
            match self.look(client, run).await {
                Ok(Some(view)) => return Ok(view),
                Ok(None) => failed = 0,
                Err(error)
                    if failed >= FAILED_LOOKS_MAX || matches!(error, CliError::Refused(_)) =>
                {
                    return Err(error);
                }
                Err(_) => failed += 1,
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 5 / 4).min(LOOK_EVERY.1);
        }
    }

    /// One look: new events, and the run when it has ended.
    async fn look(&mut self, client: &ApiClient, run: &RunId) -> Result<Option<RunView>, CliError> {
        if !self.bars.is_planned() {
            let view = client.run(run).await?;
            if let Some(planned) = view.planned {
                self.bars.planned(planned);
            }
        }
        loop {
            let page = client.events(run, &self.cursor).await?;
            let more = !page.events.is_empty() && page.next != self.cursor;
            for event in page.events {
                if self
                    .events
                    .insert(event.sort_key(), event.clone())
                    .is_none()
                {
                    self.bars.event(&event);
                }
            }
            self.cursor = page.next;
            if !page.state.is_terminal() {
                return Ok(None);
            }
            // Nothing is added to what a run that has ended says: the rest is read without a pause.
            if !more {
                return Ok(Some(client.run(run).await?));
            }
        }
    }
}

async fn report(
    arguments: &Arguments,
    client: &ApiClient,
    view: &RunView,
    events: &BTreeMap<String, Event>,
) -> Result<Exit, CliError> {
    let list: Vec<Event> = events.values().cloned().collect();
    say(&gantt::draw(&list));
    say(&describe(view));
    if arguments.format == Format::Json {
        json(&Figures::from(view));
    } else if view.state == RunState::Succeeded {
        let result = client.result(&view.run).await?;
        json(&manage::whole_outputs(client, result).await?);
    } else {
        data(view.state.as_str());
    }
    if view.state != RunState::Succeeded {
        say(&format!(
            "`foreshard logs {0}` prints what the tasks said; `foreshard resume {0}` goes on",
            view.run
        ));
    }
    Ok(if view.state == RunState::Succeeded {
        Exit::Success
    } else {
        Exit::RunFailed
    })
}
